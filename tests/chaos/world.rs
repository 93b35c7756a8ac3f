//! A world of its own: network, process and mount namespaces, a disk in a file, a control group, and an engine at its
//! usual place, which nobody outside sees. The test starts itself in it again.
//!
//! A second engine may only ever run in a network namespace of its own: elsewhere it takes down the first one's
//! bridge.

use rustix::fs::statvfs;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::leftovers;

/// Says to the second process where its world is.
const INSIDE: &str = "HOLDPOINT_CHAOS_WORLD";
/// Programs that a world needs.
const PROGRAMS: [&str; 9] = [
    "bash",
    "bwrap",
    "docker",
    "dockerd",
    "git",
    "losetup",
    "mkfs.ext4",
    "setpriv",
    "unshare",
];
/// The disk of a world, in bytes. Sparse: only what is written counts.
const DISK_BYTES: u64 = 3 << 30;
/// Makes the world and runs the test in it. The shell stays: a process namespace needs somebody who reaps orphans.
/// On a disk that isn't shared, as it is on most hosts, each start of the engine would mount its folder over itself and
/// hide the disks in it. `/run` is where the engine listens, and `/var/lib/holdpoint` is where the local sandbox works.
const MAKE: &str = r#"
set -eu
world=$1; shift
mount -t tmpfs -o mode=755 tmpfs /run
mount -o loop,noatime "$world/disk.img" "$world/disk"
mount --make-shared "$world/disk"
mkdir -p "$world/disk/tmp" "$world/disk/holdpoint" /var/lib/holdpoint
mount --bind "$world/disk/holdpoint" /var/lib/holdpoint
mount --make-private /var/lib/holdpoint
status=0
"$@" || status=$?
exit $status
"#;
const MEMORY: &str = "/sys/fs/cgroup/memory";
const UNIFIED: &str = "/sys/fs/cgroup";

/// What became of the attempt to enter one.
pub enum Entered {
    /// This machine can't have one; why.
    Skipped(String),
    /// It was made, the test ran in it, and it is gone again.
    Outside(ExitStatus),
    /// This is the process in it.
    Inside(World),
}

/// The world, seen from inside.
pub struct World {
    pub root: PathBuf,
    pub engine: Engine,
}

impl World {
    /// Enters a new world with the test of this name.
    pub fn enter(test: &str) -> Entered {
        if let Some(root) = std::env::var_os(INSIDE) {
            return Entered::Inside(Self::inside(PathBuf::from(root)));
        }
        match impossible() {
            Some(why) => Entered::Skipped(why),
            None => Entered::Outside(Self::outside(test)),
        }
    }

