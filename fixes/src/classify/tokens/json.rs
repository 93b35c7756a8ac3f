//! JSON (RFC 8259): white space between tokens never counts; there are no comments.

use super::scan::quoted;
use super::{Ambiguous, Kind, Language, Token};

pub(super) const LANGUAGE: Language = Language {
    endings: &["json"],
    line_comments: &[],
    block_comments: None,
    operators: &[],
    literal,
    layout: |program, _| {
        let known = |token: &Token| {
            token.kind != Kind::Mark || matches!(token.text.as_str(), "{" | "}" | "[" | "]" | "," | ":" | "-")
        };
        program.tokens.iter().all(known).then_some(program)
    },
};

fn literal(rest: &str, _: Option<&Token>) -> Result<Option<usize>, Ambiguous> {
    match rest.starts_with('"') {
        true => quoted(rest, "\"", false).map(Some).ok_or(Ambiguous),
        false => Ok(None),
    }
}
