//! One entry of a calendar: what it means, what it covers, and when.

use holdpoint_schemas::Timestamp;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Kind;
use super::rule::Rule;
use super::span::{Span, gaps, normalised};
use super::zone::{Length, Zone};

/// One entry of a calendar.
#[derive(Debug)]
pub(super) struct Entry {
    pub kind: Kind,
    pub name: String,
    /// `*` covers all.
    pub services: Vec<String>,
    /// Empty covers all.
    pub environments: Vec<String>,
    /// File and line, for people.
    pub place: String,
    pub timing: Timing,
}

impl Entry {
    /// Whether it covers, or could cover where the environment is unknown.
    pub fn may_cover(&self, service: &str, environment: Option<&str>) -> bool {
        self.names(service) && (environment.is_none() || self.is_for(environment))
    }

    /// Whether it surely covers.
    pub fn covers(&self, service: &str, environment: Option<&str>) -> bool {
        self.names(service) && self.is_for(environment)
    }

    fn names(&self, service: &str) -> bool {
        self.services
            .iter()
            .any(|covered| covered == "*" || is_same(covered, service))
    }

    fn is_for(&self, environment: Option<&str>) -> bool {
        let mut covered = self.environments.iter();
        self.environments.is_empty() || covered.any(|name| name == "*" || environment.is_some_and(|e| is_same(name, e)))
    }

    /// When it applies, as far as it begins up to a moment.
    pub fn spans(&self, up_to: Timestamp, budget: &mut usize) -> Result<Vec<Span>, String> {
        let spans = match &self.timing {
            Timing::Once(spans) => spans.clone(),
            Timing::Recurring(recurring) => {
                let mut spans = recurring.spans(up_to, budget)?;
                // RFC 5545 leaves it open whether an event whose beginning doesn't follow its own rule
                // happens then too. The answer that allows less is taken.
                if self.kind != Kind::Window {
                    spans.extend(recurring.first.filter(|first| !recurring.is_excepted(first.from)));
                }
                spans
            }
        };
        Ok(normalised(spans))
    }
}

/// Whether two names of services or environments are the same, whatever their case and the space around them: a
/// freeze that missed by a capital letter would cover nothing.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// When an entry applies.
#[derive(Debug)]
pub(super) enum Timing {
    /// At these times.
    Once(Vec<Span>),
    /// Again and again.
    Recurring(Box<Recurring>),
}

/// A set of occurrences (RFC 5545, 3.8.5).
#[derive(Debug)]
pub(super) struct Recurring {
    pub zone: Arc<Zone>,
    pub rule: Option<Rule>,
    pub ends: Ends,
    /// The first occurrence, where its file states it as one.
    pub first: Option<Span>,
    /// Occurrences beside the rule.
    pub more: Vec<Span>,
    /// Occurrences that don't happen.
    pub except: BTreeSet<Except>,
}

/// When an occurrence ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ends {
    /// So long after its beginning.
    After(Length),
    /// At the next such time of day.
    At(Time),
}

/// An occurrence that doesn't happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Except {
    /// Those that begin on this local day.
    Day(Date),
    /// The one that begins at this moment.
    Moment(Timestamp),
}

impl Recurring {
    fn spans(&self, up_to: Timestamp, budget: &mut usize) -> Result<Vec<Span>, String> {
        let mut spans: Vec<Span> = Vec::new();
        if let Some(rule) = &self.rule {
            for (local, from) in rule.occurrences(&self.zone, up_to, budget)? {
                let until = self
                    .end(local, from)
                    .ok_or("it ends beyond the times that can be told")?;
                spans.extend(Span::new(from, until));
            }
        }
        spans.extend(&self.more);
        spans.retain(|span| !self.is_excepted(span.from));
        Ok(spans)
    }

    fn end(&self, local: DateTime, from: Timestamp) -> Option<Timestamp> {
        match self.ends {
            Ends::After(length) => length.end(from, &self.zone),
            Ends::At(time) => {
                let overnight = i32::from(time <= local.time());
                self.zone
                    .moment(local.date().checked_add(overnight.days()).ok()?.to_datetime(time))
            }
        }
    }

    fn is_excepted(&self, from: Timestamp) -> bool {
        let on_day = || Except::Day(self.zone.local(from).date());
        !self.except.is_empty() && (self.except.contains(&Except::Moment(from)) || self.except.contains(&on_day()))
    }
}

/// A span without these local days.
pub(super) fn without_days(span: Span, days: &[Date], zone: &Zone) -> Option<Vec<Span>> {
    let day = |date: &Date| {
        let from = zone.moment(date.at(0, 0, 0, 0))?;
        Span::new(from, zone.moment(date.tomorrow().ok()?.at(0, 0, 0, 0))?)
    };
    Some(gaps(span, &normalised(days.iter().map(day).collect::<Option<_>>()?)))
}
