//! The words of a claim: `hands-off until 2026-12-01 by ana@x.example reason moving the database`.
//! All but the kind may be left out; the rest of the text is the reason.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::control::{Control, ControlKind};
use jiff::civil::Date;
use jiff::tz::Offset;

use super::Marker;

/// Longest text of a claim that is kept, in characters.
const MAX_TEXT: usize = 300;
/// How far a misspelt kind may be from a known one: `handsoff`, `break-glas`.
const MAX_DISTANCE: usize = 2;
/// Values of a tag by which people say that there is no claim.
const NO: [&str; 7] = ["", "false", "no", "none", "off", "0", "null"];

const KINDS: [ControlKind; 3] = [
    ControlKind::BreakGlass,
    ControlKind::Compensating,
    ControlKind::HandsOff,
];

/// A claim, as its words say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub kind: ControlKind,
    /// First moment at which it no longer holds.
    pub until: Timestamp,
    pub owner: Option<String>,
    pub reason: Option<String>,
    pub unclear: Option<String>,
}

impl Claim {
    /// Reads a claim that begins with its kind; `None` when it begins with anything else. A kind that
    /// is nearly known is meant.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        let word = word.to_ascii_lowercase();
        let near = |kind: &ControlKind| strsim::levenshtein(&word, kind.as_str());
        let kind = KINDS
            .into_iter()
            .min_by_key(near)
            .filter(|kind| near(kind) <= MAX_DISTANCE)?;
        let mut claim = Self::of_kind(kind, rest);
        if word != kind.as_str() {
            claim
                .unclear
                .get_or_insert_with(|| format!("`{word}` was read as `{}`", kind.as_str()));
        }
        Some(claim)
    }

    /// Reads a claim whose kind is known from elsewhere, such as the name of a tag.
    pub fn of_kind(kind: ControlKind, text: &str) -> Self {
        // Labels of some clouds can't hold spaces.
        let spaced = if text.contains(char::is_whitespace) {
            text.to_owned()
        } else {
            text.replace('_', " ")
        };
        let spaced = spaced.trim_start_matches([':', ',', ';', '-', ' ']);
        let mut claim = Self {
            kind,
            until: Timestamp::MAX,
            owner: None,
            reason: None,
            unclear: None,
        };
        let mut reason = Vec::new();
        let mut words = spaced.split_whitespace();
        while let Some(word) = words.next() {
            match word.to_ascii_lowercase().trim_end_matches(':') {
                "until" => {
                    let value = words.next().unwrap_or_default();
                    match until(value) {
                        Some(until) => claim.until = until,
                        // Within a sentence it is a word like others.
                        None if !reason.is_empty() => reason.extend([word, value]),
                        None => {
                            claim.unclear =
                                Some(format!("`{}` isn't a date, so it holds without an end", shown(value)));
                        }
                    }
                }
                "by" if reason.is_empty() && claim.owner.is_none() => claim.owner = words.next().map(shown),
                // From here on all words are the person's own.
                "reason" | "because" if reason.is_empty() => reason.extend(words.by_ref()),
                _ => reason.push(word),
            }
        }
        claim.reason = (!reason.is_empty()).then(|| shown(&reason.join(" ")));
        claim
    }

    /// Whether a tag's value says that there is no claim.
    pub fn is_denied(text: &str) -> bool {
        NO.contains(&text.trim().to_ascii_lowercase().as_str())
    }

    /// The claim as a control on a file.
    pub fn marker(self, repo: &str, path: &str, line: usize) -> Marker {
        Marker {
            line,
            control: Control {
                id: format!("{path}:{line}:{}", self.kind.as_str()),
                kind: self.kind,
                repo: repo.to_owned(),
                address: None,
                path: Some(path.to_owned()),
                owner: self
                    .owner
                    .unwrap_or_else(|| format!("whoever wrote `{path}` line {line}")),
                reason: self.reason.unwrap_or_else(|| "no reason is given".to_owned()),
                protects: None,
                since: Timestamp::MIN,
                until: self.until,
            },
            unclear: self.unclear,
        }
    }
}

/// Reads when a claim ends: a day (it holds to the day's end in UTC), a moment with an offset, or
/// with a zone in brackets.
pub(super) fn until(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_matches(['"', '\'', ',', ';', '.', ')']);
    if let Ok(day) = Date::strptime("%Y-%m-%d", text) {
        return Offset::UTC.to_timestamp(day.tomorrow().ok()?.at(0, 0, 0, 0)).ok();
    }
    if text.contains('[') {
        return text.parse::<jiff::Zoned>().ok().map(|zoned| zoned.timestamp());
    }
    text.parse().ok()
}

/// Text that someone else wrote, fit for a report.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_says_kind_end_owner_and_reason() {
        let claim = Claim::parse("hands-off until 2026-12-01 by ana@x.example reason moving the database").unwrap();
        assert_eq!(claim.kind, ControlKind::HandsOff);
        assert_eq!(claim.until.to_string(), "2026-12-02T00:00:00Z");
        assert_eq!(claim.owner.as_deref(), Some("ana@x.example"));
        assert_eq!(claim.reason.as_deref(), Some("moving the database"));
        assert_eq!(claim.unclear, None);
        let short = Claim::parse("compensating").unwrap();
        assert_eq!((short.until, short.reason), (Timestamp::MAX, None));
        let late = Claim::parse("hands-off INC-7 until 2026-12-01").unwrap();
        assert_eq!((late.until, late.reason.as_deref()), (claim.until, Some("INC-7")));
        let words = Claim::parse("hands-off reason it stays until 2020-01-01 is over").unwrap();
        assert_eq!(words.until, Timestamp::MAX, "a reason ends nothing");
        let label = Claim::parse("break-glass_until_2026-12-01_inc-7").unwrap();
        assert_eq!(
            (label.until.to_string().as_str(), label.reason.as_deref()),
            ("2026-12-02T00:00:00Z", Some("inc-7"))
        );
    }

    #[test]
    fn an_end_that_can_not_be_read_is_no_end() {
        for text in [
            "hands-off until tomorrow",
            "hands-off until",
            "hands-off until 2026-13-45 reason x",
        ] {
            let claim = Claim::parse(text).unwrap();
            assert_eq!(claim.until, Timestamp::MAX, "{text}");
            assert!(claim.unclear.is_some(), "{text}");
        }
    }

    #[test]
    fn a_misspelt_kind_holds_and_other_words_are_no_claim() {
        let claim = Claim::parse("handsoff until 2026-12-01").unwrap();
        assert!(claim.kind == ControlKind::HandsOff && claim.unclear.unwrap().contains("`handsoff`"));
        for text in ["", "design", "see docs", "ignore this", "until 2026-12-01"] {
            assert_eq!(Claim::parse(text), None, "{text}");
        }
    }
}
