//! `VTIMEZONE` (RFC 5545, 3.6.5), and the zone that a `TZID` means.
//!
//! A name of the IANA database wins over what the file says under that name: files carry rules that
//! were true when the program was made. A file's own rules serve for names that the database hasn't,
//! such as Outlook's `W. Europe Standard Time`.

use holdpoint_schemas::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use std::sync::Arc;

use super::line::Line;
use super::{Component, File};
use crate::calendar::rule::Rule;
use crate::calendar::zone::Zone;
use crate::error::SourceResult;

/// Until when a file's rules are followed.
const HORIZON: Timestamp = Timestamp::constant(4_102_444_800, 0);
/// Most changes of a file's zones together: fifty that change twice a year since 1601, where Outlook begins.
pub(super) const MAX_CHANGES: usize = 50_000;
/// Longest name of a zone, in bytes.
const MAX_NAME: usize = 255;
const HELP: &str = "export the calendar again, or give the entry a `zone`";

/// Reads a zone with its id.
pub(super) fn read(file: &File<'_>, component: &Component<'_>, budget: &mut usize) -> SourceResult<(String, Zone)> {
    let Some(id) = component.property("TZID") else {
        let message = "a `VTIMEZONE` without `TZID`".to_owned();
        return Err(super::wrong(file.name, file.text, component.line, message, HELP));
    };
    let id = id.value.trim().to_owned();
    if let Some(zone) = database(&id) {
        return Ok((id, zone));
    }
    if let Some(zone) = component
        .property("X-LIC-LOCATION")
        .and_then(|line| database(line.value.trim()))
    {
        return Ok((id, zone));
    }
    let mut changes: Vec<(Timestamp, Offset, Offset)> = Vec::new();
    for part in component
        .parts
        .iter()
        .filter(|part| matches!(part.name.as_str(), "STANDARD" | "DAYLIGHT"))
    {
        changes.extend(observance(file, part, budget)?);
    }
    changes.sort_by_key(|(at, ..)| *at);
    let Some((_, first, _)) = changes.first() else {
        let message = format!("the time zone `{id}` has no offset");
        return Err(super::wrong(file.name, file.text, component.line, message, HELP));
    };
    let first = *first;
    let changes = changes.into_iter().map(|(at, _, to)| (at, to)).collect();
    Ok((id, Zone::Listed { first, changes }))
}

/// A zone of the database, by its name. An id that begins with a slash is some registry's (RFC 5545,
/// 3.2.19), and ends with the name: `/freeassociation.sourceforge.net/Europe/Berlin`.
fn database(id: &str) -> Option<Zone> {
    let mut name = Some(id).filter(|id| id.len() <= MAX_NAME)?;
    loop {
        match Zone::named(name) {
            None if id.starts_with('/') => name = name.split_once('/')?.1,
            found => return found,
        }
    }
}

/// When one observance begins: moment, offset before, offset from then on.
fn observance(
    file: &File<'_>,
    part: &Component<'_>,
    budget: &mut usize,
) -> SourceResult<Vec<(Timestamp, Offset, Offset)>> {
    let get = |name: &str| {
        part.property(name)
            .ok_or_else(|| super::wrong(file.name, file.text, part.line, format!("`{name}` was expected"), HELP))
    };
    let (from, to) = (offset(file, get("TZOFFSETFROM")?)?, offset(file, get("TZOFFSETTO")?)?);
    let start_line = get("DTSTART")?;
    let Ok(start) = DateTime::strptime("%Y%m%dT%H%M%S", start_line.value.trim()) else {
        return file.wrong(start_line, format!("`{}` isn't a local time", start_line.value), HELP);
    };
    // Times of an observance are told with the offset before it.
    let before = Zone::Listed {
        first: from,
        changes: Vec::new(),
    };
    let mut starts = vec![start];
    for line in part.all("RDATE") {
        for value in line.value.split(',') {
            match DateTime::strptime("%Y%m%dT%H%M%S", value.trim()) {
                Ok(local) => starts.push(local),
                Err(_) => return file.wrong(line, format!("`{value}` isn't a local time"), HELP),
            }
        }
    }
    let mut moments: Vec<Timestamp> = starts.iter().filter_map(|local| before.moment(*local)).collect();
    for line in part.all("RRULE") {
        let found = Rule::parse(&line.value, start).and_then(|rule| rule.occurrences(&before, HORIZON, budget));
        match found {
            Ok(found) => moments.extend(found.into_iter().map(|(_, at)| at)),
            Err(why) => return file.wrong(line, format!("`{}` {why}", line.value), HELP),
        }
    }
    moments.sort_unstable();
    moments.dedup();
    Ok(moments.into_iter().map(|at| (at, from, to)).collect())
}

/// An offset from UTC: `+0100`, `-033000` (RFC 5545, 3.3.14).
fn offset(file: &File<'_>, line: &Line<'_>) -> SourceResult<Offset> {
    let parse = || {
        let text = line.value.trim();
        let (sign, digits) = match text.split_at_checked(1)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return None,
        };
        if !matches!(digits.len(), 4 | 6) || !digits.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let pair = |at: usize| digits.get(at..at + 2).map_or(Some(0), |pair| pair.parse::<i32>().ok());
        Offset::from_seconds(sign * (pair(0)? * 3_600 + pair(2)? * 60 + pair(4)?)).ok()
    };
    match parse() {
        Some(offset) => Ok(offset),
        None => file.wrong(line, format!("`{}` isn't an offset such as `+0100`", line.value), HELP),
    }
}

impl File<'_> {
    /// The zone of a property's times.
    pub(super) fn zone_of(&self, line: &Line<'_>) -> SourceResult<Arc<Zone>> {
        let Some(id) = line.parameter("TZID") else {
            return match &self.floating {
                Some(zone) => Ok(Arc::clone(zone)),
                None => self.wrong(
                    line,
                    "in which time zone that is isn't said",
                    "give the entry in `calendar.yaml` a `zone`, such as `Europe/Berlin`",
                ),
            };
        };
        if let Some(zone) = self.zones.get(id) {
            return Ok(Arc::clone(zone));
        }
        match database(id) {
            Some(zone) => Ok(Arc::new(zone)),
            None => self.wrong(line, format!("there is no time zone `{id}`"), HELP),
        }
    }
}
