//! The child's end: read the order, give up everything else, assess, answer.

use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use assess::{Assessment, Request, SourceFile};
use sheet::Limits;
use spec::{Organisations, Period, ReturnSpec};

use crate::confine::confine;
use crate::part::{Line, Part};
use crate::task::{Order, Role};

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
    let (spec, organisations) = match load(&order.spec_dir) {
        Ok(loaded) => loaded,
        Err(why) => return Ok(Err(why)),
    };
    if let Err(error) = confine(order.memory, order.cpu_seconds) {
        return Ok(Err(format!("the child could not be confined: {error}")));
    }
    write_line(output, &Line::Ready)?;
    output.flush()?;
    let mut files = Vec::new();
    for file in &order.files {
        let mut bytes = Vec::new();
        input.by_ref().take(file.bytes).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != file.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        files.push((file, bytes));
    }
    let of_role = |role: Role| {
        files
            .iter()
            .find(|(file, _)| file.role == role)
            .map(|(file, bytes)| SourceFile {
                name: &file.name,
                bytes,
            })
    };
    let period = match &order.period {
        None => None,
        Some(label) => match Period::parse(spec.period_kind, label) {
            Ok(period) => Some(period),
            Err(error) => return Ok(Err(error.to_string())),
        },
    };
    let Some(file) = of_role(Role::File) else {
        return Ok(Err("the order has no file".to_owned()));
    };
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
        previous: of_role(Role::Previous),
        year_ago: of_role(Role::YearAgo),
        limits: &Limits::default(),
    });
    match assessed {
        Err(error) => Ok(Err(error.to_string())),
        Ok(assessment) => {
            send(output, &spec, &assessment, order.records)?;
            Ok(Ok(Line::End))
        }
    }
}

fn load(spec_dir: &Path) -> Result<(ReturnSpec, Organisations), String> {
    let spec = spec::load(spec_dir).map_err(|error| error.to_string())?;
    let organisations = match spec_dir.ancestors().nth(2) {
        Some(root) if root.join("organisations.csv").is_file() => {
            Organisations::load(&root.join("organisations.csv"))
                .map_err(|error| error.to_string())?
        }
        _ => Organisations::default(),
    };
    Ok((spec, organisations))
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
