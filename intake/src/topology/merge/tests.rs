use super::super::part::{Authority, blank};
use super::*;
use holdpoint_schemas::service::{Deployment, Edge, EdgeBasis, EdgeKind, NodeKind, Service, UpdateStrategy};
use proptest::prelude::*;

fn part(authority: Authority, source: &str, services: Vec<Service>, pairs: &[(&str, &str, EdgeKind)]) -> Part {
    let basis = if authority == Authority::Observation {
        EdgeBasis::Observed
    } else {
        EdgeBasis::Declared
    };
    let edges = pairs.iter().map(|(from, to, kind)| Edge {
        from: ServiceId::from(*from),
        to: ServiceId::from(*to),
        kind: *kind,
        sources: vec![source.to_owned()],
        basis,
    });
    Part {
        format: "test",
        authority,
        catalogue: Catalogue {
            services,
            edges: edges.collect(),
            conflicts: Vec::new(),
        },
    }
}

fn service(id: &str, source: &str, change: impl FnOnce(&mut Service)) -> Service {
    let mut service = blank(ServiceId::from(id), source);
    change(&mut service);
    service
}

#[test]
fn of_different_statements_the_worse_is_taken_and_all_are_shown() {
    let one = service("pay", "catalogue.yaml", |s| {
        s.tier = Some(2);
        s.owner = Some("pay-team".to_owned());
        s.customer_facing = Some(false);
        s.runtime.replicas = Some(3);
        s.runtime.update_strategy = Some(UpdateStrategy::Rolling);
        s.data_classes = Some(["pii".to_owned()].into());
        s.name = "Payments".to_owned();
    });
    let other = service("pay", "k8s.yaml", |s| {
        s.tier = Some(0);
        s.owner = Some("ops".to_owned());
        s.customer_facing = Some(true);
        s.runtime.replicas = Some(1);
        s.runtime.update_strategy = Some(UpdateStrategy::Recreate);
        s.data_classes = Some(Default::default());
        s.runtime.internet_facing = Some(true);
    });
    let merged = merge(vec![
        part(Authority::Manifest, "k8s.yaml", vec![other], &[]),
        part(Authority::Catalogue, "catalogue.yaml", vec![one], &[]),
    ]);
    let pay = &merged.services[0];
    assert_eq!(
        (pay.name.as_str(), pay.tier, pay.owner.as_deref()),
        ("Payments", Some(0), None)
    );
    assert_eq!(pay.customer_facing, Some(true));
    assert_eq!(pay.runtime.replicas, Some(1));
    assert_eq!(pay.runtime.update_strategy, Some(UpdateStrategy::Recreate));
    assert_eq!(pay.data_classes, Some(["pii".to_owned()].into()));
    // What only one says is no conflict.
    assert_eq!(pay.runtime.internet_facing, Some(true));
    assert_eq!(pay.source, "catalogue.yaml, k8s.yaml");
    let fields: Vec<(&str, &str)> = merged
        .conflicts
        .iter()
        .map(|conflict| (conflict.field.as_str(), conflict.taken.as_str()))
        .collect();
    assert_eq!(
        fields,
        [
            ("customer-facing", "true"),
            ("data-classes", "pii"),
            ("owner", "unknown"),
            ("replicas", "1"),
            ("tier", "0"),
            ("update-strategy", "recreate"),
        ]
    );
    let owner = &merged.conflicts[2];
    assert_eq!(owner.values[0], ("catalogue.yaml".to_owned(), "pay-team".to_owned()));
}

#[test]
fn declared_and_observed_edges_are_told_apart_and_a_vague_one_joins_a_clear_one() {
    let nodes = |source: &str| ["a", "b", "c"].map(|id| service(id, source, |_| {})).to_vec();
    let declared = part(
        Authority::Manifest,
        "compose",
        nodes("compose"),
        &[("a", "b", EdgeKind::Unspecified), ("a", "c", EdgeKind::Http)],
    );
    let observed = part(
        Authority::Observation,
        "kiali",
        nodes("kiali"),
        &[("a", "b", EdgeKind::Http), ("b", "c", EdgeKind::Grpc)],
    );
    let merged = merge(vec![observed, declared]);
    let edges: Vec<(&str, &str, EdgeKind, EdgeBasis)> = merged
        .edges
        .iter()
        .map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.kind, edge.basis))
        .collect();
    assert_eq!(
        edges,
        [
            ("a", "b", EdgeKind::Http, EdgeBasis::Both),
            ("a", "c", EdgeKind::Http, EdgeBasis::Declared),
            ("b", "c", EdgeKind::Grpc, EdgeBasis::Observed),
        ]
    );
    assert_eq!(merged.edges[0].sources, ["compose", "kiali"]);
}

