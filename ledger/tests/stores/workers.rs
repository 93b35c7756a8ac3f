//! Three workers share a night's work on one PostgreSQL. One is killed, one is cut off.

use holdpoint_ledger::LedgerError;
use holdpoint_schemas::Timestamp;
use rustix::process::Signal;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::place::{Place, open_named};
use crate::process::{Other, is_other, say};

const ITEMS: usize = 300;

/// How long a worker that says nothing keeps an item.
const TTL: Duration = Duration::from_millis(1_500);

const TEST: &str = "workers::three_workers_of_whom_one_is_killed_and_one_cut_off_do_every_item_once";

#[test]
fn three_workers_of_whom_one_is_killed_and_one_cut_off_do_every_item_once() {
    if let Some((ledger, name)) = is_other() {
        return work(&ledger, &name);
    }
    let Some(place) = Place::postgres() else { return };
    let Place::Postgres(_, cluster) = &place else {
        unreachable!()
    };
    let ledger = place.open();
    let items: Vec<String> = (0..ITEMS).map(|n| format!("item-{n:03}")).collect();
    ledger.offer("night", items.iter().map(String::as_str)).unwrap();

    let mut killed = Other::start(TEST, &place, "killed");
    let mut stopped = Other::start(TEST, &place, "stopped");
    let steady = Other::start(TEST, &place, "steady");
    for _ in 0..40 {
        killed.hear().unwrap();
    }
    killed.kill();
    for _ in 0..20 {
        stopped.hear().unwrap();
    }
    // Cut off from the database and from time; what it has claimed goes to others.
    stopped.signal(Signal::STOP);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
               AND application_name = 'holdpoint'";
    cluster.client().batch_execute(cut).unwrap();
    let by_steady = steady.wait();
    stopped.signal(Signal::CONT);
    stopped.wait();

    assert!(by_steady.len() > 50, "the steady worker did {} items", by_steady.len());
    let mut done: BTreeMap<String, usize> = BTreeMap::new();
    for entry in place.open().entries(Some("outcome")).unwrap() {
        *done.entry(entry.body["item"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(done.len(), ITEMS);
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    assert_eq!(ledger.open_work("night", Timestamp::now()).unwrap(), (0, 0));
    assert_eq!(place.intact().size, ITEMS as u64);
}

/// Claims and does until nothing is left to do.
fn work(ledger: &str, name: &str) {
    let mut ledger = open_named(ledger);
    loop {
        let Some(item) = ledger.claim("night", name, TTL, Timestamp::now()).unwrap() else {
            if ledger.open_work("night", Timestamp::now()).unwrap().0 == 0 {
                return;
            }
            // Others have the rest; what they don't finish comes free.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let body = json!({ "item": item.name, "by": name });
        match ledger.finish(&item, [("outcome", Timestamp::now(), &body)]) {
            Ok(_) => say(&item.name),
            Err(LedgerError::LeaseLost { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
