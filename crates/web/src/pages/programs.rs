//! Programs that send returns or take figures by themselves: making a token for one, which is shown this once, and ending it.

use access::{Grant, HeldFor, Reach, Role};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use cycle::clock::moment_in_words;
use uuid::Uuid;
use workflow::{Client, ClientError, Denied, LONGEST_CLIENT_DAYS, NewClient, OrganisationName};

use super::explain::{Fields, field, see};
use super::problem::PageProblem;
use crate::Site;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words::capitalised;

const ADDRESS: &str = "/programs";

#[derive(Template)]
#[template(path = "programs.html")]
struct ProgramsPage {
    you: Option<You>,
    /// Of the one that was made just now.
    made: Option<Made>,
    programs: Vec<Program>,
    /// What a program can be for.
    choices: Vec<Choice>,
    filled: Filled,
    longest: i64,
    problem: Option<&'static str>,
    /// Where it is put right.
    wrong_field: &'static str,
}

struct Made {
    name: String,
    token: String,
    ends: String,
    /// Whether there is time for an email before.
    is_told: bool,
}

struct Program {
    id: Uuid,
    name: String,
    does: String,
    made: String,
    used: String,
    ends: String,
    is_good: bool,
}

struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

struct Filled {
    /// So that a form that is sent twice makes one program.
    id: Uuid,
    name: String,
    what: String,
    days: String,
}

impl Filled {
    fn nothing() -> Self {
        Self {
            id: Uuid::now_v7(),
            name: String::new(),
            what: String::new(),
            days: LONGEST_CLIENT_DAYS.to_string(),
        }
    }
}

pub(crate) async fn list(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, None, Filled::nothing(), None).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    made: Option<Made>,
    filled: Filled,
    mistake: Option<(&'static str, &'static str)>,
) -> Result<HttpResponse, PageProblem> {
    let now = Utc::now();
    let names = Names::read(site, &visitor).await?;
    let choices = names.choices(site, &visitor, &filled.what);
    if choices.is_empty() {
        return Err(Denied::Forbidden.into());
    }
    let programs = workflow::clients(site.db()?, &visitor.actor).await?;
    let (problem, wrong_field) = mistake.map_or((None, ""), |(told, at)| (Some(told), at));
    let page = ProgramsPage {
        you: Some(visitor.you),
        made,
        programs: programs
            .into_iter()
            .map(|one| names.program(one, now))
            .collect(),
        choices,
        filled,
        longest: LONGEST_CLIENT_DAYS,
        problem,
        wrong_field,
    };
    let status = match page.problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok(super::render(status, &page))
}

pub(crate) async fn make(
    site: web::Data<Site>,
    visitor: Visitor,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let of = |name| field(&form, name).trim().to_owned();
    let filled = Filled {
        id: Uuid::try_parse(field(&form, "id")).unwrap_or_else(|_| Uuid::now_v7()),
        name: of("name"),
        what: of("what"),
        days: of("days"),
    };
    let mistake = match grant_of(&filled.what) {
        None => ("Choose what the program does.", "what"),
        Some(grant) => {
            let new = NewClient {
                id: filled.id,
                name: filled.name.clone(),
                grant,
                // What is no number is no number of days either.
                days: filled.days.parse().unwrap_or(0),
            };
            let now = Utc::now();
            match workflow::add_client(site.db()?, &visitor.actor, &new, now).await {
                Ok(token) => {
                    let made = Made {
                        token: token.reveal().to_owned(),
                        is_told: new.days > 14,
                        ends: moment_in_words(now + chrono::TimeDelta::days(new.days)),
                        name: new.name,
                    };
                    return page(&site, visitor, Some(made), Filled::nothing(), None).await;
                }
                Err(error) => mistake(error)?,
            }
        }
    };
    page(&site, visitor, None, filled, Some(mistake)).await
}

/// What is wrong, and the field where it is put right.
fn mistake(error: ClientError) -> Result<(&'static str, &'static str), Problem> {
    match error {
        ClientError::Denied(denied) => Err(denied.into()),
        ClientError::Db(error) => Err(error.into()),
        ClientError::NoName => Ok((
            "Enter what you call the program, in up to 100 letters.",
            "name",
        )),
        ClientError::NotHeldForThat | ClientError::UnknownOrganisation(_) => {
            Ok(("Choose what the program does.", "what"))
        }
        ClientError::Days => Ok(("Enter a number of days from 1 to 90.", "days")),
        ClientError::MadeBefore => Err(Problem::conflict(
            "Made already",
            "This program was let in already, and its token is shown only once. If you did not keep it, end it and make a new one.",
        )),
    }
}

