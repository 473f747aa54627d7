//! Whether an actor may do something to something.

use crate::{Action, Actor, ActorId, Grant, Reach, Scope, scope};

/// What something is done to, as far as it decides. What does not apply is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Object<'a> {
    /// GSS code of whose it is.
    pub organisation: Option<&'a str>,
    /// Id of the return it is of.
    pub return_id: Option<&'a str>,
    pub stage: Stage,
    /// Who sent it.
    pub sent_by: Option<ActorId>,
    /// Who submitted it, if somebody has.
    pub submitted_by: Option<ActorId>,
    /// Whether its organisation has leave, for lack of people, to sign off what the same person sent.
    pub may_sign_off_own: bool,
}

/// How far a version has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Its organisation's own affair.
    #[default]
    Draft,
    /// Handed over, whatever has become of it since.
    Submitted,
}

/// How much may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Counts and states; no values.
    Counts,
    Values,
}

/// What the matrix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allowed(View),
    /// It is there, and this is for another role to do.
    Forbidden,
    /// For this actor there is no such thing.
    NotThere,
    /// Nobody has signed in, and somebody has to.
    SignInNeeded,
}

/// Decides. What an actor may not even know of is [`Verdict::NotThere`], just as what does not exist.
pub fn decide(actor: &Actor, action: Action, object: &Object<'_>) -> Verdict {
    if actor.id == ActorId::System {
        return Verdict::Allowed(View::Values);
    }
    if let Some(view) = view(actor, action, object) {
        return Verdict::Allowed(view);
    }
    if actor.id == ActorId::Nobody {
        return Verdict::SignInNeeded;
    }
    // That a return or a round exists is no secret; what an organisation has is one to all but itself and who may see its state.
    let known = object.organisation.is_none()
        || actor.grants.iter().any(|grant| is_home(grant, object))
        || view(actor, Action::SeeSubmission, object).is_some();
    if known {
        Verdict::Forbidden
    } else {
        Verdict::NotThere
    }
}

/// The most that any role allows.
fn view(actor: &Actor, action: Action, object: &Object<'_>) -> Option<View> {
    let by_role = actor.grants.iter().filter_map(|grant| {
        covers(
            scope(action, Some(grant.role)),
            Some(grant),
            actor.id,
            object,
        )
    });
    by_role
        .chain(covers(scope(action, None), None, actor.id, object))
        .max()
}

fn covers(
    scope: Scope,
    grant: Option<&Grant>,
    actor: ActorId,
    object: &Object<'_>,
) -> Option<View> {
    let belongs = grant.is_some_and(|grant| belongs(grant, object));
    let reaches = match scope {
        Scope::No => false,
        Scope::Own | Scope::Assigned => belongs,
        Scope::Others => belongs && (object.may_sign_off_own || is_of_others(actor, object)),
        Scope::Submitted => belongs && object.stage == Stage::Submitted,
        Scope::Counts => return Some(View::Counts),
        Scope::All => true,
    };
    reaches.then_some(View::Values)
}

/// Whether others have brought it so far. Where nobody knows who sent it, nobody is known to be another.
fn is_of_others(actor: ActorId, object: &Object<'_>) -> bool {
    object.sent_by.is_some_and(|sender| sender != actor) && object.submitted_by != Some(actor)
}

fn is_home(grant: &Grant, object: &Object<'_>) -> bool {
    matches!(grant.reach, Reach::Organisation(_)) && belongs(grant, object)
}

