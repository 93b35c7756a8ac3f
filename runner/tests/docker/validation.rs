//! Whole validations.

use super::support::{left_over, limits, sandbox, tree};
use holdpoint_runner::contract_check::{ContractPlan, Mismatch};
use holdpoint_runner::plan::{ScannerPlan, ScannerRun};
use holdpoint_runner::scrutiny::Scrutiny;
use holdpoint_runner::{DockerSandbox, ReportReader, SandboxSettings, ValidationPlan, validate};
use holdpoint_schemas::estate::{PrepareConfig, SandboxConfig, StepsConfig, TestsConfig};
use holdpoint_schemas::event::{Event, EventSink, NoEvents};
use holdpoint_schemas::evidence::{Check, EvidenceRecord, Side, Verdict};
use holdpoint_schemas::finding::{Finding, FindingClass, Fingerprint, Location, Severity};
use std::sync::Mutex;

/// Reads reports of one rule per line.
pub struct Reader;

impl ReportReader for Reader {
    fn read(&self, scanner: &str, _side: Side, report: &[u8]) -> Result<Vec<Finding>, String> {
        let text = std::str::from_utf8(report).map_err(|error| error.to_string())?;
        Ok(text.lines().map(|rule| finding(scanner, rule)).collect())
    }
}

fn finding(scanner: &str, rule: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint::of([scanner, rule]),
        scanner: scanner.to_owned(),
        rule: rule.to_owned(),
        title: rule.to_owned(),
        severity: Severity::High,
        class: FindingClass::Code,
        cwes: Vec::new(),
        aliases: Vec::new(),
        component: None,
        location: Some(Location {
            path: "app.py".to_owned(),
            line: Some(1),
        }),
        iac_address: None,
        fixed_versions: Vec::new(),
        details: holdpoint_schemas::finding::FindingDetails::default(),
    }
}

pub fn plan(checks: &[Check], steps: StepsConfig, baseline: Vec<u8>, candidate: Vec<u8>) -> ValidationPlan {
    ValidationPlan {
        subject: "repo: a fix".to_owned(),
        checks: checks.iter().copied().collect(),
        steps,
        unused: Vec::new(),
        limits: limits(),
        tests: TestsConfig::default(),
        reruns: 0,
        scrutiny: Scrutiny::default(),
        prepare: PrepareConfig::default(),
        packages: None,
        contract: ContractPlan::default(),
        scanners: Vec::new(),
        resolves: Vec::new(),
        baseline: baseline.into(),
        candidate: candidate.into(),
    }
}

async fn run(plan: &ValidationPlan) -> EvidenceRecord {
    let judge = |_: usize, _: usize, _: &_| Vec::<Mismatch>::new();
    validate(&sandbox().await, plan, &Reader, &judge, &NoEvents)
        .await
        .unwrap()
}

fn app(text: &str) -> Vec<u8> {
    tree(&[("app.py", text)])
}

fn steps(test: &str) -> StepsConfig {
    StepsConfig {
        prepare: Some("touch prepared".to_owned()),
        build: None,
        test: Some(test.to_owned()),
    }
}

const TEST: &str = "test -e prepared && python3 -c 'import app; assert app.add(1, 2) == 3'";
const GOOD: &str = "def add(a, b): return a + b";
const BAD: &str = "def add(a, b): return a - b";

#[tokio::test]
async fn a_fix_that_breaks_the_tests_fails_with_their_output() {
    let record = run(&plan(&[Check::Build, Check::Test], steps(TEST), app(GOOD), app(BAD))).await;
    let test = &record.evidence.checks[&Check::Test];
    assert_eq!(test.verdict, Verdict::Failed);
    assert!(
        test.details.iter().any(|line| line.contains("AssertionError")),
        "{test:?}"
    );
    assert_eq!(record.evidence.checks[&Check::Build].verdict, Verdict::Passed);
    assert_eq!(record.evidence.candidate_green, Some(false));
}

#[tokio::test]
async fn a_red_baseline_is_inconclusive_even_when_the_fix_makes_it_green() {
    for candidate in [GOOD, BAD] {
        let record = run(&plan(&[Check::Test], steps(TEST), app(BAD), app(candidate))).await;
        let test = &record.evidence.checks[&Check::Test];
        assert_eq!(test.verdict, Verdict::Inconclusive);
        assert!(
            test.reason.starts_with("the baseline is already red"),
            "{}",
            test.reason
        );
        assert_eq!(record.evidence.candidate_green, Some(candidate == GOOD));
    }
}

