//! The custom properties that a document carries: how a form says which form it is.
//!
//! Old binary workbooks (xls) keep theirs where calamine does not look; they have none here.

use std::collections::BTreeMap;

use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesStart, Event};

/// By name; texts only.
pub type Properties = BTreeMap<String, String>;

/// A document with more is no form of ours.
const MOST: usize = 64;
/// In bytes; longer values are not kept.
const LONGEST: usize = 255;

/// What a part of the package says, if it is one that holds properties; its name in lower case.
///
/// What can't be read is left out: no reading of data depends on it.
pub(crate) fn of_part(name: &str, xml: &str) -> Properties {
    match name {
        // Excel's packages, xlsb too.
        "docprops/custom.xml" => read(xml, "property", "name"),
        "meta.xml" => read(xml, "user-defined", "name"),
        _ => Properties::new(),
    }
}

/// Elements with a name, and the text within them whatever it is wrapped in.
fn read(xml: &str, element: &str, attribute: &str) -> Properties {
    let mut properties = Properties::new();
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut current: Option<(String, String)> = None;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(tag) if tag.local_name().as_ref() == element => {
                current = named(&tag, attribute).map(|name| (name, String::new()));
            }
            Event::Text(piece) => {
                if let Some((_, text)) = &mut current {
                    text.push_str(&piece.xml10_content());
                }
            }
            Event::GeneralRef(entity) => {
                if let Some((_, text)) = &mut current {
                    match (
                        resolve_xml_entity(entity.as_ref()),
                        entity.resolve_char_ref(),
                    ) {
                        (Some(plain), _) => text.push_str(plain),
                        (None, Ok(Some(c))) => text.push(c),
                        _ => {}
                    }
                }
            }
            Event::End(tag) if tag.local_name().as_ref() == element => {
                if let Some((name, text)) = current.take()
                    && name.len() <= LONGEST
                    && text.len() <= LONGEST
                    && properties.len() < MOST
                {
                    properties.insert(name, text);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    properties
}

/// The attribute's value, whatever its prefix.
fn named(tag: &BytesStart<'_>, attribute: &str) -> Option<String> {
    tag.attributes()
        .with_checks(false)
        .flatten()
        .find(|found| found.key.local_name().as_ref() == attribute)
        .and_then(|found| Some(unescape(&found.value).ok()?.into_owned()))
}

#[cfg(test)]
mod tests {
    use handmade::Parts;

    use crate::fixture::Reading as _;

    const ROW: &str = "<row><c r=\"A1\"><v>1</v></c></row>";

    fn shown(parts: &Parts) -> String {
        let properties = parts.read().unwrap().properties;
        format!("{properties:?}")
    }

    #[test]
    fn excels_custom_properties_are_read() {
        let parts = Parts::xlsx(ROW).with(
            "docProps/custom.xml",
            "<Properties xmlns:vt=\"v\"><property fmtid=\"{D}\" pid=\"2\" name=\"a &amp; b\"><vt:lpwstr>jsw &#50;026 &lt;x&gt;</vt:lpwstr></property><property name=\"n\"><vt:i4>7</vt:i4></property><property name=\"empty\"><vt:lpwstr/></property></Properties>",
        );
        assert_eq!(
            shown(&parts),
            r#"{"a & b": "jsw 2026 <x>", "empty": "", "n": "7"}"#
        );
        assert_eq!(shown(&Parts::xlsx(ROW)), "{}");
    }

    #[test]
    fn user_defined_properties_of_ods_are_read() {
        let table = "<table:table table:name=\"A\"><table:table-row><table:table-cell office:value-type=\"float\" office:value=\"1\"/></table:table-row></table:table>";
        let parts = Parts::ods(table).with(
            "meta.xml",
            "<office:document-meta><office:meta><meta:user-defined meta:name=\"form\" meta:value-type=\"string\">jsw</meta:user-defined></office:meta></office:document-meta>",
        );
        assert_eq!(shown(&parts), r#"{"form": "jsw"}"#);
    }

    #[test]
    fn what_is_too_long_or_broken_is_left_out() {
        let long = "x".repeat(300);
        let parts = Parts::xlsx(ROW).with(
            "docProps/custom.xml",
            &format!("<Properties><property name=\"long\"><a>{long}</a></property><property name=\"b\"><a>1</a></property><property name=\"cut\"><a>"),
        );
        assert_eq!(shown(&parts), r#"{"b": "1"}"#);
    }
}
