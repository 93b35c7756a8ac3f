//! Two recordings of the same exchanges: does what was recorded then still hold for what is recorded now?

use std::collections::BTreeMap;

use super::{ContractFile, Interaction, match_message};
use crate::{Change, ContractDiff, Gap, Level, Rule};

/// Id, level, the rule for the opposite, explanation.
const ROWS: [(&str, Level, Option<&str>, &str); 3] = [
    (
        "request-mismatch",
        Level::Error,
        None,
        "the request that clients send is no longer one that this exchange is about",
    ),
    (
        "response-mismatch",
        Level::Error,
        None,
        "the recorded answer no longer has what clients rely on",
    ),
    (
        "interaction-added",
        Level::Info,
        None,
        "an exchange is recorded that wasn't before",
    ),
];

/// The rules of recorded interactions.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let rule = |(id, level, opposite, explanation): &(&str, Level, Option<&str>, &str)| Rule {
        kind: "http",
        id: (*id).to_owned(),
        level: *level,
        explanation: (*explanation).to_owned(),
        opposite: opposite.map(str::to_owned),
    };
    ROWS.iter().map(rule).collect()
}

/// Compares two files of interactions, by their descriptions: `base` is what clients rely on, `revision` what is
/// recorded now. An exchange that is no longer recorded can't be judged, and is a gap.
#[must_use]
pub fn diff(base: &ContractFile, revision: &ContractFile) -> ContractDiff {
    let mut now: BTreeMap<&str, Vec<&Interaction>> = BTreeMap::new();
    for interaction in &revision.interactions {
        now.entry(&interaction.description).or_default().push(interaction);
    }
    let (mut changes, mut gaps) = (Vec::new(), Vec::new());
    for (at, before) in base.interactions.iter().enumerate() {
        // Several may share a description: they are told apart by their order.
        let nth = base.interactions.iter().take(at);
        let nth = nth.filter(|other| other.description == before.description).count();
        let Some(after) = now.get(before.description.as_str()).and_then(|same| same.get(nth)) else {
            gaps.push(Gap {
                place: before.description.clone(),
                text: "this exchange is no longer recorded, so it can't be told whether it still works".to_owned(),
            });
            continue;
        };
        for (rule, expected, actual) in [
            ("request-mismatch", &after.request, &before.request),
            ("response-mismatch", &before.response, &after.response),
        ] {
            let found = match_message(expected, actual).mismatches;
            changes.extend(
                found
                    .into_iter()
                    .map(|found| change(rule, Level::Error, before, &found.path, found.text)),
            );
        }
    }
    for (description, same) in now {
        let before = base
            .interactions
            .iter()
            .filter(|known| known.description == description)
            .count();
        let added = same.iter().skip(before);
        changes.extend(added.map(|new| {
            change(
                "interaction-added",
                Level::Info,
                new,
                "",
                format!("`{description}` is new"),
            )
        }));
    }
    ContractDiff::with_gaps("http", changes, gaps)
}

fn change(rule: &str, level: Level, interaction: &Interaction, place: &str, text: String) -> Change {
    let method = interaction.request.method.as_deref().unwrap_or("GET");
    Change {
        rule: rule.to_owned(),
        level,
        operation: method.to_ascii_uppercase(),
        path: interaction.request.path.clone().unwrap_or_default(),
        location: format!("{} {place}", interaction.description).trim_end().to_owned(),
        text,
        line: None,
        file: None,
        in_base: false,
        categories: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DiffVerdict;
    use crate::http::read_interactions;

    fn file(interactions: &str) -> ContractFile {
        let text =
            format!(r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{interactions}]}}"#);
        read_interactions("c.json", &text).unwrap()
    }

    fn exchange(name: &str, path: &str, body: &str) -> String {
        format!(
            r#"{{"description":"{name}","request":{{"method":"get","path":"{path}"}},"response":{{"status":200,"body":{body}}}}}"#
        )
    }

    #[test]
    fn an_answer_may_gain_and_not_lose() {
        let old = file(&exchange("a payment", "/p/1", r#"{"id":1}"#));
        let more = file(&exchange("a payment", "/p/1", r#"{"id":1,"new":2}"#));
        assert_eq!(diff(&old, &more).verdict(), DiffVerdict::Compatible);
        let less = diff(&more, &old);
        assert_eq!(less.verdict(), DiffVerdict::Breaking);
        let lost = &less.changes[0];
        assert_eq!(
            (lost.rule.as_str(), lost.operation.as_str(), lost.path.as_str()),
            ("response-mismatch", "GET", "/p/1")
        );
        let moved = file(&exchange("a payment", "/q/1", r#"{"id":1}"#));
        assert_eq!(diff(&old, &moved).changes[0].rule, "request-mismatch");
    }

    #[test]
    fn what_is_no_longer_recorded_is_a_gap_and_what_is_new_is_told() {
        let one = exchange("one", "/1", "1");
        let two = file(&format!("{one},{}", exchange("two", "/2", "2")));
        let found = diff(&two, &file(&one));
        assert_eq!(
            (found.verdict(), found.gaps[0].place.as_str()),
            (DiffVerdict::Inconclusive, "two")
        );
        let back = diff(&file(&one), &two);
        assert_eq!(
            (back.verdict(), back.changes[0].rule.as_str()),
            (DiffVerdict::Compatible, "interaction-added")
        );
        assert!(diff(&two, &two).changes.is_empty());
    }

    #[test]
    fn every_rule_that_is_reported_is_listed() {
        let known: Vec<String> = rules().into_iter().map(|rule| rule.id).collect();
        let (old, new) = (
            file(&exchange("a", "/1", "1")),
            file(&format!("{},{}", exchange("a", "/2", "2"), exchange("b", "/1", "1"))),
        );
        let found = diff(&old, &new);
        assert_eq!(found.changes.len(), 3);
        assert!(found.changes.iter().all(|change| known.contains(&change.rule)));
    }
}
