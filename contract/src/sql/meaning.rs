//! What a statement is for, told from its words: it is run on the schema, it changes nothing that clients see, or it is
//! noted by its text.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::notes::{Note, Notes};
use super::split::{begins_transaction, word};

/// How far behind `CREATE` the kind of object stands at most.
const MAX_HEAD: usize = 14;

/// What is done with a statement.
#[derive(Debug)]
pub(super) enum Meaning {
    /// It changes nothing that clients rely on.
    Nothing,
    /// It is read and run.
    Run,
    Noted(Done),
}

/// What happened to an object whose state isn't kept.
#[derive(Debug)]
pub(super) struct Done {
    /// The object: its kind and its name.
    key: String,
    note: Note,
    how: How,
}

#[derive(Debug)]
enum How {
    Push,
    Change,
    /// It holds until another says otherwise.
    Switch,
    Replace,
    /// It takes the object away.
    Drop {
        if_exists: bool,
    },
}

/// First words of statements that change data, or nothing.
const NOTHING: &[&str] = &[
    "ANALYZE",
    "CHECKPOINT",
    "COMMENT",
    "COMMIT",
    "DECLARE",
    "DELETE",
    "EXPLAIN",
    "INSERT",
    "LOCK",
    "MERGE",
    "PRAGMA",
    "PRINT",
    "RAISERROR",
    "REINDEX",
    "RELEASE",
    "REPLACE",
    "SAVEPOINT",
    "SET",
    "SHOW",
    "START",
    "TRUNCATE",
    "UNLOCK",
    "UPDATE",
    "VACUUM",
];
/// First words of statements that run code, or undo what was done.
const CODE: &[&str] = &[
    "CALL", "ELSE", "EXEC", "EXECUTE", "FOR", "IF", "LOOP", "ROLLBACK", "WHILE",
];
/// Words that, outside of brackets, make more of a statement that seemed to change nothing: where no semicolon stands
/// between two statements, they are one here.
const CHANGES: &[&str] = &["ALTER", "CREATE", "DROP", "EXEC", "EXECUTE"];

/// Objects that aren't kept: whether a new one alone harms no one, and whether it belongs to the table behind `ON`.
#[rustfmt::skip]
const OBJECTS: &[(&str, bool, bool)] = &[
    ("ACCESS", true, false), ("AGGREGATE", true, false), ("CAST", false, false), ("COLLATION", true, false),
    ("CONVERSION", false, false), ("DEFAULT", false, false), ("EVENT", false, false), ("EXTENSION", true, false),
    ("FUNCTION", true, false), ("GROUP", true, false), ("LANGUAGE", true, false), ("LARGE", false, false),
    ("OPERATOR", false, false), ("PACKAGE", true, false), ("POLICY", false, true), ("PROC", true, false),
    ("PROCEDURE", true, false), ("PUBLICATION", true, false), ("ROLE", true, false), ("RULE", false, true),
    ("SEQUENCE", true, false), ("SERVER", true, false), ("SUBSCRIPTION", false, false), ("SYNONYM", true, false),
    ("TEXT", true, false), ("TRIGGER", false, true), ("TRUSTED", true, false), ("USER", true, false),
];
/// Objects that clients don't see.
const UNSEEN: &[&str] = &["STATISTICS", "TABLESPACE"];
/// Objects that are kept.
const KEPT: &[&str] = &[
    "DATABASE",
    "DOMAIN",
    "INDEX",
    "MATERIALIZED",
    "SCHEMA",
    "TABLE",
    "TYPE",
    "VIEW",
];

/// Functions that a query may call without a change to any table, and words that stand before brackets.
#[rustfmt::skip]
const CALLS: &[&str] = &[
    "ABS", "ALL", "AND", "ANY", "AS", "AVG", "BY", "CAST", "COALESCE", "CONCAT", "CONVERT", "COUNT", "CURRVAL", "DATE",
    "DISTINCT", "ELSE", "EXCEPT", "EXISTS", "EXTRACT", "FROM", "GREATEST", "HAVING", "IFNULL", "IN", "INTERSECT",
    "ISNULL", "JOIN", "LASTVAL", "LEAST", "LENGTH", "LOWER", "MAX", "MIN", "NEXTVAL", "NOT", "NOW", "NULLIF",
    "OBJECT_ID", "ON", "OR", "OVER", "PG_GET_SERIAL_SEQUENCE", "REPLACE", "ROUND", "ROW_NUMBER", "SELECT",
    "SET_CONFIG", "SETVAL", "SUBSTRING", "SUM", "THEN", "TRIM", "UNION", "UPPER", "USING", "VALUES", "VERSION", "WHEN",
    "WHERE",
];

