//! When changes may land: freezes, change windows and business hours, from `calendar.yaml` and from
//! iCalendar files.
//!
//! A calendar is read whole or not at all: an entry that can't be read could be the freeze that
//! covers tonight. Times are passed in; recurring entries are followed from where they begin, within
//! a bound on all occurrences, and a calendar that exceeds it is unknown.

mod edit;
mod entry;
mod file;
mod ics;
mod rule;
mod span;
mod zone;

#[cfg(test)]
mod tests;

use holdpoint_schemas::Timestamp;
use jiff::SignedDuration;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::error::SourceResult;
use entry::{Entry, is_same};
use span::{gaps, holding, intersection, normalised};

pub use edit::add_freeze;
pub use span::Span;

/// Most occurrences of all entries together that are looked at: a century of six daily entries.
const MAX_OCCURRENCES: usize = 200_000;
/// How far beyond the moment asked about recurring entries are followed at once, so that the next
/// question needs no new reading: a year and a month.
const AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);
/// Furthest that a next safe span is looked for.
const MAX_HORIZON: SignedDuration = AHEAD;

/// What an entry means for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Nothing is to be deployed.
    Freeze,
    /// Changes may land; outside of all windows of a service they may not.
    Window,
    /// A disturbance would hurt most.
    Business,
}

/// One entry as it applies at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Name for people.
    pub name: String,
    /// When it applies. Occurrences that touch or overlap count as one.
    pub span: Span,
}

/// Whether a freeze or business hours apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// They do: the one that ends last.
    Active(Occurrence),
    /// They don't.
    Inactive,
    /// That can't be told, and why.
    Unknown(String),
}

/// Whether a change may land by the change windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowReading {
    /// It may: the window that ends last.
    Open(Occurrence),
    /// No window is for this service, so none restricts it.
    Unrestricted,
    /// The service has windows, and none is open.
    Closed,
    /// That can't be told, and why.
    Unknown(String),
}

/// One entry, for lists that people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// What it means.
    pub kind: Kind,
    /// Name for people.
    pub name: &'a str,
    /// Services it covers; `*` covers all.
    pub services: &'a [String],
    /// Environments it covers; empty covers all.
    pub environments: &'a [String],
    /// File and line.
    pub place: &'a str,
    /// When it applies next, or now.
    pub next: Span,
}

/// A calendar that was read.
#[derive(Debug, Default)]
pub struct Calendar {
    entries: Vec<Entry>,
    expanded: OnceLock<Result<Expansion, String>>,
}

/// When each entry applies.
#[derive(Debug, Clone)]
struct Expansion {
    /// Nothing is known of what begins later.
    up_to: Timestamp,
    /// Per entry, normalised.
    spans: Vec<Vec<Span>>,
}

impl Calendar {
    /// Reads `calendar.yaml`. Names of services and environments are compared without case. `ics` gives the text of an iCalendar file that it names, relative to
    /// its folder, or says why it can't.
    ///
    /// # Errors
    /// When anything in it or in a file that it names can't be read, with the place.
    pub fn read(file: &str, text: &str, ics: &dyn Fn(&str) -> Result<String, String>) -> SourceResult<Self> {
        Ok(Self {
            entries: file::read(file, text, ics)?,
            expanded: OnceLock::new(),
        })
    }

    /// Whether a freeze covers the service and environment. A freeze may cover an unknown
    /// environment (`None`), so it does.
    #[must_use]
    pub fn freeze_at(&self, service: &str, environment: Option<&str>, now: Timestamp) -> Reading {
        self.reading(Kind::Freeze, service, environment, now)
    }

    /// Whether business hours of the service apply, in any environment if it is unknown.
    #[must_use]
    pub fn business_at(&self, service: &str, environment: Option<&str>, now: Timestamp) -> Reading {
        self.reading(Kind::Business, service, environment, now)
    }

    /// Whether a change window of the service is open. One that is only for some environments
    /// restricts an unknown one, but doesn't open it.
    #[must_use]
    pub fn window_open_at(&self, service: &str, environment: Option<&str>, now: Timestamp) -> WindowReading {
        let expansion = match self.expansion(now) {
            Ok(expansion) => expansion,
            Err(why) => return WindowReading::Unknown(why),
        };
        if !self.restricts(service, environment) {
            return WindowReading::Unrestricted;
        }
        let opens = |entry: &Entry| entry.kind == Kind::Window && entry.covers(service, environment);
        match self.latest(&expansion, now, opens) {
            Some(occurrence) => WindowReading::Open(occurrence),
            None => WindowReading::Closed,
        }
    }

    /// The first span from `now` on, and before `now + horizon` (at most 400 days), in which for all
    /// of these services and environments no freeze and no business hours apply and change windows
    /// are open. It ends where that ends, or at the horizon.
    ///
    /// # Errors
    /// When that can't be told, and why.
    pub fn next_safe(
        &self,
        now: Timestamp,
        scope: &[(&str, Option<&str>)],
        horizon: SignedDuration,
    ) -> Result<Option<Span>, String> {
        let end = horizon_end(now, horizon)?;
        let expansion = self.expansion(end)?;
        let Some(within) = Span::new(now, end) else {
            return Ok(None);
        };
        let blocks = |entry: &Entry| {
            let closed = entry.kind != Kind::Window;
            closed
                && scope
                    .iter()
                    .any(|(service, environment)| entry.may_cover(service, *environment))
        };
        let mut safe = gaps(within, &self.spans(&expansion, blocks));
        for (service, environment) in scope {
            if self.restricts(service, *environment) {
                let opens = |entry: &Entry| entry.kind == Kind::Window && entry.covers(service, *environment);
                safe = intersection(&safe, &self.spans(&expansion, opens));
            }
        }
        Ok(safe.first().copied())
    }

