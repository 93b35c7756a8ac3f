use super::*;
use holdpoint_schemas::service::{Catalogue, EdgeBasis, EdgeKind, NodeKind};
use proptest::prelude::*;

fn read(name: &str, text: &str) -> Topology {
    read_topology(&[(name, text.as_bytes())])
}

fn catalogue(name: &str, text: &str) -> Catalogue {
    let topology = read(name, text);
    assert!(
        topology.unreadable.is_empty() && topology.unknown.is_empty(),
        "{topology:?}"
    );
    merge(topology.parts)
}

fn edges(catalogue: &Catalogue) -> Vec<String> {
    let show = |edge: &holdpoint_schemas::service::Edge| format!("{} > {} {:?}", edge.from, edge.to, edge.kind);
    catalogue.edges.iter().map(show).collect()
}

fn kiali(nodes: &[&str], lines: &[(&str, &str)]) -> String {
    let nodes: Vec<String> = nodes.iter().map(|node| format!("{{\"data\":{node}}}")).collect();
    let lines: Vec<String> = lines
        .iter()
        .map(|(source, target)| {
            format!(
                "{{\"data\":{{\"source\":\"{source}\",\"target\":\"{target}\",\"traffic\":{{\"protocol\":\"http\"}}}}}}"
            )
        })
        .collect();
    format!(
        "{{\"elements\":{{\"nodes\":[{}],\"edges\":[{}]}}}}",
        nodes.join(","),
        lines.join(",")
    )
}

#[test]
fn kialis_services_between_apps_are_left_out() {
    let text = kiali(
        &[
            r#"{"id":"1","nodeType":"app","app":"web","namespace":"n"}"#,
            r#"{"id":"2","nodeType":"service","service":"pay-svc","namespace":"n"}"#,
            r#"{"id":"3","nodeType":"app","app":"pay","workload":"pay-v1","version":"v1","namespace":"n"}"#,
            r#"{"id":"4","nodeType":"workload","workload":"pay-v2","version":"v2","namespace":"n"}"#,
            r#"{"id":"5","nodeType":"service","service":"bank.example","namespace":"n","isServiceEntry":{"location":"MESH_EXTERNAL"}}"#,
            r#"{"id":"6","nodeType":"unknown","app":"unknown"}"#,
            r#"{"id":"7","nodeType":"service","service":"PassthroughCluster"}"#,
            r#"{"id":"8","nodeType":"aggregate","aggregate":"op","aggregateValue":"x","namespace":"n"}"#,
            r#"{"id":"9","nodeType":"service","service":"idle","namespace":"n"}"#,
            r#"{"id":"10","nodeType":"app","app":"lazy","namespace":"n","destServices":[{"namespace":"n","name":"idle"}]}"#,
        ],
        &[
            ("1", "2"),
            ("2", "8"),
            ("8", "3"),
            ("2", "4"),
            ("3", "5"),
            ("6", "1"),
            ("3", "7"),
            ("1", "9"),
        ],
    );
    let catalogue = catalogue("kiali.json", &text);
    assert_eq!(
        edges(&catalogue),
        ["pay > bank.example Http", "web > lazy Http", "web > pay Http"]
    );
    let find = |id: &str| catalogue.services.iter().find(|s| s.id.as_str() == id).unwrap();
    assert_eq!(find("bank.example").kind, NodeKind::External);
    assert_eq!(find("web").runtime.internet_facing, None);
    assert_eq!(catalogue.services.len(), 4);
    assert!(catalogue.edges.iter().all(|edge| edge.basis == EdgeBasis::Observed));
}

#[test]
fn kialis_graph_of_services_keeps_its_edges_and_loops_end() {
    let node = |id: &str| format!("{{\"id\":\"{id}\",\"nodeType\":\"service\",\"service\":\"s{id}\"}}");
    let nodes = ["1", "2", "3"].map(node);
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let text = kiali(&nodes, &[("1", "2"), ("2", "3"), ("3", "1"), ("1", "99")]);
    assert_eq!(
        edges(&catalogue("g.json", &text)),
        ["s1 > s2 Http", "s2 > s3 Http", "s3 > s1 Http"]
    );
    assert!(read("g.json", &text).skipped[0].contains("1 edges between nodes that aren't in the graph"));
    let aggregates = r#"{"id":"1","nodeType":"aggregate"}"#;
    let text = kiali(
        &[aggregates, r#"{"id":"2","nodeType":"aggregate"}"#],
        &[("1", "2"), ("2", "1")],
    );
    assert!(read("g.json", &text).parts.is_empty());
}

#[test]
fn traces_of_a_mesh_meet_the_manifests_of_its_services() {
    let manifest = "
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: web, image: x, env: [{name: CART, value: 'http://cart.shop:80'}]}]}
";
    let traces = r#"{"data":[{"parent":"web","child":"cart.shop","callCount":1}]}"#;
    let topology = read_topology(&[("k.yaml", manifest.as_bytes()), ("d.json", traces.as_bytes())]);
    let graph = merge(topology.parts);
    assert_eq!(edges(&graph), ["web > cart Http"]);
    assert_eq!(graph.edges[0].basis, EdgeBasis::Both);
    assert_eq!(graph.edges[0].sources, ["d.json", "k.yaml"]);
}

