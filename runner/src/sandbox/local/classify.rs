//! What a step's end means. Pure: this is all there is to it.

use holdpoint_schemas::evidence::StepEnd;
use std::time::Duration;

/// What the shell answers when it can't find a command (POSIX, "Exit status for commands").
const COMMAND_NOT_FOUND: i64 = 127;
/// What shells and bubblewrap make of signal 9.
const KILLED: i64 = 128 + 9;

/// What is known of a step that ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The kernel killed for memory.
    pub(super) out_of_memory: bool,
    /// The deadline came first.
    pub(super) timed_out: Option<Duration>,
    /// Status of the command, as bubblewrap reports it; none when the command was never started, or
    /// bubblewrap itself was killed.
    pub(super) status: Option<i64>,
    /// Bubblewrap itself ended by signal 9.
    pub(super) killed: bool,
    /// No room left on the workspace's disk.
    pub(super) disk_full: bool,
    /// No room left below all disks: what the step wrote may be lost, whatever it made of that.
    pub(super) full_below: bool,
    /// Last line of what was said.
    pub(super) last_words: String,
}

/// How the step ended. The exit status of a step whose child was killed can be anything, 0 included, so
/// what the kernel counted goes first.
pub(super) fn classify(facts: &Facts) -> StepEnd {
    if facts.out_of_memory {
        return StepEnd::OutOfMemory;
    }
    if let Some(wall) = facts.timed_out {
        return StepEnd::TimedOut {
            after_seconds: wall.as_secs(),
        };
    }
    if facts.full_below {
        return StepEnd::OutOfDisk;
    }
    match facts.status {
        Some(0) => StepEnd::Exited { code: 0 },
        Some(KILLED) => StepEnd::Killed,
        Some(_) if facts.disk_full => StepEnd::OutOfDisk,
        Some(COMMAND_NOT_FOUND) => StepEnd::MissingTool,
        Some(code) => StepEnd::Exited { code },
        None if facts.killed => StepEnd::Killed,
        None => StepEnd::Infrastructure {
            reason: format!("the step could not be started: {}", facts.last_words),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(status: i64) -> Facts {
        Facts {
            status: Some(status),
            ..Facts::default()
        }
    }

    #[test]
    fn out_of_memory_is_told_by_the_kernels_count_whatever_the_status() {
        for status in [Some(0), Some(101), Some(137), None] {
            let facts = Facts {
                out_of_memory: true,
                status,
                timed_out: Some(Duration::from_secs(1)),
                ..Facts::default()
            };
            assert_eq!(classify(&facts), StepEnd::OutOfMemory);
        }
    }

    #[test]
    fn a_kill_that_was_for_neither_memory_nor_time_is_a_kill() {
        assert_eq!(classify(&exited(137)), StepEnd::Killed);
        let facts = Facts {
            killed: true,
            ..Facts::default()
        };
        assert_eq!(classify(&facts), StepEnd::Killed);
        let late = Facts {
            timed_out: Some(Duration::from_secs(9)),
            ..facts
        };
        assert_eq!(classify(&late), StepEnd::TimedOut { after_seconds: 9 });
    }

    #[test]
    fn a_full_disk_excuses_a_failure_and_makes_no_success_of_it() {
        let full = |status| Facts {
            disk_full: true,
            ..exited(status)
        };
        assert_eq!(classify(&full(1)), StepEnd::OutOfDisk);
        assert_eq!(classify(&full(0)), StepEnd::Exited { code: 0 });
    }

    #[test]
    fn with_a_full_machine_not_even_a_success_counts() {
        for status in [Some(0), Some(1), None] {
            let facts = Facts {
                full_below: true,
                status,
                ..Facts::default()
            };
            assert_eq!(classify(&facts), StepEnd::OutOfDisk);
        }
    }

    #[test]
    fn what_never_started_is_the_machines_fault() {
        assert!(matches!(classify(&Facts::default()), StepEnd::Infrastructure { .. }));
        assert_eq!(classify(&exited(127)), StepEnd::MissingTool);
        assert_eq!(classify(&exited(1)), StepEnd::Exited { code: 1 });
    }
}
