//! The parts of an Excel workbook, for whoever gives it back with some of them changed.
//!
//! What is not changed is copied as it was packed, byte for byte.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::{Format, Limits, Refusal, kind, package};

/// A workbook whose parts were all seen to be whole and within the limits.
///
/// Parts are known by their names as the package's format compares them: without a slash before them, whatever their case.
pub struct Parts<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    /// Index by name in lower case.
    idxs: BTreeMap<String, usize>,
    part_bytes: u64,
}

/// What becomes of a part in the copy.
enum PartChange<'c> {
    Drop,
    /// Takes its place, or is added.
    Put(String),
    /// Made of the part's text when its turn comes, so that only one part at a time is in memory.
    Edit(Box<dyn FnOnce(&str) -> String + 'c>),
}

/// The changes by part name.
#[derive(Default)]
pub struct PartChanges<'c>(BTreeMap<String, (String, PartChange<'c>)>);

impl<'c> PartChanges<'c> {
    pub fn put(&mut self, name: &str, content: String) {
        self.insert(name, PartChange::Put(content));
    }

    pub fn edit(&mut self, name: &str, edit: impl FnOnce(&str) -> String + 'c) {
        self.insert(name, PartChange::Edit(Box::new(edit)));
    }

    pub fn drop(&mut self, name: &str) {
        self.insert(name, PartChange::Drop);
    }

    /// Whether a part is put under this name.
    pub fn puts(&self, name: &str) -> bool {
        matches!(self.0.get(&folded(name)), Some((_, PartChange::Put(_))))
    }

    fn insert(&mut self, name: &str, change: PartChange<'c>) {
        self.0.insert(folded(name), (name.to_owned(), change));
    }
}

impl<'b> Parts<'b> {
    /// `None`: a file of another format, which has no such parts.
    pub fn open(bytes: &'b [u8], limits: &Limits) -> Result<Option<Self>, Refusal> {
        if bytes.is_empty() {
            return Err(Refusal::empty());
        }
        if bytes.len() as u64 > limits.file_bytes {
            return Err(Refusal::too_large(limits.file_bytes));
        }
        if kind::sniff(bytes)? != kind::Kind::Zip
            || package::open(bytes, limits)?.format != Format::Xlsx
        {
            return Ok(None);
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
        let mut idxs = BTreeMap::new();
        for idx in 0..archive.len() {
            let part = archive.by_index_data(idx).map_err(|_| broken())?;
            idxs.insert(folded(&part.name().map_err(|_| broken())?), idx);
        }
        Ok(Some(Self {
            archive,
            idxs,
            part_bytes: limits.part_bytes,
        }))
    }

    /// In lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.idxs.keys().map(String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.idxs.contains_key(&folded(name))
    }

    /// The text of a part of the package's own kinds, which is UTF-8; `None` where there is no such part.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.idxs.get(&folded(name)) {
            Some(&idx) => self.text_at(idx).map(Some),
            None => Ok(None),
        }
    }

    /// As [`Parts::text`], of a part of another kind, with replacement characters for what is no UTF-8.
    pub fn text_lossy(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.idxs.get(&folded(name)) {
            Some(&idx) => {
                let bytes = self.bytes_at(idx)?;
                Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
            }
            None => Ok(None),
        }
    }

    fn text_at(&mut self, idx: usize) -> Result<String, Refusal> {
        String::from_utf8(self.bytes_at(idx)?).map_err(|_| broken())
    }

    fn bytes_at(&mut self, idx: usize) -> Result<Vec<u8>, Refusal> {
        let part = self.archive.by_index(idx).map_err(|_| broken())?;
        let mut bytes = Vec::new();
        part.take(self.part_bytes)
            .read_to_end(&mut bytes)
            .map_err(|_| broken())?;
        Ok(bytes)
    }

    /// The workbook with these changes, in the order of its parts; what is new stands at the end.
    pub fn copy_with(mut self, changes: PartChanges<'_>) -> Result<Vec<u8>, Refusal> {
        let PartChanges(mut changes) = changes;
        let mut names: Vec<(String, usize)> = std::mem::take(&mut self.idxs).into_iter().collect();
        names.sort_by_key(|(_, idx)| *idx);
        let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, idx) in names {
            match changes.remove(&name) {
                None => {
                    let part = self.archive.by_index_raw(idx).map_err(|_| broken())?;
                    copy.raw_copy_file(part).map_err(|_| broken())?;
                }
                Some((_, PartChange::Drop)) => {}
                Some((spelt, PartChange::Put(content))) => write(&mut copy, &spelt, &content)?,
                Some((spelt, PartChange::Edit(edit))) => {
                    write(&mut copy, &spelt, &edit(&self.text_at(idx)?))?;
                }
            }
        }
        for (spelt, change) in changes.into_values() {
            if let PartChange::Put(content) = change {
                write(&mut copy, &spelt, &content)?;
            }
        }
        let copy = copy.finish().map_err(|_| broken())?;
        Ok(copy.into_inner())
    }
}

