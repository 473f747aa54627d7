//! The XML of a part while it is inflated, cut where an element ends.

use std::io::{self, Read};

use memchr::memmem;

/// Inflated at a time. Tests cut wherever they can.
const BLOCK: usize = if cfg!(test) { 64 } else { 1 << 18 };

/// Gives XML in blocks that each end after an end tag, and then what stands after the last of these.
pub(crate) struct Blocks<R> {
    part: R,
    end_tag: &'static [u8],
    /// What was inflated and not given yet.
    buffer: Vec<u8>,
    /// Of the buffer, what the last block took.
    given: usize,
    n_bytes: u64,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(part: R, end_tag: &'static str) -> Self {
        Self {
            part,
            end_tag: end_tag.as_bytes(),
            buffer: Vec::new(),
            given: 0,
            n_bytes: 0,
            ended: false,
        }
    }

    /// The next block; `None` when no end tag comes any more.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.drain(..self.given);
        self.given = 0;
        while !self.ended {
            let from = self.buffer.len();
            let mut block = (&mut self.part).take(BLOCK as u64);
            // The zip reader compares the check sum at the part's end.
            let n_read = block.read_to_end(&mut self.buffer)?;
            self.n_bytes += n_read as u64;
            self.ended = n_read < BLOCK;
            let near = from.saturating_sub(self.end_tag.len());
            if let Some(at) = memmem::rfind(&self.buffer[near..], self.end_tag) {
                self.given = near + at + self.end_tag.len();
                return Ok(Some(&self.buffer[..self.given]));
            }
        }
        Ok(None)
    }

    /// What stands after the last block.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.buffer[self.given..]
    }

    /// As far as it was inflated.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
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
            let mut blocks = Blocks::new(xml.as_bytes(), "</row>");
            let mut whole = Vec::new();
            while let Some(block) = blocks.next().unwrap() {
                assert!(block.ends_with(b"</row>"));
                whole.extend_from_slice(block);
            }
            assert_eq!(blocks.rest(), b"<rest/>");
            assert_eq!(blocks.n_bytes(), xml.len() as u64);
            whole.extend_from_slice(b"<rest/>");
            assert_eq!(whole, xml.as_bytes());
        }
    }
}
