//! What the demo sends, assessed as it comes in: who sends no planted mistake has nothing to fix.

use std::path::Path;

use assess::{OtherFile, Request, SourceFile, ValuesFile};
use finding::Severity;
use report::workbook::write_xlsx;
use spec::example::load_examples;
use spec::{Example, Organisations, OtherPeriod, Period, Returns};

use super::plan::{Sending, Wave, Workbook};
use super::{Published, ReturnSpec, plan_all, values};

#[test]
fn a_workbook_without_planted_mistakes_has_nothing_to_fix() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
    let published = Published {
        specs: spec::load_all(&root).unwrap(),
        organisations: Organisations::load(&root.join("organisations.csv")).unwrap(),
        organisation_sources: spec::OrganisationSources::default(),
        reference_values: Vec::new(),
    };
    let sent = Sent::new(&published);
    let returns = Returns::gather(&root);
    let mut to_fix = Vec::new();
    for spec in &published.specs {
        let mut n_right = 0;
        for sending in sent.without_mistakes(spec) {
            to_fix.extend(sent.to_fix(spec, sending, &returns));
            n_right += 1;
        }
        assert!(n_right > 0, "nobody sends {} as it should be", spec.id);
    }
    assert!(to_fix.is_empty(), "{}", to_fix.join("\n"));
}

/// Everything that is sent, with what it is compared with.
struct Sent<'a> {
    published: &'a Published,
    /// In parallel with the specs.
    examples: Vec<Vec<Example>>,
    sendings: Vec<Sending>,
    values: Vec<spec::SetOfPeriod>,
}

impl<'a> Sent<'a> {
    fn new(published: &'a Published) -> Self {
        let sendings = plan_all(published).unwrap();
        let examples = published.specs.iter();
        Self {
            published,
            examples: examples
                .map(|spec| load_examples(&spec.dir).unwrap())
                .collect(),
            values: values::made_up(published, &sendings).unwrap(),
            sendings,
        }
    }

    /// Made from a base, of this period.
    fn without_mistakes<'s>(&'s self, spec: &'s ReturnSpec) -> impl Iterator<Item = &'s Sending> {
        let organisations = &self.published.organisations;
        self.sendings.iter().filter(move |sending| {
            let base = spec.demo.as_ref().map_or("valid", |demo| {
                demo.base_for(organisations.get(&sending.organisation).unwrap())
            });
            sending.return_id == spec.id && sending.wave == Wave::Now && sending.example == base
        })
    }

    /// What has to be fixed, a line each.
    fn to_fix(&self, spec: &ReturnSpec, sending: &Sending, returns: &Returns) -> Vec<String> {
        let specs = &self.published.specs;
        let at = specs.iter().position(|other| other.id == spec.id).unwrap();
        let mut examples = self.examples[at].iter();
        let example = examples
            .find(|example| example.name == sending.example)
            .unwrap();
        let period = Period::parse(spec.period_kind, &sending.period).unwrap();
        let of_example = |name: &Option<String>| {
            let mut sendings = self.sendings.iter();
            let is_it = |other: &&Sending| {
                other.return_id == sending.return_id
                    && other.organisation == sending.organisation
                    && Some(&other.example) == name.as_ref()
            };
            sendings.find(is_it).map(bytes)
        };
        let (file, previous) = (bytes(sending), of_example(&example.previous));
        let year_ago = of_example(&example.year_ago);
        let others: Vec<(&ReturnSpec, Vec<u8>)> = spec
            .compared_with
            .iter()
            .filter_map(|link| {
                let other = specs.iter().find(|other| other.id == link.return_id)?;
                let mut theirs = self.without_mistakes(other);
                let theirs = theirs.find(|theirs| {
                    let other_period = Period::parse(other.period_kind, &theirs.period).unwrap();
                    let fits = match link.period {
                        OtherPeriod::Same => {
                            (other_period.start, other_period.end) == (period.start, period.end)
                        }
                        OtherPeriod::Before => other_period.end < period.start,
                    };
                    fits && theirs.organisation == sending.organisation
                })?;
                Some((other, bytes(theirs)))
            })
            .collect();
        let others: Vec<OtherFile<'_>> = others
            .iter()
            .map(|(spec, bytes)| OtherFile {
                spec,
                file: named(bytes),
            })
            .collect();
        let values: Vec<ValuesFile<'_>> = spec
            .reference_values
            .iter()
            .filter_map(|set| {
                let wanted = set.period_of(&period)?.label;
                let mut known = self.values.iter();
                let known = known.find(|known| known.set == set.set && known.period == wanted)?;
                Some(ValuesFile {
                    table: &set.table,
                    values: &known.values,
                })
            })
            .collect();
        let organisations = &self.published.organisations;
        let assessment = assess::assess(&Request {
            spec,
            organisations,
            organisation: organisations.get(&sending.organisation),
            period: Some(&period),
            received_on: example.received_on,
            file: named(&file),
            previous: previous.as_deref().map(named),
            year_ago: year_ago.as_deref().map(named),
            earlier: assess::EarlierVersions::default(),
            others: &others,
            values: &values,
            limits: &sheet::Limits::default(),
            returns,
        });
        let to_fix = assessment.unwrap().findings.into_vec().into_iter();
        to_fix
            .filter(|finding| matches!(finding.severity, Severity::Blocker | Severity::Error))
            .map(|finding| {
                let place = finding.place().unwrap_or_default();
                let name = &sending.organisation_name;
                format!("{} {name} {place}: {}", spec.id, finding.message)
            })
            .collect()
    }
}

fn bytes(sending: &Sending) -> Vec<u8> {
    match &sending.workbook {
        Workbook::Drawn(grid) => write_xlsx(grid).unwrap(),
        Workbook::File(path) => std::fs::read(path).unwrap(),
    }
}

fn named(bytes: &[u8]) -> SourceFile<'_> {
    SourceFile {
        name: "sent.xlsx",
        bytes,
    }
}
