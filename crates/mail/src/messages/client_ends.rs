//! A program's token ends soon: told to who made it.

use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::Notice;

/// Which token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientEnds {
    /// What its owners call the program.
    pub program: String,
    /// `a program that sends returns`.
    pub does: String,
    /// The organisation or the return that it does that for.
    pub held_for: String,
    /// `9 December 2026, 14:05`.
    pub ends: String,
}

pub(super) fn write(told: &ClientEnds, base_url: &str) -> Result<Written, askama::Error> {
    Notice {
        subject: format!("A program's token ends soon: {}", told.program),
        sentence: format!(
            "The token that you made for the program “{}” ends on {}. From then on the program is not let in. Make a new token before that, give it to the program, and end the old one.",
            told.program, told.ends
        ),
        facts: &[
            ("Program", &told.program),
            ("What it is", &told.does),
            ("For", &told.held_for),
            ("Ends", &told.ends),
        ],
        ask: "Make a new token",
        link: format!("{base_url}/programs"),
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_which_program_when_and_what_to_do() {
        let told = ClientEnds {
            program: "Housing <system>".to_owned(),
            does: "a program that sends returns".to_owned(),
            held_for: "Ardbeg & Brora".to_owned(),
            ends: "9 December 2026, 14:05".to_owned(),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "client_ends_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("client_ends_page", written.html);
    }
}
