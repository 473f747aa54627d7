//! Zip-based workbooks: every part is inflated, counted and checked before a reader sees the file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Cursor, Read, Write};

use encoding_rs::{UTF_16BE, UTF_16LE};
use memchr::{memmem, memrchr};
use quick_xml::escape::escape;
use quick_xml::events::Event;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::beside::Beside;
use crate::relations::Main;
use crate::worksheet::pieces::{self, Pieces};
use crate::worksheet::{self, Results, Seen};
use crate::{
    Format, Limits, Properties, Refusal, Remark, listing, properties, records, remarks, sheet_parts,
};

/// A zip archive that is known to be whole, within the limits and free of what readers trip over.
pub(crate) struct Package<'b> {
    pub(crate) format: Format,
    /// The file, or a copy with some worksheets mended.
    pub(crate) bytes: Cow<'b, [u8]>,
    pub(crate) remarks: Vec<Remark>,
    /// By the sheet's name; what Excel's XML says.
    pub(crate) beside: HashMap<String, Beside>,
    /// Every formula's result is nought, and the program that opens the file is asked to calculate it first.
    pub(crate) never_calculated: bool,
    /// Has a part that takes long to read.
    pub(crate) has_large: bool,
    pub(crate) properties: Properties,
}

/// The elements of workbooks from before there was a standard for them.
const TRIAL: &str = "http://schemas.microsoft.com/office/excel/2006/2";

/// What checking the parts brought to light.
#[derive(Default)]
struct Checked {
    /// The mended content of the parts that need it, by index.
    mended: Vec<(usize, Vec<u8>)>,
    n_hidden_rows: usize,
    /// By the part's name.
    beside: HashMap<String, Beside>,
    results: Results,
    has_large: bool,
    main: Main,
    /// The list of sheets, and what it is related to.
    workbook: String,
    relations: String,
    properties: Properties,
    /// Of a binary workbook: its sheets' names by their relations.
    listed: Vec<(String, String)>,
}

impl Checked {
    fn take(&mut self, name: &str, seen: Seen) {
        self.n_hidden_rows += seen.n_hidden_rows();
        if seen.beside != Beside::default() {
            self.beside
                .entry(name.to_owned())
                .or_default()
                .extend(seen.beside);
        }
        self.results = self.results.and(seen.results);
    }

    /// Looks at all of a part.
    fn whole(&mut self, idx: usize, name: &str, content: Vec<u8>) -> Result<(), Refusal> {
        let is_workbook = name == self.main.path();
        if has_ending(name, "xml") || has_ending(name, "rels") {
            let (xml, is_decoded) = decode(content)?;
            check_xml(name, &xml)?;
            self.properties.extend(properties::of_part(name, &xml));
            if is_workbook && xml.contains(TRIAL) {
                return Err(trial_workbook());
            }
            if worksheet::has_rows(&xml) {
                self.take(name, Seen::of(&xml));
            }
            let mended = worksheet::mend(&xml).or_else(|| listing::mend(name, &xml));
            let mended = mended.or_else(|| is_decoded.then(|| xml.clone()));
            self.mended
                .extend(mended.map(|xml| (idx, xml.into_bytes())));
            if is_workbook {
                self.workbook = xml;
            } else if name == self.main.relations() {
                self.relations = xml;
            }
        } else if name.contains("worksheets/sheet") && has_ending(name, "bin") {
            let seen = records::mend(&content)?;
            self.n_hidden_rows += seen.n_hidden_rows;
            self.beside.insert(name.to_owned(), seen.beside);
            self.mended.extend(seen.mended.map(|part| (idx, part)));
        } else if is_workbook {
            if records::lists_sheets_otherwise(&content) {
                return Err(trial_workbook());
            }
            self.listed = records::names_by_relation(&content);
        }
        Ok(())
    }

    fn by_sheet(&mut self) -> HashMap<String, Beside> {
        if self.beside.is_empty() {
            return HashMap::new();
        }
        let listed = std::mem::take(&mut self.listed);
        let mut names = if listed.is_empty() {
            sheet_parts::names_by_part(&self.main, &self.workbook, &self.relations)
        } else {
            sheet_parts::names_of(&self.main, listed, &self.relations)
        };
        self.beside
            .drain()
            .filter_map(|(part, beside)| Some((names.remove(&part)?, beside)))
            .collect()
    }

    fn never_calculated(&self) -> bool {
        self.results == Results::NoughtAtMost
            && (self.workbook.contains("fullCalcOnLoad=\"1\"")
                || self.workbook.contains("fullCalcOnLoad=\"true\""))
    }
}

