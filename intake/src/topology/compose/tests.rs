use super::super::{Topology, merge, read_topology};
use holdpoint_schemas::service::{Catalogue, EdgeKind, NodeKind, UpdateStrategy};

fn read(files: &[(&str, &str)]) -> Topology {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let topology = read_topology(&files);
    assert!(
        topology.unreadable.is_empty() && topology.unknown.is_empty(),
        "{topology:?}"
    );
    topology
}

fn edges(files: &[(&str, &str)]) -> Vec<String> {
    let catalogue = merge(read(files).parts);
    let show = |edge: &holdpoint_schemas::service::Edge| format!("{} > {} {:?}", edge.from, edge.to, edge.kind);
    catalogue.edges.iter().map(show).collect()
}

fn catalogue(text: &str) -> Catalogue {
    merge(read(&[("compose.yaml", text)]).parts)
}

#[test]
fn every_form_of_a_declared_dependency_is_drawn() {
    let text = "
services:
  short: {image: a, depends_on: [db]}
  long: {image: a, depends_on: {db: {condition: service_healthy}}}
  linked: {image: a, links: ['db:database']}
  beside: {image: a, network_mode: 'service:short'}
  volumes: {image: a, volumes_from: ['db:ro', 'container:other']}
  db: {image: 'postgres:16'}
";
    assert_eq!(
        edges(&[("compose.yaml", text)]),
        [
            "beside > short Unspecified",
            "linked > db Database",
            "long > db Database",
            "short > db Database",
            "volumes > db Database",
        ]
    );
}

#[test]
fn addresses_in_variables_and_arguments_are_drawn_and_ones_own_are_not() {
    let text = r#"
services:
  order-service:
    image: ftgo/order
    environment:
      SPRING_DATASOURCE_URL: jdbc:mysql://mysql/orders
      EVENTUATELOCAL_KAFKA_BOOTSTRAP_SERVERS: kafka:29092
      CUSTOMER_URL: http://customer-service:8080
      SELF: http://order-service:8080
      CORS_ALLOWED_ORIGINS: http://web:3000
      MYSQL_DATABASE: mysql
  customer-service:
    image: ftgo/customer
    environment: ["ConnectionString=${AZURE_DB:-Server=mysql;Database=x}", "EventBus__Connection=${BUS:-rabbitmq}"]
  web:
    image: ftgo/web
    command: ["--backend=http://order-service:8080", "--cache", "cache:11211"]
    healthcheck: {test: "curl http://customer-service:8080"}
  worker: {build: ., command: "./wait-for-it.sh kafka:29092 -- celery -b redis://cache"}
  mysql: {image: "mysql:8"}
  kafka: {image: confluentinc/cp-kafka, environment: {KAFKA_ADVERTISED_LISTENERS: "PLAINTEXT://web:1,P://kafka:2"}}
  rabbitmq: {image: rabbitmq}
  cache: {image: memcached}
"#;
    assert_eq!(
        edges(&[("compose.yaml", text)]),
        [
            "customer-service > mysql Database",
            "customer-service > rabbitmq Event",
            "order-service > customer-service Http",
            "order-service > kafka Event",
            "order-service > mysql Database",
            "web > cache Database",
            "web > order-service Http",
            "worker > cache Database",
            "worker > kafka Event",
        ]
    );
}

#[test]
fn variables_come_from_env_files_and_are_read_by_their_names_without_them() {
    let text = "
services:
  a:
    image: x
    environment: [B_ADDR, 'URL=http://${C_HOST}:${C_PORT}', 'OTHER=$UNKNOWN_HOST']
    env_file: [./more.env]
  b: {image: x}
  c: {image: x}
  d: {image: x}
";
    let without = edges(&[("p/compose.yaml", text)]);
    assert_eq!(without, ["a > b Unspecified", "a > c Http"]);
    let with = edges(&[
        ("p/compose.yaml", text),
        ("p/.env", "C_HOST=d\nC_PORT=80\nB_ADDR=elsewhere.example:80\n"),
        ("p/more.env", "D_TARGET_URL=grpc://c:1\n"),
    ]);
    assert_eq!(with, ["a > c Grpc", "a > d Http"]);
}

#[test]
fn names_by_which_a_service_is_called_are_known() {
    let text = "
services:
  a: {image: x, environment: {U: 'http://front:80', V: 'http://bee:1', W: 'http://by-link:1'}, links: ['d:by-link']}
  b: {image: x, container_name: bee}
  c: {image: x, networks: {n: {aliases: [front]}}}
  d: {image: x}
  e: {image: x, environment: {W: 'http://by-link:1'}}
";
    let found = edges(&[("compose.yaml", text)]);
    assert_eq!(found, ["a > b Http", "a > c Http", "a > d Http"]);
}

#[test]
fn what_is_extended_and_what_is_repeated_is_read() {
    let text = "
x-env: &env {DB_URL: 'postgres://db/x'}
services:
  base: {image: x, environment: {<<: *env}}
  near: {extends: {service: base}}
  far: {extends: {file: ../common/base.yaml, service: remote}}
  circle: {extends: circle, depends_on: [near]}
  db: {image: postgres, profiles: [dev]}
";
    let common = "services:\n  remote: {image: x, environment: ['DB_HOST=db']}\n";
    assert_eq!(
        edges(&[("app/compose.yaml", text), ("common/base.yaml", common)]),
        [
            "base > db Database",
            "circle > near Unspecified",
            "far > db Database",
            "near > db Database",
        ]
    );
}

