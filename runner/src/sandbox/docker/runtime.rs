//! Which runtime makes the containers, and whether it gives them a kernel of their own.

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, SystemInfo};
use holdpoint_schemas::evidence::Isolation;
use std::time::Duration;

use super::engine::{REQUEST, bounded};
use super::{DockerSandbox, one_line};
use crate::error::SandboxError;

/// Runtimes of the host's kernel: nothing to find out about them.
const ON_THE_HOSTS_KERNEL: [&str; 4] = ["runc", "crun", "youki", "io.containerd.runc.v2"];
/// A virtual machine takes seconds to start on a busy machine.
const QUESTION: Duration = Duration::from_secs(120);
/// A kernel's release has some twenty characters.
const ANSWER: usize = 4096;

impl DockerSandbox {
    /// Checks the configured runtime, and finds out how strongly the one in force isolates.
    pub(super) async fn choose_runtime(&mut self, wanted: Option<String>) -> Result<(), SandboxError> {
        let info = bounded("tell its runtimes", REQUEST, self.docker.info()).await?;
        let known = info.runtimes.iter().flatten().map(|(name, _)| name.clone());
        let mut known: Vec<String> = known.collect();
        known.sort();
        if let Some(name) = wanted.as_ref().filter(|name| !known.contains(name)) {
            return Err(SandboxError::NoRuntime {
                name: one_line(name),
                known: one_line(&known.join(", ")),
            });
        }
        let name = wanted.clone().or_else(|| info.default_runtime.clone());
        self.runtime_name = name.map_or_else(|| "of unknown runtime".to_owned(), |name| one_line(&name));
        self.runtime = wanted;
        if !ON_THE_HOSTS_KERNEL.contains(&self.runtime_name.as_str()) && self.has_own_kernel(&info).await {
            self.kind = Isolation::Kernel;
        }
        Ok(())
    }

    /// Names prove nothing: the kernel that answers in a container must be another one than the engine's.
    async fn has_own_kernel(&self, info: &SystemInfo) -> bool {
        let Some(hosts) = info.kernel_version.as_deref().filter(|release| !release.is_empty()) else {
            return false;
        };
        let body = self.own_step("cat /proc/sys/kernel/osrelease".to_owned(), Vec::new());
        let (end, said) = self.run_own(body, QUESTION, ANSWER).await;
        let said = String::from_utf8_lossy(&said);
        end.is_success() && !said.trim().is_empty() && said.trim() != hosts
    }

    /// A step of ours, for which nothing of a repo's is run: without network or rights, but it may read
    /// what only its owner may, since a build can leave such folders.
    pub(super) fn own_step(&self, script: String, mounts: Vec<Mount>) -> ContainerCreateBody {
        ContainerCreateBody {
            image: Some(self.image.name().to_owned()),
            labels: Some(self.labels()),
            user: Some("0:0".to_owned()),
            entrypoint: Some(vec!["/bin/sh".to_owned()]),
            cmd: Some(vec!["-c".to_owned(), script]),
            env: self.image.path().map(|path| vec![format!("PATH={path}")]),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            network_disabled: Some(true),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(mounts.into_iter().chain(self.image.binds()).collect()),
                readonly_rootfs: Some(true),
                cap_drop: Some(vec!["ALL".to_owned()]),
                cap_add: Some(vec!["DAC_READ_SEARCH".to_owned()]),
                security_opt: Some(vec!["no-new-privileges".to_owned()]),
                runtime: self.runtime.clone(),
                log_config: Some(HostConfigLogConfig {
                    typ: Some("none".to_owned()),
                    config: None,
                }),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }
}
