//! What a file is, by its content.

use crate::{Format, Refusal, Remark};

/// What the first look at the bytes says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A zip archive: which one is seen from its parts.
    Zip,
    /// A compound file, the container of old Excel workbooks and of encrypted new ones.
    Compound,
    /// Text in some encoding, to be read as CSV.
    Text,
}

/// First bytes of the kinds that are often sent in a spreadsheet's place.
const OTHERS: &[(&[u8], &str)] = &[
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a compressed archive (gzip)"),
    (b"SQLite format 3", "a database"),
    (b"\0\x01\0\0Standard ", "an Access database"),
    (b"\x7fELF", "a program"),
];

/// First bytes that are also a word, which may be a column's heading: no text goes on as these files do.
const WORDS: &[(&[u8], &str)] = &[
    (b"GIF8", "a picture"),
    (b"Rar!", "a RAR archive"),
    (b"PAR1", "a Parquet file"),
    (b"MZ", "a program"),
];

/// First bytes of Excel 2.0 to 4.0 workbooks.
const OLDEST_EXCEL: &[&[u8]] = &[
    b"\x09\x00\x04\x00",
    b"\x09\x02\x06\x00",
    b"\x09\x04\x06\x00",
];

/// Only what the content says; an empty file is refused before.
pub(crate) fn sniff(bytes: &[u8]) -> Result<Kind, Refusal> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Ok(Kind::Zip);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Ok(Kind::Compound);
    }
    let words = if starts_as_text(bytes) { &[] } else { WORDS };
    let mut others = OTHERS.iter().chain(words);
    if let Some((_, kind)) = others.find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Refusal::not_a_spreadsheet(kind));
    }
    if OLDEST_EXCEL.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(Refusal::other_format("a workbook of Excel 4 or older"));
    }
    if is_lock(bytes) {
        return Err(Refusal::not_a_spreadsheet(
            "Excel's note of who has a workbook open (its name starts with ~$)",
        ));
    }
    if bytes.starts_with(b"ID;P") {
        return Err(Refusal::other_format("a workbook in the SYLK format"));
    }
    if bytes.starts_with(b"TABLE\r\n0,1\r\n") || bytes.starts_with(b"TABLE\n0,1\n") {
        return Err(Refusal::other_format("a workbook in the DIF format"));
    }
    sniff_markup(bytes)?;
    Ok(Kind::Text)
}

/// Whose name it is, in one byte a letter and then in two, each after its length; no text has the second byte of that.
fn is_lock(bytes: &[u8]) -> bool {
    matches!(bytes.len(), 162 | 165)
        && bytes[0] < 54
        && bytes[1] != 0
        && (54..56).any(|at| bytes[at] == bytes[0] && bytes[at + 1] == 0)
        && bytes[162..].iter().all(|b| matches!(b, 0 | b' '))
}

fn starts_as_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64)];
    head.iter()
        .all(|b| *b >= b' ' || matches!(b, b'\t' | b'\n' | b'\r'))
}

/// Refuses web pages, XML and JSON, which would all read as CSV of a sort.
fn sniff_markup(bytes: &[u8]) -> Result<(), Refusal> {
    // UTF-16 markup shows itself once its zero bytes are gone.
    let head: String = bytes
        .iter()
        .take(4_000)
        .filter(|b| b.is_ascii() && **b != 0)
        .map(|b| char::from(b.to_ascii_lowercase()))
        .collect();
    let start = head.trim_start();
    let web = [
        "<html",
        "<!doctype html",
        "<table",
        "<head",
        "<body",
        "<meta",
    ];
    if web.iter().any(|tag| start.starts_with(tag))
        || start.starts_with("mime-version:")
        || (start.starts_with('<') && head.contains("<html"))
    {
        return Err(Refusal::web_page());
    }
    if start.starts_with("<?xml") || start.starts_with("<workbook") {
        return Err(if head.contains("opendocument.spreadsheet") {
            Refusal::other_format("an OpenDocument spreadsheet in one piece of XML (.fods)")
        } else if head.contains("office:spreadsheet") {
            Refusal::other_format("a workbook in the XML format of Excel 2003")
        } else {
            Refusal::not_a_spreadsheet("an XML document")
        });
    }
    if start.starts_with("{\"") || start.starts_with("[{") {
        return Err(Refusal::not_a_spreadsheet("a JSON file"));
    }
    Ok(())
}

