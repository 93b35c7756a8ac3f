//! Output of untrusted programs, made fit for people's terminals and reports.

use std::collections::VecDeque;

/// Longest line kept, in characters: longer ones are minified files or attacks on the terminal.
pub(crate) const MAX_LINE_CHARS: usize = 500;
/// Longest raw line gathered before it is cut, in bytes, so that a stream without line ends stays bounded.
const MAX_LINE_BYTES: usize = 4 * MAX_LINE_CHARS;
/// Lines kept as a step's tail.
const TAIL_LINES: usize = 60;

/// One line without control characters (terminal escapes included), at most [`MAX_LINE_CHARS`] long.
/// Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn clean_line(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let mut clean = String::with_capacity(text.len().min(MAX_LINE_BYTES));
    let mut chars = text.trim_end_matches(['\r', '\n']).chars().peekable();
    let mut count = 0;
    while let Some(c) = chars.next() {
        if count == MAX_LINE_CHARS {
            clean.push('…');
            break;
        }
        if c == '\u{1b}' {
            skip_escape(&mut chars);
            continue;
        }
        match c {
            '\t' => clean.push(' '),
            // Bidirectional controls reorder what people see; they have no business in a log.
            c if c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                continue;
            }
            c => clean.push(c),
        }
        count += 1;
    }
    clean
}

/// Skips what follows an escape character: a CSI sequence (ECMA-48 §5.4) or one character.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if chars.peek() == Some(&'[') {
        chars.next();
        for c in chars.by_ref() {
            if ('\u{40}'..='\u{7e}').contains(&c) {
                break;
            }
        }
    }
}

/// One line for people out of any text: the first line, cleaned.
pub(crate) fn one_line(text: &str) -> String {
    clean_line(text.lines().next().unwrap_or_default().as_bytes())
}

/// Cuts a byte stream into clean lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes bytes; hands over each line that is complete, or as long as a line may be.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(String)) {
        while !bytes.is_empty() {
            let room = MAX_LINE_BYTES.saturating_sub(self.partial.len()).max(1);
            let window = bytes.get(..room).unwrap_or(bytes);
            let end = window.iter().position(|b| *b == b'\n');
            let taken = end.map_or(window.len(), |at| at + 1);
            let (head, rest) = bytes.split_at(taken);
            self.partial.extend_from_slice(head);
            bytes = rest;
            if end.is_some() || self.partial.len() >= MAX_LINE_BYTES {
                line(clean_line(&self.partial));
                self.partial.clear();
            }
        }
    }

    /// Hands over what is left without a line end.
    pub(crate) fn finish(&mut self, line: impl FnOnce(String)) {
        if !self.partial.is_empty() {
            line(clean_line(&self.partial));
            self.partial.clear();
        }
    }
}

/// The last lines of an output.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
    dropped: bool,
}

impl Tail {
    /// Adds a line.
    pub(crate) fn push(&mut self, line: String) {
        if self.lines.len() == TAIL_LINES {
            self.lines.pop_front();
            self.dropped = true;
        }
        self.lines.push_back(line);
    }

    /// The last lines, at most so many.
    pub(crate) fn last(&self, at_most: usize) -> impl Iterator<Item = &String> {
        self.lines.iter().skip(self.lines.len().saturating_sub(at_most))
    }

    /// The lines as one text; says so when earlier ones are missing.
    pub(crate) fn into_text(self) -> String {
        let mut text = if self.dropped {
            "…\n".to_owned()
        } else {
            String::new()
        };
        for line in self.lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |line| out.push(line));
        }
        lines.finish(|line| out.push(line));
        out
    }

    #[test]
    fn lines_survive_any_chunking() {
        assert_eq!(
            cut(&[b"on", b"e\ntwo\r", b"\n", b"thr", b"ee"]),
            ["one", "two", "three"]
        );
    }

    #[test]
    fn a_stream_without_line_ends_stays_bounded() {
        let flood = vec![b'x'; 1 << 20];
        let lines = cut(&[&flood]);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| line.chars().count() <= MAX_LINE_CHARS + 1));
    }

    #[test]
    fn escapes_controls_and_bidi_marks_are_removed() {
        assert_eq!(clean_line(b"\x1b[2J\x1b[31mred\x1b[0m\x07 a\tb\0"), "red a b");
        assert_eq!(clean_line("ab\u{202e}cd".as_bytes()), "abcd");
    }

    #[test]
    fn invalid_utf8_becomes_replacement_characters() {
        assert_eq!(clean_line(b"a\xff\xfeb"), "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn a_tail_says_that_it_is_one() {
        let mut tail = Tail::default();
        for n in 0..=TAIL_LINES {
            tail.push(n.to_string());
        }
        let text = tail.into_text();
        assert!(text.starts_with("…\n1\n"), "{text}");
        assert!(text.ends_with("\n60\n"), "{text}");
    }
}
