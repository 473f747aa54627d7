//! Zip archives made of drawn parts, and what may go wrong with one on its way.

use std::io::{Cursor, Write};

use arbitrary::{Result, Unstructured};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Names and contents, in the order of the archive.
pub type Parts = Vec<(String, Vec<u8>)>;

pub fn zip(parts: &Parts, method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in parts {
        // A name twice is refused by this writer; readers are given such archives as raw bytes.
        if zip.start_file(name.as_str(), options).is_ok() {
            zip.write_all(content).expect("memory has room");
        }
    }
    zip.finish().expect("memory has room").into_inner()
}

/// Drops, renames, cuts or changes some of the parts.
pub fn damage(parts: &mut Parts, u: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..u.int_in_range(0..=3)? {
        if parts.is_empty() {
            break;
        }
        let idx = u.choose_index(parts.len())?;
        match u.int_in_range(0..=7)? {
            0 => {
                parts.remove(idx);
            }
            1 => parts[idx].0.make_ascii_uppercase(),
            2 => parts[idx].0 = parts[idx].0.replace('/', "\\"),
            3 => {
                let at = u.int_in_range(0..=parts[idx].1.len())?;
                parts[idx].1.truncate(at);
            }
            4 => {
                let other = u.choose_index(parts.len())?;
                let content = parts[other].1.clone();
                parts[idx].1 = content;
            }
            5 => {
                let other = u.choose_index(parts.len())?;
                parts.swap(idx, other);
            }
            _ => {
                let content = &mut parts[idx].1;
                for _ in 0..u.int_in_range(1..=4)? {
                    if content.is_empty() {
                        break;
                    }
                    let at = u.choose_index(content.len())?;
                    match u.arbitrary()? {
                        true => content[at] = u.arbitrary()?,
                        false => {
                            content.remove(at);
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// Cuts the archive, or changes a few of its bytes.
pub fn damage_bytes(bytes: &mut Vec<u8>, u: &mut Unstructured<'_>) -> Result<()> {
    if u.arbitrary()? {
        let at = u.int_in_range(0..=bytes.len())?;
        bytes.truncate(at);
    }
    for _ in 0..u.int_in_range(0..=4)? {
        if bytes.is_empty() {
            break;
        }
        // The directory is at the end, and says most.
        let near_end = bytes.len().min(600);
        let at = bytes.len() - 1 - u.choose_index(near_end)?;
        bytes[at] = u.arbitrary()?;
    }
    Ok(())
}
