//! `workbook.xml`: which sheets there are and in which order, and what counts sheets by their place.

use std::fmt::Write as _;

use super::relations::Relations;
use super::xml::{Edits, Kind, NotWellFormed, Tags, escape};

/// The list of sheets.
pub(super) struct WorkbookPart {
    /// From the package's root.
    pub(super) name: String,
    text: String,
    pub(super) relations: Relations,
    pub(super) sheets: Vec<ListedSheet>,
    /// Of the elements: that of Excel, or that of the strict kind.
    pub(super) namespace: String,
    /// What the types of relations begin with.
    pub(super) relation_kinds: String,
    /// `r:`
    id_prefix: String,
    last_sheet_id: u32,
    added: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct ListedSheet {
    pub(super) name: String,
    /// `None`: the workbook does not say where it is.
    pub(super) part: Option<String>,
    /// By its name.
    pub(super) is_ours: bool,
    /// Goes away for a new one.
    pub(super) is_replaced: bool,
}

/// The workbook with the sheets added.
pub(super) struct Added {
    pub(super) text: String,
    pub(super) relations: Relations,
    /// Parts of sheets that are not there any more.
    pub(super) dropped: Vec<String>,
}

const STRICT: &str = "http://purl.oclc.org/ooxml/";

impl WorkbookPart {
    pub(super) fn read(
        name: String,
        text: String,
        relations: Relations,
    ) -> Result<Self, NotWellFormed> {
        let mut namespace = None;
        let mut id_prefix = None;
        let mut sheets = Vec::new();
        let mut last_sheet_id = 0;
        let mut tags = Tags::of(&text);
        while let Some(tag) = tags.next()? {
            if tag.depth == 0 && tag.opens() {
                namespace = tag.get(&match tag.prefix().strip_suffix(':') {
                    Some(prefix) => format!("xmlns:{prefix}"),
                    None => "xmlns".to_owned(),
                });
            }
            if tag.depth != 2 || tag.local() != "sheet" || !tag.opens() {
                continue;
            }
            let (prefix, id) = tag.get_prefixed("id").ok_or(NotWellFormed)?;
            let name = tag.get("name").ok_or(NotWellFormed)?;
            let number = tag.get("sheetId").and_then(|id| id.parse::<u32>().ok());
            last_sheet_id = last_sheet_id.max(number.unwrap_or(0));
            id_prefix = Some(prefix);
            sheets.push(ListedSheet {
                is_ours: sheet::is_ours(&name),
                part: relations.by_id(&id).map(|relation| relation.target.clone()),
                name,
                is_replaced: false,
            });
        }
        let namespace = namespace.ok_or(NotWellFormed)?;
        let relation_kinds = if namespace.starts_with(STRICT) {
            format!("{STRICT}officeDocument/relationships")
        } else {
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships".to_owned()
        };
        Ok(Self {
            name,
            text,
            relations,
            sheets,
            namespace,
            relation_kinds,
            id_prefix: id_prefix.ok_or(NotWellFormed)?,
            last_sheet_id,
            added: Vec::new(),
        })
    }

    /// A part in the workbook's folder.
    pub(super) fn beside(&self, file: &str) -> String {
        match self.name.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{file}"),
            None => file.to_owned(),
        }
    }

    /// Adds a sheet behind those that were added before and in front of all others.
    pub(super) fn add(&mut self, name: &str, relation_id: String) {
        self.added.push((self.unused(name), relation_id));
    }

    /// `lgdp findings (2)`, where somebody else's sheet has the name.
    fn unused(&self, name: &str) -> String {
        let is_taken = |name: &str| {
            self.sheets
                .iter()
                .any(|sheet| !sheet.is_replaced && sheet.name.to_lowercase() == name)
        };
        if !is_taken(name) {
            return name.to_owned();
        }
        (2..=u32::MAX)
            .map(|n| format!("{name} ({n})"))
            .find(|name| !is_taken(name))
            .unwrap_or_default()
    }

    pub(super) fn written(mut self) -> Result<Added, NotWellFormed> {
        let mut edits = Edits::default();
        let mut sheet_idx = 0;
        let mut tags = Tags::of(&self.text);
        while let Some(tag) = tags.next()? {
            if !tag.opens() {
                continue;
            }
            match (tag.depth, tag.local()) {
                (1, "sheets") if tag.kind == Kind::Start => {
                    edits.insert(tag.at.end, self.listed(tag.prefix()));
                }
                (2, "sheet") => {
                    if self.sheets[sheet_idx].is_replaced {
                        let end = tags.skip(&tag)?.end;
                        edits.replace(tag.at.start..end, "");
                    }
                    sheet_idx += 1;
                }
                // Without these the first tab is the first to be seen and the active one.
                (2, "workbookView") => edits.replace(
                    tag.at.clone(),
                    tag.with(&[("activeTab", None), ("firstSheet", None)]),
                ),
                (2, "definedName") => {
                    let Some(local) = tag.get("localSheetId") else {
                        continue;
                    };
                    match local.trim().parse().ok().and_then(|idx| self.moved(idx)) {
                        Some(idx) => edits.replace(
                            tag.at.clone(),
                            tag.with(&[("localSheetId", Some(&idx.to_string()))]),
                        ),
                        None => {
                            let end = tags.skip(&tag)?.end;
                            edits.replace(tag.at.start..end, "");
                        }
                    }
                }
                _ => {}
            }
        }
        let text = edits.apply(&self.text);
        let dropped: Vec<String> = self
            .sheets
            .iter()
            .filter(|sheet| sheet.is_replaced)
            .filter_map(|sheet| sheet.part.clone())
            .collect();
        self.relations.drop_to(&dropped);
        Ok(Added {
            text,
            relations: self.relations,
            dropped,
        })
    }

