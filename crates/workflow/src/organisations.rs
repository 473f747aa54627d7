//! Which organisations there are, by every code and name they go by, and where each of these is from.

use access::{Action, Object};
use db::organisations::{self, Fact, Named};
use db::{Db, DbError, returns};
use serde_json::json;
use spec::{OrganisationSources, Organisations};

use crate::actor::{Deed, allowed, record, sees};
use crate::{Actor, Denied};

/// An organisation, and what is known of it in an order for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub organisation: Named,
    pub facts: Vec<Fact>,
}

/// Stores organisations and what is known of them, as the tables' owner; harmless when repeated.
pub async fn publish_organisations(
    db: &Db,
    actor: &Actor,
    all: &Organisations,
    sources: &OrganisationSources,
) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    returns::lock_publishing(&mut tx).await?;
    for organisation in &all.0 {
        organisations::put(&mut tx, organisation).await?;
    }
    let mut known = known(all, sources);
    let mut before = organisations::facts(&mut tx, None).await?;
    let order = |fact: &Fact| {
        (
            fact.organisation.clone(),
            fact.about.clone(),
            fact.value.clone(),
        )
    };
    known.sort_by_key(order);
    before.sort_by_key(order);
    if known != before {
        organisations::put_facts(&mut tx, &known).await?;
        let deed = Deed {
            verb: "publish_organisations",
            organisation: None,
            obligation_id: None,
            submission_id: None,
            details: json!({"organisations": all.0.len(), "facts": known.len()}),
        };
        record(&mut tx, actor, deed).await?;
    }
    tx.commit().await
}

fn known(all: &Organisations, sources: &OrganisationSources) -> Vec<Fact> {
    let mut known = Vec::new();
    for organisation in &all.0 {
        for (column, value) in organisation.facts() {
            let source = sources.of(organisation, column);
            known.push(Fact {
                organisation: organisation.code.clone(),
                about: match column {
                    "superseded_codes" => "superseded_code",
                    "aliases" => "alias",
                    other => other,
                }
                .to_owned(),
                value,
                source: source.map(|source| source.source.clone()),
                url: source.and_then(|source| source.url.clone()),
                confidence: source.map(|source| source.confidence.as_str().to_owned()),
            });
        }
    }
    known
}

/// All organisations by name, or one, with what is known of each.
pub async fn listed_organisations(
    db: &Db,
    actor: &Actor,
    only: Option<&str>,
) -> Result<Vec<Listed>, Denied> {
    allowed(actor, Action::SeeOrganisations, &Object::default())?;
    let mut conn = db.read(&sees(actor)).await?;
    let all = organisations::list(&mut conn, only).await?;
    let mut facts = organisations::facts(&mut conn, only).await?;
    Ok(all
        .into_iter()
        .map(|organisation| {
            let (own, others) = facts
                .drain(..)
                .partition(|fact| fact.organisation == organisation.code);
            facts = others;
            Listed {
                organisation,
                facts: own,
            }
        })
        .collect())
}
