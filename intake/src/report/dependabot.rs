//! Dependabot alerts of GitHub's REST API (`GET /repos/{owner}/{repo}/dependabot/alerts`): a list, one alert, or
//! several pages one after another.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::finding::{Component, FindingDetails, VexStatement, VexStatus};
use holdpoint_schemas::fix::DependencyScope;
use serde::Deserialize;

use super::Input;
use super::field::{Cvss, tenths};
use crate::collect::{Collector, Draft, Place};
use crate::error::SourceResult;
use crate::json::{OneOrList, Outline, or_default};
use crate::purl;

/// Scanner's name, also of alerts that were read by the GraphQL API.
pub const SCANNER: &str = "dependabot";

#[derive(Deserialize)]
struct Alert {
    #[serde(default, deserialize_with = "super::field::text")]
    number: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    state: String,
    #[serde(default, deserialize_with = "or_default")]
    dependency: Dependency,
    security_advisory: Advisory,
    #[serde(default, deserialize_with = "or_default")]
    security_vulnerability: Vulnerability,
    dismissed_at: Option<String>,
    dismissed_by: Option<User>,
    dismissed_reason: Option<String>,
    fixed_at: Option<String>,
}

#[derive(Deserialize)]
struct User {
    login: Option<String>,
}

#[derive(Deserialize, Default)]
struct Dependency {
    #[serde(default, deserialize_with = "or_default")]
    package: Package,
    #[serde(default, deserialize_with = "or_default")]
    manifest_path: String,
    #[serde(default, deserialize_with = "or_default")]
    scope: String,
    #[serde(default, deserialize_with = "or_default")]
    relationship: String,
}

#[derive(Deserialize, Default)]
struct Package {
    #[serde(default, deserialize_with = "or_default")]
    ecosystem: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

#[derive(Deserialize)]
struct Advisory {
    #[serde(default, deserialize_with = "or_default")]
    ghsa_id: String,
    cve_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    summary: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    cvss: Score,
    #[serde(default, deserialize_with = "or_default")]
    cvss_severities: Scores,
    #[serde(default, deserialize_with = "or_default")]
    cwes: Vec<Cwe>,
    #[serde(default, deserialize_with = "or_default")]
    identifiers: Vec<Identifier>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

#[derive(Deserialize, Default)]
struct Scores {
    #[serde(default, deserialize_with = "or_default")]
    cvss_v3: Score,
    #[serde(default, deserialize_with = "or_default")]
    cvss_v4: Score,
}

#[derive(Deserialize, Default)]
struct Score {
    vector_string: Option<String>,
    #[serde(default, deserialize_with = "tenths")]
    score: Option<u16>,
}

#[derive(Deserialize)]
struct Cwe {
    #[serde(default, deserialize_with = "or_default")]
    cwe_id: String,
}

#[derive(Deserialize, Default)]
struct Vulnerability {
    #[serde(default, deserialize_with = "or_default")]
    package: Package,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    first_patched_version: Option<Patched>,
}

#[derive(Deserialize)]
struct Patched {
    identifier: Option<String>,
}

pub fn detect(outline: &Outline) -> bool {
    let list = outline.has_inner("", "security_advisory") || outline.has_inner("", "security_vulnerability");
    list || outline.has(&["security_advisory", "dependency"])
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    input.stream("a list of Dependabot alerts", |alerts: OneOrList<Alert>| {
        alerts.into_iter().try_for_each(|alert| collector.push(alert.draft()))
    })?;
    Ok(SCANNER.to_owned())
}

impl Alert {
    fn draft(&self) -> Draft {
        let packages = [&self.security_vulnerability.package, &self.dependency.package];
        let package = packages.into_iter().find(|package| !package.name.is_empty());
        let (ecosystem, name) = package.map_or(("", ""), |p| (p.ecosystem.as_str(), p.name.as_str()));
        let advisory = &self.security_advisory;
        let rule = [Some(&advisory.ghsa_id), advisory.cve_id.as_ref()];
        let rule = rule.into_iter().flatten().find(|id| !id.is_empty());
        let title = format!("{name}: {}", advisory.summary);
        let component = Component {
            purl: purl::package(ecosystem, name, None),
            name: name.to_owned(),
            version: None,
        };
        let rule = rule.map_or(SCANNER, String::as_str);
        let mut draft = Draft::dependency(SCANNER, rule, &title, component);
        draft.aliases = advisory.identifiers.iter().map(|id| id.value.clone()).collect();
        draft.aliases.extend(advisory.cve_id.clone());
        draft.cwes = advisory.cwes.iter().map(|cwe| cwe.cwe_id.clone()).collect();
        draft.details = self.details();
        let words = [&self.security_vulnerability.severity, &advisory.severity];
        let word = words.into_iter().find(|word| !word.is_empty());
        draft.severity = draft.details.severity(word.map_or("", String::as_str));
        let patched = self.security_vulnerability.first_patched_version.as_ref();
        draft
            .fixed_versions
            .extend(patched.and_then(|patched| patched.identifier.clone()));
        draft.place = place(&self.dependency.manifest_path);
        draft.own_id.clone_from(&self.number);
        draft
    }

