//! iCalendar files (RFC 5545): the events of a calendar that people keep elsewhere.
//!
//! Read: `VEVENT` with `DTSTART`, `DTEND`, `DURATION`, `RRULE`, `RDATE`, `EXDATE`, `RECURRENCE-ID`,
//! `STATUS`; `VTIMEZONE`. Other components and properties say nothing about when an event is. What
//! would change that and isn't read (`EXRULE`, `RANGE`) is an error.

mod event;
mod line;
mod timezone;

#[cfg(test)]
mod tests;

use holdpoint_schemas::SourceError;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::Timing;
use super::file::MAX_ENTRIES;
use super::zone::Zone;
use crate::error::SourceResult;
use crate::estate::MAX_YAML_BYTES as MAX_BYTES;
use line::{Line, split, unfolded, wrong};

/// Deepest nesting: `VCALENDAR`, `VEVENT`, `VALARM`, and what makers add.
const MAX_DEPTH: usize = 8;

/// One event.
#[derive(Debug)]
pub(super) struct Event {
    pub name: String,
    /// Line that it begins at.
    pub line: usize,
    pub timing: Timing,
}

/// A component: from `BEGIN:` to `END:`.
#[derive(Debug)]
struct Component<'a> {
    name: String,
    line: usize,
    properties: Vec<Line<'a>>,
    parts: Vec<Component<'a>>,
}

impl<'a> Component<'a> {
    fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Line<'a>> {
        self.properties.iter().filter(move |line| line.name == name)
    }

    fn property(&self, name: &str) -> Option<&Line<'a>> {
        self.properties.iter().find(|line| line.name == name)
    }
}

/// A file with its time zones.
struct File<'a> {
    name: &'a str,
    text: &'a str,
    /// Those that the file defines, by id.
    zones: BTreeMap<String, Arc<Zone>>,
    /// Zone of times that name none.
    floating: Option<Arc<Zone>>,
}

impl File<'_> {
    fn wrong<T>(&self, line: &Line<'_>, message: impl Into<String>, help: &str) -> SourceResult<T> {
        Err(line.wrong(self.name, self.text, message.into(), help))
    }
}

/// Reads the events of a file. `zone` is the zone of days and times that name none; else it is the
/// file's own `X-WR-TIMEZONE`.
pub(super) fn read(name: &str, text: &str, zone: Option<Zone>) -> SourceResult<Vec<Event>> {
    if text.len() > MAX_BYTES {
        let message = format!("{} bytes, but at most {MAX_BYTES} bytes are read", text.len());
        return Err(Box::new(
            SourceError::new(name, message).help("export fewer events, without attachments"),
        ));
    }
    let calendars = components(name, text)?;
    let mut events = Vec::new();
    let mut budget = timezone::MAX_CHANGES;
    for calendar in &calendars {
        let floating = zone.clone().or_else(|| {
            let own = calendar.property("X-WR-TIMEZONE")?;
            Zone::named(own.value.trim())
        });
        let mut file = File {
            name,
            text,
            zones: BTreeMap::new(),
            floating: floating.map(Arc::new),
        };
        for part in calendar.parts.iter().filter(|part| part.name == "VTIMEZONE") {
            let (id, zone) = timezone::read(&file, part, &mut budget)?;
            file.zones.insert(id, Arc::new(zone));
        }
        let parts: Vec<&Component<'_>> = calendar.parts.iter().filter(|part| part.name == "VEVENT").collect();
        if parts.len() > MAX_ENTRIES {
            let message = format!("{} events, but at most {MAX_ENTRIES} are read", parts.len());
            return Err(Box::new(SourceError::new(name, message).help("export fewer events")));
        }
        events.extend(event::read_all(&file, &parts)?);
    }
    Ok(events)
}

/// The calendars of a file.
fn components<'a>(file: &str, text: &'a str) -> SourceResult<Vec<Component<'a>>> {
    let mut open: Vec<Component<'a>> = Vec::new();
    let mut calendars = Vec::new();
    let fail = |number, message: &str, help: &str| wrong(file, text, number, message.to_owned(), help);
    let mut last = 1;
    for (number, whole) in unfolded(text) {
        last = number;
        if whole.trim().is_empty() {
            continue;
        }
        let Some(mut line) = split(number, &whole) else {
            return Err(fail(
                number,
                "`NAME:value` was expected",
                "check that it is an iCalendar file",
            ));
        };
        match line.name.as_str() {
            "BEGIN" if open.len() >= MAX_DEPTH => {
                return Err(fail(number, "deeper than is read", "export the calendar again"));
            }
            "BEGIN" => open.push(Component {
                name: line.value.trim().to_ascii_uppercase(),
                line: number,
                properties: Vec::new(),
                parts: Vec::new(),
            }),
            "END" => {
                let done = open
                    .pop()
                    .filter(|done| done.name.eq_ignore_ascii_case(line.value.trim()));
                let Some(done) = done else {
                    return Err(fail(
                        number,
                        "an end without its beginning",
                        "export the calendar again",
                    ));
                };
                match open.last_mut() {
                    Some(parent) => parent.parts.push(done),
                    None if done.name == "VCALENDAR" => calendars.push(done),
                    None => {
                        return Err(fail(
                            done.line,
                            "`BEGIN:VCALENDAR` was expected",
                            "export the calendar again",
                        ));
                    }
                }
            }
            _ => {
                let Some(component) = open.last_mut() else {
                    return Err(fail(
                        number,
                        "`BEGIN:VCALENDAR` was expected",
                        "check that it is an iCalendar file",
                    ));
                };
                if MATTERS.contains(&line.name.as_str()) {
                    line.value = line.value.into_owned().into();
                    component.properties.push(line);
                }
            }
        }
    }
    if !open.is_empty() || calendars.is_empty() {
        return Err(fail(
            last,
            "the file ends too early",
            "the file is empty or cut off: export the calendar again",
        ));
    }
    Ok(calendars)
}

/// The properties that are read; all others are skipped, whatever their size.
const MATTERS: [&str; 16] = [
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "EXRULE",
    "RECURRENCE-ID",
    "UID",
    "STATUS",
    "SUMMARY",
    "TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "X-LIC-LOCATION",
    "X-WR-TIMEZONE",
];
