//! What a change of a schema means where there is no HTTP around it: who writes what the schema describes,
//! and who reads it.

use crate::Level::{self, Error, Info, Warning};
use crate::schema::{Finding, Fit, What, what};
use crate::{Change, Rule};

/// Who holds on to the old schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The values themselves: what was valid must stay so, to the letter.
    Values,
    /// Someone who writes by it.
    Writer,
    /// Someone who reads by it: nothing may come that wasn't valid.
    Reader,
    /// Both.
    Both,
}

/// Names of what happens to properties: name, level for who writes, for who reads, opposite, text.
const PROPERTIES: [(&str, Level, Level, Option<&str>, &str); 8] = [
    (
        "required-property-added",
        Error,
        Info,
        Some("required-property-removed"),
        "a property is asked for that wasn't known",
    ),
    (
        "optional-property-added",
        Info,
        Info,
        Some("optional-property-removed"),
        "a further property is described",
    ),
    (
        "required-property-removed",
        Warning,
        Error,
        Some("required-property-added"),
        "a property that was always there isn't described any more",
    ),
    (
        "optional-property-removed",
        Warning,
        Warning,
        Some("optional-property-added"),
        "a property isn't described any more",
    ),
    (
        "property-became-required",
        Error,
        Info,
        Some("property-became-optional"),
        "a property that might be left out is asked for",
    ),
    (
        "property-became-optional",
        Info,
        Error,
        Some("property-became-required"),
        "a property that was always there may be missing",
    ),
    (
        "property-mutability-changed",
        Info,
        Info,
        Some("property-mutability-changed"),
        "who may write a property changed",
    ),
    ("type-changed", Error, Error, None, "the type or format is another"),
];

fn pick(side: Side, name: &str, writer: Level, reader: Level) -> Level {
    let strict = if what::narrows(name) { Error } else { writer };
    match side {
        Side::Values => strict,
        Side::Writer => writer,
        Side::Reader => reader,
        Side::Both => strict.max(reader),
    }
}

/// The name and the level of a finding.
pub(crate) fn judge(finding: &Finding, side: Side) -> (&'static str, Level) {
    let name = match &finding.what {
        What::Row(name) => name,
        What::Type(change) => match (change.forth, change.back) {
            (Fit::Within, _) => "type-generalized",
            (_, Fit::Within) => "type-specialized",
            _ => "type-changed",
        },
        What::PropertyAdded { required: true, .. } => "required-property-added",
        What::PropertyAdded { required: false, .. } => "optional-property-added",
        What::PropertyRemoved { required: true } => "required-property-removed",
        What::PropertyRemoved { required: false } => "optional-property-removed",
        What::BecameRequired { .. } => "property-became-required",
        What::BecameOptional => "property-became-optional",
        What::Mutability { .. } => "property-mutability-changed",
    };
    let row = what::find(name).map(|row| (row.request, row.response));
    let own = || PROPERTIES.iter().find(|row| row.0 == name).map(|row| (row.1, row.2));
    let (writer, reader) = row.or_else(own).unwrap_or((Error, Error));
    (name, pick(side, name, writer, reader))
}

/// All rules about schemas for one side, their ids with a prefix.
pub(crate) fn rules(kind: &'static str, prefix: &'static str, side: Side) -> Vec<Rule> {
    let id = |name: &str| format!("{prefix}{name}");
    // Several names can be the change backwards of these.
    let one_way = ["type-changed", "pattern-changed", "reactivated", "stability-invalid"];
    let rows = what::rows().filter(|row| !["type-changed", "type-compatible"].contains(&row.name));
    let rows = rows.map(|row| Rule {
        kind,
        id: id(row.name),
        level: pick(side, row.name, row.request, row.response),
        explanation: row.text.to_owned(),
        opposite: (!one_way.contains(&row.name)).then(|| id(row.opposite)),
    });
    let properties = PROPERTIES.iter().map(|(name, writer, reader, opposite, text)| Rule {
        kind,
        id: id(name),
        level: pick(side, name, *writer, *reader),
        explanation: (*text).to_owned(),
        opposite: opposite.map(id),
    });
    rows.chain(properties).collect()
}

/// A change without an HTTP operation.
pub(crate) fn change(rule: String, level: Level, path: &str, location: String, text: impl Into<String>) -> Change {
    Change {
        rule,
        level,
        operation: String::new(),
        path: path.to_owned(),
        location,
        text: text.into(),
        line: None,
        file: None,
        in_base: false,
        categories: Vec::new(),
    }
}
