//! Whether putting live infrastructure back to its code would make it less safe.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use super::change::{Action, ResourceChange};
use settings::{Safer, safe_direction};

mod address;
mod settings;

/// Attributes that say nothing about safety.
const NEUTRAL: [&str; 12] = [
    "description",
    "effective_labels",
    "etag",
    "generation",
    "labels",
    "last_modified",
    "latest_restorable_time",
    "tags",
    "tags_all",
    "terraform_labels",
    "timeouts",
    "version_id",
];

/// Whether undoing a drift (an entry of [`super::Plan::drift`]: `before` is the code's value, `after` is live) takes
/// back a live change that made something safer. `None` where a differing setting's safe direction isn't known, or its
/// values aren't.
#[must_use]
pub fn undoes_hardening(drift: &ResourceChange) -> Option<bool> {
    match drift.action {
        Action::Update => {}
        // What was taken away live, a fix would create again.
        Action::Delete => return settings::grants_access(&drift.resource_type, &drift.before).then_some(true),
        _ => return None,
    }
    let mut all_known = true;
    for name in drift.attributes.iter().filter(|name| !NEUTRAL.contains(&name.as_str())) {
        if drift.hidden.contains(name) {
            all_known = false;
            continue;
        }
        match attribute_undone(drift, name) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => all_known = false,
        }
    }
    all_known.then_some(false)
}

/// The same for one attribute of the resource.
fn attribute_undone(drift: &ResourceChange, name: &str) -> Option<bool> {
    let kind = drift.resource_type.as_str();
    let (code, live) = (drift.before.get(name), drift.after.get(name));
    if safe_direction(kind, name) == Some(Safer::FewerRules) {
        return rules_undone(code, live);
    }
    let (code, live) = (flattened(name, code), flattened(name, live));
    let paths: BTreeSet<&String> = code.keys().chain(live.keys()).collect();
    let empty = Vec::new();
    let mut all_known = true;
    for path in paths {
        let (code, live) = (code.get(path).unwrap_or(&empty), live.get(path).unwrap_or(&empty));
        if code == live {
            continue;
        }
        match safe_direction(kind, path).and_then(|safer| setting_undone(safer, code, live)) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => all_known = false,
        }
    }
    all_known.then_some(false)
}

/// Whether the live values of one setting are safer than the code's.
fn setting_undone(safer: Safer, code: &[&Value], live: &[&Value]) -> Option<bool> {
    match safer {
        Safer::FewerRules => None,
        Safer::FewerAddresses => fewer(&texts(code)?, &texts(live)?),
        Safer::Present => {
            let present = |values: &[&Value]| values.iter().any(|v| !v.is_null() && v.as_str() != Some(""));
            match (present(code), present(live)) {
                (false, true) => Some(true),
                (true, false) => Some(false),
                _ => None,
            }
        }
        Safer::True => Some(!one(code)?.as_bool()? && one(live)?.as_bool()?),
        Safer::False => Some(one(code)?.as_bool()? && !one(live)?.as_bool()?),
        Safer::Higher => Some(one(live)?.as_f64()? > one(code)?.as_f64()?),
        Safer::Later(words) => {
            let rank = |value: &Value| {
                let text = value.as_str()?;
                words.iter().position(|word| word.eq_ignore_ascii_case(text))
            };
            Some(rank(one(live)?)? > rank(one(code)?)?)
        }
    }
}

fn one<'a>(values: &[&'a Value]) -> Option<&'a Value> {
    match values {
        [value] => Some(value),
        _ => None,
    }
}

fn texts<'a>(values: &[&'a Value]) -> Option<BTreeSet<&'a str>> {
    values
        .iter()
        .filter(|v| !v.is_null())
        .map(|value| value.as_str())
        .collect()
}

/// Most pairs of addresses that are compared: clouds allow a few hundred rules a group.
const MAX_PAIRS: usize = 1_000_000;

/// Whether live allows less: a part of what the code allows, or no longer the whole world.
fn fewer<T: Ord + AsRef<str>>(code: &BTreeSet<T>, live: &BTreeSet<T>) -> Option<bool> {
    if code.len().saturating_mul(live.len()) > MAX_PAIRS {
        return None;
    }
    let open = |set: &BTreeSet<T>| set.iter().any(|entry| settings::is_open(entry.as_ref()));
    let within = |inner: &BTreeSet<T>, outer: &BTreeSet<T>| {
        let covered = |entry: &T| outer.iter().any(|wide| address::covers(wide.as_ref(), entry.as_ref()));
        inner.iter().all(covered)
    };
    match (open(code), open(live)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => match (within(live, code), within(code, live)) {
            (true, wider) => Some(!wider),
            (false, true) => Some(false),
            (false, false) => None,
        },
    }
}

/// Values by path; places in lists don't count, so that a block that may be there once has one path.
fn flattened<'a>(name: &str, value: Option<&'a Value>) -> BTreeMap<String, Vec<&'a Value>> {
    fn walk<'a>(path: String, value: &'a Value, found: &mut BTreeMap<String, Vec<&'a Value>>) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    walk(format!("{path}.{key}"), inner, found);
                }
            }
            Value::Array(items) => {
                for inner in items {
                    walk(path.clone(), inner, found);
                }
            }
            scalar => found.entry(path).or_default().push(scalar),
        }
    }
    let mut found = BTreeMap::new();
    if let Some(value) = value {
        walk(name.to_owned(), value, &mut found);
    }
    found
}

/// Rules of a security group or firewall, in which each source is a rule of its own: `tcp 443-443 0.0.0.0/0`.
fn rules_undone(code: Option<&Value>, live: Option<&Value>) -> Option<bool> {
    fewer(&rules(code)?, &rules(live)?)
}

/// Keys of a rule under which it lists whom it lets in.
const SOURCES: [&str; 9] = [
    "cidr_blocks",
    "ipv6_cidr_blocks",
    "prefix_list_ids",
    "security_groups",
    "self",
    "cidr_block",
    "ipv6_cidr_block",
    "source_address_prefix",
    "source_address_prefixes",
];

fn rules(value: Option<&Value>) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for rule in value.and_then(Value::as_array).into_iter().flatten() {
        let rule = rule.as_object()?;
        // A rule that forbids: fewer of them isn't safer.
        let denies = ["action", "access"].iter().any(|key| {
            let word = rule.get(*key).and_then(Value::as_str).unwrap_or_default();
            word.eq_ignore_ascii_case("deny")
        });
        if denies {
            return None;
        }
        let what = what_it_allows(rule);
        let sources = SOURCES.iter().filter_map(|key| Some((key, rule.get(*key)?)));
        for (key, source) in sources {
            match source {
                Value::String(source) if !source.is_empty() => drop(found.insert(format!("{what} {source}"))),
                Value::Bool(true) => drop(found.insert(format!("{what} {key}"))),
                Value::Array(items) => {
                    for item in items.iter().filter_map(Value::as_str) {
                        found.insert(format!("{what} {item}"));
                    }
                }
                _ => {}
            }
        }
    }
    Some(found)
}

fn what_it_allows(rule: &Map<String, Value>) -> String {
    let parts = rule.iter().filter(|(key, _)| {
        let key = key.as_str();
        !SOURCES.contains(&key) && !matches!(key, "description" | "name" | "rule_no" | "priority")
    });
    parts
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
