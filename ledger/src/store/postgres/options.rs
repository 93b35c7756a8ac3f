//! How to reach the database, and what must be encrypted on the way.

use postgres::Config;
use postgres::config::{Host, SslMode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::LedgerError;

/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a silent connection is believed to be alive.
const SILENCE: Duration = Duration::from_secs(30);

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A ledger in a PostgreSQL database, version 13 or later.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Connection string: `postgresql://user:password@host/database` or `host=… user=…`.
    pub url: Secret,
    /// Schema that holds nothing but this ledger: `a`-`z`, `0`-`9`, `_`.
    pub schema: String,
    /// PEM file of the authorities that the server's certificate may be by, instead of the machine's.
    pub ca_file: Option<PathBuf>,
    /// How long to try to connect again when the connection is lost.
    pub patience: Duration,
    /// How long a transaction of a process that has stopped may hold up the others.
    pub idle: Duration,
}

impl PostgresOptions {
    /// With the usual settings.
    #[must_use]
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            schema: "holdpoint".to_owned(),
            ca_file: None,
            patience: Duration::from_secs(60),
            idle: Duration::from_secs(10),
        }
    }
}

/// Options that were read.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Option<MakeRustlsConnect>,
    pub(super) schema: String,
    /// For people, without the password.
    pub(super) place: String,
    pub(super) patience: Duration,
    pub(super) idle: Duration,
}

impl Target {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, LedgerError> {
        let refused = |why: &str| LedgerError::Connection { why: why.to_owned() };
        let schema = options.schema.clone();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=63).contains(&schema.len()) || schema.starts_with("pg_") || !schema.bytes().all(plain) {
            return Err(refused(
                "a schema is 1 to 63 of `a`-`z`, `0`-`9`, `_`, and none of PostgreSQL's own",
            ));
        }
        // The parser's own message may quote a part of the string, and that may be the password.
        let mut config: Config = (options.url.0.trim().parse()).map_err(|_| {
            refused(
                "it is no connection string: expected `postgresql://user@host/database` or `host=… user=… dbname=…`, \
                 with `sslmode` one of `disable`, `prefer` and `require` (certificates are always checked)",
            )
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(refused("it names no host"));
        }
        let tls = if is_local(&config) && config.get_ssl_mode() != SslMode::Require {
            config.ssl_mode(SslMode::Disable);
            None
        } else if config.get_ssl_mode() == SslMode::Disable {
            return Err(refused(
                "`sslmode=disable` is only for Unix sockets and this machine's own addresses",
            ));
        } else {
            config.ssl_mode(SslMode::Require);
            Some(MakeRustlsConnect::new(client_config(options.ca_file.as_ref())?))
        };
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        config.application_name("holdpoint");
        Ok(Self {
            place: place(&config, &schema),
            config,
            tls,
            schema,
            patience: options.patience,
            idle: options.idle,
        })
    }
}

fn is_local(config: &Config) -> bool {
    let loopback = |name: &str| name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    config.get_hostaddrs().iter().all(IpAddr::is_loopback)
        && config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => loopback(name),
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

fn place(config: &Config, schema: &str) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => config
            .get_hostaddrs()
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    format!(
        "postgresql://{host}/{} ({schema})",
        config.get_dbname().unwrap_or_default()
    )
}

fn client_config(ca_file: Option<&PathBuf>) -> Result<ClientConfig, LedgerError> {
    let refused = |why: String| LedgerError::Connection { why };
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        let unreadable = |error: &dyn fmt::Display| refused(format!("`{}` can't be read: {error}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
            let certificate = certificate.map_err(|error| unreadable(&error))?;
            roots.add(certificate).map_err(|error| unreadable(&error))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        return Err(refused(
            "this machine trusts no authority for TLS: name a PEM file of yours in `ca_file`".to_owned(),
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, String> {
        Target::new(&PostgresOptions::new(Secret::new(url))).map_err(|error| error.to_string())
    }

    #[test]
    fn only_a_connection_that_stays_on_the_machine_may_be_plain() {
        for (url, plain) in [
            ("host=/run/postgresql user=u", Some(true)),
            ("postgresql://u:p@localhost/db", Some(true)),
            ("postgresql://u:p@127.0.0.1/db", Some(true)),
            ("postgresql://u:p@[::1]/db", Some(true)),
            ("postgresql://u:p@localhost/db?sslmode=require", Some(false)),
            ("postgresql://u:p@db.example/db", Some(false)),
            ("postgresql://u:p@10.0.0.1/db?sslmode=prefer", Some(false)),
            ("host=localhost hostaddr=10.0.0.1 user=u", Some(false)),
            ("postgresql://u:p@db.example/db?sslmode=disable", None),
        ] {
            assert_eq!(target(url).ok().map(|target| target.tls.is_none()), plain, "{url}");
        }
        let remote = target("postgresql://u:p@10.0.0.1/db?sslmode=prefer").unwrap();
        assert_eq!(remote.config.get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn no_message_and_no_debug_form_holds_the_password() {
        let secret = "hunter2";
        for url in [
            format!("postgresql://u:{secret}@host:port/db"),
            format!("host=localhost password={secret} nonsense=1"),
            format!("host=localhost password='{secret}"),
            format!("postgresql://u:{secret}@db.example/db?sslmode=disable"),
        ] {
            let said = target(&url).err().unwrap();
            assert!(!said.contains(secret), "{said}");
            let options = PostgresOptions::new(Secret::new(url));
            assert!(!format!("{options:?}").contains(secret));
        }
        let fine = target(&format!("postgresql://u:{secret}@localhost/db")).unwrap();
        assert_eq!(fine.place, "postgresql://localhost/db (holdpoint)");
    }

    #[test]
    fn a_schema_is_a_plain_word() {
        for bad in ["", "a b", "a\"b", "pg_x", "Ä", &"a".repeat(64)] {
            let options = PostgresOptions {
                schema: bad.to_owned(),
                ..PostgresOptions::new(Secret::new("host=localhost"))
            };
            assert!(Target::new(&options).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_of_authorities_must_hold_some() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = PostgresOptions {
            ca_file: Some(file.path().to_owned()),
            ..PostgresOptions::new(Secret::new("host=db.example"))
        };
        let error = Target::new(&options).err().unwrap().to_string();
        assert!(error.contains("trusts no authority"), "{error}");
    }
}
