//! What the record of a pod means for the step that it runs. Pure: this is all there is to it.

use holdpoint_schemas::evidence::StepEnd;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod, PodStatus};
use std::time::Duration;

use super::profile::CONTAINER;
use crate::text::one_line;

/// What the shell answers when it can't find a command (POSIX, "Exit status for commands").
const COMMAND_NOT_FOUND: i32 = 127;
/// 128 + SIGKILL.
const KILLED: i32 = 137;
/// Reasons to wait that only somebody else can end: pulls that fail, containers that can't be made
/// (kubelet, `pkg/kubelet/images/types.go` and `pkg/kubelet/kuberuntime/kuberuntime_container.go`).
const TROUBLE: [&str; 8] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "RegistryUnavailable",
    "ImageInspectError",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
];
/// Those that waiting can't help.
const HOPELESS: [&str; 3] = ["InvalidImageName", "ErrImageNeverPull", "SignatureValidationFailed"];
/// How the kubelet says that a pod used more disk than it may (`pkg/kubelet/eviction/helpers.go`).
const OWN_DISK: [&str; 3] = [
    "exceeded its local ephemeral storage limit",
    "ephemeral local storage usage exceeds",
    "Usage of EmptyDir volume",
];

/// How far a step's pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// The cluster has no room for it yet, or its node makes it ready.
    Waiting { why: Option<String> },
    /// Its container can't be started; that may pass.
    Stuck { why: String },
    /// The command runs.
    Running,
    /// It is over.
    Ended(StepEnd),
}

/// Reads the record of a pod. `wall` is the step's time.
pub(super) fn stage(pod: &Pod, wall: Duration) -> Stage {
    let Some(status) = &pod.status else {
        return Stage::Waiting { why: None };
    };
    if let Some(end) = pod_level_end(status, wall) {
        return Stage::Ended(end);
    }
    let container = step_container(status);
    let state = container.and_then(|container| container.state.as_ref());
    if let Some(terminated) = state.and_then(|state| state.terminated.as_ref()) {
        return Stage::Ended(container_end(terminated, disruption(status)));
    }
    match status.phase.as_deref() {
        Some("Failed") => {
            return Stage::Ended(StepEnd::EngineLost {
                reason: said(status, "the pod failed without a word about its container"),
            });
        }
        // Only a node that answers no more leaves a pod so.
        Some("Unknown") => {
            return Stage::Ended(StepEnd::EngineLost {
                reason: said(status, "the pod's node doesn't answer"),
            });
        }
        Some("Succeeded") => {
            return Stage::Ended(StepEnd::EngineLost {
                reason: "the pod ended without an exit status".to_owned(),
            });
        }
        _ => {}
    }
    if state.is_some_and(|state| state.running.is_some()) {
        return Stage::Running;
    }
    if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let why = with_message(reason, waiting.message.as_deref());
        if HOPELESS.contains(&reason) {
            return Stage::Ended(StepEnd::Infrastructure { reason: why });
        }
        if TROUBLE.contains(&reason) {
            return Stage::Stuck { why };
        }
    }
    Stage::Waiting {
        why: unscheduled(status),
    }
}

/// What the kubelet or a controller did to the pod as a whole.
fn pod_level_end(status: &PodStatus, wall: Duration) -> Option<StepEnd> {
    let failed = status.phase.as_deref() == Some("Failed");
    match status.reason.as_deref()? {
        "Evicted" => {
            let message = status.message.as_deref().unwrap_or_default();
            Some(if OWN_DISK.iter().any(|words| message.contains(words)) {
                StepEnd::OutOfDisk
            } else {
                StepEnd::EngineLost {
                    reason: with_message("Evicted", Some(message)),
                }
            })
        }
        "DeadlineExceeded" => Some(StepEnd::TimedOut {
            after_seconds: wall.as_secs(),
        }),
        "NodeLost" => Some(StepEnd::EngineLost {
            reason: said(status, "the pod's node is lost"),
        }),
        // Preempted, refused by its node, ended with it: whatever it is called, not the step's doing.
        reason if failed => Some(StepEnd::EngineLost {
            reason: with_message(reason, status.message.as_deref()),
        }),
        _ => None,
    }
}

/// How the step's container ended. `disrupted`: the cluster took the pod away meanwhile.
fn container_end(terminated: &ContainerStateTerminated, disrupted: Option<String>) -> StepEnd {
    match terminated.reason.as_deref() {
        // The status of a step whose child was killed can be anything, 0 included.
        Some("OOMKilled") => return StepEnd::OutOfMemory,
        Some(reason @ "ContainerStatusUnknown") => {
            return StepEnd::EngineLost {
                reason: with_message(reason, terminated.message.as_deref()),
            };
        }
        Some(reason @ ("StartError" | "ContainerCannotRun")) => {
            let message = terminated.message.as_deref().unwrap_or_default();
            return if message.contains("/bin/sh") && message.contains("no such file or directory") {
                StepEnd::MissingTool
            } else {
                StepEnd::Infrastructure {
                    reason: with_message(reason, Some(message)),
                }
            };
        }
        _ => {}
    }
    match (terminated.exit_code, disrupted) {
        (0, _) => StepEnd::Exited { code: 0 },
        // It was told to go, and its status says only that it went.
        (_, Some(reason)) => StepEnd::EngineLost { reason },
        (COMMAND_NOT_FOUND, None) => StepEnd::MissingTool,
        (KILLED, None) => StepEnd::Killed,
        (code, None) => StepEnd::Exited { code: i64::from(code) },
    }
}

/// Whether the cluster took the pod away (preemption, drain, taints; KEP-3329).
fn disruption(status: &PodStatus) -> Option<String> {
    let condition = condition(status, "DisruptionTarget").filter(|condition| condition.0 == "True")?;
    Some(with_message(condition.1.unwrap_or("DisruptionTarget"), condition.2))
}

/// Why no node has room.
fn unscheduled(status: &PodStatus) -> Option<String> {
    let (_, reason, message) = condition(status, "PodScheduled").filter(|condition| condition.0 == "False")?;
    Some(with_message(reason.unwrap_or("Unschedulable"), message))
}

fn condition<'a>(status: &'a PodStatus, kind: &str) -> Option<(&'a str, Option<&'a str>, Option<&'a str>)> {
    let all = status.conditions.as_deref().unwrap_or_default();
    let found = all.iter().find(|condition| condition.type_ == kind)?;
    Some((found.status.as_str(), found.reason.as_deref(), found.message.as_deref()))
}

fn step_container(status: &PodStatus) -> Option<&ContainerStatus> {
    let all = status.container_statuses.as_deref().unwrap_or_default();
    all.iter().find(|container| container.name == CONTAINER)
}

/// The pod's own reason and message, or `default` without any.
fn said(status: &PodStatus, default: &str) -> String {
    match (&status.reason, &status.message) {
        (None, None) => default.to_owned(),
        (reason, message) => with_message(reason.as_deref().unwrap_or(default), message.as_deref()),
    }
}

fn with_message(reason: &str, message: Option<&str>) -> String {
    match message.filter(|message| !message.is_empty()) {
        Some(message) => one_line(&format!("{reason}: {message}")),
        None => one_line(reason),
    }
}

#[cfg(test)]
#[path = "classify/tests.rs"]
mod tests;
