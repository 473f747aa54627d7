//! A release: drafted from what stands, built twice to the same bytes, approved by two people, and never another one.

mod changes;
mod values;

use std::collections::BTreeMap;

use ::dataset::Lineage;
use cycle::Verb;
use spec::disclosure::{Disclosure, Unprotected};

use super::*;

/// Somebody of the team that asks for the form.
pub(super) fn teammate(n: u128) -> Actor {
    Actor {
        id: ActorId::Person(Uuid::from_u128(n)),
        name: format!("Person {n}"),
        ..person(Role::DatasetTeam, Reach::Return("form".to_owned()))
    }
}

impl World {
    async fn accepted(&self, bytes: &str) -> Uuid {
        let id = self.hand_in(bytes).await;
        for verb in [Verb::SignOff, Verb::Accept] {
            let done = match verb {
                Verb::SignOff => sign_off(&self.db, &system(), id, now()).await,
                _ => accept(&self.db, &system(), id, now()).await,
            };
            assert_eq!(done.unwrap(), HandedOver::Now);
        }
        id
    }

    async fn draft(&self, id: Uuid, of: DraftOf, notes: &str) -> Result<(), ReleaseError> {
        self.draft_as(&teammate(1), id, of, notes).await
    }

    async fn draft_as(
        &self,
        actor: &Actor,
        id: Uuid,
        of: DraftOf,
        notes: &str,
    ) -> Result<(), ReleaseError> {
        self.draft_with(actor, id, of, FiguresIn::All, notes).await
    }

    async fn draft_with(
        &self,
        actor: &Actor,
        id: Uuid,
        of: DraftOf,
        figures: FiguresIn,
        notes: &str,
    ) -> Result<(), ReleaseError> {
        let drafting = DraftingRelease {
            id,
            versions: std::slice::from_ref(&self.spec),
            spec: &self.spec,
            from: &q1(),
            to: &q1(),
            of,
            lineage: Lineage::Cell,
            figures,
            notes,
        };
        draft_release(&self.db, actor, &drafting).await
    }

    /// As the worker's job does it.
    async fn build(&self, id: Uuid) {
        let to_build = release_to_build(&self.db, &system(), id).await.unwrap();
        let to_build = to_build.expect("it is to be built");
        let files = self.built(&to_build).await;
        let files: Vec<FileOfRelease> = files.into_values().collect();
        keep_release(&self.db, &system(), id, &files).await.unwrap();
        keep_release(&self.db, &system(), id, &files).await.unwrap();
        assert!(
            release_to_build(&self.db, &system(), id)
                .await
                .unwrap()
                .is_none()
        );
    }

    /// By name, and all in the file store.
    pub(super) async fn built(&self, to_build: &ReleaseToBuild) -> BTreeMap<String, FileOfRelease> {
        let into = tempfile::tempdir().unwrap();
        let versions = std::slice::from_ref(&self.spec);
        let from = (&self.db, &self.files);
        let built = build_release(from, &system(), versions, to_build, into.path())
            .await
            .unwrap();
        let mut files = BTreeMap::new();
        for file in built {
            let key = self.files.put_file(&file.path, &file.sha256).await.unwrap();
            let of_release = FileOfRelease {
                name: file.name.clone(),
                content_type: file.content_type.to_owned(),
                sha256: file.sha256,
                n_bytes: file.n_bytes,
                key,
            };
            files.insert(file.name, of_release);
        }
        files
    }

    pub(super) async fn release(&self, id: Uuid) -> ReleaseInFull {
        release_in_full(&self.db, &teammate(1), id).await.unwrap()
    }

    async fn text_of(&self, id: Uuid, name: &str) -> String {
        let copy = self.dir.path().join("copy of a release");
        release_file(&self.db, &self.files, &teammate(1), (id, name), &copy)
            .await
            .unwrap();
        std::fs::read_to_string(copy).unwrap()
    }
}

