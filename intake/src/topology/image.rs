//! Container images: their names, and the well-known ones that are stores or brokers.

use holdpoint_schemas::service::EdgeKind;

use super::variables::{is_open, open_name};

/// What a well-known image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Technology {
    /// Its name, for example `postgres`.
    pub name: &'static str,
    /// How a consumer relies on it.
    pub edge: EdgeKind,
}

/// Stores and brokers: name of the technology, and the last parts of image names that are it. Exact names only:
/// `mongo-express` and `kafka-ui` are programs beside them.
const TECHNOLOGIES: &[(&str, EdgeKind, &[&str])] = &[
    (
        "postgres",
        EdgeKind::Database,
        &[
            "postgres",
            "postgresql",
            "postgis",
            "pgvector",
            "timescaledb",
            "timescaledb-ha",
            "postgresql-repmgr",
            "pg",
        ],
    ),
    (
        "mysql",
        EdgeKind::Database,
        &["mysql", "mysql-server", "percona", "percona-server"],
    ),
    ("mariadb", EdgeKind::Database, &["mariadb", "mariadb-galera"]),
    (
        "mongodb",
        EdgeKind::Database,
        &["mongo", "mongodb", "mongodb-community-server", "percona-server-mongodb"],
    ),
    (
        "redis",
        EdgeKind::Database,
        &["redis", "redis-stack", "redis-stack-server", "redis-cluster"],
    ),
    ("valkey", EdgeKind::Database, &["valkey"]),
    ("keydb", EdgeKind::Database, &["keydb"]),
    ("dragonfly", EdgeKind::Database, &["dragonfly"]),
    ("memcached", EdgeKind::Database, &["memcached", "memcache"]),
    ("cassandra", EdgeKind::Database, &["cassandra"]),
    ("scylla", EdgeKind::Database, &["scylla"]),
    (
        "elasticsearch",
        EdgeKind::Database,
        &["elasticsearch", "elasticsearch-oss"],
    ),
    ("opensearch", EdgeKind::Database, &["opensearch"]),
    ("clickhouse", EdgeKind::Database, &["clickhouse", "clickhouse-server"]),
    ("influxdb", EdgeKind::Database, &["influxdb"]),
    ("cockroachdb", EdgeKind::Database, &["cockroach", "cockroachdb"]),
    (
        "mssql",
        EdgeKind::Database,
        &[
            "mssql-server-linux",
            "mssql",
            "mssql-server",
            "azure-sql-edge",
            "sqlserver",
        ],
    ),
    (
        "oracle",
        EdgeKind::Database,
        &["oracle-xe", "oracle-free", "oracle-xe-11g"],
    ),
    ("db2", EdgeKind::Database, &["db2", "db2express-c"]),
    ("couchdb", EdgeKind::Database, &["couchdb"]),
    ("couchbase", EdgeKind::Database, &["couchbase", "couchbase-server"]),
    ("neo4j", EdgeKind::Database, &["neo4j"]),
    ("arangodb", EdgeKind::Database, &["arangodb"]),
    ("rethinkdb", EdgeKind::Database, &["rethinkdb"]),
    ("minio", EdgeKind::Database, &["minio"]),
    ("dynamodb", EdgeKind::Database, &["dynamodb-local", "dynamodb"]),
    ("etcd", EdgeKind::Database, &["etcd"]),
    ("solr", EdgeKind::Database, &["solr"]),
    ("qdrant", EdgeKind::Database, &["qdrant"]),
    ("weaviate", EdgeKind::Database, &["weaviate"]),
    ("milvus", EdgeKind::Database, &["milvus"]),
    ("rabbitmq", EdgeKind::Event, &["rabbitmq"]),
    (
        "kafka",
        EdgeKind::Event,
        &[
            "kafka",
            "cp-kafka",
            "cp-server",
            "kafka-native",
            "confluent-local",
            "cp-enterprise-kafka",
        ],
    ),
    ("redpanda", EdgeKind::Event, &["redpanda"]),
    ("nats", EdgeKind::Event, &["nats", "nats-streaming"]),
    (
        "activemq",
        EdgeKind::Event,
        &["activemq", "activemq-artemis", "activemq-classic", "artemis"],
    ),
    ("mosquitto", EdgeKind::Event, &["mosquitto", "eclipse-mosquitto"]),
    ("emqx", EdgeKind::Event, &["emqx", "emqx-ee"]),
    ("pulsar", EdgeKind::Event, &["pulsar", "pulsar-all"]),
    ("nsq", EdgeKind::Event, &["nsq", "nsqd"]),
    ("elasticmq", EdgeKind::Event, &["elasticmq", "elasticmq-native"]),
];

