//! What the API's document says of webhooks: the messages that servers are told with.

#![expect(dead_code, reason = "never made: only their shape is read")]

use chrono::{DateTime, NaiveDate, Utc};
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    ContentBuilder, Object, Paths, RefOr, Required, ResponseBuilder, Schema, Type,
};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use workflow::WebhookEvent;

/// Something happened to a version of an organisation's return.
#[derive(ToSchema)]
struct SubmissionMessage {
    /// What happened.
    r#type: String,
    /// When.
    timestamp: DateTime<Utc>,
    #[schema(inline)]
    data: SubmissionTold,
}

#[derive(ToSchema)]
struct SubmissionTold {
    submission_id: Uuid,
    /// GSS code.
    organisation: String,
    /// The return's id.
    r#return: String,
    return_version: String,
    /// The period's label.
    period: String,
    #[schema(minimum = 1)]
    version_number: u32,
    /// Where the version stands now.
    state: String,
    n_to_fix: u64,
    n_to_explain: u64,
    #[schema(inline)]
    links: Links,
}

/// A release was published.
#[derive(ToSchema)]
struct ReleaseMessage {
    /// What happened.
    r#type: String,
    /// When.
    timestamp: DateTime<Utc>,
    #[schema(inline)]
    data: ReleaseTold,
}

#[derive(ToSchema)]
struct ReleaseTold {
    release_id: Uuid,
    /// The return's id.
    r#return: String,
    return_version: String,
    /// The first period's label.
    from_period: String,
    /// The last period's label; the same where there is one.
    to_period: String,
    /// provisional, final or revised.
    kind: String,
    /// Among the releases of these periods.
    #[schema(minimum = 1)]
    number: u32,
    #[schema(inline)]
    links: Links,
}

/// A day of a round has come.
#[derive(ToSchema)]
struct RoundMessage {
    /// What happened.
    r#type: String,
    /// When it was noted.
    timestamp: DateTime<Utc>,
    #[schema(inline)]
    data: RoundTold,
}

#[derive(ToSchema)]
struct RoundTold {
    /// The return's id.
    r#return: String,
    /// The period's label.
    period: String,
    /// The day.
    on: NaiveDate,
    /// confirmed, or provisional: it may still be moved. A round has closed only on a confirmed day.
    certainty: String,
    #[schema(inline)]
    links: Links,
}

/// Where to read more.
#[derive(ToSchema)]
struct Links {
    /// For a program.
    status: String,
    /// For a person.
    page: String,
}

/// The schema of an event's messages: in its place, since no answer of ours is of that shape.
fn schema_of(event: WebhookEvent) -> RefOr<Schema> {
    match event {
        WebhookEvent::Assessed
        | WebhookEvent::Submitted
        | WebhookEvent::SignedOff
        | WebhookEvent::Accepted
        | WebhookEvent::SentBack
        | WebhookEvent::Withdrawn => SubmissionMessage::schema(),
        WebhookEvent::ReleasePublished => ReleaseMessage::schema(),
        WebhookEvent::RoundOpened | WebhookEvent::RoundDue | WebhookEvent::RoundClosed => {
            RoundMessage::schema()
        }
    }
}

/// What is sent with each message, so that it is known to be from us.
const HEADERS: [(&str, &str); 3] = [
    (
        "webhook-id",
        "The message's id: the same when it comes again",
    ),
    (
        "webhook-timestamp",
        "When it was sent, in seconds since 1970",
    ),
    (
        "webhook-signature",
        "`v1,` and the signature of id, timestamp and body, as Standard Webhooks has it",
    ),
];

/// Every event, by its name.
pub(super) fn webhooks() -> Paths {
    let mut webhooks = PathsBuilder::new();
    for event in WebhookEvent::ALL {
        let content = ContentBuilder::new().schema(Some(schema_of(event))).build();
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::True))
            .build();
        let taken = ResponseBuilder::new()
            .description("Taken. Any other answer, or none, has it sent again")
            .build();
        let mut operation = OperationBuilder::new()
            .operation_id(Some(event.as_str()))
            .summary(Some(event.in_words()))
            // Whoever is called knows us by the signature.
            .securities(Some([]))
            .request_body(Some(body))
            .response("2XX", taken);
        for (name, words) in HEADERS {
            let header = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::True)
                .description(Some(words))
                .schema(Some(Object::with_type(Type::String)))
                .build();
            operation = operation.parameter(header);
        }
        let item = PathItem::new(HttpMethod::Post, operation.build());
        webhooks = webhooks.path(event.as_str(), item);
    }
    webhooks.build()
}
