//! When nights are: a cron expression in a time zone, with jitter and blackouts. Pure: the moment is passed in.
//!
//! The expression is matched against local time. A local time that the clocks skip is as much later as they skip (02:30
//! becomes 03:30); one that comes twice is the first of the two. So every night is run once, also on the two nights
//! of the year on which the clocks change.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use holdpoint_schemas::length::Length;
use holdpoint_schemas::nightly::ScheduleConfig;
use holdpoint_schemas::{Digest, Timestamp};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::failure::BadInput;

/// How late a missed night may start where the estate doesn't say.
const CATCH_UP: Length = Length::hours(12);
/// Longest jitter: more would move a night into the next day.
const MAX_JITTER: Length = Length::hours(12);
/// Occurrences looked at to find one night: a day has 1,440 minutes, and clocks change by a day at most.
const MAX_STEPS: usize = 10_000;

/// A night of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Night {
    /// When it starts, jitter included.
    pub starts: Timestamp,
    /// The moment that the expression names: what the night is called by.
    pub id: Timestamp,
}

/// A time in which no night starts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Blackout {
    from: Timestamp,
    to: Timestamp,
}

/// When nights are.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
    jitter: Length,
    blackout: Vec<Blackout>,
    catch_up: Length,
    /// Name of the estate: jitter is drawn from it.
    estate: String,
}

impl Schedule {
    /// The schedule of an estate.
    ///
    /// # Errors
    /// When the expression, the zone or a blackout can't be used.
    pub fn compile(config: &ScheduleConfig, estate: &str) -> Result<Self, BadInput> {
        let cron = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build()
            .parse(&config.cron)
            .map_err(|error| {
                BadInput::new(
                    format!("the schedule's `cron` can't be read: `{}`: {error}", config.cron),
                    "write minute, hour, day of month, month and day of week, for example `30 2 * * *`",
                )
            })?;
        let zone = TimeZone::get(&config.time_zone).map_err(|_| {
            BadInput::new(
                format!("the schedule's `time_zone` isn't known: `{}`", config.time_zone),
                "write an IANA name, for example `Europe/Berlin` or `UTC`",
            )
        })?;
        let jitter = config.jitter.unwrap_or_default();
        if jitter > MAX_JITTER {
            return Err(BadInput::new(
                format!("the schedule's `jitter` of {jitter} is longer than {MAX_JITTER}"),
                "write a shorter one",
            ));
        }
        let mut blackout = Vec::new();
        for config in &config.blackout {
            let (from, to) = (instant(&zone, config.from), instant(&zone, config.to));
            let (Some(from), Some(to)) = (from, to) else {
                return Err(BadInput::new(
                    "a blackout of the schedule is out of range",
                    "correct its year",
                ));
            };
            if from >= to {
                return Err(BadInput::new(
                    format!(
                        "a blackout of the schedule ends at {}, before it begins at {}",
                        config.to, config.from
                    ),
                    "`to` is the first moment after it: swap the two, or correct one",
                ));
            }
            blackout.push(Blackout { from, to });
        }
        let schedule = Self {
            cron,
            zone,
            jitter,
            blackout,
            catch_up: config.catch_up.unwrap_or(CATCH_UP),
            estate: estate.to_owned(),
        };
        Ok(schedule)
    }

    /// The first night that starts after a moment; `None` when no night ever does.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Night> {
        let mut best: Option<Night> = None;
        for night in self.nights_from(after)? {
            // Where clocks change, local times and moments aren't in one order; they differ by less than a day.
            if best.is_some_and(|best| night.id > best.starts + DAY) {
                break;
            }
            if night.starts > after && !self.is_blacked_out(night) && best.is_none_or(|best| night < best) {
                best = Some(night);
            }
        }
        best
    }

    /// The last night that had to start by a moment, unless it is too late for it by now.
    #[must_use]
    pub fn latest(&self, now: Timestamp) -> Option<Night> {
        let earliest = now.checked_sub(self.catch_up.signed()).ok()?;
        self.nights_from(earliest)?
            .take_while(|night| night.id <= now + DAY)
            .filter(|night| night.starts <= now && night.starts >= earliest && !self.is_blacked_out(*night))
            .max()
    }

    fn is_blacked_out(&self, night: Night) -> bool {
        let covers = |blackout: &Blackout| blackout.from <= night.starts && night.starts < blackout.to;
        self.blackout.iter().any(covers)
    }

    /// Nights in the order of their local times, from well before a moment on.
    fn nights_from(&self, moment: Timestamp) -> Option<impl Iterator<Item = Night>> {
        let early = moment.checked_sub(self.jitter.signed()).ok()?.checked_sub(DAY).ok()?;
        let mut local = self.zone.to_datetime(early);
        let mut steps = 0..MAX_STEPS;
        Some(std::iter::from_fn(move || {
            steps.next()?;
            local = self.cron.find_next_occurrence(&local, false).ok()?;
            let id = instant(&self.zone, local)?;
            let starts = id.checked_add(self.jitter_of(id)).ok()?;
            Some(Night { starts, id })
        }))
    }

    /// A night's jitter: the same for the same estate and night, whoever asks.
    fn jitter_of(&self, night: Timestamp) -> SignedDuration {
        if self.jitter.seconds() == 0 {
            return SignedDuration::ZERO;
        }
        let digest = Digest::of_parts([self.estate.as_bytes(), night.to_string().as_bytes()]);
        let drawn = digest
            .as_str()
            .get(..15)
            .and_then(|hex| u64::from_str_radix(hex, 16).ok());
        Length::of_seconds(drawn.unwrap_or_default() % (self.jitter.seconds() + 1)).signed()
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The moment of a local time: later where the clocks skip it, the first where it comes twice.
fn instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
