//! What goes wrong, by a seeded plan.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What can happen to a request or a stream, each with its chance in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiFault {
    /// 429 with `Retry-After`.
    TooMany,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// The connection breaks instead of an answer.
    Broken,
    /// The request is carried out, and the answer lost.
    AnswerLost,
    /// A watch breaks after an event.
    WatchCut,
    /// A watch's version is too old.
    Gone,
    /// An event comes twice.
    Twice,
    /// A log stream breaks.
    LogCut,
    /// An `exec` breaks.
    ExecCut,
}

impl ApiFault {
    pub const ALL: [Self; 10] = [
        Self::TooMany,
        Self::Internal,
        Self::Unavailable,
        Self::Broken,
        Self::AnswerLost,
        Self::WatchCut,
        Self::Gone,
        Self::Twice,
        Self::LogCut,
        Self::ExecCut,
    ];
}

/// What can happen to the pod of a step.
#[derive(Debug, Clone)]
pub enum PodFault {
    /// No node has room, for so long.
    Unschedulable(Duration),
    /// The quota of the namespace is used up: there is no pod, only an event.
    NoQuota,
    /// The image can't be pulled, for so long.
    NoImage(Duration),
    /// Once it runs, after so long: its record becomes this, and its container is killed.
    Becomes(Duration, serde_json::Value),
    /// Once it runs, after so long: somebody deletes it.
    Deleted(Duration),
}

#[derive(Default)]
pub struct Plan {
    pub chances: BTreeMap<ApiFault, u32>,
    /// By the step's name.
    pub pods: BTreeMap<String, PodFault>,
    /// Whether `exec` speaks only version 4 of its protocol, as clusters before 1.30 do.
    pub old_exec: bool,
    seed: AtomicU64,
    /// What happened, for the message of a test that fails.
    pub happened: Mutex<BTreeMap<ApiFault, u32>>,
}

impl Plan {
    /// Everything that can happen to requests and streams, with this chance in thousandths each.
    pub fn shaky(seed: u64, chance: u32) -> Self {
        Self {
            chances: ApiFault::ALL.into_iter().map(|fault| (fault, chance)).collect(),
            old_exec: seed.is_multiple_of(2),
            seed: AtomicU64::new(seed),
            ..Self::default()
        }
    }

    pub fn pod(step: &str, fault: PodFault) -> Self {
        Self {
            pods: BTreeMap::from([(step.to_owned(), fault)]),
            ..Self::default()
        }
    }

    /// Whether it happens now.
    pub fn strikes(&self, fault: ApiFault) -> bool {
        let chance = self.chances.get(&fault).copied().unwrap_or(0);
        let strikes = chance > 0 && self.random() % 1000 < u64::from(chance);
        if strikes {
            *self.happened.lock().unwrap().entry(fault).or_default() += 1;
        }
        strikes
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    pub fn random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.seed.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
