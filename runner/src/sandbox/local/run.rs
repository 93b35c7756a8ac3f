//! One step: bubblewrap started, watched, and everything of it gone at the end.

use holdpoint_schemas::evidence::StepEnd;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::cgroup::Group;
use super::classify::{Facts, classify};
use super::profile::{Bounded, Launch, Profile, WRAPPER, resource_limits};
use super::spawn::spawn;
use super::{Shared, disk, failed};
use crate::error::SandboxError;
use crate::sandbox::control::Control;
use crate::sandbox::full_disk::or_full_disk;
use crate::sandbox::output::{Output, Source};
use crate::sandbox::{OnLine, ReadOnlyMount, StepOutcome, StepSpec, WorkspaceId};

/// For output that is still in the pipe when the step has ended.
const DRAIN: Duration = Duration::from_secs(5);
/// For bubblewrap to be gone after it was killed.
const REAP: Duration = Duration::from_secs(10);
/// Lines between the stream and a listener.
const LINE_QUEUE: usize = 1_024;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;
/// Bytes that bubblewrap's status takes at most; blanks are nothing to whoever reads it.
const STATUS_ROOM: usize = 4 << 10;
/// Longest status that bubblewrap writes.
const MAX_STATUS_BYTES: u64 = 64 << 10;
/// Between two looks at the disk: it takes some 100 MB in it.
const LOOK: Duration = Duration::from_millis(100);
/// Where the wall time isn't bounded.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl Shared {
    pub(super) async fn run_step(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        let unbounded = !self.has(Control::OutputBound);
        let bound = |bytes: usize| if unbounded && bytes > 0 { usize::MAX } else { bytes };
        let (sender, lines) = mpsc::channel(LINE_QUEUE);
        let output = Arc::new(Mutex::new(Output::new(
            bound(step.limits.log_bytes),
            bound(step.capture_bytes),
            sender,
        )));
        let began = Instant::now();
        let driven = self.drive(workspace, step, &output, lines, on_line).await;
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (forward, _) = mpsc::channel(1);
        let gathered = std::mem::replace(&mut *lock(&output), Output::new(0, 0, forward));
        let (tail, captured, capture_cut) = gathered.finish();
        let end = match driven {
            Ok(mut facts) => {
                facts.last_words = tail.lines().last().unwrap_or("no reason was given").to_owned();
                or_full_disk(classify(&facts), &tail, &captured)
            }
            Err(error) => StepEnd::Infrastructure {
                reason: error.to_string(),
            },
        };
        StepOutcome {
            end,
            millis,
            tail,
            captured,
            capture_cut,
        }
    }

    async fn drive(
        &self,
        workspace: &WorkspaceId,
        step: &StepSpec,
        output: &Arc<Mutex<Output>>,
        mut lines: mpsc::Receiver<String>,
        on_line: OnLine<'_>,
    ) -> Result<Facts, SandboxError> {
        let tree = self.tree_of(workspace)?;
        let attempt = Attempt::new(self, workspace, step).map_err(failed("make a step ready"))?;
        let command = attempt
            .command(self, &tree, step)
            .map_err(failed("make a step ready"))?;
        let mut child = spawn(command).await.map_err(failed("start a step"))?;
        let mut streams = Streams::of(&mut child, step.stdin.clone(), output);
        let wall = if self.has(Control::TimeBound) {
            step.limits.wall
        } else {
            FOR_EVER
        };
        let deadline = tokio::time::sleep(wall);
        tokio::pin!(deadline);
        // What a step that ran out of disk has removed at its end is seen only while it runs.
        let (mut disk_full, mut full_below) = (false, false);
        let mut look = || {
            disk_full |= self.disks.is_full(&tree);
            full_below |= self.disks.is_full_below();
            (disk_full, full_below)
        };
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let exited = loop {
            tokio::select! {
                exited = child.wait() => break Some(exited.map_err(failed("wait for a step"))?),
                () = &mut deadline => break None,
                _ = looks.tick() => { look(); }
                Some(line) = lines.recv() => on_line(&line),
            }
        };
        let (timed_out, exited) = match exited {
            Some(status) => (None, Some(status)),
            None => {
                let _ = child.start_kill();
                let reaped = tokio::time::timeout(REAP, child.wait()).await;
                (Some(wall), reaped.ok().and_then(Result::ok))
            }
        };
        if timed_out.is_some() || self.has(Control::EndsWithStep) {
            attempt.end().await;
        }
        streams.drain(&mut lines, on_line).await;
        let (disk_full, full_below) = look();
        Ok(Facts {
            out_of_memory: attempt.group.as_ref().is_some_and(Group::ran_out_of_memory),
            timed_out,
            status: attempt.status().map_err(failed("read a step's status"))?,
            killed: exited.is_some_and(|status| status.signal() == Some(9)),
            disk_full,
            full_below,
            last_words: String::new(),
        })
    }
}

