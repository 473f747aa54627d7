//! The second wall: what a statement gets, whatever it asks for, follows from whom its transaction acts for.

use access::ActorId;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::join_all;
use spec::ReturnSpec;
use testkit::TestDb;
use testkit::returns::{cases, financial_quarter};
use uuid::Uuid;

use crate::events::NewEvent;
use crate::explanations::{By, Of};
use crate::extensions::NewExtension;
use crate::records::Block;
use crate::submissions::{NewSubmission, TableRows};
use crate::waivers::NewWaiver;
use crate::{
    Access, Config, Conn, Db, Sees, Tx, cycles, events, explanations, extensions, findings,
    handovers, messages, organisations, own_sign_offs, parcels, records, returns, submissions,
    waivers,
};

const ARDBEG: &str = "S12000001";
const BRORA: &str = "S12000002";

/// Tables with rows of organisations. One that is added and not listed here fails below.
const WALLED: [&str; 33] = [
    "calendar_feed",
    "collection_check",
    "collection_check_member",
    "collection_finding",
    "email",
    "event",
    "explanation",
    "extension",
    "extension_decided_anew",
    "extension_decision",
    "file",
    "finding",
    "handover",
    "look_sum",
    "marked_workbook",
    "message",
    "obligation",
    "obligation_requirement",
    "own_sign_off",
    "parcel",
    "release",
    "release_approval",
    "release_file",
    "release_publication",
    "release_submission",
    "reminder",
    "reminder_digest",
    "submission",
    "submission_comparison",
    "submission_table",
    "waiver",
    "waiver_decision",
    "waiver_revocation",
];

/// Tables without any.
const OPEN: [&str; 14] = [
    "cycle",
    "cycle_cancellation",
    "cycle_date",
    "cycle_turn",
    "event_link",
    "job",
    "local_holiday",
    "organisation",
    "organisation_fact",
    "reference_values",
    "return_version",
    "schedule",
    "schedule_change",
    "schedule_fire",
];

fn only(code: &str) -> Sees {
    Sees::Organisations(vec![code.to_owned()])
}

/// What only an organisation itself may ever see.
fn canary(code: &str) -> String {
    format!("canary of {code}")
}

async fn connected(database: &TestDb, access: Access) -> Db {
    let config = Config {
        access,
        ..Config::new(database.url())
    };
    Db::connect(&config).await.unwrap()
}

/// Each of two organisations has sent a file with its canary in everything that is kept of it.
async fn two_organisations(database: &TestDb) -> (Db, ReturnSpec) {
    let spec = cases();
    let period = financial_quarter("2026-27-Q1", "2026-04-01", "2026-06-30");
    let owner = connected(database, Access::Owner).await;
    let mut tx = owner.begin(&Sees::Everyone).await.unwrap();
    for organisation in &testkit::returns::organisations().0 {
        organisations::put(&mut tx, organisation).await.unwrap();
    }
    returns::publish(&mut tx, &spec).await.unwrap();
    records::ensure_tables(&mut tx, &spec).await.unwrap();
    let cycle = cycles::NewCycle {
        return_id: &spec.id,
        version: &spec.version,
        period: &period,
        opens_on: period.end,
        due_on: period.end,
    };
    let id = cycles::put(&mut tx, &cycle).await.unwrap().id;
    cycles::oblige(&mut tx, id, &spec.respondents.types, &spec.respondents.only)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let db = connected(database, Access::ReadAndWrite).await;
    for code in [ARDBEG, BRORA] {
        send(&db, &spec, code).await;
    }
    (db, spec)
}

