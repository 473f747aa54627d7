//! A message of one sentence, a few facts and a link: what it is about is read on the site.

use askama::Template;

use super::Written;

/// What it says.
#[derive(Template)]
#[template(path = "notice/page.html")]
pub(super) struct Notice<'a> {
    pub(super) subject: String,
    pub(super) sentence: String,
    /// Each with its name.
    pub(super) facts: &'a [(&'a str, &'a str)],
    /// What to do at the link.
    pub(super) ask: &'a str,
    pub(super) link: String,
}

/// What a notice to an organisation about one of its returns names.
pub(super) fn of_return<'a>(
    organisation_name: &'a str,
    return_title: &'a str,
    period: &'a str,
) -> [(&'a str, &'a str); 3] {
    [
        ("Organisation", organisation_name),
        ("Return", return_title),
        ("Period", period),
    ]
}

#[derive(Template)]
#[template(path = "notice/text.txt", escape = "none")]
struct Text<'a> {
    notice: &'a Notice<'a>,
}

impl Notice<'_> {
    pub(super) fn write(self) -> Result<Written, askama::Error> {
        Ok(Written {
            text: Text { notice: &self }.render()?,
            html: self.render()?,
            subject: self.subject,
        })
    }
}
