//! The service graph as inline SVG: consumers left, providers right, layered by `rust-sugiyama`,
//! with the blast radius of one service lit up.

use askama::Template;
use holdpoint_engine::graph::BlastRadius;
use holdpoint_schemas::service::{Catalogue, Edge, EdgeBasis, EdgeKind, NodeKind, Service, ServiceId};
use rust_sugiyama::configure::Config;
use std::collections::{BTreeMap, BTreeSet};

use super::text::{clean, count, shorten};

/// Most nodes that are drawn: beyond it a picture says nothing and its layout takes seconds.
pub const MAX_NODES: usize = 150;
/// Most edges that are drawn, for the same reason.
const MAX_EDGES: usize = 600;
/// Up to here an item's picture is the whole estate, beyond it only its own blast radius.
const MAX_WHOLE: usize = 30;
/// Node size in pixels.
const NODE: (f64, f64) = (164.0, 48.0);
/// Space between nodes of a layer, and between layers.
const GAP: (f64, f64) = (22.0, 74.0);
/// Characters of a name that fit into a node.
const MAX_NAME: usize = 19;
/// Nodes without any edge that stand in one row.
const LOOSE_PER_ROW: usize = 5;
/// Style of a picture that is a file of its own; in a page, the page has it.
const STYLE: &str = concat!(
    include_str!("templates/colors.css"),
    include_str!("templates/graph.css"),
    ".paper { fill: var(--card); } .legend text { text-anchor: start; }"
);

/// One node, ready to draw.
#[derive(Debug, Clone)]
struct NodeView {
    id: String,
    x: f64,
    y: f64,
    class: String,
    name: String,
    note: String,
    badge: Option<String>,
    /// What the graph shows of it that people should see, and the width of its pill in pixels.
    mark: Option<String>,
    mark_width: f64,
    full: String,
    shape: NodeKind,
    /// Base line of the name; a drum's lid takes some of its height.
    base: u8,
}

/// One edge, ready to draw.
#[derive(Debug, Clone)]
struct EdgeView {
    from: String,
    to: String,
    class: String,
    full: String,
    line: String,
    head: String,
}

/// A laid-out graph that can be drawn several times with different services lit up.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    nodes: Vec<NodeView>,
    edges: Vec<EdgeView>,
    width: f64,
    height: f64,
}

#[derive(Template)]
#[template(path = "graph.html", config = "src/output/templates/askama.toml")]
struct GraphPage<'a> {
    key: &'a str,
    title: String,
    /// A file of its own, with its style and a legend, not part of a page.
    alone: bool,
    style: &'static str,
    nodes: Vec<(NodeView, String)>,
    edges: Vec<(EdgeView, String)>,
    width: f64,
    height: f64,
    node_width: f64,
    node_height: f64,
}

impl Drawing {
    /// Lays out a catalogue; `findings` says how many findings each service has. `None` when it is
    /// too big to draw, or empty.
    #[must_use]
    pub fn of(catalogue: &Catalogue, findings: &BTreeMap<String, usize>) -> Option<Self> {
        if catalogue.services.len() > MAX_NODES || catalogue.edges.len() > MAX_EDGES {
            return None;
        }
        let services = described_and_named(catalogue);
        if services.is_empty() || services.len() > MAX_NODES {
            return None;
        }
        let numbers: BTreeMap<&str, usize> = services
            .iter()
            .enumerate()
            .map(|(number, service)| (service.id.as_str(), number))
            .collect();
        let edges: BTreeSet<(usize, usize)> = catalogue
            .edges
            .iter()
            .filter_map(|edge| Some((*numbers.get(edge.from.as_str())?, *numbers.get(edge.to.as_str())?)))
            .filter(|(from, to)| from != to)
            .collect();
        let (places, width, height) = place(services.len(), &edges);
        let centre = |number: usize| places.get(number).copied().unwrap_or_default();
        let nodes = services
            .iter()
            .enumerate()
            .map(|(number, service)| node(service, centre(number), findings));
        let mut drawn = BTreeSet::new();
        let lines = catalogue.edges.iter().filter_map(|edge| {
            let (from, to) = (*numbers.get(edge.from.as_str())?, *numbers.get(edge.to.as_str())?);
            (from != to && drawn.insert((from, to))).then(|| line(edge, centre(from), centre(to)))
        });
        Some(Self {
            nodes: nodes.collect(),
            edges: lines.collect(),
            width,
            height,
        })
    }

