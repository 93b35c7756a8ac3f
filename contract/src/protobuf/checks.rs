//! The checks: what is on both sides, or was on one, goes through the rules for its kind.

mod deleted;
mod enums;
mod fields;
mod files;
mod messages;
mod ranges;
mod services;
mod types;

use std::collections::BTreeMap;

use super::index::{In, Index};
use super::model::{Field, File, Message};

/// What one rule found.
#[derive(Debug)]
pub(super) struct Finding<'a> {
    pub rule: &'static str,
    /// The file in the revision, where it is still there.
    pub file: Option<&'a File>,
    /// The file in the base, where the thing was there.
    pub base_file: Option<&'a File>,
    pub line: Option<usize>,
    /// Full name of what the change is about.
    pub location: String,
    pub text: String,
}

/// Two images under comparison.
pub(super) struct Checks<'a> {
    base: Index<'a>,
    revision: Index<'a>,
    pub findings: Vec<Finding<'a>>,
}

/// A thing on both sides.
struct Pair<'a, T> {
    old: In<'a, T>,
    new: In<'a, T>,
}

impl<T> Clone for Pair<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Pair<'_, T> {}

impl<'a, T> Pair<'a, T> {
    /// A finding at a line of the revision.
    fn at(self, rule: &'static str, line: usize, location: &str, text: String) -> Finding<'a> {
        Finding {
            rule,
            file: Some(self.new.file),
            base_file: Some(self.old.file),
            line: Some(line),
            location: location.to_owned(),
            text,
        }
    }
}

/// Compares; the findings are in no order.
pub(super) fn findings<'a>(base: Index<'a>, revision: Index<'a>) -> Vec<Finding<'a>> {
    let mut checks = Checks {
        base,
        revision,
        findings: Vec::new(),
    };
    checks.files();
    checks.deleted();
    checks.enums();
    checks.messages();
    checks.services();
    checks.all_fields();
    checks.findings
}

impl<'a> Checks<'a> {
    fn message_pairs(&self) -> Vec<Pair<'a, Message>> {
        let pair = |(name, old): (&&str, &In<'a, Message>)| {
            let new = *self.revision.messages.get(name)?;
            Some(Pair { old: *old, new })
        };
        self.base.messages.iter().filter_map(pair).collect()
    }

    /// Fields of messages that are on both sides, and extensions, by number.
    fn field_pairs(&self) -> Vec<(Option<&'a Message>, Option<&'a Message>, Pair<'a, Field>)> {
        let mut found = Vec::new();
        for Pair { old, new } in self.message_pairs() {
            let numbers: BTreeMap<i64, &Field> = new.item.fields.iter().map(|field| (field.number, field)).collect();
            for item in &old.item.fields {
                if let Some(same) = numbers.get(&item.number) {
                    let old_field = In { file: old.file, item };
                    let new_field = In {
                        file: new.file,
                        item: *same,
                    };
                    let pair = Pair {
                        old: old_field,
                        new: new_field,
                    };
                    found.push((Some(old.item), Some(new.item), pair));
                }
            }
        }
        for (key, old) in &self.base.extended {
            if let Some(new) = self.revision.extended.get(key) {
                found.push((None, None, Pair { old: *old, new: *new }));
            }
        }
        found
    }
}

/// A string as buf quotes it.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// `Field "1" with name "a" on message "M"`.
fn describe(field: &Field, message: Option<&Message>, with_name: bool) -> String {
    let (kind, name, owner) = match (&field.extendee, message) {
        (Some(extendee), _) => ("Extension", &field.full_name, extendee.as_str()),
        (None, message) => ("Field", &field.name, message.map_or("", |message| &message.name)),
    };
    let name = if with_name {
        format!(" with name {name:?}")
    } else {
        String::new()
    };
    format!("{kind} \"{}\"{name} on message {owner:?}", field.number)
}
