//! Bytes, a spec and reference data to an assessment.
//!
//! The façade of the core: sheet, frame and check in one call.
//! Bad data never fails: it becomes findings. The same input always gives the same assessment.
//! It knows nothing of processes, databases or clocks.

mod accounts;
mod causes;
mod collection;
mod comparison;
pub mod difference;
mod guards;
mod keys;
mod outcome;
mod own;
mod recognise;
#[cfg(test)]
mod tests;

use std::panic::resume_unwind;
use std::thread;

use chrono::NaiveDate;
use finding::{Finding, Findings, Severity};
use frame::{Expected, Framed, Framer};
use sheet::{Asks, Limits, Opened, Refusal, Remark, SheetInfo};
use spec::{
    Ancestry, Organisation, Organisations, Period, ReferenceSet, ReferenceValues, ReturnSpec,
    Returns,
};

pub use accounts::{ColumnBlock, OwnBlock, RowBlock, TableAccount};
pub use check::{CheckError, try_out};
pub use collection::{
    AddError, Addressed, Collection, CollectionChecked, CollectionHead, MemberFile, counts,
};
pub use comparison::{Comparison, ComparisonKind};
pub use frame::{IgnoredRows, IgnoredSheet};
pub use outcome::{FileFacts, Head, RuleCount};
pub use recognise::{How, RecognisedForm, Recognition, recognise};

/// A file as it came in.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
}

/// Another return's file, with the spec that it is read by.
#[derive(Debug, Clone, Copy)]
pub struct OtherFile<'a> {
    pub spec: &'a ReturnSpec,
    pub file: SourceFile<'a>,
}

/// A file of central figures, read.
#[derive(Debug, Clone, Copy)]
pub struct ValuesFile<'a> {
    /// The spec's name for the table.
    pub table: &'a str,
    pub values: &'a ReferenceValues,
}

/// The versions of the return that the files of earlier periods answer, where they are others than the file's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct EarlierVersions<'a> {
    /// All that are known, so that what a thing was called can be followed back.
    pub published: &'a [ReturnSpec],
    pub previous: Option<&'a ReturnSpec>,
    pub year_ago: Option<&'a ReturnSpec>,
}

/// What is assessed, against what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub spec: &'a ReturnSpec,
    pub organisations: &'a Organisations,
    /// Whose return it should be.
    pub organisation: Option<&'a Organisation>,
    /// Which period it should be for.
    pub period: Option<&'a Period>,
    pub received_on: NaiveDate,
    pub file: SourceFile<'a>,
    /// The same organisation's file of the period before.
    pub previous: Option<SourceFile<'a>>,
    /// The same organisation's file of a year before.
    pub year_ago: Option<SourceFile<'a>>,
    /// Which versions of the return those two answer.
    pub earlier: EarlierVersions<'a>,
    /// The same organisation's files of other returns that the spec is compared with.
    pub others: &'a [OtherFile<'a>],
    /// Files of central figures that the spec's rules read.
    pub values: &'a [ValuesFile<'a>],
    pub limits: &'a Limits,
    /// The returns there are: which of them a file is, if it is none of this one.
    pub returns: &'a Returns,
}

/// What assessing a file came to.
#[derive(Debug)]
pub struct Assessment {
    pub head: Head,
    /// In report order.
    pub findings: Findings,
    framed: Framed,
    rejected: accounts::Rejected,
}

impl Assessment {
    /// The records that passed, in blocks of at most `n_rows`, in the spec's order.
    pub fn row_blocks<'a>(
        &'a self,
        spec: &'a ReturnSpec,
        n_rows: usize,
    ) -> impl Iterator<Item = RowBlock> + 'a {
        accounts::row_blocks(spec, &self.framed, &self.rejected, n_rows)
    }
}

/// Assesses a file. Fails only where the spec itself can't be run.
pub fn assess(request: &Request<'_>) -> Result<Assessment, CheckError> {
    assess_telling(request, || {})
}

/// As [`assess`]; tells when the file is read and its checks begin. A file that is refused is not checked.
pub fn assess_telling(
    request: &Request<'_>,
    is_read: impl FnOnce(),
) -> Result<Assessment, CheckError> {
    thread::scope(|scope| {
        // Nothing but the head waits for the file's hash.
        let file = scope.spawn(|| FileFacts::of(request.file));
        let facts = || file.join().unwrap_or_else(|panic| resume_unwind(panic));
        assess_while(request, facts, is_read)
    })
}

/// With what proves which file it was, once that is asked for.
fn assess_while(
    request: &Request<'_>,
    facts: impl FnOnce() -> FileFacts,
    is_read: impl FnOnce(),
) -> Result<Assessment, CheckError> {
    let mut findings = Findings::new();
    let mut framed = Framed::default();
    let mut comparisons = Vec::new();
    let mut sheets = Vec::new();
    match opened(request).and_then(|opened| read(opened, request.spec, expected(request))) {
        Err(refusal) => findings.push(refused(refusal)),
        Ok(read) => {
            findings.extend(read.remarks.iter().map(remarked));
            framed = read.framed;
            sheets = read.sheets;
            findings.append(std::mem::take(&mut framed.findings));
            if findings.outcome() != finding::Outcome::Refused {
                is_read();
                let checked = checked(request, &mut framed)?;
                findings.append(checked.findings);
                comparisons = checked.comparisons;
            }
        }
    }
    let (mut findings, rows) = causes::single_out(request, &sheets, &framed, findings);
    findings.sort();
    keys::give(request.spec, &framed, &mut findings);
    own::give(&framed, &mut findings);
    let rejected = accounts::rejected(&framed, &findings, &rows);
    Ok(Assessment {
        head: outcome::head(request, facts(), &framed, &findings, &rejected, comparisons),
        findings,
        framed,
        rejected,
    })
}

