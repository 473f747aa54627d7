//! `GET /api/returns`: what is collected, in which versions, and every data item of a version.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use serde::Serialize;
use spec::{ItemKind, ReturnSpec, TableSpec};
use utoipa::ToSchema;

use super::list::{Asked, List, page_of_all};
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

/// A return.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Return {
    /// What addresses name it by.
    id: String,
    /// As its newest version has it.
    title: String,
    acronym: String,
    summary: String,
    /// Who asks for it.
    owner: Owner,
    /// The newest first.
    versions: Vec<VersionInList>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Owner {
    organisation: String,
    team: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnVersionInList)]
pub(crate) struct VersionInList {
    version: String,
    valid_from: NaiveDate,
    /// Null: still is.
    valid_to: Option<NaiveDate>,
    link: String,
}

/// A version of a return, with everything that is asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnVersion)]
#[expect(
    clippy::struct_field_names,
    reason = "they are called so wherever the API has them"
)]
pub(crate) struct Version {
    #[serde(rename = "return")]
    return_id: String,
    version: String,
    title: String,
    summary: String,
    valid_from: NaiveDate,
    /// Null: still is.
    valid_to: Option<NaiveDate>,
    /// SHA-256 of everything that defines it.
    hash: String,
    has_personal_data: bool,
    tables: Vec<Table>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Table {
    name: String,
    title: String,
    description: String,
    /// The items that tell one record from another.
    keys: Vec<String>,
    items: Vec<Item>,
}

/// A data item: what one column or cell is for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DataItem)]
pub(crate) struct Item {
    name: String,
    title: String,
    description: String,
    kind: Kind,
    /// How many decimal places a decimal has; null for others.
    scale: Option<u8>,
    is_required: bool,
    unit: Option<String>,
    /// The codes that it may have; null where it has no list.
    codes: Option<Vec<Code>>,
    /// Where its definition is from, and how sure it is.
    source: String,
    confidence: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DataItemKind)]
enum Kind {
    Text,
    Integer,
    Decimal,
    Date,
    Boolean,
}

#[derive(Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "they are called so wherever the API has them"
)]
pub(crate) struct Code {
    code: String,
    label: String,
    /// Null: always was.
    valid_from: Option<NaiveDate>,
    /// Null: still is.
    valid_to: Option<NaiveDate>,
}

impl From<&ReturnSpec> for Version {
    fn from(spec: &ReturnSpec) -> Self {
        Self {
            return_id: spec.id.clone(),
            version: spec.version.clone(),
            title: spec.title.clone(),
            summary: spec.summary.clone(),
            valid_from: spec.valid_from,
            valid_to: spec.valid_to,
            hash: spec.hash.clone(),
            has_personal_data: spec.sensitivity.personal_data,
            tables: spec.tables.iter().map(Table::from).collect(),
        }
    }
}

impl From<&TableSpec> for Table {
    fn from(table: &TableSpec) -> Self {
        Self {
            name: table.name.clone(),
            title: table.title.clone(),
            description: table.description.clone(),
            keys: table.keys.clone(),
            items: table.items.iter().map(Item::from).collect(),
        }
    }
}

impl From<&spec::Item> for Item {
    fn from(item: &spec::Item) -> Self {
        let (kind, scale) = match item.kind {
            ItemKind::Text => (Kind::Text, None),
            ItemKind::Integer => (Kind::Integer, None),
            ItemKind::Decimal { scale } => (Kind::Decimal, Some(scale)),
            ItemKind::Date => (Kind::Date, None),
            ItemKind::Boolean => (Kind::Boolean, None),
        };
        let codes = item.codes.as_ref().map(|codes| {
            let code = |code: &spec::Code| Code {
                code: code.code.clone(),
                label: code.label.clone(),
                valid_from: code.valid_from,
                valid_to: code.valid_to,
            };
            codes.list.codes.iter().map(code).collect()
        });
        Self {
            name: item.name.clone(),
            title: item.title.clone(),
            description: item.description.clone(),
            kind,
            scale,
            is_required: item.required,
            unit: item.unit.clone(),
            codes,
            source: item.provenance.source.clone(),
            confidence: item.provenance.confidence.as_str(),
        }
    }
}

/// Returns
///
/// What is collected, by the returns' ids, each with its versions.
#[utoipa::path(
    get,
    path = "/api/returns",
    operation_id = "list_returns",
    tag = "Returns and rounds",
    params(Asked),
    responses((status = 200, description = "A page of returns", body = List<Return>,
        headers(("link" = Option<String>, description = "The address of the next page, as `rel=\"next\"`"))))
)]
pub(crate) async fn list(
    site: web::Data<Site>,
    request: HttpRequest,
    _caller: Caller,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Problem> {
    let mut ids: Vec<&str> = site.specs.iter().map(|spec| spec.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let all = ids.into_iter().filter_map(|id| one(&site, id)).collect();
    page_of_all(&request, &asked, all, |one: &Return| one.id.clone())
}

fn one(site: &Site, id: &str) -> Option<Return> {
    let mut versions: Vec<&ReturnSpec> = site.specs.iter().filter(|spec| spec.id == id).collect();
    versions.sort_by_key(|spec| std::cmp::Reverse(spec.valid_from));
    let newest = versions.first()?;
    Some(Return {
        id: id.to_owned(),
        title: newest.title.clone(),
        acronym: newest.acronym.clone(),
        summary: newest.summary.clone(),
        owner: Owner {
            organisation: newest.owner.organisation.clone(),
            team: newest.owner.team.clone(),
        },
        versions: versions
            .iter()
            .map(|spec| VersionInList {
                version: spec.version.clone(),
                valid_from: spec.valid_from,
                valid_to: spec.valid_to,
                link: format!("/api/returns/{id}/versions/{}", spec.version),
            })
            .collect(),
    })
}

/// A version of a return
///
/// Its tables, and every data item with its codes.
#[utoipa::path(
    get,
    path = "/api/returns/{return_id}/versions/{version}",
    operation_id = "show_return_version",
    tag = "Returns and rounds",
    params(
        ("return_id" = String, Path, description = "The return's id"),
        ("version" = String, Path, description = "Its version, such as 1.4"),
    ),
    responses((status = 200, description = "The version", body = Version))
)]
pub(crate) async fn version(
    site: web::Data<Site>,
    _caller: Caller,
    address: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, version) = address.into_inner();
    let mut specs = site.specs.iter();
    let spec = specs.find(|spec| spec.id == id && spec.version == version);
    let spec = spec.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().json(Version::from(spec)))
}
