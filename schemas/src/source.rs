//! An error at a place in a file that a person wrote.

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// What was wrong, where, and what to do: for everything that came from a file.
#[derive(Debug, Clone, Error, Diagnostic)]
#[error("{message}")]
pub struct SourceError {
    /// What was found and what was expected; lower case, no final period.
    pub message: String,
    /// The file's name and (bounded) text.
    #[source_code]
    pub source_code: NamedSource<String>,
    /// Where in the text, where that is known.
    #[label("here")]
    pub span: Option<SourceSpan>,
    /// What to do about it.
    #[help]
    pub help: Option<String>,
    /// Line and column, 1-based, where known.
    pub position: Option<(usize, usize)>,
}

/// Longest message in characters. Messages quote what a file says, and a file may say one word of megabytes.
const MAX_MESSAGE: usize = 1_000;
/// Longest text that an error carries along to show the place.
const MAX_SHOWN_BYTES: usize = 1 << 20;

impl SourceError {
    /// An error about a whole file. A message that is too long for people is cut short.
    #[must_use]
    pub fn new(file: impl AsRef<str>, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
            message.truncate(end);
            message.push('…');
        }
        Self {
            message,
            source_code: NamedSource::new(file, String::new()),
            span: None,
            help: None,
            position: None,
        }
    }

    /// Adds the place: `line` and `column` are 1-based; columns count characters.
    #[must_use]
    pub fn at(mut self, text: &str, line: usize, column: usize) -> Self {
        // Parsers call the place before the first character 0.
        let (line, column) = (line.max(1), column.max(1));
        self.position = Some((line, column));
        let start: usize = text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        let rest = text.get(start..).unwrap_or_default();
        let within: usize = rest
            .chars()
            .take_while(|c| *c != '\n')
            .take(column.saturating_sub(1))
            .map(char::len_utf8)
            .sum();
        if text.len() <= MAX_SHOWN_BYTES {
            self.source_code = NamedSource::new(self.source_code.name(), text.to_owned());
            self.span = Some(SourceSpan::from((start + within).min(text.len())));
        }
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &str {
        self.source_code.name()
    }

    /// One line: `file:line:column: message`.
    #[must_use]
    pub fn one_line(&self) -> String {
        match self.position {
            Some((line, column)) => format!("{}:{line}:{column}: {}", self.file(), self.message),
            None => format!("{}: {}", self.file(), self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_becomes_a_byte_span() {
        let error = SourceError::new("a.yaml", "no such field `tir`").at("x: é\ny: 1\n", 2, 3);
        assert_eq!(error.span.unwrap().offset(), 8);
        assert_eq!(error.one_line(), "a.yaml:2:3: no such field `tir`");
    }

    #[test]
    fn a_message_that_quotes_megabytes_is_cut_short() {
        let error = SourceError::new("a", format!("no such field `{}`", "é".repeat(1 << 20)));
        assert_eq!(error.message.chars().count(), 1_001);
        assert!(error.message.ends_with("é…"));
    }

    #[test]
    fn a_position_before_the_first_is_the_first() {
        assert_eq!(SourceError::new("a", "empty").at("", 1, 0).position, Some((1, 1)));
    }

    #[test]
    fn a_position_past_the_end_is_clamped() {
        let error = SourceError::new("a", "truncated").at("ab", 9, 9);
        assert_eq!(error.span.unwrap().offset(), 2);
    }
}
