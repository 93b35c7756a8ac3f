//! `exec` into a container: the server's end of its WebSocket.

use super::faults::ApiFault;
use super::http::{Answer, Wanted, not_found, status, streamed};
use super::{Cluster, node};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Channels of the protocol (`k8s.io/apimachinery/pkg/util/remotecommand`).
const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const CLOSE: u8 = 255;

pub fn answer(cluster: &Arc<Cluster>, pod: &str, wanted: &Wanted, mut request: Request<Incoming>) -> Answer {
    if cluster.store.get("pods", pod).is_none() {
        return not_found();
    }
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let offered = header("sec-websocket-protocol");
    let protocol = if cluster.plan.old_exec {
        "v4.channel.k8s.io"
    } else {
        "v5.channel.k8s.io"
    };
    if !offered.split(", ").any(|one| one == protocol) {
        return status(400, "BadRequest", "no common protocol");
    }
    let key = derive_accept_key(header("sec-websocket-key").as_bytes());
    let mut command = Command::new("docker");
    command.args(["exec", "--interactive", &node::container_of(cluster, pod)]);
    command.args(wanted.values("command"));
    let with_input = wanted.value("stdin") == "true";
    let upgrade = hyper::upgrade::on(&mut request);
    let cut = cluster
        .plan
        .strikes(ApiFault::ExecCut)
        .then(|| cluster.plan.random() % 4096);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        converse(socket, command, with_input, cut).await;
    });
    let (_, mut answer) = streamed();
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-protocol", protocol),
        ("sec-websocket-accept", key.as_str()),
    ] {
        answer.headers_mut().insert(name, value.parse().unwrap());
    }
    answer
}

async fn converse(
    socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
    mut command: Command,
    with_input: bool,
    cut: Option<u64>,
) {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut stdin = child.stdin.take().filter(|_| with_input);
    let (out, mut output) = mpsc::channel::<Vec<u8>>(16);
    let pumps = [
        tokio::spawn(pump(STDOUT, child.stdout.take().unwrap(), out.clone())),
        tokio::spawn(pump(STDERR, child.stderr.take().unwrap(), out)),
    ];
    let (mut to_client, mut from_client) = socket.split();
    let mut received = 0;
    loop {
        if cut.is_some_and(|cut| received >= cut) {
            return;
        }
        tokio::select! {
            chunk = output.recv() => match chunk {
                Some(chunk) => if to_client.send(Message::binary(chunk)).await.is_err() { return },
                // Both streams of the program have ended.
                None => break,
            },
            message = from_client.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    received += bytes.len() as u64;
                    take(&mut stdin, &bytes).await;
                }
                Some(Ok(Message::Close(_))) | None | Some(Err(_)) => return,
                Some(Ok(_)) => {}
            },
        }
    }
    for pump in pumps {
        drop(pump.await);
    }
    let code = child.wait().await.unwrap().code().unwrap_or(-1);
    let mut frame = vec![STATUS];
    frame.extend_from_slice(last_word(code).to_string().as_bytes());
    let _ = to_client.send(Message::binary(frame)).await;
    let _ = to_client.close().await;
}

async fn take(stdin: &mut Option<ChildStdin>, frame: &[u8]) {
    match frame {
        [STDIN, bytes @ ..] => {
            if let Some(stdin) = stdin {
                // A program that reads no more is none of the server's business.
                let _ = stdin.write_all(bytes).await;
            }
        }
        [CLOSE, STDIN] => *stdin = None,
        _ => {}
    }
}

async fn pump(channel: u8, mut stream: impl AsyncRead + Unpin, out: mpsc::Sender<Vec<u8>>) {
    let mut chunk = vec![0; 8192];
    while let Ok(count) = stream.read(&mut chunk).await {
        if count == 0 {
            return;
        }
        let mut frame = vec![channel];
        frame.extend_from_slice(&chunk[..count]);
        if out.send(frame).await.is_err() {
            return;
        }
    }
}

fn last_word(code: i32) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}
