//! The world's own container engine.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::world::{eventually, group_name};

/// A running `dockerd`.
pub struct Engine {
    root: PathBuf,
    process: Child,
}

impl Engine {
    /// Starts it, with the image that steps run in.
    pub fn start(root: &Path) -> Self {
        let mut engine = Self {
            root: root.to_owned(),
            process: spawn(root),
        };
        engine.wait();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/host-view-image");
        assert!(Command::new(script).status().unwrap().success(), "no image");
        engine
    }

    fn wait(&mut self) {
        let answers = eventually(|| docker(&["version", "--format", "{{.Server.Version}}"]).status.success());
        assert!(answers, "the engine does not answer:\n{}", self.log());
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.root.join("dockerd.log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Ends it without a warning, and starts it again.
    pub fn kill_and_start(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = spawn(&self.root);
    }

    /// Ends it as its service would, and starts it again.
    pub fn restart(&mut self) {
        self.stop();
        self.process = spawn(&self.root);
    }

    /// Ends it as its service would.
    pub fn stop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        self.process.wait().unwrap();
    }

    /// Starts it again should it have ended, and waits until it answers.
    pub fn ensure(&mut self) {
        if self.process.try_wait().unwrap().is_some() {
            self.process = spawn(&self.root);
        }
        self.wait();
    }
}

fn spawn(root: &Path) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(root.join("dockerd.log"))
        .unwrap();
    Command::new("dockerd")
        .arg("--data-root")
        .arg(root.join("disk/docker"))
        .args(["--host", "unix:///run/docker.sock", "--exec-root", "/run/docker"])
        .args(["--pidfile", "/run/docker.pid", "--shutdown-timeout", "2"])
        .args(["--bridge", "none", "--iptables=false", "--ip6tables=false"])
        .args(["--ip-forward=false", "--ip-masq=false"])
        .args(["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent"])
        .arg(format!("/{}", group_name(root)))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// The engine's command line.
pub fn docker(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().unwrap()
}

/// What it printed, line by line.
pub fn docker_lines(arguments: &[&str]) -> Vec<String> {
    let output = docker(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}