pub(crate) type Archive<'b> = ZipArchive<Cursor<&'b [u8]>>;

pub(crate) fn open<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Package<'b>, Refusal> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refusal::cut_off())?;
    if archive.len() > limits.parts {
        return Err(Refusal::too_many_parts(limits.parts));
    }
    let names = check_directory(&mut archive, limits)?;
    let main = find_main(&mut archive, &names)?;
    let format = find_format(&mut archive, &names, &main)?;
    // Encrypted parts are named in the manifest; the parts themselves look like noise.
    let manifest = "META-INF/manifest.xml";
    if format == Format::Ods
        && archive.index_for_name(manifest).is_some()
        && head(&mut archive, manifest)?.contains("encryption-data")
    {
        return Err(Refusal::password());
    }
    let mut checked = check_parts(&mut archive, &names, main, limits)?;
    let new_names = new_names(&names, format, &checked);
    let bytes = if checked.mended.is_empty() && new_names.is_empty() {
        Cow::Borrowed(bytes)
    } else {
        let copy = replace(&mut archive, &checked.mended, &new_names);
        Cow::Owned(copy.map_err(|_| broken_file())?)
    };
    Ok(Package {
        format,
        bytes,
        remarks: remarks::of_parts(&names, checked.n_hidden_rows),
        never_calculated: checked.never_calculated(),
        has_large: checked.has_large,
        beside: checked.by_sheet(),
        properties: checked.properties,
    })
}

impl Package<'_> {
    pub(crate) fn archive(&self) -> Result<Archive<'_>, Refusal> {
        ZipArchive::new(Cursor::new(&*self.bytes)).map_err(|_| Refusal::cut_off())
    }

    /// The parts' names in lower case.
    pub(crate) fn names(&self) -> Result<Vec<String>, Refusal> {
        let archive = self.archive()?;
        (0..archive.len())
            .map(|idx| name_of(&archive, idx))
            .collect()
    }

    /// A copy of the file with other content in some of its parts.
    pub(crate) fn with(&self, parts: &[(usize, Vec<u8>)]) -> Result<Vec<u8>, Refusal> {
        replace(&mut self.archive()?, parts, &HashMap::new()).map_err(|_| broken_file())
    }
}

fn name_of(archive: &Archive<'_>, idx: usize) -> Result<String, Refusal> {
    let part = archive.by_index_data(idx).map_err(|_| broken_file())?;
    let name = part.name().map_err(|_| broken_file())?;
    Ok(name.replace('\\', "/").to_lowercase())
}

fn broken_file() -> Refusal {
    Refusal::broken("The file")
}

fn trial_workbook() -> Refusal {
    Refusal::other_format("a workbook of a trial version of Excel 2007")
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
        names.push(name_of(archive, idx)?);
    }
    let mut sorted: Vec<_> = names.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|w| w[0] == w[1]) {
        return Err(Refusal::part_twice());
    }
    Ok(names)
}

/// Where the workbook is; Excel's own place, unless the package says another.
fn find_main(archive: &mut Archive<'_>, names: &[String]) -> Result<Main, Refusal> {
    let of = |name: &str| names.iter().position(|n| n == name);
    if of("xl/workbook.bin").is_some() {
        return Ok(Main::binary());
    }
    match of("_rels/.rels") {
        Some(idx) if of("xl/workbook.xml").is_none() => {
            Ok(Main::of(&head_at(archive, idx)?).unwrap_or_default())
        }
        _ => Ok(Main::default()),
    }
}

fn find_format(
    archive: &mut Archive<'_>,
    names: &[String],
    main: &Main,
) -> Result<Format, Refusal> {
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
        if types.contains("ms-excel.sheet.binary") && has_ending(&main.file, "bin") {
            return Ok(Format::Xlsb);
        }
        if types.contains("spreadsheetml") || types.contains("ms-excel.sheet.macroEnabled") {
            return Ok(Format::Xlsx);
        }
    }
    // Some programs leave out the part that says what the archive is.
    if has("content.xml")
        && has("meta-inf/manifest.xml")
        && head(archive, "META-INF/manifest.xml")?.contains("opendocument.spreadsheet")
    {
        return Ok(Format::Ods);
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
    let idx = archive.index_for_name(name).ok_or_else(broken_file)?;
    head_at(archive, idx)
}

