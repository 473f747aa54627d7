//! Whether the audit trail is as it was written: its chain, computed once more.

use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use sha2::{Digest, Sha256};

use crate::statement::statement;
use crate::{Conn, DbError};

/// How far the chain goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// 0 where there is no event yet.
    pub position: i64,
    pub sha256: [u8; 32],
}

/// What is wrong with a trail that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("the link at position {0} is missing")]
    LinkMissing(i64),
    #[error("the event at position {0} is missing")]
    EventMissing(i64),
    #[error(
        "the event at position {position} (number {event_id}), or the chain before it, was changed"
    )]
    Changed { position: i64, event_id: i64 },
    #[error("the event of number {0} was put in past the chain")]
    NotChained(i64),
    #[error("the chain no longer has the hash at position {0} that it had")]
    NotAsBefore(i64),
}

#[derive(QueryableByName)]
struct LinkRow {
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = BigInt)]
    event_id: i64,
    #[diesel(sql_type = Binary)]
    sha256: Vec<u8>,
    /// Of the event; `None` where it is gone.
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    fields: Option<Vec<Option<String>>>,
}

/// Links at a time.
const BLOCK: i64 = 5_000;

/// Follows the chain from its start; `before` is a head that was noted earlier and kept elsewhere.
///
/// The connection has to see everyone's events.
pub async fn verify(
    conn: &mut Conn,
    before: Option<Head>,
) -> Result<Result<Head, Broken>, DbError> {
    let mut head = Head {
        position: 0,
        sha256: [0; 32],
    };
    let mut seen_before = before.is_none_or(|before| before == head);
    loop {
        let links = links_after(conn, head.position).await?;
        if links.is_empty() {
            break;
        }
        for link in links {
            match next(head, link) {
                Ok(followed) => head = followed,
                Err(broken) => return Ok(Err(broken)),
            }
            if before.is_some_and(|before| before.position == head.position) {
                seen_before = before == Some(head);
            }
        }
    }
    if let Some(event_id) = not_chained(conn).await? {
        return Ok(Err(Broken::NotChained(event_id)));
    }
    match before {
        Some(before) if !seen_before => Ok(Err(Broken::NotAsBefore(before.position))),
        _ => Ok(Ok(head)),
    }
}

/// The head once a link was followed.
fn next(head: Head, link: LinkRow) -> Result<Head, Broken> {
    let position = head.position + 1;
    if link.position != position {
        return Err(Broken::LinkMissing(position));
    }
    let Some(fields) = link.fields else {
        return Err(Broken::EventMissing(position));
    };
    let mut digest = Sha256::new();
    if head.position > 0 {
        digest.update(head.sha256);
    }
    for field in &fields {
        match field {
            Some(text) => digest.update(format!("{}:{text},", text.len())),
            None => digest.update("-,"),
        }
    }
    let sha256: [u8; 32] = digest.finalize().into();
    if link.sha256 != sha256 {
        return Err(Broken::Changed {
            position,
            event_id: link.event_id,
        });
    }
    Ok(Head { position, sha256 })
}

async fn links_after(conn: &mut Conn, position: i64) -> Result<Vec<LinkRow>, DbError> {
    Ok(statement(
        "SELECT l.position, l.event_id, l.sha256,
                CASE WHEN e.id IS NOT NULL THEN ARRAY[
                    e.id::text, ((extract(epoch FROM e.at) * 1000000)::bigint)::text,
                    e.actor, e.actor_kind, e.actor_id::text, e.actor_organisation, e.verb, e.organisation,
                    e.obligation_id::text, e.submission_id::text, e.details::text
                ] END AS fields
         FROM event_link l LEFT JOIN event e ON e.id = l.event_id
         WHERE l.position > $1 ORDER BY l.position LIMIT $2",
    )
    .bind::<BigInt, _>(position)
    .bind::<BigInt, _>(BLOCK)
    .load(conn.connection())
    .await?)
}

#[derive(QueryableByName)]
struct EventId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// An event without a link.
async fn not_chained(conn: &mut Conn) -> Result<Option<i64>, DbError> {
    let row: Option<EventId> = statement(
        "SELECT id FROM event e WHERE NOT EXISTS (SELECT FROM event_link l WHERE l.event_id = e.id) ORDER BY id LIMIT 1",
    )
    .get_result(conn.connection())
    .await
    .optional()?;
    Ok(row.map(|row| row.id))
}
