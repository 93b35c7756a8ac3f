//! The API server's paths.

use super::faults::ApiFault;
use super::{CLUSTER_UID, Cluster, TOKEN, VERSION, exec, logs, node, schema};
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

pub type Body = BoxBody<Bytes, io::Error>;
pub type Answer = Response<Body>;
/// What a stream is fed with; an error breaks the connection.
pub type Feed = mpsc::Sender<io::Result<Bytes>>;

/// A request's path and query, taken apart.
pub struct Wanted {
    pub plural: String,
    pub name: Option<String>,
    pub part: Option<String>,
    pub query: Vec<(String, String)>,
}

impl Wanted {
    pub fn value(&self, name: &str) -> &str {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub fn values(&self, name: &str) -> Vec<String> {
        let found = self.query.iter().filter(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).collect()
    }
}

pub async fn answer(cluster: Arc<Cluster>, request: Request<Incoming>) -> io::Result<Answer> {
    let token = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    if token != Some(&format!("Bearer {TOKEN}")) {
        return Ok(status(401, "Unauthorized", "who is that?"));
    }
    let plan = &cluster.plan;
    if plan.strikes(ApiFault::Broken) {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    for (fault, code) in [
        (ApiFault::TooMany, 429),
        (ApiFault::Internal, 500),
        (ApiFault::Unavailable, 503),
    ] {
        if plan.strikes(fault) {
            return Ok(status(code, "Busy", "not now"));
        }
    }
    let answer = route(&cluster, request).await;
    if plan.strikes(ApiFault::AnswerLost) {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(answer)
}

async fn route(cluster: &Arc<Cluster>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let query = parse_query(request.uri().query().unwrap_or_default());
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["version"] => ok(&version()),
        ["api", "v1", "namespaces", "kube-system"] => ok(&json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": CLUSTER_UID},
        })),
        ["api", "v1", "nodes"] => ok(&list("v1", "NodeList", vec![node::record()], 1)),
        ["apis", "node.k8s.io", "v1", "runtimeclasses", name @ "gvisor"] => ok(&json!({
            "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": "runsc",
        })),
        ["api", "v1", "namespaces", _, rest @ ..] | ["apis", _, "v1", "namespaces", _, rest @ ..] => {
            let wanted = match rest {
                [plural] => (plural, None, None),
                [plural, name] => (plural, Some(name), None),
                [plural, name, part] => (plural, Some(name), Some(part)),
                _ => return not_found(),
            };
            let wanted = Wanted {
                plural: (*wanted.0).to_owned(),
                name: wanted.1.map(|name| (*name).to_owned()),
                part: wanted.2.map(|part| (*part).to_owned()),
                query,
            };
            object(cluster, wanted, request).await
        }
        _ => not_found(),
    }
}

async fn object(cluster: &Arc<Cluster>, wanted: Wanted, request: Request<Incoming>) -> Answer {
    let plural = wanted.plural.as_str();
    let store = &cluster.store;
    match (request.method().clone(), wanted.name.as_deref(), wanted.part.as_deref()) {
        (Method::GET, Some(pod), Some("log")) if plural == "pods" => logs::answer(cluster, pod, &wanted),
        (Method::GET, Some(pod), Some("exec")) if plural == "pods" => exec::answer(cluster, pod, &wanted, request),
        (Method::GET, Some(name), None) => store.get(plural, name).map_or_else(not_found, |found| ok(&found)),
        (Method::GET, None, None) if wanted.value("watch") == "true" => watch(cluster, &wanted),
        (Method::GET, None, None) => {
            let (items, version) = if plural == "events" {
                (node::events(cluster, wanted.value("fieldSelector")), 1)
            } else {
                store.list(plural, wanted.value("labelSelector"))
            };
            ok(&list("v1", "List", items, version))
        }
        (Method::POST, None, None) => create(cluster, plural, body(request).await),
        (Method::PATCH, Some(name), None) => {
            let change = body(request).await;
            let patched = store.update(plural, name, |object| merge(object, &change));
            patched.map_or_else(not_found, |object| ok(&object))
        }
        (Method::DELETE, Some(name), None) => {
            let cascade = body(request).await["propagationPolicy"] == "Background";
            store
                .delete(plural, name, cascade)
                .map_or_else(not_found, |object| ok(&object))
        }
        _ => status(405, "MethodNotAllowed", "not that"),
    }
}

