//! `lgdp spec check`: what is wrong in version folders, and whether their examples still say what they said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use child::{Child, CollectionTask, InputFile, Task};
use finding::Finding;
use rayon::prelude::*;
use spec::example::{ExampleWorkbook, load_examples};
use spec::{Example, LoadError, Organisations, Period, ReturnSpec};
use tempfile::TempDir;

use crate::assessor;
use crate::settings::Settings;

/// A folder with fewer has not shown what it does.
const FEWEST_EXAMPLES: usize = 12;

/// What happens to the examples' reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Compare,
    Update,
}

/// Exit status 1 where anything is wrong in any folder.
pub(crate) fn check(dirs: &[PathBuf], mode: Mode, settings: &Settings) -> anyhow::Result<ExitCode> {
    let child = assessor::child(settings)?;
    let told: Vec<anyhow::Result<Told>> = dirs
        .par_iter()
        .map(|dir| check_dir(dir, mode, &child))
        .collect();
    let mut out = io::stdout().lock();
    let mut all_right = true;
    for told in told {
        let told = told?;
        all_right &= told.wrongs.is_empty();
        for wrong in &told.wrongs {
            writeln!(out, "{wrong}")?;
        }
        writeln!(out, "{}", told.summary)?;
    }
    Ok(if all_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

struct Told {
    wrongs: Vec<String>,
    summary: String,
}

impl Told {
    fn not_loaded(dir: &Path, error: &LoadError) -> Self {
        let wrongs: Vec<String> = error
            .faults
            .iter()
            .map(|fault| format!("{}/{fault}", dir.display()))
            .collect();
        Self {
            summary: format!("{}: {} wrong", dir.display(), wrongs.len()),
            wrongs,
        }
    }
}

fn check_dir(dir: &Path, mode: Mode, child: &Child) -> anyhow::Result<Told> {
    let spec = match spec::load(dir) {
        Ok(spec) => spec,
        Err(error) => return Ok(Told::not_loaded(dir, &error)),
    };
    let examples = match load_examples(dir) {
        Ok(examples) => examples,
        Err(error) => return Ok(Told::not_loaded(dir, &error)),
    };
    let mut others = Vec::new();
    for other in &spec.compared_with {
        match spec::load(&other.dir(dir)) {
            Ok(other) => others.push(other),
            Err(error) => return Ok(Told::not_loaded(&other.dir(dir), &error)),
        }
    }
    let wrongs: Vec<String> = not_run(&spec, &others)
        .iter()
        .map(|why| format!("{}/rules.toml: {why}", dir.display()))
        .collect();
    if !wrongs.is_empty() {
        return Ok(Told {
            summary: format!("{}: {} wrong", dir.display(), wrongs.len()),
            wrongs,
        });
    }
    let mut workbooks = Workbooks::write(&examples)?;
    for other in &spec.compared_with {
        let uses = |example: &Example| example.compared_with.contains_key(&other.return_id);
        if !examples.iter().any(uses) {
            continue;
        }
        match load_examples(&other.dir(dir)) {
            Ok(theirs) => workbooks.add_others(&other.return_id, &theirs)?,
            Err(error) => return Ok(Told::not_loaded(&other.dir(dir), &error)),
        }
    }
    // A round of others names some of them, and loading the examples tells that there are none.
    let organisations =
        Organisations::load(&dir.join("../../organisations.csv")).unwrap_or_default();
    let mut wrongs = Vec::new();
    let mut rules_seen = BTreeSet::new();
    let mut any_without_finding = false;
    let mut n_changed = 0;
    let assessing = Assessing {
        dir,
        spec: &spec,
        workbooks: &workbooks,
        organisations: &organisations,
        child,
    };
    let said: Vec<anyhow::Result<Said>> = examples
        .par_iter()
        .map(|example| assessing.say(example))
        .collect();
    for (example, said) in examples.iter().zip(said) {
        let (says, rules) = match said? {
            Said::NotAssessed(wrong) => {
                wrongs.push(wrong);
                continue;
            }
            Said::Report { says, rules } => (says, rules),
        };
        any_without_finding |= rules.is_empty();
        rules_seen.extend(rules);
        match compare(example, &says, mode)? {
            Compared::Same => {}
            Compared::Written => n_changed += 1,
            Compared::Differs(difference) => wrongs.push(difference),
        }
    }
    wrongs.extend(coverage(
        dir,
        &spec,
        &examples,
        &rules_seen,
        any_without_finding,
    ));
    let written = match mode {
        Mode::Compare => String::new(),
        Mode::Update => format!(", {n_changed} reports written"),
    };
    let verdict = match wrongs.len() {
        0 => "all right".to_owned(),
        n => format!("{n} wrong"),
    };
    Ok(Told {
        summary: format!(
            "{}: {} examples{written}: {verdict}",
            dir.display(),
            examples.len()
        ),
        wrongs,
    })
}

/// What assessing an example needs.
struct Assessing<'a> {
    dir: &'a Path,
    spec: &'a ReturnSpec,
    workbooks: &'a Workbooks,
    organisations: &'a Organisations,
    child: &'a Child,
}

/// What is said of an example.
enum Said {
    /// Why it can't be assessed.
    NotAssessed(String),
    Report {
        says: String,
        rules: BTreeSet<String>,
    },
}

impl Assessing<'_> {
    fn say(&self, example: &Example) -> anyhow::Result<Said> {
        let dir = self.dir.display();
        if let Err(why) = fits(self.spec, example) {
            let wrong = format!("{dir}/examples/{}.example: {why}", example.name);
            return Ok(Said::NotAssessed(wrong));
        }
        let task = self.workbooks.task(self.dir, example)?;
        let assessed = assessor::assess(self.child, &task)
            .with_context(|| format!("the example {} of {dir}", example.name))?;
        let rule = |finding: &Finding| finding.rule.to_string();
        let mut rules: BTreeSet<String> = assessed.findings.iter().map(rule).collect();
        let mut says = report::text::text(&assessed.head, &assessed.findings);
        if !example.others.is_empty() {
            let task = self.workbooks.collection(self.dir, example)?;
            let checked = self
                .child
                .run_collection(&task)
                .with_context(|| format!("the round of {} of {dir}", example.name))?;
            let found = checked.findings.iter();
            rules.extend(found.map(|addressed| rule(&addressed.finding)));
            let told = report::collection::text(&checked, self.organisations);
            says = format!("{says}\n{told}");
        }
        Ok(Said::Report { says, rules })
    }
}

