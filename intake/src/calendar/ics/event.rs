//! `VEVENT` (RFC 5545, 3.6.1): when an event is.

use holdpoint_schemas::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Unit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::line::{Line, plain};
use super::{Component, Event, File};
use crate::calendar::entry::{Ends, Except, Recurring, Timing};
use crate::calendar::rule::Rule;
use crate::calendar::span::Span;
use crate::calendar::zone::{Length, Zone};
use crate::error::SourceResult;

/// Most single dates (`RDATE`, `EXDATE`) of one event.
const MAX_DATES: usize = 2_000;

/// A value of `DTSTART` and its like: a day, or a moment.
struct When {
    local: DateTime,
    zone: Arc<Zone>,
    at: Timestamp,
    all_day: bool,
}

/// Reads all events of a calendar. One with `RECURRENCE-ID` takes the place of an occurrence of the
/// event with the same `UID`; a cancelled one takes no place.
pub(super) fn read_all(file: &File<'_>, parts: &[&Component<'_>]) -> SourceResult<Vec<Event>> {
    let mut replaced: BTreeMap<&str, Vec<Except>> = BTreeMap::new();
    for part in parts {
        if let Some(line) = part.property("RECURRENCE-ID") {
            if line.parameter("RANGE").is_some() {
                return file.wrong(line, "`RANGE` isn't read", "split the series where it changes");
            }
            let uid = part.property("UID").map(|uid| &*uid.value).unwrap_or_default();
            let when = when(file, line, line.value.trim())?;
            replaced.entry(uid).or_default().push(when.except());
        }
    }
    let mut events = Vec::new();
    for part in parts {
        let is_replacement = part.property("RECURRENCE-ID").is_some();
        let uid = part.property("UID").map(|uid| &*uid.value).unwrap_or_default();
        let replaced = replaced.get(uid).filter(|_| !is_replacement);
        let cancelled = part
            .property("STATUS")
            .is_some_and(|line| line.value.trim().eq_ignore_ascii_case("CANCELLED"));
        if !cancelled {
            events.push(event(file, part, replaced.map(Vec::as_slice).unwrap_or_default())?);
        }
    }
    Ok(events)
}

fn event(file: &File<'_>, part: &Component<'_>, replaced: &[Except]) -> SourceResult<Event> {
    let name = part
        .property("SUMMARY")
        .map(|line| plain(&line.value))
        .filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "unnamed event".to_owned());
    for unread in ["DTSTART", "DTEND", "DURATION", "RRULE"] {
        if let Some(second) = part.all(unread).nth(1) {
            return file.wrong(
                second,
                format!("a second `{unread}` in one event"),
                "split it into two events",
            );
        }
    }
    if let Some(line) = part.property("EXRULE") {
        return file.wrong(line, "`EXRULE` isn't read", "write the exceptions as `EXDATE`");
    }
    let Some(start_line) = part.property("DTSTART") else {
        let message = format!("the event `{name}` has no `DTSTART`");
        return Err(super::wrong(
            file.name,
            file.text,
            part.line,
            message,
            "export the calendar again",
        ));
    };
    let start = when(file, start_line, start_line.value.trim())?;
    let length = length(file, part, &start)?;
    let Some(end) = length.end(start.at, &start.zone) else {
        return file.wrong(
            start_line,
            "it ends beyond the times that can be told",
            "correct its end",
        );
    };
    let first = Span::new(start.at, end);
    let recurs = ["RRULE", "RDATE"].iter().any(|name| part.property(name).is_some());
    let timing = if recurs {
        recurring(file, part, &start, length, first, replaced)?
    } else {
        // Nothing is left of an event whose only occurrence was excepted or replaced.
        let except = exceptions(file, part, replaced)?;
        let left = first.filter(|_| !except.contains(&Except::Moment(start.at)));
        Timing::Once(
            left.filter(|_| !except.contains(&Except::Day(start.local.date())))
                .into_iter()
                .collect(),
        )
    };
    Ok(Event {
        name,
        line: part.line,
        timing,
    })
}

fn recurring(
    file: &File<'_>,
    part: &Component<'_>,
    start: &When,
    length: Length,
    first: Option<Span>,
    replaced: &[Except],
) -> SourceResult<Timing> {
    let rule = match part.property("RRULE") {
        None => None,
        Some(line) => match Rule::parse(&line.value, start.local) {
            Ok(rule) => Some(rule),
            Err(why) => {
                return file.wrong(
                    line,
                    format!("`{}` {why}", line.value),
                    "a rule of RFC 5545 was expected",
                );
            }
        },
    };
    let mut more = Vec::new();
    for line in part.all("RDATE") {
        for value in dates(file, line)? {
            more.extend(extra(file, line, value, length)?);
        }
    }
    // Without a rule the first occurrence is one like the others.
    if rule.is_none() {
        more.extend(first);
    }
    Ok(Timing::Recurring(Box::new(Recurring {
        zone: Arc::clone(&start.zone),
        rule,
        ends: Ends::After(length),
        first,
        more,
        except: exceptions(file, part, replaced)?,
    })))
}

