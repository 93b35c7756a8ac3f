//! What can happen to a schema: one row each, with its level for what clients write and for what they read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::Level::{self, Error, Info, Warning};
use crate::tree::{Sym, word};

/// One thing that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Name, which ids of rules end with.
    pub(crate) name: &'static str,
    /// How bad where the client writes it.
    pub(crate) request: Level,
    /// How bad where the client reads it.
    pub(crate) response: Level,
    /// What it is backwards.
    pub(crate) opposite: &'static str,
    /// What it means, a clause.
    pub(crate) text: &'static str,
}

const fn row(name: &'static str, request: Level, response: Level, opposite: &'static str, text: &'static str) -> Row {
    Row {
        name,
        request,
        response,
        opposite,
        text,
    }
}

/// How a bound restricts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// A greater number allows more.
    Upper,
    /// A smaller number allows more.
    Lower,
    /// A divisor of the number allows more.
    Multiple,
}

/// A keyword with a number that bounds values, and what can happen to it.
pub(crate) struct BoundRow {
    pub(crate) keyword: Sym,
    pub(crate) bound: Bound,
    pub(crate) increased: &'static str,
    pub(crate) decreased: &'static str,
    pub(crate) set: &'static str,
    pub(crate) unset: &'static str,
}

macro_rules! bounds {
    ($($keyword:ident $bound:ident $name:literal),* $(,)?) => {
        /// Bounds.
        pub(crate) const BOUNDS: &[BoundRow] = &[$(BoundRow {
            keyword: word::$keyword,
            bound: Bound::$bound,
            increased: concat!($name, "-increased"),
            decreased: concat!($name, "-decreased"),
            set: concat!($name, "-set"),
            unset: concat!($name, "-unset"),
        }),*];
    };
}

bounds! {
    MAXIMUM Upper "max", MINIMUM Lower "min", EXCLUSIVE_MAXIMUM Upper "exclusive-max",
    EXCLUSIVE_MINIMUM Lower "exclusive-min", MULTIPLE_OF Multiple "multiple-of", MAX_LENGTH Upper "max-length",
    MIN_LENGTH Lower "min-length", MAX_ITEMS Upper "max-items", MIN_ITEMS Lower "min-items",
    MAX_PROPERTIES Upper "max-properties", MIN_PROPERTIES Lower "min-properties", MAX_CONTAINS Upper "max-contains",
    MIN_CONTAINS Lower "min-contains",
}

/// A new bound was often kept before it was written down: a warning to who writes. A lost one lets anything come.
fn bound_rows(bound: &BoundRow) -> [Row; 4] {
    let (increased, decreased) = match bound.bound {
        Bound::Upper => ((Info, Error), (Error, Info)),
        Bound::Lower | Bound::Multiple => ((Error, Info), (Info, Error)),
    };
    [
        row(
            bound.increased,
            increased.0,
            increased.1,
            bound.decreased,
            "the bound is greater",
        ),
        row(
            bound.decreased,
            decreased.0,
            decreased.1,
            bound.increased,
            "the bound is smaller",
        ),
        row(
            bound.set,
            Warning,
            Info,
            bound.unset,
            "there is a bound where there was none",
        ),
        row(bound.unset, Info, Error, bound.set, "a bound is gone"),
    ]
}

/// A keyword that restricts by being there, and what can happen to it.
pub(crate) struct Restriction {
    pub(crate) keyword: Sym,
    pub(crate) added: &'static str,
    pub(crate) removed: &'static str,
}

macro_rules! restrictions {
    ($($keyword:ident $name:literal),* $(,)?) => {
        /// Keywords whose value is a schema that is compared where both sides have it.
        pub(crate) const RESTRICTIONS: &[Restriction] = &[$(Restriction {
            keyword: word::$keyword,
            added: concat!($name, "-added"),
            removed: concat!($name, "-removed"),
        }),*];
    };
}

restrictions! {
    IF "if", THEN "then", ELSE "else", CONTAINS "contains", PROPERTY_NAMES "property-names",
    UNEVALUATED_ITEMS "unevaluated-items", UNEVALUATED_PROPERTIES "unevaluated-properties",
    CONTENT_SCHEMA "content-schema",
}

fn restriction_rows(keyword: &Restriction) -> [Row; 2] {
    [
        row(keyword.added, Error, Info, keyword.removed, "a restriction is new"),
        row(keyword.removed, Info, Error, keyword.added, "a restriction is gone"),
    ]
}