fn head_at(archive: &mut Archive<'_>, idx: usize) -> Result<String, Refusal> {
    let part = archive.by_index(idx).map_err(|_| broken_file())?;
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
    main: Main,
    limits: &Limits,
) -> Result<Checked, Refusal> {
    let mut checked = Checked {
        main,
        ..Checked::default()
    };
    let mut total: u64 = 0;
    for (idx, name) in names.iter().enumerate() {
        if is_empty(archive, idx)? {
            continue;
        }
        // The zip reader stops a part that outgrows its declared size; what comes out is counted all the same.
        let allowed = limits.part_bytes.min(limits.total_bytes - total);
        if let Some(kind) = pieces::Kind::of(name, &checked.main)
            && size_of(archive, idx)? >= limits.large_bytes
        {
            checked.has_large = true;
            let part = archive.by_index(idx).map_err(|_| broken_file())?;
            let pieces =
                Pieces::look(kind, part.take(allowed + 1)).map_err(|error| unreadable(&error))?;
            let n_bytes = pieces.n_bytes();
            if n_bytes > allowed {
                return Err(Refusal::expands_too_far());
            }
            if let Some(seen) = pieces.judge()? {
                total += n_bytes;
                checked.take(name, seen);
                continue;
            }
        }
        let part = archive.by_index(idx).map_err(|_| broken_file())?;
        let mut content = Vec::new();
        let read = part.take(allowed + 1).read_to_end(&mut content);
        total += content.len() as u64;
        if content.len() as u64 > allowed {
            return Err(Refusal::expands_too_far());
        }
        read.map_err(|error| unreadable(&error))?;
        checked.whole(idx, name, content)?;
    }
    Ok(checked)
}

/// Nothing packed to nothing: a few programs write a picture that they left out this way, which is no deflated part.
fn is_empty(archive: &Archive<'_>, idx: usize) -> Result<bool, Refusal> {
    let part = archive.by_index_data(idx).map_err(|_| broken_file())?;
    Ok((part.size(), part.compressed_size(), part.crc32()) == (0, 0, 0))
}

/// The size that the directory declares.
fn size_of(archive: &Archive<'_>, idx: usize) -> Result<u64, Refusal> {
    let part = archive.by_index_data(idx).map_err(|_| broken_file())?;
    Ok(part.size())
}

/// Why a part can't be inflated. The reader compares the check sum at the part's end.
fn unreadable(error: &io::Error) -> Refusal {
    match error.kind() {
        // There is no damage: there is no memory for what is in it.
        io::ErrorKind::OutOfMemory => Refusal::expands_too_far(),
        _ => broken_file(),
    }
}

/// XML in the form that the readers know, and whether it was in another.
///
/// They take UTF-16 for damage, and pass over what stands in a CDATA section as if it were not there;
/// what is looked at before them is looked for without a namespace's prefix.
fn decode(content: Vec<u8>) -> Result<(String, bool), Refusal> {
    let (xml, is_decoded) = decode_text(content)?;
    Ok(match without_prefix(&xml) {
        Some(plain) => (plain, true),
        None => (xml, is_decoded),
    })
}

fn decode_text(content: Vec<u8>) -> Result<(String, bool), Refusal> {
    let encoding = match content.as_slice() {
        [0xff, 0xfe, ..] | [b'<', 0, ..] => UTF_16LE,
        [0xfe, 0xff, ..] | [0, b'<', ..] => UTF_16BE,
        _ => {
            let xml = String::from_utf8(content).map_err(|_| broken_file())?;
            return Ok(match without_cdata(&xml) {
                Some(plain) => (plain, true),
                None => (xml, false),
            });
        }
    };
    let xml = encoding
        .decode_with_bom_removal(&content)
        .0
        .replacen("UTF-16", "UTF-8", 1);
    Ok((without_cdata(&xml).unwrap_or(xml), true))
}

/// Every CDATA section as the text that it is; `None` where there is none.
fn without_cdata(xml: &str) -> Option<String> {
    let mut rest = xml;
    let mut plain = String::new();
    while let Some((before, section)) = rest.split_once("<![CDATA[") {
        // One that does not end is left for the reader to stumble over.
        let (text, after) = section.split_once("]]>")?;
        plain.push_str(before);
        plain.push_str(&escape(text));
        rest = after;
    }
    (rest.len() < xml.len()).then(|| plain + rest)
}

/// A worksheet or a list of sheets whose elements have a prefix, `<x:c>`, without it; `None` where they have none.
fn without_prefix(xml: &str) -> Option<String> {
    let bytes = xml.as_bytes();
    let prefix = [":sheetData", ":sheets"].iter().find_map(|name| {
        memmem::find_iter(bytes, name).find_map(|at| {
            let start = memrchr(b'<', &bytes[..at])? + 1;
            let prefix = &xml[start..at];
            let is_name = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_alphanumeric());
            is_name.then_some(prefix)
        })
    })?;
    let plain = xml.replace(&format!("<{prefix}:"), "<");
    Some(plain.replace(&format!("</{prefix}:"), "</"))
}

