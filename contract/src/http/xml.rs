//! XML bodies: attributes in any order, children in theirs.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

use super::rules::{Category, Rule, Step, show};
use super::{Direction, Report, matcher};

/// Most nodes of a document.
const MAX_NODES: u32 = 100_000;
/// Deepest nesting that is compared; the comparison recurses.
const MAX_DEPTH: usize = 100;

pub(super) fn compare(expected: &str, actual: &str, report: &mut Report) {
    match (parse(expected), parse(actual)) {
        (Ok(wanted), Ok(got)) => elements(wanted.root_element(), got.root_element(), &mut Vec::new(), report),
        (Err(text), _) => report.add("$.body", format!("the expected body is not XML: {text}")),
        (_, Err(text)) => report.add("$.body", format!("expected XML, got something else: {text}")),
    }
}

fn parse(text: &str) -> Result<Document<'_>, String> {
    // No DTD: entities could grow without bound.
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}

fn elements(expected: Node<'_, '_>, actual: Node<'_, '_>, place: &mut Vec<Step>, report: &mut Report) {
    place.push(Step::Name(actual.tag_name().name().to_owned()));
    if expected.tag_name() != actual.tag_name() {
        let wanted = expected.tag_name().name();
        report.add(show("$.body", place), format!("expected the element `{wanted}`"));
    } else if place.len() > MAX_DEPTH {
        report.add(
            show("$.body", place),
            format!("nested deeper than {MAX_DEPTH} elements"),
        );
    } else {
        attributes(expected, actual, place, report);
        children(expected, actual, place, report);
        texts(expected, actual, place, report);
    }
    place.pop();
}

fn attributes(expected: Node<'_, '_>, actual: Node<'_, '_>, place: &mut Vec<Step>, report: &mut Report) {
    for wanted in expected.attributes() {
        place.push(Step::Name(format!("@{}", wanted.name())));
        let namespace = wanted.namespace().unwrap_or_default();
        let found = actual
            .attributes()
            .find(|got| got.name() == wanted.name() && got.namespace().unwrap_or_default() == namespace);
        match found {
            Some(got) => values(wanted.value(), got.value(), place, report),
            None => report.add(show("$.body", place), "expected this attribute, it is missing"),
        }
        place.pop();
    }
    if report.direction == Direction::Response {
        return;
    }
    for got in actual.attributes() {
        if !expected.attributes().any(|wanted| wanted.name() == got.name()) {
            place.push(Step::Name(format!("@{}", got.name())));
            report.add(show("$.body", place), "unexpected attribute");
            place.pop();
        }
    }
}

fn children(expected: Node<'_, '_>, actual: Node<'_, '_>, place: &mut Vec<Step>, report: &mut Report) {
    let wanted: Vec<Node<'_, '_>> = expected.children().filter(Node::is_element).collect();
    let got: Vec<Node<'_, '_>> = actual.children().filter(Node::is_element).collect();
    let rule = report
        .rules
        .best(Category::Body, place)
        .filter(|rule: &Rule| !rule.inherited);
    if let Some(rule) = &rule {
        let (list, other) = (Value::from(vec![0; wanted.len()]), Value::from(vec![0; got.len()]));
        if let Err(text) = matcher::check(Some(rule), &list, &other)
            && !(wanted.is_empty() && got.is_empty())
        {
            report.add(show("$.body", place), text);
        }
    } else if wanted.len() != got.len() {
        report.add(
            show("$.body", place),
            format!("expected {} child elements, got {}", wanted.len(), got.len()),
        );
    }
    for (at, got) in got.iter().enumerate() {
        // Under a rule an earlier element of the same name is the example for all further ones.
        let example = || {
            wanted
                .iter()
                .find(|wanted| wanted.tag_name() == got.tag_name())
                .or(wanted.first())
        };
        let Some(wanted) = wanted.get(at).or_else(|| rule.is_some().then(example).flatten()) else {
            break;
        };
        elements(*wanted, *got, place, report);
    }
}

fn texts(expected: Node<'_, '_>, actual: Node<'_, '_>, place: &mut Vec<Step>, report: &mut Report) {
    let text = |node: Node<'_, '_>| -> String {
        node.children()
            .filter(Node::is_text)
            .filter_map(|child| child.text())
            .collect::<String>()
            .trim()
            .to_owned()
    };
    place.push(Step::Name("#text".to_owned()));
    values(&text(expected), &text(actual), place, report);
    place.pop();
}

fn values(expected: &str, actual: &str, place: &[Step], report: &mut Report) {
    let rule = report.rules.best(Category::Body, place);
    if let Err(text) = matcher::check_text(rule.as_ref(), expected, actual) {
        report.add(show("$.body", place), text);
    }
}
