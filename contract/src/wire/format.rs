//! How a value is written, learnt from examples: what never repeats still has its kind.

use super::moment;

/// Characters of a text that are looked at.
const MAX_LENGTH: usize = 4_096;
/// Digits of the fraction of a second that a clock may leave out where they are zeros.
const TRAILING_ZEROS: usize = 2;
/// Digits by which a number may grow and shrink.
const DIGITS_SLACK: usize = 3;

/// Classes of characters, as bits: so that classes of several examples are put together by `|`.
mod class {
    pub(super) const DIGIT: u8 = 1;
    /// a–f: with digits alone, a hexadecimal number.
    pub(super) const LOWER_HEX: u8 = 2;
    pub(super) const LOWER: u8 = 4;
    pub(super) const UPPER_HEX: u8 = 8;
    pub(super) const UPPER: u8 = 16;
    pub(super) const OTHER: u8 = 32;
}

fn class_of(c: char) -> u8 {
    match c {
        '0'..='9' => class::DIGIT,
        'a'..='f' => class::LOWER_HEX,
        'g'..='z' => class::LOWER,
        'A'..='F' => class::UPPER_HEX,
        'G'..='Z' => class::UPPER,
        _ => class::OTHER,
    }
}

/// All that a class may hold, given what was seen of it: who has seen `a` to `f` in words may meet `g`.
fn closure(classes: u8, length: usize) -> u8 {
    use class::{DIGIT, LOWER, LOWER_HEX, UPPER, UPPER_HEX};
    let mut all = classes;
    let short_word = |hex: u8| classes & hex != 0 && (classes & DIGIT == 0 || length < 8);
    if classes & LOWER != 0 || short_word(LOWER_HEX) {
        all |= LOWER | LOWER_HEX;
    }
    if classes & UPPER != 0 || short_word(UPPER_HEX) {
        all |= UPPER | UPPER_HEX;
    }
    all
}

/// A run of letters and digits, or one character that is neither.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    classes: u8,
    shortest: usize,
    longest: usize,
    /// The text, where it is always the same.
    text: Option<String>,
    /// Begins with `0` in some example: padded to its length.
    padded: bool,
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut open = false;
    for c in text.chars().take(MAX_LENGTH) {
        let class = class_of(c);
        let word = class != class::OTHER;
        match runs.last_mut().filter(|_| open && word) {
            Some(run) => {
                run.classes |= class;
                run.shortest += 1;
                run.longest += 1;
                if let Some(text) = &mut run.text {
                    text.push(c);
                }
            }
            None => runs.push(Run {
                classes: class,
                shortest: 1,
                longest: 1,
                text: Some(c.to_string()),
                padded: c == '0',
            }),
        }
        open = word;
    }
    runs
}

impl Run {
    fn is_mark(&self) -> bool {
        self.classes == class::OTHER
    }

    fn merge(&mut self, other: &Self) {
        self.classes |= other.classes;
        self.shortest = self.shortest.min(other.shortest);
        self.longest = self.longest.max(other.longest);
        self.padded |= other.padded;
        if self.text != other.text {
            self.text = None;
        }
    }

    fn is_number(&self) -> bool {
        self.classes == class::DIGIT
    }

    /// Whether a run of another text is of this kind. `varies`: some run of the learnt text does.
    fn accepts(&self, other: &Self, varies: bool) -> bool {
        if let Some(text) = &self.text {
            // Of a date, only the seconds may have been seen to change.
            let date_part = varies && self.is_number() && other.is_number();
            return other.text.as_ref() == Some(text) || date_part && self.longest == other.longest;
        }
        if other.classes & !closure(self.classes, self.longest) != 0 {
            return false;
        }
        match (self.shortest == self.longest, self.is_number()) {
            (true, true) if self.padded => other.longest == self.longest,
            (_, true) => other.longest + DIGITS_SLACK >= self.shortest && other.longest < self.longest + DIGITS_SLACK,
            (true, false) => other.longest == self.longest,
            (false, false) => other.longest * 2 >= self.shortest && other.longest <= self.longest * 2,
        }
    }
}

/// How examples are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Format {
    /// A time: the marks between its digits, and the most digits of its fraction.
    Moment { style: String, fraction: usize },
    /// The same marks in the same order, with runs of letters and digits between.
    Runs(Vec<LearntRun>),
    /// Neither: the characters that there are, and how many.
    Blob {
        classes: u8,
        marks: Vec<char>,
        shortest: usize,
        longest: usize,
    },
}

/// A learnt run; opaque outside.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LearntRun(Run);