pub(crate) fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, e)| e == ending)
}

pub(crate) fn check_xml(name: &str, xml: &str) -> Result<(), Refusal> {
    if has_doctype(xml) {
        return Err(Refusal::doctype());
    }
    if name.ends_with("sharedstrings.xml") {
        check_promise(promised_texts(xml)?, xml.len() as u64)?;
    }
    worksheet::check_places(xml)
}

pub(crate) fn has_doctype(xml: &str) -> bool {
    let is_doctype = |at: usize| {
        xml.as_bytes()[at..]
            .get(..9)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"<!doctype"))
    };
    memmem::find_iter(xml.as_bytes(), "<!").any(is_doctype)
}

/// What the header of the shared texts says of their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    NoHeader,
    /// The largest that it names, where it names one.
    Texts(Option<u64>),
}

pub(crate) fn promised_texts(xml: &str) -> Result<Promise, Refusal> {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event().map_err(|_| broken_texts())? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "sst" => {
                let promised = tag
                    .attributes()
                    .with_checks(false)
                    .flatten()
                    .filter(|attribute| attribute.key.as_ref() == "uniqueCount")
                    .filter_map(|attribute| attribute.value.trim().parse::<u64>().ok())
                    .max();
                return Ok(Promise::Texts(promised));
            }
            Event::Eof => return Ok(Promise::NoHeader),
            _ => {}
        }
    }
}

/// A reader makes room for as many texts as the header promises; each takes five bytes at the least.
pub(crate) fn check_promise(promise: Promise, n_bytes: u64) -> Result<(), Refusal> {
    match promise {
        Promise::Texts(Some(promised)) if promised > n_bytes / 5 => Err(broken_texts()),
        _ => Ok(()),
    }
}

fn broken_texts() -> Refusal {
    Refusal::broken("The list of texts in the file")
}

/// What becomes of parts that do not stand where the readers look for them; `None`: another takes their place.
fn new_names(
    names: &[String],
    format: Format,
    checked: &Checked,
) -> HashMap<usize, Option<String>> {
    let mut new_names = HashMap::new();
    if !matches!(format, Format::Xlsx | Format::Xlsb) {
        return new_names;
    }
    let idx_of = |name: &str| names.iter().position(|n| n == name);
    for (stands, expected) in checked.main.misplaced(&checked.relations) {
        if let Some(idx) = idx_of(&stands) {
            new_names.extend(idx_of(&expected).map(|other| (other, None)));
            new_names.insert(idx, Some(expected));
        }
    }
    let folder = &checked.main.folder;
    // One of the readers looks for the whole workbook in one place.
    if format == Format::Xlsb && folder != "xl/" {
        for (idx, name) in names.iter().enumerate() {
            let new_name = new_names.entry(idx).or_insert_with(|| Some(name.clone()));
            if let Some(name) = new_name {
                *name = match name.strip_prefix(folder.as_str()) {
                    Some(rest) => format!("xl/{rest}"),
                    None => name.clone(),
                };
            }
        }
    }
    new_names
}