fn write(copy: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, content: &str) -> Result<(), Refusal> {
    let large = content.len() as u64 >= u64::from(u32::MAX);
    copy.start_file(name, SimpleFileOptions::default().large_file(large))
        .and_then(|()| Ok(copy.write_all(content.as_bytes())?))
        .map_err(|_| broken())
}

fn folded(name: &str) -> String {
    name.replace('\\', "/")
        .trim_start_matches('/')
        .to_lowercase()
}

fn broken() -> Refusal {
    Refusal::broken("The file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use handmade::Parts as Fixture;

    const ROW: &str = "<row><c r=\"A1\"><v>1</v></c></row>";

    fn names(bytes: &[u8]) -> Vec<String> {
        let archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let names = archive.file_names().map(|name| name.unwrap().into_owned());
        names.collect()
    }

    #[test]
    fn parts_are_dropped_put_edited_and_the_others_copied_as_they_were_packed() {
        let bytes = Fixture::xlsx(ROW)
            .with("xl/media/a.bin", &"x".repeat(5_000))
            .with("xl/calcChain.xml", "<calcChain/>")
            .zip();
        let mut parts = Parts::open(&bytes, &Limits::default()).unwrap().unwrap();
        assert!(parts.has("XL/calcchain.xml"));
        assert_eq!(parts.text("xl/nothing.xml").unwrap(), None);
        let sheet = parts.text("/xl/Worksheets/sheet1.xml").unwrap().unwrap();
        assert!(sheet.contains("<v>1</v>"));
        let mut changes = PartChanges::default();
        changes.drop("xl/calcChain.xml");
        changes.put("xl/new.xml", "<new/>".to_owned());
        changes.edit("xl/worksheets/sheet1.xml", |xml| {
            xml.replace("<v>1", "<v>2")
        });
        let copy = parts.copy_with(changes).unwrap();
        let mut expected = names(&bytes);
        expected.retain(|name| name != "xl/calcChain.xml");
        expected.push("xl/new.xml".to_owned());
        assert_eq!(names(&copy), expected);
        let workbook = crate::read(&copy, "a.xlsx", &Limits::default()).unwrap();
        assert_eq!(crate::fixture::show(&workbook.sheets[0]), "A1=2");
        let packed = |bytes: &[u8]| {
            let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
            let idx = archive.index_for_name("xl/media/a.bin").unwrap();
            let mut packed = Vec::new();
            let mut part = archive.by_index_raw(idx).unwrap();
            part.read_to_end(&mut packed).unwrap();
            packed
        };
        assert!(packed(&copy).len() < 5_000);
        assert_eq!(packed(&copy), packed(&bytes));
    }

    #[test]
    fn only_a_sound_excel_workbook_has_parts() {
        let open = |bytes: &[u8]| match Parts::open(bytes, &Limits::default()) {
            Ok(parts) => parts.map_or("none", |_| "parts"),
            Err(refusal) => refusal.rule,
        };
        assert_eq!(open(&Fixture::xlsx(ROW).zip()), "parts");
        assert_eq!(open(&Fixture::ods("").zip()), "none");
        assert_eq!(open(b"a,b\n1,2\n"), "none");
        assert_eq!(open(b"%PDF-1.7"), "file.not-a-spreadsheet");
        assert_eq!(
            open(&Fixture::xlsx(ROW).with("a.xml", "<!DOCTYPE a><a/>").zip()),
            "file.doctype"
        );
    }
}
