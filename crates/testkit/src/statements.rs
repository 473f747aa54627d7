//! What a server executed, by its own log.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use crate::database::{TestDb, folder, on_a_thread, postgres};

impl TestDb {
    /// From now on each new connection to this database has the server log what it executes.
    /// One test of a process only: the log does not say of which database a line is.
    pub fn log_statements(&self) {
        let url = self.url();
        let name = self.name();
        let settings = format!(
            "ALTER DATABASE {name} SET log_statement = 'all';
             ALTER DATABASE {name} SET log_parameter_max_length = 0"
        );
        on_a_thread(move || async move {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
                .await
                .expect("connects");
            tokio::spawn(connection);
            client.batch_execute(&settings).await.expect("alters");
        });
    }
}

/// A place in the server's log.
#[derive(Debug, Clone, Copy)]
pub struct Place(u64);

impl Place {
    /// Its end as it is now.
    pub fn now() -> Self {
        let mut log = log();
        Self(log.seek(SeekFrom::End(0)).expect("the log has an end"))
    }

    /// What was executed since, in its order and without the values.
    pub fn statements_since(self) -> Vec<String> {
        let mut log = log();
        log.seek(SeekFrom::Start(self.0)).expect("the log is there");
        let mut text = String::new();
        log.read_to_string(&mut text).expect("the log is text");
        statements(&text)
    }
}

fn log() -> File {
    let version = postgres().version().to_string();
    let path = folder(std::process::id())
        .join(version)
        .join("postgres.log");
    File::open(path).expect("the server has a log")
}

/// `2026-11-26 11:00:00.000 UTC [12] LOG:  execute s1: SELECT …`, with the lines that go on from it.
fn statements(log: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix('\t') {
            if let Some(last) = statements.last_mut().filter(|_| goes_on) {
                last.push(' ');
                last.push_str(rest.trim());
            }
            continue;
        }
        let said = line.split_once("LOG:  ").map_or("", |(_, said)| said);
        let statement = said.strip_prefix("statement: ").or_else(|| {
            let named = said.strip_prefix("execute ")?;
            Some(named.split_once(": ")?.1)
        });
        goes_on = statement.is_some();
        statements.extend(statement.map(str::to_owned));
    }
    statements
}

#[test]
fn statements_are_read_from_a_log() {
    let log = "2026-11-26 11:00:00.000 UTC [12] LOG:  statement: BEGIN\n\
        2026-11-26 11:00:00.001 UTC [12] LOG:  execute s3: SELECT 1\n\t   FROM a\n\
        2026-11-26 11:00:00.002 UTC [12] ERROR:  no\n\tat all\n";
    assert_eq!(statements(log), ["BEGIN", "SELECT 1 FROM a"]);
}
