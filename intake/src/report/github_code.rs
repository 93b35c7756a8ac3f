//! GitHub's code-scanning alerts (REST `GET /repos/{owner}/{repo}/code-scanning/alerts`), of one page or of several
//! after one another, as `gh api --paginate` writes them.

use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

#[derive(Deserialize)]
struct Document(#[serde(deserialize_with = "loose::many")] Vec<Alert>);

#[derive(Deserialize)]
struct Alert {
    #[serde(default, deserialize_with = "loose::text")]
    number: String,
    #[serde(default, deserialize_with = "or_default")]
    state: String,
    rule: Rule,
    #[serde(default, deserialize_with = "or_default")]
    tool: Tool,
    #[serde(default, deserialize_with = "or_default")]
    most_recent_instance: Instance,
}

#[derive(Deserialize)]
struct Rule {
    id: Option<String>,
    name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    security_severity_level: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Tool {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

#[derive(Deserialize, Default)]
struct Instance {
    #[serde(default, deserialize_with = "or_default")]
    message: Message,
    #[serde(default, deserialize_with = "or_default")]
    location: Location,
}

#[derive(Deserialize, Default)]
struct Message {
    #[serde(default, deserialize_with = "or_default")]
    text: String,
}

#[derive(Deserialize, Default)]
struct Location {
    #[serde(default, deserialize_with = "or_default")]
    path: String,
    #[serde(default, deserialize_with = "loose::number")]
    start_line: Option<u32>,
    #[serde(default, deserialize_with = "loose::number")]
    start_column: Option<u32>,
}

pub fn detect(outline: &Outline) -> bool {
    let alert = ["rule", "most_recent_instance"];
    alert.iter().all(|key| outline.has_inner("", key)) || outline.has(&alert)
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let mut alerts = Vec::new();
    input.stream("GitHub's code-scanning alerts", |Document(page)| {
        alerts.extend(page);
        Ok(())
    })?;
    let mut scanners: Vec<String> = Vec::new();
    for alert in alerts {
        if !matches!(alert.state.as_str(), "open" | "") {
            collector.skip(&format!("alert {} is {}", alert.number, alert.state));
            continue;
        }
        let scanner = match alert.tool.name.to_ascii_lowercase() {
            name if name.is_empty() => "github".to_owned(),
            name => name,
        };
        collector.push(draft(&scanner, alert))?;
        if !scanners.contains(&scanner) {
            scanners.push(scanner);
        }
    }
    scanners.sort();
    Ok(if scanners.is_empty() {
        "github".to_owned()
    } else {
        scanners.join(", ")
    })
}

fn draft(scanner: &str, alert: Alert) -> Draft {
    let id = alert
        .rule
        .id
        .or(alert.rule.name)
        .unwrap_or_else(|| "unnamed".to_owned());
    let instance = alert.most_recent_instance;
    let mut draft = Draft::new(scanner, &id, &instance.message.text);
    if draft.title.trim().is_empty() {
        draft.title.clone_from(&alert.rule.description);
    }
    draft.rule_title = Some(alert.rule.description).filter(|title| !title.is_empty());
    let words = [&alert.rule.security_severity_level, &alert.rule.severity];
    draft.severity = severity(
        words
            .into_iter()
            .find(|word| !word.is_empty())
            .map_or("", String::as_str),
    );
    // Tags are also plain words: only those that name a CWE are one.
    draft.cwes = alert
        .rule
        .tags
        .into_iter()
        .filter(|tag| tag.to_ascii_lowercase().contains("cwe"))
        .collect();
    draft.own_id = Some(alert.number);
    draft.place = Place::at(
        instance.location.path,
        instance.location.start_line,
        instance.location.start_column,
    );
    draft
}
