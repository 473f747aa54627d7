//! What is shown while something takes its time: a bar on a terminal, lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Where progress is shown: standard error, so that the answer alone is on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    Terminal,
    Lines,
    Quiet,
}

impl Screen {
    /// Bars for people, lines for logs.
    pub fn find() -> Self {
        if std::io::stderr().is_terminal() {
            Screen::Terminal
        } else {
            Screen::Lines
        }
    }

    /// Bytes on their way; without a length, nobody knows how many.
    pub(crate) fn bytes(self, what: &str, length: Option<u64>) -> ProgressBar {
        let bar = match (self, length) {
            (Screen::Terminal, Some(length)) => {
                let template = "{msg} {wide_bar} {bytes}/{total_bytes}";
                ProgressBar::new(length).with_style(style(template))
            }
            (Screen::Terminal, None) => ProgressBar::no_length()
                .with_style(style("{spinner} {msg} {bytes} {bytes_per_sec}")),
            (Screen::Lines | Screen::Quiet, _) => ProgressBar::hidden(),
        };
        bar.set_message(what.to_owned());
        bar
    }

    /// Something of which only its stage is known.
    pub(crate) fn waiting(self, what: &str) -> ProgressBar {
        let bar = match self {
            Screen::Terminal => {
                let bar = ProgressBar::new_spinner().with_style(style("{spinner} {msg} {elapsed}"));
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            }
            Screen::Lines | Screen::Quiet => ProgressBar::hidden(),
        };
        bar.set_message(what.to_owned());
        bar
    }

    /// A line; nobody is there to read it where standard error is closed.
    pub fn say(self, line: &str) {
        if self != Screen::Quiet {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // Ours, and right: what is wrong with it would show as no bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
