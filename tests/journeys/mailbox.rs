//! A real SMTP server that puts every message into a folder.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::lgdp::free_address;
use crate::wait::until;

pub(crate) struct Mailbox {
    folder: PathBuf,
    url: String,
    process: Child,
}

/// A message as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) message_id: String,
    /// Without the line breaks that mail puts in.
    pub(crate) text: String,
    /// All of it.
    pub(crate) raw: String,
}

impl Mailbox {
    pub(crate) async fn start(folder: &Path) -> Mailbox {
        let address = free_address();
        let process = Command::new(testkit::python())
            .args([
                "-m",
                "aiosmtpd",
                "-n",
                "-l",
                &address,
                "-c",
                "aiosmtpd.handlers.Mailbox",
            ])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("aiosmtpd starts");
        until(
            "the mail server answers",
            Duration::from_secs(20),
            || async { TcpStream::connect(&address).ok() },
        )
        .await;
        Mailbox {
            folder: folder.to_owned(),
            url: format!("smtp://{address}"),
            process,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn url_str(&self) -> &str {
        &self.url
    }

    /// All messages, by recipient and subject.
    pub(crate) fn received(&self) -> Vec<Received> {
        let mut received: Vec<Received> = fs::read_dir(self.folder.join("new"))
            .into_iter()
            .flatten()
            .map(|entry| read(&fs::read_to_string(entry.unwrap().path()).unwrap()))
            .collect();
        received.sort_by(|a, b| (&a.to, &a.subject).cmp(&(&b.to, &b.subject)));
        received
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(message: &str) -> Received {
    let message = message.replace("\r\n", "\n");
    let (head, body) = message.split_once("\n\n").expect("a head and a body");
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .unwrap_or_default()
            .to_owned()
    };
    Received {
        to: header("To"),
        subject: header("Subject"),
        message_id: header("Message-ID"),
        text: body.replace("=\n", ""),
        raw: message,
    }
}
