//! The site map: every address the site has, and what answers there.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{Method, header};
use actix_web::web::{self, QueryConfig, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, guard};

use access::Action;

use crate::{api, assets, health, pages, problem::Problem};

pub(crate) fn site_map(site: &mut ServiceConfig) {
    site.app_data(QueryConfig::default().error_handler(|error, _| {
        let told = "The part of the address after the question mark can't be read.";
        tracing::debug!(%error, "a query that can't be read");
        Problem::bad_request(told).into()
    }));
    for address in addresses() {
        site.service(address);
    }
    site.default_service(web::to(pages::problem::not_found));
}

/// Whom an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Whoever asks: signing in itself, and what says nothing of anybody.
    Anyone,
    /// Whoever has signed in; what they are shown follows from their roles.
    SignedIn,
    /// Whoever the matrix lets do one of these.
    May(&'static [Action]),
}

/// Each verb of handing over has its own.
const HAND_OVER: For = For::May(&[
    Action::Submit,
    Action::SignOff,
    Action::Decide,
    Action::Withdraw,
]);

/// Every address and method, with whom it is for: there is no adding one without saying that.
///
/// The handlers decide, by the matrix; `tests/grid.rs` asks every one of these as everybody, and compares.
#[expect(clippy::too_many_lines, reason = "a table: a line for each address")]
fn addresses() -> Vec<At> {
    use For::{Anyone, May, SignedIn};
    let returns = "/api/returns/{return_id}/periods/{period}";
    let submission = "/api/submissions/{id}";
    let figures = May(&[Action::DownloadDataset, Action::DownloadOwnFigures]);
    let trace = May(&[Action::TraceValue]);
    let see_releases = May(&[Action::SeeReleases]);
    let see_findings = May(&[Action::SeeFindings]);
    let plan = May(&[Action::PlanRounds]);
    vec![
        at("/").get(SignedIn, pages::home::show),
        at("/upload")
            .get(SignedIn, pages::upload::show)
            .post(SignedIn, pages::upload::receive),
        at("/upload/{batch}")
            .get(May(&[Action::Check]), pages::batch::show)
            .post(May(&[Action::Check]), pages::batch::decide),
        at("/checked/{parcel}").get(May(&[Action::Check]), pages::checked::show),
        at("/checked/{parcel}/findings.csv").get(May(&[Action::Check]), pages::checked::csv),
        at("/checked/{parcel}/findings.xlsx").get(May(&[Action::Check]), pages::checked::xlsx),
        at("/sign-in")
            .get(Anyone, pages::sign_in::show)
            .post(Anyone, pages::sign_in::ask),
        at("/sign-in/link/{secret}")
            .get(Anyone, pages::sign_in::link)
            .post(Anyone, pages::sign_in::open_link),
        at("/sign-in/code")
            .get(Anyone, pages::sign_in::code)
            .post(Anyone, pages::sign_in::enter_code),
        at("/sign-in/with/{provider}").get(Anyone, pages::provider::go),
        at("/sign-in/back").get(Anyone, pages::provider::back),
        at("/sign-in/demo").post(Anyone, pages::sign_in::as_demo),
        at("/sign-out").post(SignedIn, pages::sign_in::sign_out),
        at("/returns/{return_id}/{period}").get(SignedIn, pages::collection::show),
        at("/returns/{return_id}/{period}/datasets")
            .get(figures, pages::datasets::show)
            .post(May(&[Action::DraftRelease]), pages::datasets::draft),
        at("/returns/{return_id}/{period}/look").get(figures, pages::look::show),
        at("/returns/{return_id}/{period}/look.csv").get(figures, pages::look::csv),
        at("/releases/{release}")
            .get(see_releases, pages::releases::show)
            .post(May(&[Action::ApproveRelease]), pages::releases::approve),
        at("/releases/{release}/changes").get(see_releases, pages::release_changes::show),
        at("/submissions/{id}/values/{table}/{row}/{item}").get(trace, pages::lineage::show),
        at("/submissions/{id}/cells").get(trace, pages::lineage::at_cell),
        at("/returns/{return_id}/{period}/{organisation}")
            .get(May(&[Action::SeeObligation]), pages::duty::show),
        at("/returns/{return_id}/{period}/{organisation}/nothing-to-report")
            .get(May(&[Action::SeeObligation]), pages::nil::ask)
            .post(May(&[Action::DeclareNil]), pages::nil::declare),
        at("/returns/{return_id}/{period}/{organisation}/more-time")
            .get(
                May(&[Action::AskForExtension, Action::DecideExtension]),
                pages::more_time::show,
            )
            .post(May(&[Action::AskForExtension]), pages::more_time::ask),
        at("/returns/{return_id}/{period}/{organisation}/more-time/{request}")
            .get(May(&[Action::DecideExtension]), pages::more_time::to_decide)
            .post(May(&[Action::DecideExtension]), pages::more_time::decide),
        at("/returns/{return_id}/{period}/{organisation}/reminders").get(
            May(&[Action::SeeObligation]),
            pages::rounds::reminders::of_duty,
        ),
        at("/rounds").get(May(&[Action::SeeRounds]), pages::rounds::year::show),
        at("/rounds/asking").get(SignedIn, pages::rounds::asking::show),
        at("/rounds/burden").get(plan, pages::rounds::burden::show),
        at("/rounds/late").get(plan, pages::rounds::late::show),
        at("/rounds/many")
            .get(plan, pages::rounds::many::show)
            .post(plan, pages::rounds::many::change),
        at("/rounds/proposals")
            .get(plan, pages::rounds::proposals::show)
            .post(plan, pages::rounds::proposals::plan),
        at("/rounds/standing").get(plan, pages::rounds::standing::show),
        at("/rounds/workload").get(plan, pages::rounds::workload::show),
        at("/rounds/{return_id}/{period}").get(May(&[Action::SeeRounds]), pages::rounds::one::show),
        at("/rounds/{return_id}/{period}/reminders").get(plan, pages::rounds::reminders::of_round),
        at("/rounds/{return_id}/{period}/dates").post(plan, pages::rounds::one::set_dates),
        at("/rounds/{return_id}/{period}/cancellation").post(plan, pages::rounds::one::cancel),
        at("/rounds/{return_id}/{period}/organisations").post(plan, pages::rounds::one::require),
        at("/schedules")
            .get(plan, pages::schedules::list)
            .post(plan, pages::schedules::add),
        at("/schedules/{schedule}")
            .get(plan, pages::schedules::one::show)
            .post(plan, pages::schedules::one::change),
        at("/calendar")
            .get(SignedIn, pages::calendar::show)
            .post(SignedIn, pages::calendar::make),
        at("/calendar/{secret}.ics").get(Anyone, pages::calendar::feed),
        at("/calendar/{feed}/end").post(SignedIn, pages::calendar::revoke),
        at("/organisations").get(May(&[Action::SeeOrganisations]), pages::organisations::list),
        at("/organisations/{code}")
            .get(May(&[Action::SeeOrganisations]), pages::organisations::show),
        at("/organisations/{code}/holidays")
            .get(
                May(&[Action::SeeOrganisations]),
                pages::organisations::holidays::show,
            )
            .post(plan, pages::organisations::holidays::say),
        at("/organisations/{code}/people")
            .get(May(&[Action::SeePeople]), pages::people::show)
            .post(May(&[Action::InvitePeople]), pages::people::invite),
        at("/organisations/{code}/people/{person}")
            .get(May(&[Action::InvitePeople]), pages::people::show_one)
            .post(May(&[Action::InvitePeople]), pages::people::change),
        at("/organisations/{code}/own-sign-off").post(
            May(&[Action::AllowOwnSignOff]),
            pages::people::allow_own_sign_off,
        ),
        at("/organisations/{code}/audit").get(May(&[Action::SeeAudit]), pages::audit::of_one),
        at("/organisations/{code}/audit.csv")
            .get(May(&[Action::SeeAudit]), pages::audit::export::csv_of_one),
        at("/organisations/{code}/audit.jsonl")
            .get(May(&[Action::SeeAudit]), pages::audit::export::lines_of_one),
        at("/audit.csv").get(May(&[Action::SeeAudit]), pages::audit::export::csv_of_all),
        at("/audit.jsonl").get(May(&[Action::SeeAudit]), pages::audit::export::lines_of_all),
        at("/audit").get(May(&[Action::SeeAudit]), pages::audit::of_all),
        at("/programs")
            .get(SignedIn, pages::programs::list)
            .post(SignedIn, pages::programs::make),
        at("/webhooks")
            .get(SignedIn, pages::webhooks::list)
            .post(SignedIn, pages::webhooks::ask),
        at("/webhooks/{hook}")
            .get(May(&[Action::ManageClients]), pages::webhooks::show)
            .post(May(&[Action::ManageClients]), pages::webhooks::change),
        at("/programs/{client}").post(May(&[Action::ManageClients]), pages::programs::end),
        at("/submissions/{id}").get(May(&[Action::SeeSubmission]), pages::submission::show),
        at("/submissions/{id}/changes").get(May(&[Action::Compare]), pages::changes::show),
        at("/submissions/{id}/receipt")
            .get(May(&[Action::SeeSubmission]), pages::handover::receipt),
        at("/submissions/{id}/messages").post(May(&[Action::WriteMessage]), pages::handover::write),
        at("/submissions/{id}/hand-over/{verb}")
            .get(May(&[Action::SeeSubmission]), pages::handover::ask)
            .post(HAND_OVER, pages::handover::press),
        at("/submissions/{id}/checks/{rule}").get(see_findings, pages::findings::show),
        at("/submissions/{id}/checks/{rule}/explanations")
            .post(May(&[Action::Explain]), pages::explain::explain),
        at("/submissions/{id}/checks/{rule}/exceptions")
            .post(May(&[Action::AskForWaiver]), pages::explain::ask),
        at("/exceptions").get(SignedIn, pages::waivers::list),
        at("/exceptions/{id}")
            .get(
                May(&[Action::AskForWaiver, Action::DecideWaiver]),
                pages::waivers::show,
            )
            .post(May(&[Action::DecideWaiver]), pages::waivers::decide),
        at("/exceptions/{id}/end").post(May(&[Action::DecideWaiver]), pages::waivers::end),
        at(format!("{returns}/organisations/{{code}}/submissions"))
            .post(May(&[Action::Send]), api::receive::receive),
        at(format!("{returns}/organisations/{{code}}/checks"))
            .post(May(&[Action::Check]), api::check::ask),
        at("/api/checks/{parcel}").get(May(&[Action::Check]), api::check::show),
        at("/api/checks/{parcel}/findings.json").get(May(&[Action::Check]), api::check::findings),
        at(format!("{returns}/dataset.{{ending}}")).get(figures, api::dataset::show),
        at(format!("{returns}/dataset/manifest.json")).get(figures, api::dataset::manifest),
        at("/api/returns/{return_id}/releases").get(see_releases, api::releases::list),
        at("/api/releases/{release}").get(see_releases, api::releases::show),
        at("/api/releases/{release}/changes.csv").get(see_releases, api::releases::changes),
        at("/api/releases/{release}/files/{name}").get(see_releases, api::releases::file),
        at(format!("{submission}/values/{{table}}/{{row}}/{{item}}"))
            .get(trace, api::lineage::show),
        at(format!("{returns}/template.xlsx")).get(May(&[Action::SeeRounds]), api::template::blank),
        at(format!("{returns}/organisations/{{code}}/template.xlsx"))
            .get(May(&[Action::FillTemplate]), api::template::filled),
        at("/api/docs").get(Anyone, pages::api_docs::show),
        at("/api/docs/shapes").get(Anyone, pages::api_docs::show_shapes),
        at("/api/openapi.json").get(Anyone, api::document::show),
        at("/api/returns").get(SignedIn, api::returns::list),
        at("/api/returns/{return_id}/versions/{version}").get(SignedIn, api::returns::version),
        at("/api/rounds").get(SignedIn, api::rounds::rounds),
        at("/api/obligations").get(SignedIn, api::rounds::obligations),
        at("/api/submissions").get(SignedIn, api::submissions::list),
        at("/api/organisations").get(May(&[Action::SeeOrganisations]), api::organisations::list),
        at(submission).get(May(&[Action::SeeSubmission]), api::submission::show),
        at(format!("{submission}/changes.csv")).get(May(&[Action::Compare]), api::changes::csv),
        at(format!("{submission}/submit")).post(May(&[Action::Submit]), api::handover::submit),
        at(format!("{submission}/explanations"))
            .post(May(&[Action::Explain]), api::explanations::explain),
        at(format!("{submission}/findings.json")).get(see_findings, api::findings::json),
        at(format!("{submission}/findings.csv")).get(see_findings, api::findings::csv),
        at(format!("{submission}/findings.xlsx")).get(see_findings, api::workbooks::findings),
        at(format!("{submission}/marked.xlsx"))
            .get(May(&[Action::DownloadMarked]), api::workbooks::marked),
        at("/health/live").get(Anyone, health::live),
        at("/health/ready").get(Anyone, health::ready),
        at("/accessibility").get(Anyone, pages::accessibility::show),
        at("/assets/{name}").get(Anyone, assets::show),
    ]
}