fn replace(
    archive: &mut Archive<'_>,
    mended: &[(usize, Vec<u8>)],
    new_names: &HashMap<usize, Option<String>>,
) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    for idx in 0..archive.len() {
        let new_name = new_names.get(&idx);
        let mended = mended.iter().find(|(mended_idx, _)| *mended_idx == idx);
        let content = match (mended, new_name) {
            (_, Some(None)) => continue,
            (Some((_, content)), _) => content,
            (None, None) => {
                copy.raw_copy_file(archive.by_index_raw(idx)?)?;
                continue;
            }
            (None, Some(Some(name))) => {
                copy.raw_copy_file_rename(archive.by_index_raw(idx)?, name)?;
                continue;
            }
        };
        let name = match new_name {
            Some(Some(name)) => name.clone(),
            _ => archive.by_index_data(idx)?.name()?.into_owned(),
        };
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        copy.start_file(name, stored)?;
        copy.write_all(content)?;
    }
    Ok(copy.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use handmade::Parts;

    use crate::fixture::Reading as _;
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
    fn a_document_that_does_not_say_what_it_is_is_known_by_its_manifest() {
        let table = "<table:table table:name=\"A\"><table:table-row><table:table-cell office:value-type=\"float\" office:value=\"1\"/></table:table-row></table:table>";
        let kind = |kind: &str| {
            Parts::ods(table).without("mimetype").with(
                "META-INF/manifest.xml",
                &format!("<m:file-entry m:media-type=\"application/vnd.oasis.opendocument.{kind}\" m:full-path=\"/\"/>"),
            )
        };
        assert_eq!(kind("spreadsheet").shown(), "A1=1");
        assert_eq!(kind("text").shown(), "file.not-a-spreadsheet");
    }

    #[test]
    fn a_cdata_section_is_the_text_in_it() {
        let parts = Parts::xlsx(
            "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"str\"><v><![CDATA[]]>1 &lt; 2<![CDATA[ < 3]]></v></c><c r=\"C1\"><v><![CDATA[7]]></v></c></row>",
        )
        .with(
            "xl/sharedStrings.xml",
            "<sst uniqueCount=\"1\"><si><t><![CDATA[a & b]]></t></si></sst>",
        );
        assert_eq!(parts.shown(), "A1=\"a & b\", B1=\"1 < 2 < 3\", C1=7");
        assert_eq!(
            Parts::xlsx("<row><c r=\"A1\"><v><![CDATA[7</v></c></row>").shown(),
            "file.broken"
        );
    }

    #[test]
    fn a_worksheet_whose_elements_have_a_prefix_is_looked_at_like_others() {
        let sheet = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData><row r=\"1\" hidden=\"1\"><c r=\"A1\" t=\"e\"><f>X1#</f><v>#SPILL!</v></c><c r=\"B1\"><v>1</v></c></row></sheetData><mergeCells><mergeCell ref=\"C1:D1\"/></mergeCells></worksheet>";
        let as_sheet = |xml: &str| Parts::xlsx("").with("xl/worksheets/sheet1.xml", xml);
        let plain = as_sheet(sheet).read().unwrap();
        let prefixed = sheet
            .replace('<', "<x:")
            .replace("<x:/", "</x:")
            .replace("xmlns=", "xmlns:x=");
        let prefixed = as_sheet(&prefixed);
        assert_eq!(prefixed.shown(), "A1=error #SPILL!, B1=1");
        let read = prefixed.read().unwrap();
        assert_eq!(read.sheets, plain.sheets);
        assert_eq!(read.remarks[0].rule, "file.hidden-rows");
        assert_eq!(read.remarks, plain.remarks);
    }

    #[test]
    fn an_empty_part_may_be_packed_to_nothing() {
        let bytes = Parts::xlsx(ROW).with("docProps/thumbnail.wmf", "").zip();
        let mut nothing = bytes.clone();
        // The directory's entry and the part's own header: an empty part that is said to be deflated, to no bytes.
        for (mark, at) in [(b"PK\x01\x02", 10), (b"PK\x03\x04", 8)] {
            let start = nothing.windows(4).rposition(|w| w == mark).unwrap();
            nothing[start + at] = 8;
            nothing[start + at + 12 - 2..start + at + 14].fill(0);
        }
        assert_eq!(
            read(&nothing, "a.xlsx", &Limits::default()).unwrap().sheets,
            read(&bytes, "a.xlsx", &Limits::default()).unwrap().sheets
        );
    }

    #[test]
    fn a_workbook_from_before_the_standard_is_named() {
        let parts = Parts::xlsx(ROW).changed(
            "xl/workbook.xml",
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            super::TRIAL,
        );
        let refusal = parts.read().unwrap_err();
        assert_eq!(refusal.rule, "file.other-format");
        assert!(refusal.message.contains("trial version"), "{refusal}");
    }

    #[test]
    fn parts_in_utf_16_are_read_like_others() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-16\"?>";
        let sheet = |declared: &str| {
            let xml = format!("{declared}<worksheet><sheetData>{ROW}</sheetData></worksheet>");
            Parts::xlsx("").with_bytes("xl/worksheets/sheet1.xml", wide(&xml))
        };
        assert_eq!(sheet(marked).shown(), "A1=1");
        assert_eq!(sheet("").shown(), "A1=1");
        // What no reader looks at is no reason to refuse a workbook, unless it is dangerous.
        let with = |text: &str| Parts::xlsx(ROW).with_bytes("customXml/item1.xml", wide(text));
        assert_eq!(with(&format!("{marked}<a/>")).shown(), "A1=1");
        let dangerous = with(&format!("{marked}<!DOCTYPE a []><a/>"));
        assert_eq!(dangerous.shown(), "file.doctype");
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
