//! Snyk open source and container (`snyk test --json`, `snyk container test --json`): one project or a list of them.

use holdpoint_schemas::finding::{FindingDetails, Severity};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Input;
use super::field::{Cvss, tenths};
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{OneOrList, Outline, or_default};
use crate::purl;

const SCANNER: &str = "snyk";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Vulnerability>,
    /// Of a container: the projects inside.
    #[serde(default, deserialize_with = "or_default")]
    applications: Vec<Project>,
    #[serde(default, deserialize_with = "or_default")]
    display_target_file: String,
    #[serde(default, deserialize_with = "or_default")]
    target_file: String,
    #[serde(default, deserialize_with = "or_default")]
    path: String,
    docker: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    package_manager: String,
    /// Why it couldn't be tested.
    error: Option<Failure>,
}

/// A text, or an object with a message.
#[derive(Deserialize)]
#[serde(untagged)]
enum Failure {
    Text(String),
    Object { message: String },
    Other(IgnoredAny),
}

/// One way to one vulnerable package: Snyk counts "vulnerable dependency paths".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default", rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    severity_with_critical: String,
    #[serde(rename = "CVSSv3")]
    vector: Option<String>,
    #[serde(default, deserialize_with = "tenths")]
    cvss_score: Option<u16>,
    #[serde(default, deserialize_with = "or_default")]
    identifiers: Identifiers,
    #[serde(default, deserialize_with = "or_default")]
    package_name: String,
    #[serde(default, deserialize_with = "or_default")]
    module_name: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    #[serde(default, deserialize_with = "or_default")]
    package_manager: String,
    #[serde(default, deserialize_with = "or_default")]
    from: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    fixed_in: Vec<String>,
    nearest_fixed_in_version: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    functions: Vec<Function>,
    #[serde(default, deserialize_with = "or_default", rename = "functions_new")]
    functions_new: Vec<Function>,
    #[serde(default, deserialize_with = "or_default")]
    reachability: String,
}

#[derive(Deserialize, Default)]
struct Identifiers {
    #[serde(rename = "CVE", default, deserialize_with = "or_default")]
    cve: Vec<String>,
    #[serde(rename = "CWE", default, deserialize_with = "or_default")]
    cwe: Vec<String>,
    #[serde(rename = "GHSA", default, deserialize_with = "or_default")]
    ghsa: Vec<String>,
    #[serde(rename = "RUSTSEC", default, deserialize_with = "or_default")]
    rustsec: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Function {
    #[serde(default, deserialize_with = "or_default")]
    function_id: FunctionId,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct FunctionId {
    #[serde(default, deserialize_with = "or_default")]
    file_path: String,
    #[serde(default, deserialize_with = "or_default")]
    class_name: String,
    #[serde(default, deserialize_with = "or_default")]
    function_name: String,
}

pub fn detect(outline: &Outline) -> bool {
    let list = if outline.is_array { Some("") } else { None };
    let has = |key: &str| match list {
        Some(list) => outline.has_inner(list, key),
        None => outline.has(&[key]),
    };
    let project = ["packageManager", "dependencyCount", "licensesPolicy", "uniqueCount"];
    let tested = has("vulnerabilities") && project.iter().any(|key| has(key));
    let failed = has("ok") && has("error") && has("path");
    tested || failed
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let projects: OneOrList<Project> = input.json("snyk's JSON")?;
    let (mut tested, mut failed) = (0, None);
    for project in projects.into_iter() {
        if let Some(error) = &project.error {
            let error = match error {
                Failure::Text(text) | Failure::Object { message: text } => text,
                Failure::Other(_) => "it doesn't say why",
            };
            collector.skip(&format!("{}: {error}", project.file()));
            failed = failed.or(Some(error.to_owned()));
            continue;
        }
        tested += 1;
        project.push(collector)?;
        for application in &project.applications {
            application.push(collector)?;
        }
    }
    match failed {
        Some(error) if tested == 0 => Err(input.error(
            format!("snyk could test nothing: {error}"),
            "fix what snyk reports and run it again",
        )),
        _ => Ok(SCANNER.to_owned()),
    }
}

impl Project {
    fn file(&self) -> &str {
        let names = [&self.display_target_file, &self.target_file, &self.path];
        names
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("", String::as_str)
    }

    fn push(&self, collector: &mut Collector<'_>) -> SourceResult<()> {
        for vulnerability in &self.vulnerabilities {
            if vulnerability.kind == "license" {
                collector.skip(&format!("a licence issue: {}", vulnerability.id));
            } else {
                collector.push(vulnerability.draft(self))?;
            }
        }
        Ok(())
    }
}

impl Vulnerability {
    fn draft(&self, project: &Project) -> Draft {
        let names = [&self.package_name, &self.module_name, &self.name];
        let name = names
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("", String::as_str);
        let version = Some(self.version.as_str()).filter(|version| !version.is_empty());
        let manager = Some(&self.package_manager).filter(|manager| !manager.is_empty());
        let manager = manager.unwrap_or(&project.package_manager);
        let mut component = purl::component(manager, name, version);
        if component.purl.is_none() {
            // Packages of a system have its name here: `debian:10`, `alpine:3.10`.
            component.purl = purl::of_system(manager, name, version);
        }
        let title = format!("{name}: {}", self.title);
        let mut draft = Draft::dependency(SCANNER, &self.id, &title, component);
        let Identifiers {
            cve,
            cwe,
            ghsa,
            rustsec,
        } = &self.identifiers;
        draft.aliases = [cve, ghsa, rustsec].into_iter().flatten().cloned().collect();
        draft.cwes.clone_from(cwe);
        draft.details = self.details(project.docker.is_some());
        let words = [&self.severity_with_critical, &self.severity];
        let word = words.into_iter().find(|word| severity(word) != Severity::Unknown);
        draft.severity = draft.details.severity(word.map_or("", String::as_str));
        draft.fixed_versions.clone_from(&self.fixed_in);
        if draft.fixed_versions.is_empty() {
            draft.fixed_versions.extend(self.nearest_fixed_in_version.clone());
        }
        draft.place = Some(project.file()).filter(|file| !file.is_empty()).map(|file| Place {
            path: file.to_owned(),
            line: None,
            column: None,
        });
        draft.own_id = Some(self.from.join(" > "));
        draft
    }

    fn details(&self, container: bool) -> FindingDetails {
        let mut details = FindingDetails::default();
        details.vector(self.vector.as_deref());
        details.score(self.cvss_score);
        let functions = self.functions_new.iter().chain(&self.functions);
        details.symbols = functions.filter_map(|function| function.function_id.symbol()).collect();
        details.symbols.dedup();
        // The first of the way is the project itself. In a container it is the image, which declares nothing.
        details.direct = (!container && self.from.len() > 1).then_some(self.from.len() == 2);
        details.reached = match self.reachability.to_ascii_lowercase().as_str() {
            "function" | "reachable" => Some(true),
            _ => None,
        };
        details
    }
}

impl FunctionId {
    fn symbol(&self) -> Option<String> {
        let owner = if self.class_name.is_empty() {
            &self.file_path
        } else {
            &self.class_name
        };
        (!self.function_name.is_empty()).then(|| {
            let joined = format!("{owner}.{}", self.function_name);
            joined.trim_start_matches('.').to_owned()
        })
    }
}
