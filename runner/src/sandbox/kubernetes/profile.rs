//! What is asked of the cluster, as pure functions, so that it can be read and tested as a whole.
//!
//! Pods keep to the "restricted" pod security standard and to more than that asks for.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, Container, EmptyDirVolumeSource, EnvVar, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeClaimVolumeSource, PodAffinity, PodAffinityTerm, PodDNSConfig, PodSecurityContext, PodSpec,
    PodTemplateSpec, ResourceRequirements, SeccompProfile, SecurityContext, Volume, VolumeMount,
    VolumeResourceRequirements,
};
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, MicroTime, ObjectMeta, OwnerReference};
use std::collections::BTreeMap;
use std::time::Duration;

use super::script;
use super::snapshot::SNAPSHOT_DIR;
use crate::sandbox::control::{Control, Controls};
use crate::sandbox::{Limits, SANDBOX_UID, StepSpec, WORKSPACE_DIR};

/// Name of a pod's only container.
pub(super) const CONTAINER: &str = "step";
/// Where the holder sees the whole volume.
pub(super) const VOLUME_DIR: &str = "/volume";
/// Marks everything of Holdpoint's.
pub(super) const LABEL: &str = "app.kubernetes.io/managed-by";
/// Its value.
pub(super) const LABEL_VALUE: &str = "holdpoint";
/// Which sandbox an object belongs to.
pub(super) const LABEL_RUN: &str = "holdpoint.dev/run";
/// `holder` or `step`.
const LABEL_ROLE: &str = "holdpoint.dev/role";
/// Which workspace an object belongs to.
const LABEL_WORKSPACE: &str = "holdpoint.dev/workspace";
/// Which Job a pod belongs to, by a label of ours: the built-in one has changed its name over time.
const LABEL_JOB: &str = "holdpoint.dev/job";
/// Which snapshot a volume is, or a holder copies from.
pub(super) const LABEL_SNAPSHOT: &str = "holdpoint.dev/snapshot";
/// Bytes of a snapshot.
pub(super) const NOTE_BYTES: &str = "holdpoint.dev/snapshot-bytes";
/// For people: the run's name, the step's and its side.
const NOTE_RUN: &str = "holdpoint.dev/run-name";
const NOTE_STEP: &str = "holdpoint.dev/step";
const NOTE_SIDE: &str = "holdpoint.dev/side";
/// Finished Jobs stay this long where nobody deletes them.
const KEEP_FINISHED_SECONDS: i32 = 600;
/// A workspace that nobody removes ends after a day, and with it all that it owns.
const HOLDER_SECONDS: i64 = 86_400;
/// Disk outside of the workspace in MiB: the container's log, and nothing else can be written.
const LOG_MIB: u64 = 256;
/// Beyond the step's own time, for the node to make the container ready; the step's time is kept by us.
const START_SLACK: Duration = Duration::from_secs(180);

/// What all objects of a sandbox have in common.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    /// Names the sandbox: unique over all clusters.
    pub(super) id: String,
    /// The run's name, for people.
    pub(super) run: String,
    pub(super) image: String,
    pub(super) pull: &'static str,
    pub(super) runtime_class: Option<String>,
    /// Whether every node can give pods a user namespace.
    pub(super) user_namespaces: bool,
    pub(super) controls: Controls,
    pub(super) limits: Limits,
    /// How long a pod may wait for room.
    pub(super) queue: Duration,
}

/// Something that belongs to another object, and goes with it.
#[derive(Debug, Clone)]
pub(super) struct Owned<'a> {
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
    pub(super) name: &'a str,
    pub(super) uid: &'a str,
}

/// A part of the volume that a step sees besides the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    /// Path below the volume's root.
    pub(super) part: String,
    pub(super) inside: String,
    pub(super) writable: bool,
}