    fn details(&self) -> FindingDetails {
        let mut details = FindingDetails::default();
        let Scores { cvss_v3, cvss_v4 } = &self.security_advisory.cvss_severities;
        for score in [cvss_v4, cvss_v3, &self.security_advisory.cvss] {
            details.vector(score.vector_string.as_deref());
            // GitHub writes 0 where there is no score.
            details.score(score.score.filter(|score| *score > 0));
        }
        details.scope = scope(&self.dependency.scope);
        details.direct = relationship(&self.dependency.relationship);
        details.vex = standing(&Standing {
            state: &self.state,
            reason: self.dismissed_reason.as_deref(),
            by: self.dismissed_by.as_ref().and_then(|user| user.login.as_deref()),
            dismissed_at: self.dismissed_at.as_deref(),
            fixed_at: self.fixed_at.as_deref(),
        });
        details
    }
}

/// The manifest that an alert is about.
pub fn place(path: &str) -> Option<Place> {
    (!path.is_empty()).then(|| Place {
        path: path.to_owned(),
        line: None,
        column: None,
    })
}

/// GitHub's word for whether a dependency ships.
pub fn scope(word: &str) -> Option<DependencyScope> {
    match word.to_ascii_lowercase().as_str() {
        "runtime" => Some(DependencyScope::Runtime),
        "development" => Some(DependencyScope::Dev),
        _ => None,
    }
}

/// GitHub's word for whether the repo itself declares a dependency.
pub fn relationship(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "direct" => Some(true),
        "transitive" | "indirect" => Some(false),
        _ => None,
    }
}

/// What became of an alert, in the words of either API.
pub struct Standing<'a> {
    /// `open`, `fixed`, `dismissed` or `auto_dismissed`.
    pub state: &'a str,
    /// Why it was dismissed.
    pub reason: Option<&'a str>,
    /// Who dismissed it.
    pub by: Option<&'a str>,
    /// When it was dismissed.
    pub dismissed_at: Option<&'a str>,
    /// When it was fixed.
    pub fixed_at: Option<&'a str>,
}

/// The standing as a statement. Only "inaccurate" and "not used" say that the repo isn't affected; risk that is
/// tolerated, or for which there is no time, is still there.
pub fn standing(standing: &Standing<'_>) -> Option<VexStatement> {
    let reason = standing.reason.map(str::to_ascii_lowercase);
    let state = standing.state.to_ascii_lowercase();
    let status = match (state.as_str(), reason.as_deref()) {
        ("fixed", _) => VexStatus::Fixed,
        ("dismissed", Some("inaccurate" | "not_used")) => VexStatus::NotAffected,
        ("dismissed" | "auto_dismissed", _) => VexStatus::Affected,
        ("", _) if standing.fixed_at.is_some() => VexStatus::Fixed,
        ("", Some("inaccurate" | "not_used")) => VexStatus::NotAffected,
        ("", _) if standing.dismissed_at.is_some() => VexStatus::Affected,
        _ => return None,
    };
    let at = if status == VexStatus::Fixed {
        standing.fixed_at
    } else {
        standing.dismissed_at
    };
    Some(VexStatement {
        status,
        justification: reason.or_else(|| (state == "auto_dismissed").then_some(state)),
        author: standing.by.map(str::to_owned),
        at: at.and_then(|at| at.parse::<Timestamp>().ok()),
        until: None,
    })
}
