//! The isolation profile: one pure function, so that it can be read and tested as a whole.

use std::path::{Path, PathBuf};

use super::view::View;
use crate::sandbox::control::{Control, Controls};
use crate::sandbox::docker::image::HOST_PATH;
use crate::sandbox::{PROXY_SOCKET, REPO_DIR, ReadOnlyMount, StepSpec, WORKSPACE_DIR};

const MIB: u64 = 1 << 20;
/// Shared memory: enough for semaphores, too little to hide a build in.
const SHM_BYTES: u64 = 32 << 20;
/// Kernel interfaces that are hidden, as Docker hides them, where the kernel has them.
const HIDDEN_FILES: [&str; 14] = [
    "/proc/config.gz",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/keys",
    "/proc/key-users",
    "/proc/kmsg",
    "/proc/latency_stats",
    "/proc/partitions",
    "/proc/sched_debug",
    "/proc/slabinfo",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/timer_stats",
];
const HIDDEN_FOLDERS: [&str; 3] = ["/proc/acpi", "/proc/asound", "/proc/scsi"];
/// Kernel interfaces that are read-only.
const READ_ONLY: [&str; 4] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"];

/// Descriptor that bubblewrap writes its status to.
pub(super) const STATUS_FD: u32 = 5;
/// First of the descriptors of system call filters.
pub(super) const FILTER_FD: u32 = 6;

/// What a step is run with.
pub(super) struct Profile<'a> {
    pub(super) view: &'a View,
    pub(super) controls: &'a Controls,
    /// The workspace on the host.
    pub(super) workspace: &'a Path,
    /// The step's mounts, where bubblewrap can reach them.
    pub(super) mounts: &'a [ReadOnlyMount],
    pub(super) proxy: Option<&'a Path>,
    /// A folder for `/tmp`; else bubblewrap makes one, which has no bound on the number of files.
    pub(super) tmp: Option<&'a Path>,
    pub(super) step: &'a StepSpec,
    /// Which of the host's kernel interfaces are there.
    pub(super) exists: fn(&Path) -> bool,
}

impl Profile<'_> {
    /// Bubblewrap's options (bwrap(1)).
    pub(super) fn options(&self) -> Vec<String> {
        let mut args = Args::default();
        self.namespaces(&mut args);
        self.environment(&mut args);
        self.folders(&mut args);
        self.kernel(&mut args);
        if !self.has(Control::NoHostMounts) {
            args.add(["--ro-bind", "/", "/host"]);
        }
        if self.has(Control::ReadOnlyRoot) {
            args.add(["--remount-ro", "/"]);
        }
        args.add(["--chdir", REPO_DIR]);
        args.0
    }

    fn has(&self, control: Control) -> bool {
        self.controls.has(control)
    }

    fn namespaces(&self, args: &mut Args) {
        args.add(["--unshare-uts", "--unshare-cgroup-try", "--new-session"]);
        for (control, option) in [
            (Control::PrivateProcesses, "--unshare-pid"),
            (Control::PrivateIpc, "--unshare-ipc"),
            (Control::NoNetwork, "--unshare-net"),
            (Control::EndsWithStep, "--die-with-parent"),
        ] {
            if self.has(control) {
                args.add([option]);
            }
        }
        if self.view.user_namespace {
            let uid = self.view.uid_inside.to_string();
            args.add(["--unshare-user", "--uid", &uid, "--gid", &uid]);
        }
        args.add(["--hostname", "holdpoint", "--json-status-fd", &STATUS_FD.to_string()]);
        for (fd, _) in (FILTER_FD..).zip(&self.view.filters) {
            args.add(["--add-seccomp-fd", &fd.to_string()]);
        }
        let capabilities = if self.has(Control::NoCapabilities) {
            "--cap-drop"
        } else {
            "--cap-add"
        };
        args.add([capabilities, "ALL"]);
    }

    fn environment(&self, args: &mut Args) {
        args.add(["--clearenv"]);
        for (name, value) in [("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("PATH", HOST_PATH)] {
            args.add(["--setenv", name, value]);
        }
        for (name, value) in &self.step.env {
            args.add(["--setenv", name, value]);
        }
    }

    fn folders(&self, args: &mut Args) {
        for (name, target) in &self.view.links {
            args.add(["--symlink", target, name]);
        }
        args.read_only(&self.view.etc, "/etc");
        for mount in self.view.mounts.iter().chain(self.mounts) {
            args.read_only(&mount.host, &mount.inside);
        }
        if let Some(socket) = self.proxy {
            args.read_only(socket, PROXY_SOCKET);
        }
        match self.tmp {
            Some(tmp) => args.add(["--bind", &tmp.to_string_lossy(), "/tmp"]),
            None => {
                let size = self.step.limits.tmp_mib.saturating_mul(MIB).to_string();
                args.add(["--perms", "1777", "--size", &size, "--tmpfs", "/tmp"]);
            }
        }
        args.add(["--symlink", "/tmp", "/var/tmp", "--dir", "/run"]);
        args.add(["--bind", &self.workspace.to_string_lossy(), WORKSPACE_DIR]);
    }

    fn kernel(&self, args: &mut Args) {
        if self.has(Control::PrivateProcesses) {
            args.add(["--proc", "/proc"]);
        } else {
            // A new one can only be mounted by who owns the process namespace.
            args.add(["--bind", "/proc", "/proc"]);
        }
        self.devices(args);
        if self.has(Control::ReadOnlyRoot) {
            args.add(["--remount-ro", "/dev"]);
        }
        if self.has(Control::PrivateIpc) {
            args.add([
                "--perms",
                "1777",
                "--size",
                &SHM_BYTES.to_string(),
                "--tmpfs",
                "/dev/shm",
            ]);
        } else {
            args.add(["--bind", "/dev/shm", "/dev/shm"]);
        }
        if !self.has(Control::MaskedKernel) {
            args.add(["--bind", "/sys", "/sys"]);
            return;
        }
        let there = |path: &&&str| (self.exists)(Path::new(path));
        for path in READ_ONLY.iter().filter(there) {
            args.add(["--ro-bind", path, path]);
        }
        for path in HIDDEN_FILES.iter().filter(there) {
            args.add(["--ro-bind", "/dev/null", path]);
        }
        for path in HIDDEN_FOLDERS.iter().filter(there) {
            args.add(["--tmpfs", path, "--remount-ro", path]);
        }
    }
}

