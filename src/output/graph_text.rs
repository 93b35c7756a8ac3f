//! The service graph and blast radii as text.

use holdpoint_engine::graph::{BlastRadius, Exposure, ServiceGraph, SinglePoint, SinglePoints, Summaries};
use holdpoint_schemas::service::{Catalogue, EdgeBasis, NodeKind, ServiceId};
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::graph_svg::how;
use super::text::{clean, count, list};

/// Names in a list of services; the JSON has all of them.
const MAX_NAMES: usize = 12;

/// What the whole graph shows, beyond its services and edges.
#[derive(Debug, serde::Serialize)]
pub struct Overview {
    /// Groups that rely on themselves.
    pub cycles: Vec<Vec<ServiceId>>,
    /// Who cuts others off from what they rely on.
    pub single_points_of_failure: SinglePoints,
    /// Named by edges, described by no catalogue.
    pub unknown_nodes: Vec<ServiceId>,
    /// Who takes requests from the internet itself.
    pub internet_facing: Vec<ServiceId>,
    /// Who is reached from the internet, itself or through others.
    pub exposed: Vec<ServiceId>,
    /// Of whom that isn't known.
    pub exposure_unknown: Vec<ServiceId>,
}

impl Overview {
    /// Of a graph and its summaries.
    #[must_use]
    pub fn of(catalogue: &Catalogue, graph: &ServiceGraph, summaries: &Summaries) -> Self {
        let services = catalogue.services.iter();
        let facing = services.filter(|service| service.runtime.internet_facing == Some(true));
        let with = |exposed: Option<bool>| {
            let all = summaries.iter().filter(move |(_, summary)| summary.exposed == exposed);
            all.map(|(id, _)| id.clone()).collect()
        };
        Self {
            cycles: graph.cycles(),
            single_points_of_failure: graph.single_points_of_failure(),
            unknown_nodes: graph.unknown_nodes().into_iter().cloned().collect(),
            internet_facing: facing.map(|service| service.id.clone()).collect(),
            exposed: with(Some(true)),
            exposure_unknown: with(None),
        }
    }

    /// Short words to write at a node, by id.
    #[must_use]
    pub fn marks(&self) -> BTreeMap<&str, Vec<&'static str>> {
        let mut marks: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        for (ids, word) in [
            (self.internet_facing.iter().collect::<Vec<_>>(), "internet"),
            (self.single_points_of_failure.known.iter().collect(), "single point"),
            (self.cycles.iter().flatten().collect(), "cycle"),
        ] {
            for id in ids {
                marks.entry(id.as_str()).or_default().push(word);
            }
        }
        marks
    }
}

/// The estate's services with their edges, then what the graph shows.
#[must_use]
pub fn estate(catalogue: &Catalogue, overview: &Overview) -> String {
    let mut out = format!(
        "{} services and resources, {} edges (consumer → provider)\n",
        catalogue.services.len(),
        catalogue.edges.len()
    );
    let observed = catalogue
        .edges
        .iter()
        .filter(|edge| edge.basis == EdgeBasis::Observed)
        .count();
    if observed > 0 {
        let _ = writeln!(
            out,
            "{} seen at run time that no file declares",
            count(observed, "edge was", "edges were")
        );
    }
    let mut by_consumer: BTreeMap<&ServiceId, Vec<String>> = BTreeMap::new();
    for edge in &catalogue.edges {
        let line = format!("    → {} ({}; {})", edge.to, how(edge), edge.sources.join(", "));
        by_consumer.entry(&edge.from).or_default().push(line);
    }
    for service in &catalogue.services {
        let kind = match (service.kind, service.tier) {
            (NodeKind::External, _) => "outside party".to_owned(),
            (_, Some(tier)) => format!("tier {tier}"),
            (NodeKind::Resource, None) => "resource".to_owned(),
            (NodeKind::Service, None) => "tier unknown".to_owned(),
        };
        let owner = service.owner.as_deref().unwrap_or("unknown");
        let _ = writeln!(out, "  {:<24} {kind}, owner {}", service.id, clean(owner));
        for line in by_consumer.get(&service.id).into_iter().flatten() {
            let _ = writeln!(out, "{}", clean(line));
        }
    }
    out.push_str(&findings(catalogue, overview));
    out
}

fn findings(catalogue: &Catalogue, overview: &Overview) -> String {
    let mut out = String::new();
    let points = &overview.single_points_of_failure;
    let lists = [
        ("Reached from the internet", &overview.exposed),
        (
            "Not known whether reached from the internet",
            &overview.exposure_unknown,
        ),
        (
            "Single points of failure (others reach what they rely on only through them)",
            &points.known,
        ),
        (
            "Single points of failure if users come in through them, which nobody says",
            &points.unknown,
        ),
        (
            "Named by an edge, but no catalogue describes them",
            &overview.unknown_nodes,
        ),
    ];
    for (title, ids) in lists.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        let _ = write!(out, "\n{title}: {}\n  {}\n", ids.len(), names(ids));
    }
    if !overview.cycles.is_empty() {
        let _ = write!(
            out,
            "\nCycles (each relies on every other): {}\n",
            overview.cycles.len()
        );
        for cycle in &overview.cycles {
            let _ = writeln!(out, "  {}", names(cycle));
        }
    }
    if !catalogue.conflicts.is_empty() {
        let _ = write!(out, "\nSources that disagree: {}\n", catalogue.conflicts.len());
        for conflict in &catalogue.conflicts {
            let said: Vec<String> = conflict
                .values
                .iter()
                .map(|(source, value)| format!("{source} says {value}"))
                .collect();
            let line = format!(
                "{} {}: {}; taken: {}",
                conflict.service,
                conflict.field,
                said.join(", "),
                conflict.taken
            );
            let _ = writeln!(out, "  {}", clean(&line));
        }
    }
    out
}

