//! What is asked of one service.

use super::*;
use holdpoint_schemas::service::EdgeKind;
use proptest::prelude::*;

mod exposure;
mod scope;
mod single_point;
mod summary;

fn service(id: &str, kind: NodeKind, tier: Option<u8>, customer_facing: Option<bool>) -> Service {
    Service {
        id: id.into(),
        name: id.to_uppercase(),
        kind,
        system: None,
        owner: None,
        tier,
        customer_facing,
        revenue_critical: None,
        data_classes: None,
        compliance_scopes: None,
        repo: None,
        path: String::new(),
        deployments: None,
        iac_addresses: vec![],
        source: "catalog-info.yaml".to_owned(),
        runtime: holdpoint_schemas::service::ServiceRuntime::default(),
    }
}

fn edge(from: &str, to: &str) -> Edge {
    Edge {
        from: from.into(),
        to: to.into(),
        kind: EdgeKind::Http,
        sources: vec![],
        basis: holdpoint_schemas::service::EdgeBasis::Declared,
    }
}

fn fintech() -> Catalogue {
    use NodeKind::{External, Service};
    Catalogue {
        services: vec![
            service("gateway", Service, Some(1), Some(true)),
            service("payments", Service, Some(0), Some(false)),
            service("ledger", Service, Some(0), Some(false)),
            service("admin", Service, Some(3), Some(false)),
            service("bank-partner", External, None, None),
        ],
        edges: vec![
            edge("gateway", "payments"),
            edge("bank-partner", "payments"),
            edge("payments", "ledger"),
        ],
        conflicts: Vec::new(),
    }
}

fn blast(catalogue: &Catalogue, id: &str) -> BlastRadius {
    ServiceGraph::new(catalogue).blast_radius(&id.into()).unwrap()
}

fn ids(ids: &[ServiceId]) -> Vec<&str> {
    ids.iter().map(ServiceId::as_str).collect()
}

#[test]
fn dependents_are_found_against_the_edges_with_their_path() {
    let blast = blast(&fintech(), "ledger");
    let found: Vec<(&str, Vec<&str>)> = blast.dependents.iter().map(|d| (d.id.as_str(), ids(&d.path))).collect();
    assert_eq!(
        found,
        [
            ("payments", vec!["ledger", "payments"]),
            ("bank-partner", vec!["ledger", "payments", "bank-partner"]),
            ("gateway", vec!["ledger", "payments", "gateway"]),
        ]
    );
    assert_eq!(blast.most_critical_tier, Some(0));
    assert_eq!(blast.reaches_customers, Some(true));
    assert!(!blast.in_cycle);
}

#[test]
fn a_service_that_nothing_depends_on_affects_only_itself() {
    let blast = blast(&fintech(), "admin");
    assert!(blast.dependents.is_empty());
    assert_eq!(
        (blast.most_critical_tier, blast.reaches_customers),
        (Some(3), Some(false))
    );
}

#[test]
fn an_outside_party_counts_as_a_customer_and_has_no_tier() {
    let mut catalogue = fintech();
    catalogue.edges.retain(|edge| edge.from.as_str() != "gateway");
    let blast = blast(&catalogue, "payments");
    assert_eq!(
        (blast.most_critical_tier, blast.reaches_customers),
        (Some(0), Some(true))
    );
}

#[test]
fn an_unknown_tier_or_exposure_anywhere_makes_the_sum_unknown() {
    let mut catalogue = fintech();
    catalogue.edges = vec![edge("mystery", "admin")];
    let graph = ServiceGraph::new(&catalogue);
    assert_eq!(graph.unknown_nodes(), [&ServiceId::from("mystery")]);
    let blast = graph.blast_radius(&"admin".into()).unwrap();
    assert_eq!((blast.most_critical_tier, blast.reaches_customers), (None, None));
    assert_eq!(blast.dependents[0].name, "mystery");
}

#[test]
fn one_known_customer_outweighs_unknown_exposure() {
    let mut catalogue = fintech();
    catalogue.edges.push(edge("mystery", "payments"));
    let blast = blast(&catalogue, "payments");
    assert_eq!(blast.reaches_customers, Some(true));
}

