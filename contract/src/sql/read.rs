//! From the files of a side to the statements that change a schema.

use std::cmp::Ordering;

use holdpoint_schemas::SourceError;
use sqlparser::ast::Statement;
use sqlparser::dialect::{Dialect, GenericDialect, MsSqlDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer};

use super::apply::apply;
use super::meaning::{self, Done, Meaning};
use super::schema::Schema;
use super::{conditional, domains, sections, split};
use crate::{ContractError, Gap, Sources};

/// Largest side, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// Most statements of a side that change its schema.
const MAX_STATEMENTS: usize = 20_000;
/// Deepest nesting of an expression; the parser is recursive.
const MAX_DEPTH: usize = 40;
/// Most opening brackets in a row of nesting that are read at all.
const MAX_BRACKETS: usize = 200;

/// Most operators of a statement: a chain of them is a tree as deep, which is walked recursively.
const MAX_OPERATORS: usize = 400;
/// Operators that are words.
const OPERATORS: &[&str] = &[
    "AND",
    "AT",
    "BETWEEN",
    "COLLATE",
    "DIV",
    "EXCEPT",
    "ILIKE",
    "IN",
    "INTERSECT",
    "IS",
    "LIKE",
    "MINUS",
    "MOD",
    "NOT",
    "OR",
    "OVERLAPS",
    "REGEXP",
    "RLIKE",
    "SIMILAR",
    "UNION",
    "XOR",
];

/// Reads all files in the order in which migration tools run them, and applies them to an empty database.
pub(super) fn schema(sources: &dyn Sources) -> Result<Schema, ContractError> {
    let mut paths = sources.paths();
    let is_sql = |path: &str| {
        [".sql", ".ddl"]
            .iter()
            .any(|ending| path.to_ascii_lowercase().ends_with(ending))
    };
    paths.retain(|path| is_sql(path));
    if paths.len() > 1 {
        paths.retain(|path| !undoes(path));
    }
    paths.sort_by(|a, b| natural(a, b));
    if paths.is_empty() {
        let error = SourceError::new(".", "there is no SQL");
        return Err(error.help("name a folder that holds `.sql` files").into());
    }
    let mut schema = Schema::default();
    let (mut bytes, mut statements) = (0, 0);
    for path in paths {
        let text = sources.read(&path).map_err(|error| {
            SourceError::new(&path, error.to_string()).help("make the file readable, or leave it out of the folder")
        })?;
        bytes += text.len();
        let text = split::with_semicolons(&sections::forward(text.trim_start_matches('\u{feff}')));
        let read = read(&path, &text)?;
        statements += read.steps.len();
        if bytes > MAX_BYTES || statements > MAX_STATEMENTS {
            let message = format!("the files have more than {MAX_BYTES} bytes or {MAX_STATEMENTS} statements");
            return Err(SourceError::new(&path, message)
                .help("compare one database at a time")
                .into());
        }
        schema.gaps.extend(read.gaps);
        for (line, step) in read.steps {
            match step {
                Step::Run(statement) => apply(&mut schema, &statement, &format!("{path}:{line}")),
                Step::Noted(done) => done.apply(&mut schema.notes),
            }
        }
    }
    domains::resolve(&mut schema);
    Ok(schema)
}

/// Whether a file takes back what another does: `1.down.sql`, `down/1.sql`, Flyway's `U1__name.sql`.
fn undoes(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let flyway = name
        .strip_prefix('U')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let words = [".down.sql", "_down.sql", "/down.sql", ".undo.sql", "rollback.sql"];
    flyway
        || name == "down.sql"
        || words.iter().any(|end| path.ends_with(end))
        || path.split('/').any(|part| part == "down")
}

/// By name, with numbers by their value: `V2` before `V10`.
fn natural(a: &str, b: &str) -> Ordering {
    fn parts(text: &str) -> Vec<(u128, String)> {
        let mut found = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let words = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (word, after) = after.split_at(words);
            // What ends a version comes before what goes on with it: `V2__` before `V2.1__`.
            found.push((number.parse().unwrap_or_default(), word.replace("__", "\u{1}")));
            rest = after;
        }
        found
    }
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

#[derive(Default)]
struct Read {
    steps: Vec<(u64, Step)>,
    gaps: Vec<Gap>,
}

enum Step {
    Run(Box<Statement>),
    Noted(Done),
}

/// Reads a file in the dialect that leaves the fewest statements unread; the likeliest first.
fn read(path: &str, text: &str) -> Result<Read, ContractError> {
    let generic: &dyn Dialect = &GenericDialect {};
    let postgres: &dyn Dialect = &PostgreSqlDialect {};
    let mysql: &dyn Dialect = &MySqlDialect {};
    let dialects: &[&dyn Dialect] = if conditional::is_in(text) {
        // To all others it is a comment.
        &[mysql, generic]
    } else if text.contains('`') {
        &[mysql, generic, postgres, &SQLiteDialect {}, &MsSqlDialect {}]
    } else {
        &[postgres, generic, mysql, &SQLiteDialect {}, &MsSqlDialect {}]
    };
    let places = conditional::places(text);
    let mut best: Option<Read> = None;
    let mut error = None;
    for &dialect in dialects {
        let tokens = match Tokenizer::new(dialect, text).tokenize_with_location() {
            Ok(tokens) => tokens,
            Err(wrong) => {
                error.get_or_insert(wrong);
                continue;
            }
        };
        let read = statements(path, dialect, tokens, &places);
        if read.gaps.is_empty() {
            return Ok(read);
        }
        if best.as_ref().is_none_or(|best| read.gaps.len() < best.gaps.len()) {
            best = Some(read);
        }
    }
    if let Some(best) = best {
        return Ok(best);
    }
    let (message, line, column) = error.map_or_else(
        || ("it is no SQL".to_owned(), 1, 1),
        |error| (error.message, error.location.line, error.location.column),
    );
    let place = |number: u64| usize::try_from(number).unwrap_or(1);
    let found = SourceError::new(path, message).help("expected SQL statements");
    Err(crate::text::at(found, text, place(line), place(column)).into())
}

