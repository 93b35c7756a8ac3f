//! Several hosts share a night's validations through one PostgreSQL.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use holdpoint_ledger::{Ledger, PostgresOptions, Secret};
use tempfile::TempDir;

use crate::support::cluster::Cluster;
use crate::support::flock::Flock;
use crate::support::{AT, holdpoint, json, refused, stderr};

/// Fixes, each in a repo of its own, so that none is tested together with another.
const FIXES: usize = 6;
/// How long a host may be silent, in seconds.
const LEASE: u64 = 2;
/// A night takes seconds.
const PATIENCE: Duration = Duration::from_secs(240);

/// Hosts with an estate in common: each has its own copy of the files and its own state folder.
struct Hosts {
    flock: Flock,
    cluster: Cluster,
    folders: TempDir,
}

impl Hosts {
    fn new(names: &[&str]) -> Option<Self> {
        let cluster = Cluster::start(false)?;
        // Tests of what may be merged run many times over: long enough to see who has what.
        let flock = Flock::new(FIXES, 1, "");
        let hosts = Self {
            flock,
            cluster,
            folders: TempDir::with_prefix("holdpoint-hosts-").unwrap(),
        };
        let config = std::fs::read_to_string(hosts.flock.root().join("holdpoint.yaml")).unwrap();
        let remotes = format!("remote: {}/remotes/", hosts.flock.root().display());
        let config = config
            .replace("remote: remotes/", &remotes)
            .replace("reruns: 0,", "reruns: 0, at_once: 1,");
        let url = hosts.folders.path().join("ledger.url");
        std::fs::write(&url, hosts.cluster.url()).unwrap();
        for name in names {
            let folder = hosts.folder(name);
            std::fs::create_dir(&folder).unwrap();
            for part in ["pack", "fixes", "reports", "rollout.yaml"] {
                let copied = Command::new("cp")
                    .arg("-r")
                    .args([hosts.flock.root().join(part), folder.join(part)])
                    .status();
                assert!(copied.unwrap().success());
            }
            std::fs::copy(&url, folder.join("ledger.url")).unwrap();
            let ledger =
                format!("ledger: {{postgres: {{url_file: ledger.url, schema: flock, lease_seconds: {LEASE}}}}}\n");
            std::fs::write(folder.join("holdpoint.yaml"), format!("{config}{ledger}")).unwrap();
        }
        Some(hosts)
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.folders.path().join(name)
    }

