//! What a fix opens: routes, networks, permissions, hosts and dangerous calls that weren't there, and guards that
//! aren't there any more. Pure, on two trees.
//!
//! A kind of opening is one file here and one line in [`KINDS`]. Each reads entries out of the changed files;
//! entries are compared as multisets over all files, so that what moved or was reformatted opens nothing.

mod access;
mod guards;
mod hosts;
mod letters;
mod network;
mod privileges;
mod routes;
mod shadows;
mod sinks;
mod source;
mod verdicts;
mod yaml;

use holdpoint_schemas::evidence::{CheckResult, Verdict};
use std::collections::{BTreeMap, BTreeSet};

use crate::files::{self, ArchiveFiles, FileText, Files};
use crate::text::one_line;
use crate::verdict::result;
use source::Source;

/// Openings named one by one.
const MAX_NAMED: usize = 30;
/// Openings named in the one-line reason.
const MAX_IN_REASON: usize = 3;
/// Endings of files that open nothing, whatever is in them.
const INERT: [&str; 22] = [
    "png", "jpg", "jpeg", "gif", "ico", "webp", "avif", "bmp", "woff", "woff2", "ttf", "otf", "eot", "pdf", "mp3",
    "mp4", "webm", "ogg", "wav", "mov", "md", "rst",
];

/// Something that is open, or that guards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// What it is, independent of place and formatting: equal ones are the same.
    key: String,
    /// What may stand in for it in the same file: an opening of a class that was there is no new one.
    class: Option<String>,
    /// Line, 1-based.
    line: u32,
    /// For people.
    shown: String,
}

impl Entry {
    fn new(line: u32, key: impl Into<String>) -> Self {
        let key = key.into();
        Self {
            shown: key.clone(),
            class: None,
            key,
            line,
        }
    }

    fn shown(mut self, shown: impl Into<String>) -> Self {
        self.shown = shown.into();
        self
    }

    fn class(mut self, class: impl Into<String>) -> Self {
        self.class = Some(class.into());
        self
    }
}

/// Whether an entry opens something by coming or by going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opens {
    /// When it is new.
    Added,
    /// When it is gone, although what it guards isn't.
    Removed,
}

/// A kind of opening.
struct Kind {
    /// For people, before what opened.
    name: &'static str,
    opens: Opens,
    entries: fn(&Source<'_>) -> Vec<Entry>,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "new route",
        opens: Opens::Added,
        entries: routes::entries,
    },
    Kind {
        name: "guard removed",
        opens: Opens::Removed,
        entries: guards::entries,
    },
    Kind {
        name: "protection turned off",
        opens: Opens::Added,
        entries: guards::turned_off,
    },
    Kind {
        name: "wider network",
        opens: Opens::Added,
        entries: network::entries,
    },
    Kind {
        name: "more privileges",
        opens: Opens::Added,
        entries: privileges::entries,
    },
    Kind {
        name: "restriction removed",
        opens: Opens::Removed,
        entries: privileges::restrictions,
    },
    Kind {
        name: "wider permission",
        opens: Opens::Added,
        entries: access::entries,
    },
    Kind {
        name: "new host",
        opens: Opens::Added,
        entries: hosts::entries,
    },
    Kind {
        name: "module shadowed",
        opens: Opens::Added,
        entries: shadows::entries,
    },
    Kind {
        name: "reads otherwise than it looks",
        opens: Opens::Added,
        entries: letters::entries,
    },
    Kind {
        name: "reaches for the tests' verdict",
        opens: Opens::Added,
        entries: verdicts::entries,
    },
    Kind {
        name: "new dangerous call",
        opens: Opens::Added,
        entries: sinks::entries,
    },
];

/// Compares the trees of two archives.
#[must_use]
pub fn compare_archives(base: &[u8], candidate: &[u8]) -> CheckResult {
    match (ArchiveFiles::read(base), ArchiveFiles::read(candidate)) {
        (Ok(base), Ok(candidate)) => compare(&base, &candidate),
        (Err(error), _) | (_, Err(error)) => result(Verdict::Inconclusive, format!("a tree can't be read: {error}")),
    }
}