#[test]
fn nodes_are_one_by_address_image_or_iac_address_and_take_the_catalogues_name() {
    let catalogue = vec![
        service("payments", "c", |s| {
            s.runtime.images = vec!["acme/pay".to_owned()];
            s.iac_addresses = vec!["aws_db_instance.pay".to_owned()];
        }),
        service("ledger", "c", |s| s.runtime.addresses = vec!["ledger-svc".to_owned()]),
        service("left", "c", |s| s.runtime.images = vec!["acme/shared".to_owned()]),
        service("right", "c", |s| s.runtime.images = vec!["acme/shared".to_owned()]),
    ];
    let manifests = vec![
        service("pay", "k", |s| s.runtime.images = vec!["acme/pay".to_owned()]),
        service("ledger-svc", "k", |_| {}),
        service("third", "k", |s| s.runtime.images = vec!["acme/shared".to_owned()]),
    ];
    let plan = vec![service("aws_db_instance.pay", "t", |s| {
        s.kind = NodeKind::Resource;
        s.iac_addresses = vec!["aws_db_instance.pay".to_owned()];
    })];
    let edges = [
        ("pay", "ledger-svc", EdgeKind::Http),
        ("third", "payments", EdgeKind::Http),
    ];
    let merged = merge(vec![
        part(Authority::Infrastructure, "t", plan, &[]),
        part(Authority::Manifest, "k", manifests, &edges),
        part(Authority::Catalogue, "c", catalogue, &[]),
    ]);
    let ids: Vec<&str> = merged.services.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["ledger", "left", "payments", "right", "third"]);
    let edges: Vec<(&str, &str)> = merged.edges.iter().map(|e| (e.from.as_str(), e.to.as_str())).collect();
    assert_eq!(edges, [("payments", "ledger"), ("third", "payments")]);
}

#[test]
fn deployments_are_the_union_and_unknown_beside_known_is_known() {
    let at = |environment: &str, branch: &str| Deployment {
        environment: environment.to_owned(),
        branch: branch.to_owned(),
    };
    let one = service("a", "x", |s| s.deployments = Some(vec![at("production", "main")]));
    let two = service("a", "y", |s| s.deployments = Some(vec![at("production", "release")]));
    let three = service("a", "z", |_| {});
    let merged = merge(vec![
        part(Authority::Catalogue, "x", vec![one], &[]),
        part(Authority::Manifest, "y", vec![two], &[]),
        part(Authority::Observation, "z", vec![three], &[]),
    ]);
    assert_eq!(
        merged.services[0].deployments,
        Some(vec![at("production", "main"), at("production", "release")])
    );
    assert_eq!(merged.conflicts[0].field, "deployments");
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..])
}

prop_compose! {
    fn any_service()(
        id in name(),
        tier in prop::option::of(0u8..4),
        owner in prop::option::of(name()),
        open in prop::option::of(any::<bool>()),
        replicas in prop::option::of(0u32..4),
        address in prop::option::of(name()),
        image in prop::option::of(name()),
        resource in any::<bool>(),
    ) -> Service {
        service(id, "", |s| {
            s.tier = tier;
            s.owner = owner.map(str::to_owned);
            s.runtime.internet_facing = open;
            s.runtime.replicas = replicas;
            s.runtime.addresses = address.map(str::to_owned).into_iter().collect();
            s.runtime.images = image.map(|image| format!("acme/{image}")).into_iter().collect();
            if resource {
                s.kind = NodeKind::Resource;
            }
        })
    }
}

prop_compose! {
    fn any_part()(
        authority in prop::sample::select(&[Authority::Catalogue, Authority::Manifest, Authority::Observation][..]),
        source in name(),
        services in prop::collection::vec(any_service(), 0..4),
        edges in prop::collection::vec((name(), name()), 0..4),
    ) -> Part {
        let mut unique: BTreeMap<ServiceId, Service> = BTreeMap::new();
        for mut service in services {
            service.source = source.to_owned();
            unique.insert(service.id.clone(), service);
        }
        let edges: Vec<(&str, &str, EdgeKind)> =
            edges.into_iter().map(|(from, to)| (from, to, EdgeKind::Http)).collect();
        part(authority, source, unique.into_values().collect(), &edges)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_parts_says_nothing(
        (parts, shuffled) in prop::collection::vec(any_part(), 0..5)
            .prop_flat_map(|parts| (Just(parts.clone()), Just(parts).prop_shuffle()))
    ) {
        prop_assert_eq!(merge(parts), merge(shuffled));
    }

    #[test]
    fn a_part_more_never_makes_a_service_look_safer(
        parts in prop::collection::vec(any_part(), 1..4), more in any_part()
    ) {
        let before = merge(parts.clone());
        let mut all = parts;
        all.push(more);
        let after = merge(all);
        for service in &before.services {
            // A new part may show that two are one; the worst is then among all that are left.
            let worse = |test: &dyn Fn(&Service) -> bool| after.services.iter().any(test);
            if let Some(tier) = service.tier {
                prop_assert!(worse(&|s| s.tier.is_some_and(|t| t <= tier)));
            }
            if service.runtime.internet_facing == Some(true) {
                prop_assert!(worse(&|s| s.runtime.internet_facing == Some(true)));
            }
            if let Some(replicas) = service.runtime.replicas {
                prop_assert!(worse(&|s| s.runtime.replicas.is_some_and(|r| r <= replicas)));
            }
        }
    }
}
