//! The XML report.

use super::{Dependency, Score, Vulnerability, best, vector2, vector3};
use crate::report::field::tenths_of;
use crate::xml::Element;

/// The dependencies of a report.
pub fn dependencies(root: &Element) -> Vec<Dependency> {
    root.list("dependencies", "dependency").map(dependency).collect()
}

fn dependency(element: &Element) -> Dependency {
    let text = |name: &str| element.child_text(name).unwrap_or_default().to_owned();
    let identifiers = element.named("identifiers").flat_map(Element::all);
    let evidence = |kind: &str| {
        let all = element.list("evidenceCollected", "evidence");
        let of_kind = all.filter(|evidence| evidence.attribute("type") == Some(kind));
        best(of_kind.filter_map(|e| Some((e.attribute("confidence").unwrap_or_default(), e.child_text("value")?))))
    };
    // `package/id` since 5.0; before, `identifier/name`, of which a CPE is the least telling.
    let named = identifiers.filter_map(|id| match id.name.as_str() {
        "package" | "vulnerabilityIds" => id.child_text("id"),
        "identifier" => id.child_text("name"),
        _ => None,
    });
    let mut identifiers: Vec<String> = named.map(str::to_owned).collect();
    identifiers.sort_by_key(|id| id.starts_with("cpe:"));
    let listed = element
        .list("vulnerabilities", "vulnerability")
        .map(|v| vulnerability(v, false));
    let suppressed = element
        .list("vulnerabilities", "suppressedVulnerability")
        .map(|v| vulnerability(v, true));
    Dependency {
        file_name: text("fileName"),
        file_path: text("filePath"),
        identifiers,
        product: evidence("product"),
        version: evidence("version"),
        vulnerabilities: listed.chain(suppressed).collect(),
    }
}

fn vulnerability(element: &Element, suppressed: bool) -> Vulnerability {
    let text = |name: &str| element.child_text(name).unwrap_or_default().to_owned();
    let scores: Vec<Score> = [score3(element), score2(element), old_score(element)]
        .into_iter()
        .flatten()
        .collect();
    let single = element.named("cwe");
    let cwes = element.list("cwes", "cwe").chain(single).filter_map(Element::text);
    let base = ["cvssV3", "cvssV2"].iter().find_map(|name| {
        let score = element.child(name)?;
        score
            .child_text("baseSeverity")
            .or_else(|| score.child_text("severity"))
    });
    Vulnerability {
        name: text("name"),
        severity: element.child_text("severity").or(base).unwrap_or_default().to_owned(),
        cwes: cwes.map(str::to_owned).collect(),
        description: text("description"),
        scores,
        suppressed: suppressed.then(|| text("notes")),
    }
}

fn score3(element: &Element) -> Option<Score> {
    let score = element.child("cvssV3")?;
    Some(Score {
        tenths: score.child_text("baseScore").and_then(tenths_of),
        vector: vector3(score.child_text("version"), |name| score.child_text(name)),
    })
}

fn score2(element: &Element) -> Option<Score> {
    let score = element.child("cvssV2")?;
    let metric = |name: &str| match name {
        // So spelt in the tool's own schema.
        "authentication" => score.child_text("authenticationr"),
        "confidentialityImpact" => score.child_text("confidentialImpact"),
        _ => score.child_text(name),
    };
    Some(Score {
        tenths: score.child_text("score").and_then(tenths_of),
        vector: vector2(metric),
    })
}

/// The flat CVSS v2 score of schemas before 2.
fn old_score(element: &Element) -> Option<Score> {
    let tenths = element.child_text("cvssScore").and_then(tenths_of)?;
    Some(Score {
        tenths: Some(tenths),
        vector: None,
    })
}
