//! A file as the kinds of openings see it.

use crate::code::{Code, Kind, Lang, Token};

/// Longest list in brackets that is looked through, in tokens.
const MAX_LIST: usize = 500;

/// A changed file.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// Path relative to the repo.
    pub(super) path: &'a str,
    /// Its text.
    pub(super) text: &'a str,
    /// Its statements, unless it is so large that a machine must have written it.
    pub(super) code: Option<Code<'a>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        Self {
            path,
            text,
            code: Code::of(text, Lang::of(path)),
        }
    }

    /// The file's name, in lower case.
    pub(super) fn name(&self) -> String {
        self.path.rsplit('/').next().unwrap_or(self.path).to_ascii_lowercase()
    }

    /// Whether the file's name ends so.
    pub(super) fn ends_with(&self, endings: &[&str]) -> bool {
        let name = self.name();
        endings.iter().any(|ending| name.ends_with(ending))
    }

    /// Whether it is a test, which nobody reaches from outside.
    pub(super) fn is_test(&self) -> bool {
        let path = self.path.to_ascii_lowercase();
        let name = self.name();
        path.split('/')
            .rev()
            .skip(1)
            .any(|folder| matches!(folder, "test" | "tests" | "__tests__" | "spec" | "specs"))
            || name.starts_with("test_")
            || ["_test.", ".test.", ".spec.", "_spec."]
                .iter()
                .any(|part| name.contains(part))
    }

    /// Its tokens, with statement ends as they are in it.
    pub(super) fn tokens(&self) -> Vec<Token<'a>> {
        self.code
            .iter()
            .flat_map(|code| &code.parts)
            .map(|part| part.token)
            .collect()
    }

    /// Its statements.
    pub(super) fn statements(&self) -> Vec<Vec<Token<'a>>> {
        let statement = |parts: &[crate::code::Part<'a>]| parts.iter().map(|part| part.token).collect();
        self.code
            .iter()
            .flat_map(|code| code.statements().map(statement))
            .collect()
    }

    /// Its lines that aren't empty or comments, numbered from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u32, &'a str)> {
        (1..).zip(self.text.lines()).filter(|(_, line)| {
            let line = line.trim_start();
            !line.is_empty() && !line.starts_with('#') && !line.starts_with("//")
        })
    }
}

/// Tokens as one text, in which only words are kept apart.
pub(super) fn joined(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in tokens {
        let word = token.kind == Kind::Word;
        if word && text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
            text.push(' ');
        }
        match token.kind {
            Kind::Text => {
                text.push('"');
                text.push_str(token.text);
                text.push('"');
            }
            Kind::Word | Kind::Mark => text.push_str(token.text),
        }
    }
    text
}

/// The dotted name that ends at this token, such as `app.router.get`.
pub(super) fn dotted(tokens: &[Token<'_>], end: usize) -> String {
    let mut start = end;
    while start >= 2
        && tokens
            .get(start - 1)
            .is_some_and(|token| token.is(".") || token.is(":"))
        && tokens
            .get(start - 2)
            .is_some_and(|token| token.kind == Kind::Word || token.is(":"))
    {
        start -= if tokens.get(start - 2).is_some_and(|token| token.is(":")) && start >= 3 {
            3
        } else {
            2
        };
    }
    tokens
        .get(start..=end)
        .map(|name| name.iter().map(|token| token.text).collect())
        .unwrap_or_default()
}

/// The index after the bracket that closes the one at `open`.
pub(super) fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open).take(MAX_LIST) {
        if token.kind == Kind::Mark {
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return index + 1;
                    }
                }
                _ => {}
            }
        }
    }
    tokens.len().min(open + MAX_LIST)
}

/// A block of HCL with its own attributes.
#[derive(Debug)]
pub(super) struct Block<'a> {
    /// Headers of the blocks around it and its own, joined by ` > `.
    pub(super) chain: String,
    /// Name, value and line of each attribute.
    pub(super) attributes: Vec<(&'a str, Vec<Token<'a>>, u32)>,
}

impl Block<'_> {
    /// An attribute's value as text, white space aside.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let attribute = self.attributes.iter().find(|(own, ..)| *own == name);
        attribute.map(|(_, value, _)| joined(value))
    }
}

/// The blocks of a Terraform file.
pub(super) fn blocks<'a>(source: &Source<'a>) -> Vec<Block<'a>> {
    if !source.ends_with(&[".tf", ".hcl", ".tfvars"]) {
        return Vec::new();
    }
    let mut done = Vec::new();
    let mut open: Vec<Block<'a>> = Vec::new();
    for statement in source.statements() {
        let statement = match statement.split_first() {
            Some((first, rest)) if first.is("}") => {
                done.extend(open.pop());
                rest
            }
            _ => statement.as_slice(),
        };
        match statement {
            [header @ .., last] if last.is("{") => {
                let mut chain = open.last().map_or(String::new(), |outer| format!("{} > ", outer.chain));
                chain.push_str(&header.iter().map(|token| token.text).collect::<Vec<_>>().join(" "));
                let attributes = Vec::new();
                open.push(Block { chain, attributes });
            }
            [name, equals, value @ ..] if equals.is("=") => {
                if open.is_empty() {
                    let chain = String::new();
                    let attributes = Vec::new();
                    open.push(Block { chain, attributes });
                }
                if let Some(block) = open.last_mut() {
                    block.attributes.push((name.text, value.to_vec(), name.line));
                }
            }
            _ => {}
        }
    }
    done.extend(open);
    done
}
