//! Zip-based workbooks: every part is inflated, counted and checked before a reader sees the file.

use std::borrow::Cow;
use std::io::{Cursor, Read, Write};

use memchr::memmem;
use quick_xml::events::Event;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::blocks::{Blocks, unreadable};
use crate::{Format, Limits, Refusal, Remark, records, worksheet};

/// A zip archive that is known to be whole, within the limits and free of what readers trip over.
pub(crate) struct Package<'b> {
    pub(crate) format: Format,
    /// The file, or a copy with some worksheets mended.
    pub(crate) bytes: Cow<'b, [u8]>,
    pub(crate) remarks: Vec<Remark>,
    /// Has an Excel worksheet that takes long to read.
    pub(crate) is_large: bool,
    /// In lower case.
    names: Vec<String>,
}

/// What checking the parts brought to light.
#[derive(Default)]
struct Checked {
    /// The mended content of the parts that need it, by index.
    mended: Vec<(usize, Vec<u8>)>,
    n_hidden_rows: usize,
}

pub(crate) type Archive<'b> = ZipArchive<Cursor<&'b [u8]>>;

/// A worksheet of so many bytes is a large one.
const LARGE: u64 = 1_000_000;

pub(crate) fn open<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Package<'b>, Refusal> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refusal::cut_off())?;
    if archive.len() > limits.parts {
        return Err(Refusal::too_many_parts(limits.parts));
    }
    let names = check_directory(&mut archive, limits)?;
    let format = find_format(&mut archive, &names)?;
    // Encrypted parts are named in the manifest; the parts themselves look like noise.
    let manifest = "META-INF/manifest.xml";
    if format == Format::Ods
        && archive.index_for_name(manifest).is_some()
        && head(&mut archive, manifest)?.contains("encryption-data")
    {
        return Err(Refusal::password());
    }
    let Checked {
        mended,
        n_hidden_rows,
    } = check_parts(&mut archive, &names, limits)?;
    let bytes = if mended.is_empty() {
        Cow::Borrowed(bytes)
    } else {
        Cow::Owned(replace(&mut archive, &mended).map_err(|_| broken_file())?)
    };
    let mut is_large = false;
    for idx in worksheets(&names) {
        let part = archive.by_index_data(idx).map_err(|_| broken_file())?;
        is_large |= part.size() >= LARGE;
    }
    Ok(Package {
        format,
        bytes,
        remarks: remarks(&names, n_hidden_rows),
        is_large,
        names,
    })
}

const SHARED_TEXTS: &str = "xl/sharedstrings.xml";

/// The places of an Excel workbook's worksheets among its parts.
fn worksheets(names: &[String]) -> impl Iterator<Item = usize> + '_ {
    (0..names.len())
        .filter(|&idx| names[idx].starts_with("xl/worksheets/") && has_ending(&names[idx], "xml"))
}

impl Package<'_> {
    pub(crate) fn archive(&self) -> Result<Archive<'_>, Refusal> {
        ZipArchive::new(Cursor::new(&*self.bytes)).map_err(|_| Refusal::cut_off())
    }

    /// The places of an Excel workbook's worksheets among the parts.
    pub(crate) fn worksheets(&self) -> impl Iterator<Item = usize> + '_ {
        worksheets(&self.names)
    }

    /// The place of the shared texts; `Err` where there is more than one part that may be it.
    pub(crate) fn shared_texts(&self) -> Result<Option<usize>, ()> {
        let is_one = |idx: &usize| self.names[*idx].ends_with("sharedstrings.xml");
        let mut some = (0..self.names.len()).filter(is_one);
        match (some.next(), some.next()) {
            (None, _) => Ok(None),
            (Some(idx), None) if self.names[idx] == SHARED_TEXTS => Ok(Some(idx)),
            _ => Err(()),
        }
    }

    /// A part's text, where there is such a part.
    pub(crate) fn text_of(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(idx) = self.names.iter().position(|known| known == name) else {
            return Ok(None);
        };
        let mut archive = self.archive()?;
        let mut text = String::new();
        let mut part = archive.by_index(idx).map_err(|_| broken_file())?;
        part.read_to_string(&mut text).map_err(unreadable)?;
        Ok(Some(text))
    }

    /// A copy of the file with other content in some of its parts.
    pub(crate) fn with(&self, parts: &[(usize, Vec<u8>)]) -> Result<Vec<u8>, Refusal> {
        replace(&mut self.archive()?, parts).map_err(|_| broken_file())
    }
}

