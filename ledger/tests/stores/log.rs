//! Appending and reading.

use holdpoint_ledger::{Form, LedgerError, Verification};
use serde_json::{Value, json};

use crate::place::{Place, at, on_both_stores};

on_both_stores! {
    entries_come_back_in_order_by_kind_and_from_a_place
    the_head_is_the_same_after_reopening_and_grows_with_each_entry
    every_head_there_ever_was_is_confirmed
    four_writers_take_turns_on_one_log
    several_are_appended_all_or_none
    a_failed_append_leaves_nothing_in_memory
    floats_and_texts_read_back_to_the_bits_that_were_hashed
    nothing_is_appended_to_an_altered_log
    a_budget_is_kept_by_writers_that_do_not_know_of_each_other
    times_may_go_back_and_the_order_is_that_of_the_places
    a_ledger_that_must_exist_is_not_made
    a_long_log_is_read_in_pages
}

fn entries_come_back_in_order_by_kind_and_from_a_place(place: &Place) {
    let mut ledger = place.open();
    let first = ledger.append("decision", at(1), &json!({"level": "alert"})).unwrap();
    let second = ledger.append("outcome", at(2), &json!(0.1)).unwrap();
    let third = ledger.append("decision", at(3), &json!({"level": "suggest"})).unwrap();
    assert_eq!((first.seq, third.seq, third.form), (1, 3, Form::Digest));
    assert_eq!(ledger.entries(Some("decision")).unwrap(), [first, third.clone()]);
    assert_eq!(ledger.entries(None).unwrap().len(), 3);
    assert_eq!(ledger.entries(Some("none")).unwrap(), []);
    assert_eq!(ledger.entries_after(1).unwrap(), [second, third]);
    assert_eq!(ledger.entries_after(3).unwrap(), []);
}

fn the_head_is_the_same_after_reopening_and_grows_with_each_entry(place: &Place) {
    let mut ledger = place.open();
    let empty = ledger.head().unwrap();
    assert_eq!((empty.size, place.intact()), (0, empty));
    ledger.append("run", at(1), &json!({"a": 1})).unwrap();
    let one = ledger.head().unwrap();
    assert_ne!(one.root, empty.root);
    assert_eq!(place.existing().unwrap().head().unwrap(), one);
    assert_eq!(place.intact(), one);
}

fn every_head_there_ever_was_is_confirmed(place: &Place) {
    let mut ledger = place.open();
    let mut heads = vec![ledger.head().unwrap()];
    for n in 0..12 {
        ledger.append("run", at(n), &json!(n)).unwrap();
        heads.push(ledger.head().unwrap());
    }
    for head in &heads {
        let intact = Verification::Intact {
            head: heads[12],
            pruned: 0,
        };
        assert_eq!(ledger.verify(Some(head)).unwrap(), intact, "{head}");
    }
}

fn four_writers_take_turns_on_one_log(place: &Place) {
    place.open();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                let mut ledger = place.open();
                for n in 0..10 {
                    ledger.append("run", at(n), &json!({"writer": writer, "n": n})).unwrap();
                }
            });
        }
    });
    assert_eq!(place.intact().size, 40);
}

fn several_are_appended_all_or_none(place: &Place) {
    let mut ledger = place.open();
    let (good, bad) = (json!({"n": 1}), json!(u64::MAX));
    (ledger.append_all([("fact", at(1), &good), ("fact", at(1), &bad)])).unwrap_err();
    assert_eq!(ledger.head().unwrap().size, 0);
    let entries = (ledger.append_all([("fact", at(1), &good), ("run", at(2), &good)])).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(ledger.entries(None).unwrap(), entries);
    assert_eq!(ledger.append_all::<Value>([]).unwrap(), []);
    assert_eq!(place.intact().size, 2);
}

