//! Two versions' records side by side: which came, which went, and which figures of which records are others now.
//!
//! Records are known by their table's keys, so that the order of the rows makes no difference.
//! All of it happens in the database; what is read is a page, or a cursor's next rows.

use std::fmt::Write as _;

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use spec::{Item, ItemKind, ReturnSpec, TableSpec};
use uuid::Uuid;

use super::ddl;
use crate::{Conn, DbError, Tx};

/// A table as one version filled it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub spec: &'a ReturnSpec,
    pub table: &'a TableSpec,
    pub submission_id: Uuid,
}

/// The same table of two versions, which may be of different versions of the return.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    pub old: Side<'a>,
    pub new: Side<'a>,
}

impl<'a> Pair<'a> {
    /// What is compared: the items that both have, as the newer version of the return says them and in its order.
    pub fn items(&self) -> Vec<&'a Item> {
        let both = |item: &&Item| self.old.table.item(&item.name).is_some();
        self.new.table.items.iter().filter(both).collect()
    }

    /// The items by which a record is known again; none: a record is known by all of its values, and can only come and go.
    pub fn keys(&self) -> &'a [String] {
        let keys = &self.new.table.keys;
        let both =
            |key: &String| self.new.table.item(key).is_some() && self.old.table.item(key).is_some();
        if keys.iter().all(both) { keys } else { &[] }
    }
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Changed,
    Added,
    Gone,
}

impl Change {
    pub const ALL: [Change; 3] = [Change::Changed, Change::Added, Change::Gone];

    pub fn as_str(self) -> &'static str {
        match self {
            Change::Changed => "changed",
            Change::Added => "added",
            Change::Gone => "gone",
        }
    }
}

/// A record that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRecord {
    pub change: Change,
    /// 1-based sheet rows.
    pub old_row: Option<u32>,
    pub new_row: Option<u32>,
    /// One for each item of [`Pair::items`].
    pub figures: Vec<Figure>,
}

impl ChangedRecord {
    /// The value by which it is known.
    pub fn value(&self, idx: usize) -> Option<&str> {
        let figure = self.figures.get(idx)?;
        figure.new.as_deref().or(figure.old.as_deref())
    }
}

/// An item of a record in both versions, in Postgres text form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub old: Option<String>,
    pub new: Option<String>,
    pub differs: bool,
    /// New less old, where both are numbers.
    pub by: Option<String>,
    /// The same as a percentage of the old one, with one decimal place; `None` where that is nought.
    pub percent: Option<String>,
}

/// How many records and figures of a table are others now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    pub changed: u64,
    pub added: u64,
    pub gone: u64,
    /// In the records that changed.
    pub figures: u64,
}

impl ChangeCounts {
    pub fn records(&self) -> u64 {
        self.changed + self.added + self.gone
    }
}

/// Which of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    pub only: Option<Change>,
    /// In one of the record's values, without case.
    pub text: Option<&'a str>,
    /// Or with one of these as its first key: the lines of a form whose names have the text.
    pub or_first_key: &'a [String],
    pub skipped: u64,
    pub limit: u32,
}

/// A page of changed records, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Whatever was asked for.
    pub counts: ChangeCounts,
    /// That were asked for.
    pub n_found: u64,
    /// By their rows, those that are gone among the others.
    pub records: Vec<ChangedRecord>,
}

#[derive(QueryableByName)]
struct PageRow {
    #[diesel(sql_type = BigInt)]
    n_changed: i64,
    #[diesel(sql_type = BigInt)]
    n_added: i64,
    #[diesel(sql_type = BigInt)]
    n_gone: i64,
    #[diesel(sql_type = BigInt)]
    n_figures: i64,
    #[diesel(sql_type = BigInt)]
    n_found: i64,
    #[diesel(embed)]
    record: RecordRow,
}

#[derive(QueryableByName)]
struct RecordRow {
    #[diesel(sql_type = Nullable<Integer>)]
    old_row: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    new_row: Option<i32>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    old_values: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    new_values: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Bool>>)]
    differ: Option<Vec<bool>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    differ_by: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    percents: Option<Vec<Option<String>>>,
}

