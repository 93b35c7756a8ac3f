//! Log files of steps: one per step, bounded, without secrets.
//!
//! An [`EventSink`] like any other: [`StepLogs`] stands between one validation and whoever watches
//! it, writes what goes by and hands it on. The beginning of an output and its end are kept; what
//! lies between is told by its size.

use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::Side;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::verdict::describe_end;

/// Longest part of a file's name that comes from one name of ours or the repo's, in bytes.
const MAX_NAME_PART: usize = 60;
/// Tries for a file name that no other process has taken.
const MAX_TRIES: u32 = 100;
const SUFFIX: &str = ".log";

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    /// Bytes of one step's output: half of it for its beginning, half for its end.
    pub step_bytes: usize,
    /// Bytes of the whole folder; the oldest files go first.
    pub folder_bytes: u64,
}

impl Default for LogBounds {
    fn default() -> Self {
        Self {
            step_bytes: 1 << 20,
            folder_bytes: 256 << 20,
        }
    }
}

/// Takes secrets out of a line.
pub type Redact = dyn Fn(&str) -> String + Send + Sync;

/// A folder of log files. Clones share it.
#[derive(Clone)]
pub struct LogFolder {
    path: Arc<Path>,
    bounds: LogBounds,
    redact: Arc<Redact>,
    /// Files that are being written: never rotated away by this process.
    open: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl LogFolder {
    /// A folder, made where it isn't there, readable by its owner only. `redact` sees each line
    /// before it is written.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn new(
        path: &Path,
        bounds: LogBounds,
        redact: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self {
            path: path.into(),
            bounds,
            redact: Arc::new(redact),
            open: Arc::default(),
        })
    }

    /// Watches one validation; events go on to `next`.
    #[must_use]
    pub fn watch<'a>(&self, subject: &str, next: &'a dyn EventSink) -> StepLogs<'a> {
        StepLogs {
            folder: self.clone(),
            subject: subject.to_owned(),
            next,
            steps: Mutex::new(BTreeMap::new()),
        }
    }

    fn begin(&self, subject: &str, side: Side, step: &str) -> io::Result<StepLog> {
        let name = format!("{}-{}-{}{SUFFIX}", sanitised(subject), side.as_str(), sanitised(step));
        let room = self.bounds.step_bytes as u64;
        let files = self.rotate(self.bounds.folder_bytes.saturating_sub(room))?;
        let mut number = files.last_key_value().map_or(0, |(number, _)| number + 1);
        for _ in 0..MAX_TRIES {
            let path = self.path.join(format!("{number:08}-{name}"));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    lock(&self.open).insert(path.clone());
                    return Ok(StepLog::new(file, path, self.bounds.step_bytes / 2));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("no free file name"))
    }

    /// Removes the oldest files until the rest takes at most `bytes`; what is left, by number.
    fn rotate(&self, bytes: u64) -> io::Result<BTreeMap<u64, Vec<(PathBuf, u64)>>> {
        let mut files: BTreeMap<u64, Vec<(PathBuf, u64)>> = BTreeMap::new();
        let mut total = 0_u64;
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            // Only names of ours: whatever else somebody keeps here is theirs.
            let Some(number) = entry.file_name().to_str().and_then(number_of) else {
                continue;
            };
            let size = entry.metadata()?.len();
            total = total.saturating_add(size);
            files.entry(number).or_default().push((entry.path(), size));
        }
        let open = lock(&self.open).clone();
        for (path, size) in files.values().flatten() {
            if total <= bytes {
                break;
            }
            if open.contains(path) {
                continue;
            }
            match std::fs::remove_file(path) {
                Ok(()) => total = total.saturating_sub(*size),
                // Another process rotates, too.
                Err(error) if error.kind() == io::ErrorKind::NotFound => total = total.saturating_sub(*size),
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }
}

/// `00000017-….log` → 17.
fn number_of(name: &str) -> Option<u64> {
    let (digits, rest) = name.split_once('-')?;
    let ours = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) && rest.ends_with(SUFFIX);
    ours.then(|| digits.parse().ok()).flatten()
}

