//! Reminders: who has to be told what today is decided by `cycle`, told in one email a person and day, and kept with what
//! was left out and why. All of it is one transaction: it is done, or the next one does it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use access::{Action, Grant, Object, Reach, Role};
use chrono::{DateTime, Days, NaiveDate, Utc};
use cycle::reminders::{Decision, Duty, Known, Moved, Reader, Rung, Why, due_now, moved};
use cycle::{DateFact, ObligationState, clock};
use db::cycles::{Obligation, Round, dates};
use db::emails::About;
use db::people::{self, Person};
use db::reminders::{self, CameTo, Decided, NewReminder};
use db::{Conn, Db, DbError, Tx};
use mail::{Message, Reminded, Reminder, Reminders};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, home_of, record, sees};
use crate::{Actor, Denied, RoundName, outbox};

pub use db::reminders::Logged;

/// The kind of job that reminds; a schedule puts it in.
pub const REMIND_JOB: &str = "remind";

/// How many reminders were sent, in how many emails, and how many were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RemindedOf {
    pub n_sent: usize,
    pub n_emails: usize,
    pub n_left_out: usize,
}

/// The word of the log for a day that moved.
const MOVED: &str = "moved";
/// For a round that was cancelled after people had been reminded of it.
const CANCELLED: &str = "cancelled";
/// For one that takes place after all, after they had been told that it was cancelled.
const REINSTATED: &str = "reinstated";

/// What is so long past is on no rung any more: the last one, and what it may be late.
const PAST_DAYS: u64 = 31;
/// And what is due later is on none yet.
const AHEAD_DAYS: u64 = 31;

/// Reminds everybody of what has come by now and was not decided on before. Doing it again does nothing.
pub async fn remind(db: &Db, actor: &Actor, now: DateTime<Utc>) -> Result<RemindedOf, DbError> {
    let today = clock::day(now);
    let mut tx = db.begin(&sees(actor)).await?;
    reminders::lock(&mut tx).await?;
    let from = today
        .checked_sub_days(Days::new(PAST_DAYS))
        .unwrap_or(today);
    let until = today
        .checked_add_days(Days::new(AHEAD_DAYS))
        .unwrap_or(today);
    let to_tell = reminders::to_tell(&mut tx, (from, until), today).await?;
    let mut ladder = Ladder::of(&mut tx, &to_tell).await?;
    let told_today = reminders::told_on(&mut tx, today).await?;
    let mut by_person: BTreeMap<Uuid, Told> = BTreeMap::new();
    let mut new = Vec::new();
    for owed in &to_tell {
        for asked in ladder.asked(owed, today) {
            let readers = match &asked.to {
                To::Reader(reader) => {
                    readers(&mut tx, &mut ladder.people, &owed.organisation, *reader).await?
                }
                To::People(ids) => still_here(&mut tx, ids, &owed.organisation).await?,
            };
            // What has come since the day's email is told tomorrow, and to all who are to know.
            if asked.decision == Decision::Send
                && readers.iter().any(|person| told_today.contains(&person.id))
            {
                continue;
            }
            if readers.is_empty() && matches!(asked.to, To::Reader(_)) {
                let decision = match asked.decision {
                    Decision::Send => Why::Nobody,
                    Decision::Leave(why) => why,
                };
                if !ladder.is_decided(owed.id, None, &asked) {
                    new.push(asked.kept(owed, None, CameTo::LeftOut(decision.as_str())));
                }
            }
            for person in readers {
                let is_for_all = matches!(asked.to, To::Reader(_));
                if is_for_all && ladder.is_decided(owed.id, Some(person.id), &asked) {
                    continue;
                }
                match asked.decision {
                    Decision::Leave(why) => {
                        let left_out = CameTo::LeftOut(why.as_str());
                        new.push(asked.kept(owed, Some(person.id), left_out));
                    }
                    Decision::Send => by_person
                        .entry(person.id)
                        .or_insert_with(|| Told::nothing(person.email.clone()))
                        .things
                        .push((owed.clone(), asked.clone())),
                }
            }
        }
    }
    let mut came_to = RemindedOf::default();
    for (person_id, told) in by_person {
        let Some(digest) = reminders::begin_digest(&mut tx, person_id, today).await? else {
            continue;
        };
        came_to.n_emails += 1;
        let lines = told.things.iter().map(|(owed, asked)| asked.line(owed));
        let message = Message::Reminders(Reminders {
            on: today,
            lines: lines.collect(),
        });
        let about = About::Person(person_id);
        outbox::post_on(&mut tx, digest, about, &told.email, &message).await?;
        for (owed, asked) in &told.things {
            new.push(asked.kept(owed, Some(person_id), CameTo::Sent(digest)));
        }
    }
    for one in &new {
        match one.came_to {
            CameTo::Sent(_) => came_to.n_sent += 1,
            CameTo::LeftOut(_) => came_to.n_left_out += 1,
        }
    }
    if !new.is_empty() {
        reminders::add(&mut tx, &new).await?;
        let deed = Deed {
            verb: "remind",
            organisation: None,
            obligation_id: None,
            submission_id: None,
            details: json!({
                "day": today, "sent": came_to.n_sent, "emails": came_to.n_emails, "left_out": came_to.n_left_out,
            }),
        };
        record(&mut tx, actor, deed).await?;
    }
    tx.commit().await?;
    Ok(came_to)
}