/// What the candidate opens that the base hasn't open: passed when there is nothing, failed with each opening's
/// place, inconclusive when a changed file can't be read.
#[must_use]
pub fn compare(base: &dyn Files, candidate: &dyn Files) -> CheckResult {
    let changed = files::changed(base, candidate);
    let before = sources(base, &changed);
    let after = sources(candidate, &changed);
    let names = |sources: &[Source<'_>]| -> BTreeSet<String> { sources.iter().flat_map(guards::subjects).collect() };
    let (old_names, new_names) = (names(&before), names(&after));
    let mut opened = Vec::new();
    for kind in KINDS {
        let (from, to) = match kind.opens {
            Opens::Added => (&before, &after),
            Opens::Removed => (&after, &before),
        };
        for (path, entry) in added(kind, from, to) {
            if kind.opens == Opens::Removed && is_deleted(&entry, &old_names, &new_names) {
                continue;
            }
            let was = if kind.opens == Opens::Removed {
                " (of the base)"
            } else {
                ""
            };
            opened.push(format!(
                "{}: {} at {}:{}{was}",
                kind.name,
                one_line(&entry.shown),
                one_line(path),
                entry.line
            ));
        }
    }
    let unread: Vec<String> = changed
        .iter()
        .filter_map(|path| unread(path, base, candidate))
        .collect();
    let mut details: Vec<String> = opened.iter().chain(&unread).take(MAX_NAMED).cloned().collect();
    let all = opened.len() + unread.len();
    if all > MAX_NAMED {
        details.push(format!("{} more", all - MAX_NAMED));
    }
    let (verdict, reason) = if !opened.is_empty() {
        let more = opened.len().saturating_sub(MAX_IN_REASON);
        let mut names = opened
            .iter()
            .take(MAX_IN_REASON)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if more > 0 {
            names.push_str(&format!(" and {more} more"));
        }
        (Verdict::Failed, format!("the fix opens something: {names}"))
    } else if let Some(first) = unread.first() {
        (Verdict::Inconclusive, first.clone())
    } else {
        (Verdict::Passed, "the fix opens nothing".to_owned())
    };
    CheckResult {
        verdict,
        reason,
        details,
    }
}

fn sources<'a>(files: &'a dyn Files, changed: &BTreeSet<&'a str>) -> Vec<Source<'a>> {
    let text = |path: &&'a str| Some(Source::new(path, files.file(path).text()?));
    changed.iter().filter(|path| !is_inert(path)).filter_map(text).collect()
}

fn is_inert(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    INERT.contains(&ending.as_str())
}

fn unread(path: &str, base: &dyn Files, candidate: &dyn Files) -> Option<String> {
    if is_inert(path) {
        return None;
    }
    [candidate.file(path), base.file(path)]
        .into_iter()
        .find_map(|file| match file {
            FileText::Unreadable(why) => Some(format!("it can't be told what {} opens: {why}", one_line(path))),
            FileText::Text(_) | FileText::Absent => None,
        })
}

/// Entries of `to` that `from` hasn't, with their paths: equal ones cancel out wherever they are, those of one
/// class within their file.
fn added<'a>(kind: &Kind, from: &[Source<'a>], to: &[Source<'a>]) -> Vec<(&'a str, Entry)> {
    let entries = |sources: &[Source<'a>]| -> Vec<(&'a str, Entry)> {
        let of = |source: &Source<'a>| {
            let path = source.path;
            (kind.entries)(source).into_iter().map(move |entry| (path, entry))
        };
        sources.iter().flat_map(of).collect()
    };
    let (mut known, mut new) = (entries(from), entries(to));
    cancel(&mut known, &mut new, |_, entry| Some(entry.key.clone()));
    cancel(&mut known, &mut new, |path, entry| {
        entry.class.as_ref().map(|class| format!("{path}\n{class}"))
    });
    // What was worse may become better: a shell a process, never the other way round.
    new.retain(|(path, entry)| {
        let better = |other: &Entry| {
            entry.class.as_deref() == Some(sinks::PROCESS) && other.class.as_deref() == Some(sinks::SHELL)
        };
        let stood_for = known.iter().position(|(from, other)| from == path && better(other));
        stood_for.map(|at| known.swap_remove(at)).is_none()
    });
    new
}

/// Takes away what is in both lists, one for one.
fn cancel<'a>(
    known: &mut Vec<(&'a str, Entry)>,
    new: &mut Vec<(&'a str, Entry)>,
    key: impl Fn(&str, &Entry) -> Option<String>,
) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for key in known.iter().filter_map(|(path, entry)| key(path, entry)) {
        *counts.entry(key).or_default() += 1;
    }
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut take = |key: Option<String>, from: &mut BTreeMap<String, usize>| {
        let count = key
            .as_ref()
            .and_then(|key| from.get_mut(key))
            .filter(|count| **count > 0);
        let hit = count.map(|count| *count -= 1).is_some();
        if let Some(key) = key.filter(|_| hit) {
            *used.entry(key).or_default() += 1;
        }
        hit
    };
    new.retain(|(path, entry)| !take(key(path, entry), &mut counts));
    known.retain(
        |(path, entry)| match key(path, entry).and_then(|key| used.get_mut(&key)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        },
    );
}

/// Whether what an entry guards is gone too, and nothing came in its place that could be it under another name.
fn is_deleted(entry: &Entry, before: &BTreeSet<String>, after: &BTreeSet<String>) -> bool {
    let subject = entry.class.as_deref().and_then(|class| class.split_once(" of "));
    subject.is_some_and(|(_, subject)| !after.contains(subject) && after.is_subset(before))
}

#[cfg(test)]
mod tests;