impl Format {
    /// Learns from examples. `None`: there are none.
    pub(super) fn of<'a>(examples: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut examples: Vec<&str> = examples.into_iter().collect();
        examples.sort_unstable();
        examples.dedup();
        let first = *examples.first()?;
        if let Some(styles) = examples
            .iter()
            .map(|text| moment_style(text))
            .collect::<Option<Vec<_>>>()
            && let Some((style, _)) = styles.first()
            && styles.iter().all(|(other, _)| other == style)
        {
            return Some(Self::Moment {
                style: style.clone(),
                fraction: styles.iter().map(|(_, fraction)| *fraction).max().unwrap_or_default(),
            });
        }
        let mut merged = runs(first);
        for text in &examples {
            let other = runs(text);
            let same_marks = other.len() == merged.len()
                && merged
                    .iter()
                    .zip(&other)
                    .all(|(one, two)| one.is_mark() == two.is_mark() && (!one.is_mark() || one.text == two.text));
            if !same_marks {
                return Some(blob(&examples));
            }
            merged.iter_mut().zip(&other).for_each(|(one, two)| one.merge(two));
        }
        Some(Self::Runs(merged.into_iter().map(LearntRun).collect()))
    }

    /// Whether a text is written that way.
    pub(super) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Moment { style, fraction } => moment_style(text).is_some_and(|(other, digits)| {
                other == *style && digits <= *fraction && digits + TRAILING_ZEROS >= *fraction
            }),
            Self::Runs(learnt) => {
                let varies = learnt.iter().any(|run| run.0.text.is_none());
                let found = runs(text);
                found.len() == learnt.len()
                    && learnt
                        .iter()
                        .zip(&found)
                        .all(|(run, other)| run.0.accepts(other, varies))
            }
            Self::Blob {
                classes,
                marks,
                shortest,
                longest,
            } => {
                let length = text.chars().count();
                let in_length = match shortest == longest {
                    true => length == *longest,
                    false => length * 2 >= *shortest && length <= longest * 2,
                };
                let known = |c: char| match class_of(c) {
                    class::OTHER => marks.contains(&c),
                    class => class & closure(*classes, *longest) != 0,
                };
                in_length && text.chars().all(known)
            }
        }
    }
}

fn blob(examples: &[&str]) -> Format {
    let (mut classes, mut marks) = (0, Vec::new());
    let (mut shortest, mut longest) = (usize::MAX, 0);
    for text in examples {
        let length = text.chars().count();
        (shortest, longest) = (shortest.min(length), longest.max(length));
        for c in text.chars() {
            classes |= class_of(c);
            if class_of(c) == class::OTHER {
                marks.push(c);
            }
        }
    }
    marks.sort_unstable();
    marks.dedup();
    Format::Blob {
        classes,
        marks,
        shortest,
        longest,
    }
}

/// The style of a moment, its fraction taken out: digits as `0`, names of days and months as `a`.
fn moment_style(text: &str) -> Option<(String, usize)> {
    moment::read_text(text)?;
    let (mut style, mut fraction, mut in_fraction) = (String::new(), 0, false);
    // A colon must have come: the point of `2026.01.02` begins no fraction.
    for c in text.chars() {
        match c {
            '.' | ',' if style.contains(':') => in_fraction = true,
            '0'..='9' if in_fraction => fraction += 1,
            '0'..='9' => style.push('0'),
            'T' | 'Z' | 't' | 'z' => {
                in_fraction = false;
                style.push(c);
            }
            c if c.is_ascii_alphabetic() => {
                in_fraction = false;
                style.push('a');
            }
            c => {
                in_fraction = false;
                style.push(c);
            }
        }
    }
    // Weekdays and months begin with `T` too.
    if style.contains(',') {
        style = style.replace(['T', 't', 'Z', 'z'], "a");
    }
    Some((style, fraction))
}

/// How numbers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NumberFormat {
    whole: bool,
    exponent: bool,
    decimals: usize,
    /// Digits of a time in seconds or milliseconds since 1970.
    epoch_digits: Option<usize>,
    negative: bool,
}

/// More decimals than this are a float's noise: how many there are says nothing.
const FEW_DECIMALS: usize = 4;

