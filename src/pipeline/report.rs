//! What one run decided, did and why: the model that every report renders.

use holdpoint_engine::counterfactual::Ways;
use holdpoint_engine::graph::BlastRadius;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::fact::Unknown;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::level::Level;
use holdpoint_schemas::service::Catalogue;
use serde::{Deserialize, Serialize};

use super::approvals::Queue;
use super::night::NightReport;
use super::rollout::status::RolloutReport;

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunReport {
    /// Name of the estate.
    pub estate: String,
    /// When, as the injected clock says.
    pub at: Timestamp,
    /// Policy pack, by name.
    pub pack: String,
    /// Head of the ledger after the run: `<entries>:<root>`.
    pub ledger_head: String,
    /// That head, signed (C2SP signed-note): whoever keeps it can show later that the ledger was rewritten.
    #[serde(default)]
    pub ledger_checkpoint: String,
    /// Whether the ledger verified after the run.
    pub ledger_verified: bool,
    /// Which sandbox ran the checks, and how isolated.
    pub sandbox: String,
    /// The service graph.
    pub catalogue: Catalogue,
    /// Where the lanes stand after the run; `None` in reports of earlier versions.
    #[serde(default)]
    pub rollout: Option<RolloutReport>,
    /// One per finding, most severe outcome first.
    pub items: Vec<ReportItem>,
    /// What went wrong without stopping the run.
    pub warnings: Vec<String>,
    /// What waits for people.
    #[serde(default, skip_serializing_if = "Queue::is_empty")]
    pub queue: Queue,
    /// What differs from the run before, what wasn't reached, and findings over time.
    #[serde(default)]
    pub night: NightReport,
}

/// One finding of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportItem {
    /// Finding.
    pub finding: RepoFinding,
    /// Service name for people; `unknown` when no catalogue knows it.
    pub service: String,
    /// The fix that was decided on.
    pub fix: Option<Fix>,
    /// The decision: of the last phase that was reached.
    pub decision: Decision,
    /// What the runner found out.
    pub evidence: Option<EvidenceRecord>,
    /// What was done about it.
    pub outcome: Outcome,
    /// What a tool that looks only at green tests would have done.
    pub ci_only: CiOnly,
    /// Who can be affected; `None` for an unknown service.
    pub blast: Option<BlastRadius>,
    /// What the policies ask for and nobody could say, besides what the bounds name.
    #[serde(default)]
    pub unknowns: Vec<Unknown>,
    /// The easiest way to the next level, where the policies leave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Ways>,
    /// What people should do besides: rotate the secret, revisit the waiver.
    pub advice: Vec<String>,
    /// For the demo: the scenario and what it must end as.
    pub scenario: Option<Scenario>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// Merged in this run.
    Merged {
        /// Branch.
        branch: String,
        /// Commit that the branch now points at.
        commit: String,
    },
    /// Merged by an earlier run or by `promote`.
    AlreadyMerged {
        /// Commit.
        commit: String,
    },
    /// A pull request waits for a human.
    PullRequest {
        /// Branch that holds the fix.
        branch: String,
        /// Pull-request document.
        document: String,
        /// Whether it was there before this run.
        existed: bool,
    },
    /// People were told; nothing else was done.
    Alerted,
    /// Another fix of the same finding was better.
    Superseded {
        /// That fix, by short id.
        by: String,
    },
    /// It was permitted but couldn't be done.
    NotDone {
        /// Why.
        why: String,
    },
}

/// What a tool that looks only at green tests would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CiOnly {
    /// Tests green: merged.
    Merge,
    /// Tests red: not merged.
    Hold,
    /// The candidate's tests were not run.
    NotRun,
}

/// A demo scenario's expectation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Id, for example `code-freeze`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// The level that it must get.
    pub must_be: Level,
    /// Text that the reasons must contain.
    pub must_name: String,
    /// Whether it did.
    pub met: bool,
}
