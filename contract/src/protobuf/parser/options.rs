//! Options: `option name = value;` and `[name = value, …]`.

use super::{Parsed, Parser};
use crate::protobuf::lexer::Kind;
use crate::protobuf::model::{Literal, OptionValue, Options};

impl Parser<'_> {
    /// A statement.
    pub(super) fn option(&mut self, into: &mut Options) -> Parsed<()> {
        let line = self.line();
        self.advance();
        self.setting(line, into)?;
        self.expect(';')
    }

    /// A list in brackets, where there is one.
    pub(super) fn bracketed_options(&mut self) -> Parsed<Options> {
        let mut options = Options::default();
        if !self.accept('[') {
            return Ok(options);
        }
        while !self.accept(']') {
            let line = self.line();
            self.setting(line, &mut options)?;
            if !self.accept(',') && !self.is(']') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
        Ok(options)
    }

    fn setting(&mut self, line: usize, into: &mut Options) -> Parsed<()> {
        let name = self.option_name()?;
        self.expect('=')?;
        self.option_value(&name, line, into)
    }

    /// `java_package`, `(my.option).part`, `features.(pb.cpp).string_type`.
    fn option_name(&mut self) -> Parsed<String> {
        let mut name = String::new();
        loop {
            if self.accept('(') {
                let extension = self.name()?;
                self.expect(')')?;
                name.push_str(&format!("({})", extension.trim_start_matches('.')));
            } else {
                name.push_str(&self.word()?);
            }
            if !self.accept('.') {
                return Ok(name);
            }
            name.push('.');
        }
    }

    fn option_value(&mut self, name: &str, line: usize, into: &mut Options) -> Parsed<()> {
        let value = if self.is('{') || self.is('<') {
            return self.deeper(|parser| parser.message_value(name, into));
        } else if matches!(self.peek().map(|token| &token.kind), Some(Kind::Text(_))) {
            Literal::Text(self.bytes()?)
        } else {
            Literal::Word(self.scalar()?)
        };
        into.0.push(OptionValue {
            name: name.to_owned(),
            value,
            line,
        });
        Ok(())
    }

    fn scalar(&mut self) -> Parsed<String> {
        let mut text = String::new();
        if self.accept('-') {
            text.push('-');
        } else {
            self.accept('+');
        }
        match self.peek().map(|token| token.kind.clone()) {
            Some(Kind::Word(word) | Kind::Number(word)) => {
                self.advance();
                text.push_str(&word);
                Ok(text)
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    /// The text format (protobuf.dev, "Text Format Language Specification"); each member is an option of its own.
    fn message_value(&mut self, name: &str, into: &mut Options) -> Parsed<()> {
        let close = if self.accept('{') { '}' } else { '>' };
        if close == '>' {
            self.expect('<')?;
        }
        while !self.accept(close) {
            let line = self.line();
            let member = if self.accept('[') {
                let mut extension = self.name()?;
                // `[type.googleapis.com/a.B]`: the value of an Any.
                while self.accept('/') {
                    extension = self.name()?;
                }
                self.expect(']')?;
                format!("{name}.({extension})")
            } else {
                format!("{name}.{}", self.word()?)
            };
            self.accept(':');
            if self.accept('[') {
                while !self.accept(']') {
                    self.option_value(&member, line, into)?;
                    if !self.accept(',') && !self.is(']') {
                        return Err(self.unexpected("`,` or `]`"));
                    }
                }
            } else {
                self.option_value(&member, line, into)?;
            }
            let _ = self.accept(',') || self.accept(';');
        }
        Ok(())
    }
}
