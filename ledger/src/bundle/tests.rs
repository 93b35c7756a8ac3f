use holdpoint_schemas::evidence::Verdict;
use serde_json::json;
use std::collections::BTreeMap;

use super::*;
use crate::Ledger;
use crate::note::{Checkpoint, SignerKey};

fn key(seed: u8) -> SignerKey {
    SignerKey::from_seed("holdpoint/test", &[seed; 32]).unwrap()
}

/// A bundle of two entries of a log of ten, signed with a key.
fn bundle(seed: u8) -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
    for n in 0..10 {
        ledger
            .append(
                "decision",
                Timestamp::from_second(n).unwrap(),
                &json!({"n": n, "f": 0.1}),
            )
            .unwrap();
    }
    let entries = ledger.entries(None).unwrap();
    let leaves: Leaves = entries.iter().map(|entry| entry.leaf).collect();
    let head = ledger.head().unwrap();
    let picked = entries.into_iter().filter(|entry| [3, 7].contains(&entry.seq));
    let entries: Vec<BundledEntry> = picked
        .map(|entry| BundledEntry::of(&entry, &leaves, 10).unwrap())
        .collect();
    let mut bundle = Bundle {
        format: Bundle::FORMAT.to_owned(),
        key: key(seed).verifier().to_string(),
        checkpoint: Checkpoint::sign(head, &key(seed)).unwrap().to_string(),
        envelope: Envelope::sign(b"", &key(seed)),
        entries,
    };
    let statement = Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: vec![Resource {
            name: Some("a@main".to_owned()),
            uri: None,
            digest: BTreeMap::from([("gitTree".to_owned(), "a".repeat(40))]),
        }],
        predicate_type: SUMMARY_TYPE.to_owned(),
        predicate: Summary {
            verifier: SummaryVerifier {
                id: "holdpoint:log/a".to_owned(),
                version: BTreeMap::new(),
            },
            time_verified: Timestamp::UNIX_EPOCH,
            resource_uri: "git:a".to_owned(),
            policy: Resource::sha256("holdpoint:policies/baseline", &"b".repeat(64)),
            input_attestations: bundle
                .entries
                .iter()
                .map(|entry| entry.resource())
                .chain([bundle.checkpoint_resource()])
                .collect(),
            verification_result: SummaryResult::Passed,
            verified_levels: vec!["HOLDPOINT_AUTO_APPLY".to_owned()],
            decision: DecisionSummary {
                finding: "hp-1".to_owned(),
                decision: "d".to_owned(),
                level: "auto-apply".to_owned(),
                outcome: "merged".to_owned(),
                ledger: head.to_string(),
            },
        },
    };
    bundle.envelope = Envelope::sign(&canonical_json(&statement).unwrap(), &key(seed));
    bundle
}

/// The parts that don't hold.
fn failed(bundle: &Bundle, seed: Option<u8>) -> Vec<Part> {
    let (found, _) = bundle.check(seed.map(|seed| key(seed).verifier()).as_ref());
    let bad = found.into_iter().filter(|checked| checked.verdict != Verdict::Passed);
    bad.map(|checked| {
        assert!(!checked.problems.is_empty());
        checked.part
    })
    .collect()
}

/// A bundle that another implementation made (Python: hashes by hashlib, signatures by `cryptography`, the envelope's
/// encoding by `securesystemslib`), with entries of both forms and one whose record was pruned.
#[test]
fn a_bundle_of_another_implementation_holds() {
    let bundle = Bundle::parse(include_bytes!("../../../fuzz/seeds/bundle/bundle")).unwrap();
    let key = SignerKey::from_seed("holdpoint/fuzz", &[7; 32]).unwrap().verifier();
    let (found, statement) = bundle.check(Some(&key));
    let bad: Vec<&Checked> = found
        .iter()
        .filter(|checked| checked.verdict != Verdict::Passed)
        .collect();
    assert!(bad.is_empty() && found.len() == 5, "{bad:?}");
    assert!(statement.is_some());
    let forms: Vec<Form> = bundle.entries.iter().map(|entry| entry.form).collect();
    assert_eq!(forms, [Form::Whole, Form::Digest, Form::Digest]);
    assert_eq!(bundle.entries[2].body, None);
}

#[test]
fn an_untouched_bundle_holds_and_reads_back() {
    let bundle = bundle(1);
    assert_eq!(failed(&bundle, Some(1)), []);
    assert_eq!(failed(&bundle, None), []);
    let bytes = bundle.to_bytes().unwrap();
    let read = Bundle::parse(&bytes).unwrap();
    assert_eq!(read, bundle);
    assert_eq!(failed(&read, Some(1)), []);
    let pretty = serde_json::to_vec_pretty(&read).unwrap();
    assert_eq!(
        failed(&Bundle::parse(&pretty).unwrap(), Some(1)),
        [],
        "layout isn't content"
    );
}

