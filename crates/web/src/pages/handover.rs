//! Handing a version over: what was done with it, what can be done next and by whom, and the page that asks once more.

use access::Action;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock::moment_in_words;
use cycle::{Hours, Step, SubmissionState, Verb};
use finding::words::{counted, with_commas};
use serde::Deserialize;
use uuid::Uuid;
use workflow::{HandoverError, MessageError, Next, Submission};

use super::problem::PageProblem;
use crate::Site;
use crate::api::submission::{find, parse_id};
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};

/// What a version's page says of its way to being accepted.
pub(super) struct HandingOver {
    /// What was done, in its order.
    pub(super) done: Vec<Done>,
    /// What whoever looks can do.
    pub(super) can: Vec<Button>,
    /// Whom it waits for, where that is another; and what stands in the way.
    pub(super) waits: Vec<String>,
    /// A newer version to go on with.
    pub(super) newer: Option<(Uuid, String)>,
    /// `None`: not to be read.
    pub(super) messages: Option<Vec<Written>>,
    pub(super) may_write: bool,
    /// So that a message that is sent twice is there once.
    pub(super) message_id: Uuid,
}

pub(super) struct Done {
    /// `Signed off by Bo on 20 July 2026 at 10:05`.
    pub(super) words: String,
    pub(super) reason: Option<String>,
    pub(super) by_leave: Option<String>,
}

pub(super) struct Button {
    pub(super) words: &'static str,
    pub(super) address: String,
    /// Whether it is done at once; otherwise a page asks once more.
    pub(super) at_once: bool,
}

pub(super) struct Written {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) text: String,
}

fn address(id: Uuid, verb: Verb) -> String {
    format!("/submissions/{id}/hand-over/{}", word(verb))
}

/// As it stands in an address.
fn word(verb: Verb) -> String {
    verb.as_str().replace('_', "-")
}

fn in_words(verb: Verb, state: SubmissionState) -> &'static str {
    match (verb, state) {
        (Verb::Submit, _) => "Submit for sign-off",
        (Verb::SignOff, _) => "Sign off",
        (Verb::Accept, _) => "Accept",
        (Verb::SendBack, SubmissionState::Accepted) => "Open again and send back",
        (Verb::SendBack, _) => "Send back",
        (Verb::Withdraw, _) => "Withdraw this version",
    }
}

