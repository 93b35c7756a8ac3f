//! The fintech estate's graph.

use holdpoint_schemas::service::{Catalogue, Deployment, Edge, EdgeKind, NodeKind, Service, ServiceId};
use std::collections::BTreeSet;

/// The fintech estate's graph.
pub fn catalogue() -> Catalogue {
    let service = |id: &str, kind, tier: Option<u8>, classes: Option<&[&str]>| Service {
        id: ServiceId::from(id),
        name: id.to_owned(),
        kind,
        system: Some("banking".to_owned()),
        owner: Some("team-a".to_owned()),
        tier,
        customer_facing: Some(id == "gateway"),
        revenue_critical: None,
        data_classes: classes.map(|words| words.iter().map(|w| (*w).to_owned()).collect::<BTreeSet<String>>()),
        compliance_scopes: None,
        repo: Some(id.to_owned()),
        path: String::new(),
        deployments: Some(vec![Deployment {
            environment: "production".to_owned(),
            branch: "main".to_owned(),
        }]),
        iac_addresses: Vec::new(),
        source: "catalog-info.yaml".to_owned(),
        runtime: holdpoint_schemas::service::ServiceRuntime::default(),
    };
    let edge = |from: &str, to: &str, kind| Edge {
        from: ServiceId::from(from),
        to: ServiceId::from(to),
        kind,
        sources: vec!["catalog-info.yaml".to_owned()],
        basis: holdpoint_schemas::service::EdgeBasis::Declared,
    };
    Catalogue {
        services: vec![
            service("gateway", NodeKind::Service, Some(1), Some(&[])),
            service("payments", NodeKind::Service, Some(0), Some(&["cardholder"])),
            service("accounts", NodeKind::Service, Some(1), Some(&["personal"])),
            service("ledger", NodeKind::Service, Some(0), Some(&[])),
            service("notifications", NodeKind::Service, Some(2), Some(&[])),
            service("fx-rates", NodeKind::Service, Some(2), Some(&[])),
            service("admin", NodeKind::Service, Some(3), Some(&[])),
            service("statements", NodeKind::Service, Some(2), None),
            service("platform", NodeKind::Service, Some(1), Some(&[])),
            service("bank-partner", NodeKind::External, None, None),
            service("ledger-db", NodeKind::Resource, None, None),
        ],
        edges: vec![
            edge("gateway", "payments", EdgeKind::Http),
            edge("gateway", "accounts", EdgeKind::Http),
            edge("bank-partner", "payments", EdgeKind::Http),
            edge("payments", "ledger", EdgeKind::Http),
            edge("payments", "fx-rates", EdgeKind::Http),
            edge("notifications", "payments", EdgeKind::Event),
            edge("ledger", "ledger-db", EdgeKind::Database),
        ],
        conflicts: Vec::new(),
    }
}
