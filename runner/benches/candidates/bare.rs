//! The same commands without Holdpoint: in hand-written `docker run`s, and on the host.

use holdpoint_runner::sandbox::{Limits, SANDBOX_UID};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::repos::Repo;

const IMAGE: &str = "holdpoint/host-view:latest";
const PATH: &str = "/opt/rust/bin:/usr/local/bin:/usr/bin:/bin";

/// One `docker run` for each command, isolated as the sandbox's steps are, in a folder that was built before.
pub struct ByHand<'a> {
    repo: &'a Repo,
    folder: tempfile::TempDir,
    flags: Vec<String>,
}

impl<'a> ByHand<'a> {
    pub fn new(repo: &'a Repo, limits: &Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("workspace");
        let cpus = format!("{}", f64::from(limits.cpu_millis) / 1000.0);
        let memory = format!("{}m", limits.memory_mib);
        let mut flags: Vec<String> = [
            "run",
            "--rm",
            "--init",
            "--network",
            "none",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--ipc",
            "private",
            "--security-opt",
            "no-new-privileges",
            "--log-driver",
            "none",
            "--shm-size",
            "32m",
            "--hostname",
            "holdpoint",
            "--ulimit",
            "core=0",
            "--ulimit",
            "fsize=4294967296",
            "--ulimit",
            "nofile=16384",
            "--workdir",
            "/workspace/repo",
            "--env",
            "HOME=/tmp",
            "--env",
            "CARGO_HOME=/workspace/cache/cargo",
            "--env",
            "CARGO_NET_OFFLINE=true",
            "--env",
            "npm_config_cache=/workspace/cache/npm",
            "--env",
            "npm_config_offline=true",
        ]
        .map(str::to_owned)
        .into();
        flags.push(format!("--env=PATH={PATH}"));
        flags.push(format!("--user={SANDBOX_UID}:{SANDBOX_UID}"));
        flags.push(format!("--cpus={cpus}"));
        flags.push(format!("--memory={memory}"));
        flags.push(format!("--memory-swap={memory}"));
        flags.push(format!("--pids-limit={}", limits.pids));
        flags.push(format!(
            "--tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777,size={}m",
            limits.tmp_mib
        ));
        flags.push(format!("--volume={}:/workspace", workspace.display()));
        for seen in ["/usr", "/etc/alternatives", "/etc/ssl/certs"] {
            flags.push(format!("--volume={seen}:{seen}:ro"));
        }
        flags.push(format!("--volume={}:/opt/rust:ro", rust_toolchain().display()));
        let by_hand = Self { repo, folder, flags };
        for name in ["repo", "cache"] {
            fs::create_dir_all(workspace.join(name)).unwrap();
        }
        by_hand.ready(0);
        by_hand.run();
        by_hand
    }

    /// Lays a candidate into the folder, as a person would: only what differs is written.
    pub fn ready(&self, candidate: usize) {
        let workspace = self.folder.path().join("workspace");
        lay(self.repo, candidate, &workspace.join("repo"));
        let owner = format!("{SANDBOX_UID}:{SANDBOX_UID}");
        assert!(
            Command::new("chown")
                .args(["-R", &owner])
                .arg(&workspace)
                .status()
                .unwrap()
                .success()
        );
    }

    pub fn run(&self) {
        for command in [self.repo.build, self.repo.test] {
            let mut docker = Command::new("docker");
            docker.args(&self.flags).args([IMAGE, "/bin/sh", "-c", command]);
            finish(docker);
        }
    }
}

/// The commands on the host, in one folder, with nothing around them.
pub struct OnHost<'a> {
    repo: &'a Repo,
    folder: tempfile::TempDir,
}

impl<'a> OnHost<'a> {
    pub fn new(repo: &'a Repo) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { repo, folder }
    }

    pub fn run(&self, candidate: usize) {
        let repo = self.folder.path().join("repo");
        lay(self.repo, candidate, &repo);
        for command in [self.repo.build, self.repo.test] {
            let mut shell = Command::new("/bin/sh");
            let path = format!("{}/bin:/usr/local/bin:/usr/bin:/bin", rust_toolchain().display());
            shell
                .args(["-c", command])
                .current_dir(&repo)
                .env_clear()
                .envs([
                    ("PATH", path.as_str()),
                    ("LANG", "C.UTF-8"),
                    ("CARGO_NET_OFFLINE", "true"),
                ])
                .env("HOME", self.folder.path());
            finish(shell);
        }
    }
}

fn finish(mut command: Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&said)
    );
}

fn lay(repo: &Repo, candidate: usize, folder: &Path) {
    for (path, text) in repo.files(candidate) {
        let path = folder.join(path);
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
    }
}

fn rust_toolchain() -> PathBuf {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir("/")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}
