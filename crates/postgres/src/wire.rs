//! As much of Postgres's protocol as a supervisor needs: does it answer, and one statement without a result.

use std::io::{self, Read, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no connection to Postgres: {0}")]
    Io(#[from] io::Error),
    #[error("Postgres refused: {message} ({code})")]
    Refused { code: String, message: String },
}

/// Whether a server is ready for queries on the socket of this folder.
pub(crate) fn answers(socket_dir: &Path, role: &str) -> bool {
    connect(socket_dir, role, Duration::from_secs(5)).is_ok()
}

/// Executes one statement in the database `postgres`.
pub(crate) fn execute(
    socket_dir: &Path,
    role: &str,
    sql: &str,
    patience: Duration,
) -> Result<(), Error> {
    let mut stream = connect(socket_dir, role, patience)?;
    let mut body = sql.as_bytes().to_vec();
    body.push(0);
    stream.write_all(b"Q")?;
    stream.write_all(&length_of(&body))?;
    stream.write_all(&body)?;
    until_ready(&mut stream)
}

fn connect(socket_dir: &Path, role: &str, patience: Duration) -> Result<UnixStream, Error> {
    let mut stream = UnixStream::connect(socket_dir.join(".s.PGSQL.5432"))?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    body.extend(format!("user\0{role}\0database\0postgres\0\0").bytes());
    stream.write_all(&length_of(&body))?;
    stream.write_all(&body)?;
    until_ready(&mut stream)?;
    Ok(stream)
}

/// Reads messages until the server is ready for the next query; the first error among them is the result.
fn until_ready(stream: &mut impl Read) -> Result<(), Error> {
    let mut result = Ok(());
    loop {
        let mut head = [0; 5];
        if let Err(error) = stream.read_exact(&mut head) {
            // An error during the start, and the server closes: what it said is the better reason.
            return result.and(Err(error.into()));
        }
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length).saturating_sub(4);
        let mut body = Vec::new();
        stream.take(u64::from(length)).read_to_end(&mut body)?;
        match kind {
            b'Z' => return result,
            b'E' if result.is_ok() => result = Err(refusal(&body)),
            _ => {}
        }
    }
}

/// The fields of an error message: a letter and a text each.
fn refusal(body: &[u8]) -> Error {
    let field = |letter: u8| {
        body.split(|&byte| byte == 0)
            .find_map(|field| field.strip_prefix(&[letter]))
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .unwrap_or_default()
    };
    Error::Refused {
        code: field(b'C'),
        message: field(b'M'),
    }
}

fn length_of(body: &[u8]) -> [u8; 4] {
    u32::try_from(body.len() + 4)
        .unwrap_or(u32::MAX)
        .to_be_bytes()
}