    fn outside(test: &str) -> ExitStatus {
        remove_what_killed_ones_left();
        let root = tempfile::Builder::new()
            .prefix(&format!("chaos-{}-", std::process::id()))
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .unwrap();
        let image = root.path().join("disk.img");
        fs::File::create(&image).unwrap().set_len(DISK_BYTES).unwrap();
        fs::create_dir(root.path().join("disk")).unwrap();
        let made = Command::new("mkfs.ext4")
            .args(["-q", "-F", "-m", "0"])
            .arg(&image)
            .status();
        assert!(made.unwrap().success(), "no file system");
        let status = unshare()
            .args(["bash", "-c", MAKE, "bash"])
            .arg(root.path())
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, root.path())
            // Its own count of tests is not this one's.
            .stdout(Stdio::null())
            .status();
        remove_group(root.path());
        status.unwrap()
    }

    fn inside(root: PathBuf) -> Self {
        let group = group(&root);
        fs::create_dir_all(group.join("run")).unwrap();
        let engine = Engine::start(&root);
        Self { root, engine }
    }

    /// The disk that everything of this world is on.
    pub fn disk(&self) -> PathBuf {
        self.root.join("disk")
    }

    /// Folder of temporary files.
    pub fn temporary(&self) -> PathBuf {
        self.disk().join("tmp")
    }

    /// Takes all of the disk that is left.
    pub fn fill_disk(&self) {
        let ballast = fs::File::create(self.ballast()).unwrap();
        loop {
            let room = statvfs(self.disk()).unwrap();
            // In ever smaller pieces: what is said to be free can't always be had.
            let mut piece = room.f_bavail * room.f_frsize;
            let from = ballast.metadata().unwrap().len();
            let flags = rustix::fs::FallocateFlags::empty();
            while piece > 0 && rustix::fs::fallocate(&ballast, flags, from, piece).is_err() {
                piece /= 2;
            }
            if piece == 0 {
                return;
            }
        }
    }

    /// Takes the disks of all kept baselines down, and their files away.
    pub fn lose_baselines(&self) {
        for point in leftovers::mounts(self) {
            let image = ["layer", "disk"]
                .iter()
                .find_map(|name| point.strip_suffix(&format!("/{name}")));
            let image = Path::new(image.unwrap_or_else(|| panic!("`{point}` is no disk"))).join("disk.img");
            assert!(Command::new("umount").arg(&point).status().unwrap().success());
            fs::remove_file(image).unwrap();
        }
    }

    fn ballast(&self) -> PathBuf {
        self.disk().join("ballast")
    }

    /// Leaves the members of the world's group, and the steps, only so much more memory than they have now.
    pub fn starve(&self, mib: u64) {
        let mut bytes = self.memory_in_use() + (mib << 20);
        // Refused while more than that is in use.
        while fs::write(self.memory_bound(), bytes.to_string()).is_err() {
            bytes += 1 << 20;
        }
    }

    fn memory_in_use(&self) -> u64 {
        let text = fs::read_to_string(group(&self.root).join("memory.stat")).unwrap();
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
        };
        value("total_rss ").or_else(|| value("anon ")).unwrap()
    }

    fn memory_bound(&self) -> PathBuf {
        let group = group(&self.root);
        let first = group.join("memory.limit_in_bytes");
        if first.exists() {
            first
        } else {
            group.join("memory.max")
        }
    }

    /// Ends every fault.
    pub fn repair(&mut self) {
        let _ = fs::remove_file(self.ballast());
        let unbounded = if self.memory_bound().ends_with("memory.max") {
            "max"
        } else {
            "-1"
        };
        fs::write(self.memory_bound(), unbounded).unwrap();
        self.engine.ensure();
    }

    /// The file that takes the process number of who joins the world's group.
    pub fn joins(&self) -> PathBuf {
        group(&self.root).join("run/cgroup.procs")
    }

    /// The engine goes before the disk does.
    pub fn end(&mut self) {
        self.engine.stop();
    }
}

/// Waits until it holds, for as long as a busy machine may take.
pub fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// The control group of a world, of both holdpoint and the engine's containers.
pub fn group(root: &Path) -> PathBuf {
    let above = if Path::new(MEMORY).exists() { MEMORY } else { UNIFIED };
    Path::new(above).join(group_name(root))
}

/// Its name, which no other world has.
pub fn group_name(root: &Path) -> String {
    format!("holdpoint-{}", root.file_name().unwrap().to_str().unwrap())
}

/// The files and groups of worlds whose test was killed. All else went with their namespaces.
fn remove_what_killed_ones_left() {
    for entry in fs::read_dir(env!("CARGO_TARGET_TMPDIR")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let owner = name.strip_prefix("chaos-").and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove_group(&entry.path());
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
}

/// Empty by now: all its processes ended with their namespace.
fn remove_group(root: &Path) {
    let name = group_name(root);
    let hierarchies = fs::read_dir(UNIFIED).unwrap().map(|entry| entry.unwrap().path());
    for hierarchy in hierarchies.chain([PathBuf::from(UNIFIED)]) {
        let group = hierarchy.join(&name);
        let _ = fs::remove_dir(group.join("run"));
        let _ = fs::remove_dir(group);
    }
}

fn unshare() -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork"])
        .args(["--kill-child", "--mount-proc", "--propagation", "private"]);
    command
}

/// Why this machine can't have a world.
fn impossible() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can make a world of its own".to_owned());
    }
    let found = |program: &&str| {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).exists()))
    };
    if let Some(missing) = PROGRAMS.iter().find(|program| !found(program)) {
        return Some(format!("`{missing}` is not installed"));
    }
    let tried = unshare()
        .args(["mount", "-t", "tmpfs", "tmpfs", "/run"])
        .output()
        .unwrap();
    if !tried.status.success() {
        let said = String::from_utf8_lossy(&tried.stderr);
        return Some(format!("no namespaces of its own here: {}", said.trim()));
    }
    None
}
