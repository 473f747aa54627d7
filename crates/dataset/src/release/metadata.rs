//! What describes a release to machines: a Frictionless Data Package, CSV on the Web and a DCAT entry.

use serde_json::{Value, json};
use spec::ItemKind;
use spec::disclosure::MARK;

use super::{Built, Edition, TableOf};
use crate::{Column, Format};

fn csv_name(table: &TableOf) -> String {
    format!("{}.{}", table.shape.table, Format::Csv.ending())
}

fn description(edition: &Edition<'_>) -> String {
    match edition.notes {
        "" => edition.spec.summary.clone(),
        notes => format!("{} {notes}", edition.spec.summary),
    }
}

/// `hl1-2026-27-q1`: a name of the kind that both forms of metadata take.
fn name(edition: &Edition<'_>) -> String {
    let (from, to) = (&edition.manifest.from, &edition.manifest.to);
    let periods = if from == to {
        to.label.clone()
    } else {
        format!("{}-to-{}", from.label, to.label)
    };
    format!("{}-{periods}", edition.spec.id).to_lowercase()
}

/// <https://specs.frictionlessdata.io/data-package/>
pub(super) fn data_package(edition: &Edition<'_>, tables: &[TableOf], built: &[Built]) -> Value {
    let resources: Vec<Value> = tables
        .iter()
        .map(|table| {
            let path = csv_name(table);
            let file = built.iter().find(|file| file.name == path);
            json!({
                "name": table.shape.table,
                "path": path,
                "title": table.shape.title,
                "description": described(table),
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": file.map(|file| file.n_bytes),
                "hash": file.map(|file| format!("sha256:{}", file.sha256)),
                "schema": {
                    "fields": table.shape.columns.iter().map(field).collect::<Vec<_>>(),
                    "missingValues": missing_values(table),
                },
            })
        })
        .collect();
    json!({
        "name": name(edition),
        "title": edition.spec.title,
        "description": description(edition),
        "profile": "tabular-data-package",
        "version": edition.spec.version,
        "created": format!("{}T00:00:00Z", edition.drafted_on),
        "contributors": [{ "title": publisher(edition), "role": "publisher" }],
        "resources": resources,
    })
}

fn publisher(edition: &Edition<'_>) -> String {
    let owner = &edition.spec.owner;
    format!("{}, {}", owner.organisation, owner.team)
}

fn field(column: &Column) -> Value {
    let of = match column.kind {
        ItemKind::Text => "string",
        ItemKind::Integer => "integer",
        ItemKind::Decimal { .. } => "number",
        ItemKind::Date => "date",
        ItemKind::Boolean => "boolean",
    };
    let mut field = json!({ "name": column.name, "title": column.title, "type": of });
    if !column.description.is_empty() {
        field["description"] = json!(column.description);
    }
    if let Some(unit) = &column.unit {
        field["unit"] = json!(unit);
    }
    field
}

/// What stands where there is no value.
fn missing_values(table: &TableOf) -> Value {
    match table.shape.left_out() {
        Some(_) => json!(["", MARK]),
        None => json!([""]),
    }
}

/// What a table is, and what is left out of it.
fn described(table: &TableOf) -> String {
    match table.shape.left_out() {
        Some(left_out) => format!("{} {}", table.shape.description, left_out.in_words()),
        None => table.shape.description.clone(),
    }
}

/// <https://www.w3.org/TR/tabular-metadata/>
pub(super) fn csvw(edition: &Edition<'_>, tables: &[TableOf]) -> Value {
    let tables: Vec<Value> = tables
        .iter()
        .map(|table| {
            json!({
                "url": csv_name(table),
                "dc:title": table.shape.title,
                "dc:description": described(table),
                "tableSchema": {
                    "null": missing_values(table),
                    "columns": table.shape.columns.iter().map(csvw_column).collect::<Vec<_>>(),
                },
            })
        })
        .collect();
    json!({
        "@context": ["http://www.w3.org/ns/csvw", { "@language": "en" }],
        "dc:title": edition.spec.title,
        "dc:description": description(edition),
        "dc:publisher": publisher(edition),
        "tables": tables,
    })
}

fn csvw_column(column: &Column) -> Value {
    let datatype = match column.kind {
        ItemKind::Text => json!("string"),
        ItemKind::Integer => json!("integer"),
        ItemKind::Decimal { .. } => json!("decimal"),
        ItemKind::Date => json!({ "base": "date", "format": "yyyy-MM-dd" }),
        ItemKind::Boolean => json!({ "base": "boolean", "format": "true|false" }),
    };
    let mut described = json!({
        "name": column.name,
        "titles": column.name,
        "dc:title": column.title,
        "datatype": datatype,
    });
    if !column.description.is_empty() {
        described["dc:description"] = json!(column.description);
    }
    described
}

/// <https://www.w3.org/TR/vocab-dcat-3/>
pub(super) fn dcat(edition: &Edition<'_>, built: &[Built]) -> Value {
    let day = |day: chrono::NaiveDate| json!({ "@value": day.to_string(), "@type": "xsd:date" });
    let distributions: Vec<Value> = built
        .iter()
        .map(|file| {
            let media_type = file.content_type.split(';').next().unwrap_or_default();
            json!({
                "@type": "dcat:Distribution",
                "dct:title": file.name,
                "dcat:mediaType": {
                    "@id": format!("https://www.iana.org/assignments/media-types/{media_type}")
                },
                "dcat:byteSize": { "@value": file.n_bytes.to_string(), "@type": "xsd:nonNegativeInteger" },
                "spdx:checksum": {
                    "@type": "spdx:Checksum",
                    "spdx:algorithm": { "@id": "spdx:checksumAlgorithm_sha256" },
                    "spdx:checksumValue": { "@value": file.sha256, "@type": "xsd:hexBinary" },
                },
            })
        })
        .collect();
    json!({
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "adms": "http://www.w3.org/ns/adms#",
            "spdx": "http://spdx.org/rdf/terms#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@type": "dcat:Dataset",
        "dct:identifier": name(edition),
        "dct:title": { "@value": edition.spec.title, "@language": "en" },
        "dct:description": { "@value": description(edition), "@language": "en" },
        "dct:publisher": { "@type": "foaf:Agent", "foaf:name": publisher(edition) },
        "dct:created": day(edition.drafted_on),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": day(edition.manifest.from.start),
            "dcat:endDate": day(edition.manifest.to.end),
        },
        "adms:versionNotes": format!("{} release", edition.kind),
        "dcat:distribution": distributions,
    })
}
