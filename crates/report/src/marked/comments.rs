//! A sheet's comments: those that are there stay, ours come to them, and those of an earlier marking go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use finding::column_letters;

use super::relations::append;
use super::worksheet::{Place, parse_place};
use super::xml::{Edits, Kind, NotWellFormed, Tags, escape};

/// Who our comments are by.
const AUTHOR: &str = "lgdp";

/// Starts what we add to somebody else's comment.
const ADDED: &str = "\n\nlgdp: ";

/// What a comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Shown bold: `To fix`.
    pub(super) heading: String,
    pub(super) text: String,
}

/// What became of a sheet's comments.
pub(super) struct Commented {
    /// The part.
    pub(super) text: String,
    /// Cells that have a comment of ours now and need a box for it; ours of before have theirs.
    pub(super) boxes_to_add: BTreeSet<Place>,
    /// Cells whose comment is gone.
    pub(super) boxes_to_drop: BTreeSet<Place>,
}

/// A sheet's first comments.
pub(super) fn write(said: &BTreeMap<Place, Said>, namespace: &str) -> Commented {
    let comments: String = said
        .iter()
        .map(|(place, said)| comment("", *place, 0, said))
        .collect();
    Commented {
        text: format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<comments xmlns=\"{namespace}\"><authors><author>{AUTHOR}</author></authors><commentList>{comments}</commentList></comments>"
        ),
        boxes_to_add: said.keys().copied().collect(),
        boxes_to_drop: BTreeSet::new(),
    }
}

/// A comment of the part that is there.
struct Comment {
    at: Range<usize>,
    /// Where its `text` element ends, or where what is read aloud of it begins; `None`: it has none.
    end: Option<usize>,
    /// Its text as one plain `t`, which has to become a run before another can follow.
    plain: Option<Range<usize>>,
    is_ours: bool,
    /// What we added to it before.
    ours: Vec<Range<usize>>,
}

/// Brings our comments to those that are there.
pub(super) fn add(text: &str, said: &BTreeMap<Place, Said>) -> Result<Commented, NotWellFormed> {
    let part = Part::read(text)?;
    let p = &part.prefix;
    let mut edits = Edits::default();
    let mut boxes_to_add: BTreeSet<Place> = said.keys().copied().collect();
    let mut boxes_to_drop = BTreeSet::new();
    let mut told = BTreeSet::new();
    for (place, there) in &part.comments {
        if there.is_ours {
            edits.replace(there.at.clone(), "");
            if !boxes_to_add.remove(place) {
                boxes_to_drop.insert(*place);
            }
            continue;
        }
        for at in &there.ours {
            edits.replace(at.clone(), "");
        }
        if let Some(said) = said.get(place) {
            if let Some(plain) = &there.plain {
                edits.insert(plain.start, format!("<{p}r>"));
                edits.insert(plain.end, format!("</{p}r>"));
            }
            if let Some(end) = there.end {
                let more = format!("{ADDED}{}\n{}", said.heading, said.text);
                edits.insert(end, run(p, "", &more));
            }
            told.insert(*place);
            boxes_to_add.remove(place);
        }
    }
    let mut ours = String::new();
    for (place, said) in said {
        if !told.contains(place) {
            ours.push_str(&comment(p, *place, part.author, said));
        }
    }
    part.finish(text, &ours, &mut edits)?;
    Ok(Commented {
        text: edits.apply(text),
        boxes_to_add,
        boxes_to_drop,
    })
}

struct Part {
    prefix: String,
    /// Our index among the authors.
    author: usize,
    author_is_there: bool,
    comments: Vec<(Place, Comment)>,
}

impl Part {
    fn read(text: &str) -> Result<Self, NotWellFormed> {
        let mut part = Self {
            prefix: String::new(),
            author: 0,
            author_is_there: false,
            comments: Vec::new(),
        };
        let mut n_authors = 0;
        let mut tags = Tags::of(text);
        while let Some(tag) = tags.next()? {
            match (tag.depth, tag.local()) {
                (0, _) if tag.opens() => tag.prefix().clone_into(&mut part.prefix),
                (2, "author") if tag.opens() => {
                    let from = tag.at.end;
                    let end = tags.skip(&tag)?;
                    if text[from..end.start].trim() == AUTHOR {
                        part.author = n_authors;
                        part.author_is_there = true;
                    }
                    n_authors += 1;
                }
                (2, "comment") if tag.opens() => {
                    let place = tag.get("ref").and_then(|at| parse_place(&at));
                    let author = tag.get("authorId").and_then(|id| id.parse::<usize>().ok());
                    let is_ours = part.author_is_there && author == Some(part.author);
                    let mut comment = read_comment(text, &mut tags, &tag)?;
                    comment.is_ours = is_ours;
                    part.comments.extend(place.map(|place| (place, comment)));
                }
                _ => {}
            }
        }
        if !part.author_is_there {
            part.author = n_authors;
        }
        Ok(part)
    }

    /// Us among the authors, and our comments at the end of the list.
    fn finish(&self, text: &str, ours: &str, edits: &mut Edits) -> Result<(), NotWellFormed> {
        let p = &self.prefix;
        let mut tags = Tags::of(text);
        while let Some(tag) = tags.next()? {
            match (tag.depth, tag.local()) {
                (1, "authors") if !self.author_is_there && !ours.is_empty() => {
                    append(edits, &tag, &format!("<{p}author>{AUTHOR}</{p}author>"));
                }
                (1, "commentList") => append(edits, &tag, ours),
                _ => {}
            }
        }
        Ok(())
    }
}

