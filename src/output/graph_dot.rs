//! The service graph in DOT, the language of Graphviz: the whole estate however large it is.
//!
//! Quoting: <https://graphviz.org/doc/info/lang.html>.

use holdpoint_schemas::service::{Catalogue, Edge, EdgeBasis, EdgeKind, NodeKind, Service};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::graph_svg::how;
use super::text::clean;

/// The graph as DOT: services by system, consumers on the left. `marks` are short words, by id.
#[must_use]
pub fn dot(catalogue: &Catalogue, marks: &BTreeMap<&str, Vec<&'static str>>) -> String {
    let mut out = "digraph estate {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", fontsize=11, shape=box, \
                   style=\"rounded,filled\", fillcolor=white];\n  edge [fontname=\"sans-serif\", fontsize=9];\n"
        .to_owned();
    let mut systems: BTreeMap<Option<&str>, Vec<&Service>> = BTreeMap::new();
    for service in &catalogue.services {
        systems.entry(service.system.as_deref()).or_default().push(service);
    }
    for (number, (system, services)) in systems.into_iter().enumerate() {
        let indent = if let Some(system) = system {
            // Graphviz draws a frame around subgraphs whose name begins so.
            let _ = writeln!(out, "  subgraph cluster_{number} {{\n    label={};", quoted(system));
            "    "
        } else {
            "  "
        };
        for service in services {
            let _ = writeln!(out, "{indent}{}", node(service, marks));
        }
        if system.is_some() {
            out.push_str("  }\n");
        }
    }
    let described: BTreeSet<&str> = catalogue.services.iter().map(|service| service.id.as_str()).collect();
    let named = catalogue
        .edges
        .iter()
        .flat_map(|edge| [edge.from.as_str(), edge.to.as_str()]);
    let unknown: BTreeSet<&str> = named.filter(|id| !described.contains(id)).collect();
    for id in unknown {
        let _ = writeln!(
            out,
            "  {} [style=\"rounded,dashed\", tooltip=\"no catalogue describes it\"];",
            quoted(id)
        );
    }
    for edge in &catalogue.edges {
        let _ = writeln!(out, "  {}", line(edge));
    }
    out.push_str("}\n");
    out
}

fn node(service: &Service, marks: &BTreeMap<&str, Vec<&'static str>>) -> String {
    let (shape, fill, font) = match (service.kind, service.tier) {
        (NodeKind::External, _) => ("ellipse", "white", "black"),
        (NodeKind::Resource, _) => ("cylinder", "#f3f5f9", "black"),
        (NodeKind::Service, Some(0)) => ("box", "#1d2f74", "white"),
        (NodeKind::Service, Some(1)) => ("box", "#3f5fc0", "white"),
        (NodeKind::Service, Some(2)) => ("box", "#a9bdf0", "black"),
        (NodeKind::Service, Some(_)) => ("box", "#e0e8fb", "black"),
        (NodeKind::Service, None) => ("box", "white", "black"),
    };
    let style = match (service.kind, service.tier) {
        (NodeKind::Resource, _) => "filled",
        (NodeKind::External, _) => "filled,dashed",
        (NodeKind::Service, None) => "rounded,filled,dashed",
        (NodeKind::Service, Some(_)) => "rounded,filled",
    };
    let mut label = service.name.clone();
    if let Some(tier) = service.tier {
        let _ = write!(label, "\ntier {tier}");
    }
    let marks = marks.get(service.id.as_str()).map(|words| words.join(", "));
    if let Some(words) = &marks {
        let _ = write!(label, "\n{words}");
    }
    let colour = if marks.is_some() { ", color=\"#b3261e\"" } else { "" };
    format!(
        "{} [label={}, shape={shape}, style=\"{style}\", fillcolor=\"{fill}\", fontcolor={font}{colour}];",
        quoted(service.id.as_str()),
        quoted(&label)
    )
}

fn line(edge: &Edge) -> String {
    let label = match edge.kind {
        EdgeKind::Unspecified => String::new(),
        _ => how(edge).split(',').next().unwrap_or_default().to_owned(),
    };
    let style = match (edge.basis, edge.kind) {
        (EdgeBasis::Observed, _) => ", style=dotted, color=\"#2547a8\"",
        (_, EdgeKind::Event) => ", style=dashed",
        _ => "",
    };
    format!(
        "{} -> {} [label={}, tooltip={}{style}];",
        quoted(edge.from.as_str()),
        quoted(edge.to.as_str()),
        quoted(&label),
        quoted(&format!("{} ({})", how(edge), edge.sources.join(", ")))
    )
}

/// A quoted string: only `"` ends it; a backslash begins an escape of labels (`\N`, `\G`), so that each is
/// doubled. Line breaks are kept as `\n`.
fn quoted(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| clean(line).replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", lines.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn every_service_and_edge_stands_in_it_once() {
        let catalogue = samples::catalogue();
        let text = dot(&catalogue, &BTreeMap::from([("payments", vec!["single point"])]));
        assert_eq!(text.matches(" -> ").count(), catalogue.edges.len());
        for service in &catalogue.services {
            assert_eq!(
                text.matches(&format!("    {} [label", quoted(service.id.as_str())))
                    .count(),
                1
            );
        }
        assert!(
            text.contains(r#""payments" [label="payments\ntier 0\nsingle point""#),
            "{text}"
        );
        assert!(text.contains("label=\"banking\""));
    }

    #[test]
    fn what_only_an_edge_names_is_dashed_and_what_was_only_seen_is_dotted() {
        let mut catalogue = samples::catalogue();
        catalogue.services.retain(|service| service.id.as_str() != "gateway");
        catalogue.edges[0].basis = EdgeBasis::Observed;
        let text = dot(&catalogue, &BTreeMap::new());
        assert!(text.contains(r#""gateway" [style="rounded,dashed""#));
        assert!(text.contains("style=dotted"));
    }

    #[test]
    fn no_name_breaks_out_of_its_quotes() {
        assert_eq!(quoted("a\"]; b [x=\"\\"), r#""a\"]; b [x=\"\\""#);
        assert_eq!(quoted("two\nlines\u{1b}[31m"), r#""two\nlines[31m""#);
    }
}
