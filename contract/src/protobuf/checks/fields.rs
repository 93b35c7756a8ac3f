//! Fields that are on both sides, by number; extensions as well.

use super::types::{Default, enum_stands_for, json_cardinality, json_group, wire_cardinality, wire_group};
use super::{Checks, Finding, Pair, describe, quoted};
use crate::protobuf::features::{CPP_STRING_TYPE, JAVA_UTF8_VALIDATION, UTF8_VALIDATION};
use crate::protobuf::model::{Cardinality, Field, File, Kind, Message, Syntax};

const JAVA_CHECK_UTF8: &str = "java_string_check_utf8";
const WIRE_HELP: &str = "See https://developers.google.com/protocol-buffers/docs/proto3#updating for wire \
                         compatibility rules.";

/// One field on both sides, and what the rules say of it.
struct Both<'a> {
    pair: Pair<'a, Field>,
    old: &'a Field,
    new: &'a Field,
    in_map: bool,
    message: Option<&'a Message>,
    name: String,
    found: Vec<Finding<'a>>,
}

impl Checks<'_> {
    pub(super) fn all_fields(&mut self) {
        for (old_message, message, pair) in self.field_pairs() {
            let map_entry = |message: Option<&Message>| message.is_some_and(|message| message.map_entry);
            let mut both = Both {
                pair,
                old: pair.old.item,
                new: pair.new.item,
                in_map: map_entry(old_message) && map_entry(message),
                message,
                name: describe(pair.new.item, message, true),
                found: Vec::new(),
            };
            both.names();
            both.oneof(old_message, message);
            both.cardinality();
            both.strings();
            both.js_type();
            both.types(self);
            both.default_value(self);
            self.findings.append(&mut both.found);
        }
    }
}

