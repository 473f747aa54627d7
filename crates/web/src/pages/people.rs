//! The people of an organisation: who they are and what they do, inviting them, and ending a role or all access.

use access::{Action, Grant, HeldFor, Reach, Role};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock;
use finding::words::counted;
use uuid::Uuid;
use workflow::{Actor, InviteError, LeaveError, Member, Members, OrganisationName};

use super::explain::{Fields, field, see};
use super::problem::PageProblem;
use super::waivers::parse_day;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::{Site, words};

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    you: Option<You>,
    code: String,
    organisation: String,
    people: Vec<Person>,
    /// In the place of the people, for whoever sees no more than how many there are.
    counts: Option<Vec<(&'static str, usize)>>,
    /// What whoever looks may give; the form is there where that is something.
    roles: Vec<Choice>,
    /// Where one of the roles is held for a return.
    returns: Vec<Choice>,
    /// Where people may be let sign off what they sent.
    leave: Option<LeaveForm>,
    filled: Filled,
    problem: Option<&'static str>,
    /// Where it is put right.
    wrong_field: &'static str,
}

struct Person {
    name: String,
    email: String,
    roles: String,
    is_disabled: bool,
    /// Where whoever looks may change something.
    link: Option<String>,
}

struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

/// Of leave to sign off what one sent oneself.
struct LeaveForm {
    /// What was given last.
    last: Option<String>,
}

/// What was filled in, and what is wrong with it.
#[derive(Default)]
struct Filled {
    name: String,
    email: String,
    role: String,
    return_id: String,
    until: String,
    reason: String,
    problem: Option<&'static str>,
    wrong_field: &'static str,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, &code, Filled::default()).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    code: &str,
    filled: Filled,
) -> Result<HttpResponse, PageProblem> {
    let (db, actor) = (site.db()?, &visitor.actor);
    let organisation = organisation(site, &visitor, code).await?;
    let roles = workflow::may_give(actor, code);
    let (people, counts) = match workflow::members(db, actor, code).await? {
        Members::People(all) => (people(code, &all, !roles.is_empty()), None),
        Members::Counts(counts) => {
            let counts = counts.into_iter().map(|(role, n)| (role.in_words(), n));
            (Vec::new(), Some(counts.collect()))
        }
    };
    let leave = if workflow::may_for(actor, Action::AllowOwnSignOff, code) {
        let last = workflow::leave_of(db, actor, code).await?;
        Some(LeaveForm {
            last: last.map(|last| {
                let until = words::day(last.until);
                format!("{} gave leave until {until}: {}", last.by_name, last.reason)
            }),
        })
    } else {
        None
    };
    let page = PeoplePage {
        code: code.to_owned(),
        organisation: organisation.name,
        people,
        counts,
        returns: if roles.iter().any(|role| role.held_for() == HeldFor::Return) {
            returns(site, &filled.return_id)
        } else {
            Vec::new()
        },
        roles: roles
            .into_iter()
            .map(|role| Choice {
                value: role.as_str().to_owned(),
                label: words::capitalised(role.in_words()),
                is_chosen: filled.role == role.as_str(),
            })
            .collect(),
        leave,
        you: Some(visitor.you),
        problem: filled.problem,
        wrong_field: filled.wrong_field,
        filled,
    };
    let status = match page.problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok(super::render(status, &page))
}

async fn organisation(
    site: &Site,
    visitor: &Visitor,
    code: &str,
) -> Result<OrganisationName, Problem> {
    let found = workflow::listed_organisations(site.db()?, &visitor.actor, Some(code)).await?;
    let mut found = found.into_iter().map(|one| one.organisation);
    found.next().ok_or_else(Problem::not_found)
}

fn people(code: &str, all: &[Member], may_change: bool) -> Vec<Person> {
    all.iter()
        .map(|member| Person {
            name: member.person.name.clone(),
            email: member.person.email.clone(),
            roles: roles_in_words(&member.grants).join(", "),
            is_disabled: member.person.disabled_at.is_some(),
            link: may_change.then(|| format!("/organisations/{code}/people/{}", member.person.id)),
        })
        .collect()
}

/// Each once, with the return where it is held for one.
fn roles_in_words(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(role_in_words).collect()
}

