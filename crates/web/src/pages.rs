//! The pages: plain English, no script needed, one heading each.

pub(crate) mod accessibility;
pub(crate) mod api_docs;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod calendar;
pub(crate) mod changes;
mod chart;
pub(crate) mod checked;
pub(crate) mod collection;
pub(crate) mod datasets;
pub(crate) mod duty;
pub(crate) mod explain;
pub(crate) mod findings;
pub(crate) mod handover;
pub(crate) mod home;
pub(crate) mod lineage;
pub(crate) mod look;
pub(crate) mod more_time;
pub(crate) mod nil;
pub(crate) mod organisations;
pub(crate) mod people;
mod picture;
pub(crate) mod problem;
pub(crate) mod programs;
pub(crate) mod provider;
pub(crate) mod release_changes;
pub(crate) mod releases;
pub(crate) mod rounds;
pub(crate) mod schedules;
pub(crate) mod sign_in;
mod steps;
pub(crate) mod submission;
pub(crate) mod upload;
pub(crate) mod waivers;
pub(crate) mod webhooks;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::problem::Problem;

fn render(status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .body(html),
        Err(error) => Problem::failed("render a page", &error).response(),
    }
}