impl Profile<'_> {
    /// For a `/dev` of its own, with terminals, bubblewrap has to be root in a user namespace around the
    /// step's. Capabilities in the inner one would be good for nothing, and nothing would be shown by having them.
    fn devices(&self, args: &mut Args) {
        if self.has(Control::NoCapabilities) || !self.view.user_namespace {
            args.add(["--dev", "/dev"]);
            return;
        }
        args.add(["--tmpfs", "/dev"]);
        for device in ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"] {
            args.add(["--dev-bind", device, device]);
        }
        args.add(["--symlink", "/proc/self/fd", "/dev/fd", "--dir", "/dev/shm"]);
    }
}

#[derive(Default)]
struct Args(Vec<String>);

impl Args {
    fn add<const N: usize>(&mut self, args: [&str; N]) {
        self.0.extend(args.map(str::to_owned));
    }

    fn read_only(&mut self, host: &Path, inside: &str) {
        self.add(["--ro-bind", &host.to_string_lossy(), inside]);
    }
}

/// Options of bash's `ulimit`, for what nothing else bounds.
pub(super) fn resource_limits(step: &StepSpec, controls: &Controls, bounded: Bounded) -> Vec<String> {
    /// Open files per process.
    const MAX_OPEN_FILES: u64 = 16_384;
    /// `ulimit` counts memory and files in these.
    const KIB_PER_MIB: u64 = 1024;
    let limits = &step.limits;
    let mut options = vec![("-c", 0), ("-n", MAX_OPEN_FILES)];
    if controls.has(Control::DiskBound) && !bounded.disk {
        options.push(("-f", limits.disk_mib.saturating_mul(KIB_PER_MIB)));
    }
    if controls.has(Control::MemoryBound) && !bounded.memory {
        options.push(("-d", limits.memory_mib.saturating_mul(KIB_PER_MIB)));
    }
    if controls.has(Control::ProcessBound) && !bounded.processes {
        options.push(("-u", limits.pids.into()));
    }
    options
        .into_iter()
        .flat_map(|(option, value)| [option.to_owned(), value.to_string()])
        .collect()
}

/// What control groups and file systems bound, for all processes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bounded {
    pub(super) memory: bool,
    pub(super) processes: bool,
    pub(super) disk: bool,
}

/// The whole command, to be run by `bash -c SCRIPT`: joins control groups while it still may, closes whatever
/// descriptors we were started with ourselves, then gives up all rights and becomes bubblewrap.
pub(super) const WRAPPER: &str = r#"set -eu
for fd in /proc/self/fd/*; do fd=${fd##*/}; if ((fd > 2)); then exec {fd}>&-; fi; done
while [[ $1 != -- ]]; do echo 0 >"$1"; shift; done
shift
exec 3<"$1" 5<>"$2"
shift 2
if [[ $1 != -- ]]; then exec 6<"$1" 7<"$2"; shift 2; fi
shift
limits=()
while [[ $1 != -- ]]; do limits+=("$1"); shift; done
shift
ulimit "${limits[@]}"
exec "$@""#;

/// The arguments of [`WRAPPER`].
pub(super) struct Launch<'a> {
    /// Files that take the number of a process which joins a group.
    pub(super) groups: Vec<PathBuf>,
    /// File with bubblewrap's options, each ended by a zero.
    pub(super) options: &'a Path,
    /// File that takes bubblewrap's status.
    pub(super) status: &'a Path,
    pub(super) view: &'a View,
    pub(super) limits: Vec<String>,
    pub(super) command: &'a str,
}

impl Launch<'_> {
    pub(super) fn arguments(&self) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let end = || "--".to_owned();
        let mut args = vec!["bash".to_owned()];
        args.extend(self.groups.iter().map(|path| text(path)));
        args.extend([end(), text(self.options), text(self.status)]);
        args.extend(self.view.filters.iter().map(|path| text(path)));
        args.push(end());
        args.extend(self.limits.iter().cloned());
        args.push(end());
        if let Some(user) = self.view.become_user {
            args.extend(["setpriv", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"].map(str::to_owned));
            args.extend([format!("--reuid={user}"), format!("--regid={user}"), end()]);
        }
        args.extend(["bwrap", "--args", "3", "--", "/bin/sh", "-c", self.command].map(str::to_owned));
        args
    }
}
