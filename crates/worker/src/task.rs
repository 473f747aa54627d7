//! What a child is given to assess: every file it needs, on local disk.

use std::path::Path;

use child::{InputFile, Task};
use files::{Files, FilesError};
use workflow::{StoredFile, ToAssess};

/// The task of assessing a submission with the spec of a folder; its files are put into `scratch`.
pub async fn task(
    files: &Files,
    spec_dir: &Path,
    wanted: &ToAssess,
    scratch: &Path,
) -> Result<Task, FilesError> {
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
        records: true,
    })
}

async fn fetch(files: &Files, file: &StoredFile, path: &Path) -> Result<InputFile, FilesError> {
    files.get_to_file(&file.key, path).await?;
    Ok(InputFile {
        name: file.name.clone(),
        path: path.to_owned(),
    })
}
