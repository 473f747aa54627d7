//! Signing in: with an account at a provider, or by a link that is sent and a code that an app shows.
//!
//! A session lives in the database and its secret in the browser. Nobody who is not signed in learns whether an address
//! is known: whatever is asked for is answered alike, and what follows is done by a worker.

mod provider;

use access::ActorId;
use chrono::{DateTime, TimeDelta, Utc};
use db::people::{self, Person};
use db::sessions::{self, Digest};
use db::{Db, DbError, Sees, Tx};
use mail::Message;
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use totp_rs::Totp;
use uuid::Uuid;

use super::Secret;
use crate::actor::{Deed, record};
use crate::{Actor, outbox};

pub use provider::{begin_visit, end_visit, enter_by_provider, new_visit};

/// A session that nobody used for so long is over …
const IDLE: TimeDelta = TimeDelta::minutes(30);
/// … and so is one that is so old.
const LONGEST: TimeDelta = TimeDelta::hours(12);
/// Between a link and its code.
const HALF_WAY: TimeDelta = TimeDelta::minutes(15);
/// How long a link is good.
const LINK: TimeDelta = TimeDelta::minutes(15);
/// That somebody was seen is written down this often.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);
/// Attempts are counted over this long.
const ATTEMPTS_OVER: TimeDelta = TimeDelta::minutes(15);
/// Links for one address, from one network address, and codes of one person, in that time.
const MOST_LINKS: u64 = 5;
const MOST_LINKS_FROM: u64 = 30;
const MOST_CODES: u64 = 10;

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("too many attempts")]
    TooMany,
    #[error("the link was used, or is too old")]
    NoLink,
    #[error("nobody is half way through signing in")]
    NotHalfWay,
    #[error("the code is not right")]
    WrongCode,
    #[error("nobody here has this address")]
    NotInvited,
    #[error("the app's secret can't be used: {0}")]
    Generator(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Whoever sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// There was a session, and it is over.
    Over,
    /// The link was right; the code is still asked for.
    HalfWay,
    SignedIn(SignedIn),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub actor: Actor,
    pub email: String,
}

/// The job: send a link to sign in with, if the address is somebody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendLinkJob {
    /// SHA-256 of the address: the queue holds nothing personal.
    pub address_sha256: String,
}

impl SendLinkJob {
    pub const KIND: &'static str = "send-sign-in-link";
}

/// Somebody asks for a link to sign in with. The answer is the same whether the address is known or not.
pub async fn ask_for_link(
    db: &Db,
    email: &str,
    network: &str,
    now: DateTime<Utc>,
) -> Result<(), SignInError> {
    let address = digest_of(&people::folded(email));
    let mut tx = db.begin(&Sees::Everyone).await?;
    let from = count(&mut tx, "link from", digest_of(network), now).await?;
    let to = count(&mut tx, "link", address, now).await?;
    if to <= MOST_LINKS && from <= MOST_LINKS_FROM {
        let job = SendLinkJob {
            address_sha256: hex::encode(address),
        };
        queue::enqueue(&mut tx, &NewJob::new(SendLinkJob::KIND, json!(job))).await?;
    }
    tx.commit().await?;
    if from > MOST_LINKS_FROM {
        return Err(SignInError::TooMany);
    }
    Ok(())
}

/// Puts the link into the outbox, if the address is that of somebody who may sign in.
pub async fn send_link(db: &Db, job: &SendLinkJob, now: DateTime<Utc>) -> Result<(), DbError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let person = people::find_by_address_sha256(&mut tx, &job.address_sha256).await?;
    if let Some(person) = person.filter(|person| person.disabled_at.is_none()) {
        let secret = Secret::new();
        sessions::add_link(&mut tx, secret.digest(), person.id, now, now + LINK).await?;
        let message = Message::SignIn(mail::SignIn {
            name: person.name.clone(),
            secret: secret.reveal().to_owned(),
            minutes: LINK.num_minutes(),
        });
        outbox::post_to_person(&mut tx, person.id, &person.email, &message).await?;
    }
    tx.commit().await
}

