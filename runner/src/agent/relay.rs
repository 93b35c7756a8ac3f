//! The relay: runs *inside* the sandbox, where nothing but loopback is, as the parent of the step's
//! command. It listens on a loopback port, hands each connection to the proxy's socket, and tells
//! package managers of that port in the ways that they know.
//!
//! One thread, whatever the number of connections: a step's threads are bounded.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;

use crate::sandbox::{AGENT_PATH, PROXY_SOCKET};

/// Connections at once; further ones wait.
const MAX_CONNECTIONS: usize = 256;
/// After a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(50);
/// Where Debian, Alpine and others keep all trusted authorities in one file.
const CA_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Variables that name the proxy: curl's and most others', npm's and pnpm's, cargo's, and Yarn's.
const PROXY_VARIABLES: [&str; 13] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "npm_config_proxy",
    "npm_config_https_proxy",
    "CARGO_HTTP_PROXY",
    "YARN_HTTP_PROXY",
    "YARN_HTTPS_PROXY",
    "PIP_PROXY",
    "GLOBAL_AGENT_HTTP_PROXY",
];
/// Variables that name the trusted authorities, for tools that bring a list of their own.
const CA_VARIABLES: [&str; 6] = [
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
];

/// The relay could not do its work. What the command does is no error.
#[derive(Debug, Error)]
pub enum RelayError {
    /// No port, no signals.
    #[error("the relay of the proxy can't start: {0}")]
    Start(io::Error),
    /// No shell, or its end can't be waited for.
    #[error("the relay of the proxy can't run the step's command: {0}")]
    Command(io::Error),
}

/// The shell command that runs `command` behind the relay, in a sandbox that has the agent at
/// [`AGENT_PATH`] and the proxy's socket at [`PROXY_SOCKET`].
#[must_use]
pub fn behind_relay(command: &str) -> String {
    format!("exec {AGENT_PATH} relay '{}'", command.replace('\'', r"'\''"))
}

/// Runs a shell command behind the relay and returns the exit status that this process should end
/// with: the command's own, or 128 and the number of the signal that ended it, as shells have it.
///
/// # Errors
/// When there is no port or no shell.
pub fn relay(command: &str) -> Result<u8, RelayError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RelayError::Start)?;
    runtime.block_on(run(command, Path::new(PROXY_SOCKET), Path::new(CA_BUNDLE)))
}

async fn run(command: &str, socket: &Path, ca_bundle: &Path) -> Result<u8, RelayError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(RelayError::Start)?;
    let port = listener.local_addr().map_err(RelayError::Start)?.port();
    let signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let [mut terminate, mut interrupt, mut hang_up] = signals.map(signal);
    let child = Command::new("/bin/sh")
        .args(["-c", command])
        .envs(variables(port, ca_bundle.is_file().then_some(ca_bundle)))
        .spawn()
        .map_err(RelayError::Command)?;
    let mut child = Stepchild(child);
    let accepting = accept(&listener, socket);
    tokio::pin!(accepting);
    loop {
        tokio::select! {
            status = child.0.wait() => return status.map(exit_code).map_err(RelayError::Command),
            () = &mut accepting => {}
            () = received(&mut terminate) => child.pass_on(rustix::process::Signal::TERM),
            () = received(&mut interrupt) => child.pass_on(rustix::process::Signal::INT),
            () = received(&mut hang_up) => child.pass_on(rustix::process::Signal::HUP),
        }
    }
}

/// Resolves when the signal came; never when it can't be listened to.
async fn received(signal: &mut io::Result<Signal>) {
    let came = match signal {
        Ok(signal) => signal.recv().await.is_some(),
        Err(_) => false,
    };
    if !came {
        std::future::pending().await
    }
}

struct Stepchild(Child);

impl Stepchild {
    fn pass_on(&self, signal: rustix::process::Signal) {
        let pid = self.0.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            // It may have ended in this moment; then there is nobody to tell.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

async fn accept(listener: &TcpListener, socket: &Path) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let socket = socket.to_owned();
        tokio::spawn(async move {
            pipe(client, &socket).await;
            drop(slot);
        });
    }
}

/// A connection that breaks is the client's to report: it knows what it was for.
async fn pipe(mut client: TcpStream, socket: &Path) {
    if let Ok(mut proxy) = UnixStream::connect(socket).await {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut proxy).await;
    }
}

/// What tells tools of the proxy on this port, and of the image's own certificate authorities.
fn variables(port: u16, ca_bundle: Option<&Path>) -> BTreeMap<String, String> {
    let proxy = format!("http://127.0.0.1:{port}");
    let mut variables: BTreeMap<String, String> = PROXY_VARIABLES
        .iter()
        .map(|name| ((*name).to_owned(), proxy.clone()))
        .collect();
    if let Some(bundle) = ca_bundle {
        let bundle = bundle.display().to_string();
        variables.extend(CA_VARIABLES.iter().map(|name| ((*name).to_owned(), bundle.clone())));
    }
    // A Java machine reads no such variables; Maven 3.9 asks it only when told to.
    let java = ["http", "https"].map(|scheme| format!("-D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort={port}"));
    variables.insert("JAVA_TOOL_OPTIONS".to_owned(), java.join(" "));
    variables.insert(
        "MAVEN_OPTS".to_owned(),
        "-Daether.connector.http.useSystemProperties=true".to_owned(),
    );
    variables
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixListener;

    async fn end_of(command: &str) -> u8 {
        run(command, Path::new("/no/proxy"), Path::new("/no/bundle"))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn the_commands_end_is_passed_on() {
        assert_eq!(end_of("exit 0").await, 0);
        assert_eq!(end_of("exit 42").await, 42);
        assert_eq!(end_of("holdpoint-no-such-command 2>/dev/null").await, 127);
        assert_eq!(end_of("kill -TERM $$").await, 128 + 15);
    }

    #[tokio::test]
    async fn a_connection_reaches_the_proxys_socket_and_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let proxy = UnixListener::bind(&socket).unwrap();
        let served = tokio::spawn(async move {
            let (mut stream, _) = proxy.accept().await.unwrap();
            let mut asked = [0; 4];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(b"pong").await.unwrap();
            asked
        });
        let command = "exec 3<>/dev/tcp/127.0.0.1/${http_proxy##*:}; printf ping >&3; test \"$(cat <&3)\" = pong";
        let command = format!("exec bash -c '{command}'");
        let code = run(&command, &socket, Path::new("/no/bundle")).await.unwrap();
        assert_eq!(code, 0);
        assert_eq!(&served.await.unwrap(), b"ping");
    }

    #[test]
    fn a_command_with_quotes_stays_one_word() {
        let line = behind_relay("echo 'a b' \"$HOME\"");
        let words = line.replace(&format!("exec {AGENT_PATH} relay"), "printf %s");
        let output = std::process::Command::new("sh").args(["-c", &words]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "echo 'a b' \"$HOME\"");
    }

    #[test]
    fn every_tool_hears_of_the_same_port() {
        let told = variables(3128, Some(Path::new("/ca.crt")));
        for name in PROXY_VARIABLES {
            assert_eq!(told[name], "http://127.0.0.1:3128");
        }
        assert_eq!(told["PIP_CERT"], "/ca.crt");
        assert!(told["JAVA_TOOL_OPTIONS"].contains("-Dhttps.proxyPort=3128"));
        assert!(!variables(3128, None).contains_key("PIP_CERT"));
    }
}
