//! How messages leave: by SMTP, into a folder, or into memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::Email;

/// From whom, and how.
#[derive(Clone)]
pub struct Config {
    /// `Returns <returns@example.gov.scot>`.
    pub from: String,
    pub transport: Transport,
}

#[derive(Clone)]
pub enum Transport {
    Smtp(Smtp),
    /// Each message as `<message-id>.eml`; the folder is made if it is not there.
    Folder(PathBuf),
    /// For tests: see [`Mailer::sent`].
    Memory,
}

#[derive(Clone)]
pub struct Smtp {
    pub host: String,
    /// `None`: the usual one of the encryption.
    pub port: Option<u16>,
    pub encryption: Encryption,
    /// User and password.
    pub credentials: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Begins in the clear and must go on encrypted (587).
    StartTls,
    /// Encrypted from the first byte (465).
    Tls,
    /// For a server on this machine (25).
    None,
}

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("the mail settings can't be used: {0}")]
    Config(String),
    /// The message itself can't be sent, however often it is tried.
    #[error("the message can't be sent: {0}")]
    Message(String),
    #[error("the mail server did not take the message: {0}")]
    Transport(String),
    #[error("can't write {path}: {source}")]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Sends messages; cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
    Memory(Arc<Mutex<Vec<Email>>>),
}

impl Mailer {
    pub fn new(config: &Config) -> Result<Self, SendError> {
        let from = config
            .from
            .parse()
            .map_err(|error| SendError::Config(format!("{}: {error}", config.from)))?;
        let way = match &config.transport {
            Transport::Smtp(smtp) => Way::Smtp(smtp_transport(smtp)?),
            Transport::Folder(folder) => {
                std::fs::create_dir_all(folder).map_err(|source| SendError::Folder {
                    path: folder.clone(),
                    source,
                })?;
                Way::Folder(folder.clone())
            }
            Transport::Memory => Way::Memory(Arc::default()),
        };
        Ok(Self { from, way })
    }

    /// Sends a message as text and HTML. Repeating it sends it again, with the same Message-ID.
    pub async fn send(&self, email: &Email) -> Result<(), SendError> {
        let message = self.compose(email)?;
        match &self.way {
            Way::Smtp(transport) => {
                transport.send(message).await.map_err(|error| {
                    // Servers quote the address, which is personal data.
                    let told = with_sources(&error).replace(&email.to, "(the address)");
                    SendError::Transport(told)
                })?;
            }
            Way::Folder(folder) => {
                let path = folder.join(format!("{}.eml", file_name(&email.message_id)));
                tokio::fs::write(&path, message.formatted())
                    .await
                    .map_err(|source| SendError::Folder { path, source })?;
            }
            Way::Memory(sent) => sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(email.clone()),
        }
        Ok(())
    }

    /// What was sent into memory; nothing for the other transports.
    pub fn sent(&self) -> Vec<Email> {
        match &self.way {
            Way::Memory(sent) => sent.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Way::Smtp(_) | Way::Folder(_) => Vec::new(),
        }
    }

    fn compose(&self, email: &Email) -> Result<Message, SendError> {
        let wrong = |error: &dyn std::error::Error| SendError::Message(error.to_string());
        let to: Mailbox = email
            .to
            .parse()
            // Not the address itself, which is personal data.
            .map_err(|_| SendError::Message("the address can't be used".to_owned()))?;
        Message::builder()
            .message_id(Some(format!("<{}>", email.message_id)))
            .from(self.from.clone())
            .to(to)
            .subject(&email.subject)
            .multipart(MultiPart::alternative_plain_html(
                email.text.clone(),
                email.html.clone(),
            ))
            .map_err(|error| wrong(&error))
    }
}

/// Whether a message could be sent there: `someone@example.org`, without a name before it.
pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

