//! Gathers a step's output within bounds, while somebody else reads the stream.

use tokio::sync::mpsc;

use crate::text::{Lines, Tail};

/// Lines handed on per step: more than a person reads, few enough for an event log.
const MAX_FORWARDED_LINES: usize = 5_000;
/// Said once, when the rest of an output isn't looked at.
const CUT: &str = "… more output was dropped";

/// Which stream bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stdout,
    Stderr,
}

/// What a step wrote.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: Lines,
    stderr: Lines,
    tail: Tail,
    log_bytes_left: usize,
    cut: bool,
    captured: Vec<u8>,
    capture_bytes: usize,
    capture_cut: bool,
    forwarded: usize,
    forward: mpsc::Sender<String>,
}

impl Output {
    pub(crate) fn new(log_bytes: usize, capture_bytes: usize, forward: mpsc::Sender<String>) -> Self {
        Self {
            stdout: Lines::default(),
            stderr: Lines::default(),
            tail: Tail::default(),
            log_bytes_left: log_bytes,
            cut: false,
            captured: Vec::new(),
            capture_bytes,
            capture_cut: false,
            forwarded: 0,
            forward,
        }
    }

    /// Takes bytes as they come. Never blocks: a slow listener misses lines. Standard output that is
    /// captured is data for a program, and no line of a log.
    pub(crate) fn push(&mut self, source: Source, bytes: &[u8]) {
        if source == Source::Stdout && self.capture_bytes > 0 {
            let room = self.capture_bytes - self.captured.len();
            self.captured.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            self.capture_cut |= bytes.len() > room;
            return;
        }
        let looked_at = bytes.get(..self.log_bytes_left).unwrap_or(bytes);
        self.log_bytes_left -= looked_at.len();
        let mut complete = Vec::new();
        let lines = match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        };
        lines.push(looked_at, |line| complete.push(line));
        for line in complete {
            self.line(line);
        }
        if looked_at.len() < bytes.len() && !self.cut {
            self.cut = true;
            self.line(CUT.to_owned());
        }
    }

    fn line(&mut self, line: String) {
        if self.forwarded < MAX_FORWARDED_LINES {
            self.forwarded += 1;
            // A full channel means a slow listener; the tail still has the line.
            let _ = self.forward.try_send(line.clone());
        }
        self.tail.push(line);
    }

    /// The tail, what was captured of standard output, and whether that is not all of it.
    pub(crate) fn finish(mut self) -> (String, Vec<u8>, bool) {
        let mut rest = Vec::new();
        self.stdout.finish(|line| rest.push(line));
        self.stderr.finish(|line| rest.push(line));
        for line in rest {
            self.line(line);
        }
        (self.tail.into_text(), self.captured, self.capture_cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_past_the_bound_is_dropped_and_that_is_said_once() {
        let (sender, mut receiver) = mpsc::channel(16);
        let mut output = Output::new(8, 0, sender);
        output.push(Source::Stdout, b"one\ntwo\nthree\n");
        output.push(Source::Stderr, b"four\n");
        assert_eq!(output.finish().0, format!("one\ntwo\n{CUT}\n"));
        assert_eq!(receiver.blocking_recv().as_deref(), Some("one"));
    }

    #[test]
    fn captured_output_is_bounded_and_stays_out_of_the_log() {
        let (sender, _receiver) = mpsc::channel(16);
        let mut output = Output::new(1 << 20, 4, sender);
        output.push(Source::Stdout, b"123");
        output.push(Source::Stdout, b"456");
        output.push(Source::Stderr, b"log\n");
        assert_eq!(output.finish(), ("log\n".to_owned(), b"1234".to_vec(), true));
    }

    #[test]
    fn a_listener_that_does_not_read_does_not_block() {
        let (sender, _receiver) = mpsc::channel(1);
        let mut output = Output::new(1 << 20, 0, sender);
        for _ in 0..10 * MAX_FORWARDED_LINES {
            output.push(Source::Stdout, b"x\n");
        }
        assert!(output.finish().0.ends_with("x\n"));
    }

    #[test]
    fn streams_do_not_mix_within_a_line() {
        let (sender, _receiver) = mpsc::channel(8);
        let mut output = Output::new(1 << 20, 0, sender);
        output.push(Source::Stdout, b"out");
        output.push(Source::Stderr, b"err\n");
        output.push(Source::Stdout, b"put\n");
        assert_eq!(output.finish().0, "err\noutput\n");
    }
}
