//! What `deploy/` says is true: every setting it gives is one that `deploy/settings.md` lists, every subcommand it runs exists, and the workspace's profile and paths are named as they are.

use std::collections::BTreeSet;

use crate::rust_text::words;
use crate::tree::{self, TextFile};

/// Variables of the other programs in the compose file: Postgres and the mail catcher.
const OF_OTHERS: [&str; 2] = ["POSTGRES_", "MP_"];

fn is_setting(name: &str) -> bool {
    name.len() > 3
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Settings that a deployment file gives a value: `NAME: …`, `NAME=…`, `Environment=NAME=…`, `ENV NAME=…`.
fn given(file: &TextFile) -> BTreeSet<String> {
    let lines = file.text.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with("# "))
        .filter_map(|line| {
            let line = line.trim_start_matches('#');
            let line = line.strip_prefix("Environment=").unwrap_or(line);
            let line = line.strip_prefix("ENV ").unwrap_or(line);
            let line = line.strip_prefix("- ").unwrap_or(line);
            let name = line.split([':', '=']).next()?.trim_matches('"');
            (name.len() < line.len() && is_setting(name)).then(|| name.to_owned())
        })
        .filter(|name| !OF_OTHERS.iter().any(|other| name.starts_with(other)))
        .collect()
}

/// Settings of the table: the first cell of each row, between backticks. A secret has a second one, for its file.
fn listed(settings: &str) -> BTreeSet<String> {
    let rows = settings.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| {
        let name = row.split('`').next().unwrap_or_default();
        let file = format!("{name}_FILE");
        let own = row.contains(&format!("`{file}`")).then_some(file);
        [Some(name.to_owned()), own]
    })
    .flatten()
    .collect()
}

