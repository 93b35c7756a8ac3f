//! How a step ended: what the engine's records and last words mean. Pure.

use bollard::models::ContainerState;
use holdpoint_schemas::evidence::StepEnd;
use std::time::Duration;

use super::one_line;
use crate::error::SandboxError;

/// What the shell answers when it can't find a command (POSIX, "Exit status for commands").
const COMMAND_NOT_FOUND: i64 = 127;
/// What is left of a process that signal 9 ended (128 + 9), as the kernel and shells report it.
const KILLED: i64 = 137;
/// Why the runner stopped looking at a running step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The container ended; `killed`: somebody else had the engine kill or stop it.
    Died { killed: bool },
    /// Its time was over.
    Deadline,
    /// Its disk was used up.
    DiskFull,
    /// The engine's reports broke off.
    Lost(String),
}

/// What the engine's record of a container means.
pub(super) fn classify(state: &ContainerState, stop: &Stop, wall: Duration) -> StepEnd {
    match stop {
        Stop::Lost(reason) => return StepEnd::EngineLost { reason: reason.clone() },
        Stop::DiskFull => return StepEnd::OutOfDisk,
        // The exit status of a step whose child was killed can be anything, 0 included.
        _ if state.oom_killed == Some(true) => return StepEnd::OutOfMemory,
        Stop::Deadline => {
            return StepEnd::TimedOut {
                after_seconds: wall.as_secs(),
            };
        }
        // It may have caught the signal and ended with any status.
        Stop::Died { killed: true } => return StepEnd::Killed,
        Stop::Died { killed: false } => {}
    }
    if state.running == Some(true) {
        return StepEnd::EngineLost {
            reason: "the engine lost track of the container".to_owned(),
        };
    }
    if let Some(error) = state.error.as_deref().filter(|error| !error.is_empty()) {
        return StepEnd::Infrastructure {
            reason: one_line(error),
        };
    }
    match state.exit_code {
        Some(COMMAND_NOT_FOUND) => StepEnd::MissingTool,
        Some(KILLED) => StepEnd::Killed,
        Some(code) => StepEnd::Exited { code },
        None => StepEnd::Infrastructure {
            reason: "the engine has no exit status".to_owned(),
        },
    }
}

/// What an error of the engine around a step means.
pub(super) fn of_error(error: &SandboxError) -> StepEnd {
    let reason = error.to_string();
    match error {
        SandboxError::EngineLost { .. } | SandboxError::EngineTimeOut { .. } => StepEnd::EngineLost { reason },
        _ if is_missing_shell(error) => StepEnd::MissingTool,
        _ => StepEnd::Infrastructure { reason },
    }
}

/// The engine's words when the image has no shell.
fn is_missing_shell(error: &SandboxError) -> bool {
    matches!(error, SandboxError::Engine { reason, .. }
        if reason.contains("/bin/sh") && reason.contains("no such file or directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Duration = Duration::from_secs(9);
    const DIED: Stop = Stop::Died { killed: false };

    fn exited(code: i64) -> ContainerState {
        ContainerState {
            exit_code: Some(code),
            running: Some(false),
            ..ContainerState::default()
        }
    }

    #[test]
    fn out_of_memory_is_told_by_the_flag_whatever_the_status() {
        for code in [0, 101, 137] {
            let state = ContainerState {
                oom_killed: Some(true),
                ..exited(code)
            };
            assert_eq!(classify(&state, &DIED, WALL), StepEnd::OutOfMemory);
        }
    }

    #[test]
    fn a_killed_step_is_killed_whatever_it_made_of_the_signal() {
        assert_eq!(classify(&exited(137), &DIED, WALL), StepEnd::Killed);
        for code in [0, 1, 143] {
            let end = classify(&exited(code), &Stop::Died { killed: true }, WALL);
            assert_eq!(end, StepEnd::Killed);
        }
        assert_eq!(classify(&exited(143), &DIED, WALL), StepEnd::Exited { code: 143 });
    }

    #[test]
    fn a_step_past_its_deadline_timed_out_whatever_the_kill_left() {
        let end = classify(&exited(137), &Stop::Deadline, WALL);
        assert_eq!(end, StepEnd::TimedOut { after_seconds: 9 });
    }

    #[test]
    fn a_lost_engine_is_never_a_verdict() {
        let lost = Stop::Lost("connection reset".to_owned());
        for code in [0, 1, 137] {
            let end = classify(&exited(code), &lost, WALL);
            assert!(matches!(end, StepEnd::EngineLost { .. }), "{end:?}");
        }
        let running = ContainerState {
            running: Some(true),
            ..exited(0)
        };
        assert!(matches!(classify(&running, &DIED, WALL), StepEnd::EngineLost { .. }));
    }

    #[test]
    fn what_the_engine_cannot_say_is_the_engines_fault() {
        let broken = ContainerState {
            error: Some("no such device".to_owned()),
            ..exited(128)
        };
        for state in [broken, ContainerState::default()] {
            let end = classify(&state, &DIED, WALL);
            assert!(matches!(end, StepEnd::Infrastructure { .. }), "{state:?}");
        }
    }

    #[test]
    fn an_unknown_command_is_a_missing_tool() {
        assert_eq!(classify(&exited(127), &DIED, WALL), StepEnd::MissingTool);
        assert_eq!(classify(&exited(1), &DIED, WALL), StepEnd::Exited { code: 1 });
    }
}
