//! Why a build failed, read from its log: what the tools themselves say, and never what a test printed.
//!
//! Logs have gigabytes: they are fed in pieces, each line is looked at once, and only the lines that
//! decide are kept. Which line says what is data: one row per message in `failures/rows`.
//!
//! How a log is judged: the tool that speaks last is the outermost one, and the first step that it calls
//! failed decides. Where that step only ran another tool (`npm run`, `exec-maven-plugin`), the words of
//! that one decide. A line near the verdict can tell more: warnings that were made errors, a registry
//! that didn't answer, a full disk. What no row knows is unknown, and never blamed on anybody.

mod judge;
mod line;
mod rows;

use serde::{Deserialize, Serialize};

use judge::Judge;
use line::Pieces;

/// What kind of step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Code, of the tests too, doesn't compile, or can't be generated, linked or packaged.
    Build,
    /// A test fails.
    Test,
    /// No versions of the dependencies fit together, or one of them doesn't exist.
    Resolution,
    /// A rule that somebody set up: Maven's enforcer, licences, coverage, known vulnerabilities, engines.
    Policy,
    /// The lockfile or a pinned checksum doesn't fit what is declared or downloaded.
    Lock,
    /// A linter, a formatter, or a warning that was made an error.
    Lint,
    /// The machine or the network: disk, memory, a registry that doesn't answer or lets nobody in.
    Infrastructure,
    /// Nothing that is known was found.
    Unknown,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Build,
        Self::Test,
        Self::Resolution,
        Self::Policy,
        Self::Lock,
        Self::Lint,
        Self::Infrastructure,
        Self::Unknown,
    ];

    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Resolution => "resolution",
            Self::Policy => "policy",
            Self::Lock => "lock",
            Self::Lint => "lint",
            Self::Infrastructure => "infrastructure",
            Self::Unknown => "unknown",
        }
    }
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogLine {
    /// Its number, 1-based.
    pub line: u64,
    /// Its text without escape sequences, at most 400 characters.
    pub text: String,
}

/// Why a build failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    /// What kind of step failed.
    pub category: Category,
    /// The lines that say so, in the log's order, at most 20.
    pub lines: Vec<LogLine>,
}

/// Reads a log piece by piece, in memory that doesn't grow with it.
#[derive(Debug, Default)]
pub struct Classifier {
    pieces: Pieces,
    judge: Judge,
}

impl Classifier {
    /// A classifier that has read nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes; they may end within a line or a character.
    pub fn push(&mut self, bytes: &[u8]) {
        let judge = &mut self.judge;
        self.pieces.push(bytes, |number, text| judge.line(number, text));
    }

    /// What the whole log says.
    #[must_use]
    pub fn finish(mut self) -> Classification {
        let judge = &mut self.judge;
        self.pieces.finish(|number, text| judge.line(number, text));
        self.judge.verdict()
    }
}

/// Classifies a log that is at hand as a whole.
#[must_use]
pub fn classify(log: &[u8]) -> Classification {
    let mut classifier = Classifier::new();
    classifier.push(log);
    classifier.finish()
}

#[cfg(test)]
mod tests;