#[test]
fn cycles_end_and_are_told() {
    let mut catalogue = fintech();
    catalogue.edges.push(edge("ledger", "gateway"));
    let blast = blast(&catalogue, "ledger");
    assert!(blast.in_cycle);
    assert_eq!(blast.dependents.len(), 3);
    assert!(
        !ServiceGraph::new(&catalogue)
            .blast_radius(&"admin".into())
            .unwrap()
            .in_cycle
    );
}

#[test]
fn a_service_that_calls_itself_is_a_cycle_and_not_its_own_dependent() {
    let mut catalogue = fintech();
    catalogue.edges.push(edge("admin", "admin"));
    let blast = blast(&catalogue, "admin");
    assert!(blast.in_cycle && blast.dependents.is_empty());
}

#[test]
fn an_id_outside_the_graph_has_no_blast_radius_and_no_consumers() {
    let graph = ServiceGraph::new(&fintech());
    assert_eq!(graph.blast_radius(&"reports".into()), None);
    assert!(graph.consumers(&"reports".into()).is_empty());
}

#[test]
fn consumers_are_the_direct_edges_in_order() {
    let graph = ServiceGraph::new(&fintech());
    let from: Vec<&str> = graph
        .consumers(&"payments".into())
        .iter()
        .map(|edge| edge.from.as_str())
        .collect();
    assert_eq!(from, ["bank-partner", "gateway"]);
}

#[test]
fn a_chain_of_twenty_thousand_neither_overflows_the_stack_nor_spells_out_every_step() {
    let name = |i: usize| format!("s{i:06}");
    let catalogue = Catalogue {
        services: vec![],
        conflicts: vec![],
        edges: (0..20_000).map(|i| edge(&name(i + 1), &name(i))).collect(),
    };
    let blast = blast(&catalogue, "s000000");
    assert_eq!(blast.dependents.len(), 20_000);
    assert_eq!(blast.dependents[19_999].id.as_str(), "s020000");
    assert_eq!(blast.dependents[19_999].path.len(), MAX_PATH);
}

#[test]
fn revenue_stops_if_that_of_any_dependent_may_and_outside_parties_do_not_count() {
    let with = |critical: &[(&str, bool)]| {
        let mut catalogue = fintech();
        for service in &mut catalogue.services {
            service.revenue_critical = critical
                .iter()
                .find(|(id, _)| *id == service.id.as_str())
                .map(|(_, critical)| *critical);
        }
        blast(&catalogue, "ledger").reaches_revenue
    };
    assert_eq!(with(&[("gateway", true)]), Some(true));
    assert_eq!(
        with(&[("gateway", false), ("payments", false), ("ledger", false)]),
        Some(false)
    );
    assert_eq!(with(&[("gateway", false), ("payments", false)]), None);
    assert_eq!(with(&[]), None);
}

#[test]
fn nothing_is_more_critical_than_tier_0_whatever_is_unknown_beside_it() {
    let mut catalogue = fintech();
    catalogue.edges.push(edge("mystery", "payments"));
    assert_eq!(blast(&catalogue, "payments").most_critical_tier, Some(0));
    catalogue.edges.push(edge("mystery", "admin"));
    assert_eq!(blast(&catalogue, "admin").most_critical_tier, None);
}

#[test]
fn a_resource_is_as_critical_as_those_who_rely_on_it() {
    let mut catalogue = fintech();
    for id in ["admin-db", "unused-db"] {
        catalogue
            .services
            .push(service(id, NodeKind::Resource, None, Some(false)));
    }
    catalogue.services[3].revenue_critical = Some(false);
    catalogue.edges.push(edge("admin", "admin-db"));
    let used = blast(&catalogue, "admin-db");
    assert_eq!((used.most_critical_tier, used.reaches_revenue), (Some(3), Some(false)));
    let unused = blast(&catalogue, "unused-db");
    assert_eq!((unused.most_critical_tier, unused.reaches_revenue), (None, None));
    catalogue
        .services
        .push(service("stated-db", NodeKind::Resource, Some(1), None));
    assert_eq!(blast(&catalogue, "stated-db").most_critical_tier, Some(1));
}

