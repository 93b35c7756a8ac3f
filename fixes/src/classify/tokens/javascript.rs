//! JavaScript and TypeScript (ECMA-262 §12): line ends count where a semicolon could be inserted.
//! JSX, whose texts are made of white space too, isn't read.

use super::scan::quoted;
use super::{Ambiguous, Kind, Language, Program, Token};

pub(super) const LANGUAGE: Language = Language {
    endings: &["js", "mjs", "cjs", "ts", "mts", "cts"],
    line_comments: &["//"],
    block_comments: Some(false),
    operators: &[
        ">>>=", "===", "!==", "**=", "<<=", ">>=", ">>>", "...", "&&=", "||=", "??=", "=>", "==", "!=", "<=", ">=",
        "&&", "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "**",
    ],
    literal,
    layout,
};

/// Keywords after which a slash opens a pattern.
const BEFORE_PATTERN: [&str; 16] = [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "delete",
    "void",
    "throw",
    "new",
    "instanceof",
    "else",
    "do",
    "yield",
    "await",
    "default",
    "extends",
];
/// Words after which a line end is never without meaning.
const RESTRICTED: [&str; 16] = [
    "return", "throw", "break", "continue", "yield", "async", "await", "let", "static", "get", "set", "type",
    "declare", "abstract", "accessor", "using",
];

fn literal(rest: &str, previous: Option<&Token>) -> Result<Option<usize>, Ambiguous> {
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(rest, &quote.to_string(), false).map(Some).ok_or(Ambiguous),
        Some('`') => {
            let length = quoted(rest, "`", true).ok_or(Ambiguous)?;
            // Code between braces can hold the end of the template, or hide it.
            let fields = rest.get(..length).unwrap_or_default().split("${").skip(1);
            for field in fields {
                let (code, _) = field.split_once('}').ok_or(Ambiguous)?;
                if code.contains(['{', '`', '"', '\'', '/', '\\']) {
                    return Err(Ambiguous);
                }
            }
            Ok(Some(length))
        }
        Some('/') => pattern(rest, previous),
        // JSX, HTML comments, and escapes within names.
        Some('<') if rest.starts_with("</") || rest.starts_with("<>") || rest.starts_with("<!--") => Err(Ambiguous),
        Some('-') if rest.starts_with("-->") => Err(Ambiguous),
        Some('\\') => Err(Ambiguous),
        _ => Ok(None),
    }
}

/// A slash: division, or a pattern where no operand came before.
fn pattern(rest: &str, previous: Option<&Token>) -> Result<Option<usize>, Ambiguous> {
    if rest.starts_with("/>") {
        return Err(Ambiguous);
    }
    let line = rest.lines().next().unwrap_or_default();
    let again = line.get(1..).is_some_and(|rest| rest.contains('/'));
    match previous {
        Some(token) if token.kind == Kind::Text => return Ok(None),
        Some(token) if token.kind == Kind::Word && !BEFORE_PATTERN.contains(&token.text.as_str()) => return Ok(None),
        Some(token) if matches!(token.text.as_str(), ")" | "}" | "]" | "++" | "--") => {
            // After a condition or a block it could be either.
            return if again { Err(Ambiguous) } else { Ok(None) };
        }
        _ => {}
    }
    let (mut escaped, mut in_class) = (false, false);
    for (at, c) in line.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => {
                let flags = line.get(at + 1..).unwrap_or_default();
                let end = flags.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(flags.len());
                return Ok(Some(at + 1 + end));
            }
            _ => {}
        }
    }
    Err(Ambiguous)
}

fn layout(program: Program, _: &str) -> Option<Program> {
    let mut done = Program {
        tokens: Vec::new(),
        comments: program.comments,
        blank: program.blank,
    };
    let mut places = Vec::with_capacity(program.tokens.len());
    let mut open: Vec<String> = Vec::new();
    let mut previous: Option<(Token, u32)> = None;
    for token in program.tokens {
        let text = token.text.as_str();
        if let Some((before, end)) = &previous
            && token.line != *end
            && line_end_counts(before, &token, open.last().map(String::as_str))
        {
            let newline = Token {
                kind: Kind::Layout,
                text: "\n".to_owned(),
                line: *end,
                column: 0,
            };
            done.tokens.push(newline);
        }
        if token.kind == Kind::Mark {
            match text {
                "(" | "[" | "{" => open.push(text.to_owned()),
                ")" | "]" | "}" => {
                    let opening = open.pop()?;
                    if !matches!((opening.as_str(), text), ("(", ")") | ("[", "]") | ("{", "}")) {
                        return None;
                    }
                }
                _ => {}
            }
        }
        let end = token.line + u32::try_from(token.text.matches('\n').count()).ok()?;
        previous = Some((token.clone(), end));
        places.push(done.tokens.len());
        done.tokens.push(token);
    }
    let end = done.tokens.len();
    for comment in &mut done.comments {
        comment.at = places.get(comment.at).copied().unwrap_or(end);
    }
    open.is_empty()
        .then(|| done.without_last_commas(|_, _| false).with_one_quote())
}

/// Whether a line end between two tokens may change how they are read.
fn line_end_counts(before: &Token, after: &Token, bracket: Option<&str>) -> bool {
    let is_word = before.kind == Kind::Word;
    if (is_word && RESTRICTED.contains(&before.text.as_str())) || matches!(after.text.as_str(), "++" | "--" | "=>") {
        return true;
    }
    if matches!(bracket, Some("(" | "[")) || matches!(after.text.as_str(), "else" | "catch" | "finally") {
        return false;
    }
    let ends = before.kind != Kind::Mark || matches!(before.text.as_str(), ")" | "]" | "}" | "++" | "--" | "!");
    let starts = after.kind != Kind::Mark || matches!(after.text.as_str(), "!" | "~" | "@" | "#");
    ends && starts
}
