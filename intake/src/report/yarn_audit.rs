//! Yarn's audit, as JSON lines: `yarn audit --json` of Yarn 1 and `yarn npm audit --json` of Yarn 4. (Yarn 2 and 3
//! write what npm 6 writes.)

use holdpoint_schemas::finding::Component;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::HashSet;
use std::fmt;

use super::Input;
use super::field::{advisory_in, text};
use super::npm_audit_v6::Advisory;
use crate::collect::{Collector, Draft, severity};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::purl;

const SCANNER: &str = "yarn-audit";

/// One line of either.
#[derive(Deserialize)]
struct Line {
    /// Of Yarn 1: what `data` is.
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    data: Data,
    /// Of Yarn 4: the package.
    value: Option<String>,
    children: Option<Entry>,
}

/// What a line of Yarn 1 is about: a text, or an object with an advisory in it; nothing else is kept.
#[derive(Default)]
struct Data {
    text: Option<String>,
    advisory: Option<Advisory>,
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Data;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
                let mut data = Data::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "advisory" {
                        data.advisory = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(data)
            }
            fn visit_str<E>(self, text: &str) -> Result<Data, E> {
                Ok(Data {
                    text: Some(text.to_owned()),
                    advisory: None,
                })
            }
            fn visit_unit<E>(self) -> Result<Data, E> {
                Ok(Data::default())
            }
        }
        deserializer.deserialize_any(Look)
    }
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "ID", default, deserialize_with = "text")]
    id: Option<String>,
    #[serde(rename = "Issue", default, deserialize_with = "or_default")]
    issue: String,
    #[serde(rename = "URL", default, deserialize_with = "or_default")]
    url: String,
    #[serde(rename = "Severity", default, deserialize_with = "or_default")]
    severity: String,
    #[serde(rename = "Tree Versions", default, deserialize_with = "or_default")]
    versions: Vec<String>,
}

pub fn detect(outline: &Outline) -> bool {
    let classic = outline.has(&["type", "data"])
        && (outline.has_inner("data", "advisory") || outline.has_inner("data", "vulnerabilities"));
    classic || (outline.has(&["value"]) && outline.has_inner("children", "ID"))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    // Yarn 1 repeats an advisory for each way that leads to the package.
    let mut seen = HashSet::new();
    let (mut classic, mut ended) = (false, false);
    input.stream("yarn's audit, a JSON document a line", |line: Line| {
        match (line.kind.as_deref(), line.value, line.children) {
            (Some("auditAdvisory"), ..) => {
                classic = true;
                let Some(advisory) = line.data.advisory else {
                    let message = "an `auditAdvisory` line; expected `advisory` in its `data`".to_owned();
                    return Err(input.error_near("auditAdvisory", message, "check that yarn wrote this file"));
                };
                if seen.insert(advisory.key()) {
                    collector.push(advisory.draft(SCANNER))?;
                }
            }
            (Some("auditSummary"), ..) => (classic, ended) = (true, true),
            (Some("error" | "warning"), ..) => {
                collector.skip(line.data.text.as_deref().unwrap_or("yarn reports an error"));
            }
            (None, Some(package), Some(entry)) => entry.push(&package, &mut seen, collector)?,
            _ => {}
        }
        Ok(())
    })?;
    if classic && !ended {
        let message = "no `auditSummary` line, with which yarn ends".to_owned();
        return Err(input.error(message, "the file is cut off: run the audit again"));
    }
    Ok(SCANNER.to_owned())
}

impl Entry {
    fn push(
        &self,
        package: &str,
        seen: &mut HashSet<(String, String)>,
        collector: &mut Collector<'_>,
    ) -> SourceResult<()> {
        let id = self.id.clone().unwrap_or_else(|| self.url.clone());
        if id.ends_with("(deprecation)") {
            collector.skip(&format!("{package} is deprecated: {}", self.issue));
            return Ok(());
        }
        if !seen.insert((id.clone(), package.to_owned())) {
            return Ok(());
        }
        let numbered = format!("npm:{id}");
        let rule = advisory_in(&self.url).unwrap_or(&numbered);
        let version = self.versions.first().map(String::as_str);
        let title = format!("{package} {}: {}", self.versions.join(", "), self.issue);
        let component = Component {
            purl: purl::package("npm", package, version),
            name: package.to_owned(),
            version: version.map(str::to_owned),
        };
        let mut draft = Draft::dependency(SCANNER, rule, &title, component);
        draft.aliases.push(numbered.clone());
        draft.severity = severity(&self.severity);
        collector.push(draft)
    }
}
