//! Whether what the internet sends reaches a service.

use super::*;

/// `gateway → payments → ledger`, `bank-partner → payments`, `admin` alone; only the gateway is an entry.
fn estate() -> Catalogue {
    let mut catalogue = fintech();
    for service in &mut catalogue.services {
        service.runtime.internet_facing = Some(service.id.as_str() == "gateway");
    }
    catalogue
}

fn facing<'a>(catalogue: &'a mut Catalogue, id: &str) -> &'a mut Option<bool> {
    let service = catalogue.services.iter_mut().find(|service| service.id.as_str() == id);
    &mut service.unwrap().runtime.internet_facing
}

fn exposure(catalogue: &Catalogue, id: &str) -> (Option<bool>, Vec<String>) {
    let exposure = ServiceGraph::new(catalogue).exposure(&id.into()).unwrap();
    (exposure.exposed, exposure.path.into_iter().map(|id| id.0).collect())
}

fn path(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn the_way_from_the_entry_is_told() {
    let way = path(&["gateway", "payments", "ledger"]);
    assert_eq!(exposure(&estate(), "ledger"), (Some(true), way));
    assert_eq!(exposure(&estate(), "gateway"), (Some(true), path(&["gateway"])));
}

#[test]
fn what_no_entry_reaches_is_not_exposed() {
    assert_eq!(exposure(&estate(), "admin"), (Some(false), vec![]));
}

#[test]
fn a_possible_entry_leaves_it_unknown_unless_another_is_known() {
    let mut catalogue = estate();
    *facing(&mut catalogue, "payments") = None;
    assert_eq!(exposure(&catalogue, "ledger").0, Some(true));
    *facing(&mut catalogue, "gateway") = Some(false);
    assert_eq!(exposure(&catalogue, "ledger"), (None, path(&["payments", "ledger"])));
}

#[test]
fn an_outside_party_is_an_entry_if_customers_come_through_it_and_unknown_else() {
    let mut catalogue = estate();
    *facing(&mut catalogue, "gateway") = Some(false);
    assert_eq!(exposure(&catalogue, "ledger").0, Some(false));
    *facing(&mut catalogue, "bank-partner") = None;
    assert_eq!(exposure(&catalogue, "ledger").0, None);
    catalogue.services[4].customer_facing = Some(false);
    assert_eq!(exposure(&catalogue, "ledger").0, None);
    catalogue.services[4].customer_facing = Some(true);
    assert_eq!(
        exposure(&catalogue, "ledger"),
        (Some(true), path(&["bank-partner", "payments", "ledger"]))
    );
}

#[test]
fn a_service_that_no_catalogue_describes_may_be_an_entry() {
    let mut catalogue = estate();
    catalogue.edges.push(edge("mystery", "admin"));
    assert_eq!(exposure(&catalogue, "admin"), (None, path(&["mystery", "admin"])));
}

#[test]
fn who_subscribes_to_an_exposed_service_may_be_exposed() {
    let mut catalogue = estate();
    catalogue.edges.push(Edge {
        kind: EdgeKind::Event,
        ..edge("admin", "payments")
    });
    assert_eq!(
        exposure(&catalogue, "admin"),
        (None, path(&["gateway", "payments", "admin"]))
    );
    catalogue.edges.last_mut().unwrap().kind = EdgeKind::Http;
    assert_eq!(exposure(&catalogue, "admin").0, Some(false));
}

#[test]
fn an_id_outside_the_graph_has_no_exposure() {
    assert_eq!(ServiceGraph::new(&estate()).exposure(&"reports".into()), None);
}

#[test]
fn a_long_way_is_cut_and_ends() {
    let mut catalogue = estate();
    let name = |i: usize| {
        if i == 0 {
            "gateway".to_owned()
        } else {
            format!("s{i:06}")
        }
    };
    catalogue.edges = (0..20_000).map(|i| edge(&name(i), &name(i + 1))).collect();
    let (exposed, path) = exposure(&catalogue, "s020000");
    assert_eq!(
        (exposed, path.len(), path[0].as_str()),
        (Some(true), MAX_PATH, "gateway")
    );
}
