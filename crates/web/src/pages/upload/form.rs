//! The form as it comes in: fields, and files that go to local disk while they come.

use actix_multipart::{Field, Multipart};
use actix_web::HttpRequest;
use futures_util::StreamExt as _;
use uuid::Uuid;

use super::{Chosen, MOST_FILES, Mistake, missing};
use crate::Site;
use crate::body::{self, Body};
use crate::problem::Problem;
use crate::session::Visitor;
use crate::spool::{SpoolError, Spooled, spool};

/// What the fields around the files may take, all together.
const FORM_BYTES: u64 = 64 * 1024;
/// What one of them may take.
const FIELD_BYTES: usize = 500;

#[derive(Default)]
pub(super) struct Form {
    /// Whether it comes from a page that this session was shown.
    is_ours: bool,
    pub(super) chosen: Chosen,
    pub(super) idempotency_key: String,
    pub(super) files: Vec<Sent>,
    /// Nothing is to be sent.
    pub(super) only_check: bool,
}

/// A file that came in whole.
pub(super) struct Sent {
    /// To show; never used as a path.
    pub(super) name: String,
    pub(super) spooled: Spooled,
}

/// Reads a form of at most so many bytes of files together. Where one of its files can't be taken, none is.
pub(super) async fn read(
    site: &Site,
    request: &HttpRequest,
    visitor: &Visitor,
    body: Body,
    whole: u64,
    form: &mut Form,
) -> Result<(), Mistake> {
    let limits = site.config.body;
    let body = body::paced(body, limits, whole + FORM_BYTES);
    let mut fields = Multipart::new(request.headers(), body);
    // What is wrong with files, in the order in which they came; said once the whole form is there.
    let mut wrong = Vec::new();
    let mut n_files = 0;
    while let Some(field) = fields.next().await {
        let field = field.map_err(|error| SpoolError::of_multipart(&error, whole))?;
        match field.name().unwrap_or_default() {
            // Before the files, which no other site's page can have sent.
            "form_token" => {
                visitor.check_form(&text(field).await?)?;
                form.is_ours = true;
            }
            "file" if !form.is_ours => return Err(Problem::cross_site().into()),
            "file" => {
                let name = field
                    .content_disposition()
                    .and_then(|disposition| disposition.get_filename())
                    .map(clean_file_name)
                    .unwrap_or_default();
                // No file was chosen.
                if name.is_empty() {
                    continue;
                }
                n_files += 1;
                if n_files > MOST_FILES {
                    continue;
                }
                match take(site, field, &name, whole).await? {
                    Ok(spooled) => form.files.push(Sent { name, spooled }),
                    Err(why) => wrong.push(why),
                }
            }
            "organisation" => form.chosen.organisation = text(field).await?,
            "round" => form.chosen.round = text(field).await?,
            "email" => form.chosen.email = text(field).await?,
            "idempotency_key" => form.idempotency_key = text(field).await?,
            "purpose" => form.only_check = text(field).await? == "check",
            _ => {}
        }
    }
    if !form.is_ours {
        return Err(Problem::cross_site().into());
    }
    if n_files > MOST_FILES {
        wrong.push(Wrong {
            words: format!("You chose {n_files} files, and {MOST_FILES} can be sent together."),
            is_too_large: false,
        });
    }
    if form.idempotency_key.is_empty() {
        form.idempotency_key = Uuid::now_v7().to_string();
    }
    if wrong.is_empty() {
        return Ok(());
    }
    form.files.clear();
    let words: Vec<&str> = wrong.iter().map(|one| one.words.as_str()).collect();
    let mistake = missing("file", words.join(" "));
    Err(if wrong.iter().any(|one| one.is_too_large) {
        mistake.of_a_large_file()
    } else {
        mistake
    })
}

/// Why a file is not taken.
struct Wrong {
    words: String,
    is_too_large: bool,
}

/// A file, or what is wrong with it; one that is too large is read to its end all the same, so that the others come in.
async fn take(
    site: &Site,
    mut field: Field,
    name: &str,
    whole: u64,
) -> Result<Result<Spooled, Wrong>, Mistake> {
    let (dir, limit) = (&site.config.spool_dir, site.config.body.bytes);
    // More than all files together may be is told apart from a file that is too large by itself.
    let explain = |error: &_, _| SpoolError::of_multipart(error, whole);
    match spool(&mut field, dir, limit, explain).await {
        Ok(spooled) if spooled.bytes == 0 => Ok(Err(Wrong {
            words: format!(
                "The file \"{name}\" is empty. Look whether it was saved, and choose it again; a folder can't be sent, only the files in it."
            ),
            is_too_large: false,
        })),
        Ok(spooled) => Ok(Ok(spooled)),
        Err(SpoolError::TooLarge { limit: over }) if over == limit => {
            while let Some(chunk) = field.next().await {
                chunk.map_err(|error| SpoolError::of_multipart(&error, whole))?;
            }
            Ok(Err(Wrong {
                words: format!(
                    "The file \"{name}\" is larger than {} MB, which is the most that can be sent. Remove pictures, unused sheets and blank formatted rows, and choose it again.",
                    limit / (1024 * 1024)
                ),
                is_too_large: true,
            }))
        }
        Err(error) => Err(error.into()),
    }
}

async fn text(mut field: Field) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(chunk) = field.next().await {
        text.extend_from_slice(&chunk.map_err(|_| Problem::from(SpoolError::Incomplete))?);
        if text.len() > FIELD_BYTES {
            return Err(Problem::bad_request("An answer is too long."));
        }
    }
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// A name to show: no folders, no control characters, not too long. It is never used as a path.
pub(crate) fn clean_file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lose_their_folders_and_control_characters() {
        for (sent, kept) in [
            ("HL1 Q2.xlsx", "HL1 Q2.xlsx"),
            ("C:\\Users\\me\\HL1.xlsx", "HL1.xlsx"),
            ("../../etc/passwd", "passwd"),
            ("a\r\nb.csv", "ab.csv"),
            ("/", ""),
        ] {
            assert_eq!(clean_file_name(sent), kept);
        }
    }
}
