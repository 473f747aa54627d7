//! `lgdp spec diff`: what changed between two version folders.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use spec::ReturnSpec;

use crate::cli::DiffFormat;

/// Exit status as diff's own: 1 where anything differs.
pub(crate) fn diff(before: &Path, after: &Path, format: DiffFormat) -> anyhow::Result<ExitCode> {
    let (before, after) = (load(before)?, load(after)?);
    let changes = spec::diff::diff(&before, &after);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let printed = match format {
        DiffFormat::Text => {
            out.write_all(report::spec_diff::text(&before, &after, &changes).as_bytes())
        }
        DiffFormat::Json => report::spec_diff::json(&mut out, &before, &after, &changes),
    };
    match printed.and_then(|()| out.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed.context("can't write to standard output")?,
    }
    Ok(if changes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn load(dir: &Path) -> anyhow::Result<ReturnSpec> {
    spec::load(dir).with_context(|| format!("the spec {} can't be used", dir.display()))
}
