//! How much of a file is read before it is refused.

/// What a file may hold. The defaults fit every known return many times over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file as it was sent. Default 25 MB, as mail systems have it.
    pub file_bytes: u64,
    /// Parts in a zip-based workbook. Default 2,000; a workbook of 64 sheets has some 200.
    pub parts: usize,
    /// Bytes of one part, counted while inflating. Default 256 MB: a sheet of 100,000 rows by 40 columns takes 140.
    pub part_bytes: u64,
    /// Bytes of all parts together, counted while inflating. Default 384 MB.
    pub total_bytes: u64,
    /// Worksheets in a workbook. Default 64.
    pub sheets: usize,
    /// Cells with something in them, in all sheets together. Default 6,000,000: 100,000 rows by 40 columns and a margin.
    pub cells: usize,
    /// Bytes of text in all cells together. Default 256 MB: a shared text counts in each of its cells.
    pub text_bytes: u64,
    /// Characters of text in one cell. Default 32,767, which is what a spreadsheet program allows.
    pub characters: usize,
    /// Rows of a sheet. Default 1,048,576.
    pub rows: u32,
    /// Columns of a sheet. Default 16,384, the last of which is XFD.
    pub columns: u32,
    /// Bytes of a worksheet from which on it is large, and read by the quicker of two readers as far as that goes. Default 1 MB.
    /// What is read is the same whatever it says.
    pub large_bytes: u64,
}

const MB: u64 = 1_000_000;

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 25 * MB,
            parts: 2_000,
            part_bytes: 256 * MB,
            total_bytes: 384 * MB,
            sheets: 64,
            cells: 6_000_000,
            text_bytes: 256 * MB,
            characters: 32_767,
            rows: 1_048_576,
            columns: 16_384,
            large_bytes: MB,
        }
    }
}