#[tokio::test]
async fn a_release_is_the_same_bytes_whatever_is_accepted_after_it_was_drafted() {
    let world = world().await;
    let first = world.accepted("one").await;
    let id = Uuid::now_v7();
    world
        .draft(id, DraftOf::WhatIsAccepted, "Read me.")
        .await
        .unwrap();
    let to_build = release_to_build(&world.db, &system(), id)
        .await
        .unwrap()
        .unwrap();
    let before = world.built(&to_build).await;
    let second = world.accepted("two").await;
    assert!(world.csv().await.contains(&second.to_string()));
    let after = world.built(&to_build).await;
    assert_eq!(before, after);
    assert_eq!(
        before.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "csv-metadata.json",
            "datapackage.json",
            "dcat.jsonld",
            "form.csv",
            "form.parquet",
            "form.xlsx",
            "manifest.csv",
            "notes.txt"
        ]
    );
    world.build(id).await;
    let csv = world.text_of(id, "form.csv").await;
    assert!(
        csv.contains(&first.to_string()) && !csv.contains(&second.to_string()),
        "{csv}"
    );
    let manifest = world.text_of(id, "manifest.csv").await;
    let lines: Vec<&str> = manifest.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            format!(
                "{ARDBEG},Ardbeg,2026-27-Q1,1.0,1,accepted,{first},{}",
                sha256("one")
            ),
            format!("{BRORA},Brora,2026-27-Q1,,,missing,,"),
        ]
    );
    assert!(world.text_of(id, "notes.txt").await.contains("Read me."));
}

#[tokio::test]
async fn two_people_approve_a_release_and_the_second_publishes_it() {
    let world = world().await;
    world.accepted("one").await;
    let id = Uuid::now_v7();
    world.draft(id, DraftOf::WhatIsAccepted, "").await.unwrap();
    // Sent twice, it is there once.
    world.draft(id, DraftOf::WhatIsAccepted, "").await.unwrap();
    let db = &world.db;
    let approve = async |actor: &Actor| approve_release(db, actor, id).await;
    assert!(matches!(
        approve(&teammate(1)).await,
        Err(ReleaseError::NotBuilt)
    ));
    world.build(id).await;
    for _ in 0..2 {
        let release = approve(&teammate(1)).await.unwrap();
        assert_eq!((release.approvals.len(), release.published), (1, None));
    }
    let program = Actor {
        id: ActorId::Client(Uuid::from_u128(7)),
        ..teammate(7)
    };
    assert!(matches!(
        approve(&program).await,
        Err(ReleaseError::NotAPerson)
    ));
    let council = council(ARDBEG);
    assert!(matches!(
        approve(&council).await,
        Err(ReleaseError::Denied(Denied::Forbidden))
    ));
    let other_team = Actor {
        grants: person(Role::DatasetTeam, Reach::Return("cases".to_owned())).grants,
        ..teammate(8)
    };
    assert!(matches!(
        approve(&other_team).await,
        Err(ReleaseError::Denied(Denied::Forbidden))
    ));
    let release = approve(&teammate(2)).await.unwrap();
    assert_eq!(release.published.map(|(number, _)| number), Some(1));
    let again = approve(&teammate(3)).await.unwrap();
    assert_eq!(again.published, release.published);

    // After a final one comes a revised one, which says what is new.
    let revised = Uuid::now_v7();
    let untold = world.draft(revised, DraftOf::WhatIsAccepted, " ").await;
    assert!(matches!(untold, Err(ReleaseError::NotesMissing)));
    world
        .draft(revised, DraftOf::WhatIsAccepted, "One figure.")
        .await
        .unwrap();
    world.build(revised).await;
    for n in [1, 2] {
        approve_release(db, &teammate(n), revised).await.unwrap();
    }
    let release = world.release(revised).await.release;
    assert_eq!(release.kind, ReleaseKind::Revised);
    assert_eq!(release.published.map(|(number, _)| number), Some(2));
    let all = releases_of(db, &teammate(1), "form").await.unwrap();
    assert_eq!(
        all.iter().map(|one| one.id).collect::<Vec<_>>(),
        [revised, id]
    );
}

#[tokio::test]
async fn the_database_itself_refuses_what_is_not_approved_and_every_change() {
    let world = world().await;
    world.hand_in("one").await;
    let id = Uuid::now_v7();
    world.draft(id, DraftOf::WhatStands, "").await.unwrap();
    world.build(id).await;
    approve_release(&world.db, &teammate(1), id).await.unwrap();
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let publish = format!(
        "INSERT INTO release_publication (release_id, return_id, from_period, to_period, number)
         SELECT id, return_id, from_period, to_period, 1 FROM release WHERE id = '{id}'"
    );
    let refused = client.batch_execute(&publish).await.unwrap_err();
    let message = refused.as_db_error().unwrap().message().to_owned();
    assert!(message.contains("two people"), "{message}");
    for table in [
        "release",
        "release_file",
        "release_approval",
        "release_submission",
    ] {
        let change = format!("DELETE FROM {table}");
        let refused = client.batch_execute(&change).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{table}");
    }
}

