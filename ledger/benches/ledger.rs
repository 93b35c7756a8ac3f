//! What a long ledger costs: a million entries in an SQLite file, appended, verified, read back, and its size.
//! `cargo bench -p holdpoint-ledger --bench ledger` measures and writes `benches/figures/ledger.json`.

#![allow(clippy::unwrap_used, reason = "a bench that can't set up has nothing to measure")]

use holdpoint_ledger::{Ledger, Verification};
use holdpoint_schemas::Timestamp;
use serde_json::{Value, json};
use std::time::Instant;

const ENTRIES: u64 = 1_000_000;

/// Entries of one append: what a run records of one repo, about.
const BATCH: u64 = 50;

/// Words of bodies: their length varies as that of decisions and findings does.
const WORDS: &str = "the fix was built tested and compared with what is deployed and the service that relies on it ";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let mut ledger = Ledger::open(&path).unwrap();
    let mut body_bytes = 0;
    let begun = Instant::now();
    for first in (0..ENTRIES).step_by(BATCH as usize) {
        let at = Timestamp::from_second(1_700_000_000 + first as i64).unwrap();
        let bodies: Vec<Value> = (first..first + BATCH).map(body).collect();
        body_bytes += bodies.iter().map(|body| body.to_string().len()).sum::<usize>();
        ledger
            .append_all(bodies.iter().map(|body| ("decision", at, body)))
            .unwrap();
    }
    let append = begun.elapsed().as_secs_f64();
    drop(ledger);
    let file_bytes = std::fs::metadata(&path).unwrap().len();

    let before = cpu_seconds();
    let verify: Vec<f64> = (0..5).map(|_| seconds(|| verified(&path))).collect();
    let verify_cpu = (cpu_seconds() - before) / verify.len() as f64;
    let mut ledger = Ledger::open_existing(&path).unwrap();
    let head = seconds(|| assert_eq!(ledger.head().unwrap().size, ENTRIES));
    let read = seconds(|| assert_eq!(ledger.entries(None).unwrap().len() as u64, ENTRIES));
    let tail = seconds(|| assert_eq!(ledger.entries_after(ENTRIES - 1_000).unwrap().len(), 1_000));
    let one = seconds(|| {
        assert_eq!(
            ledger.append("run", Timestamp::UNIX_EPOCH, &json!(1)).unwrap().seq,
            ENTRIES + 1
        )
    });

    let figures = json!({
        "made": "`cargo bench -p holdpoint-ledger --bench ledger`, one run",
        "machine": "2 cores, Debian 12",
        "ledger": format!("{ENTRIES} entries in appends of {BATCH}, SQLite, synchronous = FULL"),
        // Of both threads: what it would cost a machine that does nothing else is between half of it and all of it.
        "verify_cpu_seconds": rounded(verify_cpu),
        "verify_seconds": { "fastest": rounded(verify.iter().copied().fold(f64::MAX, f64::min)),
                            "slowest": rounded(verify.iter().copied().fold(0.0, f64::max)), "samples": verify.len() },
        "catch_up_seconds": rounded(head),
        "read_all_entries_seconds": rounded(read),
        "read_the_last_1000_seconds": rounded(tail),
        "append_one_seconds": rounded(one),
        "append_all_seconds": rounded(append),
        "bytes_of_a_body": body_bytes as u64 / ENTRIES,
        "bytes_of_an_entry": file_bytes / ENTRIES,
        "file_mib": file_bytes >> 20,
    });
    let text = serde_json::to_string_pretty(&figures).unwrap() + "\n";
    println!("{text}");
    std::fs::write(
        concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/figures/ledger.json"),
        text,
    )
    .unwrap();
}

fn body(n: u64) -> Value {
    let words = WORDS.repeat(1 + (n % 7) as usize);
    json!({ "repo": format!("repo-{}", n % 1_000), "branch": "main", "finding": format!("{n:064x}"), "level": "alert",
            "reasons": [words], "n": n })
}

fn verified(path: &std::path::Path) {
    let verification = Ledger::open_existing(path).unwrap().verify(None).unwrap();
    assert!(matches!(verification, Verification::Intact { head, .. } if head.size == ENTRIES));
}

fn seconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

/// Processor time of this process so far, by `/proc/self/stat` (proc(5): fields 14 and 15, in hundredths).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    fields
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().unwrap() / 100.0)
        .sum()
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 10_000.0).round() / 10_000.0
}
