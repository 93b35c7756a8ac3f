//! Running `git`, with nothing of this machine's or the repository's configuration in the way.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{ForgeError, printable};

/// Longest that a command may take: a first fetch of a large repository over a slow line.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// Most output that is kept of each stream; the rest is read and dropped, so that git can't stall.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;

/// How long pipes may stay open after git has ended, by something it left behind.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Shortest and longest pause between looks at a running git.
const POLL: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Settings that hold for every call, whatever any file says.
const SETTINGS: [&str; 12] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.helper=",
    "protocol.ext.allow=never",
    // Objects of candidates hang on no ref until they are published.
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    // A malformed tree (`.git` inside, say) doesn't come in; flaws that old tools left in honest
    // histories do.
    "fetch.fsckObjects=true",
    "fetch.fsck.zeroPaddedFilemode=ignore",
    "fetch.fsck.badTimezone=ignore",
    "fetch.fsck.missingSpaceBeforeDate=ignore",
];

/// What of our environment git gets: where programs, keys and the agent are.
const PASSED_ON: [&str; 3] = ["PATH", "HOME", "SSH_AUTH_SOCK"];

/// What more of it git gets when it commits for the person at the keyboard: who they are, and what asks
/// them for a passphrase. Nothing that names another repository or index.
const PASSED_ON_TO_SIGN: [&str; 19] = [
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "EMAIL",
    "GNUPGHOME",
    "GPG_TTY",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "TERM",
    "USER",
];

/// Whose signals and terminal a command shares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    /// A process group of its own, that is ended whole.
    Own,
    /// Ours: one in the background couldn't ask for a passphrase on the terminal.
    Ours,
}

/// How a command ended.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The error of a command that had to succeed.
    pub(crate) fn failed(&self, doing: &'static str) -> ForgeError {
        let lines: Vec<&str> = self.stderr.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        let telling = lines
            .iter()
            .find(|line| line.starts_with("fatal:") || line.starts_with("error:") || line.contains("[rejected]"))
            .or(lines.last());
        ForgeError::Git {
            doing,
            output: telling.map_or_else(|| self.status.to_string(), |line| printable(line)),
        }
    }
}

/// Runs `git` on a bare repository and fails unless it succeeds.
pub(crate) fn run<I: Into<OsString>>(
    repo: Option<&Path>,
    doing: &'static str,
    arguments: impl IntoIterator<Item = I>,
) -> Result<Output, ForgeError> {
    let output = run_any(repo, doing, arguments)?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(output.failed(doing))
    }
}

/// Runs `git` on a bare repository, however it ends.
pub(crate) fn run_any<I: Into<OsString>>(
    repo: Option<&Path>,
    doing: &'static str,
    arguments: impl IntoIterator<Item = I>,
) -> Result<Output, ForgeError> {
    let mut command = Command::new("git");
    command
        .env_clear()
        .envs(
            PASSED_ON
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .envs([
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
            ("GIT_ALLOW_PROTOCOL", "file:https:ssh"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
        ]);
    // Not where the caller stands: git reads the configuration of a repository that it finds there.
    command.current_dir("/");
    if let Some(repo) = repo {
        let repo = std::path::absolute(repo).map_err(ForgeError::io("finding the cache"))?;
        command.arg("--git-dir").arg(repo);
    }
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.args(arguments.into_iter().map(Into::into));
    supervise(command, Group::Own, doing, TIME_LIMIT)
}

/// Runs `git` for the person at the keyboard, in a folder of their work tree, however it ends: with
/// their configuration, which says who they are and how they sign, but without hooks.
pub(crate) fn run_as_user<I: Into<OsString>>(
    folder: &Path,
    doing: &'static str,
    arguments: impl IntoIterator<Item = I>,
) -> Result<Output, ForgeError> {
    let mut command = Command::new("git");
    let passed_on = PASSED_ON.iter().chain(&PASSED_ON_TO_SIGN);
    command
        .env_clear()
        .envs(passed_on.filter_map(|name| Some((name, std::env::var_os(name)?))))
        .envs([
            ("LC_ALL", "C"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
        ])
        .current_dir(folder);
    // An identity that git would make up of the machine's name is nobody's.
    for setting in SETTINGS.iter().chain(&["user.useConfigOnly=true"]) {
        command.args(["-c", setting]);
    }
    command.args(arguments.into_iter().map(Into::into));
    supervise(command, Group::Ours, doing, TIME_LIMIT)
}

/// Runs a command until it ends or its time is over.
fn supervise(mut command: Command, group: Group, doing: &'static str, limit: Duration) -> Result<Output, ForgeError> {
    if group == Group::Own {
        command.process_group(0);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(ForgeError::io("starting git (is it installed?)"))?;
    let stdout = read_bounded(child.stdout.take());
    let stderr = read_bounded(child.stderr.take());
    let ended = wait(&mut child, limit).map_err(ForgeError::io("waiting for git"));
    if !matches!(ended, Ok(Some(_))) {
        end(&mut child, group);
    }
    let status = ended?.ok_or(ForgeError::TimedOut { doing, after: limit })?;
    Ok(Output {
        status,
        stdout: stdout.text(),
        stderr: stderr.text(),
    })
}

fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    let (mut pause, longest) = POLL;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(longest);
    }
}

/// Ends git and, in a group of its own, all that it started (ssh, index-pack), so that nothing outlives
/// the call.
fn end(child: &mut Child, group: Group) {
    if group == Group::Own {
        let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let ended = group.map(|group| rustix::process::kill_process_group(group, rustix::process::Signal::KILL));
        if !matches!(ended, Some(Ok(()))) {
            tracing::warn!(pid = child.id(), "could not end git's process group");
        }
    }
    if let Err(error) = child.kill().and_then(|()| child.wait()) {
        tracing::warn!(%error, "could not end git");
    }
}

/// A stream that is being read on a thread of its own.
struct Reading {
    text: std::sync::mpsc::Receiver<String>,
}

impl Reading {
    fn text(self) -> String {
        self.text.recv_timeout(DRAIN_LIMIT).unwrap_or_default()
    }
}

fn read_bounded(stream: Option<impl Read + Send + 'static>) -> Reading {
    let (sender, text) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let Some(mut stream) = stream else { return };
        let mut kept = Vec::new();
        // An error ends the text early; what git did shows in its exit status.
        let read = stream.by_ref().take(MAX_OUTPUT_BYTES).read_to_end(&mut kept);
        if read.is_ok() {
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
        let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
    });
    Reading { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join("alive");
        let mut command = Command::new("sh");
        command.arg("-c").arg("(sleep 2; touch \"$0\") & sleep 60").arg(&alive);
        let started = Instant::now();
        let error = supervise(command, Group::Own, "testing", Duration::from_millis(100))
            .err()
            .unwrap();
        assert!(matches!(error, ForgeError::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(2500));
        assert!(!alive.exists(), "a child outlived its time");
    }

    #[test]
    fn output_is_bounded_and_does_not_stall() {
        let mut command = Command::new("sh");
        command.arg("-c").arg("head -c 5000000 /dev/zero | tr '\\0' x");
        let output = supervise(command, Group::Own, "testing", TIME_LIMIT).unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout.len() as u64, MAX_OUTPUT_BYTES);
    }

    #[test]
    fn the_environment_is_not_passed_on() {
        let output = run(None, "testing", ["var", "-l"]).unwrap();
        assert!(output.stdout.contains("core.hookspath=/dev/null"), "{}", output.stdout);
        assert!(!output.stdout.contains("user."), "{}", output.stdout);
    }
}
