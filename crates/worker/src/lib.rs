//! A plain async function per job.
//!
//! A job runs at least once, so that each function bears being run again.
//! It knows nothing of HTTP and opens no transaction: what a job stores, a `workflow` verb stores.

mod jobs;
mod schedules;
mod scratch;
mod stages;
mod task;

use std::path::PathBuf;
use std::sync::Arc;

use child::Child;
use db::Db;
use files::Files;
use lake::Lake;
use mail::Mailer;
use queue::Runner;
use spec::ReturnSpec;
use tokio::sync::watch;
use webhook::Poster;
use workflow::{
    Actor, AddUpJob, AssessGivenUpJob, AssessJob, BuildReleaseJob, CheckCollectionJob, CheckJob,
    DRAFT_RELEASE_JOB, DeliverJob, ForgetJob, LakeJob, MarkJob, PROPOSE_ROUNDS_JOB,
    ParcelGivenUpJob, REMIND_JOB, RecogniseJob, SendEmailJob, SendLinkJob, TURN_ROUNDS_JOB,
    TellClientEndsJob, TellExplainedJob, TellJob, TellNewsJob,
};

pub use task::task;

/// What jobs work with.
pub struct Worker {
    pub db: Db,
    pub files: Files,
    /// `None`: accepted figures are not published there.
    pub lake: Option<Lake>,
    pub mailer: Mailer,
    /// How a file is assessed: in a process of its own.
    pub child: Child,
    /// Every published version.
    pub specs: Vec<ReturnSpec>,
    /// How servers that asked for it are told what happens.
    pub poster: Poster,
    /// The site's address in emails, without a trailing slash.
    pub base_url: String,
    /// A local folder for the files that are being assessed.
    pub scratch: PathBuf,
}

impl Worker {
    fn actor() -> Actor {
        Actor::system("worker")
    }

    fn spec(&self, return_id: &str, version: &str) -> Option<&ReturnSpec> {
        self.specs
            .iter()
            .find(|spec| spec.id == return_id && spec.version == version)
    }
}

/// Mails on their way at the same time, which nobody's server may hold up for the others.
const N_MAILS: usize = 2;
/// Messages to servers of others on their way at the same time: one that answers nothing keeps its place for seconds.
const N_DELIVERIES: usize = 4;
/// Organisations whose records are added up at the same time, which takes long where they are many.
const N_ADDING_UP: usize = 1;

/// Runs jobs until told to stop; then finishes those that run.
///
/// What waits for others' servers, and what makes a look quicker, runs beside the work on files, so that none of it holds
/// up anybody's checks.
pub async fn run(worker: Worker, settings: queue::Settings, stop: watch::Receiver<bool>) {
    scratch::sweep_or_warn(&worker.scratch).await;
    let db = worker.db.clone();
    let worker = Arc::new(worker);
    let beside = |concurrency| {
        let settings = queue::Settings {
            concurrency,
            ..settings.clone()
        };
        Runner::new(db.clone(), settings)
    };
    let mails = of_mails(beside(N_MAILS), &worker);
    let deliveries = of_deliveries(beside(N_DELIVERIES), &worker);
    let adding_up = of_adding_up(beside(N_ADDING_UP), &worker);
    let files = of_files(Runner::new(db.clone(), settings.clone()), &worker);
    let files = of_rounds(files, &worker);
    tokio::join!(
        files.run(stop.clone()),
        mails.run(stop.clone()),
        deliveries.run(stop.clone()),
        adding_up.run(stop.clone()),
        schedules::keep(db.clone(), stop),
    );
}

fn of_mails(runner: Runner, worker: &Arc<Worker>) -> Runner {
    let for_links = Arc::clone(worker);
    let for_mail = Arc::clone(worker);
    runner
        .handle(SendLinkJob::KIND, move |job, _claimed| {
            jobs::send_sign_in_link::send_sign_in_link(Arc::clone(&for_links), job)
        })
        .handle(SendEmailJob::KIND, move |job, _claimed| {
            jobs::send_email::send_email(Arc::clone(&for_mail), job)
        })
}

fn of_deliveries(runner: Runner, worker: &Arc<Worker>) -> Runner {
    let worker = Arc::clone(worker);
    runner.handle(DeliverJob::KIND, move |job, claimed| {
        jobs::deliver::deliver(Arc::clone(&worker), job, claimed)
    })
}

