//! What becomes of the files after they were checked: made-up people submit, sign off, accept and send back,
//! and leave some in every state on the way.

use access::{ActorId, Grant, Reach, Role};
use anyhow::Context as _;
use chrono::Utc;
use cycle::Verb;
use db::Db;
use uuid::Uuid;
use workflow::{Actor, HandoverError};

use super::people::Hands;
use super::plan::{Sending, Wave};

/// What the files of this period come to, one organisation after the other.
const ENDS: [&[Verb]; 6] = [
    &[Verb::Submit, Verb::SignOff, Verb::Accept],
    &[Verb::Submit, Verb::SignOff],
    &[Verb::Submit],
    &[],
    &[Verb::Submit, Verb::SignOff, Verb::Accept],
    &[Verb::Submit, Verb::SignOff, Verb::SendBack],
];

const REASON: &str = "The figures differ from those that were published. Please look at them again. (This is the demo: nobody looked.)";

/// Of earlier periods everything is accepted, so that what comes next is compared with it.
fn end_of(sending: &Sending, nth: usize) -> &'static [Verb] {
    match sending.wave {
        Wave::Earlier => ENDS[0],
        Wave::Now => ENDS[nth % ENDS.len()],
    }
}

/// Does with each file what is to be done with it, as far as that can be done. What is done at an earlier start is left.
pub(super) async fn hand_over(
    db: &Db,
    hands: &Hands,
    files: &[(&Sending, Uuid)],
) -> anyhow::Result<()> {
    for (nth, (sending, id)) in files.iter().enumerate() {
        for &verb in end_of(sending, nth) {
            let actor = match verb {
                Verb::Submit | Verb::Withdraw => hands.of(&sending.organisation, Role::Uploader)?,
                Verb::SignOff => hands.of(&sending.organisation, Role::Approver)?,
                Verb::Accept | Verb::SendBack => hands.team(),
            };
            if !is_done(db, actor, verb, *id).await? {
                break;
            }
        }
    }
    Ok(())
}

/// False where it can't be done: there is something to fix or to explain, or somebody has gone on with it by hand.
async fn is_done(db: &Db, actor: &Actor, verb: Verb, id: Uuid) -> anyhow::Result<bool> {
    let now = Utc::now();
    let done = match verb {
        Verb::Submit => workflow::submit(db, actor, id, now).await,
        Verb::SignOff => workflow::sign_off(db, actor, id, now).await,
        Verb::Accept => workflow::accept(db, actor, id, now).await,
        Verb::SendBack => workflow::send_back(db, actor, id, REASON, now).await,
        Verb::Withdraw => workflow::withdraw(db, actor, id, None, now).await,
    };
    match done {
        Ok(_) => Ok(true),
        Err(
            HandoverError::NotNow(_) | HandoverError::Newer(_) | HandoverError::NotExplained { .. },
        ) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("{verb} of {id}")),
    }
}

/// Somebody of the demo, to act as.
pub(super) fn actor(id: Uuid, name: &str, grants: &[Grant]) -> Actor {
    Actor {
        id: ActorId::Person(id),
        name: name.to_owned(),
        grants: grants.to_vec(),
    }
}

/// The organisation that a role of theirs is held for.
pub(super) fn organisation_of(grant: &Grant) -> Option<&str> {
    match &grant.reach {
        Reach::Organisation(code) => Some(code),
        Reach::Return(_) | Reach::Everything => None,
    }
}
