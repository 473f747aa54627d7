//! A first look at a return's figures, for whoever may have them.

use dataset::look::{self, Look, What};
use dataset::{Asked, DatasetError, Lineage, Shape, WhichRounds, WhoseRecords, read_long_manifest};
use db::Db;
use spec::{Period, ReturnSpec};

use crate::{Figures, WantedError};

/// Periods that are looked at.
const PERIODS: u32 = 12;

/// What somebody wants to look at.
#[derive(Debug, Clone)]
pub struct WantedLook<'a> {
    /// All published versions.
    pub versions: &'a [ReturnSpec],
    /// The one that serves the period: its words are used.
    pub spec: &'a ReturnSpec,
    pub table: &'a str,
    pub period: &'a Period,
    pub what: &'a What,
}

/// What the figures that somebody may have come to now, in a period and those before it.
/// `None`: the period has too many records to look at.
pub async fn look(
    db: &Db,
    figures: &Figures,
    wanted: &WantedLook<'_>,
) -> Result<Option<Look>, WantedError> {
    let mut tx = db.begin_snapshot(&figures.0).await?;
    let periods = look::last_periods(&mut tx, wanted.spec, wanted.period, PERIODS).await?;
    let first = periods.first().map_or_else(
        || wanted.period.clone(),
        |first| Period {
            label: first.label.clone(),
            start: first.start,
            end: first.end,
            ..wanted.period.clone()
        },
    );
    let rounds = WhichRounds {
        from: &first,
        to: wanted.period,
    };
    let whose = WhoseRecords {
        sees: &figures.0,
        organisations: &[],
        only_accepted: false,
    };
    let manifest = read_long_manifest(&mut tx, wanted.versions, wanted.spec, rounds, whose).await?;
    let asked = Asked {
        items: wanted.what.items(),
        lineage: Lineage::None,
        labels: true,
    };
    let shape = Shape::of(
        wanted.versions,
        wanted.spec,
        wanted.table,
        &manifest,
        &asked,
    )
    .map_err(DatasetError::from)?;
    let (periods, n_left_out) =
        look::periods_to_look_at(&mut tx, &manifest, wanted.table, periods).await?;
    if periods.is_empty() {
        tx.rollback().await?;
        return Ok(None);
    }
    let look = look::look(
        &mut tx,
        (wanted.versions, wanted.spec),
        (&manifest, &shape),
        (periods, n_left_out),
        wanted.what,
    )
    .await?;
    tx.commit().await?;
    Ok(Some(look))
}
