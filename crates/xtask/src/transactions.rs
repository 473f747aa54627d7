//! Every write goes through `workflow`, on behalf of somebody: no handler or job opens a transaction, and each verb takes the `Actor`.

use crate::rust_text::{code_only, crate_of, line_of, shipped};
use crate::tree::{self, TextFile};

/// Those who call verbs and read, and never write by themselves.
const CALLERS: [&str; 3] = ["web", "worker", "lgdp"];

/// How one is opened.
const OPENINGS: [&str; 4] = [
    ".transaction(",
    ".begin(",
    ".begin_snapshot(",
    ".begin_long_snapshot(",
];

fn transactions(file: &TextFile) -> Vec<String> {
    if !crate_of(&file.path).is_some_and(|owner| CALLERS.contains(&owner)) {
        return Vec::new();
    }
    let code = code_only(&file.text);
    OPENINGS
        .iter()
        .flat_map(|opening| code.match_indices(opening))
        .map(|(at, _)| format!("{}:{}: opens a transaction", file.path, line_of(&code, at)))
        .collect()
}

/// Where it is found out who acts.
const SIGNING_IN: &str = "crates/workflow/src/people/sign_in";

/// Who acts, or what only a decision about them gives.
const ON_BEHALF: [&str; 2] = ["Actor", "Figures"];

/// Public functions that reach the database and name nobody who acts.
fn anonymous_verbs(file: &TextFile) -> Vec<String> {
    if crate_of(&file.path) != Some("workflow") || file.path.starts_with(SIGNING_IN) {
        return Vec::new();
    }
    let code = code_only(&file.text);
    code.match_indices("pub async fn ")
        .filter_map(|(at, found)| {
            let rest = &code[at + found.len()..];
            let name = rest.split(['(', '<']).next()?;
            // To the body or the semicolon: a parameter's own brackets lie before either.
            let signature = &rest[..rest.find(['{', ';'])?];
            (!ON_BEHALF.iter().any(|who| signature.contains(who))).then(|| {
                format!(
                    "{}:{}: {name} takes no Actor",
                    file.path,
                    line_of(&code, at)
                )
            })
        })
        .collect()
}

#[test]
fn a_transaction_in_a_handler_is_refused() {
    let file = TextFile {
        path: "crates/web/src/upload.rs".to_owned(),
        text: "fn f() {\n    db.transaction(|tx| g(tx))\n}".to_owned(),
    };
    assert_eq!(
        transactions(&file),
        ["crates/web/src/upload.rs:2: opens a transaction"]
    );
}

#[test]
fn a_verb_without_an_actor_is_refused() {
    let file = TextFile {
        path: "crates/workflow/src/lib.rs".to_owned(),
        text: "pub async fn receive(db: &Db, actor: &Actor) {}\npub async fn load(db: &Db) {}"
            .to_owned(),
    };
    assert_eq!(
        anonymous_verbs(&file),
        ["crates/workflow/src/lib.rs:2: load takes no Actor"]
    );
}

#[test]
fn only_verbs_write_and_each_has_an_actor() {
    let files = shipped();
    let found = files
        .iter()
        .flat_map(|file| [transactions(file), anonymous_verbs(file)].concat());
    tree::no_complaints(&found.collect::<Vec<_>>());
}
