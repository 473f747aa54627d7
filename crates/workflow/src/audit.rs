//! The audit trail: read by those the matrix allows, and verified.

use std::collections::HashMap;

use access::{Action, Object, Role, View};
use db::audit::{self, Broken, Head};
use db::events::{self, TrailEvent, VerbCount};
use db::{Conn, Db, DbError, people};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, is_system, record, sees};
use crate::{Actor, Denied};

/// Events on one page, and in one part of what is taken away.
const PAGE: i64 = 100;
const EXPORTED: i64 = 1_000;

/// The trail of an organisation, or of everything, as far as somebody may read it.
#[derive(Debug, Clone, PartialEq)]
pub enum Trail {
    Events {
        /// The newest first.
        events: Vec<TrailEvent>,
        /// Of the people and programs that the events' facts name by their ids.
        names: HashMap<Uuid, String>,
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
    let view = may_read(actor, organisation)?;
    let mut tx = db.begin(&sees(actor)).await?;
    let trail = match view {
        View::Counts => Trail::Counts(events::counts(&mut tx, organisation).await?),
        View::Values => page(&mut tx, organisation, before, PAGE).await?,
    };
    let details = json!({"before": before});
    record(&mut tx, actor, reading("read_audit", organisation, details)).await?;
    tx.commit().await?;
    Ok(trail)
}

fn may_read(actor: &Actor, organisation: Option<&str>) -> Result<View, Denied> {
    let whose = Object {
        organisation,
        ..Object::default()
    };
    allowed(actor, Action::SeeAudit, &whose)
}

fn reading<'a>(
    verb: &'static str,
    organisation: Option<&'a str>,
    details: serde_json::Value,
) -> Deed<'a> {
    Deed {
        verb,
        organisation,
        obligation_id: None,
        submission_id: None,
        details,
    }
}

async fn page(
    conn: &mut Conn,
    organisation: Option<&str>,
    before: Option<i64>,
    n_most: i64,
) -> Result<Trail, DbError> {
    let mut events = events::newest(conn, organisation, before, n_most + 1).await?;
    let n = usize::try_from(n_most).unwrap_or(usize::MAX);
    let has_more = events.len() > n;
    events.truncate(n);
    let ids: Vec<Uuid> = events.iter().flat_map(named).collect();
    Ok(Trail::Events {
        next_before: events.last().filter(|_| has_more).map(|event| event.id),
        names: people::names(conn, &ids).await?,
        events,
    })
}

/// Whom the facts of an event name.
fn named(event: &TrailEvent) -> impl Iterator<Item = Uuid> {
    let fields = event.details.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| matches!(name.as_str(), "person" | "client"))
        .filter_map(|(_, id)| Uuid::try_parse(id.as_str()?).ok())
}

/// The whole trail to take away, read a part at a time.
pub struct Export {
    organisation: Option<String>,
    view: View,
    next_before: Option<i64>,
    is_over: bool,
}

/// Begins to take the trail away, as it is now; that it is taken is an event of it.
pub async fn export_trail(
    db: &Db,
    actor: &Actor,
    organisation: Option<&str>,
) -> Result<Export, Denied> {
    let view = may_read(actor, organisation)?;
    let mut tx = db.begin(&sees(actor)).await?;
    record(
        &mut tx,
        actor,
        reading("export_audit", organisation, json!({})),
    )
    .await?;
    tx.commit().await?;
    Ok(Export {
        organisation: organisation.map(str::to_owned),
        view,
        next_before: None,
        is_over: false,
    })
}

/// The next part of it, the newest first; `None`: that was all.
pub async fn next_of_export(
    db: &Db,
    actor: &Actor,
    export: &mut Export,
) -> Result<Option<Trail>, DbError> {
    if export.is_over {
        return Ok(None);
    }
    let mut conn = db.read(&sees(actor)).await?;
    let organisation = export.organisation.as_deref();
    let trail = match export.view {
        View::Counts => Trail::Counts(events::counts(&mut conn, organisation).await?),
        View::Values => page(&mut conn, organisation, export.next_before, EXPORTED).await?,
    };
    export.next_before = match &trail {
        Trail::Events { next_before, .. } => *next_before,
        Trail::Counts(_) => None,
    };
    export.is_over = export.next_before.is_none();
    Ok(Some(trail))
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