/// One address with its methods; any other method is answered 405, naming those that are allowed.
struct At {
    path: String,
    routes: Vec<actix_web::Route>,
    methods: Vec<(&'static str, For)>,
}

fn at(path: impl Into<String>) -> At {
    At {
        path: path.into(),
        routes: Vec::new(),
        methods: Vec::new(),
    }
}

impl At {
    fn get<F, Args>(mut self, whom: For, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(("GET", whom));
        let get = guard::Any(guard::Get()).or(guard::Head());
        self.routes.push(web::route().guard(get).to(handler));
        self
    }

    fn post<F, Args>(mut self, whom: For, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(("POST", whom));
        self.routes.push(web::post().to(handler));
        self
    }
}

impl HttpServiceFactory for At {
    fn register(self, config: &mut AppService) {
        let allowed: Vec<&str> = self
            .methods
            .iter()
            .flat_map(|(method, _)| match *method {
                "GET" => &["GET", "HEAD"][..],
                _ => &["POST"],
            })
            .copied()
            .collect();
        let allowed = allowed.join(", ");
        let resource = self
            .routes
            .into_iter()
            .fold(web::resource(self.path), Resource::route);
        resource
            .default_service(web::to(move |method: Method| {
                let allowed = allowed.clone();
                async move { method_not_allowed(&method, &allowed) }
            }))
            .register(config);
    }
}

/// A method of an address, and whom it is for.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) whom: For,
}

/// All of them.
pub(crate) fn routes() -> Vec<Route> {
    let routes = |at: At| {
        let path = at.path;
        let methods = at.methods.into_iter();
        methods.map(move |(method, whom)| Route {
            method,
            path: path.clone(),
            whom,
        })
    };
    addresses().into_iter().flat_map(routes).collect()
}

fn method_not_allowed(method: &Method, allowed: &str) -> HttpResponse {
    let mut response = Problem::method_not_allowed(method, allowed).response();
    if let Ok(allowed) = header::HeaderValue::from_str(allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
