//! Who sends what: every respondent something, and every example of every return sent by somebody.

use std::collections::{BTreeMap, BTreeSet};

use sheet::grid::Grid;
use spec::example::ExampleWorkbook;
use spec::{Example, Organisation, Organisations, ReturnSpec};

use super::drawing;

/// One file of one organisation.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    /// GSS code.
    pub(super) organisation: String,
    pub(super) organisation_name: String,
    pub(super) return_id: String,
    pub(super) version: String,
    pub(super) period: String,
    /// The example it is made from.
    pub(super) example: String,
    pub(super) wave: Wave,
    pub(super) workbook: Workbook,
}

impl Sending {
    /// The same at every start.
    pub(super) fn key(&self) -> String {
        format!(
            "demo-{}-{}-{}-{}",
            self.return_id, self.period, self.organisation, self.example
        )
    }
}

/// What has to be assessed before what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wave {
    /// The periods that others are compared with.
    Earlier,
    Now,
}

#[derive(Debug, Clone)]
pub(super) enum Workbook {
    Drawn(Grid),
    File(std::path::PathBuf),
}

/// When each return is sent: after those that it is compared with. Of two that are compared with each other either may come first.
pub(super) fn steps(specs: &[ReturnSpec]) -> BTreeMap<&str, usize> {
    let mut steps: BTreeMap<&str, usize> = specs.iter().map(|spec| (spec.id.as_str(), 0)).collect();
    // Each round moves a return behind those it waits for; no chain is longer than there are returns.
    for _ in 1..steps.len() {
        let before = steps.clone();
        for spec in specs {
            let waits_for = spec.compared_with.iter();
            let step = waits_for
                .filter_map(|other| Some(before.get(other.return_id.as_str())? + 1))
                .max();
            if let (Some(step), Some(own)) = (step, steps.get_mut(spec.id.as_str())) {
                *own = step.min(before.len() - 1).max(*own);
            }
        }
        if steps == before {
            break;
        }
    }
    steps
}

/// Of five organisations in a row, these send the examples with mistakes: two in five.
const WITH_MISTAKES: [usize; 2] = [1, 3];

pub(super) fn plan(
    spec: &ReturnSpec,
    examples: &[Example],
    organisations: &Organisations,
) -> Vec<Sending> {
    let respondents: Vec<&Organisation> = organisations
        .0
        .iter()
        .filter(|organisation| spec.respondents.include(organisation))
        .collect();
    let by_name: BTreeMap<&str, &Example> = examples
        .iter()
        .map(|example| (example.name.as_str(), example))
        .collect();
    let base_name = spec
        .demo
        .as_ref()
        .map_or("valid", |demo| demo.base.as_str());
    let (Some(base), false) = (by_name.get(base_name).copied(), respondents.is_empty()) else {
        return Vec::new();
    };
    let base_of = |organisation: &Organisation| {
        let name = spec
            .demo
            .as_ref()
            .map_or(base_name, |demo| demo.base_for(organisation));
        by_name.get(name).copied().unwrap_or(base)
    };
    // Mistakes are drawn on the base: on another organisation's form they would be others.
    let has_the_base = |organisation: &Organisation| base_of(organisation).name == base.name;
    let planner = Planner {
        spec,
        organisations,
        by_name: by_name.clone(),
    };
    let (mistaken, right): (Vec<_>, Vec<_>) =
        respondents
            .iter()
            .enumerate()
            .partition(|(idx, organisation)| {
                WITH_MISTAKES.contains(&(idx % 5)) && has_the_base(organisation)
            });
    let mut sendings = Vec::new();
    for (_, organisation) in right {
        planner.send_base(base_of(organisation), organisation, &mut sendings);
    }
    // What is compared with is sent as that.
    let earlier: BTreeSet<&String> = examples
        .iter()
        .flat_map(|example| [&example.previous, &example.year_ago])
        .flatten()
        .collect();
    let others = examples
        .iter()
        .filter(|example| example.name != base.name && !earlier.contains(&example.name));
    let (drawn, filed): (Vec<&Example>, Vec<&Example>) = others.partition(|example| {
        matches!(example.workbook, ExampleWorkbook::Drawn(_))
            && organisations
                .get(&example.organisation)
                .is_none_or(has_the_base)
    });
    let chunks = shared_out(&drawn, mistaken.len());
    for (i, (_, organisation)) in mistaken.iter().enumerate() {
        match chunks.get(i) {
            Some(chunk) => planner.send_mistakes(chunk, organisation, &mut sendings),
            None => planner.send_base(base, organisation, &mut sendings),
        }
    }
    // A file is somebody's already, and so is a drawing on another base: theirs, and not the last they send.
    let mut all: Vec<Sending> = filed
        .iter()
        .filter_map(|example| {
            let organisation = organisations.get(&example.organisation)?;
            Some(planner.sending(example, organisation, Wave::Now, Size::AsDrawn))
        })
        .collect();
    all.append(&mut sendings);
    without_repeats(all)
}

/// Examples that are compared with the same earlier files can be sent by one organisation, one after the other.
/// Shares them out among so many organisations, as few to each as that allows.
fn shared_out<'a>(examples: &[&'a Example], n_organisations: usize) -> Vec<Vec<&'a Example>> {
    let mut groups: BTreeMap<_, Vec<&Example>> = BTreeMap::new();
    for example in examples {
        let reads = (&example.period, &example.previous, &example.year_ago);
        groups.entry(reads).or_default().push(example);
    }
    let n_chunks = |size: usize| -> usize {
        groups
            .values()
            .map(|group| group.len().div_ceil(size))
            .sum()
    };
    let size = (1..=examples.len().max(1))
        .find(|&size| n_chunks(size) <= n_organisations)
        .unwrap_or(examples.len().max(1));
    groups
        .values()
        .flat_map(|group| group.chunks(size).map(<[_]>::to_vec))
        .collect()
}

