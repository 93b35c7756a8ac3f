//! Enums that are on both sides.

use std::collections::BTreeMap;

use super::ranges::{missing, shown};
use super::{Checks, Pair, quoted};
use crate::protobuf::features::{ENUM_TYPE, JSON_FORMAT};
use crate::protobuf::index::In;
use crate::protobuf::model::{Enum, EnumValue, MAX_INT32};

impl Checks<'_> {
    pub(super) fn enums(&mut self) {
        for (name, old) in &self.base.enums {
            if let Some(new) = self.revision.enums.get(name) {
                let pair = Pair { old: *old, new: *new };
                self.findings.extend(features(pair));
                self.findings.extend(values(pair));
                self.findings.extend(names(pair));
                self.findings.extend(reserved(pair));
            }
        }
    }
}

type Findings<'a> = Vec<super::Finding<'a>>;

fn features(pair: Pair<'_, Enum>) -> Findings<'_> {
    let Pair {
        old: In { item: old, .. },
        new: In { item: new, .. },
    } = pair;
    let mut found = Vec::new();
    let name = quoted(&new.name);
    if old.features.enum_type != new.features.enum_type {
        let (before, after) = (&old.features.enum_type, &new.features.enum_type);
        let (before, after) = (before.to_lowercase(), after.to_lowercase());
        let line = new.options.line(ENUM_TYPE).unwrap_or(new.line);
        let text = format!("Enum {name} changed from {before} to {after}.");
        found.push(pair.at("ENUM_SAME_TYPE", line, &new.full_name, text));
    }
    let (before, after) = (&old.features.json_format, &new.features.json_format);
    if &**before == "ALLOW" && &**after != "ALLOW" {
        let line = new.options.line(JSON_FORMAT).unwrap_or(new.line);
        let text = format!("Enum {name} JSON format support changed from {before} to {after}.");
        found.push(pair.at("ENUM_SAME_JSON_FORMAT", line, &new.full_name, text));
    }
    found
}

/// Values whose number is gone.
fn values(pair: Pair<'_, Enum>) -> Findings<'_> {
    let (old, new) = (pair.old.item, pair.new.item);
    let kept = new.by_number();
    let mut found = Vec::new();
    for (number, names) in old.by_number() {
        if kept.contains_key(&number) {
            continue;
        }
        let mut gone = |rule, suffix: String| {
            let text = format!(
                "Previously present enum value \"{number}\" on enum {} was deleted{suffix}.",
                quoted(&new.name)
            );
            found.push(pair.at(rule, new.line, &new.full_name, text));
        };
        gone("ENUM_VALUE_NO_DELETE", String::new());
        if !names.keys().all(|name| new.reserved.has_name(name)) {
            let plural = if names.len() > 1 { "s" } else { "" };
            let suffix = format!(" without reserving the name{plural} {}", listed(&names));
            gone("ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", suffix);
        }
        if !new.reserved.has_number(number) {
            let suffix = format!(" without reserving the number \"{number}\"");
            gone("ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", suffix);
        }
    }
    found
}

fn listed(names: &BTreeMap<&str, &EnumValue>) -> String {
    let names: Vec<String> = names.keys().map(|name| quoted(name)).collect();
    names.join(", ")
}

/// Numbers that lost a name; told at each name that the number has now.
fn names(pair: Pair<'_, Enum>) -> Findings<'_> {
    let new = pair.new.item;
    let now = new.by_number();
    let mut found = Vec::new();
    for (number, before) in pair.old.item.by_number() {
        let Some(after) = now.get(&number) else { continue };
        if before.keys().all(|name| after.contains_key(name)) {
            continue;
        }
        let plural = if before.len() > 1 && after.len() > 1 { "s" } else { "" };
        let text = format!(
            "Enum value \"{number}\" on enum {} changed name{plural} from {} to {}.",
            quoted(&new.name),
            listed(&before),
            listed(after)
        );
        for value in after.values() {
            found.push(pair.at("ENUM_VALUE_SAME_NAME", value.line, &new.full_name, text.clone()));
        }
    }
    found
}

fn reserved(pair: Pair<'_, Enum>) -> Findings<'_> {
    let (old, new) = (pair.old.item, pair.new.item);
    let mut gone = Vec::new();
    for range in &old.reserved.ranges.written {
        let missing = missing(*range, &new.reserved.ranges);
        if !missing.is_empty() {
            let missing: Vec<String> = missing.into_iter().map(|range| shown(range, MAX_INT32)).collect();
            gone.push(format!(
                "Previously present reserved range {} on enum {} is missing values: {} were removed.",
                quoted(&shown(*range, MAX_INT32)),
                quoted(&new.name),
                missing.join(", ")
            ));
        }
    }
    for name in &old.reserved.names {
        if !new.reserved.has_name(name) {
            let (name, owner) = (quoted(name), quoted(&new.name));
            gone.push(format!(
                "Previously present reserved name {name} on enum {owner} was deleted."
            ));
        }
    }
    gone.into_iter()
        .map(|text| pair.at("RESERVED_ENUM_NO_DELETE", new.line, &new.full_name, text))
        .collect()
}
