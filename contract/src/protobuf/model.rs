//! What a set of `.proto` files declares, as far as compatibility hangs on it.
//!
//! Lines are 1-based. Full names have no leading dot. Ranges of numbers are inclusive at both ends.

use std::collections::{BTreeMap, BTreeSet};

use super::features::Features;

/// Largest field number, and so the end of `to max` in a message (protobuf.dev, "Assigning Field Numbers").
pub(super) const MAX_FIELD_NUMBER: i64 = (1 << 29) - 1;
/// Largest number in a message of the old MessageSet format, and of an enum.
pub(super) const MAX_INT32: i64 = i32::MAX as i64;

/// What the first statement of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Syntax {
    Proto2,
    Proto3,
    /// `edition = "2023"` and later.
    Edition(u16),
}

impl Syntax {
    /// The name that the compiler gives it; all editions have one.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Proto2 => "proto2",
            Self::Proto3 => "proto3",
            Self::Edition(_) => "editions",
        }
    }
}

/// One option: its name, and its value as text.
#[derive(Debug, Clone)]
pub(super) struct OptionValue {
    /// `java_package`, `features.enum_type`, `features.(pb.cpp).string_type`; members of a message value stand each for itself.
    pub name: String,
    /// The value: an identifier or a number as written, a string without its quotes.
    pub value: Literal,
    pub line: usize,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    /// `true`, `CLOSED`, `-1.5`, `-inf`.
    Word(String),
    /// A string; bytes, because escapes may write any.
    Text(Vec<u8>),
}

/// The options of one declaration.
#[derive(Debug, Clone, Default)]
pub(super) struct Options(pub Vec<OptionValue>);

impl Options {
    /// The last value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&OptionValue> {
        self.0.iter().rev().find(|option| option.name == name)
    }

    /// An identifier or number.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.value {
            Literal::Word(word) => Some(word),
            Literal::Text(_) => None,
        }
    }

    /// The value for people and for comparison: text as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|option| match &option.value {
            Literal::Word(word) => word.clone(),
            Literal::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        })
    }

    pub(super) fn line(&self, name: &str) -> Option<usize> {
        self.get(name).map(|option| option.line)
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.word(name) == Some("true")
    }
}

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// Path below the folder.
    pub path: String,
    pub syntax: Syntax,
    pub syntax_line: Option<usize>,
    pub package: String,
    pub package_line: Option<usize>,
    pub imports: Vec<String>,
    pub options: Options,
    pub features: Features,
    pub messages: Vec<Message>,
    pub enums: Vec<Enum>,
    pub services: Vec<Service>,
    pub extensions: Vec<Field>,
}

/// A message; groups and entries of maps are messages too.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub name: String,
    pub full_name: String,
    pub line: usize,
    pub fields: Vec<Field>,
    pub extensions: Vec<Field>,
    pub messages: Vec<Message>,
    pub enums: Vec<Enum>,
    pub oneofs: Vec<Oneof>,
    pub reserved: Reserved,
    pub extension_ranges: Ranges,
    pub options: Options,
    pub features: Features,
    pub map_entry: bool,
}

/// What is reserved in a message or an enum.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    pub ranges: Ranges,
    pub names: BTreeSet<String>,
}

/// Ranges of numbers, as written and as they cover them.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    pub written: Vec<(i64, i64)>,
    /// In order, without overlaps and neighbours.
    covered: Vec<(i64, i64)>,
}

impl Ranges {
    /// Puts a number where `max` was written, and finds what is covered.
    pub(super) fn settle(&mut self, unknown: i64, max: i64) {
        for (_, end) in self.written.iter_mut().filter(|(_, end)| *end == unknown) {
            *end = max;
        }
        let mut sorted = self.written.clone();
        sorted.sort_unstable();
        self.covered.clear();
        for (start, end) in sorted {
            match self.covered.last_mut() {
                Some((_, last)) if start <= last.saturating_add(1) => *last = end.max(*last),
                _ => self.covered.push((start, end)),
            }
        }
    }

    /// What is covered, from the range on that holds the number or is the next above it.
    pub(super) fn covered_from(&self, number: i64) -> &[(i64, i64)] {
        let first = self.covered.partition_point(|(_, end)| *end < number);
        self.covered.get(first..).unwrap_or_default()
    }
}

