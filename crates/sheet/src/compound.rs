//! What is looked at in a compound file, the container of xls, before the reader gets it.
//!
//! The reader follows a chain of sectors that leads back into itself until there is no memory left, panics at one that leads nowhere,
//! and takes the stream of a chain that ends early for a whole one, so that the last rows would be missing without a word.

use crate::Refusal;

const HEADER: usize = 512;
/// Numbers from here on are no sectors; the last but one ends a chain.
const NO_SECTOR: u32 = 0xffff_fffa;
const END: u32 = 0xffff_fffe;
/// A stream that is shorter is kept in pieces of 64 bytes, within the stream of the directory's first entry.
const SHORT: u64 = 4_096;
const ENTRY: usize = 128;
/// The record of a sheet's extent.
const EXTENT: u16 = 0x0200;
/// Of a sheet in this format.
const MOST_CELLS: u64 = 65_536 * 256;

/// The chains that the reader follows have an end, and the workbook's stream is as long as it says.
///
/// A header that is not understood is left to the reader.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Refusal> {
    let sector = match number(bytes, 30).map(|shift| shift & 0xffff) {
        Some(9) => 512,
        Some(12) => 4_096,
        _ => return Ok(()),
    };
    let Some(sectors) = bytes.get(sector..) else {
        return Err(Refusal::cut_off());
    };
    let file = Chained {
        bytes: sectors,
        next: table(bytes, sectors, sector)?,
        size: sector,
    };
    let directory = file.content(at(bytes, 48)?, u64::MAX)?;
    let entries: Vec<&[u8]> = directory.chunks_exact(ENTRY).collect();
    let root = entries.first().ok_or_else(broken)?;
    let has_short_streams = at(bytes, 64)? > 0;
    let short = if has_short_streams {
        let sectors = u64::from(at(bytes, 64)?) * sector as u64;
        Chained {
            bytes: &file.content(at(root, 116)?, length(root, sector)?)?,
            next: numbers(&file.content(at(bytes, 60)?, sectors)?),
            size: 64,
        }
        .of_workbook(&entries, sector, |length| length < SHORT)
    } else {
        Ok(())
    };
    short?;
    file.of_workbook(&entries, sector, |length| length >= SHORT)
}

/// Sectors, and which one follows each.
struct Chained<'s> {
    bytes: &'s [u8],
    next: Vec<u32>,
    size: usize,
}

impl Chained<'_> {
    /// What a chain holds, up to `length` bytes.
    fn content(&self, start: u32, length: u64) -> Result<Vec<u8>, Refusal> {
        let mut content = Vec::new();
        let mut id = start;
        // A chain with more steps than there are sectors goes round.
        for _ in 0..=self.next.len() {
            if id == END || content.len() as u64 >= length {
                return Ok(content);
            }
            content.extend_from_slice(self.sector(id)?);
            id = *self.next.get(id as usize).ok_or_else(broken)?;
        }
        Err(broken())
    }

    /// The last one may be cut short, as some programs write it.
    fn sector(&self, id: u32) -> Result<&[u8], Refusal> {
        if id >= NO_SECTOR {
            return Err(broken());
        }
        let start = id as usize * self.size;
        let end = self.bytes.len().min(start + self.size);
        self.bytes
            .get(start..end)
            .filter(|sector| !sector.is_empty())
            .ok_or_else(Refusal::cut_off)
    }

    /// Every stream that may be the workbook's and is kept here is whole.
    fn of_workbook(
        &self,
        entries: &[&[u8]],
        sector: usize,
        is_here: impl Fn(u64) -> bool,
    ) -> Result<(), Refusal> {
        for entry in entries.iter().filter(|entry| is_workbook(entry)) {
            let length = length(entry, sector)?;
            if is_here(length) {
                let stream = self.content(at(entry, 116)?, length)?;
                if (stream.len() as u64) < length {
                    return Err(Refusal::cut_off());
                }
                check_extents(&stream)?;
            }
        }
        Ok(())
    }
}

/// Which sector follows each, from the sectors that the header lists and those that go on with the list.
fn table(bytes: &[u8], sectors: &[u8], size: usize) -> Result<Vec<u32>, Refusal> {
    let listed = Chained {
        bytes: sectors,
        next: Vec::new(),
        size,
    };
    let mut ids = numbers(bytes.get(76..HEADER).ok_or_else(Refusal::cut_off)?);
    let mut more = at(bytes, 68)?;
    for _ in 0..=sectors.len() / size {
        if more >= NO_SECTOR {
            let tables = ids.iter().filter(|id| **id < NO_SECTOR);
            let tables: Result<Vec<_>, _> = tables.map(|id| listed.sector(*id)).collect();
            return Ok(tables?.into_iter().flat_map(numbers).collect());
        }
        ids.extend(numbers(listed.sector(more)?));
        more = ids.pop().ok_or_else(broken)?;
    }
    Err(broken())
}

