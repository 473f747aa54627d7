//! The statement that compares: two selects of records, joined by what a record is known by.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use spec::disclosure::MARK;
use spec::{Accumulation, ItemKind};
use uuid::Uuid;

use super::super::{ddl, table_name};
use super::{Compared, Comparison, Side};
use crate::DbError;

/// What the statements are put together from.
pub(super) struct Statement {
    /// `changed`: the rows, old and new, of each record that is not the same, and how many of its figures differ.
    /// Nothing else, so that it is small however wide the records are.
    changed: String,
    /// The records again, `o` and `n`, for rows of `changed`.
    join: String,
    /// The columns of a record row for `c`, `o` and `n`.
    columns: String,
    /// Every value of a record, as one text.
    text: String,
    first_key: String,
}

impl Statement {
    pub(super) fn of(comparison: &Comparison<'_>) -> Result<Self, DbError> {
        let columns = columns(comparison)?;
        let has_keys = columns.iter().any(|column| column.is_key);
        let known_by: Vec<&Column> = columns
            .iter()
            .filter(|column| column.is_key || !has_keys)
            .collect();
        let Some(first) = known_by.first() else {
            let what = comparison.versions.first();
            return Err(DbError::Table {
                what: what.map_or_else(String::new, |version| {
                    format!("{} {}", version.spec.id, version.table.name)
                }),
                why: "its versions have no item in common".to_owned(),
            });
        };
        let records = Records {
            comparison,
            columns: &columns,
            keys: keys(comparison, &known_by, has_keys),
        };
        let (old_side, new_side) = (records.side(&comparison.old), records.side(&comparison.new));
        let on: Vec<String> = (0..records.keys.len())
            .map(|idx| format!("o.k{idx} = n.k{idx}"))
            .collect();
        let mut n_differ = "0".to_owned();
        for column in columns.iter().filter(|column| has_keys && !column.is_key) {
            let _ = write!(n_differ, " + ({})::int", column.differs());
        }
        // One row of one submission, which counts in both, is the same in both, but for what one of them leaves out.
        let is_told = !columns.iter().any(|column| column.may_be_left_out);
        let is_same = if is_told {
            "o.submission_id = n.submission_id"
        } else {
            "false"
        };
        let changed = format!(
            "{}SELECT o.submission_id AS old_id, o.row_number AS old_row, o.place AS old_place,
                n.submission_id AS new_id, n.row_number AS new_row, n.place AS new_place,
                CASE WHEN o.submission_id IS NULL OR n.submission_id IS NULL OR {is_same} THEN 0
                     ELSE {n_differ} END AS n_figures
             FROM {} o FULL JOIN {} n ON {} AND o.nth = n.nth",
            records.touched()?,
            old_side?,
            new_side?,
            on.join(" AND ")
        );
        let changed = format!(
            "SELECT compared.*,
                CASE WHEN old_id IS NULL THEN 'added' WHEN new_id IS NULL THEN 'gone' ELSE 'changed' END AS change
             FROM ({changed}) compared WHERE old_id IS NULL OR new_id IS NULL OR n_figures > 0"
        );
        let list = |of: &dyn Fn(&Column) -> String| {
            let all: Vec<String> = columns.iter().map(of).collect();
            all.join(", ")
        };
        let old_values = list(&|column| column.text("o"));
        let new_values = list(&|column| column.text("n"));
        Ok(Self {
            changed,
            join: format!(
                "LEFT JOIN ({}) o ON o.submission_id = c.old_id AND o.row_number = c.old_row
                 LEFT JOIN ({}) n ON n.submission_id = c.new_id AND n.row_number = c.new_row",
                records.all(&comparison.old)?,
                records.all(&comparison.new)?
            ),
            columns: format!(
                "c.old_id, c.old_row, c.new_id, c.new_row, coalesce(c.new_place, c.old_place) AS place,
                 ARRAY[{old_values}]::text[] AS old_values, ARRAY[{new_values}]::text[] AS new_values,
                 ARRAY[{}]::boolean[] AS differ, ARRAY[{}]::text[] AS differ_by, ARRAY[{}]::text[] AS percents",
                list(&Column::differs),
                list(&Column::by),
                list(&Column::percent),
            ),
            text: format!("array_to_string(ARRAY[{old_values}, {new_values}]::text[], ' ')"),
            first_key: format!("coalesce({}, {})", first.text("n"), first.text("o")),
        })
    }