fn names(ids: &[ServiceId]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| clean(id.as_str())).collect();
    list(&ids, MAX_NAMES)
}

/// Who can be affected, path by path, each step with what the edge is and rests on, and the sum.
#[must_use]
pub fn blast(
    graph: &ServiceGraph,
    radius: &BlastRadius,
    exposure: Option<&Exposure>,
    point: Option<&SinglePoint>,
) -> String {
    let service = clean(radius.service.as_str());
    let mut out = if radius.dependents.is_empty() {
        format!("If `{service}` breaks, nothing else that the catalogue knows is affected.\n")
    } else {
        format!("If `{service}` breaks, {} can be affected:\n", radius.dependents.len())
    };
    for dependent in &radius.dependents {
        let tier = dependent.tier.map(|tier| format!(", tier {tier}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "  {}{tier}: {}",
            clean(&dependent.name),
            path(graph, &dependent.path)
        );
    }
    out.push('\n');
    out.push_str(&sum(radius));
    if let Some(exposure) = exposure {
        let way: Vec<&str> = exposure.path.iter().map(ServiceId::as_str).collect();
        let way = clean(&way.join(" → "));
        let _ = match exposure.exposed {
            Some(true) => writeln!(out, "From the internet: reached ({way})"),
            Some(false) => writeln!(out, "From the internet: not reached"),
            None => writeln!(out, "From the internet: unknown; possible way: {way}"),
        };
    }
    if let Some(point) = point.filter(|point| point.single != Some(false)) {
        let sure = if point.single.is_some() {
            "yes"
        } else {
            "if users come in through it, which nobody says"
        };
        let _ = write!(
            out,
            "Single point of failure: {sure}; it is the only way to {}",
            names(&point.providers)
        );
        if !point.consumers.is_empty() {
            let _ = write!(out, " for {}", names(&point.consumers));
        }
        out.push('\n');
    }
    out
}

/// From the service up to a dependent: `ledger ← payments (http, declared) ← gateway (http, declared)`.
fn path(graph: &ServiceGraph, path: &[ServiceId]) -> String {
    let mut out = path.first().map(|id| clean(id.as_str())).unwrap_or_default();
    for (provider, consumer) in path.iter().zip(path.iter().skip(1)) {
        let edges = graph
            .providers(consumer)
            .into_iter()
            .filter(|edge| edge.to == *provider);
        let how: Vec<String> = edges.map(how).collect();
        let _ = write!(out, " ← {} ({})", clean(consumer.as_str()), how.join("; "));
    }
    out
}

fn sum(radius: &BlastRadius) -> String {
    let tier = radius
        .most_critical_tier
        .map_or_else(|| "unknown".to_owned(), |tier| tier.to_string());
    let answer = |answer: Option<bool>| match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let cycle = if radius.in_cycle {
        "; in a cycle: it relies on itself through others"
    } else {
        ""
    };
    format!(
        "Most critical tier: {tier}; reaches customers: {}; stops revenue: {}{cycle}\n",
        answer(radius.reaches_customers),
        answer(radius.reaches_revenue)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;
    use holdpoint_schemas::service::SourceConflict;

    #[test]
    fn the_estate_shows_conflicts_cycles_and_what_was_only_seen() {
        let mut catalogue = samples::catalogue();
        catalogue.edges[0].basis = EdgeBasis::Observed;
        let mut back = catalogue.edges[3].clone();
        std::mem::swap(&mut back.from, &mut back.to);
        catalogue.edges.push(back);
        catalogue.conflicts.push(SourceConflict {
            service: "payments".into(),
            field: "tier".to_owned(),
            values: vec![
                ("a.yaml".to_owned(), "0".to_owned()),
                ("b.yaml".to_owned(), "2".to_owned()),
            ],
            taken: "0".to_owned(),
        });
        let graph = ServiceGraph::new(&catalogue);
        let overview = Overview::of(&catalogue, &graph, &Summaries::new(&graph).unwrap());
        let text = estate(&catalogue, &overview);
        for expected in [
            "1 edge was seen at run time that no file declares",
            "→ payments (http, observed only; catalog-info.yaml)",
            "payments tier: a.yaml says 0, b.yaml says 2; taken: 0",
            "  ledger and payments\n",
            "Not known whether reached from the internet: 11",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert_eq!(overview.marks()["payments"], ["single point", "cycle"]);
    }

    #[test]
    fn a_blast_radius_names_each_edge_and_sums_up() {
        let graph = ServiceGraph::new(&samples::catalogue());
        let id = "ledger".into();
        let radius = graph.blast_radius(&id).unwrap();
        let text = blast(
            &graph,
            &radius,
            graph.exposure(&id).as_ref(),
            graph.single_point_of_failure(&id).as_ref(),
        );
        for expected in [
            "gateway, tier 1: ledger ← payments (http, declared) ← gateway (http, declared)",
            "Most critical tier: 0; reaches customers: yes; stops revenue: unknown",
            "From the internet: unknown; possible way: ledger",
            "Single point of failure: yes; it is the only way to ledger-db for bank-partner, gateway, notifications and payments",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