#[test]
fn dependencies_of_jaeger_and_zipkin_are_observed_edges() {
    let rows = r#"[{"parent":"Web","child":"cart","callCount":3},{"parent":"web","child":"web","callCount":1}]"#;
    let jaeger = catalogue("d.json", &format!("{{\"data\":{rows},\"total\":0}}"));
    assert_eq!(edges(&jaeger), ["web > cart Unspecified"]);
    assert_eq!(catalogue("d.json", rows).edges, jaeger.edges);
    assert_eq!(jaeger.edges[0].basis, EdgeBasis::Observed);
}

#[test]
fn service_graph_metrics_are_observed_edges() {
    let point = |client: &str, server: &str, kind: &str| {
        let attribute =
            |key: &str, value: &str| format!("{{\"key\":\"{key}\",\"value\":{{\"stringValue\":\"{value}\"}}}}");
        let all = [
            attribute("client", client),
            attribute("server", server),
            attribute("connection_type", kind),
        ];
        format!("{{\"attributes\":[{}],\"asInt\":\"3\"}}", all.join(","))
    };
    let points = [
        point("web", "orders", "database"),
        point("user", "web", "virtual_node"),
        point("web", "q", "messaging_system"),
    ];
    let metric = |name: &str| {
        format!(
            "{{\"name\":\"{name}\",\"sum\":{{\"dataPoints\":[{}]}}}}",
            points.join(",")
        )
    };
    let text = |name: &str| {
        format!(
            "{{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":[{}]}}]}}]}}",
            metric(name)
        )
    };
    let graph = catalogue("m.json", &text("traces_service_graph_request_total"));
    assert_eq!(edges(&graph), ["web > orders Database", "web > q Event"]);
    assert_eq!(graph.services[2].runtime.internet_facing, Some(true));
    assert!(read("m.json", &text("http_requests_total")).parts.is_empty());
    let prometheus =
        r#"{"status":"success","data":{"result":[{"metric":{"client":"a","server":"b"},"value":[0,"1"]}]}}"#;
    assert_eq!(edges(&catalogue("p.json", prometheus)), ["a > b Unspecified"]);
}

#[test]
fn a_terraform_plan_gives_resources_and_the_references_of_its_configuration() {
    let plan = r#"{"format_version":"1.2","planned_values":{"root_module":{
        "resources":[
          {"address":"aws_ecs_service.pay[0]","mode":"managed","type":"aws_ecs_service","values":{}},
          {"address":"aws_ecs_service.pay[1]","mode":"managed","type":"aws_ecs_service","values":{}},
          {"address":"aws_db_instance.main","mode":"managed","type":"aws_db_instance",
           "values":{"endpoint":"main.rds.example:5432","publicly_accessible":true,"password":"hunter2"}},
          {"address":"data.aws_ami.x","mode":"data","type":"aws_ami","values":{}}],
        "child_modules":[{"address":"module.q","resources":[
          {"address":"module.q.aws_sqs_queue.in[\"a.b\"]","mode":"managed","type":"aws_sqs_queue","values":{}},
          {"address":"module.q.aws_sqs_queue_policy.in","mode":"managed","type":"aws_sqs_queue_policy","values":{}}]}]}},
      "configuration":{"root_module":{
        "resources":[{"address":"aws_ecs_service.pay","mode":"managed","type":"aws_ecs_service","expressions":
          {"env":[{"value":{"references":["aws_db_instance.main.endpoint","aws_db_instance.main","var.x","data.aws_ami.x"]}}]}}],
        "module_calls":{"q":{"module":{"resources":[{"address":"aws_sqs_queue_policy.in","mode":"managed",
          "type":"aws_sqs_queue_policy","expressions":{"queue":{"references":["aws_sqs_queue.in[0].id"]}}}]}}}}}}"#;
    let graph = catalogue("plan.json", plan);
    assert_eq!(
        edges(&graph),
        [
            "aws_ecs_service.pay > aws_db_instance.main Database",
            "module.q.aws_sqs_queue_policy.in > module.q.aws_sqs_queue.in Event",
        ]
    );
    let database = &graph.services[0];
    assert_eq!(
        (database.kind, database.runtime.internet_facing),
        (NodeKind::Resource, Some(true))
    );
    assert_eq!(database.runtime.addresses, ["main.rds.example"]);
    assert_eq!(graph.services[1].iac_addresses.len(), 2);
    assert!(!format!("{graph:?}").contains("hunter2"));
    let state = r#"{"version":4,"terraform_version":"1.9","lineage":"x","resources":[
        {"module":"module.m","mode":"managed","type":"aws_s3_bucket","name":"b","instances":[{"index_key":"k","attributes":{}}]}]}"#;
    let graph = catalogue("terraform.tfstate", state);
    assert_eq!(graph.services[0].id.as_str(), "module.m.aws_s3_bucket.b");
    assert_eq!(graph.services[0].iac_addresses, ["module.m.aws_s3_bucket.b[\"k\"]"]);
}

