//! The matrix file, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{Action, Role};

const MATRIX: &str = include_str!("../matrix.csv");

/// How far a role reaches with an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    No,
    /// What is of the organisation that the role is held for.
    Own,
    /// The same, but for what one has sent oneself.
    Others,
    /// What is of the return that the role is held for.
    Assigned,
    /// The same, once it is submitted.
    Submitted,
    /// Everything, as counts and states without values.
    Counts,
    All,
}

impl Scope {
    fn parse(word: &str) -> Option<Scope> {
        Some(match word {
            "-" => Scope::No,
            "own" => Scope::Own,
            "others" => Scope::Others,
            "assigned" => Scope::Assigned,
            "submitted" => Scope::Submitted,
            "counts" => Scope::Counts,
            "all" => Scope::All,
            _ => return None,
        })
    }
}

/// How far a role (`None`: whoever has not signed in) reaches with an action.
pub fn scope(action: Action, role: Option<Role>) -> Scope {
    static SCOPES: LazyLock<HashMap<(Action, Option<Role>), Scope>> =
        LazyLock::new(|| cells().collect());
    // What is not in the file is not allowed; that all of it is there is tested.
    SCOPES.get(&(action, role)).copied().unwrap_or(Scope::No)
}

fn cells() -> impl Iterator<Item = ((Action, Option<Role>), Scope)> {
    let mut lines = MATRIX.lines();
    let roles: Vec<Option<Role>> = lines
        .next()
        .unwrap_or_default()
        .split(',')
        .skip(2)
        .map(Role::parse)
        .collect();
    lines
        .filter_map(|line| {
            let (name, rest) = line.split_once(',')?;
            let action = Action::ALL
                .into_iter()
                .find(|action| action.as_str() == name)?;
            Some((action, rest))
        })
        .flat_map(move |(action, rest)| {
            let scopes = rest.split(',').skip(1).filter_map(Scope::parse);
            roles
                .clone()
                .into_iter()
                .zip(scopes)
                .map(move |(role, scope)| ((action, role), scope))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that is not understood would be left out in silence, so the file is compared with what was understood.
    #[test]
    fn every_cell_of_the_file_is_understood() {
        let lines: Vec<Vec<&str>> = MATRIX
            .lines()
            .map(|line| line.split(',').collect())
            .collect();
        let mut columns = vec!["action", "what"];
        columns.extend(Role::ALL.map(Role::as_str));
        columns.push("anyone");
        assert_eq!(lines[0], columns);
        let names: Vec<&str> = lines[1..].iter().map(|line| line[0]).collect();
        assert_eq!(names, Action::ALL.map(Action::as_str));
        for line in &lines {
            assert_eq!(line.len(), columns.len(), "{line:?}");
        }
        assert_eq!(
            cells().count(),
            Action::ALL.len() * (Role::ALL.len() + 1),
            "a cell has a word that is none"
        );
    }
}
