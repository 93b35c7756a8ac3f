//! Go (language specification, "Semicolons"): a line end after certain tokens is a semicolon.

use super::scan::quoted;
use super::{Ambiguous, Kind, Language, Program, Token};

pub(super) const LANGUAGE: Language = Language {
    endings: &["go"],
    line_comments: &["//"],
    block_comments: Some(false),
    operators: &[
        "<<=", ">>=", "&^=", "...", "&&", "||", "<-", "++", "--", "==", "!=", "<=", ">=", ":=", "+=", "-=", "*=", "/=",
        "%=", "&=", "|=", "^=", "<<", ">>", "&^",
    ],
    literal,
    layout,
};

/// Keywords that end no statement; the others (`break`, `continue`, `fallthrough`, `return`) do.
const OPEN_KEYWORDS: [&str; 21] = [
    "case",
    "chan",
    "const",
    "default",
    "defer",
    "else",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "interface",
    "map",
    "package",
    "range",
    "select",
    "struct",
    "switch",
    "type",
    "var",
];

fn literal(rest: &str, _: Option<&Token>) -> Result<Option<usize>, Ambiguous> {
    match rest.chars().next() {
        Some('"') => quoted(rest, "\"", false).map(Some).ok_or(Ambiguous),
        Some('\'') => quoted(rest, "'", false).map(Some).ok_or(Ambiguous),
        // A raw text knows no escapes.
        Some('`') => match rest.get(1..).and_then(|body| body.find('`')) {
            Some(end) => Ok(Some(end + 2)),
            None => Err(Ambiguous),
        },
        _ => Ok(None),
    }
}

fn layout(program: Program, text: &str) -> Option<Program> {
    let mut done = Program {
        tokens: Vec::new(),
        comments: program.comments,
        blank: program.blank,
    };
    let mut places = Vec::with_capacity(program.tokens.len());
    let mut end = 0;
    for token in program.tokens {
        let ends = done.tokens.last().is_some_and(ends_statement);
        if ends && token.line != end && !matches!(token.text.as_str(), ")" | "}") {
            let semicolon = Token {
                kind: Kind::Mark,
                text: ";".to_owned(),
                line: end,
                column: 0,
            };
            done.tokens.push(semicolon);
        }
        // Before a closing bracket a semicolon may be left out.
        if matches!(token.text.as_str(), ")" | "}") && done.tokens.last().is_some_and(|last| last.text == ";") {
            let clause = done.tokens.len().checked_sub(2).and_then(|at| done.tokens.get(at));
            if clause.is_some_and(|last| last.text == ";") {
                return None;
            }
            done.tokens.pop();
        }
        end = token.line + u32::try_from(token.text.matches('\n').count()).ok()?;
        places.push(done.tokens.len());
        done.tokens.push(token);
    }
    let end = done.tokens.len();
    for comment in &mut done.comments {
        comment.at = places.get(comment.at).copied().unwrap_or(end);
    }
    // What cgo compiles stands in a comment, and a block comment over lines is a line end.
    if text.contains("import \"C\"") {
        return None;
    }
    Some(done.without_last_commas(|_, _| false))
}

fn ends_statement(token: &Token) -> bool {
    match token.kind {
        Kind::Word => !OPEN_KEYWORDS.contains(&token.text.as_str()),
        Kind::Text => true,
        _ => matches!(token.text.as_str(), "++" | "--" | ")" | "]" | "}"),
    }
}
