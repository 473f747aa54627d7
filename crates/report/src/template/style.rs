//! How a template looks: few colours, all of them readable, and none that says anything alone.

use rust_xlsxwriter::{
    Color, Format, FormatAlign, FormatBorder, ProtectionOptions, Worksheet, XlsxError,
};
use spec::{Item, ItemKind};

/// Scottish Government blue, white on it is 8.6 : 1.
const HEADING: Color = Color::RGB(0x00_50_8f);
/// A heading of what may be left blank; black on it is 15 : 1.
const OPTIONAL_HEADING: Color = Color::RGB(0xd9_e6_f2);
/// To be filled in.
const REQUIRED: Color = Color::RGB(0xff_f8_d6);
/// Calculated, or not to be changed.
const LOCKED: Color = Color::RGB(0xe6_e6_e6);
/// Not to be filled in at all.
const NOTHING: Color = Color::RGB(0xb8_b8_b8);
/// Still as it was sent before; the dark green on it is 9.3 : 1.
const UNCHANGED: Color = Color::RGB(0xe2_f2_e2);
const UNCHANGED_TEXT: Color = Color::RGB(0x00_48_12);
const LINE: Color = Color::RGB(0x9a_9a_9a);
const HINT: Color = Color::RGB(0x59_59_59);

/// What a cell is to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Has to be filled in.
    Required,
    /// May be left blank.
    Optional,
    /// Calculated by the form, or sent out filled in.
    Locked,
}

impl Role {
    pub(super) fn of_entry(item: &Item) -> Self {
        if item.required {
            Role::Required
        } else {
            Role::Optional
        }
    }
}

/// The formats that do not depend on an item.
pub(super) struct Styles {
    pub(super) title: Format,
    pub(super) subtitle: Format,
    /// Plain text in a wrapped cell.
    pub(super) text: Format,
    pub(super) strong: Format,
    /// Small words above a heading.
    pub(super) hint: Format,
    /// A line of instructions that runs over its neighbours.
    pub(super) instruction: Format,
    pub(super) label: Format,
    pub(super) code: Format,
    /// A cell that its line does not have.
    pub(super) nothing: Format,
    /// A cell that says whose or when.
    pub(super) identity: Format,
    /// On top of a cell's own, while it holds what was sent before.
    pub(super) unchanged: Format,
    heading: Format,
    optional_heading: Format,
    bordered: Format,
}

impl Styles {
    pub(super) fn new() -> Self {
        let base = Format::new()
            .set_font_name("Arial")
            .set_font_size(10)
            .set_align(FormatAlign::Top);
        let bordered = base
            .clone()
            .set_border(FormatBorder::Thin)
            .set_border_color(LINE);
        let wrapped = bordered.clone().set_text_wrap();
        Self {
            title: base.clone().set_bold().set_font_size(15),
            subtitle: base.clone().set_bold().set_font_size(12),
            text: wrapped.clone(),
            strong: wrapped.clone().set_bold(),
            hint: base
                .clone()
                .set_text_wrap()
                .set_font_size(8)
                .set_font_color(HINT)
                .set_align(FormatAlign::Bottom),
            instruction: base.clone().set_font_color(HINT),
            label: wrapped.clone().set_align(FormatAlign::VerticalCenter),
            code: wrapped
                .clone()
                .set_bold()
                .set_align(FormatAlign::VerticalCenter),
            nothing: bordered.clone().set_background_color(NOTHING),
            identity: bordered
                .clone()
                .set_bold()
                .set_background_color(REQUIRED)
                .set_align(FormatAlign::Left)
                .set_num_format("@")
                .set_unlocked(),
            unchanged: Format::new()
                .set_italic()
                .set_font_color(UNCHANGED_TEXT)
                .set_background_color(UNCHANGED),
            heading: wrapped
                .clone()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(HEADING)
                .set_align(FormatAlign::VerticalCenter),
            optional_heading: wrapped
                .set_bold()
                .set_background_color(OPTIONAL_HEADING)
                .set_align(FormatAlign::VerticalCenter),
            bordered,
        }
    }

    pub(super) fn heading(&self, role: Role) -> &Format {
        match role {
            Role::Required | Role::Locked => &self.heading,
            Role::Optional => &self.optional_heading,
        }
    }

    /// A cell of an item.
    pub(super) fn cell(&self, item: &Item, role: Role) -> Format {
        let format = self
            .bordered
            .clone()
            .set_align(FormatAlign::VerticalCenter)
            .set_num_format(num_format(item.kind));
        let format = match item.kind {
            ItemKind::Integer | ItemKind::Decimal { .. } => format,
            ItemKind::Text | ItemKind::Date | ItemKind::Boolean => {
                format.set_align(FormatAlign::Left)
            }
        };
        match role {
            Role::Required => format.set_background_color(REQUIRED).set_unlocked(),
            Role::Optional => format.set_unlocked(),
            Role::Locked => format.set_background_color(LOCKED),
        }
    }

    /// A column below its heading: as its cells, without what would show on blank rows for ever.
    pub(super) fn column(item: &Item) -> Format {
        Format::new()
            .set_font_name("Arial")
            .set_font_size(10)
            .set_num_format(num_format(item.kind))
            .set_unlocked()
    }

    /// A column that the sender may use for itself.
    pub(super) fn free_column() -> Format {
        Format::new()
            .set_font_name("Arial")
            .set_font_size(10)
            .set_unlocked()
    }
}

fn num_format(kind: ItemKind) -> String {
    match kind {
        ItemKind::Text | ItemKind::Boolean => "@".to_owned(),
        ItemKind::Integer | ItemKind::Decimal { scale: 0 } => "#,##0".to_owned(),
        ItemKind::Decimal { scale } => format!("#,##0.{}", "0".repeat(scale.into())),
        ItemKind::Date => "dd/mm/yyyy".to_owned(),
    }
}

/// Of a row with a title in it.
pub(super) const TITLE_HEIGHT: f64 = 24.0;
pub(super) const SUBTITLE_HEIGHT: f64 = 18.0;

/// What is still read easily on a page across, in the units of columns' widths.
pub(super) const PAGE_OF_ROWS: f64 = 180.0;
/// A form is better seen in one piece.
pub(super) const PAGE_OF_FORM: f64 = 230.0;

/// Pages beside each other for columns of this width altogether.
pub(super) fn n_pages_wide(mut width: f64, page: f64) -> u16 {
    let mut n_pages = 1;
    while width > page && n_pages < 6 {
        width -= page;
        n_pages += 1;
    }
    n_pages
}

/// A4 across, as wide as one page, with the headings on each.
pub(super) fn print_set_up(
    worksheet: &mut Worksheet,
    acronym: &str,
    repeated: Option<(u32, u32)>,
) -> Result<(), XlsxError> {
    worksheet
        .set_paper_size(9)
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3)
        .set_footer(format!("&L{acronym}: &A&RPage &P of &N"));
    if let Some((first, last)) = repeated {
        worksheet.set_repeat_rows(first, last)?;
    }
    Ok(())
}

/// Without a password: it keeps slips out, not people.
pub(super) fn protect(worksheet: &mut Worksheet) {
    worksheet.protect_with_options(&ProtectionOptions {
        format_cells: true,
        format_columns: true,
        format_rows: true,
        insert_rows: true,
        delete_rows: true,
        sort: true,
        use_autofilter: true,
        ..ProtectionOptions::default()
    });
}
