//! Signing in with an account at a provider: there, and back.

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Deserialize;
use workflow::Secret;

use super::problem::PageProblem;
use super::sign_in::gone_back;
use crate::Site;
use crate::problem::Problem;

/// Held while the browser is at the provider, so that nobody can come back in another's place.
const COOKIE: &str = "__Host-lgdp-visit";
/// The provider may take its time over passwords and phones.
const KEPT: time::Duration = time::Duration::minutes(15);

#[derive(Debug, Deserialize)]
pub(crate) struct For {
    /// Whom it is about, so that the provider need not ask.
    #[serde(default)]
    email: Option<String>,
}

/// Sends a browser to a provider.
pub(crate) async fn go(
    site: web::Data<Site>,
    request: HttpRequest,
    provider: web::Path<String>,
    who: web::Query<For>,
) -> Result<HttpResponse, PageProblem> {
    let visit = workflow::new_visit(site.db()?, &crate::session::network(&request), Utc::now())
        .await
        .map_err(Problem::of_sign_in)?;
    let begun = site
        .providers
        .start(&provider, visit.form_token(), who.email.as_deref())
        .await
        .map_err(|error| Problem::of_provider(&error))?;
    let url = begun.url.clone();
    workflow::begin_visit(site.db()?, &visit, &provider, begun, Utc::now()).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, url))
        .cookie(kept(visit.reveal().to_owned(), KEPT))
        .finish())
}

#[derive(Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    /// Whom the answer is from.
    #[serde(default)]
    iss: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    error: Option<String>,
}

/// A browser is back.
pub(crate) async fn back(
    site: web::Data<Site>,
    request: HttpRequest,
    back: web::Query<Back>,
) -> Result<HttpResponse, PageProblem> {
    let visit = request
        .cookie(COOKIE)
        .map(|cookie| Secret::of(cookie.value()))
        .filter(|visit| visit.form_token() == back.state)
        .ok_or_else(Problem::not_sent_there)?;
    let remembered = workflow::end_visit(site.db()?, &visit, Utc::now())
        .await?
        .ok_or_else(Problem::not_sent_there)?;
    let Back {
        code, error, iss, ..
    } = back.into_inner();
    if let Some(error) = error {
        tracing::info!(
            provider = remembered.provider,
            error,
            "a provider let nobody in"
        );
        return Err(Problem::not_let_in().into());
    }
    let identity = site
        .providers
        .finish(
            &remembered.provider,
            code,
            remembered.nonce,
            remembered.verifier,
            iss.as_deref(),
        )
        .await
        .map_err(|error| Problem::of_provider(&error))?;
    let whole = workflow::enter_by_provider(site.db()?, &identity, Utc::now())
        .await
        .map_err(Problem::of_sign_in)?;
    let mut response = gone_back(&request, &whole);
    // A cookie of our own making always is one.
    let _ = response.add_cookie(&kept(String::new(), time::Duration::ZERO));
    Ok(response)
}

/// `Lax`: it has to come along when the provider sends the browser back.
fn kept(secret: String, how_long: time::Duration) -> Cookie<'static> {
    Cookie::build(COOKIE, secret)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(how_long)
        .finish()
}
