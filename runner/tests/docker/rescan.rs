//! The re-scan and the scan with the real scanners, pinned as `ci/setup` pins them.

use super::support::{sandbox, tree};
use super::validation::plan;
use holdpoint_runner::plan::{Scan, ScannerPlan, ScannerRun};
use holdpoint_runner::sandbox::Limits;
use holdpoint_runner::scan::{Tree, scan};
use holdpoint_runner::{ReportReader, validate};
use holdpoint_schemas::estate::{SandboxConfig, StepsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, Evidence, Side, Verdict};
use holdpoint_schemas::finding::{Finding, FindingClass, FindingDetails, Fingerprint, Location, Severity};
use std::path::{Path, PathBuf};

/// Reads the JSON of bandit and of semgrep. Its fingerprints hang on path, rule and line, like the intake's.
struct Reader {
    sides: [Vec<(String, String)>; 2],
}

impl Reader {
    fn line(&self, side: Side, path: &str, line: u32) -> String {
        let files = &self.sides[usize::from(side == Side::Candidate)];
        let text = files
            .iter()
            .find(|(own, _)| own == path)
            .map_or("", |(_, text)| text.as_str());
        text.lines()
            .nth(line as usize - 1)
            .unwrap_or_default()
            .trim()
            .to_owned()
    }
}

impl ReportReader for Reader {
    fn read(&self, scanner: &str, side: Side, report: &[u8]) -> Result<Vec<Finding>, String> {
        let json: serde_json::Value = serde_json::from_slice(report).map_err(|error| error.to_string())?;
        let results = json["results"].as_array().ok_or("no results")?;
        let finding = |result: &serde_json::Value| {
            let rule = result["test_id"]
                .as_str()
                .or_else(|| result["check_id"].as_str())
                .unwrap();
            let path = result["filename"].as_str().or_else(|| result["path"].as_str()).unwrap();
            let path = path.trim_start_matches("./");
            let line = result["line_number"]
                .as_u64()
                .or_else(|| result["start"]["line"].as_u64())
                .unwrap() as u32;
            Finding {
                fingerprint: Fingerprint::of([scanner, rule, path, &self.line(side, path, line)]),
                scanner: scanner.to_owned(),
                rule: rule.to_owned(),
                title: rule.to_owned(),
                severity: Severity::High,
                class: FindingClass::Code,
                cwes: Vec::new(),
                aliases: Vec::new(),
                component: None,
                location: Some(Location {
                    path: path.to_owned(),
                    line: Some(line),
                }),
                iac_address: None,
                fixed_versions: Vec::new(),
                details: FindingDetails::default(),
            }
        };
        Ok(results.iter().map(finding).collect())
    }
}

const RULES: &str = "rules:
- id: no-eval
  languages: [python]
  severity: ERROR
  message: eval
  pattern: eval(...)
- id: js-exec
  languages: [javascript]
  severity: ERROR
  message: exec
  pattern: $A.exec(...)
- id: open-ingress
  languages: [terraform]
  severity: ERROR
  message: open
  pattern: cidr_blocks = [...]
";

fn scanners(rules: &Path) -> Vec<ScannerPlan> {
    let scanner = |name: &str, command: &str, ok: &[i64], rules: Option<PathBuf>| ScannerPlan {
        name: name.to_owned(),
        run: ScannerRun::Command {
            command: command.to_owned(),
            ok_exit: ok.to_vec(),
            rules,
            version: None,
        },
    };
    let bandit = "holdpoint-bandit -q -r . -f json -o $HOLDPOINT_REPORT";
    let semgrep = "holdpoint-semgrep scan --metrics off --disable-version-check --no-git-ignore --jobs 1 \
                   --config $HOLDPOINT_RULES --json --output $HOLDPOINT_REPORT .";
    vec![
        scanner("bandit", bandit, &[0, 1], None),
        scanner("semgrep", semgrep, &[0], Some(rules.to_owned())),
    ]
}

fn rules() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    folder
}

type Files = Vec<(&'static str, String)>;

async fn rescan(base: &Files, candidate: &Files) -> Evidence {
    let folder = rules();
    let archive = |files: &Files| {
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        tree(&files)
    };
    let mut plan = plan(
        &[Check::Rescan],
        StepsConfig::default(),
        archive(base),
        archive(candidate),
    );
    plan.limits = Limits::from(&SandboxConfig::default());
    plan.scanners = scanners(folder.path());
    let owned = |files: &Files| {
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.clone()))
            .collect()
    };
    let reader = Reader {
        sides: [owned(base), owned(candidate)],
    };
    let weak = "return hashlib.md5(data).hexdigest()";
    plan.resolves = vec![Finding {
        fingerprint: Fingerprint::of(["bandit", "B324", "hashes.py", weak]),
        ..first_finding(&reader)
    }];
    let judge = |_: usize, _: usize, _: &_| Vec::new();
    let record = validate(&sandbox().await, &plan, &reader, &judge, &NoEvents)
        .await
        .unwrap();
    record.evidence
}

fn first_finding(reader: &Reader) -> Finding {
    let report = br#"{"results": [{"test_id": "B324", "filename": "hashes.py", "line_number": 5}]}"#;
    reader.read("bandit", Side::Baseline, report).unwrap().remove(0)
}