/// How long it lasts. From `DTEND` it is exact, from `DURATION` and of whole days it follows the
/// calendar (RFC 5545, 3.8.5.3).
fn length(file: &File<'_>, part: &Component<'_>, start: &When) -> SourceResult<Length> {
    match (part.property("DTEND"), part.property("DURATION")) {
        (Some(line), None) => {
            let end = when(file, line, line.value.trim())?;
            if end.at < start.at || end.all_day != start.all_day {
                return file.wrong(
                    line,
                    format!("`{}` isn't an end of its beginning", line.value),
                    "correct the event",
                );
            }
            if !start.all_day {
                return Ok(Length {
                    days: 0,
                    rest: end.at.duration_since(start.at),
                });
            }
            let days = start
                .local
                .date()
                .until((Unit::Day, end.local.date()))
                .map(|span| span.get_days());
            match days {
                Ok(days) => Ok(Length {
                    days,
                    rest: SignedDuration::ZERO,
                }),
                Err(_) => file.wrong(line, "a day that can't be told", "correct the event"),
            }
        }
        (None, Some(line)) => match Length::parse(&line.value) {
            Some(length) => Ok(length),
            None => file.wrong(
                line,
                format!("`{}` isn't a duration", line.value),
                "export the calendar again",
            ),
        },
        (None, None) => Ok(Length {
            days: i32::from(start.all_day),
            rest: SignedDuration::ZERO,
        }),
        (Some(line), Some(_)) => file.wrong(line, "both `DTEND` and `DURATION`", "drop one of them"),
    }
}

/// One value of `RDATE`: a date, or a period with its own end.
fn extra(file: &File<'_>, line: &Line<'_>, value: &str, length: Length) -> SourceResult<Option<Span>> {
    let Some((from, end)) = value.split_once('/') else {
        let from = when(file, line, value)?;
        return Ok(length
            .end(from.at, &from.zone)
            .and_then(|until| Span::new(from.at, until)));
    };
    let from = when(file, line, from)?;
    let until = match Length::parse(end) {
        Some(length) => length.end(from.at, &from.zone),
        None => Some(when(file, line, end)?.at),
    };
    Ok(until.and_then(|until| Span::new(from.at, until)))
}

fn exceptions(file: &File<'_>, part: &Component<'_>, replaced: &[Except]) -> SourceResult<BTreeSet<Except>> {
    let mut except: BTreeSet<Except> = replaced.iter().copied().collect();
    for line in part.all("EXDATE") {
        for value in dates(file, line)? {
            except.insert(when(file, line, value)?.except());
        }
    }
    Ok(except)
}

fn dates<'l>(file: &File<'_>, line: &'l Line<'_>) -> SourceResult<Vec<&'l str>> {
    let values: Vec<&str> = line.value.split(',').map(str::trim).take(MAX_DATES + 1).collect();
    if values.len() > MAX_DATES {
        return file.wrong(line, format!("more than {MAX_DATES} dates"), "write them as a rule");
    }
    Ok(values)
}

impl When {
    fn except(&self) -> Except {
        if self.all_day {
            Except::Day(self.local.date())
        } else {
            Except::Moment(self.at)
        }
    }
}

/// Reads `20260316`, `20260316T090000` or `20260316T080000Z`.
fn when(file: &File<'_>, line: &Line<'_>, value: &str) -> SourceResult<When> {
    const TIME: &str = "%Y%m%dT%H%M%S";
    let (local, all_day) = if let Some(utc) = value.strip_suffix(['Z', 'z']) {
        (DateTime::strptime(TIME, utc).ok(), false)
    } else if let Ok(day) = Date::strptime("%Y%m%d", value) {
        (Some(day.at(0, 0, 0, 0)), true)
    } else {
        (DateTime::strptime(TIME, value).ok(), false)
    };
    let zone = match local {
        Some(_) if !value.ends_with(['Z', 'z']) => file.zone_of(line)?,
        _ => Arc::new(Zone::Named(TimeZone::UTC)),
    };
    let read = local.and_then(|local| Some((local, zone.moment(local)?)));
    match read {
        Some((local, at)) => Ok(When {
            local,
            zone,
            at,
            all_day,
        }),
        None => file.wrong(
            line,
            format!("`{value}` isn't a date or a time"),
            "`20260316` or `20260316T090000` was expected",
        ),
    }
}
