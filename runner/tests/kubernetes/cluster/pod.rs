//! The kubelet: a pod's life, its container run by the Docker engine as the pod's record asks for it. What
//! the record doesn't ask for isn't there: without `runAsUser` it is root's, without a network policy it
//! has a network.

use super::Cluster;
use super::faults::PodFault;
use super::node::{container_of, docker, fault_of, until, volume_of};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub const HOST_VIEW: &str = "holdpoint/host-view:latest";
/// What this node allows a pod, as a kubelet's `podPidsLimit` does.
const POD_PIDS: &str = "128";

/// A pod's life up to the end of its container.
pub async fn live(cluster: &Arc<Cluster>, pod: &str) {
    let Some(record) = cluster.store.get("pods", pod) else {
        return;
    };
    let fault = fault_of(cluster, &record);
    if !wait_for_start(cluster, pod, &record, fault.as_ref()).await {
        return;
    }
    let container = container_of(cluster, pod);
    let mut arguments = match arguments(cluster, &record).await {
        Ok(arguments) => arguments,
        Err(why) => return waiting(cluster, pod, "CreateContainerConfigError", &why),
    };
    let mark = format!("holdpoint-loopback={}", cluster.mark);
    let first = ["run", "--detach", "--name", &container, "--label", &mark];
    arguments.splice(0..0, first.map(str::to_owned));
    if let Err(error) = docker(&arguments).await {
        return ended(
            cluster,
            pod,
            json!({"exitCode": 128, "reason": "StartError", "message": error}),
        );
    }
    update(cluster, pod, |status| {
        status["phase"] = json!("Running");
        status["containerStatuses"] = containers(json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
    });
    let deadline = record["spec"]["activeDeadlineSeconds"].as_u64().unwrap_or(86_400);
    tokio::select! {
        exit = finish(&container) => ended(cluster, pod, exit),
        () = marked(cluster, pod) => {}
        () = tokio::time::sleep(Duration::from_secs(deadline)) => {
            drop(docker(&["kill", &container]).await);
            update(cluster, pod, |status| {
                *status = json!({"phase": "Failed", "reason": "DeadlineExceeded", "message": "active too long"});
            });
        }
        record = becomes(fault.as_ref()) => {
            drop(docker(&["kill", &container]).await);
            match record {
                Some(record) => update(cluster, pod, |status| *status = record),
                None => drop(cluster.store.delete("pods", pod, false)),
            }
        }
    }
}

/// Waits until the pod is deleted, and takes it away.
pub async fn bury(cluster: &Cluster, pod: &str) {
    marked(cluster, pod).await;
    drop(docker(&["rm", "--force", &container_of(cluster, pod)]).await);
    cluster.store.purge("pods", pod);
}

async fn marked(cluster: &Cluster, pod: &str) {
    until(|| {
        let record = cluster.store.get("pods", pod);
        record.is_none_or(|record| !record["metadata"]["deletionTimestamp"].is_null())
    })
    .await;
}

/// Scheduling, volumes and images. False: it was deleted before it started.
async fn wait_for_start(cluster: &Cluster, pod: &str, record: &Value, fault: Option<&PodFault>) -> bool {
    match fault {
        Some(PodFault::Unschedulable(duration)) => {
            update(cluster, pod, |status| {
                status["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient memory."}]);
            });
            pause(cluster, pod, *duration).await;
        }
        Some(PodFault::NoImage(duration)) => {
            // As a kubelet does, back and forth.
            for turn in 0..10 {
                let reason = ["ErrImagePull", "ContainerCreating", "ImagePullBackOff"][turn % 3];
                waiting(cluster, pod, reason, "Back-off pulling image");
                pause(cluster, pod, *duration / 10).await;
            }
        }
        _ => {}
    }
    tokio::select! {
        () = until(|| is_ready(cluster, record)) => true,
        () = marked(cluster, pod) => false,
    }
}

async fn pause(cluster: &Cluster, pod: &str, duration: Duration) {
    drop(tokio::time::timeout(duration, marked(cluster, pod)).await);
}

