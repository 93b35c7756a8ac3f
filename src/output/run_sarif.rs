//! A run as SARIF 2.1.0: one result per finding, with its baseline state where there was a run before.

use holdpoint_schemas::finding::Severity;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::diagnostics::{SARIF_SCHEMA, uri};
use super::phrase;
use super::text::clean;
use crate::pipeline::night::{Change, ChangeKind, Since};
use crate::pipeline::report::{Outcome, ReportItem, RunReport};

/// Name of the fingerprint, with the version of how it is made (§3.27.16).
const FINGERPRINT: &str = "holdpoint/v1";

/// The run as a log with one run.
#[must_use]
pub fn sarif(report: &RunReport) -> Value {
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for item in &report.items {
        let finding = &item.finding.finding;
        rules.entry(&finding.rule).or_insert_with(|| {
            json!({
                "id": finding.rule,
                "shortDescription": { "text": text(&finding.title) },
                "properties": { "tags": [finding.class.as_str(), "security"] },
            })
        });
    }
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, rule)| (*rule, at)).collect();
    let since = report.night.since.as_ref();
    let mut results: Vec<Value> = report.items.iter().map(|item| result(item, &index, since)).collect();
    let gone = since.into_iter().flat_map(|since| &since.changes).filter(|change| {
        let has_item = || report.items.iter().any(|item| item.finding.id() == change.finding);
        matches!(change.kind, ChangeKind::Fixed | ChangeKind::Vanished) && !has_item()
    });
    results.extend(gone.map(absent));
    let notifications: Vec<Value> = report
        .warnings
        .iter()
        .map(|warning| json!({ "level": "warning", "message": { "text": text(warning) } }))
        .collect();
    json!({
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "holdpoint",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "endTimeUtc": report.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": { "estate": report.estate, "pack": report.pack, "ledger": report.ledger_head },
        }],
    })
}

fn result(item: &ReportItem, rules: &BTreeMap<&str, usize>, since: Option<&Since>) -> Value {
    let finding = &item.finding.finding;
    let id = item.finding.id();
    let mut result = Map::new();
    let mut set = |name: &str, value: Value| result.insert(name.to_owned(), value);
    set("ruleId", json!(finding.rule));
    if let Some(index) = rules.get(finding.rule.as_str()) {
        set("ruleIndex", json!(index));
    }
    set("level", json!(level(finding.severity)));
    let reason = phrase::reason(item);
    let said = format!("{}. Holdpoint decided {}: {reason}", finding.title, item.decision.level);
    set("message", json!({ "text": text(&said) }));
    set("fingerprints", json!({ FINGERPRINT: finding.fingerprint.as_str() }));
    if let Some(location) = &finding.location {
        let mut physical = json!({ "artifactLocation": { "uri": uri(&location.path) } });
        if let (Some(line), Some(object)) = (location.line.filter(|line| *line > 0), physical.as_object_mut()) {
            object.insert("region".to_owned(), json!({ "startLine": line }));
        }
        set("locations", json!([{ "physicalLocation": physical }]));
    }
    if let Some(why) = settled(item) {
        let suppression = json!({ "kind": "external", "status": "accepted", "justification": why });
        set("suppressions", json!([suppression]));
    }
    if let Some(since) = since {
        set("baselineState", json!(state(since, &id)));
    }
    set(
        "properties",
        json!({
            "id": id,
            "repo": item.finding.repo,
            "branch": item.finding.branch,
            "service": item.service,
            "severity": finding.severity.as_str(),
            "level": item.decision.level,
            "outcome": item.outcome,
            "reason": text(&reason),
        }),
    );
    Value::Object(result)
}

/// A finding that is gone (§3.27.24).
fn absent(change: &Change) -> Value {
    json!({
        "ruleId": change.rule,
        "level": level(change.severity),
        "message": { "text": text(&format!("{}: {}", change.title, change.why)) },
        "fingerprints": { FINGERPRINT: change.fingerprint },
        "baselineState": "absent",
        "properties": { "id": change.finding, "severity": change.severity.as_str() },
    })
}

/// What the log before it would have to be compared with says (§3.27.24).
fn state(since: &Since, id: &str) -> &'static str {
    let mut kinds = since
        .changes
        .iter()
        .filter(|change| change.finding == id)
        .map(|change| change.kind);
    kinds
        .find_map(|kind| match kind {
            ChangeKind::New | ChangeKind::Returned => Some("new"),
            ChangeKind::Down | ChangeKind::Up | ChangeKind::Merged | ChangeKind::Reverted => Some("updated"),
            ChangeKind::Fixed | ChangeKind::Vanished => Some("absent"),
            ChangeKind::Held => None,
        })
        .unwrap_or("unchanged")
}

/// Why nobody has to look at it any more (§3.35).
fn settled(item: &ReportItem) -> Option<String> {
    match &item.outcome {
        Outcome::Merged { commit, .. } => Some(format!("its fix was merged as {}", phrase::short(commit))),
        Outcome::AlreadyMerged { commit } => Some(format!("its fix was merged earlier, as {}", phrase::short(commit))),
        _ => None,
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// Text as viewers may show it: no control characters, and never empty (§3.11.8).
fn text(text: &str) -> String {
    let text = clean(text);
    if text.is_empty() { "-".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn every_finding_is_a_result_with_its_level_fingerprint_and_rule() {
        let report = samples::report();
        let log = sarif(&report);
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), report.items.len());
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for (result, item) in results.iter().zip(&report.items) {
            assert_eq!(
                result["fingerprints"][FINGERPRINT],
                item.finding.finding.fingerprint.as_str()
            );
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        }
    }

    #[test]
    fn what_is_settled_is_suppressed_and_what_changed_says_so() {
        let mut report = samples::report();
        let since = report.night.since.as_mut().unwrap();
        let mut vanished = since.changes[0].clone();
        (vanished.kind, vanished.finding) = (ChangeKind::Vanished, "hp-0000000000".to_owned());
        since.changes.push(vanished);
        let log = sarif(&report);
        let results = log["runs"][0]["results"].as_array().unwrap();
        let of = |item: &ReportItem| {
            let id = item.finding.id();
            results
                .iter()
                .find(|result| result["properties"]["id"] == id.as_str())
                .unwrap()
        };
        assert_eq!(of(&samples::merged())["suppressions"][0]["status"], "accepted");
        assert_eq!(of(&samples::broken_contract())["baselineState"], "new");
        assert_eq!(of(&samples::frozen())["baselineState"], "updated");
        assert_eq!(of(&samples::unknown_service())["baselineState"], "unchanged");
        assert!(of(&samples::frozen()).get("suppressions").is_none());
        assert_eq!(results.last().unwrap()["baselineState"], "absent");
    }

    #[test]
    fn without_a_run_before_no_state_is_claimed() {
        let mut report = samples::report();
        report.night.since = None;
        let log = sarif(&report);
        assert!(log["runs"][0]["results"][0].get("baselineState").is_none());
    }
}
