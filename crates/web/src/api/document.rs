//! The API's own description, in version 3.1 of `OpenAPI`. Whom an address is for is taken from the site map and the access matrix, so
//! that it is said once.

use std::sync::LazyLock;

use access::{Role, Scope, scope};
use actix_web::HttpResponse;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, Info, Object, OpenApi as Document, Ref, RefOr, Response,
    ResponseBuilder, Type,
};

use super::{events, schemas};
use crate::routes::{For, Route, routes};

#[derive(OpenApi)]
#[openapi(
    paths(
        super::changes::csv,
        super::check::ask,
        super::check::findings,
        super::check::show,
        super::dataset::manifest,
        super::dataset::show,
        super::explanations::explain,
        super::findings::csv,
        super::findings::json,
        super::handover::submit,
        super::lineage::show,
        super::organisations::list,
        super::receive::receive,
        super::releases::changes,
        super::releases::file,
        super::releases::list,
        super::releases::show,
        super::returns::list,
        super::returns::version,
        super::rounds::obligations,
        super::rounds::rounds,
        super::submission::show,
        super::submissions::list,
        super::template::blank,
        super::template::filled,
        super::workbooks::findings,
        super::workbooks::marked,
        show,
        crate::pages::api_docs::show,
        crate::pages::api_docs::show_shapes,
    ),
    components(schemas(schemas::Problem)),
    tags(
        (name = "Sending", description = "A file goes in, and a receipt comes back at once. Checking it takes seconds."),
        (name = "Submissions", description = "What was sent, how far it has come, and what is done with it."),
        (name = "Findings", description = "What checking a file found, with cells and how to mend them."),
        (name = "Returns and rounds", description = "What is collected, when, and who owes what."),
        (name = "Datasets", description = "The figures of all organisations."),
        (name = "Organisations", description = "Their codes and names."),
        (name = "This document", description = "For programs and for people."),
    )
)]
struct Described;

const TOKEN: &str = "token";

const DESCRIPTION: &str = "\
Programs send files, ask how far they are, and take figures.

Send the token of your program with each request: `Authorization: Bearer …`. Whoever looks after an organisation or a return makes it on the page “Programs”. A token is for one organisation or one return, for 90 days at most. No program signs anything off.

What is not for your token to see is answered as if it were not there: 404.

A refused request is answered with a problem (RFC 9457, `application/problem+json`): read its `detail`.

A request that makes something takes an `Idempotency-Key` of your making: repeat it with the same key after a cut connection, and it has its effect once. The same key with another file is refused with 422.

Instead of asking again and again, have a server of yours told: see the page “Webhooks”, and `webhooks` in this document for every message. A message has counts and links, is signed as Standard Webhooks has it (`webhook-id`, `webhook-timestamp`, `webhook-signature`), and comes again with the same id until your server answers with 200 to 299.

Lists come a page at a time. Follow the address in `next`, which is also in the `Link` header, until it is null.

Too many requests in a minute are answered with 429. Wait as many seconds as `Retry-After` says; do the same with 503.";

/// The whole document, as programs read it.
pub(crate) static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    // What is put together here can always be written.
    document().to_pretty_json().unwrap_or_default()
});

/// This document
///
/// In version 3.1 of `OpenAPI`.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "openapi",
    tag = "This document",
    responses((status = 200, description = "The document", body = Object, content_type = "application/json"))
)]
pub(crate) async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(DOCUMENT.as_str())
}

pub(crate) fn document() -> Document {
    let mut document = Described::openapi();
    document.webhooks = Some(events::webhooks());
    let mut info = Info::new("Data returns", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    document.info = info;
    if let Some(components) = &mut document.components {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of a program."));
        components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer.build()));
    }
    for route in routes() {
        let item = document.paths.paths.get_mut(&route.path);
        let operation = item.and_then(|item| match route.method {
            "POST" => item.post.as_mut(),
            _ => item.get.as_mut(),
        });
        if let Some(operation) = operation {
            say_whom_for(&route, operation);
        }
    }
    document
}

