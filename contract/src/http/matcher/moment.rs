//! Formats of dates and times as Pact writes them: those of Java's `SimpleDateFormat`.

use std::sync::LazyLock;

use regex::Regex;

/// Longest format that is read.
const MAX_FORMAT: usize = 200;

/// What a run of one letter stands for, by its length; the last row of a letter is for longer runs.
const LETTERS: &[(char, usize, &str)] = &[
    ('G', 9, "[A-Za-z]{1,3}"),
    ('y', 2, r"\d{2}"),
    ('y', 9, r"\d{4,}"),
    ('Y', 9, r"\d{2,}"),
    ('M', 1, "(?:1[0-2]|0?[1-9])"),
    ('M', 2, "(?:0[1-9]|1[0-2])"),
    ('M', 9, r"\p{L}{3,}\.?"),
    ('L', 2, "(?:0?[1-9]|1[0-2])"),
    ('L', 9, r"\p{L}{3,}\.?"),
    ('d', 1, "(?:3[01]|[12][0-9]|0?[1-9])"),
    ('d', 9, "(?:0[1-9]|[12][0-9]|3[01])"),
    ('D', 9, r"\d{1,3}"),
    ('E', 9, r"\p{L}{2,}\.?"),
    ('e', 9, r"[1-7]"),
    ('u', 9, r"\d{1,4}"),
    ('w', 9, r"\d{1,2}"),
    ('W', 9, r"\d"),
    ('F', 9, r"\d"),
    ('a', 9, "(?i:AM|PM)"),
    ('H', 1, "(?:2[0-3]|1[0-9]|0?[0-9])"),
    ('H', 9, "(?:[01][0-9]|2[0-3])"),
    ('k', 9, "(?:2[0-4]|1[0-9]|0?[1-9])"),
    ('K', 9, "(?:1[01]|0?[0-9])"),
    ('h', 1, "(?:1[0-2]|0?[1-9])"),
    ('h', 9, "(?:0[1-9]|1[0-2])"),
    ('m', 1, "(?:[1-5][0-9]|0?[0-9])"),
    ('m', 9, "[0-5][0-9]"),
    ('s', 1, "(?:60|[1-5][0-9]|0?[0-9])"),
    ('s', 9, "(?:[0-5][0-9]|60)"),
    ('S', 9, r"\d{1,9}"),
    ('n', 9, r"\d{1,9}"),
    ('z', 9, r"(?:[A-Za-z][\w/+-]*|[+-]\d{2}:?\d{2})"),
    ('Z', 3, r"[+-]\d{4}"),
    ('Z', 9, r"(?:Z|[+-]\d{2}:\d{2})"),
    ('X', 1, r"(?:Z|[+-]\d{2}(?:\d{2})?)"),
    ('X', 2, r"(?:Z|[+-]\d{4})"),
    ('X', 9, r"(?:Z|[+-]\d{2}:\d{2})"),
    ('x', 1, r"[+-]\d{2}(?:\d{2})?"),
    ('x', 2, r"[+-]\d{4}"),
    ('x', 9, r"[+-]\d{2}:\d{2}"),
    ('V', 9, r"[A-Za-z][\w/+-]*"),
];

/// The pattern of a format; `None` where it has a letter that isn't known.
pub(super) fn pattern(format: &str) -> Option<String> {
    if format.len() > MAX_FORMAT {
        return None;
    }
    let mut out = "^".to_owned();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            // Text stands between quotes; two of them are one.
            let mut text = String::new();
            loop {
                match chars.next()? {
                    '\'' if chars.peek() == Some(&'\'') => {
                        chars.next();
                        text.push('\'');
                    }
                    '\'' => break,
                    c => text.push(c),
                }
            }
            let text = if text.is_empty() { "'" } else { &text };
            out.push_str(&regex::escape(text));
        } else if c.is_ascii_alphabetic() {
            let mut length = 1;
            while chars.next_if_eq(&c).is_some() {
                length += 1;
            }
            let (.., part) = LETTERS
                .iter()
                .find(|(letter, most, _)| *letter == c && length <= *most)?;
            out.push_str(part);
        } else {
            out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        }
    }
    out.push('$');
    Some(out)
}

/// Whether a text is a version (semver.org, 2.0.0, its own pattern).
pub(super) fn is_version(text: &str) -> bool {
    static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let number = "(?:0|[1-9][0-9]*)";
        let word = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
        let pattern =
            format!(r"^{number}\.{number}\.{number}(?:-{word}(?:\.{word})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$");
        Regex::new(&pattern).ok()
    });
    VERSION.as_ref().is_some_and(|version| version.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_fit_what_java_writes() {
        for (format, text, fits) in [
            ("yyyy-MM-dd", "2026-03-17", true),
            ("yyyy-MM-dd", "2026-13-17", false),
            ("yyyy-MM-dd", "17/03/2026", false),
            ("yyyy-MM-dd'T'HH:mm:ssX", "2026-03-17T02:30:00Z", true),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-03-17T02:30:00.123+01:00", true),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2026-03-17T02:30:00.123+0100", true),
            ("yyyy-MM-dd'T'HH:mm:ss", "2026-03-17 02:30:00", false),
            ("EEE, d MMM yyyy HH:mm:ss z", "Tue, 7 Mar 2026 02:30:00 GMT", true),
            ("hh:mm a", "02:30 PM", true),
            ("HH 'o''clock'", "02 o'clock", true),
            ("", "", true),
        ] {
            let pattern = Regex::new(&pattern(format).unwrap()).unwrap();
            assert_eq!(pattern.is_match(text), fits, "{format} {text}");
        }
        for broken in ["yyyy-'T", "b", &"y".repeat(300)] {
            assert!(pattern(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn versions_are_those_of_semver() {
        for (text, fits) in [
            ("1.2.3", true),
            ("1.2.3-rc.1+build", true),
            ("1.2", false),
            ("01.2.3", false),
            ("v1.2.3", false),
        ] {
            assert_eq!(is_version(text), fits, "{text}");
        }
    }
}