fn scanner(command: &str) -> ScannerPlan {
    let run = ScannerRun::Command {
        command: command.to_owned(),
        ok_exit: vec![0, 1],
        rules: None,
        version: Some("echo 1".to_owned()),
    };
    ScannerPlan {
        name: "grep".to_owned(),
        run,
    }
}

#[tokio::test]
async fn a_fix_that_is_green_but_adds_a_finding_fails_the_rescan() {
    let mut plan = plan(
        &Check::ALL,
        steps("python3 -c 'import app'"),
        app("RULE = 'md5'"),
        app("RULE = 'shell'"),
    );
    plan.scanners = vec![scanner("grep -o -E 'md5|shell' app.py > $HOLDPOINT_REPORT")];
    plan.resolves = vec![finding("grep", "md5")];
    let record = run(&plan).await;
    let rescan = &record.evidence.checks[&Check::Rescan];
    assert_eq!(rescan.reason, "the fix adds one new finding: shell at app.py:1");
    assert_eq!(rescan.verdict, Verdict::Failed);
    assert_eq!(record.evidence.candidate_green, Some(true));
    assert_eq!(record.evidence.new_findings.len(), 1);
    assert_eq!(record.evidence.checks[&Check::Contract].reason, "nothing depends on it");
}

#[tokio::test]
async fn tests_cannot_hide_a_finding_from_the_rescan() {
    let mut plan = plan(
        &[Check::Test, Check::Rescan],
        StepsConfig {
            test: Some("echo > app.py".to_owned()),
            ..StepsConfig::default()
        },
        app("RULE = 'md5'"),
        app("RULE = 'md5' # still"),
    );
    plan.scanners = vec![scanner("grep -o md5 app.py > $HOLDPOINT_REPORT")];
    plan.resolves = vec![finding("grep", "md5")];
    assert_eq!(
        run(&plan).await.evidence.checks[&Check::Rescan].verdict,
        Verdict::Failed
    );
}

#[tokio::test]
async fn a_scanner_that_breaks_or_writes_nothing_useful_is_inconclusive() {
    for command in [
        "exit 2",
        "true",
        "no-such-scanner",
        "printf '\\377' > $HOLDPOINT_REPORT",
        "ln -s /etc/passwd $HOLDPOINT_REPORT",
        "head -c 100000000 /dev/zero > $HOLDPOINT_REPORT",
    ] {
        let mut plan = plan(&[Check::Rescan], StepsConfig::default(), app(GOOD), app(GOOD));
        plan.scanners = vec![scanner(command)];
        plan.resolves = vec![finding("grep", "md5")];
        let record = run(&plan).await;
        let rescan = &record.evidence.checks[&Check::Rescan];
        assert_eq!(rescan.verdict, Verdict::Inconclusive, "{command}: {rescan:?}");
        assert!(
            rescan.reason.starts_with("`grep` gives no answer on the baseline"),
            "{command}: {rescan:?}"
        );
    }
}

#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

impl EventSink for Recorder {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

#[tokio::test]
async fn steps_are_told_as_events_and_nothing_is_left_behind() {
    let run = format!("events-{}", std::process::id());
    let sandbox = DockerSandbox::connect(SandboxSettings::new(SandboxConfig::default(), &run))
        .await
        .unwrap();
    let events = Recorder::default();
    let plan = plan(&[Check::Test], steps("echo working"), app(GOOD), app(GOOD));
    let judge = |_: usize, _: usize, _: &_| Vec::<Mismatch>::new();
    validate(&sandbox, &plan, &Reader, &judge, &events).await.unwrap();
    let names: Vec<_> = events
        .0
        .into_inner()
        .unwrap()
        .into_iter()
        .map(|event| match event {
            Event::StepStarted { step, side, .. } => format!("{side:?} {step} started"),
            Event::StepOutput { line, .. } => line,
            Event::StepFinished { step, .. } => format!("{step} finished"),
            Event::CheckFinished { check, verdict, .. } => format!("{check} {verdict}"),
            other => panic!("{other:?}"),
        })
        .collect();
    let side = |name: &str| {
        [
            "prepare started",
            "prepare finished",
            "test started",
            "working",
            "test finished",
        ]
        .map(|text| {
            if text.ends_with("started") {
                format!("{name} {text}")
            } else {
                text.to_owned()
            }
        })
    };
    let expected: Vec<_> = side("Baseline")
        .into_iter()
        .chain(side("Candidate"))
        .chain(["test passed".to_owned()])
        .collect();
    assert_eq!(names, expected);
    assert!(left_over(&format!("holdpoint.run={run}")).is_empty());
}
