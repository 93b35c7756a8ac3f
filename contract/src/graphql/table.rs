//! The rules, one line each. Ids and levels are those of graphql-js (`findBreakingChanges`, `findSchemaChanges`):
//! breaking is an error, dangerous a warning, safe information. Those at the end are our own.

use crate::rule::{Row, level_in, rules_in};
use crate::{Level, Rule};

use Level::{Error, Info, Warning};

#[rustfmt::skip]
const RULES: &[Row] = &[
    ("TYPE_REMOVED", Error, "A type is gone: operations that name it, or select what it was the type of, are refused.", Some("TYPE_ADDED")),
    ("TYPE_CHANGED_KIND", Error, "A type is of another kind: operations that select its fields or give its values are refused.", Some("TYPE_CHANGED_KIND")),
    ("TYPE_REMOVED_FROM_UNION", Error, "A union lost a member: fragments on it are refused.", Some("TYPE_ADDED_TO_UNION")),
    ("VALUE_REMOVED_FROM_ENUM", Error, "An enum lost a value: operations that give it are refused.", Some("VALUE_ADDED_TO_ENUM")),
    ("REQUIRED_INPUT_FIELD_ADDED", Error, "An input type has a new field that must be given: operations that don't are refused.", Some("FIELD_REMOVED")),
    ("IMPLEMENTED_INTERFACE_REMOVED", Error, "A type no longer implements an interface: fragments on it no longer match.", Some("IMPLEMENTED_INTERFACE_ADDED")),
    ("FIELD_REMOVED", Error, "A field is gone: operations that select or give it are refused.", Some("FIELD_ADDED")),
    ("FIELD_CHANGED_KIND", Error, "A field has another type that isn't compatible: operations are refused, or answers are misread.", None),
    ("REQUIRED_ARG_ADDED", Error, "A field has a new argument that must be given: operations that don't are refused.", Some("ARG_REMOVED")),
    ("ARG_REMOVED", Error, "An argument is gone: operations that give it are refused.", Some("OPTIONAL_ARG_ADDED")),
    ("ARG_CHANGED_KIND", Error, "An argument has another type that isn't compatible: operations that give it are refused.", None),
    ("DIRECTIVE_REMOVED", Error, "A directive is gone: documents that use it are refused.", Some("DIRECTIVE_ADDED")),
    ("DIRECTIVE_ARG_REMOVED", Error, "An argument of a directive is gone: documents that give it are refused.", Some("OPTIONAL_DIRECTIVE_ARG_ADDED")),
    ("REQUIRED_DIRECTIVE_ARG_ADDED", Error, "A directive has a new argument that must be given: documents that don't are refused.", Some("DIRECTIVE_ARG_REMOVED")),
    ("DIRECTIVE_REPEATABLE_REMOVED", Error, "A directive may stand only once now: documents that repeat it are refused.", Some("DIRECTIVE_REPEATABLE_ADDED")),
    ("DIRECTIVE_LOCATION_REMOVED", Error, "A directive may not stand at a place any more: documents that have it there are refused.", Some("DIRECTIVE_LOCATION_ADDED")),
    ("ARG_BECAME_REQUIRED", Error, "An argument that may not be null lost its default: operations that leave it out are refused.", Some("ARG_DEFAULT_VALUE_ADDED")),
    ("INPUT_FIELD_BECAME_REQUIRED", Error, "A field of an input type that may not be null lost its default: operations that leave it out are refused.", None),
    ("ONE_OF_ADDED", Error, "Exactly one field of an input type must be given: operations that give none or several are refused.", Some("ONE_OF_REMOVED")),
    ("ONE_OF_REMOVED", Info, "Several fields of an input type may be given.", Some("ONE_OF_ADDED")),
    ("VALUE_ADDED_TO_ENUM", Warning, "An enum has a new value: clients that know all values may meet one that they don't know.", Some("VALUE_REMOVED_FROM_ENUM")),
    ("TYPE_ADDED_TO_UNION", Warning, "A union has a new member: clients that know all members may meet one that they don't know.", Some("TYPE_REMOVED_FROM_UNION")),
    ("OPTIONAL_INPUT_FIELD_ADDED", Warning, "An input type has a new field that may be left out: code that builds all of it may not compile.", Some("FIELD_REMOVED")),
    ("OPTIONAL_ARG_ADDED", Warning, "A field has a new argument that may be left out: code that gives all of them may not compile.", Some("ARG_REMOVED")),
    ("IMPLEMENTED_INTERFACE_ADDED", Warning, "A type implements one more interface: clients that select by interface may meet a type that they don't know.", Some("IMPLEMENTED_INTERFACE_REMOVED")),
    ("ARG_DEFAULT_VALUE_CHANGE", Warning, "The default of an argument changed: operations that leave it out get another answer.", None),
    ("TYPE_ADDED", Info, "There is a new type.", Some("TYPE_REMOVED")),
    ("FIELD_ADDED", Info, "There is a new field.", Some("FIELD_REMOVED")),
    ("FIELD_CHANGED_KIND_SAFE", Info, "A field has another type, which all operations are still valid for.", None),
    ("ARG_CHANGED_KIND_SAFE", Info, "An argument has another type, which takes all that it took.", None),
    ("ARG_DEFAULT_VALUE_ADDED", Info, "An argument has a default now.", Some("ARG_DEFAULT_VALUE_CHANGE")),
    ("DIRECTIVE_ADDED", Info, "There is a new directive.", Some("DIRECTIVE_REMOVED")),
    ("OPTIONAL_DIRECTIVE_ARG_ADDED", Info, "A directive has a new argument that may be left out.", Some("DIRECTIVE_ARG_REMOVED")),
    ("DIRECTIVE_REPEATABLE_ADDED", Info, "A directive may be repeated now.", Some("DIRECTIVE_REPEATABLE_REMOVED")),
    ("DIRECTIVE_LOCATION_ADDED", Info, "A directive may stand at one more place.", Some("DIRECTIVE_LOCATION_REMOVED")),
    ("ROOT_TYPE_REMOVED", Error, "Queries, mutations or subscriptions are no longer served: all of them are refused.", Some("ROOT_TYPE_ADDED")),
    ("ROOT_TYPE_CHANGED", Error, "Another type serves queries, mutations or subscriptions: operations that select what it hasn't are refused.", Some("ROOT_TYPE_CHANGED")),
    ("ROOT_TYPE_ADDED", Info, "Queries, mutations or subscriptions are served now.", Some("ROOT_TYPE_REMOVED")),
    ("INPUT_FIELD_DEFAULT_VALUE_CHANGE", Info, "The default of a field of an input type changed: what is left out may be read as another value.", Some("INPUT_FIELD_DEFAULT_VALUE_CHANGE")),
    ("DEPRECATION_ADDED", Info, "A field or a value is deprecated now.", Some("DEPRECATION_REMOVED")),
    ("DEPRECATION_REMOVED", Info, "A field or a value is no longer deprecated.", Some("DEPRECATION_ADDED")),
];

/// The level of a rule; what isn't in the table breaks.
pub(super) fn level(id: &str) -> Level {
    level_in(RULES, id)
}

/// All rules, for people.
pub(super) fn rules() -> Vec<Rule> {
    rules_in("graphql", RULES)
}
