//! A zip archive by its parts.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The parts of a zip archive, by name and in their order.
#[derive(Debug, Clone, Default)]
pub struct Parts(Vec<(String, Vec<u8>)>);

impl Parts {
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a part, or puts this in the place of one.
    pub fn with(self, name: &str, content: &str) -> Self {
        self.with_bytes(name, content.as_bytes().to_vec())
    }

    pub fn with_bytes(mut self, name: &str, content: Vec<u8>) -> Self {
        self.0.retain(|(n, _)| n != name);
        self.0.push((name.to_owned(), content));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        let before = self.0.len();
        self.0.retain(|(n, _)| n != name);
        assert!(self.0.len() < before, "there is no {name}");
        self
    }

    /// Gives a part, which must be there, another name.
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        let (name, _) = self.0.iter_mut().find(|(n, _)| n == from).unwrap();
        to.clone_into(name);
        self
    }

    /// Replaces text within a part, which must be there.
    pub fn changed(mut self, name: &str, from: &str, to: &str) -> Self {
        let (_, content) = self.0.iter_mut().find(|(n, _)| n == name).unwrap();
        let text = String::from_utf8(std::mem::take(content)).unwrap();
        assert!(text.contains(from), "{text}");
        *content = text.replace(from, to).into_bytes();
        self
    }

    pub fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.0 {
            zip.start_file(name.as_str(), SimpleFileOptions::default())
                .unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }
}
