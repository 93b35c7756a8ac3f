use super::*;

fn plan(consumers: &[&str]) -> ContractPlan {
    ContractPlan {
        serve: Some(ServeConfig {
            command: "serve".to_owned(),
            port: 1,
            ready: "/".to_owned(),
            ready_seconds: 1,
        }),
        consumers: consumers
            .iter()
            .map(|name| ConsumerContract {
                consumer: (*name).to_owned(),
                interactions: vec![RecordedInteraction {
                    description: "a payment".to_owned(),
                    request: AgentRequest::default(),
                }],
            })
            .collect(),
        ..ContractPlan::default()
    }
}

fn answered(statuses: &[u16]) -> Replay {
    let response = |status: &u16| {
        Answer::Response(AgentResponse {
            status: *status,
            ..AgentResponse::default()
        })
    };
    Replay::Answered {
        answers: statuses.iter().map(response).collect(),
    }
}

/// Expects status 200.
fn judge(_: usize, _: usize, answer: &AgentResponse) -> Vec<Mismatch> {
    if answer.status == 200 {
        return Vec::new();
    }
    vec![Mismatch {
        path: "status".to_owned(),
        text: format!("expected 200, got {}", answer.status),
    }]
}

fn seen(replay: &Replay) -> Seen<'_> {
    Seen {
        replay: Some(replay),
        ..Seen::default()
    }
}

fn nothing(plan: &ContractPlan) -> CheckResult {
    compare(plan, Seen::default(), Seen::default(), &judge)
}

fn check(plan: &ContractPlan, baseline: &Replay, candidate: &Replay) -> CheckResult {
    compare(plan, seen(baseline), seen(candidate), &judge)
}

#[test]
fn contracts_that_hold_pass() {
    let result = check(
        &plan(&["gateway", "bank-partner"]),
        &answered(&[200, 200]),
        &answered(&[200, 200]),
    );
    assert_eq!(result.verdict, Verdict::Passed);
    assert_eq!(
        result.reason,
        "the recorded contracts of `gateway`, `bank-partner` hold"
    );
}

#[test]
fn a_contract_broken_by_the_fix_fails_and_names_the_consumer() {
    let result = check(
        &plan(&["gateway", "bank-partner"]),
        &answered(&[200, 200]),
        &answered(&[200, 415]),
    );
    assert_eq!(result.verdict, Verdict::Failed);
    assert_eq!(
        result.reason,
        "the fix breaks a contract: `bank-partner`: a payment: status: expected 200, got 415"
    );
}

#[test]
fn a_contract_that_the_baseline_breaks_too_is_inconclusive() {
    let result = check(&plan(&["gateway"]), &answered(&[500]), &answered(&[503]));
    assert_eq!(result.verdict, Verdict::Inconclusive);
    assert!(
        result.reason.starts_with("the baseline already breaks it"),
        "{}",
        result.reason
    );
}

#[test]
fn a_contract_that_the_fix_repairs_passes() {
    assert_eq!(
        check(&plan(&["gateway"]), &answered(&[500]), &answered(&[200])).verdict,
        Verdict::Passed
    );
}

#[test]
fn a_service_that_no_longer_starts_fails_and_one_that_never_did_is_inconclusive() {
    let exited = Replay::Exited {
        reason: "it exited with status 1 before it was ready".to_owned(),
    };
    let result = check(&plan(&["gateway"]), &answered(&[200]), &exited);
    assert_eq!(result.verdict, Verdict::Failed);
    assert!(result.reason.contains("`gateway`"), "{}", result.reason);
    assert_eq!(
        check(&plan(&["gateway"]), &exited, &exited).verdict,
        Verdict::Inconclusive
    );
}

#[test]
fn an_answer_that_breaks_off_fails_but_one_that_is_late_is_inconclusive() {
    let broken = Replay::Answered {
        answers: vec![Answer::Broken {
            reason: "reset".to_owned(),
        }],
    };
    let late = Replay::Answered {
        answers: vec![Answer::TimedOut],
    };
    assert_eq!(
        check(&plan(&["gateway"]), &answered(&[200]), &broken).verdict,
        Verdict::Failed
    );
    assert_eq!(
        check(&plan(&["gateway"]), &answered(&[200]), &late).verdict,
        Verdict::Inconclusive
    );
}