/// What whatever is asked for may be answered with.
pub(crate) const USUAL: [(&str, &str); 8] = [
    ("400", "Something is missing or can't be read"),
    ("401", "There is no token, or it is not good any more"),
    ("403", "This is for another role to do"),
    ("404", "There is nothing here, or nothing for this token"),
    ("408", "The body came in too slowly"),
    ("429", "Too many requests: wait as long as it says"),
    ("500", "Our own failure: it is noted"),
    ("503", "Not available just now: wait as long as it says"),
];

/// Which programs may, and what others are told.
fn say_whom_for(route: &Route, operation: &mut Operation) {
    let roles: Vec<&str> = match route.whom {
        For::Anyone => {
            operation.security = Some(Vec::new());
            return;
        }
        For::SignedIn => programs().map(Role::as_str).collect(),
        For::May(actions) => programs()
            .filter(|role| {
                let mut actions = actions.iter();
                actions.any(|action| scope(*action, Some(*role)) != Scope::No)
            })
            .map(Role::as_str)
            .collect(),
    };
    operation.security = Some(vec![SecurityRequirement::new(TOKEN, roles)]);
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let has = |place: &ParameterIn| {
        parameters.iter().any(|parameter| match parameter {
            RefOr::T(parameter) => parameter.parameter_in == *place,
            RefOr::Ref(_) => false,
        })
    };
    let takes_a_body = operation.request_body.is_some();
    for (status, words) in USUAL {
        let is_told = match status {
            "400" => takes_a_body || has(&ParameterIn::Query),
            "403" => matches!(route.whom, For::May(_)),
            "404" => has(&ParameterIn::Path),
            "408" => takes_a_body,
            _ => true,
        };
        if !is_told {
            continue;
        }
        let known = &mut operation.responses.responses;
        known
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem(status, words)));
    }
}

fn programs() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(|role| role.is_of_programs())
}

fn problem(status: &str, words: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let mut response = ResponseBuilder::new()
        .description(words)
        .content("application/problem+json", content);
    if ["429", "503"].contains(&status) {
        let seconds = HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::Integer)))
            .description(Some("How many seconds to wait"));
        response = response.header("retry-after", seconds.build());
    }
    response.build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_document_has_the_addresses_and_methods_of_the_site_map() {
        let document: Value = serde_json::from_str(&DOCUMENT).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                described.insert((path.clone(), method.to_uppercase()));
            }
        }
        let there: BTreeSet<_> = routes()
            .into_iter()
            .filter(|route| route.path.starts_with("/api/"))
            .map(|route| (route.path, route.method.to_owned()))
            .collect();
        assert_eq!(described, there);
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_a_name_and_says_whom_it_is_for() {
        let document: Value = serde_json::from_str(&DOCUMENT).unwrap();
        let mut references = BTreeSet::new();
        collect(&document, &mut references);
        assert!(references.len() > 20, "{references:?}");
        for reference in references {
            let place = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(place).is_some(), "{reference}");
        }
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name), "{name}");
                assert!(operation["summary"].is_string(), "{method} {path}");
                assert!(operation["security"].is_array(), "{method} {path}");
            }
        }
        let send = "/api/returns/{return_id}/periods/{period}/organisations/{code}/submissions";
        let roles = &document["paths"][send]["post"]["security"][0]["token"];
        assert_eq!(*roles, serde_json::json!(["sending_client"]));
    }

    #[test]
    fn every_event_is_described() {
        let document: Value = serde_json::from_str(&DOCUMENT).unwrap();
        let webhooks = document["webhooks"].as_object().unwrap();
        assert_eq!(webhooks.len(), workflow::WebhookEvent::ALL.len());
        for event in workflow::WebhookEvent::ALL {
            let post = &webhooks[event.as_str()]["post"];
            let schema = &post["requestBody"]["content"]["application/json"]["schema"];
            let links = &schema["properties"]["data"]["properties"]["links"]["properties"];
            assert!(links["page"].is_object(), "{schema}");
            assert_eq!(post["parameters"].as_array().unwrap().len(), 3);
        }
    }

    fn collect(value: &Value, references: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::String(text) if name == "$ref" => {
                            references.insert(text.clone());
                        }
                        field => collect(field, references),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            _ => {}
        }
    }
}