    /// How much is different, and nothing of what.
    pub(super) fn counts(&self) -> String {
        format!("SELECT {COUNTS} FROM ({}) changed", self.changed)
    }

    /// `$1`: which kind; `$2`: what text, or `$3`: which first keys; `$4` of them are skipped and `$5` are read.
    /// There is one row also where there is no record.
    pub(super) fn page(&self) -> String {
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
             page AS (SELECT * FROM found c ORDER BY {IN_ORDER} OFFSET $4 LIMIT $5)
             SELECT counts.*, found.n_found, records.*
             FROM (SELECT {COUNTS} FROM changed) counts
             CROSS JOIN (SELECT count(*) AS n_found FROM found) found
             LEFT JOIN (SELECT {columns} FROM page c {join}) records ON true
             ORDER BY records.place, coalesce(records.new_row, records.old_row), records.new_row NULLS FIRST"
        )
    }

    pub(super) fn all(&self) -> String {
        let Self {
            changed,
            join,
            columns,
            ..
        } = self;
        format!("SELECT {columns} FROM ({changed}) c {join} ORDER BY {IN_ORDER}")
    }
}

const COUNTS: &str = "count(*) FILTER (WHERE change = 'changed') AS changed,
    count(*) FILTER (WHERE change = 'added') AS added,
    count(*) FILTER (WHERE change = 'gone') AS gone,
    coalesce(sum(n_figures), 0)::bigint AS figures";

/// By their rows, those that are gone among the others.
const IN_ORDER: &str =
    "coalesce(c.new_place, c.old_place), coalesce(c.new_row, c.old_row), c.new_row NULLS FIRST";

/// Something that is compared, as the column `c0`, `c1` … of both sides; and `h0`, `h1` …, whether it is left out,
/// where it may be: then there is nothing in the former.
struct Column {
    idx: usize,
    is_key: bool,
    may_be_left_out: bool,
    sql_type: String,
    is_number: bool,
    /// In each version: what fills it.
    filled_by: Vec<String>,
}

impl Column {
    fn differs(&self) -> String {
        let idx = self.idx;
        let differs = format!("o.c{idx} IS DISTINCT FROM n.c{idx}");
        if self.may_be_left_out {
            format!("{differs} OR o.h{idx} IS DISTINCT FROM n.h{idx}")
        } else {
            differs
        }
    }

    fn text(&self, of: &str) -> String {
        let idx = self.idx;
        if self.may_be_left_out {
            format!("CASE WHEN {of}.h{idx} THEN '{MARK}' ELSE {of}.c{idx}::text END")
        } else {
            format!("{of}.c{idx}::text")
        }
    }

    fn by(&self) -> String {
        let idx = self.idx;
        if self.is_number {
            // A whole number less another may be too large for one.
            format!("(n.c{idx}::numeric - o.c{idx}::numeric)::text")
        } else {
            "NULL".to_owned()
        }
    }

    fn percent(&self) -> String {
        let idx = self.idx;
        if self.is_number {
            format!(
                "round((n.c{idx}::numeric - o.c{idx}::numeric) * 100 / nullif(abs(o.c{idx}::numeric), 0), 1)::text"
            )
        } else {
            "NULL".to_owned()
        }
    }
}

fn columns(comparison: &Comparison<'_>) -> Result<Vec<Column>, DbError> {
    let items = comparison.items.iter().enumerate();
    items
        .map(|(idx, item)| column(idx, *item, comparison))
        .collect()
}

