//! How much work each return makes: files until nothing is left to fix, and how long that takes. Hours that people worked
//! are not known: nobody is asked for them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use workflow::Burden;

use crate::Site;
use crate::pages::problem::PageProblem;
use crate::session::{Visitor, You};

#[derive(Template)]
#[template(path = "rounds/burden.html")]
struct BurdenPage {
    you: Option<You>,
    rows: Vec<Row>,
}

struct Row {
    title: String,
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
) -> Result<HttpResponse, PageProblem> {
    let burdens = workflow::burden(site.db()?, &visitor.actor).await?;
    let page = BurdenPage {
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
        median_files: burden.median_files.map_or_else(
            || "none yet".to_owned(),
            |n| format!("{n:.1}").trim_end_matches(".0").to_owned(),
        ),
        most_files: burden
            .most_files
            .map_or_else(|| "none yet".to_owned(), |n| n.to_string()),
        took: burden
            .median_hours
            .map_or_else(|| "none yet".to_owned(), took),
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
