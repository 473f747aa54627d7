//! One file of a batch, in words.

use std::collections::BTreeSet;

use assess::{How, RecognisedForm, Recognition};
use chrono::{TimeDelta, Utc};
use cycle::clock::moment_in_words;
use finding::words::counted;
use workflow::{Actor, ParcelState, Submission, Waiting};

use crate::pages::steps;
use crate::pages::upload::RoundChoice;
use crate::problem::Problem;
use crate::{Site, words};

/// The choice that nothing is done with a file.
pub(super) const LEAVE: &str = "leave";

/// A file is put away within seconds; after that whoever sent it was cut off.
const PUT_AWAY_WITHIN: TimeDelta = TimeDelta::minutes(2);

pub(super) struct Row {
    /// From 1.
    pub(super) ordinal: u32,
    pub(super) name: String,
    pub(super) size: String,
    pub(super) tag: &'static str,
    pub(super) state: String,
    pub(super) says: Vec<String>,
    /// Where to go on, and what is there.
    pub(super) link: Option<(String, String)>,
    /// Whether the sender decides.
    pub(super) decides: bool,
    /// Whether nothing can be decided before it is looked at.
    pub(super) is_awaited: bool,
    /// Whether work on it goes on.
    pub(super) under_way: bool,
    pub(super) field: String,
    /// A round's value, [`LEAVE`], or nothing.
    pub(super) chosen: String,
    pub(super) problem: Option<String>,
}

pub(super) fn field(ordinal: u32) -> String {
    format!("round-{ordinal}")
}

pub(super) async fn rows(
    site: &Site,
    actor: &Actor,
    waiting: &[Waiting],
    rounds: &[RoundChoice],
) -> Result<Vec<Row>, Problem> {
    let mut rows = Vec::new();
    for (idx, one) in waiting.iter().enumerate() {
        let twin = waiting[..idx]
            .iter()
            .find(|other| other.parcel.sha256 == one.parcel.sha256);
        let mut row = bare(one);
        match (one.parcel.state, &one.submission) {
            (ParcelState::Sent, Some(submission)) => {
                sent(site, actor, &mut row, submission).await?;
            }
            _ => tell(site, &mut row, one, twin, rounds),
        }
        rows.push(row);
    }
    Ok(rows)
}

fn bare(one: &Waiting) -> Row {
    let parcel = &one.parcel;
    Row {
        ordinal: parcel.ordinal,
        name: parcel.file_name.clone(),
        size: counted(parcel.n_bytes, "byte", "bytes"),
        tag: "ds_tag--blue",
        state: String::new(),
        says: Vec::new(),
        link: None,
        decides: false,
        is_awaited: false,
        under_way: false,
        field: field(parcel.ordinal),
        chosen: String::new(),
        problem: None,
    }
}

/// What a file was made of is said by that version.
async fn sent(
    site: &Site,
    actor: &Actor,
    row: &mut Row,
    submission: &Submission,
) -> Result<(), Problem> {
    let round = &submission.round;
    row.tag = words::tag_of_submission(submission.state);
    submission.state.in_words().clone_into(&mut row.state);
    row.says.push(format!(
        "Sent in as {}, {}, version {}.",
        round.return_title,
        round.period.in_words(),
        submission.version_number
    ));
    if submission.outcome.is_none() && !submission.needs_attention() {
        row.under_way = true;
        if let Some(progress) = workflow::progress(site.db()?, actor, submission).await? {
            row.says
                .push(format!("{}.", steps::now(progress, steps::STORED)));
        }
    }
    let place = format!("/submissions/{}", submission.id);
    row.link = Some((place, "See the receipt and the result".to_owned()));
    Ok(())
}

fn tell(site: &Site, row: &mut Row, one: &Waiting, twin: Option<&Waiting>, rounds: &[RoundChoice]) {
    let parcel = &one.parcel;
    let now = |last| {
        one.progress
            .map(|now| format!("{}.", steps::now(now, last)))
    };
    match parcel.state {
        ParcelState::Arriving if Utc::now() - parcel.came_at > PUT_AWAY_WITHIN => {
            row.tag = "ds_tag--red";
            "did not arrive".clone_into(&mut row.state);
            row.says
                .push("It did not arrive whole. Send it again.".to_owned());
        }
        ParcelState::Arriving | ParcelState::Waiting => {
            "being looked at".clone_into(&mut row.state);
            row.is_awaited = true;
            row.under_way = true;
            row.says.extend(now("Telling which return it is"));
        }
        ParcelState::Recognised => {
            "not sent yet".clone_into(&mut row.state);
            row.tag = "ds_tag--yellow";
            row.decides = true;
            row.says = taken_for(site, one);
            let value = parcel
                .round
                .as_ref()
                .map(|(id, label)| format!("{id}/{label}"));
            let known = value.filter(|value| rounds.iter().any(|round| round.value == *value));
            row.chosen = known.unwrap_or_default();
            if matches!(one.recognition, Some(Recognition::Unreadable { .. })) {
                LEAVE.clone_into(&mut row.chosen);
            }
            row.say_if_it_is_nothing_new(one, twin);
        }
        ParcelState::GivenUp => {
            "not looked at".clone_into(&mut row.state);
            row.tag = "ds_tag--red";
            row.decides = true;
            row.says.push(
                "We could not look at this file. This is our fault, not yours. You can still say what it is and send it, or leave it out."
                    .to_owned(),
            );
            row.say_if_it_is_nothing_new(one, twin);
        }
        ParcelState::Left => {
            "left out".clone_into(&mut row.state);
            row.tag = "ds_tag--grey";
            row.says
                .push("Nothing was sent, and the file is deleted.".to_owned());
        }
        // Its version is not to be seen.
        ParcelState::Sent => "sent".clone_into(&mut row.state),
        ParcelState::Checking => {
            "being checked".clone_into(&mut row.state);
            row.under_way = true;
            row.says.extend(now("Writing down what was found"));
            row.link = Some((
                format!("/checked/{}", parcel.id),
                "See how far it is".to_owned(),
            ));
        }
        ParcelState::Checked => {
            "checked, not sent".clone_into(&mut row.state);
            row.tag = "ds_tag--grey";
            row.says.push(format!(
                "Nothing was sent, and the file is deleted. What was found is deleted on {}.",
                moment_in_words(parcel.goes_at)
            ));
            row.link = Some((
                format!("/checked/{}", parcel.id),
                "See what was found".to_owned(),
            ));
        }
    }
}