#[tokio::test]
async fn a_provisional_release_is_of_what_stands_and_there_is_none_of_nothing() {
    let world = world().await;
    let draft = async |of| {
        let id = Uuid::now_v7();
        world.draft(id, of, "").await.map(|()| id)
    };
    let nothing = draft(DraftOf::WhatStands).await;
    assert!(matches!(nothing, Err(ReleaseError::Nothing)));
    world.hand_in("one").await;
    let nothing = draft(DraftOf::WhatIsAccepted).await;
    assert!(matches!(nothing, Err(ReleaseError::Nothing)));
    let id = draft(DraftOf::WhatStands).await.unwrap();
    let full = world.release(id).await;
    assert_eq!(full.release.kind, ReleaseKind::Provisional);
    assert_eq!(
        (full.manifest.n_provisional(), full.manifest.missing.len()),
        (1, 1)
    );
    let council = council(ARDBEG);
    let refused = world
        .draft_as(&council, Uuid::now_v7(), DraftOf::WhatStands, "")
        .await;
    assert!(matches!(
        refused,
        Err(ReleaseError::Denied(Denied::Forbidden))
    ));
}

#[tokio::test]
async fn another_version_of_the_words_is_not_built_in_place_of_the_one_that_was_meant() {
    let world = world().await;
    world.hand_in("one").await;
    let id = Uuid::now_v7();
    world.draft(id, DraftOf::WhatStands, "").await.unwrap();
    let to_build = release_to_build(&world.db, &system(), id)
        .await
        .unwrap()
        .unwrap();
    let mut edited = world.spec.clone();
    edited.hash = "another".to_owned();
    let into = tempfile::tempdir().unwrap();
    let from = (&world.db, &world.files);
    let refused = build_release(from, &system(), &[edited], &to_build, into.path()).await;
    assert!(matches!(refused, Err(ReleaseError::Wanted(_))));
}

/// Frictionless, CSV on the Web and DCAT, each read by a library of its own.
#[tokio::test]
async fn others_read_what_describes_a_release() {
    let world = world().await;
    world.hand_in("one").await;
    let id = Uuid::now_v7();
    world.draft(id, DraftOf::WhatStands, "").await.unwrap();
    let to_build = release_to_build(&world.db, &system(), id)
        .await
        .unwrap()
        .unwrap();
    let into = tempfile::tempdir().unwrap();
    let versions = std::slice::from_ref(&world.spec);
    let from = (&world.db, &world.files);
    build_release(from, &system(), versions, &to_build, into.path())
        .await
        .unwrap();
    let read = std::process::Command::new(testkit::python())
        .args(["-c", include_str!("metadata.py")])
        .arg(into.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(
        read.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&read.stderr)
    );
    let told: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(
        told,
        serde_json::json!({"rows": 2, "files": 5, "begins": "2026-04-01"})
    );
}

/// Counts below this are left out; of the form every figure is 7.
fn below(threshold: u32) -> Disclosure {
    let counts = vec!["band_a".to_owned()];
    Disclosure {
        threshold,
        counts: BTreeMap::from([("form".to_owned(), counts)]),
        ..Disclosure::default()
    }
}

impl World {
    async fn draft_protected(&self) -> Uuid {
        let id = Uuid::now_v7();
        let (actor, of) = (teammate(1), DraftOf::WhatIsAccepted);
        self.draft_with(&actor, id, of, FiguresIn::Protected, "New.")
            .await
            .unwrap();
        self.build(id).await;
        id
    }

    async fn publish(&self, id: Uuid) -> Result<Release, ReleaseError> {
        approve_release(&self.db, &teammate(1), id).await?;
        approve_release(&self.db, &teammate(2), id).await
    }

    /// Why figures of a release are left out or stand, and how many.
    async fn left_out_of(&self, id: Uuid) -> BTreeMap<String, u64> {
        let release = self.release(id).await.release;
        let room = self.dir.path().join("room");
        let told = left_out(&self.db, &self.files, &teammate(1), &release, &room).await;
        let told = told.unwrap().into_iter();
        told.map(|one| (one.reason, one.cells)).collect()
    }
}

fn reasons(all: &[(&str, u64)]) -> BTreeMap<String, u64> {
    let all = all.iter();
    all.map(|(reason, n_cells)| ((*reason).to_owned(), *n_cells))
        .collect()
}

