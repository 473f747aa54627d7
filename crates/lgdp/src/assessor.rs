//! One file through the confined child, as every command that reads a file does it.

use anyhow::Context as _;
use assess::Head;
use child::{Child, ChildLimits, Part, Run, Task};
use finding::Finding;

use crate::settings::Settings;

/// Starts this same program as the child.
pub(crate) fn child(settings: &Settings) -> anyhow::Result<Child> {
    Ok(Child {
        program: std::env::current_exe().context("this program's own path is not known")?,
        limits: ChildLimits {
            memory: settings.child_memory_bytes,
            cpu: settings.child_cpu,
            wall: settings.child_wall,
            files: settings.file_limits,
        },
    })
}

/// An assessment without its records.
pub(crate) struct Assessed {
    pub(crate) head: Head,
    pub(crate) findings: Vec<Finding>,
}

pub(crate) fn assess(child: &Child, task: &Task) -> anyhow::Result<Assessed> {
    take(child.run(task)?)
}

/// All of a child's answer.
pub(crate) fn take(run: Run) -> anyhow::Result<Assessed> {
    let mut head = None;
    let mut findings = Vec::new();
    for part in run {
        match part? {
            Part::Head(got) => head = Some(*got),
            Part::Findings(more) => findings.extend(more),
            Part::Rows(_) => {}
        }
    }
    Ok(Assessed {
        head: head.context("the child's answer has no head")?,
        findings,
    })
}