/// Everything that isn't a bound or a restriction of the tables above.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("type-changed", Error, Error, "type-changed", "the type or format is another"),
    row("type-generalized", Info, Error, "type-specialized", "more types or formats are possible"),
    row("type-specialized", Error, Info, "type-generalized", "fewer types or formats are possible"),
    row("type-compatible", Info, Info, "type-changed", "the type is another, but as plain text the values fit"),
    row("became-impossible", Error, Info, "became-possible", "no value is possible any more"),
    row("became-possible", Info, Error, "became-impossible", "some value is possible now"),
    row("list-of-types-widened", Info, Error, "list-of-types-narrowed", "further types are possible"),
    row("list-of-types-narrowed", Error, Info, "list-of-types-widened", "some types aren't possible any more"),
    row("became-nullable", Info, Error, "became-not-nullable", "null is possible"),
    row("became-not-nullable", Error, Info, "became-nullable", "null isn't possible any more"),
    row("became-enum", Error, Info, "enum-removed", "only listed values are possible"),
    row("enum-removed", Info, Warning, "became-enum", "values aren't limited to a list any more"),
    row("enum-value-removed", Error, Info, "enum-value-added", "a listed value isn't possible any more"),
    row("enum-value-added", Info, Warning, "enum-value-removed", "a further value is possible"),
    row("x-extensible-enum-value-removed", Error, Info, "x-extensible-enum-value-added", "a listed value is gone"),
    row("x-extensible-enum-value-added", Info, Info, "x-extensible-enum-value-removed", "a further value is listed"),
    row("const-added", Error, Info, "const-removed", "only one value is possible"),
    row("const-removed", Info, Error, "const-added", "more than one value is possible"),
    row("const-changed", Error, Error, "const-changed", "another value is the only one"),
    row("default-value-added", Info, Info, "default-value-removed", "a default is new"),
    row("default-value-removed", Info, Info, "default-value-added", "a default is gone"),
    row("default-value-changed", Info, Info, "default-value-changed", "the default is another"),
    row("pattern-added", Error, Info, "pattern-removed", "texts must match a pattern"),
    row("pattern-removed", Info, Warning, "pattern-added", "texts needn't match a pattern any more"),
    row("pattern-changed", Warning, Warning, "pattern-changed", "the pattern is another, and may allow fewer or more texts"),
    row("pattern-generalized", Info, Warning, "pattern-changed", "the pattern allows any text"),
    row("unique-items-set", Warning, Info, "unique-items-unset", "items must be different"),
    row("unique-items-unset", Info, Warning, "unique-items-set", "items may be equal"),
    row("content-media-type-changed", Error, Error, "content-media-type-changed", "the text holds another media type"),
    row("content-encoding-changed", Error, Error, "content-encoding-changed", "the text is encoded in another way"),
    row("all-of-added", Error, Info, "all-of-removed", "a further schema must hold"),
    row("all-of-removed", Warning, Info, "all-of-added", "a schema needn't hold any more"),
    row("all-of-added-annotation-only", Info, Info, "all-of-removed-annotation-only", "a schema that restricts nothing is new"),
    row("all-of-removed-annotation-only", Info, Info, "all-of-added-annotation-only", "a schema that restricts nothing is gone"),
    row("any-of-added", Info, Warning, "any-of-removed", "a further alternative is possible"),
    row("any-of-removed", Error, Info, "any-of-added", "an alternative isn't possible any more"),
    row("one-of-added", Info, Error, "one-of-removed", "a further alternative is possible"),
    row("one-of-removed", Error, Info, "one-of-added", "an alternative isn't possible any more"),
    row("wrapped-in-one-of", Error, Error, "unwrapped-from-one-of", "what was one object is a choice among several"),
    row("unwrapped-from-one-of", Error, Warning, "wrapped-in-one-of", "what was a choice among several is one object"),
    row("choice-added", Error, Info, "choice-removed", "only some alternatives are possible"),
    row("choice-removed", Info, Error, "choice-added", "not only some alternatives are possible any more"),
    row("if-changed", Error, Error, "if-changed", "a condition is another"),
    row("not-added", Error, Info, "not-removed", "some values are ruled out"),
    row("not-removed", Info, Error, "not-added", "values that were ruled out are possible"),
    row("not-changed", Error, Error, "not-changed", "other values are ruled out"),
    row("discriminator-added", Info, Info, "discriminator-removed", "a property tells the alternatives apart"),
    row("discriminator-removed", Info, Info, "discriminator-added", "no property tells the alternatives apart any more"),
    row("discriminator-property-name-changed", Info, Info, "discriminator-property-name-changed", "another property tells the alternatives apart"),
    row("discriminator-mapping-added", Info, Info, "discriminator-mapping-deleted", "a further value names an alternative"),
    row("discriminator-mapping-deleted", Info, Info, "discriminator-mapping-added", "a value doesn't name an alternative any more"),
    row("discriminator-mapping-changed", Info, Info, "discriminator-mapping-changed", "a value names another alternative"),
    row("subtype-added", Info, Warning, "subtype-removed", "a further schema inherits from this one"),
    row("subtype-removed", Error, Info, "subtype-added", "a schema doesn't inherit from this one any more"),
    row("prefix-items-added", Info, Error, "prefix-items-removed", "the tuple has a further place"),
    row("prefix-items-removed", Error, Info, "prefix-items-added", "the tuple lost a place"),
    row("items-closed", Error, Info, "items-opened", "no further items are possible"),
    row("items-opened", Info, Warning, "items-closed", "further items are possible"),
    row("items-added", Warning, Info, "items-removed", "items are restricted"),
    row("items-removed", Info, Warning, "items-added", "items aren't restricted any more"),
    row("dependent-required-added", Error, Info, "dependent-required-removed", "a property asks for others"),
    row("dependent-required-removed", Info, Error, "dependent-required-added", "a property doesn't ask for others any more"),
    row("dependent-required-changed", Error, Error, "dependent-required-changed", "a property asks for other ones"),
    row("dependent-schema-added", Error, Info, "dependent-schema-removed", "a property asks for a schema"),
    row("dependent-schema-removed", Info, Error, "dependent-schema-added", "a property doesn't ask for a schema any more"),
    row("pattern-property-added", Error, Info, "pattern-property-removed", "properties of some names are restricted"),
    row("pattern-property-removed", Info, Error, "pattern-property-added", "properties of some names aren't restricted any more"),
    row("additional-properties-forbidden", Warning, Info, "additional-properties-allowed", "properties that aren't named are refused"),
    row("additional-properties-allowed", Info, Info, "additional-properties-forbidden", "properties that aren't named are possible"),
    row("additional-properties-restricted", Warning, Info, "additional-properties-unrestricted", "properties that aren't named have a schema"),
    row("additional-properties-unrestricted", Info, Warning, "additional-properties-restricted", "properties that aren't named have no schema any more"),
    row("property-refused", Error, Info, "property-accepted", "a property is neither named any more nor possible without a name"),
    row("property-accepted", Info, Info, "property-refused", "a property is named that was refused"),
    row("undescribed-property-required", Error, Info, "undescribed-property-optional", "a property is asked for that isn't described"),
    row("undescribed-property-optional", Info, Error, "undescribed-property-required", "a property that isn't described isn't asked for any more"),
    row("xml-changed", Warning, Warning, "xml-changed", "the XML is written in another way"),
    row("deprecated", Info, Info, "reactivated", "it is deprecated"),
    row("deprecated-with-sunset", Info, Info, "reactivated", "it is deprecated, and when it ends is known"),
    row("deprecated-sunset-invalid", Error, Error, "reactivated", "it is deprecated, and when it ends can't be read"),
    row("deprecated-sunset-missing", Error, Error, "reactivated", "it is deprecated without the date of its end that the policy asks for"),
    row("sunset-date-too-small", Error, Error, "reactivated", "it ends sooner than the policy allows"),
    row("reactivated", Info, Info, "deprecated", "it isn't deprecated any more"),
    row("stability-decreased", Error, Error, "stability-increased", "it promises less stability"),
    row("stability-invalid", Error, Error, "stability-invalid", "what it promises can't be read"),
    row("stability-increased", Info, Info, "stability-decreased", "it promises more stability"),
];

/// Rows that only warn who writes, although they rule out what was possible: in practice it often was ruled out before.
const NARROWING: [&str; 5] = [
    "pattern-changed",
    "unique-items-set",
    "items-added",
    "additional-properties-forbidden",
    "additional-properties-restricted",
];

/// Whether a row rules out what was possible, or may.
pub(crate) fn narrows(name: &str) -> bool {
    NARROWING.contains(&name) || BOUNDS.iter().any(|bound| bound.set == name)
}

static BY_NAME: LazyLock<BTreeMap<&'static str, Row>> = LazyLock::new(|| rows().map(|row| (row.name, row)).collect());

/// All rows.
pub(crate) fn rows() -> impl Iterator<Item = Row> {
    let bounds = BOUNDS.iter().flat_map(bound_rows);
    let restrictions = RESTRICTIONS.iter().flat_map(restriction_rows);
    ROWS.iter().copied().chain(bounds).chain(restrictions)
}

/// The row of a name.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    BY_NAME.get(name)
}