impl Done {
    /// A statement of which only the text is kept.
    pub(super) fn text(tokens: &[TokenWithSpan], key: &str, place: &str) -> Self {
        Self {
            key: key.to_owned(),
            note: Note {
                text: text(tokens),
                place: place.to_owned(),
                table: None,
                adds: false,
            },
            how: How::Push,
        }
    }

    pub(super) fn apply(self, notes: &mut Notes) {
        match self.how {
            How::Push => notes.push(&self.key, self.note),
            How::Change => notes.change(&self.key, self.note),
            How::Switch => notes.switch(&self.key, self.note),
            How::Replace => notes.replace(&self.key, self.note),
            How::Drop { if_exists } => {
                if !notes.drop(&self.key) && !if_exists {
                    notes.push(&self.key, self.note);
                }
            }
        }
    }
}

/// What the statement is for; `place` is where it stands.
pub(super) fn of(tokens: &[TokenWithSpan], place: &str) -> Meaning {
    let Some(first) = tokens.first().and_then(word) else {
        return Meaning::Run;
    };
    let second = tokens.get(1).and_then(word).unwrap_or_default();
    let code = || Meaning::Noted(Done::text(tokens, "", place));
    let begin = first == "BEGIN" || first == "END";
    match first.as_str() {
        "GRANT" | "REVOKE" => Meaning::Noted(right(tokens, place, first == "GRANT")),
        "CREATE" | "ALTER" | "DROP" => object(tokens, place, &first),
        "USE" => switch(tokens, "use", place),
        "SET" if second == "SEARCH_PATH" || second == "SCHEMA" || is_word(tokens.get(2), "SEARCH_PATH") => {
            switch(tokens, "search_path", place)
        }
        "SELECT" | "WITH" if calls(tokens) || changes(tokens) => code(),
        "SELECT" | "WITH" => Meaning::Nothing,
        _ if begin && !begins_transaction(tokens.get(1)) => code(),
        _ if (begin || NOTHING.contains(&first.as_str())) && !changes(tokens) => Meaning::Nothing,
        _ if begin || NOTHING.contains(&first.as_str()) || CODE.contains(&first.as_str()) => code(),
        _ => Meaning::Run,
    }
}

fn is_word(token: Option<&TokenWithSpan>, wanted: &str) -> bool {
    token.and_then(word).is_some_and(|word| word == wanted)
}

fn switch(tokens: &[TokenWithSpan], key: &str, place: &str) -> Meaning {
    let mut done = Done::text(tokens, key, place);
    done.how = How::Switch;
    Meaning::Noted(done)
}

/// Whether another statement stands in this one, with no semicolon before it.
fn changes(tokens: &[TokenWithSpan]) -> bool {
    let mut depth = 0_usize;
    tokens.iter().any(|token| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && word(token).is_some_and(|word| CHANGES.contains(&word.as_str()))
    })
}

/// Whether a query calls a function that may do anything, or makes a table.
fn calls(tokens: &[TokenWithSpan]) -> bool {
    let writes = is_word(tokens.first(), "WITH")
        && tokens
            .iter()
            .filter_map(word)
            .any(|word| ["INSERT", "UPDATE", "DELETE", "MERGE"].contains(&word.as_str()));
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    let mut called = pairs.filter(|(_, next)| next.token == Token::LParen);
    let unknown = |token: &TokenWithSpan| match &token.token {
        Token::Word(word) => !CALLS.contains(&word.value.to_uppercase().as_str()),
        _ => false,
    };
    !writes && (called.any(|(token, _)| unknown(token)) || tokens.iter().any(|token| is_word(Some(token), "INTO")))
}