fn broken_file() -> Refusal {
    Refusal::broken("The file")
}

/// The parts' names in lower case, as readers compare them. What the directory declares is within the limits.
fn check_directory(archive: &mut Archive<'_>, limits: &Limits) -> Result<Vec<String>, Refusal> {
    if archive.has_duplicate_names() {
        return Err(Refusal::part_twice());
    }
    if archive.has_overlapping_files().map_err(|_| broken_file())? {
        return Err(Refusal::expands_too_far());
    }
    let mut names = Vec::with_capacity(archive.len());
    let mut declared: u64 = 0;
    for idx in 0..archive.len() {
        let part = archive.by_index_data(idx).map_err(|_| broken_file())?;
        if part.encrypted() {
            return Err(Refusal::password());
        }
        declared = declared.saturating_add(part.size());
        if part.size() > limits.part_bytes || declared > limits.total_bytes {
            return Err(Refusal::expands_too_far());
        }
        let name = part.name().map_err(|_| broken_file())?;
        names.push(name.replace('\\', "/").to_lowercase());
    }
    let mut sorted: Vec<_> = names.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|w| w[0] == w[1]) {
        return Err(Refusal::part_twice());
    }
    Ok(names)
}

fn find_format(archive: &mut Archive<'_>, names: &[String]) -> Result<Format, Refusal> {
    let has = |name: &str| names.iter().any(|n| n == name);
    let under = |folder: &str| names.iter().any(|n| n.starts_with(folder));
    if has("mimetype") {
        return match head(archive, "mimetype")?.as_str() {
            "application/vnd.oasis.opendocument.spreadsheet"
            | "application/vnd.oasis.opendocument.spreadsheet-template" => Ok(Format::Ods),
            "application/vnd.oasis.opendocument.text" => {
                Err(Refusal::not_a_spreadsheet("a text document"))
            }
            _ => Err(Refusal::not_a_spreadsheet("a document of another kind")),
        };
    }
    if has("xl/workbook.bin") {
        return Ok(Format::Xlsb);
    }
    if has("xl/workbook.xml") {
        return Ok(Format::Xlsx);
    }
    if has("[content_types].xml") {
        let types = head(archive, "[Content_Types].xml")?;
        if types.contains("spreadsheetml") || types.contains("ms-excel.sheet.macroEnabled") {
            return Ok(Format::Xlsx);
        }
    }
    Err(if under("word/") {
        Refusal::not_a_spreadsheet("a Word document")
    } else if under("ppt/") {
        Refusal::not_a_spreadsheet("a PowerPoint presentation")
    } else if under("index/") || has("index.zip") {
        Refusal::other_format("a workbook of Apple Numbers (or another Apple document)")
    } else if names
        .iter()
        .any(|n| matches!(n.rsplit_once('.'), Some((_, "xlsx" | "xls" | "csv"))))
    {
        Refusal::not_a_spreadsheet("a zip archive with files in it")
    } else {
        Refusal::not_a_spreadsheet("a zip archive")
    })
}

