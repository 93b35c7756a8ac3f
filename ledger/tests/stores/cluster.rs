//! A private PostgreSQL: a cluster in a temporary folder, reachable by a Unix socket only, as a user who isn't root.
//! A shell that lives as long as a pipe to the test is open owns it, so it goes away however the test ends.

use postgres::{Client, NoTls};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// `$1`: folder of the programs; the rest: settings. `$CERTIFICATE` and `$KEY`, when set, are PEM for TLS.
const OWNER: &str = r#"
trap '' INT TERM HUP
bin=$1; shift
dir=$(mktemp -d /tmp/holdpoint-pg.XXXXXX) || exit 1
start() {
  "$bin/postgres" -D "$dir/data" -k "$dir" "$@" >>"$dir/log" 2>&1 </dev/null & server=$!
  # Until it has written its number it takes no notice of the signal that stops it.
  tries=0
  until [ "$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null)" = "$server" ] || [ $tries -ge 3000 ]; do
    sleep 0.01; tries=$((tries + 1))
  done
}
children() { ps -o pid= --ppid "$server"; }
end() { kill -QUIT "$server" 2>/dev/null; wait "$server"; rm -rf "$dir"; }
"$bin/initdb" -D "$dir/data" -A trust -U holdpoint -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 ||
  { cat "$dir/log" >&2; rm -rf "$dir"; exit 1; }
if [ -n "${KEY:-}" ]; then
  printf %s "$CERTIFICATE" >"$dir/data/server.crt"
  (umask 077 && printf %s "$KEY" >"$dir/data/server.key")
fi
start "$@"
echo "$dir"
while read -r word; do
  case $word in
    stop) kill -INT "$server"; wait "$server";;
    kill) all=$(children); kill -KILL "$server" $all; wait "$server" 2>/dev/null; for pid in $all; do
      while kill -0 "$pid" 2>/dev/null; do :; done; done;;
    start) start "$@";;
  esac
  echo "$word"
done
end
"#;

/// A running cluster.
pub struct Cluster {
    folder: PathBuf,
    port: String,
    _owner: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Cluster {
    /// Starts one; `None`, and a line that says so, where PostgreSQL isn't installed. `durable`: with `fsync`.
    pub fn start(durable: bool) -> Option<Self> {
        let fsync = if durable { "fsync=on" } else { "fsync=off" };
        Self::with(&[fsync, "listen_addresses="], &[])
    }

    /// Starts one that also answers on a port of this machine, over TLS, as `localhost`.
    pub fn with_tls(port: u16, certificate: &str, key: &str) -> Option<Self> {
        let port = format!("port={port}");
        let settings = ["fsync=off", "listen_addresses=localhost", "ssl=on", &port];
        Self::with(&settings, &[("CERTIFICATE", certificate), ("KEY", key)])
    }

    fn with(settings: &[&str], environment: &[(&str, &str)]) -> Option<Self> {
        let Some(programs) = programs() else {
            assert_ne!(
                std::env::var("CI").as_deref(),
                Ok("true"),
                "CI has PostgreSQL: run ci/setup"
            );
            eprintln!("skipped: PostgreSQL is not installed");
            return None;
        };
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]);
            command
        } else {
            Command::new("env")
        };
        command.args(["sh", "-c", OWNER, "cluster"]).arg(&programs);
        for setting in settings.iter().chain(&["max_connections=40", "shared_buffers=16MB"]) {
            command.args(["-c", setting]);
        }
        let mut owner = command
            .envs(environment.iter().copied())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = owner.stdin.take().unwrap();
        let mut stdout = BufReader::new(owner.stdout.take().unwrap());
        let mut folder = String::new();
        stdout.read_line(&mut folder).unwrap();
        assert!(!folder.is_empty(), "the cluster did not start");
        let port = settings.iter().find_map(|setting| setting.strip_prefix("port="));
        let cluster = Self {
            folder: PathBuf::from(folder.trim_end()),
            port: port.unwrap_or("5432").to_owned(),
            _owner: owner,
            pipes: Mutex::new((stdin, stdout)),
        };
        cluster.client();
        Some(cluster)
    }

    /// Connection string.
    pub fn url(&self) -> String {
        format!(
            "host={} port={} user=holdpoint dbname=postgres",
            self.folder.display(),
            self.port
        )
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{}", self.port))
    }

    /// A client, once the server answers.
    pub fn client(&self) -> Client {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match Client::connect(&self.url(), NoTls) {
                Ok(client) => return client,
                Err(error) if Instant::now() > deadline => {
                    let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                    panic!("PostgreSQL does not answer: {error}\n{log}");
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Ends the server as its administrator would; it is gone when this returns.
    pub fn stop(&self) {
        self.tell("stop");
    }

    /// Ends the server as its administrator would, and starts it again.
    pub fn restart(&self) {
        self.stop();
        self.tell("start");
    }

    /// Ends all its processes with SIGKILL, and starts it again.
    pub fn crash(&self) {
        self.tell("kill");
        self.tell("start");
    }

    fn tell(&self, word: &str) {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{word}").unwrap();
        let mut answer = String::new();
        pipes.1.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim_end(), word);
    }
}

/// The folder with `initdb` and `postgres`: Debian has one for each version.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<PathBuf> = debian.flatten().map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let has = |folder: &&PathBuf| {
        ["initdb", "postgres"]
            .iter()
            .all(|name| Path::exists(&folder.join(name)))
    };
    folders.iter().rev().find(has).cloned()
}
