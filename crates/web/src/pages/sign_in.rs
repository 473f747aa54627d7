//! Signing in and out.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;
use workflow::{Code, Secret, SignInError};

use super::problem::PageProblem;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{self, Visitor, You, check_form};
use crate::{DemoPerson, Site};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    you: Option<You>,
    problem: Option<&'static str>,
    /// Why somebody is here who did not ask to be.
    was_signed_out: Option<&'static str>,
    email: String,
    demo: Vec<DemoPerson>,
}

#[derive(Template)]
#[template(path = "sign_in_sent.html")]
struct SentPage {
    you: Option<You>,
    email: String,
}

#[derive(Template)]
#[template(path = "sign_in_provider.html")]
struct ProviderPage {
    you: Option<You>,
    id: String,
    name: String,
    email: String,
}

#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct LinkPage {
    you: Option<You>,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage {
    you: Option<You>,
    problem: Option<&'static str>,
    form_token: String,
    set_up: Option<SetUp>,
}

struct SetUp {
    /// In groups of four.
    letters: String,
    /// A picture of what an app reads.
    svg: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Came {
    /// Why somebody is here who did not ask to be.
    #[serde(default)]
    over: Option<String>,
}

fn why_signed_out(over: &str) -> &'static str {
    match over {
        "sending" => {
            "You were signed out while your files were on the way. None of them was sent or kept. Sign in, and you come back to the page where you can choose them again."
        }
        _ => {
            "You were signed out because you had not done anything for a while. Nothing that you sent was lost."
        }
    }
}

