//! Python 3 (reference, chapter 2: lexical analysis): line ends and indentation are tokens.

use super::scan::quoted;
use super::{Ambiguous, Kind, Language, Program, Token};

pub(super) const LANGUAGE: Language = Language {
    endings: &["py", "pyi"],
    line_comments: &["#"],
    block_comments: None,
    operators: &[
        "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", "+=", "-=", "*=",
        "/=", "%=", "@=", "&=", "|=", "^=", ":=",
    ],
    literal,
    layout,
};

fn literal(rest: &str, _: Option<&Token>) -> Result<Option<usize>, Ambiguous> {
    let start = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (prefix, body) = rest.split_at(start);
    let prefix = prefix.to_ascii_lowercase();
    let Some(quote) = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| body.starts_with(quote))
    else {
        return Ok(None);
    };
    if !matches!(
        prefix.as_str(),
        "" | "r" | "u" | "b" | "f" | "t" | "br" | "rb" | "fr" | "rf" | "tr" | "rt"
    ) {
        return Err(Ambiguous);
    }
    let length = quoted(body, quote, quote.len() == 3).ok_or(Ambiguous)?;
    if prefix.contains(['f', 't']) {
        check_fields(body.get(quote.len()..length - quote.len()).ok_or(Ambiguous)?)?;
    }
    Ok(Some(start + length))
}

/// The fields of an f-string hold no braces or quotes that could move its end (PEP 701 lets them).
fn check_fields(body: &str) -> Result<(), Ambiguous> {
    let mut chars = body.chars().peekable();
    let mut in_field = false;
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (c, in_field, quote) {
            (_, true, Some(open)) if c == open => quote = None,
            (_, true, Some(_)) => {}
            ('{', false, _) => in_field = chars.next_if_eq(&'{').is_none(),
            ('}', false, _) if chars.next_if_eq(&'}').is_none() => return Err(Ambiguous),
            ('}', true, None) => in_field = false,
            ('"' | '\'', true, None) => quote = Some(c),
            // A format can hold a field of its own; a comment can hold anything.
            ('{' | '\\' | '#', true, None) => return Err(Ambiguous),
            _ => {}
        }
    }
    if in_field { Err(Ambiguous) } else { Ok(()) }
}

fn layout(program: Program, text: &str) -> Option<Program> {
    let mut done = Program {
        tokens: Vec::new(),
        comments: program.comments,
        blank: program.blank,
    };
    let mut places = Vec::with_capacity(program.tokens.len());
    let lines: Vec<&str> = text.lines().collect();
    let indents = |with: char| lines.iter().any(|line| line.starts_with(with));
    // Python refuses some mixtures and reads others in its own way.
    let tabs = lines.iter().any(|line| line.trim_start_matches(' ').starts_with('\t'));
    if (tabs && indents(' ')) || text.contains('\u{c}') {
        return None;
    }
    let (mut depth, mut levels) = (0_usize, vec![0_usize]);
    let mut last_line = 0;
    let mut joined = true;
    for token in program.tokens {
        let starts_line = depth == 0 && !joined && token.line != last_line;
        let first = done.tokens.is_empty();
        if starts_line || first {
            if !first {
                done.tokens.push(mark("\n", &token));
            }
            if token.column > levels.last().copied().unwrap_or(0) {
                levels.push(token.column);
                done.tokens.push(mark("indent", &token));
            }
            while token.column < levels.last().copied().unwrap_or(0) {
                levels.pop();
                done.tokens.push(mark("dedent", &token));
            }
            if levels.last().copied().unwrap_or(0) != token.column {
                return None;
            }
        }
        places.push(done.tokens.len());
        // A multi-line text ends where its last line does.
        last_line = token.line + u32::try_from(token.text.matches('\n').count()).ok()?;
        joined = false;
        match (token.kind, token.text.as_str()) {
            (Kind::Mark, "(" | "[" | "{") => depth += 1,
            (Kind::Mark, ")" | "]" | "}") => depth = depth.checked_sub(1)?,
            (Kind::Mark, "\\") => {
                // A backslash joins lines only as the last character of one.
                let index = usize::try_from(token.line).ok()?.checked_sub(1)?;
                if lines.get(index)?.len() != token.column + 1 {
                    return None;
                }
                places.pop();
                places.push(done.tokens.len());
                joined = true;
                continue;
            }
            _ => {}
        }
        done.tokens.push(token);
    }
    if depth != 0 {
        return None;
    }
    let end = done.tokens.len();
    for comment in &mut done.comments {
        comment.at = places.get(comment.at).copied().unwrap_or(end);
    }
    Some(
        without_import_brackets(done)
            .without_last_commas(|_, _| false)
            .with_one_quote(),
    )
}

/// `from a import (b, c,)` is `from a import b, c`.
fn without_import_brackets(program: Program) -> Program {
    let at = |at: usize| program.tokens.get(at).map(|token| token.text.as_str());
    let mut gone = Vec::new();
    for (start, token) in program.tokens.iter().enumerate() {
        if token.kind != Kind::Word || token.text != "import" || at(start + 1) != Some("(") {
            continue;
        }
        let inner = program
            .tokens
            .iter()
            .skip(start + 2)
            .position(|token| token.text == ")");
        if let Some(end) = inner.map(|inner| start + 2 + inner) {
            gone.push(start + 1);
            gone.extend((at(end - 1) == Some(",")).then_some(end - 1));
            gone.push(end);
        }
    }
    program.without(&gone)
}

fn mark(text: &str, at: &Token) -> Token {
    Token {
        kind: Kind::Layout,
        text: text.to_owned(),
        line: at.line,
        column: at.column,
    }
}
