//! Code that MySQL runs from a version on, and that is a comment to all others: `/*!40101 … */`.

use sqlparser::dialect::{Dialect, MySqlDialect};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer, Whitespace};

/// Whether there is any.
pub(super) fn is_in(text: &str) -> bool {
    let mut after = text.split("/*!").skip(1);
    after.any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// MySQL's words, with all comments left comments.
#[derive(Debug)]
struct Commented;

impl Dialect for Commented {
    fn is_identifier_start(&self, ch: char) -> bool {
        MySqlDialect {}.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        MySqlDialect {}.is_identifier_part(ch)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }
}

/// Where it stands, in order; nowhere if the text can't be split into words.
pub(super) fn places(text: &str) -> Vec<Span> {
    if !is_in(text) {
        return Vec::new();
    }
    let tokens = Tokenizer::new(&Commented, text).tokenize_with_location();
    let conditional = |token: &TokenWithSpan| match &token.token {
        Token::Whitespace(Whitespace::MultiLineComment(comment)) => comment.starts_with('!'),
        _ => false,
    };
    let found = tokens.unwrap_or_default().into_iter().filter(conditional);
    found.map(|token| token.span).collect()
}

/// The words of a statement that stand in such places, and the others.
pub(super) fn parted(chunk: &[TokenWithSpan], places: &[Span]) -> (Vec<TokenWithSpan>, Vec<TokenWithSpan>) {
    let within = |at: Location| {
        let next = places.partition_point(|place| place.end <= at);
        places.get(next).is_some_and(|place| place.start <= at)
    };
    chunk.iter().cloned().partition(|token| within(token.span.start))
}
