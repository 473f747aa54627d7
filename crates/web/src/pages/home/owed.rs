//! What the visitor's organisations owe, by the day it is due.

use access::{Action, Actor};
use chrono::NaiveDate;
use cycle::clock::moment_in_words;
use cycle::{ObligationState, SubmissionState};
use workflow::{Obligation, OwedBy};

use super::asked::{Asked, PAGE, Pages};
use crate::problem::Problem;
use crate::{Site, words};

/// Of what is owed: all of one organisation's, or of a few.
pub(super) struct Owed {
    /// "2 are overdue, 1 came back."
    pub(super) sentence: String,
    pub(super) rows: Vec<Row>,
    /// Whether each row has to say whose it is.
    pub(super) names_organisations: bool,
    pub(super) pages: Pages,
}

pub(super) struct Row {
    pub(super) organisation: String,
    pub(super) title: String,
    pub(super) period: String,
    /// Its own page.
    pub(super) link: String,
    pub(super) due: String,
    pub(super) is_overdue: bool,
    pub(super) state: &'static str,
    pub(super) tag: &'static str,
    /// Who has it in hand.
    pub(super) hands: String,
    pub(super) next: &'static str,
    pub(super) next_link: String,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    ToSend,
    CameBack,
    ToSubmit,
    Waiting,
    Done,
    Later,
    NotAsked,
}

impl Turn {
    pub(super) const ALL: [Turn; 7] = [
        Turn::ToSend,
        Turn::CameBack,
        Turn::ToSubmit,
        Turn::Waiting,
        Turn::Done,
        Turn::Later,
        Turn::NotAsked,
    ];

    pub(super) fn of(state: ObligationState) -> Turn {
        match state {
            ObligationState::NotOpen => Turn::Later,
            ObligationState::NotStarted | ObligationState::Overdue => Turn::ToSend,
            ObligationState::NeedsCorrection
            | ObligationState::NeedsExplanation
            | ObligationState::Refused
            | ObligationState::SentBack => Turn::CameBack,
            ObligationState::Ready => Turn::ToSubmit,
            ObligationState::Checking | ObligationState::Submitted | ObligationState::SignedOff => {
                Turn::Waiting
            }
            ObligationState::Accepted | ObligationState::Nil => Turn::Done,
            ObligationState::NotRequired | ObligationState::Cancelled => Turn::NotAsked,
        }
    }

    /// The word in addresses.
    pub(super) fn word(self) -> &'static str {
        match self {
            Turn::ToSend => "to-send",
            Turn::CameBack => "came-back",
            Turn::ToSubmit => "to-submit",
            Turn::Waiting => "waiting",
            Turn::Done => "done",
            Turn::Later => "later",
            Turn::NotAsked => "not-asked",
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Turn::ToSend => "to send",
            Turn::CameBack => "came back to be mended or explained",
            Turn::ToSubmit => "ready to submit",
            Turn::Waiting => "being checked, signed off or accepted",
            Turn::Done => "accepted",
            Turn::Later => "not open yet",
            Turn::NotAsked => "not asked for, or cancelled",
        }
    }

    fn next(self) -> &'static str {
        match self {
            Turn::ToSend => "Send it",
            Turn::CameBack => "See what is asked",
            Turn::ToSubmit => "Submit it",
            Turn::Waiting | Turn::Done => "See what was sent",
            Turn::NotAsked => "See why",
            Turn::Later => "See what it asks for",
        }
    }
}

/// What is settled once its day is past is history.
fn is_past(obligation: &Obligation, today: NaiveDate) -> bool {
    Turn::of(obligation.state) == Turn::Done && obligation.due_on < today
}

