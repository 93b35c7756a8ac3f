//! How steps end, by themselves and by the cluster's doing.

use super::cluster::faults::{Plan, PodFault};
use super::support::{run, settings, start, step};
use holdpoint_runner::KubernetesSandbox;
use holdpoint_schemas::evidence::StepEnd;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(300);

async fn end_of(command: &str) -> StepEnd {
    let (_loopback, sandbox) = start(Plan::default()).await;
    run(&sandbox, step(command)).await.end
}

async fn end_with(fault: PodFault, command: &str) -> StepEnd {
    let (_loopback, sandbox) = start(Plan::pod("test", fault)).await;
    run(&sandbox, step(command)).await.end
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_ends_by_itself() {
    let (_loopback, sandbox) = start(Plan::default()).await;
    for (command, end) in [
        ("true", StepEnd::Exited { code: 0 }),
        ("exit 42", StepEnd::Exited { code: 42 }),
        ("no-such-command", StepEnd::MissingTool),
        ("kill -9 $$", StepEnd::Killed),
        // Process 1 is not to be had, and nothing of the next step's is either.
        ("kill -9 1; sleep 300 & true", StepEnd::Exited { code: 0 }),
    ] {
        assert_eq!(run(&sandbox, step(command)).await.end, end, "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_used_up_is_told_as_such() {
    let eat = "python3 -c 'x = bytearray(400 << 20)'";
    assert_eq!(end_of(eat).await, StepEnd::OutOfMemory);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_is_told_as_such() {
    assert_eq!(end_of("head -c 100M /dev/zero > big").await, StepEnd::OutOfDisk);
    let files = "i=0; while : > f$i; do i=$((i+1)); done";
    assert_eq!(end_of(files).await, StepEnd::OutOfDisk);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_too_long_is_over_before_the_next_one_begins() {
    let (_loopback, sandbox) = start(Plan::default()).await;
    let mut spec = step("while :; do date +%N > beat; sleep 0.02; done");
    spec.limits.wall = Duration::from_secs(2);
    let files = super::support::tree(&[("a", "")]);
    use holdpoint_runner::sandbox::Sandbox as _;
    let workspace = sandbox.workspace(&files).await.unwrap();
    let outcome = sandbox.run(&workspace, &spec, &|_| {}).await;
    assert_eq!(outcome.end, StepEnd::TimedOut { after_seconds: 2 });
    assert!((2_000..10_000).contains(&outcome.millis), "{}", outcome.millis);
    let still = step("a=$(cat beat); sleep 0.5; [ \"$a\" = \"$(cat beat)\" ]");
    let outcome = sandbox.run(&workspace, &still, &|_| {}).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_eviction_is_the_disks_or_the_clusters_doing() {
    let evicted = |message: &str| json!({"phase": "Failed", "reason": "Evicted", "message": message});
    let own = evicted("Pod ephemeral local storage usage exceeds the total limit of containers 256Mi. ");
    assert_eq!(
        end_with(PodFault::Becomes(SOON, own), "sleep 60").await,
        StepEnd::OutOfDisk
    );
    let nodes = evicted("The node was low on resource: memory. ");
    let end = end_with(PodFault::Becomes(SOON, nodes), "sleep 60").await;
    assert!(matches!(end, StepEnd::EngineLost { .. }), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_taken_away_is_lost() {
    let preempted = json!({
        "phase": "Failed",
        "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}],
        "containerStatuses": [{"name": "step", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": 143, "reason": "Error"}}}],
    });
    for fault in [
        PodFault::Deleted(SOON),
        PodFault::Becomes(SOON, json!({"phase": "Running", "reason": "NodeLost"})),
        PodFault::Becomes(SOON, preempted),
    ] {
        let end = end_with(fault.clone(), "sleep 60").await;
        assert!(matches!(end, StepEnd::EngineLost { .. }), "{fault:?}: {end:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_waits_for_room_or_for_its_image_runs_in_the_end() {
    let wait = Duration::from_secs(2);
    for fault in [PodFault::Unschedulable(wait), PodFault::NoImage(wait)] {
        let began = Instant::now();
        let end = end_with(fault, "true").await;
        assert_eq!(end, StepEnd::Exited { code: 0 });
        assert!(began.elapsed() > wait);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_starts_is_given_up_with_the_clusters_own_words() {
    let long = Duration::from_secs(600);
    for (fault, words) in [
        (PodFault::Unschedulable(long), "Insufficient memory"),
        (PodFault::NoImage(long), "Back-off pulling image"),
        (PodFault::NoQuota, "exceeded quota"),
    ] {
        let loopback = super::cluster::Loopback::start(Plan::pod("test", fault)).await;
        let mut settings = settings(&loopback);
        settings.patience.queue = Duration::from_secs(15);
        settings.patience.pull = Duration::from_secs(2);
        let sandbox = KubernetesSandbox::connect(settings).await.unwrap();
        let end = run(&sandbox, step("true")).await.end;
        assert!(
            matches!(&end, StepEnd::Infrastructure { reason } if reason.contains(words)),
            "{end:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_wants_the_proxy_is_refused_with_the_reason() {
    let (_loopback, sandbox) = start(Plan::default()).await;
    let mut spec = step("true");
    spec.proxy = Some(PathBuf::from("/tmp/proxy.sock"));
    let end = run(&sandbox, spec).await.end;
    assert!(
        matches!(&end, StepEnd::Infrastructure { reason } if reason.contains("proxy")),
        "{end:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_output_is_cut_and_the_step_goes_on() {
    let (_loopback, sandbox) = start(Plan::default()).await;
    let mut spec = step("head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 99; exit 4");
    spec.limits.log_bytes = 10_000;
    let outcome = run(&sandbox, spec).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 4 });
    assert!(outcome.tail.len() < 50_000);
    assert!(outcome.tail.contains(" bytes of output left out\n"), "{}", outcome.tail);
}