/// Subcommands that a deployment file runs: `ExecStart=/usr/bin/lgdp work`, `command: [admin, migrate]`.
fn run(file: &TextFile) -> BTreeSet<String> {
    let lines = file
        .text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    let commands = lines.filter_map(|line| {
        let exec = line
            .strip_prefix("Exec")
            .and_then(|rest| rest.split_once("/lgdp "));
        let list = line
            .strip_prefix("command: [")
            .or_else(|| line.strip_prefix("CMD ["))
            .and_then(|rest| rest.split(']').next());
        exec.map(|(_, arguments)| arguments).or(list)
    });
    commands
        .flat_map(|command| command.split([',', ' ']))
        .map(|word| word.trim_matches(['"', '\'']))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// Whether the command line has a subcommand of that name: a variant of one of its enums.
fn is_subcommand(name: &str, sources: &str) -> bool {
    let variant: String = name
        .split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    words(sources, &variant).into_iter().any(|at| {
        let after = sources[at + variant.len()..].chars().next();
        matches!(after, Some('(' | ',' | ' ' | '{' | '\n'))
    })
}

fn deployment_files() -> Vec<TextFile> {
    let files = tree::files(&[".yaml", ".service", "Containerfile", ".env"]);
    files
        .into_iter()
        .filter(|file| file.path.starts_with("deploy/"))
        .collect()
}

#[test]
fn settings_are_found_in_each_kind_of_file() {
    let file = TextFile {
        path: "deploy/x".to_owned(),
        text: "Environment=A_ONE=1\n#B_TWO=2\n  C_THREE: 3\nENV D_FOUR=4\nPOSTGRES_DB: x\n# NOTE: prose\nType=exec\n".to_owned(),
    };
    assert_eq!(
        given(&file).into_iter().collect::<Vec<_>>(),
        ["A_ONE", "B_TWO", "C_THREE", "D_FOUR"]
    );
    assert_eq!(
        listed("| Name | Purpose |\n|---|---|\n| `A_ONE` | `x` |\n")
            .into_iter()
            .collect::<Vec<_>>(),
        ["A_ONE"]
    );
}

#[test]
fn subcommands_are_found_and_looked_up() {
    let file = TextFile {
        path: "deploy/x".to_owned(),
        text: "ExecStart=/usr/bin/lgdp work\ncommand: [\"admin\", \"migrate\"]\n#command: [gone]"
            .to_owned(),
    };
    let found: Vec<String> = run(&file).into_iter().collect();
    assert_eq!(found, ["admin", "migrate", "work"]);
    let sources = "enum Command {\n    Work,\n    AssessChild(Args),\n}";
    assert!(is_subcommand("work", sources));
    assert!(is_subcommand("assess-child", sources));
    assert!(!is_subcommand("migrate", sources));
}

#[test]
fn every_setting_given_is_listed() {
    let listed = listed(&tree::read("deploy/settings.md"));
    assert!(!listed.is_empty(), "deploy/settings.md lists nothing");
    let files = deployment_files();
    assert!(files.len() >= 4, "deploy/ has lost files");
    let found = files.iter().flat_map(|file| {
        let unknown: Vec<String> = given(file).difference(&listed).cloned().collect();
        unknown
            .into_iter()
            .map(|name| format!("{}: {name} is no setting", file.path))
    });
    tree::no_complaints(&found.collect::<Vec<_>>());
}

#[test]
fn the_readmes_settings_are_listed() {
    let listed = listed(&tree::read("deploy/settings.md"));
    let readme = tree::read("README.md");
    let names = readme.split('`').skip(1).step_by(2);
    let names = names.map(|name| name.split('=').next().unwrap_or(name));
    let unknown =
        names.filter(|name| is_setting(name) && name.contains('_') && !listed.contains(*name));
    let found = unknown.map(|name| format!("README.md: {name} is no setting"));
    tree::no_complaints(&found.collect::<Vec<_>>());
}

#[test]
fn every_subcommand_run_exists() {
    let sources = tree::files(&[".rs"]);
    let sources = sources
        .iter()
        .filter(|file| file.path.starts_with("crates/lgdp/src/"));
    let sources: String = sources.map(|file| file.text.as_str()).collect();
    let files = deployment_files();
    let found = files.iter().flat_map(|file| {
        let unknown = run(file)
            .into_iter()
            .filter(|name| !is_subcommand(name, &sources));
        unknown
            .map(|name| format!("{}: lgdp has no {name}", file.path))
            .collect::<Vec<_>>()
    });
    tree::no_complaints(&found.collect::<Vec<_>>());
}

#[test]
fn the_container_file_builds_what_the_workspace_has() {
    let file = tree::read("deploy/Containerfile");
    let manifest = tree::read("Cargo.toml");
    assert!(file.contains("--profile dist") && manifest.contains("[profile.dist]"));
    assert!(file.contains("USER "), "it runs as an ordinary user");
    let copied = file.lines().filter_map(|line| line.strip_prefix("COPY "));
    for source in copied.filter(|line| !line.starts_with("--from")) {
        let source = source.split_whitespace().next().unwrap();
        assert!(
            tree::root().join(source).exists(),
            "{source} is not there to copy"
        );
    }
}

/// The services of the compose file: each name with its lines.
fn services(compose: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let after = compose.split_once("\nservices:\n").unwrap().1;
    for line in after
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '))
    {
        match line
            .strip_prefix("  ")
            .filter(|line| !line.starts_with([' ', '#']))
        {
            Some(name) => found.push((name.trim_end_matches(':').to_owned(), String::new())),
            None => {
                if let Some((_, lines)) = found.last_mut() {
                    *lines += line;
                    lines.push('\n');
                }
            }
        }
    }
    found
}

#[test]
fn what_is_served_and_worked_on_was_published_before() {
    let services = services(&tree::read("deploy/compose.yaml"));
    let of = |name: &str| {
        let found = services.iter().find(|(own, _)| own == name);
        found.unwrap().1.as_str()
    };
    assert!(of("publish").contains("command: [admin, publish]\n"));
    for role in ["serve", "work"] {
        assert!(of(role).contains(&format!("command: [{role}]\n")));
        let waits = "      publish:\n        condition: service_completed_successfully\n";
        assert!(of(role).contains(waits), "{role}: {}", of(role));
        let unit = tree::read(&format!("deploy/lgdp-{role}.service"));
        for key in ["After=", "Wants="] {
            let mut lines = unit.lines().filter(|line| line.starts_with(key));
            assert!(
                lines.any(|line| line.ends_with(" lgdp-publish.service")),
                "{role}: {key}"
            );
        }
    }
    let unit = tree::read("deploy/lgdp-publish.service");
    assert!(unit.contains("\nExecStart=/usr/bin/lgdp admin publish\n"));
}

#[test]
fn the_owner_s_login_is_for_publishing_alone() {
    for file in deployment_files() {
        let has_it = file
            .text
            .lines()
            .any(|line| line.starts_with("EnvironmentFile=") && line.contains("owner.env"));
        assert_eq!(
            has_it,
            file.path.ends_with("lgdp-publish.service"),
            "{}",
            file.path
        );
        assert!(
            !given(&file).contains("LGDP_OWNER_DATABASE_URL"),
            "{}",
            file.path
        );
    }
}
