//! Rust (reference, chapter 2: lexical structure): white space never counts.

use super::scan::quoted;
use super::{Ambiguous, Language, Token};

pub(super) const LANGUAGE: Language = Language {
    endings: &["rs"],
    line_comments: &["//"],
    block_comments: Some(true),
    operators: &[
        "<<=", ">>=", "...", "..=", "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "..", "+=", "-=", "*=", "/=",
        "%=", "&=", "|=", "^=", "<<", ">>", "<-",
    ],
    literal,
    // What a macro or an attribute makes of a last comma is its own affair.
    layout: |program, _| {
        Some(program.without_last_commas(|earlier, before| is(before, &["!", "#"]) || is(earlier, &["!"])))
    },
};

fn is(token: Option<&Token>, marks: &[&str]) -> bool {
    token.is_some_and(|token| marks.contains(&token.text.as_str()))
}

fn literal(rest: &str, _: Option<&Token>) -> Result<Option<usize>, Ambiguous> {
    for prefix in ["br", "cr", "r"] {
        let Some(body) = rest.strip_prefix(prefix) else {
            continue;
        };
        let hashes = body.len() - body.trim_start_matches('#').len();
        let Some(text) = body.get(hashes..).and_then(|body| body.strip_prefix('"')) else {
            continue;
        };
        let end = format!("\"{}", "#".repeat(hashes));
        let length = text.find(&end).ok_or(Ambiguous)? + end.len();
        return Ok(Some(prefix.len() + hashes + 1 + length));
    }
    let start = usize::from(["b\"", "c\"", "b'"].iter().any(|start| rest.starts_with(start)));
    let body = rest.get(start..).unwrap_or_default();
    if body.starts_with('"') {
        return quoted(body, "\"", true)
            .map(|length| Some(start + length))
            .ok_or(Ambiguous);
    }
    let Some(inner) = body.strip_prefix('\'') else {
        return Ok(None);
    };
    let mut chars = inner.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(body, "'", false)
            .map(|length| Some(start + length))
            .ok_or(Ambiguous),
        // A lifetime.
        (Some(c), _) if c.is_alphabetic() || c == '_' => {
            let end = inner
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(inner.len());
            Ok(Some(1 + end))
        }
        _ => Err(Ambiguous),
    }
}
