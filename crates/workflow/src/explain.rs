//! Explanations: why a figure that was queried is right. They are kept by the findings' keys, so another version has them too.

use std::collections::HashMap;

use access::Action;
use chrono::NaiveDate;
use cycle::Verb;
use db::explanations::{self, By, Of};
use db::handovers;
use db::submissions::{self, Submission};
use db::waivers::{self, Waiver};
use db::{Conn, Db, DbError};
use finding::FindingKey;
use mail::Message;
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, object, record, sees};
use crate::tell::team_of;
use crate::{Actor, Denied, NumberedFinding, outbox};

pub use db::explanations::{Explanation, Unexplained};

/// Characters that an explanation or a reason may have.
pub const LONGEST_TEXT: usize = 4_000;

/// Which queries of a check are explained, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explaining {
    pub rule: String,
    /// `None`: all of them.
    pub keys: Option<Vec<FindingKey>>,
    pub words: Words,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    New(String),
    /// Of each what was said of it in an earlier period; whatever was not explained then is left as it is.
    AsBefore,
}

#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("nothing was written")]
    NoText,
    #[error("the text is longer than {LONGEST_TEXT} characters")]
    LongText,
    #[error("there is no query to explain")]
    NothingToExplain,
    /// Somebody has answered for what was said.
    #[error("the version is signed off")]
    SignedOff,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Explains one query, several or all of a check; gives how many have a new explanation.
/// Once a version is signed off, its explanations stay as they were then.
/// What says the same as before changes nothing.
pub async fn explain(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
    explaining: &Explaining,
) -> Result<u64, ExplainError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let found = submissions::find(&mut tx, submission_id).await?;
    let submission = found.ok_or(Denied::NotThere)?;
    allowed(actor, Action::Explain, &object(&submission))?;
    handovers::lock(&mut tx, submission.obligation_id).await?;
    if is_signed_off(&mut tx, submission.id).await? {
        return Err(ExplainError::SignedOff);
    }
    let text = match &explaining.words {
        Words::New(text) => Some(written(text)?),
        Words::AsBefore => None,
    };
    let keys = explaining.keys.as_ref().map(|keys| texts(keys));
    // No check and no finding is called so, and the database can't even be asked.
    let is_known = |name: &str| !name.contains('\0');
    if !is_known(&explaining.rule) || !keys.iter().flatten().all(|key| is_known(key)) {
        return Err(ExplainError::NothingToExplain);
    }
    let of = Of {
        submission_id,
        rule: &explaining.rule,
        keys: keys.as_deref(),
    };
    if explanations::n_meant(&mut tx, of).await? == 0 {
        return Err(ExplainError::NothingToExplain);
    }
    let by = By {
        id: actor.id,
        name: &actor.name,
    };
    let n_explained = match &text {
        Some(text) => explanations::add(&mut tx, of, text, by).await?,
        None => explanations::add_as_before(&mut tx, of, by).await?,
    };
    if n_explained > 0 {
        // What was said may be personal: it stays where it was written.
        let deed = Deed {
            verb: "explain",
            organisation: Some(&submission.organisation),
            obligation_id: Some(submission.obligation_id),
            submission_id: Some(submission_id),
            details: json!({
                "rule": explaining.rule,
                "n": n_explained,
                "as_before": text.is_none(),
            }),
        };
        record(&mut tx, actor, deed).await?;
        // Before that the return's team is shown nothing of a version.
        if submission.submitted_by.is_some() {
            let job = json!(TellExplainedJob { submission_id });
            queue::enqueue(&mut tx, &NewJob::new(TellExplainedJob::KIND, job)).await?;
        }
    }
    tx.commit().await?;
    Ok(n_explained)
}

/// Whether somebody has answered for a version, whatever became of it since.
pub(crate) async fn is_signed_off(conn: &mut Conn, id: Uuid) -> Result<bool, DbError> {
    let chain = handovers::of_submission(conn, id).await?;
    Ok(chain.iter().any(|link| link.verb == Verb::SignOff))
}

/// Whether an actor may explain what was asked of a version, as it stands now.
pub async fn may_explain(db: &Db, actor: &Actor, submission: &Submission) -> Result<bool, DbError> {
    if allowed(actor, Action::Explain, &object(submission)).is_err() {
        return Ok(false);
    }
    let mut conn = db.read(&sees(actor)).await?;
    Ok(!is_signed_off(&mut conn, submission.id).await?)
}

/// The job: tell the return's team that more is explained of a version that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellExplainedJob {
    pub submission_id: Uuid,
}