/// Opens the file, unless it says itself that it is another form.
fn opened<'a>(request: &Request<'a>) -> Result<Opened<'a>, Refusal> {
    let file = request.file;
    let opened = sheet::open(file.bytes, file.name, request.limits)?;
    match causes::by_its_stamp(request, opened.properties()) {
        Some(refusal) => Err(refusal),
        None => Ok(opened),
    }
}

pub(crate) fn refused(refusal: Refusal) -> Finding {
    Finding::new(
        refusal.rule,
        Severity::Blocker,
        refusal.message,
        refusal.fix,
    )
}

/// A file that could be read.
struct Read {
    sheets: Vec<SheetInfo>,
    framed: Framed,
    remarks: Vec<Remark>,
}

/// Frames a file while it is read.
fn read(opened: Opened<'_>, spec: &ReturnSpec, expected: Expected<'_>) -> Result<Read, Refusal> {
    let sheets = opened.sheets().to_vec();
    let mut framer = Framer::new(&sheets, opened.properties(), spec, expected);
    let remarks = opened.read(&mut framer)?;
    Ok(Read {
        framed: framer.finish(),
        sheets,
        remarks,
    })
}

fn remarked(remark: &Remark) -> Finding {
    let severity = match remark.asks {
        Asks::Nothing => Severity::Note,
        Asks::WhetherMeant => Severity::Query,
    };
    Finding::new(
        remark.rule,
        severity,
        remark.message.as_str(),
        remark.fix.as_str(),
    )
}

fn expected<'a>(request: &Request<'a>) -> Expected<'a> {
    Expected {
        organisation: request.organisation,
        period: request.period,
        organisations: request.organisations,
    }
}

/// What checking a file came to, and what it was checked against.
struct Checked {
    findings: Findings,
    comparisons: Vec<Comparison>,
}

fn checked(request: &Request<'_>, framed: &mut Framed) -> Result<Checked, CheckError> {
    let spec = request.spec;
    let EarlierVersions {
        previous, year_ago, ..
    } = request.earlier;
    let previous = request
        .previous
        .and_then(|file| earlier_file(request, previous, file));
    let year_ago = request
        .year_ago
        .and_then(|file| earlier_file(request, year_ago, file));
    let other_frames: Vec<(&ReturnSpec, Framed)> = request
        .others
        .iter()
        .filter_map(|other| {
            let framed = reference_file(request, other.spec, other.file)?;
            Some((other.spec, framed))
        })
        .collect();
    let others: Vec<check::Other<'_>> = other_frames
        .iter()
        .map(|(spec, framed)| check::Other { spec, framed })
        .collect();
    let figures: Vec<(&ReferenceSet, Vec<(String, i128)>)> = request
        .values
        .iter()
        .filter_map(|file| {
            let set = spec.reference_set(file.table)?;
            let code = &request.organisation?.code;
            Some((set, set.of_organisation(file.values, code)?))
        })
        .collect();
    let values: Vec<check::Figures<'_>> = figures
        .iter()
        .map(|(set, figures)| check::Figures { set, figures })
        .collect();
    let reference = check::Reference {
        previous: previous.as_ref(),
        year_ago: year_ago.as_ref(),
        others: &others,
        values: &values,
        organisation: request.organisation,
        period: request.period,
        received_on: request.received_on,
    };
    let findings = check::check(spec, framed, &reference)?;
    let earlier = previous.as_ref().or(year_ago.as_ref());
    let mut findings = guards::in_another_unit(spec, framed, earlier, findings);
    let queries = guards::queries(spec, framed, previous.as_ref(), &findings);
    findings.extend(queries);
    findings.extend(no_records(spec, framed));
    Ok(Checked {
        findings,
        comparisons: comparison::comparisons(request, &reference),
    })
}

/// A file of an earlier period, framed as its own version has it and put as the file's version asks.
fn earlier_file(
    request: &Request<'_>,
    older: Option<&ReturnSpec>,
    file: SourceFile<'_>,
) -> Option<Framed> {
    let spec = request.spec;
    let Some(older) = older.filter(|older| older.version != spec.version) else {
        return reference_file(request, spec, file);
    };
    let framed = reference_file(request, older, file)?;
    let ancestry = Ancestry::of(request.earlier.published, spec);
    Some(framed.as_asked_by(spec, older, &ancestry))
}

/// A file that is compared with, framed; what is wrong with it was said when it came in.
fn reference_file(
    request: &Request<'_>,
    spec: &ReturnSpec,
    file: SourceFile<'_>,
) -> Option<Framed> {
    let expected = Expected {
        organisation: None,
        period: None,
        organisations: request.organisations,
    };
    let opened = sheet::open(file.bytes, file.name, request.limits).ok()?;
    let read = read(opened, spec, expected).ok()?;
    Some(read.framed)
}

/// A file with headings and nothing under them is more likely a mistake than a nil return.
fn no_records(spec: &ReturnSpec, framed: &Framed) -> Option<Finding> {
    let n_records: usize = framed
        .frames
        .iter()
        .map(|frame| frame.n_records() + frame.account.rejected_row_idxs.len())
        .sum();
    (n_records == 0).then(|| {
        Finding::new(
            "file.no-records",
            Severity::Blocker,
            format!("The file has no records: the {} return is empty.", spec.acronym),
            "Check that the data is on the sheets it should be on; if you have nothing to report, say so to the team that asks for this return.",
        )
    })
}