fn role_in_words(grant: &Grant) -> String {
    match &grant.reach {
        Reach::Return(id) => format!("{} {id}", grant.role.in_words()),
        Reach::Organisation(_) | Reach::Everything => grant.role.in_words().to_owned(),
    }
}

fn returns(site: &Site, chosen: &str) -> Vec<Choice> {
    let mut all: Vec<Choice> = site
        .specs
        .iter()
        .map(|spec| Choice {
            value: spec.id.clone(),
            label: spec.title.clone(),
            is_chosen: spec.id == chosen,
        })
        .collect();
    all.sort_by(|a, b| (&a.label, &a.value).cmp(&(&b.label, &b.value)));
    all.dedup_by(|a, b| a.value == b.value);
    all
}

/// A role of a form, held for what it is held for.
fn grant_of(code: &str, role: &str, return_id: &str) -> Option<Grant> {
    let role = Role::parse(role)?;
    let reach = match role.held_for() {
        HeldFor::Organisation => Reach::Organisation(code.to_owned()),
        HeldFor::Return if return_id.is_empty() => return None,
        HeldFor::Return => Reach::Return(return_id.to_owned()),
        HeldFor::Everything => Reach::Everything,
    };
    Some(Grant { role, reach })
}

pub(crate) async fn invite(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    workflow::decide_for(&visitor.actor, Action::InvitePeople, &code)?;
    let of = |name| field(&form, name).trim().to_owned();
    let mut filled = Filled {
        name: of("name"),
        email: of("email"),
        role: of("role"),
        return_id: of("return_id"),
        ..Filled::default()
    };
    let mistake = match grant_of(&code, &filled.role, &filled.return_id) {
        Some(grant) => match give(site.db()?, &visitor.actor, &filled, &grant, &code).await {
            Ok(_) => return Ok(see(&format!("/organisations/{code}/people"))),
            Err(error) => mistake(error)?,
        },
        None if Role::parse(&filled.role).is_some() => {
            ("Choose the return that they ask for.", "return_id")
        }
        None => ("Choose what they do.", "role"),
    };
    (filled.problem, filled.wrong_field) = (Some(mistake.0), mistake.1);
    page(&site, visitor, &code, filled).await
}

async fn give(
    db: &db::Db,
    actor: &Actor,
    filled: &Filled,
    grant: &Grant,
    code: &str,
) -> Result<Uuid, InviteError> {
    let (email, name) = (filled.email.as_str(), filled.name.as_str());
    match grant.reach {
        Reach::Organisation(_) => workflow::invite(db, actor, email, name, grant).await,
        Reach::Return(_) | Reach::Everything => {
            workflow::invite_into(db, actor, (email, name), grant, code).await
        }
    }
}

/// What is wrong, and the field where it is put right.
fn mistake(error: InviteError) -> Result<(&'static str, &'static str), Problem> {
    match error {
        InviteError::Denied(denied) => Err(denied.into()),
        InviteError::Db(error) => Err(error.into()),
        InviteError::NotAnAddress => Ok((
            "Enter an email address, such as name@council.gov.uk.",
            "email",
        )),
        InviteError::NoName => Ok(("Enter their name.", "name")),
        InviteError::NotHeldForThat => Ok(("Choose what they do.", "role")),
        InviteError::UnknownOrganisation(_) => Err(Problem::not_found()),
    }
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    you: Option<You>,
    code: String,
    organisation: String,
    id: Uuid,
    name: String,
    email: String,
    since: String,
    /// From when on they have no access.
    disabled: Option<String>,
    roles: Vec<Held>,
    may_disable: bool,
    /// What would end with their access.
    made: Vec<Made>,
}

/// Programs, or servers.
struct Made {
    /// `2 programs`.
    counted: String,
    /// "let in, because …".
    why: &'static str,
    names: Vec<String>,
}

struct Held {
    words: String,
    role: &'static str,
    return_id: String,
    may_end: bool,
}

