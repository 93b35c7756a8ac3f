use super::*;
use serde_json::{Value, json};

const WALL: Duration = Duration::from_secs(9);

fn of(status: Value) -> Stage {
    stage(
        &serde_json::from_value(json!({"metadata": {}, "status": status})).unwrap(),
        WALL,
    )
}

fn terminated(phase: &str, state: Value) -> Stage {
    of(json!({"phase": phase, "containerStatuses": [status_of(json!({"terminated": state}))]}))
}

fn status_of(state: Value) -> Value {
    json!({"name": CONTAINER, "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state})
}

fn ended(end: StepEnd) -> Stage {
    Stage::Ended(end)
}

fn is_lost(stage: &Stage) -> bool {
    matches!(stage, Stage::Ended(StepEnd::EngineLost { .. }))
}

#[test]
fn exit_statuses_are_read_as_the_shell_means_them() {
    let cases = [
        (0, StepEnd::Exited { code: 0 }),
        (1, StepEnd::Exited { code: 1 }),
        (127, StepEnd::MissingTool),
        (137, StepEnd::Killed),
        (143, StepEnd::Exited { code: 143 }),
    ];
    for (code, end) in cases {
        let phase = if code == 0 { "Succeeded" } else { "Failed" };
        assert_eq!(
            terminated(phase, json!({"exitCode": code, "reason": "Error"})),
            ended(end)
        );
    }
}

#[test]
fn out_of_memory_is_told_by_the_reason_whatever_the_status() {
    for code in [0, 101, 137] {
        let stage = terminated("Failed", json!({"exitCode": code, "reason": "OOMKilled"}));
        assert_eq!(stage, ended(StepEnd::OutOfMemory));
    }
}

#[test]
fn an_eviction_for_its_own_disk_is_told_from_one_for_the_nodes_trouble() {
    for message in [
        "Pod ephemeral local storage usage exceeds the total limit of containers 256Mi. ",
        "Container step exceeded its local ephemeral storage limit \"256Mi\". ",
        "Usage of EmptyDir volume \"tmp\" exceeds the limit \"64Mi\". ",
    ] {
        let stage = of(json!({"phase": "Failed", "reason": "Evicted", "message": message}));
        assert_eq!(stage, ended(StepEnd::OutOfDisk), "{message}");
    }
    let message = "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 2Mi. ";
    assert!(is_lost(&of(
        json!({"phase": "Failed", "reason": "Evicted", "message": message})
    )));
}

#[test]
fn a_deadline_is_a_time_out_and_a_lost_node_is_the_engines() {
    let stage = of(json!({"phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active too long"}));
    assert_eq!(stage, ended(StepEnd::TimedOut { after_seconds: 9 }));
    assert!(is_lost(&of(json!({"phase": "Running", "reason": "NodeLost"}))));
    assert!(is_lost(&of(json!({"phase": "Unknown"}))));
    assert!(is_lost(&of(json!({"phase": "Failed", "reason": "Preempting"}))));
    assert!(is_lost(&of(json!({"phase": "Failed"}))));
    assert!(is_lost(&of(json!({"phase": "Succeeded"}))));
    let stage = terminated("Failed", json!({"exitCode": 137, "reason": "ContainerStatusUnknown"}));
    assert!(is_lost(&stage));
}

#[test]
fn a_pod_that_the_cluster_took_away_did_not_fail_by_itself() {
    let disrupted = |code: i32, phase: &str| {
        of(json!({
            "phase": phase,
            "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}],
            "containerStatuses": [status_of(json!({"terminated": {"exitCode": code, "reason": "Error"}}))],
        }))
    };
    assert!(is_lost(&disrupted(143, "Failed")));
    assert!(is_lost(&disrupted(1, "Failed")));
    assert_eq!(disrupted(0, "Succeeded"), ended(StepEnd::Exited { code: 0 }));
}

#[test]
fn an_image_that_cannot_be_pulled_may_come_and_a_wrong_name_never_does() {
    let waiting = |reason: &str| {
        let state = json!({"waiting": {"reason": reason, "message": "m"}});
        of(json!({"phase": "Pending", "containerStatuses": [status_of(state)]}))
    };
    assert_eq!(
        waiting("ImagePullBackOff"),
        Stage::Stuck {
            why: "ImagePullBackOff: m".to_owned()
        }
    );
    assert!(matches!(
        waiting("InvalidImageName"),
        Stage::Ended(StepEnd::Infrastructure { .. })
    ));
    assert_eq!(waiting("ContainerCreating"), Stage::Waiting { why: None });
}

#[test]
fn an_image_without_a_shell_lacks_a_tool() {
    let message = "exec: \"/bin/sh\": stat /bin/sh: no such file or directory: unknown";
    let stage = terminated(
        "Failed",
        json!({"exitCode": 128, "reason": "StartError", "message": message}),
    );
    assert_eq!(stage, ended(StepEnd::MissingTool));
    let stage = terminated(
        "Failed",
        json!({"exitCode": 128, "reason": "StartError", "message": "no cgroup"}),
    );
    assert!(matches!(stage, Stage::Ended(StepEnd::Infrastructure { .. })));
}

#[test]
fn a_pod_waits_runs_and_says_why_it_waits() {
    assert_eq!(of(json!({})), Stage::Waiting { why: None });
    let condition =
        json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"});
    assert_eq!(
        of(json!({"phase": "Pending", "conditions": [condition]})),
        Stage::Waiting {
            why: Some("Unschedulable: 0/3 nodes".to_owned())
        }
    );
    let running = status_of(json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
    assert_eq!(
        of(json!({"phase": "Running", "containerStatuses": [running]})),
        Stage::Running
    );
}
