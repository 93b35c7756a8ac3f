//! Words of a `.proto` file (protobuf.dev, "Protocol Buffers Language Specification", lexical elements).

use holdpoint_schemas::SourceError;

use crate::ContractError;

/// Largest file, in bytes: the largest that people write have below 2 MiB.
pub(super) const MAX_BYTES: usize = 4 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword is one too: the grammar has no reserved words.
    Word(String),
    /// A number as written, without its sign.
    Number(String),
    Text(Vec<u8>),
    Symbol(char),
    End,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: Kind,
    pub line: usize,
    pub column: usize,
}

struct Lexer<'a> {
    file: &'a str,
    text: &'a str,
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    column: usize,
}

/// Splits a file into words; the last is [`Kind::End`].
pub(super) fn tokens(file: &str, text: &str) -> Result<Vec<Token>, ContractError> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(SourceError::new(file, message).help("split the file").into());
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lexer = Lexer {
        file,
        text,
        rest: text.chars().peekable(),
        line: 1,
        column: 1,
    };
    let mut found = Vec::new();
    loop {
        lexer.skip_space()?;
        let (line, column) = (lexer.line, lexer.column);
        let kind = lexer.word()?;
        let end = kind == Kind::End;
        found.push(Token { kind, line, column });
        if end {
            return Ok(found);
        }
    }
}

impl Lexer<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn error(&self, message: &str) -> ContractError {
        SourceError::new(self.file, message)
            .at(self.text, self.line, self.column)
            .help("expected a `.proto` file")
            .into()
    }

    fn skip_space(&mut self) -> Result<(), ContractError> {
        loop {
            match (self.peek(), self.second()) {
                (Some(c), _) if c.is_whitespace() || c == '\0' => {
                    self.next();
                }
                (Some('/'), Some('/')) => while self.next().is_some_and(|c| c != '\n') {},
                (Some('/'), Some('*')) => {
                    self.next();
                    self.next();
                    self.skip_comment()?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), ContractError> {
        while let Some(c) = self.next() {
            if c == '*' && self.peek() == Some('/') {
                self.next();
                return Ok(());
            }
        }
        Err(self.error("a comment has no end"))
    }

    fn word(&mut self) -> Result<Kind, ContractError> {
        let Some(c) = self.peek() else { return Ok(Kind::End) };
        if c.is_ascii_alphabetic() || c == '_' {
            return Ok(Kind::Word(self.take(|c| c.is_ascii_alphanumeric() || c == '_')));
        }
        if c.is_ascii_digit() || (c == '.' && self.second().is_some_and(|c| c.is_ascii_digit())) {
            return Ok(Kind::Number(self.number()));
        }
        self.next();
        if c == '"' || c == '\'' {
            return self.string(c).map(Kind::Text);
        }
        Ok(Kind::Symbol(c))
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            text.push(c);
            self.next();
        }
        text
    }

    fn number(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            let hex = text.starts_with("0x") || text.starts_with("0X");
            let sign = matches!(c, '+' | '-') && !hex && text.ends_with(['e', 'E']);
            if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || sign) {
                break;
            }
            text.push(c);
            self.next();
        }
        text
    }

    fn string(&mut self, quote: char) -> Result<Vec<u8>, ContractError> {
        let mut bytes = Vec::new();
        loop {
            match self.next() {
                None | Some('\n') => return Err(self.error("a string has no end")),
                Some(c) if c == quote => return Ok(bytes),
                Some('\\') => self.escape(&mut bytes)?,
                Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), ContractError> {
        let Some(c) = self.next() else {
            return Err(self.error("a string has no end"));
        };
        let plain = match c {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' | '\'' | '"' | '?' => u8::try_from(c).ok(),
            _ => None,
        };
        if let Some(byte) = plain {
            bytes.push(byte);
            return Ok(());
        }
        let code = match c {
            'x' | 'X' => self.digits(String::new(), 16, 2),
            'u' => self.digits(String::new(), 16, 4),
            'U' => self.digits(String::new(), 16, 8),
            '0'..='7' => self.digits(c.to_string(), 8, 3),
            _ => None,
        };
        let Some(code) = code else {
            return Err(self.error("a string has an escape that means nothing"));
        };
        if matches!(c, 'u' | 'U') {
            let Some(c) = char::from_u32(code) else {
                return Err(self.error("a string has an escape that is no character"));
            };
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            // Three octal digits reach 511; the compiler keeps the low byte, too.
            bytes.push((code & 0xff) as u8);
        }
        Ok(())
    }

    fn digits(&mut self, mut text: String, radix: u32, most: usize) -> Option<u32> {
        while text.len() < most {
            let Some(c) = self.peek().filter(|c| c.is_digit(radix)) else {
                break;
            };
            text.push(c);
            self.next();
        }
        u32::from_str_radix(&text, radix).ok()
    }
}