pub(crate) async fn show_one(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<(String, String)>,
) -> Result<HttpResponse, PageProblem> {
    let (code, id) = address.into_inner();
    let (db, actor) = (site.db()?, &visitor.actor);
    let member = workflow::member(db, actor, &code, parsed(&id)).await?;
    let moment = |at| clock::moment_in_words(at);
    let may_disable = workflow::may_disable(actor, &member);
    let page = PersonPage {
        organisation: organisation(&site, &visitor, &code).await?.name,
        id: member.person.id,
        since: moment(member.person.invited_at),
        disabled: member.person.disabled_at.map(moment),
        made: if may_disable {
            made(
                actor,
                workflow::made_by(db, actor, &member, Utc::now()).await?,
            )
        } else {
            Vec::new()
        },
        may_disable,
        roles: member
            .grants
            .iter()
            .map(|grant| Held {
                words: words::capitalised(&role_in_words(grant)),
                role: grant.role.as_str(),
                return_id: match &grant.reach {
                    Reach::Return(id) => id.clone(),
                    Reach::Organisation(_) | Reach::Everything => String::new(),
                },
                may_end: workflow::may_end(actor, grant) && is_of(grant, &code),
            })
            .collect(),
        name: member.person.name,
        email: member.person.email,
        code,
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn made(actor: &Actor, all: workflow::Made) -> Vec<Made> {
    let mut made = Vec::new();
    if !all.programs.is_empty() {
        made.push(Made {
            counted: counted(all.programs.len() as u64, "program", "programs"),
            why: "that they let in, because they have seen how to get in with a token. Let what is still needed in again.",
            names: all.programs.into_iter().map(|one| one.name).collect(),
        });
    }
    if !all.webhooks.is_empty() {
        made.push(Made {
            counted: counted(all.webhooks.len() as u64, "server", "servers"),
            why: "that they had told what happens here. Name what is still needed again.",
            // An address may have a secret in it, and may be another organisation's.
            names: all
                .webhooks
                .into_iter()
                .filter(|one| workflow::may_manage_webhook(actor, one))
                .map(|one| one.url)
                .collect(),
        });
    }
    made
}

/// A role for another organisation is ended on that one's page.
fn is_of(grant: &Grant, code: &str) -> bool {
    match &grant.reach {
        Reach::Organisation(own) => own == code,
        Reach::Return(_) | Reach::Everything => true,
    }
}

/// What is no id is nobody's.
fn parsed(id: &str) -> Uuid {
    Uuid::try_parse(id).unwrap_or_default()
}

pub(crate) async fn change(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<(String, String)>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (code, id) = address.into_inner();
    let (db, actor, now) = (site.db()?, &visitor.actor, Utc::now());
    let member = workflow::member(db, actor, &code, parsed(&id)).await?;
    let unreadable = || Problem::bad_request("The form can't be read: open the page again.");
    match field(&form, "do") {
        "end-role" => {
            let (role, return_id) = (field(&form, "role"), field(&form, "return_id"));
            let grant = grant_of(&code, role, return_id).ok_or_else(unreadable)?;
            let ended = workflow::end_role(db, actor, member.person.id, &grant, now).await;
            ended.map_err(|error| match mistake(error) {
                Ok(_) => unreadable(),
                Err(problem) => problem,
            })?;
        }
        "end-access" => {
            workflow::disable(db, actor, member.person.id, now).await?;
        }
        "give-access" => workflow::enable(db, actor, member.person.id, now).await?,
        _ => return Err(unreadable().into()),
    }
    Ok(see(&format!("/organisations/{code}/people")))
}

pub(crate) async fn allow_own_sign_off(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    workflow::decide_for(&visitor.actor, Action::AllowOwnSignOff, &code)?;
    let (until, reason) = (field(&form, "until"), field(&form, "reason"));
    let mistake = match parse_day(until) {
        Some(day) => {
            let given =
                workflow::allow_own_sign_off(site.db()?, &visitor.actor, &code, day, reason).await;
            match given {
                Ok(()) => return Ok(see(&format!("/organisations/{code}/people"))),
                Err(LeaveError::Denied(denied)) => return Err(denied.into()),
                Err(LeaveError::Db(error)) => return Err(error.into()),
                Err(LeaveError::UnknownOrganisation(_)) => return Err(Problem::not_found().into()),
                Err(LeaveError::NoReason) => ("Enter why they need it.", "reason"),
            }
        }
        None => ("Enter the last day, such as 31/03/2027.", "until"),
    };
    let filled = Filled {
        until: until.to_owned(),
        reason: reason.to_owned(),
        problem: Some(mistake.0),
        wrong_field: mistake.1,
        ..Filled::default()
    };
    page(&site, visitor, &code, filled).await
}
