//! An event in words: what was done, about what, and the facts of it with names in the place of ids.

use std::collections::HashMap;

use access::Role;
use chrono::{DateTime, NaiveDate, Utc};
use cycle::clock::moment_in_words;
use db::events::TrailEvent;
use serde_json::Value;
use uuid::Uuid;

use crate::words::capitalised;

/// What was done.
pub(super) fn deed(verb: &str) -> String {
    let known = match verb {
        "receive" => "sent a file",
        "declare_nil" => "declared that there is nothing to report",
        "assess" => "checked the file",
        "mark" => "marked the file",
        "explain" => "explained figures",
        "ask_for_waiver" => "asked for a standing exception",
        "decide_waiver" => "decided on a standing exception",
        "write_message" => "wrote a message",
        "submit" => "submitted it for sign-off",
        "sign_off" => "signed it off",
        "accept" => "accepted it",
        "send_back" => "sent it back",
        "withdraw" => "withdrew it",
        "invite" => "gave somebody something to do",
        "end_role" => "ended what somebody did",
        "disable" => "ended somebody's access",
        "enable" => "gave somebody access again",
        "add_client" => "gave a program access",
        "add_webhook" => "had a server told what happens",
        "end_webhook" => "ended telling a server what happens",
        "send_webhook_again" => "had a server told again",
        "revoke_client" => "ended a program's access",
        "sign_in" => "signed in",
        "take_account" => "tied an account to somebody",
        "allow_own_sign_off" => "gave leave to sign off own files",
        "read_audit" => "read the audit trail",
        "export_audit" => "took the audit trail away",
        "open_cycle" => "opened a round",
        "follow_publication" => "had a round go by what is published",
        "set_dates" => "set dates of a round",
        "cancel_round" => "cancelled a round",
        "reinstate_round" => "had a cancelled round take place after all",
        "make_feed" => "made an address for a calendar",
        "revoke_feed" => "ended an address for a calendar",
        "remind" => "reminded people of their returns",
        "add_local_holiday" => "noted an organisation's own holiday",
        "end_local_holiday" => "took an organisation's own holiday back",
        "add_schedule" => "added a schedule",
        "change_schedule" => "changed a schedule",
        "pause_schedule" => "paused a schedule",
        "resume_schedule" => "took a schedule up again",
        "end_schedule" => "ended a schedule",
        "turn_round" => "noted that a round's day has come",
        "decide_extension" => "decided on more time",
        "decide_extension_anew" => "decided anew on more time",
        "require" => "asked an organisation for a return",
        "do_not_require" => "said that a return is not required",
        "draft_release" => "drafted a release",
        "build_release" => "built a release",
        "approve_release" => "approved a release",
        "publish_release" => "published a release",
        "publish" => "published a return",
        "publish_organisations" => "published the organisations",
        "publish_reference_values" => "published central figures",
        "give_up" => "gave up checking the file",
        "retry" => "had the file checked again",
        "check_collection" => "checked the round's files against each other",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}

/// `Homelessness applications, 2026-27-Q2, version 3`; blank where it is about no round.
pub(super) fn about(event: &TrailEvent) -> String {
    let mut parts = Vec::new();
    parts.extend(event.return_title.clone());
    parts.extend(event.period_label.clone());
    parts.extend(event.version_number.map(|n| format!("version {n}")));
    parts.join(", ")
}

/// The facts of an event that has any.
pub(super) fn facts(details: &Value, names: &HashMap<Uuid, String>) -> Vec<(String, String)> {
    let fields = details.as_object().into_iter().flatten();
    fields
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (heading(name), fact(name, value, names)))
        .collect()
}

fn heading(name: &str) -> String {
    match name {
        "sha256" | "file" => "Fingerprint of the file".to_owned(),
        "by_way_of" => "By way of".to_owned(),
        "new" => "For the first time".to_owned(),
        "n_findings" => "Findings".to_owned(),
        other => capitalised(&other.replace('_', " ")),
    }
}

fn fact(name: &str, value: &Value, names: &HashMap<Uuid, String>) -> String {
    let text = match value {
        Value::String(text) => text.as_str(),
        Value::Bool(true) => "yes",
        Value::Bool(false) => "no",
        other => return other.to_string(),
    };
    let known = match name {
        "person" | "client" => Uuid::try_parse(text)
            .ok()
            .and_then(|id| names.get(&id))
            .cloned(),
        "outcome" | "before" | "after" | "state" => Some(text.replace('_', " ")),
        "role" => Role::parse(text).map(|role| role.in_words().to_owned()),
        _ => time_in_words(text),
    };
    known.unwrap_or_else(|| text.to_owned())
}

/// Days and moments are stored as programs write them.
fn time_in_words(text: &str) -> Option<String> {
    let day = text
        .parse::<NaiveDate>()
        .map(|day| day.format("%-d %B %Y").to_string());
    let moment = text.parse::<DateTime<Utc>>().map(moment_in_words);
    day.or(moment).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_stand_in_the_place_of_ids() {
        let (ann, gone) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let names = HashMap::from([(ann, "Ann".to_owned())]);
        let told = facts(
            &json!({"person": ann, "role": "uploader", "return": null, "new": true}),
            &names,
        );
        let mut told: Vec<(&str, &str)> = told
            .iter()
            .map(|(heading, fact)| (heading.as_str(), fact.as_str()))
            .collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [
                ("For the first time", "yes"),
                ("Person", "Ann"),
                ("Role", "sends returns")
            ]
        );
        let told = facts(&json!({"client": gone, "n": 3}), &names);
        assert!(told.contains(&("Client".to_owned(), gone.to_string())));
        assert!(told.contains(&("N".to_owned(), "3".to_owned())));
    }

    #[test]
    fn days_moments_and_outcomes_are_told_as_people_say_them() {
        let details = json!({
            "outcome": "needs_explanation",
            "until": "2027-03-31",
            "expires_at": "2026-07-01T09:30:00.123456Z",
            "period": "2026-27",
        });
        let told: HashMap<String, String> = facts(&details, &HashMap::new()).into_iter().collect();
        assert_eq!(told["Outcome"], "needs explanation");
        assert_eq!(told["Until"], "31 March 2027");
        assert_eq!(told["Expires at"], "1 July 2026 at 10:30");
        assert_eq!(told["Period"], "2026-27");
    }

    #[test]
    fn a_verb_without_words_is_told_as_it_is() {
        assert_eq!(deed("do_so"), "do so");
    }
}
