//! The child's end: read the order, give up everything else, assess, answer.

use std::io::{self, BufRead, Read, Write};

use assess::{Assessment, Collection, OtherFile, Request, SourceFile, ValuesFile};
use spec::{Organisations, Period, ReferenceValues, ReturnSpec};

use crate::confine::confine;
use crate::part::{Line, Part};
use crate::task::{Order, OrderedFile, Role};

/// Records and findings in one line of the answer: keeps both ends' memory small.
const BLOCK: usize = 2_000;

/// Answers one order from standard input on standard output.
///
/// Fails only where the pipe itself is broken; anything else is part of the answer.
pub fn main() -> io::Result<()> {
    say_where_it_panicked_and_not_what();
    let mut input = io::stdin().lock();
    let mut output = io::BufWriter::new(io::stdout().lock());
    let mut first_line = String::new();
    input.read_line(&mut first_line)?;
    let answered = answer(&first_line, &mut input, &mut output)?;
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
    first_line: &str,
    input: &mut impl Read,
    output: &mut impl Write,
) -> io::Result<Result<Line, String>> {
    let order: Order = serde_json::from_str(first_line)?;
    let Loaded {
        spec,
        organisations,
        others,
    } = match load(&order) {
        Ok(loaded) => loaded,
        Err(why) => return Ok(Err(why)),
    };
    if let Err(error) = confine(order.memory, order.cpu_seconds) {
        return Ok(Err(format!("the child could not be confined: {error}")));
    }
    write_line(output, &Line::Ready)?;
    output.flush()?;
    if order.is_collection {
        return collect(&order, &spec, &organisations, input, output);
    }
    let mut files = Vec::new();
    for file in &order.files {
        files.push((file, bytes_of(file, input)?));
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
    let period = match period(&order, &spec) {
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
    let values = match values(&files) {
        Ok(values) => values,
        Err(why) => return Ok(Err(why)),
    };
    let values: Vec<ValuesFile<'_>> = values
        .iter()
        .map(|(table, values)| ValuesFile { table, values })
        .collect();
    let assessed = assess::assess(&Request {
        spec: &spec,
        organisations: &organisations,
        organisation: order
            .organisation
            .as_deref()
            .and_then(|code| organisations.find(code)),
        period: period.as_ref(),
        received_on: order.received_on,
        file,
        previous: of_role(&Role::Previous),
        year_ago: of_role(&Role::YearAgo),
        others: &others,
        values: &values,
        limits: &order.limits.limits(),
    });
    match assessed {
        Err(error) => Ok(Err(error.to_string())),
        Ok(assessment) => {
            send(output, &spec, &assessment, order.records)?;
            Ok(Ok(Line::End))
        }
    }
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

/// What has to be read from disk before everything but the pipe is given up.
struct Loaded {
    spec: ReturnSpec,
    organisations: Organisations,
    /// The specs of the other returns that there are files of.
    others: Vec<ReturnSpec>,
}

fn load(order: &Order) -> Result<Loaded, String> {
    let spec_dir = &order.spec_dir;
    let spec = spec::load(spec_dir).map_err(|error| error.to_string())?;
    let organisations = match spec_dir.ancestors().nth(2) {
        Some(root) if root.join("organisations.csv").is_file() => {
            Organisations::load(&root.join("organisations.csv"))
                .map_err(|error| error.to_string())?
        }
        _ => Organisations::default(),
    };
    let mut others = Vec::new();
    for file in &order.files {
        let Role::Other(return_id) = &file.role else {
            continue;
        };
        let other = spec
            .compared_with(return_id)
            .ok_or_else(|| format!("{} is not compared with {return_id}", spec.id))?;
        let other = spec::load(&other.dir(spec_dir)).map_err(|error| error.to_string())?;
        others.push(other);
    }
    Ok(Loaded {
        spec,
        organisations,
        others,
    })
}

fn send(
    output: &mut impl Write,
    spec: &ReturnSpec,
    assessment: &Assessment,
    records: bool,
) -> io::Result<()> {
    let head = Box::new(assessment.head.clone());
    write_line(output, &Line::Part(Part::Head(head)))?;
    let mut findings = assessment.findings.iter().peekable();
    while findings.peek().is_some() {
        let block = findings.by_ref().take(BLOCK).cloned().collect();
        write_line(output, &Line::Part(Part::Findings(block)))?;
    }
    if records {
        for block in assessment.row_blocks(spec, BLOCK) {
            write_line(output, &Line::Part(Part::Rows(block)))?;
        }
    }
    Ok(())
}

fn write_line(output: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}
