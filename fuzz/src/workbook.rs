//! Excel workbooks (xlsx) drawn from a fuzzer's bytes: of what programs write in a sound one, with the cells that were meant,
//! or with something wrong in any place.

mod cells;

use arbitrary::{Result, Unstructured};
use sheet::Cell;
use zip::CompressionMethod;

use crate::archive::{self, Parts};
use cells::Sheets;

/// A workbook, and what is in it if it is sound.
#[derive(Debug)]
pub struct Drawn {
    pub bytes: Vec<u8>,
    /// Name, visibility and cells of each sheet; `None` where something is wrong.
    pub meant: Option<Vec<(String, bool, Vec<Cell>)>>,
}

/// The transitional names, which Excel writes, and those of ISO 29500's strict form.
const FORMS: [[&str; 2]; 2] = [
    [
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ],
    [
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    ],
];

/// What differs from one program's workbooks to another's.
#[derive(Debug, Clone, Copy)]
struct Habits {
    /// Before the names of the worksheets' elements.
    prefix: &'static str,
    main: &'static str,
    office: &'static str,
    counts_from_1904: bool,
    writes_places: bool,
}

pub fn draw(u: &mut Unstructured<'_>) -> Result<Drawn> {
    let is_sound: bool = u.arbitrary()?;
    let [main, office] = *u.choose(&FORMS)?;
    let habits = Habits {
        prefix: *u.choose(&["", "", "x:"])?,
        main,
        office,
        counts_from_1904: u.int_in_range(0..=3)? == 3,
        writes_places: u.int_in_range(0..=3)? != 3,
    };
    let absolute: bool = u.arbitrary()?;
    // Packing takes longer than all that is tried with the file, and is no part of it.
    let method = match u.int_in_range(0..=63)? {
        63 => CompressionMethod::Deflated,
        _ => CompressionMethod::Stored,
    };
    let n_sheets = if is_sound {
        u.int_in_range(1..=3)?
    } else {
        *u.choose(&[1, 2, 0, 70])?
    };
    let mut sheets = Sheets::new(habits, is_sound, n_sheets);
    sheets.draw(u)?;
    let mut parts = parts(&sheets, absolute);
    if is_sound {
        // Some programs write the parts in another order.
        let first = u.choose_index(parts.len())?;
        parts.rotate_left(first);
    } else {
        archive::damage(&mut parts, u)?;
    }
    let mut bytes = archive::zip(&parts, method);
    if !is_sound && u.int_in_range(0..=3)? == 3 {
        archive::damage_bytes(&mut bytes, u)?;
    }
    Ok(Drawn {
        bytes,
        meant: is_sound.then(|| sheets.meant()),
    })
}

fn parts(sheets: &Sheets, absolute: bool) -> Parts {
    let Habits {
        main,
        office,
        counts_from_1904,
        ..
    } = sheets.habits;
    let relations = "http://schemas.openxmlformats.org/package/2006/relationships";
    let folder = if absolute { "/xl/" } else { "" };
    let mut listed = String::new();
    let mut related = format!(
        "<Relationship Id=\"s\" Type=\"{office}/styles\" Target=\"{folder}styles.xml\"/><Relationship Id=\"t\" Type=\"{office}/sharedStrings\" Target=\"{folder}sharedStrings.xml\"/>"
    );
    let mut parts = Vec::new();
    let mut add = |name: &str, content: String| parts.push((name.to_owned(), content.into_bytes()));
    add(
        "[Content_Types].xml",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>".to_owned(),
    );
    add(
        "_rels/.rels",
        format!(
            "<Relationships xmlns=\"{relations}\"><Relationship Id=\"rId1\" Type=\"{office}/officeDocument\" Target=\"{}xl/workbook.xml\"/></Relationships>",
            if absolute { "/" } else { "" }
        ),
    );
    for (idx, sheet) in sheets.written.iter().enumerate() {
        listed.push_str(&format!(
            "<sheet name=\"{}\" sheetId=\"{}\" {} r:id=\"rId{idx}\"/>",
            sheet.name_xml,
            idx + 1,
            sheet.state
        ));
        related.push_str(&format!(
            "<Relationship Id=\"rId{idx}\" Type=\"{office}/worksheet\" Target=\"{folder}worksheets/sheet{idx}.xml\"/>"
        ));
        add(&format!("xl/worksheets/sheet{idx}.xml"), sheet.xml.clone());
    }
    let date1904 = if counts_from_1904 {
        " date1904=\"1\""
    } else {
        ""
    };
    add(
        "xl/workbook.xml",
        format!(
            "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><workbookPr{date1904}/><bookViews/><sheets>{listed}</sheets>{}</workbook>",
            sheets.names_xml
        ),
    );
    add(
        "xl/_rels/workbook.xml.rels",
        format!("<Relationships xmlns=\"{relations}\">{related}</Relationships>"),
    );
    add("xl/styles.xml", sheets.styles_xml());
    add("xl/sharedStrings.xml", sheets.texts_xml());
    parts
}
