//! Checkov's JSON (`checkov -o json`): one runner's report, or a list of them.

use holdpoint_schemas::finding::{Component, FindingClass};
use serde::Deserialize;
use serde_json::Value;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "checkov";

#[derive(Deserialize)]
struct Document(#[serde(deserialize_with = "loose::many")] Vec<Runner>);

#[derive(Deserialize)]
struct Runner {
    #[serde(default, deserialize_with = "or_default")]
    check_type: String,
    #[serde(default, deserialize_with = "or_default")]
    results: Results,
}

#[derive(Deserialize, Default)]
struct Results {
    #[serde(default, deserialize_with = "loose::many")]
    failed_checks: Vec<Check>,
    #[serde(default, deserialize_with = "or_default")]
    parsing_errors: Vec<String>,
}

#[derive(Deserialize)]
struct Check {
    check_id: String,
    #[serde(default, deserialize_with = "or_default")]
    bc_check_id: String,
    #[serde(default, deserialize_with = "or_default")]
    check_name: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    file_path: String,
    #[serde(default, deserialize_with = "or_default")]
    repo_file_path: String,
    #[serde(default, deserialize_with = "or_default")]
    file_line_range: Vec<Option<i64>>,
    /// Pairs of a line's number and its text.
    #[serde(default, deserialize_with = "or_default")]
    code_block: Vec<Vec<Value>>,
    #[serde(default, deserialize_with = "or_default")]
    resource: String,
    vulnerability_details: Option<Vulnerability>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    package_name: String,
    #[serde(default, deserialize_with = "or_default")]
    package_version: String,
    #[serde(default, deserialize_with = "or_default")]
    lowest_fixed_version: String,
}

pub fn detect(outline: &Outline) -> bool {
    let nothing_to_check = || outline.has(&["passed", "failed", "checkov_version"]);
    outline.has(&["check_type"])
        || outline.has_inner("", "check_type")
        || outline.has_inner("", "checkov_version")
        || nothing_to_check()
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let Document(runners) = input.json("Checkov's JSON")?;
    for runner in runners {
        for path in &runner.results.parsing_errors {
            collector.skip(&format!("{path}: not parsed"));
        }
        for check in runner.results.failed_checks {
            collector.push(draft(&runner.check_type, check))?;
        }
    }
    Ok(SCANNER.to_owned())
}

fn draft(check_type: &str, check: Check) -> Draft {
    let path = if check.repo_file_path.is_empty() || check.repo_file_path.contains("..") {
        check.file_path
    } else {
        check.repo_file_path
    };
    // It begins with a slash, and is relative to the folder that was scanned.
    let path = path.trim_start_matches('/').to_owned();
    let line = check.file_line_range.first().copied().flatten();
    let line = line.and_then(|line| u32::try_from(line).ok());
    let mut draft = Draft::new(SCANNER, &check.check_id, &check.check_name);
    draft.rule_title = Some(check.check_name);
    draft.severity = severity(&check.severity);
    draft.place = Place::at(path, line, None);
    draft.own_id = Some(check.resource.clone());
    if let Some(found) = check
        .vulnerability_details
        .filter(|found| !found.package_name.is_empty())
    {
        draft.title = format!("{} in {} {}", found.id, found.package_name, found.package_version);
        draft.severity = severity(&found.severity).max(draft.severity);
        draft.fixed_versions = vec![found.lowest_fixed_version];
        draft.component = Some(Component {
            purl: None,
            name: found.package_name,
            version: Some(found.package_version).filter(|version| !version.is_empty()),
        });
        draft.aliases = vec![found.id];
        return draft;
    }
    draft.aliases = vec![check.bc_check_id];
    draft.class = match check_type {
        "secrets" => Some(FindingClass::Secret),
        "github_actions" | "gitlab_ci" | "azure_pipelines" | "bitbucket_pipelines" | "circleci_pipelines" => {
            Some(FindingClass::Config)
        }
        kind if kind.starts_with("sast") => Some(FindingClass::Code),
        _ => Some(FindingClass::Iac),
    };
    if draft.class == Some(FindingClass::Secret) {
        // Checkov names a secret by its plain SHA-1, from which a short one can be guessed.
        draft.own_id = None;
        return draft;
    }
    // The header of the block, not the line in it: all that the report shows is the block.
    let header = check.code_block.first().and_then(|pair| pair.get(1)?.as_str());
    draft.snippet = Some(format!("{}{}", check.resource, header.unwrap_or_default()));
    if draft.class == Some(FindingClass::Iac) {
        draft.iac_address = Some(check.resource).filter(|resource| !resource.is_empty());
    }
    draft
}