impl NumberFormat {
    pub(super) fn of<'a>(examples: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut learnt: Option<Self> = None;
        for text in examples {
            let one = Self::one(text);
            learnt = Some(match learnt {
                None => one,
                Some(known) => Self {
                    whole: known.whole && one.whole,
                    exponent: known.exponent || one.exponent,
                    decimals: known.decimals.max(one.decimals),
                    epoch_digits: known.epoch_digits.filter(|digits| one.epoch_digits == Some(*digits)),
                    negative: known.negative || one.negative,
                },
            });
        }
        learnt
    }

    fn one(text: &str) -> Self {
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Self {
            whole: !mantissa.contains('.'),
            exponent: mantissa.len() < text.len(),
            decimals: fraction.len(),
            epoch_digits: moment::read_number(text).map(|_| whole.len()),
            negative: text.starts_with('-'),
        }
    }

    pub(super) fn accepts(&self, text: &str) -> bool {
        let other = Self::one(text);
        let decimals = match self.decimals > FEW_DECIMALS {
            true => other.decimals + DIGITS_SLACK >= self.decimals || other.decimals > FEW_DECIMALS,
            // `1.5` after `1.25`: a trailing zero isn't written.
            false => other.decimals <= self.decimals,
        };
        self.whole == other.whole
            && (self.exponent || !other.exponent)
            && decimals
            && self
                .epoch_digits
                .is_none_or(|digits| other.epoch_digits == Some(digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(examples: &[&str], text: &str) -> bool {
        Format::of(examples.iter().copied()).unwrap().accepts(text)
    }

    #[test]
    fn a_value_that_never_repeats_keeps_its_kind() {
        let uuids = [
            "7d444840-9dc0-41d1-b245-5ffdce74fad2",
            "e902893a-9d22-4c7e-a7b8-d6e313b71d9f",
        ];
        assert!(accepts(&uuids, "52b43eee-0bd1-4f9c-9d2c-6e8a77c3f0aa"));
        assert!(!accepts(&uuids, "52B43EEE-0BD1-4F9C-9D2C-6E8A77C3F0AA"));
        assert!(!accepts(&uuids, "52b43eee0bd14f9c9d2c6e8a77c3f0aa"));
        assert!(!accepts(&uuids, "{52b43eee-0bd1-4f9c-9d2c-6e8a77c3f0aa}"));
        assert!(!accepts(&uuids, "17"));
        let counted = ["req-000123", "req-000124"];
        assert!(accepts(&counted, "req-000999"));
        assert!(!accepts(&counted, "req-1"));
        assert!(!accepts(&counted, "REQ-000125"));
        let tokens = ["kJ8_s-dPq2/x9", "Zq-1mmNs0_3kk"];
        assert!(accepts(&tokens, "aaBB_-/0kkZZ9"));
        assert!(!accepts(&tokens, "aaBB"));
    }

    #[test]
    fn a_date_keeps_its_style_whatever_the_day() {
        let dates = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"];
        assert!(accepts(&dates, "2027-11-12T13:14:15Z"));
        for other in [
            "2027-11-12T13:14:15+00:00",
            "2027-11-12 13:14:15Z",
            "2027-11-12T13:14:15.123Z",
            "2027-11-12",
            "Fri, 02 Jan 2026 03:04:05 GMT",
            "1767323045",
        ] {
            assert!(!accepts(&dates, other), "{other}");
        }
        let exact = ["2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:06.9Z"];
        assert!(accepts(&exact, "2026-01-02T03:04:06.12345Z"));
        assert!(!accepts(&exact, "2026-01-02T03:04:06.123Z"));
        let http = ["Tue, 02 Jan 2026 03:04:05 GMT", "Tue, 02 Jan 2026 03:04:06 GMT"];
        assert!(accepts(&http, "Wed, 30 Sep 2026 03:04:05 GMT"));
        let log = ["22/Nov/2026:12:04:38 +0000", "22/Nov/2026:12:04:39 +0000"];
        assert!(accepts(&log, "22/Nov/2026:12:05:01 +0000"));
        assert!(!accepts(&log, "2026/Nov/22:12:05:01 +0000"));
    }

    #[test]
    fn numbers_keep_whether_they_are_whole() {
        let accepts = |examples: &[&str], text: &str| NumberFormat::of(examples.iter().copied()).unwrap().accepts(text);
        assert!(accepts(&["1", "250"], "77"));
        assert!(!accepts(&["1", "250"], "77.0"));
        assert!(accepts(&["0.25", "0.5"], "1.75"));
        assert!(!accepts(&["0.25", "0.5"], "1.755"));
        assert!(accepts(&["1767323045", "1767323049"], "1767329999"));
        assert!(!accepts(&["1767323045", "1767323049"], "1767329999000"));
        assert!(accepts(&["0.123456789", "0.5"], "0.1234567"));
    }
}
