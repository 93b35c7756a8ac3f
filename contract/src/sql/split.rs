//! From words to statements, each whole: a body between `BEGIN` and `END` belongs to the statement that it stands in.

use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Words that follow a `BEGIN` which begins a transaction, and no block.
const TRANSACTION: &[&str] = &[
    "CONCURRENT",
    "DEFERRABLE",
    "DEFERRED",
    "DISTRIBUTED",
    "EXCLUSIVE",
    "IMMEDIATE",
    "ISOLATION",
    "NOT",
    "READ",
    "TRAN",
    "TRANSACTION",
    "WORK",
];
/// Words that begin a statement in which blocks may stand.
const BLOCKS: &[&str] = &["BEGIN", "DECLARE", "ELSE", "FOR", "IF", "LOOP", "WHILE"];
/// What holds code of its own.
const ROUTINES: &[&str] = &["EVENT", "FUNCTION", "PACKAGE", "PROC", "PROCEDURE", "TRIGGER"];
/// What the end of a part is called, where the part didn't begin with `BEGIN` or `CASE`.
const PARTS: &[&str] = &["FOR", "IF", "LOOP", "REPEAT", "WHILE"];
/// How far behind `CREATE` the kind of object stands at most: `CREATE OR REPLACE DEFINER = a@b FUNCTION`.
const MAX_HEAD: usize = 14;

/// The word in capitals, if it is one that isn't quoted.
pub(super) fn word(token: &TokenWithSpan) -> Option<String> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
        _ => None,
    }
}

fn is(token: Option<&TokenWithSpan>, listed: &[&str]) -> bool {
    let found = token.and_then(word);
    found.is_some_and(|word| listed.contains(&word.as_str()))
}

/// Whether a `BEGIN` before this token begins a transaction.
pub(super) fn begins_transaction(next: Option<&TokenWithSpan>) -> bool {
    is(next, TRANSACTION) || next.is_none_or(|next| matches!(next.token, Token::SemiColon | Token::EOF))
}

/// What a client's command `DELIMITER` says instead of the semicolon is a semicolon again, each line in its place.
pub(super) fn with_semicolons(text: &str) -> String {
    let mut delimiter = ";".to_owned();
    let mut found = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let plain = line.trim_end();
        let mut words = plain.split_whitespace();
        let commanded = words.next().is_some_and(|word| word.eq_ignore_ascii_case("delimiter"));
        match (commanded, words.next(), words.next()) {
            (true, Some(other), None) => {
                other.clone_into(&mut delimiter);
                found.push_str(line.get(plain.len()..).unwrap_or_default());
            }
            _ => match plain.strip_suffix(delimiter.as_str()).filter(|_| delimiter != ";") {
                Some(rest) => {
                    found.push_str(rest);
                    found.push(';');
                    found.push_str(line.get(plain.len()..).unwrap_or_default());
                }
                None => found.push_str(line),
            },
        }
    }
    found
}

/// The statements of a file, without what ends them.
pub(super) fn statements(tokens: Vec<TokenWithSpan>) -> Vec<Vec<TokenWithSpan>> {
    let space = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_) | Token::EOF);
    let tokens: Vec<TokenWithSpan> = tokens.into_iter().filter(|token| !space(token)).collect();
    let mut batches = Vec::new();
    let mut at = 0;
    let mut brackets = 0_usize;
    while at < tokens.len() {
        let ends = (brackets == 0).then(|| separator(&tokens, at)).flatten();
        match tokens.get(at).map(|token| &token.token) {
            Some(Token::LParen) => brackets += 1,
            Some(Token::RParen) => brackets = brackets.saturating_sub(1),
            Some(Token::SemiColon) => brackets = 0,
            _ => {}
        }
        if let Some(length) = ends {
            batches.push((at, length));
        }
        at += ends.unwrap_or(1);
    }
    let batched = !batches.is_empty();
    let mut found = Vec::new();
    let mut begin = 0;
    for (at, length) in batches.into_iter().chain([(tokens.len(), 0)]) {
        split(tokens.get(begin..at).unwrap_or(&[]), batched, &mut found);
        begin = at + length;
    }
    found
}

