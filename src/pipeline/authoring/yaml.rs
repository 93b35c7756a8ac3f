//! YAML and Cedar text that is written for people to go on with.

use holdpoint_schemas::fact::FactValue;
use holdpoint_schemas::pack::{Answer, Case, CaseFile};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Text in double quotes, as both Cedar and YAML read it; it holds no control character.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text as a YAML scalar: plain where that is safe, else quoted.
pub(super) fn scalar(text: &str) -> String {
    const WORDS_OF_YAML: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " ._-'`()".contains(c))
        && !text.ends_with(' ')
        && !WORDS_OF_YAML.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

fn value(value: &FactValue) -> String {
    match value {
        FactValue::Bool(yes) => yes.to_string(),
        FactValue::Long(number) => number.to_string(),
        FactValue::String(text) => scalar(text),
        FactValue::Set(words) => list(words.iter().map(String::as_str)),
    }
}

/// A list on one line.
fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(scalar).collect();
    format!("[{}]", words.join(", "))
}

fn map(given: &BTreeMap<String, FactValue>) -> String {
    let pairs: Vec<String> = given
        .iter()
        .map(|(id, given)| format!("{id}: {}", value(given)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// A case file, under a comment.
pub(super) fn case_file(comment: &str, file: &CaseFile) -> String {
    let mut text = format!("# {comment}\n");
    if !file.facts.is_empty() {
        text.push_str("facts:\n");
    }
    for (name, facts) in &file.facts {
        if facts.given.is_empty() {
            let _ = writeln!(text, "  {name}: {{}}");
        } else {
            let _ = writeln!(text, "  {name}:");
        }
        for (id, given) in &facts.given {
            let _ = writeln!(text, "    {id}: {}", value(given));
        }
    }
    text.push_str("cases:\n");
    for case in &file.cases {
        one(&mut text, case);
    }
    text
}

fn one(text: &mut String, case: &Case) {
    let _ = writeln!(text, "  - name: {}", scalar(&case.name));
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "    {name}: {value}");
        }
    };
    let ids = |ids: &Option<Vec<String>>| ids.as_ref().map(|ids| list(ids.iter().map(String::as_str)));
    let some = |words: &[String]| (!words.is_empty()).then(|| list(words.iter().map(String::as_str)));
    field("from", case.from.clone());
    field("given", (!case.given.is_empty()).then(|| map(&case.given)));
    field("unknown", some(&case.unknown));
    field("level", case.level.map(|level| level.to_string()));
    field("at_most", case.at_most.map(|level| level.to_string()));
    field("at_least", case.at_least.map(|level| level.to_string()));
    field("bounds", ids(&case.bounds));
    field("reasons", some(&case.reasons));
    field(
        "promote",
        case.promote.map(|answer| {
            match answer {
                Answer::Permitted => "permitted",
                Answer::Denied => "denied",
            }
            .to_owned()
        }),
    );
    field("promote_bounds", ids(&case.promote_bounds));
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_intake::estate::read_yaml;
    use holdpoint_schemas::Level;
    use holdpoint_schemas::pack::NamedFacts;

    #[test]
    fn what_is_written_reads_back_as_it_was() {
        let words = [
            "plain",
            "no",
            "1.5",
            "a: b",
            "- x",
            "say \"hi\" \\",
            "#c",
            "é",
            " lead",
            "it's",
            "~",
        ];
        let given: BTreeMap<String, FactValue> = words
            .iter()
            .enumerate()
            .map(|(n, word)| (format!("org.w{n}"), FactValue::from(*word)))
            .chain([
                ("service.tier".to_owned(), 2.into()),
                ("service.known".to_owned(), true.into()),
                (
                    "service.data_classes".to_owned(),
                    FactValue::Set(["a, b".to_owned(), "x".to_owned()].into()),
                ),
            ])
            .collect();
        let named = NamedFacts {
            from: None,
            given: given.clone(),
        };
        let file = CaseFile {
            facts: BTreeMap::from([("ready".to_owned(), named), ("none".to_owned(), NamedFacts::default())]),
            cases: vec![Case {
                name: "x, row 1: \"y\"".to_owned(),
                from: Some("ready".to_owned()),
                given,
                unknown: vec!["service.tier".to_owned()],
                level: Some(Level::AutoApply),
                bounds: Some(Vec::new()),
                reasons: vec!["why: not".to_owned()],
                promote: Some(Answer::Denied),
                promote_bounds: Some(vec!["a".to_owned()]),
                ..Case::default()
            }],
        };
        let text = case_file("A comment.", &file);
        assert_eq!(read_yaml::<CaseFile>("c.yaml", &text).unwrap(), file, "{text}");
    }
}
