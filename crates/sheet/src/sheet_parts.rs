//! Which part of an Excel workbook holds which sheet.

use std::collections::HashMap;

use crate::relations::{Main, attribute, each_tag};

/// The name of each worksheet by its part's name in lower case, as the workbook and its relations say.
///
/// What can't be made out is left out: the reader will say what is wrong with it.
pub(crate) fn names_by_part(
    main: &Main,
    workbook: &str,
    relations: &str,
) -> HashMap<String, String> {
    let mut listed = Vec::new();
    each_tag(workbook, "sheet", |tag| {
        let id = tag
            .attributes()
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.local_name().as_ref() == "id")
            .map(|attribute| attribute.value.into_owned());
        listed.extend(id.zip(attribute(tag, "name")));
    });
    names_of(main, listed, relations)
}

/// The same from the names of the sheets by their relations.
pub(crate) fn names_of(
    main: &Main,
    listed: Vec<(String, String)>,
    relations: &str,
) -> HashMap<String, String> {
    let mut targets = HashMap::new();
    each_tag(relations, "Relationship", |tag| {
        let of = |name| attribute(tag, name);
        if let (Some(id), Some(target)) = (of("Id"), of("Target")) {
            targets.insert(id, target);
        }
    });
    let by_part = |(id, name)| Some((main.target(targets.get(&id)?), name));
    listed.into_iter().filter_map(by_part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_relative_to_the_workbook_or_from_the_root() {
        let workbook = "<workbook xmlns:r=\"x\"><sheets><sheet name=\"A &amp; B\" sheetId=\"1\" r:id=\"rId7\"/><sheet name=\"C\" sheetId=\"2\" r:id=\"rId2\"/><sheet name=\"Lost\" r:id=\"rId9\"/></sheets></workbook>";
        let relations = "<Relationships><Relationship Id=\"rId2\" Target=\"/xl/worksheets/Sheet2.xml\"/><Relationship Id=\"rId7\" Target=\"worksheets/sheet1.xml\"/></Relationships>";
        let names = names_by_part(&Main::default(), workbook, relations);
        assert_eq!(names["xl/worksheets/sheet1.xml"], "A & B");
        assert_eq!(names["xl/worksheets/sheet2.xml"], "C");
        assert_eq!(names.len(), 2);
        assert!(names_by_part(&Main::default(), "<workbook", "<").is_empty());
    }
}