const HASHES: &str = "import hashlib\n\n\ndef digest(data):\n    return hashlib.md5(data).hexdigest()\n";
const RUNNER: &str = "import subprocess\n\n\ndef listing(name):\n    return subprocess.call(\"ls \" + name, shell=True)\n\n\ndef compute(text):\n    value = eval(text)\n    return value\n";
const SCRIPT: &str =
    "const cp = require('child_process')\n\nfunction list(name) {\n  return cp.exec('ls ' + name)\n}\n";
const NETWORK: &str = "resource \"aws_security_group\" \"web\" {\n  ingress {\n    from_port   = 443\n    cidr_blocks = [\"10.0.0.0/8\"]\n  }\n}\n";

fn base() -> Files {
    vec![
        ("hashes.py", HASHES.to_owned()),
        ("runner.py", RUNNER.to_owned()),
        ("script.js", SCRIPT.to_owned()),
        ("network.tf", NETWORK.to_owned()),
    ]
}

fn fixed() -> String {
    HASHES.replace("md5", "sha256")
}

#[tokio::test]
async fn moved_renamed_and_reformatted_code_is_not_new_to_real_scanners() {
    let compute = "def compute(text):\n    value = eval(text)\n    return value\n";
    let candidate = vec![
        ("hashes.py", format!("{}\n\n{compute}", fixed())),
        (
            "lib/run.py",
            "import subprocess\n\n\ndef list_files(name):\n    # Another name, another folder, other lines.\n    return subprocess.call(\n        'ls ' + name,\n        shell=True,\n    )\n".to_owned(),
        ),
        (
            "web/script.mjs",
            "const cp = require(\"child_process\");\n\nfunction list(\n  name,\n) {\n    return cp.exec(\n        \"ls \" + name,\n    );\n}\n".to_owned(),
        ),
        (
            "network.tf",
            "# The network.\nresource \"aws_security_group\" \"web\" {\n  ingress {\n    from_port = 443\n    cidr_blocks = [\n      \"10.0.0.0/8\",\n    ]\n  }\n}\n".to_owned(),
        ),
    ];
    let evidence = rescan(&base(), &candidate).await;
    let result = &evidence.checks[&Check::Rescan];
    assert_eq!(evidence.new_findings, [], "{result:?}");
    assert_eq!(result.verdict, Verdict::Passed, "{result:?}");
    for pin in ["scanned by `bandit` 1.", "scanned by `semgrep` 1."] {
        assert!(
            result
                .details
                .iter()
                .any(|line| line.starts_with(pin) && line.contains("(rules ")),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn a_worse_finding_of_the_same_rule_in_the_same_file_is_new_to_real_scanners() {
    let mut candidate = base();
    candidate[0].1 = fixed();
    candidate[1].1 = RUNNER
        .replace("\"ls \" + name", "name")
        .replace("eval(text)", "eval(text + request.args[\"x\"])");
    candidate[2].1 = SCRIPT.replace("'ls ' + name", "name");
    candidate[3].1 = NETWORK.replace("10.0.0.0/8", "0.0.0.0/0");
    let evidence = rescan(&base(), &candidate).await;
    let result = &evidence.checks[&Check::Rescan];
    assert_eq!(result.verdict, Verdict::Failed, "{result:?}");
    let mut rules: Vec<_> = evidence
        .new_findings
        .iter()
        .map(|finding| finding.rule.rsplit('.').next().unwrap().to_owned())
        .collect();
    rules.sort();
    assert_eq!(
        rules,
        ["B307", "B602", "js-exec", "no-eval", "open-ingress"],
        "{result:?}"
    );
}

#[tokio::test]
async fn a_finding_that_only_moved_or_was_silenced_is_not_resolved() {
    for (path, text) in [
        (
            "moved.py",
            HASHES
                .replace("    return", "        return")
                .replace("md5(data)", "md5(\n            data\n        )"),
        ),
        ("hashes.py", HASHES.replace("hexdigest()", "hexdigest()  # nosec")),
    ] {
        let mut candidate = base();
        candidate[0] = (path, text);
        let evidence = rescan(&base(), &candidate).await;
        assert_eq!(
            evidence.checks[&Check::Rescan].verdict,
            Verdict::Failed,
            "{path}: {evidence:?}"
        );
    }
}

#[tokio::test]
async fn a_scan_gives_findings_versions_and_failed_scanners() {
    let folder = rules();
    let mut scanners = scanners(folder.path());
    scanners.push(ScannerPlan {
        name: "broken".to_owned(),
        run: ScannerRun::Command {
            command: "no-such-scanner".to_owned(),
            ok_exit: vec![0],
            rules: None,
            version: None,
        },
    });
    let archive = tree(&[("hashes.py", HASHES), ("runner.py", RUNNER)]);
    let limits = Limits::from(&SandboxConfig::default());
    let reader = Reader {
        sides: [Vec::new(), Vec::new()],
    };
    let what = Tree {
        subject: "repo",
        side: Side::Baseline,
        archive: &archive,
        limits: &limits,
    };
    let scanned = scan(&sandbox().await, &what, &scanners, &reader, &NoEvents)
        .await
        .unwrap();
    let found = |name: &str| match &scanned.scans[name] {
        Scan::Found { findings, version, .. } => (findings.len(), version.clone()),
        Scan::Failed { reason } => panic!("{name}: {reason}"),
    };
    assert!(
        found("bandit").0 >= 3 && found("bandit").1.starts_with("1."),
        "{scanned:?}"
    );
    assert!(
        found("semgrep").0 == 1 && found("semgrep").1.starts_with("1."),
        "{scanned:?}"
    );
    assert_eq!(
        scanned.failed(),
        [("broken", "a command it needs is not in the sandbox")]
    );
}
