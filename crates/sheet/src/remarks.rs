//! What a file holds that was left out or may not be known of: said, and no more.

use crate::Remark;

/// Of a package, by the names of its parts in lower case.
pub(crate) fn of_parts(names: &[String], n_hidden_rows: usize) -> Vec<Remark> {
    let holds = |what: &str| names.iter().any(|n| n.contains(what));
    let mut remarks = Vec::new();
    if holds("vbaproject.bin") || holds("macrosheets/") || holds("basic/script-lc.xml") {
        remarks.push(macros());
    }
    if holds("/externallinks/") {
        let remark = Remark::new(
            "file.links-ignored",
            "The workbook has links to other files. Their last saved values were read, the links were not followed.",
            "Check that the linked values are up to date, and say so; if they are not, open the other files, update the links and upload again.",
        );
        remarks.push(remark.asking_whether_meant());
    }
    if holds("/pivotcache/") {
        let remark = Remark::new(
            "file.pivot-ignored",
            "The workbook has a pivot table, which may hold a hidden copy of all its source data. It was not read.",
            "Check that the source holds no personal data that you did not mean to send; if it does, delete the pivot table and upload again.",
        );
        remarks.push(remark.asking_whether_meant());
    }
    if holds("/embeddings/") {
        let remark = Remark::new(
            "file.embedded-ignored",
            "The workbook has other files embedded in it. They were not read.",
            "Check that they hold no personal data that you did not mean to send; if they do, delete them and upload again.",
        );
        remarks.push(remark.asking_whether_meant());
    }
    remarks.extend(hidden_rows(n_hidden_rows));
    remarks
}

pub(crate) fn hidden_rows(n_hidden_rows: usize) -> Option<Remark> {
    (n_hidden_rows > 0).then(|| {
        Remark::new(
            "file.hidden-rows",
            format!(
                "The workbook has hidden or filtered rows ({n_hidden_rows}). They were read like all others."
            ),
            "Show all rows and check that they are meant to be part of the return.",
        )
        .asking_whether_meant()
    })
}

pub(crate) fn hidden_columns(n_hidden_columns: usize) -> Option<Remark> {
    (n_hidden_columns > 0).then(|| {
        Remark::new(
            "file.hidden-columns",
            format!(
                "The workbook has hidden columns with something in them ({n_hidden_columns}). They were read like all others."
            ),
            "Show all columns and check that they are meant to be part of the return.",
        )
        .asking_whether_meant()
    })
}

pub(crate) fn macros() -> Remark {
    Remark::new(
        "file.macros-ignored",
        "The workbook has macros. They were not run and are not kept with the data.",
        "Nothing to do; save the workbook as .xlsx if you want to send it without macros.",
    )
}
