//! Which part of an Excel workbook is which, as its relations say.
//!
//! The readers take some parts to stand where Excel puts them. Other programs may put them elsewhere,
//! and without its styles a workbook's dates would be read as numbers.

use quick_xml::events::{BytesStart, Event};

/// Where a workbook's list of sheets is, and what is told relative to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Main {
    /// `xl/`, in lower case as all names here.
    pub(crate) folder: String,
    /// `workbook.xml`
    pub(crate) file: String,
}

impl Main {
    /// `relations` is the package's own list.
    pub(crate) fn of(relations: &str) -> Option<Self> {
        let mut main = None;
        each_tag(relations, "Relationship", |tag| {
            let kind = attribute(tag, "Type").unwrap_or_default();
            if kind.ends_with("/officeDocument") {
                main = attribute(tag, "Target");
            }
        });
        let path = main?.trim_start_matches('/').to_lowercase();
        let (folder, file) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
        Some(Self {
            folder: folder.to_owned(),
            file: file.to_owned(),
        })
    }

    /// Where Excel puts a binary workbook.
    pub(crate) fn binary() -> Self {
        Self {
            file: "workbook.bin".to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("{}{}", self.folder, self.file)
    }

    /// The list of what the workbook is made of.
    pub(crate) fn relations(&self) -> String {
        format!("{}_rels/{}.rels", self.folder, self.file)
    }

    /// A part's name by what a relation of the workbook calls it.
    pub(crate) fn target(&self, target: &str) -> String {
        let path = match target.strip_prefix('/') {
            Some(from_root) => from_root.to_owned(),
            None => format!("{}{target}", self.folder),
        };
        path.to_lowercase()
    }

    /// Parts that a reader looks for under another name than the workbook's own `relations` give them, each with that name.
    pub(crate) fn misplaced(&self, relations: &str) -> Vec<(String, String)> {
        let ending = self.file.rsplit('.').next().unwrap_or_default();
        let mut misplaced = Vec::new();
        each_tag(relations, "Relationship", |tag| {
            let of = |name| attribute(tag, name).unwrap_or_default();
            let expected = match of("Type").rsplit('/').next() {
                Some("sharedStrings") => format!("{}sharedstrings.{ending}", self.folder),
                Some("styles") => format!("{}styles.{ending}", self.folder),
                _ => return,
            };
            let stands = self.target(&of("Target"));
            if stands != expected {
                misplaced.push((stands, expected));
            }
        });
        misplaced
    }
}

impl Default for Main {
    fn default() -> Self {
        Self {
            folder: "xl/".to_owned(),
            file: "workbook.xml".to_owned(),
        }
    }
}

pub(crate) fn each_tag(xml: &str, name: &str, mut visit: impl FnMut(&BytesStart<'_>)) {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) if tag.local_name().as_ref() == name => {
                visit(&tag);
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

pub(crate) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    let value = quick_xml::escape::unescape(&attribute.value).ok()?;
    Some(value.into_owned())
}

#[cfg(test)]
mod tests {
    use handmade::Parts;

    use super::*;
    use crate::fixture::Reading as _;

    const ROW: &str =
        "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" s=\"1\"><v>46127</v></c></row>";
    const TEXTS: &str = "<sst uniqueCount=\"1\"><si><t>a</t></si></sst>";

    #[test]
    fn the_workbook_is_where_the_package_says() {
        let relations = "<Relationships><Relationship Type=\"http://x/core-properties\" Target=\"docProps/core.xml\"/><Relationship Type=\"http://x/officeDocument\" Target=\"/Wtf/Workbook.bin\"/></Relationships>";
        let main = Main::of(relations).unwrap();
        assert_eq!(main.path(), "wtf/workbook.bin");
        assert_eq!(main.relations(), "wtf/_rels/workbook.bin.rels");
        assert_eq!(
            main.target("worksheets/Sheet1.bin"),
            "wtf/worksheets/sheet1.bin"
        );
        assert_eq!(main.target("/other/sheet1.bin"), "other/sheet1.bin");
        assert_eq!(Main::of("<Relationships/>"), None);
    }

    /// A workbook whose styles and texts stand elsewhere than Excel puts them.
    fn misplaced() -> Parts {
        let related = |kind: &str, target: &str| {
            format!(
                "<Relationship Id=\"{kind}\" Type=\"http://x/{kind}\" Target=\"{target}\"/></Relationships>"
            )
        };
        let relations = "xl/_rels/workbook.xml.rels";
        Parts::xlsx(ROW)
            .changed(
                relations,
                "</Relationships>",
                &related("styles", "formats/S.xml"),
            )
            .changed(
                relations,
                "</Relationships>",
                &related("sharedStrings", "/texts.xml"),
            )
            .renamed("xl/styles.xml", "xl/formats/s.xml")
            .with("texts.xml", TEXTS)
    }

    #[test]
    fn styles_and_texts_are_read_from_where_they_are() {
        let expected = "A1=\"a\", B1=2026-04-15 00:00:00";
        assert_eq!(misplaced().shown(), expected);
        // What stands in their place belongs to no one.
        let with_others = misplaced()
            .with("xl/styles.xml", "<styleSheet/>")
            .with("xl/sharedStrings.xml", &TEXTS.replace('a', "b"));
        assert_eq!(with_others.shown(), expected);
        let gone = misplaced().without("texts.xml");
        assert_eq!(gone.shown(), "file.broken");
    }

    #[test]
    fn a_workbook_in_another_folder_is_looked_at_all_the_same() {
        let mut parts = misplaced()
            .changed("_rels/.rels", "xl/workbook.xml", "w/book.xml")
            .changed("xl/worksheets/sheet1.xml", "<row", "<row hidden=\"1\"");
        for (from, to) in [
            ("xl/workbook.xml", "w/book.xml"),
            ("xl/_rels/workbook.xml.rels", "w/_rels/book.xml.rels"),
            ("xl/worksheets/sheet1.xml", "w/worksheets/sheet1.xml"),
            ("xl/formats/s.xml", "w/formats/s.xml"),
        ] {
            parts = parts.renamed(from, to);
        }
        parts = parts.with(
            "[Content_Types].xml",
            "<Types><Override PartName=\"/w/book.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>",
        );
        let workbook = parts.read().unwrap();
        assert_eq!(
            crate::fixture::show(&workbook.sheets[0]),
            "A1=\"a\", B1=2026-04-15 00:00:00"
        );
        assert_eq!(workbook.remarks[0].rule, "file.hidden-rows");
    }

    #[test]
    fn a_binary_workbook_in_another_folder_is_read() {
        let cells = [
            handmade::xlsb::row(0),
            handmade::xlsb::cell(5, 0, 1, &46_127_f64.to_le_bytes()),
        ];
        let mut parts = Parts::xlsb(&cells)
            .with(
                "_rels/.rels",
                "<Relationships><Relationship Id=\"rId1\" Type=\"http://x/officeDocument\" Target=\"w/workbook.bin\"/></Relationships>",
            )
            .with(
                "[Content_Types].xml",
                "<Types><Override PartName=\"/w/workbook.bin\" ContentType=\"application/vnd.ms-excel.sheet.binary.macroEnabled.main\"/></Types>",
            );
        for name in [
            "workbook.bin",
            "_rels/workbook.bin.rels",
            "worksheets/sheet1.bin",
            "styles.bin",
        ] {
            parts = parts.renamed(&format!("xl/{name}"), &format!("w/{name}"));
        }
        assert_eq!(parts.shown(), "A1=2026-04-15 00:00:00");
    }
}
