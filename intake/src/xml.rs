//! Bounded reading of XML that others wrote: a small tree without namespaces, document types or entities.

use holdpoint_schemas::SourceError;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::error::SourceResult;

/// Deepest nesting; the same as for JSON.
const MAX_NESTING: usize = 128;
/// Most elements: a tree of as many takes about 200 MB, and the largest real reports have a tenth of them.
const MAX_ELEMENTS: usize = 1_000_000;
/// Most attributes of one element: no known format has more than ten.
const MAX_ATTRIBUTES: usize = 64;

/// An element. Names are local: what stands before a `:` is left out.
#[derive(Debug, Default)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Its own text, without that of its children.
    text: String,
    attributes: Vec<(String, String)>,
    /// Child elements, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The text without white space around it, unless that is nothing.
    pub fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// An attribute by its local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name)?.text()
    }

    /// All children `inner` of all children `outer`.
    pub fn list<'a>(&'a self, outer: &'a str, inner: &'a str) -> impl Iterator<Item = &'a Self> {
        self.named(outer).flat_map(move |list| list.named(inner))
    }

    /// All children of this name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Itself and all elements below, parents first.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            let element = stack.pop()?;
            stack.extend(element.children.iter().rev());
            Some(element)
        })
    }
}

/// Parses a document. `expected` says what it should have been.
///
/// # Errors
/// When it is malformed, cut off, too deep or too large, or has a document type (and so might have entities).
pub fn parse(file: &str, text: &str, expected: &str) -> SourceResult<Element> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut elements = 0usize;
    loop {
        let event = reader.read_event().map_err(|error| {
            let message = format!("{error}; expected {expected}");
            located(file, text, reader.error_position(), message)
        })?;
        let fail = |message: String| located(file, text, reader.buffer_position(), message);
        match event {
            Event::Start(_) | Event::Empty(_) if root.is_some() => {
                return Err(fail(format!("a second root element; expected {expected}")));
            }
            Event::Start(start) => {
                elements += 1;
                if open.len() >= MAX_NESTING {
                    return Err(fail(format!("nested deeper than {MAX_NESTING} levels")));
                }
                if elements > MAX_ELEMENTS {
                    return Err(fail(format!("more than {MAX_ELEMENTS} elements")));
                }
                open.push(element(&start).map_err(fail)?);
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(fail(format!("more than {MAX_ELEMENTS} elements")));
                }
                close(element(&start).map_err(fail)?, &mut open, &mut root);
            }
            Event::End(_) => {
                if let Some(done) = open.pop() {
                    close(done, &mut open, &mut root);
                }
            }
            Event::Text(part) => {
                let part = part.decode().map_err(|error| fail(error.to_string()))?;
                match open.last_mut() {
                    Some(parent) => parent.text.push_str(&part),
                    None if part.trim().is_empty() => {}
                    None => return Err(fail(format!("text outside of elements; expected {expected}"))),
                }
            }
            Event::CData(part) => {
                let part = part.decode().map_err(|error| fail(error.to_string()))?;
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&part);
                }
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| fail(error.to_string()))?;
                let name = reference.decode().map_err(|error| fail(error.to_string()))?;
                let Some(parent) = open.last_mut() else { continue };
                match (character, resolve_predefined_entity(&name)) {
                    (Some(character), _) => parent.text.push(character),
                    (None, Some(text)) => parent.text.push_str(text),
                    (None, None) => return Err(fail(format!("the entity `{name}`: entities are not resolved"))),
                }
            }
            Event::DocType(_) => return Err(fail("a document type (`<!DOCTYPE`), which is not read".to_owned())),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (root, open.is_empty()) {
        (Some(root), true) => Ok(root),
        _ => {
            let message = format!("the document ends too early; expected {expected}");
            let end = u64::try_from(text.len()).unwrap_or(u64::MAX);
            Err(located(file, text, end, message))
        }
    }
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None => *root = Some(done),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut element = Element {
        name: String::from_utf8_lossy(start.local_name().as_ref()).into_owned(),
        ..Element::default()
    };
    // Our own bound instead of the reader's check for doubles, which takes time squared.
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if element.attributes.len() >= MAX_ATTRIBUTES {
            return Err(format!("more than {MAX_ATTRIBUTES} attributes"));
        }
        let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| error.to_string())?;
        element.attributes.push((name, value.into_owned()));
    }
    Ok(element)
}

fn located(file: &str, text: &str, offset: u64, message: String) -> Box<SourceError> {
    let mut end = usize::try_from(offset).unwrap_or(text.len()).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
    let column = 1 + before.rsplit('\n').next().map_or(0, |last| last.chars().count());
    Box::new(
        SourceError::new(file, message)
            .at(text, line, column)
            .help("check that the file is whole and that the tool that wrote it is set to write this format"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> SourceError {
        *parse("r.xml", text, "a report").unwrap_err()
    }

    #[test]
    fn a_tree_has_local_names_texts_and_attributes() {
        let root = parse(
            "r.xml",
            "<?xml version=\"1.0\"?><!-- c --><v:a xmlns:v='u'><b k='1 &amp; 2'> x &lt;&#65;<![CDATA[<c>]]></b><d/></v:a>",
            "a report",
        )
        .unwrap();
        assert_eq!(root.name, "a");
        assert_eq!(root.child_text("b"), Some("x <A<c>"));
        assert_eq!(root.child("b").and_then(|b| b.attribute("k")), Some("1 & 2"));
        let names: Vec<&str> = root.all().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "d"]);
    }

    #[test]
    fn a_cut_off_document_names_its_place() {
        let error = refused("<a>\n <b>x</b>\n <c");
        assert_eq!(error.position.map(|p| p.0), Some(3));
        assert!(refused("<a><b></b>").message.contains("ends too early"));
        assert!(refused("<a></b>").message.contains("expected a report"));
        assert!(refused("").message.contains("ends too early"));
    }

    #[test]
    fn entities_and_document_types_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x 'xxxx'><!ENTITY y '&x;&x;'>]><a>&y;</a>";
        assert!(refused(bomb).message.contains("DOCTYPE"));
        assert!(refused("<a>&y;</a>").message.contains("`y`"));
    }

    #[test]
    fn depth_attributes_and_a_second_root_are_bounded() {
        let deep = format!("{}{}", "<a>".repeat(200), "</a>".repeat(200));
        assert!(refused(&deep).message.contains("nested deeper than 128"));
        let many: String = (0..100).map(|n| format!(" k{n}='v'")).collect();
        assert!(refused(&format!("<a{many}/>")).message.contains("64 attributes"));
        assert!(refused("<a/><b/>").message.contains("second root"));
        assert!(refused("<a/>x").message.contains("outside"));
    }
}