impl RecordRow {
    /// `None`: there is no record on this page.
    fn record(self) -> Option<ChangedRecord> {
        let change = match (self.old_row, self.new_row) {
            (Some(_), Some(_)) => Change::Changed,
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Gone,
            (None, None) => return None,
        };
        let mut old = self.old_values.unwrap_or_default().into_iter();
        let mut new = self.new_values.unwrap_or_default().into_iter();
        let mut by = self.differ_by.unwrap_or_default().into_iter();
        let mut percents = self.percents.unwrap_or_default().into_iter();
        let figures = self.differ.unwrap_or_default().into_iter();
        Some(ChangedRecord {
            change,
            old_row: self.old_row.map(i32::unsigned_abs),
            new_row: self.new_row.map(i32::unsigned_abs),
            figures: figures
                .map(|differs| Figure {
                    differs,
                    old: old.next().flatten(),
                    new: new.next().flatten(),
                    by: by.next().flatten(),
                    percent: percents.next().flatten(),
                })
                .collect(),
        })
    }
}

/// Compares, and reads a page of what is different.
pub async fn changes(
    conn: &mut Conn,
    pair: &Pair<'_>,
    asked: &Asked<'_>,
) -> Result<Changes, DbError> {
    let statement = Statement::of(pair)?;
    let text = asked.text.map(|text| text.replace('\0', "\u{fffd}"));
    let rows: Vec<PageRow> = sql_query(statement.page())
        .bind::<Nullable<Text>, _>(asked.only.map(Change::as_str))
        .bind::<Nullable<Text>, _>(text)
        .bind::<Array<Text>, _>(asked.or_first_key)
        .bind::<BigInt, _>(i64::try_from(asked.skipped).unwrap_or(i64::MAX))
        .bind::<BigInt, _>(i64::from(asked.limit))
        .load(conn.connection())
        .await?;
    let first = rows.as_slice().first().map(|row| Changes {
        counts: ChangeCounts {
            changed: row.n_changed.unsigned_abs(),
            added: row.n_added.unsigned_abs(),
            gone: row.n_gone.unsigned_abs(),
            figures: row.n_figures.unsigned_abs(),
        },
        n_found: row.n_found.unsigned_abs(),
        records: Vec::new(),
    });
    let first = first.ok_or_else(|| DbError::stored("a comparison without counts"))?;
    Ok(Changes {
        records: rows
            .into_iter()
            .filter_map(|row| row.record.record())
            .collect(),
        ..first
    })
}

/// All that is different, read as it is asked for; a transaction has one at a time.
pub struct ChangedRecords {
    _private: (),
}

impl ChangedRecords {
    pub async fn open(tx: &mut Tx, pair: &Pair<'_>) -> Result<Self, DbError> {
        let all = Statement::of(pair)?.all();
        sql_query(format!(
            "DECLARE changed_records NO SCROLL CURSOR FOR {all}"
        ))
        .execute(tx.connection())
        .await?;
        Ok(Self { _private: () })
    }

    /// Makes room for another one in the same transaction.
    pub async fn close(self, tx: &mut Tx) -> Result<(), DbError> {
        sql_query("CLOSE changed_records")
            .execute(tx.connection())
            .await?;
        Ok(())
    }

    /// The next ones, at most `limit`; none at the end.
    pub async fn fetch(&mut self, tx: &mut Tx, limit: u32) -> Result<Vec<ChangedRecord>, DbError> {
        let rows: Vec<RecordRow> = sql_query(format!("FETCH {limit} FROM changed_records"))
            .load(tx.connection())
            .await?;
        Ok(rows.into_iter().filter_map(RecordRow::record).collect())
    }
}

/// What the statements are put together from.
struct Statement {
    /// `changed`: the rows, old and new, of each record that is not the same, and how many of its figures differ.
    /// Nothing else, so that it is small however wide the records are.
    changed: String,
    /// The records again, `o` and `n`, for rows of `changed`.
    join: String,
    /// The columns of a [`RecordRow`] for `c`, `o` and `n`.
    columns: String,
    /// Every value of a record, as one text.
    text: String,
    first_key: String,
}

