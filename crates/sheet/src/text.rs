//! Bytes to text, never by guessing away what does not fit.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::{Refusal, Remark};

/// Text, and what the sender should know of how it was read.
#[derive(Debug)]
pub(crate) struct Decoded<'b> {
    pub(crate) text: Cow<'b, str>,
    pub(crate) remark: Option<Remark>,
}

/// By byte order mark, else by the zero bytes of UTF-16, else UTF-8, else Windows-1252.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Refusal> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        let text = std::str::from_utf8(rest).map_err(|_| unknown_letters())?;
        return plain(text);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return decode_utf16(rest, UTF_16LE);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return decode_utf16(rest, UTF_16BE);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return decode_utf16(bytes, encoding);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => plain(text),
        Err(_) => decode_windows(bytes),
    }
}

fn plain(text: &str) -> Result<Decoded<'_>, Refusal> {
    refuse_nul(text)?;
    Ok(Decoded {
        text: Cow::Borrowed(text),
        remark: None,
    })
}

fn decode_utf16<'b>(bytes: &'b [u8], encoding: &'static Encoding) -> Result<Decoded<'b>, Refusal> {
    let text = encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(unknown_letters)?;
    refuse_nul(&text)?;
    Ok(Decoded {
        text,
        remark: Some(Remark::new(
            "file.text-decoded",
            "The file is in the encoding UTF-16. It was read as that.",
            "Nothing to do; \"CSV UTF-8\" is the better choice when you save the file.",
        )),
    })
}

/// Latin text in UTF-16 has a zero in every other byte.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(2_000)];
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    let many = head.len() / 4;
    match (even > many, odd > many) {
        (false, true) => Some(UTF_16LE),
        (true, false) => Some(UTF_16BE),
        _ => None,
    }
}

fn decode_windows(bytes: &[u8]) -> Result<Decoded<'_>, Refusal> {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    refuse_nul(&text)?;
    // Five bytes stand for no letter in Windows-1252, and decode to control characters.
    if text.contains(|c| ('\u{80}'..'\u{a0}').contains(&c)) {
        return Err(unknown_letters());
    }
    let n_lines = bytes
        .split(|b| matches!(b, b'\n' | b'\r'))
        .filter(|line| !line.is_ascii())
        .count();
    let remark = Remark::new(
        "file.text-decoded",
        format!(
            "The file is not in the encoding UTF-8. It was read as Windows-1252, which matters on {n_lines} {} with accents, pound signs or the like: {}.",
            if n_lines == 1 { "line" } else { "lines" },
            samples(&text).join(", "),
        ),
        "Check that these show rightly; to be sure, save the file as \"CSV UTF-8\" and send it again.",
    );
    Ok(Decoded {
        text,
        remark: Some(remark),
    })
}

/// The first three words that were decoded, as they show now.
fn samples(text: &str) -> Vec<String> {
    const MOST_LETTERS: usize = 20;
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"'))
        .filter(|word| !word.is_ascii())
        .take(3)
        .map(|word| {
            let start: String = word.chars().take(MOST_LETTERS).collect();
            format!("\"{start}\"")
        })
        .collect()
}

fn refuse_nul(text: &str) -> Result<(), Refusal> {
    match text.find('\0') {
        None => Ok(()),
        Some(at) => Err(Refusal::new(
            "file.nul-characters",
            format!(
                "Line {} holds a NUL character, which no CSV file has: it may be damaged or of another kind.",
                text[..at].lines().count().max(1)
            ),
            "Save the file again as \"CSV UTF-8\" and check its size before you send it.",
        )),
    }
}

fn unknown_letters() -> Refusal {
    Refusal::new(
        "file.unknown-letters",
        "The file is text in an encoding that can't be recognised, so its letters can't be read with certainty.",
        "Save the file as \"CSV UTF-8\" and send it again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn text_is_decoded_whatever_wrote_it() {
        let text = "name,£\r\nDùn Èideann,5\r\n";
        let with_mark = format!("\u{feff}{text}");
        let (windows, _, _) = WINDOWS_1252.encode(text);
        for (bytes, remarked) in [
            (text.as_bytes().to_vec(), false),
            (with_mark.as_bytes().to_vec(), false),
            (utf16(&with_mark, u16::to_le_bytes), true),
            (utf16(&with_mark, u16::to_be_bytes), true),
            (utf16(text, u16::to_le_bytes), true),
            (utf16(text, u16::to_be_bytes), true),
            (windows.to_vec(), true),
        ] {
            let decoded = decode(&bytes).unwrap();
            assert_eq!(decoded.text, text, "{bytes:?}");
            assert_eq!(decoded.remark.is_some(), remarked, "{bytes:?}");
        }
        let remark = decode(&windows).unwrap().remark.unwrap();
        assert_eq!(
            remark.message,
            "The file is not in the encoding UTF-8. It was read as Windows-1252, which matters on 2 lines with accents, pound signs or the like: \"£\", \"Dùn\", \"Èideann\"."
        );
    }

    #[test]
    fn what_can_not_be_decoded_is_refused() {
        for (bytes, rule) in [
            (&b"\xef\xbb\xbfa,\xa3"[..], "file.unknown-letters"),
            (b"a,\xa3,\x81", "file.unknown-letters"),
            (b"\xff\xfea\0,\0\x00\xd8", "file.unknown-letters"),
            (b"a,b\n1,\x002\n", "file.nul-characters"),
            (b"a,\xa3\n1,\x002\n", "file.nul-characters"),
        ] {
            assert_eq!(decode(bytes).unwrap_err().rule, rule, "{bytes:?}");
        }
        let refusal = decode(b"a,b\n1,\x002\n").unwrap_err();
        assert!(refusal.message.starts_with("Line 2 "), "{refusal}");
    }
}
