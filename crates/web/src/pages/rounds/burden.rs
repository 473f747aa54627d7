//! How much work each return makes: files until nothing is left to fix, how long that takes, and the hours that people
//! worked, as whoever signed off said, of each return and of each organisation.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use workflow::{Burden, Reported};

use crate::Site;
use crate::pages::problem::PageProblem;
use crate::session::{Visitor, You};

#[derive(Template)]
#[template(path = "rounds/burden.html")]
struct BurdenPage {
    you: Option<You>,
    rows: Vec<Row>,
    /// The return that is asked for, and its organisations.
    one: Option<One>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default, rename = "return")]
    return_id: String,
}

struct One {
    title: String,
    organisations: Vec<Organisation>,
}

struct Organisation {
    name: String,
    worked: Worked,
}

/// Hours that were said.
struct Worked {
    /// In the middle: `7.5 hours`.
    median: String,
    /// `3 of 12`
    said_by: String,
}

impl Worked {
    fn of(reported: &Reported) -> Self {
        Self {
            median: reported.median_worked.map_or_else(
                || "not said".to_owned(),
                |hours| match format!("{hours:.2}")
                    .trim_end_matches('0')
                    .trim_end_matches('.')
                {
                    "1" => "1 hour".to_owned(),
                    hours => format!("{hours} hours"),
                },
            ),
            said_by: format!("{} of {}", reported.n_reported, reported.n_signed_off),
        }
    }
}

fn to_a_tenth(n: f64) -> String {
    format!("{n:.1}").trim_end_matches(".0").to_owned()
}

struct Row {
    title: String,
    link: String,
    worked: Worked,
    n_answers: i64,
    n_clean: i64,
    /// Of those that are clean: `60 %`.
    at_once: String,
    median_files: String,
    most_files: String,
    took: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let (db, actor) = (site.db()?, &visitor.actor);
    let burdens = workflow::burden(db, actor).await?;
    let found = burdens
        .iter()
        .find(|burden| burden.return_id == asked.return_id);
    let one = match found {
        Some(burden) => Some(One {
            title: burden.return_title.clone(),
            organisations: workflow::burden_of(db, actor, &burden.return_id)
                .await?
                .into_iter()
                .map(|of| Organisation {
                    worked: Worked::of(&of.reported),
                    name: of.organisation_name,
                })
                .collect(),
        }),
        None => None,
    };
    let page = BurdenPage {
        one,
        you: Some(visitor.you),
        rows: burdens.into_iter().map(row).collect(),
    };
    Ok(crate::pages::render(StatusCode::OK, &page))
}

fn row(burden: Burden) -> Row {
    let share = |n: i64, of: i64| {
        // Rounded down: nothing that is not all of them is shown as all.
        (n * 100)
            .checked_div(of)
            .map_or_else(|| "none yet".to_owned(), |percent| format!("{percent}%"))
    };
    Row {
        at_once: share(burden.n_clean_at_once, burden.n_clean),
        median_files: burden
            .median_files
            .map_or_else(|| "none yet".to_owned(), to_a_tenth),
        most_files: burden
            .most_files
            .map_or_else(|| "none yet".to_owned(), |n| n.to_string()),
        took: burden
            .median_hours
            .map_or_else(|| "none yet".to_owned(), took),
        worked: Worked::of(&burden.reported),
        link: format!("/rounds/burden?return={}#organisations", burden.return_id),
        title: burden.return_title,
        n_answers: burden.n_answers,
        n_clean: burden.n_clean,
    }
}

/// `3 days`, `5 hours`, `under an hour`.
fn took(hours: f64) -> String {
    if hours < 1.0 {
        "under an hour".to_owned()
    } else if hours < 48.0 {
        format!("{hours:.0} hours")
    } else {
        format!("{:.0} days", hours / 24.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_took_is_said_in_days_or_hours() {
        for (hours, told) in [
            (0.0, "under an hour"),
            (5.2, "5 hours"),
            (47.0, "47 hours"),
            (72.0, "3 days"),
        ] {
            assert_eq!(took(hours), told);
        }
    }
}