fn read_comment<'x>(
    text: &str,
    tags: &mut Tags<'x>,
    start: &super::xml::Tag<'x>,
) -> Result<Comment, NotWellFormed> {
    let mut comment = Comment {
        at: start.at.clone(),
        end: None,
        plain: None,
        is_ours: false,
        ours: Vec::new(),
    };
    if start.kind == Kind::Empty {
        return Ok(comment);
    }
    let mut spoken = None;
    while let Some(tag) = tags.next()? {
        if tag.kind == Kind::End && tag.depth == start.depth {
            comment.at.end = tag.at.end;
            break;
        }
        let within_text = tag.depth == start.depth + 2;
        match tag.local() {
            "text" if tag.kind == Kind::End => comment.end = spoken.or(Some(tag.at.start)),
            "t" if within_text && tag.opens() => {
                let end = tags.skip(&tag)?.end;
                comment.plain = Some(tag.at.start..end);
            }
            "r" if within_text && tag.opens() => {
                let end = tags.skip(&tag)?.end;
                let run = &text[tag.at.start..end];
                if run.contains(&format!(">{ADDED}")) {
                    comment.ours.push(tag.at.start..end);
                }
            }
            "rPh" | "phoneticPr" if within_text && tag.opens() => {
                spoken.get_or_insert(tag.at.start);
                tags.skip(&tag)?;
            }
            _ => {}
        }
    }
    Ok(comment)
}

fn comment(p: &str, (row_idx, column_idx): Place, author: usize, said: &Said) -> String {
    let mut comment = String::new();
    let _ = write!(
        comment,
        "<{p}comment ref=\"{}{}\" authorId=\"{author}\"><{p}text>{}{}</{p}text></{p}comment>",
        column_letters(column_idx),
        row_idx + 1,
        run(p, "b", &said.heading),
        run(p, "", &format!("\n{}", said.text)),
    );
    comment
}

fn run(p: &str, bold: &str, text: &str) -> String {
    let bold = if bold.is_empty() {
        String::new()
    } else {
        format!("<{p}{bold}/>")
    };
    format!(
        "<{p}r><{p}rPr>{bold}<{p}sz val=\"9\"/><{p}color indexed=\"81\"/><{p}rFont val=\"Tahoma\"/><{p}family val=\"2\"/></{p}rPr><{p}t xml:space=\"preserve\">{}</{p}t></{p}r>",
        escape(text)
    )
}

/// The cells of a sheet that have a thread of comments, whose text programs take from elsewhere.
pub(super) fn threads(text: &str) -> Result<BTreeSet<Place>, NotWellFormed> {
    let mut places = BTreeSet::new();
    let mut tags = Tags::of(text);
    while let Some(tag) = tags.next()? {
        if tag.local() == "threadedComment" && tag.opens() {
            places.extend(tag.get("ref").and_then(|at| parse_place(&at)));
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(places: &[Place]) -> BTreeMap<Place, Said> {
        let said = Said {
            heading: "To fix".to_owned(),
            text: "Wrong <here>.".to_owned(),
        };
        places.iter().map(|place| (*place, said.clone())).collect()
    }

    #[test]
    fn the_first_comments_of_a_sheet_are_taken_away_by_the_next_marking() {
        let first = write(&said(&[(0, 0), (4, 2)]), "ns");
        assert!(
            first.text.contains("ref=\"C5\" authorId=\"0\""),
            "{}",
            first.text
        );
        assert!(first.text.contains("Wrong &lt;here&gt;."));
        assert_eq!(first.boxes_to_add, [(0, 0), (4, 2)].into());
        let second = add(&first.text, &said(&[(0, 0), (1, 1)])).unwrap();
        assert_eq!(second.text.matches("<comment ").count(), 2);
        assert_eq!(second.text.matches("<author>").count(), 1);
        assert_eq!(second.boxes_to_add, [(1, 1)].into());
        assert_eq!(second.boxes_to_drop, [(4, 2)].into());
    }

    #[test]
    fn what_others_say_stays_and_ours_is_added_to_it() {
        let text = "<x:comments xmlns:x=\"ns\"><x:authors><x:author>Ann</x:author></x:authors><x:commentList><x:comment ref=\"A1\" authorId=\"0\"><x:text><x:t>Mine</x:t></x:text></x:comment><x:comment ref=\"B1\" authorId=\"0\"><x:text><x:r><x:t>Also mine</x:t></x:r></x:text></x:comment></x:commentList></x:comments>";
        let first = add(text, &said(&[(0, 0), (0, 2)])).unwrap();
        assert!(
            first
                .text
                .contains("<x:text><x:r><x:t>Mine</x:t></x:r><x:r>"),
            "{}",
            first.text
        );
        assert!(
            first
                .text
                .contains("\n\nlgdp: To fix\nWrong &lt;here&gt;.</x:t></x:r></x:text>")
        );
        assert!(first.text.contains("<x:author>lgdp</x:author>"));
        assert!(first.text.contains("ref=\"C1\" authorId=\"1\""));
        assert_eq!(first.boxes_to_add, [(0, 2)].into());
        // Without anything to say any more, only what we added goes.
        let second = add(&first.text, &said(&[])).unwrap();
        assert_eq!(second.text.matches("lgdp").count(), 1);
        assert!(
            second
                .text
                .contains("<x:text><x:r><x:t>Mine</x:t></x:r></x:text>")
        );
        assert_eq!(second.boxes_to_drop, [(0, 2)].into());
    }

    #[test]
    fn threads_are_known_by_their_cells() {
        let text = "<ThreadedComments><threadedComment ref=\"B2\" id=\"{1}\"><text>a</text></threadedComment></ThreadedComments>";
        assert_eq!(threads(text).unwrap(), [(1, 1)].into());
    }
}
