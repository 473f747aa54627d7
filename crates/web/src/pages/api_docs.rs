//! The API's document as two pages, what can be asked and what it is made of: both of the document itself, so that they
//! say nothing else.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde_json::Value;

use crate::api::document::{DOCUMENT, USUAL};
use crate::session::{Visitor, You};

#[derive(Template)]
#[template(path = "api_docs.html")]
struct DocsPage {
    you: Option<You>,
    about: &'static [String],
    parts: &'static [Part],
    /// Answers that are told once for all.
    usual: [(&'static str, &'static str); 8],
}

#[derive(Template)]
#[template(path = "api_shapes.html")]
struct ShapesPage {
    you: Option<You>,
    shapes: &'static [Shape],
    messages: &'static [Messages],
}

/// What the pages show of the document.
struct Docs {
    about: Vec<String>,
    parts: Vec<Part>,
    shapes: Vec<Shape>,
    messages: Vec<Messages>,
}

struct Part {
    name: String,
    id: String,
    about: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    title: String,
    about: String,
    /// `a program that sends returns`
    whom: Vec<String>,
    fields: Vec<Field>,
    body: Option<Body>,
    answers: Vec<Answer>,
}

struct Field {
    name: String,
    /// `in the address`, or what kind of value it is.
    place: String,
    kind: Kind,
    is_required: bool,
    about: String,
}

/// A kind of value in words, with the shape that it is described by.
#[derive(Default)]
struct Kind {
    before: String,
    shape: Option<String>,
    after: String,
}

struct Body {
    content_type: String,
    kind: Kind,
    about: String,
}

struct Answer {
    status: String,
    about: String,
    content_type: String,
    kind: Kind,
}

/// The events whose messages have the same fields.
struct Messages {
    /// What happened: its name, and in words.
    events: Vec<(String, String)>,
    about: String,
    /// Of `data`.
    fields: Vec<Field>,
}

struct Shape {
    name: String,
    about: String,
    fields: Vec<Field>,
    words: Vec<String>,
}

static DOCS: LazyLock<Docs> = LazyLock::new(|| {
    // Ours, and tested to be readable.
    let document: Value = serde_json::from_str(&DOCUMENT).unwrap_or_default();
    Docs::read(&document)
});

/// The document for people
///
/// This page.
#[utoipa::path(
    get,
    path = "/api/docs",
    operation_id = "docs",
    tag = "This document",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn show(visitor: Option<Visitor>) -> HttpResponse {
    let page = DocsPage {
        you: visitor.map(|visitor| visitor.you),
        about: &DOCS.about,
        parts: &DOCS.parts,
        usual: USUAL,
    };
    super::render(StatusCode::OK, &page)
}

/// What requests and answers are made of, for people
///
/// This page's other half.
#[utoipa::path(
    get,
    path = "/api/docs/shapes",
    operation_id = "docs_shapes",
    tag = "This document",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn show_shapes(visitor: Option<Visitor>) -> HttpResponse {
    let page = ShapesPage {
        you: visitor.map(|visitor| visitor.you),
        shapes: &DOCS.shapes,
        messages: &DOCS.messages,
    };
    super::render(StatusCode::OK, &page)
}

impl Docs {
    fn read(document: &Value) -> Docs {
        let operations: Vec<(&str, Operation)> = fields_of(&document["paths"])
            .flat_map(|(path, item)| {
                fields_of(item).map(move |(method, operation)| {
                    let tag = text(&operation["tags"][0]);
                    (tag, Operation::read(path, method, operation))
                })
            })
            .collect();
        let mut operations = operations;
        let mut parts = Vec::new();
        for tag in items_of(&document["tags"]) {
            let name = text(&tag["name"]);
            let (own, others) = operations.into_iter().partition(|(of, _)| *of == name);
            operations = others;
            let own: Vec<(&str, Operation)> = own;
            parts.push(Part {
                id: format!("part-{}", name.to_lowercase().replace(' ', "-")),
                name: name.to_owned(),
                about: text(&tag["description"]).to_owned(),
                operations: own.into_iter().map(|(_, operation)| operation).collect(),
            });
        }
        Docs {
            about: paragraphs(text(&document["info"]["description"])),
            parts,
            shapes: fields_of(&document["components"]["schemas"])
                .map(|(name, schema)| Shape::read(name, schema))
                .collect(),
            messages: Messages::read(&document["webhooks"]),
        }
    }
}

impl Messages {
    fn read(webhooks: &Value) -> Vec<Messages> {
        let mut all: Vec<(&Value, Messages)> = Vec::new();
        for (name, item) in fields_of(webhooks) {
            let post = &item["post"];
            let schema = &post["requestBody"]["content"]["application/json"]["schema"];
            let event = (name.to_owned(), text(&post["summary"]).to_owned());
            match all.iter_mut().find(|(of, _)| *of == schema) {
                Some((_, messages)) => messages.events.push(event),
                None => {
                    let messages = Messages {
                        events: vec![event],
                        about: text(&schema["description"]).to_owned(),
                        fields: Shape::read("", &schema["properties"]["data"]).fields,
                    };
                    all.push((schema, messages));
                }
            }
        }
        all.into_iter().map(|(_, messages)| messages).collect()
    }
}

