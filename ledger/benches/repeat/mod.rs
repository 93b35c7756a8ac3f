//! A ledger of a year and beyond: a real night, repeated on later days with its times changed. What people and the
//! estate's own key signed is left out, and so is what would move lanes or merge something twice.

use holdpoint_ledger::{Ledger, Verification};
use holdpoint_schemas::Timestamp;
use serde_json::{Value, json};
use std::time::Instant;

/// Kinds that are repeated. Decisions are nearly all of a ledger.
const REPEATED: [&str; 4] = ["decision", "evidence", "report", "run"];

/// The entries of a real night, as texts.
pub struct Pattern {
    at: String,
    entries: Vec<(String, String)>,
    /// How many more entries the real night had.
    pub left_out: usize,
}

impl Pattern {
    /// The last night of a ledger in a file.
    pub fn of(ledger: &std::path::Path) -> Self {
        let ledger = rusqlite::Connection::open(ledger).unwrap();
        let at: String = ledger
            .query_row("SELECT at FROM entry ORDER BY seq DESC LIMIT 1", [], |row| row.get(0))
            .unwrap();
        let mut statement = ledger
            .prepare("SELECT kind, body FROM entry WHERE at = ?1 ORDER BY seq")
            .unwrap();
        let rows = statement.query_map([&at], |row| Ok((row.get(0)?, row.get(1)?)));
        let (entries, others): (Vec<_>, Vec<(String, String)>) = rows
            .unwrap()
            .map(Result::unwrap)
            .partition(|(kind, _): &(String, String)| REPEATED.contains(&kind.as_str()));
        Self {
            at,
            entries,
            left_out: others.len(),
        }
    }

    /// Appends the night as if it had been another one, in appends as long as those of runs; at most `limit` entries.
    /// Says how many.
    pub fn append_as(&self, ledger: &mut Ledger, at: &str, limit: u64) -> u64 {
        let moment: Timestamp = at.parse().unwrap();
        let mut appended = 0;
        for entries in self.entries.chunks(50) {
            let left = usize::try_from(limit - appended).unwrap();
            let body = |text: &str| serde_json::from_str(&text.replace(&self.at, at)).unwrap();
            let bodies: Vec<(&str, Value)> = (entries.iter().take(left))
                .map(|(kind, text)| (kind.as_str(), body(text)))
                .collect();
            ledger
                .append_all(bodies.iter().map(|(kind, body)| (*kind, moment, body)))
                .unwrap();
            appended += bodies.len() as u64;
        }
        appended
    }

    /// Appends nights until there are so many entries; the first is `days` after the pattern.
    pub fn fill(&self, ledger: &mut Ledger, days: i64, entries: u64) {
        let first: Timestamp = self.at.parse().unwrap();
        let mut size = ledger.head().unwrap().size;
        for days in days.. {
            if size >= entries {
                return;
            }
            let at = first + std::time::Duration::from_secs(86_400 * u64::try_from(days).unwrap());
            size += self.append_as(ledger, &at.to_string(), entries - size);
        }
    }
}

/// How long a ledger takes to verify; a few times, since others may use the machine.
pub fn verified(open: impl Fn() -> Ledger, bytes: u64) -> Value {
    let mut seconds = Vec::new();
    let mut entries = 0;
    for _ in 0..5 {
        let begun = Instant::now();
        match open().verify(None).unwrap() {
            Verification::Intact { head, .. } => entries = head.size,
            Verification::Tampered { problems } => panic!("{problems:?}"),
        }
        seconds.push(begun.elapsed().as_secs_f64());
    }
    let rounded = |seconds: f64| (seconds * 1_000.0).round() / 1_000.0;
    json!({
        "entries": entries,
        "mib": bytes >> 20,
        "bytes_of_an_entry": bytes / entries,
        "verify_seconds": { "fastest": rounded(seconds.iter().copied().fold(f64::MAX, f64::min)),
                            "slowest": rounded(seconds.iter().copied().fold(0.0, f64::max)),
                            "samples": seconds.len() },
    })
}
