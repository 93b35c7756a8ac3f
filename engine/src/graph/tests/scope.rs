//! Compliance scope along the graph.

use super::*;

fn scopes(stated: &[(&str, &[&str])], id: &str) -> ComplianceScopes {
    let mut catalogue = fintech();
    for service in &mut catalogue.services {
        let of = stated.iter().find(|(id, _)| *id == service.id.as_str());
        service.compliance_scopes = of.map(|(_, scopes)| scopes.iter().map(|scope| (*scope).to_owned()).collect());
    }
    ServiceGraph::new(&catalogue).compliance_scopes(&id.into()).unwrap()
}

const ALL: [(&str, &[&str]); 4] = [
    ("gateway", &[]),
    ("payments", &[]),
    ("ledger", &["pci-dss"]),
    ("admin", &[]),
];

#[test]
fn what_connects_to_a_service_in_scope_is_in_scope_in_either_direction_and_no_further() {
    assert_eq!(scopes(&ALL, "payments").contains("pci-dss"), Some(true));
    assert_eq!(scopes(&ALL, "gateway").contains("pci-dss"), Some(false));
    let upside_down: [(&str, &[&str]); 4] = [
        ("gateway", &["pci-dss"]),
        ("payments", &[]),
        ("ledger", &[]),
        ("admin", &[]),
    ];
    assert_eq!(scopes(&upside_down, "payments").contains("pci-dss"), Some(true));
    assert_eq!(scopes(&upside_down, "ledger").all(), Some(BTreeSet::new()));
}

#[test]
fn who_brings_it_in_is_told() {
    let found = scopes(&ALL, "payments");
    assert_eq!(found.known["pci-dss"], BTreeSet::from(["ledger".into()]));
    assert_eq!(found.all(), Some(BTreeSet::from(["pci-dss".to_owned()])));
}

#[test]
fn an_unknown_neighbour_leaves_it_unknown_unless_another_settles_it() {
    let found = scopes(&[("payments", &["soc-2"]), ("ledger", &["pci-dss"])], "payments");
    assert_eq!(found.unknown, BTreeSet::from(["gateway".into()]));
    assert_eq!(
        (found.contains("pci-dss"), found.contains("hipaa"), found.all()),
        (Some(true), None, None)
    );
}

#[test]
fn its_own_scope_counts_when_it_is_unknown() {
    assert_eq!(scopes(&[], "admin").contains("pci-dss"), None);
    assert_eq!(scopes(&[("admin", &[])], "admin").contains("pci-dss"), Some(false));
}

#[test]
fn an_outside_party_counts_only_where_something_is_said_of_it() {
    let mut stated = ALL.to_vec();
    stated[2] = ("ledger", &[]);
    assert_eq!(scopes(&stated, "payments").all(), Some(BTreeSet::new()));
    stated.push(("bank-partner", &["pci-dss"]));
    assert_eq!(scopes(&stated, "payments").contains("pci-dss"), Some(true));
}

#[test]
fn cardholder_data_brings_a_service_in_whatever_its_catalogue_says() {
    let mut catalogue = fintech();
    catalogue.services[2].compliance_scopes = Some(BTreeSet::new());
    catalogue.services[2].data_classes = Some(BTreeSet::from(["cardholder".to_owned()]));
    let graph = ServiceGraph::new(&catalogue);
    for id in ["ledger", "payments"] {
        assert_eq!(
            graph.compliance_scopes(&id.into()).unwrap().contains("pci-dss"),
            Some(true),
            "{id}"
        );
    }
}

#[test]
fn a_node_that_no_catalogue_describes_is_unknown_and_an_id_outside_the_graph_has_none() {
    let mut catalogue = fintech();
    catalogue.edges = vec![edge("mystery", "admin")];
    let graph = ServiceGraph::new(&catalogue);
    let found = graph.compliance_scopes(&"admin".into()).unwrap();
    assert!(found.unknown.contains(&"mystery".into()));
    assert_eq!(graph.compliance_scopes(&"reports".into()), None);
}
