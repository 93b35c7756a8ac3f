//! The sandboxes that are attacked.

use super::attack::Attack;
use super::group::OuterGroup;
use async_trait::async_trait;
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_runner::sandbox::control::{Control, Controls};
use holdpoint_runner::{DockerSandbox, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use std::net::IpAddr;
use std::process::Command;

/// A kind of sandbox.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// One with these controls, bounded by something else as well, so that no attack harms the machine.
    async fn with(&self, controls: Controls) -> Box<dyn Sandbox>;

    /// An address of the host that a step reaches when it has a network.
    fn host_address(&self) -> IpAddr;

    /// Controls that stop this attack in this sandbox, besides its own.
    fn besides(&self, attack: &Attack) -> Vec<Control> {
        attack.besides.to_vec()
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
        let mut settings = SandboxSettings::new(SandboxConfig::default(), self.group.name());
        settings.controls = controls;
        settings.cgroup_parent = Some(self.group.parent());
        Box::new(DockerSandbox::connect(settings).await.expect("run ci/setup first"))
    }

    fn host_address(&self) -> IpAddr {
        let format = "{{range .IPAM.Config}}{{println .Gateway}}{{end}}";
        let gateways = docker(&["network", "inspect", "bridge", "--format", format]);
        let address = gateways
            .lines()
            .find_map(|line| line.parse().ok().filter(IpAddr::is_ipv4));
        address.expect("the engine's bridge has an address")
    }
}

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
