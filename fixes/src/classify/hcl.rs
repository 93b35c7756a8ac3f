//! Just enough of HCL (HashiCorp's native syntax, spec of hcl 2) to compare two Terraform files:
//! blocks, labels, attributes; expressions stay rows of tokens. What can't be read is an error.

use std::collections::BTreeMap;

/// Deepest nesting of blocks.
const MAX_DEPTH: usize = 32;
/// Most tokens of a file.
const MAX_TOKENS: usize = 500_000;

/// What stands between the braces of a block, or in the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    /// Attributes: name to the tokens of its expression.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Blocks, in order.
    pub blocks: Vec<Block>,
}

/// `kind "label" … { body }`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub kind: String,
    pub labels: Vec<String>,
    pub body: Body,
}

/// Reads a file; `None` when it isn't understood.
pub(super) fn parse(text: &str) -> Option<Body> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let body = parser.body(0)?;
    (parser.at == tokens.len()).then_some(body)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// A quoted text without its quotes, templates included.
    Text(String),
    Heredoc(String),
    Mark(char),
    Newline,
}

impl Token {
    fn raw(&self) -> String {
        match self {
            Self::Word(text) => text.clone(),
            Self::Text(text) => format!("\"{text}\""),
            Self::Heredoc(text) => format!("<<{text}"),
            Self::Mark(mark) => mark.to_string(),
            Self::Newline => "\n".to_owned(),
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn body(&mut self, depth: usize) -> Option<Body> {
        let mut body = Body::default();
        loop {
            match self.peek() {
                Some(Token::Newline) => self.at += 1,
                None | Some(Token::Mark('}')) => return Some(body),
                Some(Token::Word(_)) => self.item(&mut body, depth)?,
                Some(_) => return None,
            }
        }
    }

    fn item(&mut self, body: &mut Body, depth: usize) -> Option<()> {
        let Some(Token::Word(name)) = self.next() else {
            return None;
        };
        if self.peek() == Some(&Token::Mark('=')) {
            self.at += 1;
            let expression = self.expression()?;
            return body.attributes.insert(name, expression).is_none().then_some(());
        }
        let mut labels = Vec::new();
        loop {
            match self.next()? {
                Token::Word(label) | Token::Text(label) => labels.push(label),
                Token::Mark('{') => break,
                _ => return None,
            }
        }
        if depth >= MAX_DEPTH {
            return None;
        }
        let inner = self.body(depth + 1)?;
        if self.next()? != Token::Mark('}') {
            return None;
        }
        body.blocks.push(Block {
            kind: name,
            labels,
            body: inner,
        });
        Some(())
    }

    /// Tokens up to the end of the line; brackets may span lines.
    fn expression(&mut self) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let mut open = Vec::new();
        while let Some(token) = self.peek() {
            match token {
                Token::Newline if open.is_empty() => break,
                Token::Mark('}') if open.is_empty() => break,
                Token::Mark(mark @ ('(' | '[' | '{')) => open.push(*mark),
                Token::Mark(mark @ (')' | ']' | '}')) => {
                    let fits = matches!((open.pop()?, mark), ('(', ')') | ('[', ']') | ('{', '}'));
                    if !fits {
                        return None;
                    }
                }
                _ => {}
            }
            found.push(token.raw());
            self.at += 1;
        }
        (open.is_empty() && !found.is_empty()).then_some(found)
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while let Some(first) = rest.chars().next() {
        if found.len() >= MAX_TOKENS {
            return None;
        }
        let after = rest.get(first.len_utf8()..)?;
        rest = match first {
            '\n' => {
                found.push(Token::Newline);
                after
            }
            ' ' | '\t' | '\r' => after,
            '#' => line_end(after),
            '/' if after.starts_with('/') => line_end(after),
            '/' if after.starts_with('*') => after.get(1..)?.split_once("*/")?.1,
            '"' => {
                let end = text_end(after)?;
                found.push(Token::Text(after.get(..end)?.to_owned()));
                after.get(end + 1..)?
            }
            '<' if after.starts_with('<') => {
                let (heredoc, after) = heredoc(after.get(1..)?)?;
                found.push(Token::Heredoc(heredoc));
                after
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest
                    .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
                    .unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                found.push(Token::Word(word.to_owned()));
                after
            }
            c if c.is_ascii_punctuation() && !matches!(c, '\'' | '`' | '\\' | '@' | '$' | ';' | '^' | '~') => {
                found.push(Token::Mark(c));
                after
            }
            _ => return None,
        };
    }
    Some(found)
}

fn line_end(text: &str) -> &str {
    text.find('\n').and_then(|at| text.get(at..)).unwrap_or_default()
}

/// Where the closing quote is; templates (`${…}`, `%{…}`) may hold quoted texts of their own.
fn text_end(text: &str) -> Option<usize> {
    // For each open template the number of its open braces; a text is open below each of them.
    let mut templates: Vec<usize> = Vec::new();
    let mut in_text = true;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (c, in_text) {
            ('\n', _) => return None,
            ('\\', true) => {
                chars.next();
            }
            ('$' | '%', true) => {
                let doubled = chars.next_if(|(_, next)| *next == c).is_some();
                let opens = chars.next_if(|(_, next)| *next == '{').is_some();
                if opens && !doubled {
                    templates.push(0);
                    in_text = false;
                }
            }
            ('"', true) if templates.is_empty() => return Some(at),
            ('"', true) => in_text = false,
            ('"', false) => in_text = true,
            ('{', false) => *templates.last_mut()? += 1,
            ('}', false) => match templates.last_mut()? {
                0 => {
                    templates.pop();
                    in_text = true;
                }
                braces => *braces -= 1,
            },
            // A comment inside a template could hide its end from us.
            ('#', false) => return None,
            ('/', false) if chars.peek().is_some_and(|(_, next)| matches!(next, '/' | '*')) => return None,
            _ => {}
        }
    }
    None
}

/// A heredoc from behind its `<<`: its raw text, and what follows its end.
fn heredoc(text: &str) -> Option<(String, &str)> {
    let (name, body) = text.split_once('\n')?;
    let name = name.trim_end_matches('\r');
    let word = name.strip_prefix('-').unwrap_or(name);
    if word.is_empty() || !word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
        return None;
    }
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if line.trim() == word {
            let rest = body.get(at + line.trim_end_matches(['\n', '\r']).len()..)?;
            return Some((format!("{name}\n{}", body.get(..at)?), rest));
        }
        // A template over several lines could hold the end word itself.
        let opens = line.matches("${").count() + line.matches("%{").count();
        if opens > line.matches('}').count() {
            return None;
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_attributes_and_comments_are_told_apart() {
        let text = "# c\nresource \"a\" \"b\" { // x\n  n = 1 /* y\n */\n  s = \"${f(\"}\", {a = 1})} $${ \\\" \"\n  l = [\n 1,\n 2 ]\n  k { z = <<-E\n  }\n  E\n }\n}\n";
        let body = parse(text).unwrap();
        let block = &body.blocks[0];
        assert_eq!(
            (block.kind.as_str(), block.labels.join(".")),
            ("resource", "a.b".to_owned())
        );
        assert_eq!(
            block.body.attributes.keys().cloned().collect::<Vec<_>>(),
            ["l", "n", "s"]
        );
        assert_eq!(block.body.blocks[0].body.attributes["z"], ["<<-E\n  }\n"]);
    }

    #[test]
    fn layout_and_comments_make_no_difference() {
        let a = parse("a \"b\" {\n  x   = 1\n}\n").unwrap();
        let b = parse("// c\na \"b\" {\n\n  x = 1 # d\n}").unwrap();
        assert_eq!(a, b);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in [
            "a {",
            "}",
            "a = ",
            "a = (1]",
            "a = 1\na = 2",
            "a = \"x",
            "a = \"${x",
            "a = <<E\nx",
            "a = <<E\n${x\nE\n}\nE\n",
            "a = \"${x # }\"}\"",
            "'x' = 1",
            "/* x",
            &"a {".repeat(100),
            "a = 1;b = 2",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
