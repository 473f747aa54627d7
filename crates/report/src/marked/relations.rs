//! Which part leads to which: a part's `.rels`, and the package's list of content types.

use std::fmt::Write as _;

use super::xml::{Edits, NotWellFormed, Tag, Tags, escape};

/// One relation of a part.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) id: String,
    pub(super) kind: String,
    /// The part's name from the package's root, without a slash before it.
    pub(super) target: String,
}

/// The relations of one part, as they stand and with what is to change.
pub(super) struct Relations {
    /// Of the `.rels` part itself.
    pub(super) name: String,
    text: String,
    pub(super) all: Vec<Relation>,
    added: Vec<(String, String, String)>,
    dropped: Vec<String>,
}

const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"></Relationships>";

/// Where the relations of a part stand: `xl/_rels/workbook.xml.rels`.
pub(super) fn rels_name(part: &str) -> String {
    match part.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/_rels/{file}.rels"),
        None => format!("_rels/{part}.rels"),
    }
}

impl Relations {
    /// `text` is that of the part's `.rels`, where it has one.
    pub(super) fn read(part: &str, text: Option<String>) -> Result<Self, NotWellFormed> {
        let text = text.unwrap_or_else(|| EMPTY.to_owned());
        let folder = part.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut all = Vec::new();
        let mut tags = Tags::of(&text);
        while let Some(tag) = tags.next()? {
            if !tag.opens() || tag.local() != "Relationship" {
                continue;
            }
            let external = tag.get("TargetMode").is_some_and(|mode| mode == "External");
            if let (Some(id), Some(kind), Some(target), false) =
                (tag.get("Id"), tag.get("Type"), tag.get("Target"), external)
            {
                all.push(Relation {
                    id,
                    kind,
                    target: resolve(folder, &target),
                });
            }
        }
        Ok(Self {
            name: rels_name(part),
            text,
            all,
            added: Vec::new(),
            dropped: Vec::new(),
        })
    }

    /// The first relation whose type ends so: `/styles`.
    pub(super) fn of_kind(&self, ending: &str) -> Option<&Relation> {
        self.all
            .iter()
            .find(|relation| relation.kind.ends_with(ending))
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Relation> {
        self.all.iter().find(|relation| relation.id == id)
    }

    /// Adds a relation to a part, named from the package's root, and gives its id.
    pub(super) fn add(&mut self, kind: &str, target: &str) -> String {
        // External ones are not among `all`, but their ids are in the text.
        let id = (1..=u32::MAX)
            .map(|n| format!("rIdLgdp{n}"))
            .find(|id| {
                !self.text.contains(&format!("{id}\""))
                    && !self.added.iter().any(|(own, ..)| own == id)
            })
            .unwrap_or_default();
        self.added
            .push((id.clone(), kind.to_owned(), format!("/{target}")));
        id
    }

    /// Takes away the relations whose type ends so, and gives the parts they led to.
    pub(super) fn drop_kind(&mut self, ending: &str) -> Vec<String> {
        let (dropped, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.all)
            .into_iter()
            .partition(|relation| relation.kind.ends_with(ending));
        self.all = kept;
        self.dropped
            .extend(dropped.iter().map(|relation| relation.id.clone()));
        dropped
            .into_iter()
            .map(|relation| relation.target)
            .collect()
    }

    /// Takes away the relations to these parts.
    pub(super) fn drop_to(&mut self, parts: &[String]) {
        let (dropped, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.all)
            .into_iter()
            .partition(|relation| parts.contains(&relation.target));
        self.all = kept;
        self.dropped
            .extend(dropped.into_iter().map(|relation| relation.id));
    }

    pub(super) fn is_changed(&self) -> bool {
        !self.added.is_empty() || !self.dropped.is_empty()
    }

    pub(super) fn written(&self) -> Result<String, NotWellFormed> {
        let mut edits = Edits::default();
        let added = |prefix: &str| {
            let mut added = String::new();
            for (id, kind, target) in &self.added {
                let (kind, target) = (escape(kind), escape(target));
                let _ = write!(
                    added,
                    "<{prefix}Relationship Id=\"{id}\" Type=\"{kind}\" Target=\"{target}\"/>"
                );
            }
            added
        };
        let mut tags = Tags::of(&self.text);
        while let Some(tag) = tags.next()? {
            if tag.local() == "Relationship" && tag.opens() {
                if tag.get("Id").is_some_and(|id| self.dropped.contains(&id)) {
                    let end = tags.skip(&tag)?.end;
                    edits.replace(tag.at.start..end, "");
                }
            } else if tag.local() == "Relationships" {
                append(&mut edits, &tag, &added(tag.prefix()));
            }
        }
        Ok(edits.apply(&self.text))
    }
}

/// Puts something at the end of a list, which may be an empty element; called with each of its tags.
pub(super) fn append(edits: &mut Edits, tag: &Tag<'_>, what: &str) {
    match tag.kind {
        super::xml::Kind::Start => {}
        super::xml::Kind::End => edits.insert(tag.at.start, what),
        super::xml::Kind::Empty => edits.replace(
            tag.at.clone(),
            format!("{}{what}{}", Tag::opened(&tag.with(&[])), tag.closing()),
        ),
    }
}

/// `../comments1.xml` seen from `xl/worksheets`.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut path: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').collect(),
    };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.retain(|step| !step.is_empty());
    path.join("/")
}

