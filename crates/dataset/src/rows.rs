//! The rows of a dataset, a batch at a time, each batch of one submission.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use db::records::{self, Counted, Newest, Places, Record, Records};
use db::{Conn, DbError, Tx};
use uuid::Uuid;

use crate::shape::Head;
use crate::write::From;
use crate::{BATCH, DatasetError, Manifest, Shape};

/// Fields copied at a time; with the texts of most returns some megabytes.
const FIELDS: usize = 200_000;

/// Rows copied at a time, at most.
pub(crate) const MOST_ROWS: usize = 10_000;

/// Where records accumulate, the first come when all of them are sorted.
const SORTED_WITHIN: Duration = Duration::from_mins(5);

/// Rows of one submission.
pub(crate) struct Batch {
    pub(crate) head: Arc<Head>,
    pub(crate) records: Records,
}

/// Reads the rows of a manifest.
pub(crate) struct Rows<'a> {
    from: From<'a>,
    manifest: &'a Manifest,
    shape: &'a Shape,
    place: Place,
    pub(crate) n_records: u64,
}

/// How far the rows are read.
enum Place {
    /// Each submission by itself: no connection is held in between.
    Of {
        submission_idx: usize,
        head: Option<Arc<Head>>,
        after_row: u32,
        limit: usize,
    },
    /// All together, where records accumulate.
    Newest(Box<Open>),
}

struct Open {
    tx: Tx,
    newest: Newest,
    heads: HashMap<Uuid, Arc<Head>>,
    /// Fetched, and not given yet.
    waiting: VecDeque<Vec<Record>>,
}

impl<'a> Rows<'a> {
    pub(crate) async fn open(
        from: From<'a>,
        manifest: &'a Manifest,
        shape: &'a Shape,
    ) -> Result<Self, DatasetError> {
        let place = if manifest.accumulates {
            Place::Newest(Box::new(open(from, manifest, shape).await?))
        } else {
            Place::Of {
                submission_idx: 0,
                head: None,
                after_row: 0,
                limit: (FIELDS / (shape.n_items() + 1)).clamp(1, MOST_ROWS),
            }
        };
        Ok(Self {
            from,
            manifest,
            shape,
            place,
            n_records: 0,
        })
    }

    /// The next rows, in order; `None`: that was all.
    pub(crate) async fn next(&mut self) -> Result<Option<Batch>, DatasetError> {
        let batch = match &mut self.place {
            Place::Of {
                submission_idx,
                head,
                after_row,
                limit,
            } => loop {
                let Some(counted) = self.manifest.submissions.get(*submission_idx) else {
                    break None;
                };
                let of = OfOne {
                    from: self.from,
                    return_id: &self.manifest.return_id,
                    shape: self.shape,
                    counted,
                };
                let batch = of.page(head, *after_row, *limit).await?;
                // A short one was the last of its submission.
                match &batch {
                    Some(batch) if batch.records.len() == *limit => {
                        *after_row = batch.records.last_row().unwrap_or(0);
                    }
                    _ => {
                        *submission_idx += 1;
                        *after_row = 0;
                        *head = None;
                    }
                }
                if batch.is_some() {
                    break batch;
                }
            },
            Place::Newest(open) => open.next(self.manifest, self.shape).await?,
        };
        self.n_records += batch.as_ref().map_or(0, |batch| batch.records.len() as u64);
        Ok(batch)
    }
}

/// One submission's rows.
struct OfOne<'a> {
    from: From<'a>,
    return_id: &'a str,
    shape: &'a Shape,
    counted: &'a Counted,
}

impl OfOne<'_> {
    /// `None`: there are no more.
    async fn page(
        &self,
        known: &mut Option<Arc<Head>>,
        after_row: u32,
        limit: usize,
    ) -> Result<Option<Batch>, DatasetError> {
        let version = &self.counted.return_version;
        let source = self
            .shape
            .source(self.from.versions, self.return_id, version);
        let Some(source) = source.filter(|_| !self.counted.is_nil) else {
            return Ok(None);
        };
        let id = self.counted.submission_id;
        let From { db, sees, .. } = self.from;
        let head = match known {
            Some(head) => Arc::clone(head),
            None => {
                let mut conn = db.read(sees).await?;
                let places = places(&mut conn, self.shape, self.counted).await?;
                let head = Arc::new(Head::of(self.counted, places, self.shape));
                *known = Some(Arc::clone(&head));
                head
            }
        };
        let source = source.as_source();
        let records = records::copied(db, sees, &source, id, after_row, limit).await?;
        Ok((!records.is_empty()).then_some(Batch { head, records }))
    }
}

async fn places(conn: &mut Conn, shape: &Shape, counted: &Counted) -> Result<Places, DatasetError> {
    match shape.table_in(&counted.return_version) {
        Some(table) if shape.needs_places() => {
            Ok(records::places(conn, counted.submission_id, table).await?)
        }
        _ => Ok(Places::default()),
    }
}

async fn open(from: From<'_>, manifest: &Manifest, shape: &Shape) -> Result<Open, DatasetError> {
    let tx = from.db.begin_long_snapshot(from.sees, SORTED_WITHIN);
    let mut tx = tx.await?;
    let mut owned = Vec::new();
    for (version, _) in &manifest.versions {
        owned.extend(shape.source(from.versions, &manifest.return_id, version));
    }
    let mut sources = Vec::new();
    for source in &owned {
        sources.push(source.as_source());
    }
    let newest = Newest::open(&mut tx, &sources, &manifest.ids()).await?;
    Ok(Open {
        tx,
        newest,
        heads: HashMap::new(),
        waiting: VecDeque::new(),
    })
}

impl Open {
    async fn next(
        &mut self,
        manifest: &Manifest,
        shape: &Shape,
    ) -> Result<Option<Batch>, DatasetError> {
        if self.waiting.is_empty() {
            let records = self.newest.fetch(&mut self.tx, BATCH).await?;
            self.waiting.extend(in_runs(records));
        }
        let Some(records) = self.waiting.pop_front() else {
            return Ok(None);
        };
        let id = records.first().map(|record| record.submission_id);
        let head = match id.and_then(|id| self.heads.get(&id)) {
            Some(head) => Arc::clone(head),
            None => {
                let mut submissions = manifest.submissions.iter();
                let counted = submissions
                    .find(|counted| Some(counted.submission_id) == id)
                    .ok_or_else(|| DbError::Stored(format!("{id:?} is not in the manifest")))?;
                let places = places(&mut self.tx, shape, counted).await?;
                let head = Arc::new(Head::of(counted, places, shape));
                self.heads.insert(counted.submission_id, Arc::clone(&head));
                head
            }
        };
        let records = Records::of(&records);
        Ok(Some(Batch { head, records }))
    }
}

/// Records that follow each other and are of one submission, together.
fn in_runs(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut runs: Vec<Vec<Record>> = Vec::new();
    for record in records {
        let is_of = |run: &Vec<Record>| {
            run.last()
                .is_some_and(|last| last.submission_id == record.submission_id)
        };
        match runs.last_mut() {
            Some(run) if is_of(run) => run.push(record),
            _ => runs.push(vec![record]),
        }
    }
    runs
}
