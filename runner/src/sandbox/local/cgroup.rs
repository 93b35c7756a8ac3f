//! Control groups: what a step may use of memory, CPU and processes, and who belongs to it.
//! Both versions (cgroups(7)); of version 1 also the hybrid form, with one hierarchy per controller.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::profile::Bounded;
use crate::sandbox::Limits;
use crate::sandbox::control::{Control, Controls};

/// Bubblewrap's own two processes.
const HELPERS: u32 = 2;
/// Microseconds over which CPU time is counted.
const CPU_PERIOD: u64 = 100_000;
/// How long killed processes may take to be gone: their memory is given back first.
const LAST_BREATH: Duration = Duration::from_secs(10);
/// Between two looks whether they are.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Where groups can be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Groups {
    memory: Option<Parent>,
    pids: Option<Parent>,
    cpu: Option<Parent>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parent {
    folder: PathBuf,
    /// Version 2.
    unified: bool,
}

impl Groups {
    /// Those that this process may make, found by making some.
    pub(super) fn find(parent: Option<&str>) -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let find = |controller: &str, file_v1: &str, file_v2: &str| {
            let candidates = match parent {
                Some(parent) => below(&candidates("", &mounts, controller), parent),
                None => candidates(&own, &mounts, controller),
            };
            candidates.into_iter().find(|parent| {
                let file = if parent.unified { file_v2 } else { file_v1 };
                usable(parent, controller, file)
            })
        };
        Self {
            memory: find("memory", "memory.limit_in_bytes", "memory.max"),
            pids: find("pids", "pids.max", "pids.max"),
            cpu: find("cpu", "cpu.cfs_quota_us", "cpu.max"),
        }
    }

    pub(super) fn any(&self) -> bool {
        self.parents().next().is_some()
    }

    /// Which of the controls groups can put in force here.
    pub(super) fn bounds(&self, control: Control) -> bool {
        match control {
            Control::MemoryBound => self.memory.is_some(),
            Control::ProcessBound => self.pids.is_some(),
            Control::CpuBound => self.cpu.is_some(),
            _ => false,
        }
    }

    /// What groups bound.
    pub(super) fn bounded(&self) -> Bounded {
        Bounded {
            memory: self.memory.is_some(),
            processes: self.pids.is_some(),
            ..Bounded::default()
        }
    }

    fn parents(&self) -> impl Iterator<Item = &Parent> {
        [&self.memory, &self.pids, &self.cpu].into_iter().flatten()
    }

    /// Makes a group with these limits.
    pub(super) fn make(&self, name: &str, limits: &Limits, controls: &Controls) -> io::Result<Group> {
        let mut group = Group {
            folders: BTreeSet::new(),
            events: None,
        };
        for parent in self.parents() {
            let folder = parent.folder.join(name);
            if group.folders.insert(folder.clone()) {
                fs::create_dir(&folder)?;
            }
        }
        let write = |parent: &Parent, file: &str, value: u64| {
            let text = if file == "cpu.max" {
                format!("{value} {CPU_PERIOD}")
            } else {
                value.to_string()
            };
            fs::write(parent.folder.join(name).join(file), text)
        };
        if let Some(parent) = &self.memory {
            let folder = parent.folder.join(name);
            group.events = Some(folder.join(if parent.unified {
                "memory.events"
            } else {
                "memory.oom_control"
            }));
            if controls.has(Control::MemoryBound) {
                let bytes = limits.memory_mib.saturating_mul(1 << 20);
                if parent.unified {
                    write(parent, "memory.max", bytes)?;
                    // Neither is there where swap isn't counted.
                    if folder.join("memory.swap.max").exists() {
                        write(parent, "memory.swap.max", 0)?;
                    }
                } else {
                    write(parent, "memory.limit_in_bytes", bytes)?;
                    if folder.join("memory.memsw.limit_in_bytes").exists() {
                        write(parent, "memory.memsw.limit_in_bytes", bytes)?;
                    }
                }
            }
        }
        if let Some(parent) = self.pids.as_ref().filter(|_| controls.has(Control::ProcessBound)) {
            write(parent, "pids.max", limits.pids.saturating_add(HELPERS).into())?;
        }
        if let Some(parent) = self.cpu.as_ref().filter(|_| controls.has(Control::CpuBound)) {
            let quota = u64::from(limits.cpu_millis).saturating_mul(CPU_PERIOD / 1000);
            write(
                parent,
                if parent.unified { "cpu.max" } else { "cpu.cfs_quota_us" },
                quota,
            )?;
        }
        Ok(group)
    }

    /// Groups whose names begin so: those of a workspace.
    pub(super) fn named(&self, prefix: &str) -> Vec<Group> {
        let mut folders = BTreeSet::new();
        for parent in self.parents() {
            for entry in fs::read_dir(&parent.folder).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(prefix) {
                    folders.insert(entry.path());
                }
            }
        }
        let single = |folder| Group {
            folders: BTreeSet::from([folder]),
            events: None,
        };
        folders.into_iter().map(single).collect()
    }
}

