//! One changed region of a file.

use std::fmt::Write as _;

use super::Reader;
use crate::FixError;

/// Where a line of a hunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// On both sides.
    Context,
    /// Only before.
    Removed,
    /// Only after.
    Added,
}

impl Origin {
    /// The character that a patch starts the line with.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Context => ' ',
            Self::Removed => '-',
            Self::Added => '+',
        }
    }
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HunkLine {
    /// Where it is.
    pub origin: Origin,
    /// Its text, without the line feed.
    pub text: String,
    /// Whether the file ends here without a line feed.
    pub ends_without_newline: bool,
}

/// One changed region of a file; line numbers are 1-based, as in the `@@` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// First line before.
    pub old_start: u32,
    /// Lines before.
    pub old_count: u32,
    /// First line after.
    pub new_start: u32,
    /// Lines after.
    pub new_count: u32,
    /// Its lines.
    pub lines: Vec<HunkLine>,
}

impl Hunk {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, FixError> {
        let start = reader.line_number();
        let header = reader.next().unwrap_or_default();
        let Some(mut hunk) = parse_header(header) else {
            return Err(reader.fault(
                start,
                "a broken hunk header",
                "expected `@@ -LINE,COUNT +LINE,COUNT @@`",
            ));
        };
        let (mut old, mut new) = (0, 0);
        while old < hunk.old_count || new < hunk.new_count {
            let at = reader.line_number();
            let Some(line) = reader.next() else {
                let message = format!(
                    "the hunk ends after {old} of {} old and {new} of {} new lines",
                    hunk.old_count, hunk.new_count
                );
                return Err(reader.fault(start, message, "the patch is truncated; make it anew with `git diff`"));
            };
            let mut chars = line.chars();
            let origin = match chars.next() {
                Some('+') => Origin::Added,
                Some('-') => Origin::Removed,
                Some(' ') => Origin::Context,
                // Mail software strips the blank of an empty context line.
                None => Origin::Context,
                Some('\\') => {
                    mark_end(&mut hunk, reader, at)?;
                    continue;
                }
                Some(_) => {
                    let help = "each line of a hunk starts with ` `, `+` or `-`; the patch is truncated or damaged";
                    return Err(reader.fault(at, "not a line of a hunk", help));
                }
            };
            old += u32::from(origin != Origin::Added);
            new += u32::from(origin != Origin::Removed);
            if old > hunk.old_count || new > hunk.new_count {
                return Err(reader.fault(
                    at,
                    "the hunk has more lines than its header says",
                    "make the patch anew with `git diff`",
                ));
            }
            hunk.lines.push(HunkLine {
                origin,
                text: chars.as_str().to_owned(),
                ends_without_newline: false,
            });
        }
        if reader.peek().is_some_and(|line| line.starts_with('\\')) {
            let at = reader.line_number();
            reader.next();
            mark_end(&mut hunk, reader, at)?;
        }
        Ok(hunk)
    }

    pub(crate) fn write(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "@@ -{},{} +{},{} @@",
            self.old_start, self.old_count, self.new_start, self.new_count
        );
        for line in &self.lines {
            out.push(line.origin.sign());
            out.push_str(&line.text);
            out.push('\n');
            if line.ends_without_newline {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
}

fn mark_end(hunk: &mut Hunk, reader: &Reader<'_>, at: usize) -> Result<(), FixError> {
    let Some(last) = hunk.lines.last_mut() else {
        return Err(reader.fault(
            at,
            "`\\ No newline` before any line",
            "make the patch anew with `git diff`",
        ));
    };
    last.ends_without_newline = true;
    Ok(())
}

fn parse_header(line: &str) -> Option<Hunk> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let (old_start, old_count) = parse_range(old)?;
    let (new_start, new_count) = parse_range(new)?;
    (old_count > 0 || new_count > 0).then_some(Hunk {
        old_start,
        old_count,
        new_start,
        new_count,
        lines: Vec::new(),
    })
}

fn parse_range(text: &str) -> Option<(u32, u32)> {
    let number = |digits: &str| -> Option<u32> {
        // Bounded well below overflow: sums of starts and counts stay in range.
        let all_digits = !digits.is_empty() && digits.len() <= 8 && digits.bytes().all(|b| b.is_ascii_digit());
        all_digits.then(|| digits.parse().ok()).flatten()
    };
    match text.split_once(',') {
        Some((start, count)) => Some((number(start)?, number(count)?)),
        None => Some((number(text)?, 1)),
    }
}