/// What one step has on the host besides its workspace; gone when this is dropped.
struct Attempt {
    folder: PathBuf,
    group: Option<Group>,
    /// Whether its processes end with it.
    ends: bool,
    mounts: Vec<ReadOnlyMount>,
    proxy: Option<PathBuf>,
    tmp: Option<PathBuf>,
}

impl Attempt {
    fn new(shared: &Shared, workspace: &WorkspaceId, step: &StepSpec) -> io::Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = shared.store.slot(workspace.as_str()).join(format!("step-{count}"));
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
        let mut attempt = Self {
            folder,
            group: None,
            ends: shared.has(Control::EndsWithStep),
            mounts: step.mounts.clone(),
            proxy: step.proxy.clone(),
            tmp: None,
        };
        if shared.groups.any() {
            let name = format!("{}.{count}", workspace.as_str());
            attempt.group = Some(shared.groups.make(&name, &step.limits, &shared.controls)?);
        }
        if shared.view.as_root {
            let bound = shared.has(Control::DiskBound).then_some(step.limits.tmp_mib);
            attempt.tmp = Some(disk::make_tmp(&attempt.folder.join("tmp"), bound)?);
            let hosts = attempt.mounts.iter_mut().map(|mount| &mut mount.host);
            for (index, host) in hosts.chain(attempt.proxy.as_mut()).enumerate() {
                *host = disk::bind(host, &attempt.folder.join(format!("mount-{index}")))
                    .map_err(|error| io::Error::new(error.kind(), format!("`{}`: {error}", host.display())))?;
            }
        }
        Ok(attempt)
    }

    fn command(&self, shared: &Shared, tree: &Path, step: &StepSpec) -> io::Result<Command> {
        let profile = Profile {
            view: &shared.view,
            controls: &shared.controls,
            workspace: tree,
            mounts: &self.mounts,
            proxy: self.proxy.as_deref(),
            tmp: self.tmp.as_deref(),
            step,
            exists: Path::exists,
        };
        let options = profile.options();
        if options.iter().any(|option| option.contains('\0')) {
            return Err(io::Error::other("an option has a zero byte"));
        }
        // Not on the command line, where everybody on the host could read the environment.
        let (args, status) = (self.folder.join("options"), self.folder.join("status"));
        let private = || fs::OpenOptions::new();
        write_private(private(), &args, options.join("\0").as_bytes())?;
        // It has its room before bubblewrap starts and is written over in place: bubblewrap that finds a full disk
        // half-way ends without its child, which then waits for it for ever.
        write_private(private(), &status, &[b' '; STATUS_ROOM])?;
        let bounded = Bounded {
            disk: shared.disks.size_mib.is_some(),
            ..shared.groups.bounded()
        };
        let launch = Launch {
            groups: self.group.as_ref().map(Group::join_files).unwrap_or_default(),
            options: &args,
            status: &status,
            view: &shared.view,
            limits: resource_limits(step, &shared.controls, bounded),
            command: &step.command,
        };
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-c", WRAPPER])
            .args(launch.arguments())
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir("/")
            .stdin(if step.stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Ok(command)
    }

    /// Ends whoever is left. With a process namespace nobody is, as soon as bubblewrap has ended.
    async fn end(&self) {
        if let Some(group) = &self.group {
            group.kill().await;
        }
    }

    /// The exit status of the command, if it was started.
    fn status(&self) -> io::Result<Option<i64>> {
        use std::io::Read as _;
        let mut text = String::new();
        fs::File::open(self.folder.join("status"))?
            .take(MAX_STATUS_BYTES)
            .read_to_string(&mut text)?;
        Ok(exit_code(&text))
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(group) = self.group.take() {
            if self.ends && group.kill_once() {
                // The step was given up half-way. Nobody here may wait.
                std::thread::spawn(move || {
                    group.kill_and_wait();
                    group.remove();
                });
            } else {
                group.remove();
            }
        }
        let cleared = disk::unmount_below(&self.folder).and_then(|()| fs::remove_dir_all(&self.folder));
        if let Err(error) = cleared {
            tracing::warn!("a step's folder was left behind for the removal of its workspace: {error}");
        }
    }
}