/// What image and name of a service say: a well-known image; an image of the organisation's own only where the
/// service is named for the technology, or for being a database.
pub fn technology(image: Option<&str>, service: &str) -> Option<Technology> {
    let image = image.map(last_part);
    match image.as_deref().map(named) {
        Some(Some(known)) => return Some(known),
        // Another well-kept image (an exporter, a console) may be named like what it looks at.
        Some(None) if !is_own(image.as_deref().unwrap_or_default(), service) => return None,
        _ => {}
    }
    let service = service.to_lowercase();
    let is_database = service == "db" || service == "database" || service.ends_with("-db") || service.ends_with("_db");
    let database = is_database.then_some(Technology {
        name: "database",
        edge: EdgeKind::Database,
    });
    named(&service).or(database)
}

/// Whether an image is built for this service: it ends with the service's name, or can't be told.
fn is_own(image: &str, service: &str) -> bool {
    let service = service.to_lowercase();
    is_open(image) || image.ends_with(&service) || image.contains(&format!("{service}-")) || service.ends_with("db")
}

fn named(name: &str) -> Option<Technology> {
    let found = TECHNOLOGIES.iter().find(|(_, _, names)| names.contains(&name))?;
    Some(Technology {
        name: found.0,
        edge: found.1,
    })
}

/// The last part of an image's name, lower case; of a variable `POSTGRES_IMAGE` the first word.
fn last_part(image: &str) -> String {
    if let Some(name) = open_name(image) {
        let name = name.to_lowercase();
        let name = name
            .strip_suffix("_image")
            .or_else(|| name.strip_suffix("_docker_image"));
        return name.unwrap_or_default().replace('_', "-");
    }
    let name = without_tag(image);
    name.rsplit('/').next().unwrap_or(name).to_lowercase()
}

/// The image without tag and digest; `None` where a part of the name isn't known.
pub fn repository(image: &str) -> Option<String> {
    let name = without_tag(image.trim());
    (!name.is_empty() && !is_open(name) && !name.contains(char::is_whitespace)).then(|| name.to_owned())
}

/// Grammar of references: `[host[:port]/]path[:tag][@digest]` (distribution reference).
fn without_tag(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let path = image.rfind('/').map_or(0, |slash| slash + 1);
    match image.get(path..).and_then(|last| last.find(':')) {
        Some(colon) => image.get(..path + colon).unwrap_or(image),
        None => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_loses_tag_and_digest_but_not_its_port() {
        for (image, name) in [
            ("redis:6.2-alpine", "redis"),
            ("localhost:5000/team/app:1.2@sha256:abc", "localhost:5000/team/app"),
            ("localhost:5000/team/app", "localhost:5000/team/app"),
        ] {
            assert_eq!(repository(image).as_deref(), Some(name));
        }
        assert_eq!(repository("\u{1}REPO\u{2}/app:1"), None);
    }

    #[test]
    fn stores_are_told_from_programs_beside_them() {
        for (image, service, known) in [
            (Some("bitnami/postgresql:16"), "x", Some("postgres")),
            (Some("\u{1}VALKEY_IMAGE\u{2}"), "valkey-cart", Some("valkey")),
            (Some("\u{1}REPO\u{2}/rs-mysql-db:1"), "mysql", Some("mysql")),
            (None, "mongodb", Some("mongodb")),
            (Some("mongo-express"), "mongo-express", None),
            (Some("prom/mysqld-exporter"), "mysqld-exporter", None),
            (Some("confluentinc/cp-kafka:7"), "broker", Some("kafka")),
            (Some("acme/orders-db:1"), "orders-db", Some("database")),
            (Some("acme/web"), "web", None),
            (None, "web", None),
        ] {
            assert_eq!(technology(image, service).map(|t| t.name), known, "{image:?} {service}");
        }
    }
}
