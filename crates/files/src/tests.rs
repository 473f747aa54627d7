//! What the store promises: on a local folder, with small parts so that small files are large ones.

use std::fs;
use std::path::PathBuf;

use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

/// A store, and a folder for files that are not in it.
pub(crate) struct Case {
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

const LARGE: &[u8] = b"a file of more than three of the parts";

impl Case {
    pub(crate) fn of(files: Files) -> Case {
        let dir = tempfile::tempdir().unwrap();
        Case { dir, files }
    }

    fn local(&self, bytes: &[u8]) -> (PathBuf, String) {
        let hash = hex::encode(Sha256::digest(bytes));
        let path = self.dir.path().join(&hash);
        fs::write(&path, bytes).unwrap();
        (path, hash)
    }

    fn copy(&self) -> PathBuf {
        self.dir.path().join("copy")
    }

    pub(crate) async fn check_bytes_come_back_however_often_they_are_put(&self, bytes: &[u8]) {
        let (path, hash) = self.local(bytes);
        assert!(!self.files.exists(&key_of(&hash).unwrap()).await.unwrap());
        let key = self.files.put_file(&path, &hash).await.unwrap();
        assert_eq!(key, format!("originals/{hash}"));
        assert_eq!(self.files.put_file(&path, &hash).await.unwrap(), key);
        assert!(self.files.exists(&key).await.unwrap());
        self.files.verify(&key).await.unwrap();
        self.files.get_to_file(&key, &self.copy()).await.unwrap();
        let same = fs::read(self.copy()).unwrap() == bytes;
        assert!(same, "{} bytes", bytes.len());
    }

    pub(crate) async fn check_many_at_once_can_put_the_same(&self, bytes: &[u8]) {
        let (path, hash) = self.local(bytes);
        let puts = (0..4).map(|_| self.files.put_file(&path, &hash));
        for put in futures_util::future::join_all(puts).await {
            self.files.verify(&put.unwrap()).await.unwrap();
        }
    }

    pub(crate) async fn check_other_bytes_than_promised_are_not_kept(&self, bytes: &[u8]) {
        let (_, hash) = self.local(b"something else");
        let (path, _) = self.local(bytes);
        let error = self.files.put_file(&path, &hash).await.unwrap_err();
        assert!(matches!(error, FilesError::Integrity { .. }), "{error}");
        assert!(!self.files.exists(&key_of(&hash).unwrap()).await.unwrap());
    }

    pub(crate) async fn check_bytes_that_changed_are_noticed_and_not_given(&self) {
        let (path, hash) = self.local(b"short");
        let key = self.files.put_file(&path, &hash).await.unwrap();
        self.change(&key, b"shOrt").await;
        let error = self.files.verify(&key).await.unwrap_err();
        assert!(matches!(error, FilesError::Integrity { .. }), "{error}");
        assert!(self.files.get_to_file(&key, &self.copy()).await.is_err());
        assert!(!self.copy().exists(), "no wrong bytes are left about");
    }

    /// As nobody but the store's keeper could.
    async fn change(&self, key: &str, bytes: &'static [u8]) {
        let path = Path::from(key);
        self.files.store().put(&path, bytes.into()).await.unwrap();
    }

    pub(crate) async fn check_what_is_not_there_is_said(&self) {
        let key = key_of(&"0".repeat(64)).unwrap();
        assert!(!self.files.exists(&key).await.unwrap());
        let error = self.files.verify(&key).await.unwrap_err();
        assert!(matches!(error, FilesError::Missing { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_and_is_kept_once() {
    let case = case();
    for (n_before, bytes) in [&b""[..], b"short", b"ten bytes.", LARGE]
        .iter()
        .enumerate()
    {
        case.check_bytes_come_back_however_often_they_are_put(bytes)
            .await;
        let kept = fs::read_dir(case.dir.path().join("store/originals")).unwrap();
        assert_eq!(kept.count(), n_before + 1);
    }
}

#[tokio::test]
async fn the_same_file_from_many_at_once_is_kept_by_all() {
    for bytes in [&b"short"[..], LARGE] {
        case().check_many_at_once_can_put_the_same(bytes).await;
    }
}

#[tokio::test]
async fn bytes_that_are_not_what_was_promised_are_not_kept() {
    for bytes in [&b"short"[..], LARGE] {
        case()
            .check_other_bytes_than_promised_are_not_kept(bytes)
            .await;
    }
}

#[tokio::test]
async fn bytes_that_changed_in_the_folder_are_noticed() {
    case()
        .check_bytes_that_changed_are_noticed_and_not_given()
        .await;
}

#[tokio::test]
async fn a_file_cut_short_in_the_store_is_not_taken_for_kept() {
    let case = case();
    let (path, hash) = case.local(b"short");
    let key = case.files.put_file(&path, &hash).await.unwrap();
    case.change(&key, b"sh").await;
    let error = case.files.put_file(&path, &hash).await.unwrap_err();
    assert!(matches!(error, FilesError::Integrity { .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    case().check_what_is_not_there_is_said().await;
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

#[tokio::test]
async fn what_is_kept_in_passing_comes_back_and_goes_when_it_is_removed() {
    let case = case();
    for bytes in [&b""[..], b"short", LARGE] {
        let (path, hash) = case.local(bytes);
        let key = case.files.put_passing("one", &path, &hash).await.unwrap();
        assert_eq!(key, crate::passing_key("one"));
        // Whoever comes second finds it there.
        case.files.put_passing("one", &path, &hash).await.unwrap();
        let copy = case.copy();
        case.files.get_exactly(&key, &hash, &copy).await.unwrap();
        assert!(fs::read(&copy).unwrap() == bytes, "{} bytes", bytes.len());
        let other = "0".repeat(64);
        let wrong = case.files.get_exactly(&key, &other, &copy).await;
        assert!(matches!(wrong, Err(FilesError::Integrity { .. })));
        assert!(!copy.exists(), "no wrong bytes are left about");
        for _ in 0..2 {
            case.files.remove_passing("one").await.unwrap();
        }
        assert!(!case.files.exists(&key).await.unwrap());
    }
    let left = fs::read_dir(case.dir.path().join("store/passing")).unwrap();
    assert_eq!(left.count(), 0);
}
