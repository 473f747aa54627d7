//! What a child is given to assess: every file it needs, on local disk.

use std::collections::BTreeMap;
use std::path::Path;

use child::{InputFile, Task};
use files::{Files, FilesError};
use workflow::{References, StoredFile, ToAssess};

/// The task of assessing a submission with the spec of a folder; its files are put into `scratch`.
pub async fn task(
    files: &Files,
    spec_dir: &Path,
    wanted: &ToAssess,
    references: &References,
    scratch: &Path,
) -> Result<Task, FilesError> {
    let mut others = BTreeMap::new();
    for (return_id, file) in &references.others {
        let path = scratch.join(format!("other-{return_id}"));
        others.insert(return_id.clone(), fetch(files, file, &path).await?);
    }
    let mut values = BTreeMap::new();
    for (table, csv) in &references.values {
        let name = format!("{table}.csv");
        let path = scratch.join(format!("values-{name}"));
        let written = tokio::fs::write(&path, csv).await;
        written.map_err(|source| FilesError::Local {
            act: "write",
            source,
        })?;
        values.insert(
            table.clone(),
            InputFile {
                name,
                path,
                version: None,
            },
        );
    }
    let earlier = async |file: &Option<StoredFile>, name: &str| match file {
        None => Ok(None),
        Some(file) => fetch(files, file, &scratch.join(name)).await.map(Some),
    };
    Ok(Task {
        spec_dir: spec_dir.to_owned(),
        organisation: Some(wanted.organisation.clone()),
        period: Some(wanted.period.clone()),
        received_on: wanted.received_on,
        file: fetch(files, &wanted.file, &scratch.join("file")).await?,
        previous: earlier(&wanted.previous, "previous").await?,
        year_ago: earlier(&wanted.year_ago, "year-ago").await?,
        others,
        values,
        records: true,
    })
}

pub(crate) async fn fetch(
    files: &Files,
    file: &StoredFile,
    path: &Path,
) -> Result<InputFile, FilesError> {
    files.get_exactly(&file.key, &file.sha256, path).await?;
    Ok(InputFile {
        name: file.name.clone(),
        path: path.to_owned(),
        version: file.version.clone(),
    })
}