#[test]
fn what_was_not_replayed_is_inconclusive() {
    let unknown = Replay::Unknown {
        reason: "the sandbox failed".to_owned(),
    };
    assert_eq!(
        check(&plan(&["gateway"]), &unknown, &answered(&[200])).verdict,
        Verdict::Inconclusive
    );
    assert_eq!(
        check(&plan(&["gateway"]), &answered(&[200]), &unknown).verdict,
        Verdict::Inconclusive
    );
    assert_eq!(
        check(&plan(&["gateway"]), &answered(&[200]), &answered(&[])).verdict,
        Verdict::Inconclusive
    );
    let mut no_serve = plan(&["gateway"]);
    no_serve.serve = None;
    assert_eq!(nothing(&no_serve).verdict, Verdict::Inconclusive);
    assert_eq!(nothing(&plan(&["gateway"])).verdict, Verdict::Inconclusive);
}

#[test]
fn consumers_without_a_recorded_contract_are_named() {
    let mut plan = plan(&["gateway"]);
    plan.unrecorded = vec!["mobile-app".to_owned()];
    let result = check(&plan, &answered(&[200]), &answered(&[200]));
    assert_eq!(result.verdict, Verdict::Inconclusive);
    assert_eq!(result.reason, "no contract is recorded for the consumer `mobile-app`");
}

#[test]
fn nothing_depends_on_a_service_without_consumers() {
    let mut alone = ContractPlan::default();
    assert_eq!(nothing(&alone).reason, "nothing depends on it");
    alone.openapi = Some(OpenApiResult::Compared {
        breaking: vec!["`GET /x` is gone".to_owned()],
    });
    assert_eq!(nothing(&alone).verdict, Verdict::Failed);
    alone.openapi = Some(OpenApiResult::Unreadable {
        reason: "not YAML".to_owned(),
    });
    assert_eq!(nothing(&alone).verdict, Verdict::Inconclusive);
}

const GREEN: StepEnd = StepEnd::Exited { code: 0 };

#[test]
fn lines_without_the_nonce_are_not_results() {
    let good = br#"{"nonce":"n","event":"answered","index":0,"response":{"status":200,"headers":{},"body":""}}"#;
    let forged = br#"{"nonce":"m","event":"answered","index":0,"response":{"status":500,"headers":{},"body":""}}"#;
    let done = br#"{"nonce":"n","event":"done"}"#;
    let output = [good.as_slice(), forged, b"noise \xff", done].join(&b'\n');
    assert_eq!(read_replay(&output, "n", 1, &GREEN), answered(&[200]));
    assert!(matches!(read_replay(&output, "x", 1, &GREEN), Replay::Unknown { .. }));
    assert!(matches!(read_replay(&output, "n", 2, &GREEN), Replay::Unknown { .. }));
    assert!(matches!(
        read_replay(&output, "n", 1, &StepEnd::OutOfMemory),
        Replay::Unknown { .. }
    ));
    assert!(matches!(read_replay(good, "n", 1, &GREEN), Replay::Unknown { .. }));
}

#[test]
fn an_upgrade_that_breaks_a_use_fails_and_one_that_cant_be_seen_is_inconclusive() {
    let upgrade = |breaking: &[&str], unknown: &[&str], safe: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        UpgradeResult {
            package: "lib".to_owned(),
            from: "1.0".to_owned(),
            to: "1.1".to_owned(),
            breaking: owned(breaking),
            unknown: owned(unknown),
            safe: owned(safe),
        }
    };
    let checked = |upgrades: Vec<UpgradeResult>| {
        let plan = ContractPlan {
            upgrades,
            ..ContractPlan::default()
        };
        nothing(&plan)
    };
    let broken = checked(vec![upgrade(&["`lib.f` at app.py:3: it is gone"], &["x"], &[])]);
    assert_eq!(broken.verdict, Verdict::Failed);
    assert!(broken.reason.contains("app.py:3"), "{}", broken.reason);
    let group = vec![upgrade(&[], &[], &["same"]), upgrade(&[], &["native code"], &[])];
    assert_eq!(checked(group).verdict, Verdict::Inconclusive);
    let safe = checked(vec![upgrade(&[], &[], &["nothing changed"])]);
    assert_eq!(safe.verdict, Verdict::Passed);
    assert_eq!(safe.details, ["lib 1.0 → 1.1: nothing changed"]);
}

fn service() -> Option<ServeConfig> {
    plan(&[]).serve
}