/// Rules that can't be run, whatever file comes in.
fn not_run(spec: &ReturnSpec, others: &[ReturnSpec]) -> Vec<String> {
    match assess::try_out(spec, others) {
        Ok(errors) => errors.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    }
}

fn fits(spec: &ReturnSpec, example: &Example) -> Result<(), String> {
    let period =
        Period::parse(spec.period_kind, &example.period).map_err(|error| error.to_string())?;
    if spec.serves(&period) {
        return Ok(());
    }
    Err(format!(
        "version {} does not serve the period {}",
        spec.version, period.label
    ))
}

/// The examples' workbooks, as files that a child can be given.
struct Workbooks {
    /// Removed when this is dropped.
    dir: TempDir,
    files: BTreeMap<String, InputFile>,
    /// Of other returns, by return and example.
    others: BTreeMap<(String, String), InputFile>,
}

impl Workbooks {
    fn write(examples: &[Example]) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir().context("no temporary folder")?;
        let mut files = BTreeMap::new();
        for example in examples {
            files.insert(example.name.clone(), written(example, dir.path())?);
        }
        Ok(Self {
            dir,
            files,
            others: BTreeMap::new(),
        })
    }

    fn add_others(&mut self, return_id: &str, examples: &[Example]) -> anyhow::Result<()> {
        let dir = self.dir.path().join(return_id);
        fs::create_dir(&dir).with_context(|| format!("can't make {}", dir.display()))?;
        for example in examples {
            let key = (return_id.to_owned(), example.name.clone());
            self.others.insert(key, written(example, &dir)?);
        }
        Ok(())
    }

    fn task(&self, spec_dir: &Path, example: &Example) -> anyhow::Result<Task> {
        let file = |name: &String| {
            self.files.get(name).cloned().with_context(|| {
                format!(
                    "{} names an example that is not there: {name}",
                    example.name
                )
            })
        };
        Ok(Task {
            spec_dir: spec_dir.to_owned(),
            organisation: Some(example.organisation.clone()),
            period: Some(example.period.clone()),
            received_on: example.received_on,
            file: file(&example.name)?,
            previous: example.previous.as_ref().map(file).transpose()?,
            year_ago: example.year_ago.as_ref().map(file).transpose()?,
            others: example
                .compared_with
                .iter()
                .map(|(return_id, name)| {
                    let key = (return_id.clone(), name.clone());
                    let file = self.others.get(&key).cloned();
                    let file = file.with_context(|| format!("{return_id} has no example {name}"));
                    Ok((return_id.clone(), file?))
                })
                .collect::<anyhow::Result<_>>()?,
            values: example
                .values
                .iter()
                .map(|(table, path)| (table.clone(), named(path)))
                .collect(),
            records: false,
        })
    }
}

