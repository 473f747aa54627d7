//! Where the tables are, and the engine that reads and writes them there.

use std::sync::Arc;

use delta_kernel::object_store::aws::AmazonS3Builder;
use delta_kernel::object_store::local::LocalFileSystem;
use delta_kernel::object_store::path::Path;
use delta_kernel::object_store::{DynObjectStore, ObjectStore};
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use delta_kernel_default_engine::{DefaultEngine, DefaultEngineBuilder};
use tokio::runtime::Handle;
use url::Url;

use crate::{Config, LakeError, Table};

/// What every Delta table has beside its files.
const LOG: &str = "_delta_log";

pub(crate) type Engine = DefaultEngine<TokioMultiThreadExecutor>;

/// All tables; cheap to clone.
#[derive(Clone)]
pub struct Lake {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<DynObjectStore>,
    /// Ends with a slash.
    root: Url,
}

impl Lake {
    /// Within a tokio runtime of several threads. Makes the folder; asks nothing of a bucket.
    pub fn open(config: &Config) -> Result<Self, LakeError> {
        let (store, root): (Arc<dyn ObjectStore>, Url) = match config {
            Config::Folder(folder) => {
                let setup = |error: std::io::Error| {
                    LakeError::Setup(format!("{}: {error}", folder.display()))
                };
                std::fs::create_dir_all(folder).map_err(setup)?;
                let folder = folder.canonicalize().map_err(setup)?;
                let root = Url::from_directory_path(&folder)
                    .map_err(|()| LakeError::Setup(format!("{} is no path", folder.display())))?;
                (Arc::new(LocalFileSystem::new()), root)
            }
            Config::Bucket { s3, prefix } => {
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(&s3.bucket)
                    .with_region(&s3.region)
                    .with_access_key_id(&s3.access_key)
                    .with_secret_access_key(&s3.secret_key)
                    .with_allow_http(s3.allow_http);
                if let Some(endpoint) = &s3.endpoint {
                    builder = builder.with_endpoint(endpoint);
                }
                let store = builder.build().map_err(setup)?;
                let slash = if prefix.is_empty() { "" } else { "/" };
                let root = format!("s3://{}/{prefix}{slash}", s3.bucket);
                (Arc::new(store), Url::parse(&root).map_err(setup)?)
            }
        };
        let executor = TokioMultiThreadExecutor::new(Handle::current());
        let engine = DefaultEngineBuilder::new(Arc::clone(&store))
            .with_task_executor(Arc::new(executor))
            .build();
        Ok(Self {
            engine: Arc::new(engine),
            store,
            root,
        })
    }

    /// A folder has to be there before it can be looked into; a bucket has none.
    pub(crate) fn make_folder(&self, table: &Table) -> Result<(), LakeError> {
        let url = Url::parse(&self.address(table)).map_err(setup)?;
        match url.to_file_path() {
            Ok(folder) if url.scheme() == "file" => std::fs::create_dir_all(folder).map_err(setup),
            _ => Ok(()),
        }
    }

    /// Whether there is such a table. Makes nothing.
    pub(crate) async fn has(&self, table: &Table) -> Result<bool, LakeError> {
        let url = Url::parse(&self.address(table)).map_err(setup)?;
        let folder = Path::from_url_path(url.path()).map_err(setup)?;
        let listed = self.store.list_with_delimiter(Some(&folder)).await;
        let listed = listed.map_err(|error| LakeError::Store(error.to_string()))?;
        let mut folders = listed.common_prefixes.iter();
        Ok(folders.any(|found| found.filename() == Some(LOG)))
    }

    /// Where a table is, as other engines are told it.
    pub fn address(&self, table: &Table) -> String {
        format!("{}{}/", self.root, table.path)
    }
}

fn setup(error: impl std::fmt::Display) -> LakeError {
    LakeError::Setup(error.to_string())
}
