//! Addresses of other services in values of variables and in arguments.
//!
//! What counts is that nothing is drawn that isn't there: a name by itself is an address only where the variable
//! that holds it is named for one, and what a service says of itself (its own listeners, allowed origins, places to
//! redirect browsers to) is none.

use holdpoint_schemas::service::EdgeKind;

use super::variables::{is_open, open_name};

/// Who is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A host name, lower case.
    Name(String),
    /// A variable that holds the host name, and that nobody gives.
    Variable(String),
}

/// How an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `scheme://host…`.
    Url,
    /// `host:port`.
    WithPort,
    /// A name under a key that says that it is an address.
    Named,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Who is called.
    pub host: Host,
    /// How it is written.
    pub form: Form,
    /// What the scheme says of the call.
    pub kind: EdgeKind,
}

/// Longest text that is looked through: configuration, not data.
const MAX_TEXT: usize = 256 << 10;
/// Most options between a command and the host that it calls.
const MAX_OPTIONS: usize = 6;
/// Words in a key after which its value names no one whom the service calls.
const NOT_CALLED: [&str; 10] = [
    "CORS",
    "ORIGIN",
    "ORIGINS",
    "REDIRECT",
    "CALLBACK",
    "ALLOWED",
    "TRUSTED",
    "ADVERTISED",
    "NOPROXY",
    "VIRTUAL",
];
/// Last words of a key whose value only looks like an address: `redis:6`.
const VERSIONED: [&str; 3] = ["IMAGE", "VERSION", "TAG"];
/// Words that make a key one of an address.
const ADDRESS: [&str; 24] = [
    "HOST",
    "HOSTS",
    "HOSTNAME",
    "ADDR",
    "ADDRS",
    "ADDRESS",
    "ADDRESSES",
    "URL",
    "URLS",
    "URI",
    "URIS",
    "ENDPOINT",
    "ENDPOINTS",
    "SERVER",
    "SERVERS",
    "BROKER",
    "BROKERS",
    "CONNECTION",
    "CONNECTIONSTRING",
    "CONNECTIONSTRINGS",
    "UPSTREAM",
    "NODES",
    "CONNECT",
    "DSN",
];
/// Last words of a key that holds something else, whatever words come before: `SERVER_NAME`, `DB_HOST_PORT`.
const OTHER: [&str; 12] = [
    "NAME", "ID", "PORT", "USER", "USERNAME", "PASSWORD", "DB", "DATABASE", "TYPE", "MODE", "ENABLED", "KEY",
];

/// Addresses in the value of a variable.
pub fn in_value(key: &str, value: &str) -> Vec<Address> {
    let words = words(key);
    if !may_be_called(&words) {
        return Vec::new();
    }
    let mut found = in_text(value);
    if is_address_key(&words) {
        for name in value.split([',', ';', ' ']).map(str::trim) {
            found.extend(host(name).map(|host| Address {
                host,
                form: Form::Named,
                kind: EdgeKind::Unspecified,
            }));
        }
    }
    found
}

/// Addresses in arguments and configuration: URLs, `host:port`, and `Server=name` of connection strings.
pub fn in_text(text: &str) -> Vec<Address> {
    let mut found = Vec::new();
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    let between = |c: char| c.is_whitespace() || "\"'`,;|()[]{}<>\\".contains(c);
    let tokens: Vec<&str> = text.split(between).filter(|token| !token.is_empty()).collect();
    for (at, token) in tokens.iter().enumerate() {
        match token.find("://") {
            Some(place) => found.extend(url(token, place)),
            None if matches!(*token, "nc" | "netcat") => found.extend(probed(tokens.get(at + 1..).unwrap_or_default())),
            None => found.extend(plain(token)),
        }
    }
    found
}

/// Who `nc -z -w30 host port` waits for.
fn probed(arguments: &[&str]) -> Option<Address> {
    let mut pairs = arguments.windows(2).take(MAX_OPTIONS);
    pairs.find_map(|pair| match pair {
        [name, port] if !name.starts_with('-') && port.parse::<u16>().is_ok() => Some(Address {
            host: host(name)?,
            form: Form::WithPort,
            kind: EdgeKind::Unspecified,
        }),
        _ => None,
    })
}

