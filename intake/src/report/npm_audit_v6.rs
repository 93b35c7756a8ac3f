//! The advisory list of npm 6 (`npm audit --json`), which pnpm and Yarn 2 and 3 also write.

use holdpoint_schemas::finding::Component;
use holdpoint_schemas::fix::DependencyScope;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use super::field::{Cvss, advisory_in, lower_bounds, tenths, text};
use crate::collect::{Collector, Draft};
use crate::error::SourceResult;
use crate::json::{OneOrMany, Outline, or_default};
use crate::osv::{Ecosystem, sorted_versions};
use crate::purl;

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    advisories: BTreeMap<String, Advisory>,
}

/// One advisory, and where it applies. One is one finding: npm lists them so.
#[derive(Deserialize)]
pub struct Advisory {
    #[serde(default, deserialize_with = "text")]
    id: Option<String>,
    module_name: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    url: String,
    github_advisory_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    cves: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    cwe: OneOrMany,
    #[serde(default, deserialize_with = "or_default")]
    patched_versions: String,
    #[serde(default, deserialize_with = "or_default")]
    cvss: Score,
    #[serde(default, deserialize_with = "or_default")]
    findings: Vec<Place>,
}

#[derive(Deserialize, Default)]
struct Score {
    #[serde(default, deserialize_with = "tenths")]
    score: Option<u16>,
    #[serde(rename = "vectorString")]
    vector: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    #[serde(default, deserialize_with = "or_default")]
    paths: Vec<String>,
    dev: Option<bool>,
}

pub fn detect(outline: &Outline) -> bool {
    let known = ["actions", "metadata", "muted", "runId"];
    outline.has_inner("advisories", "module_name")
        || (outline.has(&["advisories"]) && known.iter().any(|key| outline.has(&[key])))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    const SCANNER: &str = "npm-audit";
    let document: Document = input.json("npm's audit report, version 1")?;
    for advisory in document.advisories.into_values() {
        collector.push(advisory.draft(SCANNER))?;
    }
    Ok(SCANNER.to_owned())
}

impl Advisory {
    /// Number and module: what tells two advisories apart.
    pub fn key(&self) -> (String, String) {
        (
            self.id.clone().unwrap_or_else(|| self.url.clone()),
            self.module_name.clone(),
        )
    }

    /// The finding. Its version is the first that is listed, and the title names them all.
    pub fn draft(&self, scanner: &str) -> Draft {
        let published = self.github_advisory_id.as_deref().or_else(|| advisory_in(&self.url));
        let numbered = self.id.as_ref().map(|id| format!("npm:{id}"));
        let rule = published.map(str::to_owned).or_else(|| numbered.clone());
        let rule = rule.unwrap_or_else(|| format!("npm:{}", self.title));
        let mut versions: Vec<&str> = self.findings.iter().map(|f| f.version.as_str()).collect();
        versions.retain(|version| !version.is_empty());
        versions.dedup();
        let title = format!("{} {}: {}", self.module_name, versions.join(", "), self.title);
        let version = versions.first().copied();
        let component = Component {
            purl: purl::package("npm", &self.module_name, version),
            name: self.module_name.clone(),
            version: version.map(str::to_owned),
        };
        let mut draft = Draft::dependency(scanner, &rule, &title, component);
        draft.aliases = self.cves.iter().cloned().chain(numbered).collect();
        draft.cwes = self.cwe.iter().map(str::to_owned).collect();
        draft.fixed_versions = sorted_versions(Ecosystem::Npm, lower_bounds(&self.patched_versions));
        draft.details.vector(self.cvss.vector.as_deref());
        // npm writes 0 where there is no score.
        draft.details.score(self.cvss.score.filter(|score| *score > 0));
        draft.severity = draft.details.severity(&self.severity);
        draft.details.direct = self.direct();
        draft.details.scope = self.scope();
        draft
    }

    /// A path is the chain of packages from the root, joined by `>`; pnpm begins with `.` for the root.
    fn direct(&self) -> Option<bool> {
        let mut paths = self.findings.iter().flat_map(|found| &found.paths).peekable();
        paths.peek()?;
        let depth = |path: &String| path.split('>').map(str::trim).filter(|part| *part != ".").count();
        Some(paths.any(|path| depth(path) == 1))
    }

    fn scope(&self) -> Option<DependencyScope> {
        let said: Option<Vec<bool>> = self.findings.iter().map(|found| found.dev).collect();
        let said = said.filter(|said| !said.is_empty())?;
        Some(if said.into_iter().all(|dev| dev) {
            DependencyScope::Dev
        } else {
            DependencyScope::Runtime
        })
    }
}
