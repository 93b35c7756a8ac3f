//! What a long ledger costs, in either store: a million entries appended, verified, read back, and their size. Once with
//! small bodies and once with bodies as large as decisions are.
//! `cargo bench -p holdpoint-ledger --bench ledger` measures and writes `benches/figures/ledger.json`;
//! `HOLDPOINT_LEDGER_ENTRIES=100000` makes it quick, and then nothing is written.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that can't set up has nothing to measure"
)]

#[allow(dead_code, unreachable_pub, reason = "the tests need more of it")]
#[path = "../tests/stores/cluster.rs"]
mod cluster;

use holdpoint_ledger::{Ledger, PostgresOptions, Secret, Verification};
use holdpoint_schemas::Timestamp;
use serde_json::{Value, json};
use std::time::Instant;

const ENTRIES: u64 = 1_000_000;

/// Entries of one append: what a run records of one repo, about.
const BATCH: u64 = 50;

/// Times that the whole log is verified.
const SAMPLES: usize = 5;

/// Words of bodies: their length varies as that of decisions and findings does.
const WORDS: &str = "the fix was built tested and compared with what is deployed and the service that relies on it ";

/// Facts of a decision: with them, it has about the length that decisions of a real night have
/// (`benches/figures/year.json`).
const FACTS: u64 = 50;

/// Where facts come from.
const SOURCES: [&str; 3] = ["the repo's history", "calendar.yaml", "computed from the diff"];

/// Makes the body of an entry.
type Shape = fn(u64) -> Value;

/// Shapes of bodies, each with the share of the entries that are made of it: large ones make files of gigabytes.
const SHAPES: [(&str, Shape, u64); 2] = [("small_bodies", small, 1), ("bodies_of_decisions", decision, 10)];

/// A ledger to measure.
struct Place {
    open: Box<dyn Fn() -> Ledger>,
    bytes: Box<dyn Fn() -> u64>,
}

fn main() {
    let entries = std::env::var("HOLDPOINT_LEDGER_ENTRIES").map_or(ENTRIES, |text| text.parse().unwrap());
    let mut figures = json!({
        "made": "`cargo bench -p holdpoint-ledger --bench ledger`, one run",
        "machine": "2 cores, Debian 12",
        "entries_of_an_append": BATCH,
    });
    for (name, shape, share) in SHAPES {
        let entries = entries / share;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let file = path.clone();
        let place = Place {
            open: Box::new(move || Ledger::open(&path).unwrap()),
            bytes: Box::new(move || std::fs::metadata(&file).unwrap().len()),
        };
        figures["sqlite"][name] = measured(&place, entries, shape);
        eprintln!("{name} in SQLite: {}", figures["sqlite"][name]);
        drop(folder);
        if let Some(cluster) = cluster::Cluster::start(true) {
            let options = PostgresOptions::new(Secret::new(cluster.url()));
            let schema = options.schema.clone();
            let place = Place {
                open: Box::new(move || Ledger::open_postgres(&options).unwrap()),
                bytes: Box::new(move || size_of(&cluster, &schema)),
            };
            figures["postgres"][name] = measured(&place, entries, shape);
            eprintln!("{name} in PostgreSQL: {}", figures["postgres"][name]);
        }
    }
    let text = serde_json::to_string_pretty(&figures).unwrap() + "\n";
    println!("{text}");
    if entries == ENTRIES {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/figures/ledger.json");
        std::fs::write(path, text).unwrap();
    }
}

fn measured(place: &Place, entries: u64, shape: Shape) -> Value {
    let mut ledger = (place.open)();
    let mut body_bytes = 0;
    let begun = Instant::now();
    for first in (0..entries).step_by(BATCH as usize) {
        let at = Timestamp::from_second(1_700_000_000 + first as i64).unwrap();
        let bodies: Vec<Value> = (first..first + BATCH).map(shape).collect();
        body_bytes += bodies.iter().map(|body| body.to_string().len()).sum::<usize>();
        ledger
            .append_all(bodies.iter().map(|body| ("decision", at, body)))
            .unwrap();
    }
    let append = begun.elapsed().as_secs_f64();
    drop(ledger);

    let before = cpu_seconds();
    let verify: Vec<f64> = (0..SAMPLES)
        .map(|_| seconds(|| verified((place.open)(), entries)))
        .collect();
    // Of this process, all its threads together; a database has its own.
    let verify_cpu = (cpu_seconds() - before) / verify.len() as f64;
    let mut ledger = (place.open)();
    let head = seconds(|| assert_eq!(ledger.head().unwrap().size, entries));
    let leaves = seconds(|| assert_eq!(ledger.leaves().unwrap().len() as u64, entries));
    let tail = seconds(|| assert_eq!(ledger.entries_after(entries - 1_000).unwrap().len(), 1_000));
    let one = seconds(|| {
        let entry = ledger.append("run", Timestamp::UNIX_EPOCH, &json!(1)).unwrap();
        assert_eq!(entry.seq, entries + 1);
    });
    drop(ledger);
    let bytes = (place.bytes)();
    json!({
        "entries": entries,
        "bytes_of_a_body": body_bytes as u64 / entries,
        "bytes_of_an_entry": bytes / entries,
        "mib": bytes >> 20,
        "append_all_seconds": rounded(append),
        "append_one_seconds": rounded(one),
        "verify_cpu_seconds": rounded(verify_cpu),
        "verify_seconds": { "fastest": rounded(verify.iter().copied().fold(f64::MAX, f64::min)),
                            "slowest": rounded(verify.iter().copied().fold(0.0, f64::max)), "samples": verify.len() },
        "catch_up_seconds": rounded(head),
        "leaves_seconds": rounded(leaves),
        "read_the_last_1000_seconds": rounded(tail),
        "load_of_the_machine": load(),
    })
}

fn decision(n: u64) -> Value {
    let mut body = small(n);
    let fact = |of: u64| {
        let mixed = (n ^ of).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let fact = json!({ "observed_at": format!("2026-03-17T02:30:{:02}Z", mixed % 60), "value": mixed % 2 == 1,
                           "source": SOURCES[(of % 3) as usize],
                           "note": format!("`service-{:04}/config/{mixed:016x}.toml` holds no sign of it", n % 1_000) });
        (format!("change.of_kind_{of:02}"), fact)
    };
    body["facts"] = Value::Object((0..FACTS).map(fact).collect());
    body
}

fn small(n: u64) -> Value {
    let words = WORDS.repeat(1 + (n % 7) as usize);
    json!({ "repo": format!("repo-{}", n % 1_000), "branch": "main", "finding": format!("{n:064x}"), "level": "alert",
            "reasons": [words], "n": n })
}

fn verified(ledger: Ledger, entries: u64) {
    let verification = ledger.verify(None).unwrap();
    assert!(matches!(verification, Verification::Intact { head, .. } if head.size == entries));
}

/// Bytes of the tables and their indices.
fn size_of(cluster: &cluster::Cluster, schema: &str) -> u64 {
    let row = cluster.client().query_one(
        "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c \
         WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace($1)",
        &[&schema],
    );
    u64::try_from(row.unwrap().get::<_, i64>(0)).unwrap()
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

/// How many wanted a core in the last minute, this bench among them.
fn load() -> f64 {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    load.split(' ').next().unwrap().parse().unwrap()
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 10_000.0).round() / 10_000.0
}
