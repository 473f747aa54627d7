//! Waivers: standing exceptions that a council asks for, and that the return's team grants up to a day or refuses.

use access::{Action, ActorId, Object};
use chrono::NaiveDate;
use db::explanations::{By, Of};
use db::waivers::{self, NewWaiver};
use db::{Db, DbError, Tx, explanations, people, submissions};
use finding::FindingKey;
use mail::Message;
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, object, record, sees};
use crate::explain::written;
use crate::news::{self, TellNewsJob};
use crate::{Actor, Denied, ExplainError, outbox};

pub use db::waivers::{Decision, Revoked, Waiver};

/// What a council asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// Given by the form, so that one that is sent twice is there once.
    pub id: Uuid,
    /// The version in which it came up.
    pub submission_id: Uuid,
    pub rule: String,
    /// `None`: for every query of the check.
    pub key: Option<FindingKey>,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
pub enum WaiverError {
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Of what is written, or of the queries that it is for.
    #[error(transparent)]
    Text(ExplainError),
    /// The day is past, or too far ahead.
    #[error("the last day has to be from today to {LONGEST_YEARS} years ahead")]
    Day,
    #[error("it was decided otherwise before")]
    Decided,
    /// It was refused, has ended or was taken back.
    #[error("it is not in force")]
    NotInForce,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ExplainError> for WaiverError {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Denied(denied) => Self::Denied(denied),
            ExplainError::Db(error) => Self::Db(error),
            error => Self::Text(error),
        }
    }
}

/// An exception is looked at again at least that often.
pub const LONGEST_YEARS: u16 = 3;

/// Asks for a standing exception; harmless when repeated.
pub async fn ask_for_waiver(db: &Db, actor: &Actor, asking: &Asking) -> Result<(), WaiverError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let found = submissions::find(&mut tx, asking.submission_id).await?;
    let submission = found.ok_or(Denied::NotThere)?;
    allowed(actor, Action::AskForWaiver, &object(&submission))?;
    let reason = written(&asking.reason)?;
    let keys = asking.key.as_ref().map(|key| vec![key.as_str().to_owned()]);
    let of = Of {
        submission_id: submission.id,
        rule: &asking.rule,
        keys: keys.as_deref(),
    };
    if explanations::n_meant(&mut tx, of).await? == 0 {
        return Err(ExplainError::NothingToExplain.into());
    }
    let new = NewWaiver {
        id: asking.id,
        organisation: &submission.organisation,
        return_id: &submission.round.return_id,
        rule: &asking.rule,
        key: asking.key.as_ref().map(FindingKey::as_str),
        reason: &reason,
        submission_id: submission.id,
        by: by(actor),
    };
    if waivers::add(&mut tx, &new).await? {
        let deed = Deed {
            verb: "ask_for_waiver",
            organisation: Some(&submission.organisation),
            obligation_id: Some(submission.obligation_id),
            submission_id: Some(submission.id),
            details: json!({
                "waiver": asking.id,
                "rule": asking.rule,
                "is_for_one": asking.key.is_some(),
            }),
        };
        record(&mut tx, actor, deed).await?;
        let waiver_id = asking.id;
        news::enqueue(&mut tx, &TellNewsJob::WaiverAsked { waiver_id }).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What a team says to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// The last day on which it holds; `None`: it is refused.
    pub ends_on: Option<NaiveDate>,
    pub reason: String,
}

/// Grants or refuses a waiver, once; harmless when repeated.
pub async fn decide_waiver(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    deciding: &Deciding,
    today: NaiveDate,
) -> Result<(), WaiverError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let waiver = waivers::find(&mut tx, id).await?.ok_or(Denied::NotThere)?;
    allowed(actor, Action::DecideWaiver, &object_of(&waiver))?;
    let reason = written(&deciding.reason)?;
    if let Some(ends_on) = deciding.ends_on {
        let latest = today.checked_add_months(chrono::Months::new(u32::from(LONGEST_YEARS) * 12));
        if ends_on < today || latest.is_none_or(|latest| ends_on > latest) {
            return Err(WaiverError::Day);
        }
    }
    if !waivers::decide(&mut tx, &waiver, deciding.ends_on, &reason, by(actor)).await? {
        let same = waivers::find(&mut tx, id).await?.is_some_and(|waiver| {
            waiver.decision.is_some_and(|before| {
                before.ends_on == deciding.ends_on
                    && before.reason == reason
                    && before.by_name == actor.name
            })
        });
        return if same {
            Ok(())
        } else {
            Err(WaiverError::Decided)
        };
    }
    let deed = Deed {
        verb: "decide_waiver",
        organisation: Some(&waiver.organisation),
        obligation_id: None,
        submission_id: Some(waiver.submission_id),
        details: json!({
            "waiver": id,
            "rule": waiver.rule,
            "granted": deciding.ends_on.is_some(),
            "ends_on": deciding.ends_on,
        }),
    };
    record(&mut tx, actor, deed).await?;
    tell_who_asked(&mut tx, &waiver, deciding.ends_on).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a granted waiver back before its last day; harmless when repeated.
