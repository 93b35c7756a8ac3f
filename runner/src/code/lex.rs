//! Text into tokens.

use super::Lang;

/// Nested templates that are followed; deeper ones end early, which only makes code look changed.
const MAX_TEMPLATE_DEPTH: usize = 8;

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A name, a keyword, a number.
    Word,
    /// A string; its text is what is between the quotes, whatever these are.
    Text,
    /// One character of punctuation.
    Mark,
}

/// A token. Comments and white space are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// Kind.
    pub(crate) kind: Kind,
    /// Text.
    pub(crate) text: &'a str,
    /// Line of its start, 1-based.
    pub(crate) line: u32,
    /// Line of its end.
    pub(crate) end_line: u32,
    /// Bytes from the start of its line.
    pub(crate) column: usize,
    /// Whether something other than a token stands before it.
    pub(crate) spaced: bool,
    /// Whether a backslash joins its line to the one before.
    pub(crate) joined: bool,
}

impl Token<'_> {
    /// Whether it is this mark.
    pub(crate) fn is(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    /// Whether it is this word.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

/// The tokens of a text. Total: any text has tokens.
pub(crate) fn lex(text: &str, lang: Lang) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        text,
        lang,
        at: 0,
        line: 1,
        line_start: 0,
        tokens: Vec::new(),
    };
    lexer.run();
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    lang: Lang,
    at: usize,
    line: u32,
    line_start: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn run(&mut self) {
        let (mut spaced, mut joined) = (true, false);
        while let Some(first) = self.rest().chars().next() {
            let rest = self.rest();
            if first.is_whitespace() || first == '\u{feff}' {
                self.advance(first.len_utf8());
            } else if first == '\\' && matches!(rest.as_bytes().get(1), Some(b'\n' | b'\r')) {
                joined = true;
                self.advance(1);
            } else if let Some(length) = self.comment(rest) {
                self.advance(length);
            } else {
                let (kind, length, inner) = self.token(first, rest);
                let (line, column) = (self.line, self.at.saturating_sub(self.line_start));
                self.advance(length);
                self.tokens.push(Token {
                    kind,
                    text: inner,
                    line,
                    end_line: self.line,
                    column,
                    spaced,
                    joined,
                });
                (spaced, joined) = (false, false);
                continue;
            }
            spaced = true;
        }
    }

    fn advance(&mut self, length: usize) {
        let end = self.at.saturating_add(length);
        for (offset, _) in self.rest().get(..length).unwrap_or_default().match_indices('\n') {
            self.line = self.line.saturating_add(1);
            self.line_start = self.at + offset + 1;
        }
        self.at = end;
    }

    /// Bytes of the comment that starts here.
    fn comment(&self, rest: &str) -> Option<usize> {
        let word_goes_on = || {
            let before = self.text.get(..self.at).and_then(|text| text.chars().next_back());
            before.is_some_and(|before| !before.is_whitespace())
        };
        for start in self.lang.line_comments {
            if rest.starts_with(start) && !(self.lang.hash_at_word && word_goes_on()) {
                return Some(rest.find('\n').unwrap_or(rest.len()));
            }
        }
        let (start, end) = self.lang.block_comment?;
        let inner = rest.strip_prefix(start)?;
        Some(inner.find(end).map_or(rest.len(), |at| start.len() + at + end.len()))
    }

    /// Kind, bytes and text of the token that starts here.
    fn token(&self, first: char, rest: &'a str) -> (Kind, usize, &'a str) {
        if self.lang.quotes.contains(first) {
            let (length, open) = self.string(first, rest);
            let inner = rest
                .get(open..length.saturating_sub(open))
                .unwrap_or_else(|| rest.get(open..length).unwrap_or_default());
            return (Kind::Text, length, inner);
        }
        if first == '/'
            && self.lang.regex
            && self.regex_may_start()
            && let Some(length) = regex_length(rest)
        {
            return (Kind::Text, length, rest.get(..length).unwrap_or_default());
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let (kind, length) = if is_word(first) {
            (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len()))
        } else {
            (Kind::Mark, first.len_utf8())
        };
        (kind, length, rest.get(..length).unwrap_or_default())
    }

    /// Bytes of the string that starts here, and of its opening quotes. One that isn't closed ends with its line.
    fn string(&self, quote: char, rest: &str) -> (usize, usize) {
        if self.lang.triple {
            let three = [quote; 3].iter().collect::<String>();
            if let Some(inner) = rest.strip_prefix(&three) {
                let end = unescaped(inner, &three).unwrap_or(inner.len());
                return ((3 + end + 3).min(rest.len()), 3);
            }
        }
        if quote == '`' {
            return (template_length(rest, 0), 1);
        }
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                '\n' if !escaped => return (at, 1),
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => return (at + 1, 1),
                _ => {}
            }
        }
        (rest.len(), 1)
    }

    /// Whether a `/` here starts a regular expression: after a value it divides.
    fn regex_may_start(&self) -> bool {
        self.tokens.last().is_none_or(|last| match last.kind {
            Kind::Mark => !matches!(last.text, ")" | "]" | "}"),
            Kind::Word => matches!(
                last.text,
                "return" | "typeof" | "case" | "in" | "of" | "delete" | "void" | "await"
            ),
            Kind::Text => false,
        })
    }
}

fn unescaped(text: &str, end: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = from + rest.find(end)?;
        let slashes = text.get(..at)?.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if slashes % 2 == 0 {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Bytes of a template literal (ECMAScript §12.9.6), its substitutions included.
fn template_length(text: &str, depth: usize) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    let mut braces = 0_usize;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '`' if braces == 0 => return at + 1,
            '`' if depth < MAX_TEMPLATE_DEPTH => {
                let end = at + template_length(text.get(at..).unwrap_or_default(), depth + 1);
                while chars.next_if(|(next, _)| *next < end).is_some() {}
            }
            '$' if braces == 0 && chars.next_if(|(_, next)| *next == '{').is_some() => braces = 1,
            '{' if braces > 0 => braces += 1,
            '}' if braces > 0 => braces -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of a regular expression's literal on this line; `None` if it isn't closed there.
fn regex_length(text: &str) -> Option<usize> {
    let (mut class, mut escaped) = (false, false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '/' if !class => return Some(at + 1),
            _ => {}
        }
    }
    None
}
