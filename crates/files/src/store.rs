//! Putting, giving and proving.

use std::path::Path as LocalPath;
use std::sync::Arc;

use futures_util::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    ClientOptions, Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload,
};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Config, FilesError};

/// A file up to this size is put in one request; larger ones in parts of it (S3's smallest part is 5 MiB).
const PART_BYTES: usize = 8 * 1024 * 1024;

/// The store of originals; cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    part_bytes: usize,
}

/// The key of the file with this hash.
pub fn key_of(sha256: &str) -> Result<String, FilesError> {
    let is_hash = sha256.len() == 64
        && sha256
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if is_hash {
        Ok(format!("originals/{sha256}"))
    } else {
        Err(FilesError::NotAHash(sha256.chars().take(80).collect()))
    }
}

/// The hash that a key of an original says.
fn hash_of(key: &str) -> Result<&str, FilesError> {
    let hash = key.strip_prefix("originals/").unwrap_or(key);
    key_of(hash).map(|_| hash)
}

/// The key of what is kept in passing.
pub fn passing_key(id: &str) -> String {
    format!("passing/{id}")
}

impl Files {
    pub fn open(config: &Config) -> Result<Self, FilesError> {
        let setup = |error: Error| FilesError::Setup(error.to_string());
        let store: Arc<dyn ObjectStore> = match config {
            Config::Folder(folder) => {
                std::fs::create_dir_all(folder).map_err(|source| FilesError::Local {
                    act: "make the folder for",
                    source,
                })?;
                // Synced, since a receipt promises that the file is kept.
                Arc::new(
                    LocalFileSystem::new_with_prefix(folder)
                        .map_err(setup)?
                        .with_fsync(true),
                )
            }
            Config::S3(s3) => {
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(&s3.bucket)
                    .with_region(&s3.region)
                    .with_access_key_id(&s3.access_key)
                    .with_secret_access_key(&s3.secret_key)
                    .with_client_options(ClientOptions::new().with_allow_http(s3.allow_http));
                if let Some(endpoint) = &s3.endpoint {
                    builder = builder.with_endpoint(endpoint);
                }
                Arc::new(builder.build().map_err(setup)?)
            }
        };
        Ok(Self {
            store,
            part_bytes: PART_BYTES,
        })
    }

    #[cfg(test)]
    pub(crate) fn with_part_bytes(mut self, part_bytes: usize) -> Self {
        self.part_bytes = part_bytes;
        self
    }