fn write_private(mut options: fs::OpenOptions, path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(content)
}

/// Bubblewrap writes one JSON object per event; the last one has the status of a command that was started.
fn exit_code(status: &str) -> Option<i64> {
    let events = serde_json::Deserializer::from_str(status).into_iter::<serde_json::Value>();
    events
        .map_while(Result::ok)
        .find_map(|event| event.get("exit-code")?.as_i64())
}

/// The step's streams, each served by a task of its own.
struct Streams {
    readers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
}

impl Streams {
    fn of(child: &mut Child, stdin: Option<Vec<u8>>, output: &Arc<Mutex<Output>>) -> Self {
        let mut readers = Vec::new();
        if let Some(stream) = child.stdout.take() {
            readers.push(tokio::spawn(read(stream, Source::Stdout, Arc::clone(output))));
        }
        if let Some(stream) = child.stderr.take() {
            readers.push(tokio::spawn(read(stream, Source::Stderr, Arc::clone(output))));
        }
        let writer = child.stdin.take().zip(stdin).map(|(mut stream, bytes)| {
            tokio::spawn(async move {
                // A step that doesn't read its input breaks the pipe; its exit status says the rest.
                let _ = stream.write_all(&bytes).await;
            })
        });
        Self { readers, writer }
    }

    /// Reads what is left, but doesn't wait for ever for its end.
    async fn drain(&mut self, lines: &mut mpsc::Receiver<String>, on_line: OnLine<'_>) {
        let _ = tokio::time::timeout(DRAIN, async {
            for reader in &mut self.readers {
                let _ = reader.await;
            }
        })
        .await;
        self.cut();
        while let Ok(line) = lines.try_recv() {
            on_line(&line);
        }
    }

    fn cut(&self) {
        for task in self.readers.iter().chain(&self.writer) {
            task.abort();
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, source: Source, output: Arc<Mutex<Output>>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        lock(&output).push(source, chunk.get(..count).unwrap_or_default());
    }
}

/// A poisoned lock only means that a reader panicked; what it gathered until then is still true.
fn lock(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_command_that_was_started_has_a_status() {
        let started = "{ \"child-pid\": 7 }\n";
        let ended = format!("{started}{{ \"exit-code\": 3 }}\n");
        assert_eq!(exit_code(&ended), Some(3));
        assert_eq!(exit_code(&format!("{ended:4096}")), Some(3), "written over blanks");
        assert_eq!(exit_code(started), None);
        assert_eq!(exit_code(""), None);
        assert_eq!(exit_code("{ \"exit-c"), None);
    }
}
