//! Publishing return versions and opening rounds of them.

use chrono::NaiveDate;
use db::reference_values::{self, StoredValues};
use db::{Db, DbError, cycles, organisations, records, returns};
use serde_json::json;
use spec::{Organisations, Period, ReturnSpec, SetOfPeriod};

use crate::Actor;
use crate::actor::{Deed, record, sees};

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(
        "{return_id} {version} was published with other content, and a published version never changes: put it back as it was, and the change into the folder of a new version (`lgdp reassess` tries the change on what was sent)"
    )]
    Changed { return_id: String, version: String },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Stores organisations and return versions and makes their record tables; harmless when repeated.
/// A published version with other content is refused, and then nothing is stored.
pub async fn publish_returns(
    db: &Db,
    actor: &Actor,
    specs: &[ReturnSpec],
    organisations: &Organisations,
) -> Result<(), PublishError> {
    let mut tx = db.begin(&sees(actor)).await?;
    returns::lock_publishing(&mut tx).await?;
    for organisation in &organisations.0 {
        organisations::put(&mut tx, organisation).await?;
    }
    for spec in specs {
        match returns::published_hash(&mut tx, &spec.id, &spec.version).await? {
            Some(hash) if hash == spec.hash => {}
            Some(_) => {
                return Err(PublishError::Changed {
                    return_id: spec.id.clone(),
                    version: spec.version.clone(),
                });
            }
            None => {
                returns::publish(&mut tx, spec).await?;
                let deed = Deed {
                    verb: "publish",
                    organisation: None,
                    obligation_id: None,
                    submission_id: None,
                    details: json!({"return": spec.id, "version": spec.version, "spec_hash": spec.hash}),
                };
                record(&mut tx, actor, deed).await?;
            }
        }
        records::ensure_tables(&mut tx, spec).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Stores central figures; those of a set and period that are the newest already are left as they are.
/// What was assessed with older ones stays as it is.
pub async fn publish_reference_values(
    db: &Db,
    actor: &Actor,
    sets: &[SetOfPeriod],
) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    returns::lock_publishing(&mut tx).await?;
    for set in sets {
        let sha256 = &set.values.sha256;
        let newest = reference_values::newest(&mut tx, &set.set, &set.period, None).await?;
        if newest.is_some_and(|newest| newest.sha256 == *sha256) {
            continue;
        }
        let values = StoredValues {
            sha256: sha256.clone(),
            csv: set.csv.clone(),
        };
        reference_values::add(&mut tx, &set.set, &set.period, &values).await?;
        let deed = Deed {
            verb: "publish_reference_values",
            organisation: None,
            obligation_id: None,
            submission_id: None,
            details: json!({"set": set.set, "period": set.period, "sha256": sha256}),
        };
        record(&mut tx, actor, deed).await?;
    }
    tx.commit().await
}

#[derive(Debug, thiserror::Error)]
pub enum OpenCycleError {
    #[error("{return_id} {version} does not serve {period}")]
    NotServed {
        return_id: String,
        version: String,
        period: String,
    },
    #[error("{return_id} {version} is not published")]
    NotPublished { return_id: String, version: String },
    #[error("{return_id} is collected for {period} with version {version} already")]
    OtherVersion {
        return_id: String,
        period: String,
        version: String,
    },
    #[error("a round can't be due before it opens")]
    DueBeforeOpening,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Opens a round of a return, with an obligation for each respondent; harmless when repeated, but for the dates, which are moved.
pub async fn open_cycle(
    db: &Db,
    actor: &Actor,
    spec: &ReturnSpec,
    period: &Period,
    opens_on: NaiveDate,
    due_on: NaiveDate,
) -> Result<(), OpenCycleError> {
    if !spec.serves(period) {
        return Err(OpenCycleError::NotServed {
            return_id: spec.id.clone(),
            version: spec.version.clone(),
            period: period.label.clone(),
        });
    }
    if due_on < opens_on {
        return Err(OpenCycleError::DueBeforeOpening);
    }
    let mut tx = db.begin(&sees(actor)).await?;
    if returns::published_hash(&mut tx, &spec.id, &spec.version)
        .await?
        .is_none()
    {
        return Err(OpenCycleError::NotPublished {
            return_id: spec.id.clone(),
            version: spec.version.clone(),
        });
    }
    let cycle = cycles::NewCycle {
        return_id: &spec.id,
        version: &spec.version,
        period,
        opens_on,
        due_on,
    };
    let stored = cycles::put(&mut tx, &cycle).await?;
    if stored.version != spec.version {
        return Err(OpenCycleError::OtherVersion {
            return_id: spec.id.clone(),
            period: period.label.clone(),
            version: stored.version,
        });
    }
    let respondents = &spec.respondents;
    let n_new = cycles::oblige(&mut tx, stored.id, &respondents.types, &respondents.only).await?;
    let deed = Deed {
        verb: "open_cycle",
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details: json!({
            "return": spec.id, "version": spec.version, "period": period.label,
            "opens_on": opens_on, "due_on": due_on, "new_obligations": n_new,
        }),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(())
}
