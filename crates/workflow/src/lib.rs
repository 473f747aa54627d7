//! The verbs: one function, one transaction.
//!
//! Every write of the product goes through here: permission, state, event, job and email are committed together or not at all.
//! Each verb and each read takes the [`Actor`] after its connections; what an organisation's actor may not see does not exist for it.
//! It knows nothing of HTTP, and no caller opens a transaction of its own.

mod actor;
mod attention;
mod audit;
mod beginning;
mod calendar_feeds;
mod clients;
mod collection;
mod compare;
mod dataset;
mod explain;
mod extensions;
mod handover;
mod lake;
mod lineage;
mod load;
mod local_holidays;
mod look;
mod mark;
mod messages;
mod news;
mod organisations;
mod outbox;
mod owed;
mod pages;
mod parcels;
mod people;
mod progress;
mod publish;
mod read;
mod reassess;
mod receive;
mod releases;
mod reminders;
mod rounds;
mod schedules;
mod series;
mod tell;
mod to_assess;
mod waivers;
mod webhooks;

#[cfg(test)]
mod tests;

pub use crate::dataset::{
    Dataset, Figures, WantedDataset, WantedError, check_room, dataset, figures, write_dataset,
    write_dataset_file,
};
pub use access::Actor;
pub use actor::Denied;
pub use attention::{AssessGivenUpJob, RetryError, give_up, retry};
pub use audit::{Export, Trail, export_trail, next_of_export, trail, verify_audit};
pub use beginning::{Beginning, beginning};
pub use calendar_feeds::{Feed, OfWhat, make_feed, own_feeds, read_feed, revoke_feed};
pub use clients::{
    Client, ClientError, LONGEST_CLIENT_DAYS, NewClient, TellClientEndsJob, add_client, client,
    clients, may_make_clients, revoke_client, tell_client_ends,
};
pub use collection::{
    CheckCollectionJob, CollectionError, ToCheckCollection, collection, store_collection,
    to_check_collection, version_of_round,
};
pub use compare::{
    AskedOfTwo, Change, ChangeCounts, ChangedRecord, Changes, ChangesCsvError, Figure, NothingIn,
    RuleChanges, TableChanges, TableOfTwo, ToCompare, Versions, changes, changes_csv, may_compare,
    nothing_to_compare, to_compare,
};
pub use db::parcels::{Parcel, ParcelState};
pub use explain::{
    Answers, ExplainError, Explaining, Explanation, LONGEST_TEXT, TellExplainedJob, Unexplained,
    Words, answers, explain, may_explain, tell_explained, unexplained,
};
pub use extensions::{
    AskingForTime, DecidingOnTime, Extension, ExtensionDecision, ExtensionError, LONGEST_MONTHS,
    ask_for_time, decide_on_time, due_without, extension_to_decide, extensions_of,
    extensions_to_decide, may_be_extended, may_on_time, time_of,
};
pub use handover::{
    HandedOver, Handover, HandoverError, LeaveError, NewerVersion, Next, accept,
    allow_own_sign_off, history, next, send_back, sign_off, sign_off_after, submit, who_signs_off,
    withdraw,
};
pub use lake::{Accepted, AcceptedError, LakeJob, accepted, fill_lake};
pub use lineage::{Remark, Traced, WhichValue, trace, value_at};
pub use load::{LoadError, Loaded, load, refuse};
pub use local_holidays::{
    DayOff, HolidayError, LONGEST_HOLIDAY, LocalHoliday, local_holidays, set_local_holiday,
};
pub use look::{AddUpError, AddUpJob, WantedLook, add_up, look, to_add_up};
pub use mail::is_address;
pub use mark::{
    MarkJob, ToMark, findings_cover, keep_marked, marked_file, marked_workbook, to_mark,
};
pub use messages::{Message, MessageError, may_read_messages, may_write, messages, write_message};
pub use news::{TellNewsJob, tell_news};
pub use organisations::{Listed, listed_organisations, publish_organisations};
pub use outbox::{
    EmailError, NextAttempt, SendEmailJob, email_to_send, mark_email_failed, mark_email_sent,
};
pub use owed::{
    Colleague, Collected, Obligation, OwedBy, RoundsAsked, collected, decide_for, late_since,
    may_for, may_with, owed, owed_in, owed_since, people_of, versions,
};
pub use pages::{Filter, PageOf, Paged, obligations_page, rounds_page, submissions_page};
pub use parcels::{
    Answer, CheckJob, Checked, ForgetJob, NewBatch, NewFile, ParcelError, ParcelGivenUpJob,
    RecogniseJob, ToCheck, Waiting, answer, batch, check, checked, forget, forget_checked,
    forget_in_time, give_up_parcel, leave, parcel, put_in, recognised, send, to_check,
    to_recognise,
};
pub use people::{
    Code, InviteError, Leave, Made, Member, Members, Presence, Secret, SendLinkJob, SignInError,
    SignedIn, acting, ask_for_link, begin_visit, disable, enable, end_role, end_visit,
    enter_as_demo, enter_by_feed, enter_by_link, enter_by_provider, enter_code, invite,
    invite_into, leave_of, made_by, may_disable, may_end, may_give, member, members, new_visit,
    second_proof, send_link, sign_out, who,
};
pub use progress::{Doing, Progress, progress};
pub use publish::{
    OpenCycleError, PublishError, open_cycle, plan_round, publish_reference_values, publish_returns,
};
pub use read::{
    Comparison, EmailState, FindingCount, MarkedWorkbook, NumberedFinding, OrganisationName,
    OriginalError, Submission, accounts, comparisons, emails_of, finding_counts, findings,
    findings_of_rule, first_findings, obligations, organisations, original, own_headings,
    submission, submissions_of,
};
pub use reassess::{
    AssessedThen, Selection, SelectionError, Which, assessed_submissions, assessed_then,
};
pub use receive::{
    NewUpload, Receipt, ReceiveError, declare_nil, nil_declaration, receive, receive_unless_sent,
};
pub use releases::{
    Approval, BuildReleaseJob, Building, Changed, Counted, DraftOf, DraftingRelease, FiguresIn,
    FileOfRelease, HowMuch, LeftOut, MOST_COUNTED, N_APPROVALS, Release, ReleaseError,
    ReleaseFileError, ReleaseInFull, ReleaseKind, ReleaseToBuild, TwoReleases, approve_release,
    build_release, building, draft_release, how_much_changed, keep_release, left_out, may_release,
    release_file, release_in_full, release_to_build, releases_of, threshold_of, two_releases,
    write_release_changes,
};
pub use reminders::{
    Logged, REMIND_JOB, RemindedOf, remind, reminder_in_words, reminders_in, reminders_of,
};
pub use rounds::{
    Because, Burden, BurdenOf, LONGEST_SOURCE, NewDates, PlannedRound, Reported, Required,
    RoundError, RoundName, Said, TakesPlace, burden, burden_of, cancel_round, decide_plan,
    last_said, may_plan, planned_round, planned_rounds, require, requirements, rounds_with_day,
    set_dates, span_of_rounds,
};
pub use schedules::{
    AddingSchedule, ChangingSchedule, DRAFT_RELEASE_JOB, Drafted, Fired, Firing, LONGEST_PURPOSE,
    PROPOSE_ROUNDS_JOB, Proposal, Schedule, ScheduleChange, ScheduleChangeError, ScheduleInFull,
    ScheduleKind, ScheduledJob, TURN_ROUNDS_JOB, add_schedule, change_schedule, draft_scheduled,
    fire_schedules, plan_proposals, proposals, schedule, schedules as all_schedules, turn_rounds,
};
pub use series::{Series, series};
pub use tell::{TellJob, tell};
pub use to_assess::{AssessJob, References, StoredFile, ToAssess, references, to_assess};
pub use waivers::{
    Asking, Deciding, Decision, LONGEST_YEARS, Revoked, Waiver, WaiverError, all_waivers,
    ask_for_waiver, decide_waiver, may_decide, revoke_waiver, waiver,
};
pub use webhooks::{
    DeliverJob, NewWebhook, NextDelivery, ToDeliver, Webhook, WebhookAbout, WebhookError,
    WebhookEvent, WebhookMessage, add_webhook, end_webhook, host_of, may_make_webhooks,
    may_manage_webhook, note_delivery, send_again, to_deliver, webhook, webhooks,
};