impl Profile {
    fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (LABEL.to_owned(), LABEL_VALUE.to_owned()),
            (LABEL_RUN.to_owned(), self.id.clone()),
        ])
    }

    fn meta(&self, name: &str, owner: Option<&Owned<'_>>) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(self.labels()),
            annotations: Some(BTreeMap::from([(NOTE_RUN.to_owned(), self.run.clone())])),
            owner_references: owner.map(|owner| {
                vec![OwnerReference {
                    api_version: owner.version.to_owned(),
                    kind: owner.kind.to_owned(),
                    name: owner.name.to_owned(),
                    uid: owner.uid.to_owned(),
                    ..OwnerReference::default()
                }]
            }),
            ..ObjectMeta::default()
        }
    }

    /// The lease that says that this sandbox's process lives. It owns everything else.
    pub(super) fn lease(&self, notes: BTreeMap<String, String>, now: MicroTime, seconds: i32) -> Lease {
        let mut metadata = self.meta(&self.id, None);
        metadata.annotations.get_or_insert_default().extend(notes);
        Lease {
            metadata,
            spec: Some(LeaseSpec {
                holder_identity: Some(self.id.clone()),
                lease_duration_seconds: Some(seconds),
                acquire_time: Some(now.clone()),
                renew_time: Some(now),
                ..LeaseSpec::default()
            }),
        }
    }

    /// Nothing in, nothing out, for every pod of this sandbox. A policy without rules allows nothing.
    pub(super) fn network_policy(&self, owner: &Owned<'_>) -> NetworkPolicy {
        NetworkPolicy {
            metadata: self.meta(&self.id, Some(owner)),
            spec: Some(NetworkPolicySpec {
                pod_selector: Some(LabelSelector {
                    match_labels: Some(BTreeMap::from([(LABEL_RUN.to_owned(), self.id.clone())])),
                    ..LabelSelector::default()
                }),
                policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
                ..NetworkPolicySpec::default()
            }),
        }
    }

    /// The volume of a workspace: one node at a time, of the cluster's default class.
    pub(super) fn claim(&self, name: &str, owner: &Owned<'_>) -> PersistentVolumeClaim {
        PersistentVolumeClaim {
            metadata: self.meta(name, Some(owner)),
            spec: Some(PersistentVolumeClaimSpec {
                access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
                resources: Some(VolumeResourceRequirements {
                    requests: Some(BTreeMap::from([("storage".to_owned(), mib(self.limits.disk_mib))])),
                    ..VolumeResourceRequirements::default()
                }),
                ..PersistentVolumeClaimSpec::default()
            }),
            status: None,
        }
    }

    /// The Job that keeps a workspace's volume at hand, for what goes in and out of it.
    pub(super) fn holder(&self, name: &str, owner: &Owned<'_>) -> Job {
        let limits = BTreeMap::from([
            ("cpu".to_owned(), Quantity("1".to_owned())),
            ("memory".to_owned(), mib(256)),
            ("ephemeral-storage".to_owned(), mib(LOG_MIB)),
        ]);
        // It waits nearly all of its time; tar and cat are what it does else.
        let mut requests = limits.clone();
        requests.insert("cpu".to_owned(), Quantity("50m".to_owned()));
        let container = Container {
            command: Some(script::holder().iter().map(|part| escaped(part)).collect()),
            working_dir: Some(VOLUME_DIR.to_owned()),
            resources: Some(ResourceRequirements {
                limits: Some(limits),
                requests: Some(requests),
                claims: None,
            }),
            volume_mounts: Some(vec![volume_mount(VOLUME_DIR, None, false), tmp_mount()]),
            ..self.container()
        };
        let pod = self.pod(container, name, 64);
        self.job(
            name,
            name,
            "holder",
            owner,
            pod,
            Duration::from_secs(HOLDER_SECONDS.unsigned_abs()),
        )
    }

    /// The holder of a workspace that begins as a copy of a snapshot, given by its claim and its label.
    pub(super) fn branch_holder(&self, name: &str, owner: &Owned<'_>, (claim, key): (&str, &str)) -> Job {
        let mut job = self.holder(name, owner);
        let spec = job.spec.get_or_insert_default();
        for metadata in [&mut job.metadata, spec.template.metadata.get_or_insert_default()] {
            let labels = metadata.labels.get_or_insert_default();
            labels.insert(LABEL_SNAPSHOT.to_owned(), key.to_owned());
        }
        let pod = spec.template.spec.get_or_insert_default();
        // The snapshot's volume is on one node at a time too: all who copy from it go where the first is.
        pod.affinity = Some(beside(&[(LABEL_ROLE, "holder"), (LABEL_SNAPSHOT, key)]));
        pod.volumes.get_or_insert_default().push(Volume {
            name: "snapshot".to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim.to_owned(),
                read_only: Some(false),
            }),
            ..Volume::default()
        });
        for container in &mut pod.containers {
            container.volume_mounts.get_or_insert_default().push(VolumeMount {
                name: "snapshot".to_owned(),
                mount_path: SNAPSHOT_DIR.to_owned(),
                read_only: Some(true),
                ..VolumeMount::default()
            });
        }
        job
    }

    /// The Job of one step.
    pub(super) fn step(
        &self,
        name: &str,
        workspace: &str,
        owner: &Owned<'_>,
        step: &StepSpec,
        inputs: &[Input],
    ) -> Job {
        let mut env = vec![variable("HOME", "/tmp"), variable("LANG", "C.UTF-8")];
        env.extend(step.env.iter().map(|(name, value)| variable(name, value)));
        let mut mounts = vec![
            volume_mount(WORKSPACE_DIR, Some(script::WORKSPACE_PART), false),
            tmp_mount(),
        ];
        mounts.extend(
            inputs
                .iter()
                .map(|input| volume_mount(&input.inside, Some(&input.part), !input.writable)),
        );
        let pids = self.user_namespaces.then_some(step.limits.pids);
        let container = Container {
            command: Some(script::step(step, pids).iter().map(|part| escaped(part)).collect()),
            env: Some(env),
            working_dir: Some(WORKSPACE_DIR.to_owned()),
            resources: Some(self.resources(&step.limits)),
            volume_mounts: Some(mounts),
            ..self.container()
        };
        let mut pod = self.pod(container, workspace, step.limits.tmp_mib);
        // The volume is on one node at a time, and the holder is where it is.
        pod.affinity = Some(beside_holder(workspace));
        if self.controls.has(Control::TimeBound) {
            pod.active_deadline_seconds = Some(seconds(step.limits.wall.saturating_add(START_SLACK)));
        }
        let wall = step.limits.wall.saturating_add(START_SLACK).saturating_add(self.queue);
        let notes = BTreeMap::from([
            (NOTE_STEP.to_owned(), step.name.clone()),
            (NOTE_SIDE.to_owned(), step.side.as_str().to_owned()),
        ]);
        let mut job = self.job(name, workspace, "step", owner, pod, wall);
        let spec = job.spec.get_or_insert_default();
        for metadata in [&mut job.metadata, spec.template.metadata.get_or_insert_default()] {
            metadata.annotations.get_or_insert_default().extend(notes.clone());
        }
        job
    }

    fn job(&self, name: &str, workspace: &str, role: &str, owner: &Owned<'_>, pod: PodSpec, at_most: Duration) -> Job {
        let mut metadata = self.meta(name, Some(owner));
        let labels = metadata.labels.get_or_insert_default();
        labels.insert(LABEL_ROLE.to_owned(), role.to_owned());
        labels.insert(LABEL_WORKSPACE.to_owned(), workspace.to_owned());
        labels.insert(LABEL_JOB.to_owned(), name.to_owned());
        let template = ObjectMeta {
            labels: metadata.labels.clone(),
            annotations: metadata.annotations.clone(),
            ..ObjectMeta::default()
        };
        Job {
            metadata,
            spec: Some(JobSpec {
                // A second pod would start in a workspace that the first one has changed; what may be
                // repeated, and from where, is known above the sandbox only.
                backoff_limit: Some(0),
                completions: Some(1),
                parallelism: Some(1),
                pod_replacement_policy: Some("Failed".to_owned()),
                active_deadline_seconds: Some(seconds(at_most)),
                ttl_seconds_after_finished: Some(KEEP_FINISHED_SECONDS),
                template: PodTemplateSpec {
                    metadata: Some(template),
                    spec: Some(pod),
                },
                ..JobSpec::default()
            }),
            status: None,
        }
    }

    fn pod(&self, container: Container, claim: &str, tmp_mib: u64) -> PodSpec {
        let root = !self.controls.has(Control::UnprivilegedUser);
        let user = if root { 0 } else { i64::from(SANDBOX_UID) };
        PodSpec {
            containers: vec![container],
            restart_policy: Some("Never".to_owned()),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            // No name server: names are a way out where a policy forgets about port 53.
            dns_policy: Some("None".to_owned()),
            dns_config: Some(PodDNSConfig {
                nameservers: Some(vec!["127.0.0.1".to_owned()]),
                ..PodDNSConfig::default()
            }),
            host_ipc: Some(false),
            host_network: Some(false),
            host_pid: Some(false),
            host_users: self.user_namespaces.then_some(false),
            hostname: Some("holdpoint".to_owned()),
            runtime_class_name: self.runtime_class.clone(),
            share_process_namespace: Some(false),
            termination_grace_period_seconds: Some(1),
            security_context: Some(PodSecurityContext {
                run_as_non_root: Some(!root),
                run_as_user: Some(user),
                run_as_group: Some(user),
                fs_group: Some(i64::from(SANDBOX_UID)),
                fs_group_change_policy: Some("OnRootMismatch".to_owned()),
                seccomp_profile: Some(self.seccomp()),
                ..PodSecurityContext::default()
            }),
            volumes: Some(vec![
                Volume {
                    name: "workspace".to_owned(),
                    persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                        claim_name: claim.to_owned(),
                        read_only: Some(false),
                    }),
                    ..Volume::default()
                },
                Volume {
                    name: "tmp".to_owned(),
                    empty_dir: Some(EmptyDirVolumeSource {
                        medium: Some("Memory".to_owned()),
                        size_limit: Some(mib(tmp_mib)),
                    }),
                    ..Volume::default()
                },
            ]),
            ..PodSpec::default()
        }
    }

    fn container(&self) -> Container {
        Container {
            name: CONTAINER.to_owned(),
            image: Some(self.image.clone()),
            image_pull_policy: Some(self.pull.to_owned()),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(!self.controls.has(Control::NoNewPrivileges)),
                privileged: Some(false),
                read_only_root_filesystem: Some(self.controls.has(Control::ReadOnlyRoot)),
                capabilities: self.controls.has(Control::NoCapabilities).then(|| Capabilities {
                    add: None,
                    drop: Some(vec!["ALL".to_owned()]),
                }),
                seccomp_profile: Some(self.seccomp()),
                ..SecurityContext::default()
            }),
            ..Container::default()
        }
    }

    fn seccomp(&self) -> SeccompProfile {
        let filtered = self.controls.has(Control::Seccomp);
        SeccompProfile {
            localhost_profile: None,
            type_: if filtered { "RuntimeDefault" } else { "Unconfined" }.to_owned(),
        }
    }

    /// As much as it may take is what is kept for it: a step's time doesn't hang on its neighbours.
    fn resources(&self, limits: &Limits) -> ResourceRequirements {
        let mut bounds = BTreeMap::from([("ephemeral-storage".to_owned(), mib(LOG_MIB))]);
        if self.controls.has(Control::CpuBound) {
            bounds.insert("cpu".to_owned(), Quantity(format!("{}m", limits.cpu_millis)));
        }
        if self.controls.has(Control::MemoryBound) {
            bounds.insert("memory".to_owned(), mib(limits.memory_mib));
        }
        ResourceRequirements {
            limits: Some(bounds.clone()),
            requests: Some(bounds),
            claims: None,
        }
    }
}