/// Groups in which ours could be made, best first: below the group that we are in, and, as nothing but
/// the root of version 2 may have both processes and controllers for others, above it.
fn candidates(own: &str, mounts: &str, controller: &str) -> Vec<Parent> {
    let mut found = Vec::new();
    for line in mounts.lines() {
        let Some((mount, file_system)) = line.split_once(" - ") else {
            continue;
        };
        let mut fields = mount.split(' ').skip(3);
        let (Some(root), Some(point)) = (fields.next(), fields.next()) else {
            continue;
        };
        let mut kind = file_system.split(' ');
        let (name, options) = (kind.next().unwrap_or_default(), kind.nth(1).unwrap_or_default());
        let unified = name == "cgroup2";
        if !unified && !(name == "cgroup" && options.split(',').any(|option| option == controller)) {
            continue;
        }
        let path = own.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let ours = if unified {
                controllers.is_empty()
            } else {
                controllers.split(',').any(|name| name == controller)
            };
            ours.then_some(path)
        });
        let below = path
            .and_then(|path| Path::new(path).strip_prefix(root).ok())
            .unwrap_or(Path::new(""));
        let deepest = Path::new(point).join(below);
        let above = if unified { usize::MAX } else { 1 };
        let folders = deepest
            .ancestors()
            .take(above)
            .take_while(|folder| folder.starts_with(point));
        let parents = folders.map(|folder| Parent {
            folder: folder.to_owned(),
            unified,
        });
        found.extend(parents);
    }
    // A controller is in one hierarchy only; the one that has it answers.
    found.sort_by_key(|parent| parent.unified);
    found
}

/// The group of this path in each hierarchy.
fn below(roots: &[Parent], path: &str) -> Vec<Parent> {
    let inside = |root: &Parent| Parent {
        folder: root.folder.join(path.trim_start_matches('/')),
        unified: root.unified,
    };
    roots.iter().map(inside).collect()
}

/// Whether a group with this controller can be made there.
fn usable(parent: &Parent, controller: &str, file: &str) -> bool {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let probe = parent
        .folder
        .join(format!("holdpoint-probe-{}-{count}", std::process::id()));
    let controllers = fs::read_to_string(parent.folder.join("cgroup.controllers")).unwrap_or_default();
    if parent.unified && !controllers.split_whitespace().any(|name| name == controller) {
        return false;
    }
    if fs::create_dir_all(&probe).is_err() {
        return false;
    }
    if parent.unified && !probe.join(file).exists() {
        // Refused where processes are in the group already.
        let _ = fs::write(parent.folder.join("cgroup.subtree_control"), format!("+{controller}"));
    }
    let writable = fs::OpenOptions::new().write(true).open(probe.join(file)).is_ok();
    let _ = fs::remove_dir(&probe);
    writable
}