/// Reads each statement by itself, so that what can't be read of one costs no other.
fn statements(path: &str, dialect: &dyn Dialect, tokens: Vec<TokenWithSpan>, conditional: &[Span]) -> Read {
    let mut read = Read::default();
    for chunk in split::statements(tokens) {
        statement(path, dialect, chunk, conditional, &mut read);
    }
    read
}

fn statement(path: &str, dialect: &dyn Dialect, chunk: Vec<TokenWithSpan>, conditional: &[Span], read: &mut Read) {
    let Some(first) = chunk.first() else { return };
    let line = first.span.start.line;
    let words: Vec<String> = chunk
        .iter()
        .take(4)
        .map(|token| token.token.to_string().to_uppercase())
        .collect();
    let begins = words.first().map_or("", String::as_str);
    // What isn't a statement at all, such as a command of a client, is told.
    if !begins.starts_with(|c: char| c.is_ascii_alphabetic()) && begins != "(" {
        read.gaps.push(gap(path, line, &words));
        return;
    }
    let place = format!("{path}:{line}");
    match meaning::of(&chunk, &place) {
        Meaning::Nothing => return,
        Meaning::Noted(done) => {
            read.steps.push((line, Step::Noted(done)));
            return;
        }
        Meaning::Run => {}
    }
    if depth(&chunk) > MAX_BRACKETS || operators(&chunk) > MAX_OPERATORS {
        read.gaps.push(gap(path, line, &words));
        return;
    }
    let chunk = domains::with_condition(&chunk).unwrap_or(chunk);
    let (conditional, plain) = conditional::parted(&chunk, conditional);
    let mut run = |statement| read.steps.push((line, Step::Run(Box::new(statement))));
    if let Some(statement) = parsed(dialect, chunk) {
        run(statement);
    } else if conditional.is_empty() {
        read.gaps.push(gap(path, line, &words));
    } else {
        if let Some(statement) = parsed(dialect, plain) {
            run(statement);
        }
        let done = Done::text(&conditional, "", &place);
        read.steps.push((line, Step::Noted(done)));
    }
}

fn parsed(dialect: &dyn Dialect, chunk: Vec<TokenWithSpan>) -> Option<Statement> {
    let mut parser = Parser::new(dialect)
        .with_recursion_limit(MAX_DEPTH)
        .with_tokens_with_locations(chunk);
    let statement = parser.parse_statement().ok()?;
    (parser.peek_token().token == Token::EOF).then_some(statement)
}

fn gap(path: &str, line: u64, words: &[String]) -> Gap {
    Gap {
        place: format!("{path}:{line}"),
        text: format!(
            "the statement `{} …` isn't understood",
            words.join(" ").chars().take(80).collect::<String>()
        ),
    }
}

/// How many operators there are. `NOT NULL` of a column is none.
fn operators(chunk: &[TokenWithSpan]) -> usize {
    let is_null = |token: &TokenWithSpan| token.token.to_string().eq_ignore_ascii_case("NULL");
    let operator = |(token, next): (&TokenWithSpan, Option<&TokenWithSpan>)| match &token.token {
        Token::Word(word) => {
            let listed = OPERATORS.iter().any(|known| word.value.eq_ignore_ascii_case(known));
            listed && !(word.value.eq_ignore_ascii_case("NOT") && next.is_some_and(is_null))
        }
        Token::Number(..) | Token::Char(_) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => false,
        Token::DollarQuotedString(_) | Token::NationalStringLiteral(_) | Token::EscapedStringLiteral(_) => false,
        Token::Comma | Token::LParen | Token::RParen | Token::Period => false,
        _ => true,
    };
    let nexts = chunk.iter().skip(1).map(Some).chain(std::iter::once(None));
    chunk.iter().zip(nexts).filter(|pair| operator(*pair)).count()
}

/// Deepest nesting of brackets.
fn depth(chunk: &[TokenWithSpan]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for token in chunk {
        match token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_run_in_the_order_of_their_numbers_and_undoing_ones_do_not() {
        let mut names = vec!["V10__b.sql", "V2__a.sql", "V2.1__c.sql"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["V2__a.sql", "V2.1__c.sql", "V10__b.sql"]);
        for path in ["1.down.sql", "down/1.sql", "U1__a.sql", "x/1_a/down.sql"] {
            assert!(undoes(path), "{path}");
        }
        for path in ["1.up.sql", "V1__down_payment.sql", "Users.sql", "x/1_a/up.sql"] {
            assert!(!undoes(path), "{path}");
        }
    }
}
