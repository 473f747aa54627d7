//! On a real S3 service: the same promises as on a local folder.

use std::fs;
use std::path::PathBuf;

use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::S3Server;

use super::*;

/// Larger than one part, so that it is put in two.
const LARGE: usize = 8 * 1024 * 1024 + 4321;

struct Case {
    dir: TempDir,
    files: Files,
    _server: S3Server,
}

fn case() -> Case {
    // As `main` does; another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = testkit::s3();
    let files = Files::open(&Config::S3(S3 {
        endpoint: Some(server.endpoint.clone()),
        bucket: server.bucket.clone(),
        region: server.region.clone(),
        access_key: "key".to_owned(),
        secret_key: "secret".to_owned(),
        allow_http: true,
    }))
    .unwrap();
    Case {
        dir: tempfile::tempdir().unwrap(),
        files,
        _server: server,
    }
}

impl Case {
    fn local(&self, bytes: &[u8]) -> (PathBuf, String) {
        let hash = crate::store::hex(&Sha256::digest(bytes));
        let path = self.dir.path().join(&hash);
        fs::write(&path, bytes).unwrap();
        (path, hash)
    }
}

fn bytes(n_bytes: usize) -> Vec<u8> {
    (0..=250).cycle().take(n_bytes).collect()
}

#[tokio::test]
async fn small_and_large_files_come_back_as_they_were_however_often_they_are_put() {
    let case = case();
    for bytes in [bytes(0), bytes(5), bytes(LARGE)] {
        let (path, hash) = case.local(&bytes);
        assert!(!case.files.exists(&key_of(&hash).unwrap()).await.unwrap());
        let key = case.files.put_file(&path, &hash).await.unwrap();
        assert_eq!(case.files.put_file(&path, &hash).await.unwrap(), key);
        assert!(case.files.exists(&key).await.unwrap());
        case.files.verify(&key).await.unwrap();
        let copy = case.dir.path().join("copy");
        case.files.get_to_file(&key, &copy).await.unwrap();
        assert!(fs::read(copy).unwrap() == bytes, "{} bytes", bytes.len());
    }
}

#[tokio::test]
async fn the_same_file_from_many_at_once_is_kept_by_all() {
    let case = case();
    for bytes in [bytes(5), bytes(LARGE)] {
        let (path, hash) = case.local(&bytes);
        let puts = (0..4).map(|_| case.files.put_file(&path, &hash));
        for put in futures_util::future::join_all(puts).await {
            case.files.verify(&put.unwrap()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn bytes_that_are_not_what_was_promised_are_not_kept() {
    let case = case();
    let (_, hash) = case.local(b"something else");
    for bytes in [bytes(5), bytes(LARGE)] {
        let (path, _) = case.local(&bytes);
        let error = case.files.put_file(&path, &hash).await.unwrap_err();
        assert!(matches!(error, FilesError::Integrity { .. }), "{error}");
        assert!(!case.files.exists(&key_of(&hash).unwrap()).await.unwrap());
    }
}

#[tokio::test]
async fn bytes_that_changed_in_the_bucket_are_noticed_and_not_given() {
    let case = case();
    let (path, hash) = case.local(b"short");
    let key = case.files.put_file(&path, &hash).await.unwrap();
    let changed = b"shOrt".to_vec();
    case.files
        .store()
        .put(&Path::from(key.as_str()), changed.into())
        .await
        .unwrap();

    let error = case.files.verify(&key).await.unwrap_err();
    assert!(matches!(error, FilesError::Integrity { .. }), "{error}");
    let copy = case.dir.path().join("copy");
    assert!(case.files.get_to_file(&key, &copy).await.is_err());
    assert!(!copy.exists(), "no wrong bytes are left about");
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let case = case();
    let key = key_of(&"0".repeat(64)).unwrap();
    let error = case.files.verify(&key).await.unwrap_err();
    assert!(matches!(error, FilesError::Missing { .. }), "{error}");
}
