//! What the service graph of a large estate costs: 10,000 services and 50,000 edges, drawn freely (one
//! cycle holds nearly all of them: the worst case) and in layers without a cycle. `cargo bench -p
//! holdpoint-engine --bench graph` measures; the figures of one run are in `benches/figures/graph.json`.
//!
//! Each sample of a change takes another edge, so the slowest is that of the hardest of 500 edges.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that can't set up has nothing to measure"
)]

use std::cell::RefCell;
use std::hint::black_box;

use divan::Bencher;
use holdpoint_engine::graph::{EdgeChange, ServiceGraph, Summaries};
use holdpoint_schemas::service::{Catalogue, Edge, EdgeBasis, EdgeKind, NodeKind, Service, ServiceId, ServiceRuntime};

const SERVICES: usize = 10_000;
const EDGES: usize = 50_000;
/// Layers of the graph without a cycle: about as deep as calls go.
const LAYERS: usize = 10;

fn main() {
    divan::main();
}

/// Kinds of estates.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Drawn freely: nearly every service relies on every other.
    Cyclic,
    /// A service relies on services of deeper layers.
    Layered,
    /// One long cycle with 40,000 shortcuts forwards: without one of its edges, the cycle may be gone.
    Ring,
}

const SHAPES: [Shape; 3] = [Shape::Cyclic, Shape::Layered, Shape::Ring];

#[divan::bench(args = SHAPES)]
fn build_the_graph(bencher: Bencher<'_, '_>, shape: Shape) {
    let catalogue = catalogue(shape);
    bencher.bench(|| ServiceGraph::new(&catalogue));
}

#[divan::bench(args = SHAPES)]
fn all_blast_radii(bencher: Bencher<'_, '_>, shape: Shape) {
    let graph = ServiceGraph::new(&catalogue(shape));
    bencher.bench(|| Summaries::new(&graph).unwrap());
}

#[divan::bench(args = SHAPES, sample_count = 500, sample_size = 1)]
fn one_edge_removed(bencher: Bencher<'_, '_>, shape: Shape) {
    let edges = catalogue(shape).edges;
    let state = RefCell::new((Summaries::new(&ServiceGraph::new(&catalogue(shape))).unwrap(), None));
    let mut picks = (0..)
        .step_by(edges.len() / 501)
        .map(|at| edges[at % edges.len()].clone());
    bencher
        .with_inputs(|| {
            let (summaries, removed) = &mut *state.borrow_mut();
            if let Some(edge) = removed.take() {
                summaries.apply(&add(&edge)).unwrap();
            }
            let edge = picks.next().unwrap();
            *removed = Some(edge.clone());
            remove(&edge)
        })
        .bench_local_values(|change| black_box(state.borrow_mut().0.apply(&change).unwrap().len()));
}

#[divan::bench(args = SHAPES, sample_count = 500, sample_size = 1)]
fn one_edge_added(bencher: Bencher<'_, '_>, shape: Shape) {
    let edges = catalogue(shape).edges;
    let summaries = RefCell::new(Summaries::new(&ServiceGraph::new(&catalogue(shape))).unwrap());
    let mut picks = (0..)
        .step_by(edges.len() / 501)
        .map(|at| edges[at % edges.len()].clone());
    bencher
        .with_inputs(|| {
            let edge = picks.next().unwrap();
            summaries.borrow_mut().apply(&remove(&edge)).unwrap();
            add(&edge)
        })
        .bench_local_values(|change| black_box(summaries.borrow_mut().apply(&change).unwrap().len()));
}

/// The hardest removals: of services whose only edge it is, so that all they rely on loses one dependent.
#[divan::bench(sample_count = 100, sample_size = 1)]
fn the_only_edge_of_a_root_removed_from_layers(bencher: Bencher<'_, '_>) {
    let mut catalogue = catalogue(Shape::Layered);
    let roots = (0..101).map(|n| edge(format!("root-{n}"), service_id(n)));
    let roots: Vec<Edge> = roots.collect();
    catalogue.edges.extend(roots.iter().cloned());
    let summaries = RefCell::new(Summaries::new(&ServiceGraph::new(&catalogue)).unwrap());
    let mut picks = roots.iter().map(remove);
    bencher
        .with_inputs(|| picks.next().unwrap())
        .bench_local_values(|change| black_box(summaries.borrow_mut().apply(&change).unwrap().len()));
}

#[divan::bench(args = SHAPES)]
fn all_single_points_of_failure(bencher: Bencher<'_, '_>, shape: Shape) {
    let graph = ServiceGraph::new(&catalogue(shape));
    bencher
        .with_inputs(|| graph.clone())
        .bench_values(|graph| graph.single_points_of_failure());
}

fn add(edge: &Edge) -> EdgeChange {
    EdgeChange::Add {
        from: edge.from.clone(),
        to: edge.to.clone(),
        kind: edge.kind,
    }
}

fn remove(edge: &Edge) -> EdgeChange {
    EdgeChange::Remove {
        from: edge.from.clone(),
        to: edge.to.clone(),
        kind: edge.kind,
    }
}

/// The same on every run.
fn catalogue(shape: Shape) -> Catalogue {
    let mut draw = Draw(1);
    let ends = |at: usize, draw: &mut Draw| match shape {
        Shape::Cyclic => {
            let from = draw.below(SERVICES);
            (from, (from + 1 + draw.below(SERVICES - 1)) % SERVICES)
        }
        Shape::Layered => {
            let size = SERVICES / LAYERS;
            let from = draw.below(SERVICES - size);
            let next = (from / size + 1) * size;
            // Mostly to the next layer, sometimes further down.
            let to = match draw.below(5) {
                0 => next + draw.below(SERVICES - next),
                _ => next + draw.below(size),
            };
            (from, to)
        }
        Shape::Ring if at < SERVICES => (at, (at + 1) % SERVICES),
        Shape::Ring => {
            let from = draw.below(SERVICES - 20);
            (from, from + 2 + draw.below(18))
        }
    };
    Catalogue {
        edges: (0..EDGES)
            .map(|at| ends(at, &mut draw))
            .map(|(from, to)| edge(service_id(from).0, service_id(to)))
            .collect(),
        services: (0..SERVICES).map(service).collect(),
        conflicts: Vec::new(),
    }
}

fn edge(from: String, to: ServiceId) -> Edge {
    Edge {
        from: ServiceId(from),
        to,
        kind: EdgeKind::Http,
        sources: vec!["generated".to_owned()],
        basis: EdgeBasis::Declared,
    }
}

fn service_id(number: usize) -> ServiceId {
    ServiceId(format!("service-{number:05}"))
}

fn service(number: usize) -> Service {
    let id = service_id(number);
    Service {
        name: id.0.clone(),
        id,
        kind: NodeKind::Service,
        system: None,
        owner: None,
        tier: Some(1 + u8::try_from(number % 3).unwrap()),
        customer_facing: Some(number.is_multiple_of(100)),
        revenue_critical: Some(number.is_multiple_of(50)),
        data_classes: None,
        compliance_scopes: None,
        repo: None,
        path: String::new(),
        deployments: None,
        iac_addresses: Vec::new(),
        source: "generated".to_owned(),
        runtime: ServiceRuntime {
            internet_facing: Some(number.is_multiple_of(200)),
            ..ServiceRuntime::default()
        },
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small numbers that are the same on every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 32).unwrap() % limit
    }
}
