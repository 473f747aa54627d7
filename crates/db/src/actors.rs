//! Who did something, as two columns: what it is, and which.

use access::ActorId;
use uuid::Uuid;

use crate::DbError;

/// `None`, `None` for nobody.
pub(crate) fn columns_of(id: ActorId) -> (Option<&'static str>, Option<Uuid>) {
    match id {
        ActorId::Person(id) => (Some("person"), Some(id)),
        ActorId::Client(id) => (Some("client"), Some(id)),
        ActorId::System => (Some("system"), None),
        ActorId::Nobody => (None, None),
    }
}

/// `None`: it was not kept.
pub(crate) fn id_of(kind: Option<&str>, id: Option<Uuid>) -> Result<Option<ActorId>, DbError> {
    match (kind, id) {
        (Some("person"), Some(id)) => Ok(Some(ActorId::Person(id))),
        (Some("client"), Some(id)) => Ok(Some(ActorId::Client(id))),
        (Some("system"), None) => Ok(Some(ActorId::System)),
        (None, None) => Ok(None),
        (kind, id) => Err(DbError::stored(format!("actor {kind:?} {id:?}"))),
    }
}
