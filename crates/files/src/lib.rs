//! Originals by content hash, write-once.