    /// The entries that apply at `now` or begin before `now + horizon` (at most 400 days), the soonest
    /// first.
    ///
    /// # Errors
    /// When that can't be told, and why.
    pub fn upcoming(&self, now: Timestamp, horizon: SignedDuration) -> Result<Vec<Listed<'_>>, String> {
        let end = horizon_end(now, horizon)?;
        let expansion = self.expansion(end)?;
        let entries = self.entries.iter().zip(&expansion.spans);
        let mut listed: Vec<Listed<'_>> = entries
            .filter_map(|(entry, spans)| {
                let next = spans.get(spans.partition_point(|span| span.until <= now))?;
                (next.from < end).then_some(Listed {
                    kind: entry.kind,
                    name: &entry.name,
                    services: &entry.services,
                    environments: &entry.environments,
                    place: &entry.place,
                    next: *next,
                })
            })
            .collect();
        listed.sort_by_key(|entry| (entry.next, entry.kind));
        Ok(listed)
    }

    /// What entries name that isn't among these services and environments, one line each: such an entry covers
    /// nothing, most likely by a slip of the pen.
    #[must_use]
    pub fn stray_names(&self, services: &BTreeSet<&str>, environments: &BTreeSet<&str>) -> Vec<String> {
        let mut stray = Vec::new();
        for entry in &self.entries {
            let unknown = |names: &[String], known: &BTreeSet<&str>| -> Vec<String> {
                let names = names
                    .iter()
                    .filter(|name| *name != "*" && !known.iter().any(|one| is_same(one, name)));
                names.map(|name| format!("`{name}`")).collect()
            };
            for (what, names) in [
                ("service", unknown(&entry.services, services)),
                ("environment", unknown(&entry.environments, environments)),
            ] {
                if !names.is_empty() {
                    let names = names.join(", ");
                    stray.push(format!(
                        "{}: `{}` names the {what} {names}, which the catalogue doesn't have",
                        entry.place, entry.name
                    ));
                }
            }
        }
        stray
    }

    fn restricts(&self, service: &str, environment: Option<&str>) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.kind == Kind::Window && entry.may_cover(service, environment))
    }

    fn reading(&self, kind: Kind, service: &str, environment: Option<&str>, now: Timestamp) -> Reading {
        let expansion = match self.expansion(now) {
            Ok(expansion) => expansion,
            Err(why) => return Reading::Unknown(why),
        };
        let covers = |entry: &Entry| entry.kind == kind && entry.may_cover(service, environment);
        match self.latest(&expansion, now, covers) {
            Some(occurrence) => Reading::Active(occurrence),
            None => Reading::Inactive,
        }
    }

    /// Of the entries that apply now, the one that does so the longest.
    fn latest(&self, expansion: &Expansion, now: Timestamp, wanted: impl Fn(&Entry) -> bool) -> Option<Occurrence> {
        let entries = self.entries.iter().zip(&expansion.spans);
        entries
            .filter(|(entry, _)| wanted(entry))
            .filter_map(|(entry, spans)| Some((entry, holding(spans, now)?)))
            .max_by_key(|(_, span)| span.until)
            .map(|(entry, span)| Occurrence {
                name: entry.name.clone(),
                span,
            })
    }

    fn spans(&self, expansion: &Expansion, wanted: impl Fn(&Entry) -> bool) -> Vec<Span> {
        let entries = self.entries.iter().zip(&expansion.spans);
        let wanted = entries.filter(|(entry, _)| wanted(entry));
        normalised(wanted.flat_map(|(_, spans)| spans).copied().collect())
    }

    /// When each entry applies, at least for what begins up to a moment. The first answer reaches
    /// far and is kept.
    fn expansion(&self, up_to: Timestamp) -> Result<Cow<'_, Expansion>, String> {
        let kept = self.expanded.get_or_init(|| {
            // What can't be followed that far is a mistake: it isn't tried again, nearer or further.
            self.expand(up_to.checked_add(AHEAD).unwrap_or(Timestamp::MAX))
        });
        match kept {
            Ok(kept) if up_to <= kept.up_to => Ok(Cow::Borrowed(kept)),
            Ok(_) => self.expand(up_to).map(Cow::Owned),
            Err(why) => Err(why.clone()),
        }
    }

    fn expand(&self, up_to: Timestamp) -> Result<Expansion, String> {
        let mut budget = MAX_OCCURRENCES;
        let spans = self.entries.iter().map(|entry| {
            let spans = entry.spans(up_to, &mut budget);
            spans.map_err(|why| {
                format!(
                    "the calendar's entry `{}` ({}) is unknown: {why}",
                    entry.name, entry.place
                )
            })
        });
        Ok(Expansion {
            up_to,
            spans: spans.collect::<Result<_, _>>()?,
        })
    }
}

fn horizon_end(now: Timestamp, horizon: SignedDuration) -> Result<Timestamp, String> {
    let end = now.checked_add(horizon.min(MAX_HORIZON));
    end.map_err(|_| "the horizon lies beyond all times".to_owned())
}