/// From then on what its check asks about is to be explained again.
pub async fn revoke_waiver(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    reason: &str,
    today: NaiveDate,
) -> Result<(), WaiverError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let waiver = waivers::find(&mut tx, id).await?.ok_or(Denied::NotThere)?;
    allowed(actor, Action::DecideWaiver, &object_of(&waiver))?;
    let reason = written(reason)?;
    if !waiver.holds_on(today) {
        let is_repeated = waiver
            .revoked
            .is_some_and(|revoked| revoked.reason == reason && revoked.by_name == actor.name);
        return if is_repeated {
            Ok(())
        } else {
            Err(WaiverError::NotInForce)
        };
    }
    if !waivers::revoke(&mut tx, &waiver, &reason, by(actor)).await? {
        return Err(WaiverError::NotInForce);
    }
    let deed = Deed {
        verb: "revoke_waiver",
        organisation: Some(&waiver.organisation),
        obligation_id: None,
        submission_id: Some(waiver.submission_id),
        details: json!({"waiver": id, "rule": waiver.rule}),
    };
    record(&mut tx, actor, deed).await?;
    news::enqueue(&mut tx, &TellNewsJob::WaiverRevoked { waiver_id: id }).await?;
    tx.commit().await?;
    Ok(())
}

/// Nobody where a program asked, or somebody who works here no more.
async fn tell_who_asked(
    tx: &mut Tx,
    waiver: &Waiver,
    ends_on: Option<NaiveDate>,
) -> Result<(), DbError> {
    let Some(ActorId::Person(id)) = waiver.by else {
        return Ok(());
    };
    let Some(person) = people::find_active(tx, id).await? else {
        return Ok(());
    };
    let message = Message::WaiverDecided(mail::WaiverDecided {
        waiver_id: waiver.id.to_string(),
        organisation_name: waiver.organisation_name.clone(),
        return_title: waiver.return_title.clone(),
        rule: waiver.rule.clone(),
        ends_on,
    });
    outbox::post_to_person(tx, person.id, &person.email, &message).await
}

pub(crate) fn by(actor: &Actor) -> By<'_> {
    By {
        id: actor.id,
        name: &actor.name,
    }
}

fn object_of(waiver: &Waiver) -> Object<'_> {
    Object {
        organisation: Some(&waiver.organisation),
        return_id: Some(&waiver.return_id),
        ..Object::default()
    }
}

/// Who asks for waivers sees what was asked for, and so does who decides them.
fn may_see(actor: &Actor, waiver: &Waiver) -> Result<(), Denied> {
    let object = object_of(waiver);
    match allowed(actor, Action::AskForWaiver, &object) {
        Ok(_) => Ok(()),
        Err(_) => allowed(actor, Action::DecideWaiver, &object).map(|_| ()),
    }
}

/// Whether an actor is to decide a waiver.
pub fn may_decide(actor: &Actor, waiver: &Waiver) -> bool {
    allowed(actor, Action::DecideWaiver, &object_of(waiver)).is_ok()
}

/// A waiver, for who may ask for it or decide it.
pub async fn waiver(db: &Db, actor: &Actor, id: Uuid) -> Result<Waiver, Denied> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded);
    }
    let found = waivers::find(&mut *db.read(&sees(actor)).await?, id).await?;
    let waiver = found.ok_or(Denied::NotThere)?;
    may_see(actor, &waiver)?;
    Ok(waiver)
}

/// Every waiver that an actor may see, those to decide first.
pub async fn all_waivers(db: &Db, actor: &Actor) -> Result<Vec<Waiver>, DbError> {
    let mut all = waivers::list(&mut *db.read(&sees(actor)).await?, None, None).await?;
    all.retain(|waiver| may_see(actor, waiver).is_ok());
    Ok(all)
}
