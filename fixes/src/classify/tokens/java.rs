//! Java (JLS chapter 3): white space never counts.

use super::scan::quoted;
use super::{Ambiguous, Language, Token};

pub(super) const LANGUAGE: Language = Language {
    endings: &["java"],
    line_comments: &["//"],
    block_comments: Some(false),
    operators: &[
        ">>>=", "<<=", ">>=", ">>>", "...", "->", "::", "++", "--", "&&", "||", "==", "!=", "<=", ">=", "+=", "-=",
        "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>",
    ],
    literal,
    layout: |program, text| {
        // JLS §3.3: such escapes are read before anything else, in comments too.
        let escapes = text.contains("\\u");
        (!escapes).then(|| program.without_last_commas(|_, _| false))
    },
};

fn literal(rest: &str, _: Option<&Token>) -> Result<Option<usize>, Ambiguous> {
    let Some((quote, lines)) = [("\"\"\"", true), ("\"", false), ("'", false)]
        .into_iter()
        .find(|(quote, _)| rest.starts_with(quote))
    else {
        return Ok(None);
    };
    quoted(rest, quote, lines).map(Some).ok_or(Ambiguous)
}
