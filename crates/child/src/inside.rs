//! The child's end: read the order, give up everything else, assess, answer.

use std::io::{self, BufRead, Read, Write};
use std::mem::forget;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use assess::{Assessment, Collection, EarlierVersions, OtherFile, Request, SourceFile, ValuesFile};
use finding::Finding;
use serde::Serialize;
use spec::{Organisations, Period, ReferenceValues, ReturnSpec, Returns};

use crate::confine::confine;
use crate::part::{FindingsLine, FindingsPart, Line, Part};
use crate::task::{Asked, MarkOrder, Order, OrderedFile, RecogniseOrder, Role};

/// Records and findings in one line of the answer: keeps both ends' memory small.
const BLOCK: usize = 2_000;

/// Answers one order from standard input on standard output.
///
/// Fails only where the pipe itself is broken; anything else is part of the answer.
/// The spec that the order will most likely name is read while the order and the files come in;
/// nothing looks at a file before everything else is given up.
pub fn main(spec_dir: Option<&Path>) -> io::Result<()> {
    say_where_it_panicked_and_not_what();
    let mut input = io::stdin().lock();
    let mut output = io::BufWriter::new(io::stdout().lock());
    let answered = thread::scope(|scope| {
        let loading = spec_dir.map(|spec_dir| (spec_dir, scope.spawn(|| Known::load(spec_dir))));
        let mut first_line = String::new();
        input.read_line(&mut first_line)?;
        match serde_json::from_str(&first_line)? {
            Asked::Assess(order) => {
                let files = files_of(&order, &mut input)?;
                let known = match loading {
                    Some((spec_dir, loading)) if spec_dir == order.spec_dir => {
                        loading.join().unwrap_or_else(|panic| resume_unwind(panic))
                    }
                    _ => Known::load(&order.spec_dir),
                };
                answer(&order, known, &files, &mut input, &mut output)
            }
            Asked::Mark(order) => mark(&order, &mut input, &mut output),
            Asked::Recognise(order) => recognise(&order, &mut input, &mut output),
        }
    })?;
    write_line(&mut output, &answered.unwrap_or_else(Line::Failed))?;
    output.flush()
}

/// A panic's message may hold a cell's value, which must not reach a log.
fn say_where_it_panicked_and_not_what() {
    std::panic::set_hook(Box::new(|panic| {
        if let Some(place) = panic.location() {
            // Standard error is all a child has to complain to; if even that fails there is nothing to do.
            let _ = writeln!(
                io::stderr(),
                "panicked at {}:{}",
                place.file(),
                place.line()
            );
        }
    }));
}

/// The last line of the answer, or why there is none.
fn answer(
    order: &Order,
    known: Result<Known, String>,
    files: &[(&OrderedFile, Vec<u8>)],
    input: &mut impl Read,
    output: &mut impl Write,
) -> io::Result<Result<Line, String>> {
    let loaded = known.and_then(|known| {
        let others = others(order, &known.spec)?;
        Ok((others, versions(order, &known.spec)?, known))
    });
    let (others, versions, known) = match loaded {
        Ok(loaded) => loaded,
        Err(why) => return Ok(Err(why)),
    };
    let Known {
        spec,
        organisations,
        returns,
    } = known;
    if let Err(error) = confine(order.memory, order.cpu_seconds) {
        return Ok(Err(format!("the child could not be confined: {error}")));
    }
    write_line(output, &Line::Ready)?;
    output.flush()?;
    if order.is_collection {
        return collect(order, &spec, &organisations, input, output);
    }
    let of_role = |role: &Role| {
        files
            .iter()
            .find(|(file, _)| file.role == *role)
            .map(|(file, bytes)| SourceFile {
                name: &file.name,
                bytes,
            })
    };
    let period = match period(order, &spec) {
        Ok(period) => period,
        Err(why) => return Ok(Err(why)),
    };
    let Some(file) = of_role(&Role::File) else {
        return Ok(Err("the order has no file".to_owned()));
    };
    let others: Vec<OtherFile<'_>> = others
        .iter()
        .filter_map(|spec| {
            let file = of_role(&Role::Other(spec.id.clone()))?;
            Some(OtherFile { spec, file })
        })
        .collect();
    let values = match values(files) {
        Ok(values) => values,
        Err(why) => return Ok(Err(why)),
    };
    let values: Vec<ValuesFile<'_>> = values
        .iter()
        .map(|(table, values)| ValuesFile { table, values })
        .collect();
    let earlier = |role: Role| Earlier::of(&role, files, &spec, &versions);
    let (previous, year_ago) = (earlier(Role::Previous), earlier(Role::YearAgo));
    let mut told = Ok(());
    let request = Request {
        spec: &spec,
        organisations: &organisations,
        organisation: order
            .organisation
            .as_deref()
            .and_then(|code| organisations.find(code)),
        period: period.as_ref(),
        received_on: order.received_on,
        file,
        previous: previous.file,
        year_ago: year_ago.file,
        earlier: EarlierVersions {
            published: &versions,
            previous: previous.version,
            year_ago: year_ago.version,
        },
        others: &others,
        values: &values,
        limits: &order.limits.limits(),
        returns: &returns,
    };
    let assessed = assess::assess_telling(&request, || {
        told = write_line(output, &Line::Checking).and_then(|()| output.flush());
    });
    told?;
    match assessed {
        Err(error) => Ok(Err(error.to_string())),
        Ok(assessment) => {
            send(output, &spec, &assessment, order.records)?;
            // The process ends with its answer, which is quicker than giving a million small things back before it does.
            forget((assessment, spec, organisations, returns));
            Ok(Ok(Line::End))
        }
    }
}