#[test]
fn our_own_short_form_is_read_and_its_mistakes_are_refused() {
    let text = "
services:
  Checkout:
    name: Checkout
    tier: 0
    data-classes: [Cardholder]
    deployments: {production: main, staging: [develop, next]}
    update-strategy: recreate
    uses: [cart, {id: orders-db, kind: database}]
  cart:
";
    let graph = catalogue("services.yaml", text);
    assert_eq!(
        edges(&graph),
        ["checkout > cart Unspecified", "checkout > orders-db Database"]
    );
    let checkout = graph.services.iter().find(|s| s.id.as_str() == "checkout").unwrap();
    assert_eq!(
        (checkout.tier, checkout.deployments.as_ref().unwrap().len()),
        (Some(0), 3)
    );
    assert_eq!(checkout.data_classes, Some(["cardholder".to_owned()].into()));
    for wrong in [
        "services: {a: {tier: 7}}",
        "services: {a: {teir: 1, uses: []}}",
        "services: {a: {replicas: -1}}",
        "services: {a: {uses: [b]}, A: {}}",
        "services: {a: {uses: ['']}}",
        "services: {a: {tier: 1}, a: {tier: 2}}",
    ] {
        let topology = read("services.yaml", wrong);
        assert_eq!(topology.unreadable.len(), 1, "{wrong}");
        assert!(topology.unreadable[0].help.is_some());
    }
}

#[test]
fn a_malformed_catalogue_file_leaves_the_others() {
    let good =
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec: {dependsOn: [component:b]}\n";
    let bad = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: 'a b'}\n";
    let topology = read_topology(&[("bad.yaml", bad.as_bytes()), ("good.yaml", good.as_bytes())]);
    assert_eq!((topology.parts.len(), topology.unreadable.len()), (1, 1));
    assert_eq!(topology.unreadable[0].file(), "bad.yaml");
}

#[test]
fn what_is_no_graph_says_what_is_known() {
    for (name, text) in [
        ("a.json", "{\"a\":1}"),
        ("a.yaml", "a: 1\n"),
        ("a.json", "[]"),
        ("a.yaml", "- a\n"),
        ("a.yaml", ""),
    ] {
        let topology = read(name, text);
        assert_eq!(topology.unknown.len(), 1, "{text}");
        let help = topology.unknown[0].help.as_deref().unwrap();
        assert!(FORMATS.iter().all(|format| help.contains(format.id)), "{help}");
    }
}