/// What is told to one person.
struct Told {
    email: String,
    things: Vec<(Obligation, Asked)>,
}

impl Told {
    fn nothing(email: String) -> Self {
        Self {
            email,
            things: Vec::new(),
        }
    }
}

/// One step that has come for a duty, or a move of its day.
#[derive(Debug, Clone)]
struct Asked {
    /// As the log calls it.
    rung: &'static str,
    /// The day that the log names.
    due_on: NaiveDate,
    moved: Option<Moved>,
    to: To,
    decision: Decision,
}

#[derive(Debug, Clone)]
enum To {
    Reader(Reader),
    /// Who was told something that is so no more.
    People(BTreeSet<Uuid>),
}

impl Asked {
    fn kept(&self, owed: &Obligation, person_id: Option<Uuid>, came_to: CameTo) -> NewReminder {
        NewReminder {
            obligation_id: owed.id,
            organisation: owed.organisation.clone(),
            person_id,
            rung: self.rung,
            due_on: self.due_on,
            moved: self.moved.map(|moved| (moved.from, moved.fact)),
            came_to,
        }
    }

    fn line(&self, owed: &Obligation) -> Reminder {
        let round = &owed.round;
        Reminder {
            page: format!(
                "/returns/{}/{}/{}",
                round.return_id, round.period.label, owed.organisation
            ),
            organisation_name: owed.organisation_name.clone(),
            return_title: round.return_title.clone(),
            period: round.period.in_words(),
            due_on: self.due_on,
            is_provisional: round.is_provisional,
            what: match (self.moved, &self.to) {
                (Some(moved), _) => Reminded::Moved { from: moved.from },
                (None, To::People(_)) if self.rung == CANCELLED => Reminded::Cancelled,
                (None, To::People(_)) => Reminded::Reinstated,
                (None, To::Reader(Reader::Signer)) => Reminded::Escalated,
                (None, To::Reader(Reader::Owner)) => Reminded::ToSend,
            },
        }
    }
}

/// What is known before anything is decided.
struct Ladder {
    /// Days of each round.
    histories: HashMap<i64, Vec<DateFact>>,
    decided: HashMap<i64, Vec<Decided>>,
    people: HashMap<(String, Role), Vec<Person>>,
}

impl Ladder {
    async fn of(conn: &mut Conn, to_tell: &[Obligation]) -> Result<Self, DbError> {
        let mut cycles: Vec<i64> = to_tell.iter().map(|one| one.cycle_id).collect();
        cycles.sort_unstable();
        cycles.dedup();
        let ids: Vec<i64> = to_tell.iter().map(|one| one.id).collect();
        let mut histories: HashMap<i64, Vec<DateFact>> = HashMap::new();
        for (cycle_id, fact) in dates::histories(conn, &cycles).await? {
            histories.entry(cycle_id).or_default().push(fact);
        }
        let mut decided: HashMap<i64, Vec<Decided>> = HashMap::new();
        for one in reminders::decided(conn, &ids).await? {
            decided.entry(one.obligation_id).or_default().push(one);
        }
        Ok(Self {
            histories,
            decided,
            people: HashMap::new(),
        })
    }

