//! The marks, and finding them.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Who sends, with the code that stands in its files.
pub(super) struct Sender {
    pub(super) code: &'static str,
    pub(super) sg_code: &'static str,
    idx: usize,
}

pub(super) const COUNCILS: [Sender; 3] = [
    Sender {
        code: "S12000033",
        sg_code: "100",
        idx: 0,
    },
    Sender {
        code: "S12000036",
        sg_code: "230",
        idx: 1,
    },
    Sender {
        code: "S12000049",
        sg_code: "260",
        idx: 2,
    },
];

impl Sender {
    pub(super) fn idx(&self) -> usize {
        self.idx
    }

    pub(super) fn mark(&self, kind: Kind) -> String {
        Mark::of(kind, self.idx)
    }

    pub(super) fn address(&self, who: &str) -> String {
        format!("{who}@{}.example", self.mark(Kind::Address))
    }
}

/// Where a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// In the records of the version that is handed over.
    Cell,
    /// In a column that the council has for itself.
    OwnColumn,
    /// In a cell of a draft that is wrong, so that a finding quotes it.
    WrongCell,
    File,
    DraftFile,
    Explanation,
    WaiverReason,
    /// Why the team granted it.
    Decision,
    Message,
    /// Why the team sent the version back, and why the council withdrew its draft.
    Reason,
    DraftReason,
    Person,
    Program,
    Address,
}

impl Kind {
    pub(super) const ALL: [Kind; 14] = [
        Kind::Cell,
        Kind::OwnColumn,
        Kind::WrongCell,
        Kind::File,
        Kind::DraftFile,
        Kind::Explanation,
        Kind::WaiverReason,
        Kind::Decision,
        Kind::Message,
        Kind::Reason,
        Kind::DraftReason,
        Kind::Person,
        Kind::Program,
        Kind::Address,
    ];

    fn word(self) -> &'static str {
        match self {
            Kind::Cell => "cell",
            Kind::OwnColumn => "ownc",
            Kind::WrongCell => "wrng",
            Kind::File => "file",
            Kind::DraftFile => "drft",
            Kind::Explanation => "expl",
            Kind::WaiverReason => "waiv",
            Kind::Decision => "deci",
            Kind::Message => "mess",
            Kind::Reason => "reas",
            Kind::DraftReason => "drea",
            Kind::Person => "pers",
            Kind::Program => "prog",
            Kind::Address => "addr",
        }
    }

    /// Of people, programs and files: in the trail, which is for their own.
    pub(super) fn is_a_name(self) -> bool {
        matches!(
            self,
            Kind::Person | Kind::Program | Kind::Address | Kind::File | Kind::DraftFile
        )
    }

    /// Of what its council alone has, since it was never handed over.
    pub(super) fn is_of_a_draft(self) -> bool {
        matches!(self, Kind::WrongCell | Kind::DraftFile | Kind::DraftReason)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) kind: Kind,
    pub(super) council: usize,
}

const START: &str = "zq";
const COUNCIL_LETTERS: [&str; 3] = ["xaz", "xbz", "xcz"];

impl Mark {
    /// Letters only, so that nothing escapes them, and lower case, so that nothing changes them.
    pub(super) fn of(kind: Kind, council: usize) -> String {
        format!("{START}{}{}", kind.word(), COUNCIL_LETTERS[council])
    }
}

/// All marks in an answer, whatever else it is; what is packed is unpacked.
pub(super) fn marks_in(bytes: &[u8]) -> BTreeSet<Mark> {
    let mut marks = BTreeSet::new();
    if bytes.starts_with(b"PK") {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for idx in 0..archive.len() {
            let mut part = archive.by_index(idx).unwrap();
            let mut unpacked = part.name().unwrap().as_bytes().to_vec();
            part.read_to_end(&mut unpacked).unwrap();
            marks.append(&mut marks_in(&unpacked));
        }
        return marks;
    }
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    for (start, _) in text.match_indices(START) {
        let rest = &text[start..];
        for kind in Kind::ALL {
            for council in 0..COUNCILS.len() {
                if rest.starts_with(&Mark::of(kind, council)) {
                    marks.insert(Mark { kind, council });
                }
            }
        }
    }
    marks
}

/// A message with its encoded headers (RFC 2047) read.
pub(super) fn headers_decoded(message: &str) -> String {
    let mut decoded = String::new();
    let mut parts = message.split("=?utf-8?b?");
    decoded.push_str(parts.next().unwrap());
    for part in parts {
        let (encoded, rest) = part.split_once("?=").unwrap();
        let bytes = BASE64_STANDARD.decode(encoded).unwrap();
        decoded.push_str(&String::from_utf8_lossy(&bytes));
        decoded.push_str(rest);
    }
    decoded
}

#[test]
fn a_mark_is_found_wherever_it_is() {
    let mark = Mark {
        kind: Kind::Message,
        council: 1,
    };
    let text = Mark::of(mark.kind, mark.council);
    for found in [
        format!("<p>{text}.</p>"),
        text.to_uppercase(),
        format!("zqzq{text}zq"),
    ] {
        assert_eq!(marks_in(found.as_bytes()), BTreeSet::from([mark]));
    }
    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    packed
        .start_file("part.xml", zip::write::SimpleFileOptions::default())
        .unwrap();
    std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap().into_inner();
    assert_eq!(marks_in(&packed), BTreeSet::from([mark]));
    let header = format!("Subject: =?utf-8?b?{}?= x", BASE64_STANDARD.encode(&text));
    assert_eq!(headers_decoded(&header), format!("Subject: {text} x"));
    assert!(marks_in(b"zqmess").is_empty());
}
