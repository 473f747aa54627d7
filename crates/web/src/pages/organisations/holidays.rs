//! An organisation's own holidays, beside those of the whole country: everybody sees them, whoever plans the rounds says them.

use access::Action;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Days, NaiveDate, Utc};
use cycle::clock;
use spec::Confidence;
use workflow::{DayOff, HolidayError, LocalHoliday};

use crate::Site;
use crate::form::Form;
use crate::pages::explain::{Fields, field, see};
use crate::pages::problem::PageProblem;
use crate::pages::rounds::{Wrong, weekday};
use crate::pages::waivers::parse_day;
use crate::problem::Problem;
use crate::session::{Visitor, You};

/// Those of the year before are still shown.
const PAST_DAYS: u64 = 366;

#[derive(Template)]
#[template(path = "holidays.html")]
struct HolidaysPage {
    you: Option<You>,
    code: String,
    name: String,
    rows: Vec<Row>,
    may_plan: bool,
    day: String,
    holiday: String,
    source: String,
    confidence: String,
    wrong: Wrong,
}

struct Row {
    day: String,
    /// As the form that takes it back sends it.
    iso: String,
    name: String,
    source: String,
    by: String,
}

fn row(holiday: LocalHoliday) -> Row {
    Row {
        day: weekday(holiday.on_day),
        iso: holiday.on_day.to_string(),
        source: match Confidence::parse(&holiday.confidence) {
            Some(Confidence::Published) => format!("As published: {}", holiday.source),
            Some(Confidence::Partial) => format!("Published in part: {}", holiday.source),
            _ => format!("Not published: {}", holiday.source),
        },
        name: holiday.name,
        by: holiday.by_name,
    }
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, &code, &Fields::new(), Wrong::default()).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    code: &str,
    sent: &Fields,
    wrong: Wrong,
) -> Result<HttpResponse, PageProblem> {
    let (db, actor) = (site.db()?, &visitor.actor);
    let mut found = workflow::listed_organisations(db, actor, Some(code)).await?;
    let one = found.pop().ok_or_else(Problem::not_found)?;
    let today = clock::day(Utc::now());
    let from = today
        .checked_sub_days(Days::new(PAST_DAYS))
        .unwrap_or(today);
    let all = workflow::local_holidays(db, actor, code, from).await?;
    let text = |name: &str| field(sent, name).to_owned();
    let page = HolidaysPage {
        code: one.organisation.code,
        name: one.organisation.name,
        rows: all.into_iter().map(row).collect(),
        may_plan: workflow::may_for(actor, Action::PlanRounds, code),
        day: text("day"),
        holiday: text("holiday"),
        source: text("source"),
        confidence: text("confidence"),
        wrong,
        you: Some(visitor.you),
    };
    Ok(crate::pages::render(page.wrong.status(), &page))
}

/// Says a holiday, or takes one back.
pub(crate) async fn say(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    workflow::decide_for(&visitor.actor, Action::PlanRounds, &code)?;
    let takes_back = field(&form, "do") == "take-back";
    let day: Option<NaiveDate> = parse_day(field(&form, "day"));
    let confidence = Confidence::parse(field(&form, "confidence"));
    let wrong = match (day, confidence) {
        (None, _) => Some(Wrong::at("day", "Enter a day, such as 20/07/2027.")),
        (_, None) if !takes_back => Some(Wrong::at(
            "confidence-published",
            "Choose how well it is known.",
        )),
        _ => None,
    };
    if let Some(wrong) = wrong {
        return page(&site, visitor, &code, &form, wrong).await;
    }
    let day_off = match (takes_back, confidence) {
        (false, Some(confidence)) => DayOff::Holiday {
            name: field(&form, "holiday"),
            confidence,
        },
        _ => DayOff::WorkingDay,
    };
    let (db, actor, source) = (site.db()?, &visitor.actor, field(&form, "source"));
    let said = (day_off, source);
    match workflow::set_local_holiday(db, actor, &code, day.unwrap_or_default(), said).await {
        Ok(()) => Ok(see(&format!("/organisations/{code}/holidays"))),
        Err(error) => {
            let mut wrong = mistake(error)?;
            if takes_back && wrong.field == "source" {
                wrong = Wrong::at(
                    "take-back",
                    "Write why it is no holiday, in 1,000 characters at most.",
                );
            }
            page(&site, visitor, &code, &form, wrong).await
        }
    }
}

fn mistake(error: HolidayError) -> Result<Wrong, Problem> {
    Ok(match error {
        HolidayError::Denied(denied) => return Err(denied.into()),
        HolidayError::Db(error) => return Err(error.into()),
        HolidayError::Name => Wrong::at(
            "holiday",
            "Write what it is called, in 200 characters at most.",
        ),
        HolidayError::Source => Wrong::at(
            "source",
            "Write where it is from, in 1,000 characters at most.",
        ),
    })
}
