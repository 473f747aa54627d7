//! What is told of a look in words.

use dataset::look::{Look, Point, Spread, Standing, Unusual};

use crate::pages::changes::words::grouped;

/// Something unusual: whose, where it leads, and why.
pub(super) struct Told {
    pub(super) name: String,
    pub(super) link: Option<String>,
    pub(super) figure: String,
    pub(super) why: Vec<String>,
}

pub(super) fn not_yet() -> &'static str {
    "There are many new rows, and they are being added up. Come back in a minute."
}

fn n_organisations(n: usize) -> String {
    match n {
        1 => "1 organisation".to_owned(),
        n => format!("{n} organisations"),
    }
}

/// How many of a period are accepted, provisional and missing.
pub(super) fn counts<'a>(points: impl Iterator<Item = &'a Point>) -> (usize, usize, usize) {
    points.fold(
        (0, 0, 0),
        |(accepted, provisional, missing), point| match point.standing {
            Standing::Accepted => (accepted + 1, provisional, missing),
            Standing::Provisional(_) => (accepted, provisional + 1, missing),
            Standing::Missing => (accepted, provisional, missing + 1),
            Standing::Earlier => (accepted, provisional, missing),
        },
    )
}

/// Who is there.
pub(super) fn sentence(look: &Look, is_everybodys: bool) -> String {
    let now = || look.of_period(look.last_idx());
    if !is_everybodys {
        let told: Vec<String> = now()
            .map(|point| format!("{}: {}", point.name, standing(point.standing)))
            .collect();
        return match told.len() {
            0 => "Nothing of this period is there yet.".to_owned(),
            _ => format!("{}.", told.join("; ")),
        };
    }
    let (accepted, provisional, missing) = counts(now());
    let there = accepted + provisional;
    if there == 0 {
        return "Nothing of this period is there yet.".to_owned();
    }
    let all = n_organisations(there + missing);
    let who = match missing {
        0 => format!("All of {all} are there"),
        1 => format!("{there} of {all} are there, and 1 is missing"),
        n => format!("{there} of {all} are there, and {n} are missing"),
    };
    match (accepted, provisional) {
        (_, 0) => format!("{who}. All figures are accepted."),
        (0, _) => format!("{who}. All figures are provisional."),
        (accepted, provisional) => {
            format!("{who}. {accepted} are accepted and {provisional} provisional.")
        }
    }
}

pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Provisional(state) => match state {
            cycle::SubmissionState::SignedOff => "provisional (signed off)",
            _ => "provisional (submitted)",
        },
        Standing::Accepted => "accepted",
        Standing::Missing => "missing",
        Standing::Earlier => "not asked; rows of earlier periods",
    }
}

/// Name and address.
type Named = (String, String);

/// Who is missing in the last period, and whose figures are provisional.
pub(super) fn who(look: &Look, link: impl Fn(&str) -> String) -> (Vec<Named>, Vec<Named>) {
    let of = |wanted: fn(Standing) -> bool| {
        let points = look.of_period(look.last_idx());
        let mut named: Vec<Named> = points
            .filter(|point| wanted(point.standing))
            .map(|point| (point.name.clone(), link(&point.organisation)))
            .collect();
        named.sort();
        named
    };
    (
        of(|standing| standing == Standing::Missing),
        of(|standing| matches!(standing, Standing::Provisional(_))),
    )
}

/// Why a figure is unusual.
pub(super) fn why(found: &Unusual, places: u8) -> Vec<String> {
    let mut why = Vec::new();
    let middle = |spread: &Spread| grouped(&spread.middle.text(places));
    if let Some(spread) = &found.among {
        why.push(format!(
            "Among all organisations {} would be usual; the middle one has {}.",
            range(spread),
            middle(spread)
        ));
    }
    if let Some(spread) = &found.before {
        why.push(format!(
            "By what it had in earlier periods {} would be usual; its middle figure was {}.",
            range(spread),
            middle(spread)
        ));
    }
    why
}

fn range(spread: &Spread) -> String {
    format!("{} to {}", about(spread.low), about(spread.high))
}

/// To three figures: what is worked out is no more exact than that.
fn about(figure: f64) -> String {
    if figure == 0.0 || !figure.is_finite() {
        return "0".to_owned();
    }
    let power = figure.abs().log10().floor();
    let places = (2.0 - power).max(0.0);
    let step = 10_f64.powf((power - 2.0).max(0.0));
    let rounded = (figure / step).round() * step;
    // As many as a figure has that is not far from nought.
    let text = match places {
        places if places >= 9.0 => "0".to_owned(),
        0.0 => format!("{rounded:.0}"),
        1.0 => format!("{figure:.1}"),
        2.0 => format!("{figure:.2}"),
        _ => format!("{figure:.4}"),
    };
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    match text.as_str() {
        "-0" => "0".to_owned(),
        text => grouped(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worked_out_is_told_to_three_figures() {
        for (figure, told) in [
            (0.0, "0"),
            (1_234_567.0, "1,230,000"),
            (-98.76, "\u{2212}98.8"),
            (104.9, "105"),
            (5.0, "5"),
            (0.0123, "0.0123"),
            (1e-12, "0"),
        ] {
            assert_eq!(about(figure), told);
        }
    }
}
