//! What a refused request is told: a status, and a sentence that says what to do.
//!
//! Our own failures are logged here, once, and the client hears no detail of them.

use actix_web::body::BoxBody;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use cycle::clock::moment_in_words;
use files::FilesError;
use finding::words::counted;
use serde::Serialize;
use workflow::{Denied, HandoverError, ParcelError, ParcelState, ReceiveError};

use crate::spool::SpoolError;

/// An RFC 9457 problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
    /// Seconds until it is worth trying again, where that is known.
    pub(crate) retry_after: Option<u64>,
    /// Where to go on, for a page: the address, and what is there.
    pub(crate) next: Option<(String, String)>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            retry_after: match status {
                StatusCode::TOO_MANY_REQUESTS => Some(900),
                StatusCode::SERVICE_UNAVAILABLE => Some(10),
                _ => None,
            },
            next: None,
        }
    }

    /// As JSON. A request whose body was not read to its end can't be followed by another: the connection closes.
    pub(crate) fn response(&self) -> HttpResponse {
        let document = Document {
            r#type: "about:blank",
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
        };
        let mut builder = self.builder();
        builder.content_type("application/problem+json");
        builder.body(serde_json::to_string(&document).unwrap_or_default())
    }

    pub(crate) fn builder(&self) -> actix_web::HttpResponseBuilder {
        let mut builder = HttpResponse::build(self.status);
        if self.leaves_body_unread() {
            builder.force_close();
        }
        if self.status == StatusCode::UNAUTHORIZED {
            builder.insert_header(("www-authenticate", "Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            builder.insert_header(("retry-after", seconds.to_string()));
        }
        builder
    }

    fn leaves_body_unread(&self) -> bool {
        [
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::MISDIRECTED_REQUEST,
        ]
        .contains(&self.status)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Not found",
            "There is nothing at this address.",
        )
    }

    /// A file that was kept for a while only, or was never there.
    pub(crate) fn gone() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Nothing is kept here any more",
            "Files that were not sent, and what checking them found, are deleted after a while. What you did send is on the pages of your returns.",
        )
    }

    pub(crate) fn method_not_allowed(method: &Method, allowed: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Method not allowed",
            format!("This address does not answer {method}; it answers {allowed}."),
        )
    }

    /// A file in a wrapping that is not asked for.
    pub(crate) fn not_the_file(detail: &'static str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Not the file itself",
            detail,
        )
    }

    pub(crate) fn wrong_host() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "Wrong host",
            "This site does not answer to that host name.",
        )
    }

    pub(crate) fn cross_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Not from here",
            "A page of another site can't send files to this one.",
        )
    }

    /// Nobody has signed in.
    pub(crate) fn sign_in_needed() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Sign in first",
            "Sign in, or send a token: Authorization: Bearer …",
        )
    }

    pub(crate) fn bad_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Token not good",
            "This token is unknown, too old or revoked. Ask who gave it to you for another one.",
        )
    }

    pub(crate) fn token_needed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Token needed",
            "To change something by this address, send a token: Authorization: Bearer …",
        )
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Not for you to do",
            "Somebody with another role has to do this.",
        )
    }

    /// A provider's failure, which is not told to whoever signs in: it may say how to get round it.
    pub(crate) fn of_provider(error: &oidc::OidcError) -> Self {
        match error {
            oidc::OidcError::Unknown(_) => Self::not_found(),
            oidc::OidcError::Provider { .. } => {
                tracing::error!(%error, "a provider can't be used");
                Self::new(
                    StatusCode::BAD_GATEWAY,
                    "Your organisation's sign-in does not answer",
                    "Your organisation's sign-in could not be reached. Try again in a few minutes; if it still does not work, tell your own IT support.",
                )
            }
            oidc::OidcError::NotToBeTrusted { .. } => {
                tracing::warn!(%error, "an answer of a provider is not to be trusted");
                Self::not_let_in()
            }
        }
    }

    pub(crate) fn not_let_in() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "You are not signed in",
            "Your organisation's sign-in did not confirm who you are. Go back to the sign-in page and try again.",
        )
    }

    /// Back from a provider where this browser was not sent, or too long ago.
    pub(crate) fn not_sent_there() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Signing in took too long",
            "Start again from the sign-in page: each attempt works once and for 15 minutes.",
        )
    }

    pub(crate) fn of_sign_in(error: workflow::SignInError) -> Self {
        use workflow::SignInError;
        match error {
            SignInError::Db(error) => error.into(),
            SignInError::TooMany => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many attempts",
                "Wait a quarter of an hour and sign in again.",
            ),
            SignInError::NotInvited => Self::new(
                StatusCode::FORBIDDEN,
                "Not invited yet",
                "Nobody has invited this address yet. Ask a colleague who signs returns off.",
            ),
            error @ SignInError::Generator(_) => Problem::failed("set up a code", &error),
            SignInError::NoLink | SignInError::NotHalfWay | SignInError::WrongCode => {
                Self::sign_in_needed()
            }
        }
    }

    /// It is not as whoever sent the request saw it.
    pub(crate) fn conflict(title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, title, detail)
    }

    /// What was said about a version is what somebody answered for.
    pub(crate) fn signed_off() -> Self {
        Self::conflict(
            "Signed off already",
            "This version is signed off, so what was said about its figures can't be changed any more. Write a message if something is wrong; the team that asks for the return can send the version back.",
        )
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Something is missing", detail)
    }

    pub(crate) fn too_many_requests(seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests",
                "Wait as long as the Retry-After header says and send it again; then go on more slowly.",
            )
        }
    }

    /// Of a body that is no file.
    pub(crate) fn body_too_large(most: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Too large",
            format!(
                "This is larger than {} kB, which is the most that can be sent here.",
                most / 1024
            ),
        )
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not available just now",
            "A part of the service is not available just now. Nothing was lost: try again in a minute.",
        )
    }

    /// Our own failure; `error` goes to the log and nowhere else.
    pub(crate) fn failed(act: &'static str, error: &dyn std::error::Error) -> Self {
        tracing::error!(act, error = %Chain(error), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong",
            "Something went wrong on our side. It has been noted; try again in a few minutes.",
        )
    }
}

