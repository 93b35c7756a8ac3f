//! Numbers of any length.

use std::cmp::Ordering;

/// A whole number in decimal digits, compared by value: thirty digits are as good as three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a>(&'a str);

impl<'a> Number<'a> {
    /// Zero, which absent numbers count as.
    pub const ZERO: Self = Self("");

    /// From digits; `None` when there is none or something else among them.
    pub fn parse(text: &'a str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| Self(text.trim_start_matches('0')))
    }

    /// The digits at the start of the text, as text, and what follows them.
    pub fn split(text: &str) -> (&str, &str) {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text.split_at(end)
    }

    /// The number at the start of the text (zero where there is none), and what follows it.
    pub fn take(text: &'a str) -> (Self, &'a str) {
        let (digits, rest) = Self::split(text);
        (Self(digits.trim_start_matches('0')), rest)
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
