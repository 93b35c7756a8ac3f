//! A step's log, as it grows. Broken streams go on where they broke: every line carries its time.

use futures_util::AsyncReadExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::LogParams;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

use super::api::{Backoff, Cluster, Judgement, judge};
use super::profile::CONTAINER;
use crate::sandbox::output::{Output, Source};

/// Longest time stamp: RFC 3339 with nanoseconds and an offset.
const MAX_STAMP_BYTES: usize = 40;
/// The two streams of a container are stamped apart from each other, so their lines may be out of order.
const OVERLAP: SignedDuration = SignedDuration::from_secs(2);
/// Bytes read at once.
const CHUNK_BYTES: usize = 16 << 10;
/// Pause before a stream that ended too early is opened anew.
const REOPEN: Duration = Duration::from_secs(1);
/// A stream that says nothing is opened anew after this: its connection may be dead.
const SILENCE: Duration = Duration::from_secs(60);

/// Follows the log until the container has `ended` and all of it is there, or until `bound` bytes of it
/// were read. Never fails: a log is for people.
pub(super) async fn follow(
    cluster: Cluster,
    pod: String,
    bound: usize,
    output: Arc<Mutex<Output>>,
    mut ended: watch::Receiver<bool>,
) {
    let mut reader = Reader::default();
    let mut backoff = Backoff::new(cluster.patience.outage);
    loop {
        let (before, was_over) = (reader.bytes, *ended.borrow());
        match read(&cluster, &pod, bound, &mut reader, &output).await {
            Ok(End::Cut) => return,
            Ok(End::Over) if was_over => return,
            // A server that goes down ends its streams politely: only the container's end is the end.
            Ok(End::Over | End::Silent) => {
                backoff.succeeded();
                let _ = tokio::time::timeout(REOPEN, ended.wait_for(|ended| *ended)).await;
            }
            Err(Judgement::Refused { reason, .. }) => {
                tracing::debug!("the log of a step can't be read: {reason}");
                return;
            }
            Err(Judgement::Passing { reason }) => {
                tracing::debug!("the log of a step broke off: {reason}");
                if reader.bytes != before {
                    backoff.succeeded();
                }
                match backoff.failed() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return,
                }
            }
        }
    }
}

enum End {
    Over,
    Silent,
    Cut,
}

async fn read(
    cluster: &Cluster,
    pod: &str,
    bound: usize,
    reader: &mut Reader,
    output: &Mutex<Output>,
) -> Result<End, Judgement> {
    let params = LogParams {
        container: Some(CONTAINER.to_owned()),
        follow: true,
        timestamps: true,
        since_time: since(&reader.taken),
        ..LogParams::default()
    };
    reader.reopen();
    let api = cluster.api::<Pod>();
    let opened = tokio::time::timeout(cluster.patience.request, api.log_stream(pod, &params)).await;
    let mut stream = match opened {
        Ok(stream) => Box::pin(stream.map_err(|error| judge(&error))?),
        Err(_) => {
            return Err(Judgement::Passing {
                reason: "no answer".to_owned(),
            });
        }
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = match tokio::time::timeout(SILENCE, stream.read(&mut chunk)).await {
            Ok(Ok(0)) => return Ok(End::Over),
            Ok(Ok(count)) => count,
            Ok(Err(error)) => {
                return Err(Judgement::Passing {
                    reason: error.to_string(),
                });
            }
            Err(_) => return Ok(End::Silent),
        };
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        reader.push(chunk.get(..count).unwrap_or_default(), |bytes| {
            output.push(Source::Stdout, bytes);
        });
        // One byte more than is looked at, so that the cut is said.
        if reader.bytes > bound {
            return Ok(End::Cut);
        }
    }
}

/// From when on a stream that is opened anew must be read.
fn since(taken: &BTreeSet<Timestamp>) -> Option<Timestamp> {
    taken.last().and_then(|last| last.checked_sub(OVERLAP).ok())
}

/// Takes the time stamps off, and what was seen before.
#[derive(Debug, Default)]
struct Reader {
    /// Times of the lines that were taken as a whole, as far back as [`OVERLAP`].
    taken: BTreeSet<Timestamp>,
    /// The line that is being taken, and the bytes of it that were.
    current: Option<(Timestamp, usize)>,
    /// The line that a broken stream left in the middle.
    half: Option<(Timestamp, usize)>,
    /// What was taken before the stream was opened anew.
    known: BTreeSet<Timestamp>,
    /// Start of a line whose time stamp isn't complete.
    stamp: Vec<u8>,
    part: Part,
    /// Bytes handed on.
    bytes: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[default]
    Stamp,
    /// Text, of which so many bytes are known already.
    Text { known: usize },
}

