//! GitLab's reports of SAST and secret detection (schemas v14 and v15). Older ones don't say which
//! scan they are of, so that a finding may turn out to be about a package.

use holdpoint_schemas::finding::{Component, FindingClass};
use serde::Deserialize;

use super::Input;
use super::field::cut_out;
use crate::collect::{Collector, Draft, Place, is_advisory_id, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

#[derive(Deserialize)]
struct Document {
    #[serde(deserialize_with = "loose::many")]
    vulnerabilities: Vec<Vulnerability>,
    #[serde(default, deserialize_with = "or_default")]
    scan: Scan,
}

#[derive(Deserialize, Default)]
struct Scan {
    #[serde(default, deserialize_with = "or_default")]
    scanner: Scanner,
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "loose::many")]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default, deserialize_with = "or_default")]
    level: String,
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

#[derive(Deserialize, Default)]
struct Scanner {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default, deserialize_with = "or_default")]
    category: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "loose::text")]
    id: String,
    /// Until v14 the identity; deprecated since.
    #[serde(default, deserialize_with = "or_default")]
    cve: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    scanner: Scanner,
    #[serde(default, deserialize_with = "or_default")]
    location: Location,
    #[serde(default, deserialize_with = "loose::many")]
    identifiers: Vec<Identifier>,
    #[serde(default, deserialize_with = "or_default")]
    raw_source_code_extract: String,
}

#[derive(Deserialize, Default)]
struct Location {
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    #[serde(default, deserialize_with = "loose::number")]
    start_line: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    image: String,
    #[serde(default, deserialize_with = "or_default")]
    dependency: Dependency,
}

#[derive(Deserialize, Default)]
struct Dependency {
    #[serde(default, deserialize_with = "or_default")]
    package: Package,
    #[serde(default, deserialize_with = "loose::text")]
    version: String,
}

#[derive(Deserialize, Default)]
struct Package {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "loose::text")]
    name: String,
    #[serde(default, deserialize_with = "loose::text")]
    value: String,
}

pub fn detect(outline: &Outline) -> bool {
    let kind = outline
        .text("scan", "type")
        .or_else(|| outline.text("vulnerabilities", "category"));
    let inner = |key| outline.has_inner("vulnerabilities", key);
    outline.has(&["vulnerabilities", "version"])
        && match kind {
            Some(kind) => matches!(kind, "sast" | "secret_detection"),
            None => (inner("identifiers") && inner("location")) || (outline.has(&["remediations"]) && !inner("id")),
        }
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("a GitLab security report")?;
    for message in &document.scan.messages {
        if matches!(message.level.as_str(), "warn" | "error" | "fatal") {
            collector.skip(&message.value);
        }
    }
    let mut scanners: Vec<String> = Vec::new();
    for found in document.vulnerabilities {
        let named = [&document.scan.scanner.id, &found.scanner.id];
        let scanner = named.into_iter().find(|id| !id.is_empty());
        let scanner = scanner.map_or_else(|| "gitlab".to_owned(), |id| id.to_ascii_lowercase());
        let draft = draft(&scanner, &document.scan.kind, found, collector);
        collector.push(draft)?;
        if !scanners.contains(&scanner) {
            scanners.push(scanner);
        }
    }
    scanners.sort();
    Ok(match (scanners.is_empty(), document.scan.scanner.id) {
        (false, _) => scanners.join(", "),
        (true, id) if !id.is_empty() => id.to_ascii_lowercase(),
        (true, _) => "gitlab".to_owned(),
    })
}

fn draft(scanner: &str, scan: &str, mut found: Vulnerability, collector: &Collector<'_>) -> Draft {
    let of_scan = found.category.is_empty() && scan == "secret_detection";
    if of_scan || found.category == "secret_detection" {
        let identifiers = found.identifiers.iter_mut();
        let texts = identifiers.flat_map(|id| [&mut id.name, &mut id.value]);
        let own = [&mut found.name, &mut found.message, &mut found.description];
        cut_out(&found.raw_source_code_extract, texts.chain(own));
    }
    let rule = rule(&found);
    let texts = [&found.name, &found.message, &found.description];
    let title = texts.into_iter().find(|text| !text.trim().is_empty());
    let mut draft = Draft::new(scanner, &rule, title.unwrap_or(&rule));
    draft.severity = severity(&found.severity);
    draft.cwes = found.identifiers.iter().filter_map(cwe_of).collect();
    let published = found.identifiers.iter().flat_map(|id| [&id.value, &id.name]);
    draft.aliases = published.filter(|id| is_advisory_id(id)).cloned().collect();
    let kind = if found.category.is_empty() {
        scan
    } else {
        &found.category
    };
    if matches!(kind, "secret_detection") {
        draft.class = Some(FindingClass::Secret);
        draft.rule_title = Some(found.name).filter(|name| !name.is_empty());
        draft.secret = collector.secret(&found.raw_source_code_extract);
    } else {
        draft.snippet = Some(found.raw_source_code_extract);
    }
    let location = found.location;
    let package = location.dependency.package.name;
    if !package.is_empty() {
        draft.component = Some(Component {
            purl: None,
            name: package,
            version: Some(location.dependency.version).filter(|version| !version.is_empty()),
        });
    } else if matches!(kind, "dependency_scanning" | "container_scanning") {
        draft.class = Some(FindingClass::Dependency);
    }
    draft.own_id = Some(if found.id.is_empty() { found.cve } else { found.id });
    let path = if location.file.is_empty() {
        location.image
    } else {
        location.file
    };
    draft.place = Place::at(path, location.start_line, None);
    draft
}

/// The first identifier is the primary one. Some analysers put a sentence into its value.
fn rule(found: &Vulnerability) -> String {
    let advisory = found
        .identifiers
        .iter()
        .map(|id| &id.value)
        .find(|id| is_advisory_id(id));
    let dependency = !found.location.dependency.package.name.is_empty();
    if let Some(id) = advisory.filter(|_| dependency) {
        return id.clone();
    }
    let primary = found.identifiers.first().map(|id| match id.value.as_str() {
        value if value.is_empty() || value.contains(char::is_whitespace) => &id.name,
        _ => &id.value,
    });
    let rule = primary.filter(|rule| !rule.is_empty()).unwrap_or(&found.name);
    if rule.is_empty() {
        "unnamed".to_owned()
    } else {
        rule.clone()
    }
}

/// The name is `CWE-79`; the value is `79`, or, from some analysers, the rule.
fn cwe_of(id: &Identifier) -> Option<String> {
    let of_cwe = id.kind.eq_ignore_ascii_case("cwe") || id.name.to_ascii_uppercase().starts_with("CWE-");
    of_cwe.then(|| {
        if id.name.is_empty() {
            id.value.clone()
        } else {
            id.name.clone()
        }
    })
}
