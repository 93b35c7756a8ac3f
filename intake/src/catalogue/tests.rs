use super::*;

const PAYMENTS: &str = r#"apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payments
  title: Payments API
  annotations:
    holdpoint.dev/tier: "0"
    holdpoint.dev/customer-facing: "false"
    holdpoint.dev/data-classes: cardholder, pii
    holdpoint.dev/repo: payments
    holdpoint.dev/deployments: production=main,staging=develop
    holdpoint.dev/iac-addresses: aws_db_instance.payments
spec:
  type: service
  owner: group:default/pay-team
  system: money
  providesApis: [payments-api, payments-events]
  dependsOn: ["resource:payments-db", "component:default/ledger"]
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: payments-api}
spec: {type: openapi}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: payments-events}
spec: {type: asyncapi}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: payments-db}
spec: {type: database}
"#;

const OTHERS: &str = r#"apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Gateway
  annotations: {holdpoint.dev/data-classes: none}
spec:
  consumesApis: [payments-api, fx-api]
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: bank-partner
  annotations: {holdpoint.dev/external: "true"}
spec:
  consumesApis: [api:payments-events]
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: pay-team}
---
"#;

fn entity(annotations: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: a\n  annotations:\n    {annotations}\n"
    )
}

#[test]
fn components_resources_and_externals_become_services() {
    let catalogue = read_catalogue(&[("p.yaml", PAYMENTS), ("o.yaml", OTHERS)]).unwrap();
    let ids: Vec<&str> = catalogue.services.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["bank-partner", "gateway", "payments", "payments-db"]);
    let payments = &catalogue.services[2];
    assert_eq!(
        (payments.name.as_str(), payments.tier, payments.customer_facing),
        ("Payments API", Some(0), Some(false))
    );
    assert_eq!(payments.owner.as_deref(), Some("pay-team"));
    assert_eq!(payments.data_classes.as_ref().unwrap().len(), 2);
    assert_eq!(payments.deployments.as_ref().unwrap()[1].branch, "develop");
    assert_eq!(payments.iac_addresses, ["aws_db_instance.payments"]);
    assert_eq!(payments.source, "p.yaml");
    assert_eq!(catalogue.services[0].kind, NodeKind::External);
    assert_eq!(catalogue.services[3].kind, NodeKind::Resource);
}

#[test]
fn a_missing_annotation_is_unknown_and_none_is_a_statement() {
    let catalogue = read_catalogue(&[("o.yaml", OTHERS)]).unwrap();
    let (bank, gateway) = (&catalogue.services[0], &catalogue.services[1]);
    assert_eq!(
        (bank.tier, bank.customer_facing, &bank.data_classes, &bank.deployments),
        (None, None, &None, &None)
    );
    assert_eq!(gateway.data_classes, Some(BTreeSet::new()));
}

#[test]
fn words_of_a_set_are_compared_without_case() {
    let read = |annotation| {
        let mut catalogue = read_catalogue(&[("a.yaml", &entity(annotation))]).unwrap();
        catalogue.services.remove(0)
    };
    let service = read("holdpoint.dev/compliance-scopes: PCI-DSS, sox");
    assert_eq!(
        service.compliance_scopes,
        Some(BTreeSet::from(["pci-dss".to_owned(), "sox".to_owned()]))
    );
    let service = read("holdpoint.dev/data-classes: Cardholder");
    assert_eq!(service.data_classes, Some(BTreeSet::from(["cardholder".to_owned()])));
    assert_eq!(service.compliance_scopes, None);
}

#[test]
fn edges_go_from_consumer_to_provider_with_their_kind() {
    let catalogue = read_catalogue(&[("p.yaml", PAYMENTS), ("o.yaml", OTHERS)]).unwrap();
    let edges: Vec<(&str, &str, EdgeKind)> = catalogue
        .edges
        .iter()
        .map(|e| (e.from.as_str(), e.to.as_str(), e.kind))
        .collect();
    assert_eq!(
        edges,
        [
            ("bank-partner", "payments", EdgeKind::Event),
            ("gateway", "api:fx-api", EdgeKind::Unspecified),
            ("gateway", "payments", EdgeKind::Http),
            ("payments", "ledger", EdgeKind::Unspecified),
            ("payments", "payments-db", EdgeKind::Database),
        ]
    );
    assert_eq!(catalogue.edges[0].sources, ["o.yaml"]);
}

