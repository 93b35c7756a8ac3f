//! Who is cut off from what without a service.

use super::*;

fn with(edges: &[(&str, &str)]) -> Catalogue {
    Catalogue {
        services: vec![],
        edges: edges.iter().map(|(from, to)| edge(from, to)).collect(),
        conflicts: Vec::new(),
    }
}

fn point(catalogue: &Catalogue, id: &str) -> SinglePoint {
    ServiceGraph::new(catalogue)
        .single_point_of_failure(&id.into())
        .unwrap()
}

fn facing(id: &str, internet: Option<bool>, customers: Option<bool>) -> Service {
    let mut service = service(id, NodeKind::Service, None, customers);
    service.runtime.internet_facing = internet;
    service
}

#[test]
fn the_only_way_to_a_provider_is_one_and_says_for_whom() {
    let found = point(&with(&[("web", "api"), ("app", "api"), ("api", "db")]), "api");
    assert_eq!(found.single, Some(true));
    assert_eq!(
        (ids(&found.providers), ids(&found.consumers)),
        (vec!["db"], vec!["app", "web"])
    );
}

#[test]
fn one_of_two_ways_is_none() {
    let two = with(&[("web", "a"), ("web", "b"), ("a", "db"), ("b", "db")]);
    assert_eq!(point(&two, "a").single, Some(false));
    assert_eq!(point(&two, "b").single, Some(false));
}

#[test]
fn a_provider_that_relies_on_nothing_is_none() {
    assert_eq!(point(&with(&[("web", "db"), ("app", "db")]), "db").single, Some(false));
}

#[test]
fn an_entry_is_one_for_its_users_and_unknown_while_nobody_says_whether_it_has_any() {
    let mut catalogue = with(&[("web", "db")]);
    assert_eq!(point(&catalogue, "web").single, None);
    for (internet, customers, single) in [
        (Some(true), None, Some(true)),
        (None, Some(true), Some(true)),
        (Some(false), None, None),
        (Some(false), Some(false), Some(false)),
    ] {
        catalogue.services = vec![facing("web", internet, customers)];
        assert_eq!(point(&catalogue, "web").single, single);
    }
}

#[test]
fn a_second_way_in_from_the_internet_counts_only_if_it_is_known() {
    let mut catalogue = with(&[("web", "api"), ("api", "pay"), ("pay", "db")]);
    assert_eq!(ids(&point(&catalogue, "api").providers), ["db", "pay"]);
    catalogue.services = vec![facing("pay", Some(true), None)];
    assert_eq!(point(&catalogue, "api").single, Some(false));
}

#[test]
fn in_a_cycle_without_a_way_in_each_may_be_where_work_enters() {
    let found = point(&with(&[("a", "b"), ("b", "a"), ("b", "db")]), "b");
    assert_eq!((found.single, ids(&found.consumers)), (Some(true), vec!["a"]));
}

#[test]
fn a_consumer_that_comes_back_in_a_circle_is_not_cut_off() {
    let mut rooted = with(&[("cron", "job"), ("job", "db"), ("db", "job")]);
    rooted.services = vec![facing("cron", Some(false), Some(false))];
    let found = point(&rooted, "job");
    assert_eq!((found.single, ids(&found.consumers)), (Some(true), vec!["cron"]));
}

#[test]
fn all_are_listed_and_a_long_chain_neither_overflows_nor_hangs() {
    let name = |i: usize| format!("s{i:06}");
    let chain = Catalogue {
        services: vec![],
        edges: (0..20_000).map(|i| edge(&name(i), &name(i + 1))).collect(),
        conflicts: Vec::new(),
    };
    let graph = ServiceGraph::new(&chain);
    let all = graph.single_points_of_failure();
    assert_eq!((all.known.len(), ids(&all.unknown)), (19_999, vec!["s000000"]));
    assert_eq!(
        graph
            .single_point_of_failure(&"s010000".into())
            .unwrap()
            .providers
            .len(),
        10_000
    );
    assert_eq!(graph.single_point_of_failure(&"elsewhere".into()), None);
}

proptest! {
    #[test]
    fn it_is_what_cutting_a_service_out_shows(catalogue in catalogues()) {
        let graph = ServiceGraph::new(&catalogue);
        let all = all_ids(&catalogue);
        let known = |id: &ServiceId| catalogue.services.iter().find(|service| service.id == *id);
        let internet = |id: &ServiceId| known(id).and_then(|service| service.runtime.internet_facing);
        let enters = |id: &ServiceId| {
            internet(id) == Some(true)
                || all.iter().all(|other| !relies(&catalogue, other, id, None) || relies(&catalogue, id, other, None))
        };
        let entries: Vec<&ServiceId> = all.iter().filter(|id| enters(id)).collect();
        let reached = |to: &ServiceId, without: &ServiceId| {
            entries.iter().any(|entry| {
                *entry != without && (*entry == to || relies(&catalogue, entry, to, Some(without)))
            })
        };
        let listed = graph.single_points_of_failure();
        for id in &all {
            let point = graph.single_point_of_failure(id).unwrap();
            let cut: Vec<ServiceId> = all.iter().filter(|other| *other != id && !reached(other, id)).cloned().collect();
            prop_assert_eq!(&point.providers, &cut);
            let consumers: Vec<ServiceId> = all
                .iter()
                .filter(|other| {
                    !cut.is_empty() && *other != id && !cut.contains(other) && relies(&catalogue, other, id, None)
                })
                .cloned()
                .collect();
            prop_assert_eq!(&point.consumers, &consumers);
            for consumer in &consumers {
                for lost in &cut {
                    prop_assert!(relies(&catalogue, consumer, lost, None));
                    prop_assert!(!relies(&catalogue, consumer, lost, Some(id)));
                }
            }
            let outside = known(id).is_some_and(|service| service.kind == NodeKind::External);
            let customers = known(id).and_then(|service| service.customer_facing);
            let expected = match (internet(id), customers) {
                _ if cut.is_empty() => Some(false),
                _ if !consumers.is_empty() => Some(true),
                _ if outside => Some(false),
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
            prop_assert_eq!(point.single, expected);
            prop_assert_eq!(listed.known.contains(id), expected == Some(true));
            prop_assert_eq!(listed.unknown.contains(id), expected.is_none());
        }
    }
}
