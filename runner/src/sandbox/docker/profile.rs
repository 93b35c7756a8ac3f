//! The isolation profile: one pure function, so that it can be read and tested as a whole.

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions, ResourcesUlimits,
};
use std::collections::HashMap;

use super::image::Image;
use crate::sandbox::{PROXY_SOCKET, REPO_DIR, SANDBOX_UID, StepSpec, WORKSPACE_DIR, WorkspaceId};

const MIB: u64 = 1 << 20;
/// Shared memory: enough for semaphores, too little to hide a build in.
const SHM_BYTES: i64 = 32 << 20;
/// Largest single file in bytes. The disk as a whole isn't bounded on a plain volume.
const MAX_FILE_BYTES: i64 = 4 << 30;
/// Open files per process.
const MAX_OPEN_FILES: i64 = 16_384;

/// The container of one step.
pub(super) fn container(
    image: &Image,
    labels: HashMap<String, String>,
    workspace: &WorkspaceId,
    step: &StepSpec,
) -> ContainerCreateBody {
    let mut env = vec!["HOME=/tmp".to_owned(), "LANG=C.UTF-8".to_owned()];
    env.extend(image.path().map(|path| format!("PATH={path}")));
    env.extend(step.env.iter().map(|(name, value)| format!("{name}={value}")));
    let with_input = step.stdin.is_some();
    ContainerCreateBody {
        image: Some(image.name().to_owned()),
        labels: Some(labels),
        user: Some(format!("{SANDBOX_UID}:{SANDBOX_UID}")),
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
        network_disabled: Some(true),
        host_config: Some(host_config(image, workspace, step)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(image: &Image, workspace: &WorkspaceId, step: &StepSpec) -> HostConfig {
    let limits = &step.limits;
    let memory = i64::try_from(limits.memory_mib.saturating_mul(MIB)).unwrap_or(i64::MAX);
    let mut mounts = vec![workspace_mount(workspace)];
    mounts.extend(image.mounts().iter().chain(&step.mounts).map(|mount| Mount {
        typ: Some(MountType::BIND),
        source: Some(mount.host.to_string_lossy().into_owned()),
        target: Some(mount.inside.clone()),
        read_only: Some(true),
        ..Mount::default()
    }));
    mounts.extend(step.proxy.as_ref().map(|socket| Mount {
        typ: Some(MountType::BIND),
        source: Some(socket.to_string_lossy().into_owned()),
        target: Some(PROXY_SOCKET.to_owned()),
        read_only: Some(true),
        ..Mount::default()
    }));
    HostConfig {
        network_mode: Some("none".to_owned()),
        mounts: Some(mounts),
        readonly_rootfs: Some(true),
        // A tmpfs is noexec unless told otherwise, and build scripts run from /tmp.
        tmpfs: Some(HashMap::from([(
            "/tmp".to_owned(),
            format!("rw,exec,nosuid,nodev,mode=1777,size={}m", limits.tmp_mib),
        )])),
        cap_drop: Some(vec!["ALL".to_owned()]),
        privileged: Some(false),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        pids_limit: Some(i64::from(limits.pids)),
        memory: Some(memory),
        // Unset, as much swap again would be added.
        memory_swap: Some(memory),
        nano_cpus: Some(i64::from(limits.cpu_millis) * 1_000_000),
        ipc_mode: Some("private".to_owned()),
        shm_size: Some(SHM_BYTES),
        init: Some(true),
        ulimits: Some(vec![
            ulimit("core", 0),
            ulimit("fsize", MAX_FILE_BYTES),
            ulimit("nofile", MAX_OPEN_FILES),
        ]),
        // The output is read from the attached stream, ten times faster than a log file.
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        ..HostConfig::default()
    }
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
        container(image, HashMap::new(), &WorkspaceId("w".to_owned()), &step)
    }

    fn host_view() -> Image {
        Image::HostView(vec![ReadOnlyMount {
            host: "/usr".into(),
            inside: "/usr".to_owned(),
        }])
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
        let body = made(&Image::Named("debian:12".to_owned()), None);
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
}
