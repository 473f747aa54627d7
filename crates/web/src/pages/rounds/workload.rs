//! What one organisation has to send in each week to come, so that too much at once is seen in time.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Days, NaiveDate, Utc};
use cycle::{clock, holidays};
use serde::Deserialize;
use workflow::{LocalHoliday, Obligation, OwedBy};

use crate::Site;
use crate::pages::problem::PageProblem;
use crate::session::{Visitor, You};
use crate::words;

/// Weeks that are shown: half a year.
const WEEKS: u64 = 26;
/// So many in one week are a lot.
const MANY: usize = 3;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    organisation: String,
}

#[derive(Template)]
#[template(path = "rounds/workload.html")]
struct WorkloadPage {
    you: Option<You>,
    choices: Vec<(String, String, bool)>,
    organisation: String,
    weeks: Vec<Week>,
    n_many: usize,
}

struct Week {
    from: String,
    /// What is off in it.
    off: String,
    /// Working days that the organisation has in it.
    n_days: usize,
    n: usize,
    is_many: bool,
    /// Title and period, when, and where it is shown.
    due: Vec<(String, String, String)>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    workflow::decide_plan(&visitor.actor)?;
    let (db, actor) = (site.db()?, &visitor.actor);
    let mut listed: Vec<(String, String)> = workflow::listed_organisations(db, actor, None)
        .await?
        .into_iter()
        .map(|listed| (listed.organisation.code, listed.organisation.name))
        .collect();
    listed.sort_by(|one, other| one.1.cmp(&other.1));
    let chosen = listed.iter().find(|(code, _)| *code == asked.organisation);
    let weeks = match chosen {
        Some((code, _)) => {
            let today = clock::day(Utc::now());
            let which = OwedBy {
                organisations: vec![code.clone()],
                return_id: None,
            };
            let owed = workflow::owed(db, actor, &which, today).await?;
            let own = workflow::local_holidays(db, actor, code, holidays::week_of(today)).await?;
            weeks(&owed, &own, today)
        }
        None => Vec::new(),
    };
    let page = WorkloadPage {
        organisation: chosen.map(|(_, name)| name.clone()).unwrap_or_default(),
        choices: listed
            .iter()
            .map(|(code, name)| (code.clone(), name.clone(), *code == asked.organisation))
            .collect(),
        n_many: weeks.iter().filter(|week| week.is_many).count(),
        weeks,
        you: Some(visitor.you),
    };
    Ok(crate::pages::render(StatusCode::OK, &page))
}

fn weeks(owed: &[Obligation], own: &[LocalHoliday], today: NaiveDate) -> Vec<Week> {
    let first = holidays::week_of(today);
    let mut by_week: BTreeMap<NaiveDate, Vec<&Obligation>> = BTreeMap::new();
    for one in owed.iter().filter(|owed| !owed.state.is_met()) {
        by_week
            .entry(holidays::week_of(one.due_on))
            .or_default()
            .push(one);
    }
    (0..WEEKS)
        .filter_map(|n| first.checked_add_days(Days::new(n * 7)))
        .map(|monday| {
            let mut due = by_week.remove(&monday).unwrap_or_default();
            due.sort_by_key(|owed| owed.due_on);
            let its_own = |day: NaiveDate| {
                let found = own.iter().find(|holiday| holiday.on_day == day);
                found.map(|holiday| holiday.name.as_str())
            };
            let working_week: Vec<NaiveDate> = monday.iter_days().take(5).collect();
            let off: Vec<&str> = working_week
                .iter()
                .filter_map(|day| holidays::day_off(*day).or_else(|| its_own(*day)))
                .collect();
            Week {
                from: words::day(monday),
                off: off.join(", "),
                n_days: working_week.len() - off.len(),
                n: due.len(),
                is_many: due.len() >= MANY,
                due: due
                    .into_iter()
                    .map(|owed| {
                        let round = &owed.round;
                        (
                            format!("{}, {}", round.return_title, round.period.in_words()),
                            words::day(owed.due_on),
                            format!(
                                "/returns/{}/{}/{}",
                                round.return_id, round.period.label, owed.organisation
                            ),
                        )
                    })
                    .collect(),
            }
        })
        .filter(|week| week.n > 0)
        .collect()
}
