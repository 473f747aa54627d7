//! What of the list is asked for: the part of the address after the question mark.

use serde::Deserialize;

use super::owed::Turn;
use crate::Site;

/// Rows on one page of a list.
pub(super) const PAGE: usize = 50;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Asked {
    /// One of [`Turn`], or `overdue`.
    #[serde(default)]
    state: String,
    #[serde(default, rename = "return")]
    pub(super) return_id: String,
    #[serde(default)]
    pub(super) past: bool,
    page: Option<usize>,
}

/// An option of a field.
pub(in crate::pages) struct Choice {
    pub(in crate::pages) value: String,
    pub(in crate::pages) label: String,
    pub(in crate::pages) is_chosen: bool,
}

/// What is shown of a list, and where the rest is.
pub(in crate::pages) struct Pages {
    /// "1 to 50 of 120"; `None` where all are shown.
    pub(in crate::pages) range: Option<String>,
    pub(in crate::pages) before: Option<String>,
    pub(in crate::pages) after: Option<String>,
}

const OVERDUE: &str = "overdue";

impl Asked {
    /// Without what there is not, so that it can stand in links.
    pub(super) fn known(mut self, site: &Site) -> Self {
        if !site.specs.iter().any(|spec| spec.id == self.return_id) {
            self.return_id.clear();
        }
        if self.state != OVERDUE && self.turn().is_none() {
            self.state.clear();
        }
        self
    }

    fn turn(&self) -> Option<Turn> {
        Turn::ALL.into_iter().find(|turn| turn.word() == self.state)
    }

    pub(super) fn wants(&self, turn: Turn, is_overdue: bool) -> bool {
        match self.turn() {
            Some(wanted) => wanted == turn,
            None if self.state == OVERDUE => is_overdue,
            None => true,
        }
    }

    /// The first page is 0.
    pub(super) fn page_idx(&self) -> usize {
        self.page.unwrap_or(1).max(1) - 1
    }

    pub(super) fn returns(&self, site: &Site) -> Vec<Choice> {
        site.returns_by_title()
            .into_iter()
            .map(|(title, id)| Choice {
                value: id.to_owned(),
                label: title.to_owned(),
                is_chosen: id == self.return_id,
            })
            .collect()
    }

    pub(super) fn states(&self) -> Vec<Choice> {
        let overdue = (OVERDUE, "overdue");
        let turns = Turn::ALL.map(|turn| (turn.word(), turn.in_words()));
        [overdue]
            .into_iter()
            .chain(turns)
            .map(|(word, label)| Choice {
                value: word.to_owned(),
                label: label.to_owned(),
                is_chosen: word == self.state,
            })
            .collect()
    }

    /// The list of what is settled, or of what is not.
    pub(super) fn other(&self) -> String {
        Asked {
            past: !self.past,
            return_id: self.return_id.clone(),
            ..Asked::default()
        }
        .address(0)
    }

    fn address(&self, page_idx: usize) -> String {
        let page = (page_idx + 1).to_string();
        let parts = [
            ("state", self.state.as_str()),
            ("return", self.return_id.as_str()),
            ("past", if self.past { "true" } else { "" }),
            ("page", if page_idx == 0 { "" } else { &page }),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if parts.is_empty() {
            return "/".to_owned();
        }
        format!("/?{}", parts.join("&"))
    }

    /// Of a list of `n_all`, of which this page shows `n_shown`, `per_page` at most.
    pub(super) fn pages(&self, n_shown: usize, n_all: usize, per_page: usize) -> Pages {
        let n_before = self.page_idx() * per_page;
        Pages {
            range: (n_shown > 0 && n_shown < n_all)
                .then(|| format!("{} to {} of {n_all}", n_before + 1, n_before + n_shown)),
            before: (self.page_idx() > 0).then(|| self.address(self.page_idx() - 1)),
            after: (n_before + n_shown < n_all).then(|| self.address(self.page_idx() + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_what_is_asked_for() {
        let asked = Asked {
            state: "overdue".to_owned(),
            return_id: "cases".to_owned(),
            past: false,
            page: Some(2),
        };
        assert_eq!(asked.other(), "/?return=cases&past=true");
        let pages = asked.pages(50, 120, 50);
        assert_eq!(pages.range.as_deref(), Some("51 to 100 of 120"));
        assert_eq!(
            pages.before.as_deref(),
            Some("/?state=overdue&return=cases")
        );
        assert_eq!(
            pages.after.as_deref(),
            Some("/?state=overdue&return=cases&page=3")
        );
        let all = Asked::default().pages(3, 3, 50);
        assert!(all.range.is_none() && all.before.is_none() && all.after.is_none());
    }
}
