//! GitLab's dependency and container scanning reports (secure report schemas 2 to 15).

use holdpoint_schemas::finding::{Component, FindingClass};
use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use super::field::{Cvss, text};
use crate::collect::{Collector, Draft, Place, is_advisory_id, severity};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::purl;

/// Used where the report doesn't name the analyser.
const SCANNER: &str = "gitlab";
/// The report types that are about components. The others are read by the format of code findings.
const TYPES: [&str; 3] = ["dependency_scanning", "container_scanning", "cluster_image_scanning"];

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Entry>,
    #[serde(default, deserialize_with = "or_default")]
    dependency_files: Vec<DependencyFile>,
    #[serde(default, deserialize_with = "or_default")]
    scan: Scan,
}

#[derive(Deserialize, Default)]
struct Scan {
    #[serde(default, deserialize_with = "or_default")]
    scanner: Scanner,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

#[derive(Deserialize, Default)]
struct Scanner {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
}

#[derive(Deserialize)]
struct DependencyFile {
    #[serde(default, deserialize_with = "or_default")]
    path: String,
    #[serde(default, deserialize_with = "or_default")]
    package_manager: String,
    #[serde(default, deserialize_with = "or_default")]
    dependencies: Vec<ListedDependency>,
}

#[derive(Deserialize)]
struct ListedDependency {
    #[serde(default, deserialize_with = "or_default")]
    package: Package,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    direct: Option<bool>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    solution: String,
    #[serde(default, deserialize_with = "or_default")]
    scanner: Scanner,
    #[serde(default, deserialize_with = "or_default")]
    location: Location,
    #[serde(default, deserialize_with = "or_default")]
    identifiers: Vec<Identifier>,
    #[serde(default, deserialize_with = "or_default")]
    cvss_vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    vector: Option<String>,
}

#[derive(Deserialize, Default)]
struct Location {
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    #[serde(default, deserialize_with = "or_default")]
    dependency: Dependency,
    #[serde(default, deserialize_with = "or_default")]
    operating_system: String,
    #[serde(default, deserialize_with = "or_default")]
    image: String,
}

#[derive(Deserialize, Default)]
struct Dependency {
    #[serde(default, deserialize_with = "or_default")]
    package: Package,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    direct: Option<bool>,
}

#[derive(Deserialize, Default)]
struct Package {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(default, deserialize_with = "or_default", rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    value: Option<String>,
}

pub fn detect(outline: &Outline) -> bool {
    if !outline.has(&["vulnerabilities", "version"]) {
        return false;
    }
    let kind = outline
        .text("scan", "type")
        .or_else(|| outline.text("vulnerabilities", "category"));
    match kind {
        Some(kind) => TYPES.contains(&kind),
        // Old reports without findings don't say what they are of.
        None => outline.has(&["dependency_files"]) || outline.has(&["remediations"]) && !outline.has(&["scan"]),
    }
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("a GitLab dependency or container scanning report")?;
    let messages = document.scan.messages.iter().map(|message| message.value.as_str());
    if document.scan.status == "failure" {
        let reasons = messages.collect::<Vec<_>>().join("; ");
        return Err(input.error(
            format!("the scan failed: {reasons}"),
            "fix what the job's log says, and scan again",
        ));
    }
    messages.for_each(|message| collector.skip(message));
    let managers: BTreeMap<&str, &DependencyFile> = document
        .dependency_files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    let mut scanner = document.scan.scanner.id.clone();
    for entry in &document.vulnerabilities {
        if scanner.is_empty() {
            scanner.clone_from(&entry.scanner.id);
        }
        let name = [&entry.scanner.id, &document.scan.scanner.id];
        let name = name
            .into_iter()
            .find(|id| !id.is_empty())
            .map_or(SCANNER, String::as_str);
        let file = managers.get(entry.location.file.as_str()).copied();
        collector.push(entry.draft(name, file))?;
    }
    Ok(if scanner.is_empty() {
        SCANNER.to_owned()
    } else {
        scanner
    })
}

impl Entry {
    fn draft(&self, scanner: &str, file: Option<&DependencyFile>) -> Draft {
        let weakness = |identifier: &&Identifier| identifier.kind.eq_ignore_ascii_case("cwe");
        let ids = || self.identifiers.iter().filter(|identifier| !weakness(identifier));
        let published = ids().filter_map(|id| id.value.as_deref()).find(|id| is_advisory_id(id));
        let named = ids().map(|id| id.name.as_str()).find(|name| !name.is_empty());
        let rule = published.or(named).or(self.id.as_deref()).unwrap_or(SCANNER);
        let titles = [&self.name, &self.message, &self.description];
        let title = titles
            .into_iter()
            .find(|title| !title.is_empty())
            .map_or(rule, String::as_str);
        let mut draft = Draft::new(scanner, rule, title);
        draft.class = Some(FindingClass::Dependency);
        draft.severity = severity(&self.severity);
        let values = ids().filter_map(|id| id.value.clone());
        draft.aliases = values.filter(|id| is_advisory_id(id)).collect();
        let cwes = self.identifiers.iter().filter(weakness);
        draft.cwes = cwes.filter_map(|id| id.value.clone()).collect();
        draft.component = self.component(file);
        draft
            .fixed_versions
            .extend(fixed_version(&self.solution).map(str::to_owned));
        for vector in &self.cvss_vectors {
            draft.details.vector(vector.vector.as_deref());
        }
        draft.details.direct = self.location.dependency.direct.or_else(|| self.listed(file)?.direct);
        let places = [&self.location.file, &self.location.image];
        draft.place = places.into_iter().find(|path| !path.is_empty()).map(|path| Place {
            path: path.clone(),
            line: None,
            column: None,
        });
        draft.own_id.clone_from(&self.id);
        draft
    }