fn capitalised(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

pub(super) async fn handing_over(
    site: &Site,
    visitor: &Visitor,
    submission: &Submission,
) -> Result<HandingOver, Problem> {
    let (db, reader, now) = (site.db()?, &visitor.actor, Utc::now());
    let next = workflow::next(db, reader, submission, now).await?;
    let signers = workflow::who_signs_off(db, reader, submission, now).await?;
    let messages = workflow::messages(db, reader, submission).await?;
    Ok(HandingOver {
        done: done(site, visitor, submission).await?,
        can: next
            .verbs
            .iter()
            .map(|&verb| Button {
                words: in_words(verb, submission.state),
                address: address(submission.id, verb),
                at_once: verb == Verb::Submit,
            })
            .collect(),
        waits: waits(submission, &next, &signers),
        newer: next.newer.map(|newer| {
            let words = format!(
                "{} sent version {} on {}",
                newer.uploaded_by,
                newer.version_number,
                moment_in_words(newer.received_at)
            );
            (newer.id, words)
        }),
        may_write: workflow::may_write(reader, submission),
        messages: messages.map(|all| {
            all.into_iter()
                .map(|message| Written {
                    by: message.by_name,
                    at: moment_in_words(message.at),
                    text: message.text,
                })
                .collect()
        }),
        message_id: Uuid::now_v7(),
    })
}

async fn done(
    site: &Site,
    visitor: &Visitor,
    submission: &Submission,
) -> Result<Vec<Done>, Problem> {
    let chain = workflow::history(site.db()?, &visitor.actor, submission).await?;
    // A reason is written in the same words as a message, and read by the same people.
    let may_read = workflow::may_read_messages(&visitor.actor, submission);
    Ok(chain
        .into_iter()
        .map(|link| Done {
            words: {
                let took = link.hours.map(took).unwrap_or_default();
                format!(
                    "{} by {} on {}{took}",
                    capitalised(link.verb.in_words()),
                    link.by_name,
                    moment_in_words(link.at)
                )
            },
            reason: link.reason.filter(|_| may_read),
            // Who let them, and why.
            by_leave: link.own_sign_off.map(|why| {
                let by = link.allowed_by.unwrap_or_default();
                format!("{by}: {why}")
            }),
        })
        .collect())
}

/// What whoever signed off said.
fn took(hours: Hours) -> String {
    match hours.to_string().as_str() {
        "1" => ". It took 1 hour".to_owned(),
        hours => format!(". It took {hours} hours"),
    }
}

/// Whom a version waits for, and what stands in its way, as far as whoever looks can't do it.
fn waits(submission: &Submission, next: &Next, signers: &[String]) -> Vec<String> {
    let mut waits = Vec::new();
    let is_draft = Verb::Submit.step(submission.state) == Step::Allowed;
    if is_draft && next.n_unexplained > 0 {
        waits.push(format!(
            "{} an explanation before this version can be submitted.",
            counted(next.n_unexplained, "figure needs", "figures need")
        ));
    }
    match submission.state {
        SubmissionState::Submitted if !next.verbs.contains(&Verb::SignOff) => {
            waits.push(match signers {
                [] => "It waits for somebody else of its organisation to sign it off.".to_owned(),
                some => format!("It waits for sign-off by {}.", some.join(" or ")),
            });
        }
        SubmissionState::SignedOff if !next.verbs.contains(&Verb::Accept) => {
            waits.push("It waits for the team that asks for this return.".to_owned());
        }
        SubmissionState::SentBack => {
            waits.push("Mend the file and send it again as a newer version.".to_owned());
        }
        _ => {}
    }
    waits
}

#[derive(Template)]
#[template(path = "hand_over.html")]
struct ConfirmPage {
    you: Option<You>,
    submission: Submission,
    heading: &'static str,
    button: &'static str,
    action: String,
    says: &'static str,
    received: String,
    size: String,
    n_rows: String,
    n_to_explain: String,
    by_leave: bool,
    /// Whether it is asked for, may be given, or is not.
    asks_reason: Option<&'static str>,
    reason: String,
    /// Whether it is asked how long the return took.
    asks_hours: bool,
    hours: String,
    problem: Option<&'static str>,
    /// Where it is put right.
    wrong_field: &'static str,
}

/// What was written into the form, and what is wrong with it.
#[derive(Default)]
struct Filled {
    reason: String,
    hours: String,
    wrong: Option<(&'static str, &'static str)>,
}

fn parse_verb(word: &str) -> Result<Verb, Problem> {
    Verb::ALL
        .into_iter()
        .find(|&verb| self::word(verb) == word)
        .ok_or_else(Problem::not_found)
}

pub(crate) async fn ask(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<(String, String)>,
) -> Result<HttpResponse, PageProblem> {
    let (id, word) = address.into_inner();
    let verb = parse_verb(&word)?;
    let submission = find(&site, &visitor.actor, Action::SeeSubmission, &id).await?;
    let next = workflow::next(site.db()?, &visitor.actor, &submission, Utc::now()).await?;
    // Where it can't be done, the version's own page says why, or that it is done.
    if !next.verbs.contains(&verb) {
        return Ok(back_to(submission.id));
    }
    confirm(&site, visitor, submission, verb, Filled::default()).await
}

async fn confirm(
    site: &Site,
    visitor: Visitor,
    submission: Submission,
    verb: Verb,
    filled: Filled,
) -> Result<HttpResponse, PageProblem> {
    let (db, reader) = (site.db()?, &visitor.actor);
    let next = workflow::next(db, reader, &submission, Utc::now()).await?;
    let accounts = workflow::accounts(db, reader, submission.id).await?;
    let n_rows = accounts.iter().flatten().map(|table| table.loaded).sum();
    let counts = workflow::finding_counts(db, reader, submission.id).await?;
    let n_to_explain = counts
        .iter()
        .flatten()
        .filter(|count| finding::Asks::of(count.severity) == finding::Asks::ToExplain)
        .map(|count| count.n_findings)
        .sum();
    let page = ConfirmPage {
        you: Some(visitor.you),
        heading: in_words(verb, submission.state),
        button: in_words(verb, submission.state),
        action: address(submission.id, verb),
        says: says(verb, submission.state),
        received: moment_in_words(submission.received_at),
        size: counted(submission.bytes, "byte", "bytes"),
        n_rows: with_commas(n_rows),
        n_to_explain: with_commas(n_to_explain),
        by_leave: next.by_leave && verb == Verb::SignOff,
        asks_reason: match verb {
            Verb::SendBack => Some("Why you send it back"),
            Verb::Withdraw => Some("Why you withdraw it (you may leave this empty)"),
            Verb::Submit | Verb::SignOff | Verb::Accept => None,
        },
        asks_hours: verb == Verb::SignOff,
        reason: filled.reason,
        hours: filled.hours,
        problem: filled.wrong.map(|(problem, _)| problem),
        wrong_field: filled.wrong.map_or("", |(_, field)| field),
        submission,
    };
    let status = match page.problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok(super::render(status, &page))
}

/// What whoever presses the button says by it.
fn says(verb: Verb, state: SubmissionState) -> &'static str {
    match (verb, state) {
        (Verb::Submit, _) => "This version goes to whoever signs off for your organisation.",
        (Verb::SignOff, _) => {
            "By signing off you say, for your organisation, that this file is its answer and that its figures are right as far as you know. The team that asks for the return gets it then."
        }
        (Verb::Accept, _) => {
            "This version counts from then on, until a newer one is accepted. Its organisation is told."
        }
        (Verb::SendBack, SubmissionState::Accepted) => {
            "This version does not count any more, and its organisation is asked for a newer one."
        }
        (Verb::SendBack, _) => {
            "Its organisation is asked for a newer version, and reads what you write here."
        }
        (Verb::Withdraw, _) => {
            "This version is out of the way: it can't be submitted or signed off any more. The file is kept."
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Pressed {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    hours: String,
}

/// Pressing twice shows the same page twice.
pub(crate) async fn press(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<(String, String)>,
    form: Form<Pressed>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(&form.form_token)?;
    let (id, word) = address.into_inner();
    let (id, verb) = (parse_id(&id)?, parse_verb(&word)?);
    let (db, actor, now, reason) = (site.db()?, &visitor.actor, Utc::now(), &form.reason);
    let hours = Hours::parse(&form.hours);
    if verb == Verb::SignOff && hours.is_none() && !form.hours.trim().is_empty() {
        let found = find(&site, actor, Action::SeeSubmission, &id.to_string()).await?;
        // Whoever may not sign it off is told that below, whatever was filled in.
        let next = workflow::next(db, actor, &found, now).await?;
        if next.verbs.contains(&verb) {
            let told = "Enter hours as a number, in quarters of an hour, such as 7 or 7.25. Leave it empty if you do not know.";
            let filled = Filled {
                hours: form.into_inner().hours,
                wrong: Some((told, "hours")),
                ..Filled::default()
            };
            return confirm(&site, visitor, found, verb, filled).await;
        }
    }
    let done = match verb {
        Verb::Submit => workflow::submit(db, actor, id, now).await,
        Verb::SignOff => workflow::sign_off_after(db, actor, id, hours, now).await,
        Verb::Accept => workflow::accept(db, actor, id, now).await,
        Verb::SendBack => workflow::send_back(db, actor, id, reason, now).await,
        Verb::Withdraw => workflow::withdraw(db, actor, id, Some(reason), now).await,
    };
    let problem = match done {
        Ok(_) => return Ok(back_to(id)),
        Err(HandoverError::NoReason) => "Enter the reason.",
        Err(HandoverError::LongReason) => "The reason can have 4,000 characters at most.",
        Err(error) => return Err(Problem::from(error).into()),
    };
    let id = id.to_string();
    let submission = find(&site, &visitor.actor, Action::SeeSubmission, &id).await?;
    let filled = Filled {
        reason: form.into_inner().reason,
        wrong: Some((problem, "reason")),
        ..Filled::default()
    };
    confirm(&site, visitor, submission, verb, filled).await
}

#[derive(Deserialize)]
pub(crate) struct NewMessage {
    #[serde(default)]
    form_token: String,
    message_id: Uuid,
    #[serde(default)]
    text: String,
}

pub(crate) async fn write(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
    form: Form<NewMessage>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(&form.form_token)?;
    let id = parse_id(&id)?;
    let (db, actor) = (site.db()?, &visitor.actor);
    match workflow::write_message(db, actor, id, form.message_id, &form.text).await {
        Ok(()) => Ok(back_to(id)),
        Err(MessageError::Denied(denied)) => Err(denied.into()),
        Err(MessageError::Db(error)) => Err(error.into()),
        Err(MessageError::NoText) => Err(Problem::bad_request("Write something first.").into()),
        Err(MessageError::LongText) => {
            Err(Problem::bad_request("A message can have 4,000 characters at most.").into())
        }
    }
}

fn back_to(id: Uuid) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("/submissions/{id}#handing-over")))
        .finish()
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    you: Option<You>,
    submission: Submission,
    size: String,
    received: String,
    assessed: Option<String>,
    n_rows: String,
    done: Vec<Done>,
    printed: String,
}

/// Who sent what when, and what became of it: to print, and to keep.
pub(crate) async fn receipt(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let submission = find(&site, &visitor.actor, Action::SeeSubmission, &id).await?;
    let accounts = workflow::accounts(site.db()?, &visitor.actor, submission.id).await?;
    let page = ReceiptPage {
        size: counted(submission.bytes, "byte", "bytes"),
        received: moment_in_words(submission.received_at),
        assessed: submission.assessed_at.map(moment_in_words),
        n_rows: with_commas(accounts.iter().flatten().map(|table| table.loaded).sum()),
        done: done(&site, &visitor, &submission).await?,
        printed: moment_in_words(Utc::now()),
        you: Some(visitor.you),
        submission,
    };
    Ok(super::render(StatusCode::OK, &page))
}
