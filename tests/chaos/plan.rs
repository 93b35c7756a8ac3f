//! What a seed stands for.

use std::fmt;

/// Which sandbox runs the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Docker,
    Local,
}

impl Backend {
    /// As `holdpoint.yaml` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Local => "local",
        }
    }
}

/// A patch whose worth is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidate {
    /// Builds and passes.
    Good,
    /// Breaks the tests.
    Breaking,
    /// Would be good, but the tests fail without it too.
    RedBase,
    /// Its tests take more memory than they may.
    Hungry,
    /// Its tests take more disk than they may.
    Filling,
}

impl Candidate {
    /// Events of its run, when one of a good candidate has so many: after what isn't green less follows.
    const fn share_of(self, events: usize) -> usize {
        match self {
            Self::Good => events,
            Self::Breaking | Self::RedBase | Self::Hungry | Self::Filling => events.div_ceil(2),
        }
    }
}

/// What Holdpoint is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// `holdpoint validate`: all checks on one patch.
    Validate,
    /// `holdpoint run`: a decision on one finding with one fix, on the record.
    Run,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Holdpoint gets SIGKILL.
    Killed,
    /// Holdpoint gets SIGTERM.
    Terminated,
    /// The engine gets SIGKILL and is started again.
    EngineKilled,
    /// The engine is stopped properly and started again.
    EngineRestarted,
    /// The disk under everything is full until the run has ended.
    DiskFull,
    /// Holdpoint and all steps have hardly any memory left until the run has ended.
    Starved,
    /// Only the steps have.
    StepsStarved,
    /// The disk of a baseline that an earlier run kept is gone before this one begins.
    BaselineLost,
}

/// A run that is to be disturbed.
#[derive(Debug)]
pub struct Plan {
    pub seed: u64,
    pub backend: Backend,
    pub candidate: Candidate,
    pub asked: Asked,
    pub fault: Fault,
    /// The fault comes with this event of the run, from 1; with 0, before it.
    pub at: usize,
}

/// What fails where. Seeds that follow each other go through all of it.
const FAULTS: [(Backend, Fault); 13] = [
    (Backend::Docker, Fault::Killed),
    (Backend::Local, Fault::Killed),
    (Backend::Docker, Fault::EngineKilled),
    (Backend::Docker, Fault::DiskFull),
    (Backend::Local, Fault::DiskFull),
    (Backend::Docker, Fault::EngineRestarted),
    (Backend::Docker, Fault::StepsStarved),
    (Backend::Local, Fault::Starved),
    (Backend::Docker, Fault::Terminated),
    (Backend::Local, Fault::Terminated),
    (Backend::Docker, Fault::Starved),
    (Backend::Local, Fault::BaselineLost),
    (Backend::Docker, Fault::BaselineLost),
];
const CANDIDATES: [Candidate; 8] = [
    Candidate::Good,
    Candidate::Good,
    Candidate::Good,
    Candidate::Breaking,
    Candidate::Breaking,
    Candidate::RedBase,
    Candidate::Hungry,
    Candidate::Filling,
];
impl Plan {
    /// The plan of a seed. `length`: events of an undisturbed run.
    pub fn of(seed: u64, length: impl Fn(Backend, Asked) -> usize) -> Self {
        let mut draw = Draw(seed);
        let (backend, fault) = FAULTS[usize::try_from(seed).unwrap() % FAULTS.len()];
        let candidate = draw.one_of(&CANDIDATES);
        let asked = draw.one_of(&[Asked::Validate, Asked::Validate, Asked::Run]);
        let at = match fault {
            Fault::BaselineLost => 0,
            _ => 1 + draw.below(candidate.share_of(length(backend, asked))),
        };
        Self {
            seed,
            backend,
            candidate,
            asked,
            fault,
            at,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            backend,
            candidate,
            asked,
            fault,
            at,
        } = self;
        let backend = backend.name();
        write!(
            f,
            "seed {seed} ({backend}, {asked:?} of {candidate:?}, {fault:?} at event {at})"
        )
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): the same draws for the
/// same seed on every machine.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