#[test]
fn each_single_change_is_found_where_it_is() {
    type Change = fn(&mut Bundle);
    let cases: &[(&str, Change, &[Part])] = &[
        (
            "a record",
            |b| b.entries[0].body = Some(json!({"n": 8})),
            &[Part::Documents],
        ),
        (
            "a digest",
            |b| b.entries[0].digest = b.entries[1].digest.clone(),
            &[Part::Documents, Part::Log],
        ),
        (
            "a record taken out of a leaf that holds it",
            |b| {
                b.entries[0].form = Form::Whole;
                b.entries[0].body = None;
            },
            &[Part::Log],
        ),
        ("a form", |b| b.entries[0].form = Form::Whole, &[Part::Log]),
        ("a time", |b| b.entries[0].at = Timestamp::UNIX_EPOCH, &[Part::Log]),
        (
            "a kind",
            |b| b.entries[0].kind = "merge".to_owned(),
            &[Part::Documents, Part::Log],
        ),
        ("a place", |b| b.entries[0].seq = 4, &[Part::Documents, Part::Log]),
        ("an order", |b| b.entries.reverse(), &[Part::Log]),
        ("an entry less", |b| drop(b.entries.remove(0)), &[Part::Documents]),
        (
            "an entry more",
            |b| b.entries.push(b.entries[1].clone()),
            &[Part::Documents, Part::Log],
        ),
        ("a proof", |b| b.entries[1].path.swap(0, 1), &[Part::Log]),
        ("a shorter proof", |b| b.entries[1].path.truncate(1), &[Part::Log]),
        (
            "a checkpoint's number",
            |b| b.checkpoint = b.checkpoint.replace("\n10\n", "\n11\n"),
            &[Part::Checkpoint, Part::Documents],
        ),
        (
            "a checkpoint of another key",
            |b| b.checkpoint = bundle(2).checkpoint,
            &[Part::Checkpoint, Part::Documents],
        ),
        (
            "a statement of another key",
            |b| b.envelope = bundle(2).envelope,
            &[Part::Statement, Part::Documents],
        ),
        (
            "a signature",
            |b| b.envelope.signatures[0].sig = bundle(2).envelope.signatures[0].sig.clone(),
            &[Part::Statement],
        ),
        ("no signature", |b| b.envelope.signatures.clear(), &[Part::Statement]),
        ("a key", |b| b.key = key(2).verifier().to_string(), &[Part::Key]),
        ("no key", |b| b.key = String::new(), &[Part::Key]),
    ];
    for (what, change, parts) in cases {
        let mut changed = bundle(1);
        change(&mut changed);
        assert_eq!(failed(&changed, Some(1)), *parts, "{what}");
        assert!(
            !failed(&changed, None).is_empty() || *what == "no key",
            "{what}, without a key"
        );
    }
}

#[test]
fn a_statement_that_was_changed_is_found_whatever_was_changed_in_it() {
    for (from, to) in [
        ("\"gitTree\":\"a", "\"gitTree\":\"b"),
        ("PASSED", "FAILED"),
        ("AUTO_APPLY", "APPROVED"),
        ("git:a", "git:b"),
    ] {
        let mut changed = bundle(1);
        let text = String::from_utf8(changed.envelope.unverified().unwrap()).unwrap();
        assert!(text.contains(from), "{from}");
        let other = Envelope::sign(text.replacen(from, to, 1).as_bytes(), &key(1));
        changed.envelope.payload = other.payload;
        assert_eq!(failed(&changed, Some(1)), [Part::Statement], "{from}");
        assert_eq!(failed(&changed, None), [Part::Statement], "{from}");
    }
}

#[test]
fn a_bundle_of_one_piece_by_somebody_else_is_found_with_the_logs_key_only() {
    let forged = bundle(2);
    assert_eq!(failed(&forged, None), []);
    let (found, _) = forged.check(None);
    assert!(
        found[0].says.contains("only the bundle's own word"),
        "{}",
        found[0].says
    );
    let parts = failed(&forged, Some(1));
    assert_eq!(parts, [Part::Key, Part::Statement, Part::Checkpoint]);
}

#[test]
fn what_is_no_bundle_or_absurdly_large_is_refused() {
    let good = String::from_utf8(bundle(1).to_bytes().unwrap()).unwrap();
    for (bad, why) in [
        (String::new(), "it is not a bundle"),
        ("[]".to_owned(), "it is not a bundle"),
        (
            good.replace("bundle/1", "bundle/2"),
            "it has the format `holdpoint.bundle/2`",
        ),
        (
            good.replacen("{\"checkpoint\"", "{\"key\":\"x\",\"checkpoint\"", 1),
            "`key` occurs twice",
        ),
        (good.replacen("\"n\":2", "\"n\":2,\"n\":2", 1), "`n` occurs twice"),
        (
            good.replacen("{\"checkpoint\"", "{\"x\":1,\"checkpoint\"", 1),
            "unknown field `x`",
        ),
    ] {
        let error = Bundle::parse(bad.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
    let mut many = bundle(1);
    many.entries = vec![many.entries[0].clone(); MAX_ENTRIES + 1];
    assert!(matches!(
        Bundle::parse(&many.to_bytes().unwrap()),
        Err(BundleError::TooMany { .. })
    ));
    let mut long = bundle(1);
    long.entries[0].path = vec![long.entries[0].path[0]; MAX_PATH + 1];
    assert!(matches!(
        Bundle::parse(&long.to_bytes().unwrap()),
        Err(BundleError::TooMany { .. })
    ));
    assert!(matches!(
        Bundle::parse(&vec![b' '; MAX_BUNDLE_BYTES + 1]),
        Err(BundleError::TooLong)
    ));
}
