//! Whether a text can be read on the fill of a mark, and the ink that it is written in where it can't.
//!
//! White letters on a dark fill would be lost once the fill is a light one.
//! Only what can't be read gets another colour: a red number that somebody chose stays red.

use super::xml::{NotWellFormed, Tag, Tags};

/// All but black, so that it is known again.
const INK: &str = "FF000001";

/// Less contrast than this is no contrast: the least that large texts and drawings have to have.
const LEAST: f64 = 3.0;

/// The colours of `indexed`, which old workbooks use; from 64 on they are the system's own.
#[rustfmt::skip]
const INDEXED: [u32; 64] = [
    0x00_0000, 0xff_ffff, 0xff_0000, 0x00_ff00, 0x00_00ff, 0xff_ff00, 0xff_00ff, 0x00_ffff,
    0x00_0000, 0xff_ffff, 0xff_0000, 0x00_ff00, 0x00_00ff, 0xff_ff00, 0xff_00ff, 0x00_ffff,
    0x80_0000, 0x00_8000, 0x00_0080, 0x80_8000, 0x80_0080, 0x00_8080, 0xc0_c0c0, 0x80_8080,
    0x99_99ff, 0x99_3366, 0xff_ffcc, 0xcc_ffff, 0x66_0066, 0xff_8080, 0x00_66cc, 0xcc_ccff,
    0x00_0080, 0xff_00ff, 0xff_ff00, 0x00_ffff, 0x80_0080, 0x80_0000, 0x00_8080, 0x00_00ff,
    0x00_ccff, 0xcc_ffff, 0xcc_ffcc, 0xff_ff99, 0x99_ccff, 0xff_99cc, 0xcc_99ff, 0xff_cc99,
    0x33_66ff, 0x33_cccc, 0x99_cc00, 0xff_cc00, 0xff_9900, 0xff_6600, 0x66_6699, 0x96_9696,
    0x00_3366, 0x33_9966, 0x00_3300, 0x33_3300, 0x99_3300, 0x99_3366, 0x33_3399, 0x33_3333,
];

/// The font in ink, where its own colour can't be read on `fill`; `None` where it can.
pub(super) fn inked(font: &str, fill: &str) -> Result<Option<String>, NotWellFormed> {
    let Some(tag) = colour_tag(font)? else {
        return Ok(None);
    };
    let readable = match (colour(&tag), rgb(fill)) {
        (Some(colour), Some(fill)) => contrast(colour, fill) >= LEAST,
        // The theme's other colours and the system's own are taken to be dark.
        _ => true,
    };
    if readable {
        return Ok(None);
    }
    let set = [
        ("rgb", Some(INK)),
        ("theme", None),
        ("tint", None),
        ("indexed", None),
        ("auto", None),
    ];
    Ok(Some(replaced(font, &tag, &tag.with(&set))))
}

/// A font in our ink but for its colour; `None` for any other.
pub(super) fn but_for_ink(font: &str) -> Result<Option<String>, NotWellFormed> {
    match colour_tag(font)? {
        Some(tag) if tag.get("rgb").as_deref() == Some(INK) => Ok(Some(replaced(font, &tag, ""))),
        _ => Ok(None),
    }
}

/// Any font but for its colour.
pub(super) fn but_for_colour(font: &str) -> Result<String, NotWellFormed> {
    Ok(match colour_tag(font)? {
        Some(tag) => replaced(font, &tag, ""),
        None => font.to_owned(),
    })
}

fn replaced(font: &str, tag: &Tag<'_>, with: &str) -> String {
    format!("{}{with}{}", &font[..tag.at.start], &font[tag.at.end..])
}

fn colour_tag(font: &str) -> Result<Option<Tag<'_>>, NotWellFormed> {
    let mut tags = Tags::of(font);
    while let Some(tag) = tags.next()? {
        if tag.depth == 1 && tag.opens() && tag.local() == "color" {
            return Ok(Some(tag));
        }
    }
    Ok(None)
}

/// What is known of a colour without the theme: its first and third are the paper's, which are light.
fn colour(tag: &Tag<'_>) -> Option<[u8; 3]> {
    if let Some(written) = tag.get("rgb") {
        return rgb(&written);
    }
    let number = |name: &str| tag.get(name)?.parse::<usize>().ok();
    if let Some(idx) = number("indexed") {
        let [_, red, green, blue] = INDEXED.get(idx)?.to_be_bytes();
        return Some([red, green, blue]);
    }
    if !matches!(number("theme")?, 0 | 2) {
        return None;
    }
    // From -1, black, over 0, as it is.
    let tint: f64 = tag
        .get("tint")
        .map_or(Some(0.0), |tint| tint.parse().ok())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 255"
    )]
    let level = (255.0 * (1.0 + tint.clamp(-1.0, 0.0))) as u8;
    Some([level; 3])
}

/// `FFRRGGBB` or `RRGGBB`.
fn rgb(written: &str) -> Option<[u8; 3]> {
    let digits = match written.len() {
        8 => written.get(2..)?,
        6 => written,
        _ => return None,
    };
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([red, green, blue])
}

/// As the Web Content Accessibility Guidelines define it: from 1 to 21.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance([red, green, blue]: [u8; 3]) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing;
    use finding::Asks;

    fn font(colour: &str) -> String {
        format!("<x:font><x:b/><x:sz val=\"10\"/>{colour}<x:name val=\"Arial\"/></x:font>")
    }

    #[test]
    fn light_letters_get_dark_ink_on_every_mark_and_others_stay() {
        for asks in Asks::ALL {
            let fill = listing::colour(asks);
            for light in [
                "<x:color rgb=\"FFFFFFFF\"/>",
                "<x:color theme=\"0\"/>",
                "<x:color theme=\"0\" tint=\"-0.05\"/>",
                "<x:color indexed=\"9\"/>",
                "<x:color rgb=\"FFFFFF00\"/>",
            ] {
                let dark = font("<x:color rgb=\"FF000001\"/>");
                assert_eq!(inked(&font(light), fill).unwrap(), Some(dark), "{light}");
            }
            for dark in [
                "",
                "<x:color auto=\"1\"/>",
                "<x:color theme=\"1\"/>",
                "<x:color theme=\"0\" tint=\"-0.75\"/>",
                "<x:color indexed=\"64\"/>",
                "<x:color rgb=\"FF00508F\"/>",
                "<x:color rgb=\"FFC00000\"/>",
            ] {
                assert_eq!(inked(&font(dark), fill).unwrap(), None, "{dark}");
            }
        }
    }

    #[test]
    fn our_ink_is_known_again() {
        let white = font("<x:color rgb=\"FFFFFFFF\"/>");
        let inked = inked(&white, listing::colour(Asks::ToFix))
            .unwrap()
            .unwrap();
        assert_eq!(but_for_ink(&inked).unwrap(), Some(font("")));
        assert_eq!(but_for_ink(&white).unwrap(), None);
        assert_eq!(but_for_colour(&white).unwrap(), font(""));
    }

    #[test]
    fn contrast_is_as_the_guidelines_have_it() {
        let white = [255; 3];
        assert!((contrast(white, [0; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast(white, [0x77; 3]) - 4.48).abs() < 0.01);
    }
}