#[test]
fn cycles_are_listed_by_id_and_a_service_that_calls_itself_is_one() {
    let mut catalogue = fintech();
    catalogue
        .edges
        .extend([edge("ledger", "payments"), edge("admin", "admin")]);
    let cycles = ServiceGraph::new(&catalogue).cycles();
    let cycles: Vec<Vec<&str>> = cycles.iter().map(|cycle| ids(cycle)).collect();
    assert_eq!(cycles, [vec!["admin"], vec!["ledger", "payments"]]);
    assert!(ServiceGraph::new(&fintech()).cycles().is_empty());
}

#[test]
fn providers_are_the_direct_edges_the_other_way() {
    let graph = ServiceGraph::new(&fintech());
    let to: Vec<&str> = graph
        .providers(&"payments".into())
        .iter()
        .map(|edge| edge.to.as_str())
        .collect();
    assert_eq!(to, ["ledger"]);
}

/// Graphs of a few nodes, cycles and parallel edges included, with all that can be said of a node.
fn catalogues() -> impl Strategy<Value = Catalogue> {
    let answer = || proptest::option::of(any::<bool>());
    let kind = prop_oneof![
        5 => Just(NodeKind::Service),
        1 => Just(NodeKind::Resource),
        1 => Just(NodeKind::External)
    ];
    let node = (
        kind,
        proptest::option::of(0_u8..4),
        answer(),
        answer(),
        answer(),
        any::<bool>(),
    );
    let nodes = proptest::collection::vec(node, 1..8);
    (nodes, proptest::collection::vec(edges(), 0..16)).prop_map(|(nodes, edges)| Catalogue {
        services: nodes
            .into_iter()
            .enumerate()
            .filter(|(_, (.., described))| *described)
            .map(|(at, (kind, tier, customers, revenue, internet, _))| {
                let mut service = service(&format!("s{at}"), kind, tier, customers);
                service.revenue_critical = revenue;
                service.runtime.internet_facing = internet;
                service
            })
            .collect(),
        edges,
        conflicts: Vec::new(),
    })
}

fn edges() -> impl Strategy<Value = Edge> {
    let kind = prop_oneof![3 => Just(EdgeKind::Http), 1 => Just(EdgeKind::Event)];
    (0_usize..8, 0_usize..8, kind).prop_map(|(from, to, kind)| Edge {
        kind,
        ..edge(&format!("s{from}"), &format!("s{to}"))
    })
}

/// All ids of a catalogue.
fn all_ids(catalogue: &Catalogue) -> BTreeSet<ServiceId> {
    let named = catalogue.edges.iter().flat_map(|edge| [&edge.from, &edge.to]);
    catalogue
        .services
        .iter()
        .map(|service| &service.id)
        .chain(named)
        .cloned()
        .collect()
}

/// Whether `from` relies on `to` through at least one edge that is allowed, by trying all.
fn relies(catalogue: &Catalogue, from: &ServiceId, to: &ServiceId, without: Option<&ServiceId>) -> bool {
    let mut reached = BTreeSet::new();
    loop {
        let before = reached.len();
        for edge in &catalogue.edges {
            if (edge.from == *from || reached.contains(&edge.from))
                && without.is_none_or(|without| edge.from != *without && edge.to != *without)
            {
                reached.insert(edge.to.clone());
            }
        }
        if reached.len() == before {
            return reached.contains(to);
        }
    }
}

proptest! {
    #[test]
    fn dependents_and_cycles_are_those_of_brute_force(catalogue in catalogues()) {
        let graph = ServiceGraph::new(&catalogue);
        for id in all_ids(&catalogue) {
            let blast = graph.blast_radius(&id).unwrap();
            let found: BTreeSet<&ServiceId> = blast.dependents.iter().map(|dependent| &dependent.id).collect();
            let all = all_ids(&catalogue);
            let expected: BTreeSet<&ServiceId> =
                all.iter().filter(|other| **other != id && relies(&catalogue, other, &id, None)).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(blast.in_cycle, relies(&catalogue, &id, &id, None));
            prop_assert_eq!(blast.in_cycle, graph.cycles().iter().flatten().any(|other| *other == id));
        }
    }
}
