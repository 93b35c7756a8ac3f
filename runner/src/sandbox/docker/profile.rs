//! The isolation profile: one pure function, so that it can be read and tested as a whole.

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions, ResourcesUlimits,
};
use std::collections::HashMap;
use std::path::Path;

use super::image::Image;
use super::seccomp;
use crate::sandbox::control::{Control, Controls};
use crate::sandbox::{PROXY_SOCKET, REPO_DIR, SANDBOX_UID, StepSpec, WORKSPACE_DIR, WorkspaceId};

const MIB: u64 = 1 << 20;
/// The engine takes 0 for "no bound", and refuses less than this.
const MIN_MEMORY_MIB: u64 = 6;
/// Files of `/tmp` for each MiB of it: an inode takes about a KiB of the kernel's memory.
const TMP_FILES_PER_MIB: u64 = 1_024;
/// Where the host's root is seen by a test that takes [`Control::NoHostMounts`] away.
const HOST_ROOT: &str = "/holdpoint/host";
/// Shared memory: enough for semaphores, too little to hide a build in.
const SHM_BYTES: i64 = 32 << 20;
/// Largest single file in bytes. The disk as a whole isn't bounded on a plain volume.
const MAX_FILE_BYTES: i64 = 4 << 30;
/// Open files per process.
const MAX_OPEN_FILES: i64 = 16_384;

/// Kernel interfaces that tell about the host or its other containers: the engine's own list, which depends
/// on its version, and what it leaves readable. A path that this kernel hasn't is passed over.
const MASKED: [&str; 23] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/config.gz",
    "/proc/interrupts",
    "/proc/iomem",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/kmsg",
    "/proc/latency_stats",
    "/proc/modules",
    "/proc/partitions",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/slabinfo",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/vmallocinfo",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/kernel/debug",
    "/sys/kernel/security",
];
/// Kernel interfaces that change the host when they are written.
const READ_ONLY: [&str; 8] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/mtrr",
    "/proc/pressure",
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/proc/tty",
];

/// Added to the engine's default capabilities by a test that takes [`Control::NoCapabilities`] away. Not all
/// of them: the engine of a virtual machine may not have all itself.
const POWERS: [&str; 3] = ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"];

/// What holds for all containers of a sandbox.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// The controls in force.
    pub(super) controls: Controls,
    /// The control group above the containers' own, if not the engine's.
    pub(super) cgroup_parent: Option<String>,
}

impl Rules {
    fn has(&self, control: Control) -> bool {
        self.controls.has(control)
    }

    fn when<T>(&self, control: Control, value: T) -> Option<T> {
        self.has(control).then_some(value)
    }
}

/// The container of one step.
pub(super) fn container(
    image: &Image,
    labels: HashMap<String, String>,
    workspace: &WorkspaceId,
    step: &StepSpec,
    rules: &Rules,
) -> ContainerCreateBody {
    let mut env = vec!["HOME=/tmp".to_owned(), "LANG=C.UTF-8".to_owned()];
    env.extend(image.path().map(|path| format!("PATH={path}")));
    env.extend(step.env.iter().map(|(name, value)| format!("{name}={value}")));
    let with_input = step.stdin.is_some();
    ContainerCreateBody {
        image: Some(image.name().to_owned()),
        labels: Some(labels),
        user: Some(if rules.has(Control::UnprivilegedUser) {
            format!("{SANDBOX_UID}:{SANDBOX_UID}")
        } else {
            "0:0".to_owned()
        }),
        hostname: Some("holdpoint".to_owned()),
        entrypoint: Some(vec!["/bin/sh".to_owned()]),
        cmd: Some(vec!["-c".to_owned(), step.command.clone()]),
        working_dir: Some(REPO_DIR.to_owned()),
        env: Some(env),
        tty: Some(false),
        attach_stdin: Some(with_input),
        open_stdin: Some(with_input),
        stdin_once: Some(with_input),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        network_disabled: Some(rules.has(Control::NoNetwork)),
        host_config: Some(host_config(image, workspace, step, rules)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(image: &Image, workspace: &WorkspaceId, step: &StepSpec, rules: &Rules) -> HostConfig {
    let limits = &step.limits;
    let memory = i64::try_from(limits.memory_mib.max(MIN_MEMORY_MIB).saturating_mul(MIB)).unwrap_or(i64::MAX);
    HostConfig {
        network_mode: Some(
            if rules.has(Control::NoNetwork) {
                "none"
            } else {
                "bridge"
            }
            .to_owned(),
        ),
        mounts: Some(mounts(image, workspace, step, rules)),
        readonly_rootfs: Some(rules.has(Control::ReadOnlyRoot)),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), tmp_options(limits.tmp_mib, rules))])),
        cap_drop: rules.when(Control::NoCapabilities, vec!["ALL".to_owned()]),
        cap_add: (!rules.has(Control::NoCapabilities)).then(|| POWERS.map(str::to_owned).into()),
        privileged: Some(false),
        security_opt: Some(security_options(rules)),
        // Given as they are: the engine puts its own in place of none, and none is what an empty list says.
        masked_paths: Some(paths(&MASKED, rules)),
        readonly_paths: Some(paths(&READ_ONLY, rules)),
        pids_limit: rules.when(Control::ProcessBound, i64::from(limits.pids.max(1))),
        memory: rules.when(Control::MemoryBound, memory),
        // Unset, as much swap again would be added.
        memory_swap: rules.when(Control::MemoryBound, memory),
        nano_cpus: rules.when(Control::CpuBound, i64::from(limits.cpu_millis) * 1_000_000),
        // Private is what the engine does unless it is told otherwise.
        pid_mode: (!rules.has(Control::PrivateProcesses)).then(|| "host".to_owned()),
        ipc_mode: Some(
            if rules.has(Control::PrivateIpc) {
                "private"
            } else {
                "host"
            }
            .to_owned(),
        ),
        shm_size: Some(SHM_BYTES),
        cgroup_parent: rules.cgroup_parent.clone(),
        init: Some(true),
        ulimits: Some(ulimits(rules)),
        // The output is read from the attached stream, ten times faster than a log file.
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        ..HostConfig::default()
    }
}