fn column(idx: usize, item: Compared, comparison: &Comparison<'_>) -> Result<Column, DbError> {
    let versions = &comparison.versions;
    let mut left_out = [&comparison.old, &comparison.new]
        .into_iter()
        .flat_map(|side| &side.left_out);
    let is_coded = versions.iter().any(|version| {
        version
            .codes
            .get(idx)
            .is_some_and(|codes| !codes.is_empty())
    });
    let mut kinds = Vec::new();
    let mut names = Vec::new();
    for version in versions {
        let name = version.items.get(idx).copied().flatten();
        let columns = ddl::columns(version.table)?;
        let column = name.and_then(|name| columns.into_iter().find(|of| of.item.name == name));
        kinds.extend(column.as_ref().map(|column| column.item.kind));
        names.push(column.map(|column| column.name));
    }
    let is_of_one_kind = kinds.iter().all(|kind| *kind == item.kind);
    let is_number = matches!(item.kind, ItemKind::Integer | ItemKind::Decimal { .. });
    // Codes may be called anything, and whole numbers are compared with those that have places.
    let sql_type = match item.kind {
        _ if is_coded => "text".to_owned(),
        kind if is_of_one_kind => ddl::sql_type(kind),
        _ if is_number => "numeric".to_owned(),
        _ => "text".to_owned(),
    };
    let filled_by = names.iter().zip(versions).map(|(name, version)| {
        let Some(name) = name else {
            return format!("NULL::{sql_type}");
        };
        let codes = version.codes.get(idx).filter(|codes| !codes.is_empty());
        match codes {
            Some(codes) => ddl::now_called(&format!("r.\"{name}\"::text"), codes),
            None => format!("r.\"{name}\"::{sql_type}"),
        }
    });
    Ok(Column {
        filled_by: filled_by.collect(),
        idx,
        is_key: item.is_key,
        may_be_left_out: left_out.any(|left_out| left_out.item == idx),
        is_number: is_number && !is_coded,
        sql_type,
    })
}

/// What a record is known by, over the columns of a side. By their bytes: any order will do, and this one is the quickest.
fn keys(comparison: &Comparison<'_>, known_by: &[&Column], has_keys: bool) -> Vec<String> {
    let accumulates = [&comparison.old, &comparison.new]
        .iter()
        .any(|side| side.accumulation == Accumulation::Cumulative);
    if accumulates && !has_keys {
        // A record without keys is known by nothing but its place.
        return vec![
            "r.submission_id::text COLLATE \"C\"".to_owned(),
            "r.row_number::text COLLATE \"C\"".to_owned(),
        ];
    }
    known_by
        .iter()
        .map(|column| format!("coalesce({}, '') COLLATE \"C\"", column.text("r")))
        .collect()
}

/// How records are selected.
struct Records<'a> {
    comparison: &'a Comparison<'a>,
    columns: &'a [Column],
    keys: Vec<String>,
}