/// A part of a file's name out of any text: names of repos, fixes and scanners come from others.
fn sanitised(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        let keep = c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        match (keep, name.ends_with('-')) {
            (true, _) => name.push(c),
            (false, false) => name.push('-'),
            (false, true) => {}
        }
        if name.len() == MAX_NAME_PART {
            break;
        }
    }
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() {
        "unnamed".to_owned()
    } else {
        name.to_owned()
    }
}

/// Writes the steps of one validation into files of their own, and hands every event on.
pub struct StepLogs<'a> {
    folder: LogFolder,
    subject: String,
    next: &'a dyn EventSink,
    steps: Mutex<BTreeMap<(Side, String), StepLog>>,
}

impl StepLogs<'_> {
    fn take(&self, event: &Event) {
        match event {
            Event::StepStarted { step, side, .. } => match self.folder.begin(&self.subject, *side, step) {
                Ok(log) => {
                    lock(&self.steps).insert((*side, step.clone()), log);
                }
                Err(error) => tracing::warn!(%step, "a step has no log file: {error}"),
            },
            Event::StepOutput { step, side, line } => {
                if let Some(log) = lock(&self.steps).get_mut(&(*side, step.clone())) {
                    log.line(&(self.folder.redact)(line));
                }
            }
            Event::StepFinished {
                step,
                side,
                end,
                millis,
                ..
            } => {
                if let Some(log) = lock(&self.steps).remove(&(*side, step.clone())) {
                    self.close(log, Some(&format!("[{} after {millis} ms]", describe_end(end))));
                }
            }
            _ => {}
        }
    }

    fn close(&self, log: StepLog, last: Option<&str>) {
        let path = log.path.clone();
        if let Err(error) = log.finish(last.map(|line| (self.folder.redact)(line)).as_deref()) {
            tracing::warn!("the log file `{}` is not complete: {error}", path.display());
        }
        lock(&self.folder.open).remove(&path);
    }
}

impl EventSink for StepLogs<'_> {
    fn event(&self, event: Event) {
        self.take(&event);
        self.next.event(event);
    }
}

impl Drop for StepLogs<'_> {
    fn drop(&mut self) {
        for (_, log) in std::mem::take(&mut *lock(&self.steps)) {
            self.close(log, Some("[it was cut short]"));
        }
    }
}

/// One step's file: the beginning is in it already, the end is still in memory.
struct StepLog {
    file: File,
    path: PathBuf,
    head_left: usize,
    tail: VecDeque<String>,
    tail_bytes: usize,
    max_tail: usize,
    left_out: u64,
    failed: Option<io::Error>,
}

impl StepLog {
    const fn new(file: File, path: PathBuf, half: usize) -> Self {
        Self {
            file,
            path,
            head_left: half,
            tail: VecDeque::new(),
            tail_bytes: 0,
            max_tail: half,
            left_out: 0,
            failed: None,
        }
    }

    fn line(&mut self, line: &str) {
        // A redactor may give several lines for one; a line may hold nothing that starts another.
        let mut line = line.replace(['\n', '\r'], " ");
        line.push('\n');
        if line.len() <= self.head_left {
            self.head_left -= line.len();
            if let Err(error) = self.file.write_all(line.as_bytes()) {
                self.failed.get_or_insert(error);
            }
            return;
        }
        self.head_left = 0;
        self.tail_bytes += line.len();
        self.tail.push_back(line);
        while self.tail_bytes > self.max_tail
            && let Some(oldest) = self.tail.pop_front()
        {
            self.tail_bytes -= oldest.len();
            self.left_out += oldest.len() as u64;
        }
    }

    fn finish(mut self, last: Option<&str>) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.left_out > 0 {
            writeln!(self.file, "… {} bytes left out", self.left_out)?;
        }
        for line in &self.tail {
            self.file.write_all(line.as_bytes())?;
        }
        if let Some(line) = last {
            writeln!(self.file, "{}", line.replace(['\n', '\r'], " "))?;
        }
        self.file.flush()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing of these is half-done when a panic could happen.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
