use super::super::{merge, read_topology};
use holdpoint_schemas::service::{Catalogue, NodeKind, Service, UpdateStrategy};

fn catalogue(text: &str) -> Catalogue {
    let topology = read_topology(&[("k8s.yaml", text.as_bytes())]);
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

fn ids(catalogue: &Catalogue) -> Vec<&str> {
    catalogue.services.iter().map(|service| service.id.as_str()).collect()
}

fn service<'a>(catalogue: &'a Catalogue, id: &str) -> &'a Service {
    catalogue
        .services
        .iter()
        .find(|service| service.id.as_str() == id)
        .unwrap()
}

fn deployment(name: &str, labels: &str, spec: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n  template:\n    metadata: \
         {{labels: {{{labels}}}}}\n    spec:\n      containers:\n      - {{name: main, {container}}}\n---\n"
    )
}

fn front(name: &str, selector: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{{selector}}}{more}}}\n---\n"
    )
}

#[test]
fn workloads_are_called_what_a_reader_calls_them() {
    let text = [
        // Versions of one app.
        deployment("reviews-v1", "app: reviews, version: v1", "replicas: 1", "image: r"),
        deployment("reviews-v2", "app: reviews, version: v2", "replicas: 3", "image: r"),
        front("reviews", "app: reviews", ""),
        // One label for two services.
        deployment(
            "redis-leader",
            "app: redis, role: leader",
            "replicas: 1",
            "image: redis",
        ),
        deployment(
            "redis-follower",
            "app: redis, role: follower",
            "replicas: 1",
            "image: redis",
        ),
        front("redis-leader", "app: redis, role: leader", ""),
        front("redis-follower", "app: redis, role: follower", ""),
        // Two Services before one workload.
        deployment("frontend", "app: frontend", "replicas: 1", "image: f"),
        front("frontend", "app: frontend", ""),
        front("frontend-external", "app: frontend", ", type: LoadBalancer"),
        // No Service at all; a name that says its kind.
        deployment("loadgenerator", "app: loadgenerator", "replicas: 1", "image: l"),
        deployment("mailer-deployment", "tier: backend", "replicas: 1", "image: m"),
        // A Service whose pods are elsewhere.
        front("billing", "app: billing", ""),
    ]
    .concat();
    let catalogue = catalogue(&text);
    assert_eq!(
        ids(&catalogue),
        [
            "billing",
            "frontend",
            "loadgenerator",
            "mailer",
            "redis-follower",
            "redis-leader",
            "reviews"
        ]
    );
    assert_eq!(service(&catalogue, "reviews").runtime.replicas, Some(1));
    assert_eq!(service(&catalogue, "frontend").runtime.internet_facing, Some(true));
    assert_eq!(service(&catalogue, "redis-leader").kind, NodeKind::Resource);
    assert_eq!(
        service(&catalogue, "frontend").runtime.addresses,
        ["frontend", "frontend-external"]
    );
}

#[test]
fn addresses_in_variables_config_maps_and_arguments_are_drawn() {
    let env = r#"image: f, command: [sh, -c, "until nc queue:5672; do sleep 1; done"], args: ["--ads=$(ADS)"], env: [
        {name: CART_ADDR, value: "cart:7070"}, {name: ADS, value: "ads.shop.svc.cluster.local:9555"},
        {name: REDIS_HOST, valueFrom: {configMapKeyRef: {name: conf, key: redis}}},
        {name: IMAGE, value: "cart:7070"}, {name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: cart}}},
        {name: NOT_HERE_ADDR, value: "currency:7000"}, {name: SOME, value: "noservice:7000"},
        {name: SITE, value: "https://www.example.com"}, {name: SELF, value: "http://front:80"},
        {name: MYSQL_DB_HOST, value: mysqldb}, {name: STATSD_HOST, value: disabled}],
        envFrom: [{configMapRef: {name: all}}]"#;
    let text = [
        deployment("front", "app: front", "replicas: 2", env),
        front("front", "app: front", ""),
        front("cart", "app: cart", ""),
        front("cache", "app: cache", ""),
        front("queue", "app: queue", ""),
        front("mail", "app: mail", ""),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {redis: cache}\n---\n".to_owned(),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}\ndata: {MAIL_URL: 'http://mail:25'}\n---\n".to_owned(),
    ]
    .concat();
    assert_eq!(
        edges(&catalogue(&text)),
        [
            "front > ads Unspecified",
            "front > cache Unspecified",
            "front > cart Unspecified",
            "front > currency Unspecified",
            "front > mail Http",
            "front > mysqldb Unspecified",
            "front > queue Unspecified",
        ]
    );
}

#[test]
fn a_name_is_looked_up_in_its_own_namespace() {
    let text = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: db, namespace: other}, spec: {selector: {app: x}}}
- {apiVersion: v1, kind: Service, metadata: {name: ledger, namespace: other}, spec: {selector: {app: y}}}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: nightly, namespace: own}
  spec:
    jobTemplate:
      spec:
        template:
          spec:
            containers:
            - name: c
              image: x
              env:
              - {name: DB_HOST, value: db}
              - {name: LEDGER, value: 'http://ledger.other:80'}
              - {name: PEER_URL, value: 'http://kafka-0.kafka-headless.other.svc:9092'}
";
    assert_eq!(
        edges(&catalogue(text)),
        ["nightly > kafka-headless Http", "nightly > ledger Http"]
    );
}

