//! The XML of a part while it is inflated, cut where an element ends.

use std::io::{self, Read};

use memchr::memmem;

use crate::ahead::ahead;

/// Inflated at a time. Tests cut wherever they can.
const BLOCK: usize = if cfg!(test) { 64 } else { 1 << 18 };

/// Some of a part's XML.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_first: bool,
    /// It is what stands after the last end tag; every other block ends with one.
    pub(crate) is_last: bool,
}

/// Gives the blocks of a part, one after another: inflating goes on while they are read.
pub(crate) fn each<E: From<io::Error> + Send>(
    part: impl Read + Send,
    end_tag: &'static str,
    read: impl FnMut(&Block) -> Result<(), E>,
) -> Result<(), E> {
    let mut blocks = Blocks {
        part,
        end_tag: end_tag.as_bytes(),
        after: Vec::new(),
        is_first: true,
        is_over: false,
    };
    ahead(move |block| Ok(blocks.next(block)?), read)
}

struct Blocks<R> {
    part: R,
    end_tag: &'static [u8],
    /// What was inflated and not given yet.
    after: Vec<u8>,
    is_first: bool,
    is_over: bool,
}

impl<R: Read> Blocks<R> {
    /// False after the last block.
    fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        let bytes = &mut block.bytes;
        bytes.clear();
        bytes.append(&mut self.after);
        block.is_first = std::mem::take(&mut self.is_first);
        block.is_last = loop {
            let from = bytes.len();
            let mut more = (&mut self.part).take(BLOCK as u64);
            // The zip reader compares the check sum at the part's end.
            let n_read = more.read_to_end(bytes)?;
            let near = from.saturating_sub(self.end_tag.len());
            if let Some(at) = memmem::rfind(&bytes[near..], self.end_tag) {
                let end = near + at + self.end_tag.len();
                self.after.extend_from_slice(&bytes[end..]);
                bytes.truncate(end);
                break false;
            }
            if n_read < BLOCK {
                break true;
            }
        };
        self.is_over = block.is_last;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_with_the_tag_and_together_are_the_part() {
        for n_rows in [0, 1, 7, 500] {
            let row = |n: usize| format!("<row>{}</row>", "x".repeat(n % 200));
            let xml: String = (0..n_rows).map(row).collect::<String>() + "<rest/>";
            let mut whole = Vec::new();
            let mut n_blocks = 0;
            let mut ended = false;
            each(xml.as_bytes(), "</row>", |block| {
                assert!(!ended);
                assert_eq!(block.is_first, n_blocks == 0);
                if block.is_last {
                    assert_eq!(block.bytes, b"<rest/>");
                } else {
                    assert!(block.bytes.ends_with(b"</row>"));
                }
                ended = block.is_last;
                n_blocks += 1;
                whole.extend_from_slice(&block.bytes);
                Ok::<(), io::Error>(())
            })
            .unwrap();
            assert!(ended);
            assert_eq!(whole, xml.as_bytes());
        }
    }

    #[test]
    fn a_part_that_can_not_be_inflated_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::InvalidData.into())
            }
        }
        let part = b"<row></row>".chain(Broken);
        let went = each(part, "</row>", |_| Ok::<(), io::Error>(()));
        assert_eq!(went.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
