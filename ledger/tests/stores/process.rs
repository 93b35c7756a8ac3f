//! This test's own program as another process, which can be killed or stopped.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::place::Place;

/// Names the ledger to the other process, which only then is one.
const LEDGER: &str = "HOLDPOINT_TEST_LEDGER";

/// Its name, for those that have one.
const NAME: &str = "HOLDPOINT_TEST_NAME";

/// What precedes a line of ours: the harness prints, too.
const MARK: &str = "said ";

/// When this is the other process: the name of the ledger, and its own.
pub fn is_other() -> Option<(String, String)> {
    Some((std::env::var(LEDGER).ok()?, std::env::var(NAME).ok()?))
}

/// Says something to the process that started this one.
pub fn say(line: impl std::fmt::Display) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "\n{MARK}{line}").unwrap();
    stdout.flush().unwrap();
}

/// Another process; it is ended with this value.
pub struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    /// Starts the test of that name in another process.
    pub fn start(test: &str, place: &Place, name: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(LEDGER, place.name())
            .env(NAME, name)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What it says next; `None` when it has ended.
    pub fn hear(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            if let Some(said) = line.strip_prefix(MARK) {
                return Some(said.to_owned());
            }
        }
    }

    /// Ends it at once, and hears what it had still said.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.hear()).collect()
    }

    /// Stops it in its tracks, or lets it go on.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits until it ends by itself, which must be well.
    pub fn wait(mut self) -> Vec<String> {
        let said = std::iter::from_fn(|| self.hear()).collect();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