    fn decided_on(&self, obligation_id: i64) -> &[Decided] {
        self.decided.get(&obligation_id).map_or(&[], Vec::as_slice)
    }

    /// What has come for a duty, whoever was told of it.
    fn asked(&self, owed: &Obligation, today: NaiveDate) -> Vec<Asked> {
        let duty = Duty {
            state: owed.state,
            opens_on: owed.round.opens_on,
            due_on: owed.due_on,
        };
        // Each person's own log decides whether it is new to them, so that nothing is decided here.
        let mut asked: Vec<Asked> = due_now(&duty, &[], today)
            .into_iter()
            .map(|(rung, decision)| Asked {
                rung: rung.as_str(),
                due_on: owed.due_on,
                moved: None,
                to: To::Reader(rung.reader()),
                decision,
            })
            .collect();
        asked.extend(self.taking_place(owed));
        let decided = self.decided_on(owed.id).iter();
        let sent = decided.clone().filter(|one| one.was_sent);
        let told: Vec<NaiveDate> = sent.map(|one| one.due_on).collect();
        let known = Known {
            fact: decided.filter_map(|one| one.cycle_date_id).max(),
            told: &told,
            given_until: owed.given_until,
        };
        let history = self.histories.get(&owed.cycle_id);
        let moved = history.and_then(|history| moved(history, known, owed.state));
        asked.extend(moved.map(|moved| Asked {
            rung: MOVED,
            due_on: moved.to,
            moved: Some(moved),
            to: To::Reader(Reader::Owner),
            decision: moved.decision,
        }));
        asked
    }

    /// That the round was cancelled, for who was reminded of it; that it takes place after all, for who was told that.
    fn taking_place(&self, owed: &Obligation) -> Option<Asked> {
        let rung = match owed.state {
            ObligationState::Cancelled if owed.is_required => CANCELLED,
            state if cycle::reminders::is_owed(state) => REINSTATED,
            _ => return None,
        };
        let mut knows: BTreeMap<Uuid, &str> = BTreeMap::new();
        for one in self.decided_on(owed.id).iter().filter(|one| one.was_sent) {
            if let Some(person) = one.person_id {
                let said = [CANCELLED, REINSTATED];
                let said = said.into_iter().find(|said| *said == one.rung);
                let known = knows.entry(person).or_insert(REINSTATED);
                *known = said.unwrap_or(*known);
            }
        }
        knows.retain(|_, known| *known != rung);
        let people: BTreeSet<Uuid> = knows.into_keys().collect();
        (!people.is_empty()).then_some(Asked {
            rung,
            due_on: owed.due_on,
            moved: None,
            to: To::People(people),
            decision: Decision::Send,
        })
    }

    fn is_decided(&self, obligation_id: i64, person: Option<Uuid>, asked: &Asked) -> bool {
        self.decided_on(obligation_id).iter().any(|one| {
            one.person_id == person
                && one.rung == asked.rung
                && one.due_on == asked.due_on
                && one.cycle_date_id == asked.moved.map(|moved| moved.fact)
        })
    }
}

/// Those who still work for an organisation.
async fn still_here(
    tx: &mut Tx,
    ids: &BTreeSet<Uuid>,
    organisation: &str,
) -> Result<Vec<Person>, DbError> {
    let of_it = Reach::Organisation(organisation.to_owned());
    let mut found = Vec::new();
    for id in ids {
        let grants = people::grants(tx, *id).await?;
        if grants.iter().any(|grant| grant.reach == of_it) {
            found.extend(people::find_active(tx, *id).await?);
        }
    }
    Ok(found)
}

/// Who is reminded of what an organisation owes.
pub(crate) async fn owners(tx: &mut Tx, organisation: &str) -> Result<Vec<Person>, DbError> {
    readers(tx, &mut HashMap::new(), organisation, Reader::Owner).await
}

