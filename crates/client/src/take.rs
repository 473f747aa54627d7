//! Taking what the platform has: where things stand, findings, figures.

use std::io::Write;
use std::path::Path;

use futures_util::StreamExt as _;
use serde::Deserialize;

use uuid::Uuid;

use crate::api::{quoted, words};
use crate::beside::Beside;
use crate::{Api, ApiError, Finding, Obligation, Screen, Submission};

pub async fn status(api: &Api, id: Uuid) -> Result<Submission, ApiError> {
    api.get(&format!("/api/submissions/{id}")).await
}

/// All that the token's organisation owes, or that is owed for its return.
pub async fn obligations(api: &Api) -> Result<Vec<Obligation>, ApiError> {
    api.all("/api/obligations?limit=200").await
}

/// All findings of a submission.
pub async fn findings(api: &Api, submission: &Submission) -> Result<Vec<Finding>, ApiError> {
    #[derive(Deserialize)]
    struct All {
        findings: Vec<Finding>,
    }
    let all: All = api.get(&submission.links.findings_json).await?;
    Ok(all.findings)
}

/// Takes a file as it comes: to a place where it is whole or not at all, or else to `out`.
pub async fn save(
    api: &Api,
    path: &str,
    to: Option<&Path>,
    out: &mut (dyn Write + Send),
    screen: Screen,
) -> Result<(), ApiError> {
    let response = api.stream(path).await?;
    let bar = screen.bytes("taking", response.content_length());
    let mut chunks = response.bytes_stream();
    let mut place = to.map(Beside::new).transpose()?;
    while let Some(chunk) = chunks.next().await {
        // What is cut short is no answer: nobody may take a part for the whole.
        let chunk = chunk.map_err(|error| ApiError::OutOfReach {
            address: api.address().to_owned(),
            reason: words(&error),
        })?;
        bar.inc(chunk.len() as u64);
        match &mut place {
            Some(place) => place.write(&chunk)?,
            None => out.write_all(&chunk).map_err(ApiError::file(
                "can't write to",
                Path::new("standard output"),
            ))?,
        }
    }
    bar.finish_and_clear();
    match place {
        Some(place) => place.keep(),
        None => Ok(()),
    }
}

/// What is wanted of a return's figures.
#[derive(Debug, Clone)]
pub struct WantedDataset<'a> {
    pub return_id: &'a str,
    pub period: &'a str,
    /// What the file's name ends with: `csv`.
    pub format: &'a str,
    /// As the API has it: name and value.
    pub asked: Vec<(&'static str, &'a str)>,
}

impl WantedDataset<'_> {
    /// Where it is.
    pub fn path(&self) -> String {
        let path = format!(
            "/api/returns/{}/periods/{}/dataset.{}",
            quoted(self.return_id),
            quoted(self.period),
            self.format
        );
        let asked = self.asked.iter();
        let asked: Vec<String> = asked
            .map(|(name, value)| format!("{name}={}", quoted(value)))
            .collect();
        if asked.is_empty() {
            path
        } else {
            format!("{path}?{}", asked.join("&"))
        }
    }
}
