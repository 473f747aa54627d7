//! Who sends a request: somebody with a session in a cookie, or a program with a token.

use std::future::Future;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;

use access::Action;
use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, web};
use chrono::Utc;
use workflow::{Actor, Presence, Secret, SignedIn};

use crate::Site;
use crate::limits::Limits;
use crate::pages::problem::PageProblem;
use crate::problem::Problem;

/// Sent over TLS only (or to this machine itself), to this host only, to no script.
const COOKIE: &str = "__Host-lgdp";

/// The secret of a request's session, whatever it is worth.
pub(crate) fn secret(request: &HttpRequest) -> Option<Secret> {
    request
        .cookie(COOKIE)
        .map(|cookie| Secret::of(cookie.value()))
}

/// Keeps a session at the browser, until it is closed.
pub(crate) fn kept(secret: &Secret) -> Cookie<'static> {
    Cookie::build(COOKIE, secret.reveal().to_owned())
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

/// Makes the browser forget it.
pub(crate) fn forgotten() -> Cookie<'static> {
    Cookie::build(COOKIE, "")
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::ZERO)
        .finish()
}

/// Where to go on after signing in; a name of a page of ours, and nothing that an address could be made of.
const WAY_BACK: &str = "__Host-lgdp-way-back";
const TO_UPLOAD: &str = "upload";

/// Has whoever signs in next come back to the page that takes files.
pub(crate) fn way_back_to_upload() -> Cookie<'static> {
    let mut cookie = way_back_cookie(TO_UPLOAD);
    cookie.set_max_age(time::Duration::minutes(30));
    cookie
}

pub(crate) fn way_back_taken() -> Cookie<'static> {
    let mut cookie = way_back_cookie("");
    cookie.set_max_age(time::Duration::ZERO);
    cookie
}

fn way_back_cookie(value: &'static str) -> Cookie<'static> {
    Cookie::build(WAY_BACK, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

pub(crate) fn way_back(request: &HttpRequest) -> Option<&'static str> {
    let cookie = request.cookie(WAY_BACK)?;
    (cookie.value() == TO_UPLOAD).then_some("/upload")
}

/// Who has signed in, on a page. Whoever has not is sent to do so.
pub(crate) struct Visitor {
    pub(crate) actor: Actor,
    pub(crate) you: You,
    secret: Secret,
}

/// What every page says of who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct You {
    pub(crate) name: String,
    pub(crate) email: String,
    /// What forms carry.
    pub(crate) form_token: String,
    /// Whether to be offered to send a return, or to have a file checked.
    pub(crate) may_send: bool,
    pub(crate) may_check: bool,
    /// Every page says so.
    pub(crate) is_demo: bool,
}

impl Visitor {
    /// Refuses a form that does not come from a page that this session was shown.
    pub(crate) fn check_form(&self, token: &str) -> Result<(), Problem> {
        check_form(&self.secret, token)
    }
}

pub(crate) fn check_form(secret: &Secret, token: &str) -> Result<(), Problem> {
    if secret.form_token() == token {
        Ok(())
    } else {
        Err(Problem::cross_site())
    }
}

type Extracting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

impl FromRequest for Visitor {
    type Error = PageProblem;
    type Future = Extracting<Self, PageProblem>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { visitor(&request).await })
    }
}

pub(crate) async fn visitor(request: &HttpRequest) -> Result<Visitor, PageProblem> {
    let Some(secret) = secret(request) else {
        return Err(PageProblem::SignIn);
    };
    match presence(request, &secret).await? {
        Presence::SignedIn(SignedIn { actor, email }) => Ok(Visitor {
            you: You {
                name: actor.name.clone(),
                email,
                form_token: secret.form_token(),
                may_send: may_anywhere(&actor, Action::Send),
                may_check: may_anywhere(&actor, Action::Check),
                is_demo: !site(request)?.config.demo.is_empty(),
            },
            actor,
            secret,
        }),
        Presence::HalfWay => Err(PageProblem::SecondProof),
        Presence::Over => Err(PageProblem::SignedOut),
    }
}

/// For one of their own organisations at least.
fn may_anywhere(actor: &Actor, action: Action) -> bool {
    let codes = actor.organisations();
    codes
        .into_iter()
        .any(|code| workflow::may_for(actor, action, code))
}

async fn presence(request: &HttpRequest, secret: &Secret) -> Result<Presence, Problem> {
    let site = site(request)?;
    Ok(workflow::who(site.db()?, secret, Utc::now()).await?)
}

