//! Schedules are added, changed and ended with who and why; what was due before stays due, and a release is drafted once.

use chrono::TimeDelta;
use cycle::{Certainty, DateKind};

use super::explanations::invited;
use super::*;

fn planner() -> Actor {
    person(Role::Scheduler, Reach::Everything)
}

fn adding(kind: ScheduleKind, rule: &'static str) -> AddingSchedule<'static> {
    AddingSchedule {
        kind,
        return_id: "form",
        rule,
        zone: "Europe/London",
        purpose: "For the bulletin",
        reason: "Asked for by the team",
    }
}

impl World {
    async fn add(&self, adding: &AddingSchedule<'_>) -> Result<String, ScheduleChangeError> {
        let versions = std::slice::from_ref(&self.spec);
        add_schedule(&self.db, &planner(), versions, adding, now()).await
    }

    async fn change(&self, name: &str, changing: ChangingSchedule<'_>) {
        for _ in 0..2 {
            change_schedule(&self.db, &planner(), name, changing, "So agreed", now())
                .await
                .unwrap();
        }
    }

    /// The moments of a schedule that were put in by then.
    async fn fired(&self, name: &str, by: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let fired = fire_schedules(&self.db, &system(), Some(by)).await.unwrap();
        let jobs = fired.jobs.into_iter();
        jobs.filter(|job| job.schedule == name)
            .map(|job| job.nominal_at)
            .collect()
    }

    async fn counted_by(&self, sql: &str) -> i64 {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client.query_one(sql, &[]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn those_who_add_schedules_at_once_each_have_theirs() {
    let world = world().await;
    let rules = ["0 7 * * *", "0 8 * * *", "0 9 * * *", "0 7 * * *"];
    let all = rules.map(|rule| adding(ScheduleKind::Remind, rule));
    let [one, two, three, four] = &all;
    let (one, two, three, four) = tokio::join!(
        world.add(one),
        world.add(two),
        world.add(three),
        world.add(four)
    );
    let mut names = [one, two, three].map(Result::unwrap);
    assert_eq!(four.unwrap(), names[0], "the same twice is one");
    names.sort();
    assert_eq!(names, ["remind-2", "remind-3", "remind-4"]);
}

#[tokio::test]
async fn what_is_done_with_a_schedule_stays_and_counts_from_then_on() {
    let world = world().await;
    let daily = adding(ScheduleKind::Remind, " 0  7 * * * ");
    let name = world.add(&daily).await.unwrap();
    assert_eq!(name, "remind-2", "the first is there from the beginning");
    assert_eq!(
        world.add(&daily).await.unwrap(),
        name,
        "the form is sent twice"
    );
    // The database's clock says from when it counts, so that all of this is to come.
    let start = Utc::now();
    let expected = |rule: &str, after: DateTime<Utc>, until| {
        let rule = cycle::Schedule::parse(rule, "Europe/London").unwrap();
        rule.between(after, until, 100)
    };
    let in_days = |n| start + TimeDelta::days(n);
    let first = world.fired(&name, in_days(3)).await;
    assert_eq!(first, expected("0 7 * * *", start, in_days(3)));

    let (rule, zone) = ("30 18 * * *", "Europe/London");
    world
        .change(&name, ChangingSchedule::Change { rule, zone })
        .await;
    let then = world.fired(&name, in_days(6)).await;
    assert_eq!(then, expected(rule, *first.last().unwrap(), in_days(6)));
    world.change(&name, ChangingSchedule::Pause).await;
    assert!(world.fired(&name, in_days(9)).await.is_empty());
    world.change(&name, ChangingSchedule::Resume).await;
    assert!(!world.fired(&name, in_days(12)).await.is_empty());
    world.change(&name, ChangingSchedule::End).await;
    assert!(world.fired(&name, in_days(15)).await.is_empty());
    let resumed = ChangingSchedule::Resume;
    let error = change_schedule(&world.db, &planner(), &name, resumed, "x", now()).await;
    assert!(matches!(error, Err(ScheduleChangeError::Ended)));

    let full = schedule(&world.db, &planner(), &name).await.unwrap();
    let done: Vec<&str> = full
        .changes
        .iter()
        .map(|change| change.what.as_str())
        .collect();
    assert_eq!(done, ["end", "resume", "pause", "change", "add"]);
    assert!(full.schedule.is_ended && !full.schedule.is_on);
    assert_eq!(full.changes[0].by_name, "Someone");
    assert_eq!(full.firings.len(), 10, "the newest");
    let events = "SELECT count(*) FROM event WHERE verb LIKE '%\\_schedule' AND actor = 'Someone'";
    assert_eq!(world.counted_by(events).await, 5);
    // Another one of the name may be added.
    assert_eq!(world.add(&daily).await.unwrap(), "remind-3");
}

#[tokio::test]
async fn what_was_due_before_a_change_is_done_and_what_comes_in_a_pause_is_not() {
    let world = world().await;
    let name = world
        .add(&adding(ScheduleKind::Remind, "0 * * * *"))
        .await
        .unwrap();
    // Nobody has looked for longer than is made up for at once.
    let owner =
        format!("UPDATE schedule SET since = now() - interval '600 hours' WHERE name = '{name}'");
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    client.batch_execute(&owner).await.unwrap();
    world.change(&name, ChangingSchedule::Pause).await;
    let jobs = format!("SELECT count(*) FROM schedule_fire WHERE schedule = '{name}'");
    assert_eq!(world.counted_by(&jobs).await, 600);
    world.change(&name, ChangingSchedule::Resume).await;
    let full = schedule(&world.db, &planner(), &name).await.unwrap();
    assert!(full.schedule.n_late >= 599, "{}", full.schedule.n_late);
}

#[tokio::test]
async fn a_schedule_that_makes_no_sense_is_refused_and_nobody_else_changes_one() {
    let world = world().await;
    let refused = async |adding: &AddingSchedule<'_>| world.add(adding).await.unwrap_err();
    let often = adding(ScheduleKind::DraftRelease, "0 7,15 * * *");
    assert!(matches!(
        refused(&often).await,
        ScheduleChangeError::TooOften { hours: 20 }
    ));
    let often = adding(ScheduleKind::Remind, "*/20 * * * *");
    assert!(matches!(
        refused(&often).await,
        ScheduleChangeError::TooOften { hours: 1 }
    ));
    let never = adding(ScheduleKind::Remind, "0 7 30 2 *");
    assert!(matches!(
        refused(&never).await,
        ScheduleChangeError::Rule(_)
    ));
    let unknown = AddingSchedule {
        return_id: "nothing",
        ..adding(ScheduleKind::DraftRelease, "0 7 5 * *")
    };
    assert!(matches!(
        refused(&unknown).await,
        ScheduleChangeError::UnknownReturn(_)
    ));
    let silent = AddingSchedule {
        reason: " ",
        ..adding(ScheduleKind::Remind, "0 7 5 * *")
    };
    assert!(matches!(
        refused(&silent).await,
        ScheduleChangeError::Text(_)
    ));
    let purposeless = AddingSchedule {
        purpose: "",
        ..adding(ScheduleKind::Remind, "0 7 5 * *")
    };
    assert!(matches!(
        refused(&purposeless).await,
        ScheduleChangeError::Purpose
    ));
    let team = person(Role::DatasetTeam, Reach::Return("form".to_owned()));
    for actor in [council(ARDBEG), team, Actor::nobody()] {
        let error = change_schedule(
            &world.db,
            &actor,
            "remind",
            ChangingSchedule::End,
            "x",
            now(),
        );
        assert!(matches!(error.await, Err(ScheduleChangeError::Denied(_))));
        assert!(all_schedules(&world.db, &actor).await.is_err());
    }
    // By facts alone.
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    for statement in [
        "DELETE FROM schedule_change",
        "SET ROLE lgdp_app; UPDATE schedule SET rule = '0 7 * * *'",
        "RESET ROLE; SET ROLE lgdp_app; UPDATE schedule SET is_on = false",
        "RESET ROLE; SET ROLE lgdp_app; DELETE FROM schedule",
    ] {
        let error = client.batch_execute(statement).await.unwrap_err();
        let code = error.code().map(tokio_postgres::error::SqlState::code);
        assert_eq!(code, Some("42501"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn a_schedule_drafts_a_release_of_the_newest_round_that_is_over_once() {
    let world = world().await;
    let of_team = Reach::Return("form".to_owned());
    invited(
        &world,
        "tess@team.example",
        Role::DatasetTeam,
        of_team.clone(),
    )
    .await;
    invited(&world, "tom@team.example", Role::DatasetTeam, of_team).await;
    let name = world
        .add(&adding(ScheduleKind::DraftRelease, "0 6 5 * *"))
        .await
        .unwrap();
    assert_eq!(name, "draft-release-form");
    // Two processes look at once, twice.
    let by = Utc::now() + TimeDelta::days(40);
    for _ in 0..2 {
        let worker = system();
        let look = || fire_schedules(&world.db, &worker, Some(by));
        let (one, other) = tokio::join!(look(), look());
        one.unwrap();
        other.unwrap();
    }
    let moments = format!("SELECT count(*) FROM schedule_fire WHERE schedule = '{name}'");
    let jobs = "SELECT count(*) FROM job WHERE kind = 'draft-release'";
    let n_moments = world.counted_by(&moments).await;
    assert!((1..=2).contains(&n_moments), "{n_moments}");
    assert_eq!(world.counted_by(jobs).await, n_moments);

    let draft = async |at: &str| {
        let job = ScheduledJob {
            schedule: name.clone(),
            nominal_at: at.parse().unwrap(),
        };
        let versions = std::slice::from_ref(&world.spec);
        let mut drafted = Vec::new();
        for _ in 0..2 {
            drafted.push(
                draft_scheduled(&world.db, &system(), versions, &job)
                    .await
                    .unwrap(),
            );
        }
        assert_eq!(drafted[0], drafted[1], "replayed");
        drafted[0]
    };
    // Due on 31 July: it is not over yet, and then nothing stands.
    assert_eq!(draft("2026-07-31T05:00:00Z").await, Drafted::Nothing);
    assert_eq!(draft("2026-08-05T05:00:00Z").await, Drafted::Nothing);
    world.hand_in("one").await;
    let Drafted::Release(id) = draft("2026-08-05T05:00:00Z").await else {
        panic!("something stands");
    };
    let releases = releases_of(&world.db, &system(), "form").await.unwrap();
    assert_eq!(releases.len(), 1);
    assert_eq!(
        (releases[0].id, releases[0].kind),
        (id, ReleaseKind::Provisional)
    );
    assert_eq!(
        releases[0].notes,
        "Drafted by a schedule for 5 August 2026 at 06:00."
    );
    assert!(releases[0].published.is_none(), "two people approve it");
    let mut told: Vec<String> = world
        .mailed("release-drafted")
        .await
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    told.sort();
    assert_eq!(told, ["tess@team.example", "tom@team.example"]);
    // The next moment has one of its own, once something is new.
    assert_eq!(draft("2026-09-05T05:00:00Z").await, Drafted::Nothing);
    world.hand_in("two").await;
    let Drafted::Release(next) = draft("2026-09-05T05:00:00Z").await else {
        panic!("something stands");
    };
    assert_ne!(id, next);

    // Where there is a closing day, that is when it is over.
    world
        .set(DateKind::Close, "2026-10-10", Certainty::Confirmed)
        .await;
    world.hand_in("three").await;
    assert_eq!(draft("2026-10-05T05:00:00Z").await, Drafted::Nothing);
    assert!(matches!(
        draft("2026-11-05T06:00:00Z").await,
        Drafted::Release(_)
    ));
}