impl Statement {
    fn of(pair: &Pair<'_>) -> Result<Self, DbError> {
        let compared = compared(pair)?;
        let keys = pair.keys();
        let is_key = |item: &Compared| keys.is_empty() || keys.contains(&item.name);
        let joined_on: Vec<&Compared> = compared.iter().filter(|item| is_key(item)).collect();
        if joined_on.is_empty() {
            return Err(DbError::Table {
                what: format!("{} {}", pair.new.spec.id, pair.new.table.name),
                why: "its versions have no item in common".to_owned(),
            });
        }
        let (old, new) = (Source::of(&pair.old)?, Source::of(&pair.new)?);
        let old_side = old.known(joined_on.iter().map(|item| item.old.as_str()));
        let new_side = new.known(joined_on.iter().map(|item| item.new.as_str()));
        let on: Vec<String> = (0..joined_on.len())
            .map(|idx| format!("o.k{idx} = n.k{idx}"))
            .collect();
        let mut n_differ = "0".to_owned();
        for item in compared.iter().filter(|item| !is_key(item)) {
            let _ = write!(n_differ, " + ({})::int", item.differs());
        }
        let changed = format!(
            "SELECT o.row_number AS old_row, n.row_number AS new_row,
                CASE WHEN o.row_number IS NULL OR n.row_number IS NULL THEN 0 ELSE {n_differ} END AS n_figures
             FROM {old_side} o FULL JOIN {new_side} n ON {} AND o.nth = n.nth",
            on.join(" AND ")
        );
        let changed = format!(
            "SELECT old_row, new_row, n_figures,
                CASE WHEN old_row IS NULL THEN 'added' WHEN new_row IS NULL THEN 'gone' ELSE 'changed' END AS change
             FROM ({changed}) compared WHERE old_row IS NULL OR new_row IS NULL OR n_figures > 0"
        );
        let list = |of: &dyn Fn(&Compared) -> String| {
            let all: Vec<String> = compared.iter().map(of).collect();
            all.join(", ")
        };
        let old_values = list(&|item| format!("o.\"{}\"::text", item.old));
        let new_values = list(&|item| format!("n.\"{}\"::text", item.new));
        let first = joined_on[0];
        Ok(Self {
            changed,
            join: format!(
                "LEFT JOIN {} o ON o.submission_id = {} AND o.row_number = c.old_row
                 LEFT JOIN {} n ON n.submission_id = {} AND n.row_number = c.new_row",
                old.relation, old.submission, new.relation, new.submission
            ),
            columns: format!(
                "c.old_row, c.new_row, ARRAY[{old_values}]::text[] AS old_values, ARRAY[{new_values}]::text[] AS new_values,
                 ARRAY[{}]::boolean[] AS differ, ARRAY[{}]::text[] AS differ_by, ARRAY[{}]::text[] AS percents",
                list(&Compared::differs),
                list(&Compared::by),
                list(&Compared::percent),
            ),
            text: format!("array_to_string(ARRAY[{old_values}, {new_values}]::text[], ' ')"),
            first_key: format!("coalesce(n.\"{}\"::text, o.\"{}\"::text)", first.new, first.old),
        })
    }

    /// `$1`: which kind; `$2`: what text, or `$3`: which first keys; `$4` of them are skipped and `$5` are read.
    /// There is one row also where there is no record.
    fn page(&self) -> String {
        let Self {
            changed,
            join,
            columns,
            text,
            first_key,
        } = self;
        format!(
            "WITH changed AS MATERIALIZED ({changed}),
             found AS MATERIALIZED (
                SELECT c.* FROM changed c {join}
                WHERE ($1::text IS NULL OR c.change = $1)
                  AND ($2::text IS NULL OR strpos(lower({text}), lower($2)) > 0 OR {first_key} = ANY ($3))
             ),
             page AS (
                SELECT * FROM found ORDER BY coalesce(new_row, old_row), new_row NULLS FIRST OFFSET $4 LIMIT $5
             )
             SELECT counts.*, found.n_found, records.*
             FROM (SELECT count(*) FILTER (WHERE change = 'changed') AS n_changed,
                          count(*) FILTER (WHERE change = 'added') AS n_added,
                          count(*) FILTER (WHERE change = 'gone') AS n_gone,
                          coalesce(sum(n_figures), 0)::bigint AS n_figures FROM changed) counts
             CROSS JOIN (SELECT count(*) AS n_found FROM found) found
             LEFT JOIN (SELECT {columns} FROM page c {join}) records ON true
             ORDER BY coalesce(records.new_row, records.old_row), records.new_row NULLS FIRST"
        )
    }

