//! The tools that the demo relies on, in the host-view image and without a network.

use super::support::{run_in, sandbox, step, tree};
use super::validation::plan;
use holdpoint_runner::plan::{ScannerPlan, ScannerRun};
use holdpoint_runner::sandbox::{Limits, Sandbox as _};
use holdpoint_runner::{ReportReader, run_baseline};
use holdpoint_schemas::estate::{SandboxConfig, StepsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, Side, StepEnd};
use holdpoint_schemas::finding::Finding;
use std::path::PathBuf;
use std::sync::Mutex;

#[tokio::test]
async fn the_hosts_tools_run_inside() {
    let sandbox = sandbox().await;
    let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
    for tool in ["python3", "node", "git", "cargo", "cc"] {
        let outcome = run_in(&sandbox, &workspace, &step(&format!("{tool} --version"))).await;
        assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{tool}: {}", outcome.tail);
    }
    sandbox.remove(workspace).await.unwrap();
}

#[tokio::test]
async fn a_rust_crate_builds_and_is_tested_offline() {
    let sandbox = sandbox().await;
    let crate_tree = tree(&[
        (
            "Cargo.toml",
            "[package]\nname = \"accounts\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        ),
        ("src/lib.rs", "#[test]\nfn adds() { assert_eq!(1 + 1, 2); }\n"),
    ]);
    let workspace = sandbox.workspace(&crate_tree).await.unwrap();
    let mut spec = step("cargo test --offline");
    spec.limits = Limits::from(&SandboxConfig::default());
    let outcome = run_in(&sandbox, &workspace, &spec).await;
    sandbox.remove(workspace).await.unwrap();
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
}

/// Keeps reports as text.
#[derive(Default)]
struct Keep(Mutex<Vec<String>>);

impl ReportReader for Keep {
    fn read(&self, _scanner: &str, _side: Side, report: &[u8]) -> Result<Vec<Finding>, String> {
        self.0
            .lock()
            .unwrap()
            .push(String::from_utf8_lossy(report).into_owned());
        Ok(Vec::new())
    }
}

const RULE: &str =
    "rules:\n- id: no-eval\n  languages: [python]\n  severity: ERROR\n  message: eval\n  pattern: eval(...)\n";

#[tokio::test]
async fn the_scanners_of_the_demo_write_their_reports_offline() {
    let rules = tempfile::tempdir().unwrap();
    std::fs::set_permissions(rules.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(rules.path().join("rule.yaml"), RULE).unwrap();
    let code = tree(&[("app.py", "import hashlib\nhashlib.md5(b'')\neval('1')\n")]);
    let mut plan = plan(&[Check::Rescan], StepsConfig::default(), code, Vec::new());
    plan.limits = Limits::from(&SandboxConfig::default());
    let scanner = |name: &str, command: &str, ok: &[i64], rules: Option<PathBuf>| ScannerPlan {
        name: name.to_owned(),
        run: ScannerRun::Command {
            command: command.to_owned(),
            ok_exit: ok.to_vec(),
            rules,
            version: None,
        },
    };
    let semgrep = "holdpoint-semgrep scan --metrics off --disable-version-check --config $HOLDPOINT_RULES \
                   --sarif --output $HOLDPOINT_REPORT .";
    plan.scanners = vec![
        scanner(
            "bandit",
            "holdpoint-bandit -q -r . -f json -o $HOLDPOINT_REPORT",
            &[0, 1],
            None,
        ),
        scanner("semgrep", semgrep, &[0], Some(rules.path().to_owned())),
    ];
    let reader = Keep::default();
    let record = run_baseline(&sandbox().await, &plan, None, &reader, &NoEvents)
        .await
        .unwrap()
        .record;
    let reports = reader.0.into_inner().unwrap();
    assert_eq!(reports.len(), 2, "{:?}", record.scans);
    assert!(reports[0].contains("B324"), "{}", reports[0]);
    assert!(reports[1].contains("no-eval"), "{}", reports[1]);
}