fn site(request: &HttpRequest) -> Result<&web::Data<Site>, Problem> {
    request
        .app_data::<web::Data<Site>>()
        .ok_or_else(Problem::unavailable)
}

/// Who calls the API: a program with a token, or somebody signed in who follows a link.
pub(crate) struct Caller(pub(crate) Actor);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Extracting<Self, Problem>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request).await.map(Caller) })
    }
}

pub(crate) async fn caller(request: &HttpRequest) -> Result<Actor, Problem> {
    let limits = request.app_data::<web::Data<Limits>>();
    let limits = limits.ok_or_else(Problem::unavailable)?;
    let found = proved(request).await;
    match &found {
        Ok(actor) => limits.count(actor.id)?,
        Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
            limits.count_stranger(&network(request))?;
        }
        Err(_) => {}
    }
    found
}

/// Where a request comes from, for counting attempts: what the proxy before the site says, where there is one that is
/// trusted, and otherwise who is connected.
pub(crate) fn network(request: &HttpRequest) -> String {
    let header = site(request)
        .ok()
        .and_then(|site| site.config.proxy_header.as_deref());
    let told = header.and_then(|header| told_by_proxy(request.headers(), header));
    told.or_else(|| request.peer_addr().map(|address| address.ip()))
        .map_or_else(String::new, of_one_connection)
}

/// What one connection to the internet has: a single IPv4 address, but as many IPv6 addresses as it likes, which have the
/// first 64 bits in common.
fn of_one_connection(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let first_half = address.to_bits() & !u128::from(u64::MAX);
            format!("{}/64", Ipv6Addr::from_bits(first_half))
        }
    }
}

/// The last address of the header: the proxy's own word. What stands before it came from whoever asked.
fn told_by_proxy(headers: &HeaderMap, header: &str) -> Option<IpAddr> {
    let line = headers.get_all(header).last()?.to_str().ok()?;
    let last = line.rsplit(',').next()?.trim();
    let with_port = || last.parse().ok().map(|address: SocketAddr| address.ip());
    let plain = last.trim_start_matches('[').trim_end_matches(']');
    plain.parse().ok().or_else(with_port)
}

async fn proved(request: &HttpRequest) -> Result<Actor, Problem> {
    if let Some(token) = bearer(request) {
        return workflow::client(site(request)?.db()?, &token, Utc::now())
            .await?
            .ok_or_else(Problem::bad_token);
    }
    let Some(secret) = secret(request) else {
        return Err(Problem::sign_in_needed());
    };
    match presence(request, &secret).await? {
        // A cookie goes with requests of other sites' pages too; what changes something by API takes a token.
        Presence::SignedIn(SignedIn { actor, .. }) if request.method().is_safe() => Ok(actor),
        Presence::SignedIn(_) => Err(Problem::token_needed()),
        Presence::HalfWay | Presence::Over => Err(Problem::sign_in_needed()),
    }
}

fn bearer(request: &HttpRequest) -> Option<Secret> {
    let header = request.headers().get(header::AUTHORIZATION)?;
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::of(token.trim()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn of_what_a_proxy_passes_on_its_own_word_alone_is_believed() {
        let header = "x-forwarded-for";
        let told = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                let name = HeaderName::from_static("x-forwarded-for");
                headers.append(name, HeaderValue::from_str(line).unwrap());
            }
            told_by_proxy(&headers, header).map(|address| address.to_string())
        };
        let is = |address: &str| Some(address.to_owned());
        assert_eq!(told(&["192.0.2.7"]), is("192.0.2.7"));
        assert_eq!(
            told(&["10.0.0.1, 192.0.2.7"]),
            is("192.0.2.7"),
            "forged before it"
        );
        assert_eq!(told(&["10.0.0.1", "192.0.2.7"]), is("192.0.2.7"));
        assert_eq!(told(&["192.0.2.7:4711"]), is("192.0.2.7"));
        assert_eq!(told(&["2001:db8::7"]), is("2001:db8::7"));
        assert_eq!(told(&["[2001:db8::7]"]), is("2001:db8::7"));
        assert_eq!(told(&["[2001:db8::7]:4711"]), is("2001:db8::7"));
        for nonsense in [&[][..], &[""], &["unknown"], &["192.0.2.7, "]] {
            assert_eq!(told(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn attempts_are_counted_by_what_one_connection_has() {
        for (address, counted_as) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::7", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
        ] {
            let counted = of_one_connection(address.parse().unwrap());
            assert_eq!(counted, counted_as, "{address}");
        }
    }
}
