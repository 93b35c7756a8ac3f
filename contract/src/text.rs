//! JSON and YAML text into one kind of value, within bounds.

use holdpoint_schemas::SourceError;
use serde_json::Value;

use crate::ContractError;

/// Largest document, in bytes: the largest public API descriptions have 13 MiB.
pub const MAX_BYTES: usize = 32 << 20;
/// Deepest nesting of a YAML document; JSON's own limit is serde_json's 128.
const MAX_YAML_DEPTH: usize = 128;
/// Most nodes of a YAML document.
const MAX_YAML_NODES: usize = 4_000_000;

/// Reads JSON, and what isn't JSON as YAML.
pub(crate) fn read_value(file: &str, text: &str) -> Result<Value, ContractError> {
    check_size(file, text)?;
    let looks_like_json = text.trim_start().starts_with(['{', '[']);
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) if looks_like_json || file.ends_with(".json") => Err(json_error(file, text, &error)),
        Err(_) => read_yaml(file, text),
    }
}

/// Refuses a document that is too large.
pub(crate) fn check_size(file: &str, text: &str) -> Result<(), ContractError> {
    if text.len() > MAX_BYTES {
        let message = format!("the document has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(SourceError::new(file, message).help("split the description").into());
    }
    Ok(())
}

/// Longest line that an error shows: beyond, a person finds the place by its column.
const MAX_LINE: usize = 1_000;

/// Puts an error at its place, and shows the lines there unless they are too long to be read.
pub(crate) fn at(error: SourceError, text: &str, line: usize, column: usize) -> SourceError {
    let (first, line) = (line.saturating_sub(2), line.max(1));
    let long = text.lines().skip(first).take(3).any(|line| line.len() > MAX_LINE);
    if !long {
        return error.at(text, line, column);
    }
    let mut error = error;
    error.position = Some((line, column.max(1)));
    error
}

/// What is wrong with a JSON text, at its place.
pub(crate) fn json_error(file: &str, text: &str, error: &serde_json::Error) -> ContractError {
    let found = SourceError::new(file, json_message(error)).help("expected a JSON document");
    at(found, text, error.line(), error.column()).into()
}

fn read_yaml(file: &str, text: &str) -> Result<Value, ContractError> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: MAX_YAML_DEPTH,
            max_nodes: MAX_YAML_NODES,
            max_events: 2 * MAX_YAML_NODES,
        },
        strict_booleans: true,
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let location = error.location();
        let message = error.to_string();
        let first = message
            .lines()
            .next()
            .unwrap_or("not YAML")
            .trim_start_matches("error: ");
        let found = SourceError::new(file, plain(first)).help("expected a YAML or JSON document");
        match location {
            Some(place) => {
                let (line, column) = (usize::try_from(place.line()), usize::try_from(place.column()));
                at(found, text, line.unwrap_or(1), column.unwrap_or(1)).into()
            }
            None => found.into(),
        }
    })
}

/// What the YAML reader says to programmers, and what it means to people.
const PLAIN: [(&str, &str); 7] = [
    ("budget breached: Depth", "it is nested too deeply"),
    ("RecordedAnchorEvents", "its aliases repeat too much"),
    ("budget breached", "it has too many values"),
    (
        "multiple YAML documents",
        "it holds several documents, and one is expected",
    ),
    ("duplicate mapping key", "a key stands twice in one map"),
    ("non-finite float", "infinity and not-a-number are no values of JSON"),
    ("recursive references", "an alias leads to itself"),
];

fn plain(message: &str) -> &str {
    let known = PLAIN.iter().find(|(theirs, _)| message.contains(theirs));
    known.map_or(message, |(_, ours)| ours)
}

fn json_message(error: &serde_json::Error) -> String {
    // serde_json repeats the position at the end of its text; ours stands before the message.
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_give_the_same_value() {
        let yaml = read_value("a.yaml", "on: [1, 'x', null]\nb: {c: true}\n").unwrap();
        let json = read_value("a.json", r#"{"on": [1, "x", null], "b": {"c": true}}"#).unwrap();
        assert_eq!(yaml, json);
    }

    #[test]
    fn broken_text_is_an_error_with_a_place() {
        for (file, text) in [
            ("a.json", "{\"a\": }"),
            ("a.yaml", "a: [1, 2\nb: }"),
            ("a.yaml", "a: 1\na: 2\n"),
            ("a.json", ""),
        ] {
            let error = read_value(file, text).unwrap_err();
            assert!(error.one_line().starts_with(file), "{}", error.one_line());
            assert!(error.help_line().is_some());
        }
    }

    #[test]
    fn what_the_yaml_reader_says_is_said_plainly_and_long_lines_are_not_shown() {
        for (text, expected) in [
            ("a: 1\n---\nb: 2\n", "several documents"),
            ("a: 1\na: 2\n", "a key stands twice"),
            ("a: .nan\n", "not-a-number"),
            ("a: &a [*a]\n", "an alias leads to itself"),
        ] {
            let error = read_value("a.yaml", text).unwrap_err().one_line();
            assert!(error.contains(expected), "{error}");
        }
        let ContractError::Source(error) = read_value("a.json", &format!("[\"{}\",]", "x".repeat(2_000))).unwrap_err();
        assert_eq!((error.position, error.span), (Some((1, 2_005)), None));
    }

    #[test]
    fn deep_nesting_and_alias_bombs_are_errors() {
        assert!(read_value("a.json", &"[".repeat(10_000)).is_err());
        assert!(read_value("a.yaml", &format!("a: {}", "[".repeat(10_000))).is_err());
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let refs = vec![format!("*a{}", i - 1); 10].join(", ");
            bomb.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        assert!(read_value("a.yaml", &bomb).is_err());
    }
}