pub(crate) async fn show(site: web::Data<Site>, came: web::Query<Came>) -> HttpResponse {
    let page = SignInPage {
        you: None,
        problem: None,
        was_signed_out: came.over.as_deref().map(why_signed_out),
        email: String::new(),
        demo: site.config.demo.clone(),
    };
    super::render(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub(crate) struct Address {
    #[serde(default)]
    email: String,
}

/// Answers alike whether the address is known or not.
pub(crate) async fn ask(
    site: web::Data<Site>,
    request: HttpRequest,
    form: Form<Address>,
) -> Result<HttpResponse, PageProblem> {
    let email = form.into_inner().email.trim().to_owned();
    let again = |status, problem, email| {
        let page = SignInPage {
            you: None,
            problem: Some(problem),
            was_signed_out: None,
            email,
            demo: site.config.demo.clone(),
        };
        super::render(status, &page)
    };
    if !workflow::is_address(&email) {
        return Ok(again(
            StatusCode::BAD_REQUEST,
            "Enter your work email address, such as name@council.gov.uk.",
            email,
        ));
    }
    // By the address's domain alone: it says nothing of whether the address is known.
    if let Some(provider) = site.providers.of_address(&email) {
        let page = ProviderPage {
            you: None,
            id: provider.id.clone(),
            name: provider.name.clone(),
            email,
        };
        return Ok(super::render(StatusCode::OK, &page));
    }
    match workflow::ask_for_link(site.db()?, &email, &session::network(&request), Utc::now()).await
    {
        Ok(()) => Ok(super::render(
            StatusCode::OK,
            &SentPage { you: None, email },
        )),
        Err(SignInError::TooMany) => Ok(again(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many links were asked for. Wait a quarter of an hour and try again.",
            email,
        )),
        Err(error) => Err(Problem::of_sign_in(error).into()),
    }
}

/// A page with a button: programs that look through mail open every link, and must not use it up.
pub(crate) async fn link() -> HttpResponse {
    super::render(StatusCode::OK, &LinkPage { you: None })
}

pub(crate) async fn open_link(
    site: web::Data<Site>,
    link: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let link = Secret::of(link.into_inner());
    match workflow::enter_by_link(site.db()?, &link, Utc::now()).await {
        Ok(half) => Ok(gone_to("/sign-in/code", &half)),
        Err(SignInError::NoLink) => {
            let page = SignInPage {
                you: None,
                problem: Some(
                    "This link was used before, or is too old. Ask for another one here.",
                ),
                was_signed_out: None,
                email: String::new(),
                demo: site.config.demo.clone(),
            };
            Ok(super::render(StatusCode::GONE, &page))
        }
        Err(error) => Err(Problem::of_sign_in(error).into()),
    }
}

pub(crate) async fn code(
    site: web::Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse, PageProblem> {
    let half = session::secret(&request).ok_or(PageProblem::SignIn)?;
    code_page(&site, &half, StatusCode::OK, None).await
}

async fn code_page(
    site: &Site,
    half: &Secret,
    status: StatusCode,
    problem: Option<&'static str>,
) -> Result<HttpResponse, PageProblem> {
    let set_up = match workflow::second_proof(site.db()?, half, &site.config.name, Utc::now()).await
    {
        Ok(Code::Enter) => None,
        Ok(Code::SetUp { letters, url }) => Some(SetUp {
            letters: in_fours(&letters),
            svg: picture(&url)?,
        }),
        Err(SignInError::NotHalfWay) => return Err(PageProblem::SignIn),
        Err(error) => return Err(Problem::of_sign_in(error).into()),
    };
    let page = CodePage {
        you: None,
        problem,
        form_token: half.form_token(),
        set_up,
    };
    Ok(super::render(status, &page))
}

fn in_fours(letters: &str) -> String {
    let letters: Vec<char> = letters.chars().collect();
    letters
        .chunks(4)
        .map(|four| four.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

fn picture(url: &str) -> Result<String, Problem> {
    let code = QrCode::new(url).map_err(|error| Problem::failed("draw a code", &error))?;
    let drawn = code
        .render::<svg::Color<'_>>()
        .min_dimensions(220, 220)
        .build();
    // Inside a page it has no declaration of its own.
    let start = drawn.find("<svg").unwrap_or_default();
    Ok(drawn[start..].to_owned())
}

#[derive(Deserialize)]
pub(crate) struct Digits {
    #[serde(default)]
    digits: String,
    #[serde(default)]
    form_token: String,
}

pub(crate) async fn enter_code(
    site: web::Data<Site>,
    request: HttpRequest,
    form: Form<Digits>,
) -> Result<HttpResponse, PageProblem> {
    let half = session::secret(&request).ok_or(PageProblem::SignIn)?;
    check_form(&half, &form.form_token)?;
    match workflow::enter_code(site.db()?, &half, &form.digits, Utc::now()).await {
        Ok(whole) => Ok(gone_back(&request, &whole)),
        Err(SignInError::WrongCode) => {
            let problem = "That code is not right, or was used before. Enter the code that your app shows now.";
            code_page(&site, &half, StatusCode::BAD_REQUEST, Some(problem)).await
        }
        Err(SignInError::NotHalfWay) => Err(PageProblem::SignIn),
        Err(error) => Err(Problem::of_sign_in(error).into()),
    }
}

#[derive(Deserialize)]
pub(crate) struct Pressed {
    #[serde(default)]
    form_token: String,
}

pub(crate) async fn sign_out(
    site: web::Data<Site>,
    request: HttpRequest,
    visitor: Visitor,
    form: Form<Pressed>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(&form.form_token)?;
    // What can't be removed now is removed in time.
    if let Err(error) = workflow::forget_checked(site.db()?, &site.files, &visitor.actor).await {
        tracing::warn!(%error, "what was only checked stays until its time is over");
    }
    if let Some(secret) = session::secret(&request) {
        workflow::sign_out(site.db()?, &secret, Utc::now()).await?;
    }
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/sign-in"))
        .cookie(session::forgotten())
        .finish())
}

/// One click, as somebody of the demo; elsewhere there is no such address.
pub(crate) async fn as_demo(
    site: web::Data<Site>,
    request: HttpRequest,
    form: Form<Address>,
) -> Result<HttpResponse, PageProblem> {
    if !site
        .config
        .demo
        .iter()
        .any(|person| person.email == form.email)
    {
        return Err(Problem::not_found().into());
    }
    let whole = workflow::enter_as_demo(site.db()?, &form.email, Utc::now())
        .await
        .map_err(Problem::of_sign_in)?;
    Ok(gone_back(&request, &whole))
}

/// To where whoever signs in was cut off.
pub(super) fn gone_back(request: &HttpRequest, secret: &Secret) -> HttpResponse {
    let place = session::way_back(request);
    let mut answer = gone_to(place.unwrap_or("/"), secret);
    if place.is_some() {
        // A browser keeps no cookie that it is told to forget; one that is too long to be kept is no reason not to go.
        let _ = answer.add_cookie(&session::way_back_taken());
    }
    answer
}

pub(super) fn gone_to(path: &str, secret: &Secret) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .cookie(session::kept(secret))
        .finish()
}
