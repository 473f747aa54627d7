//! Signing in with an account at a provider.
//!
//! Whoever comes for the first time is known by the address that the provider may speak for, and from then on by the account alone:
//! an address may be given to somebody else one day, and an account is not.

use chrono::{DateTime, TimeDelta, Utc};
use db::identities::{self, Visit};
use db::people::{self, Person};
use db::{Db, DbError, Sees, Tx};
use oidc::{Begun, Identity};
use serde_json::json;

use super::{SignInError, actor_of, count, digest_of, enter};
use crate::actor::{Deed, record};
use crate::people::Secret;

/// How long a browser may be away.
const AWAY: TimeDelta = TimeDelta::minutes(15);

/// Visits from one network address in the time that attempts are counted over: a whole council may stand behind one.
const MOST_VISITS_FROM: u64 = 300;

/// Somebody wants to go to a provider: the secret that their browser keeps while it is away.
/// Its form token is what the provider sends back with it.
pub async fn new_visit(db: &Db, network: &str, now: DateTime<Utc>) -> Result<Secret, SignInError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let n_visits = count(&mut tx, "visit from", digest_of(network), now).await?;
    tx.commit().await?;
    if n_visits > MOST_VISITS_FROM {
        return Err(SignInError::TooMany);
    }
    Ok(Secret::new())
}

/// Remembers a browser that is sent to a provider.
pub async fn begin_visit(
    db: &Db,
    visit: &Secret,
    provider: &str,
    begun: Begun,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let remembered = Visit {
        provider: provider.to_owned(),
        nonce: begun.nonce,
        verifier: begun.verifier,
        began_at: now,
    };
    identities::add_visit(&mut tx, visit.digest(), &remembered, now - AWAY).await?;
    tx.commit().await
}

/// What is remembered of a browser that is back, this once; `None`: it was never sent there, or too long ago.
pub async fn end_visit(
    db: &Db,
    visit: &Secret,
    now: DateTime<Utc>,
) -> Result<Option<Visit>, DbError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let remembered = identities::take_visit(&mut tx, visit.digest()).await?;
    tx.commit().await?;
    Ok(remembered.filter(|visit| now - visit.began_at < AWAY))
}

/// A provider says who somebody is: a session begins, if they were invited.
pub async fn enter_by_provider(
    db: &Db,
    identity: &Identity,
    now: DateTime<Utc>,
) -> Result<Secret, SignInError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let known = identities::find(&mut tx, &identity.issuer, &identity.subject).await?;
    let person = match known {
        Some(person_id) => people::find_active(&mut tx, person_id).await?,
        None => newcomer(&mut tx, identity, now).await?,
    };
    enter(tx, person.ok_or(SignInError::NotInvited)?, "provider", now).await
}

/// Who has the address that an account came with, and whose account it is from now on.
async fn newcomer(
    tx: &mut Tx,
    identity: &Identity,
    now: DateTime<Utc>,
) -> Result<Option<Person>, DbError> {
    let Some(email) = &identity.email else {
        return Ok(None);
    };
    let person = people::find_by_email(tx, email).await?;
    let Some(person) = person.filter(|person| person.disabled_at.is_none()) else {
        return Ok(None);
    };
    let Identity {
        issuer, subject, ..
    } = identity;
    if !identities::add(tx, issuer, subject, person.id, now).await? {
        tracing::warn!(person = %person.id, issuer, "another account came with the address of somebody who has one");
        return Ok(None);
    }
    let actor = actor_of(tx, person.id, person.name.clone()).await?;
    let deed = Deed {
        verb: "take_account",
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details: json!({"issuer": issuer}),
    };
    record(tx, &actor, deed).await?;
    Ok(Some(person))
}