fn mounts(image: &Image, workspace: &WorkspaceId, step: &StepSpec, rules: &Rules) -> Vec<Mount> {
    let mut mounts = vec![workspace_mount(workspace)];
    let folders = image.mounts().iter().chain(&step.mounts);
    mounts.extend(folders.map(|mount| read_only(&mount.host, &mount.inside)));
    mounts.extend(step.proxy.as_ref().map(|socket| read_only(socket, PROXY_SOCKET)));
    if !rules.has(Control::NoHostMounts) {
        mounts.push(read_only(Path::new("/"), HOST_ROOT));
    }
    mounts
}

fn read_only(host: &Path, inside: &str) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(host.to_string_lossy().into_owned()),
        target: Some(inside.to_owned()),
        read_only: Some(true),
        ..Mount::default()
    }
}

/// A tmpfs is noexec unless told otherwise, and build scripts run from /tmp.
fn tmp_options(mib: u64, rules: &Rules) -> String {
    let bound = if rules.has(Control::DiskBound) {
        format!(",size={mib}m,nr_inodes={}", mib.saturating_mul(TMP_FILES_PER_MIB))
    } else {
        String::new()
    };
    format!("rw,exec,nosuid,nodev,mode=1777{bound}")
}

fn security_options(rules: &Rules) -> Vec<String> {
    let filter = if rules.has(Control::Seccomp) {
        seccomp::profile()
    } else {
        "unconfined".to_owned()
    };
    let mut options = vec![format!("seccomp={filter}")];
    if !rules.has(Control::Seccomp) {
        // Where there is AppArmor, the engine's profile refuses some of the same calls.
        options.push("apparmor=unconfined".to_owned());
    }
    if rules.has(Control::NoNewPrivileges) {
        options.push("no-new-privileges".to_owned());
    }
    options
}

fn paths(paths: &[&str], rules: &Rules) -> Vec<String> {
    if rules.has(Control::MaskedKernel) {
        paths.iter().map(|path| (*path).to_owned()).collect()
    } else {
        Vec::new()
    }
}

fn ulimits(rules: &Rules) -> Vec<ResourcesUlimits> {
    let mut limits = vec![ulimit("core", 0), ulimit("nofile", MAX_OPEN_FILES)];
    if rules.has(Control::DiskBound) {
        limits.push(ulimit("fsize", MAX_FILE_BYTES));
    }
    limits
}

/// The workspace's volume, where every container of it sees it.
pub(super) fn workspace_mount(workspace: &WorkspaceId) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(workspace.as_str().to_owned()),
        target: Some(WORKSPACE_DIR.to_owned()),
        read_only: Some(false),
        // Nothing of the image goes into it, so the engine needn't mount it to look.
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(true),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

