//! `calendar.yaml`, as people write it.

use holdpoint_schemas::SourceError;
use jiff::civil::{Date, DateTime, Time};
use serde::Deserialize;
use serde_yaml::Spanned;
use std::sync::Arc;

use super::entry::{Ends, Entry, Except, Recurring, Timing, without_days};
use super::rule::Rule;
use super::span::Span;
use super::zone::{Length, Zone, local, moment};
use super::{Kind, ics};
use crate::error::SourceResult;
use crate::estate::{at, read_yaml};

/// Most entries, iCalendar events included: each finding is held against all of them.
pub(super) const MAX_ENTRIES: usize = 5_000;
/// Most exceptions of one entry.
const MAX_EXCEPT: usize = 1_000;
/// The day that a recurring entry with a mere time of day begins on.
const FIRST_DAY: Date = Date::constant(2020, 1, 1);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarText {
    #[serde(default)]
    freezes: Vec<EntryText>,
    #[serde(default)]
    windows: Vec<EntryText>,
    #[serde(default)]
    business: Vec<EntryText>,
    #[serde(default)]
    ics: Vec<IcsText>,
}

/// One entry. Its times are either `from` and `until`, or `rrule`, `start`, `zone` and one of
/// `duration` and `until`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    name: Spanned<String>,
    services: Vec<Spanned<String>>,
    #[serde(default)]
    environments: Vec<Spanned<String>>,
    from: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
    rrule: Option<Spanned<String>>,
    start: Option<Spanned<String>>,
    duration: Option<Spanned<String>>,
    zone: Option<Spanned<String>>,
    #[serde(default)]
    except: Vec<Spanned<String>>,
}

/// An iCalendar file, and what its events mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IcsText {
    file: Spanned<String>,
    means: Kind,
    services: Vec<Spanned<String>>,
    #[serde(default)]
    environments: Vec<Spanned<String>>,
    zone: Option<Spanned<String>>,
}

/// The file that is read.
struct Place<'a> {
    file: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn wrong(&self, value: &Spanned<String>, message: impl Into<String>, help: &str) -> Box<SourceError> {
        let error = SourceError::new(self.file, message).help(help);
        Box::new(at(error, self.text, value.referenced))
    }

    fn zone(&self, name: &Spanned<String>) -> SourceResult<Zone> {
        Zone::named(name.value.trim()).ok_or_else(|| {
            let message = format!("there is no time zone `{}`", name.value);
            self.wrong(
                name,
                message,
                "write a name of the IANA database, such as `Europe/Berlin`",
            )
        })
    }
}

/// Reads the file and the iCalendar files that it names.
pub(super) fn read(file: &str, text: &str, ics: &dyn Fn(&str) -> Result<String, String>) -> SourceResult<Vec<Entry>> {
    let place = Place { file, text };
    let Some(calendar) = read_yaml::<Option<CalendarText>>(file, text)? else {
        let error = SourceError::new(file, "nothing is written here, but a calendar was expected");
        return Err(Box::new(error.help(
            "take the file from git again, or write `freezes: []` where there are none",
        )));
    };
    let mut entries = Vec::new();
    for (kind, texts) in [
        (Kind::Freeze, calendar.freezes),
        (Kind::Window, calendar.windows),
        (Kind::Business, calendar.business),
    ] {
        for entry in texts {
            entries.push(place.entry(kind, entry)?);
        }
    }
    for calendar in calendar.ics {
        entries.extend(place.events(calendar, ics)?);
    }
    if entries.len() > MAX_ENTRIES {
        let message = format!("{} entries, but at most {MAX_ENTRIES} are read", entries.len());
        return Err(Box::new(
            SourceError::new(file, message).help("drop entries that are long past"),
        ));
    }
    Ok(entries)
}

