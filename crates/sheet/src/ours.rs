//! The sheets that we put into a sender's workbook, by which their next file is known to have come from there.

/// The sheet that lists the findings.
pub const FINDINGS_SHEET: &str = "lgdp findings";

/// The sheet that tells them by check, where they are many.
pub const OVERVIEW_SHEET: &str = "lgdp overview";

/// Whether a sheet has the name of one of ours, or of a copy that a spreadsheet program made of it: `lgdp findings (2)`.
pub fn is_ours(sheet_name: &str) -> bool {
    let name = sheet_name.trim().to_lowercase();
    [FINDINGS_SHEET, OVERVIEW_SHEET].iter().any(|own| {
        name.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(" (") || rest.starts_with('_'))
    })
}

/// What their parts say of themselves, in their order: programs keep it when they save the workbook.
pub const OUR_CODE_NAMES: [&str; 2] = ["lgdpFindings", "lgdpOverview"];

/// The colour of their tabs, which other programs keep; nobody else has chosen exactly this one.
pub const OUR_TAB_COLOUR: &str = "FF0065BE";

/// Whether the part of a sheet is one that we wrote.
pub fn is_our_part(xml: &str) -> bool {
    let properties = xml.find("sheetData").map_or(xml, |at| &xml[..at]);
    properties.contains(OUR_TAB_COLOUR)
        || OUR_CODE_NAMES.iter().any(|name| properties.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_sheets_are_known_by_name() {
        for name in [
            "lgdp findings",
            " LGDP Findings",
            "lgdp overview (2)",
            "lgdp findings_2",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["findings", "lgdp", "lgdp findings of June", "HL1"] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