/// How many words end a batch here, alone on their line: `GO`, `GO 5`, and the `/` of Oracle's client.
fn separator(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    let token = tokens.get(at)?;
    let line = token.span.start.line;
    if !is(Some(token), &["GO"]) && token.token != Token::Div {
        return None;
    }
    let count = tokens.get(at + 1).filter(|next| next.span.start.line == line);
    let length = match count.map(|next| &next.token) {
        None => 1,
        Some(Token::Number(..)) => 2,
        Some(_) => return None,
    };
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let after = tokens.get(at + length);
    let alone = before.is_none_or(|before| before.span.end.line < line)
        && after.is_none_or(|after| after.span.start.line > line);
    alone.then_some(length)
}

/// Splits a batch at semicolons outside of blocks. A routine goes on to the end of its batch, if there are batches.
fn split(tokens: &[TokenWithSpan], batched: bool, found: &mut Vec<Vec<TokenWithSpan>>) {
    let mut begin = 0;
    while begin < tokens.len() {
        let rest = tokens.get(begin..).unwrap_or(&[]);
        let routine = is_routine(rest);
        let length = match routine && batched {
            true => rest.len(),
            false => length(rest, routine),
        };
        if length > 0 {
            found.push(rest.get(..length).unwrap_or(rest).to_vec());
        }
        begin += length + 1;
    }
}

fn is_routine(tokens: &[TokenWithSpan]) -> bool {
    let listed = |token: &TokenWithSpan| is(Some(token), ROUTINES);
    let other = |token: &TokenWithSpan| is(Some(token), &["AS", "INDEX", "ON", "TABLE", "TYPE", "VIEW"]);
    let ended = |token: &TokenWithSpan| matches!(token.token, Token::SemiColon | Token::LParen);
    let mut head = tokens.iter().take(MAX_HEAD).skip(1);
    let found = head.find(|token| listed(token) || other(token) || ended(token));
    is(tokens.first(), &["ALTER", "CREATE"]) && found.is_some_and(listed)
}

/// How many words the first statement has.
fn length(tokens: &[TokenWithSpan], routine: bool) -> usize {
    let transaction = is(tokens.first(), &["BEGIN"]) && begins_transaction(tokens.get(1));
    let has_blocks = (routine || is(tokens.first(), BLOCKS)) && !transaction;
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        let after_end = at.checked_sub(1).is_some_and(|before| is(tokens.get(before), &["END"]));
        match word(token).as_deref() {
            _ if token.token == Token::SemiColon && depth == 0 => return at,
            _ if !has_blocks => {}
            Some("BEGIN") if !begins_transaction(next) => depth += 1,
            Some("CASE") if depth > 0 && !after_end => depth += 1,
            Some("END") if !is(next, PARTS) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::GenericDialect;
    use sqlparser::tokenizer::Tokenizer;

    use super::{statements, with_semicolons};

    fn shown(text: &str) -> Vec<String> {
        let text = with_semicolons(text);
        let tokens = Tokenizer::new(&GenericDialect {}, &text).tokenize_with_location();
        let words = |statement: Vec<_>| -> String {
            let words = statement
                .iter()
                .map(|token: &super::TokenWithSpan| token.token.to_string());
            words.collect::<Vec<_>>().join(" ")
        };
        statements(tokens.unwrap()).into_iter().map(words).collect()
    }

    #[test]
    fn a_body_is_part_of_its_statement() {
        for (text, count) in [
            ("a; b;", 2),
            ("BEGIN; a; END;", 3),
            ("BEGIN TRAN; a; COMMIT", 3),
            ("BEGIN a; b; END; c", 2),
            ("IF x BEGIN a; BEGIN b; END; END; c", 2),
            (
                "CREATE TRIGGER t BEGIN IF x THEN a; END IF; SET y = CASE WHEN 1 THEN 2 END; END; c",
                2,
            ),
            ("a\nGO\nb\nGO 5\nc", 3),
            ("CREATE TABLE t (\ngo\nint);", 1),
            ("CREATE PROCEDURE p AS a; DROP TABLE t;\nGO\nb; c", 3),
            (
                "DELIMITER //\nCREATE PROCEDURE p() BEGIN a; b; END//\nDELIMITER ;\nc;",
                2,
            ),
            ("CREATE TABLE t (function int); DROP TABLE t", 2),
        ] {
            assert_eq!(shown(text).len(), count, "{text}: {:?}", shown(text));
        }
    }
}
