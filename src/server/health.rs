//! How `serve` is doing: a page for people and load balancers, and metrics in Prometheus' text form, on loopback only.

use anyhow::{Context, Result};
use holdpoint_schemas::Timestamp;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::schedule::Night;
use super::serve::{End, Numbers};
use crate::failure::BadInput;

/// Connections at once: people, a scraper and a probe.
const MAX_CONNECTIONS: usize = 16;
/// Longest time for a request's head.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Largest head of a request in bytes (hyper's lower bound).
const MAX_HEAD_BYTES: usize = 8 << 10;

/// How it is doing, shared between the loop and the page.
#[derive(Debug, Clone, Default)]
pub struct Health {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next: Option<Night>,
    running: Option<(Night, Timestamp)>,
    last: Option<LastRun>,
    trouble: Option<String>,
    done: u64,
    failed: u64,
    unsent: u64,
}

/// The last night that ended.
#[derive(Debug, Clone, Serialize)]
struct LastRun {
    night: Timestamp,
    started: Timestamp,
    ended: Timestamp,
    error: Option<String>,
    #[serde(skip)]
    numbers: Option<Numbers>,
}

/// The page.
#[derive(Debug, Serialize)]
struct Page<'a> {
    status: &'static str,
    next_run: Option<Timestamp>,
    running_since: Option<Timestamp>,
    last_run: Option<&'a LastRun>,
    trouble: Option<&'a str>,
}

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It waits for a night.
    pub fn waiting(&self, night: Night) {
        let mut state = self.state();
        state.next = Some(night);
        state.trouble = None;
    }

    /// A night began.
    pub fn running(&self, night: Night, now: Timestamp) {
        let mut state = self.state();
        state.next = None;
        state.trouble = None;
        state.running = Some((night, now));
    }

    /// A night ended.
    pub fn ended(&self, end: &End, now: Timestamp) {
        let mut state = self.state();
        let Some((night, started)) = state.running.take() else {
            return;
        };
        let (error, numbers) = match end {
            End::Busy => {
                state.trouble = Some("another run holds the estate".to_owned());
                return;
            }
            End::Done(numbers) => {
                state.done += 1;
                state.unsent += numbers.unsent as u64;
                (None, Some(numbers.clone()))
            }
            End::Failed(why) => {
                state.failed += 1;
                (Some(why.clone()), None)
            }
        };
        state.last = Some(LastRun {
            night: night.id,
            started,
            ended: now,
            error,
            numbers,
        });
    }

    /// Something is wrong that may pass.
    pub fn trouble(&self, what: &str) {
        tracing::warn!("{what}");
        self.state().trouble = Some(what.to_owned());
    }

    fn page(&self) -> (StatusCode, String) {
        let state = self.state();
        let failing = state.trouble.is_some() || state.last.as_ref().is_some_and(|last| last.error.is_some());
        let page = Page {
            status: if failing { "failing" } else { "ok" },
            next_run: state.next.map(|night| night.starts),
            running_since: state.running.map(|(_, since)| since),
            last_run: state.last.as_ref(),
            trouble: state.trouble.as_deref(),
        };
        let status = if failing {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        };
        (status, serde_json::to_string_pretty(&page).unwrap_or_default() + "\n")
    }

    /// The metrics (Prometheus' text exposition format 0.0.4).
    fn metrics(&self) -> String {
        let state = self.state();
        let mut out = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(&str, u64)]| {
            if values.is_empty() {
                return;
            }
            let _ = writeln!(out, "# HELP holdpoint_{name} {help}\n# TYPE holdpoint_{name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(out, "holdpoint_{name}{labels} {value}");
            }
        };
        let second = |at: Timestamp| u64::try_from(at.as_second()).unwrap_or_default();
        metric(
            "nights_total",
            "counter",
            "Nights that ended, by how.",
            &[("{end=\"done\"}", state.done), ("{end=\"failed\"}", state.failed)],
        );
        metric(
            "notifications_failed_total",
            "counter",
            "Notifications that could not be sent.",
            &[("", state.unsent)],
        );
        metric(
            "running",
            "gauge",
            "Whether a night is under way.",
            &[("", u64::from(state.running.is_some()))],
        );
        let next: Vec<_> = state.next.iter().map(|night| ("", second(night.starts))).collect();
        metric(
            "next_run_timestamp_seconds",
            "gauge",
            "When the next night starts.",
            &next,
        );
        let Some(last) = &state.last else { return out };
        metric(
            "last_run_timestamp_seconds",
            "gauge",
            "When the last night ended.",
            &[("", second(last.ended))],
        );
        let took = last.ended.duration_since(last.started).as_secs();
        metric(
            "last_run_duration_seconds",
            "gauge",
            "How long the last night took.",
            &[("", u64::try_from(took).unwrap_or_default())],
        );
        metric(
            "last_run_success",
            "gauge",
            "Whether the last night ended with a report.",
            &[("", u64::from(last.error.is_none()))],
        );
        let Some(numbers) = &last.numbers else { return out };
        let [alert, suggest, auto] = numbers.levels.map(|number| number as u64);
        metric(
            "findings",
            "gauge",
            "Findings of the last night, by level.",
            &[
                ("{level=\"alert\"}", alert),
                ("{level=\"suggest\"}", suggest),
                ("{level=\"auto-apply\"}", auto),
            ],
        );
        metric(
            "findings_merged",
            "gauge",
            "Findings whose fix the last night merged.",
            &[("", numbers.merged as u64)],
        );
        metric(
            "findings_not_reached",
            "gauge",
            "Findings for which the last night's time was not enough.",
            &[("", numbers.not_reached as u64)],
        );
        metric(
            "findings_past_deadline",
            "gauge",
            "Findings that are open past their deadline.",
            &[("", numbers.breached as u64)],
        );
        out
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !is_loopback_host(request) {
            return text(
                StatusCode::MISDIRECTED_REQUEST,
                "this page is for loopback only\n".to_owned(),
            );
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
            answer
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match request.uri().path() {
            "/healthz" => {
                let (status, page) = self.page();
                let mut answer = text(status, page);
                let kind = HeaderValue::from_static("application/json");
                answer.headers_mut().insert(CONTENT_TYPE, kind);
                answer
            }
            "/metrics" => {
                let mut answer = text(StatusCode::OK, self.metrics());
                let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                answer.headers_mut().insert(CONTENT_TYPE, kind);
                answer
            }
            _ => text(StatusCode::NOT_FOUND, "there are /healthz and /metrics\n".to_owned()),
        }
    }

    /// Opens the page's address.
    ///
    /// # Errors
    /// When it isn't an address on loopback, or can't be had.
    pub async fn listen(address: &str) -> Result<TcpListener> {
        let parsed: Option<SocketAddr> = address
            .parse()
            .ok()
            .filter(|address: &SocketAddr| address.ip().is_loopback());
        let Some(parsed) = parsed else {
            return Err(BadInput::new(
                format!("the schedule's `listen` isn't an address on loopback: `{address}`"),
                "write `127.0.0.1:PORT` or `[::1]:PORT`; put a proxy with a login before it where others are to see it",
            )
            .into());
        };
        TcpListener::bind(parsed)
            .await
            .with_context(|| format!("listening on `{address}`"))
    }

    /// Answers until the process ends.
    pub async fn answer_all(self, listener: TcpListener) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, most likely; connections that end will free some.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let health = self.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let answer = health.answer(&request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let served = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD_TIME)
                    .max_buf_size(MAX_HEAD_BYTES)
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), service);
                let _ = tokio::time::timeout(HEAD_TIME * 2, served).await;
                drop(slot);
            });
        }
    }
}

