//! Content lines of an iCalendar file (RFC 5545, 3.1): unfolded, split, and with the number of the
//! line that they begin at. The parser crates don't say where something stands, and descend into
//! nested components without a bound.

use holdpoint_schemas::SourceError;

/// Longest content line in bytes: descriptions are long, and are skipped.
const MAX_LINE: usize = 1 << 20;

/// One content line.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    /// Number of its first line in the file, from 1.
    pub number: usize,
    /// Name in capitals.
    pub name: String,
    /// Parameters with names in capitals, values without quotes.
    pub parameters: Vec<(String, String)>,
    /// Value, still escaped.
    pub value: std::borrow::Cow<'a, str>,
}

impl Line<'_> {
    /// The value of a parameter, by its name in capitals.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// An error at this line.
    pub fn wrong(&self, file: &str, text: &str, message: String, help: &str) -> Box<SourceError> {
        wrong(file, text, self.number, message, help)
    }
}

/// An error at a line.
pub(super) fn wrong(file: &str, text: &str, number: usize, message: String, help: &str) -> Box<SourceError> {
    Box::new(SourceError::new(file, message).help(help).at(text, number, 1))
}

/// The content lines, each with the number of its first line; folded ones are put together.
pub(super) fn unfolded(text: &str) -> impl Iterator<Item = (usize, std::borrow::Cow<'_, str>)> {
    use std::borrow::Cow;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        let (index, first) = lines.next()?;
        let mut whole = Cow::Borrowed(first);
        while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with([' ', '\t'])) {
            whole.to_mut().push_str(next.get(1..).unwrap_or_default());
        }
        Some((index + 1, whole))
    })
}

/// Splits a content line; `None` when it isn't one.
pub(super) fn split<'a>(number: usize, line: &std::borrow::Cow<'a, str>) -> Option<Line<'a>> {
    use std::borrow::Cow;
    if line.len() > MAX_LINE {
        return None;
    }
    let mut quoted = false;
    let mut cuts = Vec::new();
    let mut colon = None;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => cuts.push(at),
            ':' if !quoted => {
                colon = Some(at);
                break;
            }
            _ => {}
        }
    }
    let colon = colon?;
    cuts.push(colon);
    let mut pieces = Vec::new();
    let mut begin = 0;
    for cut in cuts {
        pieces.push(line.get(begin..cut)?);
        begin = cut + 1;
    }
    let (name, parameters) = pieces.split_first()?;
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    // Some write a group before the name, as vCards do.
    let name = name.rsplit('.').next().filter(|name| is_name(name))?;
    let parameters = parameters.iter().map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        Some((key.to_ascii_uppercase(), value.trim_matches('"').to_owned()))
    });
    let value = match line {
        Cow::Borrowed(line) => Cow::Borrowed(line.get(begin..)?),
        Cow::Owned(line) => Cow::Owned(line.get(begin..)?.to_owned()),
    };
    Some(Line {
        number,
        name: name.to_ascii_uppercase(),
        parameters: parameters.collect::<Option<_>>()?,
        value,
    })
}

/// Text without its escapes (RFC 5545, 3.3.11), for people: one line, bounded.
pub(super) fn plain(value: &str) -> String {
    /// Longest name of an event that is shown, in characters.
    const MAX: usize = 200;
    let mut text = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('n' | 'N') | None => ' ',
                Some(escaped) => escaped,
            },
            c => c,
        };
        text.push(if c.is_control() { ' ' } else { c });
    }
    text.trim().chars().take(MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_put_together_and_keep_their_number() {
        let text =
            "BEGIN:VEVENT\r\nSUMMARY:Quarter\r\n  close\r\n\t!\r\nDTSTART;TZID=\"Europe/Berlin\":20260316T000000\r\n";
        let lines: Vec<Line<'_>> = unfolded(text).map(|(n, line)| split(n, &line).unwrap()).collect();
        assert_eq!((lines[1].number, &*lines[1].value), (2, "Quarter close!"));
        assert_eq!(
            (lines[2].number, lines[2].parameter("TZID")),
            (5, Some("Europe/Berlin"))
        );
    }

    #[test]
    fn quotes_hide_colons_and_semicolons() {
        let line = "ATTENDEE;CN=\"a:b;c\";ROLE=X:mailto:x".into();
        let line = split(1, &line).unwrap();
        assert_eq!((line.parameter("CN"), &*line.value), (Some("a:b;c"), "mailto:x"));
    }

    #[test]
    fn what_is_no_content_line_is_refused() {
        for line in ["", "hello", ":x", "A B:x", "DTSTART;TZID:x", "<html>:"] {
            assert!(split(1, &line.into()).is_none(), "{line}");
        }
        assert_eq!(plain("a\\, b\\nc\u{7}"), "a, b c");
    }
}
