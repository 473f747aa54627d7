//! Lists a page at a time, the newest first: as much as the actor may see of them.

use access::{Action, Reach};
use chrono::NaiveDate;
use db::cycles::{Round, paged as paged_cycles};
use db::submissions::paged as paged_submissions;
use db::{Db, DbError};
use uuid::Uuid;

use crate::actor::{may, sees};
use crate::owed::{Obligation, seen};
use crate::{Actor, Submission};

pub use db::submissions::paged::Filter;

/// How much of a list, and from where on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOf<C> {
    /// The last one of the page before.
    pub after: Option<C>,
    pub most: usize,
}

/// What is on a page, and whether there is more after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    pub items: Vec<T>,
    pub is_more: bool,
}

/// What was sent.
pub async fn submissions_page(
    db: &Db,
    actor: &Actor,
    filter: &Filter,
    mut page: PageOf<Uuid>,
) -> Result<Paged<Submission>, DbError> {
    let filter = narrowed(actor, filter);
    let mut conn = db.read(&sees(actor)).await?;
    let mut items = Vec::new();
    // Not all that the database shows is for this actor.
    while items.len() <= page.most {
        let found = paged_submissions::page(&mut conn, &filter, page.after, AT_ONCE).await?;
        let Some(last) = found.last() else { break };
        page.after = Some(last.id);
        let visible = |one: &Submission| may(actor, Action::SeeSubmission, one);
        items.extend(found.into_iter().filter(visible));
    }
    Ok(cut(items, page.most))
}

/// What is owed, and where it stands.
pub async fn obligations_page(
    db: &Db,
    actor: &Actor,
    filter: &Filter,
    mut page: PageOf<i64>,
    today: NaiveDate,
) -> Result<Paged<Obligation>, DbError> {
    let filter = narrowed(actor, filter);
    let mut conn = db.read(&sees(actor)).await?;
    let mut items = Vec::new();
    while items.len() <= page.most {
        let found =
            paged_cycles::obligations(&mut conn, &filter, page.after, AT_ONCE, today).await?;
        let Some(last) = found.last() else { break };
        page.after = Some(last.id);
        items.extend(found.into_iter().filter_map(|owed| seen(actor, owed)));
    }
    Ok(cut(items, page.most))
}

/// What is collected and when, with each round's number.
pub async fn rounds_page(
    db: &Db,
    actor: &Actor,
    return_id: Option<&str>,
    page: PageOf<i64>,
) -> Result<Paged<(i64, Round)>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let most = i64::try_from(page.most).unwrap_or(i64::MAX - 1);
    let items = paged_cycles::rounds(&mut conn, return_id, page.after, most + 1).await?;
    Ok(cut(items, page.most))
}

/// Read at once.
const AT_ONCE: i64 = 200;

fn cut<T>(mut items: Vec<T>, most: usize) -> Paged<T> {
    let is_more = items.len() > most;
    items.truncate(most);
    Paged { items, is_more }
}

/// For whoever works for returns alone, no others are looked through.
fn narrowed(actor: &Actor, filter: &Filter) -> Filter {
    let own: Option<Vec<String>> = actor
        .grants
        .iter()
        .map(|grant| match &grant.reach {
            Reach::Return(id) => Some(id.clone()),
            Reach::Organisation(_) | Reach::Everything => None,
        })
        .collect();
    let Some(own) = own else {
        return filter.clone();
    };
    let returns = match &filter.returns {
        Some(asked) => own.into_iter().filter(|id| asked.contains(id)).collect(),
        None => own,
    };
    Filter {
        returns: Some(returns),
        ..filter.clone()
    }
}