#[tokio::test]
async fn a_protected_release_says_what_it_leaves_out_and_the_next_one_leaves_it_out_too() {
    let mut world = world().await;
    world.spec.disclosure_said = Some(below(10));
    world.accepted("one").await;
    let (first, second) = (world.draft_protected().await, world.draft_protected().await);
    assert_eq!(threshold_of(&world.release(first).await.release), Some(10));
    let csv = world.text_of(first, "form.csv").await;
    assert_eq!(csv.matches("[c]").count(), 2, "{csv}");
    let told = world.left_out_of(first).await;
    assert_eq!(told, reasons(&[("left out", 2)]));
    let hash = sha256("one");
    for file in world.release(first).await.files {
        if !file.name.starts_with("form.") || file.name == "form.csv" {
            let text = world.text_of(first, &file.name).await;
            assert!(!text.contains(&hash), "{}", file.name);
        }
    }
    world.publish(first).await.unwrap();

    let overtaken = world.publish(second).await;
    assert!(matches!(overtaken, Err(ReleaseError::Overtaken)));
    // No count is small any more; the first of them was, and what it is would be told now.
    world.spec.disclosure_said = Some(below(5));
    let third = world.draft_protected().await;
    world.publish(third).await.unwrap();
    let csv = world.text_of(third, "form.csv").await;
    assert_eq!(csv.matches("[c]").count(), 2, "{csv}");
    let told = world.left_out_of(third).await;
    assert_eq!(told, reasons(&[("left out", 2)]));
}

#[tokio::test]
async fn a_small_count_that_a_release_published_stands_in_the_next_and_its_drafter_is_told() {
    let mut world = world().await;
    world.spec.disclosure_said = Some(below(5));
    world.accepted("one").await;
    let first = world.draft_protected().await;
    world.publish(first).await.unwrap();
    let csv = world.text_of(first, "form.csv").await;
    assert!(!csv.contains("[c]"), "{csv}");
    world.spec.disclosure_said = Some(below(10));
    let second = world.draft_protected().await;
    let csv = world.text_of(second, "form.csv").await;
    assert!(!csv.contains("[c]"), "{csv}");
    let told = world.left_out_of(second).await;
    let wanted = [("left out", 0), ("published before", 2)];
    assert_eq!(told, reasons(&wanted));
}

#[tokio::test]
async fn what_a_return_does_not_say_is_not_protected() {
    let world = world().await;
    world.accepted("one").await;
    let id = Uuid::now_v7();
    let (of, protected) = (DraftOf::WhatIsAccepted, FiguresIn::Protected);
    let unsaid = world.draft_with(&teammate(1), id, of, protected, "").await;
    let why = Unprotected::CountsNotSaid;
    assert!(matches!(unsaid, Err(ReleaseError::Unprotected(said)) if said == why));

    // Rows that are records are not protected by leaving out figures.
    let cases = testkit::returns::cases();
    let drafting = DraftingRelease {
        id,
        versions: std::slice::from_ref(&cases),
        spec: &cases,
        from: &q1(),
        to: &q1(),
        of: DraftOf::WhatStands,
        lineage: Lineage::Cell,
        figures: protected,
        notes: "",
    };
    let actor = person(Role::DatasetTeam, Reach::Return("cases".to_owned()));
    let refused = draft_release(&world.db, &actor, &drafting).await;
    let why = Unprotected::Records;
    assert!(matches!(refused, Err(ReleaseError::Unprotected(said)) if said == why));

    // The version that the figures were collected with has to say it too.
    let mut newer = world.spec.clone();
    newer.version = "2.0".to_owned();
    newer.disclosure_said = Some(below(5));
    let versions = [world.spec.clone(), newer.clone()];
    let drafting = DraftingRelease {
        versions: &versions,
        spec: &newer,
        ..drafting
    };
    let refused = draft_release(&world.db, &teammate(1), &drafting).await;
    let why = Unprotected::CountsNotSaid;
    assert!(matches!(refused, Err(ReleaseError::Unprotected(said)) if said == why));
}

