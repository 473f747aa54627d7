//! An example's text: header lines, then a drawing or changes to one.

use std::collections::BTreeMap;

use crate::load::Faults;

/// The header lines that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Header {
    Title,
    Organisation,
    Period,
    Received,
    From,
    Previous,
    YearAgo,
    ComparedWith,
    Values,
    Others,
    File,
}

impl Header {
    const ALL: [Header; 11] = [
        Header::Title,
        Header::Organisation,
        Header::Period,
        Header::Received,
        Header::From,
        Header::Previous,
        Header::YearAgo,
        Header::ComparedWith,
        Header::Values,
        Header::Others,
        Header::File,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Header::Title => "title",
            Header::Organisation => "organisation",
            Header::Period => "period",
            Header::Received => "received",
            Header::From => "from",
            Header::Previous => "previous",
            Header::YearAgo => "year-ago",
            Header::ComparedWith => "compared-with",
            Header::Values => "values",
            Header::Others => "others",
            Header::File => "file",
        }
    }
}

#[derive(Debug)]
pub(super) struct ExampleText {
    /// Each with its line, 1-based.
    headers: BTreeMap<Header, (String, usize)>,
    /// Everything else; header lines are blank here, so that its lines count as the file's do.
    pub(super) drawing: String,
}

impl ExampleText {
    pub(super) fn value(&self, header: Header) -> Option<(&str, usize)> {
        self.headers
            .get(&header)
            .map(|(value, line)| (value.as_str(), *line))
    }
}

/// `a = b, c = d`; `None` where it is not written so, or names one thing twice.
pub(super) fn pairs(value: &str) -> Option<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for pair in value.split(',') {
        let (name, stands_for) = pair.split_once('=')?;
        let (name, stands_for) = (name.trim(), stands_for.trim());
        let is_said = !name.is_empty() && !stands_for.is_empty();
        if !is_said
            || pairs
                .insert(name.to_owned(), stands_for.to_owned())
                .is_some()
        {
            return None;
        }
    }
    Some(pairs)
}

pub(super) fn read(name: &str, text: &str, faults: &mut Faults) -> ExampleText {
    let file = super::file_of(name);
    let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(is_kebab) {
        faults.add(
            &file,
            "",
            "an example's name has lower-case letters, digits and \"-\"",
        );
    }
    let mut headers = BTreeMap::new();
    let mut drawing = String::new();
    let mut is_head = true;
    for (line_idx, line) in text.lines().enumerate() {
        let place = format!("line {}", line_idx + 1);
        let said = line.split_once(':').filter(|(name, _)| {
            let mut letters = name.chars();
            letters.next().is_some_and(|c| c.is_ascii_lowercase())
                && letters.all(|c| c.is_ascii_lowercase() || c == '-' || c == '_')
        });
        match said {
            Some((name, value)) if is_head => {
                let header = Header::ALL.into_iter().find(|header| header.name() == name);
                if let Some(header) = header {
                    let value = (value.trim().to_owned(), line_idx + 1);
                    if headers.insert(header, value).is_some() {
                        faults.add(&file, place, format!("\"{name}\" is there twice"));
                    }
                } else {
                    let known = Header::ALL.map(Header::name).join(", ");
                    let why = format!("\"{name}\" is not known here; expected one of {known}");
                    faults.add(&file, place, why);
                }
            }
            _ => {
                let is_nothing = line.trim().is_empty() || line.starts_with('#');
                is_head &= is_nothing;
                drawing.push_str(line);
            }
        }
        drawing.push('\n');
    }
    let text = ExampleText { headers, drawing };
    if let Some((_, line)) = text.value(Header::File) {
        let has_drawing = text
            .drawing
            .lines()
            .any(|line| !line.trim().is_empty() && !line.starts_with('#'));
        if has_drawing || text.value(Header::From).is_some() {
            let why = "an example with a file has no drawing and no \"from\"";
            faults.add(&file, format!("line {line}"), why);
        }
    }
    text
}
