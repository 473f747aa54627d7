//! The forms of a check's page: explaining what it queries, and asking for a standing exception.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use finding::FindingKey;
use finding::words::counted;
use uuid::Uuid;
use workflow::{Asking, ExplainError, Explaining, WaiverError, Words};

use super::findings::{Check, check_page, link};
use super::problem::PageProblem;
use crate::Site;
use crate::api::submission::find;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::Visitor;

/// What was filled in, by the fields' names: several places may be ticked.
pub(super) type Fields = Vec<(String, String)>;

pub(super) struct ExplainForm {
    pub(super) action: String,
    pub(super) page: u32,
    /// "All 1,234 places of this check".
    pub(super) all: String,
    /// On this page.
    pub(super) n_before: usize,
    pub(super) text: String,
    pub(super) problem: Option<&'static str>,
    /// The field where it is put right.
    pub(super) field: &'static str,
}

pub(super) struct WaiverForm {
    pub(super) action: String,
    pub(super) page: u32,
    /// So that a form that is sent twice asks once.
    pub(super) id: Uuid,
    /// Key and place of each finding on the page.
    pub(super) places: Vec<(String, String)>,
    pub(super) reason: String,
    pub(super) problem: Option<&'static str>,
}

/// What was wrong in which of the two forms, and what was written in it.
pub(super) enum Mistake {
    Explaining {
        problem: &'static str,
        field: &'static str,
        text: String,
    },
    Asking {
        problem: &'static str,
        reason: String,
    },
}

pub(super) type WrongWords = Option<(&'static str, &'static str, String)>;
pub(super) type WrongReason = Option<(&'static str, String)>;

impl Mistake {
    pub(super) fn split(mistake: Option<Self>) -> (WrongWords, WrongReason) {
        match mistake {
            Some(Mistake::Explaining {
                problem,
                field,
                text,
            }) => (Some((problem, field, text)), None),
            Some(Mistake::Asking { problem, reason }) => (None, Some((problem, reason))),
            None => (None, None),
        }
    }
}

pub(super) fn form(
    check: &Check,
    id: Uuid,
    page: u32,
    n_all: u64,
    wrong: WrongWords,
) -> ExplainForm {
    let (problem, field, text) = match wrong {
        Some((problem, field, text)) => (Some(problem), field, text),
        None => (None, "text", String::new()),
    };
    ExplainForm {
        action: format!("/submissions/{id}/checks/{}/explanations", check.rule),
        page,
        all: format!("All {} of this check", counted(n_all, "place", "places")),
        n_before: check
            .findings
            .iter()
            .filter(|finding| finding.before.is_some())
            .count(),
        text,
        problem,
        field,
    }
}

pub(super) fn waiver_form(check: &Check, id: Uuid, page: u32, wrong: WrongReason) -> WaiverForm {
    let (problem, reason) = match wrong {
        Some((problem, reason)) => (Some(problem), reason),
        None => (None, String::new()),
    };
    WaiverForm {
        action: format!("/submissions/{id}/checks/{}/exceptions", check.rule),
        page,
        id: Uuid::now_v7(),
        places: check
            .findings
            .iter()
            .filter(|finding| finding.asks_why && !finding.key.is_empty())
            .map(|finding| (finding.key.clone(), finding.place.clone()))
            .collect(),
        reason,
        problem,
    }
}

/// A field's first value; blank where it was not sent.
pub(super) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    let found = fields.iter().find(|(own, _)| own == name);
    found.map_or("", |(_, value)| value.as_str())
}

fn page_of(fields: &Fields) -> u32 {
    field(fields, "page").parse().unwrap_or(1)
}

/// Explains all places of a check, or those that were ticked.
pub(crate) async fn explain(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<(String, String)>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (id, rule) = address.into_inner();
    let submission = find(&site, &visitor.actor, access::Action::Explain, &id).await?;
    let page = page_of(&form);
    let ticked = || {
        form.iter()
            .filter(|(name, _)| name == "key")
            .map(|(_, key)| FindingKey::stored(key.clone()))
            .collect()
    };
    let text = field(&form, "text");
    let explaining = Explaining {
        rule: rule.clone(),
        keys: (field(&form, "which") != "all").then(ticked),
        words: match field(&form, "words") {
            "before" => Words::AsBefore,
            _ => Words::New(text.to_owned()),
        },
    };
    let explained = workflow::explain(site.db()?, &visitor.actor, submission.id, &explaining).await;
    let (problem, field) = match explained {
        Ok(_) => return Ok(see(&link(submission.id, &rule, page))),
        Err(ExplainError::Denied(denied)) => return Err(denied.into()),
        Err(ExplainError::Db(error)) => return Err(error.into()),
        Err(ExplainError::SignedOff) => return Err(Problem::signed_off().into()),
        Err(ExplainError::NoText) => ("Write why the figures are right.", "text"),
        Err(ExplainError::LongText) => (TOO_LONG, "text"),
        Err(ExplainError::NothingToExplain) if explaining.keys.is_some() => (
            "Tick the places that you explain, or choose all of them.",
            "which-ticked",
        ),
        Err(ExplainError::NothingToExplain) => return Err(Problem::not_found().into()),
    };
    let mistake = Mistake::Explaining {
        problem,
        field,
        text: text.to_owned(),
    };
    check_page(&site, visitor, &id, rule, page, Some(mistake)).await
}

const TOO_LONG: &str = "The text is too long: 4,000 characters are the most.";

/// Asks for a standing exception.
pub(crate) async fn ask(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<(String, String)>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (id, rule) = address.into_inner();
    let submission = find(&site, &visitor.actor, access::Action::AskForWaiver, &id).await?;
    let page = page_of(&form);
    let reason = field(&form, "reason");
    let asking = Asking {
        id: Uuid::try_parse(field(&form, "id"))
            .map_err(|_| Problem::bad_request("The form can't be read: open the page again."))?,
        submission_id: submission.id,
        rule: rule.clone(),
        key: Some(field(&form, "place"))
            .filter(|key| !key.is_empty())
            .map(|key| FindingKey::stored(key.to_owned())),
        reason: reason.to_owned(),
    };
    let problem = match workflow::ask_for_waiver(site.db()?, &visitor.actor, &asking).await {
        Ok(()) => return Ok(see(&link(submission.id, &rule, page))),
        Err(WaiverError::Denied(denied)) => return Err(denied.into()),
        Err(WaiverError::Db(error)) => return Err(error.into()),
        Err(WaiverError::Text(ExplainError::NoText)) => "Write why you need the exception.",
        Err(WaiverError::Text(ExplainError::LongText)) => TOO_LONG,
        Err(_) => return Err(Problem::not_found().into()),
    };
    let mistake = Mistake::Asking {
        problem,
        reason: reason.to_owned(),
    };
    check_page(&site, visitor, &id, rule, page, Some(mistake)).await
}

/// What was asked for is done: the page that shows it.
pub(super) fn see(page: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, page))
        .finish()
}
