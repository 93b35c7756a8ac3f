//! npm's JSON (`npm audit --json`) of npm 7 and later.

use holdpoint_schemas::finding::Component;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use super::field::{Cvss, tenths};
use crate::collect::{Collector, Draft};
use crate::error::SourceResult;
use crate::json::{OneOrMany, Outline, or_default};
use crate::osv::Ecosystem;

const SCANNER: &str = "npm-audit";

#[derive(Deserialize)]
struct Document {
    /// By package. One entry is one finding: npm counts them so.
    vulnerabilities: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    via: Vec<Via>,
    is_direct: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    fix_available: FixAvailable,
}

/// Why a package is listed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Via {
    /// It has an advisory.
    Advisory(Advisory),
    /// It depends on a package that has one.
    Package(String),
}

#[derive(Deserialize)]
struct Advisory {
    source: Option<serde_json::Value>,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    url: String,
    #[serde(default, deserialize_with = "or_default")]
    cwe: OneOrMany,
    #[serde(default, deserialize_with = "or_default")]
    cvss: Score,
}

#[derive(Deserialize, Default)]
struct Score {
    #[serde(default, deserialize_with = "tenths")]
    score: Option<u16>,
    #[serde(rename = "vectorString")]
    vector: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum FixAvailable {
    Package {
        name: String,
        version: String,
    },
    YesNo(#[allow(dead_code, reason = "only tells that nothing is named")] bool),
    #[default]
    Unsaid,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["auditReportVersion"]) && outline.has(&["vulnerabilities"])
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("npm's audit report, version 2")?;
    for (name, entry) in document.vulnerabilities {
        let mut ids = entry.via.iter().map(Via::id);
        let Some(rule) = ids.next() else {
            collector.skip(&format!("{name}: listed without a reason"));
            continue;
        };
        let title = match entry.via.first() {
            Some(Via::Advisory(advisory)) => format!("{name}: {}", advisory.title),
            _ => format!("{name} depends on a vulnerable package"),
        };
        let mut draft = Draft::new(SCANNER, &rule, &title);
        draft.aliases = ids.collect();
        for via in &entry.via {
            if let Via::Advisory(Advisory { cvss, .. }) = via {
                draft.details.vector(cvss.vector.as_deref());
                // npm writes 0 where there is no score.
                draft.details.score(cvss.score.filter(|score| *score > 0));
            }
        }
        draft.details.direct = entry.is_direct;
        draft.severity = draft.details.severity(&entry.severity);
        draft.cwes = entry.via.iter().flat_map(Via::cwes).collect();
        if let FixAvailable::Package { name: fixes, version } = entry.fix_available
            && fixes == name
        {
            draft.fixed_versions.push(version);
        }
        draft.component = Some(Component {
            purl: Some(Ecosystem::Npm.purl(&name, None)),
            name,
            version: None,
        });
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

impl Via {
    /// The advisory's published id where its address has one, else npm's own number.
    fn id(&self) -> String {
        match self {
            Self::Package(name) => format!("depends-on:{name}"),
            Self::Advisory(advisory) => {
                let last = advisory.url.rsplit('/').next().unwrap_or_default();
                match &advisory.source {
                    _ if last.starts_with("GHSA-") => last.to_owned(),
                    Some(source) => format!("npm:{source}"),
                    None => format!("npm:{}", advisory.title),
                }
            }
        }
    }

    fn cwes(&self) -> Vec<String> {
        match self {
            Self::Advisory(advisory) => advisory.cwe.iter().map(str::to_owned).collect(),
            Self::Package(_) => Vec::new(),
        }
    }
}
