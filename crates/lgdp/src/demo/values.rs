//! Central figures for the demo: those of an example, as large as each organisation's own are made.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, anyhow};
use spec::example::load_examples;
use spec::{Example, Period, ReferenceSet, ReferenceValues, ReturnSpec, SetOfPeriod};

use super::number::multiplied;
use super::plan::{Sending, Wave, factor};
use crate::parts::Published;

/// What every figure of the demo says of itself.
const SOURCE: &str = "made up for the demo of lgdp; not an official figure";

/// For every return whose base example is checked against central figures.
pub(super) fn made_up(
    published: &Published,
    sendings: &[Sending],
) -> anyhow::Result<Vec<SetOfPeriod>> {
    let mut sets = Vec::new();
    for spec in &published.specs {
        let Some(demo) = &spec.demo else { continue };
        if spec.reference_values.is_empty() {
            continue;
        }
        let examples = load_examples(&spec.dir)?;
        let Some(base) = examples.iter().find(|example| example.name == demo.base) else {
            continue;
        };
        for set in &spec.reference_values {
            sets.extend(of_set(spec, set, base, sendings)?);
        }
    }
    Ok(sets)
}

fn of_set(
    spec: &ReturnSpec,
    set: &ReferenceSet,
    base: &Example,
    sendings: &[Sending],
) -> anyhow::Result<Option<SetOfPeriod>> {
    let period = Period::parse(spec.period_kind, &base.period)?;
    let (Some(path), Some(period)) = (base.values.get(&set.table), set.period_of(&period)) else {
        return Ok(None);
    };
    let drawn = read(&fs::read_to_string(path)?)
        .with_context(|| format!("{} can't be used", path.display()))?;
    // Who sends the base sends it grown; who sends the mistakes sends them as they are drawn.
    let mut factors: BTreeMap<&str, u32> = BTreeMap::new();
    let now = sendings.iter().filter(|sending| {
        sending.return_id == spec.id && sending.version == spec.version && sending.wave == Wave::Now
    });
    for sending in now {
        let is_grown =
            sending.example == base.name && spec.demo.as_ref().is_some_and(|demo| demo.scale);
        let factor = if is_grown {
            factor(&sending.organisation)
        } else {
            1
        };
        factors.insert(&sending.organisation, factor);
    }
    let mut csv = "organisation,name,value,source,confidence\n".to_owned();
    for (organisation, factor) in factors {
        let of_base = drawn
            .values
            .iter()
            .filter(|value| value.organisation == base.organisation);
        for value in of_base {
            let figure = multiplied(&value.value, factor).context("a figure is a number")?;
            csv.push_str(&format!(
                "{organisation},{},{figure},{SOURCE},demo\n",
                value.name
            ));
        }
    }
    let values = read(&csv)?;
    Ok(Some(SetOfPeriod {
        set: set.set.clone(),
        period: period.label,
        csv,
        values,
    }))
}

fn read(csv: &str) -> anyhow::Result<ReferenceValues> {
    ReferenceValues::read(csv).map_err(|faults| {
        let first = faults.first();
        let why = first.map_or_else(String::new, |fault| {
            format!("line {}: {}", fault.line, fault.why)
        });
        anyhow!("the figures can't be read: {why}")
    })
}
