//! Programs: a token for each, made by who looks after an organisation or a return, shown once, good for a while.
//!
//! A program has one role for one organisation or one return; it signs nothing off and looks after nobody's access.

use access::{Action, ActorId, Grant, HeldFor, Object, Reach, Role};
use chrono::{DateTime, TimeDelta, Utc};
use cycle::clock;
use db::{Db, DbError, Sees, Tx, clients as stored, people};
use mail::Message;
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, record, sees};
use crate::people::{is_held_for, organisation_of, return_of};
use crate::{Actor, Denied, Secret, outbox};

pub use db::clients::Client;

/// No token is good for longer.
pub const LONGEST_CLIENT_DAYS: i64 = 90;
/// How long before its end its maker is told.
const TOLD_BEFORE: TimeDelta = TimeDelta::days(14);
/// That a token was used is written down this often.
const USED_EVERY: TimeDelta = TimeDelta::minutes(1);
const LONGEST_NAME: usize = 100;

/// A program to let in.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// So that a form that is sent twice makes one.
    pub id: Uuid,
    /// What its owners call it.
    pub name: String,
    pub grant: Grant,
    pub days: i64,
}

impl NewClient {
    pub fn new(name: impl Into<String>, grant: Grant, days: i64) -> Self {
        Self {
            id: Uuid::now_v7(),
            name: name.into(),
            grant,
            days,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("a name of 1 to 100 letters is asked for")]
    NoName,
    #[error("this role is not held for that")]
    NotHeldForThat,
    #[error("a token is good for 1 to 90 days")]
    Days,
    #[error("it was made before, and its token is shown only once")]
    MadeBefore,
    #[error("no organisation has the code {0}")]
    UnknownOrganisation(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The job: tell who made a token that it ends soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellClientEndsJob {
    pub client_id: Uuid,
}

impl TellClientEndsJob {
    pub const KIND: &'static str = "tell-client-ends";
}

/// Makes a program's token, which is shown this once.
pub async fn add_client(
    db: &Db,
    actor: &Actor,
    new: &NewClient,
    now: DateTime<Utc>,
) -> Result<Secret, ClientError> {
    may_manage(actor, &new.grant)?;
    if !new.grant.role.is_of_programs() || !is_held_for(&new.grant) {
        return Err(ClientError::NotHeldForThat);
    }
    let name = new.name.trim();
    let has_control = name.chars().any(char::is_control);
    if name.is_empty() || has_control || name.chars().count() > LONGEST_NAME {
        return Err(ClientError::NoName);
    }
    if !(1..=LONGEST_CLIENT_DAYS).contains(&new.days) {
        return Err(ClientError::Days);
    }
    let token = Secret::new();
    let mut tx = db.begin(&Sees::Everyone).await?;
    if let ActorId::Person(id) = actor.id
        && people::find_active(&mut tx, id).await?.is_none()
    {
        // Their access ended while the form came in.
        return Err(Denied::SignInNeeded.into());
    }
    if let Some(code) = organisation_of(&new.grant) {
        let known = db::organisations::list(&mut tx, Some(code)).await?;
        if known.is_empty() {
            return Err(ClientError::UnknownOrganisation(code.to_owned()));
        }
    }
    let client = stored::NewClient {
        id: new.id,
        name,
        grant: &new.grant,
        made_by: match actor.id {
            ActorId::Person(id) => Some(id),
            _ => None,
        },
        expires_at: now + TimeDelta::days(new.days),
    };
    if !stored::add(&mut tx, &client, token.digest()).await? {
        tx.rollback().await?;
        return Err(ClientError::MadeBefore);
    }
    let tell_at = client.expires_at - TOLD_BEFORE;
    if client.made_by.is_some() && tell_at > now {
        let job = json!(TellClientEndsJob { client_id: new.id });
        let job = NewJob {
            run_at: Some(tell_at),
            ..NewJob::new(TellClientEndsJob::KIND, job)
        };
        queue::enqueue(&mut tx, &job).await?;
    }
    let deed = Deed {
        details: json!({"client": new.id, "role": new.grant.role, "return": return_of(&new.grant),
            "expires_at": client.expires_at}),
        ..deed("add_client", &new.grant)
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(token)
}

fn deed<'a>(verb: &'static str, grant: &'a Grant) -> Deed<'a> {
    Deed {
        verb,
        organisation: organisation_of(grant),
        obligation_id: None,
        submission_id: None,
        details: json!({}),
    }
}

fn may_manage(actor: &Actor, grant: &Grant) -> Result<(), Denied> {
    let object = Object {
        organisation: organisation_of(grant),
        return_id: return_of(grant),
        ..Object::default()
    };
    allowed(actor, Action::ManageClients, &object).map(|_| ())
}

/// What an actor may make programs for: `None` is every organisation and every return.
pub fn may_make_clients(actor: &Actor) -> Option<Vec<Grant>> {
    let everything = Object::default();
    if allowed(actor, Action::ManageClients, &everything).is_ok() {
        return None;
    }
    let mut grants: Vec<Grant> = actor
        .grants
        .iter()
        .filter_map(|held| {
            let for_what = match held.reach {
                Reach::Organisation(_) => HeldFor::Organisation,
                Reach::Return(_) => HeldFor::Return,
                Reach::Everything => return None,
            };
            let role = Role::ALL
                .into_iter()
                .find(|role| role.is_of_programs() && role.held_for() == for_what)?;
            let grant = Grant {
                role,
                reach: held.reach.clone(),
            };
            may_manage(actor, &grant).is_ok().then_some(grant)
        })
        .collect();
    let mut seen = Vec::new();
    grants.retain(|grant| {
        let is_new = !seen.contains(grant);
        seen.push(grant.clone());
        is_new
    });
    Some(grants)
}

/// The programs that an actor looks after, the newest first; also those whose token is not good any more.
pub async fn clients(db: &Db, actor: &Actor) -> Result<Vec<Client>, DbError> {
    let mut all = stored::list(&mut *db.read(&sees(actor)).await?).await?;
    all.retain(|client| may_manage(actor, &client.grant).is_ok());
    Ok(all)
}

/// Ends a program's token at once; harmless when repeated.
pub async fn revoke_client(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Denied> {
    let found = stored::find(&mut *db.read(&sees(actor)).await?, id).await?;
    let client = found.ok_or(Denied::NotThere)?;
    may_manage(actor, &client.grant)?;
    let mut tx = db.begin(&Sees::Everyone).await?;
    if stored::revoke(&mut tx, id, now).await? {
        let deed = Deed {
            details: json!({"client": id}),
            ..deed("revoke_client", &client.grant)
        };
        record(&mut tx, actor, deed).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Ends the programs of somebody whose access ends, since they have seen the tokens; gives those that ended now.
pub(crate) async fn end_programs_of(
    tx: &mut Tx,
    actor: &Actor,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Client>, DbError> {
    let mut ended = Vec::new();
    for client in stored::made_by(tx, person_id, now).await? {
        if stored::revoke(tx, client.id, now).await? {
            let deed = Deed {
                details: json!({"client": client.id, "person": person_id}),
                ..deed("revoke_client", &client.grant)
            };
            record(tx, actor, deed).await?;
            ended.push(client);
        }
    }
    Ok(ended)
}

/// The program of a token that is good.
pub async fn client(db: &Db, token: &Secret, now: DateTime<Utc>) -> Result<Option<Actor>, DbError> {
    let found = {
        let mut conn = db.read(&Sees::Everyone).await?;
        stored::of_token(&mut conn, token.digest(), now).await?
    };
    let Some(client) = found else {
        return Ok(None);
    };
    if client.used_at.is_none_or(|used| now - used >= USED_EVERY) {
        let mut tx = db.begin(&Sees::Everyone).await?;
        stored::set_used(&mut tx, client.id, now).await?;
        tx.commit().await?;
    }
    Ok(Some(Actor {
        id: ActorId::Client(client.id),
        name: client.name,
        grants: vec![client.grant],
    }))
}

/// Tells who made a token that it ends soon, unless it was ended or they have gone. Replaying it tells nobody twice.
pub async fn tell_client_ends(
    db: &Db,
    actor: &Actor,
    job: &TellClientEndsJob,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let found = stored::find(&mut tx, job.client_id).await?;
    let Some(client) = found.filter(|client| client.is_good(now)) else {
        return tx.rollback().await;
    };
    let Some(maker) = client.made_by else {
        return tx.rollback().await;
    };
    if let Some(person) = people::find_active(&mut tx, maker).await? {
        let message = Message::ClientEnds(mail::ClientEnds {
            does: client.grant.role.in_words().to_owned(),
            held_for: held_for(&mut tx, &client.grant).await?,
            ends: clock::moment_in_words(client.expires_at),
            program: client.name,
        });
        let about = db::emails::About::Person(person.id);
        outbox::post_on(&mut tx, client.id, about, &person.email, &message).await?;
    }
    tx.commit().await
}

/// The organisation's name, or the return's id.
async fn held_for(tx: &mut Tx, grant: &Grant) -> Result<String, DbError> {
    Ok(match &grant.reach {
        Reach::Organisation(code) => {
            let known = db::organisations::list(tx, Some(code)).await?;
            known
                .into_iter()
                .next()
                .map_or(code.clone(), |one| one.name)
        }
        Reach::Return(id) => id.clone(),
        Reach::Everything => String::new(),
    })
}
