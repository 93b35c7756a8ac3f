//! The rules, one line each, with who breaks: readers or writers that knew the old schema.

use crate::rule::{Row, level_in, rules_in};
use crate::{Level, Rule};

use Level::{Error, Info, Warning};

#[rustfmt::skip]
const RULES: &[Row] = &[
    ("TABLE_DROPPED", Error, "A table is gone: all that reads or writes it fails.", Some("TABLE_ADDED")),
    ("TABLE_RENAMED", Error, "A table has another name: all that uses the old one fails.", Some("TABLE_DROPPED")),
    ("TABLE_ADDED", Info, "There is a new table.", Some("TABLE_DROPPED")),
    ("COLUMN_DROPPED", Error, "A column is gone: queries that read or write it fail.", Some("COLUMN_ADDED")),
    ("COLUMN_RENAMED", Error, "A column has another name: queries that use the old one fail.", Some("COLUMN_DROPPED")),
    ("COLUMN_ADDED", Info, "There is a new column, which writers needn't give.", Some("COLUMN_DROPPED")),
    ("REQUIRED_COLUMN_ADDED", Error, "There is a new column that must be given and has no default: writers that don't know it are refused.", Some("COLUMN_DROPPED")),
    ("COLUMN_NARROWED", Error, "Less fits into a column: writers are refused or cut off, and so may be what is stored.", None),
    ("COLUMN_WIDENED", Warning, "More fits into a column: readers may meet values that their types don't hold.", Some("COLUMN_NARROWED")),
    ("COLUMN_LENGTHENED", Info, "Longer text or more bytes fit into a column.", Some("COLUMN_NARROWED")),
    ("COLUMN_TYPE_CHANGED", Error, "A column holds another kind of value: readers misread it, and writers are refused.", Some("COLUMN_TYPE_CHANGED")),
    ("COLUMN_PADDING_CHANGED", Warning, "Shorter text of a column is filled up with spaces, or no longer is: readers that compare it may miss it.", Some("COLUMN_PADDING_CHANGED")),
    ("COLLATION_CHANGED", Warning, "Text is held or compared otherwise: it may be sorted, found and told apart otherwise, and not all of it may fit.", Some("COLLATION_CHANGED")),
    ("COMPUTED_CHANGED", Warning, "The database computes the value of a column otherwise: readers get other values.", Some("COMPUTED_CHANGED")),
    ("NOT_NULL_ADDED", Error, "A column must be given and has no default: writers that leave it out are refused.", Some("NOT_NULL_DROPPED")),
    ("NOT_NULL_ADDED_WITH_DEFAULT", Warning, "A column may no longer be null; writers that leave it out get the default, those that write null are refused.", Some("NOT_NULL_DROPPED")),
    ("NOT_NULL_DROPPED", Warning, "A column may be null now: readers that expect a value may fail.", None),
    ("REQUIRED_DEFAULT_DROPPED", Error, "A column that may not be null lost its default: writers that leave it out are refused.", Some("DEFAULT_ADDED")),
    ("DEFAULT_DROPPED", Warning, "A column lost its default: rows of writers that leave it out are null there.", Some("DEFAULT_ADDED")),
    ("DEFAULT_CHANGED", Warning, "A column has another default: rows of writers that leave it out differ.", Some("DEFAULT_CHANGED")),
    ("ALWAYS_GENERATED_ADDED", Error, "The database gives a column itself, always: writers that give it are refused.", Some("ALWAYS_GENERATED_DROPPED")),
    ("ALWAYS_GENERATED_DROPPED", Warning, "The database doesn't give a column itself any more: rows of writers that leave it out differ.", Some("ALWAYS_GENERATED_ADDED")),
    ("DEFAULT_ADDED", Info, "A column has a default now.", None),
    ("PRIMARY_KEY_CHANGED", Error, "The primary key is another: writers may be refused, and what finds rows by the old one fails.", Some("PRIMARY_KEY_CHANGED")),
    ("UNIQUE_ADDED", Error, "Values must be unique: writers that repeat one are refused.", Some("UNIQUE_DROPPED")),
    ("UNIQUE_DROPPED", Warning, "Values needn't be unique any more: readers that expect one row may get more, and `ON CONFLICT` on it fails.", Some("UNIQUE_ADDED")),
    ("CHECK_ADDED", Error, "Values must meet a condition: writers of others are refused.", Some("CHECK_DROPPED")),
    ("CHECK_DROPPED", Warning, "Values needn't meet a condition any more: readers may meet ones that they don't expect.", Some("CHECK_ADDED")),
    ("FOREIGN_KEY_ADDED", Error, "A row must refer to one that exists: writers in another order, and deletions, are refused.", Some("FOREIGN_KEY_DROPPED")),
    ("FOREIGN_KEY_DROPPED", Warning, "A row needn't refer to one that exists: readers that follow it may find nothing.", Some("FOREIGN_KEY_ADDED")),
    ("CONSTRAINT_CHANGED", Warning, "A constraint is checked at another time, or does something else with rows whose target goes: writers may be refused, and rows may go or stay.", Some("CONSTRAINT_CHANGED")),
    ("VIEW_DROPPED", Error, "A view is gone: all that reads it fails.", Some("VIEW_ADDED")),
    ("VIEW_COLUMN_DROPPED", Error, "A view lost a column: queries that read it fail.", None),
    ("VIEW_CHANGED", Warning, "A view is defined otherwise: readers may get other columns or rows.", Some("VIEW_CHANGED")),
    ("VIEW_ADDED", Info, "There is a new view.", Some("VIEW_DROPPED")),
    ("ENUM_DROPPED", Error, "A type that lists values is gone: what names it fails.", Some("ENUM_ADDED")),
    ("ENUM_VALUE_REMOVED", Error, "A type lost a value: writers that give it are refused.", Some("ENUM_VALUE_ADDED")),
    ("ENUM_VALUE_ADDED", Warning, "A type has a new value: readers that know all values may meet one that they don't know.", Some("ENUM_VALUE_REMOVED")),
    ("ENUM_ADDED", Info, "There is a new type that lists values.", Some("ENUM_DROPPED")),
];

/// The level of a rule; what isn't in the table breaks.
pub(super) fn level(id: &str) -> Level {
    level_in(RULES, id)
}

/// All rules, for people.
pub(super) fn rules() -> Vec<Rule> {
    rules_in("sql", RULES)
}