    /// What suits one item: the whole estate while it is small, else only the service and those
    /// who can be affected. `None` when there is nothing to show.
    #[must_use]
    pub fn for_item(&self, catalogue: &Catalogue, blast: &BlastRadius) -> Option<Self> {
        if blast.dependents.is_empty() {
            return None;
        }
        if self.nodes.len() <= MAX_WHOLE && !self.nodes.is_empty() {
            return Some(self.clone());
        }
        let ids = affected(blast);
        let part = Catalogue {
            services: catalogue
                .services
                .iter()
                .filter(|service| ids.contains(service.id.as_str()))
                .cloned()
                .collect(),
            edges: catalogue
                .edges
                .iter()
                .filter(|edge| ids.contains(edge.from.as_str()) && ids.contains(edge.to.as_str()))
                .cloned()
                .collect(),
            conflicts: Vec::new(),
        };
        Self::of(&part, &BTreeMap::new())
    }

    /// The SVG element. `key` makes its element ids unique in the page; `blast` is lit up.
    ///
    /// # Errors
    /// Never in practice: the template is compiled in.
    pub fn svg(&self, key: &str, blast: Option<&BlastRadius>) -> Result<String, askama::Error> {
        self.page(key, blast, false)
    }

    /// The whole estate as an SVG file.
    ///
    /// # Errors
    /// Never in practice: the template is compiled in.
    pub fn file(&self) -> Result<String, askama::Error> {
        self.page("estate", None, true)
    }

    /// Marks nodes, by id, with short words that people should see.
    #[must_use]
    pub fn marked(mut self, marks: &BTreeMap<&str, Vec<&'static str>>) -> Self {
        for node in &mut self.nodes {
            if let Some(words) = marks.get(node.id.as_str()) {
                let words = words.join(" · ");
                #[expect(clippy::cast_precision_loss, reason = "a few words")]
                let width = 16.0 + 6.2 * words.chars().count() as f64;
                node.mark_width = width.min(NODE.0);
                node.full = format!("{}; {words}", node.full);
                node.mark = Some(words);
            }
        }
        self
    }

    fn page(&self, key: &str, blast: Option<&BlastRadius>, alone: bool) -> Result<String, askama::Error> {
        let hit = blast.map(affected).unwrap_or_default();
        let target = blast.map(|blast| blast.service.as_str());
        let light = |id: &str| match target {
            None => "",
            Some(target) if id == target => "target",
            Some(_) if hit.contains(id) => "hit",
            Some(_) => "dim",
        };
        let lit_edge = |edge: &EdgeView| match target {
            None => "",
            Some(target)
                if edge.from != target && hit.contains(edge.from.as_str()) && hit.contains(edge.to.as_str()) =>
            {
                "hot"
            }
            Some(_) => "dim",
        };
        let nodes = self.nodes.iter();
        let edges = self.edges.iter();
        GraphPage {
            key,
            title: self.title(blast),
            alone,
            style: STYLE,
            nodes: nodes.map(|node| (node.clone(), light(&node.id).to_owned())).collect(),
            edges: edges.map(|edge| (edge.clone(), lit_edge(edge).to_owned())).collect(),
            width: self.width,
            height: self.height,
            node_width: NODE.0,
            node_height: NODE.1,
        }
        .render()
    }

    fn title(&self, blast: Option<&BlastRadius>) -> String {
        let whole = count(self.nodes.len(), "node", "nodes");
        match blast {
            None => format!("Service graph: {whole}, consumers on the left, providers on the right"),
            Some(blast) => format!(
                "Blast radius of {}: {} can be affected",
                blast.service,
                count(blast.dependents.len(), "other party", "other parties")
            ),
        }
    }
}

/// The services of a catalogue, and those that only its edges name: someone relies on them or they
/// rely on someone, so the picture must not leave them out.
fn described_and_named(catalogue: &Catalogue) -> Vec<Service> {
    let mut services = catalogue.services.clone();
    let mut seen: BTreeSet<ServiceId> = services.iter().map(|service| service.id.clone()).collect();
    for id in catalogue.edges.iter().flat_map(|edge| [&edge.from, &edge.to]) {
        if seen.insert(id.clone()) {
            services.push(Service {
                id: id.clone(),
                name: id.0.clone(),
                kind: NodeKind::Service,
                system: None,
                owner: None,
                tier: None,
                customer_facing: None,
                revenue_critical: None,
                data_classes: None,
                compliance_scopes: None,
                repo: None,
                path: String::new(),
                deployments: None,
                iac_addresses: Vec::new(),
                source: String::new(),
                runtime: holdpoint_schemas::service::ServiceRuntime::default(),
            });
        }
    }
    services
}