/// The reader makes room for as many cells as a sheet says it has.
fn check_extents(stream: &[u8]) -> Result<(), Refusal> {
    let short = |bytes: &[u8], at: usize| number(bytes, at).map(|number| number & 0xffff);
    let mut rest = stream;
    while let [k0, k1, n0, n1, after @ ..] = rest {
        let n_bytes = usize::from(u16::from_le_bytes([*n0, *n1]));
        let Some((body, after)) = after.split_at_checked(n_bytes) else {
            break;
        };
        rest = after;
        if u16::from_le_bytes([*k0, *k1]) != EXTENT {
            continue;
        }
        // Rows from and to, then columns to; the older form has two bytes for each.
        let extent = match body.len() {
            10 => (short(body, 0), short(body, 2), short(body, 6)),
            14 | 16 => (number(body, 0), number(body, 4), short(body, 10)),
            _ => continue,
        };
        if let (Some(first), Some(end), Some(columns)) = extent
            && end > 0
            && (first > end || u64::from(end - first) * u64::from(columns) > MOST_CELLS)
        {
            return Err(broken());
        }
    }
    Ok(())
}

/// By its name, in two bytes a letter.
fn is_workbook(entry: &[u8]) -> bool {
    let name: Vec<u8> = entry[..64]
        .chunks_exact(2)
        .map_while(|pair| (pair[1] == 0 && pair[0] != 0).then_some(pair[0].to_ascii_lowercase()))
        .collect();
    name == b"workbook" || name == b"book"
}

/// Small sectors go with lengths of four bytes, whatever the next four are.
fn length(entry: &[u8], sector: usize) -> Result<u64, Refusal> {
    let low = u64::from(at(entry, 120)?);
    Ok(if sector == 512 {
        low
    } else {
        low | u64::from(at(entry, 124)?) << 32
    })
}

fn numbers(bytes: impl AsRef<[u8]>) -> Vec<u32> {
    let chunks = bytes.as_ref().chunks_exact(4);
    chunks.filter_map(|chunk| number(chunk, 0)).collect()
}

fn at(bytes: &[u8], at: usize) -> Result<u32, Refusal> {
    number(bytes, at).ok_or_else(Refusal::cut_off)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*four))
}

fn broken() -> Refusal {
    Refusal::broken("The workbook")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, read};

    const WHOLE: &[u8] = include_bytes!("../fixtures/same.xls");

    /// The rule that the workbook is refused by, with other numbers at these places.
    fn rule(numbers: &[(usize, u32)]) -> &'static str {
        let mut bytes = WHOLE.to_vec();
        for (at, number) in numbers {
            bytes[*at..*at + 4].copy_from_slice(&number.to_le_bytes());
        }
        read(&bytes, "a.xls", &Limits::default()).map_or_else(|refusal| refusal.rule, |_| "read")
    }

    /// Where the table has the sector that follows this one; where the first entry of that name is.
    fn follower(id: u32) -> usize {
        512 * (1 + at(WHOLE, 76).unwrap() as usize) + 4 * id as usize
    }

    fn workbook_entry() -> usize {
        let directory = 512 * (1 + at(WHOLE, 48).unwrap() as usize);
        (0..4)
            .map(|idx| directory + idx * ENTRY)
            .find(|entry| is_workbook(&WHOLE[*entry..]))
            .unwrap()
    }

    #[test]
    fn a_chain_that_goes_round_is_damage() {
        let directory = at(WHOLE, 48).unwrap();
        let start = at(WHOLE, workbook_entry() + 116).unwrap();
        assert_eq!(rule(&[]), "read");
        assert_eq!(rule(&[(follower(directory), directory)]), "file.broken");
        assert_eq!(rule(&[(follower(start), start)]), "file.broken");
        // However long the stream says it is.
        let long = (workbook_entry() + 120, u32::MAX);
        assert_eq!(rule(&[(follower(start), start), long]), "file.broken");
        // The list of the table's own sectors.
        assert_ne!(rule(&[(68, directory)]), "read");
    }

    #[test]
    fn a_chain_that_ends_early_or_leads_nowhere_is_told() {
        let start = at(WHOLE, workbook_entry() + 116).unwrap();
        let second = at(WHOLE, follower(start)).unwrap();
        assert_eq!(rule(&[(follower(second), END)]), "file.cut-off");
        assert_eq!(rule(&[(follower(second), 70_000)]), "file.cut-off");
        assert_eq!(rule(&[(follower(second), u32::MAX)]), "file.broken");
        assert_eq!(rule(&[(76, 70_000)]), "file.cut-off");
    }

    #[test]
    fn an_extent_that_no_sheet_has_is_damage() {
        let record = [0x00, 0x02, 0x0e, 0x00];
        let extent = WHOLE.windows(4).position(|w| w == record).unwrap() + 4;
        assert_eq!(rule(&[(extent + 4, 65_536)]), "read");
        assert_eq!(rule(&[(extent + 4, u32::MAX)]), "file.broken");
        assert_eq!(rule(&[(extent, 70_000)]), "file.broken");
    }

    #[test]
    fn a_file_cut_anywhere_is_never_read_with_fewer_cells() {
        let whole = read(WHOLE, "a.xls", &Limits::default()).unwrap();
        for n_bytes in (512..WHOLE.len()).step_by(64) {
            if let Ok(cut) = read(&WHOLE[..n_bytes], "a.xls", &Limits::default()) {
                assert_eq!(cut.sheets, whole.sheets, "{n_bytes} bytes");
            }
        }
    }
}