fn of_adding_up(runner: Runner, worker: &Arc<Worker>) -> Runner {
    let worker = Arc::clone(worker);
    runner.handle(AddUpJob::KIND, move |job, _claimed| {
        jobs::add_up::add_up(Arc::clone(&worker), job)
    })
}

fn of_files(runner: Runner, worker: &Arc<Worker>) -> Runner {
    let for_assess = Arc::clone(worker);
    let for_collections = Arc::clone(worker);
    let for_given_up = Arc::clone(worker);
    let for_releases = Arc::clone(worker);
    let for_mark = Arc::clone(worker);
    let for_recognising = Arc::clone(worker);
    let for_checks = Arc::clone(worker);
    let for_forgetting = Arc::clone(worker);
    let for_parcels_given_up = Arc::clone(worker);
    let for_lake = Arc::clone(worker);
    runner
        .handle(AssessJob::KIND, move |job, claimed| {
            jobs::assess::assess(Arc::clone(&for_assess), job, claimed)
        })
        .handle(AssessGivenUpJob::KIND, move |job, _claimed| {
            jobs::assess_given_up::assess_given_up(Arc::clone(&for_given_up), job)
        })
        .handle(CheckCollectionJob::KIND, move |job, _claimed| {
            jobs::check_collection::check_collection(Arc::clone(&for_collections), job)
        })
        .handle(BuildReleaseJob::KIND, move |job, _claimed| {
            jobs::build_release::build_release(Arc::clone(&for_releases), job)
        })
        .handle(RecogniseJob::KIND, move |job, _claimed| {
            jobs::recognise::recognise(Arc::clone(&for_recognising), job)
        })
        .handle(CheckJob::KIND, move |job, claimed| {
            jobs::check::check(Arc::clone(&for_checks), job, claimed)
        })
        .handle(ForgetJob::KIND, move |job, _claimed| {
            jobs::forget::forget(Arc::clone(&for_forgetting), job)
        })
        .handle(ParcelGivenUpJob::KIND, move |job, _claimed| {
            jobs::forget::given_up(Arc::clone(&for_parcels_given_up), job)
        })
        .handle(LakeJob::KIND, move |job, _claimed| {
            jobs::lake::lake(Arc::clone(&for_lake), job)
        })
        .handle(MarkJob::KIND, move |job, _claimed| {
            jobs::mark::mark(Arc::clone(&for_mark), job)
        })
}

fn of_rounds(runner: Runner, worker: &Arc<Worker>) -> Runner {
    let for_telling = Arc::clone(worker);
    let for_explained = Arc::clone(worker);
    let for_news = Arc::clone(worker);
    let for_news_anew = Arc::clone(worker);
    let for_clients = Arc::clone(worker);
    let for_turns = Arc::clone(worker);
    let for_reminders = Arc::clone(worker);
    let for_proposals = Arc::clone(worker);
    let for_drafts = Arc::clone(worker);
    runner
        .handle(TellJob::KIND, move |job, _claimed| {
            jobs::tell::tell(Arc::clone(&for_telling), job)
        })
        .handle(TellExplainedJob::KIND, move |job, _claimed| {
            jobs::tell_explained::tell_explained(Arc::clone(&for_explained), job)
        })
        .handle(TellNewsJob::KIND, move |job, _claimed| {
            jobs::tell_news::tell_news(Arc::clone(&for_news), job)
        })
        .handle(TellNewsJob::KIND_ANEW, move |job, _claimed| {
            jobs::tell_news::tell_news(Arc::clone(&for_news_anew), job)
        })
        .handle(TellClientEndsJob::KIND, move |job, _claimed| {
            jobs::tell_client_ends::tell_client_ends(Arc::clone(&for_clients), job)
        })
        .handle(TURN_ROUNDS_JOB, move |job, _claimed| {
            jobs::rounds::turn(Arc::clone(&for_turns), job)
        })
        .handle(REMIND_JOB, move |job, _claimed| {
            jobs::rounds::remind(Arc::clone(&for_reminders), job)
        })
        .handle(PROPOSE_ROUNDS_JOB, move |job, _claimed| {
            jobs::rounds::propose(Arc::clone(&for_proposals), job)
        })
        .handle(DRAFT_RELEASE_JOB, move |job, _claimed| {
            jobs::rounds::draft_release(Arc::clone(&for_drafts), job)
        })
}
