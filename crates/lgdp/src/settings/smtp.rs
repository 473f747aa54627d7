//! The mail server's address: `smtps://user:password@host`, `smtp://host:587?tls=required`, `smtp://localhost:1025`.

use mail::{Encryption, Smtp};

/// `None` where it can't be understood; the address itself is a secret and is not quoted.
pub(super) fn understand(url: &str) -> Option<Smtp> {
    let (scheme, rest) = url.split_once("://")?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let encryption = match (scheme, query) {
        ("smtps", "") => Encryption::Tls,
        ("smtp", "tls=required") => Encryption::StartTls,
        ("smtp", "") => Encryption::None,
        _ => return None,
    };
    let rest = rest.trim_end_matches('/');
    let (credentials, server) = match rest.rsplit_once('@') {
        None => (None, rest),
        Some((credentials, server)) => {
            let (user, password) = credentials.split_once(':')?;
            (Some((decoded(user)?, decoded(password)?)), server)
        }
    };
    let (host, port) = match server.rsplit_once(':') {
        None => (server, None),
        Some((host, port)) => (host, Some(port.parse().ok()?)),
    };
    (!host.is_empty()).then(|| Smtp {
        host: host.to_owned(),
        port,
        encryption,
        credentials,
    })
}

/// `%40` → `@`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood() {
        let smtp = understand("smtps://me:p%40ss@mail.example").unwrap();
        assert_eq!(smtp.host, "mail.example");
        assert_eq!(smtp.encryption, Encryption::Tls);
        assert_eq!(smtp.credentials, Some(("me".to_owned(), "p@ss".to_owned())));

        let smtp = understand("smtp://mail.example:587?tls=required").unwrap();
        assert_eq!(
            (smtp.port, smtp.encryption),
            (Some(587), Encryption::StartTls)
        );

        let smtp = understand("smtp://localhost:1025").unwrap();
        assert_eq!((smtp.port, smtp.encryption), (Some(1025), Encryption::None));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "mail.example",
            "http://x",
            "smtp://",
            "smtp://h:x",
            "smtp://h?tls=no",
            "smtp://u@h",
        ] {
            assert!(understand(url).is_none(), "{url}");
        }
    }
}