/// The people of an organisation that a step is for, each looked up once.
async fn readers(
    tx: &mut Tx,
    known: &mut HashMap<(String, Role), Vec<Person>>,
    organisation: &str,
    reader: Reader,
) -> Result<Vec<Person>, DbError> {
    let roles = match reader {
        // Where nobody sends, whoever signs off has to know.
        Reader::Owner => [Role::Uploader, Role::Approver],
        Reader::Signer => [Role::Approver, Role::Uploader],
    };
    for role in roles {
        let key = (organisation.to_owned(), role);
        if !known.contains_key(&key) {
            let grant = Grant {
                role,
                reach: Reach::Organisation(organisation.to_owned()),
            };
            known.insert(key.clone(), people::holding(tx, &grant).await?);
        }
        if let Some(found) = known.get(&key).filter(|found| !found.is_empty()) {
            return Ok(found.clone());
        }
    }
    Ok(Vec::new())
}

/// What was sent about a duty and what was left out, in order, for whoever sees the duty.
pub async fn reminders_of(
    db: &Db,
    actor: &Actor,
    owed: &Obligation,
) -> Result<Vec<Logged>, Denied> {
    let object = Object {
        organisation: Some(&owed.organisation),
        return_id: Some(&owed.round.return_id),
        ..Object::default()
    };
    allowed(actor, Action::SeeObligation, &object)?;
    let log = reminders::log_of(&mut *db.read(&sees(actor)).await?, owed.id).await?;
    Ok(log.into_iter().map(|line| shown(actor, line)).collect())
}

/// What was sent in a round and what was left out, the newest first, for whoever plans the rounds: so many lines after those
/// of the pages before.
pub async fn reminders_in(
    db: &Db,
    actor: &Actor,
    round: &RoundName,
    (n_before, n_most): (u32, u32),
) -> Result<(Round, Vec<Logged>), Denied> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let mut conn = db.read(&sees(actor)).await?;
    let found = dates::find(&mut conn, &round.return_id, &round.period).await?;
    let (cycle_id, round) = found.ok_or(Denied::NotThere)?;
    let log = reminders::log_of_round(&mut conn, cycle_id, (n_before, n_most)).await?;
    let log = log.into_iter().map(|line| shown(actor, line)).collect();
    Ok((round, log))
}

/// Who somebody is, is for their own organisation and for whoever may see its people; the others read what they do.
fn shown(actor: &Actor, mut line: Logged) -> Logged {
    let of_it = Object {
        organisation: Some(&line.organisation),
        ..Object::default()
    };
    let may_see_people = matches!(
        allowed(actor, Action::SeePeople, &of_it),
        Ok(access::View::Values)
    );
    if line.person_name.is_some() && !may_see_people && home_of(actor, &line.organisation).is_none()
    {
        let reader = Rung::parse(&line.rung).map_or(Reader::Owner, Rung::reader);
        line.person_name = Some(
            match reader {
                Reader::Owner => "somebody who sends its returns",
                Reader::Signer => "somebody who signs off",
            }
            .to_owned(),
        );
    }
    line
}

/// A line of the log in words: what it was about, and what came of it.
pub fn reminder_in_words(line: &Logged) -> (String, String) {
    let day = |day: NaiveDate| day.format("%-d %B %Y").to_string();
    let step = match (line.moved_from, Rung::parse(&line.rung)) {
        (Some(from), _) => format!("moved from {} to {}", day(from), day(line.due_on)),
        (None, Some(rung)) => {
            let due = day(line.due_on);
            match rung {
                Rung::Before30 => format!("30 days before {due}"),
                Rung::Before14 => format!("14 days before {due}"),
                Rung::Before7 => format!("7 days before {due}"),
                Rung::Before1 => format!("the day before {due}"),
                Rung::Due => format!("on the day, {due}"),
                Rung::After1 => format!("the day after {due}"),
                Rung::After7 => format!("7 days after {due}"),
                Rung::Escalation => format!("14 days after {due}, to whoever signs off"),
            }
        }
        (None, None) if line.rung == CANCELLED => "that the round was cancelled".to_owned(),
        (None, None) if line.rung == REINSTATED => {
            "that the round takes place after all".to_owned()
        }
        (None, None) => line.rung.clone(),
    };
    let came_to = match &line.left_out_because {
        None => "sent".to_owned(),
        Some(word) => {
            let why = Why::parse(word).map_or(word.as_str(), |why| why.in_words());
            format!("not sent: {why}")
        }
    };
    (step, came_to)
}
