//! What each part of an assessment takes on REC20: reading alone, reading and framing, checking alone.
//!
//! `cargo bench -p assess`, after `python3 bench/make.py var/bench --rows 100000`; `BENCH_FILES` names another folder than `var/bench`.

#![expect(clippy::unwrap_used, reason = "a benchmark that can't run says so")]

use std::fs;
use std::path::{Path, PathBuf};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use frame::{Expected, Framed, Framer};
use sheet::{Limits, RawCell, SheetInfo, Sink};
use spec::{Organisations, Period, ReturnSpec};

const ROWS: u64 = 100_000;

/// Takes rows and keeps nothing.
struct Nothing;

impl Sink for Nothing {
    fn start_sheet(&mut self, _: usize) {}
    fn row(&mut self, _: u32, cells: &[RawCell<'_>]) {
        std::hint::black_box(cells);
    }
}

fn read<S: Sink>(bytes: &[u8], limits: &Limits, sink: impl FnOnce(&[SheetInfo]) -> S) -> S {
    let opened = sheet::open(bytes, "rec20", limits).unwrap();
    let mut sink = sink(opened.sheets());
    opened.read(&mut sink).unwrap();
    sink
}

fn framed(bytes: &[u8], limits: &Limits, spec: &ReturnSpec) -> Framed {
    let organisations = Organisations::default();
    let expected = Expected {
        organisation: None,
        period: None,
        organisations: &organisations,
    };
    read(bytes, limits, |sheets| {
        Framer::new(sheets, &sheet::Properties::new(), spec, expected)
    })
    .finish()
}

fn parts(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files =
        std::env::var_os("BENCH_FILES").map_or_else(|| root.join("var/bench"), PathBuf::from);
    let spec = spec::load(&root.join("bench/rec20/1")).unwrap();
    let period = Period::parse(spec.period_kind, "2025-26").unwrap();
    let limits = Limits {
        cells: usize::MAX,
        ..Limits::default()
    };
    let reference = check::Reference {
        organisation: None,
        previous: None,
        year_ago: None,
        others: &[],
        values: &[],
        period: Some(&period),
        received_on: period.end,
    };
    let mut group = criterion.benchmark_group("rec20");
    group.sample_size(10).throughput(Throughput::Elements(ROWS));
    for ending in ["xlsx", "csv"] {
        let path = files.join(format!("rec20-{ROWS}.{ending}"));
        let bytes = fs::read(&path).unwrap_or_else(|_| {
            panic!("{} is made by bench/make.py", path.display());
        });
        group.bench_function(format!("read {ending}"), |b| {
            b.iter(|| read(&bytes, &limits, |_| Nothing));
        });
        group.bench_function(format!("read and frame {ending}"), |b| {
            b.iter(|| framed(&bytes, &limits, &spec));
        });
        if ending == "csv" {
            group.bench_function("check", |b| {
                b.iter_batched(
                    || framed(&bytes, &limits, &spec),
                    |mut framed| check::check(&spec, &mut framed, &reference).unwrap(),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, parts);
criterion_main!(benches);
