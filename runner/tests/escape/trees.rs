//! Attacks by an archive: what our own check refuses, and what a tool without that check does with it.

use super::backend::{Backend, Docker, Local};
use super::report::{self, Row, row};
use holdpoint_runner::SandboxError;
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_runner::sandbox::control::{Control, Controls};
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::process::Command;
use tar::{EntryType, Header};

/// Name, kind, link target, content.
type Entry = (&'static str, EntryType, &'static str, &'static [u8]);

/// An attack by an archive that is unpacked in `jail/tree`, beside `jail/outside`.
struct TreeAttack {
    name: &'static str,
    entries: &'static [Entry],
    /// Whether it worked, looking at `jail`.
    worked: fn(&Path) -> bool,
}

const FILE: EntryType = EntryType::Regular;

const ATTACKS: &[TreeAttack] = &[
    TreeAttack {
        name: "tar: `..` in a name",
        entries: &[("../outside/taken", FILE, "", b"evil")],
        worked: taken,
    },
    TreeAttack {
        name: "tar: symbolic link, then a file behind it",
        entries: &[
            ("way", EntryType::Symlink, "../outside", b""),
            ("way/taken", FILE, "", b"evil"),
        ],
        worked: taken,
    },
    TreeAttack {
        name: "tar: symbolic link, then a file in its place",
        entries: &[
            ("way", EntryType::Symlink, "../outside/secret", b""),
            ("way", FILE, "", b"evil"),
        ],
        worked: overwritten,
    },
    TreeAttack {
        name: "tar: hard link to a file outside",
        entries: &[
            ("way", EntryType::Link, "../outside/secret", b""),
            ("way", FILE, "", b"evil"),
        ],
        worked: |jail| read(jail, "tree/way") == "secret" || overwritten(jail),
    },
    TreeAttack {
        name: "tar: pipe that a reader waits on for ever",
        entries: &[("way", EntryType::Fifo, "", b"")],
        worked: |jail| fs::symlink_metadata(jail.join("tree/way")).is_ok_and(|found| found.file_type().is_fifo()),
    },
    TreeAttack {
        name: "tar: device of the host's disk",
        entries: &[("way", EntryType::Block, "", b"")],
        worked: |jail| {
            fs::symlink_metadata(jail.join("tree/way")).is_ok_and(|found| found.file_type().is_block_device())
        },
    },
    TreeAttack {
        name: "git: program in .git/config",
        entries: &[
            (".git/HEAD", FILE, "", b"ref: refs/heads/main\n"),
            (".git/refs/x", FILE, "", b""),
            (".git/objects/x", FILE, "", b""),
            (
                ".git/config",
                FILE,
                "",
                b"[core]\n\tfsmonitor = touch ../outside/taken; false\n",
            ),
        ],
        worked: |jail| runs(jail, "tree", &["status"]),
    },
    TreeAttack {
        name: "git: hook",
        entries: &[
            (".git/HEAD", FILE, "", b"ref: refs/heads/main\n"),
            (".git/refs/x", FILE, "", b""),
            (".git/objects/x", FILE, "", b""),
            (".git/config", FILE, "", b"[user]\n\tname = x\n\temail = x\n"),
            (
                ".git/hooks/pre-commit",
                FILE,
                "",
                b"#!/bin/sh\ntouch ../outside/taken\n",
            ),
        ],
        worked: |jail| runs(jail, "tree", &["commit", "--allow-empty", "--message", "x"]),
    },
    TreeAttack {
        name: "git: filter by .gitattributes",
        entries: &[
            (".git/HEAD", FILE, "", b"ref: refs/heads/main\n"),
            (".git/refs/x", FILE, "", b""),
            (".git/objects/x", FILE, "", b""),
            (
                ".git/config",
                FILE,
                "",
                b"[filter \"x\"]\n\tclean = touch ../outside/taken\n",
            ),
            (".gitattributes", FILE, "", b"*.txt filter=x\n"),
            ("a.txt", FILE, "", b"text"),
        ],
        worked: |jail| runs(jail, "tree", &["add", "a.txt"]),
    },
    TreeAttack {
        name: "git: submodule with a repository of its own",
        entries: &[
            ("vendor/.git", FILE, "", b"gitdir: ../evil\n"),
            ("evil/HEAD", FILE, "", b"ref: refs/heads/main\n"),
            ("evil/refs/x", FILE, "", b""),
            ("evil/objects/x", FILE, "", b""),
            (
                "evil/config",
                FILE,
                "",
                b"[core]\n\tworktree = ../vendor\n\tfsmonitor = touch ../../outside/taken ../outside/taken; false\n",
            ),
        ],
        worked: |jail| runs(jail, "tree/vendor", &["status"]),
    },
];

fn read(jail: &Path, path: &str) -> String {
    fs::read_to_string(jail.join(path)).unwrap_or_default()
}

fn taken(jail: &Path) -> bool {
    jail.join("outside/taken").exists()
}

fn overwritten(jail: &Path) -> bool {
    read(jail, "outside/secret") == "evil"
}

/// Whether git, run in that folder, runs what the tree names.
fn runs(jail: &Path, folder: &str, args: &[&str]) -> bool {
    let ran = Command::new("git")
        .args(args)
        .current_dir(jail.join(folder))
        .env("HOME", jail)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let worked = taken(jail);
    if !worked {
        eprintln!("git {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    worked
}

/// An archive of these entries, byte by byte: a well-behaved library wouldn't write them.
fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind, link, content) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(if name.contains("hooks") { 0o755 } else { 0o644 });
        header.set_mtime(1);
        header.set_uid(0);
        header.set_gid(0);
        header.set_device_major(8).unwrap();
        header.set_device_minor(0).unwrap();
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Unpacks without any check, as Python's library does when it is told to trust an archive.
fn works_unchecked(attack: &TreeAttack) -> bool {
    let jail = tempfile::tempdir().unwrap();
    for folder in ["tree", "outside"] {
        fs::create_dir(jail.path().join(folder)).unwrap();
    }
    fs::write(jail.path().join("outside/secret"), "secret").unwrap();
    fs::write(jail.path().join("tree.tar"), archive(attack.entries)).unwrap();
    let unpack = "import os, tarfile\n\
                  os.chdir('tree')\n\
                  with tarfile.open('../tree.tar') as tar:\n    \
                      if hasattr(tarfile, 'fully_trusted_filter'): tar.extraction_filter = staticmethod(tarfile.fully_trusted_filter)\n    \
                      for entry in tar: tar.extract(entry)\n";
    let output = Command::new("/usr/bin/python3")
        .args(["-c", unpack])
        .current_dir(jail.path())
        .output()
        .unwrap();
    let worked = (attack.worked)(jail.path());
    if !worked {
        eprintln!("{}: {}", attack.name, String::from_utf8_lossy(&output.stderr));
    }
    worked
}

pub async fn rows(backend: &dyn Backend) -> Vec<Row> {
    let sandbox = backend.with(Controls::default()).await;
    let mut rows = Vec::new();
    for attack in ATTACKS {
        let stopped = refused(sandbox.as_ref(), &archive(attack.entries)).await;
        rows.push(row(
            attack.name,
            Control::CheckedTree.as_str(),
            stopped,
            works_unchecked(attack),
        ));
    }
    rows
}

async fn refused(sandbox: &dyn Sandbox, tar: &[u8]) -> Result<String, String> {
    match sandbox.workspace(tar).await {
        Err(SandboxError::Tree(why)) => Ok(why.to_string()),
        Err(other) => Err(other.to_string()),
        Ok(workspace) => {
            sandbox.remove(workspace).await.unwrap();
            Err("the archive was taken".to_owned())
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_takes_no_archive_that_leaves_its_tree() {
    let docker = Docker::new();
    report::check(docker.name(), &rows(&docker).await);
    assert!(docker.left_over().is_empty(), "{:?}", docker.left_over());
}

#[tokio::test(flavor = "multi_thread")]
async fn local_takes_no_archive_that_leaves_its_tree() {
    let local = Local::new();
    report::check(local.name(), &rows(&local).await);
}