/// A variable without a value in a file, whose name says that it holds an address.
pub fn in_name(key: &str) -> Option<Host> {
    let words = words(key);
    let named = words.last().is_some_and(|last| SUFFIXES.contains(&last.as_str()));
    (named && may_be_called(&words)).then(|| Host::Variable(key.to_owned()))
}

/// Last words of a variable that holds an address by its name alone.
const SUFFIXES: [&str; 7] = ["HOST", "ADDR", "ADDRESS", "URL", "URI", "ENDPOINT", "HOSTNAME"];

/// Whether a key is a host's name and nothing else, so that its value is one: `MYSQL_DB_HOST`.
pub fn is_host_key(key: &str) -> bool {
    let words = words(key);
    let last = words
        .last()
        .is_some_and(|last| matches!(last.as_str(), "HOST" | "ADDR"));
    last && words.len() > 1 && may_be_called(&words)
}

/// A service that a variable is named for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name, as [`compact`] makes it.
    pub service: String,
    /// Whether the variable may as well hold a public address, to show to people: a URL.
    pub may_be_public: bool,
}

/// The service that a variable such as `PRODUCT_CATALOG_ADDR` is named for.
pub fn service_in_variable(name: &str) -> Option<Named> {
    let mut words = words(name);
    let last = words.pop()?;
    (SUFFIXES.contains(&last.as_str()) && !words.is_empty()).then(|| Named {
        service: compact(&words.concat()),
        may_be_public: matches!(last.as_str(), "URL" | "URI"),
    })
}

/// A name without case, separators and a final `service`, so that `PRODUCT_CATALOG` is `productcatalogservice`.
pub fn compact(name: &str) -> String {
    let name: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    match name.strip_suffix("service").or_else(|| name.strip_suffix("svc")) {
        Some(short) if !short.is_empty() => short.to_owned(),
        _ => name,
    }
}

fn may_be_called(words: &[String]) -> bool {
    let no_proxy = words.windows(2).any(|pair| pair == ["NO", "PROXY"]);
    let versioned = words.last().is_some_and(|last| VERSIONED.contains(&last.as_str()));
    !no_proxy && !versioned && !words.iter().any(|word| NOT_CALLED.contains(&word.as_str()))
}

fn is_address_key(words: &[String]) -> bool {
    let other = words.last().is_some_and(|last| OTHER.contains(&last.as_str()));
    !other && words.iter().any(|word| ADDRESS.contains(&word.as_str()))
}

/// The words of a name in any case: `ConnectionStrings__Redis` is CONNECTION, STRINGS, REDIS.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars().take(200) {
        if !c.is_alphanumeric() {
            words.push(String::new());
        } else {
            if c.is_uppercase() && lower_before {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_uppercase());
            }
        }
        lower_before = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn url(token: &str, place: usize) -> Option<Address> {
    let (before, after) = token.split_at(place);
    let start = before
        .rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '.' | '-'))
        .map_or(0, |other| other + 1);
    let scheme = before.get(start..).unwrap_or_default().to_lowercase();
    let authority = after.get(3..)?.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    Some(Address {
        host: host(authority.split(':').next()?)?,
        form: Form::Url,
        kind: kind_of_scheme(&scheme),
    })
}

fn plain(token: &str) -> Option<Address> {
    let (key, value) = token.rsplit_once('=').unwrap_or(("", token));
    let value = value.rsplit('@').next().unwrap_or(value).trim_start_matches('/');
    if let Some((name, port)) = value.split_once(':') {
        let port = port.split(['/', '?']).next().unwrap_or(port);
        let is_port = open_name(port).is_some() || port.parse::<u16>().is_ok_and(|port| port > 0);
        return Some(Address {
            host: host(name).filter(|_| is_port)?,
            form: Form::WithPort,
            kind: EdgeKind::Unspecified,
        });
    }
    let is_server = ["server", "host", "source", "hostname", "address", "endpoint"]
        .iter()
        .any(|word| key.eq_ignore_ascii_case(word));
    Some(Address {
        host: host(value).filter(|_| is_server)?,
        form: Form::Named,
        kind: EdgeKind::Unspecified,
    })
}

fn host(text: &str) -> Option<Host> {
    if let Some(name) = open_name(text) {
        return Some(Host::Variable(name.to_owned()));
    }
    let name = text.trim_end_matches('.').to_lowercase();
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = !is_open(&name)
        && name.len() <= 253
        && name.chars().all(fine)
        && name.chars().any(|c| c.is_ascii_alphabetic())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let is_here = matches!(
        name.as_str(),
        "localhost" | "host.docker.internal" | "localhost.localdomain"
    );
    (is_name && !is_here).then_some(Host::Name(name))
}

