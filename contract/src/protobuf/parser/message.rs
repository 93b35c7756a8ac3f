//! Messages, fields and enums.

use super::{Parsed, Parser};
use crate::protobuf::features::Features;
use crate::protobuf::lexer;
use crate::protobuf::model::{
    Cardinality, Enum, EnumValue, Field, Kind, Label, Message, Oneof, Options, Reserved, camel_case,
};

/// `to max`, until it is known what the largest number is.
pub(in crate::protobuf) const MAX: i64 = i64::MAX;

impl Parser<'_> {
    pub(super) fn message(&mut self) -> Parsed<Message> {
        let line = self.line();
        self.advance();
        let mut message = Message {
            name: self.word()?,
            line,
            ..Message::default()
        };
        self.deeper(|parser| parser.message_body(&mut message))?;
        Ok(message)
    }

    fn message_body(&mut self, message: &mut Message) -> Parsed<()> {
        self.expect('{')?;
        loop {
            // A keyword may be a field's type: `message` is none, but `reserved.Thing x = 1;` is a field.
            match self.peek_word().as_deref() {
                Some("message") if self.is_declaration() => message.messages.push(self.message()?),
                Some("enum") if self.is_declaration() => message.enums.push(self.enumeration()?),
                Some("extend") => {
                    self.extend(&mut message.extensions, &mut message.messages)?;
                }
                Some("option") if !self.second_is('.') => self.option(&mut message.options)?,
                Some("oneof") if self.is_declaration() => self.oneof(message)?,
                Some("reserved") if !self.second_is('.') => self.reserved(&mut message.reserved)?,
                Some("extensions") if !self.second_is('.') => self.extensions(message)?,
                Some("export" | "local") if self.second_is_word(&["message", "enum"]) => self.advance(),
                Some(_) => self.field(None, &mut message.fields, &mut message.messages)?,
                None if self.is('.') => self.field(None, &mut message.fields, &mut message.messages)?,
                None if self.accept(';') => {}
                None if self.accept('}') => return Ok(()),
                None => return Err(self.unexpected("a field, a declaration or `}`")),
            }
        }
    }

    fn second_is(&self, symbol: char) -> bool {
        self.second() == Some(&lexer::Kind::Symbol(symbol))
    }

    fn second_is_word(&self, words: &[&str]) -> bool {
        matches!(self.second(), Some(lexer::Kind::Word(word)) if words.contains(&word.as_str()))
    }

    /// Whether the keyword that is next is followed by a name, and so is no type with that name.
    fn is_declaration(&self) -> bool {
        matches!(self.second(), Some(lexer::Kind::Word(_)))
    }

    fn oneof(&mut self, message: &mut Message) -> Parsed<()> {
        self.advance();
        let index = message.oneofs.len();
        message.oneofs.push(Oneof {
            name: self.word()?,
            options: Options::default(),
        });
        let mut options = Options::default();
        self.expect('{')?;
        loop {
            match self.peek_word().as_deref() {
                Some("option") if !self.second_is('.') => self.option(&mut options)?,
                Some(_) => self.field(Some(index), &mut message.fields, &mut message.messages)?,
                None if self.is('.') => self.field(Some(index), &mut message.fields, &mut message.messages)?,
                None if self.accept(';') => {}
                None if self.accept('}') => break,
                None => return Err(self.unexpected("a field or `}`")),
            }
        }
        if let Some(oneof) = message.oneofs.get_mut(index) {
            oneof.options = options;
        }
        Ok(())
    }

    pub(super) fn extend(&mut self, into: &mut Vec<Field>, messages: &mut Vec<Message>) -> Parsed<()> {
        self.advance();
        let extendee = self.name()?;
        let first = into.len();
        self.expect('{')?;
        loop {
            if self.peek_word().is_some() || self.is('.') {
                self.field(None, into, messages)?;
            } else if self.accept('}') {
                break;
            } else if !self.accept(';') {
                return Err(self.unexpected("a field or `}`"));
            }
        }
        for field in into.iter_mut().skip(first) {
            field.extendee = Some(extendee.clone());
        }
        Ok(())
    }

    fn field(&mut self, oneof: Option<usize>, into: &mut Vec<Field>, messages: &mut Vec<Message>) -> Parsed<()> {
        let line = self.line();
        let label = match self.peek_word().as_deref() {
            Some("optional") if !self.second_is('.') => Label::Optional,
            Some("required") if !self.second_is('.') => Label::Required,
            Some("repeated") if !self.second_is('.') => Label::Repeated,
            _ => Label::None,
        };
        if label != Label::None {
            self.advance();
        }
        let mut field = Field {
            name: String::new(),
            full_name: String::new(),
            number: 0,
            label,
            kind: Kind::Message,
            type_name: String::new(),
            map: false,
            cardinality: Cardinality::default(),
            line,
            name_line: line,
            type_line: self.line(),
            options: Options::default(),
            features: Features::default(),
            oneof,
            extendee: None,
        };
        let word = self.peek_word();
        if word.as_deref() == Some("group") && matches!(self.second(), Some(lexer::Kind::Word(_))) {
            let group = self.group(&mut field)?;
            messages.push(group);
        } else {
            let entry = if word.as_deref() == Some("map") && self.second_is('<') {
                Some(self.map_types(&mut field)?)
            } else {
                self.field_type(&mut field)?;
                None
            };
            field.name_line = self.line();
            field.name = self.word()?;
            self.number_and_options(&mut field)?;
            self.expect(';')?;
            if let Some(mut entry) = entry {
                entry.name = entry_name(&field.name);
                field.type_name.clone_from(&entry.name);
                messages.push(entry);
            }
        }
        into.push(field);
        Ok(())
    }

    fn number_and_options(&mut self, field: &mut Field) -> Parsed<()> {
        self.expect('=')?;
        field.number = self.integer()?;
        field.options = self.bracketed_options()?;
        Ok(())
    }

    /// `group Name = 1 { … }`: a message `Name`, and a field `name` of it.
    fn group(&mut self, field: &mut Field) -> Parsed<Message> {
        self.advance();
        field.name_line = self.line();
        let mut message = Message {
            name: self.word()?,
            line: field.line,
            ..Message::default()
        };
        field.name = message.name.to_ascii_lowercase();
        field.type_name.clone_from(&message.name);
        field.kind = Kind::Group;
        self.number_and_options(field)?;
        self.deeper(|parser| parser.message_body(&mut message))?;
        Ok(message)
    }

    fn field_type(&mut self, field: &mut Field) -> Parsed<()> {
        field.type_line = self.line();
        let name = self.name()?;
        match Kind::scalar(&name) {
            Some(kind) => field.kind = kind,
            None => field.type_name = name,
        }
        Ok(())
    }

    /// `map<key, value>`: a repeated field of a message that has two fields (protobuf.dev, "Maps").
    fn map_types(&mut self, field: &mut Field) -> Parsed<Message> {
        let line = self.line();
        self.advance();
        let mut entry = Message {
            line,
            map_entry: true,
            ..Message::default()
        };
        for (name, number, start) in [("key", 1, '<'), ("value", 2, ',')] {
            self.expect(start)?;
            let mut part = Field {
                name: name.to_owned(),
                full_name: String::new(),
                number,
                label: Label::Optional,
                kind: Kind::Message,
                type_name: String::new(),
                map: false,
                cardinality: Cardinality::default(),
                line,
                name_line: line,
                type_line: line,
                options: Options::default(),
                features: Features::default(),
                oneof: None,
                extendee: None,
            };
            self.field_type(&mut part)?;
            entry.fields.push(part);
        }
        self.expect('>')?;
        field.map = true;
        field.label = Label::Repeated;
        Ok(entry)
    }

    fn extensions(&mut self, message: &mut Message) -> Parsed<()> {
        self.advance();
        loop {
            let range = self.range()?;
            message.extension_ranges.written.push(range);
            if !self.accept(',') {
                break;
            }
        }
        self.bracketed_options()?;
        self.expect(';')
    }

    fn reserved(&mut self, into: &mut Reserved) -> Parsed<()> {
        self.advance();
        loop {
            match self.peek().map(|token| token.kind.clone()) {
                // Editions write names without quotes.
                Some(lexer::Kind::Word(name)) => {
                    self.advance();
                    into.names.insert(name);
                }
                Some(lexer::Kind::Text(_)) => {
                    let name = self.string()?;
                    into.names.insert(name);
                }
                _ => {
                    let range = self.range()?;
                    into.ranges.written.push(range);
                }
            }
            if !self.accept(',') {
                return self.expect(';');
            }
        }
    }

    fn range(&mut self) -> Parsed<(i64, i64)> {
        let start = self.integer()?;
        if !self.accept_word("to") {
            return Ok((start, start));
        }
        let end = if self.accept_word("max") { MAX } else { self.integer()? };
        Ok((start, end))
    }

    pub(super) fn enumeration(&mut self) -> Parsed<Enum> {
        let line = self.line();
        self.advance();
        let mut found = Enum {
            name: self.word()?,
            line,
            ..Enum::default()
        };
        self.expect('{')?;
        loop {
            match self.peek_word().as_deref() {
                Some("option") if !self.second_is('=') => self.option(&mut found.options)?,
                Some("reserved") if !self.second_is('=') => self.reserved(&mut found.reserved)?,
                Some(_) => {
                    let name = self.word()?;
                    self.expect('=')?;
                    let line = self.line();
                    let number = self.integer()?;
                    self.bracketed_options()?;
                    self.expect(';')?;
                    found.values.push(EnumValue { name, number, line });
                }
                None if self.accept(';') => {}
                None if self.accept('}') => return Ok(found),
                None => return Err(self.unexpected("a value or `}`")),
            }
        }
    }
}

/// The name that the compiler gives to the message of a map's entries.
fn entry_name(field: &str) -> String {
    let camel = camel_case(field);
    let mut chars = camel.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).chain("Entry".chars()).collect()
}
