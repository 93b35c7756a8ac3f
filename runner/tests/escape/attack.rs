//! What an attack is.

use holdpoint_runner::sandbox::Limits;
use holdpoint_runner::sandbox::control::Control;
use holdpoint_schemas::evidence::StepEnd;
use std::time::Duration;

/// One known trick, and what stops it.
pub struct Attack {
    /// Its name.
    pub name: &'static str,
    /// The control that stops it.
    pub control: Control,
    /// Other controls that would stop it as well. They are out of force when it is shown what `control` is for.
    pub besides: &'static [Control],
    /// Python programs, each a step of its own in one workspace. They call `worked()` when they succeeded.
    pub steps: &'static [&'static str],
    /// How the last step ends when the attack is stopped.
    pub ends: Ends,
    /// The step's bounds.
    pub limits: fn(&mut Limits),
}

/// How a stopped attack's last step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// By itself: the attack found nothing.
    GivesUp,
    /// Without success, by itself.
    Fails,
    /// Killed for its memory.
    OutOfMemory,
    /// Killed for its time.
    TimedOut,
    /// For want of disk, however the engine calls it.
    Full,
}

impl Ends {
    pub fn accepts(self, end: &StepEnd) -> bool {
        match self {
            Self::GivesUp => *end == StepEnd::Exited { code: 0 },
            Self::Fails => matches!(end, StepEnd::Exited { code } if *code != 0),
            Self::OutOfMemory => *end == StepEnd::OutOfMemory,
            Self::TimedOut => matches!(end, StepEnd::TimedOut { .. }),
            Self::Full => *end == StepEnd::OutOfDisk || Self::Fails.accepts(end),
        }
    }
}

/// Bounds that are small, so that a flood is over soon.
pub fn limits() -> Limits {
    Limits {
        cpu_millis: 1000,
        memory_mib: 192,
        pids: 40,
        wall: Duration::from_secs(30),
        log_bytes: 20_000,
        tmp_mib: 8,
        disk_mib: 32,
    }
}

pub fn as_they_are(_: &mut Limits) {}

/// Before each program: `worked()` says the word that only the test knows, `system()` is a raw system
/// call, and an exception ends the attack: it was refused.
pub const PRELUDE: &str = r#"
import ctypes, errno, os, signal, socket, subprocess, sys, time
def worked():
    print(os.environ['HOLDPOINT_MARK'], flush=True)
libc = ctypes.CDLL(None, use_errno=True)
def system(*call):
    if libc.syscall(*call) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def refused(kind, error, trace):
    print('refused:', error, flush=True)
    os._exit(0)
sys.excepthook = refused
"#;
