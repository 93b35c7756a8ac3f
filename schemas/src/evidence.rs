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
    /// The passing tests run what the fix changes, and notice when that is undone.
    Adequacy,
    /// What its consumers rely on.
    Contract,
    /// The finding is gone and nothing new appears.
    Rescan,
    /// It opens nothing: no route, permission, network or missing authentication that wasn't there.
    Surface,
    /// It can be taken back: the candidate with its revert is the base again, and passes.
    Revert,
}

impl Check {
    /// Every check, in running order.
    pub const ALL: [Self; 7] = [
        Self::Build,
        Self::Test,
        Self::Adequacy,
        Self::Contract,
        Self::Rescan,
        Self::Surface,
        Self::Revert,
    ];

    /// The name that people, files and policies use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Adequacy => "adequacy",
            Self::Contract => "contract",
            Self::Rescan => "rescan",
            Self::Surface => "surface",
            Self::Revert => "revert",
        }
    }

    /// The fact that holds its verdict.
    #[must_use]
    pub const fn fact_id(self) -> &'static str {
        match self {
            Self::Build => evidence::build::VERDICT.id(),
            Self::Test => evidence::test::VERDICT.id(),
            Self::Adequacy => evidence::adequacy::VERDICT.id(),
            Self::Contract => evidence::contract::VERDICT.id(),
            Self::Rescan => evidence::rescan::VERDICT.id(),
            Self::Surface => evidence::surface::VERDICT.id(),
            Self::Revert => evidence::revert::VERDICT.id(),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How strongly the steps were kept apart from the host and from each other, worst to best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// A control is missing, or it was never shown that this sandbox keeps its promises.
    #[default]
    Unproven,
    /// Linux namespaces, without an engine.
    Namespaces,
    /// A container with the full profile, on the host's kernel.
    Container,
    /// A kernel of its own: gVisor, or a virtual machine.
    Kernel,
}

impl Isolation {
    /// Every strength, from worst to best.
    pub const ALL: [Self; 4] = [Self::Unproven, Self::Namespaces, Self::Container, Self::Kernel];

    /// The name that people, files and policies use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Namespaces => "namespaces",
            Self::Container => "container",
            Self::Kernel => "kernel",
        }
    }

    /// The fact that holds it.
    pub const FACT_ID: &'static str = evidence::sandbox::ISOLATION.id();
}

impl fmt::Display for Isolation {
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
    /// It was killed by somebody (signal 9), not for memory or time.
    Killed,
    /// The workspace's disk, or its number of files, was used up.
    OutOfDisk,
    /// The command isn't in the image.
    MissingTool,
    /// The engine went away while it ran; a retry may do better.
    EngineLost {
        /// What the engine's last words were.
        reason: String,
    },
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
    /// How isolated it was: the weakest that any of its steps had.
    #[serde(default)]
    pub isolation: Isolation,
    /// Hosts that `prepare` reached, by name, sorted.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Tests that passed and failed on the same tree: they prove nothing.
    #[serde(default)]
    pub flaky_tests: Vec<FlakyTest>,
    /// Whether the candidate's own build and tests were green: all that a CI-only tool looks at.
    /// `None`: they weren't run, or the machine failed.
    pub candidate_green: Option<bool>,
}

/// Hosts or tests named in one line for people.
const MAX_NAMES: usize = 5;

impl Evidence {
    /// Where it comes from, in one line for people: the sandbox, how isolated it was, what it reached, and
    /// which tests prove nothing. Empty when nothing ran. It may hold names from the repo: clean it.
    #[must_use]
    pub fn provenance(&self) -> String {
        if self.sandbox.is_empty() {
            return String::new();
        }
        let mut parts = vec![self.sandbox.clone(), format!("isolation: {}", self.isolation)];
        if !self.hosts.is_empty() {
            parts.push(format!("`prepare` reached {}", some_of(self.hosts.iter().cloned())));
        }
        if !self.flaky_tests.is_empty() {
            let tests = self
                .flaky_tests
                .iter()
                .map(|test| format!("{} (failed {} of {} runs)", test.name, test.failed, test.runs));
            parts.push(format!("flaky, so no proof: {}", some_of(tests)));
        }
        parts.join("; ")
    }
}

fn some_of(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(MAX_NAMES);
    let mut text = names.take(MAX_NAMES).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// A test that passed and failed on the same tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlakyTest {
    /// Its name, as its framework prints it.
    pub name: String,
    /// Runs looked at.
    pub runs: u32,
    /// Those that failed.
    pub failed: u32,
}

/// [`Evidence`] with how it came about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// What was found out: this is what digests cover.
    pub evidence: Evidence,
    /// Steps as they ran.
    pub steps: Vec<StepRun>,
}