fn smtp_transport(smtp: &Smtp) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendError> {
    type Transport = AsyncSmtpTransport<Tokio1Executor>;
    let wrong = |error: lettre::transport::smtp::Error| SendError::Config(with_sources(&error));
    let mut builder = match smtp.encryption {
        Encryption::StartTls => Transport::starttls_relay(&smtp.host).map_err(wrong)?,
        Encryption::Tls => Transport::relay(&smtp.host).map_err(wrong)?,
        Encryption::None => Transport::builder_dangerous(&smtp.host),
    }
    .timeout(Some(Duration::from_secs(30)));
    if let Some(port) = smtp.port {
        builder = builder.port(port);
    }
    if let Some((user, password)) = &smtp.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

/// A message id with nothing in it that means something in a path.
fn file_name(message_id: &str) -> String {
    message_id
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c,
            '-' | '_' | '.' | '@' => c,
            _ => '_',
        })
        .collect()
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    fn email() -> Email {
        Email {
            message_id: "01935c6e@lgdp".to_owned(),
            to: "someone@example.org".to_owned(),
            subject: "Received".to_owned(),
            text: "We have received it.".to_owned(),
            html: "<p>We have received it.</p>".to_owned(),
        }
    }

    fn mailer(transport: Transport) -> Mailer {
        Mailer::new(&Config {
            from: "Returns <returns@example.org>".to_owned(),
            transport,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_folder_gets_one_file_however_often_it_is_sent() {
        let dir = tempfile::tempdir().unwrap();
        let mailer = mailer(Transport::Folder(dir.path().join("outbox")));
        mailer.send(&email()).await.unwrap();
        mailer.send(&email()).await.unwrap();
        let written = std::fs::read_to_string(dir.path().join("outbox/01935c6e@lgdp.eml")).unwrap();
        for line in [
            "Message-ID: <01935c6e@lgdp>",
            "From: Returns <returns@example.org>",
            "To: someone@example.org",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html; charset=utf-8",
        ] {
            assert!(written.contains(line), "no {line} in\n{written}");
        }
        assert_eq!(
            std::fs::read_dir(dir.path().join("outbox"))
                .unwrap()
                .count(),
            1
        );
    }

    #[tokio::test]
    async fn memory_keeps_what_was_sent() {
        let mailer = mailer(Transport::Memory);
        mailer.send(&email()).await.unwrap();
        assert_eq!(mailer.clone().sent(), [email()]);
    }

    #[tokio::test]
    async fn what_is_no_address_is_refused_without_being_quoted() {
        let error = mailer(Transport::Memory)
            .send(&Email {
                to: "not an address".to_owned(),
                ..email()
            })
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the message can't be sent: the address can't be used"
        );
    }

    #[tokio::test]
    async fn a_server_gets_the_message() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(take_one_message(listener));
        let mailer = mailer(Transport::Smtp(Smtp {
            host: "127.0.0.1".to_owned(),
            port: Some(port),
            encryption: Encryption::None,
            credentials: None,
        }));
        mailer.send(&email()).await.unwrap();
        let heard = server.await.unwrap();
        assert!(heard.contains("RCPT TO:<someone@example.org>"), "{heard}");
        assert!(heard.contains("Message-ID: <01935c6e@lgdp>"), "{heard}");
    }

    /// Just enough SMTP for one message.
    async fn take_one_message(listener: TcpListener) -> String {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut heard = String::new();
        writer.write_all(b"220 test\r\n").await.unwrap();
        let mut in_data = false;
        while let Some(line) = lines.next_line().await.unwrap() {
            heard.push_str(&line);
            heard.push('\n');
            let answer: &[u8] = match line.as_str() {
                "." if in_data => {
                    writer.write_all(b"250 taken\r\n").await.unwrap();
                    return heard;
                }
                _ if in_data => continue,
                "DATA" => {
                    in_data = true;
                    b"354 go on\r\n"
                }
                _ => b"250 yes\r\n",
            };
            writer.write_all(answer).await.unwrap();
        }
        heard
    }
}
