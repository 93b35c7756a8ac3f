//! Where the program runs as root: in mount and process namespaces of its own and with a folder of its own for
//! temporary files. It mounts the host's devices into the system that it makes; whoever ends it half-way must leave
//! neither those mounts, through which a removal would reach the host, nor the half-made system.

use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

use super::Ended;
use crate::sandbox::owner::{Owner, is_unique_gone};

/// What folders of temporary files are called, before their owner's name.
const PREFIX: &str = "holdpoint-bootstrap-";
/// For killed processes to let go of the folder.
const LAST_BREATH: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Ends with us, and all that it started ends with it (unshare(1), prctl(2) `PR_SET_PDEATHSIG`).
const NAMESPACES: [&str; 11] = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--propagation",
    "private",
];

/// A folder of temporary files and the program that works in it. When this is dropped the program is killed, should
/// it still run, and the folder removed once those that are being killed have let go of it.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    /// Until it is known how it ended: then its number may be another one's.
    program: Option<(Pid, Ended)>,
}

impl Scratch {
    /// Makes one, and removes those of processes that were killed.
    pub(super) fn new() -> io::Result<Self> {
        sweep()?;
        let prefix = format!("{PREFIX}{}-", Owner::this_process()?.unique());
        let made = tempfile::Builder::new().prefix(&prefix).tempdir()?;
        // The user of an unprivileged `apt` passes through.
        std::fs::set_permissions(made.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Ok(Self {
            folder: made.keep(),
            program: None,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    /// Names the program, and where it will be told how it ended.
    pub(super) fn holds(&mut self, child: &Child, ended: &Ended) {
        let number = child.id().and_then(|id| i32::try_from(id).ok());
        self.program = number.and_then(Pid::from_raw).map(|pid| (pid, Arc::clone(ended)));
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Who drops a request doesn't know when the connection drops its body, and with it the child.
        if let Some((pid, ended)) = &self.program
            && ended.lock().unwrap_or_else(PoisonError::into_inner).is_none()
        {
            let _ = kill_process(*pid, Signal::KILL);
        }
        let began = Instant::now();
        while let Err(error) = std::fs::remove_dir_all(&self.folder) {
            if error.kind() == io::ErrorKind::NotFound {
                return;
            }
            if began.elapsed() > LAST_BREATH {
                tracing::warn!(
                    "`{}` was left behind for the next image: {error}",
                    self.folder.display()
                );
                return;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

/// Nothing can be mounted in them any more: their namespace went with their process.
fn sweep() -> io::Result<()> {
    for entry in std::fs::read_dir(std::env::temp_dir())? {
        let entry = entry?;
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if let Some(owner) = owner
            && is_unique_gone(owner)?
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!("`{}` stays: {error}", entry.path().display());
        }
    }
    Ok(())
}

/// The program's command: in namespaces of its own where we are root and may make them. Elsewhere the program makes
/// some itself, or mounts nothing.
pub(super) async fn command(program: &Path) -> Command {
    let [first, rest @ ..] = NAMESPACES;
    let isolated = || {
        let mut command = Command::new(first);
        command.args(rest);
        command
    };
    let root = rustix::process::geteuid().is_root();
    if root
        && isolated()
            .arg("true")
            .output()
            .await
            .is_ok_and(|tried| tried.status.success())
    {
        let mut command = isolated();
        command.arg(program);
        return command;
    }
    Command::new(program)
}

/// Whether a program can be found: by its path, or by its name in `$PATH`.
pub(super) fn is_there(program: &Path) -> bool {
    if program.components().count() > 1 {
        return program.exists();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).exists())
}
