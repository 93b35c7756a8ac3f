//! HTTP POST as the Standard Webhooks specification has it (version 1.0.0): `webhook-id` is the same for every try, and
//! `webhook-signature` is HMAC-SHA256 over id, time and body, so that receivers know who speaks and drop repetitions.

use hmac::{Hmac, KeyInit as _, Mac as _};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::nightly::WebhookConfig;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::message::Message;
use super::{Bounds, Secrets, is_loopback};
use crate::output::html::base64;

/// Bytes of an answer that are read: only its status counts.
const MAX_ANSWER: usize = 64 << 10;

/// Why a try failed.
enum Fault {
    /// Another try may do.
    Passing(String),
    /// None will.
    Lasting(String),
}

/// Where to.
struct Target {
    uri: Uri,
    host: String,
    port: u16,
    tls: bool,
}

/// Sends a message; tries again where that may help. The error is in words, without the URL: that may be a secret.
pub async fn send(config: &WebhookConfig, message: &Message, secrets: &Secrets, bounds: Bounds) -> Result<(), String> {
    let url = match (&config.url, &config.url_env) {
        (Some(url), None) => url.as_str(),
        (None, Some(name)) => secrets.get(name)?,
        _ => return Err("it needs exactly one of `url` and `url_env`".to_owned()),
    };
    let target = Target::of(url)?;
    let key = config.secret_env.as_deref().map(|name| secrets.get(name)).transpose()?;
    let body = serde_json::to_vec(message).map_err(|error| error.to_string())?;
    let mut pause = bounds.pause;
    let mut last = String::new();
    for attempt in 0..bounds.tries {
        if attempt > 0 {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let request = request(&target, &message.id, &body, key, Timestamp::now())?;
        match tokio::time::timeout(bounds.time, post(&target, request)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Fault::Lasting(why))) => return Err(why),
            Ok(Err(Fault::Passing(why))) => last = why,
            Err(_) => last = format!("no answer within {} s", bounds.time.as_secs()),
        }
    }
    Err(format!("{last}, {} times", bounds.tries))
}

impl Target {
    fn of(url: &str) -> Result<Self, String> {
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
            return Err("its URL holds a user; give the secret by `secret_env`".to_owned());
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { uri, host, port, tls })
    }
}

fn request(
    target: &Target,
    id: &str,
    body: &[u8],
    key: Option<&str>,
    at: Timestamp,
) -> Result<Request<Full<Bytes>>, String> {
    let seconds = at.as_second();
    let path = target.uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = target.uri.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::post(path)
        .header(HOST, authority)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("holdpoint/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds);
    if let Some(key) = key {
        request = request.header("webhook-signature", signature(key, id, seconds, body)?);
    }
    let body = Full::new(Bytes::copy_from_slice(body));
    request.body(body).map_err(|_| "its URL can't be asked for".to_owned())
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.seconds.body`. The key is the bytes of the secret as it stands.
fn signature(key: &str, id: &str, seconds: i64, body: &[u8]) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| "its key can't be used".to_owned())?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", base64(mac.finalize().into_bytes().as_slice())))
}

async fn post(target: &Target, request: Request<Full<Bytes>>) -> Result<(), Fault> {
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, target.port))
        .await
        .map_err(|error| Fault::Passing(format!("it can't be reached: {error}")))?;
    if !target.tls {
        return exchange(stream, request).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Fault::Lasting("its URL has no host".to_owned()))?;
    let stream = TlsConnector::from(Arc::new(trusted()?))
        .connect(name, stream)
        .await
        .map_err(|error| Fault::Passing(format!("no TLS with it: {error}")))?;
    exchange(stream, request).await
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

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broke = |error: hyper::Error| Fault::Passing(format!("the connection broke: {error}"));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    let connection = tokio::spawn(connection);
    let answered = sender.send_request(request).await.map_err(broke);
    let result = match answered {
        Ok(answer) => {
            let status = answer.status();
            // Read to its end, so that the other side isn't cut off; what it says isn't quoted.
            let _ = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
            judge(status)
        }
        Err(fault) => Err(fault),
    };
    connection.abort();
    result
}

/// No redirect is followed: only configured URLs are told.
fn judge(status: StatusCode) -> Result<(), Fault> {
    let why = format!("it answered {}", status.as_u16());
    if status.is_success() {
        Ok(())
    } else if status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
    {
        Err(Fault::Passing(why))
    } else {
        Err(Fault::Lasting(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // Made with Python's `hmac`: b64(hmac.new(b"plJ3nmyCDGBKInavdOK15jsl", b"msg_1.1674087231.{}", "sha256")).
        let signed = signature("plJ3nmyCDGBKInavdOK15jsl", "msg_1", 1_674_087_231, b"{}").unwrap();
        assert_eq!(signed, "v1,RWciA8XzLOwt4GlAYO32f/46KZ1dWD1cpNStbmC7xiM=");
    }

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

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        for (status, again) in [
            (500, true),
            (503, true),
            (429, true),
            (301, false),
            (400, false),
            (401, false),
        ] {
            let fault = judge(StatusCode::from_u16(status).unwrap()).unwrap_err();
            assert_eq!(matches!(fault, Fault::Passing(_)), again, "{status}");
        }
        assert!(judge(StatusCode::NO_CONTENT).is_ok());
    }
}
