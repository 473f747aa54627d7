//! What the fuzz targets share: the invariants of a reading, and files drawn from a fuzzer's bytes.

pub mod archive;
pub mod opendocument;
pub mod panics;
pub mod reading;
pub mod separated;
pub mod sql;
pub mod workbook;
