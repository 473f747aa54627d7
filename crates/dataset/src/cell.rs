//! What stands in one column of one row, before it is put together as text.

use std::fmt::Write as _;

use spec::disclosure::MARK;

/// What stands in a column of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Blank,
    Text(&'a str),
    Number(u32),
    /// `AB12`
    Place(&'a str, u32),
    /// The sender's own columns, as JSON.
    Own(&'a str),
    /// A figure that a release leaves out.
    LeftOut,
}

impl<'a> Cell<'a> {
    /// As text; `room` is where one is put together.
    pub(crate) fn text<'b>(self, room: &'b mut String) -> Option<&'b str>
    where
        'a: 'b,
    {
        room.clear();
        // Writing into a text can't fail.
        let _ = match self {
            Cell::Blank => return None,
            Cell::Text(text) => return Some(text),
            Cell::LeftOut => return Some(MARK),
            Cell::Number(number) => write!(room, "{number}"),
            Cell::Place(letters, row) => write!(room, "{letters}{row}"),
            // As what was read with others has it.
            Cell::Own(own) => match serde_json::from_str::<serde_json::Value>(own) {
                Ok(own) => write!(room, "{own}"),
                Err(_) => write!(room, "{own}"),
            },
        };
        Some(room)
    }

    /// Where there is no room for a mark: what is left out is blank.
    pub(crate) fn unmarked(self) -> Self {
        match self {
            Cell::LeftOut => Cell::Blank,
            cell => cell,
        }
    }
}
