//! What the runner found out about a fix.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

use crate::fact::keys::evidence;
use crate::finding::Finding;

/// What a check found. An infrastructure error is not a verdict: it is a Rust error, and ends as
/// [`Verdict::Inconclusive`] only with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The fix breaks it.
    Failed,
    /// It can't be told.
    Inconclusive,
    /// It holds.
    Passed,
}

impl Verdict {
    /// The name that people, files and policies use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::Passed => "passed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The checks of a fix, in the order in which they run (cheapest first).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// Dependencies are fetched and it builds.
    Build,
    /// Its own tests.
    Test,
    /// What its consumers rely on.
    Contract,
    /// The finding is gone and nothing new appears.
    Rescan,
}

impl Check {
    /// Every check, in running order.
    pub const ALL: [Self; 4] = [Self::Build, Self::Test, Self::Contract, Self::Rescan];

    /// The name that people, files and policies use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Contract => "contract",
            Self::Rescan => "rescan",
        }
    }

    /// The fact that holds its verdict.
    #[must_use]
    pub const fn fact_id(self) -> &'static str {
        match self {
            Self::Build => evidence::build::VERDICT.id(),
            Self::Test => evidence::test::VERDICT.id(),
            Self::Contract => evidence::contract::VERDICT.id(),
            Self::Rescan => evidence::rescan::VERDICT.id(),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which side of the comparison a step ran on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The base commit.
    Baseline,
    /// The base commit with the fix.
    Candidate,
}

impl Side {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Candidate => "candidate",
        }
    }
}

/// How one step in a sandbox ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "end")]
pub enum StepEnd {
    /// It ended by itself.
    Exited {
        /// Exit status.
        code: i64,
    },
    /// It ran out of memory.
    OutOfMemory,
    /// It ran out of time and was killed.
    TimedOut {
        /// The limit, in seconds.
        after_seconds: u64,
    },
    /// The command isn't in the image.
    MissingTool,
    /// The machine or the engine failed; the fix is not to blame.
    Infrastructure {
        /// What failed.
        reason: String,
    },
}

impl StepEnd {
    /// Whether it ended with status 0.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }
}

/// One step as it ran. Durations are for people and never part of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRun {
    /// Step name: `prepare`, `build`, `test`, `serve`, `rescan:bandit` …
    pub step: String,
    /// Side.
    pub side: Side,
    /// How it ended.
    pub end: StepEnd,
    /// Wall time in milliseconds.
    pub millis: u64,
    /// Last lines of its output, bounded.
    pub tail: String,
}

/// Result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Verdict.
    pub verdict: Verdict,
    /// Why, one line for people; names the consumer, the new finding, the step.
    pub reason: String,
    /// More lines for people: mismatches, new findings, failing tests. Bounded.
    #[serde(default)]
    pub details: Vec<String>,
}

/// All that was found out about one fix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Results by check; a check that wasn't run isn't there.
    pub checks: BTreeMap<Check, CheckResult>,
    /// Findings that the candidate has and the baseline hadn't.
    #[serde(default)]
    pub new_findings: Vec<Finding>,
    /// Which sandbox ran it, and how isolated, for people.
    pub sandbox: String,
    /// Whether the candidate's own build and tests were green: all that a CI-only tool looks at.
    /// `None`: they weren't run, or the machine failed.
    pub candidate_green: Option<bool>,
}

/// [`Evidence`] with how it came about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// What was found out: this is what digests cover.
    pub evidence: Evidence,
    /// Steps as they ran.
    pub steps: Vec<StepRun>,
}