pub(crate) async fn end(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    // What is no id is nobody's.
    let id = Uuid::try_parse(&id).unwrap_or_default();
    workflow::revoke_client(site.db()?, &visitor.actor, id, Utc::now()).await?;
    Ok(see(ADDRESS))
}

/// `sending_client S12000033`, as the form has it.
fn value_of(grant: &Grant) -> String {
    match &grant.reach {
        Reach::Organisation(of) | Reach::Return(of) => format!("{} {of}", grant.role),
        Reach::Everything => String::new(),
    }
}

fn grant_of(value: &str) -> Option<Grant> {
    let (role, of) = value.split_once(' ')?;
    let role = Role::parse(role)?;
    let reach = match role.held_for() {
        HeldFor::Organisation => Reach::Organisation(of.to_owned()),
        HeldFor::Return => Reach::Return(of.to_owned()),
        HeldFor::Everything => return None,
    };
    Some(Grant { role, reach })
}

/// What organisations and returns are called.
pub(super) struct Names {
    organisations: Vec<OrganisationName>,
    returns: Vec<(String, String)>,
}

impl Names {
    pub(super) async fn read(site: &Site, visitor: &Visitor) -> Result<Names, Problem> {
        let all = workflow::listed_organisations(site.db()?, &visitor.actor, None).await?;
        let mut organisations: Vec<OrganisationName> =
            all.into_iter().map(|one| one.organisation).collect();
        organisations.sort_by(|a, b| a.name.cmp(&b.name));
        let returns = site
            .returns_by_title()
            .into_iter()
            .map(|(title, id)| (id.to_owned(), title.to_owned()))
            .collect();
        Ok(Names {
            organisations,
            returns,
        })
    }

    /// What anything can be held for.
    pub(super) fn everything(&self, site: &Site) -> Vec<Reach> {
        let asked = self.organisations.iter().filter(|one| is_asked(site, one));
        let organisations = asked.map(|one| Reach::Organisation(one.code.clone()));
        let returns = self.returns.iter().map(|(id, _)| Reach::Return(id.clone()));
        organisations.chain(returns).collect()
    }

    fn choices(&self, site: &Site, visitor: &Visitor, chosen: &str) -> Vec<Choice> {
        let grants = workflow::may_make_clients(&visitor.actor).unwrap_or_else(|| {
            let of = |reach| Grant {
                role: match reach {
                    Reach::Organisation(_) => Role::SendingClient,
                    Reach::Return(_) | Reach::Everything => Role::ReadingClient,
                },
                reach,
            };
            self.everything(site).into_iter().map(of).collect()
        });
        grants
            .iter()
            .map(|grant| {
                let value = value_of(grant);
                Choice {
                    label: capitalised(&self.in_words(grant)),
                    is_chosen: value == chosen,
                    value,
                }
            })
            .collect()
    }

    pub(super) fn organisation(&self, code: &str) -> String {
        let found = self.organisations.iter().find(|one| one.code == code);
        found.map_or(code.to_owned(), |one| one.name.clone())
    }

    pub(super) fn title(&self, id: &str) -> String {
        let found = self.returns.iter().find(|(own, _)| own == id);
        found.map_or(id.to_owned(), |(_, title)| title.clone())
    }

    /// `sends the returns of Angus`.
    fn in_words(&self, grant: &Grant) -> String {
        match &grant.reach {
            Reach::Organisation(code) => {
                format!("sends the returns of {}", self.organisation(code))
            }
            Reach::Return(id) => format!("takes the figures of {}", self.title(id)),
            Reach::Everything => grant.role.in_words().to_owned(),
        }
    }

    fn program(&self, client: Client, now: DateTime<Utc>) -> Program {
        let by = client.made_by_name.as_deref();
        Program {
            id: client.id,
            does: capitalised(&self.in_words(&client.grant)),
            made: match by {
                Some(name) => format!("{} by {name}", moment_in_words(client.made_at)),
                None => moment_in_words(client.made_at),
            },
            used: client.used_at.map_or("never".to_owned(), moment_in_words),
            ends: match client.revoked_at {
                Some(at) => format!("ended on {}", moment_in_words(at)),
                None if client.expires_at <= now => {
                    format!("ended on {}", moment_in_words(client.expires_at))
                }
                None => moment_in_words(client.expires_at),
            },
            is_good: client.is_good(now),
            name: client.name,
        }
    }
}

/// Whether any return asks an organisation of its kind; the others have nothing to send.
fn is_asked(site: &Site, organisation: &OrganisationName) -> bool {
    let mut specs = site.specs.iter();
    specs.any(|spec| spec.respondents.types.contains(&organisation.kind))
}