/// The service and all that depends on it, by id.
fn affected(blast: &BlastRadius) -> BTreeSet<&str> {
    let dependents = blast.dependents.iter().map(|dependent| dependent.id.as_str());
    dependents.chain([blast.service.as_str()]).collect()
}

fn node(service: &Service, (x, y): (f64, f64), findings: &BTreeMap<String, usize>) -> NodeView {
    let kind = match service.kind {
        NodeKind::External => "outside party".to_owned(),
        NodeKind::Resource => "resource".to_owned(),
        NodeKind::Service => service
            .tier
            .map_or_else(|| "tier unknown".to_owned(), |tier| format!("tier {tier}")),
    };
    let note = match findings.get(service.id.as_str()) {
        Some(number) => format!("{kind} · {}", count(*number, "finding", "findings")),
        None => kind,
    };
    let class = match (service.kind, service.tier) {
        (NodeKind::External, _) => "external".to_owned(),
        (NodeKind::Resource, _) => "resource".to_owned(),
        (NodeKind::Service, Some(tier)) => format!("tier{}", tier.min(3)),
        (NodeKind::Service, None) => "tierless".to_owned(),
    };
    let classes = service.data_classes.iter().flatten();
    let cardholder = classes.into_iter().any(|class| class == "cardholder");
    let name = clean(&service.name);
    NodeView {
        id: service.id.0.clone(),
        x: x - NODE.0 / 2.0,
        y: y - NODE.1 / 2.0,
        class,
        full: format!("{name}: {note}"),
        name: shorten(&name, MAX_NAME),
        note,
        badge: cardholder.then(|| "cardholder".to_owned()),
        mark: None,
        mark_width: 0.0,
        shape: service.kind,
        base: if service.kind == NodeKind::Resource { 28 } else { 22 },
    }
}

/// An edge as a curve that leaves and arrives level, with its arrowhead.
fn line(edge: &Edge, from: (f64, f64), to: (f64, f64)) -> EdgeView {
    // +1 when the provider stands to the right, as it does except in cycles.
    let side = if to.0 >= from.0 { 1.0 } else { -1.0 };
    let (x1, y1) = (from.0 + side * NODE.0 / 2.0, from.1);
    let (x2, y2) = (to.0 - side * (NODE.0 / 2.0 + 1.0), to.1);
    let bend = ((x2 - x1).abs() / 2.0).max(24.0) * side;
    let tip = side * 8.0;
    EdgeView {
        from: edge.from.0.clone(),
        to: edge.to.0.clone(),
        class: match (edge.kind, edge.basis) {
            (_, EdgeBasis::Observed) => "observed".to_owned(),
            (EdgeKind::Event, _) => "event".to_owned(),
            _ => "call".to_owned(),
        },
        full: clean(&format!("{} relies on {}: {}", edge.from, edge.to, how(edge))),
        line: format!(
            "M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {:.1} {y2:.1}",
            x1 + bend,
            x2 - bend,
            x2 - tip
        ),
        head: format!("M{x2:.1} {y2:.1}l{:.1} -4.5v9z", -tip),
    }
}

/// An edge's kind and what it rests on, for people: `http, declared and observed`.
#[must_use]
pub fn how(edge: &Edge) -> String {
    let kind = match edge.kind {
        EdgeKind::Http => "http",
        EdgeKind::Grpc => "grpc",
        EdgeKind::Event => "event",
        EdgeKind::Database => "database",
        EdgeKind::Library => "library",
        EdgeKind::Deploy => "deploy",
        EdgeKind::Unspecified => "kind not said",
    };
    let basis = match edge.basis {
        EdgeBasis::Declared => "declared",
        EdgeBasis::Observed => "observed only",
        EdgeBasis::Both => "declared and observed",
    };
    format!("{kind}, {basis}")
}

