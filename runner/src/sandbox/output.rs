//! Gathers a step's output within bounds, while somebody else reads the stream.

use tokio::sync::mpsc;

use crate::text::{Lines, Tail};

/// Lines handed on per step: more than a person reads, few enough for an event log.
const MAX_FORWARDED_LINES: usize = 5_000;
/// Bytes kept of the end of an output that is longer than what is looked at: errors stand there.
const END_BYTES: usize = 16 << 10;

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
    /// Bytes that weren't looked at, and the last of them.
    unread: usize,
    end: Vec<u8>,
    captured: Vec<u8>,
    capture_bytes: usize,
    capture_cut: bool,
    forwarded: usize,
    /// Lines that weren't forwarded any more.
    withheld: usize,
    forward: mpsc::Sender<String>,
}

impl Output {
    pub(crate) fn new(log_bytes: usize, capture_bytes: usize, forward: mpsc::Sender<String>) -> Self {
        Self {
            stdout: Lines::default(),
            stderr: Lines::default(),
            tail: Tail::default(),
            log_bytes_left: log_bytes,
            unread: 0,
            end: Vec::new(),
            captured: Vec::new(),
            capture_bytes,
            capture_cut: false,
            forwarded: 0,
            withheld: 0,
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
        let rest = bytes.get(looked_at.len()..).unwrap_or_default();
        self.unread = self.unread.saturating_add(rest.len());
        self.end.extend_from_slice(last(rest, END_BYTES));
        // Moved seldom, so that a flood costs little more than reading it.
        if self.end.len() > 4 * END_BYTES {
            self.end.drain(..self.end.len() - END_BYTES);
        }
    }

    fn line(&mut self, line: String) {
        if self.forwarded < MAX_FORWARDED_LINES {
            self.forwarded += 1;
            // A full channel means a slow listener; the tail still has the line.
            let _ = self.forward.try_send(line.clone());
        } else {
            self.withheld += 1;
        }
        self.tail.push(line);
    }

    /// The tail, what was captured of standard output, and whether that is not all of it.
    pub(crate) fn finish(mut self) -> (String, Vec<u8>, bool) {
        let mut rest = Vec::new();
        self.stdout.finish(|line| rest.push(line));
        self.stderr.finish(|line| rest.push(line));
        if self.unread > 0 {
            let end = std::mem::take(&mut self.end);
            let end = last(&end, END_BYTES);
            rest.push(format!("… {} bytes of output left out", self.unread - end.len()));
            let mut lines = Lines::default();
            lines.push(end, |line| rest.push(line));
            lines.finish(|line| rest.push(line));
        }
        for line in rest {
            self.line(line);
        }
        let shown: Vec<&String> = self.tail.last(self.withheld).collect();
        if !shown.is_empty() {
            let left_out = self.withheld - shown.len();
            let _ = self.forward.try_send(format!("… {left_out} lines of output left out"));
            for line in shown {
                let _ = self.forward.try_send(line.clone());
            }
        }
        (self.tail.into_text(), self.captured, self.capture_cut)
    }
}

/// The last bytes, at most so many.
fn last(bytes: &[u8], at_most: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(at_most)..).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_output_past_the_bound_only_the_end_is_looked_at() {
        let (sender, mut receiver) = mpsc::channel(16);
        let mut output = Output::new(8, 0, sender);
        output.push(Source::Stdout, b"one\ntwo\nthree\n");
        for _ in 0..1000 {
            output.push(Source::Stdout, &[b'x'; 999]);
        }
        output.push(Source::Stderr, b"\nerror: four\n");
        let tail = output.finish().0;
        let dropped = 6 + 999_000 + 13 - END_BYTES;
        assert!(
            tail.starts_with(&format!("one\ntwo\n… {dropped} bytes of output left out\nxxx")),
            "{tail}"
        );
        assert!(tail.ends_with("\nerror: four\n"), "{tail}");
        assert_eq!(receiver.blocking_recv().as_deref(), Some("one"));
    }

    #[test]
    fn a_listener_gets_the_end_of_an_output_that_has_too_many_lines() {
        let (sender, mut receiver) = mpsc::channel(2 * MAX_FORWARDED_LINES);
        let mut output = Output::new(1 << 20, 0, sender);
        for n in 0..MAX_FORWARDED_LINES + 100 {
            output.push(Source::Stdout, format!("{n}\n").as_bytes());
        }
        output.finish();
        let lines: Vec<String> = std::iter::from_fn(|| receiver.blocking_recv()).collect();
        assert_eq!(lines[MAX_FORWARDED_LINES - 1], "4999");
        assert_eq!(lines[MAX_FORWARDED_LINES], "… 40 lines of output left out");
        assert_eq!(lines[MAX_FORWARDED_LINES + 1], "5040");
        assert_eq!(lines.last().unwrap(), "5099");
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