/// Selects the pods of one Job.
pub(super) fn pods_of(job: &str) -> String {
    format!("{LABEL}={LABEL_VALUE},{LABEL_JOB}={job}")
}

fn beside_holder(workspace: &str) -> Affinity {
    beside(&[(LABEL_ROLE, "holder"), (LABEL_WORKSPACE, workspace)])
}

/// On the node where a pod with these labels is.
fn beside(labels: &[(&str, &str)]) -> Affinity {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Affinity {
        pod_affinity: Some(PodAffinity {
            required_during_scheduling_ignored_during_execution: Some(vec![PodAffinityTerm {
                label_selector: Some(LabelSelector {
                    match_labels: Some(labels.collect()),
                    ..LabelSelector::default()
                }),
                topology_key: "kubernetes.io/hostname".to_owned(),
                ..PodAffinityTerm::default()
            }]),
            ..PodAffinity::default()
        }),
        ..Affinity::default()
    }
}

fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(escaped(value)),
        value_from: None,
    }
}

/// Kubernetes puts variables where a text says `$(NAME)`, and reads `$$` as one `$`.
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

fn volume_mount(inside: &str, part: Option<&str>, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: "workspace".to_owned(),
        mount_path: inside.to_owned(),
        sub_path: part.map(str::to_owned),
        read_only: Some(read_only),
        ..VolumeMount::default()
    }
}

fn tmp_mount() -> VolumeMount {
    VolumeMount {
        name: "tmp".to_owned(),
        mount_path: "/tmp".to_owned(),
        ..VolumeMount::default()
    }
}

fn mib(count: u64) -> Quantity {
    Quantity(format!("{count}Mi"))
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "profile/tests.rs"]
mod tests;
