//! Dependabot alerts of GitHub's GraphQL API (`vulnerabilityAlerts` of a repository, an organisation's repositories
//! or a search), one page or several one after another.

use holdpoint_schemas::finding::{Component, FindingDetails};
use serde::Deserialize;
use serde_json::Value;

use super::Input;
use super::dependabot::{SCANNER, Standing, place, relationship, scope, standing};
use super::field::{Cvss, lower_bounds, tenths};
use crate::collect::{Collector, Draft};
use crate::error::SourceResult;
use crate::json::{OneOrList, Outline, or_default};
use crate::purl;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    state: String,
    security_vulnerability: Vulnerability,
    /// Some queries ask for it here.
    #[serde(default, deserialize_with = "or_default")]
    security_advisory: Advisory,
    #[serde(default, deserialize_with = "or_default")]
    vulnerable_manifest_path: String,
    #[serde(default, deserialize_with = "or_default")]
    vulnerable_requirements: String,
    #[serde(default, deserialize_with = "or_default")]
    dependency_scope: String,
    #[serde(default, deserialize_with = "or_default")]
    dependency_relationship: String,
    dismissed_at: Option<String>,
    dismiss_reason: Option<String>,
    fixed_at: Option<String>,
    dismisser: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability {
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    package: Package,
    #[serde(default, deserialize_with = "or_default")]
    advisory: Advisory,
    first_patched_version: Option<Patched>,
}

#[derive(Deserialize, Default)]
struct Package {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    ecosystem: String,
}