/// A statement in one layout: words that aren't quoted in lower case.
fn text(tokens: &[TokenWithSpan]) -> String {
    let words = tokens.iter().map(|token| match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
        other => other.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The name that begins here, and how many words it has.
fn name(tokens: &[TokenWithSpan]) -> (String, usize) {
    let mut found = String::new();
    let mut length = 0;
    for token in tokens {
        match &token.token {
            Token::Word(word) if found.is_empty() || found.ends_with('.') => match word.quote_style {
                Some('"') => found.push_str(&word.value),
                _ => found.push_str(&word.value.to_lowercase()),
            },
            Token::Period if !found.is_empty() => found.push('.'),
            _ => break,
        }
        length += 1;
    }
    let meant = found.strip_prefix("public.").or_else(|| found.strip_prefix("dbo."));
    (meant.map(str::to_owned).unwrap_or(found), length)
}

/// The name behind the first such word outside of brackets.
fn name_behind(tokens: &[TokenWithSpan], wanted: &str) -> Option<String> {
    let at = tokens.iter().position(|token| is_word(Some(token), wanted))?;
    let rest = tokens.get(at + 1..)?;
    let skipped = rest
        .iter()
        .take_while(|token| is_word(Some(token), "TABLE") || is_word(Some(token), "ONLY"))
        .count();
    Some(name(rest.get(skipped..)?).0).filter(|name| !name.is_empty())
}

fn right(tokens: &[TokenWithSpan], place: &str, grants: bool) -> Done {
    let table = name_behind(tokens, "ON");
    let mut done = Done::text(tokens, "", place);
    done.key = format!("right {}", table.clone().unwrap_or_default());
    (done.note.table, done.note.adds) = (table, grants);
    done
}

/// A statement that makes, changes or takes away an object.
fn object(tokens: &[TokenWithSpan], place: &str, verb: &str) -> Meaning {
    // For the tools that load data: `ALTER TABLE t DISABLE KEYS`.
    let indexes_rest = is_word(tokens.get(3), "DISABLE") || is_word(tokens.get(3), "ENABLE");
    if indexes_rest && is_word(tokens.get(4), "KEYS") && tokens.len() == 5 {
        return Meaning::Nothing;
    }
    if verb == "ALTER" && gives_to_owner(tokens) {
        return Meaning::Nothing;
    }
    let head = tokens.iter().enumerate().take(MAX_HEAD).skip(1);
    let mut kinds = head.filter_map(|(at, token)| Some((at, word(token)?)));
    let kind = kinds.find_map(|(at, word)| {
        let listed = OBJECTS.iter().find(|(kind, ..)| *kind == word);
        let ends = KEPT.contains(&word.as_str()) || UNSEEN.contains(&word.as_str());
        (ends || listed.is_some()).then_some((at, word, listed))
    });
    let (at, (kind, adds, on_table)) = match kind {
        Some((_, word, _)) if UNSEEN.contains(&word.as_str()) => return Meaning::Nothing,
        Some((at, _, Some(listed))) => (at, *listed),
        _ => return Meaning::Run,
    };
    let rest = tokens.get(at + 1..).unwrap_or(&[]);
    let says = |wanted: &str| rest.iter().any(|token| is_word(Some(token), wanted));
    let skipped = ["IF", "NOT", "EXISTS", "TRIGGER", "SEARCH", "DATA", "WRAPPER", "BODY"];
    let before = rest
        .iter()
        .take_while(|token| word(token).is_some_and(|word| skipped.contains(&word.as_str())))
        .count();
    let if_exists = is_word(rest.first(), "IF") && !is_word(rest.get(1), "NOT");
    let rest = rest.get(before..).unwrap_or(&[]);
    let (object, length) = name(rest);
    let table = on_table.then(|| name_behind(rest, "ON")).flatten();
    let kind = if kind == "PROC" { "PROCEDURE" } else { kind };
    let mut key = format!("{kind} {object}").to_lowercase();
    if let Some(table) = &table {
        key.push_str(&format!(" on {table}"));
    } else if let Some(parameters) = parameters(rest.get(length..).unwrap_or(&[])) {
        key.push_str(&parameters);
    }
    let mut done = Done::text(tokens, &key, place);
    let replaces = is_word(tokens.get(1), "OR");
    (done.note.table, done.note.adds) = (table, adds && verb == "CREATE" && !says("REPLACE"));
    done.how = match verb {
        // What depends on it goes with it, whatever that is.
        "DROP" if says("CASCADE") => {
            done.key = String::new();
            How::Push
        }
        "DROP" => How::Drop { if_exists },
        "CREATE" if replaces => How::Replace,
        "CREATE" => How::Push,
        _ => How::Change,
    };
    Meaning::Noted(done)
}

/// `ALTER … OWNER TO a`; of a table, it may be one change of many.
fn gives_to_owner(tokens: &[TokenWithSpan]) -> bool {
    let last = tokens.len().checked_sub(3).and_then(|from| tokens.get(from..));
    let owner = last.is_some_and(|last| is_word(last.first(), "OWNER") && is_word(last.get(1), "TO"));
    owner && !is_word(tokens.get(1), "TABLE")
}

/// The brackets behind the name of a function, which make it another than those of the same name.
fn parameters(tokens: &[TokenWithSpan]) -> Option<String> {
    if tokens.first().map(|token| &token.token) != Some(&Token::LParen) {
        return None;
    }
    let mut depth = 0_usize;
    let ends = |token: &TokenWithSpan| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    };
    let end = tokens.iter().position(ends)?;
    tokens.get(..=end).map(text)
}
