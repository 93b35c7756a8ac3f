//! The wire oracle: does a service answer the same requests as it did before?
//!
//! The baseline answers them several times over, from which is learnt what differs from run to run. A place
//! that does is not ignored: what comes there must still be of the kind that always came there (a UUID, a
//! time so long after the answer's own date, a number with three digits …), so that a changed format is found
//! in a place that is never twice the same. A difference counts only when each run of the candidate shows it.
//!
//! Names of headers are compared without their letter case, and values of headers that only frame the body
//! not at all (RFC 9110 §5.1, RFC 9112 §6).

mod body;
mod cookies;
mod format;
mod headers;
mod json;
mod lists;
mod moment;
mod noise;
mod pins;
mod request;
mod rules;
mod show;
mod status;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Gap, Level};

pub use pins::Pins;
pub use request::{Take, TakeFrom, WireRequest, operation};
pub use rules::rules;

use noise::Noise;

/// Most differences that are listed; beyond, a gap says so.
const MAX_DIFFERENCES: usize = 1_000;

/// What came back for one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Lower-case name → values, in the order in which they came.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Body, with any transfer coding undone.
    pub body: Vec<u8>,
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It was answered.
    Response(Response),
    /// The connection broke, or what came is not HTTP; why, for people.
    Broken(String),
    /// Nothing came in time.
    TimedOut,
}

impl Reply {
    const fn response(&self) -> Option<&Response> {
        match self {
            Self::Response(response) => Some(response),
            _ => None,
        }
    }
}

/// One run: a reply per request, in the requests' order.
pub type Transcript = Vec<Reply>;

/// What is compared, and how bad differences are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// What consumers rely on: a difference there is an error.
    pub pins: Vec<Pins>,
    /// Levels of rules where they aren't those of [`rules`]: rule → level.
    pub levels: BTreeMap<String, Level>,
}

/// One way in which the candidate answers otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Rule that found it, of [`rules`].
    pub rule: String,
    /// How bad.
    pub level: Level,
    /// Method and path template: `GET /orders/{}`; of a header, the first that shows it.
    pub operation: String,
    /// `$.status`, `$.header.vary`, `$.header.set-cookie.sid.httponly`, `$.body.items[].id` …
    pub place: String,
    /// One line for people, without secrets.
    pub text: String,
    /// Consumers that pin the place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned_by: Vec<String>,
    /// Requests that show it, at least 1.
    pub requests: usize,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireDiff {
    /// Differences, worst first, then by operation, place and rule.
    pub differences: Vec<Difference>,
    /// What could not be compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Places that differ from run to run on the baseline: operation and place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noisy: Vec<String>,
}

impl WireDiff {
    /// The worst level found.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        self.differences.iter().map(|difference| difference.level).max()
    }
}

/// A difference before it is known how bad it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    rule: &'static str,
    place: String,
    text: String,
}

/// Collects what is found at one request in one run of the candidate.
#[derive(Default)]
struct Report {
    found: Vec<Found>,
    gaps: Vec<String>,
    /// Values looked at.
    visited: usize,
}

impl Report {
    /// Each place is told once per rule: all elements of a list have the same place.
    fn add(&mut self, rule: &'static str, place: &str, text: impl Into<String>) {
        let known = self
            .found
            .iter()
            .any(|found| found.rule == rule && found.place == place);
        if !known && self.found.len() < MAX_DIFFERENCES {
            self.found.push(Found {
                rule,
                place: place.to_owned(),
                text: text.into(),
            });
        }
    }
}

/// What all parts of one comparison look at.
struct Context<'a> {
    operation: &'a str,
    noise: &'a Noise,
    /// Date of each baseline's answer, in seconds since 1970, by its own `Date` header.
    clocks: Vec<Option<f64>>,
    /// The candidate's.
    clock: Option<f64>,
}