fn create(cluster: &Arc<Cluster>, plural: &str, object: Value) -> Answer {
    let complaints = schema::complaints(plural, &object);
    if !complaints.is_empty() {
        return status(422, "Invalid", &complaints.join("; "));
    }
    let Some(created) = cluster.store.create(plural, object) else {
        return status(409, "AlreadyExists", "there is one of that name");
    };
    node::take_up(cluster, plural, &created);
    let mut answer = ok(&created);
    *answer.status_mut() = StatusCode::CREATED;
    answer
}

/// A watch from a version on. It ends by itself after the time that was asked for.
fn watch(cluster: &Arc<Cluster>, wanted: &Wanted) -> Answer {
    if cluster.plan.strikes(ApiFault::Gone) {
        return status(410, "Expired", "too old resource version");
    }
    let (feed, answer) = streamed();
    let mut version: u64 = wanted.value("resourceVersion").parse().unwrap_or(0);
    let seconds = wanted.value("timeoutSeconds").parse().unwrap_or(30);
    let (plural, selector) = (wanted.plural.clone(), wanted.value("labelSelector").to_owned());
    let cluster = Arc::clone(cluster);
    let events = async move {
        let mut changes = cluster.store.subscribe();
        loop {
            changes.mark_unchanged();
            for event in cluster.store.since(&plural, &selector, version) {
                version = event.version;
                let line = format!("{}\n", json!({"type": event.kind, "object": event.object}));
                let times = if cluster.plan.strikes(ApiFault::Twice) { 2 } else { 1 };
                for _ in 0..times {
                    if feed.send(Ok(Bytes::from(line.clone()))).await.is_err() {
                        return;
                    }
                }
                if cluster.plan.strikes(ApiFault::WatchCut) {
                    let _ = feed.send(Err(io::ErrorKind::ConnectionReset.into())).await;
                    return;
                }
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = feed.closed() => return,
            }
        }
    };
    tokio::spawn(tokio::time::timeout(Duration::from_secs(seconds), events));
    answer
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "33", "gitVersion": VERSION, "gitCommit": "0", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.24", "compiler": "gc", "platform": "linux/amd64",
    })
}

fn list(version: &str, kind: &str, items: Vec<Value>, at: u64) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": at.to_string()}, "items": items})
}

pub fn ok(value: &Value) -> Answer {
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never| match never {});
    let answer = Response::builder().header("content-type", "application/json");
    answer.body(body.boxed()).unwrap()
}

pub fn not_found() -> Answer {
    status(404, "NotFound", "nothing of that name")
}

pub fn status(code: u16, reason: &str, message: &str) -> Answer {
    let mut answer = ok(&json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message,
    }));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}

/// An answer that comes bit by bit.
pub fn streamed() -> (Feed, Answer) {
    let (feed, receiver) = mpsc::channel::<io::Result<Bytes>>(16);
    let frames = stream::unfold(receiver, |mut receiver| async move {
        let chunk = receiver.recv().await?;
        Some((chunk.map(Frame::data), receiver))
    });
    (feed, Response::new(StreamBody::new(frames).boxed()))
}

async fn body(request: Request<Incoming>) -> Value {
    let bytes = request.into_body().collect().await.map(|body| body.to_bytes());
    serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or(Value::Null)
}

/// RFC 7396.
fn merge(object: &mut Value, change: &Value) {
    let Some(fields) = change.as_object() else {
        *object = change.clone();
        return;
    };
    for (name, value) in fields {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut object[name], value);
        }
    }
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let digits = String::from_utf8(vec![*high, *low]).unwrap();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
                rest = after;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