impl Place<'_> {
    fn entry(&self, kind: Kind, text: EntryText) -> SourceResult<Entry> {
        let name = text.name.value.clone();
        if text.services.is_empty() {
            let message = format!("`{name}` covers no service");
            return Err(self.wrong(&text.name, message, "list services, or write `[\"*\"]` for all"));
        }
        if text.except.len() > MAX_EXCEPT {
            let message = format!("`{name}` has more than {MAX_EXCEPT} exceptions");
            return Err(self.wrong(&text.name, message, "split it into several entries"));
        }
        let zone = text.zone.as_ref().map(|zone| self.zone(zone)).transpose()?;
        let timing = match (&text.rrule, &text.from, &text.until) {
            (Some(rule), None, _) => self.recurring(&text, rule, zone)?,
            (None, Some(from), Some(until)) if text.start.is_none() && text.duration.is_none() => {
                self.once(&text, from, until, zone)?
            }
            _ => {
                return Err(self.wrong(
                    &text.name,
                    format!("when `{name}` applies isn't clear"),
                    "write `from` and `until`; or `rrule`, `start`, `zone` and one of `duration` and `until`",
                ));
            }
        };
        Ok(Entry {
            kind,
            place: format!("{}:{}", self.file, text.name.referenced.line()),
            name,
            services: self.names(&text.services)?,
            environments: self.names(&text.environments)?,
            timing,
        })
    }

    /// Names of services or environments, without space around them. A pattern would cover nothing.
    fn names(&self, names: &[Spanned<String>]) -> SourceResult<Vec<String>> {
        let plain = |name: &Spanned<String>| match name.value.trim() {
            "" => Err(self.wrong(name, "a name was expected", "write a name, or `*` for all")),
            pattern if pattern != "*" && pattern.contains('*') => {
                let message = format!("`{pattern}` is a pattern; a name was expected");
                Err(self.wrong(name, message, "list the names, or write `*` for all"))
            }
            plain => Ok(plain.to_owned()),
        };
        names.iter().map(plain).collect()
    }

    fn once(
        &self,
        text: &EntryText,
        from: &Spanned<String>,
        until: &Spanned<String>,
        zone: Option<Zone>,
    ) -> SourceResult<Timing> {
        let read = |value: &Spanned<String>| {
            moment(&value.value, zone.as_ref()).ok_or_else(|| {
                self.wrong(
                    value,
                    format!("`{}` isn't a moment", value.value),
                    "write `2026-03-17T09:00:00Z`, `2026-03-17T09:00[Europe/Berlin]`, or a local time and the entry's `zone`",
                )
            })
        };
        let span = Span::new(read(from)?, read(until)?).ok_or_else(|| {
            let message = format!(
                "`{}` ends at {}, before it begins at {}",
                text.name.value, until.value, from.value
            );
            self.wrong(until, message, "swap the two times, or correct one")
        })?;
        let Some(first) = text.except.first() else {
            return Ok(Timing::Once(vec![span]));
        };
        let Some(zone) = zone else {
            return Err(self.wrong(first, "whose day that is isn't known", "add `zone` to the entry"));
        };
        let days: Vec<Date> = text
            .except
            .iter()
            .map(|except| self.day(except))
            .collect::<Result<_, _>>()?;
        without_days(span, &days, &zone)
            .map(Timing::Once)
            .ok_or_else(|| self.wrong(first, "a day that can't be told", "correct the date"))
    }

    fn recurring(&self, text: &EntryText, rule: &Spanned<String>, zone: Option<Zone>) -> SourceResult<Timing> {
        let name = &text.name;
        let Some(zone) = zone else {
            let message = format!("`{}` recurs in an unknown time zone", name.value);
            return Err(self.wrong(name, message, "add `zone`, such as `Europe/Berlin` or `UTC`"));
        };
        let Some(start) = &text.start else {
            let message = format!("when `{}` starts isn't said", name.value);
            return Err(self.wrong(
                name,
                message,
                "add `start`, a local time such as `2026-01-05T22:00` or `22:00`",
            ));
        };
        let ends = match (&text.duration, &text.until) {
            (Some(length), None) => Length::parse(&length.value)
                .filter(|length| length.days > 0 || length.rest.is_positive())
                .map(Ends::After)
                .ok_or_else(|| {
                    let message = format!("`{}` isn't a duration", length.value);
                    self.wrong(length, message, "write hours, days or weeks, such as `8h` or `P1D`")
                })?,
            (None, Some(until)) => clock(&until.value).map(Ends::At).ok_or_else(|| {
                let message = format!("`{}` isn't a time of day", until.value);
                let help =
                    "write when each occurrence ends, such as `17:00`; the last occurrence is `UNTIL=` in `rrule`";
                self.wrong(until, message, help)
            })?,
            _ => {
                let message = format!("how long `{}` lasts isn't clear", name.value);
                return Err(self.wrong(name, message, "write one of `duration` and `until`"));
            }
        };
        let parse = |start| {
            Rule::parse(&rule.value, start).map_err(|why| {
                let message = format!("`{}` {why}", rule.value);
                self.wrong(
                    rule,
                    message,
                    "write a rule of RFC 5545, such as `FREQ=WEEKLY;BYDAY=MO,TU`",
                )
            })
        };
        // A rule that is no rule is told first: what it lacks in `start` can't be said.
        parse(FIRST_DAY.at(0, 0, 0, 0))?;
        let set = parse(self.start(start, rule)?)?;
        let except = text.except.iter().map(|except| self.except(except, &zone));
        Ok(Timing::Recurring(Box::new(Recurring {
            except: except.collect::<Result<_, _>>()?,
            zone: Arc::new(zone),
            rule: Some(set),
            ends,
            first: None,
            more: Vec::new(),
        })))
    }

    fn start(&self, start: &Spanned<String>, rule: &Spanned<String>) -> SourceResult<DateTime> {
        if let Some(local) = local(&start.value) {
            return Ok(local);
        }
        let Some(time) = clock(&start.value) else {
            let message = format!("`{}` isn't a local time", start.value);
            return Err(self.wrong(
                start,
                message,
                "write `2026-01-05T22:00` or `22:00`; the zone is `zone`",
            ));
        };
        if Rule::needs_date(&rule.value) {
            let message = format!("the rule counts from a first date, and `{}` has none", start.value);
            return Err(self.wrong(
                start,
                message,
                "write the date of the first occurrence too: `2026-01-05T22:00`",
            ));
        }
        Ok(FIRST_DAY.to_datetime(time))
    }

    fn except(&self, text: &Spanned<String>, zone: &Zone) -> SourceResult<Except> {
        match moment(&text.value, Some(zone)) {
            Some(at) => Ok(Except::Moment(at)),
            None => self.day(text).map(Except::Day),
        }
    }

    fn day(&self, text: &Spanned<String>) -> SourceResult<Date> {
        Date::strptime("%Y-%m-%d", text.value.trim()).map_err(|_| {
            let message = format!("`{}` isn't a day", text.value);
            self.wrong(text, message, "write `2026-12-24`")
        })
    }

    fn events(&self, text: IcsText, ics: &dyn Fn(&str) -> Result<String, String>) -> SourceResult<Vec<Entry>> {
        let file = &text.file.value;
        let outside = file.is_empty() || file.starts_with(['/', '\\']) || file.contains(['\0', ':']);
        if outside || file.split(['/', '\\']).any(|part| part == "..") {
            let message = format!("the path `{file}` leads elsewhere; a path below this folder was expected");
            return Err(self.wrong(&text.file, message, "write a relative path without `..`"));
        }
        if text.services.is_empty() {
            let message = format!("`{file}` covers no service");
            return Err(self.wrong(&text.file, message, "list services, or write `[\"*\"]` for all"));
        }
        let zone = text.zone.as_ref().map(|zone| self.zone(zone)).transpose()?;
        let events = ics(file).map_err(|why| {
            let message = format!("`{file}` can't be read: {why}");
            self.wrong(&text.file, message, "export the calendar again, or drop the entry")
        })?;
        let events = ics::read(file, &events, zone)?;
        let (services, environments) = (self.names(&text.services)?, self.names(&text.environments)?);
        Ok(events
            .into_iter()
            .map(|event| Entry {
                kind: text.means,
                name: event.name,
                services: services.clone(),
                environments: environments.clone(),
                place: format!("{file}:{}", event.line),
                timing: event.timing,
            })
            .collect())
    }
}

/// A time of day, such as `17:00`.
fn clock(text: &str) -> Option<Time> {
    let text = text.trim();
    let digits = text.chars().all(|c| c.is_ascii_digit() || c == ':');
    if digits && text.contains(':') {
        text.parse().ok()
    } else {
        None
    }
}
