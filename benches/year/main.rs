//! What a year comes to: 1,000 services in 50 repos, whose findings come, go and come back, and a run every night.
//!
//! As many nights as fit into `HOLDPOINT_YEAR_MINUTES` (15 without it) are real: the binary on real repos, with real
//! merges, its sandbox in Linux namespaces. From the last of them a ledger of a whole year is made and one more night is
//! run on it; then one of a million entries, which is verified.
//! `cargo bench --bench year` measures and writes `benches/figures/year.json`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a bench that can't set up has nothing to measure"
)]

mod estate;
mod nights;
#[path = "../../ledger/benches/repeat/mod.rs"]
mod repeat;

use holdpoint_ledger::Ledger;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

use estate::Estate;
use nights::rounded;

const NIGHTS: usize = 365;
const MANY: u64 = 1_000_000;
/// Nights that are taken together as the first and as the last.
const FEW: usize = 3;

fn main() {
    let minutes = std::env::var("HOLDPOINT_YEAR_MINUTES").map_or(15.0, |text| text.parse::<f64>().unwrap());
    let folder = tempfile::TempDir::with_prefix("holdpoint-year-").unwrap();
    let mut estate = Estate::new(folder.path());
    let begun = Instant::now();
    let mut nights: Vec<Value> = Vec::new();
    while nights.len() < NIGHTS && begun.elapsed() < Duration::from_secs_f64(60.0 * minutes) {
        let night = nights::night(&mut estate, nights.len());
        eprintln!("{night}");
        nights.push(night);
    }
    let real = nights.len();
    let spent = rounded(begun.elapsed().as_secs_f64());

    // The rest of the year, like the last night.
    let path = estate.ledger();
    let open = || Ledger::open_existing(&path).unwrap();
    let pattern = repeat::Pattern::of(&path);
    let mut ledger = open();
    for night in real..NIGHTS {
        pattern.append_as(&mut ledger, &estate::at(night), MANY);
    }
    drop(ledger);
    let year = repeat::verified(open, bytes(&path));
    let last = nights::night(&mut estate, NIGHTS);
    eprintln!("{last}");
    let decided = nights::holdpoint(&estate.folder(), &estate::at(NIGHTS), &["--format", "json", "decide"]);
    let verify = nights::holdpoint(&estate.folder(), &estate::at(NIGHTS), &["ledger", "verify"]);

    pattern.fill(&mut open(), i64::try_from(NIGHTS).unwrap(), MANY);
    let many = repeat::verified(open, bytes(&path));

    let figures = json!({
        "made": "`cargo bench --bench year`, one run",
        "machine": "2 cores, Debian 12",
        "load_of_the_machine": std::fs::read_to_string("/proc/loadavg").unwrap().split(' ').next().unwrap(),
        "estate": { "services": estate::SERVICES, "repos": estate::REPOS, "findings_at_first": estate::AT_FIRST },
        "real_nights": { "nights": real, "seconds": spent, "first": mean(&nights[..FEW.min(real)]),
                         "last": mean(&nights[real.saturating_sub(FEW)..]), "all": mean(&nights) },
        "a_year": { "simulated_nights": NIGHTS - real, "entries_left_out_each_night": pattern.left_out,
                    "ledger": year, "next_night": last,
                    "decide_as_json": { "seconds": rounded(decided.seconds), "peak_mib": decided.peak_mib,
                                        "bytes": decided.stdout_bytes },
                    "ledger_verify": { "seconds": rounded(verify.seconds), "peak_mib": verify.peak_mib } },
        "a_million_entries": many,
        "each_real_night": nights,
    });
    let text = serde_json::to_string_pretty(&figures).unwrap() + "\n";
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/figures/year.json"), text).unwrap();
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// The mean of each number of some nights.
fn mean(nights: &[Value]) -> Value {
    let of = |path: &str| {
        let numbers = nights.iter().filter_map(|night| night.pointer(path)?.as_f64());
        rounded(numbers.sum::<f64>() / nights.len() as f64)
    };
    json!({
        "nights": nights.len(),
        "seconds": of("/seconds"), "cpu_seconds": of("/cpu_seconds"), "peak_mib": of("/peak_mib"),
        "open_findings": of("/open_findings"), "merged_the_night_before": of("/since_the_last/merged"),
        "entries": of("/entries"), "body_bytes": of("/body_bytes"),
        "report_seconds": of("/reports/seconds"),
        "report_html_seconds": of("/reports/forms/report.html/seconds"),
        "report_json_seconds": of("/reports/forms/report.json/seconds"),
        "report_html_bytes": of("/reports/forms/report.html/bytes"),
        "report_json_bytes": of("/reports/forms/report.json/bytes"),
    })
}