/// Whether a thing is of what a role is held for.
fn belongs(grant: &Grant, object: &Object<'_>) -> bool {
    match &grant.reach {
        Reach::Organisation(code) => object.organisation == Some(code.as_str()),
        Reach::Return(id) => object.return_id == Some(id.as_str()),
        Reach::Everything => false,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Role;

    const OWN: &str = "S12000033";
    const OTHER: &str = "S12000034";

    fn actor(n: u128, role: Role, reach: Reach) -> Actor {
        Actor {
            id: ActorId::Person(Uuid::from_u128(n)),
            name: "someone".to_owned(),
            grants: vec![Grant { role, reach }],
        }
    }

    fn council(n: u128, role: Role) -> Actor {
        actor(n, role, Reach::Organisation(OWN.to_owned()))
    }

    fn version(organisation: &str, stage: Stage) -> Object<'_> {
        Object {
            organisation: Some(organisation),
            return_id: Some("hl1"),
            stage,
            sent_by: Some(ActorId::Person(Uuid::from_u128(1))),
            ..Object::default()
        }
    }

    const VALUES: Verdict = Verdict::Allowed(View::Values);
    const COUNTS: Verdict = Verdict::Allowed(View::Counts);

    #[test]
    fn another_organisations_version_is_not_there_whatever_is_asked() {
        for role in [
            Role::Uploader,
            Role::Approver,
            Role::Auditor,
            Role::SendingClient,
        ] {
            for action in Action::ALL {
                let verdict = decide(&council(2, role), action, &version(OTHER, Stage::Submitted));
                let expected = match action {
                    Action::SeeRounds | Action::SeeOrganisations => VALUES,
                    _ => Verdict::NotThere,
                };
                assert_eq!(verdict, expected, "{role} {action}");
            }
        }
    }

    #[test]
    fn codes_that_are_nearly_ones_own_are_others() {
        for near in ["S120000330", "S1200003", " S12000033", "s12000033", ""] {
            let verdict = decide(
                &council(2, Role::Uploader),
                Action::SeeFindings,
                &version(near, Stage::Draft),
            );
            assert_eq!(verdict, Verdict::NotThere, "{near:?}");
        }
    }

    #[test]
    fn who_sent_a_version_does_not_sign_it_off() {
        let both = |n| Actor {
            grants: vec![
                council(n, Role::Uploader).grants.remove(0),
                council(n, Role::Approver).grants.remove(0),
            ],
            ..council(n, Role::Uploader)
        };
        let object = version(OWN, Stage::Submitted);
        assert_eq!(
            decide(&both(1), Action::SignOff, &object),
            Verdict::Forbidden
        );
        assert_eq!(decide(&both(2), Action::SignOff, &object), VALUES);
        let submitted = Object {
            submitted_by: Some(ActorId::Person(Uuid::from_u128(2))),
            ..object
        };
        assert_eq!(
            decide(&both(2), Action::SignOff, &submitted),
            Verdict::Forbidden,
            "nor who submitted it"
        );
        assert_eq!(decide(&both(3), Action::SignOff, &submitted), VALUES);
        // Nobody knows who sent it: then nobody is known to be another.
        let unknown = Object {
            sent_by: None,
            ..object
        };
        assert_eq!(
            decide(&both(2), Action::SignOff, &unknown),
            Verdict::Forbidden
        );
    }

    #[test]
    fn an_organisation_with_leave_has_its_approvers_sign_off_what_they_sent() {
        let object = Object {
            may_sign_off_own: true,
            ..version(OWN, Stage::Submitted)
        };
        let approver = council(1, Role::Approver);
        assert_eq!(decide(&approver, Action::SignOff, &object), VALUES);
        let uploader = council(1, Role::Uploader);
        assert_eq!(
            decide(&uploader, Action::SignOff, &object),
            Verdict::Forbidden
        );
        let elsewhere = Object {
            organisation: Some(OTHER),
            ..object
        };
        assert_eq!(
            decide(&approver, Action::SignOff, &elsewhere),
            Verdict::NotThere
        );
    }

    #[test]
    fn a_team_sees_its_returns_once_they_are_submitted() {
        let team = actor(3, Role::DatasetTeam, Reach::Return("hl1".to_owned()));
        assert_eq!(
            decide(&team, Action::SeeFindings, &version(OWN, Stage::Submitted)),
            VALUES
        );
        assert_eq!(
            decide(&team, Action::Send, &version(OWN, Stage::Submitted)),
            Verdict::Forbidden
        );
        assert_eq!(
            decide(&team, Action::SeeFindings, &version(OWN, Stage::Draft)),
            Verdict::NotThere
        );
        let other = Object {
            return_id: Some("jsw"),
            ..version(OWN, Stage::Submitted)
        };
        assert_eq!(
            decide(&team, Action::SeeFindings, &other),
            Verdict::NotThere
        );
    }

    #[test]
    fn planners_and_admins_see_counts_and_no_values() {
        for role in [Role::Scheduler, Role::Admin] {
            let actor = actor(4, role, Reach::Everything);
            let object = version(OWN, Stage::Draft);
            assert_eq!(
                decide(&actor, Action::SeeSubmission, &object),
                COUNTS,
                "{role}"
            );
            for action in [
                Action::SeeFindings,
                Action::DownloadFile,
                Action::DownloadDataset,
            ] {
                assert_eq!(
                    decide(&actor, action, &object),
                    Verdict::Forbidden,
                    "{role} {action}"
                );
            }
        }
    }

    #[test]
    fn who_has_not_signed_in_is_asked_to() {
        for action in Action::ALL {
            let verdict = decide(&Actor::nobody(), action, &version(OWN, Stage::Submitted));
            assert_eq!(verdict, Verdict::SignInNeeded, "{action}");
        }
    }
}
