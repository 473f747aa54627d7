//! Which figures are unusual, told so that one far-off figure does not hide another.
//!
//! A figure's distance from the middle one is measured by the median absolute deviation, which half of all figures are
//! within; scaled, a distance of more than 3.5 is unusual (Iglewicz and Hoaglin, 1993). Organisations are of very
//! different sizes: where all figures are above nought their logarithms are compared, so that twice as much is as far
//! off as half as much. An organisation's figure is also compared with its own of the periods before.

use super::{Exact, Look, middle};

const FAR: f64 = 3.5;
/// By which the median absolute deviation of a normal distribution becomes its standard deviation.
const TO_STANDARD: f64 = 1.4826;
/// The same for the mean absolute deviation, which counts where more than half of all figures are the same.
const MEAN_TO_STANDARD: f64 = 1.2533;
/// With fewer figures nothing can be said.
const FEWEST_OTHERS: usize = 5;
const FEWEST_BEFORE: usize = 4;
/// A figure that hardly ever moves is not unusual for moving by less than this part of itself.
const LEAST_MOVE: f64 = 0.05;

/// What is unusual about an organisation's figure of the last period.
#[derive(Debug, Clone, PartialEq)]
pub struct Unusual {
    pub organisation: String,
    pub name: String,
    pub figure: Exact,
    /// Among the other organisations.
    pub among: Option<Spread>,
    /// For itself, by what it had before.
    pub before: Option<Spread>,
}

/// What is usual: the figure in the middle, and between which two figures what is not unusual is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub middle: Exact,
    pub low: f64,
    pub high: f64,
}

impl Spread {
    fn has(&self, figure: f64) -> bool {
        (self.low..=self.high).contains(&figure)
    }
}

/// What is usual among figures; `None` where nothing can be said: too few, or all alike.
pub fn spread(figures: &[Exact], n_fewest: usize) -> Option<Spread> {
    if figures.len() < n_fewest {
        return None;
    }
    let near: Vec<f64> = figures.iter().map(|figure| figure.near()).collect();
    let by_ratio = near.iter().all(|figure| *figure > 0.0);
    let scaled: Vec<f64> = near
        .iter()
        .map(|figure| if by_ratio { figure.ln() } else { *figure })
        .collect();
    let centre = median(&scaled)?;
    let distances: Vec<f64> = scaled.iter().map(|it| (it - centre).abs()).collect();
    let by_median = TO_STANDARD * median(&distances)?;
    let by_mean = MEAN_TO_STANDARD * mean(&distances)?;
    let deviation = if by_median > 0.0 { by_median } else { by_mean };
    if deviation <= 0.0 {
        return None;
    }
    let edge = |sign: f64| {
        let edge = centre + sign * FAR * deviation;
        if by_ratio { edge.exp() } else { edge }
    };
    Some(Spread {
        middle: middle(figures)?,
        low: edge(-1.0),
        high: edge(1.0),
    })
}

/// What is usual for an organisation, by what it had before: also where that never moved.
fn before(figures: &[Exact]) -> Option<Spread> {
    if figures.len() < FEWEST_BEFORE {
        return None;
    }
    let middle = middle(figures)?;
    let least = middle.near().abs() * LEAST_MOVE;
    let (low, high) = match spread(figures, FEWEST_BEFORE) {
        Some(spread) => (spread.low, spread.high),
        None => (middle.near(), middle.near()),
    };
    Some(Spread {
        middle,
        low: low.min(middle.near() - least),
        high: high.max(middle.near() + least),
    })
}

/// What is unusual in the last period, by organisation.
pub fn unusual(look: &Look) -> Vec<Unusual> {
    let last_idx = look.last_idx();
    let now: Vec<Exact> = look
        .of_period(last_idx)
        .filter_map(|point| point.figure)
        .collect();
    let usual = spread(&now, FEWEST_OTHERS);
    let mut found = Vec::new();
    for point in look.of_period(last_idx) {
        let Some(figure) = point.figure else {
            continue;
        };
        let earlier: Vec<Exact> = look
            .points
            .iter()
            .filter(|other| other.organisation == point.organisation && other.period_idx < last_idx)
            .filter_map(|other| other.figure)
            .collect();
        let is_out = |spread: &Spread| !spread.has(figure.near());
        let one = Unusual {
            organisation: point.organisation.clone(),
            name: point.name.clone(),
            figure,
            among: usual.filter(is_out),
            before: before(&earlier).filter(is_out),
        };
        if one.among.is_some() || one.before.is_some() {
            found.push(one);
        }
    }
    found
}

fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*sorted.get(half.checked_sub(1)?)?, upper))
}

fn mean(numbers: &[f64]) -> Option<f64> {
    let n = u32::try_from(numbers.len()).ok().filter(|n| *n > 0)?;
    Some(numbers.iter().sum::<f64>() / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(texts: &[&str]) -> Vec<Exact> {
        let figures = texts.iter().map(|text| Exact::parse(text).unwrap());
        figures.collect()
    }

    /// Which of these are unusual among them.
    fn out(texts: &[&str]) -> Vec<String> {
        let figures = figures(texts);
        let Some(usual) = spread(&figures, FEWEST_OTHERS) else {
            return Vec::new();
        };
        let far = figures.iter().filter(|figure| !usual.has(figure.near()));
        far.map(|figure| figure.text(0)).collect()
    }

    #[test]
    fn far_off_figures_do_not_hide_each_other() {
        let with_two = ["10", "11", "12", "9", "10", "1000", "2000", "8"];
        assert_eq!(out(&with_two), ["1000", "2000"]);
    }

    #[test]
    fn a_large_organisation_is_not_unusual_for_being_large() {
        let sizes = ["20", "30", "45", "60", "90", "120", "180", "300"];
        assert_eq!(out(&sizes), [] as [&str; 0]);
        let one_in_the_wrong_unit = ["20", "30", "45", "60", "90", "120", "180", "60000"];
        assert_eq!(out(&one_in_the_wrong_unit), ["60000"]);
        let far_too_few = ["2000", "3000", "4500", "6000", "9000", "12000", "5"];
        assert_eq!(out(&far_too_few), ["5"]);
    }

    #[test]
    fn where_most_are_the_same_one_that_is_not_still_is_unusual() {
        assert_eq!(out(&["0", "0", "0", "0", "0", "0", "0", "50"]), ["50"]);
        assert_eq!(out(&["5", "5", "5", "5", "5", "5"]), [] as [&str; 0]);
        assert_eq!(out(&["-5", "0", "5", "3", "-4", "-900"]), ["-900"]);
    }

    #[test]
    fn of_few_figures_nothing_is_said() {
        assert_eq!(out(&["1", "1", "1000", "1"]), [] as [&str; 0]);
        assert_eq!(before(&figures(&["1", "1", "1"])), None);
    }

    #[test]
    fn a_figure_that_never_moved_may_move_a_little() {
        let usual = before(&figures(&["100", "100", "100", "100"])).unwrap();
        assert!(usual.has(104.0) && !usual.has(106.0) && !usual.has(94.0));
        let growing = before(&figures(&["100", "110", "120", "130"])).unwrap();
        assert!(growing.has(140.0) && !growing.has(500.0) && !growing.has(10.0));
    }
}