    /// The entry of the file's list of dependencies for this one.
    fn listed<'a>(&self, file: Option<&'a DependencyFile>) -> Option<&'a ListedDependency> {
        let Dependency { package, version, .. } = &self.location.dependency;
        let same = |listed: &&ListedDependency| listed.package.name == package.name && listed.version == *version;
        file?.dependencies.iter().find(same)
    }

    fn component(&self, file: Option<&DependencyFile>) -> Option<Component> {
        let Dependency { package, version, .. } = &self.location.dependency;
        let version = Some(version.as_str()).filter(|version| !version.is_empty());
        let manager = file.map_or("", |file| file.package_manager.as_str());
        let known = purl::package(manager, &package.name, version)
            .or_else(|| purl::of_system(&self.location.operating_system, &package.name, version))
            .or_else(|| purl::package(manager_of(&self.location.file), &package.name, version));
        (!package.name.is_empty()).then(|| Component {
            purl: known,
            name: package.name.clone(),
            version: version.map(str::to_owned),
        })
    }
}

/// The ecosystem that a lockfile or manifest belongs to, by its name; empty when it isn't known.
fn manager_of(path: &str) -> &'static str {
    match path.rsplit('/').next().unwrap_or_default() {
        "go.sum" | "go.mod" => "go",
        "package-lock.json" | "yarn.lock" | "pnpm-lock.yaml" | "npm-shrinkwrap.json" | "package.json" => "npm",
        "requirements.txt" | "Pipfile.lock" | "poetry.lock" | "Pipfile" | "uv.lock" => "pip",
        "pom.xml" | "build.gradle" | "build.gradle.kts" | "build.sbt" => "maven",
        "Gemfile.lock" | "gems.locked" => "gem",
        "composer.lock" => "composer",
        "Cargo.lock" => "cargo",
        "packages.lock.json" => "nuget",
        "conan.lock" => "conan",
        _ => "",
    }
}

/// The version of GitLab's own sentences: "Upgrade to version 2.2.3 or above." and "Upgrade apt from 1.4.8 to 1.4.9".
fn fixed_version(solution: &str) -> Option<&str> {
    let words: Vec<&str> = solution.split_whitespace().collect();
    let version = match words.as_slice() {
        ["Upgrade", "to", "version", version, "or", "above."] => version,
        ["Upgrade", _, "to", version] | ["Upgrade", _, "from", _, "to", version] => version,
        _ => return None,
    };
    Some(version.trim_end_matches('.')).filter(|version| version.contains(|c: char| c.is_ascii_digit()))
}
