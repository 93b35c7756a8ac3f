//! The wire oracle and consumers' own tests, with a real service inside the sandbox.

use super::support::{sandbox, tree};
use super::validation::{Reader, plan};
use holdpoint_contract::wire::{Config, Pins, Take, TakeFrom, WireRequest};
use holdpoint_runner::agent::AgentResponse;
use holdpoint_runner::contract_check::{ConsumerTests, ContractPlan, Mismatch, WirePlan};
use holdpoint_runner::{ValidationPlan, run_baseline, run_candidate};
use holdpoint_schemas::estate::{ServeConfig, StepsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, CheckResult, Verdict};
use std::path::PathBuf;

const SERVICE: &str = include_str!("wire_service.py");

/// A name, what stands in the service, what stands there instead, and where it must be seen.
type Change = (&'static str, &'static str, &'static str, &'static str);

/// Seeded changes of the service: those of a row in one candidate, because they are seen at different places.
#[rustfmt::skip]
const CHANGES: &[&[Change]] = &[
    &[
        ("session cookie", "; HttpOnly", "", "set-cookie.sid.httponly"),
        ("header removed", r#"self.send_header("Vary", "Accept")"#, "pass", "$.header.vary"),
        ("date format", r#"isoformat(timespec="microseconds")"#, r#"isoformat(timespec="seconds")"#, "updated"),
        ("list order", "[3, 1, 2]", "[1, 2, 3]", "$.body.items: "),
        ("error body", r#"{"error": {"code": "not_found"}}"#, r#"{"detail": "not found"}"#, "$.body.error"),
    ],
    &[
        ("number as text", r#""count": 3"#, r#""count": "3""#, "count"),
        ("id format", "str(uuid.uuid4()),\n", "uuid.uuid4().hex,\n", "$.body.id"),
        ("status", "204", "200", "DELETE /orders/{}: $.status"),
        ("null and absent", "\"note\": None,", "", "note"),
    ],
    &[("lost session", r#"self.headers.get("Cookie", "")"#, r#""""#, "GET /me: $.status")],
];

fn request(method: &str, path: &str) -> WireRequest {
    WireRequest {
        label: format!("{method} {path}"),
        method: method.to_owned(),
        path: path.to_owned(),
        session: Some("s".to_owned()),
        ..WireRequest::default()
    }
}

fn requests() -> Vec<WireRequest> {
    let mut create = request("POST", "/orders");
    create.takes.push(Take {
        name: "order".to_owned(),
        from: TakeFrom::Body("/id".to_owned()),
    });
    vec![
        request("POST", "/login"),
        request("GET", "/me"),
        request("GET", "/orders"),
        create,
        request("GET", "/orders/{{order}}"),
        request("GET", "/orders/none"),
        request("DELETE", "/orders/{{order}}"),
        request("GET", "/tags"),
    ]
}

fn wire_plan(candidate: &str) -> ValidationPlan {
    let trees = [SERVICE, candidate].map(|text| tree(&[("service.py", text)]));
    let [baseline, candidate] = trees;
    let mut plan = plan(&[Check::Contract], StepsConfig::default(), baseline, candidate);
    plan.contract = ContractPlan {
        serve: Some(ServeConfig {
            command: "exec python3 service.py".to_owned(),
            port: 8080,
            ready: "/".to_owned(),
            ready_seconds: 30,
        }),
        wire: Some(WirePlan {
            requests: requests(),
            ..WirePlan::default()
        }),
        agent: env!("CARGO_BIN_EXE_holdpoint-replay-agent").into(),
        ..ContractPlan::default()
    };
    plan
}

fn judge(_: usize, _: usize, _: &AgentResponse) -> Vec<Mismatch> {
    Vec::new()
}

async fn check(plan: &ValidationPlan) -> CheckResult {
    let record = holdpoint_runner::validate(&sandbox().await, plan, &Reader, &judge, &NoEvents)
        .await
        .unwrap();
    record.evidence.checks[&Check::Contract].clone()
}

/// One baseline for all candidates, as in a run.
#[tokio::test]
async fn seeded_changes_of_a_real_service_are_found_and_the_same_service_gives_no_alarm() {
    let sandbox = sandbox().await;
    let same = wire_plan(SERVICE);
    let baseline = run_baseline(&sandbox, &same, None, &Reader, &NoEvents).await.unwrap();
    let judged = async |plan: &ValidationPlan| {
        let candidate = run_candidate(&sandbox, plan, &baseline, &Reader, &NoEvents)
            .await
            .unwrap();
        let record = holdpoint_runner::compare(plan, &baseline.record, &candidate, &judge);
        record.evidence.checks[&Check::Contract].clone()
    };
    let quiet = judged(&same).await;
    assert_eq!(quiet.verdict, Verdict::Passed, "{quiet:#?}");
    assert_eq!(quiet.reason, "8 requests are answered as before");
    for changes in CHANGES {
        let mut service = SERVICE.to_owned();
        for (name, old, new, _) in *changes {
            assert!(service.contains(old), "{name}: the service has no `{old}`");
            service = service.replace(old, new);
        }
        let found = judged(&wire_plan(&service)).await;
        assert_ne!(found.verdict, Verdict::Passed, "{found:#?}");
        for (name, .., place) in *changes {
            assert!(
                found.details.iter().any(|line| line.contains(place)),
                "{name}: {found:#?}"
            );
        }
    }
}

#[tokio::test]
async fn a_header_that_a_consumer_pins_breaks_the_contract_and_names_it() {
    let changed = SERVICE.replace("\"X-Frame-Options\", \"SAMEORIGIN\"", "\"X-Frame-Options\", \"DENY\"");
    let mut plan = wire_plan(&changed);
    let config = Config {
        pins: vec![Pins {
            consumer: "bank-partner".to_owned(),
            headers: vec!["X-Frame-Options".to_owned()],
            fields: Vec::new(),
        }],
        ..Config::default()
    };
    if let Some(wire) = &mut plan.contract.wire {
        wire.config = config;
    }
    let found = check(&plan).await;
    assert_eq!(found.verdict, Verdict::Failed, "{found:#?}");
    assert!(found.reason.contains("`bank-partner`"), "{}", found.reason);
}

const CONSUMER_TEST: &str = r#"
import json, os, unittest, urllib.request
class Orders(unittest.TestCase):
    def test_there_are_orders(self):
        request = urllib.request.Request(os.environ["ORDERS_URL"] + "/orders", headers={"Cookie": "sid=x"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            self.assertEqual(json.load(answer)["items"][0]["count"] + 1, 4)
    def test_nothing_else_is_reached(self):
        with self.assertRaises(OSError):
            urllib.request.urlopen("http://192.0.2.1/", timeout=1)
unittest.main()
"#;

fn with_consumer(candidate: &str, test: &str, archive: PathBuf) -> ValidationPlan {
    std::fs::write(&archive, tree(&[("test_orders.py", test)])).unwrap();
    let mut plan = wire_plan(candidate);
    plan.contract.wire = None;
    plan.contract.tests = vec![ConsumerTests {
        consumer: "checkout".to_owned(),
        archive,
        command: "exec python3 test_orders.py".to_owned(),
        variable: "ORDERS_URL".to_owned(),
    }];
    plan
}

#[tokio::test]
async fn a_consumer_whose_own_tests_break_is_named_and_one_that_was_red_is_not_held_against_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("consumer.tar");
    let broken = SERVICE.replace("\"count\": 3", "\"count\": \"3\"");
    let found = check(&with_consumer(&broken, CONSUMER_TEST, archive.clone())).await;
    assert_eq!(found.verdict, Verdict::Failed, "{found:#?}");
    assert!(
        found
            .reason
            .contains("`checkout`: its own tests fail against the candidate"),
        "{}",
        found.reason
    );
    assert!(
        found.details.iter().any(|line| line.contains("TypeError")),
        "{found:#?}"
    );
    let kept = check(&with_consumer(SERVICE, CONSUMER_TEST, archive.clone())).await;
    assert_eq!(kept.reason, "the tests of `checkout` are green", "{kept:#?}");
    let red = check(&with_consumer(&broken, "raise SystemExit(1)", archive)).await;
    assert_eq!(red.verdict, Verdict::Inconclusive, "{red:#?}");
}
