//! `GET …/dataset.csv` and the other formats: the standing rows of every organisation, and what they are made of.
//!
//! An address with what is asked for in it always gives the same bytes while the same versions stand, and says so by its tag.
//! Text is sent while it is written. A workbook or Parquet, and any part of a file, comes from a file that is written first.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use dataset::{Asked, DatasetError, Format, Lineage};
use serde::Deserialize;
use spec::{Period, ReturnSpec};
use utoipa::ToSchema;
use workflow::{Dataset, Figures, WantedDataset, WantedError};

use super::{part, stream};
use crate::Site;
use crate::bulk::Bulk;
use crate::problem::Problem;
use crate::session::Caller;

#[derive(Deserialize)]
pub(crate) struct Round {
    pub(crate) return_id: String,
    pub(crate) period: String,
}

/// What follows the question mark, by name, as often as it stands there.
pub(crate) type Query = Vec<(String, String)>;

/// The words of `lineage`, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "what is asked for is read as words, by name")]
enum LineageWord {
    None,
    Row,
    Cell,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "what is asked for is read as words, by name")]
enum YesOrNo {
    Yes,
    No,
}

/// What is asked for, understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// A table; without it, the first.
    pub(crate) table: Option<String>,
    /// The first of several periods.
    pub(crate) from: Option<String>,
    pub(crate) organisations: Vec<String>,
    pub(crate) only_accepted: bool,
    pub(crate) columns: Asked,
}

impl Wanted {
    /// A word that is not known is refused: what it would have left out must not be there without a word.
    pub(crate) fn of(query: &Query) -> Result<Self, Problem> {
        let mut wanted = Wanted::default();
        for (name, value) in query {
            let values = || {
                let values = value.split(',').map(str::trim);
                values.filter(|value| !value.is_empty()).map(str::to_owned)
            };
            let unknown = || {
                let told = format!("\"{value}\" is not a value that {name} can have.");
                Problem::bad_request(told)
            };
            match name.as_str() {
                // As a form has it that was left blank; the others are never blank there.
                "table" | "from" if value.is_empty() => {}
                "table" => wanted.table = Some(value.clone()),
                "from" => wanted.from = Some(value.clone()),
                "organisation" => wanted.organisations.extend(values()),
                "column" => wanted.columns.items.extend(values()),
                "lineage" => {
                    wanted.columns.lineage = Lineage::parse(value).ok_or_else(unknown)?;
                }
                "labels" => wanted.columns.labels = yes_or_no(value).ok_or_else(unknown)?,
                "accepted" => wanted.only_accepted = yes_or_no(value).ok_or_else(unknown)?,
                _ => {
                    return Err(Problem::bad_request(format!(
                        "\"{name}\" is not known here. Known are table, from, organisation, column, lineage, labels and accepted."
                    )));
                }
            }
        }
        Ok(wanted)
    }
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// A dataset that somebody may have, with the version of the return whose words it uses.
pub(crate) struct Found<'a> {
    pub(crate) spec: &'a ReturnSpec,
    pub(crate) period: Period,
    pub(crate) figures: Figures,
    pub(crate) dataset: Dataset,
}

/// What is asked for, as it stands now.
pub(crate) async fn find<'a>(
    site: &'a Site,
    reader: &workflow::Actor,
    round: &Round,
    wanted: &Wanted,
) -> Result<Found<'a>, Problem> {
    let (spec, period) = site.spec(reader, &round.return_id, &round.period).await?;
    let figures = workflow::figures(reader, &spec.id)?;
    let table = match &wanted.table {
        Some(name) => spec.table(name),
        None => spec.tables.first(),
    };
    let table = table.ok_or_else(Problem::not_found)?;
    let from = match &wanted.from {
        Some(label) => Period::parse(period.kind, label)
            .map_err(|error| Problem::bad_request(format!("The first period: {error}.")))?,
        None => period.clone(),
    };
    let asked = WantedDataset {
        versions: &site.specs,
        spec,
        table: &table.name,
        from: &from,
        to: &period,
        organisations: &wanted.organisations,
        only_accepted: wanted.only_accepted,
        columns: &wanted.columns,
    };
    let dataset = workflow::dataset(site.db()?, &figures, &asked).await?;
    Ok(Found {
        spec,
        period,
        figures,
        dataset,
    })
}

#[derive(Deserialize)]
pub(crate) struct Named {
    return_id: String,
    period: String,
    ending: String,
}

