//! What Excel's three formats have in common: calamine opens them and tells what stands in a cell.

use calamine::{DataRef, SheetType, SheetVisible};

use crate::gate::Given;
use crate::{Raw, SheetInfo, moment, worksheet};

/// The sheets that can have cells.
pub(crate) fn worksheets(sheets: &[calamine::Sheet]) -> Vec<SheetInfo> {
    sheets
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| SheetInfo::new(&sheet.name, sheet.visible == SheetVisible::Visible))
        .collect()
}

/// An empty cell becomes an empty text, which is not kept.
pub(crate) fn to_given(data: DataRef<'_>) -> Given<'_> {
    Given::Raw(match data {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the binary formats keep whole numbers below 2^30 this way"
        )]
        DataRef::Int(number) => Raw::Number(number as f64),
        DataRef::Float(number) => Raw::Number(number),
        DataRef::String(text) => {
            return match worksheet::marked_error(&text) {
                Some(name) => Given::Error(name.to_owned()),
                None => Given::Text(text),
            };
        }
        DataRef::SharedString(text) => Raw::Text(text),
        DataRef::Bool(truth) => Raw::Boolean(truth),
        DataRef::DateTime(moment) => return moment::to_given(&moment),
        DataRef::DateTimeIso(text) => match moment::parse_iso(&text) {
            Some(moment) => Raw::DateTime(moment),
            None => return Given::Text(text),
        },
        DataRef::DurationIso(text) => return Given::Text(text),
        DataRef::Error(calamine::CellErrorType::GettingData) => Raw::Error("#GETTING_DATA"),
        DataRef::Error(error) => return Given::Error(error.to_string()),
        DataRef::Empty => Raw::Text(""),
    })
}
