//! A writer that is killed at any moment leaves a log that verifies, with all that it was told is
//! there, and nothing twice.

use serde_json::json;

use crate::place::{Place, at, on_both_stores, open_named};
use crate::process::{Other, is_other, say};

on_both_stores! {
    a_writer_killed_at_any_point_leaves_all_it_was_told_and_nothing_twice
}

/// How many, and which first: `ci/soak` tries more than `ci/test`.
fn points() -> (u64, u64) {
    let number = |name, usual| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(usual)
    };
    (number("HOLDPOINT_KILL_POINTS", 20), number("HOLDPOINT_KILL_SEED", 7))
}

/// Entries of one append.
const BATCH: u64 = 3;

fn a_writer_killed_at_any_point_leaves_all_it_was_told_and_nothing_twice(place: &Place) {
    if is_other().is_some() {
        return write();
    }
    place.open();
    let (points, seed) = points();
    let mut random = Seeded(seed);
    for point in 0..points {
        let test = match place {
            Place::Sqlite(_) => "kill::sqlite::",
            Place::Postgres(..) => "kill::postgres::",
        };
        let test = format!("{test}a_writer_killed_at_any_point_leaves_all_it_was_told_and_nothing_twice");
        let mut writer = Other::start(&test, place, "writer");
        let mut told: u64 = 0;
        for _ in 0..random.below(12) {
            told = writer.hear().unwrap().parse().unwrap();
        }
        // Somewhere in what comes next: reading, appending, committing.
        let spin = std::time::Instant::now();
        let micros = u128::from(random.below(4_000));
        while spin.elapsed().as_micros() < micros {
            std::hint::spin_loop();
        }
        if let Some(last) = writer.kill().last() {
            told = last.parse().unwrap_or(told);
        }
        let size = place.intact().size;
        assert_eq!(size % BATCH, 0, "a batch was torn at point {point}");
        assert!(size >= told, "{told} were told, and {size} are there at point {point}");
        let entries = place.existing().unwrap().entries(None).unwrap();
        let numbers: Vec<u64> = entries.iter().map(|entry| entry.body["n"].as_u64().unwrap()).collect();
        assert_eq!(
            numbers,
            (1..=size).collect::<Vec<_>>(),
            "something is missing or there twice"
        );
    }
    assert!(place.intact().size > points, "the writers hardly wrote");
}

/// Appends until somebody ends it, and says the size after each append.
fn write() {
    let (name, _) = is_other().unwrap();
    let mut ledger = open_named(&name);
    let mut size = ledger.head().unwrap().size;
    let text = "x".repeat(5_000);
    loop {
        let bodies: Vec<_> = (1..=BATCH).map(|n| json!({ "n": size + n, "text": text })).collect();
        ledger
            .append_all(bodies.iter().map(|body| ("run", at(1), body)))
            .unwrap();
        size += BATCH;
        say(size);
    }
}

/// The same numbers each time (SplitMix64).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
