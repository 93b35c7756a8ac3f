//! Messages that are on both sides.

use std::collections::{BTreeMap, BTreeSet};

use super::ranges::{missing, shown};
use super::{Checks, Finding, Pair, describe, quoted};
use crate::protobuf::features::JSON_FORMAT;
use crate::protobuf::model::{Field, Label, MAX_FIELD_NUMBER, MAX_INT32, Message};

type Findings<'a> = Vec<Finding<'a>>;

impl Checks<'_> {
    pub(super) fn messages(&mut self) {
        for pair in self.message_pairs() {
            self.findings.extend(fields(pair));
            self.findings.extend(required(pair));
            self.findings.extend(ranges(pair));
            self.findings.extend(options(pair));
        }
    }
}

/// Fields whose number is gone.
fn fields(pair: Pair<'_, Message>) -> Findings<'_> {
    let (old, new) = (pair.old.item, pair.new.item);
    let kept: BTreeSet<i64> = new.fields.iter().map(|field| field.number).collect();
    let mut found = Vec::new();
    for field in &old.fields {
        if kept.contains(&field.number) {
            continue;
        }
        let described = describe(field, Some(old), true);
        let described = described.replacen("Field", "field", 1);
        let mut gone = |rule, suffix: String| {
            let text = format!("Previously present {described} was deleted{suffix}.");
            found.push(pair.at(rule, new.line, &field.full_name, text));
        };
        gone("FIELD_NO_DELETE", String::new());
        if !new.reserved.has_name(&field.name) {
            let suffix = format!(" without reserving the name {}", quoted(&field.name));
            gone("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", suffix);
        }
        if !new.reserved.has_number(field.number) {
            let suffix = format!(" without reserving the number \"{}\"", field.number);
            gone("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", suffix);
        }
    }
    found
}

/// Fields with the label `required` that came or went. The feature of editions isn't a label: what it changes is
/// found as cardinality.
fn required(pair: Pair<'_, Message>) -> Findings<'_> {
    const RULE: &str = "MESSAGE_SAME_REQUIRED_FIELDS";
    const WHY: &str = "Required fields must always be sent, so if one side does not know about the required field, \
                       this will result in a breakage.";
    fn required(message: &Message) -> BTreeMap<i64, &Field> {
        let required = message.fields.iter().filter(|field| field.label == Label::Required);
        required.map(|field| (field.number, field)).collect()
    }
    let (old, new) = (pair.old.item, pair.new.item);
    let (before, after) = (required(old), required(new));
    let name = quoted(&new.name);
    let mut found = Vec::new();
    for number in before.keys().filter(|number| !after.contains_key(number)) {
        let text = format!("Message {name} had required field \"{number}\" deleted. {WHY}");
        found.push(pair.at(RULE, new.line, &new.full_name, text));
    }
    for (number, field) in after.iter().filter(|(number, _)| !before.contains_key(number)) {
        let text = format!("Message {name} had required field \"{number}\" added. {WHY}");
        found.push(pair.at(RULE, field.line, &field.full_name, text));
    }
    found
}

/// Ranges for extensions, reserved ranges and reserved names that are gone.
fn ranges(pair: Pair<'_, Message>) -> Findings<'_> {
    let (old, new) = (pair.old.item, pair.new.item);
    let message_set = new.options.is_true("message_set_wire_format");
    let max = if message_set { MAX_INT32 - 1 } else { MAX_FIELD_NUMBER };
    let name = quoted(&new.name);
    let mut found = Vec::new();
    for (rule, kind, before, after) in [
        (
            "EXTENSION_MESSAGE_NO_DELETE",
            "extension",
            &old.extension_ranges,
            &new.extension_ranges,
        ),
        (
            "RESERVED_MESSAGE_NO_DELETE",
            "reserved",
            &old.reserved.ranges,
            &new.reserved.ranges,
        ),
    ] {
        for range in &before.written {
            let missing = missing(*range, after);
            if missing.is_empty() {
                continue;
            }
            let missing: Vec<String> = missing.into_iter().map(|range| shown(range, max)).collect();
            let text = format!(
                "Previously present {kind} range {} on message {name} is missing values: {} were removed.",
                quoted(&shown(*range, max)),
                missing.join(", ")
            );
            found.push(pair.at(rule, new.line, &new.full_name, text));
        }
    }
    for reserved in old.reserved.names.iter().filter(|name| !new.reserved.has_name(name)) {
        let text = format!("Previously present reserved name {reserved:?} on message {name} was deleted.");
        found.push(pair.at("RESERVED_MESSAGE_NO_DELETE", new.line, &new.full_name, text));
    }
    found
}

/// Oneofs that are gone, and options and features that must stay.
fn options(pair: Pair<'_, Message>) -> Findings<'_> {
    const ACCESSOR: &str = "no_standard_descriptor_accessor";
    let (old, new) = (pair.old.item, pair.new.item);
    let name = quoted(&new.name);
    let mut found = Vec::new();
    let kept: BTreeSet<&str> = new.oneofs.iter().map(|oneof| oneof.name.as_str()).collect();
    for oneof in &old.oneofs {
        if !kept.contains(oneof.name.as_str()) {
            let text = format!(
                "Previously present oneof {:?} on message {name} was deleted.",
                oneof.name
            );
            found.push(pair.at("ONEOF_NO_DELETE", new.line, &new.full_name, text));
        }
    }
    if !old.options.is_true(ACCESSOR) && new.options.is_true(ACCESSOR) {
        let line = new.options.line(ACCESSOR).unwrap_or(new.line);
        let text = format!("Message option {ACCESSOR:?} changed from \"false\" to \"true\".");
        found.push(pair.at(
            "MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR",
            line,
            &new.full_name,
            text,
        ));
    }
    let (before, after) = (&old.features.json_format, &new.features.json_format);
    if &**before == "ALLOW" && &**after != "ALLOW" {
        let line = new.options.line(JSON_FORMAT).unwrap_or(new.line);
        let text = format!("Message {name} JSON format support changed from {before} to {after}.");
        found.push(pair.at("MESSAGE_SAME_JSON_FORMAT", line, &new.full_name, text));
    }
    found
}
