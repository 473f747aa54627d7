//! Made-up people of every organisation and of the office, and the tokens that the demo sends and takes with.

use std::collections::BTreeMap;

use access::{Grant, Reach, Role};
use anyhow::Context as _;
use chrono::Utc;
use db::Db;
use web::DemoPerson;
use workflow::{Actor, NewClient, Secret};

use super::handing_over;
use crate::parts::Published;

/// How long the demo's tokens are good: it makes new ones each time it starts.
const TOKENS_FOR_DAYS: i64 = 1;

/// What the demo's programs sign in with.
pub(super) struct Tokens {
    by_organisation: BTreeMap<String, Secret>,
    by_return: BTreeMap<String, Secret>,
}

impl Tokens {
    pub(super) fn of_organisation(&self, code: &str) -> anyhow::Result<&str> {
        let token = self.by_organisation.get(code);
        Ok(token.context("every organisation has a token")?.reveal())
    }

    pub(super) fn of_return(&self, id: &str) -> anyhow::Result<&str> {
        let token = self.by_return.get(id);
        Ok(token.context("every return has a token")?.reveal())
    }
}

/// A token for each organisation and each return.
pub(super) async fn tokens(db: &Db, published: &Published) -> anyhow::Result<Tokens> {
    let actor = Actor::system("demo");
    let mut tokens = Tokens {
        by_organisation: BTreeMap::new(),
        by_return: BTreeMap::new(),
    };
    for organisation in published.respondents() {
        let grant = Grant {
            role: Role::SendingClient,
            reach: Reach::Organisation(organisation.code.clone()),
        };
        let new = NewClient::new("demo", grant, TOKENS_FOR_DAYS);
        let token = workflow::add_client(db, &actor, &new, Utc::now()).await?;
        tokens
            .by_organisation
            .insert(organisation.code.clone(), token);
    }
    for spec in &published.specs {
        if tokens.by_return.contains_key(&spec.id) {
            continue;
        }
        let grant = Grant {
            role: Role::ReadingClient,
            reach: Reach::Return(spec.id.clone()),
        };
        let new = NewClient::new("demo", grant, TOKENS_FOR_DAYS);
        let token = workflow::add_client(db, &actor, &new, Utc::now()).await?;
        tokens.by_return.insert(spec.id.clone(), token);
    }
    Ok(tokens)
}

/// Who does what by hand in the demo.
pub(super) struct Hands {
    /// By organisation.
    of_organisations: BTreeMap<String, Vec<Actor>>,
    team: Actor,
}

impl Hands {
    pub(super) fn of(&self, organisation: &str, role: Role) -> anyhow::Result<&Actor> {
        self.of_organisations
            .get(organisation)
            .into_iter()
            .flatten()
            .find(|actor| actor.grants.iter().any(|grant| grant.role == role))
            .context("every organisation has two people")
    }

    /// Who asks for every return.
    pub(super) fn team(&self) -> &Actor {
        &self.team
    }
}

/// Two people of each organisation, one who sends and one who signs off, and three of the office.
pub(super) async fn invite(
    db: &Db,
    published: &Published,
) -> anyhow::Result<(Vec<DemoPerson>, Hands)> {
    let mut people = Vec::new();
    let mut hands = Hands {
        of_organisations: BTreeMap::new(),
        team: Actor::nobody(),
    };
    for somebody in of_organisations(published).chain([of_returns(published), planner(), admin()]) {
        for grant in &somebody.grants {
            let inviter = Actor::system("demo");
            let id = workflow::invite(db, &inviter, &somebody.email, &somebody.name, grant).await?;
            let actor = handing_over::actor(id, &somebody.name, &somebody.grants);
            if let Some(code) = handing_over::organisation_of(grant) {
                let of_it = hands.of_organisations.entry(code.to_owned()).or_default();
                of_it.push(actor);
            } else if grant.role == Role::DatasetTeam {
                hands.team = actor;
            }
        }
        people.push(DemoPerson {
            email: somebody.email,
            words: somebody.name,
        });
    }
    Ok((people, hands))
}

struct Somebody {
    email: String,
    name: String,
    grants: Vec<Grant>,
}

fn of_organisations(published: &Published) -> impl Iterator<Item = Somebody> {
    published.respondents().flat_map(|organisation| {
        [("returns", Role::Uploader), ("finance", Role::Approver)].map(|(desk, role)| Somebody {
            email: address(desk, &organisation.name),
            name: format!("{}: {}", organisation.name, role.in_words()),
            grants: vec![Grant {
                role,
                reach: Reach::Organisation(organisation.code.clone()),
            }],
        })
    })
}

/// Asks for every return.
fn of_returns(published: &Published) -> Somebody {
    let mut ids: Vec<&str> = published
        .specs
        .iter()
        .map(|spec| spec.id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let grants = ids.into_iter().map(|id| Grant {
        role: Role::DatasetTeam,
        reach: Reach::Return(id.to_owned()),
    });
    Somebody {
        email: address("statistics", "central government"),
        name: "Central government: asks for every return".to_owned(),
        grants: grants.collect(),
    }
}

fn planner() -> Somebody {
    everywhere("rounds", Role::Scheduler)
}

fn admin() -> Somebody {
    everywhere("service", Role::Admin)
}

fn everywhere(desk: &str, role: Role) -> Somebody {
    Somebody {
        email: address(desk, "digital office"),
        name: format!("Digital office: {}", role.in_words()),
        grants: vec![Grant {
            role,
            reach: Reach::Everything,
        }],
    }
}

/// An invented address, at a name that can't exist.
pub(super) fn address(desk: &str, organisation: &str) -> String {
    let host: String = organisation
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    format!("{desk}@{host}.example")
}
