//! Runs that are killed, wherever they are, and started again: each fix is merged exactly once.
//!
//! `HOLDPOINT_KILL_RUNS` says how many (20), `HOLDPOINT_KILL_SEED` which is the first (1).

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::flock::Flock;

const REPOS: usize = 3;
const FILES: usize = 3;
/// Kills before the run that is let through.
const KILLS: usize = 2;
/// A run takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same everywhere.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Runs until it has said so many lines of its log, and then kills it. Says how many it did say.
fn run_until(mut command: Command, lines: Option<usize>) -> (usize, bool) {
    let mut child = command
        .env("HOLDPOINT_LOG", "holdpoint=debug,holdpoint_runner=debug")
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        said.lines()
            .map_while(Result::ok)
            .filter(|line| line.contains("DEBUG"))
            .try_for_each(|line| sender.send(line))
    });
    let (mut seen, deadline) = (0, Instant::now() + PATIENCE);
    loop {
        match receiver.recv_timeout(Duration::from_millis(20)) {
            Ok(_) => seen += 1,
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) if child.try_wait().unwrap().is_some() => break,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
        }
        if lines.is_some_and(|lines| seen >= lines) {
            child.kill().unwrap();
            break;
        }
        assert!(Instant::now() < deadline, "the run hangs");
    }
    let status = child.wait().unwrap();
    (seen, status.code().is_some())
}

/// Every fix is on its branch once, the ledger says so once, and verifies.
fn assert_promoted_once(flock: &Flock, seed: u64) {
    for repo in (0..REPOS).map(|repo| format!("repo{repo}")) {
        let lines: Vec<String> = (0..FILES).map(|file| flock.line(&repo, file)).collect();
        assert_eq!(lines, ["ok 2"; FILES], "seed {seed}");
        let fixes = flock.git(
            &repo,
            &[
                "log",
                "--format=%(trailers:key=Holdpoint-Fix,valueonly,separator=%x2C)",
                "main",
            ],
        );
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for fix in fixes.lines().filter(|line| !line.is_empty()) {
            *count.entry(fix).or_default() += 1;
        }
        assert_eq!(count.len(), FILES, "seed {seed}: {fixes}");
        assert!(count.values().all(|times| *times == 1), "seed {seed}: {fixes}");
    }
    let output = flock.run(&["ledger", "log", "--kind", "merge", "--format", "json"]);
    let merges: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut commits: Vec<&str> = (merges.as_array().unwrap().iter())
        .map(|entry| entry["body"]["commit"].as_str().unwrap())
        .collect();
    commits.sort_unstable();
    commits.dedup();
    assert_eq!(
        (merges.as_array().unwrap().len(), commits.len()),
        (REPOS * FILES, REPOS * FILES),
        "seed {seed}"
    );
    flock.run(&["ledger", "verify"]);
}

#[test]
fn a_killed_run_is_continued_and_promotes_exactly_once() {
    let number = |name: &str, otherwise: u64| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (runs, first) = (number("HOLDPOINT_KILL_RUNS", 20), number("HOLDPOINT_KILL_SEED", 1));
    let whole = Flock::new(REPOS, FILES, "");
    let run = |flock: &Flock| {
        let mut command = flock.command();
        command.arg("run");
        command
    };
    let (lines, ended) = run_until(run(&whole), None);
    assert!(ended && lines > 10, "{lines} lines");
    assert_promoted_once(&whole, 0);
    let mut struck = 0;
    for seed in first..first + runs {
        let mut state = seed;
        let flock = Flock::new(REPOS, FILES, "");
        for _ in 0..KILLS {
            let at = usize::try_from(random(&mut state) % lines as u64).unwrap() + 1;
            let (_, ended) = run_until(run(&flock), Some(at));
            struck += usize::from(!ended);
        }
        flock.run(&["run"]);
        assert_promoted_once(&flock, seed);
    }
    eprintln!("kill: {runs} runs, {struck} kills that struck, of about {lines} points");
    // Else the points are not where the work is.
    assert!(struck as u64 >= runs, "only {struck} kills struck");
}