fn a_failed_append_leaves_nothing_in_memory(place: &Place) {
    let mut ledger = place.open();
    ledger.append("run", at(1), &json!(1)).unwrap();
    let (up, down) = match place {
        Place::Sqlite(_) => (
            "CREATE TRIGGER full BEFORE INSERT ON checkpoint BEGIN SELECT raise(ABORT, 'no'); END",
            "DROP TRIGGER full",
        ),
        Place::Postgres(..) => (
            "ALTER TABLE checkpoint ADD CONSTRAINT fewer CHECK (size < 2)",
            "ALTER TABLE checkpoint DROP CONSTRAINT fewer",
        ),
    };
    place.sql(up);
    assert!(ledger.append("run", at(2), &json!(2)).is_err());
    place.sql(down);
    ledger.append("run", at(3), &json!(3)).unwrap();
    assert_eq!(place.intact(), ledger.head().unwrap());
    assert_eq!(place.intact().size, 2);
}

fn floats_and_texts_read_back_to_the_bits_that_were_hashed(place: &Place) {
    let mut ledger = place.open();
    let floats = [0.1, 1e17, 1e21, -0.0, 5e-324, f64::MAX, 0.000_123_456_789_012_345_6];
    for float in floats {
        ledger.append("fact", at(1), &json!({ "value": float })).unwrap();
    }
    let odd = json!({"nul": "\0", "quote": "'\"\\", "é\u{10ffff}": "\u{feff}\r\n"});
    ledger.append("fact", at(2), &odd).unwrap();
    assert_eq!(place.intact().size, 8);
    let entries = place.existing().unwrap().entries(None).unwrap();
    assert_eq!(entries[0].body["value"], json!(0.1));
    assert_eq!(entries[7].body, odd);
}

fn nothing_is_appended_to_an_altered_log(place: &Place) {
    let mut ledger = place.open();
    ledger.append("run", at(1), &json!(1)).unwrap();
    ledger.append("run", at(2), &json!(2)).unwrap();
    place.tamper("UPDATE entry SET body = '3' WHERE seq = 1");
    let mut reopened = place.open();
    let error = reopened.append("run", at(3), &json!(3)).unwrap_err().to_string();
    assert!(error.contains("entry 1 does not match its leaf hash"), "{error}");
    assert!(matches!(reopened.entries(None), Err(LedgerError::Altered { .. })));
}

fn a_budget_is_kept_by_writers_that_do_not_know_of_each_other(place: &Place) {
    place.open();
    let budget = 15;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut ledger = place.open();
                for n in 0..10 {
                    let room = |entries: &[holdpoint_ledger::Entry]| entries.len() < budget;
                    ledger.append_if("merge", at(n), &json!(n), 0, room).unwrap();
                }
            });
        }
    });
    assert_eq!(place.intact().size, budget as u64);
    let mut ledger = place.open();
    assert_eq!(
        ledger
            .append_if("merge", at(9), &json!(1), 10, |new| new.len() != 5)
            .unwrap(),
        None
    );
    let appended = ledger
        .append_if("merge", at(9), &json!(1), 10, |new| new.len() == 5)
        .unwrap();
    assert_eq!(appended.unwrap().seq, 16);
}

fn times_may_go_back_and_the_order_is_that_of_the_places(place: &Place) {
    let mut ledger = place.open();
    for second in [1_000_000_000, 5, -5_000_000_000] {
        ledger.append("run", at(second), &json!(second)).unwrap();
    }
    let times: Vec<i64> = (ledger.entries(None).unwrap().iter())
        .map(|entry| entry.at.as_second())
        .collect();
    assert_eq!(times, [1_000_000_000, 5, -5_000_000_000]);
    assert_eq!(place.intact().size, 3);
}

fn a_ledger_that_must_exist_is_not_made(place: &Place) {
    for _ in 0..2 {
        assert!(matches!(place.existing(), Err(LedgerError::Missing { .. })));
    }
    place.open();
    assert!(place.existing().is_ok());
}

fn a_long_log_is_read_in_pages(place: &Place) {
    let mut ledger = place.open();
    let bodies: Vec<Value> = (0..10_500).map(|n| json!({ "n": n })).collect();
    ledger
        .append_all(bodies.iter().map(|body| ("fact", at(1), body)))
        .unwrap();
    let entries = place.existing().unwrap().entries(None).unwrap();
    assert_eq!(entries.len(), bodies.len());
    assert!(entries.iter().zip(&bodies).all(|(entry, body)| entry.body == *body));
    assert_eq!(place.intact(), ledger.head().unwrap());
    assert_eq!(ledger.entries_after(10_498).unwrap().len(), 2);
}
