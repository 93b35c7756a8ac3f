use super::*;
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::Side;

const OWNER: Owned<'static> = Owned {
    kind: "Lease",
    version: "coordination.k8s.io/v1",
    name: "holdpoint-1",
    uid: "u",
};

fn profile() -> Profile {
    Profile {
        id: "holdpoint-1".to_owned(),
        run: "nightly".to_owned(),
        image: "debian:12".to_owned(),
        pull: "IfNotPresent",
        runtime_class: None,
        user_namespaces: true,
        controls: Controls::default(),
        limits: Limits::from(&SandboxConfig::default()),
        queue: Duration::from_secs(60),
    }
}

fn spec(command: &str) -> StepSpec {
    StepSpec {
        name: "test".to_owned(),
        side: Side::Candidate,
        command: command.to_owned(),
        env: BTreeMap::from([("A".to_owned(), "b $(HOME) c".to_owned())]),
        proxy: None,
        mounts: Vec::new(),
        stdin: None,
        capture_bytes: 0,
        limits: Limits::from(&SandboxConfig::default()),
    }
}

fn pod_of(job: Job) -> PodSpec {
    job.spec.unwrap().template.spec.unwrap()
}

#[test]
fn both_kinds_of_pod_keep_to_the_restricted_standard() {
    let profile = profile();
    let step = profile.step("holdpoint-1-s1", "holdpoint-1-w1", &OWNER, &spec("true"), &[]);
    for job in [step, profile.holder("holdpoint-1-w1", &OWNER)] {
        let pod = pod_of(job);
        assert_eq!(pod.automount_service_account_token, Some(false));
        assert_eq!(pod.enable_service_links, Some(false));
        assert_eq!(pod.host_users, Some(false));
        assert_eq!(
            (pod.host_pid, pod.host_ipc, pod.host_network),
            (Some(false), Some(false), Some(false))
        );
        let own = pod.security_context.unwrap();
        assert_eq!((own.run_as_non_root, own.run_as_user), (Some(true), Some(10001)));
        assert_eq!(own.seccomp_profile.unwrap().type_, "RuntimeDefault");
        let container = pod.containers.first().unwrap();
        let own = container.security_context.clone().unwrap();
        assert_eq!(own.allow_privilege_escalation, Some(false));
        assert_eq!(own.read_only_root_filesystem, Some(true));
        assert_eq!(own.capabilities.unwrap().drop, Some(vec!["ALL".to_owned()]));
        let resources = container.resources.clone().unwrap().limits.unwrap();
        for bound in ["cpu", "memory", "ephemeral-storage"] {
            assert!(resources.contains_key(bound), "{bound}");
        }
        let sources = pod.volumes.unwrap();
        assert!(
            sources
                .iter()
                .all(|volume| volume.host_path.is_none() && volume.secret.is_none())
        );
    }
}

#[test]
fn a_step_writes_to_the_workspace_and_to_tmp_only() {
    let inputs = [
        Input {
            part: "inputs/0".to_owned(),
            inside: "/holdpoint/rules".to_owned(),
            writable: false,
        },
        Input {
            part: "capture/1".to_owned(),
            inside: script::STDOUT.to_owned(),
            writable: true,
        },
    ];
    let pod = pod_of(profile().step("s", "w", &OWNER, &spec("true"), &inputs));
    let writable: Vec<_> = pod.containers[0]
        .volume_mounts
        .iter()
        .flatten()
        .filter(|mount| mount.read_only != Some(true))
        .map(|mount| (mount.mount_path.as_str(), mount.sub_path.as_deref()))
        .collect();
    assert_eq!(
        writable,
        [
            ("/workspace", Some("workspace")),
            ("/tmp", None),
            (script::STDOUT, Some("capture/1"))
        ]
    );
}

#[test]
fn a_dollar_in_a_command_or_a_value_stays_a_dollar() {
    let pod = pod_of(profile().step("s", "w", &OWNER, &spec("echo $(id) $$"), &[]));
    let container = &pod.containers[0];
    assert_eq!(container.command.as_ref().unwrap().last().unwrap(), "echo $$(id) $$$$");
    let value = container.env.iter().flatten().find(|variable| variable.name == "A");
    assert_eq!(value.unwrap().value.as_deref(), Some("b $$(HOME) c"));
}

#[test]
fn the_policy_names_both_directions_and_allows_nothing_in_either() {
    let policy = profile().network_policy(&OWNER).spec.unwrap();
    assert_eq!(policy.policy_types.unwrap(), ["Ingress", "Egress"]);
    assert_eq!((policy.ingress, policy.egress), (None, None));
    let pod = profile()
        .step("s", "w", &OWNER, &spec("true"), &[])
        .spec
        .unwrap()
        .template;
    let labels = pod.metadata.unwrap().labels.unwrap();
    for (name, value) in policy.pod_selector.unwrap().match_labels.unwrap() {
        assert_eq!(labels.get(&name), Some(&value));
    }
}

#[test]
fn nobody_repeats_a_step_and_nothing_stays_for_ever() {
    let job = profile().step("s", "w", &OWNER, &spec("true"), &[]);
    assert_eq!(job.metadata.owner_references.as_ref().unwrap()[0].uid, "u");
    let spec = job.spec.unwrap();
    assert_eq!((spec.backoff_limit, spec.parallelism), (Some(0), Some(1)));
    assert!(spec.active_deadline_seconds.is_some() && spec.ttl_seconds_after_finished.is_some());
    assert!(spec.template.spec.unwrap().active_deadline_seconds.is_some());
}

#[test]
fn without_one_control_exactly_that_one_is_missing() {
    let step = |controls: Controls| {
        let profile = Profile { controls, ..profile() };
        serde_json::to_value(profile.step("s", "w", &OWNER, &spec("true"), &[])).unwrap()
    };
    let whole = step(Controls::default());
    for control in [
        Control::UnprivilegedUser,
        Control::ReadOnlyRoot,
        Control::NoCapabilities,
        Control::NoNewPrivileges,
        Control::Seccomp,
        Control::CpuBound,
        Control::MemoryBound,
        Control::TimeBound,
    ] {
        assert_ne!(step(Controls::default().without(control)), whole, "{control}");
    }
}