#[test]
fn what_the_internet_reaches_is_told_in_every_form() {
    let text = [
        front("node", "app: node", ", type: NodePort"),
        front("plain", "app: plain", ", type: ClusterIP"),
        "apiVersion: v1\nkind: Service\nmetadata: {name: private, annotations: \
         {service.beta.kubernetes.io/aws-load-balancer-scheme: internal}}\nspec: {type: LoadBalancer}\n---\n"
            .to_owned(),
        front("ingress", "app: i", ""),
        front("route", "app: r", ""),
        front("mesh", "app: m", ""),
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {rules: [{http: {paths: [{path: /, \
         backend: {service: {name: ingress, port: {number: 80}}}}]}}]}\n---\n"
            .to_owned(),
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: h}\nspec: {parentRefs: [{name: \
         gw}], rules: [{backendRefs: [{name: route, port: 80}]}]}\n---\n"
            .to_owned(),
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {gateways: [gw], http: \
         [{route: [{destination: {host: mesh}}]}]}\n---\n"
            .to_owned(),
    ]
    .concat();
    let catalogue = catalogue(&text);
    let open: Vec<&str> = catalogue
        .services
        .iter()
        .filter(|service| service.runtime.internet_facing == Some(true))
        .map(|service| service.id.as_str())
        .collect();
    assert_eq!(open, ["ingress", "mesh", "node", "route"]);
    assert!(
        catalogue
            .services
            .iter()
            .all(|s| s.runtime.internet_facing != Some(false))
    );
}

#[test]
fn policies_between_named_workloads_are_edges_and_policies_on_zones_are_not() {
    let policy = |rules: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p}}\nspec: {{podSelector: \
             {{matchLabels: {{app: b}}}}, {rules}}}\n---\n"
        )
    };
    let text = [
        deployment("a", "app: a", "replicas: 1", "image: x"),
        deployment("b", "app: b", "replicas: 1", "image: x"),
        deployment("c", "app: c", "replicas: 1", "image: x"),
        policy("ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]"),
        policy("egress: [{to: [{podSelector: {matchLabels: {app: c}}}, {podSelector: {}}]}]"),
        policy("egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}]}]"),
    ]
    .concat();
    assert_eq!(edges(&catalogue(&text)), ["a > b Unspecified", "b > c Unspecified"]);
}

#[test]
fn replicas_and_strategy_are_the_apis_and_the_worse() {
    let text = [
        deployment("one", "app: one", "strategy: {type: Recreate}", "image: x"),
        deployment("two", "app: two", "replicas: 2", "image: x"),
        deployment("scaled", "app: scaled", "selector: {}", "image: x"),
        deployment(
            "tight",
            "app: tight",
            "strategy: {rollingUpdate: {maxSurge: 0}}",
            "image: x",
        ),
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {minReplicas: 4, \
         scaleTargetRef: {kind: Deployment, name: scaled}}\n---\n"
            .to_owned(),
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: store}\nspec: {replicas: 1, template: {spec: \
         {containers: [{name: c, image: x}]}}}\n---\n"
            .to_owned(),
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec: {template: {spec: {containers: \
         [{name: c, image: x}]}}}\n---\n"
            .to_owned(),
        deployment("wild", "app: wild", "replicas: 99999999999999999999", "image: x"),
    ]
    .concat();
    let catalogue = catalogue(&text);
    let runs = |id: &str| {
        let runtime = &service(&catalogue, id).runtime;
        (runtime.replicas, runtime.update_strategy)
    };
    assert_eq!(runs("one"), (Some(1), Some(UpdateStrategy::Recreate)));
    assert_eq!(runs("two"), (Some(2), Some(UpdateStrategy::Rolling)));
    assert_eq!(runs("tight"), (Some(1), Some(UpdateStrategy::Recreate)));
    assert_eq!(runs("scaled"), (Some(4), Some(UpdateStrategy::Rolling)));
    assert_eq!(runs("store"), (Some(1), Some(UpdateStrategy::Recreate)));
    assert_eq!(runs("agent"), (None, Some(UpdateStrategy::Rolling)));
    assert_eq!(runs("wild").0, None);
}

#[test]
fn an_external_name_is_a_party_outside() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: bank}\nspec: {type: ExternalName, externalName: \
                api.bank.example}\n";
    let catalogue = catalogue(text);
    assert_eq!(catalogue.services[0].kind, NodeKind::External);
    assert_eq!(catalogue.services[0].runtime.addresses, ["api.bank.example", "bank"]);
}

#[test]
fn ten_thousand_workloads_are_read() {
    // As `kubectl get -o json` writes them: YAML takes a debug build half a minute.
    let mut items = Vec::new();
    for at in 0..10_000 {
        let name = format!("s{at}");
        let labels = serde_json::json!({ "app": name });
        let env: Vec<serde_json::Value> = (1..=5)
            .map(|step| serde_json::json!({"name": format!("S{step}_URL"), "value": format!("http://s{}", (at + step * 7) % 10_000)}))
            .collect();
        let pod = serde_json::json!({"containers": [{"name": "main", "image": "x", "env": env}]});
        items.push(
            serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"template": {"metadata": {"labels": labels}, "spec": pod}}}),
        );
        items.push(
            serde_json::json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": labels}}),
        );
    }
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let topology = read_topology(&[("cluster.json", list.as_bytes())]);
    let catalogue = merge(topology.parts);
    assert_eq!((catalogue.services.len(), catalogue.edges.len()), (10_000, 50_000));
}
