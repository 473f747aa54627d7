//! What changed between two releases.

use super::*;

impl World {
    async fn two_of(
        &self,
        actor: &Actor,
        new: Uuid,
        with: Option<Uuid>,
    ) -> Result<TwoReleases, ReleaseFileError> {
        let room = self.dir.path().join("room");
        two_releases((&self.db, &self.files), actor, (new, with), &room).await
    }

    async fn two(&self, new: Uuid, with: Option<Uuid>) -> TwoReleases {
        self.two_of(&teammate(1), new, with).await.unwrap()
    }

    /// Whatever is different, without its heading.
    async fn changes_of(&self, two: &TwoReleases) -> Vec<String> {
        let (mut out, versions) = (Vec::new(), std::slice::from_ref(&self.spec));
        write_release_changes(&self.db, &teammate(1), versions, two, &mut out)
            .await
            .unwrap();
        let csv = String::from_utf8(out).unwrap();
        csv.lines().skip(1).map(str::to_owned).collect()
    }

    async fn how_much(&self, two: &TwoReleases) -> HowMuch {
        let versions = std::slice::from_ref(&self.spec);
        let counted = how_much_changed(&self.db, &teammate(1), versions, two).await;
        counted.unwrap()
    }
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
    let unaccompanied = world.two_of(&teammate(1), first, None).await;
    assert!(matches!(
        unaccompanied,
        Err(ReleaseFileError::Denied(Denied::NotThere))
    ));
    world.accepted("two").await;
    world
        .draft(second, DraftOf::WhatIsAccepted, "")
        .await
        .unwrap();
    let two = world.two(second, None).await;
    assert_eq!((two.old.id, two.changed.len()), (first, 1));
    let lines = world.changes_of(&two).await;
    let counts = world.how_much(&two).await.counts.unwrap();
    assert_eq!(counts[0].figures, lines.len() as u64, "{lines:?}");
    let lead = format!("{ARDBEG},Ardbeg,2026-27-Q1,1,2,form,changed,");
    assert!(
        !lines.is_empty() && lines.iter().all(|line| line.starts_with(&lead)),
        "{lines:?}"
    );

    let same = world.two(second, Some(second)).await;
    assert!(same.changed.is_empty());
    assert!(world.changes_of(&same).await.is_empty());
    let refused = world.two_of(&council(ARDBEG), second, None).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn of_what_releases_leave_out_no_more_is_told_than_they_tell() {
    let mut world = world().await;
    world.spec.disclosure_said = Some(below(10));
    world.accepted("one").await;
    let all = Uuid::now_v7();
    world.draft(all, DraftOf::WhatIsAccepted, "").await.unwrap();
    let protected = world.draft_protected().await;
    let told = |before: &str, now: &str| {
        let said = format!(",form,changed,1,band_a,{before},{now},,,");
        move |line: &&String| line.contains(&said)
    };
    for (old, new, before, now) in [(all, protected, "7", "[c]"), (protected, all, "[c]", "7")] {
        // The same version of the same return, which only one of them leaves something out of.
        let two = world.two(new, Some(old)).await;
        assert_eq!((two.is_protected, two.changed.len()), (true, 1));
        assert_eq!(two.changed[0].came_and_went(), (Vec::new(), Vec::new()));
        let lines = world.changes_of(&two).await;
        assert_eq!(
            lines.iter().filter(told(before, now)).count(),
            1,
            "{lines:?}"
        );
        assert_eq!(lines.len(), 2);
        let counts = world.how_much(&two).await.counts.unwrap();
        assert_eq!((counts[0].figures, counts[0].records()), (2, 2));
    }

    // What both leave out has nothing to tell, whatever else counts now.
    world.accepted("two").await;
    let again = world.draft_protected().await;
    let two = world.two(again, Some(protected)).await;
    assert_eq!(two.changed.len(), 1);
    let lines = world.changes_of(&two).await;
    assert!(
        lines.iter().all(|line| !line.contains("band_a")),
        "{lines:?}"
    );
    let counts = world.how_much(&two).await.counts.unwrap();
    assert_eq!(counts[0].figures, lines.len() as u64);
}

#[tokio::test]
async fn without_a_file_of_what_is_left_out_it_is_not_told_what_changed() {
    let mut world = world().await;
    world.spec.disclosure_said = Some(below(10));
    world.accepted("one").await;
    let (all, unbuilt) = (Uuid::now_v7(), Uuid::now_v7());
    world.draft(all, DraftOf::WhatIsAccepted, "").await.unwrap();
    let (of, figures) = (DraftOf::WhatIsAccepted, FiguresIn::Protected);
    world.accepted("two").await;
    world
        .draft_with(&teammate(1), unbuilt, of, figures, "")
        .await
        .unwrap();
    let two = world.two(unbuilt, Some(all)).await;
    assert!(two.is_protected && !two.can_be_told());
    assert_eq!(two.changed.len(), 1);
    assert!(world.how_much(&two).await.counts.is_none());
    let versions = std::slice::from_ref(&world.spec);
    let refused = write_release_changes(&world.db, &teammate(1), versions, &two, Vec::new()).await;
    assert!(matches!(refused, Err(ReleaseFileError::Denied(_))));
}
