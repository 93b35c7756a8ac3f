//! What a provider's fix does to those who call it, end to end: their own tests beside the candidate, and the wire
//! oracle, as the estate and the repo declare them.

use std::process::Output;

use serde_json::Value;

use crate::support::{Estate, git, repository, stderr, stdout};

/// The consumer's own test: it adds up what it has booked. Recorded interactions only pin the types of that.
const CONSUMER_TEST: &str = r#"
import json, os, unittest, urllib.request
class Booking(unittest.TestCase):
    def test_a_booking_has_an_id_to_refer_to(self):
        body = {"reference": "pay-1", "account": "acc-1", "amount_minor": 5, "currency": "EUR"}
        request = urllib.request.Request(os.environ["LEDGER_URL"] + "/v1/entries", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            self.assertRegex(json.load(answer)["entry_id"], "^entry-[0-9]+$")
unittest.main()
"#;

/// The ledger gives out shorter ids: of the recorded type, and none of its own tests looks at them.
const SHORTER_IDS: (&str, &str) = ("f\"entry-{entry}\"", "f\"e{entry}\"");

/// An estate whose ledger is called by payments, which brings tests of its own.
fn estate() -> Estate {
    let estate = Estate::prepared();
    let folder = estate.root().join("remotes/bookings");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("contract_test.py"), CONSUMER_TEST).unwrap();
    repository(&folder);
    estate.edit("holdpoint.yaml", |text| {
        text.replacen(
            "repos:\n",
            "repos:\n  - name: bookings\n    remote: ../remotes/bookings\n",
            1,
        )
    });
    estate.edit("contracts.yaml", |text| {
        let old = "  - {consumer: payments, provider: ledger, interactions: contracts/payments-ledger.json}\n";
        assert!(text.contains(old), "{text}");
        let tests = "    consumer_tests: {repo: bookings, command: exec python3 contract_test.py, env: LEDGER_URL}\n";
        text.replace(old, &format!("  - consumer: payments\n    provider: ledger\n{tests}"))
    });
    estate
}

/// A patch of the ledger, made by replacing a text of a file.
fn patch(estate: &Estate, path: &str, (old, new): (&str, &str)) -> String {
    let clone = estate.root().join("ledger-clone");
    if !clone.exists() {
        let remote = estate.root().join("remotes/ledger.git");
        git(
            estate.root(),
            &["clone", "--quiet", remote.to_str().unwrap(), clone.to_str().unwrap()],
        );
    }
    let file = clone.join(path);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(old), "{path} has no `{old}`");
    std::fs::write(&file, text.replace(old, new)).unwrap();
    let diff = git(&clone, &["diff"]);
    git(&clone, &["checkout", "--quiet", "."]);
    diff + "\n"
}

fn validate(estate: &Estate, patch: &str) -> (Output, Value) {
    let file = estate.root().join("candidate.patch");
    std::fs::write(&file, patch).unwrap();
    let arguments = [
        "--format",
        "json",
        "validate",
        "--repo",
        "ledger",
        "--clean-runs",
        "1",
        "--patch",
    ];
    let output = estate.run(&[&arguments[..], &[file.to_str().unwrap()]].concat());
    let record: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(&output), stderr(&output)));
    let contract = record["evidence"]["checks"]["contract"].clone();
    (output, contract)
}

#[test]
fn a_fix_that_breaks_a_consumers_own_tests_is_held_and_the_consumer_named() {
    let estate = estate();
    let (output, contract) = validate(&estate, &patch(&estate, "ledger/api.py", SHORTER_IDS));
    assert_eq!(contract["verdict"], "failed", "{contract:#}");
    let reason = contract["reason"].as_str().unwrap();
    assert!(
        reason.contains("`payments`: its own tests fail against the candidate"),
        "{reason}"
    );
    assert_eq!(output.status.code(), Some(11));
    let harmless = ("no such resource", "no such thing");
    let (_, contract) = validate(&estate, &patch(&estate, "ledger/api.py", harmless));
    let reason = contract["reason"].as_str().unwrap();
    assert!(reason.contains("the tests of `payments` are green"), "{contract:#}");
}
