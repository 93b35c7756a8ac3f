//! Takes connections and requests, and says no.

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::rustls::ClientConfig;

use super::ProxyBounds;
use super::address::Unreached;
use super::allow::{AllowList, Refusal, Target, target};
use super::credential::Credentials;
use super::meter::Budget;
use super::names::Names;
use super::{forward, tunnel};

/// Request line and headers of one request.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// Headers of one request.
const MAX_HEADERS: usize = 100;
/// For the head of a request, once it has begun.
const HEAD_TIME: Duration = Duration::from_secs(30);

pub(super) type Body = BoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// What all connections of one proxy share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) allow: AllowList,
    pub(super) credentials: Credentials,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) bounds: ProxyBounds,
    pub(super) budget: Arc<Budget>,
    pub(super) names: Names,
    pub(super) tasks: Mutex<JoinSet<()>>,
}

impl Shared {
    /// Runs something that ends with the proxy, or after the longest time of a connection.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let total = self.bounds.total;
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            if tokio::time::timeout(total, task).await.is_err() {
                tracing::debug!("a connection through the proxy took more than {} s", total.as_secs());
            }
        });
    }

    pub(super) fn stop(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

pub(super) async fn accept(shared: Arc<Shared>, listener: UnixListener) {
    let slots = Arc::new(Semaphore::new(shared.bounds.connections));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely; connections that end will free some.
                tracing::warn!("the proxy of `prepare` could not take a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let slot = Arc::new(slot);
        let served = Arc::clone(&shared);
        shared.spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&served), Arc::clone(&slot), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(MAX_HEAD_BYTES)
                .max_headers(MAX_HEADERS)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            if let Err(error) = connection.await {
                tracing::debug!("a connection to the proxy broke: {error}");
            }
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    slot: Arc<OwnedSemaphorePermit>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Unanswered> {
    let mute = hangs_when_refused(&request);
    let asked = request
        .uri()
        .authority()
        .map_or_else(|| request.uri().to_string(), ToString::to_string);
    let answered = if shared.budget.is_spent() {
        Err(Denial::Refused(Refusal::Spent))
    } else if request.method() == Method::CONNECT {
        tunnel::open(&shared, slot, request).await
    } else {
        forward::send(&shared, request).await
    };
    let denial = match answered {
        Ok(response) => return Ok(response),
        Err(denial) => denial,
    };
    let (status, text) = match denial {
        Denial::Refused(why) => {
            shared.names.refused(&asked, &why);
            tracing::info!(
                "the proxy of `prepare` refused `{}`: {why}",
                crate::text::one_line(&asked)
            );
            (StatusCode::FORBIDDEN, format!("holdpoint refuses `{asked}`: {why}\n"))
        }
        Denial::Fault(target, what) => {
            shared.names.fault(&target, &what);
            (
                StatusCode::BAD_GATEWAY,
                format!("holdpoint can't reach `{target}`: {what}\n"),
            )
        }
    };
    if mute { Err(Unanswered) } else { Ok(says(status, &text)) }
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was ended instead of refused")]
struct Unanswered;

/// Node's `https-proxy-agent`, by its headers. npm 11 waits for ever after any answer of a proxy but 200,
/// and takes a connection that ends for a fault.
fn hangs_when_refused(request: &Request<Incoming>) -> bool {
    let headers = request.headers();
    request.method() == Method::CONNECT && headers.contains_key("proxy-connection") && !headers.contains_key(USER_AGENT)
}

/// Why a request gets no answer of its host.
#[derive(Debug)]
pub(super) enum Denial {
    Refused(Refusal),
    Fault(Target, String),
}

impl From<Refusal> for Denial {
    fn from(why: Refusal) -> Self {
        Self::Refused(why)
    }
}

impl Denial {
    pub(super) fn unreached(target: &Target) -> impl FnOnce(Unreached) -> Self {
        move |unreached| match unreached {
            Unreached::Refused(why) => Self::Refused(why),
            Unreached::Fault(what) => Self::Fault(target.clone(), what),
        }
    }
}

/// The `Host` header has to name the same host as the request line (RFC 9112 §3.2), where there is one.
pub(super) fn check_host_header(request: &Request<Incoming>, asked: &Target) -> Result<(), Refusal> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let Some(named) = hosts.next() else {
        return Ok(());
    };
    let named = named.to_str().map_err(|_| Refusal::OtherHost)?;
    let named = target(named, Some(asked.port)).map_err(|_| Refusal::OtherHost)?;
    if named == *asked && hosts.next().is_none() {
        Ok(())
    } else {
        Err(Refusal::OtherHost)
    }
}

pub(super) fn empty() -> Body {
    full(Bytes::new())
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

fn says(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(full(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    // What the client meant to send after a refused request is none of ours.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
