//! The XML document, and the vulnerability extension of 1.1 to 1.3 (`http://cyclonedx.org/schema/ext/vulnerability`),
//! whose elements differ a little.

use super::json::scope;
use super::{Analysis, Bom, Part, Rating, UNTIL, Vulnerability};
use crate::report::field::tenths_of;
use crate::xml::Element;

/// Reads a document.
pub fn bom(root: &Element) -> Bom {
    let mut bom = Bom::default();
    let mut found = Vec::new();
    let mut has_section = false;
    let described = root.child("metadata").and_then(|metadata| metadata.child("component"));
    if let Some(metadata) = root.child("metadata") {
        let tools = metadata.child("tools").into_iter().flat_map(Element::all);
        let tools = tools.filter(|element| matches!(element.name.as_str(), "tool" | "component"));
        bom.tools = tools
            .filter_map(|tool| tool.child_text("name"))
            .map(str::to_owned)
            .collect();
        let author = metadata
            .list("authors", "author")
            .find_map(|author| author.child_text("name"));
        let makers = ["manufacturer", "manufacture", "supplier"];
        let maker = makers.iter().find_map(|name| metadata.child(name)?.child_text("name"));
        bom.author = author.or(maker).map(str::to_owned);
    }
    let lists = root.named("components").chain(described);
    for component in lists
        .flat_map(Element::all)
        .filter(|element| element.name == "component")
    {
        let part = part(component);
        let reference = component.attribute("bom-ref");
        for element in component.named("vulnerabilities") {
            has_section = true;
            for vulnerability in element.named("vulnerability") {
                let mut vulnerability = read(vulnerability);
                // The extension's `ref` names the vulnerability; what is affected is the component around it.
                let key = reference
                    .map(str::to_owned)
                    .unwrap_or_else(|| unique(&part, bom.parts.len()));
                bom.add(Some(&key), part.clone());
                vulnerability.affects = vec![key];
                found.push(vulnerability);
            }
        }
        bom.add(reference, part);
    }
    for vulnerability in root.list("vulnerabilities", "vulnerability") {
        let mut read = read(vulnerability);
        if read.affects.is_empty() {
            // In the extension's list for the whole document, `ref` names the component.
            let named = vulnerability
                .attribute("ref")
                .filter(|reference| bom.parts.contains_key(*reference));
            read.affects.extend(named.map(str::to_owned));
        }
        found.push(read);
    }
    let root_reference = described.and_then(|component| component.attribute("bom-ref"));
    if let Some(reference) = root_reference {
        let of_root = root
            .list("dependencies", "dependency")
            .filter(|d| d.attribute("ref") == Some(reference));
        let direct = of_root.flat_map(|dependency| dependency.named("dependency"));
        bom.direct = direct.filter_map(|d| d.attribute("ref")).map(str::to_owned).collect();
    }
    has_section |= root.child("vulnerabilities").is_some();
    bom.vulnerabilities = has_section.then_some(found);
    bom
}

fn part(component: &Element) -> Part {
    let text = |name: &str| component.child_text(name).map(str::to_owned);
    Part {
        name: text("name").unwrap_or_default(),
        version: text("version"),
        purl: text("purl"),
        scope: scope(component.child_text("scope")),
    }
}

/// A reference for a component that has none: its purl, else name and version and how many came before it, as two
/// components may share both.
fn unique(part: &Part, before: usize) -> String {
    let version = part.version.as_deref().unwrap_or_default();
    part.purl
        .clone()
        .unwrap_or_else(|| format!("{}@{version}#{before}", part.name))
}

fn read(element: &Element) -> Vulnerability {
    let source = element.child("source");
    let source = source.and_then(|source| source.child_text("name").or_else(|| source.attribute("name")));
    let id = element.child_text("id").or_else(|| element.attribute("bom-ref"));
    let description = ["description", "detail"]
        .iter()
        .find_map(|name| element.child_text(name));
    let description = description.unwrap_or_default();
    let references = element
        .list("references", "reference")
        .filter_map(|reference| reference.child_text("id"));
    let cwes = element.list("cwes", "cwe").filter_map(Element::text);
    let targets = element
        .list("affects", "target")
        .filter_map(|target| target.child_text("ref"));
    Vulnerability {
        id: id.unwrap_or_default().to_owned(),
        source: source.unwrap_or_default().to_owned(),
        references: references.map(str::to_owned).collect(),
        ratings: element.list("ratings", "rating").map(rating).collect(),
        cwes: cwes.map(str::to_owned).collect(),
        description: description.to_owned(),
        affects: targets.map(str::to_owned).collect(),
        analysis: element.child("analysis").map(|analysis| Analysis {
            state: analysis.child_text("state").unwrap_or_default().to_owned(),
            justification: analysis.child_text("justification").map(str::to_owned),
            at: ["lastUpdated", "firstIssued"]
                .iter()
                .find_map(|name| analysis.child_text(name)?.parse().ok()),
            until: element
                .list("properties", "property")
                .find(|property| property.attribute("name") == Some(UNTIL))
                .and_then(|property| property.text()?.parse().ok()),
        }),
    }
}

fn rating(element: &Element) -> Rating {
    let text = |name: &str| element.child_text(name).unwrap_or_default().to_owned();
    let source = element.child("source").and_then(|source| source.child_text("name"));
    // A number, or in the extension an element with the base score in it.
    let score = element
        .child("score")
        .and_then(|score| score.child_text("base").or_else(|| score.text()));
    Rating {
        source: source.unwrap_or_default().to_owned(),
        tenths: score.and_then(tenths_of),
        severity: text("severity"),
        method: text("method"),
        vector: element.child_text("vector").map(str::to_owned),
    }
}
