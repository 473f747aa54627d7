//! Why a file can't be used, in sentences for the person who sent it.

use finding::CellRef;

/// The file can't be used. It is the sender's mistake, so the caller makes it a finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// `file.<what>`, a rule id.
    pub rule: &'static str,
    /// One plain sentence: what is wrong.
    pub message: String,
    /// One plain sentence: how to mend it.
    pub fix: String,
}

const SAVE_AGAIN: &str = "Open the file in your spreadsheet program, save it as an Excel workbook (.xlsx) and send that.";

impl Refusal {
    pub(crate) fn new(
        rule: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            message: message.into(),
            fix: fix.into(),
        }
    }

    pub(crate) fn empty() -> Self {
        Self::new(
            "file.empty",
            "The file is empty (0 bytes).",
            "Save the file again and check that it has a size before you send it.",
        )
    }

    pub(crate) fn too_large(file_bytes: u64) -> Self {
        Self::new(
            "file.too-large",
            format!("The file is larger than {} MB.", file_bytes / 1_000_000),
            "Remove pictures, unused sheets and formatting of empty rows, save the file and send it again.",
        )
    }

    pub(crate) fn cut_off() -> Self {
        Self::new(
            "file.cut-off",
            "The file is incomplete: its end is missing.",
            "Save the file again, wait until saving has finished and send it again.",
        )
    }

    pub(crate) fn password() -> Self {
        Self::new(
            "file.password",
            "The file is protected with a password, so it can't be read.",
            "Save it without the password; the connection is encrypted already.",
        )
    }

    pub(crate) fn web_page() -> Self {
        Self::new(
            "file.html",
            "The file is a web page, although its name may say otherwise.",
            SAVE_AGAIN,
        )
    }

    /// `kind` with its article: `a PDF document`.
    pub(crate) fn not_a_spreadsheet(kind: &str) -> Self {
        Self::new(
            "file.not-a-spreadsheet",
            format!("The file is {kind}, not a spreadsheet."),
            "Send the workbook itself: an Excel workbook (.xlsx), an OpenDocument spreadsheet (.ods) or a CSV file.",
        )
    }

    /// A spreadsheet of a kind that is not read; `kind` with its article.
    pub(crate) fn other_format(kind: &str) -> Self {
        Self::new(
            "file.other-format",
            format!("The file is {kind}, a format that can't be read here."),
            SAVE_AGAIN,
        )
    }

    /// `what` names the damaged part as the sender knows it: `The sheet HL1`.
    pub(crate) fn broken(what: &str) -> Self {
        Self::new(
            "file.broken",
            format!("{what} is damaged and can't be read."),
            SAVE_AGAIN,
        )
    }

    pub(crate) fn doctype() -> Self {
        Self::new(
            "file.doctype",
            "The file holds a document type declaration, which no spreadsheet program writes.",
            SAVE_AGAIN,
        )
    }

    pub(crate) fn part_twice() -> Self {
        Self::new(
            "file.part-twice",
            "The file holds two parts under one name, so it is not clear which one counts.",
            SAVE_AGAIN,
        )
    }

    pub(crate) fn too_many_parts(parts: usize) -> Self {
        Self::new(
            "file.too-many-parts",
            format!("The file is made of more than {parts} parts."),
            "Remove pictures and other embedded objects, save the file and send it again.",
        )
    }

    pub(crate) fn expands_too_far() -> Self {
        Self::new(
            "file.expands-too-far",
            "The file is far larger once it is unpacked than any return.",
            "Copy the cells that are asked for into the return's own template and send that.",
        )
    }

    /// Of an old workbook, whose reader makes room for all that lies between.
    pub(crate) fn far_apart() -> Self {
        Self::new(
            "file.far-apart",
            "The workbook has cells so far apart that reading it takes more memory than any return needs.",
            "Save it as an Excel workbook (.xlsx) and upload that.",
        )
    }

    pub(crate) fn too_many_sheets(sheets: usize) -> Self {
        Self::new(
            "file.too-many-sheets",
            format!("The workbook has more than {sheets} sheets."),
            "Remove the sheets that are not part of the return.",
        )
    }

    pub(crate) fn too_many_cells(cells: usize) -> Self {
        Self::new(
            "file.too-many-cells",
            format!("The workbook has more than {cells} cells with something in them."),
            "Remove the sheets, rows and columns that are not part of the return.",
        )
    }

    pub(crate) fn text_too_long(cell: &CellRef, characters: usize) -> Self {
        Self::new(
            "file.text-too-long",
            format!("The cell {cell} holds more than {characters} characters of text."),
            "Shorten the text.",
        )
    }

    pub(crate) fn outside_the_grid(place: &str) -> Self {
        Self::new(
            "file.outside-the-grid",
            format!("The file has a cell outside the rows and columns of a worksheet ({place})."),
            SAVE_AGAIN,
        )
    }

    pub(crate) fn same_sheet_name(name: &str) -> Self {
        Self::new(
            "file.same-sheet-name",
            format!("The workbook has two sheets named {name}."),
            "Rename or remove one of them.",
        )
    }

    pub(crate) fn no_data() -> Self {
        Self::new(
            "file.no-data",
            "The file has no cell with anything in it.",
            "Fill in the return's template and send that; check that you have chosen the right file.",
        )
    }
}