/// As the organisation itself, and with no more rights than it has.
async fn send(db: &Db, spec: &ReturnSpec, code: &str) {
    let mut tx = db.begin(&only(code)).await.unwrap();
    let duty = cycles::duty(&mut tx, code, &spec.id, "2026-27-Q1")
        .await
        .unwrap()
        .unwrap();
    let sha256 = code.to_lowercase().replace('s', "a").repeat(7) + "b";
    submissions::put_file(&mut tx, &sha256, 1, &canary(code))
        .await
        .unwrap();
    let id = Uuid::now_v7();
    let new = NewSubmission {
        id,
        obligation_id: duty.obligation_id.unwrap(),
        organisation: code,
        sha256: &sha256,
        file_name: &canary(code),
        is_nil: false,
        uploaded_by: "someone",
        sent_by: ActorId::System,
        contact_email: None,
        received_at: chrono::Utc::now(),
        idempotency_key: "one",
    };
    submissions::add(&mut tx, &new).await.unwrap().unwrap();
    let rows = TableRows {
        table: "case".to_owned(),
        sheet: Some(canary(code)),
        n_rows: 1,
        n_loaded: 1,
        n_rejected: 0,
        n_ignored: 0,
        ignored: serde_json::json!([]),
        columns: std::collections::BTreeMap::new(),
    };
    submissions::add_table(&mut tx, id, &rows).await.unwrap();
    let finding = finding::Finding {
        key: Some(finding::FindingKey::stored("key".to_owned())),
        ..finding::Finding::new(
            "case.odd",
            finding::Severity::Query,
            canary(code),
            "Mend it.",
        )
    };
    findings::add(&mut tx, id, 1, &[finding]).await.unwrap();
    answer(&mut tx, id, code).await;
    let reference = [Some(canary(code))];
    let block = Block {
        row_numbers: &[2],
        columns: vec![("REF", &reference)],
        own: None,
    };
    records::add(&mut tx, spec, &spec.tables[0], id, code, &block)
        .await
        .unwrap();
    let event = NewEvent {
        actor: "someone",
        actor_id: ActorId::System,
        actor_organisation: Some(code),
        verb: "receive",
        organisation: Some(code),
        obligation_id: None,
        submission_id: Some(id),
        details: serde_json::json!({"canary": canary(code)}),
    };
    events::append(&mut tx, &event).await.unwrap();
    hand_over(&mut tx, id, code).await;
    put_in(&mut tx, code).await;
    tx.commit().await.unwrap();
}

/// A file that waits, and is nobody's return yet.
async fn put_in(tx: &mut Tx, code: &str) {
    let parcel = parcels::NewParcel {
        id: Uuid::now_v7(),
        batch: Uuid::now_v7(),
        ordinal: 1,
        organisation: code,
        put_in_by: ActorId::System,
        contact_email: None,
        idempotency_key: "one",
        file_name: &canary(code),
        sha256: &"0".repeat(64),
        n_bytes: 1,
        check_for: None,
        came_at: chrono::Utc::now(),
        goes_at: chrono::Utc::now(),
    };
    assert!(parcels::add(tx, &parcel).await.unwrap());
}

/// The finding is explained, a waiver is asked for, decided and taken back, and more time is asked for and decided on.
async fn answer(tx: &mut Tx, submission_id: Uuid, code: &str) {
    let by = By {
        id: ActorId::System,
        name: "someone",
    };
    let of = Of {
        submission_id,
        rule: "case.odd",
        keys: None,
    };
    let n_added = explanations::add(tx, of, &canary(code), by).await.unwrap();
    assert_eq!(n_added, 1);
    let waiver = NewWaiver {
        id: Uuid::now_v7(),
        organisation: code,
        return_id: "cases",
        rule: "case.odd",
        key: None,
        reason: &canary(code),
        submission_id,
        by,
    };
    waivers::add(tx, &waiver).await.unwrap();
    let waiver = waivers::find(tx, waiver.id).await.unwrap().unwrap();
    waivers::decide(tx, &waiver, None, &canary(code), by)
        .await
        .unwrap();
    assert!(
        waivers::revoke(tx, &waiver, &canary(code), by)
            .await
            .unwrap()
    );
    let submission = submissions::find(tx, submission_id).await.unwrap().unwrap();
    let extension = NewExtension {
        id: Uuid::now_v7(),
        organisation: code,
        obligation_id: submission.obligation_id,
        asked_until: chrono::NaiveDate::MAX,
        reason: &canary(code),
        by,
    };
    assert!(extensions::add(tx, &extension).await.unwrap());
    let extension = extensions::find(tx, extension.id).await.unwrap().unwrap();
    extensions::decide(tx, &extension, None, &canary(code), by)
        .await
        .unwrap();
    let owed = (submission.obligation_id, code);
    cycles::dates::require(tx, owed, true, &canary(code), by)
        .await
        .unwrap();
}

