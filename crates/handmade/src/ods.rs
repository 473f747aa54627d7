//! `OpenDocument` spreadsheets, by their content.

use crate::Parts;

impl Parts {
    /// A document whose `content.xml` holds this in its body; tables of the style `ta2` are hidden.
    pub fn ods(body: &str) -> Self {
        Self::empty()
            .with("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            .with("META-INF/manifest.xml", "<manifest:manifest/>")
            .with("content.xml", &format!("<office:document-content><office:automatic-styles><style:style style:name=\"ta2\"><style:table-properties table:display=\"false\"/></style:style></office:automatic-styles><office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"))
    }
}
