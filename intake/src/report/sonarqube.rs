//! SonarQube's and SonarCloud's issues (Web API `api/issues/search`, `api/hotspots/search`), and
//! the JSON of `sonar-report`, which keeps their fields.

use holdpoint_schemas::finding::Severity;
use serde::Deserialize;
use std::collections::HashMap;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "sonarqube";

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "loose::many")]
    issues: Vec<Issue>,
    #[serde(default, deserialize_with = "loose::many")]
    hotspots: Vec<Issue>,
    #[serde(default, deserialize_with = "loose::many")]
    components: Vec<Component>,
    #[serde(default, deserialize_with = "loose::number")]
    total: Option<u32>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default, deserialize_with = "or_default")]
    key: String,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issue {
    #[serde(default, deserialize_with = "loose::text")]
    key: String,
    #[serde(alias = "ruleKey", default, deserialize_with = "or_default")]
    rule: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    /// Of a hotspot, in place of a severity.
    #[serde(default, deserialize_with = "or_default")]
    vulnerability_probability: String,
    #[serde(default, deserialize_with = "or_default")]
    component: String,
    #[serde(default, deserialize_with = "or_default")]
    project: String,
    #[serde(default, deserialize_with = "loose::number")]
    line: Option<u32>,
    /// Of the line without white space.
    #[serde(default, deserialize_with = "or_default")]
    hash: String,
    #[serde(default, deserialize_with = "or_default")]
    text_range: Range,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Range {
    #[serde(default, deserialize_with = "loose::number")]
    start_line: Option<u32>,
    /// 0-based.
    #[serde(default, deserialize_with = "loose::number")]
    start_offset: Option<u32>,
}

pub fn detect(outline: &Outline) -> bool {
    let issue = |list| outline.has_inner(list, "component") && outline.has_inner(list, "key");
    let of_sonar = outline.has(&["paging"]) || outline.has(&["effortTotal"]) || outline.has(&["sonarBaseURL"]);
    issue("issues") || issue("hotspots") || (of_sonar && (outline.has(&["issues"]) || outline.has(&["hotspots"])))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("SonarQube's issues")?;
    let listed = u32::try_from(document.issues.len()).unwrap_or(u32::MAX);
    if let Some(total) = document.total.filter(|total| *total > listed) {
        collector.skip(&format!("one page: {listed} of {total} issues"));
    }
    let paths = document.components.into_iter();
    let paths: HashMap<String, String> = paths.filter_map(|c| Some((c.key, c.path?))).collect();
    for issue in document.issues.into_iter().chain(document.hotspots) {
        if is_settled(&issue.status) {
            collector.skip(&format!("issue {} is {}", issue.key, issue.status.to_ascii_lowercase()));
            continue;
        }
        let rule = if issue.rule.is_empty() { "hotspot" } else { &issue.rule };
        let mut draft = Draft::new(SCANNER, rule, &issue.message);
        draft.severity = severity_of(&issue);
        draft.cwes = issue
            .tags
            .iter()
            .filter(|tag| tag.starts_with("cwe-"))
            .cloned()
            .collect();
        draft.snippet = Some(issue.hash.clone());
        let line = issue.line.or(issue.text_range.start_line);
        let column = issue.text_range.start_offset.map(|offset| offset.saturating_add(1));
        draft.place = Place::at(path_of(&issue, &paths), line, column);
        draft.own_id = Some(issue.key);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

fn is_settled(status: &str) -> bool {
    const SETTLED: [&str; 7] = [
        "CLOSED",
        "RESOLVED",
        "FIXED",
        "ACCEPTED",
        "FALSE_POSITIVE",
        "REVIEWED",
        "SAFE",
    ];
    SETTLED.contains(&status)
}

/// SonarQube's five words, of which two mean less than elsewhere (its own user guide, "Issues").
fn severity_of(issue: &Issue) -> Severity {
    match issue.severity.as_str() {
        "" => severity(&issue.vulnerability_probability),
        "BLOCKER" => Severity::Critical,
        "CRITICAL" => Severity::High,
        "MAJOR" => Severity::Medium,
        other => severity(other),
    }
}

/// A component's key is the project's key (which may hold colons), a colon and the path.
fn path_of(issue: &Issue, paths: &HashMap<String, String>) -> String {
    if let Some(path) = paths.get(&issue.component) {
        return path.clone();
    }
    let below = issue
        .component
        .strip_prefix(&issue.project)
        .and_then(|rest| rest.strip_prefix(':'));
    let after_colon = || issue.component.rsplit(':').next();
    below.or_else(after_colon).unwrap_or_default().to_owned()
}