/// The files of an order; those of a collection are read one at a time when each one's turn comes.
fn files_of<'o>(
    order: &'o Order,
    input: &mut impl Read,
) -> io::Result<Vec<(&'o OrderedFile, Vec<u8>)>> {
    if order.is_collection {
        return Ok(Vec::new());
    }
    let files = order.files.iter();
    files
        .map(|file| Ok((file, bytes_of(file, input)?)))
        .collect()
}

fn bytes_of(file: &OrderedFile, input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(file.bytes).unwrap_or(0));
    input.by_ref().take(file.bytes).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == file.bytes {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Reads the files of a round, one at a time, and checks them against each other.
fn collect(
    order: &Order,
    spec: &ReturnSpec,
    organisations: &Organisations,
    input: &mut impl Read,
    output: &mut impl Write,
) -> io::Result<Result<Line, String>> {
    let mut collection = Collection::new(spec, organisations);
    for file in &order.files {
        let bytes = bytes_of(file, input)?;
        let Role::Member(code) = &file.role else {
            return Ok(Err("the order has a file of no organisation".to_owned()));
        };
        let source = SourceFile {
            name: &file.name,
            bytes: &bytes,
        };
        if let Err(error) = collection.add(code, source, &order.limits.limits()) {
            return Ok(Err(error.to_string()));
        }
    }
    let period = match period(order, spec) {
        Ok(period) => period,
        Err(why) => return Ok(Err(why)),
    };
    let checked = match collection.check(period.as_ref(), order.received_on) {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error.to_string())),
    };
    write_line(output, &Line::CollectionHead(Box::new(checked.head)))?;
    for block in checked.findings.chunks(BLOCK) {
        write_line(output, &Line::Addressed(block.to_vec()))?;
    }
    Ok(Ok(Line::End))
}

/// The last line of the answer to an order to recognise a file.
fn recognise(
    order: &RecogniseOrder,
    input: &mut impl Read,
    output: &mut impl Write,
) -> io::Result<Result<Line, String>> {
    let returns = Returns::gather(&order.specs_dir);
    if let Err(error) = confine(order.memory, order.cpu_seconds) {
        return Ok(Err(format!("the child could not be confined: {error}")));
    }
    write_line(output, &Line::Ready)?;
    output.flush()?;
    let mut bytes = Vec::new();
    input.take(order.bytes).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != order.bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let file = SourceFile {
        name: &order.name,
        bytes: &bytes,
    };
    let recognition = assess::recognise(file, &order.limits.limits(), &returns);
    write_line(output, &Line::Recognised(recognition))?;
    Ok(Ok(Line::End))
}

/// The last line of the answer to an order to mark a file.
fn mark(
    order: &MarkOrder,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<Result<Line, String>> {
    if let Err(error) = confine(order.memory, order.cpu_seconds) {
        return Ok(Err(format!("the child could not be confined: {error}")));
    }
    write_line(output, &Line::Ready)?;
    output.flush()?;
    let mut findings = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let block: Vec<Finding> = serde_json::from_str(&line)?;
        if block.is_empty() {
            break;
        }
        findings.extend(block);
    }
    let mut bytes = Vec::new();
    input.take(order.bytes).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != order.bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match report::marked::mark(&bytes, &order.cover, &findings, &order.limits.limits()) {
        Ok(marked) => {
            let bytes = marked.len() as u64;
            write_line(output, &Line::Marked { bytes })?;
            output.write_all(&marked)?;
        }
        Err(why) => write_line(output, &Line::NotMarked(why.to_string()))?,
    }
    Ok(Ok(Line::End))
}

fn period(order: &Order, spec: &ReturnSpec) -> Result<Option<Period>, String> {
    let label = order.period.as_deref();
    label
        .map(|label| Period::parse(spec.period_kind, label))
        .transpose()
        .map_err(|error| error.to_string())
}