/// An error with what caused it.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.response()
    }
}

impl From<db::DbError> for Problem {
    fn from(error: db::DbError) -> Self {
        match error {
            db::DbError::Busy | db::DbError::Connect(_) => {
                tracing::warn!(%error, "the database can't be used just now");
                Problem::unavailable()
            }
            error => Problem::failed("use the database", &error),
        }
    }
}

impl From<Denied> for Problem {
    fn from(error: Denied) -> Self {
        match error {
            Denied::SignInNeeded => Problem::sign_in_needed(),
            Denied::Forbidden => Problem::forbidden(),
            Denied::NotThere => Problem::not_found(),
            Denied::Db(error) => error.into(),
        }
    }
}

impl From<HandoverError> for Problem {
    fn from(error: HandoverError) -> Self {
        let not_now = |detail: String| Problem::new(StatusCode::CONFLICT, "Not now", detail);
        match error {
            HandoverError::Denied(denied) => denied.into(),
            HandoverError::Db(error) => error.into(),
            HandoverError::NotNow(why) => not_now(why.to_owned()),
            HandoverError::Newer(newer) => Problem {
                next: Some((
                    format!("/submissions/{}", newer.id),
                    format!("Go on with version {}", newer.version_number),
                )),
                ..Problem::new(
                    StatusCode::CONFLICT,
                    "There is a newer version",
                    format!(
                        "{} sent version {} on {}. Go on with that one, or withdraw it to go on with this one.",
                        newer.uploaded_by,
                        newer.version_number,
                        moment_in_words(newer.received_at)
                    ),
                )
            },
            HandoverError::NotExplained { n } => not_now(format!(
                "{} an explanation before this version can be submitted.",
                counted(n, "figure needs", "figures need")
            )),
            HandoverError::NoReason => Problem::bad_request("Enter the reason."),
            HandoverError::LongReason => {
                Problem::bad_request("The reason is too long: it can have 4,000 characters.")
            }
        }
    }
}