    #[cfg(test)]
    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }

    /// Keeps a local file under its hash, which is computed again on the way; gives the key.
    /// Repeating it is harmless.
    pub async fn put_file(&self, local: &LocalPath, sha256: &str) -> Result<String, FilesError> {
        self.put_at(key_of(sha256)?, local, sha256).await
    }

    /// Keeps a local file under a key of its own until it is removed: what is not an original yet, and may never be one.
    /// Repeating it is harmless.
    pub async fn put_passing(
        &self,
        id: &str,
        local: &LocalPath,
        sha256: &str,
    ) -> Result<String, FilesError> {
        self.put_at(passing_key(id), local, sha256).await
    }

    async fn put_at(
        &self,
        key: String,
        local: &LocalPath,
        sha256: &str,
    ) -> Result<String, FilesError> {
        let path = Path::from(key.as_str());
        let n_bytes = tokio::fs::metadata(local).await.map_err(reading)?.len();
        if let Some(stored) = self.size(&path).await? {
            return if stored == n_bytes {
                Ok(key)
            } else {
                Err(FilesError::Integrity { key })
            };
        }
        let mut file = File::open(local).await.map_err(reading)?;
        let first = read_part(&mut file, self.part_bytes).await?;
        if first.len() < self.part_bytes {
            if hex::encode(Sha256::digest(&first)) != sha256 {
                return Err(FilesError::Integrity { key });
            }
            self.put_small(&path, first).await?;
        } else {
            let upload = self.store.put_multipart(&path).await.map_err(failed)?;
            put_large(upload, file, first, sha256, self.part_bytes, &key).await?;
        }
        Ok(key)
    }

    async fn put_small(&self, path: &Path, bytes: Vec<u8>) -> Result<(), FilesError> {
        let n_bytes = bytes.len() as u64;
        let create = PutOptions::from(PutMode::Create);
        match self.store.put_opts(path, bytes.into(), create).await {
            Ok(_) => Ok(()),
            // Someone else has just put the same bytes.
            Err(Error::AlreadyExists { .. }) if self.size(path).await? == Some(n_bytes) => Ok(()),
            Err(Error::AlreadyExists { .. }) => Err(FilesError::Integrity {
                key: path.to_string(),
            }),
            Err(error) => Err(failed(error)),
        }
    }

    pub async fn exists(&self, key: &str) -> Result<bool, FilesError> {
        Ok(self.size(&Path::from(key)).await?.is_some())
    }

    async fn size(&self, path: &Path) -> Result<Option<u64>, FilesError> {
        match self.store.head(path).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Reads a kept file again: are its bytes those of its key?
    pub async fn verify(&self, key: &str) -> Result<(), FilesError> {
        self.read(key, hash_of(key)?, None).await
    }

    /// Copies a kept file to a local path; what is there is replaced.
    /// Wrong bytes are an integrity error, and the local file is removed.
    pub async fn get_to_file(&self, key: &str, local: &LocalPath) -> Result<(), FilesError> {
        self.get_exactly(key, hash_of(key)?, local).await
    }

    /// As [`Files::get_to_file`], of a file whose key does not say its hash.
    pub async fn get_exactly(
        &self,
        key: &str,
        sha256: &str,
        local: &LocalPath,
    ) -> Result<(), FilesError> {
        let mut file = File::create(local).await.map_err(writing)?;
        let result = self.read(key, sha256, Some(&mut file)).await;
        if result.is_err() {
            let _ = tokio::fs::remove_file(local).await;
        }
        result
    }

    /// Removes what was kept in passing. Originals stay, and what is not there is gone already.
    pub async fn remove_passing(&self, id: &str) -> Result<(), FilesError> {
        match self.store.delete(&Path::from(passing_key(id))).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn read(
        &self,
        key: &str,
        sha256: &str,
        mut to: Option<&mut File>,
    ) -> Result<(), FilesError> {
        let found = match self.store.get(&Path::from(key)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => {
                return Err(FilesError::Missing {
                    key: key.to_owned(),
                });
            }
            Err(error) => return Err(failed(error)),
        };
        let mut parts = found.into_stream();
        let mut hash = Sha256::new();
        while let Some(part) = parts.next().await {
            let part = part.map_err(failed)?;
            hash.update(&part);
            if let Some(file) = &mut to {
                file.write_all(&part).await.map_err(writing)?;
            }
        }
        if let Some(file) = to {
            file.flush().await.map_err(writing)?;
        }
        if hex::encode(hash.finalize()) == sha256 {
            Ok(())
        } else {
            Err(FilesError::Integrity {
                key: key.to_owned(),
            })
        }
    }
}

/// Completed only when the hash of all parts is right; until then there is nothing under the key.
async fn put_large(
    mut upload: Box<dyn MultipartUpload>,
    mut file: File,
    first: Vec<u8>,
    sha256: &str,
    part_bytes: usize,
    key: &str,
) -> Result<(), FilesError> {
    let mut hash = Sha256::new();
    let mut part = first;
    let result = loop {
        hash.update(&part);
        if let Err(error) = upload.put_part(PutPayload::from(part)).await {
            break Err(failed(error));
        }
        part = match read_part(&mut file, part_bytes).await {
            Ok(part) => part,
            Err(error) => break Err(error),
        };
        if part.is_empty() {
            break if hex::encode(hash.finalize()) == sha256 {
                Ok(())
            } else {
                Err(FilesError::Integrity {
                    key: key.to_owned(),
                })
            };
        }
    };
    match result {
        Ok(()) => upload.complete().await.map(|_| ()).map_err(failed),
        Err(error) => {
            if let Err(abort) = upload.abort().await {
                tracing::warn!(key, %abort, "an unfinished upload stays in the file store");
            }
            Err(error)
        }
    }
}

/// The next part of a file, as long as there is enough of it.
async fn read_part(file: &mut File, part_bytes: usize) -> Result<Vec<u8>, FilesError> {
    let mut part = Vec::with_capacity(part_bytes.min(64 * 1024));
    file.take(part_bytes as u64)
        .read_to_end(&mut part)
        .await
        .map_err(reading)?;
    Ok(part)
}

fn reading(source: std::io::Error) -> FilesError {
    FilesError::Local {
        act: "read",
        source,
    }
}

fn writing(source: std::io::Error) -> FilesError {
    FilesError::Local {
        act: "write",
        source,
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "so that it goes into map_err by name"
)]
fn failed(error: Error) -> FilesError {
    FilesError::Store(error.to_string())
}
