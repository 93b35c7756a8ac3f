//! Bytes into lines, without what terminals and build servers put around the text.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Longest line that is looked at, in bytes: tools say what failed at the start of a line, and longer lines are
/// minified files.
const MAX_LINE_BYTES: usize = 4_000;

/// What build servers put in front of a line: times, and the step numbers of `BuildKit`.
static FRONT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let time = r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]? ";
    Regex::new(&format!(
        r"^(?:\u{{feff}}?(?:{time}|\d\d:\d\d:\d\d(?:[.,]\d+)? |#\d+ \d+\.\d+ |##\[error\]|::error::))+"
    ))
    .ok()
});

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    partial: Vec<u8>,
    /// Lines that are complete.
    number: u64,
}

impl Pieces {
    /// Takes bytes; hands over each line that is complete, with its number.
    pub(super) fn push(&mut self, bytes: &[u8], mut line: impl FnMut(u64, &str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            self.number = self.number.saturating_add(1);
            if self.partial.is_empty() {
                cleaned(head, |text| line(self.number, text));
            } else {
                self.keep(head);
                cleaned(&self.partial, |text| line(self.number, text));
                self.partial.clear();
            }
        }
        self.keep(rest);
    }

    /// Hands over what is left without a line end.
    pub(super) fn finish(&self, mut line: impl FnMut(u64, &str)) {
        if !self.partial.is_empty() {
            cleaned(&self.partial, |text| line(self.number.saturating_add(1), text));
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_LINE_BYTES.saturating_sub(self.partial.len());
        self.partial.extend(bytes.iter().take(room));
    }
}

/// Hands over the parts of a line that a carriage return made a terminal show one after the other.
fn cleaned(raw: &[u8], mut part: impl FnMut(&str)) {
    let raw = raw.get(..MAX_LINE_BYTES).unwrap_or(raw);
    for piece in raw.split(|byte| *byte == b'\r').filter(|piece| !piece.is_empty()) {
        let text = String::from_utf8_lossy(piece);
        let text = without_controls(&text);
        let front = FRONT
            .as_ref()
            .and_then(|front| front.find(&text))
            .map_or(0, |found| found.end());
        part(text.get(front..).unwrap_or_default().trim_end());
    }
}

/// A text without escape sequences (ECMA-48 §5.4: CSI; OSC as terminals have it) and control characters.
fn without_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_control() && c != '\t') {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
                // A title or a link: ends with BEL, or with ESC and a backslash.
                Some(']') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && chars.next().is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\t' => clean.push(c),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        let mut cutter = Pieces::default();
        for piece in pieces {
            cutter.push(piece, |number, text| found.push((number, text.to_owned())));
        }
        cutter.finish(|number, text| found.push((number, text.to_owned())));
        found
    }

    #[test]
    fn pieces_may_end_anywhere() {
        let whole = lines(&["a\nü b\r\n\nlast".as_bytes()]);
        let bytes = "a\nü b\r\n\nlast".as_bytes();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(lines(&single), whole);
        assert_eq!(
            whole,
            [(1, "a".to_owned()), (2, "ü b".to_owned()), (4, "last".to_owned())]
        );
    }

    #[test]
    fn colours_links_titles_and_progress_are_taken_off() {
        let line = b"\x1b]0;title\x07\x1b[1;31m[ERROR]\x1b[m \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x07\n";
        assert_eq!(lines(&[line]), [(1, "[ERROR] link".to_owned())]);
        let texts: Vec<String> = lines(&[b"10 %\r100 %\rdone\n"])
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts, ["10 %", "100 %", "done"]);
    }

    #[test]
    fn what_build_servers_put_in_front_is_taken_off() {
        for front in [
            "2026-03-17T02:30:00.1234567Z ",
            "[2026-03-17T02:30:00.123Z] ",
            "2026-03-17 02:30:00,123 ",
            "02:30:00 ",
            "#12 3.456 ",
            "2026-03-17T02:30:00.1Z ##[error]",
        ] {
            assert_eq!(lines(&[front.as_bytes(), b"[ERROR] x"]), [(1, "[ERROR] x".to_owned())]);
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut cutter = Pieces::default();
        for _ in 0..1_000 {
            cutter.push(&[b'x'; 1_000], |_, _| panic!("no line ended"));
        }
        assert!(cutter.partial.capacity() <= 4 * MAX_LINE_BYTES);
    }
}