/// Whether a request asks for this machine by its own name: a page of the web that points its own name at loopback
/// doesn't.
fn is_loopback_host(request: &Request<Incoming>) -> bool {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.parse::<u16>().is_ok())
        .map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn night() -> Night {
        let at = "2026-03-17T02:30:00Z".parse().unwrap();
        Night { id: at, starts: at }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    async fn ask(health: &Health, request: &str) -> String {
        let listener = Health::listen("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(health.clone().answer_all(listener));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        server.abort();
        answer
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: localhost:9464\r\n\r\n")
    }

    #[tokio::test]
    async fn the_page_tells_the_last_and_the_next_run() {
        let health = Health::default();
        health.running(night(), at("2026-03-17T02:30:00Z"));
        health.ended(&End::Done(Numbers::default()), at("2026-03-17T03:00:00Z"));
        health.waiting(Night {
            id: at("2026-03-18T02:30:00Z"),
            starts: at("2026-03-18T02:41:07Z"),
        });
        let answer = ask(&health, &get("/healthz")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        for part in ["\"ok\"", "2026-03-18T02:41:07Z", "2026-03-17T03:00:00Z"] {
            assert!(answer.contains(part), "{part} {answer}");
        }
    }

    #[tokio::test]
    async fn a_failed_night_makes_it_unhealthy_and_says_why() {
        let health = Health::default();
        health.running(night(), at("2026-03-17T02:30:00Z"));
        health.ended(
            &End::Failed("the pack doesn't compile".to_owned()),
            at("2026-03-17T02:31:00Z"),
        );
        let answer = ask(&health, &get("/healthz")).await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("doesn't compile"),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn the_metrics_are_in_the_text_form_of_prometheus() {
        let health = Health::default();
        health.running(night(), at("2026-03-17T02:30:00Z"));
        let numbers = Numbers {
            levels: [3, 2, 1],
            merged: 1,
            not_reached: 4,
            breached: 2,
            unsent: 1,
        };
        health.ended(&End::Done(numbers), at("2026-03-17T03:00:00Z"));
        let answer = ask(&health, &get("/metrics")).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("text/plain; version=0.0.4"));
        insta::assert_snapshot!(body);
    }

    #[tokio::test]
    async fn only_reading_from_this_machine_is_answered() {
        let health = Health::default();
        let elsewhere = "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n";
        assert!(ask(&health, elsewhere).await.starts_with("HTTP/1.1 421"));
        let post = "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
        assert!(ask(&health, post).await.starts_with("HTTP/1.1 405"));
        assert!(ask(&health, &get("/")).await.starts_with("HTTP/1.1 404"));
    }

    #[tokio::test]
    async fn an_address_that_others_reach_is_refused() {
        for address in ["0.0.0.0:9464", "192.0.2.1:9464", "localhost", "[::]:9464"] {
            assert!(Health::listen(address).await.is_err(), "{address}");
        }
    }
}
