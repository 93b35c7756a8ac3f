//! Nights: the binary on the estate, and what it took.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::estate::{Estate, at};

/// What a command took.
pub struct Took {
    pub seconds: f64,
    /// Processor time of the process and of all that it waited for.
    pub cpu_seconds: f64,
    /// Most memory of the process itself.
    pub peak_mib: u64,
    pub stdout_bytes: u64,
    pub stderr: String,
}

/// Runs the binary on an estate at a moment.
pub fn holdpoint(estate: &Path, at: &str, arguments: &[&str]) -> Took {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
    command
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .env("HOLDPOINT_LOG", "holdpoint::pipeline::archive=debug")
        .env("NO_COLOR", "1")
        .arg("--estate")
        .arg(estate)
        .args(["--at", at, "--quiet"])
        .args(arguments);
    let before = children_cpu_seconds();
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let printed = thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()).unwrap());
    let said = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let status = format!("/proc/{}/status", child.id());
    let (done, watch) = mpsc::channel::<()>();
    let peak = thread::spawn(move || {
        let mut peak = 0;
        while watch.recv_timeout(Duration::from_millis(20)) == Err(mpsc::RecvTimeoutError::Timeout) {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            peak = peak.max(kib.unwrap_or(0_u64));
        }
        peak >> 10
    });
    let ended = child.wait().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    drop(done);
    let stderr = said.join().unwrap();
    assert!(matches!(ended.code(), Some(0 | 10)), "{arguments:?}: {ended}: {stderr}");
    Took {
        seconds,
        cpu_seconds: children_cpu_seconds() - before,
        peak_mib: peak.join().unwrap(),
        stdout_bytes: printed.join().unwrap(),
        stderr,
    }
}

/// Processor time of all children that ended, by `/proc/self/stat` (proc(5): fields 16 and 17, in hundredths).
fn children_cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ').skip(13).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// One night, as JSON.
pub fn night(estate: &mut Estate, number: usize) -> Value {
    let day = estate.day(number);
    let took = holdpoint(&estate.folder(), &at(number), &["run"]);
    let added = of_night(&estate.ledger(), number);
    let mut figures = json!({
        "night": number,
        "open_findings": day.open,
        "since_the_last": { "new": day.new, "back": day.back, "gone": day.vanished, "merged": day.merged,
                            "reverted": day.reverted },
        "seconds": rounded(took.seconds),
        "cpu_seconds": rounded(took.cpu_seconds),
        "peak_mib": took.peak_mib,
        "reports": reports(&took, &estate.folder()),
    });
    figures["entries"] = added.values().map(|(entries, _)| entries).sum::<u64>().into();
    figures["body_bytes"] = added.values().map(|(_, bytes)| bytes).sum::<u64>().into();
    figures["of_kinds"] = added
        .into_iter()
        .map(|(kind, (entries, bytes))| (kind, json!({ "entries": entries, "body_bytes": bytes })))
        .collect::<Map<_, _>>()
        .into();
    figures
}

/// Entries that a night added and the length of their bodies, by kind.
fn of_night(ledger: &Path, number: usize) -> BTreeMap<String, (u64, u64)> {
    let ledger = rusqlite::Connection::open(ledger).unwrap();
    let mut statement = ledger
        .prepare("SELECT kind, count(*), sum(octet_length(body)) FROM entry WHERE at = ?1 GROUP BY kind")
        .unwrap();
    let rows = statement.query_map([at(number)], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Time and size of each form of the report, from the program's own log.
pub fn reports(took: &Took, estate: &Path) -> Value {
    let mut forms = Map::new();
    let mut all = 0.0;
    for line in took.stderr.lines().filter(|line| line.contains("report written")) {
        let field = |name: &str| {
            line.split(&format!("{name}="))
                .nth(1)
                .and_then(|rest| rest.split(' ').next())
        };
        let (Some(form), Some(seconds)) = (field("form"), field("seconds")) else {
            continue;
        };
        let form = form.trim_matches('"');
        let seconds: f64 = seconds.parse().unwrap();
        all += seconds;
        let bytes = std::fs::metadata(estate.join("state").join(form)).unwrap().len();
        forms.insert(form.to_owned(), json!({ "seconds": rounded(seconds), "bytes": bytes }));
    }
    json!({ "seconds": rounded(all), "forms": forms })
}

pub fn rounded(seconds: f64) -> f64 {
    (seconds * 1_000.0).round() / 1_000.0
}
