//! The filtering forward proxy of `prepare`: the only way out of a sandbox, for the hosts that the
//! estate lists, on a unix socket that only the step sees.
//!
//! Clients speak HTTP/1.1 to it (RFC 9110 §7.6, §9.3.6): `CONNECT host:port` for TLS, which it
//! passes on unread but for the server's name in the first message, and `GET http://host/…`. For a
//! host with a credential it speaks TLS itself and adds the header, so that the sandbox never has it.

mod address;
mod allow;
mod credential;
mod forward;
mod guard;
mod hello;
mod meter;
mod names;
mod server;
mod tunnel;

pub use names::ProxyReport;

use holdpoint_schemas::estate::PrepareConfig;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use thiserror::Error;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use self::allow::AllowList;
use self::credential::Credentials;
use self::meter::Budget;
use self::names::Names;
use self::server::Shared;

/// Folders of sockets begin with it.
const FOLDER_PREFIX: &str = "holdpoint-proxy-";

/// The proxy can't be had.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// An entry of `sandbox.prepare.hosts` is none.
    #[error("`{entry}` in `sandbox.prepare` is no host: {why}")]
    BadHost {
        /// The entry.
        entry: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A credential can't be used. Its value is never shown.
    #[error("the credential of `{host}` in `sandbox.prepare.credentials` can't be used: {why}")]
    BadCredential {
        /// Its host.
        host: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The variable of a credential isn't set.
    #[error("the credential of `{host}` is not there: the environment variable `{variable}` is not set")]
    NoCredential {
        /// Its host.
        host: String,
        /// The variable.
        variable: String,
    },
    /// A certificate authority that isn't one.
    #[error("a certificate authority can't be used: {0}")]
    BadRoot(String),
    /// No socket.
    #[error("the proxy of `prepare` can't listen: {0}")]
    Listen(#[from] io::Error),
}

/// Bounds of one proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyBounds {
    /// Connections at once; further ones wait.
    pub connections: usize,
    /// Bytes sent out in all: requests, not uploads.
    pub up_bytes: u64,
    /// Bytes that come in, in all.
    pub down_bytes: u64,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long one connection may last.
    pub total: Duration,
}

impl Default for ProxyBounds {
    fn default() -> Self {
        Self {
            connections: 64,
            up_bytes: 64 << 20,
            down_bytes: 4 << 30,
            idle: Duration::from_secs(60),
            total: Duration::from_secs(1800),
        }
    }
}

/// What a proxy lets through; made once, for any number of proxies.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    allow: AllowList,
    credentials: Credentials,
    bounds: ProxyBounds,
    roots: Vec<CertificateDer<'static>>,
}

impl ProxySettings {
    /// Reads the configuration, and the credentials' values by `variable`.
    ///
    /// # Errors
    /// When an entry is malformed, or a credential isn't there or can't be used.
    pub fn new(config: &PrepareConfig, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let allow = AllowList::parse(&config.hosts)?;
        let credentials = Credentials::read(config, &allow, variable)?;
        Ok(Self {
            allow,
            credentials,
            bounds: ProxyBounds::default(),
            roots: Vec::new(),
        })
    }

    /// As [`ProxySettings::new`], with this process's environment.
    ///
    /// # Errors
    /// As there.
    pub fn from_environment(config: &PrepareConfig) -> Result<Self, ProxyError> {
        Self::new(config, &|name| std::env::var(name).ok())
    }

    /// With other bounds.
    #[must_use]
    pub fn with_bounds(mut self, bounds: ProxyBounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Trusts a certificate authority (DER) besides those of the host.
    #[must_use]
    pub fn with_root(mut self, certificate: Vec<u8>) -> Self {
        self.roots.push(certificate.into());
        self
    }

    /// TLS towards hosts with a credential, with what the host itself trusts: a company's registry
    /// often has a certificate of its own authority. (`SSL_CERT_FILE` names another file.)
    fn tls(&self) -> Result<Option<Arc<ClientConfig>>, ProxyError> {
        if self.credentials.is_empty() {
            return Ok(None);
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in &self.roots {
            roots
                .add(certificate.clone())
                .map_err(|error| ProxyError::BadRoot(error.to_string()))?;
        }
        // Named, because another part of the program may have another default.
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ProxyError::BadRoot(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Arc::new(config)))
    }
}

/// A proxy that listens. Dropped, it is gone, with all of its connections and its socket.
#[derive(Debug)]
pub struct Proxy {
    socket: PathBuf,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
    _folder: TempDir,
}

impl Proxy {
    /// Begins to listen on a socket in a folder of its own. To be called in a tokio runtime.
    ///
    /// # Errors
    /// When there can be no such socket, or no TLS where a credential needs it.
    pub fn start(settings: &ProxySettings) -> Result<Self, ProxyError> {
        // Nobody else on this machine gets through the folder; the sandbox has the socket itself bound.
        let folder = tempfile::Builder::new()
            .prefix(&folder_prefix()?)
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()?;
        let socket = folder.path().join("proxy.sock");
        let listener = UnixListener::bind(&socket)?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666))?;
        let shared = Arc::new(Shared {
            allow: settings.allow.clone(),
            credentials: settings.credentials.clone(),
            tls: settings.tls()?,
            bounds: settings.bounds.clone(),
            budget: Arc::new(Budget::new(settings.bounds.up_bytes, settings.bounds.down_bytes)),
            names: Names::default(),
            tasks: std::sync::Mutex::default(),
        });
        Ok(Self {
            socket,
            accepting: tokio::spawn(server::accept(Arc::clone(&shared), listener)),
            shared,
            _folder: folder,
        })
    }

    /// Its socket, absolute: for [`StepSpec::proxy`](crate::sandbox::StepSpec::proxy).
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What it was asked for until now.
    #[must_use]
    pub fn report(&self) -> ProxyReport {
        self.shared.names.report()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.shared.stop();
    }
}

/// Names the owner, so that [`sweep`] can tell whether it is gone.
fn folder_prefix() -> io::Result<String> {
    let owner = crate::sandbox::owner::Owner::this_process()?;
    Ok(format!("{FOLDER_PREFIX}{}-", owner.unique()))
}

/// Removes the sockets of processes that are gone. Returns how many.
///
/// # Errors
/// When the folder of temporary files can't be read.
pub fn sweep() -> io::Result<usize> {
    let mut swept = 0;
    for entry in std::fs::read_dir(std::env::temp_dir())? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(FOLDER_PREFIX)) else {
            continue;
        };
        if crate::sandbox::owner::is_unique_gone(owner)? && std::fs::remove_dir_all(entry.path()).is_ok() {
            swept += 1;
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests;
