//! Third-party cases, where `HOLDPOINT_CORPORA` names a folder of them: rates are printed, and may not fall.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "only the library is pure; this test reads the cases and prints the rates"
)]

use std::path::PathBuf;

use holdpoint_contract::http::{HttpMessage, match_message};
use serde::Deserialize;

fn corpus(path: &str) -> Option<String> {
    let folder = std::env::var_os("HOLDPOINT_CORPORA").map(PathBuf::from);
    let text = folder.and_then(|folder| std::fs::read_to_string(folder.join(path)).ok());
    if text.is_none() {
        println!("skipped: corpora absent");
    }
    text
}

#[derive(Deserialize)]
struct PactCase {
    case: String,
    #[serde(rename = "match")]
    matches: bool,
    expected: HttpMessage,
    actual: HttpMessage,
}

#[test]
fn pact_requests_match_as_the_specification_says() {
    let Some(text) = corpus("http/pact-requests.jsonl") else {
        return;
    };
    let (mut right, mut all) = (0, 0);
    for line in text.lines() {
        let case: PactCase = serde_json::from_str(line).unwrap();
        let result = match_message(&case.expected, &case.actual);
        all += 1;
        if result.matches == case.matches {
            right += 1;
        } else {
            println!("{}: expected {}, {:?}", case.case, case.matches, result.mismatches);
        }
    }
    println!("pact requests: {right} of {all} as specified");
    assert!(right * 100 >= all * 97, "{right} of {all}");
}
