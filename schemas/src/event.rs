//! What the runner and the pipeline tell whoever watches. Progress bars, JSON lines and reports
//! are consumers.

use serde::{Deserialize, Serialize};

use crate::Level;
use crate::evidence::{Check, Side, StepEnd, Verdict};

/// One thing that happened. Never part of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A run began.
    RunStarted {
        /// How many findings there are.
        findings: usize,
        /// How many candidate fixes there are.
        fixes: usize,
    },
    /// A finding is being decided.
    FindingStarted {
        /// For people: repo and title.
        label: String,
    },
    /// A step began in a sandbox.
    StepStarted {
        /// For people: repo and fix title.
        subject: String,
        /// Step name.
        step: String,
        /// Side.
        side: Side,
    },
    /// A line of a step's output; bounded in length and number.
    StepOutput {
        /// Step name.
        step: String,
        /// Side.
        side: Side,
        /// The line, without control characters.
        line: String,
    },
    /// A step ended.
    StepFinished {
        /// For people: repo and fix title.
        subject: String,
        /// Step name.
        step: String,
        /// Side.
        side: Side,
        /// How.
        end: StepEnd,
        /// Wall time in milliseconds.
        millis: u64,
    },
    /// A check has its verdict.
    CheckFinished {
        /// For people: repo and fix title.
        subject: String,
        /// Check.
        check: Check,
        /// Verdict.
        verdict: Verdict,
        /// Why.
        reason: String,
    },
    /// A finding has its decision.
    FindingDecided {
        /// For people: repo and title.
        label: String,
        /// How far.
        level: Level,
        /// The first reason.
        reason: String,
    },
    /// Something that a person should know and that stopped nothing else.
    Warning {
        /// What.
        text: String,
    },
}

/// Takes events; must not block.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn event(&self, event: Event);
}

/// Drops every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _event: Event) {}
}