#[derive(Deserialize)]
struct Patched {
    identifier: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Advisory {
    #[serde(default, deserialize_with = "or_default")]
    ghsa_id: String,
    #[serde(default, deserialize_with = "or_default")]
    summary: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    identifiers: Vec<Identifier>,
    #[serde(default, deserialize_with = "or_default")]
    cvss: Score,
    #[serde(default, deserialize_with = "or_default")]
    cvss_severities: Scores,
    #[serde(default, deserialize_with = "or_default")]
    cwes: Nodes,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Scores {
    #[serde(default, deserialize_with = "or_default")]
    cvss_v3: Score,
    #[serde(default, deserialize_with = "or_default")]
    cvss_v4: Score,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Score {
    vector_string: Option<String>,
    #[serde(default, deserialize_with = "tenths")]
    score: Option<u16>,
}

#[derive(Deserialize, Default)]
struct Nodes {
    #[serde(default, deserialize_with = "or_default")]
    nodes: Vec<Cwe>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cwe {
    #[serde(default, deserialize_with = "or_default")]
    cwe_id: String,
}

/// The keys of `data` under which queries ask for alerts.
const ROOTS: [&str; 8] = [
    "repository",
    "organization",
    "search",
    "viewer",
    "user",
    "node",
    "nodes",
    "enterprise",
];

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["data"]) && ROOTS.iter().any(|root| outline.has_inner("data", root))
        || ROOTS.iter().any(|root| outline.has_inner(root, "vulnerabilityAlerts"))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let mut lists = 0;
    let mut more = false;
    input.stream("an answer of GitHub's GraphQL API", |pages: OneOrList<Value>| {
        for page in pages.into_iter() {
            let mut stack = vec![page];
            // Answers nest at most as deep as JSON is read at all.
            while let Some(value) = stack.pop() {
                match value {
                    Value::Object(mut fields) => {
                        if let Some(alerts) = fields.remove("vulnerabilityAlerts") {
                            lists += 1;
                            more = alerts.pointer("/pageInfo/hasNextPage") == Some(&Value::Bool(true));
                            push_all(input, alerts, collector)?;
                        }
                        stack.extend(fields.into_iter().rev().map(|(_, value)| value));
                    }
                    Value::Array(values) => stack.extend(values.into_iter().rev()),
                    _ => {}
                }
            }
        }
        Ok(())
    })?;
    if lists == 0 {
        let help = "check that the token may read alerts and that the query asks for `vulnerabilityAlerts`";
        return Err(input.error("no `vulnerabilityAlerts` in GitHub's answer".to_owned(), help));
    }
    if more {
        collector.skip("there are more alerts on the next page of GitHub's answer");
    }
    Ok(SCANNER.to_owned())
}

/// The alerts of one list, under `nodes` or as `node` of `edges`.
fn push_all(input: &Input<'_>, alerts: Value, collector: &mut Collector<'_>) -> SourceResult<()> {
    let list = |key: &str| alerts.get(key).and_then(Value::as_array).into_iter().flatten();
    let edges = list("edges").filter_map(|edge| edge.get("node"));
    for node in list("nodes").chain(edges).filter(|node| !node.is_null()) {
        let alert = Alert::deserialize(node).map_err(|error| {
            let id = node.get("id").and_then(Value::as_str).unwrap_or("vulnerabilityAlerts");
            input.error_near(
                id,
                format!("{error}; expected an alert of `vulnerabilityAlerts`"),
                "ask for `securityVulnerability` with package, severity and advisory",
            )
        })?;
        collector.push(alert.draft())?;
    }
    Ok(())
}

impl Alert {
    fn draft(&self) -> Draft {
        let vulnerability = &self.security_vulnerability;
        let advisories = [&vulnerability.advisory, &self.security_advisory];
        let advisory = advisories
            .into_iter()
            .find(|a| !a.summary.is_empty() || !a.identifiers.is_empty());
        let advisory = advisory.unwrap_or(&vulnerability.advisory);
        let Package { name, ecosystem } = &vulnerability.package;
        let version = self.version();
        let ids = || std::iter::once(&advisory.ghsa_id).chain(advisory.identifiers.iter().map(|id| &id.value));
        let rule = ids().find(|id| !id.is_empty()).map_or(SCANNER, String::as_str);
        let component = Component {
            purl: purl::package(ecosystem, name, version.as_deref()),
            name: name.clone(),
            version,
        };
        let title = format!("{name}: {}", advisory.summary);
        let mut draft = Draft::dependency(SCANNER, rule, &title, component);
        draft.aliases = ids().cloned().collect();
        draft.cwes = advisory.cwes.nodes.iter().map(|cwe| cwe.cwe_id.clone()).collect();
        draft.details = self.details(advisory);
        let words = [&vulnerability.severity, &advisory.severity];
        let word = words.into_iter().find(|word| !word.is_empty());
        draft.severity = draft.details.severity(word.map_or("", String::as_str));
        let patched = vulnerability.first_patched_version.as_ref();
        draft
            .fixed_versions
            .extend(patched.and_then(|patched| patched.identifier.clone()));
        draft.place = place(&self.vulnerable_manifest_path);
        draft.own_id = Some(self.id.clone()).filter(|id| !id.is_empty());
        draft
    }

    /// `= 1.5.0` is the version in a lockfile; a range in a manifest names none.
    fn version(&self) -> Option<String> {
        let exact = self.vulnerable_requirements.trim().strip_prefix('=')?;
        lower_bounds(exact).into_iter().next()
    }

    fn details(&self, advisory: &Advisory) -> FindingDetails {
        let mut details = FindingDetails::default();
        for score in [
            &advisory.cvss_severities.cvss_v4,
            &advisory.cvss_severities.cvss_v3,
            &advisory.cvss,
        ] {
            details.vector(score.vector_string.as_deref());
            // GitHub writes 0 where there is no score.
            details.score(score.score.filter(|score| *score > 0));
        }
        details.scope = scope(&self.dependency_scope);
        details.direct = relationship(&self.dependency_relationship);
        details.vex = standing(&Standing {
            state: &self.state,
            reason: self.dismiss_reason.as_deref(),
            by: self.dismisser.as_ref().and_then(|user| user.login.as_deref()),
            dismissed_at: self.dismissed_at.as_deref(),
            fixed_at: self.fixed_at.as_deref(),
        });
        details
    }
}
