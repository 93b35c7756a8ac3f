//! The log of a pod, from the engine's.

use super::Cluster;
use super::faults::ApiFault;
use super::http::{Answer, Wanted, status, streamed};
use super::node;
use hyper::body::Bytes;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

pub fn answer(cluster: &Arc<Cluster>, pod: &str, wanted: &Wanted) -> Answer {
    let Some(record) = cluster.store.get("pods", pod) else {
        return super::http::not_found();
    };
    let state = &record["status"]["containerStatuses"][0]["state"];
    if state["running"].is_null() && state["terminated"].is_null() {
        return status(
            400,
            "BadRequest",
            "container \"step\" is waiting to start: ContainerCreating",
        );
    }
    assert_eq!(wanted.value("timestamps"), "true");
    let mut command = Command::new("docker");
    command.args(["logs", "--timestamps"]);
    if wanted.value("follow") == "true" {
        command.arg("--follow");
    }
    if !wanted.value("sinceTime").is_empty() {
        command.args(["--since", wanted.value("sinceTime")]);
    }
    command.arg(node::container_of(cluster, pod));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let (feed, answer) = streamed();
    let cluster = Arc::clone(cluster);
    tokio::spawn(async move {
        let mut child = command.spawn().unwrap();
        let (lines, mut merged) = mpsc::channel(64);
        tokio::spawn(forward(child.stdout.take().unwrap(), lines.clone()));
        tokio::spawn(forward(child.stderr.take().unwrap(), lines));
        while let Some(line) = merged.recv().await {
            // Half a line, and then nothing: that is how it looks when the server dies.
            if cluster.plan.strikes(ApiFault::LogCut) {
                let half = line.slice(..line.len() / 2);
                let _ = feed.send(Ok(half)).await;
                let _ = feed.send(Err(io::ErrorKind::ConnectionReset.into())).await;
                return;
            }
            if feed.send(Ok(line)).await.is_err() {
                return;
            }
        }
        drop(child.wait().await);
    });
    answer
}

async fn forward(stream: impl AsyncRead + Unpin, lines: mpsc::Sender<Bytes>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line).await {
            Ok(count) if count > 0 => {}
            _ => return,
        }
        if lines.send(Bytes::from(line)).await.is_err() {
            return;
        }
    }
}
