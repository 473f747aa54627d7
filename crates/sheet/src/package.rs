//! Zip-based workbooks: every part is inflated, counted and checked before a reader sees the file.

use std::borrow::Cow;
use std::io::{Cursor, Read, Write};

use memchr::memmem;
use quick_xml::events::Event;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::worksheet;
use crate::{Format, Limits, Refusal, Remark};

/// A zip archive that is known to be whole, within the limits and free of what readers trip over.
pub(crate) struct Package<'b> {
    pub(crate) format: Format,
    /// The file, or a copy with some worksheets mended.
    pub(crate) bytes: Cow<'b, [u8]>,
    pub(crate) remarks: Vec<Remark>,
}

type Archive<'b> = ZipArchive<Cursor<&'b [u8]>>;

pub(crate) fn open<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Package<'b>, Refusal> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refusal::cut_off())?;
    if archive.len() > limits.parts {
        return Err(Refusal::too_many_parts(limits.parts));
    }
    let names = check_directory(&mut archive, limits)?;
    let format = find_format(&mut archive, &names)?;
    let mended = check_parts(&mut archive, &names, limits)?;
    let bytes = if mended.is_empty() {
        Cow::Borrowed(bytes)
    } else {
        Cow::Owned(replace(&mut archive, &mended).map_err(|_| broken_file())?)
    };
    Ok(Package {
        format,
        bytes,
        remarks: remarks(&names),
    })
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
        .any(|n| n.ends_with(".xlsx") || n.ends_with(".csv"))
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

/// Inflates every part; gives the mended text of those that need it, by index.
fn check_parts(
    archive: &mut Archive<'_>,
    names: &[String],
    limits: &Limits,
) -> Result<Vec<(usize, String)>, Refusal> {
    let mut mended = Vec::new();
    let mut total: u64 = 0;
    for (idx, name) in names.iter().enumerate() {
        let part = archive.by_index(idx).map_err(|_| broken_file())?;
        // A part's declared size may be a lie, so what comes out is counted.
        let allowed = limits.part_bytes.min(limits.total_bytes - total);
        let mut content = Vec::new();
        let read = part.take(allowed + 1).read_to_end(&mut content);
        total += content.len() as u64;
        if content.len() as u64 > allowed {
            return Err(Refusal::expands_too_far());
        }
        // The reader compares the check sum at the part's end.
        read.map_err(|_| broken_file())?;
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let xml = String::from_utf8(content).map_err(|_| broken_file())?;
            check_xml(name, &xml)?;
            if let Some(xml) = worksheet::mend(&xml) {
                mended.push((idx, xml));
            }
        }
    }
    Ok(mended)
}

fn check_xml(name: &str, xml: &str) -> Result<(), Refusal> {
    let is_doctype = |at: usize| {
        xml.as_bytes()[at..]
            .get(..9)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"<!doctype"))
    };
    if memmem::find_iter(xml.as_bytes(), "<!").any(is_doctype) {
        return Err(Refusal::doctype());
    }
    if name.ends_with("sharedstrings.xml") {
        check_shared_strings(xml)?;
    }
    worksheet::check_places(xml)
}

/// A reader makes room for as many texts as the header promises; each takes five bytes at the least.
fn check_shared_strings(xml: &str) -> Result<(), Refusal> {
    let broken = || Refusal::broken("The list of texts in the file");
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "sst" => {
                for attribute in tag.attributes().with_checks(false).flatten() {
                    let promised = attribute.value.trim().parse::<u64>();
                    if attribute.key.as_ref() == "uniqueCount"
                        && promised.is_ok_and(|promised| promised > xml.len() as u64 / 5)
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
    mended: &[(usize, String)],
) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    for idx in 0..archive.len() {
        let Some((_, xml)) = mended.iter().find(|(mended_idx, _)| *mended_idx == idx) else {
            copy.raw_copy_file(archive.by_index_raw(idx)?)?;
            continue;
        };
        let name = archive.by_index_data(idx)?.name()?.into_owned();
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        copy.start_file(name, stored)?;
        copy.write_all(xml.as_bytes())?;
    }
    Ok(copy.finish()?.into_inner())
}

fn remarks(names: &[String]) -> Vec<Remark> {
    let holds = |what: &str| names.iter().any(|n| n.contains(what));
    let mut remarks = Vec::new();
    if holds("vbaproject.bin") || holds("macrosheets/") {
        remarks.push(Remark {
            rule: "file.macros-ignored",
            message: "The workbook has macros. They were not run and are not kept with the data."
                .to_owned(),
            fix: "Nothing to do; save the workbook as .xlsx if you want to send it without macros."
                .to_owned(),
        });
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
    remarks
}