impl Reader {
    fn reopen(&mut self) {
        self.known.clone_from(&self.taken);
        self.half = self.current.take().or(self.half);
        self.stamp.clear();
        self.part = Part::Stamp;
    }

    fn push(&mut self, mut bytes: &[u8], mut take: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            if self.part == Part::Stamp {
                let Some(at) = bytes.iter().position(|byte| matches!(byte, b' ' | b'\n')) else {
                    self.stamp.extend_from_slice(bytes);
                    self.stamp.truncate(MAX_STAMP_BYTES);
                    return;
                };
                let (start, rest) = bytes.split_at(at);
                self.stamp.extend_from_slice(start);
                self.begin_line();
                // An empty line may come without a space behind its time.
                bytes = rest.strip_prefix(b" ").unwrap_or(rest);
                continue;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if let Part::Text { known } = &mut self.part {
                let skipped = (*known).min(line.len());
                *known -= skipped;
                let news = line.get(skipped..).unwrap_or_default();
                if !news.is_empty() {
                    self.bytes = self.bytes.saturating_add(news.len());
                    take(news);
                }
            }
            if let Some((_, taken)) = &mut self.current {
                *taken += line.len();
            }
            if end.is_some() {
                if let Some((time, _)) = self.current.take() {
                    self.taken.insert(time);
                    if let Some(since) = since(&self.taken) {
                        self.taken = self.taken.split_off(&since);
                    }
                }
                self.part = Part::Stamp;
            }
            bytes = rest;
        }
    }

    fn begin_line(&mut self) {
        let time: Option<Timestamp> = str::from_utf8(&self.stamp).ok().and_then(|text| text.parse().ok());
        self.stamp.clear();
        self.current = time.map(|time| (time, 0));
        let is_taken = |time| self.known.contains(&time) || since(&self.known).is_some_and(|since| time < since);
        let known = match (time, self.half) {
            (Some(time), Some((half, bytes))) if time == half => bytes,
            (Some(time), _) if is_taken(time) => usize::MAX,
            _ => 0,
        };
        self.part = Part::Text { known };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-01-01T00:00:00.000000001Z one\n2026-01-01T00:00:00.000000002Z \n\
                       2026-01-01T00:00:00.000000003Z three words here\n";

    fn text(reader: &mut Reader, chunks: &[&[u8]]) -> String {
        let mut out = Vec::new();
        for chunk in chunks {
            reader.push(chunk, |bytes| out.extend_from_slice(bytes));
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn time_stamps_come_off_however_the_stream_is_cut() {
        for size in 1..LOG.len() {
            let chunks: Vec<&[u8]> = LOG.as_bytes().chunks(size).collect();
            assert_eq!(
                text(&mut Reader::default(), &chunks),
                "one\n\nthree words here\n",
                "{size}"
            );
        }
    }

    #[test]
    fn a_stream_that_is_opened_anew_repeats_nothing() {
        let mut reader = Reader::default();
        let cut = LOG.find("three").unwrap();
        assert_eq!(text(&mut reader, &[&LOG.as_bytes()[..cut - 31]]), "one\n\n");
        reader.reopen();
        assert_eq!(text(&mut reader, &[LOG.as_bytes()]), "three words here\n");
    }

    #[test]
    fn lines_that_are_out_of_order_come_once() {
        let lines: Vec<&str> = LOG.split_inclusive('\n').collect();
        let log = [lines[2], lines[0], lines[1]].concat();
        let mut reader = Reader::default();
        assert_eq!(text(&mut reader, &[log.as_bytes()]), "three words here\none\n\n");
        reader.reopen();
        assert_eq!(text(&mut reader, &[log.as_bytes()]), "");
    }

    #[test]
    fn wherever_a_stream_breaks_the_whole_is_what_was_written() {
        for cut in 0..LOG.len() {
            let mut reader = Reader::default();
            let mut whole = text(&mut reader, &[&LOG.as_bytes()[..cut]]);
            reader.reopen();
            whole += &text(&mut reader, &[LOG.as_bytes()]);
            assert_eq!(whole, "one\n\nthree words here\n", "{cut}");
        }
    }
}