    fn listed(&self, p: &str) -> String {
        let r = &self.id_prefix;
        let mut listed = String::new();
        for (sheet_id, (name, relation_id)) in (self.last_sheet_id + 1..).zip(&self.added) {
            let name = escape(name);
            let _ = write!(
                listed,
                "<{p}sheet name=\"{name}\" sheetId=\"{sheet_id}\" {r}id=\"{relation_id}\"/>"
            );
        }
        listed
    }

    /// The place of a sheet among the new ones; `None` for one that is gone.
    fn moved(&self, idx: usize) -> Option<usize> {
        let sheet = self.sheets.get(idx)?;
        let before = self.sheets[..idx].iter().filter(|sheet| !sheet.is_replaced);
        (!sheet.is_replaced).then(|| self.added.len() + before.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workbook(text: &str) -> WorkbookPart {
        let rels = "<Relationships><Relationship Id=\"rId1\" Type=\"a/worksheet\" Target=\"worksheets/a.xml\"/><Relationship Id=\"rId2\" Type=\"a/worksheet\" Target=\"worksheets/b.xml\"/></Relationships>";
        let relations = Relations::read("xl/workbook.xml", Some(rels.to_owned())).unwrap();
        WorkbookPart::read("xl/workbook.xml".to_owned(), text.to_owned(), relations).unwrap()
    }

    #[test]
    fn a_sheet_is_added_in_front_and_what_counts_sheets_is_moved_on() {
        let text = "<x:workbook xmlns:x=\"http://purl.oclc.org/ooxml/spreadsheetml/main\" xmlns:q=\"r\"><x:bookViews><x:workbookView firstSheet=\"1\" activeTab=\"1\" xWindow=\"0\"/></x:bookViews><x:sheets><x:sheet name=\"A\" sheetId=\"4\" q:id=\"rId1\"/><x:sheet name=\"LGDP findings\" sheetId=\"7\" q:id=\"rId2\"/></x:sheets><x:definedNames><x:definedName name=\"a\" localSheetId=\"1\">'LGDP findings'!$A$1</x:definedName><x:definedName name=\"b\">A!$A$1</x:definedName></x:definedNames></x:workbook>";
        let mut part = workbook(text);
        assert_eq!(
            part.relation_kinds,
            "http://purl.oclc.org/ooxml/officeDocument/relationships"
        );
        assert!(part.sheets[1].is_ours);
        part.add("lgdp findings", "rId9".to_owned());
        let added = part.written().unwrap();
        assert_eq!(
            added.text,
            text.replace("firstSheet=\"1\" activeTab=\"1\" ", "")
                .replace(
                    "<x:sheets>",
                    "<x:sheets><x:sheet name=\"lgdp findings (2)\" sheetId=\"8\" q:id=\"rId9\"/>"
                )
                .replace("localSheetId=\"1\"", "localSheetId=\"2\"")
        );
    }

    #[test]
    fn a_sheet_of_ours_gives_way_with_its_names() {
        let text = "<workbook xmlns=\"n\"><sheets><sheet name=\"lgdp findings\" sheetId=\"4\" r:id=\"rId1\"/><sheet name=\"B\" sheetId=\"7\" r:id=\"rId2\"/></sheets><definedNames><definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"0\">x</definedName><definedName name=\"b\" localSheetId=\"1\">B!$A$1</definedName></definedNames></workbook>";
        let mut part = workbook(text);
        part.sheets[0].is_replaced = true;
        part.add("lgdp findings", "rId8".to_owned());
        part.add("lgdp overview", "rId9".to_owned());
        let added = part.written().unwrap();
        assert_eq!(
            added.text,
            "<workbook xmlns=\"n\"><sheets><sheet name=\"lgdp findings\" sheetId=\"8\" r:id=\"rId8\"/><sheet name=\"lgdp overview\" sheetId=\"9\" r:id=\"rId9\"/><sheet name=\"B\" sheetId=\"7\" r:id=\"rId2\"/></sheets><definedNames><definedName name=\"b\" localSheetId=\"2\">B!$A$1</definedName></definedNames></workbook>"
        );
        assert_eq!(added.dropped, ["xl/worksheets/a.xml"]);
        assert!(added.relations.by_id("rId1").is_none());
    }
}