/// Submitted with leave for one's own sign-off, and written about.
async fn hand_over(tx: &mut Tx, id: Uuid, code: &str) {
    let submitted = handovers::NewHandover {
        submission_id: id,
        organisation: code,
        verb: cycle::Verb::Submit,
        follows: None,
        by: ActorId::System,
        by_name: &canary(code),
        reason: None,
        own_sign_off: None,
        hours: None,
    };
    handovers::add(tx, &submitted).await.unwrap();
    let leave = own_sign_offs::NewLeave {
        organisation: code,
        until: chrono::NaiveDate::MAX,
        reason: &canary(code),
        by: ActorId::System,
        by_name: "someone",
    };
    own_sign_offs::add(tx, &leave).await.unwrap();
    let message = messages::NewMessage {
        id: Uuid::now_v7(),
        submission_id: id,
        organisation: code,
        by: ActorId::System,
        by_name: "someone",
        by_organisation: Some(code),
        text: &canary(code),
    };
    assert!(messages::add(tx, &message).await.unwrap());
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn names(conn: &mut Conn, sql: &str) -> Vec<String> {
    let rows: Vec<Named> = sql_query(sql).load(conn.connection()).await.unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

/// Every row of every table and view that may be read, as text.
async fn everything(conn: &mut Conn) -> String {
    let relations = names(
        conn,
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('public', 'ret') AND c.relkind IN ('r', 'v', 'p')
           AND has_table_privilege(c.oid, 'SELECT')
         ORDER BY 1",
    )
    .await;
    let mut all = String::new();
    for relation in relations {
        let rows = names(conn, &format!("SELECT r::text AS name FROM {relation} r")).await;
        all += &rows.join("\n");
    }
    all
}

#[tokio::test]
async fn an_organisations_transaction_gets_nothing_of_another_from_any_table() {
    let database = TestDb::new();
    let (db, _) = two_organisations(&database).await;
    let mut all = db.read(&Sees::Everyone).await.unwrap();
    let all = everything(&mut all).await;
    for (own, other) in [(ARDBEG, BRORA), (BRORA, ARDBEG)] {
        let mut reading = db.read(&only(own)).await.unwrap();
        let seen = everything(&mut reading).await;
        assert!(!seen.contains(&canary(other)), "{own} sees {other}: {seen}");
        // File, submission, its table, a finding, a record (and as it counts), an event, an explanation, a waiver,
        // what was decided on it and that it was taken back, a request for more time and what was decided on it, what was
        // done with the version, leave, a message, that an answer is wanted, and a file that waits.
        assert_eq!(seen.matches(&canary(own)).count(), 18, "{seen}");
        assert_eq!(all.matches(&canary(own)).count(), 18, "{all}");
    }
}

#[tokio::test]
async fn without_saying_for_whom_no_row_is_seen() {
    let database = TestDb::new();
    let (db, _) = two_organisations(&database).await;
    let mut conn = db.conn().await.unwrap();
    let seen = everything(&mut conn).await;
    assert!(!seen.contains("canary"), "{seen}");
    for nearly in [
        "",
        "S120000010",
        "S1200000",
        " S12000001",
        "s12000001",
        "%",
        "S12000001'",
    ] {
        let mut reading = db.read(&only(nearly)).await.unwrap();
        let seen = everything(&mut reading).await;
        assert!(!seen.contains("canary"), "{nearly:?}: {seen}");
    }
    // Two codes in one are none.
    let both = format!("{ARDBEG},{BRORA}");
    let mut reading = db.read(&only(&both)).await.unwrap();
    assert!(!everything(&mut reading).await.contains("canary"));
}

#[tokio::test]
async fn a_row_of_another_organisation_can_not_be_written() {
    let database = TestDb::new();
    let (db, _) = two_organisations(&database).await;
    for sql in [
        "INSERT INTO event (actor, verb, organisation) VALUES ('x', 'x', 'S12000002')",
        "INSERT INTO event (actor, verb) VALUES ('x', 'x')",
        "INSERT INTO finding (submission_id, ordinal, rule, severity, message, fix)
         VALUES ('00000000-0000-7000-8000-000000000000', 1, 'x', 'note', 'x', 'x')",
    ] {
        let mut tx = db.begin(&only(ARDBEG)).await.unwrap();
        let error = tx.connection().batch_execute(sql).await.unwrap_err();
        assert!(
            error.to_string().contains("row-level security"),
            "{sql}: {error}"
        );
    }
    // Nor found to be changed.
    let mut tx = db.begin(&only(ARDBEG)).await.unwrap();
    let n_changed =
        sql_query("UPDATE submission SET attention_at = now() WHERE organisation = 'S12000002'")
            .execute(tx.connection())
            .await
            .unwrap();
    assert_eq!(n_changed, 0);
}

#[tokio::test]
async fn the_application_owns_nothing_and_may_not_take_the_wall_down() {
    let database = TestDb::new();
    let (db, spec) = two_organisations(&database).await;
    let mut conn = db.conn().await.unwrap();
    let owned = names(
        &mut conn,
        "SELECT c.relname::text AS name FROM pg_class c WHERE pg_get_userbyid(c.relowner) = current_user
         UNION ALL SELECT 'itself' FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)",
    )
    .await;
    assert!(owned.is_empty(), "{owned:?}");
    let table = format!("ret.{}_v1_0_case", spec.id);
    for sql in [
        "ALTER TABLE submission DISABLE ROW LEVEL SECURITY".to_owned(),
        "DROP POLICY own_rows ON finding".to_owned(),
        "DELETE FROM event".to_owned(),
        "UPDATE event SET verb = 'x'".to_owned(),
        "TRUNCATE event".to_owned(),
        "INSERT INTO event_link VALUES (9, 1, sha256(''))".to_owned(),
        "DELETE FROM event_link".to_owned(),
        "DELETE FROM submission".to_owned(),
        "UPDATE submission SET organisation = 'S12000002'".to_owned(),
        format!("UPDATE {table} SET row_number = 9"),
        "INSERT INTO organisation (code, name, kind) VALUES ('S12000009', 'x', 'council')"
            .to_owned(),
        "CREATE TABLE mine (a int)".to_owned(),
        "SET ROLE postgres".to_owned(),
    ] {
        let mut tx = db.begin(&Sees::Everyone).await.unwrap();
        let error = tx.connection().batch_execute(&sql).await.err();
        assert!(error.is_some(), "{sql}");
    }
}

#[derive(QueryableByName)]
struct Walled {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    forced: bool,
    #[diesel(sql_type = BigInt)]
    n_policies: i64,
}

#[tokio::test]
async fn every_table_is_walled_or_known_to_need_no_wall() {
    let database = TestDb::new();
    let (db, _) = two_organisations(&database).await;
    let tables: Vec<Walled> = sql_query(
        "SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
                (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS n_policies
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('public', 'ret') AND c.relkind IN ('r', 'p')
           AND c.relname <> '__diesel_schema_migrations'
         ORDER BY n.nspname, c.relname",
    )
    .load(db.conn().await.unwrap().connection())
    .await
    .unwrap();
    assert!(
        tables.len() > WALLED.len() + OPEN.len(),
        "the record tables are there"
    );
    for table in tables {
        let name = table.name.as_str();
        if OPEN.contains(&name) {
            assert!(!table.forced, "{name}");
        } else {
            assert!(table.forced && table.n_policies > 0, "{name} has no wall");
        }
    }
    // A view runs with its owner's rights unless it says otherwise.
    let views = names(
        &mut db.conn().await.unwrap(),
        "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('public', 'ret') AND c.relkind = 'v'
           AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)",
    )
    .await;
    assert!(views.is_empty(), "with their owner's rights: {views:?}");
}

#[tokio::test]
async fn many_readers_through_few_connections_each_see_their_own() {
    let database = TestDb::new();
    two_organisations(&database).await;
    let config = Config {
        max_connections: 4,
        ..Config::new(database.url())
    };
    let db = Db::connect(&config).await.unwrap();
    let one = |n: usize| {
        let db = db.clone();
        async move {
            let own = [ARDBEG, BRORA][n % 2];
            let sql = "SELECT file_name AS name FROM submission";
            let mut reading = db.read(&only(own)).await.unwrap();
            let seen = names(&mut reading, sql).await;
            assert_eq!(seen, [canary(own)]);
        }
    };
    for block in 0..100 {
        join_all((0..100).map(|n| one(block + n))).await;
    }
}

/// As a migration that adds a table does it.
#[tokio::test]
async fn a_table_is_walled_by_one_statement() {
    let database = TestDb::new();
    two_organisations(&database).await;
    let owner = connected(&database, Access::Owner).await;
    let mut tx = owner.begin(&Sees::Everyone).await.unwrap();
    let walls = "CREATE TABLE by_organisation (organisation text);
        CREATE TABLE by_submission (submission_id uuid);
        CREATE TABLE for_everyone (n integer);
        SELECT wall('by_organisation', 'organisation'), wall('by_submission', 'submission'), wall('for_everyone', 'everyone');
        GRANT SELECT ON by_organisation, by_submission, for_everyone TO lgdp_app;
        INSERT INTO by_organisation SELECT organisation FROM submission;
        INSERT INTO by_submission SELECT id FROM submission;
        INSERT INTO for_everyone VALUES (1), (2);
        SELECT rows_never_change('for_everyone')";
    tx.connection().batch_execute(walls).await.unwrap();
    tx.commit().await.unwrap();

    let db = connected(&database, Access::ReadAndWrite).await;
    let counts = "SELECT (SELECT count(*) FROM by_organisation) || ' ' || (SELECT count(*) FROM by_submission)
        || ' ' || (SELECT count(*) FROM for_everyone) AS name";
    for (sees, expected) in [
        (Sees::Everyone, "2 2 2"),
        (only(ARDBEG), "1 1 0"),
        (only("S12999999"), "0 0 0"),
    ] {
        let mut reading = db.read(&sees).await.unwrap();
        assert_eq!(names(&mut reading, counts).await, [expected], "{sees:?}");
    }
    for refused in [
        "SELECT wall('by_organisation', 'name')",
        "DELETE FROM for_everyone",
    ] {
        let mut tx = owner.begin(&Sees::Everyone).await.unwrap();
        assert!(tx.connection().batch_execute(refused).await.is_err());
    }
}
