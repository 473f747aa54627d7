//! People: who is invited, and what each may do.

mod members;
mod secret;
mod sign_in;

use access::{Action, Grant, HeldFor, Object, Reach, Role};
use chrono::{DateTime, Utc};
use db::people::{self, Person};
use db::{Db, DbError, Tx};
use mail::Message;
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, record, sees};
use crate::{Actor, Denied, outbox};

pub use members::{
    Leave, Made, Member, Members, acting, disable, enable, leave_of, made_by, may_disable, may_end,
    may_give, member, members,
};
pub use secret::Secret;
pub use sign_in::{
    Code, Presence, SendLinkJob, SignInError, SignedIn, ask_for_link, begin_visit, end_visit,
    enter_as_demo, enter_by_feed, enter_by_link, enter_by_provider, enter_code, new_visit,
    second_proof, send_link, sign_out, who,
};

#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("that is no email address")]
    NotAnAddress,
    #[error("a name is asked for")]
    NoName,
    #[error("this role is not held for that")]
    NotHeldForThat,
    #[error("no organisation has the code {0}")]
    UnknownOrganisation(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Gives somebody a role, who is invited where nobody has their address; harmless when repeated.
pub async fn invite(
    db: &Db,
    actor: &Actor,
    email: &str,
    name: &str,
    grant: &Grant,
) -> Result<Uuid, InviteError> {
    give(db, actor, (email, name), grant, None).await
}

/// The same for somebody of a team or an office, whose roles don't say where they belong.
pub async fn invite_into(
    db: &Db,
    actor: &Actor,
    (email, name): (&str, &str),
    grant: &Grant,
    organisation: &str,
) -> Result<Uuid, InviteError> {
    give(db, actor, (email, name), grant, Some(organisation)).await
}

async fn give(
    db: &Db,
    actor: &Actor,
    (email, name): (&str, &str),
    grant: &Grant,
    belongs_to: Option<&str>,
) -> Result<Uuid, InviteError> {
    may_invite(actor, grant)?;
    if !mail::is_address(email) {
        return Err(InviteError::NotAnAddress);
    }
    let name = name.trim();
    if name.is_empty() {
        return Err(InviteError::NoName);
    }
    if grant.role.is_of_programs() || !is_held_for(grant) {
        return Err(InviteError::NotHeldForThat);
    }
    let mut tx = db.begin(&sees(&Actor::system("invitation"))).await?;
    for code in organisation_of(grant).into_iter().chain(belongs_to) {
        if db::organisations::list(&mut tx, Some(code))
            .await?
            .is_empty()
        {
            return Err(InviteError::UnknownOrganisation(code.to_owned()));
        }
    }
    let is_new = people::find_by_email(&mut tx, email).await?.is_none();
    let person = people::put(&mut tx, email, name).await?;
    let is_granted = people::grant(&mut tx, person.id, grant).await?;
    if let Some(code) = belongs_to {
        people::set_organisation(&mut tx, person.id, code).await?;
    }
    if is_granted {
        let deed = Deed {
            verb: "invite",
            organisation: organisation_of(grant),
            obligation_id: None,
            submission_id: None,
            details: json!({"person": person.id, "role": grant.role, "return": return_of(grant), "new": is_new,
                "belongs_to": belongs_to}),
        };
        record(&mut tx, actor, deed).await?;
    }
    if is_new {
        post_invitation(&mut tx, actor, &person).await?;
    }
    tx.commit().await?;
    Ok(person.id)
}

async fn post_invitation(tx: &mut Tx, actor: &Actor, person: &Person) -> Result<(), DbError> {
    let message = Message::Invitation(mail::Invitation {
        name: person.name.clone(),
        invited_by: actor.name.clone(),
    });
    outbox::post_to_person(tx, person.id, &person.email, &message).await
}

/// Whether an actor may give a role, and take it. Only who runs the service gives roles that are not an organisation's.
pub(crate) fn may_invite(actor: &Actor, grant: &Grant) -> Result<(), Denied> {
    let object = Object {
        organisation: organisation_of(grant),
        ..Object::default()
    };
    allowed(actor, Action::InvitePeople, &object)?;
    let holds = |role| actor.grants.iter().any(|grant| grant.role == role);
    let is_enough = match grant.role {
        Role::Uploader => true,
        Role::Approver | Role::Auditor => holds(Role::Scheduler) || holds(Role::Admin),
        _ => holds(Role::Admin),
    };
    let is_system = actor.id == access::ActorId::System;
    if is_enough || is_system {
        Ok(())
    } else {
        Err(Denied::Forbidden)
    }
}

pub(crate) fn is_held_for(grant: &Grant) -> bool {
    matches!(
        (grant.role.held_for(), &grant.reach),
        (HeldFor::Organisation, Reach::Organisation(_))
            | (HeldFor::Return, Reach::Return(_))
            | (HeldFor::Everything, Reach::Everything)
    )
}

pub(crate) fn organisation_of(grant: &Grant) -> Option<&str> {
    match &grant.reach {
        Reach::Organisation(code) => Some(code),
        Reach::Return(_) | Reach::Everything => None,
    }
}

pub(crate) fn return_of(grant: &Grant) -> Option<&str> {
    match &grant.reach {
        Reach::Return(id) => Some(id),
        Reach::Organisation(_) | Reach::Everything => None,
    }
}

/// Takes a role from somebody. Their next request is decided without it.
pub async fn end_role(
    db: &Db,
    actor: &Actor,
    person_id: Uuid,
    grant: &Grant,
    now: DateTime<Utc>,
) -> Result<(), InviteError> {
    may_invite(actor, grant)?;
    let mut tx = db.begin(&sees(&Actor::system("invitation"))).await?;
    if people::end_grant(&mut tx, person_id, grant, now).await? {
        let deed = Deed {
            verb: "end_role",
            organisation: organisation_of(grant),
            obligation_id: None,
            submission_id: None,
            details: json!({"person": person_id, "role": grant.role, "return": return_of(grant)}),
        };
        record(&mut tx, actor, deed).await?;
    }
    tx.commit().await?;
    Ok(())
}
