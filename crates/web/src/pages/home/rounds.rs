//! How the returns come in that a team or the office looks after: a line for each round.

use access::{Action, Actor, Grant, Reach};
use chrono::NaiveDate;
use workflow::{Collected, RoundsAsked};

use super::asked::{Asked, Pages};
use super::owed::Turn;
use crate::problem::Problem;
use crate::{Site, words};

/// Rounds on one page: each stands for as many organisations as answer.
const PAGE: u32 = 20;
pub(super) struct Rounds {
    pub(super) rows: Vec<Row>,
    pub(super) pages: Pages,
}

pub(super) struct Row {
    pub(super) title: String,
    pub(super) period: String,
    pub(super) is_cancelled: bool,
    pub(super) link: String,
    pub(super) due: String,
    pub(super) n_owed: usize,
    pub(super) n_to_come: usize,
    pub(super) n_overdue: usize,
    pub(super) n_came_back: usize,
    pub(super) n_waiting: usize,
    pub(super) n_done: usize,
    /// The form to fill in; `None` where no version serves the period.
    pub(super) template: Option<String>,
    /// The page of its figures, for whoever may have them.
    pub(super) figures: Option<String>,
    pub(super) datasets: Vec<Dataset>,
}

/// The figures of one table.
pub(super) struct Dataset {
    pub(super) title: String,
    pub(super) link: String,
}

pub(super) async fn of(
    site: &Site,
    actor: &Actor,
    asked: &Asked,
    today: NaiveDate,
) -> Result<Option<Rounds>, Problem> {
    let returns = match looks_after(actor, &asked.return_id) {
        LooksAfter::None => return Ok(None),
        LooksAfter::Every => None,
        LooksAfter::These(returns) => Some(returns),
    };
    let rounds = RoundsAsked {
        returns,
        opened_by: today,
        n_before: u32::try_from(asked.page_idx())
            .unwrap_or(u32::MAX)
            .saturating_mul(PAGE),
        n_most: PAGE,
    };
    let (collected, n_all) = workflow::collected(site.db()?, actor, &rounds, today).await?;
    let rows: Vec<Row> = collected
        .iter()
        .map(|round| row(site, actor, round))
        .collect();
    let pages = asked.pages(rows.len(), n_all, PAGE as usize);
    Ok(Some(Rounds { rows, pages }))
}

/// Whose rounds an actor sees of all organisations.
enum LooksAfter {
    None,
    Every,
    These(Vec<String>),
}

/// Of the return that is asked for, where one is.
fn looks_after(actor: &Actor, only: &str) -> LooksAfter {
    let has_all = |grant: &Grant| grant.reach == Reach::Everything;
    if actor.grants.iter().any(has_all) {
        return match only {
            "" => LooksAfter::Every,
            only => LooksAfter::These(vec![only.to_owned()]),
        };
    }
    let mut returns: Vec<String> = actor
        .grants
        .iter()
        .filter_map(|grant| match &grant.reach {
            Reach::Return(id) => Some(id.clone()),
            _ => None,
        })
        .collect();
    if returns.is_empty() {
        return LooksAfter::None;
    }
    returns.retain(|id| only.is_empty() || only == id);
    LooksAfter::These(returns)
}

fn row(site: &Site, actor: &Actor, collected: &Collected) -> Row {
    let n_of = |turn: Turn| {
        let in_turn = |state: &&(_, bool)| Turn::of(state.0) == turn;
        collected.states.iter().filter(in_turn).count()
    };
    let round = &collected.round;
    let (return_id, period) = (&round.return_id, &round.period.label);
    let api = format!("/api/returns/{return_id}/periods/{period}");
    let spec = site.spec_of(round);
    let may_have_figures = workflow::may_with(actor, Action::DownloadDataset, return_id);
    let datasets = spec.filter(|_| may_have_figures).map(|spec| {
        let link = |table: &str| format!("{api}/dataset.csv?table={table}");
        spec.tables
            .iter()
            .map(|table| Dataset {
                title: table.title.clone(),
                link: link(&table.name),
            })
            .collect()
    });
    Row {
        link: format!("/returns/{return_id}/{period}"),
        due: words::day(round.due_on),
        n_owed: collected.states.len(),
        n_to_come: n_of(Turn::ToSend) + n_of(Turn::ToSubmit),
        n_overdue: collected
            .states
            .iter()
            .filter(|(_, overdue)| *overdue)
            .count(),
        n_came_back: n_of(Turn::CameBack),
        n_waiting: n_of(Turn::Waiting),
        n_done: n_of(Turn::Done),
        template: spec.map(|_| format!("{api}/template.xlsx")),
        figures: may_have_figures.then(|| format!("/returns/{return_id}/{period}/datasets")),
        datasets: datasets.unwrap_or_default(),
        title: round.return_title.clone(),
        period: round.period.in_words(),
        is_cancelled: round.is_cancelled,
    }
}
