//! Leases, their fences, and work that is shared by them.

use holdpoint_ledger::LedgerError;
use serde_json::json;
use std::time::Duration;

use crate::place::{Place, at, on_both_stores};

const MINUTE: Duration = Duration::from_secs(60);

on_both_stores! {
    a_lease_is_one_holders_until_it_runs_out_or_is_given_back
    who_lost_a_lease_cannot_write_and_who_only_slept_can
    a_held_lease_fences_every_append
    a_holder_that_comes_back_fences_off_what_it_was
    work_is_claimed_in_order_and_done_once
    a_clock_that_jumps_can_take_a_lease_but_not_write_twice
}

fn a_lease_is_one_holders_until_it_runs_out_or_is_given_back(place: &Place) {
    let (one, two) = (place.open(), place.open());
    let mut first = one.lease("estate", "a", MINUTE, at(0)).unwrap().unwrap();
    assert_eq!((first.token, first.expires), (1, at(60)));
    assert_eq!(two.lease("estate", "b", MINUTE, at(59)).unwrap(), None);
    assert_eq!(two.leased_to("estate", at(59)).unwrap(), Some(("a".to_owned(), at(60))));
    assert!(two.lease("other", "b", MINUTE, at(59)).unwrap().is_some());
    one.renew(&mut first, MINUTE, at(50)).unwrap();
    assert_eq!(two.lease("estate", "b", MINUTE, at(109)).unwrap(), None);
    let second = two.lease("estate", "b", MINUTE, at(110)).unwrap().unwrap();
    assert_eq!(second.token, 2);
    assert!(matches!(
        one.renew(&mut first, MINUTE, at(111)),
        Err(LedgerError::LeaseLost { .. })
    ));
    one.release(&first).unwrap();
    assert_eq!(
        one.lease("estate", "a", MINUTE, at(112)).unwrap(),
        None,
        "what was lost can't be given back"
    );
    two.release(&second).unwrap();
    assert_eq!(one.leased_to("estate", at(112)).unwrap(), None);
    assert_eq!(one.lease("estate", "a", MINUTE, at(112)).unwrap().unwrap().token, 3);
}

fn who_lost_a_lease_cannot_write_and_who_only_slept_can(place: &Place) {
    let (mut one, two) = (place.open(), place.open());
    let lease = one.lease("estate", "a", MINUTE, at(0)).unwrap().unwrap();
    // Run out, and nobody wanted it.
    one.append_fenced(&lease, [("run", at(500), &json!(1))]).unwrap();
    two.lease("estate", "b", MINUTE, at(500)).unwrap().unwrap();
    let error = one
        .append_fenced(&lease, [("run", at(501), &json!(2))])
        .unwrap_err()
        .to_string();
    assert_eq!(error, "the lease `estate` was lost: `b` took it; nothing was written");
    assert_eq!(place.intact().size, 1);
}

fn a_held_lease_fences_every_append(place: &Place) {
    let (mut one, two) = (place.open(), place.open());
    let lease = one.lease("estate", "a", MINUTE, at(0)).unwrap().unwrap();
    one.hold(lease.clone());
    one.append("run", at(1), &json!(1)).unwrap();
    one.release(&lease).unwrap();
    assert!(matches!(
        one.append("run", at(2), &json!(2)),
        Err(LedgerError::LeaseLost { .. })
    ));
    two.lease("estate", "b", MINUTE, at(2)).unwrap().unwrap();
    let refused = one.append_if("run", at(2), &json!(2), 0, |_| true);
    assert!(matches!(refused, Err(LedgerError::LeaseLost { .. })));
    assert_eq!(place.intact().size, 1);
}

fn a_holder_that_comes_back_fences_off_what_it_was(place: &Place) {
    let mut ledger = place.open();
    let before = ledger.lease("estate", "a", MINUTE, at(0)).unwrap().unwrap();
    let after = ledger.lease("estate", "a", MINUTE, at(1)).unwrap().unwrap();
    assert!(ledger.append_fenced(&before, [("run", at(2), &json!(1))]).is_err());
    ledger.append_fenced(&after, [("run", at(2), &json!(1))]).unwrap();
}

fn work_is_claimed_in_order_and_done_once(place: &Place) {
    let (mut one, mut two) = (place.open(), place.open());
    one.offer("night", ["b", "a", "c"]).unwrap();
    two.offer("night", ["b", "a", "c"]).unwrap();
    let b = one.claim("night", "one", MINUTE, at(0)).unwrap().unwrap();
    let a = two.claim("night", "two", MINUTE, at(0)).unwrap().unwrap();
    assert_eq!((b.name.as_str(), a.name.as_str()), ("b", "a"));
    assert_eq!(one.open_work("night", at(0)).unwrap(), (3, 2));
    one.finish(&b, [("outcome", at(1), &json!("b"))]).unwrap();
    assert!(
        one.finish(&b, [("outcome", at(1), &json!("b"))]).is_err(),
        "done is done"
    );
    let c = one.claim("night", "one", MINUTE, at(2)).unwrap().unwrap();
    assert_eq!(one.claim("night", "one", MINUTE, at(3)).unwrap(), None);
    // `two` is too slow with `a`.
    let again = one.claim("night", "one", MINUTE, at(60)).unwrap().unwrap();
    assert_eq!((again.name.as_str(), again.token), ("a", 2));
    one.finish(&again, [("outcome", at(61), &json!("a"))]).unwrap();
    let late = two
        .finish(&a, [("outcome", at(62), &json!("a"))])
        .unwrap_err()
        .to_string();
    assert!(late.contains("the work was done by another holder"), "{late}");
    one.release(&c).unwrap();
    let c = two.claim("night", "two", MINUTE, at(62)).unwrap().unwrap();
    two.finish(&c, [("outcome", at(63), &json!("c"))]).unwrap();
    two.offer("night", ["b", "a", "c"]).unwrap();
    assert_eq!(two.open_work("night", at(1_000)).unwrap(), (0, 0));
    let done: Vec<_> = (two.entries(None).unwrap().into_iter())
        .map(|entry| entry.body)
        .collect();
    assert_eq!(done, ["b", "a", "c"]);
}

fn a_clock_that_jumps_can_take_a_lease_but_not_write_twice(place: &Place) {
    let (mut one, mut jumped) = (place.open(), place.open());
    one.offer("night", ["a"]).unwrap();
    let mine = one.claim("night", "one", MINUTE, at(0)).unwrap().unwrap();
    let theirs = jumped.claim("night", "two", MINUTE, at(1_000_000)).unwrap().unwrap();
    let (first, second) = (
        jumped.finish(&theirs, [("outcome", at(1_000_001), &json!(2))]),
        one.finish(&mine, [("outcome", at(1), &json!(1))]),
    );
    assert!(first.is_ok() && matches!(second, Err(LedgerError::LeaseLost { .. })));
    assert_eq!(place.intact().size, 1);
}
