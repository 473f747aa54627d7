//! Who works for an organisation or belongs to it: seen, and their access ended and given again.

use access::{Action, ActorId, Grant, HeldFor, Object, Reach, Role, View};
use chrono::{DateTime, Utc};
use db::webhooks::Webhook;
use db::{Db, clients, own_sign_offs, people, sessions, webhooks};
use serde_json::json;
use uuid::Uuid;

use super::{may_invite, organisation_of};
use crate::actor::{Deed, allowed, is_system, record, sees};
use crate::clients::{Client, end_programs_of};
use crate::webhooks::end_webhooks_of;
use crate::{Actor, Denied};

pub use db::own_sign_offs::Leave;
pub use db::people::Member;

/// As far as somebody may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    People(Vec<Member>),
    /// How many have each role.
    Counts(Vec<(Role, usize)>),
}

fn of(organisation: &str) -> Object<'_> {
    Object {
        organisation: Some(organisation),
        ..Object::default()
    }
}

/// Who works for an organisation or belongs to it.
pub async fn members(db: &Db, actor: &Actor, organisation: &str) -> Result<Members, Denied> {
    let view = allowed(actor, Action::SeePeople, &of(organisation))?;
    let all = all_of(db, actor, organisation).await?;
    Ok(match view {
        View::Values => Members::People(all),
        View::Counts => {
            let has = |member: &&Member, role| {
                let mut grants = member.grants.iter();
                member.person.disabled_at.is_none() && grants.any(|grant| grant.role == role)
            };
            let counts = Role::ALL
                .map(|role| (role, all.iter().filter(|member| has(member, role)).count()))
                .into_iter();
            Members::Counts(counts.filter(|(_, n)| *n > 0).collect())
        }
    })
}

/// One of them, for whoever gives and takes their roles.
pub async fn member(
    db: &Db,
    actor: &Actor,
    organisation: &str,
    person_id: Uuid,
) -> Result<Member, Denied> {
    allowed(actor, Action::InvitePeople, &of(organisation))?;
    let all = all_of(db, actor, organisation).await?.into_iter();
    let mut found = all.filter(|member| member.person.id == person_id);
    found.next().ok_or(Denied::NotThere)
}

async fn all_of(db: &Db, actor: &Actor, organisation: &str) -> Result<Vec<Member>, Denied> {
    let mut conn = db.read(&sees(actor)).await?;
    if db::organisations::list(&mut conn, Some(organisation))
        .await?
        .is_empty()
    {
        return Err(Denied::NotThere);
    }
    Ok(people::members(&mut conn, organisation).await?)
}

/// The roles that somebody may give to people of an organisation.
pub fn may_give(actor: &Actor, organisation: &str) -> Vec<Role> {
    let can = |role: &Role| {
        let reach = match role.held_for() {
            HeldFor::Organisation => Reach::Organisation(organisation.to_owned()),
            HeldFor::Return => Reach::Return(String::new()),
            HeldFor::Everything => Reach::Everything,
        };
        let grant = Grant { role: *role, reach };
        !role.is_of_programs() && may_invite(actor, &grant).is_ok()
    };
    Role::ALL.into_iter().filter(can).collect()
}

/// Whether somebody may take a role.
pub fn may_end(actor: &Actor, grant: &Grant) -> bool {
    may_invite(actor, grant).is_ok()
}

/// Whether somebody may end a person's access: never their own, and only where they may take each of the person's roles.
pub fn may_disable(actor: &Actor, member: &Member) -> bool {
    if actor.id == ActorId::Person(member.person.id) {
        return false;
    }
    let runs_it = actor.grants.iter().any(|grant| grant.role == Role::Admin);
    let takes_all = member.grants.iter().all(|grant| may_end(actor, grant));
    is_system(actor) || runs_it || (takes_all && !member.grants.is_empty())
}

/// What ends with somebody's access: the programs that they let in and the servers that they had told what happens, since
/// they have seen the tokens and know the servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    pub programs: Vec<Client>,
    pub webhooks: Vec<Webhook>,
}

/// What would end with somebody's access.
pub async fn made_by(
    db: &Db,
    actor: &Actor,
    member: &Member,
    now: DateTime<Utc>,
) -> Result<Made, Denied> {
    if !may_disable(actor, member) {
        return Err(Denied::Forbidden);
    }
    let mut conn = db.read(&sees(&Actor::system("invitation"))).await?;
    Ok(Made {
        programs: clients::made_by(&mut conn, member.person.id, now).await?,
        webhooks: webhooks::made_by(&mut conn, member.person.id).await?,
    })
}

/// Ends somebody's access, with all their sessions and what they made; gives that.
pub async fn disable(
    db: &Db,
    actor: &Actor,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Made, Denied> {
    set_access(db, actor, person_id, Some(now), now).await
}

/// Gives somebody the access again that was ended; they sign in anew, and let programs in anew.
pub async fn enable(
    db: &Db,
    actor: &Actor,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Denied> {
    set_access(db, actor, person_id, None, now).await?;
    Ok(())
}

async fn set_access(
    db: &Db,
    actor: &Actor,
    person_id: Uuid,
    disabled_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Made, Denied> {
    // All their roles count, also those that are held for others.
    let mut tx = db.begin(&sees(&Actor::system("invitation"))).await?;
    let known = people::find(&mut tx, person_id).await?;
    let grants = people::grants(&mut tx, person_id).await?;
    let member = known.map(|person| Member { person, grants });
    let Some(member) = member.filter(|member| may_disable(actor, member)) else {
        // Who may not is not told whether there is such a person.
        return Err(Denied::Forbidden);
    };
    if member.person.disabled_at.is_some() == disabled_at.is_some() {
        return Ok(Made::default());
    }
    people::set_disabled(&mut tx, person_id, disabled_at).await?;
    let n_sessions = sessions::end_all(&mut tx, person_id, now).await?;
    let made = match disabled_at {
        Some(at) => Made {
            programs: end_programs_of(&mut tx, actor, person_id, at).await?,
            webhooks: end_webhooks_of(&mut tx, actor, person_id, at).await?,
        },
        None => Made::default(),
    };
    let mut homes: Vec<&str> = member.grants.iter().filter_map(organisation_of).collect();
    homes.dedup();
    let deed = Deed {
        verb: if disabled_at.is_some() {
            "disable"
        } else {
            "enable"
        },
        organisation: match homes[..] {
            [one] => Some(one),
            _ => None,
        },
        obligation_id: None,
        submission_id: None,
        details: json!({
            "person": person_id, "sessions_ended": n_sessions, "programs_ended": made.programs.len(),
            "servers_ended": made.webhooks.len(),
        }),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(made)
}

/// The leave to sign off what the same person sent that an organisation was given last, whether or not it is over.
pub async fn leave_of(db: &Db, actor: &Actor, organisation: &str) -> Result<Option<Leave>, Denied> {
    allowed(actor, Action::SeePeople, &of(organisation))?;
    let mut conn = db.read(&sees(actor)).await?;
    Ok(own_sign_offs::newest(&mut conn, organisation).await?)
}

/// Somebody by their address, to act as or to do something to; for the command line alone.
pub async fn acting(db: &Db, actor: &Actor, email: &str) -> Result<Option<Actor>, Denied> {
    if !is_system(actor) {
        return Err(Denied::Forbidden);
    }
    let mut conn = db.read(&sees(actor)).await?;
    let Some(person) = people::find_by_email(&mut conn, email).await? else {
        return Ok(None);
    };
    Ok(Some(Actor {
        id: ActorId::Person(person.id),
        grants: people::grants(&mut conn, person.id).await?,
        name: person.name,
    }))
}