/// `[Content_Types].xml`.
pub(super) const CONTENT_TYPES: &str = "[Content_Types].xml";

/// What is to change in the list of content types.
#[derive(Default)]
pub(super) struct ContentTypes {
    /// Part name → type.
    added: Vec<(String, String)>,
    dropped: Vec<String>,
}

impl ContentTypes {
    pub(super) fn add(&mut self, part: &str, kind: &str) {
        self.added.push((format!("/{part}"), kind.to_owned()));
    }

    pub(super) fn drop(&mut self, part: &str) {
        self.dropped.push(format!("/{part}").to_lowercase());
    }

    pub(super) fn written(&self, text: &str) -> Result<String, NotWellFormed> {
        let mut edits = Edits::default();
        let mut tags = Tags::of(text);
        while let Some(tag) = tags.next()? {
            if tag.local() == "Override" && tag.opens() {
                let part = tag.get("PartName").unwrap_or_default().to_lowercase();
                let again = self
                    .added
                    .iter()
                    .any(|(name, _)| name.to_lowercase() == part);
                if again || self.dropped.contains(&part) {
                    let end = tags.skip(&tag)?.end;
                    edits.replace(tag.at.start..end, "");
                }
            } else if tag.local() == "Types" {
                let mut added = String::new();
                for (part, kind) in &self.added {
                    let (p, part, kind) = (tag.prefix(), escape(part), escape(kind));
                    let _ = write!(
                        added,
                        "<{p}Override PartName=\"{part}\" ContentType=\"{kind}\"/>"
                    );
                }
                append(&mut edits, &tag, &added);
            }
        }
        Ok(edits.apply(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_seen_from_where_the_part_lies() {
        for (folder, target, part) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl/worksheets", "../comments1.xml", "xl/comments1.xml"),
            ("xl", "/xl/styles.xml", "xl/styles.xml"),
            ("", "xl/workbook.xml", "xl/workbook.xml"),
            ("xl", "..\\x.xml", "x.xml"),
        ] {
            assert_eq!(resolve(folder, target), part);
        }
    }

    #[test]
    fn relations_are_added_and_dropped_and_the_others_left_as_they_are() {
        let text = "<p:Relationships xmlns:p='r'><p:Relationship Id='rId1' Type='a/styles' Target='styles.xml'/><p:Relationship Id='rId2' Type='a/calcChain' Target='calcChain.xml'/><p:Relationship Id=\"rIdLgdp1\" Type='a/link' Target='http://x' TargetMode='External'/></p:Relationships>";
        let mut relations = Relations::read("xl/workbook.xml", Some(text.to_owned())).unwrap();
        assert_eq!(relations.name, "xl/_rels/workbook.xml.rels");
        assert_eq!(
            relations.of_kind("/styles").unwrap().target,
            "xl/styles.xml"
        );
        assert_eq!(relations.drop_kind("/calcChain"), ["xl/calcChain.xml"]);
        assert_eq!(
            relations.add("a/worksheet", "xl/worksheets/new.xml"),
            "rIdLgdp2"
        );
        assert_eq!(
            relations.written().unwrap(),
            text.replace("<p:Relationship Id='rId2' Type='a/calcChain' Target='calcChain.xml'/>", "").replace(
                "</p:Relationships>",
                "<p:Relationship Id=\"rIdLgdp2\" Type=\"a/worksheet\" Target=\"/xl/worksheets/new.xml\"/></p:Relationships>"
            )
        );
    }

    #[test]
    fn a_part_without_relations_gets_its_first() {
        let mut relations = Relations::read("xl/worksheets/sheet1.xml", None).unwrap();
        assert!(!relations.is_changed());
        let id = relations.add("a/comments", "xl/comments1.xml");
        assert!(relations.is_changed());
        let written = relations.written().unwrap();
        let again = Relations::read("xl/worksheets/sheet1.xml", Some(written)).unwrap();
        assert_eq!(again.by_id(&id).unwrap().target, "xl/comments1.xml");
    }

    #[test]
    fn content_types_are_overrides_of_one_part_each() {
        let mut types = ContentTypes::default();
        types.add("xl/new.xml", "b");
        types.drop("xl/calcChain.xml");
        let text = "<Types><Default Extension=\"xml\" ContentType=\"a\"/><Override PartName=\"/xl/calcChain.xml\" ContentType=\"c\"/><Override PartName=\"/xl/New.xml\" ContentType=\"old\"/></Types>";
        assert_eq!(
            types.written(text).unwrap(),
            "<Types><Default Extension=\"xml\" ContentType=\"a\"/><Override PartName=\"/xl/new.xml\" ContentType=\"b\"/></Types>"
        );
    }
}