impl Workbooks {
    /// The example's own file and the other organisations'.
    fn collection(&self, spec_dir: &Path, example: &Example) -> anyhow::Result<CollectionTask> {
        let own = std::iter::once((&example.organisation, &example.name));
        let files = own
            .chain(&example.others)
            .map(|(code, name)| {
                let file = self.files.get(name).cloned();
                let file = file.with_context(|| format!("there is no example {name}"));
                Ok((code.clone(), file?))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(CollectionTask {
            spec_dir: spec_dir.to_owned(),
            period: example.period.clone(),
            received_on: example.received_on,
            files,
        })
    }
}

/// A file that lies there already.
fn named(path: &Path) -> InputFile {
    InputFile {
        name: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        path: path.to_owned(),
        version: None,
    }
}

/// An example's workbook as a file; a drawn one is written into the folder.
fn written(example: &Example, dir: &Path) -> anyhow::Result<InputFile> {
    match &example.workbook {
        ExampleWorkbook::File(path) => Ok(named(path)),
        ExampleWorkbook::Drawn(grid) => {
            let name = format!("{}.xlsx", example.name);
            let path = dir.join(&name);
            let bytes = report::workbook::write_xlsx(grid)
                .with_context(|| format!("the workbook of the example {}", example.name))?;
            fs::write(&path, bytes).with_context(|| format!("can't write {}", path.display()))?;
            Ok(InputFile {
                name,
                path,
                version: None,
            })
        }
    }
}

enum Compared {
    Same,
    Written,
    Differs(String),
}

fn compare(example: &Example, says: &str, mode: Mode) -> anyhow::Result<Compared> {
    let path = &example.report;
    let expected = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("can't read {}", path.display())),
    };
    if expected.as_deref() == Some(says) {
        return Ok(Compared::Same);
    }
    if mode == Mode::Update {
        fs::write(path, says).with_context(|| format!("can't write {}", path.display()))?;
        return Ok(Compared::Written);
    }
    Ok(Compared::Differs(match expected {
        None => format!(
            "{}: is not there; `lgdp spec check --update` writes it",
            path.display()
        ),
        Some(expected) => format!(
            "{}: differs:\n{}",
            path.display(),
            difference(&expected, says)
        ),
    }))
}

/// What was expected and what is said now, without what both begin and end with.
fn difference(expected: &str, says: &str) -> String {
    let expected: Vec<&str> = expected.lines().collect();
    let says: Vec<&str> = says.lines().collect();
    let same =
        |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let n_before = same(&mut expected.iter().zip(&says));
    let n_left = expected.len().min(says.len()) - n_before;
    let n_after = same(&mut expected.iter().rev().zip(says.iter().rev())).min(n_left);
    let changed = |lines: &[&str], mark: char| -> Vec<String> {
        lines
            .iter()
            .take(lines.len() - n_after)
            .skip(n_before)
            .map(|line| format!("  {mark} {line}"))
            .collect()
    };
    let mut shown = vec![format!("  from line {}:", n_before + 1)];
    shown.extend(changed(&expected, '-'));
    shown.extend(changed(&says, '+'));
    shown.join("\n")
}

/// A rule that no example breaks, or a folder without a good file, has not been shown to work.
fn coverage(
    dir: &Path,
    spec: &ReturnSpec,
    examples: &[Example],
    rules_seen: &BTreeSet<String>,
    any_without_finding: bool,
) -> Vec<String> {
    let mut wrongs = Vec::new();
    let place = dir.join("examples");
    let place = place.display();
    if examples.len() < FEWEST_EXAMPLES {
        wrongs.push(format!(
            "{place}: has {} examples; a folder needs at least {FEWEST_EXAMPLES}",
            examples.len()
        ));
    }
    let rules = spec.rules.iter().map(|rule| &rule.id);
    let conditions = spec
        .tables
        .iter()
        .flat_map(|table| table.conditions.iter().map(|condition| &condition.rule));
    for rule in rules.chain(conditions) {
        if !rules_seen.contains(rule) {
            wrongs.push(format!("{place}: no example's report has the rule {rule}"));
        }
    }
    if !any_without_finding {
        wrongs.push(format!("{place}: no example's report is without a finding"));
    }
    wrongs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_only_what_changed() {
        assert_eq!(
            difference("a\nb\nc\nd\n", "a\nx\nc\nd\n"),
            "  from line 2:\n  - b\n  + x"
        );
        assert_eq!(difference("a\n", "a\na\n"), "  from line 2:\n  + a");
        assert_eq!(difference("a\na\n", "a\n"), "  from line 2:\n  - a");
        assert_eq!(difference("", "a\n"), "  from line 1:\n  + a");
    }
}
