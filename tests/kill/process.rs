//! Running the binary up to a point, and what may happen there.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A run takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// Longest time between the line of the log that is waited for and the blow.
const AFTER: u64 = 60;

/// The same numbers each time: SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    /// A point of a run that says so many lines: anywhere before the first of them, or soon after one.
    pub fn point(&mut self, whole: &Whole) -> Point {
        let lines = self.below(whole.lines as u64 + 1);
        let after = if lines == 0 {
            whole.first.as_millis() as u64
        } else {
            AFTER
        };
        Point {
            lines: usize::try_from(lines).unwrap(),
            after: Duration::from_millis(self.below(after)),
        }
    }
}

/// A run that nobody disturbed.
pub struct Whole {
    /// Lines of its log.
    pub lines: usize,
    /// When it said the first.
    pub first: Duration,
}

/// A point of a run.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// Lines of its log before it.
    pub lines: usize,
    /// Time since the last of them.
    pub after: Duration,
}

/// How a run ended.
pub struct Ended {
    pub status: ExitStatus,
    /// Lines of its log.
    pub lines: usize,
    /// When it said the first.
    pub first: Duration,
    /// Whether it came to the point.
    pub struck: bool,
    /// All that it said besides.
    pub said: String,
}

impl Ended {
    /// Whether it ended by itself and did what it could.
    pub fn is_done(&self) -> bool {
        matches!(self.status.code(), Some(0 | 10))
    }

    /// Whether another run had the estate.
    pub fn is_refused(&self) -> bool {
        self.status.code() == Some(3) && self.said.contains("another run of this estate is under way")
    }
}

/// Runs to the end.
pub fn run(command: Command) -> Ended {
    run_until(command, None, |_| {})
}

/// Runs to the end, and does something to it at a point.
pub fn run_until(mut command: Command, point: Option<Point>, blow: impl FnOnce(&mut Child)) -> Ended {
    let begun = Instant::now();
    let mut child = command
        .env("HOLDPOINT_LOG", "holdpoint=debug,holdpoint_runner=debug")
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (sender, receiver) = channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let (mut blow, mut due) = (Some(blow), None);
    let (mut seen, mut first, mut said) = (0, Duration::ZERO, String::new());
    let mut note = |line: String| match line.contains("DEBUG") {
        true => {
            seen += 1;
            if seen == 1 {
                first = begun.elapsed();
            }
            seen
        }
        false => {
            said.push_str(&line);
            said.push('\n');
            seen
        }
    };
    let mut heard = 0;
    loop {
        if due.is_none()
            && let Some(point) = point.filter(|point| heard >= point.lines)
        {
            due = Some(Instant::now() + point.after);
        }
        let wait = due.filter(|_| blow.is_some()).map_or(Duration::from_millis(20), |due| {
            due.saturating_duration_since(Instant::now())
        });
        match receiver.recv_timeout(wait.min(Duration::from_millis(20))) {
            Ok(line) => heard = note(line),
            // What it started may hold its log open.
            Err(RecvTimeoutError::Timeout) if child.try_wait().unwrap().is_some() => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if due.is_some_and(|due| due <= Instant::now())
            && let Some(blow) = blow.take()
        {
            blow(&mut child);
        }
        assert!(begun.elapsed() < PATIENCE, "the run hangs");
    }
    let status = child.wait().unwrap();
    receiver.try_iter().for_each(|line| heard = note(line));
    Ended {
        status,
        lines: heard,
        first,
        struck: blow.is_none(),
        said,
    }
}

/// Ends the process alone: what it started goes on.
pub fn kill(child: &mut Child) {
    child.kill().unwrap();
}

/// Ends a process and all that it started, as a power cut would. The other end of a push is on a machine of its own.
pub fn cut_power(child: &mut Child) {
    // It starts nothing more while its children are counted.
    signal(child.id(), Signal::STOP);
    let mut waiting = vec![child.id()];
    while let Some(parent) = waiting.pop() {
        for process in children(parent) {
            signal(process, Signal::STOP);
            waiting.push(process);
            signal(process, Signal::KILL);
        }
    }
    child.kill().unwrap();
}

/// Pauses a process, or lets it go on.
pub fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw).unwrap();
    // It may be gone already.
    let _ = kill_process(process, signal);
}

fn children(parent: u32) -> Vec<u32> {
    let is_child = |process: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything.
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        after_name.split(' ').nth(1) == Some(&parent.to_string()) && !is_remote(*process)
    };
    let processes = std::fs::read_dir("/proc").unwrap().map(Result::unwrap);
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.filter(is_child).collect()
}

fn is_remote(process: u32) -> bool {
    let command = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command);
    ["receive-pack", "upload-pack"].iter().any(|end| command.contains(end))
}
