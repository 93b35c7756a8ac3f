//! Dependabot alerts of GitHub's GraphQL API (`vulnerabilityAlerts` of a repository, an organisation's repositories
//! or a search), one page or several one after another.

use holdpoint_schemas::finding::{Component, FindingDetails};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

use super::Input;
use super::dependabot::{SCANNER, Standing, place, relationship, scope, standing};
use super::field::{Cvss, lower_bounds, tenths};
use crate::collect::{Collector, Draft};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
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
    let (mut lists, mut more) = (0, false);
    input.stream("an answer of GitHub's GraphQL API", |page: Answer| {
        for list in page.0 {
            lists += 1;
            more = list.page_info.has_next_page;
            let edges = list.edges.into_iter().flatten().filter_map(|edge| edge.node);
            for alert in list.nodes.into_iter().flatten().chain(edges) {
                collector.push(alert.draft())?;
            }
        }
        Ok(())
    })?;
    if lists == 0 {
        let help = "check that the token may read alerts and that the query asks for `vulnerabilityAlerts`";
        return Err(input.error_at(1, "no `vulnerabilityAlerts` in GitHub's answer".to_owned(), help));
    }
    if more {
        collector.skip("there are more alerts on the next page of GitHub's answer");
    }
    Ok(SCANNER.to_owned())
}

/// One list of alerts, under `nodes` or as `node` of `edges`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(default, deserialize_with = "or_default")]
    nodes: Vec<Option<Alert>>,
    #[serde(default, deserialize_with = "or_default")]
    edges: Vec<Option<Edge>>,
    #[serde(default, deserialize_with = "or_default")]
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct Edge {
    node: Option<Alert>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    #[serde(default)]
    has_next_page: bool,
}

/// All lists of alerts in an answer, wherever the query puts them; nothing else is kept.
struct Answer(Vec<List>);

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Answer;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Answer, A::Error> {
                let mut lists = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "vulnerabilityAlerts" {
                        lists.extend(map.next_value::<Option<List>>()?);
                    } else {
                        lists.append(&mut map.next_value::<Answer>()?.0);
                    }
                }
                Ok(Answer(lists))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Answer, A::Error> {
                let mut lists = Vec::new();
                while let Some(mut answer) = seq.next_element::<Answer>()? {
                    lists.append(&mut answer.0);
                }
                Ok(Answer(lists))
            }
            fn visit_str<E>(self, _: &str) -> Result<Answer, E> {
                Ok(Answer(Vec::new()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Answer, E> {
                Ok(Answer(Vec::new()))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Answer, E> {
                Ok(Answer(Vec::new()))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Answer, E> {
                Ok(Answer(Vec::new()))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Answer, E> {
                Ok(Answer(Vec::new()))
            }
            fn visit_unit<E>(self) -> Result<Answer, E> {
                Ok(Answer(Vec::new()))
            }
        }
        deserializer.deserialize_any(Look)
    }
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
