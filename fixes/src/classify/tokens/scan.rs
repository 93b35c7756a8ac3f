//! One scanner for all languages: comments, literals, words and operators, by the language's table.

use super::super::unicode;
use super::{Comment, Kind, Language, Program, Token};

/// Most tokens of a file.
const MAX_TOKENS: usize = 1_000_000;

pub(super) fn scan(language: &Language, text: &str) -> Option<Program> {
    if unicode::breaks_otherwise(text) {
        return None;
    }
    let mut program = Program::default();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut line, mut column) = (1_u32, 0_usize);
    for (number, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            program.blank.push(number);
        }
    }
    while let Some(first) = rest.chars().next() {
        if program.tokens.len() >= MAX_TOKENS {
            return None;
        }
        let length = match first {
            '\n' => 1,
            ' ' | '\t' => 1,
            // A carriage return alone ends a line in some languages and not in others.
            '\r' if rest.starts_with("\r\n") => 1,
            _ => match comment(language, rest, line == 1 && column == 0)? {
                Some(length) => {
                    let at = program.tokens.len();
                    let text = rest.get(..length)?.trim_end().to_owned();
                    program.comments.push(Comment { text, line, at });
                    length
                }
                None => {
                    let (kind, length) = token(language, rest, program.tokens.last())?;
                    let text = rest.get(..length)?.to_owned();
                    program.tokens.push(Token {
                        kind,
                        text,
                        line,
                        column,
                    });
                    length
                }
            },
        };
        let (taken, after) = rest.split_at_checked(length.max(1))?;
        line += u32::try_from(taken.matches('\n').count()).ok()?;
        column = match taken.rfind('\n') {
            Some(at) => taken.len() - at - 1,
            None => column + taken.len(),
        };
        rest = after;
    }
    Some(program)
}

/// Length of the comment that the text starts with; no value when it never ends.
fn comment(language: &Language, rest: &str, is_start: bool) -> Option<Option<usize>> {
    let shebang = is_start && rest.starts_with("#!") && !rest.starts_with("#![");
    if shebang || language.line_comments.iter().any(|mark| rest.starts_with(mark)) {
        return Some(Some(rest.find('\n').unwrap_or(rest.len())));
    }
    let Some(nests) = language.block_comments.filter(|_| rest.starts_with("/*")) else {
        return Some(None);
    };
    let (mut depth, mut at) = (1_usize, 2_usize);
    while depth > 0 {
        let inner = rest.get(at..)?;
        let end = inner.find("*/")?;
        match inner.find("/*").filter(|start| nests && *start < end) {
            Some(start) => {
                depth += 1;
                at += start + 2;
            }
            None => {
                depth -= 1;
                at += end + 2;
            }
        }
    }
    Some(Some(at))
}

fn token(language: &Language, rest: &str, previous: Option<&Token>) -> Option<(Kind, usize)> {
    if let Some(length) = (language.literal)(rest, previous).ok()? {
        return Some((Kind::Text, length));
    }
    let first = rest.chars().next()?;
    let digit_follows = || {
        rest.get(1..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if first.is_ascii_digit() || (first == '.' && digit_follows()) {
        return Some((Kind::Word, number(rest)));
    }
    if is_word(first) {
        return Some((Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len())));
    }
    let operator = language.operators.iter().filter(|mark| rest.starts_with(**mark));
    if let Some(longest) = operator.map(|mark| mark.len()).max() {
        return Some((Kind::Mark, longest));
    }
    // Any other character that isn't ASCII could be white space, or look like something else.
    first.is_ascii_punctuation().then_some((Kind::Mark, 1))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// Length of a number, with what sticks to it; `1..2` is a range.
fn number(rest: &str) -> usize {
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let mut length = 0;
    let mut previous = ' ';
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        let exponent = !hexadecimal && matches!(previous, 'e' | 'E') && matches!(c, '+' | '-');
        let point = c == '.' && chars.peek() != Some(&'.') && previous != '.';
        if !(c.is_alphanumeric() || c == '_' || exponent || point) {
            break;
        }
        length += c.len_utf8();
        previous = c;
    }
    length.max(1)
}

/// Length of a text from its opening quote on: a backslash takes the next character along.
/// `None` when it doesn't end, or, unless `lines`, not on its line.
pub(super) fn quoted(rest: &str, quote: &str, lines: bool) -> Option<usize> {
    let body = rest.strip_prefix(quote)?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '\n' && !lines {
            return None;
        } else if body.get(at..)?.starts_with(quote) {
            return Some(quote.len() + at + quote.len());
        }
    }
    None
}
