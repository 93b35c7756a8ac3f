//! KICS's JSON (`kics scan --report-formats json`): queries, each with the files that it found.

use holdpoint_schemas::finding::FindingClass;
use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "kics";

#[derive(Deserialize)]
struct Document {
    #[serde(deserialize_with = "loose::many")]
    queries: Vec<Query>,
    #[serde(default, deserialize_with = "loose::number")]
    files_failed_to_scan: Option<u32>,
    #[serde(default, deserialize_with = "loose::number")]
    queries_failed_to_execute: Option<u32>,
}

#[derive(Deserialize)]
struct Query {
    query_id: String,
    #[serde(default, deserialize_with = "or_default")]
    query_name: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    category: String,
    #[serde(default, deserialize_with = "loose::text")]
    cwe: String,
    #[serde(default, deserialize_with = "loose::many")]
    files: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(default, deserialize_with = "or_default")]
    file_name: String,
    #[serde(default, deserialize_with = "or_default")]
    similarity_id: String,
    #[serde(default, deserialize_with = "loose::number")]
    line: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    search_key: String,
    #[serde(default, deserialize_with = "or_default")]
    resource_type: String,
    #[serde(default, deserialize_with = "or_default")]
    resource_name: String,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has_inner("queries", "query_id") || outline.has(&["queries", "files_scanned"])
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("KICS's JSON")?;
    for (count, what) in [
        (document.files_failed_to_scan, "files"),
        (document.queries_failed_to_execute, "queries"),
    ] {
        if let Some(count) = count.filter(|count| *count > 0) {
            collector.skip(&format!("{count} {what} failed"));
        }
    }
    for query in &document.queries {
        for hit in &query.files {
            collector.push(draft(query, hit))?;
        }
    }
    Ok(SCANNER.to_owned())
}

fn draft(query: &Query, hit: &Hit) -> Draft {
    let mut draft = Draft::new(SCANNER, &query.query_id, &query.query_name);
    draft.rule_title = Some(query.query_name.clone());
    draft.severity = severity(&query.severity);
    draft.cwes = vec![query.cwe.clone()];
    let secret = query.category == "Secret Management" || query.query_name.contains("Secrets");
    draft.class = Some(if secret {
        FindingClass::Secret
    } else {
        FindingClass::Iac
    });
    // Where in the document, by names: it stays when lines move. It may quote a value.
    draft.snippet = Some(hit.search_key.clone());
    draft.own_id = Some(hit.similarity_id.clone());
    // Only Terraform's addresses are addresses; elsewhere the two are a kind and a name.
    if hit.file_name.ends_with(".tf") && !hit.resource_type.is_empty() && !hit.resource_name.is_empty() {
        draft.iac_address = address(&hit.search_key);
    }
    draft.place = Place::at(hit.file_name.clone(), hit.line, None);
    draft
}

/// `aws_s3_bucket.logs` from `aws_s3_bucket[logs].acl` or `aws_s3_bucket[{{logs}}].acl`.
fn address(search_key: &str) -> Option<String> {
    let (kind, rest) = search_key.split_once('[')?;
    let (name, _) = rest.split_once(']')?;
    let name = name.trim_matches(['{', '}']);
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    (plain(kind) && plain(name)).then(|| format!("{kind}.{name}"))
}