/// A link is opened: the half of a session, which asks for the code.
pub async fn enter_by_link(
    db: &Db,
    link: &Secret,
    now: DateTime<Utc>,
) -> Result<Secret, SignInError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let person_id = sessions::use_link(&mut tx, link.digest(), now)
        .await?
        .ok_or(SignInError::NoLink)?;
    let person = people::find_active(&mut tx, person_id)
        .await?
        .ok_or(SignInError::NoLink)?;
    let session = Secret::new();
    sessions::begin(&mut tx, session.digest(), person.id, "link", now, false).await?;
    tx.commit().await?;
    Ok(session)
}

/// What is asked of somebody half way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// The digits that their app shows.
    Enter,
    /// To put this secret into an app first.
    SetUp {
        /// In the letters that are typed into an app.
        letters: String,
        /// For an app that reads it from a picture.
        url: String,
    },
}

/// What the second proof is for somebody half way; a first-time secret is made and kept until it is confirmed.
/// `site` is what their app calls it.
pub async fn second_proof(
    db: &Db,
    session: &Secret,
    site: &str,
    now: DateTime<Utc>,
) -> Result<Code, SignInError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let half = half_way(&mut tx, session, now).await?;
    let secret = match sessions::code_generator(&mut tx, half.person_id).await? {
        Some(generator) if generator.confirmed_at.is_some() => return Ok(Code::Enter),
        Some(generator) => generator.secret,
        None => {
            let secret = Secret::new().digest()[..20].to_vec();
            sessions::offer_secret(&mut tx, half.person_id, &secret, now).await?;
            secret
        }
    };
    tx.commit().await?;
    let totp = generator(&secret, Some(site), &half.person_email)?;
    Ok(Code::SetUp {
        letters: totp.secret().to_base32(),
        url: totp.to_url().map_err(unusable)?,
    })
}

/// The digits are right: the half session ends and a whole one, with a secret of its own, begins.
pub async fn enter_code(
    db: &Db,
    session: &Secret,
    digits: &str,
    now: DateTime<Utc>,
) -> Result<Secret, SignInError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let half = half_way(&mut tx, session, now).await?;
    // Locked before the attempts are counted, so that those made at the same moment are counted one after the other.
    let Some(known) = sessions::code_generator(&mut tx, half.person_id).await? else {
        return Err(SignInError::NotHalfWay);
    };
    let who = digest_of(&half.person_id.to_string());
    if count(&mut tx, "code", who, now).await? > MOST_CODES {
        sessions::set_ended(&mut tx, session.digest(), now).await?;
        tx.commit().await?;
        return Err(SignInError::TooMany);
    }
    let totp = generator(&known.secret, None, &half.person_email)?;
    let step = right_step(&totp, digits, now).filter(|step| *step > known.last_step);
    let Some(step) = step else {
        // The attempt counts.
        tx.commit().await?;
        return Err(SignInError::WrongCode);
    };
    sessions::set_ended(&mut tx, session.digest(), now).await?;
    let whole = Secret::new();
    sessions::begin(&mut tx, whole.digest(), half.person_id, "link", now, true).await?;
    sessions::accept_code(&mut tx, half.person_id, step, now).await?;
    let actor = actor_of(&mut tx, half.person_id, half.person_name).await?;
    record(&mut tx, &actor, signed_in("link")).await?;
    tx.commit().await?;
    Ok(whole)
}

fn signed_in(by_way_of: &str) -> Deed<'static> {
    Deed {
        verb: "sign_in",
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details: json!({"by_way_of": by_way_of}),
    }
}

/// The half minute that the digits are of: this one, or the one before or after.
fn right_step(totp: &Totp, digits: &str, now: DateTime<Utc>) -> Option<i64> {
    let digits: String = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let now = u64::try_from(now.timestamp()).ok()?;
    i64::try_from(totp.check(&digits, now)?).ok()
}