/// The start of a part as text.
fn head(archive: &mut Archive<'_>, name: &str) -> Result<String, Refusal> {
    let part = archive.by_name(name).map_err(|_| broken_file())?;
    let mut bytes = Vec::new();
    part.take(100_000)
        .read_to_end(&mut bytes)
        .map_err(|_| broken_file())?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// Inflates every part.
fn check_parts(
    archive: &mut Archive<'_>,
    names: &[String],
    limits: &Limits,
) -> Result<Checked, Refusal> {
    let mut checked = Checked::default();
    let mut total: u64 = 0;
    for (idx, name) in names.iter().enumerate() {
        let part = archive.by_index(idx).map_err(|_| broken_file())?;
        // The zip reader stops a part that outgrows its declared size; what comes out is counted all the same.
        let allowed = limits.part_bytes.min(limits.total_bytes - total);
        let size = part.size();
        let (n_bytes, to_mend) = {
            let mut part = part.take(allowed + 1);
            if has_ending(name, "xml") || has_ending(name, "rels") {
                checked.xml(name, size, &mut part)?
            } else {
                checked.other(idx, name, &mut part)?
            }
        };
        total += n_bytes;
        if n_bytes > allowed {
            return Err(Refusal::expands_too_far());
        }
        if to_mend {
            let mut xml = String::new();
            let mut part = archive.by_index(idx).map_err(|_| broken_file())?;
            part.read_to_string(&mut xml).map_err(unreadable)?;
            let mended = worksheet::mend(&xml).unwrap_or(xml);
            checked.mended.push((idx, mended.into_bytes()));
        }
    }
    Ok(checked)
}

impl Checked {
    /// Looks at XML while it is inflated; how many bytes it has, and whether it needs mending.
    fn xml(&mut self, name: &str, size: u64, part: &mut impl Read) -> Result<(u64, bool), Refusal> {
        // No tag, address or text that is looked for goes on after the end of a row or shared text.
        let end_tag = if name.ends_with("sharedstrings.xml") {
            "</si>"
        } else {
            "</row>"
        };
        let mut blocks = Blocks::new(part, end_tag);
        let mut look = Look::new(name, size);
        while let Some(block) = blocks.next()? {
            look.at(block)?;
        }
        look.at(blocks.rest()?)?;
        self.n_hidden_rows += look.n_hidden_rows;
        Ok((blocks.n_bytes(), look.to_mend))
    }

    fn other(
        &mut self,
        idx: usize,
        name: &str,
        part: &mut impl Read,
    ) -> Result<(u64, bool), Refusal> {
        let mut content = Vec::new();
        // The reader compares the check sum at the part's end.
        part.read_to_end(&mut content).map_err(unreadable)?;
        if name.starts_with("xl/worksheets/sheet") && has_ending(name, "bin") {
            let seen = records::mend(&content)?;
            self.n_hidden_rows += seen.n_hidden_rows;
            self.mended.extend(seen.mended.map(|part| (idx, part)));
        }
        Ok((content.len() as u64, false))
    }
}

/// What is seen of a part's XML, block after block.
struct Look<'n> {
    name: &'n str,
    size: u64,
    is_first: bool,
    has_cells: bool,
    n_hidden_rows: usize,
    to_mend: bool,
}

impl<'n> Look<'n> {
    fn new(name: &'n str, size: u64) -> Self {
        Self {
            name,
            size,
            is_first: true,
            has_cells: false,
            n_hidden_rows: 0,
            to_mend: false,
        }
    }

    fn at(&mut self, xml: &str) -> Result<(), Refusal> {
        refuse_doctype(xml)?;
        if std::mem::take(&mut self.is_first) && self.name.ends_with("sharedstrings.xml") {
            check_shared_strings(xml, self.size)?;
        }
        self.has_cells = self.has_cells || worksheet::has_cells(xml);
        if self.has_cells {
            worksheet::check_places(xml)?;
        }
        self.n_hidden_rows += worksheet::count_hidden_rows(xml);
        self.to_mend = self.to_mend || worksheet::mend(xml).is_some();
        Ok(())
    }
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, e)| e == ending)
}

fn refuse_doctype(xml: &str) -> Result<(), Refusal> {
    let is_doctype = |at: usize| {
        xml.as_bytes()[at..]
            .get(..9)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"<!doctype"))
    };
    if memmem::find_iter(xml.as_bytes(), "<!").any(is_doctype) {
        return Err(Refusal::doctype());
    }
    Ok(())
}