/// A step's group, in every hierarchy that it needs.
#[derive(Debug, Clone)]
pub(super) struct Group {
    folders: BTreeSet<PathBuf>,
    events: Option<PathBuf>,
}

impl Group {
    /// Files that take the number of a process which joins.
    pub(super) fn join_files(&self) -> Vec<PathBuf> {
        self.folders.iter().map(|folder| folder.join("cgroup.procs")).collect()
    }

    /// Whether the kernel killed in it for memory.
    pub(super) fn ran_out_of_memory(&self) -> bool {
        let text = self.events.as_ref().and_then(|events| fs::read_to_string(events).ok());
        text.is_some_and(|text| oom_kills(&text) > 0)
    }

    fn members(&self) -> BTreeSet<i32> {
        let lists = self
            .folders
            .iter()
            .filter_map(|folder| fs::read_to_string(folder.join("cgroup.procs")).ok());
        lists
            .flat_map(|list| list.lines().filter_map(|line| line.parse().ok()).collect::<Vec<i32>>())
            .collect()
    }

    /// Kills whoever is in it, once; whether there was anybody.
    pub(super) fn kill_once(&self) -> bool {
        let members = self.members();
        for pid in &members {
            // 0: somebody of a process namespace that we don't see.
            if let Some(pid) = Pid::from_raw(*pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        !members.is_empty()
    }

    /// Kills until nobody is left, or it takes too long.
    pub(super) async fn kill(&self) {
        let began = Instant::now();
        while self.kill_once() && began.elapsed() < LAST_BREATH {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The same, on a thread that may wait.
    pub(super) fn kill_and_wait(&self) {
        let began = Instant::now();
        while self.kill_once() && began.elapsed() < LAST_BREATH {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Removes it. Whoever is still in it stays, and so does the group.
    pub(super) fn remove(&self) {
        for folder in &self.folders {
            if let Err(error) = fs::remove_dir(folder)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::debug!("the group `{}` stays for now: {error}", folder.display());
            }
        }
    }
}

/// The count of `oom_kill`, which version 1 has in `memory.oom_control` (Linux 4.13) and version 2 in
/// `memory.events`.
fn oom_kills(text: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(parents: &[Parent]) -> Vec<String> {
        parents
            .iter()
            .map(|parent| parent.folder.display().to_string())
            .collect()
    }

    #[test]
    fn a_hierarchy_of_version_1_is_found_by_its_controller() {
        let mounts = "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      31 25 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
        let own = "4:memory:/session/7\n2:cpu,cpuacct:/\n";
        assert_eq!(
            folders(&candidates(own, mounts, "memory")),
            ["/sys/fs/cgroup/memory/session/7"]
        );
        assert_eq!(folders(&candidates(own, mounts, "cpu")), ["/sys/fs/cgroup/cpu/"]);
        assert!(candidates(own, mounts, "pids").is_empty());
    }

    #[test]
    fn a_mount_that_shows_only_a_part_is_taken_from_that_part() {
        let mounts = "30 25 0:26 /docker/ab /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        assert_eq!(
            folders(&candidates("4:memory:/docker/ab/x\n", mounts, "memory")),
            ["/sys/fs/cgroup/memory/x"]
        );
    }

    #[test]
    fn in_version_2_the_groups_above_come_next() {
        let mounts = "30 25 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = candidates("0::/user.slice/me\n", mounts, "memory");
        assert_eq!(
            folders(&found),
            [
                "/sys/fs/cgroup/user.slice/me",
                "/sys/fs/cgroup/user.slice",
                "/sys/fs/cgroup"
            ]
        );
        assert!(found.iter().all(|parent| parent.unified));
    }

    #[test]
    fn kills_for_memory_are_counted_in_both_versions() {
        assert_eq!(oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), 3);
        assert_eq!(
            oom_kills("low 0\nhigh 0\nmax 9\noom 1\noom_kill 0\noom_group_kill 0\n"),
            0
        );
        assert_eq!(oom_kills(""), 0);
    }
}
