//! The JSON report.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Dependency, Score, Vulnerability, best, vector2, vector3};
use crate::error::SourceResult;
use crate::json::or_default;
use crate::report::Input;
use crate::report::field::tenths_of;

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    dependencies: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, deserialize_with = "or_default")]
    file_name: String,
    #[serde(default, deserialize_with = "or_default")]
    file_path: String,
    #[serde(default, deserialize_with = "or_default")]
    packages: Vec<Identifier>,
    #[serde(default, deserialize_with = "or_default")]
    vulnerability_ids: Vec<Identifier>,
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Found>,
    #[serde(default, deserialize_with = "or_default")]
    suppressed_vulnerabilities: Vec<Found>,
    #[serde(default, deserialize_with = "or_default")]
    evidence_collected: Collected,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Collected {
    #[serde(default, deserialize_with = "or_default")]
    product_evidence: Vec<Evidence>,
    #[serde(default, deserialize_with = "or_default")]
    version_evidence: Vec<Evidence>,
}

#[derive(Deserialize)]
struct Evidence {
    #[serde(default, deserialize_with = "or_default")]
    confidence: String,
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
}

#[derive(Deserialize)]
struct Found {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    cwes: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    notes: String,
    #[serde(default, deserialize_with = "or_default", alias = "cvssV2")]
    cvssv2: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default", alias = "cvssV3")]
    cvssv3: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default", alias = "cvssV4")]
    cvssv4: Map<String, Value>,
}

/// The dependencies of a report.
pub fn dependencies(input: &Input<'_>) -> SourceResult<Vec<Dependency>> {
    let document: Document = input.json("Dependency-Check's JSON")?;
    Ok(document.dependencies.into_iter().map(Entry::into_dependency).collect())
}

impl Entry {
    fn into_dependency(self) -> Dependency {
        let listed = self
            .vulnerabilities
            .into_iter()
            .map(|found| found.into_vulnerability(false));
        let suppressed = self
            .suppressed_vulnerabilities
            .into_iter()
            .map(|found| found.into_vulnerability(true));
        let most = |list: &[Evidence]| best(list.iter().map(|e| (e.confidence.as_str(), e.value.as_str())));
        Dependency {
            product: most(&self.evidence_collected.product_evidence),
            version: most(&self.evidence_collected.version_evidence),
            file_name: self.file_name,
            file_path: self.file_path,
            identifiers: self
                .packages
                .into_iter()
                .chain(self.vulnerability_ids)
                .map(|id| id.id)
                .collect(),
            vulnerabilities: listed.chain(suppressed).collect(),
        }
    }
}

impl Found {
    fn into_vulnerability(self, suppressed: bool) -> Vulnerability {
        let (v2, v3, v4) = (&self.cvssv2, &self.cvssv3, &self.cvssv4);
        let base = [v4, v3, v2].into_iter().find_map(|score| {
            let word = score.get("baseSeverity").or_else(|| score.get("severity"))?;
            word.as_str().map(str::to_owned)
        });
        let scores = vec![
            Score {
                tenths: number(v4, "baseScore"),
                vector: word(v4, "vectorString").map(str::to_owned),
            },
            Score {
                tenths: number(v3, "baseScore"),
                vector: vector3(word(v3, "version"), |name| word(v3, name)),
            },
            Score {
                tenths: number(v2, "score"),
                vector: vector2(|name| match name {
                    // So spelt in the tool's own schema.
                    "authentication" => word(v2, "authenticationr").or_else(|| word(v2, name)),
                    "confidentialityImpact" => word(v2, "confidentialImpact").or_else(|| word(v2, name)),
                    _ => word(v2, name),
                }),
            },
        ];
        Vulnerability {
            name: self.name,
            severity: Some(self.severity)
                .filter(|word| !word.is_empty())
                .or(base)
                .unwrap_or_default(),
            cwes: self.cwes,
            description: self.description,
            scores,
            suppressed: suppressed.then_some(self.notes),
        }
    }
}

fn word<'a>(score: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    score.get(name)?.as_str()
}

fn number(score: &Map<String, Value>, name: &str) -> Option<u16> {
    match score.get(name)? {
        Value::String(text) => tenths_of(text),
        Value::Number(number) => tenths_of(&number.to_string()),
        _ => None,
    }
}
