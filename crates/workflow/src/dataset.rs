//! Consolidated datasets: whose figures somebody may have, and what a dataset of them is made of.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use access::{Action, Object};
use dataset::{
    Asked, DatasetError, Format, From, Manifest, Shape, WhichRounds, WhoseRecords, read_manifest,
};
use db::{Conn, Db, DbError, Sees, organisations};
use spec::{Period, ReturnSpec};
use tokio::io::AsyncWrite;

use crate::actor::allowed;
use crate::{Actor, Denied};

/// Whose figures of a return somebody may have: their own organisations', or everybody's.
#[derive(Clone)]
pub struct Figures(pub(crate) Sees);

impl Figures {
    /// Whether they are everybody's.
    pub fn are_everybodys(&self) -> bool {
        matches!(self.0, Sees::Everyone)
    }
}

/// Decides whose figures of a return an actor may have.
pub fn figures(actor: &Actor, return_id: &str) -> Result<Figures, Denied> {
    let may = |action, organisation| {
        let object = Object {
            organisation,
            return_id: Some(return_id),
            ..Object::default()
        };
        allowed(actor, action, &object)
    };
    let own: Vec<String> = actor
        .organisations()
        .into_iter()
        .filter(|code| may(Action::DownloadOwnFigures, Some(code)).is_ok())
        .map(str::to_owned)
        .collect();
    match may(Action::DownloadDataset, None) {
        Ok(_) => Ok(Figures(Sees::Everyone)),
        Err(_) if !own.is_empty() => Ok(Figures(Sees::Organisations(own))),
        Err(denied) => Err(denied),
    }
}

/// What somebody wants of a return's figures.
#[derive(Debug, Clone)]
pub struct WantedDataset<'a> {
    /// All published versions.
    pub versions: &'a [ReturnSpec],
    /// The one that serves the last period: its words are used.
    pub spec: &'a ReturnSpec,
    pub table: &'a str,
    /// The first period; the same as the last where only one is wanted.
    pub from: &'a Period,
    pub to: &'a Period,
    /// By GSS code; none: of all that may be had.
    pub organisations: &'a [String],
    pub only_accepted: bool,
    pub columns: &'a Asked,
}

/// Why a dataset can't be had.
#[derive(Debug, thiserror::Error)]
pub enum WantedError {
    #[error("the first period is after the last")]
    Backwards,
    #[error("there is no organisation {0}")]
    UnknownOrganisation(String),
    #[error("the figures of {0} are not theirs to have")]
    NotTheirs(String),
    #[error("the dataset has {n_records} rows, and a sheet has room for {n_most}")]
    TooManyRows { n_records: u64, n_most: u64 },
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

impl std::convert::From<DbError> for WantedError {
    fn from(error: DbError) -> Self {
        Self::Dataset(error.into())
    }
}

/// A dataset that is ready to be written: what it is made of does not change any more, whatever is accepted meanwhile.
pub struct Dataset {
    figures: Figures,
    pub manifest: Manifest,
    pub shape: Arc<Shape>,
}

/// What a dataset is made of now.
pub async fn dataset(
    db: &Db,
    figures: &Figures,
    wanted: &WantedDataset<'_>,
) -> Result<Dataset, WantedError> {
    if wanted.from.end > wanted.to.end {
        return Err(WantedError::Backwards);
    }
    let rounds = WhichRounds {
        from: wanted.from,
        to: wanted.to,
    };
    let whose = WhoseRecords {
        sees: &figures.0,
        organisations: wanted.organisations,
        only_accepted: wanted.only_accepted,
    };
    let mut tx = db.begin_snapshot(&figures.0).await?;
    check_organisations(&mut tx, figures, wanted.organisations).await?;
    let manifest = read_manifest(&mut tx, wanted.versions, wanted.spec, rounds, whose).await?;
    tx.commit().await?;
    let shape = Shape::of(
        wanted.versions,
        wanted.spec,
        wanted.table,
        &manifest,
        wanted.columns,
    )
    .map_err(DatasetError::from)?;
    Ok(Dataset {
        figures: figures.clone(),
        manifest,
        shape: Arc::new(shape),
    })
}

/// Refuses an organisation that would only be passed over.
async fn check_organisations(
    conn: &mut Conn,
    Figures(sees): &Figures,
    codes: &[String],
) -> Result<(), WantedError> {
    for code in codes {
        if organisations::list(conn, Some(code)).await?.is_empty() {
            return Err(WantedError::UnknownOrganisation(code.clone()));
        }
        if matches!(sees, Sees::Organisations(own) if !own.contains(code)) {
            return Err(WantedError::NotTheirs(code.clone()));
        }
    }
    Ok(())
}

/// Refuses what a format has no room for, before anything is written.
pub async fn check_room(
    db: &Db,
    figures: &Figures,
    dataset: &Dataset,
    format: Format,
) -> Result<(), WantedError> {
    if format != Format::Xlsx || dataset.manifest.accumulates {
        return Ok(());
    }
    let mut conn = db.read(&figures.0).await?;
    let n_records =
        dataset::n_most_records(&mut conn, &dataset.manifest, &dataset.shape.table).await?;
    let n_most = u64::from(report::table::MOST_ROWS);
    if n_records > n_most {
        return Err(WantedError::TooManyRows { n_records, n_most });
    }
    Ok(())
}

impl Dataset {
    /// It is the same where the bytes are.
    pub fn tag(&self, format: Format) -> Result<String, DatasetError> {
        dataset::tag(&self.manifest, &self.shape, format)
    }

    fn from<'a>(&'a self, db: &'a Db, versions: &'a [ReturnSpec]) -> From<'a> {
        From {
            db,
            sees: &self.figures.0,
            versions,
        }
    }
}

/// Writes a dataset in a text format as its rows are read. Gives the number of records.
pub async fn write_dataset<W: AsyncWrite + Unpin + Send>(
    db: &Db,
    _by: &Figures,
    versions: &[ReturnSpec],
    dataset: &Dataset,
    format: Format,
    mut out: W,
) -> Result<u64, DatasetError> {
    let from = dataset.from(db, versions);
    dataset::write_text(from, &dataset.manifest, &dataset.shape, format, &mut out).await
}

/// Writes a dataset in any format into a file, what waits into files in `temporary`. Gives the number of records.
pub async fn write_dataset_file(
    db: &Db,
    _by: &Figures,
    wanted: (&[ReturnSpec], &ReturnSpec),
    dataset: &Dataset,
    format: Format,
    (file, temporary): (File, &Path),
) -> Result<u64, DatasetError> {
    let (versions, spec) = wanted;
    let from = dataset.from(db, versions);
    let Dataset {
        manifest, shape, ..
    } = dataset;
    dataset::write_file(from, spec, manifest, shape, format, file, temporary).await
}