/// The figures of a return
///
/// The records of every organisation that count, in a fixed order; an organisation's own program gets its own.
/// The same address gives the same bytes while the same versions stand: its `ETag` says so, and a range of them can be asked for
/// (of csv and jsonl with `If-Range`; without it all of it comes).
/// A cut connection means that it was not all.
#[utoipa::path(
    get,
    path = "/api/returns/{return_id}/periods/{period}/dataset.{ending}",
    operation_id = "dataset",
    tag = "Datasets",
    params(
        ("return_id" = String, Path, description = "The return's id"),
        ("period" = String, Path, description = "The period's label; the last one of several"),
        ("ending" = String, Path, description = "The format: csv, jsonl, xlsx or parquet"),
        ("table" = Option<String>, Query, description = "A table; without it, the first"),
        ("from" = Option<String>, Query, description = "The first of several periods"),
        ("organisation" = Option<String>, Query, description = "GSS codes with commas; without it, all"),
        ("column" = Option<String>, Query, description = "Items with commas; without it, all"),
        ("lineage" = inline(Option<LineageWord>), Query, description = "Where values come from; without it, cell"),
        ("labels" = inline(Option<YesOrNo>), Query, description = "What codes mean; without it, yes"),
        ("accepted" = inline(Option<YesOrNo>), Query, description = "Only what is accepted; without it, no"),
    ),
    responses(
        (status = 200, description = "All of it", content(
            (String = "text/csv"), (String = "application/x-ndjson"),
            (Vec<u8> = "application/vnd.apache.parquet"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ), headers(("etag" = String, description = "The same while the bytes are"))),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The bytes that `If-None-Match` names are still right"),
        (status = 409, description = "A sheet has no room for so many rows"),
        (status = 416, description = "It is not as long as that"),
    )
)]
pub(crate) async fn show(
    site: web::Data<Site>,
    bulk: web::Data<Bulk>,
    Caller(reader): Caller,
    named: web::Path<Named>,
    query: web::Query<Query>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let named = named.into_inner();
    let format = Format::of_ending(&named.ending).ok_or_else(Problem::not_found)?;
    let round = Round {
        return_id: named.return_id,
        period: named.period,
    };
    let wanted = Wanted::of(&query)?;
    let found = find(&site, &reader, &round, &wanted).await?;
    let tag = found.dataset.tag(format).map_err(WantedError::from)?;
    let file_name = format!(
        "{}-{}-{}.{}",
        found.spec.id,
        found.period.label,
        found.dataset.shape.table,
        format.ending()
    );
    let about = part::About {
        tag,
        file_name,
        content_type: format.content_type().to_owned(),
        // Engines read parts of Parquet as they need them; a text that goes on with the rest of another one looks whole.
        changes: format.is_text(),
    };
    if let Some(answer) = part::without_bytes(&request, &about) {
        return Ok(answer);
    }
    workflow::check_room(site.db()?, &found.figures, &found.dataset, format).await?;
    // Records that accumulate are read in one transaction, which does not stay open for as long as somebody reads.
    let is_sent_at_once = format.is_text() && !found.dataset.manifest.accumulates;
    if is_sent_at_once && !part::is_wanted(&request, &about) {
        return send(&site, &bulk, found, format, &about).await;
    }
    let file = tempfile::tempfile_in(&site.config.spool_dir)
        .map_err(|error| Problem::failed("write a dataset", &error))?;
    let to = file
        .try_clone()
        .map_err(|error| Problem::failed("write a dataset", &error))?;
    let (db, spec, site) = (site.db()?.clone(), found.spec.clone(), site.clone());
    let Found {
        figures, dataset, ..
    } = found;
    let writing = async move {
        workflow::write_dataset_file(
            &db,
            &figures,
            (&site.specs, &spec),
            &dataset,
            format,
            (to, &site.config.spool_dir),
        )
        .await
        .map_err(|error| WantedError::from(error).into())
    };
    bulk.make_file(writing).await?;
    part::answer(&request, &about, file)
}

/// Text, while it is written.
async fn send(
    site: &web::Data<Site>,
    bulk: &Bulk,
    found: Found<'_>,
    format: Format,
    about: &part::About,
) -> Result<HttpResponse, Problem> {
    let (db, dataset, figures) = (site.db()?.clone(), found.dataset, found.figures);
    let specs = site.clone();
    let headers = [
        (header::ETAG, format!("\"{}\"", about.tag)),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ];
    let kind = stream::Kind {
        name: &about.file_name,
        content_type: &about.content_type,
        headers: &headers,
    };
    stream::text(bulk, &kind, |out| async move {
        let written =
            workflow::write_dataset(&db, &figures, &specs.specs, &dataset, format, out).await;
        written.map_err(WantedError::from)
    })
    .await
}