/// Whether its volumes are there, and the pods that it must be beside of.
fn is_ready(cluster: &Cluster, record: &Value) -> bool {
    let claims = record["spec"]["volumes"].as_array().into_iter().flatten();
    let bound = claims
        .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
        .all(|claim| {
            let claim = cluster.store.get("persistentvolumeclaims", claim);
            claim.is_some_and(|claim| claim["status"]["phase"] == "Bound")
        });
    let terms = &record["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let beside = terms.as_array().into_iter().flatten().all(|term| {
        let (pods, _) = cluster.store.list("pods", &selector_of(&term["labelSelector"]));
        // The first of those that want to be together may start (scheduler, "InterPodAffinity").
        let first = pods
            .iter()
            .all(|pod| pod["metadata"]["name"] == record["metadata"]["name"] || pod["status"]["phase"] == "Pending");
        let fits_itself = super::store::fits(record, &selector_of(&term["labelSelector"]));
        term["topologyKey"] == "kubernetes.io/hostname" && (first && fits_itself)
            || pods.iter().any(|pod| pod["status"]["phase"] == "Running")
    });
    bound && beside
}

fn selector_of(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    labels
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
        .collect::<Vec<_>>()
        .join(",")
}

async fn becomes(fault: Option<&PodFault>) -> Option<Value> {
    match fault {
        Some(PodFault::Becomes(after, record)) => {
            tokio::time::sleep(*after).await;
            Some(record.clone())
        }
        Some(PodFault::Deleted(after)) => {
            tokio::time::sleep(*after).await;
            None
        }
        _ => std::future::pending().await,
    }
}

/// Waits for the container's end. What the kubelet writes of it.
async fn finish(container: &str) -> Value {
    let code = docker(&["wait", container])
        .await
        .ok()
        .and_then(|code| code.parse().ok())
        .unwrap_or(-1);
    // The engine hears of the kernel's kill and of the exit on two ways.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let killed = docker(&["inspect", "--format", "{{.State.OOMKilled}}", container]).await;
    let reason = match (killed.as_deref(), code) {
        (Ok("true"), _) => "OOMKilled",
        (_, 0) => "Completed",
        _ => "Error",
    };
    json!({"exitCode": code, "reason": reason})
}

fn ended(cluster: &Cluster, pod: &str, terminated: Value) {
    update(cluster, pod, |status| {
        status["phase"] = json!(if terminated["exitCode"] == 0 {
            "Succeeded"
        } else {
            "Failed"
        });
        status["containerStatuses"] = containers(json!({"terminated": terminated}));
    });
}

fn waiting(cluster: &Cluster, pod: &str, reason: &str, message: &str) {
    update(cluster, pod, |status| {
        status["containerStatuses"] = containers(json!({"waiting": {"reason": reason, "message": message}}));
    });
}

fn update(cluster: &Cluster, pod: &str, change: impl FnOnce(&mut Value)) {
    cluster
        .store
        .update("pods", pod, |record| change(&mut record["status"]));
}

fn containers(state: Value) -> Value {
    json!([{"name": "step", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state}])
}