    fn all(&self) -> String {
        let Self {
            changed,
            join,
            columns,
            ..
        } = self;
        format!(
            "SELECT {columns} FROM ({changed}) c {join} ORDER BY coalesce(c.new_row, c.old_row), c.new_row NULLS FIRST"
        )
    }
}

/// A version's records of a table.
struct Source {
    relation: String,
    /// As a literal.
    submission: String,
}

impl Source {
    fn of(side: &Side<'_>) -> Result<Self, DbError> {
        Ok(Self {
            relation: super::table_name(side.spec, side.table)?,
            submission: ddl::literal(&side.submission_id.to_string()),
        })
    }

    /// Its records with what each is known by: `k0`, `k1` …, and, where those are there twice, which of them it is.
    fn known<'a>(&self, by: impl Iterator<Item = &'a str>) -> String {
        // By their bytes: any order will do, and this one is the quickest.
        let by: Vec<String> = by
            .map(|column| format!("coalesce(\"{column}\"::text, '') COLLATE \"C\""))
            .collect();
        let mut known = String::new();
        for (idx, key) in by.iter().enumerate() {
            let _ = write!(known, ", {key} AS k{idx}");
        }
        format!(
            "(SELECT *{known}, row_number() OVER (PARTITION BY {} ORDER BY row_number) AS nth
              FROM {} WHERE submission_id = {})",
            by.join(", "),
            self.relation,
            self.submission
        )
    }
}

/// An item's columns on both sides, `o` and `n`.
struct Compared {
    name: String,
    old: String,
    new: String,
    is_number: bool,
    is_of_one_kind: bool,
}

impl Compared {
    fn differs(&self) -> String {
        let Self { old, new, .. } = self;
        if self.is_of_one_kind || self.is_number {
            format!("o.\"{old}\" IS DISTINCT FROM n.\"{new}\"")
        } else {
            format!("o.\"{old}\"::text IS DISTINCT FROM n.\"{new}\"::text")
        }
    }

    fn by(&self) -> String {
        let Self { old, new, .. } = self;
        if self.is_number {
            // A whole number less another may be too large for one.
            format!("(n.\"{new}\"::numeric - o.\"{old}\"::numeric)::text")
        } else {
            "NULL".to_owned()
        }
    }

    fn percent(&self) -> String {
        let Self { old, new, .. } = self;
        if self.is_number {
            format!(
                "round((n.\"{new}\"::numeric - o.\"{old}\"::numeric) * 100 / nullif(abs(o.\"{old}\"::numeric), 0), 1)::text"
            )
        } else {
            "NULL".to_owned()
        }
    }
}

fn compared(pair: &Pair<'_>) -> Result<Vec<Compared>, DbError> {
    let (old, new) = (ddl::columns(pair.old.table)?, ddl::columns(pair.new.table)?);
    let is_number = |kind: ItemKind| matches!(kind, ItemKind::Integer | ItemKind::Decimal { .. });
    let both = new.into_iter().filter_map(|new| {
        let old = old.iter().find(|old| old.item.name == new.item.name)?;
        Some(Compared {
            is_number: is_number(old.item.kind) && is_number(new.item.kind),
            is_of_one_kind: old.item.kind == new.item.kind,
            name: new.item.name.clone(),
            old: old.name.clone(),
            new: new.name,
        })
    });
    Ok(both.collect())
}