    fn start(&self, name: &str, arguments: &[&str]) -> Child {
        let mut command = holdpoint();
        command
            .arg("--estate")
            .arg(self.folder(name))
            .arg("--quiet")
            .args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn run(&self, name: &str) -> Child {
        self.start(name, &["--at", AT, "run"])
    }

    fn assist(&self, name: &str) -> Child {
        self.start(name, &["--format", "json", "assist", "--wait", "2m"])
    }

    /// Waits until a host validates something.
    fn until_at_work(&self, name: &str) {
        let deadline = Instant::now() + PATIENCE;
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let mut client = self.cluster.client();
        loop {
            if let Ok(id) = std::fs::read_to_string(self.folder(name).join("state/holder.id")) {
                let holder = format!("{}/{id}", machine.trim());
                let has = client.query_one(
                    "SELECT count(*) FROM flock.lease WHERE queue = 'validation' AND holder = $1 AND NOT done",
                    &[&holder],
                );
                // There is no such table before the first run.
                if has.is_ok_and(|row| row.get::<_, i64>(0) > 0) {
                    return;
                }
            }
            assert!(Instant::now() < deadline, "{name} does nothing");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn ledger(&self) -> Ledger {
        Ledger::open_existing_postgres(&PostgresOptions {
            schema: "flock".to_owned(),
            ..PostgresOptions::new(Secret::new(self.cluster.url()))
        })
        .unwrap()
    }

    /// Every fix was validated once and merged once, by the ledger and by the remotes; and the ledger verifies.
    fn assert_done_once(&self) {
        let ledger = self.ledger();
        for kind in ["evidence", "merge"] {
            let mut count: BTreeMap<String, usize> = BTreeMap::new();
            for entry in ledger.entries(Some(kind)).unwrap() {
                *count.entry(entry.body["fix"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            assert_eq!(count.len(), FIXES, "{kind}");
            assert!(count.values().all(|count| *count == 1), "{kind}: {count:?}");
        }
        for repo in (0..FIXES).map(|repo| format!("repo{repo}")) {
            assert_eq!(self.flock.line(&repo, 0), "ok 2");
            assert_eq!(self.flock.git(&repo, &["rev-list", "--count", "main"]).trim(), "2");
        }
        assert_eq!(
            ledger
                .open_work("validation", holdpoint_schemas::Timestamp::now())
                .unwrap(),
            (0, 0)
        );
        let verification = ledger.verify(None).unwrap();
        assert!(
            matches!(verification, holdpoint_ledger::Verification::Intact { .. }),
            "{verification:?}"
        );
    }
}

fn end(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 10)), "{}", stderr(&output));
    output
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn validated(output: &Output) -> u64 {
    let document = json(output);
    assert!(document["run_of"].as_str().is_some(), "{document}");
    document["validated"].as_u64().unwrap()
}

#[test]
fn hosts_of_one_ledger_validate_a_night_together_and_each_fix_once() {
    let Some(hosts) = Hosts::new(&["a", "b", "c"]) else {
        return;
    };
    let (b, c) = (hosts.assist("b"), hosts.assist("c"));
    let a = end(hosts.run("a"));
    let (b, c) = (validated(&end(b)), validated(&end(c)));
    assert!(b > 0 && c > 0, "b {b}, c {c}: {}", stderr(&a));
    assert!(b + c <= FIXES as u64);
    hosts.assert_done_once();
}

#[test]
fn of_three_hosts_one_is_killed_and_one_is_cut_off_and_every_fix_is_validated_once() {
    let Some(hosts) = Hosts::new(&["a", "b", "c"]) else {
        return;
    };
    let (mut b, c) = (hosts.assist("b"), hosts.assist("c"));
    let a = hosts.run("a");
    hosts.until_at_work("b");
    b.kill().unwrap();
    b.wait().unwrap();
    // It falls silent with work in its hands, and wakes up when others have done it.
    hosts.until_at_work("c");
    signal(&c, "-STOP");
    end(a);
    hosts.assert_done_once();
    signal(&c, "-CONT");
    end(c);
    hosts.assert_done_once();
}

#[test]
fn a_night_whose_host_is_killed_is_ended_by_another_with_what_the_first_had_found_out() {
    let Some(hosts) = Hosts::new(&["a", "b", "c"]) else {
        return;
    };
    let c = hosts.assist("c");
    let mut a = hosts.run("a");
    hosts.until_at_work("a");
    hosts.until_at_work("c");
    a.kill().unwrap();
    a.wait().unwrap();
    // Refused until the lease of the killed one has run out.
    let deadline = Instant::now() + PATIENCE;
    let b = loop {
        let output = hosts.run("b").wait_with_output().unwrap();
        if output.status.code() != Some(3) {
            break output;
        }
        assert!(Instant::now() < deadline, "{}", stderr(&output));
    };
    assert!(matches!(b.status.code(), Some(0 | 10)), "{}", stderr(&b));
    end(c);
    hosts.assert_done_once();
}

#[test]
fn there_is_nobody_to_assist_where_the_ledger_is_a_file_or_nobody_runs() {
    let alone = Flock::new(1, 1, "");
    let mut command = holdpoint();
    let output = command
        .arg("--estate")
        .arg(alone.root())
        .arg("assist")
        .output()
        .unwrap();
    refused(&output, &["the ledger of this estate is a file", "`ledger.postgres`"]);
    let Some(hosts) = Hosts::new(&["a"]) else { return };
    end(hosts.run("a"));
    let output = end(hosts.start("a", &["assist"]));
    assert_eq!(
        crate::support::stdout(&output).trim(),
        "No other host runs this estate."
    );
}
