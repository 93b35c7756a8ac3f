//! What runs have left in the world.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use crate::engine::docker_lines;
use crate::world::{World, eventually, group_name};

/// Where the local sandbox works.
const LOCAL: &str = "/var/lib/holdpoint";
const HIERARCHIES: &str = "/sys/fs/cgroup";

/// Everything of holdpoint's that is there, but what was told before.
pub fn all(world: &World, told: &mut BTreeSet<String>) -> Vec<String> {
    settled(told, || now(world))
}

/// The same without the baselines that are kept for the next run.
pub fn beside_baselines(world: &World, told: &mut BTreeSet<String>) -> Vec<String> {
    settled(told, || {
        let mut kept = vec!["/snapshots/".to_owned()];
        let markers = ["volume", "ls", "--filter", "label=holdpoint.snapshot", "--format"];
        let format = "{{.Name}} {{.Label \"holdpoint.snapshot-store\"}}";
        for line in docker_lines(&[&markers[..], &[format]].concat()) {
            kept.extend(line.split(' ').map(str::to_owned));
        }
        let mut found = now(world);
        found.retain(|what| !kept.iter().any(|name| what.contains(name)));
        found
    })
}

/// What has ended may take a moment to be gone.
fn settled(told: &mut BTreeSet<String>, look: impl Fn() -> Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    eventually(|| {
        found = look();
        found.retain(|what| !told.contains(what));
        found.is_empty()
    });
    told.extend(found.iter().cloned());
    found
}

fn now(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut add = |kind: &str, names: Vec<String>| found.extend(names.into_iter().map(|name| format!("{kind} {name}")));
    add(
        "container",
        docker_lines(&["ps", "-a", "--format", "{{.ID}} {{.Names}} {{.Status}}"]),
    );
    add("volume", docker_lines(&["volume", "ls", "-q"]));
    add("loop device", loops(world));
    add("mount", mounts(world));
    add("process", processes());
    add("control group", groups(world));
    add("temporary file", names(&world.temporary()));
    for folder in ["slots", "snapshots"] {
        add("folder", names(&Path::new(LOCAL).join("sandbox").join(folder)));
    }
    found
}

/// Paths of what is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}

/// Those whose files are on the world's disk; the paths of others may read the same.
fn loops(world: &World) -> Vec<String> {
    let output = Command::new("losetup")
        .args(["--list", "--noheadings", "--output", "BACK-MAJ:MIN,NAME,BACK-FILE"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let disk = fs::metadata(world.disk()).unwrap().dev();
    let disk = format!("{}:{}", rustix::fs::major(disk), rustix::fs::minor(disk));
    let ours = text
        .lines()
        .filter(|line| line.split_whitespace().next() == Some(&disk));
    ours.map(str::to_owned).collect()
}

/// Where something is mounted besides the world's own disk.
pub fn mounts(world: &World) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = table.lines().map(|line| line.split(' ').nth(4).unwrap());
    let own = [world.disk(), world.disk().join("docker"), LOCAL.into()];
    let ours = points.filter(|point| {
        let point = Path::new(point);
        // What the machine itself had mounted there before is hidden by the world's own.
        (point.starts_with(world.disk()) || point.starts_with(LOCAL))
            && !own.iter().any(|own| own == point)
            && point.exists()
    });
    ours.map(str::to_owned).collect()
}

/// All but the world's first process, this one, and the engine.
fn processes() -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let Ok(pid) = name.parse::<u32>() else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let (before, after) = stat.rsplit_once(')').unwrap();
        let program = before.split_once('(').unwrap().1;
        let engine = ["dockerd", "containerd"].contains(&program);
        // Ended, but not looked after yet.
        let ended = after.trim_start().starts_with('Z');
        if !(pid == 1 || pid == std::process::id() || engine || ended) {
            found.push(format!("{pid} {program}"));
        }
    }
    found
}

/// Groups of steps: the engine's in the world's own, the local sandbox's there or beside it, told by this namespace.
fn groups(world: &World) -> Vec<String> {
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap();
    let digits: String = namespace
        .to_str()
        .unwrap()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let output = Command::new("find")
        .args([HIERARCHIES, "-mindepth", "1", "-type", "d", "("])
        .args(["-name", &format!("holdpoint-*-{digits}-*"), "-o"])
        .args([
            "-path",
            &format!("*/{}/*", group_name(&world.root)),
            "!",
            "-name",
            "run",
            ")",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}
