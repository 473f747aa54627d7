//! What holds for every request and every response.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use crate::Site;
use crate::problem::Problem;

const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Adds what tells a browser to trust nothing but this site. Whatever does not say otherwise is data and is not kept.
pub(crate) async fn security_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let has_tls = request
        .app_data::<web::Data<Site>>()
        .is_some_and(|site| site.config.base_url.starts_with("https://"));
    let mut response = next.call(request).await?.map_into_boxed_body();
    let headers = response.headers_mut();
    if has_tls {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    for (name, value) in HEADERS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// The host has to be ours, and so has the origin of whatever writes: another site's page can't use somebody's session,
/// nor reach through a browser on this machine.
pub(crate) async fn same_site_only(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let site = request.app_data::<web::Data<Site>>();
    let base_url = site.map(|site| site.config.base_url.as_str());
    // Whatever balances between processes asks each by its address; there is nothing to be had at these.
    let checked = if request.path().starts_with("/health/") {
        Ok(())
    } else {
        check(request.method(), request.headers(), base_url)
    };
    if let Err(problem) = checked.and_then(|()| check_address(request.uri())) {
        return Ok(request.into_response(problem.response()));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn check(method: &Method, headers: &HeaderMap, base_url: Option<&str>) -> Result<(), Problem> {
    let host = text(headers, &header::HOST).unwrap_or_default();
    if !is_loopback(host) && !base_url.is_some_and(|base| is_at(base, host)) {
        return Err(Problem::wrong_host());
    }
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    match text(headers, &header::ORIGIN) {
        Some(origin) if !reads && !is_at(origin, host) => Err(Problem::cross_site()),
        _ => Ok(()),
    }
}

/// Whether an address or a page's origin is at this host, however it is spelt and with the port that goes without saying.
fn is_at(url: &str, host: &str) -> bool {
    let port = if url.starts_with("https://") {
        ":443"
    } else {
        ":80"
    };
    let bare = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    host_of_url(url).is_some_and(|own| bare(own) == bare(host))
}

/// Nothing here is called by a zero byte, and the database can't be asked for it.
fn check_address(uri: &Uri) -> Result<(), Problem> {
    let has_zero = |part: &str| part.contains("%00");
    if has_zero(uri.path()) || uri.query().is_some_and(has_zero) {
        return Err(Problem::bad_request(
            "The address has a zero byte (%00) in it, which nothing here has.",
        ));
    }
    Ok(())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// `http://localhost:8080/x` → `localhost:8080`.
fn host_of_url(url: &str) -> Option<&str> {
    url.split_once("://")?.1.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(method: &Method, headers: &[(HeaderName, &str)]) -> Result<(), u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        check(method, &map, Some("https://Returns.example"))
            .map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn only_our_own_names_are_answered() {
        for host in [
            "localhost:8080",
            "127.0.0.1",
            "[::1]:9",
            "returns.example",
            "RETURNS.example:443",
        ] {
            assert_eq!(
                verdict(&Method::GET, &[(header::HOST, host)]),
                Ok(()),
                "{host}"
            );
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "returns.example:80",
            "",
        ] {
            assert_eq!(
                verdict(&Method::GET, &[(header::HOST, host)]),
                Err(421),
                "{host}"
            );
        }
    }

    #[test]
    fn another_sites_page_can_not_write() {
        let host = (header::HOST, "localhost:8080");
        let from = |origin| verdict(&Method::POST, &[host.clone(), (header::ORIGIN, origin)]);
        assert_eq!(from("http://localhost:8080"), Ok(()));
        assert_eq!(from("http://localhost:9999"), Err(403));
        assert_eq!(from("https://evil.example"), Err(403));
        assert_eq!(from("null"), Err(403));
    }
}
