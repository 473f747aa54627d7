//! The files a page needs, inside the binary; `build.rs` puts them there.

use actix_web::http::header::{self, AcceptEncoding, Encoding, Header as _};
use actix_web::{HttpRequest, HttpResponse};

use crate::problem::Problem;

/// A file whose address changes with its content.
pub(crate) struct Asset {
    pub(crate) address: &'static str,
    content_type: &'static str,
    plain: &'static [u8],
    /// By gzip.
    packed: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

const ALL: [Asset; 4] = [DESIGN_SYSTEM, SITE_STYLE, SITE_SCRIPT, ICON];

/// Kept by browsers for a year: another content has another address.
pub(crate) async fn show(request: HttpRequest) -> HttpResponse {
    let Some(asset) = ALL.iter().find(|asset| asset.address == request.path()) else {
        return Problem::not_found().response();
    };
    let mut response = HttpResponse::Ok();
    response
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "accept-encoding"));
    if takes_gzip(&request) {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
        return response.body(asset.packed);
    }
    response.body(asset.plain)
}

fn takes_gzip(request: &HttpRequest) -> bool {
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return false;
    }
    let (gzip, plain) = (Encoding::gzip(), Encoding::identity());
    AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate([&gzip, &plain].into_iter()) == Some(gzip.clone()))
}
