//! The grammar of `.proto` files: proto2, proto3 and editions (protobuf.dev, "Language Specification").
//!
//! It accepts a little more than the compiler does: what the compiler refuses for its meaning, such as a number that
//! is used twice, can't have been built, and is told as a gap where it makes the comparison ambiguous.

mod message;
mod options;

use holdpoint_schemas::SourceError;

use super::features::Features;
use super::lexer::{Kind, Token, tokens};
use super::model::{File, Method, MethodType, Options, Service, Syntax};
use crate::ContractError;

/// Deepest nesting of messages and of option values: the compiler's own limit for messages is 32.
const MAX_DEPTH: usize = 64;
/// Longest name, dots included, in bytes: a name is looked for in every scope around it.
const MAX_NAME: usize = 2_048;

pub(super) use message::MAX;

type Parsed<T> = Result<T, ContractError>;

struct Parser<'a> {
    file: &'a str,
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// Reads one file. Names aren't resolved, and nothing is inherited yet.
pub(super) fn parse(path: &str, text: &str) -> Parsed<File> {
    let mut parser = Parser {
        file: path,
        text,
        tokens: tokens(path, text)?,
        at: 0,
        depth: 0,
    };
    parser.whole_file(path)
}

impl Parser<'_> {
    fn whole_file(&mut self, path: &str) -> Parsed<File> {
        let mut file = File {
            path: path.to_owned(),
            syntax: Syntax::Proto2,
            syntax_line: None,
            package: String::new(),
            package_line: None,
            imports: Vec::new(),
            options: Options::default(),
            features: Features::default(),
            messages: Vec::new(),
            enums: Vec::new(),
            services: Vec::new(),
            extensions: Vec::new(),
        };
        loop {
            let line = self.line();
            match self.peek_word().as_deref() {
                Some("syntax" | "edition") => self.syntax(&mut file)?,
                Some("package") => {
                    self.advance();
                    file.package = self.name()?;
                    file.package_line = Some(line);
                    self.expect(';')?;
                }
                Some("import") => self.import(&mut file)?,
                Some("option") => self.option(&mut file.options)?,
                Some("message") => file.messages.push(self.message()?),
                Some("enum") => file.enums.push(self.enumeration()?),
                Some("service") => file.services.push(self.service()?),
                Some("extend") => self.extend(&mut file.extensions, &mut file.messages)?,
                // Visibility, since edition 2024; it is no part of what goes over the wire.
                Some("export" | "local") => self.advance(),
                _ if self.accept(';') => {}
                _ if self.at_end() => return Ok(file),
                _ => return Err(self.unexpected("a declaration")),
            }
        }
    }

    fn syntax(&mut self, file: &mut File) -> Parsed<()> {
        let line = self.line();
        let edition = self.accept_word("edition");
        if !edition {
            self.advance();
        }
        self.expect('=')?;
        let (line_of_value, column) = self.here();
        let value = self.string()?;
        file.syntax = match (edition, value.as_str()) {
            (false, "proto2") => Syntax::Proto2,
            (false, "proto3") => Syntax::Proto3,
            (true, year) if year.parse::<u16>().is_ok_and(|year| year >= 2023) => {
                Syntax::Edition(year.parse().unwrap_or_default())
            }
            _ => {
                let message = format!("`{value}` is no syntax or edition");
                return Err(SourceError::new(self.file, message)
                    .at(self.text, line_of_value, column)
                    .help("`proto2`, `proto3`, or an edition from `2023` on")
                    .into());
            }
        };
        file.syntax_line = Some(line);
        self.expect(';')
    }

    fn import(&mut self, file: &mut File) -> Parsed<()> {
        self.advance();
        // `import option` (edition 2024) brings options only, which aren't interpreted here.
        let _ = self.accept_word("public") || self.accept_word("weak") || self.accept_word("option");
        let path = self.string()?;
        file.imports.push(path);
        self.expect(';')
    }

    fn service(&mut self) -> Parsed<Service> {
        let line = self.line();
        self.advance();
        let mut service = Service {
            name: self.word()?,
            full_name: String::new(),
            line,
            methods: Vec::new(),
        };
        self.expect('{')?;
        let mut options = Options::default();
        loop {
            match self.peek_word().as_deref() {
                Some("rpc") => service.methods.push(self.method()?),
                Some("option") => self.option(&mut options)?,
                _ if self.accept(';') => {}
                _ if self.accept('}') => return Ok(service),
                _ => return Err(self.unexpected("`rpc`, `option` or `}`")),
            }
        }
    }

    fn method(&mut self) -> Parsed<Method> {
        let line = self.line();
        self.advance();
        let name = self.word()?;
        let input = self.method_type()?;
        if !self.accept_word("returns") {
            return Err(self.unexpected("`returns`"));
        }
        let output = self.method_type()?;
        let mut options = Options::default();
        if self.accept('{') {
            while !self.accept('}') {
                match self.peek_word().as_deref() {
                    Some("option") => self.option(&mut options)?,
                    _ if self.accept(';') => {}
                    _ => return Err(self.unexpected("`option` or `}`")),
                }
            }
        } else {
            self.expect(';')?;
        }
        Ok(Method {
            name,
            line,
            input,
            output,
            options,
        })
    }

    fn method_type(&mut self) -> Parsed<MethodType> {
        self.expect('(')?;
        let mut line = self.line();
        let mut type_name = self.name()?;
        let stream = type_name == "stream" && !self.accept(')');
        if stream {
            line = self.line();
            type_name = self.name()?;
            self.expect(')')?;
        } else if type_name != "stream" {
            self.expect(')')?;
        }
        Ok(MethodType {
            type_name,
            stream,
            line,
        })
    }

    // Words.

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn second(&self) -> Option<&Kind> {
        self.tokens.get(self.at + 1).map(|token| &token.kind)
    }

    fn peek_word(&self) -> Option<String> {
        match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(word)) => Some(word.clone()),
            _ => None,
        }
    }

    fn here(&self) -> (usize, usize) {
        let token = self.peek().or(self.tokens.last());
        token.map_or((1, 1), |token| (token.line, token.column))
    }

    fn line(&self) -> usize {
        self.here().0
    }

    fn at_end(&self) -> bool {
        self.peek().is_none_or(|token| token.kind == Kind::End)
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    fn is(&self, symbol: char) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Symbol(symbol))
    }

    fn accept(&mut self, symbol: char) -> bool {
        let found = self.is(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.peek_word().as_deref() == Some(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: char) -> Parsed<()> {
        if self.accept(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{symbol}`")))
    }

    fn word(&mut self) -> Parsed<String> {
        match self.peek_word() {
            Some(word) if word.len() <= MAX_NAME => {
                self.advance();
                Ok(word)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// A name with dots in it; a leading dot stays.
    fn name(&mut self) -> Parsed<String> {
        let mut name = String::new();
        if self.accept('.') {
            name.push('.');
        }
        loop {
            name.push_str(&self.word()?);
            if name.len() > MAX_NAME {
                return Err(self.unexpected("the end of the name"));
            }
            if !self.accept('.') {
                return Ok(name);
            }
            name.push('.');
        }
    }

    /// Strings that follow each other are one.
    fn bytes(&mut self) -> Parsed<Vec<u8>> {
        let mut found = None;
        while let Some(Kind::Text(text)) = self.peek().map(|token| token.kind.clone()) {
            found.get_or_insert_with(Vec::new).extend(text);
            self.advance();
        }
        found.ok_or_else(|| self.unexpected("a string"))
    }

    fn string(&mut self) -> Parsed<String> {
        Ok(String::from_utf8_lossy(&self.bytes()?).into_owned())
    }

    fn integer(&mut self) -> Parsed<i64> {
        let negative = self.accept('-');
        let number = match self.peek().map(|token| token.kind.clone()) {
            Some(Kind::Number(text)) => whole_number(&text),
            _ => None,
        };
        let Some(number) = number else {
            return Err(self.unexpected("a whole number"));
        };
        self.advance();
        Ok(if negative { -number } else { number })
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.unexpected(&format!("at most {MAX_DEPTH} levels of nesting")));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn unexpected(&self, wanted: &str) -> ContractError {
        let (line, column) = self.here();
        let found = match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(word) | Kind::Number(word)) => format!("`{word}`"),
            Some(Kind::Text(_)) => "a string".to_owned(),
            Some(Kind::Symbol(symbol)) => format!("`{symbol}`"),
            Some(Kind::End) | None => "the end of the file".to_owned(),
        };
        SourceError::new(self.file, format!("expected {wanted}, found {found}"))
            .at(self.text, line, column)
            .help("compile the file with `protoc` or `buf build` to see all that is wrong")
            .into()
    }
}

/// Decimal, hexadecimal or octal.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match (hex, text.strip_prefix('0')) {
        (Some(hex), _) => i64::from_str_radix(hex, 16).ok(),
        (None, Some(octal)) if !octal.is_empty() => i64::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}
