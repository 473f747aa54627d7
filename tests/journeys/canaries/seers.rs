//! Everybody who asks, and what each may see.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::future::join_all;
use reqwest::Client;

use super::OTHER_RETURN;
use super::marks::{COUNCILS, Kind, Mark, Sender, marks_in};
use crate::council::{RETURN, client};
use crate::lgdp::Platform;
use crate::person::Person;

/// Pages that one follows links to, beyond the addresses that are known.
const MOST_PAGES: usize = 1_500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// A council's people and programs: whatever is theirs.
    Council(usize),
    /// Who reads a council's trail: who did what with which file.
    Auditor(usize),
    /// Who asks for the return: what was handed over.
    Team,
    /// A program that takes the return's figures.
    Figures,
    /// Who plans or runs the service: who and how many, no values.
    Counts,
    Nothing,
}

impl Sight {
    pub(super) fn covers(self, mark: Mark) -> bool {
        match self {
            Sight::Council(council) => mark.council == council,
            Sight::Auditor(council) => {
                mark.council == council
                    && (mark.kind.is_a_name()
                        || matches!(mark.kind, Kind::Message | Kind::Reason | Kind::DraftReason))
            }
            Sight::Team => !mark.kind.is_of_a_draft(),
            // Each record with the file that it came in, and with what its council keeps beside it.
            Sight::Figures => {
                matches!(mark.kind, Kind::Cell | Kind::OwnColumn | Kind::File)
            }
            Sight::Counts => mark.kind.is_a_name(),
            Sight::Nothing => false,
        }
    }
}

pub(super) struct Seer {
    pub(super) what: String,
    pub(super) sight: Sight,
    proof: Proof,
    address: String,
    client: Client,
}

enum Proof {
    Cookie(String),
    Token(String),
    None,
}

pub(super) struct Everybody {
    pub(super) seers: Vec<Seer>,
    pub(super) team: Person,
    hands: Vec<Hands>,
}

/// A council's people.
pub(super) struct Hands {
    pub(super) uploader: Person,
    pub(super) approver: Person,
    pub(super) token: String,
}

impl Everybody {
    pub(super) fn hands_of(&self, council: &Sender) -> &Hands {
        &self.hands[council.idx()]
    }
}

pub(super) async fn everybody(platform: &Platform) -> Everybody {
    let mut seers = Vec::new();
    let mut hands = Vec::new();
    for council in &COUNCILS {
        let sight = Sight::Council(council.idx());
        let of_it = ["--organisation", council.code];
        let name = |who: &str| format!("{who} {}", council.mark(Kind::Person));
        for (who, role) in [("ann", "uploader"), ("bo", "approver"), ("cy", "auditor")] {
            platform.invite_as(&council.address(who), &name(who), role, &of_it);
        }
        let addresses = ["ann", "bo", "cy"].map(|who| council.address(who));
        let people = addresses
            .iter()
            .map(|email| Person::sign_in(platform, email));
        let [uploader, approver, auditor]: [Person; 3] =
            join_all(people).await.try_into().ok().unwrap();
        let token = platform.sending_token_of(&council.mark(Kind::Program), council.code);
        let code = council.code;
        seers.push(Seer::person(
            platform,
            format!("uploader {code}"),
            sight,
            &uploader,
        ));
        seers.push(Seer::person(
            platform,
            format!("approver {code}"),
            sight,
            &approver,
        ));
        let reads_trail = Sight::Auditor(council.idx());
        seers.push(Seer::person(
            platform,
            format!("auditor {code}"),
            reads_trail,
            &auditor,
        ));
        seers.push(Seer::program(
            platform,
            format!("program {code}"),
            sight,
            &token,
        ));
        hands.push(Hands {
            uploader,
            approver,
            token,
        });
    }
    let of_return = |id: &'static str| vec!["--return", id];
    let others = [
        ("tess", "dataset_team", of_return(RETURN), Sight::Team),
        (
            "tom",
            "dataset_team",
            of_return(OTHER_RETURN),
            Sight::Nothing,
        ),
        ("sky", "scheduler", Vec::new(), Sight::Counts),
        ("ada", "admin", Vec::new(), Sight::Counts),
        ("reg", "register_editor", Vec::new(), Sight::Nothing),
    ];
    let mut team = None;
    for (who, role, held_for, sight) in others {
        let email = format!("{who}@office.example");
        platform.invite_as(&email, who, role, &held_for);
        let person = Person::sign_in(platform, &email).await;
        seers.push(Seer::person(
            platform,
            format!("{role} {}", held_for.join(" ")),
            sight,
            &person,
        ));
        if sight == Sight::Team {
            team = Some(person);
        }
    }
    for (return_id, sight) in [(RETURN, Sight::Figures), (OTHER_RETURN, Sight::Nothing)] {
        let token = platform.reading_token(return_id);
        seers.push(Seer::program(
            platform,
            format!("figures of {return_id}"),
            sight,
            &token,
        ));
    }
    seers.push(Seer::new(
        platform,
        "nobody".to_owned(),
        Sight::Nothing,
        Proof::None,
    ));
    Everybody {
        seers,
        team: team.unwrap(),
        hands,
    }
}

