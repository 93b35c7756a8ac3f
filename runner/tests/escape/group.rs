//! A control group around all attacks: with their own bound taken away they meet this one, not the machine's end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

const ROOT: &str = "/sys/fs/cgroup";
const PROCESSES: &str = "700";
const MEMORY_BYTES: &str = "3221225472";

/// The group; removed when dropped.
pub struct OuterGroup {
    name: String,
}

impl OuterGroup {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("holdpoint-escape-{}-{count}", std::process::id());
        let group = Self { name };
        if uses_systemd() {
            let slice = group.slice();
            let memory = format!("MemoryMax={MEMORY_BYTES}");
            let tasks = format!("TasksMax={PROCESSES}");
            let status = Command::new("systemctl")
                .args(["set-property", "--runtime", &slice, &memory, &tasks])
                .status()
                .unwrap();
            assert!(status.success(), "no slice `{slice}`");
        } else if Path::new(ROOT).join("cgroup.controllers").exists() {
            fs::write(Path::new(ROOT).join("cgroup.subtree_control"), "+pids +memory").unwrap();
            group.bound("", "pids.max", PROCESSES);
            group.bound("", "memory.max", MEMORY_BYTES);
        } else {
            group.bound("pids", "pids.max", PROCESSES);
            group.bound("memory", "memory.limit_in_bytes", MEMORY_BYTES);
        }
        group
    }

    fn slice(&self) -> String {
        // Dashes would make a hierarchy of slices, systemd.slice(5).
        format!("{}.slice", self.name.replace('-', "_"))
    }

    /// Its name, which no other has.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As the engine takes it.
    pub fn parent(&self) -> String {
        if uses_systemd() {
            self.slice()
        } else {
            format!("/{}", self.name)
        }
    }

    fn bound(&self, controller: &str, file: &str, value: &str) {
        let folder = Path::new(ROOT).join(controller).join(&self.name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), value).unwrap();
    }
}

impl Drop for OuterGroup {
    fn drop(&mut self) {
        // The engine made the group for the other controllers.
        let controllers = fs::read_dir(ROOT)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        for controller in controllers.chain([PathBuf::from(ROOT)]) {
            let _ = fs::remove_dir(controller.join(&self.name));
        }
    }
}

fn uses_systemd() -> bool {
    let output = Command::new("docker")
        .args(["info", "--format", "{{.CgroupDriver}}"])
        .output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"systemd")
}
