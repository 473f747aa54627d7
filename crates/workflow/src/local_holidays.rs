//! Councils' own holidays: whoever plans the rounds says them, with where they are from, and everybody may see them.

use access::{Action, Object};
use chrono::NaiveDate;
use db::local_holidays::{self, NewLocalHoliday};
use db::{Db, DbError, organisations};
use serde_json::json;
use spec::Confidence;

use crate::actor::{Deed, allowed, record, sees};
use crate::explain::written;
use crate::rounds::LONGEST_SOURCE;
use crate::waivers::by;
use crate::{Actor, Denied, ExplainError};

pub use db::local_holidays::LocalHoliday;

/// Characters of a holiday's name.
pub const LONGEST_HOLIDAY: usize = 200;

/// What is said of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOff<'a> {
    /// Nobody works.
    Holiday {
        name: &'a str,
        confidence: Confidence,
    },
    /// They work after all.
    WorkingDay,
}

#[derive(Debug, thiserror::Error)]
pub enum HolidayError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("a name is asked for, in at most {LONGEST_HOLIDAY} characters")]
    Name,
    #[error("a source is asked for, in at most {LONGEST_SOURCE} characters")]
    Source,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Says that a day is a holiday of an organisation, or none after all; harmless when repeated. The source says where that
/// is from.
pub async fn set_local_holiday(
    db: &Db,
    actor: &Actor,
    organisation: &str,
    on_day: NaiveDate,
    (day_off, source): (DayOff<'_>, &str),
) -> Result<(), HolidayError> {
    let its_own = Object {
        organisation: Some(organisation),
        ..Object::default()
    };
    allowed(actor, Action::PlanRounds, &its_own)?;
    let short = |text: &str, most: usize| match written(text) {
        Ok(text) if text.chars().count() <= most => Ok(Some(text)),
        Err(ExplainError::Db(error)) => Err(error),
        _ => Ok(None),
    };
    let mut tx = db.begin(&sees(actor)).await?;
    if organisations::list(&mut tx, Some(organisation))
        .await?
        .is_empty()
    {
        return Err(Denied::NotThere.into());
    }
    let source = short(source, LONGEST_SOURCE)?.ok_or(HolidayError::Source)?;
    let known = local_holidays::of(&mut tx, organisation, on_day).await?;
    let before = known.into_iter().find(|known| known.on_day == on_day);
    let (name, is_off, confidence) = match (day_off, before) {
        (DayOff::Holiday { name, confidence }, before) => {
            let name = short(name, LONGEST_HOLIDAY)?.ok_or(HolidayError::Name)?;
            let is_said = before.is_some_and(|before| {
                (before.name, before.source, before.confidence.as_str())
                    == (name.clone(), source.clone(), confidence.as_str())
            });
            if is_said {
                return Ok(());
            }
            (name, true, confidence)
        }
        // What somebody says of it is all that is known.
        (DayOff::WorkingDay, Some(before)) => (before.name, false, Confidence::Inferred),
        (DayOff::WorkingDay, None) => return Ok(()),
    };
    let new = NewLocalHoliday {
        organisation,
        on_day,
        name: &name,
        is_off,
        source: &source,
        confidence,
        by: by(actor),
    };
    local_holidays::add(&mut tx, &new).await?;
    let deed = Deed {
        verb: if is_off {
            "add_local_holiday"
        } else {
            "end_local_holiday"
        },
        organisation: Some(organisation),
        obligation_id: None,
        submission_id: None,
        details: json!({"day": on_day, "name": name}),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(())
}

/// An organisation's own holidays from a day on, in order.
pub async fn local_holidays(
    db: &Db,
    actor: &Actor,
    organisation: &str,
    from: NaiveDate,
) -> Result<Vec<LocalHoliday>, Denied> {
    allowed(actor, Action::SeeOrganisations, &Object::default())?;
    let mut conn = db.read(&sees(actor)).await?;
    Ok(local_holidays::of(&mut conn, organisation, from).await?)
}