impl Records<'_> {
    /// The records of a side, whichever versions they are of, with all columns and the place of their submission.
    fn all(&self, side: &Side) -> Result<String, DbError> {
        let submissions = &side.submissions;
        let left_out = self.left_out(side);
        let every = array(submissions.iter().map(|(id, _)| *id), "uuid");
        let mut selects = Vec::new();
        for (place, version) in self.comparison.versions.iter().enumerate() {
            let of_it = submissions.iter().filter(|(_, of)| *of == place);
            let of_it: Vec<Uuid> = of_it.map(|(id, _)| *id).collect();
            // Where there is none at all, there are the columns still.
            if of_it.is_empty() && !(submissions.is_empty() && place == 0) {
                continue;
            }
            let mut columns = String::new();
            for column in self.columns {
                let nothing = format!("NULL::{}", column.sql_type);
                let filled_by = column.filled_by.get(place).unwrap_or(&nothing);
                let idx = column.idx;
                let _ = if column.may_be_left_out {
                    let is_left_out = format!("coalesce({idx} = ANY (l.items), false)");
                    write!(
                        columns,
                        ", CASE WHEN NOT {is_left_out} THEN {filled_by} END AS c{idx}, {is_left_out} AS h{idx}"
                    )
                } else {
                    write!(columns, ", {filled_by} AS c{idx}")
                };
            }
            selects.push(format!(
                "SELECT r.submission_id, r.row_number, array_position({every}, r.submission_id) AS place{columns}
                 FROM {} r{left_out} WHERE r.submission_id = ANY ({})",
                table_name(version.spec, version.table)?,
                array(of_it.into_iter(), "uuid")
            ));
        }
        Ok(selects.join(" UNION ALL "))
    }

    /// Joins to each record `l`, the items that are left out of it, where there are any at all.
    fn left_out(&self, side: &Side) -> String {
        if !self.columns.iter().any(|column| column.may_be_left_out) {
            return String::new();
        }
        let all = || side.left_out.iter();
        format!(
            " LEFT JOIN (
                SELECT submission_id, row_number, array_agg(item) AS items
                FROM unnest({}, {}, {}) AS cell (submission_id, row_number, item)
                GROUP BY submission_id, row_number
             ) l ON l.submission_id = r.submission_id AND l.row_number = r.row_number",
            array(all().map(|left_out| left_out.record.submission_id), "uuid"),
            array(all().map(|left_out| left_out.record.row_number), "integer"),
            array(all().map(|left_out| left_out.item), "integer")
        )
    }

    /// The same with what each record is known by: `k0`, `k1` …
    fn known(&self, side: &Side) -> Result<String, DbError> {
        let mut known = String::new();
        for (idx, key) in self.keys.iter().enumerate() {
            let _ = write!(known, ", {key} AS k{idx}");
        }
        Ok(format!("(SELECT r.*{known} FROM ({}) r)", self.all(side)?))
    }

    fn key_names(&self) -> String {
        let names: Vec<String> = (0..self.keys.len()).map(|idx| format!("k{idx}")).collect();
        names.join(", ")
    }

    /// A side's records, and, where one is known by what another is known by too, which of them it is.
    fn side(&self, side: &Side) -> Result<String, DbError> {
        let known = self.known(side)?;
        let keys = self.key_names();
        Ok(match side.accumulation {
            Accumulation::Replace => format!(
                "(SELECT r.*, row_number() OVER (PARTITION BY {keys} ORDER BY place, row_number) AS nth FROM {known} r)"
            ),
            // Of those with the same keys the one that came last, as in a dataset.
            Accumulation::Cumulative => {
                let touched = match self.may_be_others() {
                    Some(_) => format!("WHERE ({keys}) IN (SELECT {keys} FROM touched)"),
                    None => String::new(),
                };
                format!(
                    "(SELECT * FROM (
                        SELECT r.*, row_number() OVER (PARTITION BY {keys} ORDER BY place DESC, row_number DESC) AS nth
                        FROM {known} r {touched}
                     ) r WHERE nth = 1)"
                )
            }
        })
    }

    /// `touched`: what the records are known by that can be others, where not all can.
    fn touched(&self) -> Result<String, DbError> {
        let Some(others) = self.may_be_others() else {
            return Ok(String::new());
        };
        Ok(format!(
            "WITH touched AS MATERIALIZED (SELECT DISTINCT {} FROM {} r) ",
            self.key_names(),
            self.known(&others)?
        ))
    }

    /// The submissions that only one side has, where both accumulate: every other record stands as it stood.
    /// `None` where that does not follow.
    fn may_be_others(&self) -> Option<Side> {
        let Comparison { old, new, .. } = self.comparison;
        if !old.left_out.is_empty() || !new.left_out.is_empty() {
            return None;
        }
        if [old, new].map(|side| side.accumulation) != [Accumulation::Cumulative; 2] {
            return None;
        }
        let ids = |side: &Side| -> BTreeSet<Uuid> {
            side.submissions.iter().map(|(id, _)| *id).collect()
        };
        let (in_old, in_new) = (ids(old), ids(new));
        let in_both = |side: &Side| -> Vec<Uuid> {
            let ids = side.submissions.iter().map(|(id, _)| *id);
            ids.filter(|id| in_old.contains(id) && in_new.contains(id))
                .collect()
        };
        // Which of two came last is the same in both.
        if in_both(old) != in_both(new) {
            return None;
        }
        let mut others: Vec<(Uuid, usize)> = Vec::new();
        for (side, other) in [(old, &in_new), (new, &in_old)] {
            let only = side
                .submissions
                .iter()
                .filter(|(id, _)| !other.contains(id));
            others.extend(only);
        }
        Some(Side {
            submissions: others,
            accumulation: Accumulation::Cumulative,
            left_out: Vec::new(),
        })
    }
}

fn array<T: std::fmt::Display>(all: impl Iterator<Item = T>, sql_type: &str) -> String {
    let all: Vec<String> = all.map(|one| one.to_string()).collect();
    format!("'{{{}}}'::{sql_type}[]", all.join(","))
}
