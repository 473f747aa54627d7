//! The site map: every address the site has, and what answers there.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{Method, header};
use actix_web::web::{self, FormConfig, QueryConfig, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, guard};

use crate::{api, assets, health, pages, problem::Problem};

/// A form has a text of 4,000 characters, nine bytes each where it is far from ASCII, and some hundred ticked places.
const FORM_BYTES: usize = 64 * 1024;

pub(crate) fn site_map(site: &mut ServiceConfig) {
    let returns = "/api/returns/{return_id}/periods/{period}";
    site.app_data(QueryConfig::default().error_handler(|error, _| {
        let told = "The part of the address after the question mark can't be read.";
        tracing::debug!(%error, "a query that can't be read");
        Problem::bad_request(told).into()
    }))
    .app_data(
        FormConfig::default()
            .limit(FORM_BYTES)
            .error_handler(|error, _| {
                tracing::debug!(%error, "a form that can't be read");
                Problem::bad_request("The form can't be read: open the page again.").into()
            }),
    )
    .service(at("/").get(pages::home::show))
    .service(
        at("/upload")
            .get(pages::upload::show)
            .post(pages::upload::receive),
    )
    .service(
        at("/sign-in")
            .get(pages::sign_in::show)
            .post(pages::sign_in::ask),
    )
    .service(
        at("/sign-in/link/{secret}")
            .get(pages::sign_in::link)
            .post(pages::sign_in::open_link),
    )
    .service(
        at("/sign-in/code")
            .get(pages::sign_in::code)
            .post(pages::sign_in::enter_code),
    )
    .service(at("/sign-in/demo").post(pages::sign_in::as_demo))
    .service(at("/sign-out").post(pages::sign_in::sign_out))
    .service(at("/returns/{return_id}/{period}").get(pages::collection::show))
    .service(
        at("/returns/{return_id}/{period}/{organisation}/nothing-to-report")
            .get(pages::nil::ask)
            .post(pages::nil::declare),
    )
    .service(at("/returns/{return_id}/{period}/{organisation}").get(pages::duty::show))
    .service(at("/submissions/{id}").get(pages::submission::show))
    .service(at("/submissions/{id}/receipt").get(pages::handover::receipt))
    .service(at("/submissions/{id}/messages").post(pages::handover::write))
    .service(
        at("/submissions/{id}/hand-over/{verb}")
            .get(pages::handover::ask)
            .post(pages::handover::press),
    )
    .service(at("/submissions/{id}/checks/{rule}").get(pages::findings::show))
    .service(at("/submissions/{id}/checks/{rule}/explanations").post(pages::explain::explain))
    .service(at("/submissions/{id}/checks/{rule}/exceptions").post(pages::explain::ask))
    .service(at("/exceptions").get(pages::waivers::list))
    .service(
        at("/exceptions/{id}")
            .get(pages::waivers::show)
            .post(pages::waivers::decide),
    )
    .service(
        at(format!("{returns}/organisations/{{code}}/submissions")).post(api::receive::receive),
    )
    .service(at(format!("{returns}/dataset.csv")).get(api::dataset::csv))
    .service(at(format!("{returns}/template.xlsx")).get(api::template::blank))
    .service(
        at(format!("{returns}/organisations/{{code}}/template.xlsx")).get(api::template::filled),
    )
    .service(at("/api/submissions/{id}").get(api::submission::show))
    .service(at("/api/submissions/{id}/submit").post(api::handover::submit))
    .service(at("/api/submissions/{id}/findings.json").get(api::findings::json))
    .service(at("/api/submissions/{id}/findings.csv").get(api::findings::csv))
    .service(at("/api/submissions/{id}/findings.xlsx").get(api::workbooks::findings))
    .service(at("/api/submissions/{id}/marked.xlsx").get(api::workbooks::marked))
    .service(at("/health/live").get(health::live))
    .service(at("/health/ready").get(health::ready))
    .service(at("/accessibility").get(pages::accessibility::show))
    .service(at("/assets/{name}").get(assets::show))
    .default_service(web::to(pages::problem::not_found));
}

/// One address with its methods; any other method is answered 405, naming those that are allowed.
struct At {
    resource: Resource,
    allowed: Vec<&'static str>,
}

fn at(path: impl AsRef<str>) -> At {
    At {
        resource: web::resource(path.as_ref()),
        allowed: Vec::new(),
    }
}

impl At {
    fn get<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allowed.extend(["GET", "HEAD"]);
        let get = guard::Any(guard::Get()).or(guard::Head());
        self.resource = self.resource.route(web::route().guard(get).to(handler));
        self
    }

    fn post<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allowed.push("POST");
        self.resource = self.resource.route(web::post().to(handler));
        self
    }
}

impl HttpServiceFactory for At {
    fn register(self, config: &mut AppService) {
        let allowed = self.allowed.join(", ");
        self.resource
            .default_service(web::to(move |method: Method| {
                let allowed = allowed.clone();
                async move { method_not_allowed(&method, &allowed) }
            }))
            .register(config);
    }
}

fn method_not_allowed(method: &Method, allowed: &str) -> HttpResponse {
    let mut response = Problem::method_not_allowed(method, allowed).response();
    if let Ok(allowed) = header::HeaderValue::from_str(allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
