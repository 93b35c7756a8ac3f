//! pip-audit's JSON (`pip-audit -f json`), also the array that versions before 2.0 wrote.

use holdpoint_schemas::finding::Component;
use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::osv::{Ecosystem, sorted_versions};

const SCANNER: &str = "pip-audit";

#[derive(Deserialize)]
struct Document {
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
    skip_reason: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    vulns: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    fix_versions: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    aliases: Vec<String>,
}

pub fn detect(outline: &Outline) -> bool {
    let list = if outline.is_array { "" } else { "dependencies" };
    let entries = outline.has_inner(list, "vulns") || outline.has_inner(list, "skip_reason");
    entries || outline.has(&["dependencies", "fixes"])
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let dependencies = if input.text.trim_start().starts_with('[') {
        input.json::<Vec<Dependency>>("pip-audit's JSON")?
    } else {
        input.json::<Document>("pip-audit's JSON")?.dependencies
    };
    for dependency in dependencies {
        if let Some(reason) = &dependency.skip_reason {
            collector.skip(&format!("{}: {reason}", dependency.name));
        }
        for vulnerability in dependency.vulns {
            let version = dependency.version.as_deref();
            let title = format!(
                "{} {}: {}",
                dependency.name,
                version.unwrap_or_default(),
                vulnerability.id
            );
            let mut draft = Draft::new(SCANNER, &vulnerability.id, &title);
            draft.aliases = vulnerability.aliases;
            draft.component = Some(Component {
                purl: Some(Ecosystem::PyPi.purl(&dependency.name, version)),
                name: dependency.name.clone(),
                version: dependency.version.clone(),
            });
            draft.fixed_versions = sorted_versions(Ecosystem::PyPi, vulnerability.fix_versions);
            collector.push(draft)?;
        }
    }
    Ok(SCANNER.to_owned())
}
