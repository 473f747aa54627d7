//! The boxes that show a sheet's comments, in the old drawing language that spreadsheet programs still want for them.
//!
//! What programs write of it need not be well-formed, so that it is looked at as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use super::worksheet::Place;

const ROOT: &str = "<xml xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns:x=\"urn:schemas-microsoft-com:office:excel\">";

/// The kind of shape that a comment's box is.
const KIND: &str = "<v:shapetype id=\"_x0000_t202\" coordsize=\"21600,21600\" o:spt=\"202\" path=\"m,l,21600r21600,l21600,xe\"><v:stroke joinstyle=\"miter\"/><v:path gradientshapeok=\"t\" o:connecttype=\"rect\"/></v:shapetype>";

/// Shapes are numbered in blocks of so many.
const BLOCK: usize = 1_024;

/// A box to draw.
pub(super) struct CommentBox {
    pub(super) place: Place,
    /// How many lines its text takes, about.
    pub(super) n_lines: usize,
}

/// A sheet's first boxes; their numbers start in block `block`, and the next free one is given back.
pub(super) fn write(boxes: &[CommentBox], block: usize) -> (String, usize) {
    let n_blocks = boxes.len() / (BLOCK - 1) + 1;
    let blocks: Vec<String> = (block..block + n_blocks).map(|n| n.to_string()).collect();
    let mut text = format!(
        "{ROOT}<o:shapelayout v:ext=\"edit\"><o:idmap v:ext=\"edit\" data=\"{}\"/></o:shapelayout>{KIND}",
        blocks.join(",")
    );
    for (idx, of) in boxes.iter().enumerate() {
        text.push_str(&shape(block * BLOCK + idx + 1, of));
    }
    text.push_str("</xml>");
    (text, block + n_blocks)
}

/// Brings boxes to the drawing that is there and takes others away; `None` where it is no such drawing.
pub(super) fn change(text: &str, add: &[CommentBox], drop: &BTreeSet<Place>) -> Option<String> {
    let prefixes = Prefixes::of(text)?;
    let end = text.rfind("</xml>")?;
    let mut changed = String::with_capacity(text.len());
    let mut done = 0;
    for at in shapes(text, &prefixes) {
        let place = place_of(&text[at.clone()], &prefixes);
        if place.is_some_and(|place| drop.contains(&place)) {
            changed.push_str(&text[done..at.start]);
            done = at.end;
        }
    }
    changed.push_str(&text[done..end]);
    if !add.is_empty() && !text.contains("id=\"_x0000_t202\"") {
        changed.push_str(&prefixes.applied_to(KIND));
    }
    let first = last_number(text).max(BLOCK) + 1;
    for (idx, of) in add.iter().enumerate() {
        changed.push_str(&prefixes.applied_to(&shape(first + idx, of)));
    }
    changed.push_str(&text[end..]);
    Some(changed)
}

/// What a drawing calls the three vocabularies of its elements; nearly always `v`, `o` and `x`.
struct Prefixes {
    vml: String,
    office: String,
    excel: String,
}

impl Prefixes {
    fn of(text: &str) -> Option<Self> {
        let declared = |namespace: &str| {
            let (at, _) = text.match_indices(namespace).find(|(at, _)| {
                text[at + namespace.len()..].starts_with(['"', '\''])
                    && text[..*at].ends_with(['"', '\''])
            })?;
            let before = text[..at - 1].strip_suffix('=')?;
            let (_, prefix) = before.rsplit_once("xmlns:")?;
            let is_name = prefix.bytes().all(|b| b.is_ascii_alphanumeric());
            (is_name && !prefix.is_empty()).then(|| prefix.to_owned())
        };
        Some(Self {
            vml: declared("urn:schemas-microsoft-com:vml")?,
            office: declared("urn:schemas-microsoft-com:office:office")?,
            excel: declared("urn:schemas-microsoft-com:office:excel")?,
        })
    }

    /// What we wrote, with these prefixes in the place of ours; it holds nobody's text.
    fn applied_to(&self, text: &str) -> String {
        let mut applied = text.to_owned();
        for (own, theirs) in [("v", &self.vml), ("o", &self.office), ("x", &self.excel)] {
            if own != theirs {
                for before in ["<", "</", " "] {
                    applied = applied.replace(
                        &format!("{before}{own}:"),
                        // Marked, so that no later one takes it for its own.
                        &format!("{before}\u{0}{theirs}:"),
                    );
                }
            }
        }
        applied.replace('\u{0}', "")
    }
}

/// The highest block whose numbers a drawing uses.
pub(super) fn last_block(text: &str) -> usize {
    last_number(text) / BLOCK
}

fn last_number(text: &str) -> usize {
    text.match_indices("_x0000_s")
        .filter_map(|(at, mark)| {
            let digits = &text[at + mark.len()..];
            let n = digits.bytes().take_while(u8::is_ascii_digit).count().min(9);
            digits[..n].parse().ok()
        })
        .max()
        .unwrap_or(0)
}

