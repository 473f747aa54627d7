//! Feeds that calendars subscribe to: everything, one return, or what one organisation has to answer. Whoever has a feed's
//! address reads it without signing in; it says no more than its maker may see now, and nothing once it is revoked.

use std::collections::HashMap;

use access::{Action, ActorId, Object};
use chrono::{DateTime, Days, NaiveDate, Utc};
use cycle::calendar::CalendarDay;
use cycle::{DateKind, counting};
use db::calendar_feeds::{self as stored, FeedRound, Said};
use db::cycles::dates;
use db::{Db, DbError, Sees};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, record, sees};
use crate::{Actor, Denied, Secret};

pub use db::calendar_feeds::{Feed, OfWhat};

/// Days so long past are in no feed.
const PAST_DAYS: u64 = 400;

fn may_read(actor: &Actor, of: &OfWhat) -> Result<(), Denied> {
    match of {
        OfWhat::Everything | OfWhat::Return(_) => {
            allowed(actor, Action::SeeRounds, &Object::default())?;
        }
        OfWhat::Organisation(code) => {
            let object = Object {
                organisation: Some(code),
                ..Object::default()
            };
            allowed(actor, Action::SeeObligation, &object)?;
        }
    }
    Ok(())
}

/// Makes a feed, whose secret is shown this once; `None` where one of this number is there.
pub async fn make_feed(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    of: &OfWhat,
) -> Result<Option<Secret>, Denied> {
    may_read(actor, of)?;
    let ActorId::Person(person_id) = actor.id else {
        return Err(Denied::SignInNeeded);
    };
    let secret = Secret::new();
    // The office's are nobody's else; an organisation's people write where they see.
    let home = match sees(actor) {
        Sees::Everyone => None,
        Sees::Organisations(codes) => codes.first().cloned(),
    };
    let mut tx = db.begin(&sees(actor)).await?;
    let maker = (person_id, home.as_deref());
    if !stored::add(&mut tx, id, &secret.digest(), of, maker).await? {
        return Ok(None);
    }
    let deed = Deed {
        verb: "make_feed",
        organisation: match of {
            OfWhat::Organisation(code) => Some(code),
            _ => home.as_deref(),
        },
        obligation_id: None,
        submission_id: None,
        details: match of {
            OfWhat::Return(return_id) => json!({"feed": id, "return": return_id}),
            _ => json!({"feed": id}),
        },
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(Some(secret))
}

/// Feeds stay their maker's, also when he is another organisation's by now: they are asked for by who made them.
static THEIR_OWN: Sees = Sees::Everyone;

/// The feeds that somebody made themselves.
pub async fn own_feeds(db: &Db, actor: &Actor) -> Result<Vec<Feed>, DbError> {
    let ActorId::Person(person_id) = actor.id else {
        return Ok(Vec::new());
    };
    stored::of_person(&mut *db.read(&THEIR_OWN).await?, person_id).await
}

/// Ends a feed that one made oneself; harmless when repeated.
pub async fn revoke_feed(db: &Db, actor: &Actor, id: Uuid) -> Result<(), Denied> {
    let ActorId::Person(person_id) = actor.id else {
        return Err(Denied::SignInNeeded);
    };
    let mut tx = db.begin(&THEIR_OWN).await?;
    if stored::revoke(&mut tx, id, person_id).await? {
        let organisations = actor.organisations();
        let deed = Deed {
            verb: "revoke_feed",
            organisation: organisations.first().copied(),
            obligation_id: None,
            submission_id: None,
            details: json!({"feed": id}),
        };
        record(&mut tx, actor, deed).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The days of a feed, as far as its maker may see them now. Links begin with `base_url`.
pub async fn read_feed(
    db: &Db,
    maker: &Actor,
    of: &OfWhat,
    base_url: &str,
    today: NaiveDate,
) -> Result<Vec<CalendarDay>, Denied> {
    may_read(maker, of)?;
    let from = today
        .checked_sub_days(Days::new(PAST_DAYS))
        .unwrap_or(today);
    let mut conn = db.read(&sees(maker)).await?;
    let rounds = stored::rounds(&mut conn, of, from).await?;
    let ids: Vec<i64> = rounds.iter().map(|round| round.cycle_id).collect();
    let histories = dates::histories(&mut conn, &ids).await?;
    let cancelled = stored::cancellations(&mut conn, &ids).await?;
    let said = match of {
        OfWhat::Organisation(code) => stored::said_to(&mut conn, code).await?,
        OfWhat::Everything | OfWhat::Return(_) => HashMap::new(),
    };
    let mut days = Vec::new();
    for round in &rounds {
        let history: Vec<_> = histories
            .iter()
            .filter(|(of, _)| *of == round.cycle_id)
            .map(|(_, fact)| fact.clone())
            .collect();
        let beside = [cancelled.get(&round.cycle_id), said.get(&round.cycle_id)];
        days.extend(of_round((of, round), &history, beside, base_url));
    }
    Ok(days)
}

fn of_round(
    (of, round): (&OfWhat, &FeedRound),
    history: &[cycle::DateFact],
    beside: [Option<&Said>; 2],
    base_url: &str,
) -> Vec<CalendarDay> {
    let FeedRound {
        round: told,
        cycle_id,
        due_on,
        is_required,
    } = round;
    counting(history)
        .into_iter()
        .map(|fact| {
            let kind = fact.date.kind;
            let n_facts = history.iter().filter(|one| one.date.kind == kind).count();
            let n_beside: u32 = beside.iter().flatten().map(|said| said.n).sum();
            let changed_at: DateTime<Utc> = beside
                .iter()
                .flatten()
                .map(|said| said.last_at)
                .fold(fact.at, DateTime::max);
            CalendarDay {
                cycle_id: *cycle_id,
                kind,
                on: match kind {
                    DateKind::Due => *due_on,
                    _ => fact.date.on,
                },
                certainty: fact.date.certainty,
                organisation: match of {
                    OfWhat::Organisation(code) => Some(code.clone()),
                    OfWhat::Everything | OfWhat::Return(_) => None,
                },
                is_cancelled: told.is_cancelled || !is_required,
                sequence: u32::try_from(n_facts.saturating_sub(1))
                    .unwrap_or(u32::MAX)
                    .saturating_add(n_beside),
                changed_at,
                return_title: told.return_title.clone(),
                period: told.period.in_words(),
                link: format!("{base_url}/rounds/{}/{}", told.return_id, told.period.label),
            }
        })
        .collect()
}