impl Operation {
    fn read(path: &str, method: &str, operation: &Value) -> Operation {
        let programs = items_of(&operation["security"]);
        let programs = programs.flat_map(|one| items_of(&one["token"]));
        let whom = programs
            .filter_map(|role| access::Role::parse(text(role)))
            .map(|role| role.in_words().to_owned())
            .collect();
        let fields = items_of(&operation["parameters"]).map(|parameter| Field {
            name: text(&parameter["name"]).to_owned(),
            place: match text(&parameter["in"]) {
                "path" => "in the address",
                "query" => "after the question mark",
                _ => "as a header",
            }
            .to_owned(),
            kind: Kind::read(&parameter["schema"]),
            is_required: parameter["required"] == true,
            about: text(&parameter["description"]).to_owned(),
        });
        let body = fields_of(&operation["requestBody"]["content"]).next();
        Operation {
            id: text(&operation["operationId"]).to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            title: text(&operation["summary"]).to_owned(),
            about: text(&operation["description"]).to_owned(),
            whom,
            fields: fields.collect(),
            body: body.map(|(content_type, content)| Body {
                content_type: content_type.to_owned(),
                kind: Kind::read(&content["schema"]),
                about: text(&operation["requestBody"]["description"]).to_owned(),
            }),
            answers: fields_of(&operation["responses"])
                .filter(|(status, answer)| !USUAL.contains(&(status, text(&answer["description"]))))
                .map(|(status, answer)| {
                    let content = fields_of(&answer["content"]).next();
                    Answer {
                        status: status.to_owned(),
                        about: text(&answer["description"]).to_owned(),
                        content_type: content.map_or(String::new(), |(kind, _)| kind.to_owned()),
                        kind: content.map_or_else(Kind::default, |(_, content)| {
                            Kind::read(&content["schema"])
                        }),
                    }
                })
                .collect(),
        }
    }
}

impl Shape {
    fn read(name: &str, schema: &Value) -> Shape {
        let members = [schema];
        let members = members.into_iter().chain(items_of(&schema["allOf"]));
        let fields = members.flat_map(|member| {
            let required: Vec<&str> = items_of(&member["required"]).map(text).collect();
            fields_of(&member["properties"]).map(move |(name, field)| Field {
                name: name.to_owned(),
                place: String::new(),
                kind: Kind::read(field),
                is_required: required.contains(&name),
                about: text(&field["description"]).to_owned(),
            })
        });
        Shape {
            name: name.to_owned(),
            about: text(&schema["description"]).to_owned(),
            fields: fields.collect(),
            words: items_of(&schema["enum"])
                .map(|word| text(word).to_owned())
                .collect(),
        }
    }
}

impl Kind {
    fn read(schema: &Value) -> Kind {
        if let Some(reference) = schema["$ref"].as_str() {
            return Kind {
                shape: reference.rsplit('/').next().map(str::to_owned),
                ..Kind::default()
            };
        }
        let choices = items_of(&schema["oneOf"]).chain(items_of(&schema["anyOf"]));
        let choices: Vec<&Value> = choices.collect();
        if let [one] | [_, one] = choices[..] {
            let kind = Kind::read(one);
            return if choices.len() == 2 {
                kind.or_null()
            } else {
                kind
            };
        }
        let (kinds, is_null): (Vec<&str>, bool) = match &schema["type"] {
            Value::Array(all) => {
                let all: Vec<&str> = all.iter().map(text).collect();
                (
                    all.iter().copied().filter(|kind| *kind != "null").collect(),
                    all.contains(&"null"),
                )
            }
            one => (vec![text(one)], false),
        };
        let kind = match kinds.first().copied() {
            Some("array") => {
                let of = Kind::read(&schema["items"]);
                Kind {
                    before: format!("a list of {}", of.before),
                    ..of
                }
            }
            Some("string") if schema["enum"].is_array() => {
                let words: Vec<&str> = items_of(&schema["enum"]).map(text).collect();
                Kind::plain(&words.join(" or "))
            }
            Some("string") => Kind::plain(match text(&schema["format"]) {
                "uuid" => "an id (UUID)",
                "date" => "a date",
                "date-time" => "a moment",
                "binary" => "bytes",
                _ => "text",
            }),
            Some("integer") => Kind::plain("a whole number"),
            Some("boolean") => Kind::plain("true or false"),
            _ => Kind::plain("an object"),
        };
        if is_null { kind.or_null() } else { kind }
    }

    fn plain(words: &str) -> Kind {
        Kind {
            before: words.to_owned(),
            ..Kind::default()
        }
    }

    fn or_null(self) -> Kind {
        Kind {
            after: format!("{} or null", self.after),
            ..self
        }
    }
}

fn paragraphs(words: &str) -> Vec<String> {
    words.split("\n\n").map(str::to_owned).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn fields_of(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(name, field)| (name.as_str(), field))
}

fn items_of(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_tell_of_every_operation_and_every_shape_and_stay_small() {
        let operations = DocsPage {
            you: None,
            about: &DOCS.about,
            parts: &DOCS.parts,
            usual: USUAL,
        };
        let shapes = ShapesPage {
            you: None,
            shapes: &DOCS.shapes,
            messages: &DOCS.messages,
        };
        let (operations, shapes) = (operations.render().unwrap(), shapes.render().unwrap());
        let document: Value = serde_json::from_str(&DOCUMENT).unwrap();
        let n_operations = DOCS.parts.iter().map(|part| part.operations.len());
        let n_described = fields_of(&document["paths"]).map(|(_, item)| fields_of(item).count());
        assert_eq!(n_operations.sum::<usize>(), n_described.sum::<usize>());
        for (page, link, to) in [
            (&operations, "href=\"#", &operations),
            (&shapes, "href=\"#", &shapes),
            (&operations, "href=\"/api/docs/shapes#", &shapes),
            (&shapes, "href=\"/api/docs/shapes#", &shapes),
        ] {
            assert!(page.contains(link), "{link}");
            for link in page.split(link).skip(1) {
                let id = link.split('"').next().unwrap();
                assert!(to.contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
        for (event, _) in fields_of(&document["webhooks"]) {
            assert!(shapes.contains(event), "{event}");
        }
        for page in [operations, shapes] {
            assert!(page.len() < 80_000, "{} bytes", page.len());
        }
    }
}