pub(super) async fn of(
    site: &Site,
    actor: &Actor,
    asked: &Asked,
    today: NaiveDate,
) -> Result<Option<Owed>, Problem> {
    let organisations: Vec<String> = actor
        .organisations()
        .into_iter()
        .map(str::to_owned)
        .collect();
    if organisations.is_empty() {
        return Ok(None);
    }
    let which = OwedBy {
        organisations,
        return_id: Some(asked.return_id.clone()).filter(|id| !id.is_empty()),
    };
    let all = workflow::owed(site.db()?, actor, &which, today).await?;
    let sentence = sentence(&all, asked.past, today);
    let mut wanted: Vec<Obligation> = all
        .into_iter()
        .filter(|owed| is_past(owed, today) == asked.past)
        .filter(|owed| asked.wants(Turn::of(owed.state), owed.is_overdue))
        .collect();
    wanted.sort_by(|a, b| {
        let by_day = a.due_on.cmp(&b.due_on);
        let by_day = if asked.past { by_day.reverse() } else { by_day };
        by_day.then_with(|| a.round.return_title.cmp(&b.round.return_title))
    });
    let n_all = wanted.len();
    let names_organisations = which.organisations.len() > 1;
    let rows: Vec<Row> = wanted
        .into_iter()
        .skip(asked.page_idx() * PAGE)
        .take(PAGE)
        .map(|owed| row(actor, owed))
        .collect();
    Ok(Some(Owed {
        sentence,
        names_organisations,
        pages: asked.pages(rows.len(), n_all, PAGE),
        rows,
    }))
}

fn row(actor: &Actor, obligation: Obligation) -> Row {
    let round = &obligation.round;
    let turn = match Turn::of(obligation.state) {
        // It is somebody else's to send, or nothing is taken any more.
        Turn::ToSend
            if obligation.closed_on.is_some()
                || !workflow::may_for(actor, Action::Send, &obligation.organisation) =>
        {
            Turn::Later
        }
        turn => turn,
    };
    let link = format!(
        "/returns/{}/{}/{}",
        round.return_id, round.period.label, obligation.organisation
    );
    let next_link = match (obligation.latest, turn) {
        (_, Turn::ToSend) => format!(
            "/upload?organisation={}&round={}/{}",
            obligation.organisation, round.return_id, round.period.label
        ),
        (Some((id, _)), _) => format!("/submissions/{id}"),
        (None, _) => link.clone(),
    };
    Row {
        hands: hands(&obligation),
        next: turn.next(),
        next_link,
        link,
        due: words::day(obligation.due_on),
        is_overdue: obligation.is_overdue,
        state: obligation.state.in_words(),
        tag: words::tag_of_obligation(obligation.state),
        title: obligation.round.return_title,
        period: obligation.round.period.in_words(),
        organisation: obligation.organisation_name,
    }
}

/// Who has to do the next thing.
fn hands(obligation: &Obligation) -> String {
    let sender = || match &obligation.latest_from {
        Some(from) => format!("{}, who sent it on {}", from.name, moment_in_words(from.at)),
        None => "nobody yet".to_owned(),
    };
    match obligation.state {
        ObligationState::Checking => match obligation.latest {
            Some((_, SubmissionState::NeedsAttention)) => "us: it could not be checked yet",
            _ => "us: it is being checked",
        }
        .to_owned(),
        ObligationState::Submitted => "whoever signs it off".to_owned(),
        ObligationState::SignedOff => "the return's team".to_owned(),
        ObligationState::Accepted | ObligationState::Nil => "nobody: it is done".to_owned(),
        ObligationState::NotRequired | ObligationState::Cancelled => {
            "nobody: nothing is owed".to_owned()
        }
        _ => sender(),
    }
}

/// What is to be done, in one sentence.
fn sentence(all: &[Obligation], past: bool, today: NaiveDate) -> String {
    if past {
        let n = all.iter().filter(|owed| is_past(owed, today)).count();
        return format!("{n} that were accepted and whose day is past.");
    }
    let n_of = |wanted: Turn| {
        all.iter()
            .filter(|owed| Turn::of(owed.state) == wanted)
            .count()
    };
    let n_overdue = all.iter().filter(|owed| owed.is_overdue).count();
    let counts = [
        (n_overdue, "overdue"),
        (n_of(Turn::CameBack), "came back"),
        (n_of(Turn::ToSubmit), "ready to submit"),
        (n_of(Turn::Waiting), "with somebody else"),
    ];
    let told: Vec<String> = counts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    if told.is_empty() {
        return "Nothing is overdue, and nothing came back.".to_owned();
    }
    format!("{}.", told.join(", "))
}
