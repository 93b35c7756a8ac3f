//! Letting bodies go.

use holdpoint_ledger::{PRUNE, PruneRecord, Verification, read_export_line};
use serde_json::json;
use std::collections::BTreeSet;

use crate::place::{Place, at, on_both_stores};

on_both_stores! {
    pruned_bodies_are_exported_and_every_proof_still_holds
    a_body_that_went_without_a_prune_entry_is_found
    nothing_is_pruned_when_the_export_fails_or_a_place_is_wrong
}

fn places(list: &[u64]) -> BTreeSet<u64> {
    list.iter().copied().collect()
}

fn pruned_bodies_are_exported_and_every_proof_still_holds(place: &Place) {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = place.open();
    let mut heads = Vec::new();
    for n in 1..=6 {
        ledger
            .append("decision", at(n), &json!({"n": n, "text": "é\n\"{"}))
            .unwrap();
        heads.push(ledger.head().unwrap());
    }
    let before = ledger.entries(None).unwrap();
    let pruned = ledger.prune(&places(&[2, 3, 5]), folder.path(), at(9)).unwrap();
    assert_eq!((pruned.bodies, pruned.kept), (3, 0));

    let path = pruned.export.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let exported: Vec<_> = text.lines().map(|line| read_export_line(line).unwrap()).collect();
    assert_eq!(exported, [before[1].clone(), before[2].clone(), before[4].clone()]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let left: Vec<u64> = (ledger.entries(None).unwrap().iter()).map(|entry| entry.seq).collect();
    assert_eq!(left, [1, 4, 6, 7]);
    let leaves = ledger.leaves().unwrap();
    assert_eq!(leaves.len(), 7);
    assert!(before.iter().zip(&leaves).all(|(entry, leaf)| entry.leaf == *leaf));
    for entry in &before {
        let stub = ledger.stub(entry.seq).unwrap().unwrap();
        assert_eq!((&stub.kind, stub.at, stub.leaf), (&entry.kind, entry.at, entry.leaf));
        assert_eq!(stub.pruned, [2, 3, 5].contains(&entry.seq));
    }
    assert_eq!((ledger.stub(0).unwrap(), ledger.stub(8).unwrap()), (None, None));
    let record: PruneRecord = serde_json::from_value(ledger.entries(Some(PRUNE)).unwrap()[0].body.clone()).unwrap();
    assert_eq!((record.bodies, &record.places[..]), (3, &[(2, 3), (5, 5)][..]));
    assert_eq!(record.export, path.file_name().unwrap().to_str().unwrap());
    heads.push(ledger.head().unwrap());
    for head in &heads {
        let verified = place.existing().unwrap().verify(Some(head)).unwrap();
        assert_eq!(
            verified,
            Verification::Intact {
                head: heads[6],
                pruned: 3
            }
        );
    }
    // What is gone already stays as it is; a second export holds what is new.
    let again = ledger.prune(&places(&[3, 4]), folder.path(), at(10)).unwrap();
    assert_eq!((again.bodies, again.kept), (1, 1));
    assert_eq!(
        ledger.prune(&places(&[3, 4]), folder.path(), at(11)).unwrap().export,
        None
    );
    assert!(matches!(
        ledger.verify(None).unwrap(),
        Verification::Intact { pruned: 4, .. }
    ));
    // And what remains can still not be changed.
    place.tamper("UPDATE entry SET at = '2030-01-01T00:00:00Z' WHERE seq = 2");
    assert!(place.problems()[0].contains("entry 2 does not match its leaf hash"));
    let altered = place.existing().unwrap().stub(2).unwrap_err().to_string();
    assert!(altered.contains("entry 2 does not match its leaf hash"), "{altered}");
}

fn a_body_that_went_without_a_prune_entry_is_found(place: &Place) {
    let mut ledger = place.open();
    for n in 1..=4 {
        ledger.append("decision", at(n), &json!({ "n": n })).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    ledger.prune(&places(&[1]), folder.path(), at(9)).unwrap();
    // Even the fences let a body go: that somebody said so is what makes it right.
    for n in [3, 4] {
        let digest = holdpoint_schemas::Digest::of_bytes(format!("{{\"n\":{n}}}").as_bytes());
        let digest = place.bytes(digest.as_str());
        place.sql(&format!(
            "UPDATE entry SET body = NULL, digest = {digest} WHERE seq = {n}"
        ));
    }
    assert_eq!(
        place.problems(),
        ["the bodies of entries 3 to 4 are gone, and no `prune` entry says so"]
    );
}

fn nothing_is_pruned_when_the_export_fails_or_a_place_is_wrong(place: &Place) {
    let mut ledger = place.open();
    ledger.append("decision", at(1), &json!(1)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    ledger.prune(&places(&[1]), folder.path(), at(2)).unwrap();
    ledger.append("decision", at(3), &json!(3)).unwrap();
    let head = ledger.head().unwrap();
    let missing = ledger
        .prune(&places(&[3, 9]), folder.path(), at(4))
        .unwrap_err()
        .to_string();
    assert_eq!(missing, "nothing was pruned: 1 of the 2 entries are not there");
    let record = ledger
        .prune(&places(&[2]), folder.path(), at(4))
        .unwrap_err()
        .to_string();
    assert!(record.contains("entry 2 says what was pruned before"), "{record}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = ledger
        .prune(&places(&[3]), &file.join("below"), at(4))
        .unwrap_err()
        .to_string();
    assert!(error.contains("nothing was pruned"), "{error}");
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(ledger.entries(Some("decision")).unwrap().len(), 1);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "no half-written export is left"
    );
}