/// A remark where the name's ending says another format than the content.
pub(crate) fn wrong_ending(file_name: &str, format: Format) -> Option<Remark> {
    let (_, ending) = file_name.rsplit_once('.')?;
    let ending = ending.to_lowercase();
    let (right, what): (&[&str], &str) = match format {
        Format::Xlsx => (
            &["xlsx", "xlsm", "xltx", "xltm"],
            "an Excel workbook (.xlsx)",
        ),
        Format::Xls => (&["xls", "xlt"], "an Excel 97–2003 workbook (.xls)"),
        Format::Xlsb => (&["xlsb"], "an Excel binary workbook (.xlsb)"),
        Format::Ods => (&["ods", "ots"], "an OpenDocument spreadsheet (.ods)"),
        Format::Csv => (&["csv", "txt", "tsv", "tab"], "a CSV file"),
    };
    if right.contains(&ending.as_str()) {
        return None;
    }
    Some(Remark::new(
        "file.wrong-ending",
        format!("The file's name ends in .{ending}, but the file is {what}. It was read as that."),
        format!("Give the file its right ending, .{}.", right[0]),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_says_what_a_file_is() {
        for (bytes, kind) in [
            (&b"PK\x03\x04..."[..], Kind::Zip),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Compound),
            (b"a,b\n1,2\n", Kind::Text),
            (b"Meta,b\n", Kind::Text),
            (b"<5,b\n", Kind::Text),
            (b"\xef\xbb\xbfa;b\n", Kind::Text),
            (b"PAR1;PAR2\r\n1;2\r\n", Kind::Text),
            (b"MZ\tGIF8\n", Kind::Text),
        ] {
            assert_eq!(sniff(bytes), Ok(kind), "{bytes:?}");
        }
    }

    #[test]
    fn other_kinds_are_named() {
        for (bytes, rule, named) in [
            (&b"%PDF-1.7"[..], "file.not-a-spreadsheet", "a PDF document"),
            (b"\x89PNG\r\n", "file.not-a-spreadsheet", "a picture"),
            (b"\xff\xd8\xff\xe0", "file.not-a-spreadsheet", "a picture"),
            (b"MZ\x90\0\x03\0", "file.not-a-spreadsheet", "a program"),
            (
                b"PAR1\x15\x04\x15",
                "file.not-a-spreadsheet",
                "a Parquet file",
            ),
            (
                b"ID;PWXL;N;E\r\nP;PGeneral\r\n",
                "file.other-format",
                "the SYLK format",
            ),
            (
                b"TABLE\r\n0,1\r\n\"EXCEL\"\r\n",
                "file.other-format",
                "the DIF format",
            ),
            (
                b"<?xml version=\"1.0\"?><office:document office:mimetype=\"application/vnd.oasis.opendocument.spreadsheet\">",
                "file.other-format",
                ".fods",
            ),
            (b"Rar!\x1a\x07", "file.not-a-spreadsheet", "a RAR archive"),
            (b"{\"rows\": []}", "file.not-a-spreadsheet", "a JSON file"),
            (
                b"<?xml version=\"1.0\"?><rows/>",
                "file.not-a-spreadsheet",
                "an XML document",
            ),
            (
                b"<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">",
                "file.other-format",
                "Excel 2003",
            ),
            (b"\x09\x04\x06\x00\x00\x00", "file.other-format", "Excel 4"),
            (b"\r\n <HTML><body>", "file.html", "a web page"),
            (b"<!DOCTYPE html>", "file.html", "a web page"),
            (b"\xef\xbb\xbf<table>", "file.html", "a web page"),
            (b"\xff\xfe<\0h\0t\0m\0l\0", "file.html", "a web page"),
            (
                b"<?xml version=\"1.0\"?><html xmlns=\"\">",
                "file.html",
                "a web page",
            ),
            (b"MIME-Version: 1.0\n", "file.html", "a web page"),
        ] {
            let refusal = sniff(bytes).unwrap_err();
            assert_eq!(refusal.rule, rule, "{bytes:?}");
            assert!(refusal.message.contains(named), "{}", refusal.message);
        }
    }

    #[test]
    fn the_note_beside_an_open_workbook_is_not_the_workbook() {
        let mut note = b"\x03Ann".to_vec();
        note.resize(55, b' ');
        note.extend(b"\x03\0A\0n\0n\0");
        while note.len() < 165 {
            note.extend(b" \0");
        }
        let refusal = sniff(&note[..165]).unwrap_err();
        assert!(refusal.message.contains("~$"), "{}", refusal.message);
        // A text of that length, with a line end in both places.
        let mut text = vec![b' '; 162];
        (text[0], text[55]) = (b'\n', b'\n');
        assert_eq!(sniff(&text), Ok(Kind::Text));
    }

    #[test]
    fn a_wrong_ending_is_remarked_on() {
        for (name, format) in [
            ("return.XLSX", Format::Xlsx),
            ("return.xlsm", Format::Xlsx),
            ("return.2026.csv", Format::Csv),
            ("return", Format::Csv),
        ] {
            assert_eq!(wrong_ending(name, format), None, "{name}");
        }
        let remark = wrong_ending("return.xls", Format::Xlsx).unwrap();
        assert_eq!(remark.rule, "file.wrong-ending");
        assert_eq!(
            remark.message,
            "The file's name ends in .xls, but the file is an Excel workbook (.xlsx). It was read as that."
        );
        assert_eq!(remark.fix, "Give the file its right ending, .xlsx.");
    }
}
