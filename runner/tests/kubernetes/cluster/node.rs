//! The controllers and the only node: what is created is taken up here.

use super::Cluster;
use super::faults::PodFault;
use super::pod::{self, HOST_VIEW};
use super::store::name_of;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// Names the annotation that carries the step's name.
const STEP: &str = "holdpoint.dev/step";
/// How soon what was marked for deletion is looked at again.
const POLL: Duration = Duration::from_millis(20);

pub fn record() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"},
        // This node gives its pods no user namespace: the engine behind it can't.
        "status": {"runtimeHandlers": [{"name": "", "features": {"userNamespaces": false}}]},
    })
}

/// What a fault has to say of a Job that gets no pod.
pub fn events(cluster: &Cluster, selector: &str) -> Vec<Value> {
    let job = selector
        .strip_prefix("involvedObject.name=")
        .and_then(|rest| rest.strip_suffix(",type=Warning"));
    let Some(job) = job.and_then(|job| cluster.store.get("jobs", job)) else {
        return Vec::new();
    };
    match fault_of(cluster, &job) {
        Some(PodFault::NoQuota) => vec![json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "type": "Warning",
            "involvedObject": {"name": name_of(&job)}, "reason": "FailedCreate",
            "message": "Error creating: pods is forbidden: exceeded quota: compute",
        })],
        _ => Vec::new(),
    }
}

pub fn fault_of(cluster: &Cluster, object: &Value) -> Option<PodFault> {
    let step = object["metadata"]["annotations"][STEP].as_str()?;
    cluster.plan.pods.get(step).cloned()
}

/// The name of a pod's container in the engine.
pub fn container_of(cluster: &Cluster, pod: &str) -> String {
    format!("{}-{pod}", cluster.mark)
}

/// The name of a claim's volume in the engine.
pub fn volume_of(cluster: &Cluster, claim: &str) -> String {
    format!("{}-{claim}", cluster.mark)
}

pub fn take_up(cluster: &Arc<Cluster>, plural: &str, object: &Value) {
    let (cluster, object) = (Arc::clone(cluster), object.clone());
    match plural {
        "jobs" => drop(tokio::spawn(async move { run_job(&cluster, &object).await })),
        "persistentvolumeclaims" => drop(tokio::spawn(async move { provide(&cluster, &object).await })),
        _ => {}
    }
}

/// The Job controller: one pod, whose end is the Job's.
async fn run_job(cluster: &Arc<Cluster>, job: &Value) {
    let name = name_of(job);
    if matches!(fault_of(cluster, job), Some(PodFault::NoQuota)) {
        return;
    }
    let template = &job["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    let pod = format!("{name}-{:05x}", cluster.plan.random() & 0xf_ffff);
    metadata["name"] = json!(pod);
    metadata["namespace"] = json!("holdpoint");
    metadata["labels"]["batch.kubernetes.io/job-name"] = json!(name);
    metadata["ownerReferences"] = json!([{
        "apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"]["uid"], "controller": true,
    }]);
    let record = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"],
        "status": {"phase": "Pending"},
    });
    cluster.store.create("pods", record);
    // A Job that was deleted meanwhile is collected with its pods.
    if cluster.store.get("jobs", &name).is_none() {
        cluster.store.delete("pods", &pod, false);
    }
    pod::live(cluster, &pod).await;
    let end = cluster
        .store
        .get("pods", &pod)
        .map(|pod| pod["status"]["phase"].clone());
    if let Some(end) = end {
        let kind = if end == "Succeeded" { "Complete" } else { "Failed" };
        cluster.store.update("jobs", &name, |job| {
            job["status"]["conditions"] = json!([{"type": kind, "status": "True"}]);
        });
    }
    pod::bury(cluster, &pod).await;
}

/// The provisioner: a file system in memory, of the size and with the inodes that were asked for.
async fn provide(cluster: &Cluster, claim: &Value) {
    let name = name_of(claim);
    let volume = volume_of(cluster, &name);
    let size = claim["spec"]["resources"]["requests"]["storage"]
        .as_str()
        .unwrap_or_default();
    let mib: u64 = size.strip_suffix("Mi").and_then(|size| size.parse().ok()).unwrap();
    let options = format!("o=size={mib}m,nr_inodes={},mode=1777", mib * 64);
    let label = format!("holdpoint-loopback={}", cluster.mark);
    let arguments = [
        "volume",
        "create",
        "--label",
        &label,
        "--opt",
        "type=tmpfs",
        "--opt",
        "device=tmpfs",
    ];
    docker(&[&arguments[..], &["--opt", &options, &volume]].concat())
        .await
        .unwrap();
    // What is in memory is there for as long as somebody uses it.
    let (anchor, mount) = (format!("{volume}-anchor"), format!("{volume}:/v:nocopy"));
    let first = [
        "run",
        "--detach",
        "--network",
        "none",
        "--label",
        &label,
        "--name",
        &anchor,
    ];
    let last = [
        "--volume",
        &mount,
        "--volume",
        "/usr:/usr:ro",
        HOST_VIEW,
        "/usr/bin/sleep",
        "infinity",
    ];
    docker(&[&first[..], &last].concat()).await.unwrap();
    cluster.store.update("persistentvolumeclaims", &name, |claim| {
        claim["status"] = json!({"phase": "Bound"})
    });
    until(|| {
        let claim = cluster.store.get("persistentvolumeclaims", &name);
        claim.is_none_or(|claim| !claim["metadata"]["deletionTimestamp"].is_null())
    })
    .await;
    // Protected while a pod uses it.
    until(|| !is_used(cluster, &name)).await;
    drop(docker(&["rm", "--force", &anchor]).await);
    drop(docker(&["volume", "rm", &volume]).await);
    cluster.store.purge("persistentvolumeclaims", &name);
}

fn is_used(cluster: &Cluster, claim: &str) -> bool {
    let (pods, _) = cluster.store.list("pods", "");
    let volumes = pods
        .iter()
        .filter_map(|pod| pod["spec"]["volumes"].as_array())
        .flatten();
    volumes
        .into_iter()
        .any(|volume| volume["persistentVolumeClaim"]["claimName"] == claim)
}

pub async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(POLL).await;
    }
}

/// Runs the engine's command line. Its standard output, or what it complained of.
pub async fn docker<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Result<String, String> {
    let output = tokio::process::Command::new("docker")
        .args(arguments)
        .output()
        .await
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Removes what a cluster has in the engine, and what its last tasks make meanwhile.
pub fn clean(mark: &str) {
    let filter = format!("label=holdpoint-loopback={mark}");
    let docker = |arguments: &[&str]| {
        let output = Command::new("docker").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut empty_looks = 0;
    for _ in 0..50 {
        let containers = docker(&["ps", "--all", "--quiet", "--filter", &filter]);
        let volumes = docker(&["volume", "ls", "--quiet", "--filter", &filter]);
        for (names, remove) in [
            (containers, &["rm", "--force"][..]),
            (volumes, &["volume", "rm", "--force"]),
        ] {
            if !names.trim().is_empty() {
                empty_looks = 0;
                docker(&[remove, &names.split_whitespace().collect::<Vec<_>>()].concat());
            }
        }
        empty_looks += 1;
        if empty_looks > 3 {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
