//! The files a page needs, inside the binary.

use actix_web::HttpResponse;
use actix_web::http::header;

const CSS: &str = include_str!("../assets/site.css");

pub(crate) async fn css() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(CSS)
}
