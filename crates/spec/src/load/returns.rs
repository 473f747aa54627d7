//! `return.toml`: identity, duty, period, sensitivity, facts and sources.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use serde::Deserialize;

use super::bodies::Bodies;
use super::document::{Document, step};
use super::fault::Faults;
use super::folder::Folder;
use super::format::FileKind;
use super::links::Links;
use super::table::TableDraft;
use super::toml_document;
use crate::disclosure::Disclosure;
use crate::{
    Accumulation, Confidence, Demo, ExtraColumns, Fact, Lineage, Owner, PeriodKind, Provenance,
    Respondents, ReturnSpec, Rule, Sensitivity, Source, TableSpec, starts_with,
};

const FILE: &str = "return.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityDocument {
    id: String,
    version: String,
    title: String,
    acronym: String,
    summary: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    tables: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeriodDocument {
    kind: PeriodKind,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectionDocument {
    accumulation: Accumulation,
    extra_columns: ExtraColumns,
    own_columns: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactDocument {
    value: String,
    source: String,
    confidence: Confidence,
}

/// What `return.toml` says, as far as it could be read.
#[derive(Debug)]
pub(crate) struct About {
    document: Option<Document>,
    identity: Option<IdentityDocument>,
    owner: Option<Owner>,
    respondents: Option<Respondents>,
    period: Option<PeriodDocument>,
    collection: Option<CollectionDocument>,
    sensitivity: Option<Sensitivity>,
    facts: BTreeMap<String, Fact>,
    demo: Option<Demo>,
    /// What it lists or, where that can't be read, what there is.
    pub(crate) tables: Vec<String>,
    pub(crate) sources: Sources,
}

/// The sources by id; unknown where `return.toml` does not tell.
#[derive(Debug)]
pub(crate) struct Sources(Option<BTreeMap<String, Source>>);

impl Sources {
    /// A fault where a source is named that does not exist.
    pub(crate) fn check(
        &self,
        source: &str,
        document: &Document,
        pointer: &str,
        faults: &mut Faults,
    ) {
        if let Some(why) = self.unknown(source) {
            document.fault(faults, pointer, why);
        }
    }

    pub(crate) fn unknown(&self, source: &str) -> Option<String> {
        let sources = self.0.as_ref()?;
        (!sources.contains_key(source)).then(|| format!("return.toml has no source \"{source}\""))
    }
}

pub(crate) fn read(folder: &mut Folder, bodies: &Bodies, faults: &mut Faults) -> About {
    let document = toml_document(folder, FILE, FileKind::Return, faults);
    let Some(document) = document else {
        return About {
            document: None,
            identity: None,
            owner: None,
            respondents: None,
            period: None,
            collection: None,
            sensitivity: None,
            facts: BTreeMap::new(),
            demo: None,
            tables: folder.names("tables/", ".toml"),
            sources: Sources(None),
        };
    };
    let identity: Option<IdentityDocument> = document.part("/return", faults);
    let sources = Sources(document.part("/sources", faults));
    let respondents = document.part("/respondents", faults);
    if let Some(identity) = &identity {
        check_identity(identity, &document, folder, faults);
    }
    if let Some(respondents) = &respondents {
        check_respondents(respondents, &document, bodies, faults);
    }
    About {
        tables: identity.as_ref().map_or_else(
            || folder.names("tables/", ".toml"),
            |identity| identity.tables.clone(),
        ),
        identity,
        owner: document.part("/owner", faults),
        respondents,
        period: document.part("/period", faults),
        collection: document.part("/collection", faults),
        sensitivity: document.part("/sensitivity", faults),
        facts: facts(&document, &sources, faults),
        demo: document.part("/demo", faults),
        sources,
        document: Some(document),
    }
}

fn check_identity(
    identity: &IdentityDocument,
    document: &Document,
    folder: &Folder,
    faults: &mut Faults,
) {
    let mut steps = folder.dir.iter().rev().map(|step| step.to_string_lossy());
    for (name, value) in [("version", &identity.version), ("id", &identity.id)] {
        if let Some(folder_name) = steps.next()
            && folder_name != value.as_str()
        {
            let why = format!("\"{value}\" stands in a folder called \"{folder_name}\"");
            document.fault(faults, &format!("/return/{name}"), why);
        }
    }
    if let Some(last) = identity.valid_to
        && last < identity.valid_from
    {
        let why = format!("{last} is before valid_from, {}", identity.valid_from);
        document.fault(faults, "/return/valid_to", why);
    }
}

fn check_respondents(
    respondents: &Respondents,
    document: &Document,
    bodies: &Bodies,
    faults: &mut Faults,
) {
    for (idx, kind) in respondents.types.iter().enumerate() {
        if let Some(why) = bodies.unknown_kind(kind) {
            document.fault(faults, &format!("/respondents/types/{idx}"), why);
        }
    }
    let known = |code: &str| bodies.known().and_then(|known| known.get(code));
    for (idx, code) in respondents.only.iter().enumerate() {
        let why = bodies.unknown_code(code).or_else(|| {
            let known = known(code)?;
            (!respondents.types.contains(&known.kind)).then(|| {
                format!(
                    "{} is a {}, which is not one of the types",
                    known.name, known.kind
                )
            })
        });
        if let Some(why) = why {
            document.fault(faults, &format!("/respondents/only/{idx}"), why);
        }
    }
}

fn facts(document: &Document, sources: &Sources, faults: &mut Faults) -> BTreeMap<String, Fact> {
    let names: Vec<String> = document
        .value
        .get("register")
        .and_then(|register| register.as_object())
        .map(|register| register.keys().cloned().collect())
        .unwrap_or_default();
    let mut facts = BTreeMap::new();
    for name in names {
        let pointer = step("/register", &name);
        let Some(fact) = document.part::<FactDocument>(&pointer, faults) else {
            continue;
        };
        sources.check(&fact.source, document, &format!("{pointer}/source"), faults);
        facts.insert(
            name,
            Fact {
                value: fact.value,
                provenance: Provenance {
                    source: fact.source,
                    confidence: fact.confidence,
                },
            },
        );
    }
    facts
}

impl About {
    pub(crate) fn document(&self) -> Option<&Document> {
        self.document.as_ref()
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.id.as_str())
    }

    pub(crate) fn acronym(&self) -> Option<&str> {
        let identity = self.identity.as_ref()?;
        Some(&identity.acronym)
    }

    pub(crate) fn period_kind(&self) -> Option<PeriodKind> {
        self.period.as_ref().map(|period| period.kind)
    }

    pub(crate) fn valid_from(&self) -> Option<NaiveDate> {
        self.identity.as_ref().map(|identity| identity.valid_from)
    }

    pub(crate) fn is_cumulative(&self) -> bool {
        let collection = self.collection.as_ref();
        collection.is_some_and(|said| said.accumulation == Accumulation::Cumulative)
    }

    /// The demo's base is an example and what varies are items.
    pub(crate) fn check_demo(
        &self,
        folder: &Folder,
        bodies: &Bodies,
        tables: &[TableDraft],
        faults: &mut Faults,
    ) {
        let (Some(document), Some(demo)) = (&self.document, &self.demo) else {
            return;
        };
        let are_known = tables.iter().all(|table| table.is_known);
        if !folder.has(&format!("examples/{}.example", demo.base)) {
            let why = format!("there is no examples/{}.example", demo.base);
            document.fault(faults, "/demo/base", why);
        }
        for (name, base) in &demo.base_of {
            let pointer = step("/demo/base_of", name);
            if let Some(why) = bodies.unknown(name) {
                document.fault(faults, &pointer, why);
            }
            if !folder.has(&format!("examples/{base}.example")) {
                let why = format!("there is no examples/{base}.example");
                document.fault(faults, &pointer, why);
            }
        }
        for (idx, item) in demo.vary.iter().enumerate() {
            if are_known && !tables.iter().any(|table| table.names.contains(item)) {
                let why = format!("no table has an item \"{item}\"");
                document.fault(faults, &format!("/demo/vary/{idx}"), why);
            }
        }
    }

    /// Records can only be updated by a key.
    pub(crate) fn check_keys(&self, tables: &[TableDraft], faults: &mut Faults) {
        for table in tables.iter().filter(|_| self.is_cumulative()) {
            let has_rows = table
                .layout
                .as_ref()
                .is_some_and(|layout| layout.records().is_some());
            if has_rows && !table.has_keys {
                let why = "\"keys\" is missing: a cumulative return updates records by key";
                faults.add(format!("tables/{}.toml", table.name), "", why);
            }
        }
    }

    /// What marks the sender's own columns marks no item's, and there are rows for them to stand in.
    pub(crate) fn check_own_columns(&self, tables: &[TableDraft], faults: &mut Faults) {
        let (Some(document), Some(collection)) = (&self.document, &self.collection) else {
            return;
        };
        let Some(prefix) = &collection.own_columns else {
            return;
        };
        let pointer = "/collection/own_columns";
        let layouts: Option<Vec<_>> = tables.iter().map(|table| table.layout.as_ref()).collect();
        if layouts.is_some_and(|layouts| layouts.iter().all(|layout| layout.records().is_none())) {
            let why = "no table has rows, so there is no place for the sender's own columns";
            document.fault(faults, pointer, why);
        }
        for table in tables {
            for item in &table.items {
                let headings = [&item.name, &item.title];
                for heading in headings.into_iter().chain(&item.headings) {
                    if starts_with(heading, prefix) {
                        let why = format!(
                            "the heading \"{heading}\" of {}.{} starts with it too",
                            table.name, item.name
                        );
                        document.fault(faults, pointer, why);
                    }
                }
            }
        }
    }

    /// `None` where a part could not be read; its faults say why.
    pub(crate) fn into_spec(
        self,
        dir: &Path,
        hash: String,
        (tables, lineage, disclosure_said): (Vec<TableSpec>, Option<Lineage>, Option<Disclosure>),
        rules: Vec<Rule>,
        links: Links,
    ) -> Option<ReturnSpec> {
        let identity = self.identity?;
        let collection = self.collection?;
        Some(ReturnSpec {
            id: identity.id,
            version: identity.version,
            title: identity.title,
            acronym: identity.acronym,
            summary: identity.summary,
            hash,
            dir: dir.to_owned(),
            valid_from: identity.valid_from,
            valid_to: identity.valid_to,
            owner: self.owner?,
            respondents: self.respondents?,
            period_kind: self.period?.kind,
            accumulation: collection.accumulation,
            extra_columns: collection.extra_columns,
            own_columns: collection.own_columns,
            sensitivity: self.sensitivity?,
            facts: self.facts,
            sources: self.sources.0?,
            tables,
            disclosure_said,
            lineage,
            rules,
            compared_with: links.others.into_iter().map(|other| other.link).collect(),
            reference_values: links.values,
            demo: self.demo,
        })
    }
}
