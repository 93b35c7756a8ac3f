//! One HTTP request to an address that the configuration or the command line names: TLS, or loopback; no redirect is
//! followed, since only what was named is told or asked.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Why there was no answer, in words without the address: that may be a secret.
#[derive(Debug)]
pub enum Fault {
    /// Another try may do.
    Passing(String),
    /// None will.
    Lasting(String),
}

impl Fault {
    /// The words.
    pub fn into_words(self) -> String {
        match self {
            Self::Passing(why) | Self::Lasting(why) => why,
        }
    }
}

/// Where to.
pub struct Target {
    /// The whole address.
    pub uri: Uri,
    /// Name or address of the host; IPv6 in brackets.
    pub host: String,
    port: u16,
    tls: bool,
}

impl Target {
    /// Takes an address apart.
    ///
    /// # Errors
    /// When it isn't one of `https`, or of `http` on loopback, or holds a user.
    pub fn of(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| "its URL can't be read".to_owned())?;
        let host = uri.host().unwrap_or_default().to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            // What is said there is nobody else's business.
            Some("http") if is_loopback(&host) => false,
            Some("http") => return Err("its URL is `http`; that is for loopback only, use `https`".to_owned()),
            _ => return Err("its URL is neither `https` nor `http`".to_owned()),
        };
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err("its URL holds a user; give secrets by the environment".to_owned());
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { uri, host, port, tls })
    }

    /// Path and query, for the request.
    pub fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// Host and port as the address writes them, for the header `host`.
    pub fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }
}

/// Whether a host is this machine, by name or address; IPv6 addresses may be in brackets.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Sends one request and reads the answer; of a body longer than `limit` bytes nothing is given.
///
/// # Errors
/// When there is no answer. A status is an answer, whatever it says.
pub async fn send(
    target: &Target,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<(StatusCode, Option<Bytes>), Fault> {
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, target.port))
        .await
        .map_err(|error| Fault::Passing(format!("it can't be reached: {error}")))?;
    if !target.tls {
        return exchange(stream, request, limit).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Fault::Lasting("its URL has no host".to_owned()))?;
    let stream = TlsConnector::from(Arc::new(trusted()?))
        .connect(name, stream)
        .await
        .map_err(|error| Fault::Passing(format!("no TLS with it: {error}")))?;
    exchange(stream, request, limit).await
}

/// What the machine trusts, or what `SSL_CERT_FILE` names.
fn trusted() -> Result<ClientConfig, Fault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| Fault::Lasting("no TLS can be set up".to_owned()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<(StatusCode, Option<Bytes>), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broke = |error: hyper::Error| Fault::Passing(format!("the connection broke: {error}"));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    let connection = tokio::spawn(connection);
    let result = match sender.send_request(request).await.map_err(broke) {
        Ok(answer) => {
            let status = answer.status();
            // Read to its end, so that the other side isn't cut off.
            let body = Limited::new(answer.into_body(), limit).collect().await;
            Ok((status, body.ok().map(http_body_util::Collected::to_bytes)))
        }
        Err(fault) => Err(fault),
    };
    connection.abort();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_leaves_the_machine_and_no_user_is_in_a_url() {
        for url in [
            "http://example.com/hook",
            "ftp://localhost/hook",
            "https://user:secret@example.com/",
            "/hook",
            "not a url",
        ] {
            assert!(Target::of(url).is_err(), "{url}");
        }
        for url in [
            "https://example.com/hook?x=1",
            "http://127.0.0.1:9/x",
            "http://[::1]:9/x",
            "http://localhost/x",
        ] {
            assert!(Target::of(url).is_ok(), "{url}");
        }
    }
}
