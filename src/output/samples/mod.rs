//! Hand-made items for the tests of every renderer.

mod build;
mod catalogue;
mod lanes;

use build::Sample;
pub use catalogue::catalogue;
use holdpoint_schemas::decision::BoundKind;
use holdpoint_schemas::evidence::{Check, Verdict};
use holdpoint_schemas::finding::{FindingClass, Severity};
use holdpoint_schemas::fix::FixKind;
use holdpoint_schemas::service::NodeKind;
use holdpoint_schemas::{Digest, Level, Timestamp};
pub use lanes::rollout;

use crate::pipeline::report::{CiOnly, Outcome, ReportItem, RunReport};

/// The demo's clock.
pub fn at() -> Timestamp {
    "2026-03-17T02:30:00Z".parse().unwrap()
}

/// A run over one item of each kind.
pub fn report() -> RunReport {
    RunReport {
        estate: "Example Fintech".to_owned(),
        at: at(),
        pack: "baseline".to_owned(),
        ledger_head: format!("42:{}", Digest::of_bytes(b"root")),
        ledger_verified: true,
        sandbox: "docker, no network, read-only root, uid 10001".to_owned(),
        catalogue: catalogue(),
        rollout: Some(rollout()),
        items: vec![
            broken_contract(),
            unknown_service(),
            unprovisioned(),
            frozen(),
            merged(),
        ],
        warnings: vec!["state/reports/old.sarif:3:1: truncated; the report was left out".to_owned()],
    }
}

/// An upgrade of a build tool that was merged.
pub fn merged() -> ReportItem {
    Sample::new("admin", "main", "wheel 0.38.0 can be stalled by a crafted header")
        .finding(
            "osv-lockfile",
            "PYSEC-2022-43017",
            Severity::Medium,
            FindingClass::Dependency,
        )
        .component("wheel", "0.38.0", "0.38.1")
        .location("requirements-dev.txt", 4)
        .fix(
            "depbot",
            "Upgrade wheel to 0.38.1",
            FixKind::DependencyUpgrade,
            "only the version and hash of wheel in requirements-dev.txt change",
            &[("requirements-dev.txt", 4, "wheel==0.38.0", "wheel==0.38.1")],
        )
        .checks(&[
            (Check::Build, Verdict::Passed, "it builds as before"),
            (Check::Test, Verdict::Passed, "14 tests pass, as before"),
            (
                Check::Contract,
                Verdict::Passed,
                "nothing relies on a contract of admin",
            ),
            (
                Check::Rescan,
                Verdict::Passed,
                "PYSEC-2022-43017 is gone and nothing new appeared",
            ),
        ])
        .permit("a patch upgrade of a development dependency of a service that nothing depends on")
        .blast(&[])
        .scenario(
            "dev-tool-upgrade",
            "A build tool's patch upgrade",
            Level::AutoApply,
            "development dependency",
        )
        .end(
            Level::AutoApply,
            CiOnly::Merge,
            Outcome::Merged {
                branch: "main".to_owned(),
                commit: "4f1c2d3e4a5b6c7d8e9f00112233445566778899".to_owned(),
            },
        )
}

/// A configuration fix that a freeze holds.
pub fn frozen() -> ReportItem {
    let note = "`Quarter close` until 2026-04-02T06:00:00Z, as calendar.yaml says";
    Sample::new("accounts", "main", "Verbose errors are on in production configuration")
        .finding(
            "semgrep",
            "config.verbose-errors",
            Severity::Medium,
            FindingClass::Config,
        )
        .location("config/accounts.toml", 7)
        .fix(
            "codemod",
            "Turn verbose errors off",
            FixKind::ConfigFlag,
            "only the value of the existing key `verbose_errors` changes",
            &[(
                "config/accounts.toml",
                7,
                "verbose_errors = true",
                "verbose_errors = false",
            )],
        )
        .checks(&[
            (Check::Build, Verdict::Passed, "it builds as before"),
            (Check::Test, Verdict::Passed, "9 tests pass, as before"),
            (
                Check::Contract,
                Verdict::Passed,
                "all 3 recorded interactions of gateway still hold",
            ),
            (
                Check::Rescan,
                Verdict::Passed,
                "config.verbose-errors is gone and nothing new appeared",
            ),
        ])
        .fact("change.freeze_active", true.into(), "calendar.yaml", 0, Some(note))
        .bound(
            Level::AutoApply,
            BoundKind::Policy,
            "freeze",
            "a code freeze covers accounts: `Quarter close` until 2026-04-02T06:00:00Z",
            &["change.freeze_active"],
            Some("wait until the freeze ends on 2026-04-02 at 06:00 UTC, or have a person promote it"),
        )
        .permit("a mechanical change whose evidence passed")
        .blast(&[(
            "gateway",
            NodeKind::Service,
            Some(1),
            Some(true),
            &["gateway", "accounts"],
        )])
        .scenario(
            "code-freeze",
            "A fix under a code freeze",
            Level::Suggest,
            "Quarter close",
        )
        .end(
            Level::Suggest,
            CiOnly::Merge,
            Outcome::PullRequest {
                branch: "holdpoint/hp-accounts-verbose".to_owned(),
                document: "state/pull-requests/accounts-verbose.md".to_owned(),
                existed: false,
            },
        )
}

