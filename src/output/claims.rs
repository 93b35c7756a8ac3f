//! Controls, freezes and where they were written, for people.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::control::{Control, Freeze};
use jiff::tz::TimeZone;
use std::fmt::Write as _;

use super::phrase::short;
use super::text::{clean, count};
use crate::pipeline::claims::Recorded;
use crate::pipeline::claims::controls::{self, Standing};
use crate::pipeline::claims::freezes;

/// A control that was added, and the command that ends it.
#[must_use]
pub fn added(control: &Control, recorded: &Recorded, by_default: bool, expire: &str, now: Timestamp) -> String {
    let default = if by_default {
        "; the default for break-glass"
    } else {
        ""
    };
    format!(
        "{} holds {} until {} ({}{default}).\n{}\nTo end it sooner:\n\n    {}",
        clean(&control.id),
        held(control),
        moment(control.until),
        relative(control.until, now),
        written(recorded),
        clean(expire)
    )
}

/// A control that was ended.
#[must_use]
pub fn ended(control: &Control, recorded: &Recorded) -> String {
    format!(
        "{} holds {} no longer.\n{}",
        clean(&control.id),
        held(control),
        written(recorded)
    )
}

/// A freeze that was added.
#[must_use]
pub fn frozen(freeze: &Freeze, recorded: &Recorded, now: Timestamp) -> String {
    let begins = if freeze.from <= now {
        "is on".to_owned()
    } else {
        format!(
            "begins {} ({}) and lasts",
            moment(freeze.from),
            relative(freeze.from, now)
        )
    };
    format!(
        "The freeze `{}` of {} {begins} until {} ({}).\n{}",
        clean(&freeze.name),
        scope(&freeze.services, &freeze.environments),
        moment(freeze.until),
        relative(freeze.until, now),
        written(recorded)
    )
}

/// The controls of the estate's file; those that ended only where all are wanted.
#[must_use]
pub fn controls(listed: &[controls::Listed], all: bool, now: Timestamp) -> String {
    let mut text = String::new();
    let shown = listed.iter().filter(|listed| all || listed.standing != Standing::Ended);
    for listed in shown {
        let control = &listed.control;
        let when = match listed.standing {
            Standing::Active => format!("until {}, {}", moment(control.until), relative(control.until, now)),
            Standing::Upcoming => format!("from {}, {}", moment(control.since), relative(control.since, now)),
            Standing::Ended => format!("ended {}, {}", moment(control.until), relative(control.until, now)),
        };
        let _ = writeln!(
            text,
            "{}  {}  {}",
            clean(&control.id),
            control.kind.as_str(),
            held(control)
        );
        let _ = writeln!(text, "    {when}");
        let _ = writeln!(text, "    {}: {}", clean(&control.owner), clean(&control.reason));
        if let Some(protects) = &control.protects {
            let _ = writeln!(text, "    protects {}", clean(protects));
        }
    }
    if text.is_empty() {
        text.push_str("No control is active.\n");
    }
    let ended = listed
        .iter()
        .filter(|listed| listed.standing == Standing::Ended)
        .count();
    if ended > 0 && !all {
        let _ = writeln!(
            text,
            "\n{} ended; `--all` lists them too.",
            count(ended, "control", "controls")
        );
    }
    text
}

/// What the calendar holds.
#[must_use]
pub fn calendar(listed: &[freezes::Listed], now: Timestamp) -> String {
    if listed.is_empty() {
        return "The calendar holds nothing for now and the next 30 days.\n".to_owned();
    }
    let mut text = String::new();
    for entry in listed {
        let what = match entry.kind {
            "window" => "change window",
            "business" => "business hours",
            other => other,
        };
        let when = if entry.active {
            format!("now, until {} ({})", moment(entry.until), relative(entry.until, now))
        } else {
            format!(
                "{} to {} ({})",
                moment(entry.from),
                moment(entry.until),
                relative(entry.from, now)
            )
        };
        let _ = writeln!(text, "{what}  {}", clean(&entry.name));
        let _ = writeln!(text, "    {when}");
        let _ = writeln!(
            text,
            "    {}; {}",
            scope(&entry.services, &entry.environments),
            clean(&entry.place)
        );
    }
    text
}

/// What a control holds.
fn held(control: &Control) -> String {
    let repo = clean(&control.repo);
    match (&control.address, &control.path) {
        (Some(address), Some(path)) => format!("{} and {} in {repo}", clean(address), clean(path)),
        (Some(what), None) | (None, Some(what)) => format!("{} in {repo}", clean(what)),
        (None, None) => repo,
    }
}

fn scope(services: &[String], environments: &[String]) -> String {
    let services = if services.iter().any(|service| service == "*") {
        "all services".to_owned()
    } else {
        clean(&services.join(", "))
    };
    if environments.is_empty() {
        format!("{services} everywhere")
    } else {
        format!("{services} in {}", clean(&environments.join(", ")))
    }
}

/// Where it was written, and what is left to do.
fn written(recorded: &Recorded) -> String {
    let file = clean(&recorded.file);
    let Some(commit) = &recorded.commit else {
        return format!("Written to {file}. Nothing was committed: the estate is in no git work tree.");
    };
    let id = short(&commit.id);
    let signed = if recorded.signed { "signed" } else { "not signed" };
    match &commit.branch {
        Some(branch) => format!(
            "Committed to {file} as {id} on {}, {signed}; `git push` brings it to everyone else.",
            clean(branch)
        ),
        None => format!(
            "Committed to {file} as {id}, {signed}, but on no branch: `git switch -c NAME` keeps it before anything else is checked out."
        ),
    }
}

/// A moment as people say it: to the minute, in UTC.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A moment as seen from another: "in 3 days", "20 min ago".
fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.duration_since(now).as_secs();
    let length = match seconds.unsigned_abs() {
        length @ 0..=5_399 => format!("{} min", (length + 30) / 60),
        length @ 5_400..=172_799 => format!("{} h", (length + 1_800) / 3_600),
        length => format!("{} days", (length + 43_200) / 86_400),
    };
    if seconds < 0 {
        format!("{length} ago")
    } else {
        format!("in {length}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seen_from_now() {
        let now: Timestamp = "2026-03-17T02:30:00Z".parse().unwrap();
        for (at, expected) in [
            ("2026-03-17T02:50:00Z", "in 20 min"),
            ("2026-03-17T06:30:00Z", "in 4 h"),
            ("2026-03-20T02:30:00Z", "in 3 days"),
            ("2026-03-17T02:10:00Z", "20 min ago"),
        ] {
            assert_eq!(relative(at.parse().unwrap(), now), expected);
        }
        assert_eq!(moment(now), "2026-03-17 02:30 UTC");
    }

    #[test]
    fn a_scope_says_what_it_covers() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(scope(&names(&["*"]), &[]), "all services everywhere");
        assert_eq!(
            scope(&names(&["a", "b"]), &names(&["production"])),
            "a, b in production"
        );
    }
}