/// What one was shown.
#[derive(Default)]
pub(super) struct Searched {
    pub(super) n_answers: usize,
    pub(super) n_bytes: usize,
    pub(super) statuses: BTreeMap<u16, usize>,
    /// And where.
    pub(super) marks: BTreeMap<Mark, BTreeSet<String>>,
}

impl Seer {
    fn new(platform: &Platform, what: String, sight: Sight, proof: Proof) -> Seer {
        Seer {
            what,
            sight,
            proof,
            address: platform.address.clone(),
            client: client(),
        }
    }

    fn person(platform: &Platform, what: String, sight: Sight, person: &Person) -> Seer {
        Seer::new(platform, what, sight, Proof::Cookie(person.cookie.clone()))
    }

    fn program(platform: &Platform, what: String, sight: Sight, token: &str) -> Seer {
        Seer::new(platform, what, sight, Proof::Token(token.to_owned()))
    }

    /// Asks for all these and for whatever the pages link to.
    pub(super) async fn ask_for_all(&self, paths: &[String]) -> Searched {
        let mut searched = Searched::default();
        let mut to_ask: VecDeque<String> = paths.iter().cloned().collect();
        let mut asked: BTreeSet<String> = paths.iter().cloned().collect();
        while let Some(path) = to_ask.pop_front() {
            let links = self.ask(&path, &mut searched).await.into_iter();
            let links = links.filter(|link| is_of_somebody_who_sent(link));
            for link in links {
                if asked.insert(link.clone()) {
                    to_ask.push_back(link);
                }
            }
            assert!(asked.len() < MOST_PAGES, "{}: {path}", self.what);
        }
        searched
    }

    /// Gives the links of a page.
    async fn ask(&self, path: &str, searched: &mut Searched) -> Vec<String> {
        let asked = self.client.get(format!("{}{path}", self.address));
        let asked = match &self.proof {
            Proof::Cookie(cookie) => asked.header("cookie", cookie),
            Proof::Token(token) => asked.bearer_auth(token),
            Proof::None => asked,
        };
        let answer = asked.send().await.unwrap();
        let status = answer.status().as_u16();
        let head = format!("{:?}", answer.headers());
        let body = answer.bytes().await.unwrap();
        searched.n_answers += 1;
        searched.n_bytes += head.len() + body.len();
        *searched.statuses.entry(status).or_default() += 1;
        for mark in marks_in(head.as_bytes()).into_iter().chain(marks_in(&body)) {
            searched
                .marks
                .entry(mark)
                .or_default()
                .insert(path.to_owned());
        }
        if body.starts_with(b"<!doctype html>") {
            links(path, &String::from_utf8_lossy(&body))
        } else {
            Vec::new()
        }
    }
}

/// A hundred other organisations have sent nothing, and each has the same pages.
fn is_of_somebody_who_sent(link: &str) -> bool {
    link.strip_prefix("/organisations/").is_none_or(|rest| {
        let mut councils = COUNCILS.iter();
        councils.any(|council| rest.starts_with(council.code))
    })
}

/// Where a page leads to on this site.
fn links(path: &str, page: &str) -> Vec<String> {
    let of_page = path.split('?').next().unwrap();
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| {
            let link = rest.split('"').next().unwrap();
            let link = link.replace("&amp;", "&").replace("&#38;", "&");
            let link = link.split('#').next().unwrap();
            match link.chars().next() {
                Some('/') if !link.starts_with("/assets/") => Some(link.to_owned()),
                Some('?') => Some(format!("{of_page}{link}")),
                _ => None,
            }
        })
        .collect()
}

#[test]
fn links_are_followed_on_this_site() {
    let page = "<a href=\"/a?b=1&#38;c=2\"> <a href=\"?d\"> <a href=\"#e\"> <a href=\"https://f\"> <link href=\"/assets/g\">";
    assert_eq!(links("/p?q", page), ["/a?b=1&c=2", "/p?d"]);
}
