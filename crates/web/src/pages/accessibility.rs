//! What is known of how accessible the site is.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::session::{Visitor, You};

#[derive(Template)]
#[template(path = "accessibility.html")]
struct AccessibilityPage {
    you: Option<You>,
}

/// For whoever asks, signed in or not.
pub(crate) async fn show(visitor: Option<Visitor>) -> HttpResponse {
    let page = AccessibilityPage {
        you: visitor.map(|visitor| visitor.you),
    };
    super::render(StatusCode::OK, &page)
}
