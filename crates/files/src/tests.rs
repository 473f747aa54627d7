//! On a local folder, with small parts so that small files are large ones.

use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

struct Case {
    dir: TempDir,
    files: Files,
}

fn case() -> Case {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::open(&Config::Folder(dir.path().join("store")))
        .unwrap()
        .with_part_bytes(10);
    Case { dir, files }
}

impl Case {
    fn local(&self, bytes: &[u8]) -> (PathBuf, String) {
        let path = self.dir.path().join("upload");
        fs::write(&path, bytes).unwrap();
        let hash = crate::store::hex(&Sha256::digest(bytes));
        (path, hash)
    }
}

#[tokio::test]
async fn a_file_comes_back_as_it_was() {
    for bytes in [
        &b""[..],
        b"short",
        b"ten bytes.",
        b"a file of more than three of the parts",
    ] {
        let case = case();
        let (path, hash) = case.local(bytes);
        let key = case.files.put_file(&path, &hash).await.unwrap();
        assert_eq!(key, format!("originals/{hash}"));
        assert!(case.files.exists(&key).await.unwrap());
        case.files.verify(&key).await.unwrap();
        let copy = case.dir.path().join("copy");
        case.files.get_to_file(&key, &copy).await.unwrap();
        assert_eq!(fs::read(copy).unwrap(), bytes);
    }
}

#[tokio::test]
async fn the_same_file_twice_is_kept_once() {
    for bytes in [&b"short"[..], b"a file of more than three of the parts"] {
        let case = case();
        let (path, hash) = case.local(bytes);
        let first = case.files.put_file(&path, &hash).await.unwrap();
        assert_eq!(case.files.put_file(&path, &hash).await.unwrap(), first);
        let n_kept = fs::read_dir(case.dir.path().join("store/originals"))
            .unwrap()
            .count();
        assert_eq!(n_kept, 1);
    }
}

#[tokio::test]
async fn bytes_that_are_not_what_was_promised_are_not_kept() {
    for bytes in [&b"short"[..], b"a file of more than three of the parts"] {
        let case = case();
        let (_, hash) = case.local(b"something else");
        let (path, _) = case.local(bytes);
        let error = case.files.put_file(&path, &hash).await.unwrap_err();
        assert!(matches!(error, FilesError::Integrity { .. }), "{error}");
        assert!(!case.files.exists(&key_of(&hash).unwrap()).await.unwrap());
    }
}

#[tokio::test]
async fn bytes_that_changed_in_the_store_are_noticed() {
    let case = case();
    let (path, hash) = case.local(b"short");
    let key = case.files.put_file(&path, &hash).await.unwrap();
    fs::write(case.dir.path().join("store").join(&key), b"shOrt").unwrap();

    let error = case.files.verify(&key).await.unwrap_err();
    assert!(matches!(error, FilesError::Integrity { .. }), "{error}");
    let copy = case.dir.path().join("copy");
    assert!(case.files.get_to_file(&key, &copy).await.is_err());
    assert!(!copy.exists(), "no wrong bytes are left about");
}

#[tokio::test]
async fn a_file_cut_short_in_the_store_is_not_taken_for_kept() {
    let case = case();
    let (path, hash) = case.local(b"short");
    let key = case.files.put_file(&path, &hash).await.unwrap();
    fs::write(case.dir.path().join("store").join(&key), b"sh").unwrap();
    let error = case.files.put_file(&path, &hash).await.unwrap_err();
    assert!(matches!(error, FilesError::Integrity { .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let case = case();
    let key = key_of(&"0".repeat(64)).unwrap();
    assert!(!case.files.exists(&key).await.unwrap());
    let error = case.files.verify(&key).await.unwrap_err();
    assert!(matches!(error, FilesError::Missing { .. }), "{error}");
}

#[test]
fn only_a_hash_is_a_key() {
    for text in ["", "../../etc/passwd", &"A".repeat(64), &"0".repeat(63)] {
        assert!(
            matches!(key_of(text), Err(FilesError::NotAHash(_))),
            "{text}"
        );
    }
}
