//! `GET http://host/…`: one request to a host, without TLS, or with TLS and its credential.

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Method, Request, Response, Uri, Version};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::address;
use super::allow::{Host, Permit, Refusal, Target, split};
use super::credential::Credential;
use super::guard::{Guarded, Search, Unsafe};
use super::meter::Metered;
use super::server::{Body, Denial, Shared, check_host_header};

const PROXY_AUTHORIZATION: HeaderName = HeaderName::from_static("proxy-authorization");
/// Headers of one connection, not of the message (RFC 9110 §7.6.1); `proxy-connection` and
/// `keep-alive` are older clients' words for the same.
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

pub(super) async fn send(shared: &Arc<Shared>, mut request: Request<Incoming>) -> Result<Response<Body>, Denial> {
    if request.uri().scheme_str() != Some("http") {
        return Err(Refusal::Scheme.into());
    }
    let authority = request.uri().authority().ok_or(Refusal::NoTarget)?;
    let (host, port) = split(authority.as_str())?;
    let asked = Target {
        host,
        port: port.unwrap_or(80),
    };
    check_host_header(&request, &asked)?;
    check_method(request.method(), false)?;
    let credentials = shared.credentials.clone();
    let (target, credential) = match credentials.of(&asked.host, port) {
        Some((target, credential)) => (target, Some(credential)),
        None => (asked, None),
    };
    let permit = shared.allow.permit(&target)?;
    strip(request.headers_mut());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path: Uri = path.parse().map_err(|_| Refusal::NoTarget)?;
    *request.uri_mut() = path;
    *request.version_mut() = Version::HTTP_11;
    let shown = HeaderValue::from_str(&host_header(&target, credential.is_some())).map_err(|_| Refusal::BadName)?;
    request.headers_mut().insert(HOST, shown);
    if let Some(credential) = credential {
        // A candidate could publish with it, or delete.
        check_method(request.method(), true)?;
        credential.put_on(request.headers_mut());
        // Compressed, an echo of the credential couldn't be seen.
        request
            .headers_mut()
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    let response = fetch(shared, &target, permit, credential.is_some(), request).await?;
    shared.names.reached(&target);
    let (mut head, body) = response.into_parts();
    strip(&mut head.headers);
    Ok(match credential {
        None => Response::from_parts(head, body.map_err(Into::into).boxed()),
        Some(credential) => {
            let body = guard(&mut head.headers, body, &target, credential)
                .map_err(|unsafe_one| Denial::Fault(target.clone(), unsafe_one.to_string()))?;
            Response::from_parts(head, body)
        }
    })
}

/// `TRACE` echoes a request with its credential. Where there is one, only reading is let through.
fn check_method(method: &Method, with_credential: bool) -> Result<(), Refusal> {
    let reading = method == Method::GET || method == Method::HEAD;
    if method == Method::TRACE {
        Err(Refusal::Method("TRACE"))
    } else if with_credential && !reading {
        Err(Refusal::Method("that writes to a host with a credential"))
    } else {
        Ok(())
    }
}

/// As the host itself expects it: without the port that its scheme implies.
fn host_header(target: &Target, tls: bool) -> String {
    let implied = if tls { 443 } else { 80 };
    if target.port == implied {
        target.host.to_string()
    } else {
        format!("{}:{}", target.host, target.port)
    }
}

async fn fetch(
    shared: &Arc<Shared>,
    target: &Target,
    permit: Permit,
    tls: bool,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, Denial> {
    let stream = address::connect(target, permit)
        .await
        .map_err(Denial::unreached(target))?;
    let stream = Metered::new(stream, Arc::clone(&shared.budget));
    let idle = stream.idle(shared.bounds.idle);
    let fault = |what: String| Denial::Fault(target.clone(), what);
    if !tls {
        return exchange(shared, stream, idle, request).await.map_err(fault);
    }
    let config = shared.tls.clone().ok_or_else(|| fault("there is no TLS".to_owned()))?;
    let name = match &target.host {
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| Refusal::BadName)?,
        Host::Address(address) => ServerName::from(*address),
    };
    let stream = tokio::time::timeout(shared.bounds.idle, TlsConnector::from(config).connect(name, stream))
        .await
        .map_err(|_| fault("no TLS handshake in time".to_owned()))?
        .map_err(|error| fault(error.to_string()))?;
    exchange(shared, stream, idle, request).await.map_err(fault)
}

async fn exchange<S>(
    shared: &Arc<Shared>,
    stream: S,
    idle: impl Future<Output = ()> + Send + 'static,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    shared.spawn(async move {
        tokio::select! {
            // What breaks it reaches the answer's body too.
            _ = connection => {}
            () = idle => {}
        }
    });
    sender.send_request(request).await.map_err(|error| error.to_string())
}

fn strip(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&listed) {
        headers.remove(name);
    }
}

/// Keeps an answer from showing the credential, and a redirect to the same host on this way.
fn guard(headers: &mut HeaderMap, body: Incoming, target: &Target, credential: &Credential) -> Result<Body, Unsafe> {
    let secrets = credential.secrets();
    let shows = |value: &HeaderValue| Search::new(secrets.clone()).finds(value.as_bytes());
    if headers.values().any(shows) {
        return Err(Unsafe::ShowsCredential);
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Unsafe::Compressed);
    }
    if let Some(moved) = headers.get(LOCATION).and_then(|to| same_host(to, target)) {
        headers.insert(LOCATION, moved);
    }
    let search = Search::new(secrets);
    Ok(Guarded { body, search }.boxed())
}

/// A redirect to the same host by TLS, as one that comes by here again: by the sandbox's own TLS it
/// would go without the credential. One to another host goes without it in any case.
fn same_host(location: &HeaderValue, target: &Target) -> Option<HeaderValue> {
    let uri: Uri = location.to_str().ok()?.parse().ok()?;
    let (host, port) = split(uri.authority()?.as_str()).ok()?;
    let same = uri.scheme_str() == Some("https") && host == target.host && port.unwrap_or(443) == target.port;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    same.then(|| Bytes::from(format!("http://{}{path}", host_header(target, true))))
        .and_then(|moved| HeaderValue::from_maybe_shared(moved).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Target {
        Target {
            host: Host::Name("registry.example".to_owned()),
            port: 443,
        }
    }

    #[test]
    fn only_a_redirect_to_the_same_host_comes_by_again() {
        let moved = |to: &'static str| same_host(&HeaderValue::from_static(to), &registry());
        assert_eq!(
            moved("https://registry.example/a?b").unwrap(),
            "http://registry.example/a?b"
        );
        assert_eq!(
            moved("https://registry.example:443/a").unwrap(),
            "http://registry.example/a"
        );
        for other in [
            "https://evil.example/a",
            "https://registry.example:8443/a",
            "https://registry.example@evil.example/",
            "http://registry.example/",
            "/a",
        ] {
            assert_eq!(moved(other), None, "{other}");
        }
    }

    #[test]
    fn headers_of_the_connection_stay_on_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("proxy-authorization", "Basic x"),
            ("upgrade", "websocket"),
            ("accept", "*/*"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        strip(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept"]);
    }
}
