//! All services at once, while edges change.

use super::*;

fn change(edge: &Edge, add: bool) -> EdgeChange {
    let (from, to, kind) = (edge.from.clone(), edge.to.clone(), edge.kind);
    if add {
        EdgeChange::Add { from, to, kind }
    } else {
        EdgeChange::Remove { from, to, kind }
    }
}

/// The same from the answers to single questions.
fn one_by_one(catalogue: &Catalogue) -> BTreeMap<ServiceId, Summary> {
    let graph = ServiceGraph::new(catalogue);
    let summary = |id: &ServiceId| {
        let blast = graph.blast_radius(id).unwrap();
        Summary {
            dependents: blast.dependents.len(),
            most_critical_tier: blast.most_critical_tier,
            reaches_customers: blast.reaches_customers,
            reaches_revenue: blast.reaches_revenue,
            exposed: graph.exposure(id).unwrap().exposed,
            in_cycle: blast.in_cycle,
        }
    };
    graph.index.keys().map(|id| (id.clone(), summary(id))).collect()
}

fn collected(summaries: &Summaries) -> BTreeMap<ServiceId, Summary> {
    summaries.iter().map(|(id, summary)| (id.clone(), summary)).collect()
}

/// Applies changes, and compares with what the changed catalogue gives each time.
fn follows(mut catalogue: Catalogue, changes: Vec<(bool, Edge)>) -> Result<(), TestCaseError> {
    let mut summaries = Summaries::new(&ServiceGraph::new(&catalogue)).unwrap();
    prop_assert_eq!(collected(&summaries), one_by_one(&catalogue));
    for (add, edge) in changes {
        // Edges don't take their ends along when they go.
        for id in all_ids(&catalogue) {
            if !catalogue.services.iter().any(|service| service.id == id) {
                catalogue
                    .services
                    .push(service(id.as_str(), NodeKind::Service, None, None));
            }
        }
        let same = |other: &Edge| (&other.from, &other.to, other.kind) == (&edge.from, &edge.to, edge.kind);
        if add {
            catalogue.edges.push(edge.clone());
        } else if let Some(at) = catalogue.edges.iter().position(same) {
            catalogue.edges.remove(at);
        }
        let before = collected(&summaries);
        let told: BTreeSet<ServiceId> = summaries
            .apply(&change(&edge, add))
            .unwrap()
            .into_iter()
            .cloned()
            .collect();
        let after = collected(&summaries);
        prop_assert_eq!(&after, &one_by_one(&catalogue), "{} {:?}", add, edge);
        for (id, summary) in &after {
            prop_assert!(before.get(id) == Some(summary) || told.contains(id), "{} changed", id);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]
    #[test]
    fn changes_one_by_one_give_what_computing_anew_gives(
        catalogue in catalogues(),
        changes in proptest::collection::vec((any::<bool>(), edges()), 0..24),
    ) {
        follows(catalogue, changes)?;
    }

    #[test]
    fn a_graph_that_is_taken_apart_edge_by_edge_is_right_all_the_time(catalogue in catalogues()) {
        let changes = catalogue.edges.iter().map(|edge| (false, edge.clone())).collect();
        follows(catalogue, changes)?;
    }
}

/// More than a word of bits, so that whole words come and go.
#[test]
fn a_large_cycle_opens_and_closes_again() {
    let name = |i: usize| format!("s{:03}", i % 300);
    let ring: Vec<Edge> = (0..300).map(|i| edge(&name(i), &name(i + 1))).collect();
    let catalogue = Catalogue {
        services: (0..300)
            .map(|i| service(&name(i), NodeKind::Service, Some(1), Some(i == 7)))
            .collect(),
        edges: ring
            .iter()
            .cloned()
            .chain([edge("s100", "s050"), edge("s200", "s210")])
            .collect(),
        conflicts: Vec::new(),
    };
    let changes = [0, 75, 120, 205]
        .into_iter()
        .flat_map(|i| [(false, ring[i].clone()), (true, ring[i].clone())]);
    let both = [
        (false, ring[20].clone()),
        (false, ring[60].clone()),
        (true, ring[20].clone()),
    ];
    follows(catalogue, changes.chain(both).collect()).unwrap();
}

/// Whose row has the size of a consumer's, which is in a cycle, must still be looked at after it.
#[test]
fn who_relies_on_a_cycle_loses_what_the_cycle_loses() {
    for (cycle, provider) in [("b", "a"), ("a", "b")] {
        let edges = [
            ("x", "y"),
            ("y", cycle),
            ("y", provider),
            (cycle, cycle),
            (cycle, provider),
        ];
        let catalogue = Catalogue {
            edges: edges.iter().map(|(from, to)| edge(from, to)).collect(),
            ..Catalogue::default()
        };
        follows(catalogue, vec![(false, edge("x", "y")), (true, edge("x", "y"))]).unwrap();
    }
}

#[test]
fn only_those_whose_answer_changes_are_told() {
    let mut summaries = Summaries::new(&ServiceGraph::new(&fintech())).unwrap();
    let admin = edge("admin", "ledger");
    assert_eq!(
        summaries.apply(&change(&admin, true)).unwrap(),
        [&ServiceId::from("ledger")]
    );
    assert_eq!(summaries.get(&"ledger".into()).unwrap().dependents, 4);
    assert!(summaries.apply(&change(&admin, true)).unwrap().is_empty());
    assert!(summaries.apply(&change(&admin, false)).unwrap().is_empty());
    assert_eq!(
        summaries.apply(&change(&admin, false)).unwrap(),
        [&ServiceId::from("ledger")]
    );
    assert!(summaries.apply(&change(&admin, false)).unwrap().is_empty());
}

#[test]
fn a_new_service_is_added_with_everything_unknown() {
    let mut summaries = Summaries::new(&ServiceGraph::new(&fintech())).unwrap();
    assert_eq!(summaries.get(&"mystery".into()), None);
    summaries.apply(&change(&edge("mystery", "admin"), true)).unwrap();
    let mystery = summaries.get(&"mystery".into()).unwrap();
    assert_eq!(
        (mystery.dependents, mystery.most_critical_tier, mystery.exposed),
        (0, None, None)
    );
    assert_eq!(summaries.get(&"admin".into()).unwrap().most_critical_tier, None);
}

#[test]
fn more_services_than_memory_holds_are_refused() {
    let catalogue = Catalogue {
        edges: (0..MAX_SUMMARISED)
            .map(|i| edge(&format!("s{i}"), &format!("s{}", i + 1)))
            .collect(),
        ..Catalogue::default()
    };
    let error = Summaries::new(&ServiceGraph::new(&catalogue)).unwrap_err();
    assert_eq!(error, TooManyServices(MAX_SUMMARISED + 1));
}
