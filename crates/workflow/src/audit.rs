//! The audit trail: read by those the matrix allows, and verified.

use access::{Action, Object, Role, View};
use db::Db;
use db::audit::{self, Broken, Head};
use db::events::{self, TrailEvent, VerbCount};
use serde_json::json;

use crate::actor::{Deed, allowed, is_system, record, sees};
use crate::{Actor, Denied};

/// Events on one page.
const PAGE: i64 = 100;

/// The trail of an organisation, or of everything, as far as somebody may read it.
#[derive(Debug, Clone, PartialEq)]
pub enum Trail {
    Events {
        /// The newest first.
        events: Vec<TrailEvent>,
        /// The number before which the next page begins; `None`: there is no more.
        next_before: Option<i64>,
    },
    Counts(Vec<VerbCount>),
}

/// Reads the trail; that it was read is an event of it.
pub async fn trail(
    db: &Db,
    actor: &Actor,
    organisation: Option<&str>,
    before: Option<i64>,
) -> Result<Trail, Denied> {
    let whose = Object {
        organisation,
        ..Object::default()
    };
    let view = allowed(actor, Action::SeeAudit, &whose)?;
    let mut tx = db.begin(&sees(actor)).await?;
    let trail = match view {
        View::Counts => Trail::Counts(events::counts(&mut tx, organisation).await?),
        View::Values => {
            let events = events::newest(&mut tx, organisation, before, PAGE + 1).await?;
            page(events)
        }
    };
    let deed = Deed {
        verb: "read_audit",
        organisation,
        obligation_id: None,
        submission_id: None,
        details: json!({"before": before}),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(trail)
}

fn page(mut events: Vec<TrailEvent>) -> Trail {
    let n = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let has_more = events.len() > n;
    events.truncate(n);
    Trail::Events {
        next_before: events.last().filter(|_| has_more).map(|event| event.id),
        events,
    }
}

/// Follows the trail's chain from its start, for who runs the service; `before` is a head that was kept elsewhere.
pub async fn verify_audit(
    db: &Db,
    actor: &Actor,
    before: Option<Head>,
) -> Result<Result<Head, Broken>, Denied> {
    let runs_it = actor.grants.iter().any(|grant| grant.role == Role::Admin);
    if !runs_it && !is_system(actor) {
        return Err(Denied::Forbidden);
    }
    Ok(audit::verify(&mut *db.read(&sees(actor)).await?, before).await?)
}