#[tokio::test]
async fn of_two_final_drafts_one_is_published_and_the_other_drafted_again() {
    let world = world().await;
    world.accepted("one").await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    for id in [first, second] {
        world.draft(id, DraftOf::WhatIsAccepted, "").await.unwrap();
        world.build(id).await;
    }
    for id in [first, second] {
        approve_release(&world.db, &teammate(1), id).await.unwrap();
    }
    // Both second approvals at once.
    let (db, other) = (&world.db, teammate(2));
    let both = tokio::join!(
        approve_release(db, &other, first),
        approve_release(db, &other, second)
    );
    let is_overtaken = |one: &Result<Release, ReleaseError>| match one {
        Ok(release) => {
            assert!(release.published.is_some());
            false
        }
        Err(error) => {
            assert!(matches!(error, ReleaseError::Overtaken), "{error}");
            true
        }
    };
    assert_ne!(is_overtaken(&both.0), is_overtaken(&both.1));
    let third = Uuid::now_v7();
    let untold = world.draft(third, DraftOf::WhatIsAccepted, "").await;
    assert!(matches!(untold, Err(ReleaseError::NotesMissing)));
    let notes = "The same again.";
    world
        .draft(third, DraftOf::WhatIsAccepted, notes)
        .await
        .unwrap();
    world.build(third).await;
    let release = world.publish(third).await.unwrap();
    assert_eq!(release.kind, ReleaseKind::Revised);
}

#[tokio::test]
async fn what_was_published_counts_however_many_drafts_came_after_it() {
    let mut world = world().await;
    world.spec.disclosure_said = Some(below(10));
    world.accepted("one").await;
    let first = world.draft_protected().await;
    world.publish(first).await.unwrap();
    let drafts = format!(
        "INSERT INTO release (id, return_id, return_version, from_period, to_period, kind, notes, settings, manifest, by_kind, by_id, by_name)
         SELECT gen_random_uuid(), return_id, return_version, from_period, to_period, 'provisional', '', settings, manifest, by_kind, by_id, by_name
         FROM release, generate_series(1, 201) WHERE id = '{first}'"
    );
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    client.batch_execute(&drafts).await.unwrap();
    let second = world.draft_protected().await;
    assert_eq!(
        world.release(second).await.release.kind,
        ReleaseKind::Revised
    );
    world.spec.disclosure_said = Some(below(5));
    let third = world.draft_protected().await;
    let told = world.left_out_of(third).await;
    assert_eq!(told, reasons(&[("left out", 2)]));
}

#[tokio::test]
async fn a_build_that_was_given_up_is_said_so() {
    let world = world().await;
    world.hand_in("one").await;
    let id = Uuid::now_v7();
    world.draft(id, DraftOf::WhatStands, "").await.unwrap();
    let how_far = async || {
        let release = world.release(id).await.release;
        building(&world.db, &teammate(1), &release).await.unwrap()
    };
    assert_eq!(how_far().await, Building::Waits);
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    for (set, wanted) in [
        ("attempts = 1", Building::TriedAgain),
        (
            "state = 'running', lease_until = now() + interval '1 minute', lease_token = gen_random_uuid()",
            Building::Runs,
        ),
        (
            "state = 'dead', finished_at = now(), lease_until = NULL, lease_token = NULL",
            Building::GivenUp,
        ),
    ] {
        let sql = format!("UPDATE job SET {set} WHERE kind = 'build-release'");
        client.batch_execute(&sql).await.unwrap();
        assert_eq!(how_far().await, wanted);
    }
    world.build(id).await;
    assert_eq!(how_far().await, Building::Done);
}

#[tokio::test]
async fn a_protected_release_of_when_hashes_were_published_is_drafted_again() {
    let mut world = world().await;
    world.spec.disclosure_said = Some(below(10));
    world.accepted("one").await;
    let now = world.draft_protected().await;
    let old = Uuid::now_v7();
    // Drafted and built as it was then.
    let (client, connection) =
        tokio_postgres::connect(&world.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let then = format!(
        "INSERT INTO release (id, return_id, return_version, from_period, to_period, kind, notes, settings, manifest, by_kind, by_id, by_name)
         SELECT '{old}', return_id, return_version, from_period, to_period, kind, notes, settings #- '{{protection,hides_files}}', manifest, by_kind, by_id, by_name
         FROM release WHERE id = '{now}'"
    );
    client.batch_execute(&then).await.unwrap();
    world.build(old).await;
    assert!(world.release(old).await.has_hashes);
    let refused = world.publish(old).await;
    assert!(matches!(refused, Err(ReleaseError::HasHashes)));
    assert!(!world.release(now).await.has_hashes);
    world.publish(now).await.unwrap();
}