/// What the figures are made of
///
/// Which version of whose return with which hash, in the order of the rows, who is missing, and what older versions of the return called its columns. It takes the questions that the dataset takes.
#[utoipa::path(
    get,
    path = "/api/returns/{return_id}/periods/{period}/dataset/manifest.json",
    operation_id = "dataset_manifest",
    tag = "Datasets",
    params(
        ("return_id" = String, Path, description = "The return's id"),
        ("period" = String, Path, description = "The period's label; the last one of several"),
    ),
    responses((status = 200, description = "The manifest", body = Object, content_type = "application/json"))
)]
pub(crate) async fn manifest(
    site: web::Data<Site>,
    Caller(reader): Caller,
    round: web::Path<Round>,
    query: web::Query<Query>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::of(&query)?;
    let found = find(&site, &reader, &round, &wanted).await?;
    let manifest = &found.dataset.manifest;
    Ok(HttpResponse::Ok().json(serde_json::json!({
        "return_id": manifest.return_id,
        "table": found.dataset.shape.table,
        "from": manifest.from,
        "to": manifest.to,
        "is_provisional": manifest.is_provisional(),
        "submissions": manifest.submissions,
        "missing": manifest.missing,
        "versions": manifest.versions,
        "mapping": found.dataset.shape.mapping,
    })))
}

impl From<WantedError> for Problem {
    fn from(error: WantedError) -> Self {
        match error {
            WantedError::Backwards => {
                Problem::bad_request("The first period is after the last one.")
            }
            WantedError::UnknownOrganisation(code) => Problem::bad_request(format!(
                "There is no organisation with the GSS code \"{code}\"."
            )),
            WantedError::NotTheirs(code) => Problem::bad_request(format!(
                "The figures of {code} are not yours to have. Leave organisation out to have all that are."
            )),
            WantedError::TooManyRows { n_records, n_most } => {
                Problem::conflict("Too many rows for a workbook", too_many(n_records, n_most))
            }
            WantedError::Dataset(DatasetError::Xlsx(report::table::TableError::TooManyRows)) => {
                let n_most = u64::from(report::table::MOST_ROWS);
                Problem::conflict("Too many rows for a workbook", too_many(n_most + 1, n_most))
            }
            WantedError::Dataset(DatasetError::Shape(dataset::ShapeError::UnknownTable {
                ..
            })) => Problem::not_found(),
            WantedError::Dataset(DatasetError::Shape(dataset::ShapeError::UnknownItem {
                item,
                ..
            })) => Problem::bad_request(format!("There is no column \"{item}\".")),
            WantedError::Dataset(DatasetError::Shape(
                error @ dataset::ShapeError::UnknownVersion(_),
            )) => {
                tracing::error!(%error, "a dataset can't be read here");
                Problem::unavailable()
            }
            WantedError::Dataset(DatasetError::Db(error)) => error.into(),
            WantedError::Dataset(error) => Problem::failed("write a dataset", &error),
        }
    }
}

fn too_many(n_records: u64, n_most: u64) -> String {
    format!(
        "There are {n_records} rows or more, and a sheet has room for {n_most}. Take it as CSV or Parquet, or ask for fewer organisations."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Query {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn what_a_form_sends_and_what_is_written_by_hand_are_both_understood() {
        let by_form = query(&[
            ("organisation", "A"),
            ("organisation", "B"),
            ("from", ""),
            ("accepted", "yes"),
        ]);
        let by_hand = query(&[("organisation", "A, B"), ("accepted", "yes")]);
        for asked in [by_form, by_hand] {
            let wanted = Wanted::of(&asked).unwrap();
            assert_eq!(wanted.organisations, ["A", "B"]);
            assert!(wanted.only_accepted && wanted.from.is_none() && wanted.columns.labels);
        }
    }

    #[test]
    fn a_word_that_is_not_known_is_refused() {
        for pair in [("colum", "a"), ("lineage", "all"), ("labels", "true")] {
            let refused = Wanted::of(&query(&[pair])).unwrap_err();
            assert!(refused.detail.contains(pair.0), "{}", refused.detail);
        }
    }
}