#[test]
fn how_services_run_is_told_and_what_nobody_says_is_unknown() {
    let text = "
services:
  open: {image: 'acme/open:1', ports: ['8080:80'], deploy: {replicas: 3, update_config: {order: start-first}}}
  long: {image: x, ports: [{target: 80, published: 8081}]}
  local: {image: x, ports: ['127.0.0.1:8082:80', '9090'], deploy: {replicas: 1}}
  inside: {image: x}
  wild: {image: x, deploy: {replicas: 99999999999999999999}}
  db: {image: '${REG}/postgres:16'}
";
    let catalogue = catalogue(text);
    let service = |id: &str| catalogue.services.iter().find(|s| s.id.as_str() == id).unwrap();
    let open = &service("open").runtime;
    assert_eq!((open.internet_facing, open.replicas), (Some(true), Some(3)));
    assert_eq!(open.update_strategy, Some(UpdateStrategy::Rolling));
    assert_eq!(open.images, ["acme/open"]);
    assert_eq!(service("long").runtime.internet_facing, Some(true));
    assert_eq!(service("local").runtime.internet_facing, None);
    assert_eq!(service("local").runtime.update_strategy, Some(UpdateStrategy::Recreate));
    assert_eq!(service("inside").runtime.replicas, None);
    assert_eq!(service("wild").runtime.replicas, None);
    assert_eq!(service("db").kind, NodeKind::Resource);
    assert_eq!(service("inside").kind, NodeKind::Service);
}

#[test]
fn the_old_form_of_files_beside_each_other_is_one_project_and_others_are_their_own() {
    let first = "services:\n  a: {image: x, environment: {U: 'http://b:1'}}\n";
    let second = "services:\n  b: {image: x}\n";
    let both = [("compose.yaml", first), ("compose.override.yaml", second)];
    assert_eq!(edges(&both), ["a > b Http"]);
    let apart = [("one.docker.yaml", first), ("two.docker.yaml", second)];
    assert!(edges(&apart).is_empty());
    assert_eq!(read(&both).parts.len(), 1);
}

#[test]
fn an_edge_is_known_by_its_sources() {
    let catalogue =
        catalogue("services: {a: {image: x, depends_on: [b], environment: {B: 'http://b'}}, b: {image: x}}");
    let edge = &catalogue.edges[0];
    assert_eq!(
        (edge.kind, edge.sources.as_slice()),
        (EdgeKind::Http, &["compose.yaml".to_owned()][..])
    );
    assert_eq!(catalogue.edges.len(), 1);
}

#[test]
fn version_one_has_its_services_at_the_top() {
    let text = "web: {build: ., links: [db]}\ndb: {image: postgres}\n";
    assert_eq!(edges(&[("docker-compose.yml", text)]), ["web > db Database"]);
}

#[test]
fn systems_as_people_write_them_are_drawn_as_people_draw_them() {
    // A voting app: workers wait, a seed job runs by profile, a cluster's members name each other.
    let text = r#"
x-common: &common
  restart: always
  logging: &log {driver: json-file}
services:
  vote: {<<: *common, build: ./vote, depends_on: {redis: {condition: service_healthy}}, ports: ["8080:80"], healthcheck: {test: ["CMD", "curl", "http://localhost"]}}
  worker:
    build: ./worker
    entrypoint: [dockerize, -wait, "tcp://db:5432", -timeout, 20s, java]
    environment:
      - JAVA_OPTS=-Deureka.client.serviceUrl.defaultZone=http://registry:8761/eureka/ -Xmx1g
      - SPRING_APPLICATION_JSON={"spring.redis.host":"redis","uri":"redis://redis"}
      - KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181
      - SERVER_NAME=vote
      - TZ=Europe/Paris
  admin: {image: phpmyadmin, environment: {PMA_HOST: db, MYSQL_ROOT_PASSWORD: vote}}
  exporter: {image: "oliver006/redis_exporter:v1", environment: [REDIS_ADDR=redis:6379]}
  seed: {build: ./seed, profiles: [seed], depends_on: [vote], restart: "no", logging: *log}
  registry: {image: acme/registry}
  redis: {image: "redis:alpine", volumes: ["./redis:/redis"], healthcheck: {test: "redis-cli -h redis ping"}}
  zookeeper: {image: zookeeper}
  db: {image: "postgres:15-alpine", environment: {POSTGRES_USER: vote, POSTGRES_DB: worker}}
"#;
    assert_eq!(
        edges(&[("docker-compose.yml", text)]),
        [
            "admin > db Database",
            "exporter > redis Database",
            "seed > vote Unspecified",
            "vote > redis Database",
            "worker > db Database",
            "worker > redis Database",
            "worker > registry Http",
            "worker > zookeeper Unspecified",
        ]
    );
}

#[test]
fn an_open_variable_for_a_url_is_an_address_only_of_a_store() {
    let text = "
services:
  api: {image: x, environment: [FRONTEND_URL, REDIS_URL, 'DB_HOST=${DB_HOST}', 'SITE=${FRONTEND_URL}/x']}
  frontend: {image: x}
  redis: {image: redis}
  db: {image: postgres}
";
    let found = edges(&[("compose.yaml", text)]);
    assert_eq!(found, ["api > db Database", "api > redis Database"]);
}
