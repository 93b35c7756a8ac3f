//! Spans reach a collector where one is named.

use crate::support::{AT, Estate, holdpoint, stderr};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

/// A collector that takes one request, and what it took: the request line and the body.
fn collector() -> (String, std::thread::JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let taken = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = stream.read(&mut chunk).unwrap();
            bytes.extend_from_slice(&chunk[..read]);
            let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            let Some(head) = head else { continue };
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse::<usize>().unwrap());
            if read == 0 || bytes.len() >= head + 4 + length {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
                let line = text.lines().next().unwrap_or_default().to_owned();
                return (line, bytes.split_off(head + 4));
            }
        }
    });
    (endpoint, taken)
}

#[test]
fn a_run_sends_its_spans_to_the_named_collector() {
    let (endpoint, taken) = collector();
    let estate = Estate::prepared();
    let decided = holdpoint()
        .args(["decide", "--quiet", "--at", AT, "--estate"])
        .arg(estate.estate())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .output()
        .unwrap();
    assert!(!stderr(&decided).contains("spans"), "{}", stderr(&decided));
    let (request, body) = taken.join().unwrap();
    assert_eq!(request, "post /v1/traces http/1.1");
    // Protobuf holds its strings as they are.
    let has = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("service.name") && has("holdpoint") && has("run"), "{}", body.len());
}

#[test]
fn a_collector_that_is_away_costs_a_warning_and_no_more() {
    let estate = Estate::prepared();
    let decide = |endpoint: Option<&str>| {
        let mut command = holdpoint();
        command
            .args(["decide", "--quiet", "--at", AT, "--estate"])
            .arg(estate.estate());
        if let Some(endpoint) = endpoint {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        }
        command.output().unwrap()
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let with = decide(Some(&format!("http://{closed}")));
    let without = decide(None);
    assert_eq!(with.status.code(), without.status.code());
    assert_eq!(with.stdout, without.stdout);
}