/// An example may be an earlier file of several others.
fn without_repeats(sendings: Vec<Sending>) -> Vec<Sending> {
    let mut seen = BTreeSet::new();
    sendings
        .into_iter()
        .filter(|sending| seen.insert(sending.key()))
        .collect()
}

/// How large an organisation's workbook is made.
#[derive(Clone, Copy)]
enum Size {
    AsDrawn,
    Grown,
}

struct Planner<'a> {
    spec: &'a ReturnSpec,
    organisations: &'a Organisations,
    by_name: BTreeMap<&'a str, &'a Example>,
}

impl Planner<'_> {
    fn send_base(&self, base: &Example, organisation: &Organisation, to: &mut Vec<Sending>) {
        self.send_earlier(base, organisation, Size::Grown, to);
        to.push(self.sending(base, organisation, Wave::Now, Size::Grown));
    }

    fn send_mistakes(
        &self,
        chunk: &[&Example],
        organisation: &Organisation,
        to: &mut Vec<Sending>,
    ) {
        for example in chunk {
            self.send_earlier(example, organisation, Size::AsDrawn, to);
        }
        for example in chunk {
            to.push(self.sending(example, organisation, Wave::Now, Size::AsDrawn));
        }
    }

    /// The files of earlier periods that an example is compared with.
    fn send_earlier(
        &self,
        example: &Example,
        organisation: &Organisation,
        size: Size,
        to: &mut Vec<Sending>,
    ) {
        for name in [&example.year_ago, &example.previous].into_iter().flatten() {
            if let Some(earlier) = self.by_name.get(name.as_str()) {
                to.push(self.sending(earlier, organisation, Wave::Earlier, size));
            }
        }
    }

    fn sending(
        &self,
        example: &Example,
        organisation: &Organisation,
        wave: Wave,
        size: Size,
    ) -> Sending {
        let workbook = match &example.workbook {
            ExampleWorkbook::File(path) => Workbook::File(path.clone()),
            ExampleWorkbook::Drawn(grid) => {
                Workbook::Drawn(self.draw(grid, example, organisation, size))
            }
        };
        Sending {
            organisation: organisation.code.clone(),
            organisation_name: organisation.name.clone(),
            return_id: self.spec.id.clone(),
            version: self.spec.version.clone(),
            period: example.period.clone(),
            example: example.name.clone(),
            wave,
            workbook,
        }
    }

    fn draw(
        &self,
        grid: &Grid,
        example: &Example,
        organisation: &Organisation,
        size: Size,
    ) -> Grid {
        let mut grid = grid.clone();
        if let Some(from) = self.organisations.get(&example.organisation) {
            drawing::change_identity(&mut grid, self.spec, from, organisation);
        }
        if let (Size::Grown, Some(demo)) = (size, &self.spec.demo) {
            let bigness = bigness(&organisation.code);
            drawing::repeat_records(
                &mut grid,
                self.spec,
                &demo.vary,
                1 + bigness % demo.copies.max(1),
            );
            if demo.scale {
                drawing::multiply_figures(&mut grid, self.spec, factor(&organisation.code));
            }
        }
        grid
    }
}

/// How many times a whole organisation's figures are those of the example.
pub(super) fn factor(code: &str) -> u32 {
    1 + bigness(code) % 9
}

/// A number that stands for an organisation's size: invented, but the same at every start.
fn bigness(code: &str) -> u32 {
    code.bytes().fold(17, |sum: u32, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    }) / 7
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::parts::Published;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs")
    }

    fn real() -> Published {
        Published {
            specs: spec::load_all(&root()).unwrap(),
            organisations: Organisations::load(&root().join("organisations.csv")).unwrap(),
            organisation_sources: spec::OrganisationSources::default(),
            reference_values: Vec::new(),
        }
    }

    #[test]
    fn every_example_of_every_return_is_sent_and_every_respondent_sends() {
        let published = real();
        for spec in &published.specs {
            let examples = spec::example::load_examples(&spec.dir).unwrap();
            let sendings = plan(spec, &examples, &published.organisations);
            let sent: BTreeSet<&str> = sendings
                .iter()
                .map(|sending| sending.example.as_str())
                .collect();
            for example in &examples {
                assert!(
                    sent.contains(example.name.as_str()),
                    "{} {}",
                    spec.id,
                    example.name
                );
            }
            let senders: BTreeSet<&str> = sendings
                .iter()
                .map(|sending| sending.organisation.as_str())
                .collect();
            for organisation in &published.organisations.0 {
                assert_eq!(
                    spec.respondents.include(organisation),
                    senders.contains(organisation.code.as_str()),
                    "{} {}",
                    spec.id,
                    organisation.name
                );
            }
        }
    }

    #[test]
    fn a_return_is_sent_after_those_it_is_compared_with() {
        let published = real();
        let steps = steps(&published.specs);
        let mut n_links = 0;
        for spec in &published.specs {
            for other in &spec.compared_with {
                assert!(
                    steps[other.return_id.as_str()] < steps[spec.id.as_str()],
                    "{} after {}",
                    spec.id,
                    other.return_id
                );
                n_links += 1;
            }
        }
        assert!(n_links > 0, "no return is compared with another");
    }

    #[test]
    fn no_two_sendings_share_a_key() {
        let published = real();
        for spec in &published.specs {
            let examples = spec::example::load_examples(&spec.dir).unwrap();
            let sendings = plan(spec, &examples, &published.organisations);
            let keys: BTreeSet<String> = sendings.iter().map(Sending::key).collect();
            assert_eq!(keys.len(), sendings.len(), "{}", spec.id);
        }
    }
}
