//! Where messages may go: to public addresses by https, and to nothing that only this machine or its network reaches.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

/// Names of hosts that may be called all the same, by http too: for tests and on one machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub allowed: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error("this is no address")]
    NoAddress,
    #[error("the address has to start with https://")]
    NotHttps,
    #[error("the address must not have a name and password in it")]
    Credentials,
    #[error("the host's name is not known")]
    Unknown,
    #[error("the host is not on the public internet")]
    NotPublic,
}

impl Places {
    /// An address, if it is one that may be called as far as it says itself.
    pub fn parse(&self, url: &str) -> Result<Url, PlaceError> {
        let url = Url::parse(url).map_err(|_| PlaceError::NoAddress)?;
        let host = url.host_str().ok_or(PlaceError::NoAddress)?;
        let is_allowed = self.is_allowed(host);
        match url.scheme() {
            "https" => {}
            "http" if is_allowed => {}
            _ => return Err(PlaceError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PlaceError::Credentials);
        }
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        if !is_allowed && literal.is_ok_and(|ip| !is_public(ip)) {
            return Err(PlaceError::NotPublic);
        }
        Ok(url)
    }

    /// Where its name leads now: all of it has to be public, so that nobody's name server leads inside.
    pub(crate) async fn resolve(&self, url: &Url) -> Result<Vec<SocketAddr>, PlaceError> {
        let host = url.host_str().ok_or(PlaceError::NoAddress)?;
        let port = url.port_or_known_default().ok_or(PlaceError::NoAddress)?;
        let name = host.trim_matches(['[', ']']);
        let found = tokio::net::lookup_host((name, port)).await;
        let found: Vec<SocketAddr> = found.map_err(|_| PlaceError::Unknown)?.collect();
        if found.is_empty() {
            return Err(PlaceError::Unknown);
        }
        if self.is_allowed(host) || found.iter().all(|address| is_public(address.ip())) {
            Ok(found)
        } else {
            Err(PlaceError::NotPublic)
        }
    }

    fn is_allowed(&self, host: &str) -> bool {
        self.allowed.iter().any(|own| own == host)
    }
}

/// Whether an address is one of the public internet. What is neither plainly public nor plainly something else is not.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match embedded_v4(ip) {
            Some(ip) => is_public_v4(ip),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.is_documentation()
        // This network, and what is kept for later.
        || a == 0
        || a >= 240
        // Carriers' own.
        || (a == 100 && (64..128).contains(&b))
        // Of protocols, old relays, and of measuring.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19)))
}

/// Only what is given out for the whole internet (`2000::/3`), without what is kept of it for examples and tunnels.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    (a & 0xe000) == 0x2000
        && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8))
        && a != 0x2002
        && a != 0x3fff
}

/// Of an address that stands for one of version 4: mapped, or of a translator.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return Some(mapped);
    }
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([one, two], [three, four]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(one, two, three, four))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_this_machine_or_its_network_reaches_is_not_public() {
        for ip in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "3fff::1",
            "4000::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "2a00:1450:4009::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn an_address_says_by_itself_whether_it_may_be_called() {
        let places = Places {
            allowed: vec!["localhost".to_owned()],
        };
        for good in [
            "https://a.example/hook",
            "https://8.8.8.8",
            "http://localhost:9/x",
            "https://[2606:4700::1111]/",
        ] {
            places.parse(good).unwrap();
        }
        for (bad, why) in [
            ("hook", PlaceError::NoAddress),
            ("http://a.example", PlaceError::NotHttps),
            ("ftp://localhost", PlaceError::NotHttps),
            ("file:///etc/passwd", PlaceError::NoAddress),
            ("https://me:secret@a.example", PlaceError::Credentials),
            ("https://127.0.0.1", PlaceError::NotPublic),
            ("https://2130706433/", PlaceError::NotPublic),
            ("https://0x7f.1/", PlaceError::NotPublic),
            ("https://[::1]/", PlaceError::NotPublic),
            ("https://[::ffff:169.254.169.254]/", PlaceError::NotPublic),
        ] {
            assert_eq!(places.parse(bad), Err(why), "{bad}");
        }
    }

    #[tokio::test]
    async fn where_a_name_leads_counts_and_not_what_it_is_called() {
        let url = Url::parse("https://localhost/hook").unwrap();
        let nowhere = Places::default().resolve(&url).await;
        assert_eq!(nowhere, Err(PlaceError::NotPublic));
        let allowed = Places {
            allowed: vec!["localhost".to_owned()],
        };
        assert!(!allowed.resolve(&url).await.unwrap().is_empty());
    }
}