/// What a URL's scheme says of the call.
fn kind_of_scheme(scheme: &str) -> EdgeKind {
    match scheme {
        "http" | "https" | "ws" | "wss" => EdgeKind::Http,
        "grpc" | "grpcs" => EdgeKind::Grpc,
        "amqp" | "amqps" | "kafka" | "nats" | "mqtt" | "mqtts" | "stomp" | "pulsar" => EdgeKind::Event,
        "postgres" | "postgresql" | "mysql" | "mariadb" | "mongodb" | "mongodb+srv" | "redis" | "rediss"
        | "sqlserver" | "cassandra" | "clickhouse" | "oracle" | "bolt" | "neo4j" | "memcached" | "cockroachdb"
        | "couchbase" => EdgeKind::Database,
        // `postgresql+psycopg2`, `mysql+pymysql`.
        _ => match scheme.split_once('+') {
            Some((first, _)) => kind_of_scheme(first),
            None => EdgeKind::Unspecified,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(key: &str, value: &str) -> Vec<String> {
        let mut hosts: Vec<String> = in_value(key, value)
            .into_iter()
            .map(|address| match address.host {
                Host::Name(name) => name,
                Host::Variable(name) => format!("${name}"),
            })
            .collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    #[test]
    fn addresses_are_found_in_every_form() {
        for (key, value, wanted) in [
            ("X", "http://user:pw@cart:80/x?y=z", vec!["cart"]),
            ("X", "jdbc:mysql://mysql:3306/db?useSSL=false", vec!["mysql"]),
            ("X", "mongodb://a:1,b:2/db", vec!["a", "b"]),
            ("X", "amqp://rabbit", vec!["rabbit"]),
            ("X", "Server=sqldata,1433;Database=x;User Id=sa", vec!["sqldata"]),
            ("X", "guest:guest@rabbitmq:5672", vec!["rabbitmq"]),
            ("KAFKA_BOOTSTRAP_SERVERS", "k1:9092,k2:9092", vec!["k1", "k2"]),
            ("SPRING_REDIS_HOST", "redis", vec!["redis"]),
            ("EventBusConnection", "rabbitmq", vec!["rabbitmq"]),
            (
                "X",
                "http://\u{1}CART_HOST\u{2}:\u{1}CART_PORT\u{2}",
                vec!["$CART_HOST"],
            ),
            (
                "X",
                "ledger.pay.svc.cluster.local:443",
                vec!["ledger.pay.svc.cluster.local"],
            ),
        ] {
            assert_eq!(hosts(key, value), wanted, "{key}={value}");
        }
    }

    #[test]
    fn what_is_no_address_of_another_is_left_alone() {
        for (key, value) in [
            ("POSTGRES_DB", "orders"),
            ("POSTGRES_USER", "orders"),
            ("SERVER_NAME", "web"),
            ("CORS_ORIGIN", "http://web:3000"),
            ("NO_PROXY", "db,cart:80"),
            ("OAUTH_REDIRECT_URI", "http://web/callback"),
            ("APP_IMAGE", "redis:6"),
            ("PORTS", "8080:8080"),
            ("X", "http://127.0.0.1:80 localhost:90"),
            ("TIME", "12:30"),
            ("X", "nc -l 80 90"),
            ("X", "a:b"),
            ("X", "name:0"),
            ("X", "name:99999"),
        ] {
            assert_eq!(hosts(key, value), Vec::<String>::new(), "{key}={value}");
        }
    }

    #[test]
    fn a_variable_is_named_for_a_service() {
        let named = |name| service_in_variable(name).map(|named| (named.service, named.may_be_public));
        assert_eq!(
            named("PRODUCT_CATALOG_ADDR"),
            Some(("productcatalog".to_owned(), false))
        );
        assert_eq!(named("FRONTEND_URL"), Some(("frontend".to_owned(), true)));
        assert_eq!(compact("productcatalog-service"), "productcatalog");
        assert_eq!(service_in_variable("AD_PORT"), None);
        assert_eq!(service_in_variable("HOST"), None);
        assert!(in_name("CART_ADDR").is_some() && in_name("CART_PORT").is_none());
    }
}
