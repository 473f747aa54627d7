//! Where originals are kept, and where accepted figures are published as a lake: folders, or buckets of one S3 service.

use std::path::{Path, PathBuf};

use super::Secret;
use super::read::{Reader, SettingsError};

/// The settings of the S3 service, and the two places.
pub(super) struct Storage {
    pub(super) files: files::Config,
    pub(super) lake: Option<lake::Config>,
}

pub(super) fn read(reader: &Reader<'_>, home: &Path) -> Result<Storage, SettingsError> {
    let files = reader.text("LGDP_FILES")?;
    let lake = reader.text("LGDP_LAKE")?;
    let service = Service {
        endpoint: reader.text("LGDP_S3_ENDPOINT")?,
        region: reader.text_or_default("LGDP_S3_REGION")?,
        access_key: reader.secret("LGDP_S3_ACCESS_KEY_ID")?,
        secret_key: reader.secret("LGDP_S3_SECRET_ACCESS_KEY")?,
    };
    let files = match files.as_deref().map(Place::of) {
        None => files::Config::Folder(home.join("files")),
        Some(Place::Folder(folder)) => files::Config::Folder(folder),
        Some(Place::Bucket { name, prefix }) => {
            if name.is_empty() || !prefix.is_empty() {
                return Err(SettingsError::new("LGDP_FILES", "a folder or s3://bucket"));
            }
            files::Config::S3(service.bucket(name, "LGDP_FILES")?)
        }
    };
    let lake = match lake.as_deref().map(Place::of) {
        None => None,
        Some(Place::Folder(folder)) => Some(lake::Config::Folder(folder)),
        Some(Place::Bucket { name: "", .. }) => {
            let expected = "a folder, s3://bucket or s3://bucket/prefix";
            return Err(SettingsError::new("LGDP_LAKE", expected));
        }
        Some(Place::Bucket { name, prefix }) => Some(lake::Config::Bucket {
            s3: service.bucket(name, "LGDP_LAKE")?,
            prefix: prefix.trim_matches('/').to_owned(),
        }),
    };
    Ok(Storage { files, lake })
}

enum Place<'a> {
    Folder(PathBuf),
    Bucket { name: &'a str, prefix: &'a str },
}

impl<'a> Place<'a> {
    fn of(text: &'a str) -> Self {
        match text.strip_prefix("s3://") {
            None => Place::Folder(PathBuf::from(text)),
            Some(bucket) => {
                let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
                Place::Bucket { name, prefix }
            }
        }
    }
}

struct Service {
    endpoint: Option<String>,
    region: String,
    access_key: Option<Secret>,
    secret_key: Option<Secret>,
}

impl Service {
    fn bucket(&self, name: &str, needed_by: &str) -> Result<files::S3, SettingsError> {
        let needed = |secret: &Option<Secret>, name: &str| {
            let missing =
                || SettingsError::new(name, format!("a value, since {needed_by} is a bucket"));
            let secret = secret.as_ref().map(|secret| secret.reveal().to_owned());
            secret.ok_or_else(missing)
        };
        let endpoint = self.endpoint.clone();
        Ok(files::S3 {
            allow_http: endpoint
                .as_ref()
                .is_some_and(|endpoint| endpoint.starts_with("http://")),
            endpoint,
            bucket: name.to_owned(),
            region: self.region.clone(),
            access_key: needed(&self.access_key, "LGDP_S3_ACCESS_KEY_ID")?,
            secret_key: needed(&self.secret_key, "LGDP_S3_SECRET_ACCESS_KEY")?,
        })
    }
}
