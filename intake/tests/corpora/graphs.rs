//! Service graphs of other people's systems, as a careful reader draws them: consumer → providers.
//!
//! A dependency that a file declares (`depends_on`, `links`) is drawn, and so is an address, also one that stands
//! in a variable named for a service of the same file. Health checks of a service on itself aren't.

use holdpoint_intake::topology::{merge, read_topology};
use std::collections::BTreeSet;

use super::corpus;

/// File, and what it shows.
type Expected = (&'static str, &'static [(&'static str, &'static str)]);

const EXPECTED: &[Expected] = &[
    (
        "compose/ewolff_microservice.docker-compose.yml",
        &[
            ("eureka", ""),
            ("customer", "eureka"),
            ("catalog", "eureka"),
            ("order", "eureka"),
            ("zuul", "eureka"),
            ("turbine", "eureka"),
        ],
    ),
    (
        "compose/instana_robot-shop.docker-compose.yml",
        &[
            ("mongodb", ""),
            ("redis", ""),
            ("rabbitmq", ""),
            ("mysql", ""),
            ("catalogue", "mongodb"),
            ("user", "mongodb redis"),
            ("cart", "redis"),
            ("shipping", "mysql"),
            ("ratings", "mysql"),
            ("payment", "rabbitmq"),
            ("dispatch", "rabbitmq"),
            ("web", "catalogue user shipping payment"),
        ],
    ),
    (
        "compose/spring-petclinic_spring-petclinic-microservices.docker-compose.yml",
        &[
            ("config-server", ""),
            ("discovery-server", "config-server"),
            ("customers-service", "config-server discovery-server"),
            ("visits-service", "config-server discovery-server"),
            ("vets-service", "config-server discovery-server"),
            ("genai-service", "config-server discovery-server"),
            ("api-gateway", "config-server discovery-server"),
            ("admin-server", "config-server discovery-server"),
            ("tracing-server", ""),
            ("grafana-server", ""),
            ("prometheus-server", ""),
        ],
    ),
    (
        "otel-demo/compose.yaml",
        &[
            ("ad", "otel-collector flagd"),
            ("cart", "valkey-cart otel-collector flagd"),
            (
                "checkout",
                "cart currency email payment product-catalog shipping otel-collector flagd",
            ),
            ("currency", "otel-collector"),
            ("email", "otel-collector flagd"),
            (
                "frontend",
                "ad cart checkout currency product-catalog quote recommendation shipping otel-collector image-provider flagd",
            ),
            (
                "frontend-proxy",
                "frontend flagd-ui telemetry-docs otel-collector image-provider flagd",
            ),
            ("image-provider", "otel-collector"),
            ("load-generator", "frontend frontend-proxy flagd otel-collector"),
            ("payment", "otel-collector flagd"),
            ("product-catalog", "otel-collector flagd astronomy-db"),
            ("quote", "otel-collector"),
            ("recommendation", "product-catalog otel-collector flagd"),
            ("shipping", "otel-collector flagd quote"),
            ("flagd", "otel-collector"),
            ("flagd-ui", "otel-collector flagd"),
            ("telemetry-docs", "otel-collector"),
            ("astronomy-db", ""),
            ("valkey-cart", ""),
            // It probes the proxy and scrapes the two others.
            ("otel-collector", "frontend-proxy image-provider astronomy-db"),
        ],
    ),
    // The manifests say nothing of who calls whom; versions of `reviews` are one service.
    (
        "istio-bookinfo/bookinfo.yaml",
        &[("details", ""), ("ratings", ""), ("reviews", ""), ("productpage", "")],
    ),
    (
        "kiali/test_app_graph.expected",
        &[
            ("ingressgateway", "tcp productpage"),
            ("productpage", "details tcp reviews"),
            ("reviews", "deposit pricing ratings"),
            ("kiali-2412", ""),
            ("details", ""),
            ("tcp", ""),
            ("ratings", ""),
            ("deposit", ""),
            ("pricing", ""),
        ],
    ),
    (
        "kiali/test_app_node_graph.expected",
        &[
            ("ingressgateway", "productpage"),
            ("productpage", "details reviews tcp"),
            ("reviews", ""),
            ("details", ""),
            ("tcp", ""),
        ],
    ),
];

#[test]
fn graphs_are_what_a_careful_reader_draws() {
    let Some(corpora) = corpus("graphs") else { return };
    let mut wrong = Vec::new();
    for (file, expected) in EXPECTED {
        let bytes = std::fs::read(corpora.join(file)).unwrap();
        let topology = read_topology(&[(file, &bytes)]);
        assert!(topology.unreadable.is_empty(), "{file}: {:?}", topology.unreadable);
        assert!(topology.unknown.is_empty(), "{file}: {:?}", topology.unknown);
        let catalogue = merge(topology.parts);
        let ids: BTreeSet<&str> = catalogue.services.iter().map(|service| service.id.as_str()).collect();
        let wanted_ids: BTreeSet<&str> = expected.iter().map(|(id, _)| *id).collect();
        if ids != wanted_ids {
            wrong.push(format!("{file}: services {ids:?}, wanted {wanted_ids:?}"));
        }
        let found: BTreeSet<(&str, &str)> = catalogue
            .edges
            .iter()
            .map(|edge| (edge.from.as_str(), edge.to.as_str()))
            .collect();
        let wanted: BTreeSet<(&str, &str)> = expected
            .iter()
            .flat_map(|(from, to)| to.split_whitespace().map(|to| (*from, to)))
            .collect();
        let right = found.intersection(&wanted).count();
        println!(
            "{file}: {right} of {} edges drawn, {} wrong",
            wanted.len(),
            found.len() - right
        );
        wrong.extend(
            found
                .difference(&wanted)
                .map(|edge| format!("{file}: {edge:?} isn't there")),
        );
        wrong.extend(
            wanted
                .difference(&found)
                .map(|edge| format!("{file}: {edge:?} is missing")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