fn ulimit(name: &str, value: i64) -> ResourcesUlimits {
    ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(value),
        hard: Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Limits, ReadOnlyMount};
    use holdpoint_schemas::estate::SandboxConfig;
    use holdpoint_schemas::evidence::Side;
    use std::collections::BTreeMap;

    fn made(image: &Image, proxy: Option<&str>) -> ContainerCreateBody {
        made_by(image, proxy, Rules::default())
    }

    fn made_by(image: &Image, proxy: Option<&str>, rules: Rules) -> ContainerCreateBody {
        let step = StepSpec {
            name: "test".to_owned(),
            side: Side::Candidate,
            command: "true".to_owned(),
            env: BTreeMap::from([("A".to_owned(), "b c\n$(d)".to_owned())]),
            proxy: proxy.map(Into::into),
            mounts: Vec::new(),
            stdin: None,
            capture_bytes: 0,
            limits: Limits::from(&SandboxConfig::default()),
        };
        container(image, HashMap::new(), &WorkspaceId("w".to_owned()), &step, &rules)
    }

    fn host_view() -> Image {
        let mount = ReadOnlyMount {
            host: "/usr".into(),
            inside: "/usr".to_owned(),
        };
        Image::HostView {
            mounts: vec![mount],
            programs: "0123456789ab".to_owned(),
        }
    }

    #[test]
    fn every_bind_is_read_only_and_only_the_workspace_is_not() {
        let host = made(&host_view(), None).host_config.unwrap();
        let writable: Vec<_> = host
            .mounts
            .unwrap()
            .into_iter()
            .filter(|mount| mount.read_only != Some(true))
            .map(|mount| mount.target.unwrap())
            .collect();
        assert_eq!(writable, [WORKSPACE_DIR]);
        assert_eq!((host.readonly_rootfs, host.privileged), (Some(true), Some(false)));
        assert_eq!(host.memory, host.memory_swap);
        assert_eq!(host.binds, None);
    }

    #[test]
    fn an_image_of_its_own_sees_nothing_of_the_host() {
        let named = Image::Named {
            name: "debian:12".to_owned(),
            id: "sha256:0123456789abcdef".to_owned(),
        };
        let body = made(&named, None);
        assert_eq!(body.host_config.unwrap().mounts.unwrap().len(), 1);
        assert!(body.env.unwrap().iter().all(|entry| !entry.starts_with("PATH=")));
    }

    #[test]
    fn no_step_has_a_network_and_one_that_may_use_the_proxy_sees_its_socket() {
        for proxy in [None, Some("/run/proxy.sock")] {
            let body = made(&host_view(), proxy);
            assert_eq!(body.network_disabled, Some(true));
            let host = body.host_config.unwrap();
            assert_eq!(host.network_mode.as_deref(), Some("none"));
            let seen = host
                .mounts
                .unwrap()
                .iter()
                .any(|mount| mount.target.as_deref() == Some(PROXY_SOCKET));
            assert_eq!(seen, proxy.is_some());
        }
    }

    #[test]
    fn values_of_the_environment_are_passed_on_as_they_are() {
        assert!(
            made(&host_view(), None)
                .env
                .unwrap()
                .contains(&"A=b c\n$(d)".to_owned())
        );
    }

    /// What of a container is the engine's to enforce; the rest is the runner's own.
    const OF_THE_ENGINE: [Control; 14] = [
        Control::UnprivilegedUser,
        Control::ReadOnlyRoot,
        Control::NoCapabilities,
        Control::NoNewPrivileges,
        Control::Seccomp,
        Control::NoNetwork,
        Control::PrivateProcesses,
        Control::PrivateIpc,
        Control::NoHostMounts,
        Control::MaskedKernel,
        Control::CpuBound,
        Control::MemoryBound,
        Control::ProcessBound,
        Control::DiskBound,
    ];

    #[test]
    fn each_control_is_in_the_profile_and_can_be_taken_away_alone() {
        let whole = made(&host_view(), None);
        for control in Control::ALL {
            let rules = Rules {
                controls: Controls::default().without(control),
                cgroup_parent: None,
            };
            let changed = made_by(&host_view(), None, rules) != whole;
            assert_eq!(changed, OF_THE_ENGINE.contains(&control), "{control}");
        }
    }

    #[test]
    fn the_filter_of_system_calls_is_json_that_refuses_what_it_does_not_list() {
        let options = made(&host_view(), None).host_config.unwrap().security_opt.unwrap();
        let filter = options
            .iter()
            .find_map(|option| option.strip_prefix("seccomp="))
            .unwrap();
        let filter: serde_json::Value = serde_json::from_str(filter).unwrap();
        assert_eq!(filter["defaultAction"], "SCMP_ACT_ERRNO");
    }
}