/// A header fix that breaks what the bank partner relies on.
pub fn broken_contract() -> ReportItem {
    let mismatch = "GET /payments/42: header `content-type`: expected `application/json`, got `text/html`";
    Sample::new("payments", "main", "JSON responses lack X-Content-Type-Options")
        .finding("semgrep", "http.missing-nosniff", Severity::Low, FindingClass::Code)
        .location("payments/server.py", 58)
        .fix(
            "model-a",
            "Send X-Content-Type-Options and tidy the response headers",
            FixKind::SecurityHeader,
            "response headers are added or changed",
            &[(
                "payments/server.py",
                58,
                "self.send_header(\"Content-Type\", \"application/json\")",
                "self.send_header(\"Content-Type\", \"text/html\")",
            )],
        )
        .checks(&[
            (Check::Build, Verdict::Passed, "it builds as before"),
            (Check::Test, Verdict::Passed, "21 tests pass, as before"),
            (
                Check::Contract,
                Verdict::Failed,
                "bank-partner relies on a response that changes: GET /payments/42",
            ),
        ])
        .detail(Check::Contract, mismatch)
        .fact("evidence.contract.verdict", "failed".into(), "runner", 0, None)
        .bound(
            Level::Suggest,
            BoundKind::Evidence,
            "contract-holds",
            "the contract check failed: bank-partner relies on a response that changes: GET /payments/42",
            &["evidence.contract.verdict"],
            Some("a fix that keeps `content-type: application/json`, or a new contract agreed with bank-partner"),
        )
        .blast(&[
            (
                "gateway",
                NodeKind::Service,
                Some(1),
                Some(true),
                &["gateway", "payments"],
            ),
            (
                "bank-partner",
                NodeKind::External,
                None,
                Some(true),
                &["bank-partner", "payments"],
            ),
            (
                "notifications",
                NodeKind::Service,
                Some(2),
                Some(false),
                &["notifications", "payments"],
            ),
        ])
        .scenario(
            "partner-contract",
            "A header fix that breaks a partner",
            Level::Alert,
            "bank-partner",
        )
        .end(Level::Alert, CiOnly::Merge, Outcome::Alerted)
}

/// A secret fix whose variable isn't there.
pub fn unprovisioned() -> ReportItem {
    let note = "`SMTP_TOKEN` isn't provisioned in production";
    Sample::new("notifications", "release", "A mail token is written in the source")
        .finding("semgrep", "secrets.smtp-token", Severity::High, FindingClass::Secret)
        .location("src/mail.js", 6)
        .fix(
            "model-a",
            "Read the mail token from the environment",
            FixKind::SecretToReference,
            "a literal becomes `process.env.SMTP_TOKEN`",
            &[(
                "src/mail.js",
                6,
                "const token = \"•••\";",
                "const token = process.env.SMTP_TOKEN;",
            )],
        )
        .checks(&[
            (Check::Build, Verdict::Passed, "it builds as before"),
            (Check::Test, Verdict::Passed, "11 tests pass, as before"),
            (
                Check::Contract,
                Verdict::Inconclusive,
                "no recorded contract names notifications",
            ),
            (
                Check::Rescan,
                Verdict::Passed,
                "secrets.smtp-token is gone and nothing new appeared",
            ),
        ])
        .fact(
            "fix.variables_provisioned",
            false.into(),
            "environments.yaml",
            26,
            Some(note),
        )
        .bound(
            Level::AutoApply,
            BoundKind::Policy,
            "variables-provisioned",
            "the fix reads `SMTP_TOKEN`, which isn't provisioned in production",
            &["fix.variables_provisioned", "service.production"],
            Some("provision `SMTP_TOKEN` in production and list it in environments.yaml"),
        )
        .permit("a mechanical change whose evidence passed")
        .blast(&[])
        .advice("The old token stays in the history: rotate it.")
        .scenario(
            "secret-production",
            "A secret whose variable isn't there",
            Level::Suggest,
            "SMTP_TOKEN",
        )
        .end(
            Level::Suggest,
            CiOnly::Merge,
            Outcome::PullRequest {
                branch: "holdpoint/hp-mail-token".to_owned(),
                document: "state/pull-requests/mail-token.md".to_owned(),
                existed: true,
            },
        )
}

/// A finding on a service that no catalogue knows.
pub fn unknown_service() -> ReportItem {
    Sample::new("reports", "main", "Temporary file with a predictable name")
        .finding("bandit", "B306", Severity::Medium, FindingClass::Code)
        .location("reports/build.py", 19)
        .fix(
            "model-a",
            "Use mkstemp",
            FixKind::Logic,
            "statements of the program change",
            &[(
                "reports/build.py",
                19,
                "path = tempfile.mktemp()",
                "fd, path = tempfile.mkstemp()",
            )],
        )
        .fact("service.known", false.into(), "catalogue", 0, None)
        .bound(
            Level::Suggest,
            BoundKind::UnknownFact,
            "known-service",
            "no catalogue describes the service, so nobody can say what it is or who depends on it",
            &["service.known", "service.production", "graph.dependents"],
            Some("describe it in a `catalog-info.yaml` with owner, tier and deployments"),
        )
        .scenario(
            "unknown-service",
            "A service that no catalogue knows",
            Level::Alert,
            "service.production",
        )
        .end(Level::Alert, CiOnly::NotRun, Outcome::Alerted)
}