fn shapes(text: &str, prefixes: &Prefixes) -> Vec<Range<usize>> {
    let (start, end) = (
        format!("<{}:shape ", prefixes.vml),
        format!("</{}:shape>", prefixes.vml),
    );
    text.match_indices(&start)
        .filter_map(|(at, _)| {
            let length = text[at..].find(&end)?;
            Some(at..at + length + end.len())
        })
        .collect()
}

fn place_of(shape: &str, prefixes: &Prefixes) -> Option<Place> {
    let number = |name: &str| -> Option<u32> {
        let tag = format!("<{}:{name}>", prefixes.excel);
        let from = shape.find(&tag)? + tag.len();
        let length = shape[from..].find('<')?;
        shape[from..from + length].trim().parse().ok()
    };
    Some((number("Row")?, number("Column")?))
}

/// A hidden box to the right of its cell.
fn shape(number: usize, CommentBox { place, n_lines }: &CommentBox) -> String {
    let (row, column) = *place;
    let height = (*n_lines).clamp(3, 18) * 12 + 8;
    let rows = u32::try_from(height / 15 + 1).unwrap_or(20);
    // At the grid's right end it stands to the left.
    let (left, right) = if column > 16_378 {
        (column - 4, column - 1)
    } else {
        (column + 1, column + 5)
    };
    let top = row.saturating_sub(1).min(1_048_575 - rows);
    let mut text = String::new();
    let _ = write!(
        text,
        "<v:shape id=\"_x0000_s{number}\" type=\"#_x0000_t202\" style=\"position:absolute;margin-left:60pt;margin-top:1.5pt;width:240pt;height:{height}pt;z-index:1;visibility:hidden\" fillcolor=\"#ffffe1\" o:insetmode=\"auto\"><v:fill color2=\"#ffffe1\"/><v:shadow on=\"t\" color=\"black\" obscured=\"t\"/><v:path o:connecttype=\"none\"/><v:textbox style=\"mso-direction-alt:auto\"><div style=\"text-align:left\"></div></v:textbox><x:ClientData ObjectType=\"Note\"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{left}, 15, {top}, 10, {right}, 15, {}, 4</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>",
        top + rows
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(places: &[Place]) -> Vec<CommentBox> {
        let one = |place: &Place| CommentBox {
            place: *place,
            n_lines: 4,
        };
        places.iter().map(one).collect()
    }

    fn places(text: &str) -> Vec<Place> {
        let prefixes = Prefixes::of(text).unwrap();
        shapes(text, &prefixes)
            .into_iter()
            .filter_map(|at| place_of(&text[at], &prefixes))
            .collect()
    }

    #[test]
    fn boxes_are_added_and_taken_away_and_numbers_are_used_once() {
        let (text, next) = write(&boxes(&[(0, 0), (4, 2)]), 3);
        assert_eq!(next, 4);
        assert_eq!(last_block(&text), 3);
        assert!(text.contains("data=\"3\""));
        let changed = change(&text, &boxes(&[(7, 7)]), &[(0, 0)].into()).unwrap();
        assert_eq!(places(&changed), [(4, 2), (7, 7)]);
        assert_eq!(last_number(&changed), 3 * BLOCK + 3);
        assert_eq!(changed.matches("<v:shapetype ").count(), 1);
    }

    #[test]
    fn many_boxes_take_many_blocks() {
        let many: Vec<Place> = (0..2_500).map(|row| (row, 0)).collect();
        let (text, next) = write(&boxes(&many), 1);
        assert!(text.contains("data=\"1,2,3\""), "{}", &text[..400]);
        assert_eq!(next, 4);
        assert_eq!(last_block(&text), 3);
    }

    #[test]
    fn a_drawing_that_is_not_well_formed_is_changed_all_the_same() {
        let text = format!(
            "{ROOT}<v:shape id=\"_x0000_s1025\"><v:textbox>a<br></v:textbox></v:shape></xml>\n"
        );
        let changed = change(&text, &boxes(&[(1, 1)]), &BTreeSet::new()).unwrap();
        assert!(changed.starts_with(&text[..text.len() - 7]), "{changed}");
        assert!(changed.contains("_x0000_s1026") && changed.contains(KIND));
        assert_eq!(change("<svg></svg>", &[], &BTreeSet::new()), None);
    }

    #[test]
    fn a_drawing_keeps_its_own_prefixes() {
        let (text, _) = write(&boxes(&[(0, 0), (1, 1)]), 1);
        let theirs = Prefixes {
            vml: "ns1".to_owned(),
            office: "v".to_owned(),
            excel: "ns2".to_owned(),
        };
        let text = theirs
            .applied_to(&text)
            .replace("xmlns:v=", "xmlns:ns1=")
            .replace("xmlns:o=", "xmlns:v=")
            .replace("xmlns:x=", "xmlns:ns2=");
        let changed = change(&text, &boxes(&[(4, 4)]), &[(0, 0)].into()).unwrap();
        assert_eq!(places(&changed), [(1, 1), (4, 4)]);
        assert_eq!(changed.matches("<ns1:shape ").count(), 2, "{changed}");
        let mut tags = super::super::xml::Tags::of(&changed);
        while let Some(tag) = tags.next().unwrap() {
            assert!(
                ["", "ns1:", "v:", "ns2:"].contains(&tag.prefix()),
                "{tag:?}"
            );
        }
    }
}
