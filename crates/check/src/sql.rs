//! SQL over frames: the return's tables, the same tables of earlier periods, and those of other returns.
//!
//! The statements were vetted when the spec was loaded; here only their parameters are filled in.

use chrono::NaiveDate;
use frame::{Frame, Framed, day_in_words};
use polars::prelude::{
    AnyValue, Column, DataFrame, Int64Chunked, Int128Chunked, IntoColumn, IntoLazy, IntoSeries,
    LazyFrame, NewChunkedArray, PlSmallStr, StringChunked,
};
use polars::sql::SQLContext;
use spec::rule::Against;
use spec::{ReturnSpec, Rule, TableSpec};

use crate::message::Filling;
use crate::{CheckError, Figures, Reference};

/// The tables by the names rules use.
pub(crate) struct Tables {
    context: SQLContext,
    names: Vec<String>,
}

/// One row a rule's SQL returned.
pub(crate) struct Violation {
    /// The position of the record it is about.
    pub(crate) record_idx: Option<usize>,
    pub(crate) values: Filling,
}

impl Tables {
    pub(crate) fn empty() -> Self {
        Self {
            context: SQLContext::new(),
            names: Vec::new(),
        }
    }

    pub(crate) fn register(&mut self, name: &str, data: LazyFrame) {
        self.context.register(name, data);
        self.names.push(name.to_owned());
    }

    pub(crate) fn new(
        spec: &ReturnSpec,
        framed: &Framed,
        reference: &Reference<'_>,
    ) -> Result<Self, CheckError> {
        let mut tables = Self::empty();
        tables.register_all(spec, framed, "")?;
        for against in [Against::Previous, Against::YearAgo] {
            if let Some(earlier) = reference.earlier(against) {
                tables.register_all(spec, earlier, against.prefix())?;
            }
        }
        for other in reference.others {
            tables.register_all(other.spec, other.framed, &format!("{}_", other.spec.id))?;
        }
        for known in reference.values {
            let table = &known.set.table;
            let data = figures(known).map_err(|error| CheckError::Frame {
                table: table.clone(),
                why: error.to_string(),
            })?;
            tables.register(table, data.lazy());
        }
        Ok(tables)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn register_all(
        &mut self,
        spec: &ReturnSpec,
        framed: &Framed,
        prefix: &str,
    ) -> Result<(), CheckError> {
        for frame in &framed.frames {
            let Some(table) = spec.table(&frame.table) else {
                continue;
            };
            let name = format!("{prefix}{}", table.name);
            let data = with_hidden_columns(table, frame).map_err(|error| CheckError::Frame {
                table: name.clone(),
                why: error.to_string(),
            })?;
            self.register(&name, data.lazy());
        }
        Ok(())
    }

    /// Runs a SELECT that gives `_row` and what its message needs.
    pub(crate) fn run(
        &mut self,
        rule: &Rule,
        select: &str,
        reference: &Reference<'_>,
    ) -> Result<Vec<Violation>, CheckError> {
        let Some(select) = with_parameters(select, rule, reference) else {
            return Ok(Vec::new());
        };
        let data = self
            .context
            .execute(&select)
            .and_then(LazyFrame::collect)
            .map_err(|error| CheckError::Rule {
                rule: rule.id.clone(),
                why: error.to_string(),
            })?;
        Ok(violations(&data))
    }
}

/// Central figures as a table of `name` and `value`; whole numbers where they have no places.
fn figures(known: &Figures<'_>) -> polars::prelude::PolarsResult<DataFrame> {
    let names = known.figures.iter().map(|(name, _)| Some(name.as_str()));
    let names = StringChunked::from_iter_options(PlSmallStr::from_static("name"), names);
    let value = PlSmallStr::from_static("value");
    let scaled = known.figures.iter().map(|(_, scaled)| *scaled);
    let values = if known.set.decimals == 0 {
        let whole = scaled.map(|scaled| i64::try_from(scaled).ok());
        Int64Chunked::from_iter_options(value, whole).into_column()
    } else {
        Int128Chunked::from_iter_options(value, scaled.map(Some))
            .into_decimal(frame::PRECISION, usize::from(known.set.decimals))?
            .into_series()
            .into_column()
    };
    DataFrame::new(known.figures.len(), vec![names.into_column(), values])
}

pub(crate) fn with_hidden_columns(
    table: &TableSpec,
    frame: &Frame,
) -> polars::prelude::PolarsResult<DataFrame> {
    let mut data = frame.data(table)?;
    let rows = (0..frame.n_records()).map(|idx| i64::try_from(idx).ok());
    data.with_column(
        Int64Chunked::from_iter_options(PlSmallStr::from_static("_row"), rows).into_column(),
    )?;
    if let Some(new_rows) = &frame.new_rows {
        data.with_column(Column::new(PlSmallStr::from_static("_new"), new_rows))?;
    }
    Ok(data)
}

/// Replaces `$name`s by literals; `None` where the period is needed and not known.
fn with_parameters(select: &str, rule: &Rule, reference: &Reference<'_>) -> Option<String> {
    let mut filled = String::with_capacity(select.len());
    let mut rest = select;
    while let Some(dollar) = rest.find('$') {
        filled.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        filled.push_str(&match name {
            "period_start" => date_literal(reference.period?.start),
            "period_end" => date_literal(reference.period?.end),
            "received_on" => date_literal(reference.received_on),
            threshold => rule
                .thresholds
                .get(threshold, reference.organisation)?
                .to_string(),
        });
        rest = tail;
    }
    filled.push_str(rest);
    Some(filled)
}

fn date_literal(date: NaiveDate) -> String {
    // The call and not the literal `DATE '…'`, which polars casts from text: it warns of that each time.
    format!("DATE('{}')", date.format("%Y-%m-%d"))
}

fn violations(data: &DataFrame) -> Vec<Violation> {
    let columns = data.columns();
    (0..data.height())
        .map(|idx| {
            let mut violation = Violation {
                record_idx: None,
                values: Filling::new(),
            };
            for column in columns {
                let Ok(value) = column.get(idx) else { continue };
                if column.name() == "_row" {
                    violation.record_idx = value
                        .extract::<i64>()
                        .and_then(|row| usize::try_from(row).ok());
                } else {
                    violation
                        .values
                        .insert(column.name().to_string(), show(&value));
                }
            }
            violation
        })
        .collect()
}

/// A value of a query as a person writes it.
fn show(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => "blank".to_owned(),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Date(days) => NaiveDate::from_ymd_opt(1970, 1, 1)
            .and_then(|epoch| epoch.checked_add_signed(chrono::TimeDelta::days(i64::from(*days))))
            .map_or_else(String::new, day_in_words),
        AnyValue::Float64(number) => {
            let text = format!("{number:.2}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        other => other.to_string(),
    }
}
