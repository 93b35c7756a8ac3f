//! The sandboxes that are attacked.

use super::attack::{Attack, limits};
use super::group::OuterGroup;
use async_trait::async_trait;
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_runner::sandbox::control::{Control, Controls};
use holdpoint_runner::{DockerSandbox, LocalSandbox, LocalSettings, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use tempfile::TempDir;

/// How it is shown that an attack would work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// In the sandbox, with its control taken away.
    WithoutControl,
    /// For the same user outside of any sandbox, where the control can't be taken away alone.
    OnTheHost,
    /// Not on this sandbox.
    None,
}

/// A kind of sandbox.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// One with these controls, bounded by something else as well, so that no attack harms the machine.
    async fn with(&self, controls: Controls) -> Box<dyn Sandbox>;

    /// An address of the host that a step reaches when it has a network.
    fn host_address(&self) -> IpAddr;

    /// How it is shown what an attack's control is for.
    fn proof(&self, _: &Attack) -> Proof {
        Proof::WithoutControl
    }

    /// Controls that stop this attack in this sandbox, besides its own.
    fn besides(&self, attack: &Attack) -> Vec<Control> {
        attack.besides.to_vec()
    }
}

/// Disks as small as the attacks' other bounds.
fn config() -> SandboxConfig {
    SandboxConfig {
        disk_mib: limits().disk_mib,
        ..SandboxConfig::default()
    }
}

/// Docker, with an outer control group around all steps.
pub struct Docker {
    group: OuterGroup,
}

impl Docker {
    pub fn new() -> Self {
        Self {
            group: OuterGroup::new(),
        }
    }

    /// Containers and volumes of these attacks that are there.
    pub fn left_over(&self) -> Vec<String> {
        let filter = format!("label=holdpoint.run={}", self.group.name());
        let lists: [&[&str]; 2] = [&["ps", "--all", "--quiet"], &["volume", "ls", "--quiet"]];
        let names = lists.map(|list| docker(&[list, &["--filter", &filter]].concat()));
        names.join("").lines().map(str::to_owned).collect()
    }
}

#[async_trait]
impl Backend for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn with(&self, controls: Controls) -> Box<dyn Sandbox> {
        let mut settings = SandboxSettings::new(config(), self.group.name());
        settings.controls = controls;
        settings.cgroup_parent = Some(self.group.parent());
        Box::new(DockerSandbox::connect(settings).await.expect("run ci/setup first"))
    }

    fn host_address(&self) -> IpAddr {
        // An engine that has just made its bridge names no gateway of it yet: then it is the subnet's first address.
        let format = "{{range .IPAM.Config}}{{println .Gateway}}{{println .Subnet}}{{end}}";
        let told = docker(&["network", "inspect", "bridge", "--format", format]);
        let gateway = told.lines().find_map(|line| line.parse::<Ipv4Addr>().ok());
        let subnet = || {
            told.lines()
                .find_map(|line| line.split_once('/')?.0.parse::<Ipv4Addr>().ok())
        };
        let address = gateway.or_else(|| Some(Ipv4Addr::from_bits(subnet()?.to_bits() + 1)));
        address.expect("the engine's bridge has an address").into()
    }
}

/// Linux namespaces without an engine, with the same control group around all steps.
pub struct Local {
    group: OuterGroup,
    root: TempDir,
}

impl Local {
    pub fn new() -> Self {
        Self {
            group: OuterGroup::new(),
            root: tempfile::tempdir().unwrap(),
        }
    }
}

#[async_trait]
impl Backend for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn with(&self, controls: Controls) -> Box<dyn Sandbox> {
        let mut settings = LocalSettings::new(config(), self.root.path(), self.group.name());
        settings.controls = controls;
        settings.cgroup_parent = Some(format!("/{}", self.group.name()));
        Box::new(LocalSandbox::connect(settings).await.expect("run ci/setup first"))
    }

    fn host_address(&self) -> IpAddr {
        IpAddr::from([127, 0, 0, 1])
    }

    fn proof(&self, attack: &Attack) -> Proof {
        match attack.name {
            // Bubblewrap sets the control itself, and has no option for it.
            "set-uid program" => Proof::OnTheHost,
            // The user namespace refuses them as well, and the host's root is no way around that: without
            // capabilities it can't look into another user's process either.
            "environment of a host process" | "ptrace of a host process" => Proof::OnTheHost,
            // Its `/etc` is bound read-only, whatever the root is.
            "LD_PRELOAD for everybody" => Proof::None,
            _ => Proof::WithoutControl,
        }
    }
}

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