impl TellExplainedJob {
    pub const KIND: &'static str = "tell-explained";
}

/// Puts a message to each of the team into the outbox, one for a version however often more is explained.
pub async fn tell_explained(db: &Db, actor: &Actor, job: &TellExplainedJob) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let Some(submission) = submissions::find(&mut tx, job.submission_id).await? else {
        return tx.rollback().await;
    };
    let message = Message::Explained(mail::Explained {
        submission_id: submission.id.to_string(),
        organisation_name: submission.organisation_name.clone(),
        return_title: submission.round.return_title.clone(),
        period: submission.round.period.in_words(),
        version_number: submission.version_number,
    });
    for person in team_of(&mut tx, &submission.round.return_id).await? {
        outbox::post(&mut tx, submission.id, Some(&person.email), &message).await?;
    }
    tx.commit().await
}

/// A text as it is kept, if there is any and it is not too long.
pub(crate) fn written(text: &str) -> Result<String, ExplainError> {
    let text = text.replace("\r\n", "\n").replace('\0', "\u{fffd}");
    let text = text.trim();
    if text.is_empty() {
        return Err(ExplainError::NoText);
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(ExplainError::LongText);
    }
    Ok(text.to_owned())
}

fn texts(keys: &[FindingKey]) -> Vec<String> {
    keys.iter().map(|key| key.as_str().to_owned()).collect()
}

/// How many queries of a version have neither an explanation nor a waiver that holds on this day: until there is none,
/// the version can't be submitted.
pub(crate) async fn n_unexplained(
    conn: &mut Conn,
    submission_id: Uuid,
    today: NaiveDate,
) -> Result<u64, DbError> {
    let by_check = explanations::unexplained(conn, submission_id, today).await?;
    Ok(by_check.iter().map(|check| check.n).sum())
}

/// The same by check, for whoever may see how much was found.
pub async fn unexplained(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
    today: NaiveDate,
) -> Result<Vec<Unexplained>, Denied> {
    allowed(actor, Action::CountFindings, &object(submission))?;
    let mut conn = db.read(&sees(actor)).await?;
    Ok(explanations::unexplained(&mut conn, submission.id, today).await?)
}

/// What there is about some findings of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    explanations: HashMap<String, Explanation>,
    before: HashMap<String, Explanation>,
    waivers: Vec<Waiver>,
}

impl Answers {
    /// The explanation that counts in the version's period.
    pub fn explanation(&self, finding: &NumberedFinding) -> Option<&Explanation> {
        self.explanations
            .get(finding.finding.key.as_ref()?.as_str())
    }

    /// What was said of the same record in an earlier period.
    pub fn before(&self, finding: &NumberedFinding) -> Option<&Explanation> {
        self.before.get(finding.finding.key.as_ref()?.as_str())
    }

    /// The waiver that makes an explanation unnecessary on a day.
    pub fn waiver(&self, finding: &NumberedFinding, on: NaiveDate) -> Option<&Waiver> {
        let finding = &finding.finding;
        let key = finding.key.as_ref().map(FindingKey::as_str);
        self.waivers.iter().find(|waiver| {
            waiver.rule == finding.rule.as_str() && waiver.is_for(key) && waiver.holds_on(on)
        })
    }

    /// Every waiver that was asked for on a check, those to decide first.
    pub fn waivers_of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Waiver> {
        self.waivers
            .iter()
            .filter(move |waiver| waiver.rule == rule)
    }
}

/// What there is about these findings of a version, for whoever may see them.
pub async fn answers(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
    findings: &[NumberedFinding],
) -> Result<Answers, Denied> {
    allowed(actor, Action::SeeFindings, &object(submission))?;
    let keys: Vec<String> = findings
        .iter()
        .filter_map(|numbered| numbered.finding.key.as_ref())
        .map(|key| key.as_str().to_owned())
        .collect();
    let mut conn = db.read(&sees(actor)).await?;
    let by_key = |all: Vec<Explanation>| {
        let pairs = all.into_iter().map(|one| (one.key.clone(), one));
        pairs.collect()
    };
    let (organisation, return_id) = (&submission.organisation, &submission.round.return_id);
    Ok(Answers {
        explanations: by_key(explanations::of_records(&mut conn, submission.id, &keys).await?),
        before: by_key(explanations::before(&mut conn, submission.id, &keys).await?),
        waivers: waivers::list(&mut conn, Some(organisation), Some(return_id)).await?,
    })
}