/// Centres of all nodes, and the size of the picture.
fn place(nodes: usize, edges: &BTreeSet<(usize, usize)>) -> (Vec<(f64, f64)>, f64, f64) {
    let linked: BTreeSet<usize> = edges.iter().flat_map(|(from, to)| [*from, *to]).collect();
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    // Layers run from left to right here and from top to bottom there: width and height swap.
    let vertices: Vec<(u32, (f64, f64))> = linked
        .iter()
        .map(|node| (number(*node), (NODE.1, NODE.0 + GAP.1 - GAP.0)))
        .collect();
    let arcs: Vec<(u32, u32)> = without_cycles(nodes, edges)
        .into_iter()
        .map(|(from, to)| (number(from), number(to)))
        .collect();
    let config = Config {
        vertex_spacing: GAP.0,
        ..Config::default()
    };
    let order: Vec<usize> = linked.iter().copied().collect();
    let mut parts: Vec<Vec<(usize, f64, f64)>> = rust_sugiyama::from_vertices_and_edges(&vertices, &arcs, &config)
        .into_iter()
        .map(|(part, ..)| {
            let placed = part.into_iter();
            // It answers with the position in `vertices`, not with the number given there.
            let mut part: Vec<_> = placed
                .filter_map(|(at, (across, along))| Some((*order.get(at)?, along, across)))
                .collect();
            part.sort_by_key(|(node, ..)| *node);
            part
        })
        .collect();
    parts.sort_by_key(|part| (std::cmp::Reverse(part.len()), part.first().map(|(node, ..)| *node)));

    let mut places = vec![(0.0, 0.0); nodes];
    let (mut width, mut top) = (0.0_f64, 0.0_f64);
    for part in parts {
        let left = part.iter().map(|(_, x, _)| *x).fold(f64::INFINITY, f64::min);
        let high = part.iter().map(|(.., y)| *y).fold(f64::INFINITY, f64::min);
        let mut bottom = top;
        for (node, x, y) in part {
            let centre = (x - left + NODE.0 / 2.0, y - high + NODE.1 / 2.0 + top);
            width = width.max(centre.0 + NODE.0 / 2.0);
            bottom = bottom.max(centre.1 + NODE.1 / 2.0);
            if let Some(place) = places.get_mut(node) {
                *place = centre;
            }
        }
        top = bottom + GAP.0;
    }
    for (at, node) in (0..nodes).filter(|node| !linked.contains(node)).enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "both are below MAX_NODES")]
        let (column, row) = ((at % LOOSE_PER_ROW) as f64, (at / LOOSE_PER_ROW) as f64);
        let centre = (
            column * (NODE.0 + GAP.0) + NODE.0 / 2.0,
            top + row * (NODE.1 + GAP.0) + NODE.1 / 2.0,
        );
        width = width.max(centre.0 + NODE.0 / 2.0);
        if let Some(place) = places.get_mut(node) {
            *place = centre;
        }
    }
    let height = places.iter().map(|(_, y)| y + NODE.1 / 2.0).fold(0.0, f64::max);
    (places, width, height)
}