/// As every app has it: SHA-1, six digits, half a minute.
fn generator(secret: &[u8], site: Option<&str>, email: &str) -> Result<Totp, SignInError> {
    totp_rs::Builder::new()
        .with_secret(secret.to_vec())
        .with_issuer(site.map(|site| site.replace(':', " ")))
        .with_account_name(email.replace(':', " "))
        .build()
        .map_err(unusable)
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn unusable(error: totp_rs::TotpError) -> SignInError {
    SignInError::Generator(error.to_string())
}

async fn half_way(
    tx: &mut Tx,
    session: &Secret,
    now: DateTime<Utc>,
) -> Result<sessions::Session, SignInError> {
    sessions::find(tx, session.digest())
        .await?
        .filter(|half| half.proved_at.is_none() && now - half.began_at < HALF_WAY)
        .ok_or(SignInError::NotHalfWay)
}

/// Somebody of the demo, by one click.
pub async fn enter_as_demo(
    db: &Db,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Secret, SignInError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let person = people::find_by_email(&mut tx, email)
        .await?
        .filter(|person| person.disabled_at.is_none())
        .ok_or(SignInError::NotInvited)?;
    enter(tx, person, "demo", now).await
}

async fn enter(
    mut tx: Tx,
    person: Person,
    by_way_of: &str,
    now: DateTime<Utc>,
) -> Result<Secret, SignInError> {
    let session = Secret::new();
    sessions::begin(&mut tx, session.digest(), person.id, by_way_of, now, true).await?;
    let actor = actor_of(&mut tx, person.id, person.name).await?;
    record(&mut tx, &actor, signed_in(by_way_of)).await?;
    tx.commit().await?;
    Ok(session)
}

/// Who sends a request with this session. Roles are read anew each time, so that a change holds at once.
pub async fn who(db: &Db, session: &Secret, now: DateTime<Utc>) -> Result<Presence, DbError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    let Some(found) = sessions::find(&mut tx, session.digest()).await? else {
        tx.rollback().await?;
        return Ok(Presence::Over);
    };
    if found.proved_at.is_none() {
        tx.rollback().await?;
        return Ok(if now - found.began_at < HALF_WAY {
            Presence::HalfWay
        } else {
            Presence::Over
        });
    }
    if now - found.seen_at >= IDLE || now - found.began_at >= LONGEST {
        tx.rollback().await?;
        return Ok(Presence::Over);
    }
    if now - found.seen_at >= SEEN_EVERY {
        sessions::set_seen(&mut tx, session.digest(), now).await?;
    }
    let actor = actor_of(&mut tx, found.person_id, found.person_name).await?;
    tx.commit().await?;
    Ok(Presence::SignedIn(SignedIn {
        actor,
        email: found.person_email,
    }))
}

async fn actor_of(tx: &mut Tx, person_id: Uuid, name: String) -> Result<Actor, DbError> {
    Ok(Actor {
        id: ActorId::Person(person_id),
        name,
        grants: people::grants(tx, person_id).await?,
    })
}

pub async fn sign_out(db: &Db, session: &Secret, now: DateTime<Utc>) -> Result<(), DbError> {
    let mut tx = db.begin(&Sees::Everyone).await?;
    sessions::set_ended(&mut tx, session.digest(), now).await?;
    tx.commit().await
}

async fn count(tx: &mut Tx, what: &str, who: Digest, now: DateTime<Utc>) -> Result<u64, DbError> {
    sessions::count_attempt(tx, what, who, now, now - ATTEMPTS_OVER).await
}

fn digest_of(text: &str) -> Digest {
    Sha256::digest(text.as_bytes()).into()
}

/// Whose feed a calendar asks for by its secret, and what is in it; `None`: it was never made or is ended, or its maker may
/// not sign in any more.
pub async fn enter_by_feed(
    db: &Db,
    secret: &Secret,
) -> Result<Option<(Actor, db::calendar_feeds::OfWhat)>, DbError> {
    let mut conn = db.read(&Sees::Everyone).await?;
    let Some(feed) = db::calendar_feeds::find(&mut conn, &secret.digest()).await? else {
        return Ok(None);
    };
    let Some(person) = people::find_active(&mut conn, feed.person_id).await? else {
        return Ok(None);
    };
    let maker = Actor {
        id: ActorId::Person(person.id),
        name: person.name,
        grants: people::grants(&mut conn, person.id).await?,
    };
    Ok(Some((maker, feed.of)))
}