impl Reserved {
    pub(super) fn has_number(&self, number: i64) -> bool {
        let next = self.ranges.covered_from(number).first();
        next.is_some_and(|(start, _)| *start <= number)
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// A oneof that was written; what `optional` in proto3 stands for is none.
#[derive(Debug, Default)]
pub(super) struct Oneof {
    pub name: String,
    pub options: Options,
}

/// The label as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// Nothing was written.
    None,
    Optional,
    Required,
    Repeated,
}

/// How often a field can stand in a message, with what follows from syntax and features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Cardinality {
    /// At most once, and unset is told from zero.
    #[default]
    Explicit,
    /// At most once, and unset is zero.
    Implicit,
    Required,
    Repeated,
    Map,
}

/// What a field holds, as it goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    Enum,
    Message,
    /// A message between tags instead of behind a length.
    Group,
}

/// Scalar types by the word that is written.
pub(super) const SCALARS: &[(&str, Kind)] = &[
    ("double", Kind::Double),
    ("float", Kind::Float),
    ("int32", Kind::Int32),
    ("int64", Kind::Int64),
    ("uint32", Kind::Uint32),
    ("uint64", Kind::Uint64),
    ("sint32", Kind::Sint32),
    ("sint64", Kind::Sint64),
    ("fixed32", Kind::Fixed32),
    ("fixed64", Kind::Fixed64),
    ("sfixed32", Kind::Sfixed32),
    ("sfixed64", Kind::Sfixed64),
    ("bool", Kind::Bool),
    ("string", Kind::String),
    ("bytes", Kind::Bytes),
];

impl Kind {
    pub(super) fn scalar(word: &str) -> Option<Self> {
        SCALARS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Enum => "enum",
            Self::Message => "message",
            Self::Group => "group",
            scalar => SCALARS
                .iter()
                .find(|(_, kind)| *kind == scalar)
                .map_or("", |(name, _)| *name),
        }
    }

    /// Whether its type has a name of its own.
    pub(super) const fn is_named(self) -> bool {
        matches!(self, Self::Enum | Self::Message | Self::Group)
    }
}

/// A field of a message, or an extension.
#[derive(Debug)]
pub(super) struct Field {
    pub name: String,
    pub full_name: String,
    pub number: i64,
    pub label: Label,
    /// Message while it isn't known whether a name is that of an enum.
    pub kind: Kind,
    /// Full name of the type, where it has one; as written where it leads nowhere.
    pub type_name: String,
    /// Whether the type is a map's entry.
    pub map: bool,
    pub cardinality: Cardinality,
    pub line: usize,
    pub name_line: usize,
    pub type_line: usize,
    pub options: Options,
    pub features: Features,
    /// The oneof that it stands in, as an index.
    pub oneof: Option<usize>,
    /// For an extension: full name of the message that it extends.
    pub extendee: Option<String>,
}

impl Field {
    /// Its name in JSON: what `json_name` says, else in lower camel case (protobuf.dev, "ProtoJSON Format").
    pub(super) fn json_name(&self) -> String {
        self.options.text("json_name").unwrap_or_else(|| camel_case(&self.name))
    }
}

/// Drops underscores and writes the letter behind each large.
pub(super) fn camel_case(name: &str) -> String {
    let mut up = false;
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c == '_' {
            up = true;
        } else {
            text.push(if up { c.to_ascii_uppercase() } else { c });
            up = false;
        }
    }
    text
}

#[derive(Debug, Default)]
pub(super) struct Enum {
    pub name: String,
    pub full_name: String,
    pub line: usize,
    pub values: Vec<EnumValue>,
    pub reserved: Reserved,
    pub options: Options,
    pub features: Features,
}

impl Enum {
    /// Values by number, and by name below that: an alias shares its number.
    pub(super) fn by_number(&self) -> BTreeMap<i64, BTreeMap<&str, &EnumValue>> {
        let mut found: BTreeMap<i64, BTreeMap<&str, &EnumValue>> = BTreeMap::new();
        for value in &self.values {
            found.entry(value.number).or_default().insert(&value.name, value);
        }
        found
    }
}

#[derive(Debug)]
pub(super) struct EnumValue {
    pub name: String,
    pub number: i64,
    pub line: usize,
}

#[derive(Debug)]
pub(super) struct Service {
    pub name: String,
    pub full_name: String,
    pub line: usize,
    pub methods: Vec<Method>,
}

#[derive(Debug)]
pub(super) struct Method {
    pub name: String,
    pub line: usize,
    pub input: MethodType,
    pub output: MethodType,
    pub options: Options,
}

/// What a method takes or gives.
#[derive(Debug)]
pub(super) struct MethodType {
    pub type_name: String,
    pub stream: bool,
    pub line: usize,
}