/// The edges without those that close a cycle, so that the layers are well-defined. Catalogues may
/// hold cycles; the picture still draws every edge.
fn without_cycles(nodes: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for (from, to) in edges {
        if let Some(row) = next.get_mut(*from) {
            row.push(*to);
        }
    }
    let mut marks = vec![Mark::New; nodes];
    let mut kept = Vec::with_capacity(edges.len());
    for root in 0..nodes {
        // Depth first, with a stack of (node, next child): chains may be long.
        let mut stack = Vec::new();
        if marks.get(root) == Some(&Mark::New) {
            stack.push((root, 0));
        }
        while let Some((node, child)) = stack.pop() {
            if let Some(mark) = marks.get_mut(node) {
                *mark = Mark::Open;
            }
            let Some(to) = next.get(node).and_then(|row| row.get(child)).copied() else {
                if let Some(mark) = marks.get_mut(node) {
                    *mark = Mark::Done;
                }
                continue;
            };
            stack.push((node, child + 1));
            match marks.get(to) {
                Some(Mark::Open) => {}
                Some(Mark::New) => {
                    kept.push((node, to));
                    stack.push((to, 0));
                }
                _ => kept.push((node, to)),
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;
    use proptest::prelude::*;

    fn drawing() -> Drawing {
        Drawing::of(&samples::catalogue(), &BTreeMap::from([("payments".to_owned(), 2)])).unwrap()
    }

    #[test]
    fn every_service_and_edge_is_drawn_once() {
        let svg = drawing().svg("all", None).unwrap();
        for service in samples::catalogue().services {
            assert_eq!(
                svg.matches(&format!(">{}</text>", service.name)).count(),
                1,
                "{}",
                service.name
            );
        }
        assert_eq!(svg.matches("class=\"edge").count(), samples::catalogue().edges.len());
        assert!(svg.contains("2 findings") && svg.contains("cardholder"));
    }

    #[test]
    fn consumers_stand_left_of_their_providers() {
        let drawing = drawing();
        let x = |id: &str| drawing.nodes.iter().find(|node| node.id == id).unwrap().x;
        for edge in samples::catalogue().edges {
            assert!(
                x(edge.from.as_str()) < x(edge.to.as_str()),
                "{} -> {}",
                edge.from,
                edge.to
            );
        }
    }

    #[test]
    fn the_blast_radius_is_lit_and_the_rest_dimmed() {
        let item = samples::broken_contract();
        let svg = drawing().svg("x", item.blast.as_ref()).unwrap();
        assert_eq!(svg.matches(" target\"").count(), 1);
        assert_eq!(svg.matches(" hit\"").count(), 3);
        assert_eq!(svg.matches(" hot\"").count(), 3);
    }

    #[test]
    fn a_hostile_name_is_escaped() {
        let mut catalogue = samples::catalogue();
        catalogue.services[0].name = "<script>x</script>".to_owned();
        let svg = Drawing::of(&catalogue, &BTreeMap::new())
            .unwrap()
            .svg("x", None)
            .unwrap();
        assert!(!svg.contains("<script"));
    }

    #[test]
    fn a_file_of_its_own_is_xml_with_its_style_and_marks() {
        let mut catalogue = samples::catalogue();
        catalogue.services[0].name = "a & <b>".to_owned();
        let drawing = Drawing::of(&catalogue, &BTreeMap::new()).unwrap();
        let svg = drawing
            .marked(&BTreeMap::from([("payments", vec!["single point", "cycle"])]))
            .file()
            .unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        assert_eq!(
            document.root_element().tag_name().namespace(),
            Some("http://www.w3.org/2000/svg")
        );
        assert!(svg.contains("single point · cycle") && svg.contains("--t0:"));
    }

    #[test]
    fn a_service_that_only_an_edge_names_is_drawn_too() {
        let mut catalogue = samples::catalogue();
        catalogue.services.retain(|service| service.id.as_str() != "gateway");
        let drawing = Drawing::of(&catalogue, &BTreeMap::new()).unwrap();
        let gateway = drawing.nodes.iter().find(|node| node.id == "gateway").unwrap();
        assert_eq!(gateway.class, "tierless");
    }

    #[test]
    fn a_huge_estate_is_drawn_only_around_the_item() {
        let mut catalogue = samples::catalogue();
        let model = catalogue.services[0].clone();
        catalogue.services.extend((0..MAX_NODES).map(|number| Service {
            id: ServiceId(format!("filler-{number}")),
            ..model.clone()
        }));
        assert!(Drawing::of(&catalogue, &BTreeMap::new()).is_none());
        let item = samples::broken_contract();
        let part = Drawing::default()
            .for_item(&catalogue, item.blast.as_ref().unwrap())
            .unwrap();
        assert_eq!(part.nodes.len(), 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_graph_is_laid_out_without_overlap(
            nodes in 1_usize..24,
            edges in proptest::collection::btree_set((0_usize..24, 0_usize..24), 0..40),
        ) {
            let edges: BTreeSet<_> = edges.into_iter().filter(|(a, b)| a != b && *a < nodes && *b < nodes).collect();
            let (places, width, height) = place(nodes, &edges);
            for (at, a) in places.iter().enumerate() {
                prop_assert!(a.0 + NODE.0 / 2.0 <= width + 0.5 && a.1 + NODE.1 / 2.0 <= height + 0.5);
                for b in &places[at + 1..] {
                    let apart = (a.0 - b.0).abs() >= NODE.0 - 0.5 || (a.1 - b.1).abs() >= NODE.1 - 0.5;
                    prop_assert!(apart, "{a:?} {b:?}");
                }
            }
            prop_assert_eq!(places, place(nodes, &edges).0);
        }
    }
}
