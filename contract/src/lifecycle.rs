//! What a description says about how long something lasts: `deprecated`, `x-sunset`, `x-stability-level`.

use crate::schema::View;
use crate::tree::{NodeId, Sym, Tree, word};

/// A day of the calendar, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// The day of a date `2026-01-31`, or of a moment that starts with one (RFC 3339).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let date = text.get(..10)?;
        if !matches!(text.get(10..11), None | Some("T" | "t" | " ")) {
            return None;
        }
        let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if !(1..=12).contains(&month) || !(1..=last).contains(&day) || parts.next().is_some() {
            return None;
        }
        // Howard Hinnant, "chrono-compatible low-level date algorithms": days_from_civil.
        let year = year - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Some(Self(
            era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468,
        ))
    }

    /// Days from another day to this one.
    #[must_use]
    pub const fn since(self, other: Self) -> i64 {
        self.0 - other.0
    }
}

/// How much an operation or property promises, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stability {
    Draft,
    Alpha,
    Beta,
    Stable,
}

impl Stability {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Stable => "stable",
        }
    }

    /// Whether clients were told not to rely on it.
    pub(crate) const fn is_loose(self) -> bool {
        matches!(self, Self::Draft | Self::Alpha)
    }
}

/// A date that a description gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sunset {
    None,
    On(Day),
    /// As it is written.
    Unreadable(String),
}

/// All that is said about how long something lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) deprecated: bool,
    pub(crate) sunset: Sunset,
    /// Nothing where it can't be read.
    pub(crate) stability: Option<Stability>,
}

impl Life {
    /// Of an operation or parameter.
    pub(crate) fn of(tree: &Tree, id: NodeId) -> Self {
        Self::from(tree, |key| tree.get(id, key))
    }

    fn from(tree: &Tree, get: impl Fn(Sym) -> Option<NodeId>) -> Self {
        let sunset = match get(word::SUNSET) {
            None => Sunset::None,
            Some(value) => match tree.text(value).and_then(Day::parse) {
                Some(day) => Sunset::On(day),
                None => Sunset::Unreadable(tree.show(value)),
            },
        };
        let known = [Stability::Draft, Stability::Alpha, Stability::Beta, Stability::Stable];
        Self {
            deprecated: get(word::DEPRECATED).and_then(|value| tree.bool(value)) == Some(true),
            sunset,
            stability: match get(word::STABILITY) {
                None => Some(Stability::Stable),
                Some(value) => known.into_iter().find(|level| tree.text(value) == Some(level.as_str())),
            },
        }
    }
}

/// What changed in the life of a property: rows of the table of schemas.
pub(crate) fn property_changes(old: &View<'_>, new: &View<'_>) -> Vec<(&'static str, String)> {
    let was = Life::from(&old.bundle.tree, |key| old.get(key));
    let is = Life::from(&new.bundle.tree, |key| new.get(key));
    let mut found = Vec::new();
    if was == is {
        return found;
    }
    match (was.deprecated, is.deprecated, &is.sunset) {
        (false, true, Sunset::None) => found.push(("deprecated", "is deprecated".to_owned())),
        (false, true, Sunset::On(_)) => {
            found.push(("deprecated-with-sunset", "is deprecated and has a last day".to_owned()))
        }
        (false, true, Sunset::Unreadable(text)) => {
            let text = format!("is deprecated, and `{}` is no date", text.escape_debug());
            found.push(("deprecated-sunset-invalid", text));
        }
        (true, false, _) => found.push(("reactivated", "isn't deprecated any more".to_owned())),
        _ => {}
    }
    match (was.stability, is.stability) {
        (Some(a), Some(b)) if a == b => {}
        (Some(a), Some(b)) => {
            let name = if b < a {
                "stability-decreased"
            } else {
                "stability-increased"
            };
            found.push((name, format!("was {}, is {}", a.as_str(), b.as_str())));
        }
        _ => found.push(("stability-invalid", "has a stability level that isn't known".to_owned())),
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_months_and_leap_years() {
        let day = |text| Day::parse(text).unwrap();
        assert_eq!(day("1970-01-01"), Day(0));
        assert_eq!(day("2000-03-01").since(day("2000-02-28")), 2);
        assert_eq!(day("2026-01-01T10:00:00Z").since(day("2025-12-31")), 1);
        assert_eq!(day("2100-03-01").since(day("2100-02-28")), 1);
        for wrong in [
            "",
            "2026-13-01",
            "2026-02-30",
            "20260101",
            "2026-01-01x",
            "invalid-date",
        ] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }
}