impl Both<'_> {
    fn add(&mut self, rule: &'static str, line: usize, text: &str) {
        let text = format!("{} {text}.", self.name);
        self.add_text(rule, line, text);
    }

    fn add_text(&mut self, rule: &'static str, line: usize, text: String) {
        self.found.push(self.pair.at(rule, line, &self.new.full_name, text));
    }

    fn names(&mut self) {
        let (old, new) = (self.old, self.new);
        let extension = old.extendee.is_some();
        let name = |field: &Field| {
            if extension {
                field.full_name.clone()
            } else {
                field.name.clone()
            }
        };
        let (before, after) = (name(old), name(new));
        if before != after {
            let (before, after) = (quoted(&before), quoted(&after));
            let field = describe(new, self.message, false);
            let text = format!("{field} changed name from {before} to {after}.");
            self.add_text("FIELD_SAME_NAME", new.name_line, text);
        }
        let (before, after) = (old.json_name(), new.json_name());
        if !extension && before != after {
            let line = new.options.line("json_name").unwrap_or(new.line);
            let text = format!("changed option \"json_name\" from {before:?} to {after:?}");
            self.add("FIELD_SAME_JSON_NAME", line, &text);
        }
    }

    fn oneof(&mut self, old_message: Option<&Message>, message: Option<&Message>) {
        const RULE: &str = "FIELD_SAME_ONEOF";
        fn of<'a>(field: &Field, message: Option<&'a Message>) -> Option<&'a str> {
            let oneof = message?.oneofs.get(field.oneof?)?;
            Some(&oneof.name)
        }
        let line = self.new.line;
        match (of(self.old, old_message), of(self.new, message)) {
            (Some(before), Some(after)) if before != after => {
                let text = format!("moved from oneof {before:?} to oneof {after:?}");
                self.add(RULE, line, &text);
            }
            (Some(_), None) => self.add(RULE, line, "moved from inside to outside a oneof"),
            (None, Some(_)) => self.add(RULE, line, "moved from outside to inside a oneof"),
            _ => {}
        }
    }

    fn cardinality(&mut self) {
        // The entries of maps are generated.
        if self.in_map {
            return;
        }
        let (before, after) = (self.old.cardinality, self.new.cardinality);
        let (old, new) = (cardinality_name(before), cardinality_name(after));
        let text = format!("changed cardinality from {old:?} to {new:?}");
        let line = self.new.line;
        if before != after {
            self.add("FIELD_SAME_CARDINALITY", line, &text);
        }
        if wire_cardinality(before) != wire_cardinality(after) {
            self.add("FIELD_WIRE_COMPATIBLE_CARDINALITY", line, &text);
        }
        if json_cardinality(before) != json_cardinality(after) {
            self.add("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", line, &text);
        }
    }

    fn strings(&mut self) {
        let (old, new) = (self.old, self.new);
        let text_or_bytes = |field: &Field| matches!(field.kind, Kind::String | Kind::Bytes);
        if text_or_bytes(old) && text_or_bytes(new) && !self.in_map {
            let before = cpp_string_type(old, self.pair.old.file);
            let after = cpp_string_type(new, self.pair.new.file);
            // A piece is read as the string that it is.
            if before != after && !(before == "STRING_PIECE" && after == "STRING") {
                let line = new.options.line("ctype").or(new.options.line(CPP_STRING_TYPE));
                let text = format!("changed C++ string type from {before:?} to {after:?}");
                self.add("FIELD_SAME_CPP_STRING_TYPE", line.unwrap_or(new.line), &text);
            }
        }
        if old.kind != Kind::String || new.kind != Kind::String {
            return;
        }
        let before = java_utf8(old, self.pair.old.file);
        let after = java_utf8(new, self.pair.new.file);
        if before != after {
            let of_file = self.pair.new.file.options.line(JAVA_CHECK_UTF8);
            let line = of_file.or(new.options.line(JAVA_UTF8_VALIDATION)).unwrap_or(new.line);
            let text = format!("changed Java string UTF8 validation from {before:?} to {after:?}");
            self.add("FIELD_SAME_JAVA_UTF8_VALIDATION", line, &text);
        }
        let (before, after) = (&old.features.utf8_validation, &new.features.utf8_validation);
        if before != after {
            let line = new.options.line(UTF8_VALIDATION).unwrap_or(new.line);
            let text = format!("changed UTF8 validation from {before} to {after}");
            self.add("FIELD_SAME_UTF8_VALIDATION", line, &text);
        }
    }

    fn js_type(&mut self) {
        let long = |field: &Field| {
            matches!(
                field.kind,
                Kind::Int64 | Kind::Sint64 | Kind::Uint64 | Kind::Fixed64 | Kind::Sfixed64
            )
        };
        let js_type = |field: &Field| field.options.text("jstype").unwrap_or("JS_NORMAL".to_owned());
        let (before, after) = (js_type(self.old), js_type(self.new));
        if long(self.old) && long(self.new) && before != after {
            let line = self.new.options.line("jstype").unwrap_or(self.new.line);
            let text = format!("changed option \"jstype\" from {before:?} to {after:?}");
            self.add("FIELD_SAME_JSTYPE", line, &text);
        }
    }

    fn types(&mut self, checks: &Checks<'_>) {
        let (old, new) = (self.old, self.new);
        let line = new.type_line;
        let renamed = new.kind.is_named() && old.type_name != new.type_name;
        let other_name = format!("changed type from {:?} to {:?}", old.type_name, new.type_name);
        let other_kind = format!(
            "changed type from {:?} to {:?}",
            kind_name(old, self.pair.old.file),
            kind_name(new, self.pair.new.file)
        );
        if old.kind != new.kind {
            self.add("FIELD_SAME_TYPE", line, &other_kind);
        } else if renamed {
            self.add("FIELD_SAME_TYPE", line, &other_name);
        }
        // An enum of another name may be the same enum.
        let replaced = renamed
            && !(new.kind == Kind::Enum && {
                let after = checks
                    .revision
                    .enums
                    .get(new.type_name.as_str())
                    .map(|found| found.item);
                let before = checks.base.enums.get(old.type_name.as_str()).map(|found| found.item);
                enum_stands_for(after, before)
            });
        const WIRE: &str = "FIELD_WIRE_COMPATIBLE_TYPE";
        if wire_group(old.kind) == wire_group(new.kind) {
            if replaced {
                self.add(WIRE, line, &other_name);
            }
        } else if (old.kind, new.kind) != (Kind::String, Kind::Bytes) {
            let text = format!("{} {other_kind}. {WIRE_HELP}", self.name);
            self.add_text(WIRE, line, text);
        }
        const JSON: &str = "FIELD_WIRE_JSON_COMPATIBLE_TYPE";
        if json_group(old.kind) != json_group(new.kind) {
            let text = format!("{} {other_kind}. {WIRE_HELP}", self.name);
            self.add_text(JSON, line, text);
        } else if replaced {
            self.add(JSON, line, &other_name);
        }
    }

    fn default_value(&mut self, checks: &Checks<'_>) {
        let (old, new) = (self.old, self.new);
        let before = Default::of(old, &checks.base);
        let after = Default::of(new, &checks.revision);
        if let (Some(before), Some(after)) = (before, after) {
            let both_zero = before.is_zero() && after.is_zero();
            if !both_zero && !before.same(&after) {
                let line = new.options.line("default").unwrap_or(new.line);
                let text = format!("changed default value from {} to {}", before.shown(), after.shown());
                self.add("FIELD_SAME_DEFAULT", line, &text);
            }
        }
    }
}

const fn cardinality_name(cardinality: Cardinality) -> &'static str {
    match cardinality {
        Cardinality::Explicit => "optional with explicit presence",
        Cardinality::Implicit => "optional with implicit presence",
        Cardinality::Required => "required",
        Cardinality::Repeated => "repeated",
        Cardinality::Map => "map",
    }
}

fn kind_name(field: &Field, file: &File) -> &'static str {
    if field.kind == Kind::Group && file.syntax != Syntax::Proto2 {
        "message (delimited encoding)"
    } else {
        field.kind.as_str()
    }
}

/// The option `ctype`, which editions from 2024 on don't have, or else the feature that took its place.
fn cpp_string_type(field: &Field, file: &File) -> String {
    let old_way = !matches!(file.syntax, Syntax::Edition(year) if year >= 2024);
    let ctype = field.options.text("ctype").filter(|_| old_way);
    ctype.unwrap_or_else(|| field.features.cpp_string_type.to_string())
}

/// Whether Java checks a string: by the option of the file, or else by features.
fn java_utf8(field: &Field, file: &File) -> String {
    let by_option = !matches!(file.syntax, Syntax::Edition(_)) || file.options.get(JAVA_CHECK_UTF8).is_some();
    let verify = if by_option {
        file.options.is_true(JAVA_CHECK_UTF8)
    } else {
        &*field.features.java_utf8_validation == "VERIFY"
    };
    if verify {
        "VERIFY".to_owned()
    } else {
        field.features.utf8_validation.to_string()
    }
}
