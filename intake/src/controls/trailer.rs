//! `Break-glass: <reason>` and `Break-glass-until: <date>` in a commit message: an emergency change
//! that says so.

use holdpoint_schemas::Timestamp;
use jiff::SignedDuration;

use super::claim::{shown, until};

/// How long a break-glass commit holds what it touched when it doesn't say: a week, in which an
/// incident is reviewed.
pub const DEFAULT_HOLD_DAYS: i64 = 7;
/// Longest that one holds, whatever it says, and what an end that can't be read means. For longer
/// there is `controls.yaml`.
pub const MAX_HOLD_DAYS: i64 = 90;

const REASON: &str = "break-glass:";
const UNTIL: &str = "break-glass-until:";

/// What a commit message claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailer {
    /// Why.
    pub reason: String,
    /// The end that it states: `None` when it states none, an error when that can't be read.
    until: Option<Result<Timestamp, String>>,
}

impl Trailer {
    /// Until when it holds, for a commit made at a time.
    #[must_use]
    pub fn until(&self, committed: Timestamp) -> Timestamp {
        let after = |days: i64| {
            committed
                .checked_add(SignedDuration::from_hours(days * 24))
                .unwrap_or(Timestamp::MAX)
        };
        match self.until {
            None => after(DEFAULT_HOLD_DAYS),
            Some(Err(_)) => after(MAX_HOLD_DAYS),
            Some(Ok(until)) => until.min(after(MAX_HOLD_DAYS)),
        }
    }

    /// The end that couldn't be read, as it is written.
    #[must_use]
    pub fn unreadable_until(&self) -> Option<&str> {
        self.until.as_ref()?.as_ref().err().map(String::as_str)
    }
}

/// The claim of a commit message, if it makes one. A line anywhere counts: forges put the trailers of
/// squashed commits in the middle of the message. Lines that begin with a space go on with the one
/// before.
#[must_use]
pub fn trailer(message: &str) -> Option<Trailer> {
    let (mut reason, mut end) = (None::<String>, None);
    let mut goes_on = false;
    for line in message.lines() {
        if let Some(text) = after(line, REASON) {
            let reason = reason.get_or_insert_default();
            reason.push_str(if reason.is_empty() { "" } else { "; " });
            reason.push_str(text.trim());
            goes_on = true;
        } else if let Some(text) = after(line, UNTIL) {
            let read = until(text).ok_or_else(|| shown(text.trim()));
            // Of several ends the latest holds, and one that can't be read is later than any.
            end = Some(match (end, read) {
                (Some(Ok(known)), Ok(read)) => Ok(read.max(known)),
                (Some(Err(known)), _) => Err(known),
                (_, read) => read,
            });
            goes_on = false;
        } else if let Some(reason) = reason.as_mut().filter(|_| goes_on && line.starts_with([' ', '\t'])) {
            reason.push(' ');
            reason.push_str(line.trim());
        } else {
            goes_on = false;
        }
    }
    let reason = match (reason, &end) {
        (Some(reason), _) if !reason.is_empty() => shown(&reason),
        (Some(_), _) | (None, Some(_)) => "no reason is given".to_owned(),
        (None, None) => return None,
    };
    Some(Trailer { reason, until: end })
}

/// What follows a trailer's name at the beginning of a line, in any case.
fn after<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (start, rest) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_trailer_holds_a_week_unless_it_says_otherwise() {
        let committed = at("2026-03-16T22:40:00Z");
        let read = trailer("Block the range\n\nBreak-glass: card testing,\n  INC-2291\nSigned-off-by: x\n").unwrap();
        assert_eq!(read.reason, "card testing, INC-2291");
        assert_eq!(read.until(committed), at("2026-03-23T22:40:00Z"));
        let read = trailer("x\n\nbreak-glass: y\nBREAK-GLASS-UNTIL: 2026-03-20").unwrap();
        assert_eq!(read.until(committed), at("2026-03-21T00:00:00Z"));
        let read = trailer("x\n\nBreak-glass: y\nBreak-glass-until: 2030-01-01").unwrap();
        assert_eq!(read.until(committed), at("2026-06-14T22:40:00Z"));
    }

    #[test]
    fn an_end_that_can_not_be_read_holds_longest() {
        let read = trailer("x\n\nBreak-glass:\nBreak-glass-until: friday\nBreak-glass-until: 2026-03-17").unwrap();
        assert_eq!(read.unreadable_until(), Some("friday"));
        assert_eq!(read.until(at("2026-03-16T00:00:00Z")), at("2026-06-14T00:00:00Z"));
        assert_eq!(read.reason, "no reason is given");
    }

    #[test]
    fn a_mention_is_no_trailer() {
        for message in [
            "Explain break-glass: how it works",
            "Break glass",
            "",
            "x\n\n- Break-glass: no",
            "Break-glas: x",
        ] {
            assert_eq!(trailer(message), None, "{message}");
        }
        assert!(trailer("Squash (#7)\n\n* Block\n\nBreak-glass: INC-1\n\n* Tests").is_some());
    }
}