fn wire_plan(unpinned: Unpinned) -> ContractPlan {
    let request = holdpoint_contract::wire::WireRequest {
        method: "GET".to_owned(),
        path: "/orders".to_owned(),
        ..Default::default()
    };
    ContractPlan {
        serve: service(),
        wire: Some(WirePlan {
            requests: vec![request],
            unpinned,
            ..WirePlan::default()
        }),
        ..ContractPlan::default()
    }
}

#[test]
fn what_no_consumer_pins_is_held_failed_or_told_as_the_policy_says() {
    let verdict = |unpinned, before: &[u16], after: &[u16]| {
        let (before, after) = (answered(before), answered(after));
        let side = |replay| Seen {
            wire: Some(replay),
            ..Seen::default()
        };
        compare(&wire_plan(unpinned), side(&before), side(&after), &judge)
    };
    let same = verdict(Unpinned::Hold, &[200, 200], &[200]);
    assert_eq!(
        (same.verdict, same.reason.as_str()),
        (Verdict::Passed, "1 requests are answered as before")
    );
    for (unpinned, expected) in [
        (Unpinned::Hold, Verdict::Inconclusive),
        (Unpinned::Fail, Verdict::Failed),
        (Unpinned::Note, Verdict::Passed),
    ] {
        let found = verdict(unpinned, &[200, 200], &[204]);
        assert_eq!(found.verdict, expected, "{found:?}");
        assert!(
            found.details.iter().any(|line| line.contains("204 instead of 200")),
            "{found:?}"
        );
    }
    assert_eq!(verdict(Unpinned::Note, &[200, 200], &[500]).verdict, Verdict::Failed);
    assert_eq!(nothing(&wire_plan(Unpinned::Note)).verdict, Verdict::Inconclusive);
}

fn tested(runs: &[Option<&str>]) -> BTreeMap<String, TestsRun> {
    let run = TestsRun::Ran {
        runs: runs.iter().map(|end| end.map(str::to_owned)).collect(),
        tail: vec!["AssertionError".to_owned()],
    };
    BTreeMap::from([("checkout".to_owned(), run)])
}

#[test]
fn a_consumer_whose_own_tests_break_is_named() {
    let plan = ContractPlan {
        serve: service(),
        tests: vec![ConsumerTests {
            consumer: "checkout".to_owned(),
            archive: PathBuf::new(),
            command: "test".to_owned(),
            variable: "URL".to_owned(),
        }],
        ..ContractPlan::default()
    };
    let check = |before: &[Option<&str>], after: &[Option<&str>]| {
        let (before, after) = (tested(before), tested(after));
        let side = |tests| Seen {
            tests: Some(tests),
            ..Seen::default()
        };
        compare(&plan, side(&before), side(&after), &judge)
    };
    let red = Some("exit status 1");
    let broken = check(&[None], &[red, red]);
    assert_eq!(
        (broken.verdict, broken.reason.as_str()),
        (
            Verdict::Failed,
            "the fix breaks a contract: `checkout`: its own tests fail against the candidate (exit status 1)"
        )
    );
    assert!(broken.details.iter().any(|line| line.contains("AssertionError")));
    assert_eq!(check(&[None], &[None]).reason, "the tests of `checkout` are green");
    for (before, after) in [
        (&[red, red][..], &[red, red][..]),
        (&[None], &[red, None]),
        (&[red, None], &[red, red]),
    ] {
        assert_eq!(check(before, after).verdict, Verdict::Inconclusive);
    }
    assert_eq!(nothing(&plan).verdict, Verdict::Inconclusive);
}

#[test]
fn what_the_tests_print_is_no_result() {
    let good = br#"{"nonce":"n","event":"tested","code":1,"timed_out":false}"#;
    let forged = br#"{"nonce":"m","event":"tested","code":0,"timed_out":false}"#;
    let done = br#"{"nonce":"n","event":"done"}"#;
    let output = [good.as_slice(), forged, done].join(&b'\n');
    let TestsRun::Ran { runs, .. } = read_tests(&output, "n", &GREEN, "") else {
        panic!("not read");
    };
    assert_eq!(runs, [Some("exit status 1".to_owned())]);
    assert!(matches!(read_tests(good, "n", &GREEN, ""), TestsRun::Unknown { .. }));
    assert!(matches!(
        read_tests(&output, "n", &StepEnd::OutOfMemory, ""),
        TestsRun::Unknown { .. }
    ));
}