#[test]
fn a_service_that_is_there_twice_names_both_files() {
    let error = read_catalogue(&[("p.yaml", PAYMENTS), ("q.yaml", PAYMENTS)]).unwrap_err();
    let error = error.source_error().unwrap();
    assert_eq!(
        error.one_line(),
        "q.yaml:4:9: the service `payments` is also in `p.yaml`"
    );
    assert!(error.help.is_some());
}

#[test]
fn wrong_annotations_are_refused_at_their_place() {
    for (annotation, column) in [
        ("holdpoint.dev/tier: \"7\"", 25),
        ("holdpoint.dev/customer-facing: \"maybe\"", 36),
        ("holdpoint.dev/data-classes: \"none, pii\"", 33),
        ("holdpoint.dev/data-classes: \"\"", 33),
        ("holdpoint.dev/compliance-scopes: \"\"", 38),
        ("holdpoint.dev/deployments: production", 32),
        ("holdpoint.dev/path: ../x", 25),
        ("holdpoint.dev/replicas: \"-1\"", 29),
        ("holdpoint.dev/replicas: \"99999999999\"", 29),
        ("holdpoint.dev/update-strategy: \"blue\"", 36),
        ("holdpoint.dev/packages: left-pad", 29),
        ("holdpoint.dev/internet-facing: \"yes\"", 36),
        ("holdpoint.dev/teir: \"0\"", 25),
    ] {
        let error = read_catalogue(&[("c.yaml", &entity(annotation))]).unwrap_err();
        let error = error.source_error().unwrap();
        assert_eq!(error.position, Some((6, column)), "{annotation}: {}", error.message);
        assert!(error.help.is_some());
    }
}

#[test]
fn malformed_and_cut_off_catalogues_are_refused_with_a_line() {
    for text in [
        "kind: [",
        "apiVersion: 1\nkind: Component\nmetadata: {}\n",
        "kind: Component\n",
        "- a\n- b\n",
    ] {
        let error = read_catalogue(&[("c.yaml", text)]).unwrap_err();
        assert!(error.source_error().unwrap().position.is_some(), "{text}");
    }
    let error = read_catalogue(&[("c.yaml", &PAYMENTS.replace("name: payments\n", "name: a/b c\n"))]).unwrap_err();
    assert!(error.to_string().contains("isn't an entity's name"), "{error}");
}

#[test]
fn annotations_say_how_a_service_runs() {
    let annotations = r#"holdpoint.dev/internet-facing: "true"
    holdpoint.dev/replicas: "2"
    holdpoint.dev/update-strategy: recreate
    holdpoint.dev/image: acme/pay
    holdpoint.dev/images: acme/pay-worker, acme/pay-cron
    holdpoint.dev/packages: pkg:npm/pay"#;
    let catalogue = read_catalogue(&[("a.yaml", &entity(annotations))]).unwrap();
    let runtime = &catalogue.services[0].runtime;
    assert_eq!((runtime.internet_facing, runtime.replicas), (Some(true), Some(2)));
    assert_eq!(runtime.update_strategy.unwrap().as_str(), "recreate");
    assert_eq!(runtime.images, ["acme/pay", "acme/pay-worker", "acme/pay-cron"]);
    assert_eq!(runtime.packages, ["pkg:npm/pay"]);
}

#[test]
fn ten_thousand_services_with_fifty_thousand_edges_fit_in_one_file() {
    let mut text = String::new();
    for service in 0..10_000 {
        let uses: Vec<String> = (1..=5)
            .map(|step| format!("\"component:default/service-{}\"", (service + step * 7) % 10_000))
            .collect();
        let entity = entity("holdpoint.dev/tier: \"1\"").replace("name: a", &format!("name: service-{service}"));
        text += &format!(
            "{entity}spec:\n  type: service\n  owner: team\n  dependsOn: [{}]\n---\n",
            uses.join(", ")
        );
    }
    let catalogue = read_catalogue(&[("c.yaml", &text)]).unwrap();
    assert_eq!((catalogue.services.len(), catalogue.edges.len()), (10_000, 50_000));
}
