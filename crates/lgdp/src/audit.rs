//! `lgdp audit`: whether the audit trail is as it was written.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::str::FromStr;

use db::audit::Head;
use db::{Access, Db};
use workflow::Actor;

use crate::cli::AuditCommand;
use crate::parts::Database;
use crate::roles::runtime;
use crate::settings::Settings;

/// A head of the chain as it is printed: `position:hash`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PrintedHead(Head);

impl FromStr for PrintedHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "a head as this command prints it, position:hash";
        let (position, hash) = text.split_once(':').ok_or(EXPECTED)?;
        let mut sha256 = [0; 32];
        hex::decode_to_slice(hash, &mut sha256).map_err(|_| EXPECTED)?;
        match position.parse() {
            Ok(position) if position >= 0 => Ok(Self(Head { position, sha256 })),
            _ => Err(EXPECTED),
        }
    }
}

pub(crate) fn run(command: &AuditCommand, settings: &Settings) -> anyhow::Result<ExitCode> {
    let AuditCommand::Verify { since } = command;
    let mut database = Database::find(settings)?;
    // Whoever verifies writes nothing.
    database.config.access = Access::ReadOnly;
    let verified = runtime()?.block_on(async {
        let db = Db::connect(&database.config).await?;
        let actor = Actor::system("command line");
        let before = since.map(|PrintedHead(head)| head);
        anyhow::Ok(workflow::verify_audit(&db, &actor, before).await?)
    })?;
    match verified {
        Ok(head) => {
            let hash = hex::encode(head.sha256);
            writeln!(io::stdout(), "{}:{hash}", head.position)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            writeln!(
                io::stderr(),
                "The audit trail is not as it was written: {broken}."
            )?;
            Ok(ExitCode::from(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_printed() {
        let hash = "ab".repeat(32);
        let head = Head {
            position: 12,
            sha256: [0xab; 32],
        };
        assert_eq!(format!("12:{hash}").parse(), Ok(PrintedHead(head)));
        for wrong in [
            "12",
            "12:",
            "12:abc",
            ":abab",
            &format!("-1:{hash}"),
            &format!("x:{hash}"),
        ] {
            assert!(wrong.parse::<PrintedHead>().is_err(), "{wrong}");
        }
    }
}
