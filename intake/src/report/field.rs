//! Fields that tools write in several ways: a number or its text, one value or a list.

use holdpoint_schemas::finding::{FindingDetails, Severity};
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

use crate::collect::{cvss_band, severity};

/// Shortest secret, in characters, that is cut out of other texts.
const MIN_SECRET: usize = 4;

/// A text that may also be a number; anything else is read as absent, without keeping it.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Look;
    impl<'de> Visitor<'de> for Look {
        type Value = Option<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a number")
        }
        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok((!text.trim().is_empty()).then(|| text.to_owned()))
        }
        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }
        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }
        fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    }
    deserializer.deserialize_any(Look)
}

/// A CVSS score in tenths of a point, from a number or its text; anything else is read as absent.
pub fn tenths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    Ok(text(deserializer)?.as_deref().and_then(tenths_of))
}

/// Tenths of a point from `7.5`, `7` or `7.50`; `None` outside of 0 to 10.
pub fn tenths_of(score: &str) -> Option<u16> {
    let (whole, fraction) = score.trim().split_once('.').unwrap_or((score.trim(), "0"));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let tenth = char::from(*fraction.as_bytes().first()?).to_digit(10)?;
    let tenths = whole.parse::<u16>().ok()?.checked_mul(10)? + u16::try_from(tenth).ok()?;
    (digits && tenths <= 100).then_some(tenths)
}

/// What CVSS says in a report.
pub trait Cvss {
    /// Notes a vector, if it is one.
    fn vector(&mut self, vector: Option<&str>);
    /// Notes a base score; the highest is kept.
    fn score(&mut self, tenths: Option<u16>);
    /// The severity that the scanner's word says, else that of the highest score.
    fn severity(&self, word: &str) -> Severity;
}

impl Cvss for FindingDetails {
    fn vector(&mut self, vector: Option<&str>) {
        let Some(vector) = vector.map(str::trim).filter(|vector| vector.contains(":")) else {
            return;
        };
        if !self.cvss_vectors.iter().any(|known| known == vector) {
            self.cvss_vectors.push(vector.to_owned());
        }
    }

    fn score(&mut self, tenths: Option<u16>) {
        self.cvss_tenths = self.cvss_tenths.max(tenths);
    }

    fn severity(&self, word: &str) -> Severity {
        match (severity(word), self.cvss_tenths) {
            (Severity::Unknown, Some(tenths)) => cvss_band(f64::from(tenths) / 10.0),
            (known, _) => known,
        }
    }
}

/// The published id at the end of an advisory's address, for example `GHSA-…` or `CVE-…`.
pub fn advisory_in(url: &str) -> Option<&str> {
    let last = url.trim_end_matches('/').rsplit('/').next()?;
    crate::collect::is_advisory_id(last).then_some(last)
}

/// The lowest versions that requirements such as `>=1.2.3 <2.0.0 || ^3.1` admit, where each says one.
pub fn lower_bounds(requirement: &str) -> Vec<String> {
    // `>= 1.2` is written with a space too.
    let requirement = [">=", "<=", "<", ">", "=", "^", "~"]
        .iter()
        .fold(requirement.to_owned(), |text, operator| {
            text.replace(&format!("{operator} "), operator)
        });
    let alternatives = requirement.split("||").filter_map(|alternative| {
        alternative.split([' ', ',']).find_map(|part| {
            let version = part.trim().trim_start_matches(['=', '^', '~']);
            let version = version.strip_prefix(">=").unwrap_or(version).trim();
            let plain = version.starts_with(|c: char| c.is_ascii_digit() || c == 'v');
            plain.then(|| version.to_owned())
        })
    });
    alternatives.collect()
}

/// Cuts a secret out of what a scanner says beside it. Shorter ones than [`MIN_SECRET`] are words that stand there anyway.
pub fn cut_out<'a>(secret: &str, texts: impl IntoIterator<Item = &'a mut String>) {
    let secret = secret.trim();
    if secret.chars().count() < MIN_SECRET {
        return;
    }
    for text in texts {
        if text.contains(secret) {
            *text = text.replace(secret, "***");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn scores_are_read_in_tenths() {
        for (text, wanted) in [
            ("9.8", Some(98)),
            ("10", Some(100)),
            ("7.50", Some(75)),
            ("0.0", Some(0)),
            ("10.1", None),
            ("-1", None),
            ("9e9", None),
            ("65536", None),
            ("7.", None),
            ("7.x", None),
            ("", None),
            ("NaN", None),
        ] {
            assert_eq!(tenths_of(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_number_or_its_text_is_read() {
        #[derive(Deserialize)]
        struct Entry(
            #[serde(deserialize_with = "text")] Option<String>,
            #[serde(deserialize_with = "tenths")] Option<u16>,
        );
        let Entry(id, score) = serde_json::from_str("[534, \"9.8\"]").unwrap();
        assert_eq!((id.as_deref(), score), (Some("534"), Some(98)));
        let Entry(id, score) = serde_json::from_str("[null, 1e400000]").unwrap_or(Entry(None, None));
        assert_eq!((id, score), (None, None));
    }

    #[test]
    fn requirements_say_where_a_fix_begins() {
        assert_eq!(lower_bounds(">=1.10.2"), ["1.10.2"]);
        assert_eq!(lower_bounds(">=1.2.3 <2.0.0 || >=2.1.0"), ["1.2.3", "2.1.0"]);
        assert_eq!(lower_bounds(">=0.13.10, <0.14.0"), ["0.13.10"]);
        assert_eq!(lower_bounds("<0.0.0"), Vec::<String>::new());
        assert_eq!(lower_bounds(">= 4.0, < 5.0"), ["4.0"]);
        assert_eq!(lower_bounds("< 5.0"), Vec::<String>::new());
    }

    #[test]
    fn the_scanners_word_comes_before_the_score() {
        let mut details = FindingDetails::default();
        assert_eq!(details.severity("?"), Severity::Unknown);
        details.score(Some(98));
        details.score(Some(50));
        assert_eq!(
            (details.severity("?"), details.cvss_tenths),
            (Severity::Critical, Some(98))
        );
        assert_eq!(details.severity("low"), Severity::Low);
        details.vector(Some("CVSS:3.1/AV:N"));
        details.vector(Some("CVSS:3.1/AV:N"));
        details.vector(Some("n/a"));
        assert_eq!(details.cvss_vectors.len(), 1);
    }

    #[test]
    fn a_secret_is_cut_out_of_the_texts_around_it() {
        let (mut title, mut rule) = ("found hunter2 twice: hunter2".to_owned(), "generic".to_owned());
        cut_out(" hunter2 ", [&mut title, &mut rule]);
        assert_eq!((title.as_str(), rule.as_str()), ("found *** twice: ***", "generic"));
        cut_out("", [&mut title]);
        assert_eq!(title, "found *** twice: ***");
    }
}
