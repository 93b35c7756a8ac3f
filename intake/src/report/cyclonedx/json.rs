//! The JSON document.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::fix::DependencyScope;
use serde::Deserialize;

use super::{Analysis, Bom, Part, Rating, UNTIL, Vulnerability};
use crate::error::SourceResult;
use crate::json::{OneOrList, or_default};
use crate::report::Input;
use crate::report::field::{tenths, text};

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    components: Vec<Component>,
    #[serde(default, deserialize_with = "or_default")]
    dependencies: Vec<Dependency>,
    vulnerabilities: Option<Vec<Found>>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    tools: Option<Tools>,
    component: Option<Component>,
    #[serde(default, deserialize_with = "or_default")]
    authors: Vec<Named>,
    manufacturer: Option<Named>,
    manufacture: Option<Named>,
    supplier: Option<Named>,
}

/// A list until 1.4, an object of components and services since 1.5.
#[derive(Deserialize)]
#[serde(untagged)]
enum Tools {
    List(Vec<Named>),
    Parts {
        #[serde(default, deserialize_with = "or_default")]
        components: Vec<Named>,
    },
}

#[derive(Deserialize, Default)]
struct Named {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    version: Option<String>,
    purl: Option<String>,
    scope: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Dependency {
    #[serde(rename = "ref", default, deserialize_with = "or_default")]
    reference: String,
    #[serde(rename = "dependsOn", default, deserialize_with = "or_default")]
    depends_on: Vec<String>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    source: Named,
    #[serde(default, deserialize_with = "or_default")]
    references: Vec<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    ratings: Vec<FoundRating>,
    #[serde(default, deserialize_with = "or_default")]
    cwes: Vec<Number>,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    detail: String,
    affects: Option<OneOrList<Affected>>,
    analysis: Option<FoundAnalysis>,
    #[serde(default, deserialize_with = "or_default")]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Number(#[serde(deserialize_with = "text")] Option<String>);

#[derive(Deserialize)]
struct Reference {
    #[serde(default, deserialize_with = "text")]
    id: Option<String>,
}

#[derive(Deserialize)]
struct Affected {
    #[serde(rename = "ref", default, deserialize_with = "or_default")]
    reference: String,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

#[derive(Deserialize)]
struct FoundRating {
    #[serde(default, deserialize_with = "or_default")]
    source: Named,
    #[serde(default, deserialize_with = "tenths")]
    score: Option<u16>,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    method: String,
    vector: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundAnalysis {
    #[serde(default, deserialize_with = "or_default")]
    state: String,
    justification: Option<String>,
    first_issued: Option<String>,
    last_updated: Option<String>,
}

/// Reads a document.
pub fn bom(input: &Input<'_>) -> SourceResult<Bom> {
    let document: Document = input.json("a CycloneDX document")?;
    let metadata = document.metadata;
    let tools = match metadata.tools {
        Some(Tools::List(tools) | Tools::Parts { components: tools }) => tools,
        None => Vec::new(),
    };
    let makers = [metadata.manufacturer, metadata.manufacture, metadata.supplier];
    let makers = metadata.authors.into_iter().chain(makers.into_iter().flatten());
    let mut bom = Bom {
        tools: tools.into_iter().filter_map(|tool| tool.name).collect(),
        author: makers.into_iter().find_map(|maker| maker.name),
        ..Bom::default()
    };
    let root = metadata
        .component
        .as_ref()
        .and_then(|component| component.reference.clone());
    let mut pending: Vec<Component> = document.components;
    pending.extend(metadata.component);
    while let Some(component) = pending.pop() {
        bom.add(component.reference.as_deref(), component.part());
        pending.extend(component.components);
    }
    let of_root = document
        .dependencies
        .into_iter()
        .filter(|d| Some(&d.reference) == root.as_ref());
    bom.direct = of_root.flat_map(|dependency| dependency.depends_on).collect();
    bom.vulnerabilities = document
        .vulnerabilities
        .map(|all| {
            let read = all.into_iter().map(|found| found.into_vulnerability(input));
            read.collect::<SourceResult<Vec<_>>>()
        })
        .transpose()?;
    Ok(bom)
}

impl Component {
    fn part(&self) -> Part {
        Part {
            name: self.name.clone(),
            version: self.version.clone(),
            purl: self.purl.clone(),
            scope: scope(self.scope.as_deref()),
        }
    }
}

/// `excluded` is for what isn't part of the running thing; `required` also is what is meant when nothing is said,
/// so only the word counts.
pub fn scope(word: Option<&str>) -> Option<DependencyScope> {
    match word? {
        "required" => Some(DependencyScope::Runtime),
        "excluded" => Some(DependencyScope::Dev),
        _ => None,
    }
}

impl Found {
    fn into_vulnerability(self, input: &Input<'_>) -> SourceResult<Vulnerability> {
        let until = self.properties.iter().find(|property| property.name == UNTIL);
        let until = until.map(|property| property.value.parse::<Timestamp>()).transpose();
        let until = until.map_err(|error| {
            let help = "write a time such as `2026-11-22T00:00:00Z`";
            input.error(format!("the property `{UNTIL}` is not a time: {error}"), help)
        })?;
        let ratings = self.ratings.into_iter().map(|rating| Rating {
            source: rating.source.name.unwrap_or_default(),
            tenths: rating.score,
            severity: rating.severity,
            method: rating.method,
            vector: rating.vector,
        });
        let affects = self.affects.into_iter().flatten().map(|affected| affected.reference);
        Ok(Vulnerability {
            id: self.id.or(self.reference).unwrap_or_default(),
            source: self.source.name.unwrap_or_default(),
            references: self
                .references
                .into_iter()
                .filter_map(|reference| reference.id)
                .collect(),
            ratings: ratings.collect(),
            cwes: self.cwes.into_iter().filter_map(|cwe| cwe.0).collect(),
            description: if self.description.is_empty() {
                self.detail
            } else {
                self.description
            },
            affects: affects.filter(|reference| !reference.is_empty()).collect(),
            analysis: self.analysis.map(|analysis| Analysis {
                at: [analysis.last_updated, analysis.first_issued]
                    .into_iter()
                    .flatten()
                    .find_map(|at| at.parse().ok()),
                state: analysis.state,
                justification: analysis.justification,
                until,
            }),
        })
    }
}