impl Row {
    /// The same bytes twice, or once more: left out unless the sender says otherwise.
    fn say_if_it_is_nothing_new(&mut self, one: &Waiting, twin: Option<&Waiting>) {
        if let Some(twin) = twin {
            self.says.push(format!(
                "It is the very same file as file {}, so we leave it out unless you choose otherwise.",
                twin.parcel.ordinal
            ));
            LEAVE.clone_into(&mut self.chosen);
        }
        if let Some(before) = &one.sent_before {
            let round = &before.round;
            self.says.push(format!(
                "This very file was sent in already: as {}, {}, version {}, on {} by {}. We leave it out unless you choose otherwise.",
                round.return_title,
                round.period.in_words(),
                before.version_number,
                moment_in_words(before.received_at),
                before.uploaded_by
            ));
            self.link = Some((
                format!("/submissions/{}", before.id),
                format!("See version {}", before.version_number),
            ));
            LEAVE.clone_into(&mut self.chosen);
        }
    }
}

/// What a file was taken for, and by what.
fn taken_for(site: &Site, one: &Waiting) -> Vec<String> {
    match &one.recognition {
        Some(Recognition::Forms { forms, how }) => form_in_words(site, one, forms, *how),
        Some(Recognition::Unreadable { message, fix }) => vec![message.clone(), fix.clone()],
        Some(Recognition::Unknown) | None => vec![
            "We can't tell which return this is: it looks like none of the forms. Choose it here, or leave the file out."
                .to_owned(),
        ],
    }
}

fn form_in_words(site: &Site, one: &Waiting, forms: &[RecognisedForm], how: How) -> Vec<String> {
    let is = match how {
        How::Stamp => "This is the form of",
        How::Looks => "This looks like",
    };
    let chosen = one.parcel.round.as_ref();
    let form = chosen.and_then(|(id, _)| forms.iter().find(|form| form.return_id == *id));
    if let Some(form) = form {
        let when = match period_in_words(site, form) {
            Some(period) => format!("It says that it is for {period}."),
            None => format!(
                "It does not say for which period. We chose {}: change it if that is not right.",
                chosen.map_or_else(String::new, |(id, label)| in_words(site, id, label))
            ),
        };
        return vec![format!("{is} {}. {when}", title(site, form))];
    }
    let returns: BTreeSet<&str> = forms.iter().map(|form| form.return_id.as_str()).collect();
    let titles: BTreeSet<String> = forms.iter().map(|form| title(site, form)).collect();
    let titles: Vec<String> = titles.into_iter().collect();
    let period = forms.iter().find_map(|form| period_in_words(site, form));
    vec![match (returns.len(), period) {
        (1, Some(period)) => format!(
            "{is} {} for {period}, for which nothing is asked of your organisation just now. Choose what it is for, or leave the file out.",
            titles.join(" or ")
        ),
        (1, None) => format!(
            "{is} {}, which is not asked of your organisation just now. Choose what it is for, or leave the file out.",
            titles.join(" or ")
        ),
        _ => format!(
            "This may be {}. Choose which it is, or leave the file out.",
            titles.join(" or ")
        ),
    }]
}

fn title(site: &Site, form: &RecognisedForm) -> String {
    let spec = site
        .specs
        .iter()
        .find(|spec| spec.id == form.return_id && spec.version == form.version);
    spec.map_or_else(
        || form.return_id.clone(),
        |spec| format!("{} ({})", spec.title, spec.acronym),
    )
}

fn period_in_words(site: &Site, form: &RecognisedForm) -> Option<String> {
    let label = form.period.as_ref()?;
    Some(in_words(site, &form.return_id, label))
}

fn in_words(site: &Site, return_id: &str, label: &str) -> String {
    let known = site.newest_spec(return_id, label);
    known.map_or_else(|| label.to_owned(), |(_, period)| period.in_words())
}