/// A reader makes room for as many texts as the header promises; each takes five bytes at the least.
fn check_shared_strings(xml: &str, size: u64) -> Result<(), Refusal> {
    let broken = || Refusal::broken("The list of texts in the file");
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "sst" => {
                for attribute in tag.attributes().with_checks(false).flatten() {
                    let promised = attribute.value.trim().parse::<u64>();
                    if attribute.key.as_ref() == "uniqueCount"
                        && promised.is_ok_and(|promised| promised > size / 5)
                    {
                        return Err(broken());
                    }
                }
                return Ok(());
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn replace(
    archive: &mut Archive<'_>,
    mended: &[(usize, Vec<u8>)],
) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    for idx in 0..archive.len() {
        let Some((_, content)) = mended.iter().find(|(mended_idx, _)| *mended_idx == idx) else {
            copy.raw_copy_file(archive.by_index_raw(idx)?)?;
            continue;
        };
        let name = archive.by_index_data(idx)?.name()?.into_owned();
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        copy.start_file(name, stored)?;
        copy.write_all(content)?;
    }
    Ok(copy.finish()?.into_inner())
}

fn remarks(names: &[String], n_hidden_rows: usize) -> Vec<Remark> {
    let holds = |what: &str| names.iter().any(|n| n.contains(what));
    let mut remarks = Vec::new();
    if holds("vbaproject.bin") || holds("macrosheets/") || holds("basic/script-lc.xml") {
        remarks.push(remark_on_macros());
    }
    if holds("/externallinks/") {
        remarks.push(Remark {
            rule: "file.links-ignored",
            message:
                "The workbook has links to other files. Their last saved values were read, the links were not followed."
                    .to_owned(),
            fix: "Check that the linked values are up to date.".to_owned(),
        });
    }
    if holds("/pivotcache/") {
        remarks.push(Remark {
            rule: "file.pivot-ignored",
            message:
                "The workbook has a pivot table, which may hold a hidden copy of all its source data. It was not read."
                    .to_owned(),
            fix: "Check that the source holds no personal data that you did not mean to send; if it does, delete the pivot table and upload again."
                .to_owned(),
        });
    }
    remarks.extend(remark_on_hidden_rows(n_hidden_rows));
    remarks
}

pub(crate) fn remark_on_hidden_rows(n_hidden_rows: usize) -> Option<Remark> {
    (n_hidden_rows > 0).then(|| Remark {
        rule: "file.hidden-rows",
        message: format!(
            "The workbook has hidden or filtered rows ({n_hidden_rows}). They were read like all others."
        ),
        fix: "Show all rows and check that they are meant to be part of the return.".to_owned(),
    })
}

pub(crate) fn remark_on_macros() -> Remark {
    Remark {
        rule: "file.macros-ignored",
        message: "The workbook has macros. They were not run and are not kept with the data."
            .to_owned(),
        fix: "Nothing to do; save the workbook as .xlsx if you want to send it without macros."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Parts;
    use crate::{Limits, read};

    const ROW: &str = "<row><c r=\"A1\"><v>1</v></c></row>";

    fn rule_within(parts: &Parts, limits: &Limits) -> &'static str {
        match parts.read_within(limits) {
            Ok(_) => "read",
            Err(refusal) => refusal.rule,
        }
    }

    #[test]
    fn a_cut_off_archive_is_incomplete_and_a_flipped_bit_damage() {
        let bytes = Parts::xlsx(ROW)
            .with("xl/media/a.bin", &"x".repeat(5_000))
            .zip();
        assert!(read(&bytes, "a.xlsx", &Limits::default()).is_ok());
        let cut = read(&bytes[..bytes.len() / 2], "a.xlsx", &Limits::default());
        assert_eq!(cut.unwrap_err().rule, "file.cut-off");
        // In a part that no reader looks at: its end is found before its name in the directory.
        let name = b"xl/media/a.bin";
        let at = bytes.windows(name.len()).position(|w| w == name).unwrap() + name.len();
        let mut flipped = bytes.clone();
        flipped[at + 6] ^= 1;
        let refusal = read(&flipped, "a.xlsx", &Limits::default()).unwrap_err();
        assert_eq!(refusal.rule, "file.broken");
    }

    #[test]
    fn sizes_are_held_to_the_limits_whatever_is_declared() {
        let parts = Parts::xlsx(ROW).with("xl/media/a.bin", &"x".repeat(50_000));
        let limits = |part_bytes, total_bytes, parts| Limits {
            parts,
            part_bytes,
            total_bytes,
            ..Limits::default()
        };
        assert_eq!(rule_within(&parts, &limits(50_000, 60_000, 7)), "read");
        assert_eq!(
            rule_within(&parts, &limits(49_999, 60_000, 7)),
            "file.expands-too-far"
        );
        assert_eq!(
            rule_within(&parts, &limits(50_000, 50_500, 7)),
            "file.expands-too-far"
        );
        assert_eq!(
            rule_within(&parts, &limits(50_000, 60_000, 6)),
            "file.too-many-parts"
        );
        // The directory's entry says 5 bytes where 50,000 come out.
        let mut bytes = parts.zip();
        let declared = 50_000_u32.to_le_bytes();
        let at = bytes.windows(4).rposition(|w| w == declared).unwrap();
        bytes[at..at + 4].copy_from_slice(&5_u32.to_le_bytes());
        let refusal = read(&bytes, "a.xlsx", &limits(20_000, 60_000, 7)).unwrap_err();
        assert_eq!(refusal.rule, "file.broken");
    }

    #[test]
    fn a_promise_of_more_texts_than_the_part_can_hold_is_refused() {
        let strings = |promised: &str| {
            Parts::xlsx(ROW).with(
                "xl/sharedStrings.xml",
                &format!("<!-- <sst> --><sst uniqueCount=\"{promised}\"><si><t>uniqueCount=\"99999999\"</t></si></sst>"),
            )
        };
        assert_eq!(strings("1").shown(), "A1=1");
        assert_eq!(strings("4294967295").shown(), "file.broken");
        assert_eq!(strings("1000").shown(), "file.broken");
    }

    #[test]
    fn a_doctype_is_refused_in_any_part() {
        for name in [
            "xl/worksheets/sheet1.xml",
            "docProps/app.xml",
            "_rels/.rels",
        ] {
            let parts = Parts::xlsx(ROW).with(name, "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>");
            assert_eq!(parts.shown(), "file.doctype", "{name}");
        }
    }

    #[test]
    fn parts_of_one_name_are_refused() {
        let parts = Parts::xlsx(ROW).with("XL/Worksheets/Sheet1.xml", "<worksheet/>");
        assert_eq!(parts.shown(), "file.part-twice");
        // The same name twice in the directory, which the writer of these tests can't make by itself.
        let mut bytes = Parts::xlsx(ROW)
            .with("xl/worksheets/sheet2.xml", "<a/>")
            .zip();
        let (from, to) = (b"xl/worksheets/sheet2.xml", b"xl/worksheets/sheet1.xml");
        while let Some(at) = bytes.windows(from.len()).position(|w| w == from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
        let refusal = read(&bytes, "a.xlsx", &Limits::default()).unwrap_err();
        assert_eq!(refusal.rule, "file.part-twice");
    }

    #[test]
    fn encrypted_and_overlapping_parts_are_refused() {
        let bytes = Parts::xlsx(ROW).zip();
        // Where the directory's entries start: flags follow at 8, the part's place at 42.
        let entries: Vec<usize> = bytes
            .windows(4)
            .enumerate()
            .filter_map(|(at, w)| (w == b"PK\x01\x02").then_some(at))
            .collect();
        let rule = |bytes: &[u8]| read(bytes, "a.xlsx", &Limits::default()).unwrap_err().rule;
        let mut encrypted = bytes.clone();
        encrypted[entries[0] + 8] |= 1;
        assert_eq!(rule(&encrypted), "file.password");
        let mut overlapping = bytes.clone();
        let place = bytes[entries[1] + 42..entries[1] + 46].to_vec();
        overlapping[entries[2] + 42..entries[2] + 46].copy_from_slice(&place);
        assert_eq!(rule(&overlapping), "file.expands-too-far");
    }

    #[test]
    fn archives_of_other_programs_are_named() {
        for (name, rule, named) in [
            (
                "word/document.xml",
                "file.not-a-spreadsheet",
                "a Word document",
            ),
            (
                "ppt/presentation.xml",
                "file.not-a-spreadsheet",
                "a PowerPoint presentation",
            ),
            ("Index/Document.iwa", "file.other-format", "Apple Numbers"),
            (
                "return.xlsx",
                "file.not-a-spreadsheet",
                "a zip archive with files in it",
            ),
            ("a.txt", "file.not-a-spreadsheet", "a zip archive,"),
        ] {
            let refusal = Parts::empty().with(name, "x").read().unwrap_err();
            assert_eq!(refusal.rule, rule, "{name}");
            assert!(refusal.message.contains(named), "{}", refusal.message);
        }
    }

    #[test]
    fn macros_links_and_pivot_tables_are_remarked_on() {
        let workbook = Parts::xlsx(ROW)
            .with("xl/vbaProject.bin", "x")
            .with("xl/externalLinks/externalLink1.xml", "<externalLink/>")
            .with("xl/pivotCache/pivotCacheRecords1.xml", "<a/>")
            .read()
            .unwrap();
        let rules: Vec<_> = workbook.remarks.iter().map(|remark| remark.rule).collect();
        assert_eq!(
            rules,
            [
                "file.macros-ignored",
                "file.links-ignored",
                "file.pivot-ignored"
            ]
        );
        let hidden = Parts::xlsx(&ROW.replace("<row>", "<row hidden=\"1\">"))
            .read()
            .unwrap();
        assert_eq!(hidden.remarks[0].rule, "file.hidden-rows");
    }
}
