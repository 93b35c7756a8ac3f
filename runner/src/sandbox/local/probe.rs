//! What is really in force on this machine: asked of a first step, not of the documentation.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::{Shared, failed};
use crate::error::SandboxError;
use crate::sandbox::control::{Control, Controls};
use crate::sandbox::{SANDBOX_UID, WorkspaceId};

/// Prints facts, a line each. Whoever writes into it what doesn't hold makes the sandbox look weaker only.
const QUESTIONS: &str = r#"
say() { printf '%s=%s\n' "$1" "$2"; }
say uid "$(id -u)/$(id -g)"
while read -r name value; do case $name in CapEff:|CapBnd:|NoNewPrivs:|Seccomp:) say "$name" "$value";; esac; done </proc/self/status
for name in net pid ipc mnt user; do say "$name" "$(readlink /proc/self/ns/$name)"; done
say interfaces "$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \n')"
for file in /x /usr/x /etc/x /dev/x; do if (: >$file) 2>/dev/null; then say writable $file; fi; done
for file in /proc/keys /proc/kallsyms /proc/kcore /sys/kernel; do if head -c 1 $file >/dev/null 2>&1 || [ -d $file ]; then say kernel $file; fi; done
say root "$(ls -A / | tr '\n' ' ')"
"#;
/// What is in the root of the view; more isn't hidden.
const IN_ROOT: [&str; 16] = [
    "bin",
    "dev",
    "etc",
    "holdpoint",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "opt",
    "proc",
    "run",
    "sbin",
    "tmp",
    "usr",
    "var",
    "workspace",
];
/// A first step on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a first step said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(BTreeMap<String, String>);

/// Runs a first step. When that can't be, bubblewrap doesn't work here.
pub(super) async fn observe(shared: &Shared) -> Result<Seen, SandboxError> {
    let workspace = WorkspaceId(shared.store.new_slot(None)?);
    let seen = ask(shared, &workspace).await;
    shared
        .store
        .discard(workspace.as_str())
        .map_err(failed("remove a workspace"))?;
    seen
}

async fn ask(shared: &Shared, workspace: &WorkspaceId) -> Result<Seen, SandboxError> {
    let slot = shared.store.slot(workspace.as_str());
    let disk = shared.disks.plain().make_tree(&slot.join("tree"));
    disk.map_err(failed("make a workspace"))?;
    let mut step = shared.own_step(QUESTIONS.trim_start());
    step.limits.wall = PATIENCE;
    step.capture_bytes = 64 << 10;
    let outcome = shared.run_step(workspace, &step, &|_| {}).await;
    if !outcome.end.is_success() {
        let said = outcome.tail.lines().last().map(str::to_owned);
        return Err(SandboxError::NoBubblewrap(
            said.unwrap_or_else(|| format!("a first step ended as {:?}", outcome.end)),
        ));
    }
    Ok(Seen::read(&String::from_utf8_lossy(&outcome.captured)))
}

impl Seen {
    fn read(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|seen| seen == value)
    }

    /// Whether a namespace is another one than ours.
    fn private(&self, name: &str) -> bool {
        let ours = fs::read_link(format!("/proc/self/ns/{name}")).ok();
        match (self.0.get(name), ours) {
            (Some(seen), Some(ours)) => !seen.is_empty() && *seen != ours.to_string_lossy(),
            _ => false,
        }
    }

    /// The controls that are wanted and in force.
    pub(super) fn controls(&self, shared: &Shared) -> Controls {
        Control::ALL
            .into_iter()
            .filter(|control| !self.holds(*control, shared))
            .fold(shared.controls.clone(), Controls::without)
    }

    fn holds(&self, control: Control, shared: &Shared) -> bool {
        match control {
            Control::UnprivilegedUser => {
                self.is("uid", &format!("{SANDBOX_UID}/{SANDBOX_UID}"))
                    && self.private("user")
                    && !shared.runs_as_root()
            }
            Control::ReadOnlyRoot => !self.0.contains_key("writable"),
            Control::NoCapabilities => ["CapEff:", "CapBnd:"].iter().all(|name| {
                self.0
                    .get(*name)
                    .is_some_and(|set| set.bytes().all(|digit| digit == b'0'))
            }),
            Control::NoNewPrivileges => self.is("NoNewPrivs:", "1"),
            // 2: filtered (proc_pid_status(5)).
            Control::Seccomp => self.is("Seccomp:", "2"),
            Control::NoNetwork => self.private("net") && self.is("interfaces", "lo"),
            Control::PrivateProcesses => self.private("pid"),
            Control::PrivateIpc => self.private("ipc"),
            Control::NoHostMounts => {
                self.private("mnt")
                    && self
                        .0
                        .get("root")
                        .is_some_and(|root| root.split_whitespace().all(|name| IN_ROOT.contains(&name)))
            }
            Control::MaskedKernel => !self.0.contains_key("kernel"),
            Control::CpuBound | Control::MemoryBound | Control::ProcessBound => shared.groups.bounds(control),
            Control::DiskBound => shared.disks.size_mib.is_some(),
            // Without a process namespace, only a group knows who belongs to a step.
            Control::EndsWithStep => self.private("pid") || shared.groups.any(),
            // Ours to keep, whatever the machine; the conformance suite shows that we do.
            Control::TimeBound | Control::OutputBound | Control::SealedSnapshot | Control::CheckedTree => true,
        }
    }
}

impl Shared {
    /// Whether steps are root on the host.
    fn runs_as_root(&self) -> bool {
        self.view.as_root && self.view.become_user.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_namespaces_are_not_private_and_unknown_ones_neither() {
        let ours = fs::read_link("/proc/self/ns/net").unwrap();
        assert!(!Seen::read(&format!("net={}", ours.display())).private("net"));
        assert!(!Seen::read("").private("net"));
        assert!(!Seen::read("net=").private("net"));
        assert!(Seen::read("net=net:[1]").private("net"));
    }
}