/// The central figures by table. They are ours: what is wrong with them is our failure.
fn values(files: &[(&OrderedFile, Vec<u8>)]) -> Result<Vec<(String, ReferenceValues)>, String> {
    let mut values = Vec::new();
    for (file, bytes) in files {
        let Role::Values(table) = &file.role else {
            continue;
        };
        let csv = std::str::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", file.name))?;
        let read = ReferenceValues::read(csv).map_err(|faults| {
            let first = faults.first();
            let why = first.map_or_else(String::new, |fault| {
                format!("line {}: {}", fault.line, fault.why)
            });
            format!("{}: {why}", file.name)
        })?;
        values.push((table.clone(), read));
    }
    Ok(values)
}

/// What is read from disk of a spec, before everything but the pipe is given up.
struct Known {
    spec: ReturnSpec,
    organisations: Organisations,
    /// What the forms of all returns look like.
    returns: Returns,
}

impl Known {
    fn load(spec_dir: &Path) -> Result<Self, String> {
        let root = spec_dir.ancestors().nth(2);
        let (spec, returns) = thread::scope(|scope| {
            let returns = scope.spawn(|| root.map(Returns::gather));
            (spec::load(spec_dir), returns.join())
        });
        let spec = spec.map_err(|error| error.to_string())?;
        let returns = returns.map_err(|_| "the returns could not be gathered".to_owned())?;
        let organisations = match root {
            Some(root) if root.join("organisations.csv").is_file() => {
                Organisations::load(&root.join("organisations.csv"))
                    .map_err(|error| error.to_string())?
            }
            _ => Organisations::default(),
        };
        Ok(Self {
            spec,
            organisations,
            returns: returns.unwrap_or_default(),
        })
    }
}

/// The specs of the other returns that there are files of.
fn others(order: &Order, spec: &ReturnSpec) -> Result<Vec<ReturnSpec>, String> {
    let mut others = Vec::new();
    for file in &order.files {
        let Role::Other(return_id) = &file.role else {
            continue;
        };
        let other = spec
            .compared_with(return_id)
            .ok_or_else(|| format!("{} is not compared with {return_id}", spec.id))?;
        let other = spec::load(&other.dir(&order.spec_dir)).map_err(|error| error.to_string())?;
        others.push(other);
    }
    Ok(others)
}

/// All versions of the return, where a file of an earlier period answers another one than the file.
fn versions(order: &Order, spec: &ReturnSpec) -> Result<Vec<ReturnSpec>, String> {
    let is_other = |file: &OrderedFile| {
        let version = file.version.as_ref();
        matches!(file.role, Role::Previous | Role::YearAgo)
            && version.is_some_and(|version| *version != spec.version)
    };
    if order.files.iter().any(is_other) {
        spec::load_versions(&order.spec_dir).map_err(|error| error.to_string())
    } else {
        Ok(Vec::new())
    }
}

/// A file of an earlier period, and its version where it has another one than the file.
#[derive(Default)]
struct Earlier<'a> {
    file: Option<SourceFile<'a>>,
    version: Option<&'a ReturnSpec>,
}

impl<'a> Earlier<'a> {
    /// None where its version is not known any more: read as another one its figures would be others.
    fn of(
        role: &Role,
        files: &'a [(&OrderedFile, Vec<u8>)],
        spec: &ReturnSpec,
        versions: &'a [ReturnSpec],
    ) -> Self {
        let Some((ordered, bytes)) = files.iter().find(|(file, _)| file.role == *role) else {
            return Self::default();
        };
        let file = Some(SourceFile {
            name: &ordered.name,
            bytes,
        });
        match ordered
            .version
            .as_ref()
            .filter(|version| **version != spec.version)
        {
            None => Self {
                file,
                version: None,
            },
            Some(version) => {
                let found = versions.iter().find(|known| known.version == *version);
                Self {
                    file: file.filter(|_| found.is_some()),
                    version: found,
                }
            }
        }
    }
}

fn send(
    output: &mut impl Write,
    spec: &ReturnSpec,
    assessment: &Assessment,
    records: bool,
) -> io::Result<()> {
    let head = Box::new(assessment.head.clone());
    write_line(output, &Line::Part(Part::Head(head)))?;
    for block in assessment.findings.as_slice().chunks(BLOCK) {
        write_line(output, &FindingsLine::Part(FindingsPart::Findings(block)))?;
    }
    if records {
        for block in assessment.row_blocks(spec, BLOCK) {
            write_line(output, &Line::Part(Part::Rows(block)))?;
        }
    }
    Ok(())
}

fn write_line(output: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}
