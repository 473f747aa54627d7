//! A release: drafted from what stands, built twice to the same bytes, approved by two people, and never another one.

use std::collections::BTreeMap;

use ::dataset::Lineage;
use cycle::Verb;

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
        let built = build_release(&self.db, &system(), versions, to_build, into.path())
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
    let refused = build_release(&world.db, &system(), &[edited], &to_build, into.path()).await;
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
    build_release(&world.db, &system(), versions, &to_build, into.path())
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

#[tokio::test]
async fn what_changed_between_two_releases_is_told_row_by_row() {
    let world = world().await;
    world.accepted("one").await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    world
        .draft(first, DraftOf::WhatIsAccepted, "")
        .await
        .unwrap();
    let unaccompanied = two_releases(&world.db, &teammate(1), first, None).await;
    assert!(matches!(unaccompanied, Err(Denied::NotThere)));
    world.accepted("two").await;
    world
        .draft(second, DraftOf::WhatIsAccepted, "")
        .await
        .unwrap();
    let (db, actor, versions) = (&world.db, teammate(1), std::slice::from_ref(&world.spec));
    let csv_of = async |two: &TwoReleases| {
        let mut out = Vec::new();
        write_release_changes(db, &actor, versions, two, &mut out)
            .await
            .unwrap();
        String::from_utf8(out).unwrap()
    };
    let two = two_releases(db, &actor, second, None).await.unwrap();
    assert_eq!((two.old.id, two.changed.len()), (first, 1));
    let how_much = how_much_changed(db, &actor, versions, &two).await.unwrap();
    let csv = csv_of(&two).await;
    let n_told = csv.lines().count() as u64 - 1;
    assert_eq!(how_much[0].figures, n_told, "{csv}");
    let lead = format!("{ARDBEG},Ardbeg,2026-27-Q1,1,2,form,changed,");
    assert!(
        n_told > 0 && csv.lines().skip(1).all(|line| line.starts_with(&lead)),
        "{csv}"
    );

    let same = two_releases(db, &actor, second, Some(second))
        .await
        .unwrap();
    assert!(same.changed.is_empty());
    assert_eq!(csv_of(&same).await.lines().count(), 1);
    let council = council(ARDBEG);
    let refused = two_releases(db, &council, second, None).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_protected_release_says_what_it_leaves_out_and_looks_at_those_before_it() {
    let mut world = world().await;
    // Every figure of this form is 7.
    world.spec.disclosure_said = Some(spec::disclosure::Disclosure {
        threshold: 10,
        ..spec::disclosure::Disclosure::default()
    });
    world.accepted("one").await;
    let (db, protected) = (&world.db, FiguresIn::Protected);
    let draft = async || {
        let id = Uuid::now_v7();
        world
            .draft_with(&teammate(1), id, DraftOf::WhatIsAccepted, protected, "New.")
            .await
            .unwrap();
        world.build(id).await;
        id
    };
    let publish = async |id| {
        approve_release(db, &teammate(1), id).await?;
        approve_release(db, &teammate(2), id).await
    };
    let (first, second) = (draft().await, draft().await);
    let full = world.release(first).await;
    assert_eq!(threshold_of(&full.release), Some(10));
    let room = world.dir.path().join("room");
    let told = left_out(db, &world.files, &teammate(1), &full.release, &room).await;
    let told: u64 = told.unwrap().iter().map(|one| one.cells).sum();
    let csv = world.text_of(first, "form.csv").await;
    assert_eq!(csv.matches("[c]").count() as u64, told, "{csv}");
    assert!(told > 0, "{csv}");
    publish(first).await.unwrap();

    let overtaken = publish(second).await;
    assert!(matches!(overtaken, Err(ReleaseError::Overtaken)));
    let third = draft().await;
    publish(third).await.unwrap();
    assert_eq!(world.text_of(third, "form.csv").await, csv);
    let two = two_releases(db, &teammate(1), third, Some(first)).await;
    assert!(two.unwrap().is_protected);

    // Rows that are records are not protected by leaving out figures.
    let cases = testkit::returns::cases();
    let drafting = DraftingRelease {
        id: Uuid::now_v7(),
        versions: std::slice::from_ref(&cases),
        spec: &cases,
        from: &q1(),
        to: &q1(),
        of: DraftOf::WhatStands,
        lineage: Lineage::Cell,
        figures: FiguresIn::Protected,
        notes: "",
    };
    let actor = person(Role::DatasetTeam, Reach::Return("cases".to_owned()));
    let refused = draft_release(db, &actor, &drafting).await;
    assert!(matches!(refused, Err(ReleaseError::NoForms)));
}