/// Compares a candidate's answers with a baseline's. `operations` names each request, see [`operation`]. From
/// fewer than two runs of the baseline no noise can be learnt, and without a run of the candidate nothing can
/// be compared: that is a gap.
#[must_use]
pub fn compare(operations: &[String], baseline: &[Transcript], candidate: &[Transcript], config: &Config) -> WireDiff {
    let mut diff = WireDiff::default();
    if baseline.len() < 2 || candidate.is_empty() {
        diff.gaps.push(Gap {
            place: "$".to_owned(),
            text: "it takes two runs of the baseline and one of the candidate".to_owned(),
        });
        return diff;
    }
    let noise = Noise::learn(operations, baseline);
    let mut merged: BTreeMap<(String, String, &'static str), Difference> = BTreeMap::new();
    for (at, operation) in operations.iter().enumerate() {
        let (found, gaps) = at_request(at, operation, baseline, candidate, &noise);
        diff.gaps.extend(gaps.into_iter().map(|text| Gap {
            place: operation.clone(),
            text,
        }));
        // Another status has another body: only what somebody relies on is worth telling then.
        let other_status = found.iter().any(|found| rules::is_status(found.rule));
        for found in found {
            let pinned_by = pins::pinned_by(&config.pins, &found.place, found.rule);
            if other_status && pinned_by.is_empty() && found.place.starts_with("$.body") {
                continue;
            }
            let level = match pinned_by.is_empty() {
                true => config
                    .levels
                    .get(found.rule)
                    .copied()
                    .unwrap_or(rules::level(found.rule)),
                false => Level::Error,
            };
            // What is wrong with a header is mostly wrong with it everywhere: it is told once.
            let header = found.place.starts_with("$.header");
            let of = if header { String::new() } else { operation.clone() };
            let key = (of, found.place.clone(), found.rule);
            merged
                .entry(key)
                .and_modify(|known| known.requests += 1)
                .or_insert_with(|| Difference {
                    rule: found.rule.to_owned(),
                    level,
                    operation: operation.clone(),
                    place: found.place,
                    text: found.text,
                    pinned_by,
                    requests: 1,
                });
        }
    }
    diff.differences = merged.into_values().collect();
    diff.differences
        .sort_by_key(|difference| std::cmp::Reverse(difference.level));
    if diff.differences.len() > MAX_DIFFERENCES {
        diff.differences.truncate(MAX_DIFFERENCES);
        diff.gaps.push(Gap {
            place: "$".to_owned(),
            text: format!("more than {MAX_DIFFERENCES} differences; the worst are listed"),
        });
    }
    diff.gaps.sort();
    diff.gaps.dedup();
    diff.noisy = noise.places();
    diff
}

/// What every run of the candidate shows at one request, and what could not be compared there.
fn at_request(
    at: usize,
    operation: &str,
    baseline: &[Transcript],
    candidate: &[Transcript],
    noise: &Noise,
) -> (Vec<Found>, Vec<String>) {
    let before: Vec<Option<&Reply>> = baseline.iter().map(|run| run.get(at)).collect();
    let mut gaps = Vec::new();
    let mut common: Option<Vec<Found>> = None;
    for run in candidate {
        let mut report = Report::default();
        one_run(operation, &before, run.get(at), noise, &mut report);
        gaps.append(&mut report.gaps);
        common = Some(match common {
            None => report.found,
            Some(known) => {
                let places: BTreeSet<&str> = report.found.iter().map(|found| found.place.as_str()).collect();
                known
                    .into_iter()
                    .filter(|found| places.contains(found.place.as_str()))
                    .collect()
            }
        });
    }
    (common.unwrap_or_default(), gaps)
}

fn one_run(operation: &str, before: &[Option<&Reply>], after: Option<&Reply>, noise: &Noise, report: &mut Report) {
    let mut responses = Vec::with_capacity(before.len());
    let mut broken = false;
    for reply in before {
        match reply {
            Some(Reply::Response(response)) => responses.push(response),
            Some(Reply::Broken(_)) => broken = true,
            Some(Reply::TimedOut) | None => {
                report.gaps.push("the baseline gave no answer in time".to_owned());
                return;
            }
        }
    }
    let after = match after {
        Some(Reply::Response(response)) => response,
        Some(Reply::Broken(reason)) => {
            if !broken {
                let text = format!("no valid answer any more ({})", show::shorten(reason));
                report.add("no-answer", "$.answer", text);
            }
            return;
        }
        Some(Reply::TimedOut) | None => {
            report.gaps.push("the candidate gave no answer in time".to_owned());
            return;
        }
    };
    if responses.is_empty() {
        report.add("answer-new", "$.answer", "there was no valid answer before");
        return;
    }
    let context = Context {
        operation,
        noise,
        clocks: responses.iter().map(|response| moment::clock(response)).collect(),
        clock: moment::clock(after),
    };
    status::compare(&responses, after, report);
    headers::compare(&context, &responses, after, report);
    body::compare(&context, &responses, after, report);
}

#[cfg(test)]
mod tests;
