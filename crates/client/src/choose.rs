//! What a file is for: said by whoever sends it, or found out where only one thing is possible.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{Api, ApiError, Obligation};

/// As far as it was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// GSS code.
    pub organisation: Option<String>,
    pub return_id: Option<String>,
    pub period: Option<String>,
}

/// What a file is sent for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    pub organisation: String,
    pub return_id: String,
    pub period: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    #[error("nothing that is open for this token fits; see what there is with: lgdp status")]
    Nothing,
    #[error("say which of these with --return, --period and --organisation: {0}")]
    Several(String),
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl ChooseError {
    /// Whether the same may work later.
    pub fn is_for_now(&self) -> bool {
        matches!(self, ChooseError::Api(error) if error.is_for_now())
    }
}

/// Asks the platform for what was not said.
pub async fn choose(api: &Api, wanted: &Wanted, today: NaiveDate) -> Result<Chosen, ChooseError> {
    if let Wanted {
        organisation: Some(organisation),
        return_id: Some(return_id),
        period: Some(period),
    } = wanted
    {
        return Ok(Chosen {
            organisation: organisation.clone(),
            return_id: return_id.clone(),
            period: period.clone(),
        });
    }
    let owed = crate::obligations(api).await?;
    the_only_one(&owed, wanted, today)
}

/// Without a period, what is open and not handed over yet. Where that is nothing, and one was not handed over before it
/// closed, it is that one: the platform says that it has closed, and what can be done.
fn the_only_one(
    owed: &[Obligation],
    wanted: &Wanted,
    today: NaiveDate,
) -> Result<Chosen, ChooseError> {
    let fits =
        |asked: &Option<String>, own: &String| asked.as_ref().is_none_or(|asked| asked == own);
    let mut found: Vec<&Obligation> = owed
        .iter()
        .filter(|one| fits(&wanted.organisation, &one.organisation))
        .filter(|one| fits(&wanted.return_id, &one.return_id))
        .filter(|one| fits(&wanted.period, &one.period))
        .filter(|one| wanted.period.is_some() || is_to_do(one, today))
        .collect();
    if wanted.period.is_none() && found.iter().any(|one| one.closed_on.is_none()) {
        found.retain(|one| one.closed_on.is_none());
    }
    match found[..] {
        [] => Err(ChooseError::Nothing),
        [one] => Ok(Chosen {
            organisation: one.organisation.clone(),
            return_id: one.return_id.clone(),
            period: one.period.clone(),
        }),
        _ => {
            let names = found
                .iter()
                .map(|one| format!("{} {} of {}", one.return_id, one.period, one.organisation));
            let mut names: Vec<String> = names.collect();
            if names.len() > SHOWN {
                let n_more = names.len() - SHOWN;
                names.truncate(SHOWN);
                names.push(format!("and {n_more} more"));
            }
            Err(ChooseError::Several(names.join(", ")))
        }
    }
}

const SHOWN: usize = 10;

/// It has opened, a file is asked for, and none that would do is there.
fn is_to_do(owed: &Obligation, today: NaiveDate) -> bool {
    let is_met = ["submitted", "signed_off", "accepted", "nil"].contains(&owed.state.as_str());
    let is_asked = !["not_required", "cancelled"].contains(&owed.state.as_str());
    owed.opens_on <= today && is_asked && !is_met
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owed(return_id: &str, period: &str, opens_on: &str, state: &str) -> Obligation {
        Obligation {
            organisation: "S12000033".to_owned(),
            organisation_name: "Ardbeg".to_owned(),
            return_id: return_id.to_owned(),
            title: String::new(),
            period: period.to_owned(),
            opens_on: opens_on.parse().unwrap(),
            due_on: "2026-12-31".parse().unwrap(),
            state: state.to_owned(),
            is_overdue: false,
            closed_on: None,
        }
    }

    fn closed(owed: Obligation) -> Obligation {
        Obligation {
            closed_on: Some("2026-11-20".parse().unwrap()),
            ..owed
        }
    }

    fn chosen(wanted: &Wanted) -> Result<String, String> {
        let all = [
            owed("cases", "2026-27-Q1", "2026-07-01", "accepted"),
            owed("cases", "2026-27-Q2", "2026-10-01", "not_started"),
            owed("cases", "2026-27-Q3", "2027-01-01", "not_open"),
            owed("visits", "2026-27-Q2", "2026-10-01", "needs_correction"),
            owed("cases", "2025-26-Q3", "2026-01-01", "cancelled"),
            owed("cases", "2025-26-Q4", "2026-04-01", "not_required"),
            closed(owed("cases", "2025-26-Q2", "2025-10-01", "overdue")),
            closed(owed("trees", "2025-26", "2025-10-01", "overdue")),
        ];
        the_only_one(&all, wanted, "2026-11-26".parse().unwrap())
            .map(|one| format!("{} {}", one.return_id, one.period))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_not_said_is_what_is_open_and_not_handed_over() {
        let of = |return_id: &str, period: Option<&str>| Wanted {
            return_id: Some(return_id.to_owned()),
            period: period.map(str::to_owned),
            organisation: None,
        };
        assert_eq!(chosen(&of("cases", None)).unwrap(), "cases 2026-27-Q2");
        let again = chosen(&of("cases", Some("2026-27-Q1")));
        assert_eq!(again.unwrap(), "cases 2026-27-Q1", "where it is said");
        assert!(chosen(&of("roads", None)).unwrap_err().contains("nothing"));
        assert_eq!(
            chosen(&of("trees", None)).unwrap(),
            "trees 2025-26",
            "which has closed"
        );
        let several = chosen(&Wanted::default()).unwrap_err();
        assert!(
            several.contains("visits 2026-27-Q2 of S12000033"),
            "{several}"
        );
        for not in ["Q3", "Q1", "2025-26"] {
            assert!(!several.contains(not), "{several}");
        }
    }
}
