//! For which round a file most likely is, of those that its organisation owes.

use assess::{RecognisedForm, Recognition};
use chrono::NaiveDate;
use cycle::ObligationState;
use db::cycles::owed::{self, OwedBy};
use db::cycles::{Obligation, Round};
use db::{Conn, DbError};

/// What an organisation may send today.
pub(super) async fn open_rounds(
    conn: &mut Conn,
    organisation: &str,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let which = OwedBy {
        organisations: vec![organisation.to_owned()],
        return_id: None,
    };
    let mut all = owed::of(conn, &which, today).await?;
    all.retain(|owed| {
        let nothing_is_owed = matches!(
            owed.state,
            ObligationState::NotRequired | ObligationState::Cancelled
        );
        owed.round.opens_on <= today && owed.closed_on.is_none() && !nothing_is_owed
    });
    all.sort_by_key(|owed| owed.due_on);
    Ok(all)
}

/// The round to suggest: that of the period which the file says; else the one that is due first and not settled, else
/// the newest. None where the file may be one of several returns, or says a period that is not collected.
pub(super) fn likeliest<'o>(
    recognition: &Recognition,
    by_due_day: &'o [Obligation],
) -> Option<&'o Round> {
    let Recognition::Forms { forms, .. } = recognition else {
        return None;
    };
    let fitting: Vec<&Obligation> = by_due_day
        .iter()
        .filter(|owed| forms.iter().any(|form| fits(form, &owed.round)))
        .collect();
    let first = &fitting.first()?.round.return_id;
    if fitting.iter().any(|owed| owed.round.return_id != *first) {
        return None;
    }
    let is_open = |owed: &&&Obligation| {
        !matches!(
            owed.state,
            ObligationState::Accepted | ObligationState::Nil | ObligationState::SignedOff
        )
    };
    let due_first = fitting.iter().find(is_open);
    let owed = due_first.or(fitting.last())?;
    Some(&owed.round)
}

fn fits(form: &RecognisedForm, round: &Round) -> bool {
    let same_form = (&form.return_id, &form.version) == (&round.return_id, &round.return_version);
    same_form
        && form
            .period
            .as_ref()
            .is_none_or(|said| *said == round.period.label)
}

#[cfg(test)]
mod tests {
    use assess::How;
    use spec::{Period, PeriodKind};

    use super::*;

    fn owed(return_id: &str, label: &str, state: ObligationState) -> Obligation {
        let period = Period::parse(PeriodKind::FinancialQuarter, label).unwrap();
        Obligation {
            id: 1,
            cycle_id: 1,
            organisation: "S12000001".to_owned(),
            organisation_name: "Ardbeg".to_owned(),
            due_on: period.end,
            given_until: None,
            round: Round {
                return_id: return_id.to_owned(),
                return_title: return_id.to_owned(),
                return_version: "1.0".to_owned(),
                opens_on: period.end,
                due_on: period.end,
                period,
                is_provisional: false,
                is_cancelled: false,
                closes_on: None,
            },
            is_required: true,
            state,
            is_overdue: false,
            closed_on: None,
            latest: None,
            latest_from: None,
            standing: None,
            n_versions: 0,
        }
    }

    fn form(return_id: &str, version: &str, period: Option<&str>) -> RecognisedForm {
        RecognisedForm {
            return_id: return_id.to_owned(),
            version: version.to_owned(),
            period: period.map(str::to_owned),
        }
    }

    fn suggested(forms: Vec<RecognisedForm>) -> Option<String> {
        let all = [
            owed("cases", "2025-26-Q4", ObligationState::Accepted),
            owed("cases", "2026-27-Q1", ObligationState::Overdue),
            owed("visits", "2026-27-Q1", ObligationState::NotStarted),
            owed("cases", "2026-27-Q2", ObligationState::NotStarted),
            owed("stock", "2026-27-Q1", ObligationState::Accepted),
            owed("stock", "2026-27-Q2", ObligationState::Accepted),
        ];
        let how = How::Looks;
        let round = likeliest(&Recognition::Forms { forms, how }, &all)?;
        Some(format!("{} {}", round.return_id, round.period.label))
    }

    #[test]
    fn what_is_due_first_is_suggested_unless_the_file_says_another_period() {
        let cases = |period| suggested(vec![form("cases", "1.0", period)]);
        assert_eq!(cases(None).as_deref(), Some("cases 2026-27-Q1"));
        let said = cases(Some("2026-27-Q2"));
        assert_eq!(said.as_deref(), Some("cases 2026-27-Q2"));
        let settled = cases(Some("2025-26-Q4"));
        assert_eq!(settled.as_deref(), Some("cases 2025-26-Q4"));
        assert_eq!(cases(Some("2030-31-Q1")), None);
        let stock = suggested(vec![form("stock", "1.0", None)]);
        assert_eq!(stock.as_deref(), Some("stock 2026-27-Q2"));
    }

    #[test]
    fn nothing_is_suggested_between_two_returns_and_for_what_is_not_owed() {
        let both = vec![form("cases", "1.0", None), form("visits", "1.0", None)];
        assert_eq!(suggested(both), None);
        let other_version = suggested(vec![form("cases", "2.0", None)]);
        assert_eq!(other_version, None);
        // The one of the two that is owed.
        let one = vec![form("unknown", "1.0", None), form("visits", "1.0", None)];
        assert_eq!(suggested(one).as_deref(), Some("visits 2026-27-Q1"));
        assert_eq!(likeliest(&Recognition::Unknown, &[]), None);
    }
}