impl From<SpoolError> for Problem {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::TooLarge { limit } => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "File too large",
                format!(
                    "This is larger than {} MB, which is the most that can be sent. Remove pictures, unused sheets and blank formatted rows, and send it again.",
                    limit / (1024 * 1024)
                ),
            ),
            SpoolError::TooSlow => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "Too slow",
                "The file came in too slowly or stopped coming. Nothing was kept: send it again.",
            ),
            SpoolError::Incomplete => Problem::bad_request(
                "The file did not arrive whole. Nothing was kept: send it again.",
            ),
            SpoolError::Io(error) => Problem::failed("keep an upload", &error),
        }
    }
}

impl From<ParcelError> for Problem {
    fn from(error: ParcelError) -> Self {
        match error {
            ParcelError::Denied(denied) => denied.into(),
            ParcelError::NotAnAddress => ReceiveError::NotAnAddress.into(),
            ParcelError::FormUsedBefore => Problem::conflict(
                "Used before",
                "Other files were sent with this page already. Here is a fresh one: choose your files again.",
            ),
            ParcelError::NotNow(state) => Problem::conflict(
                "Not now",
                match state {
                    ParcelState::Arriving => {
                        "The file did not arrive whole. Send it again from the page that you came from."
                    }
                    ParcelState::Left => "The file was left out and is deleted. Send it again.",
                    ParcelState::Checking | ParcelState::Checked => {
                        "The file was only checked, and is not kept. To send it in, send it again."
                    }
                    ParcelState::Waiting
                    | ParcelState::Recognised
                    | ParcelState::Sent
                    | ParcelState::GivenUp => "Something else was done with this file meanwhile.",
                },
            ),
            ParcelError::Receive(error) => error.into(),
            ParcelError::Files(error) => ReceiveError::Files(error).into(),
            ParcelError::Db(error) => error.into(),
        }
    }
}

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        let refused = |status, title, detail: String| Problem::new(status, title, detail);
        match error {
            ReceiveError::Denied(denied) => denied.into(),
            ReceiveError::UnknownOrganisation { code } => refused(
                StatusCode::NOT_FOUND,
                "Unknown organisation",
                format!("No organisation has the code {code}."),
            ),
            ReceiveError::UnknownReturn { return_id } => refused(
                StatusCode::NOT_FOUND,
                "Unknown return",
                format!("No return is called {return_id}."),
            ),
            ReceiveError::UnknownPeriod { return_id, period } => refused(
                StatusCode::NOT_FOUND,
                "Unknown period",
                format!("The return {return_id} is not collected for {period}."),
            ),
            ReceiveError::NotARespondent {
                organisation,
                return_id,
                period,
            } => refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Not asked for",
                format!("{organisation} is not asked for the return {return_id} for {period}."),
            ),
            ReceiveError::NotOpen {
                return_id,
                period,
                opens_on,
            } => refused(
                StatusCode::CONFLICT,
                "Not open yet",
                format!("The return {return_id} for {period} can be sent from {opens_on}."),
            ),
            ReceiveError::Closed {
                organisation,
                return_id,
                period,
                closed_on,
            } => refused(
                StatusCode::CONFLICT,
                "The round is closed",
                format!(
                    "This round closed on {}, and no file is taken any more. Ask for more time at /returns/{return_id}/{period}/{organisation}/more-time, or ask the team that asks for the return.",
                    crate::words::day(closed_on)
                ),
            ),
            ReceiveError::NotAnAddress => refused(
                StatusCode::BAD_REQUEST,
                "Not an address",
                "The email address is not one that mail can be sent to: check it.".to_owned(),
            ),
            ReceiveError::IdempotencyKeyReused => refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Key used before",
                "This idempotency key was used for another file or another return. Use a new key for each."
                    .to_owned(),
            ),
            ReceiveError::SentBefore { version_number, .. } => refused(
                StatusCode::CONFLICT,
                "Sent before",
                format!("This very file was sent last, as version {version_number}."),
            ),
            ReceiveError::Db(error) => error.into(),
            ReceiveError::Files(FilesError::Store(reason)) => {
                tracing::warn!(reason, "the file store can't be used just now");
                Problem::unavailable()
            }
            error @ ReceiveError::Files(_) => Problem::failed("keep an upload", &error),
        }
    }
}