/// One good file of each format.
const GOOD: [(&str, &str); 8] = [
    (
        "c.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a}\n",
    ),
    ("services.yaml", "services:\n  a: {tier: 1, uses: [b]}\n"),
    (
        "compose.yaml",
        "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x}\n",
    ),
    (
        "k.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: a}}\n",
    ),
    (
        "t.json",
        r#"{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"a.b","mode":"managed","type":"a"}]}}}"#,
    ),
    (
        "g.json",
        r#"{"elements":{"nodes":[{"data":{"id":"1","nodeType":"app","app":"a"}}],"edges":[]}}"#,
    ),
    ("d.json", r#"{"data":[{"parent":"a","child":"b","callCount":1}]}"#),
    (
        "p.json",
        r#"{"status":"success","data":{"result":[{"metric":{"client":"a","server":"b"}}]}}"#,
    ),
];

#[test]
fn every_format_has_a_good_file_here() {
    for (format, (name, text)) in FORMATS.iter().zip(GOOD) {
        let topology = read(name, text);
        assert_eq!(topology.parts.len(), 1, "{name}: {topology:?}");
        assert_eq!(topology.parts[0].format, format.id);
    }
    assert_eq!(FORMATS.len(), GOOD.len());
}

#[test]
fn cut_off_files_are_an_error_or_a_part_of_what_they_said_and_never_a_panic() {
    for (name, text) in GOOD {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let topology = read(name, &text[..end]);
            if name.ends_with(".json") && end > 0 {
                assert_eq!(topology.unreadable.len(), 1, "{name} at {end}");
                assert!(topology.unreadable[0].position.is_some());
            }
        }
        let topology = read_topology(&[(name, b"\xff\xfe{")]);
        assert_eq!(topology.unreadable.len(), 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_good_file_makes_it_panic(
        file in 0..GOOD.len(), at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 0..4)
    ) {
        let (name, text) = GOOD[file];
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + with.len()).min(bytes.len());
        bytes.splice(at..end, with);
        let topology = read_topology(&[(name, &bytes)]);
        // Whatever it is now, it is told.
        let told = topology.parts.len() + topology.unreadable.len() + topology.unknown.len();
        prop_assert!(told <= 1 && merge(topology.parts).conflicts.is_empty());
    }
}

#[test]
fn deep_repeated_and_swollen_files_are_refused() {
    let deep = format!("services: {}{}", "{a: ".repeat(2_000), "}".repeat(2_000));
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (this, before) in "bcdefghij".chars().zip("abcdefghi".chars()) {
        bomb += &format!("{this}: &{this} [{}]\n", vec![format!("*{before}"); 9].join(","));
    }
    let twice = "services:\n  a: {image: x}\n  a: {image: y}\n";
    let json = format!(
        "{{\"elements\":{{\"nodes\":{}{}}}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    for (name, text) in [
        ("compose.yaml", deep.as_str()),
        ("compose.yaml", bomb.as_str()),
        ("compose.yaml", twice),
        ("g.json", json.as_str()),
        ("compose.yaml", "a: b: c\n"),
        ("k.yaml", "apiVersion: {{ .Values.version }}\n"),
    ] {
        let topology = read(name, text);
        assert_eq!(
            topology.unreadable.len(),
            1,
            "{}",
            text.chars().take(60).collect::<String>()
        );
        assert!(topology.parts.is_empty());
    }
    let large = vec![b' '; MAX_TOPOLOGY_BYTES + 1];
    assert!(
        read_topology(&[("g.json", &large)]).unreadable[0]
            .message
            .contains("at most")
    );
}

#[test]
fn values_of_a_wrong_kind_are_passed_over() {
    for (name, text) in [
        (
            "compose.yaml",
            "services:\n  a: {image: [1], depends_on: 3, environment: 4, ports: {a: b}, deploy: [], links: {}, extends: 7, command: {}}\n",
        ),
        (
            "k.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: many, template: {metadata: {labels: [a]}, spec: {containers: {a: b}, volumes: 3}}}\n",
        ),
        ("k.yaml", "apiVersion: v1\nkind: List\nitems: {a: b}\n"),
        (
            "t.json",
            r#"{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"a.b","values":3},7]}},"configuration":{"root_module":[]}}"#,
        ),
        ("p.json", r#"{"status":3,"data":{"result":[{"metric":7},4]}}"#),
    ] {
        let topology = read(name, text);
        assert!(
            topology.unreadable.is_empty() && topology.unknown.is_empty(),
            "{name}: {topology:?}"
        );
    }
}

#[test]
fn a_mesh_of_ten_thousand_services_is_read() {
    let rows: Vec<String> = (0..50_000)
        .map(|row| {
            format!(
                "{{\"parent\":\"s{}\",\"child\":\"s{}\"}}",
                row % 10_000,
                (row * 7 + row / 10_000 + 1) % 10_000
            )
        })
        .collect();
    let graph = catalogue("d.json", &format!("{{\"data\":[{}]}}", rows.join(",")));
    assert_eq!(graph.services.len(), 10_000);
    assert!(graph.edges.len() > 49_000 && graph.edges.iter().all(|edge| edge.kind == EdgeKind::Unspecified));
}