/// The engine's arguments for a pod's container. An error is what a kubelet would refuse.
async fn arguments(cluster: &Cluster, record: &Value) -> Result<Vec<String>, String> {
    let spec = &record["spec"];
    let container = &spec["containers"][0];
    let (of_pod, own) = (&spec["securityContext"], &container["securityContext"]);
    let mut arguments = Vec::new();
    let mut add = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
    let user = of_pod["runAsUser"].as_u64().unwrap_or(0);
    if of_pod["runAsNonRoot"] == true && user == 0 {
        return Err("container has runAsNonRoot and image will run as root".to_owned());
    }
    add(
        "--user",
        &format!("{user}:{}", of_pod["runAsGroup"].as_u64().unwrap_or(0)),
    );
    if let Some(group) = of_pod["fsGroup"].as_u64() {
        add("--group-add", &group.to_string());
    }
    if own["capabilities"]["drop"] == json!(["ALL"]) {
        add("--cap-drop", "ALL");
    }
    if own["allowPrivilegeEscalation"] == false {
        add("--security-opt", "no-new-privileges");
    }
    if own["seccompProfile"]["type"] != "RuntimeDefault" {
        add("--security-opt", "seccomp=unconfined");
    }
    let limits = &container["resources"]["limits"];
    if let Some(memory) = limits["memory"].as_str().and_then(|memory| memory.strip_suffix("Mi")) {
        add("--memory", &format!("{memory}m"));
        add("--memory-swap", &format!("{memory}m"));
    }
    if let Some(cpu) = limits["cpu"].as_str() {
        let millis = cpu
            .strip_suffix('m')
            .map_or_else(|| cpu.parse().map(|cpus: f64| cpus * 1000.0), str::parse);
        add("--cpus", &(millis.unwrap() / 1000.0).to_string());
    }
    add("--pids-limit", POD_PIDS);
    add(
        "--network",
        if is_shut_off(cluster, record) { "none" } else { "bridge" },
    );
    add("--hostname", spec["hostname"].as_str().unwrap_or("pod"));
    add("--workdir", container["workingDir"].as_str().unwrap_or("/"));
    let image = container["image"].as_str().unwrap();
    if image == HOST_VIEW {
        for folder in ["/usr", "/etc/alternatives", "/etc/ssl/certs"] {
            add("--volume", &format!("{folder}:{folder}:ro"));
        }
        add("--env", "PATH=/usr/local/bin:/usr/bin:/bin");
    }
    // Every pod is told where the API server is.
    add("--env", "KUBERNETES_SERVICE_HOST=10.96.0.1");
    add("--env", "KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1");
    let env = container["env"].as_array().cloned().unwrap_or_default();
    for variable in &env {
        let value = expanded(variable["value"].as_str().unwrap_or_default(), &env);
        add("--env", &format!("{}={value}", variable["name"].as_str().unwrap()));
    }
    for mount in container["volumeMounts"].as_array().into_iter().flatten() {
        let (name, value) = mounted(cluster, spec, mount).await?;
        add(&name, &value);
    }
    let words = container["command"].as_array().into_iter().flatten();
    let words: Vec<String> = words.map(|word| expanded(word.as_str().unwrap(), &env)).collect();
    add("--entrypoint", &words[0]);
    if own["readOnlyRootFilesystem"] == true {
        arguments.push("--read-only".to_owned());
    }
    arguments.push(image.to_owned());
    arguments.extend_from_slice(&words[1..]);
    Ok(arguments)
}

async fn mounted(cluster: &Cluster, spec: &Value, mount: &Value) -> Result<(String, String), String> {
    let inside = mount["mountPath"].as_str().unwrap();
    let mut volumes = spec["volumes"].as_array().into_iter().flatten();
    let volume = volumes
        .find(|volume| volume["name"] == mount["name"])
        .ok_or("no such volume")?;
    if volume["emptyDir"]["medium"] == "Memory" {
        let size = volume["emptyDir"]["sizeLimit"]
            .as_str()
            .and_then(|size| size.strip_suffix("Mi"));
        let size = size.ok_or("no size")?;
        let options = format!("{inside}:rw,exec,nosuid,nodev,mode=1777,size={size}m");
        return Ok(("--tmpfs".to_owned(), options));
    }
    let claim = volume["persistentVolumeClaim"]["claimName"]
        .as_str()
        .ok_or("no claim")?;
    let name = volume_of(cluster, claim);
    let mode = if mount["readOnly"] == true { "ro" } else { "rw" };
    let source = match mount["subPath"].as_str() {
        None => return Ok(("--volume".to_owned(), format!("{name}:{inside}:{mode},nocopy"))),
        Some(part) => {
            let root = docker(&["volume", "inspect", "--format", "{{.Mountpoint}}", &name]).await?;
            format!("{root}/{part}")
        }
    };
    Ok(("--volume".to_owned(), format!("{source}:{inside}:{mode}")))
}

/// Whether a policy selects the pod for egress and allows none.
fn is_shut_off(cluster: &Cluster, record: &Value) -> bool {
    let (policies, _) = cluster.store.list("networkpolicies", "");
    policies.iter().any(|policy| {
        let spec = &policy["spec"];
        let selects = super::store::fits(record, &selector_of(&spec["podSelector"]));
        let types = spec["policyTypes"].as_array().into_iter().flatten();
        selects && spec["egress"].is_null() && types.into_iter().any(|kind| kind == "Egress")
    })
}

/// `$(NAME)` and `$$`, as Kubernetes reads them (`third_party/forked/golang/expansion`).
fn expanded(text: &str, env: &[Value]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let name = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = name {
            match env.iter().find(|variable| variable["name"] == name) {
                Some(variable) => out.push_str(variable["value"].as_str().unwrap_or_default()),
                None => out.push_str(&format!("$({name})")),
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}
