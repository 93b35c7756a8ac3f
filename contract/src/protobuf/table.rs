//! The rules of `buf breaking` (buf.build/docs/breaking/rules), one line each: id, categories, what it means.
//!
//! Every rule is an error. buf calls all of them breaking, and its default category is the strictest, `FILE`: a break
//! of `WIRE` or `WIRE_JSON` makes messages unreadable between programs that run, one of `FILE` or `PACKAGE` alone
//! makes code fail that is generated anew. Which of these matters is told by the categories, not by the level.

use super::config::Version;
use crate::{Level, Rule};

/// For whom a change breaks, the strictest first; names as in `categories` of a change.
pub(super) const FILE: &str = "FILE";
pub(super) const PACKAGE: &str = "PACKAGE";
pub(super) const WIRE_JSON: &str = "WIRE_JSON";
pub(super) const WIRE: &str = "WIRE";

type Categories = &'static [&'static str];

const ALL: Categories = &[FILE, PACKAGE, WIRE_JSON, WIRE];
const GENERATED_AND_JSON: Categories = &[FILE, PACKAGE, WIRE_JSON];
const GENERATED: Categories = &[FILE, PACKAGE];
const ONE_FILE: Categories = &[FILE];
const ONE_PACKAGE: Categories = &[PACKAGE];
const BOTH_WIRES: Categories = &[WIRE_JSON, WIRE];
const JSON: Categories = &[WIRE_JSON];
const BINARY: Categories = &[WIRE];

/// Id, categories in version 2 of the configuration, and what it means.
pub(super) struct Entry {
    pub id: &'static str,
    categories: Categories,
    explanation: &'static str,
}

const fn rule(id: &'static str, categories: Categories, explanation: &'static str) -> Entry {
    Entry {
        id,
        categories,
        explanation,
    }
}

/// All rules.
#[rustfmt::skip]
pub(super) const RULES: &[Entry] = &[
    rule("ENUM_NO_DELETE", ONE_FILE, "An enum is gone from its file: code that includes what was generated for the file doesn't compile."),
    rule("EXTENSION_NO_DELETE", ONE_FILE, "An extension is gone from its file: code that includes what was generated for the file doesn't compile."),
    rule("FILE_NO_DELETE", ONE_FILE, "A file is gone: files that import it, and code that includes what was generated for it, don't compile."),
    rule("MESSAGE_NO_DELETE", ONE_FILE, "A message is gone from its file: code that includes what was generated for the file doesn't compile."),
    rule("SERVICE_NO_DELETE", ONE_FILE, "A service is gone from its file: its clients and servers don't compile, and calls fail."),
    rule("ENUM_SAME_TYPE", GENERATED, "An enum became open or closed: numbers without a name are kept or dropped where they weren't before."),
    rule("ENUM_VALUE_NO_DELETE", GENERATED, "A value is gone from an enum: code that names it doesn't compile."),
    rule("EXTENSION_MESSAGE_NO_DELETE", GENERATED, "A message no longer allows extensions at some numbers: extensions there don't compile."),
    rule("FIELD_NO_DELETE", GENERATED, "A field is gone: code that reads or writes it doesn't compile."),
    rule("FIELD_SAME_CARDINALITY", GENERATED, "A field became repeated, a map, required or optional, or tells unset from zero differently: its accessors changed."),
    rule("FIELD_SAME_CPP_STRING_TYPE", GENERATED, "The type of a string in C++ changed: code that uses the accessors doesn't compile."),
    rule("FIELD_SAME_JAVA_UTF8_VALIDATION", GENERATED, "Java checks a string for UTF-8 where it didn't, or no longer does: messages that were read are refused."),
    rule("FIELD_SAME_JSTYPE", GENERATED, "The type of a 64-bit number in JavaScript changed: code that uses the accessors fails."),
    rule("FIELD_SAME_TYPE", GENERATED, "The type of a field changed: code that reads or writes it doesn't compile."),
    rule("FIELD_SAME_UTF8_VALIDATION", GENERATED, "A string is checked for UTF-8 where it wasn't, or no longer is: messages that were read are refused."),
    rule("FILE_SAME_CC_ENABLE_ARENAS", GENERATED, "The option `cc_enable_arenas` changed: C++ code that allocates messages on an arena doesn't compile."),
    rule("FILE_SAME_CC_GENERIC_SERVICES", GENERATED, "The option `cc_generic_services` changed: service classes in C++ appear or vanish."),
    rule("FILE_SAME_CSHARP_NAMESPACE", GENERATED, "The namespace of the C# code changed: code that uses it doesn't compile."),
    rule("FILE_SAME_GO_PACKAGE", GENERATED, "The import path of the Go code changed: code that imports it doesn't compile."),
    rule("FILE_SAME_JAVA_GENERIC_SERVICES", GENERATED, "The option `java_generic_services` changed: service classes in Java appear or vanish."),
    rule("FILE_SAME_JAVA_MULTIPLE_FILES", GENERATED, "The option `java_multiple_files` changed: Java classes moved, and code that imports them doesn't compile."),
    rule("FILE_SAME_JAVA_OUTER_CLASSNAME", GENERATED, "The outer class of the Java code changed: code that imports it doesn't compile."),
    rule("FILE_SAME_JAVA_PACKAGE", GENERATED, "The package of the Java code changed: code that imports it doesn't compile."),
    rule("FILE_SAME_OBJC_CLASS_PREFIX", GENERATED, "The prefix of Objective-C classes changed: code that names them doesn't compile."),
    rule("FILE_SAME_OPTIMIZE_FOR", GENERATED, "The option `optimize_for` changed: a lite runtime lacks what the full one has, and the base class changes."),
    rule("FILE_SAME_PHP_CLASS_PREFIX", GENERATED, "The prefix of PHP classes changed: code that names them fails."),
    rule("FILE_SAME_PHP_METADATA_NAMESPACE", GENERATED, "The namespace of the PHP metadata changed: code that names it fails."),
    rule("FILE_SAME_PHP_NAMESPACE", GENERATED, "The namespace of the PHP code changed: code that names it fails."),
    rule("FILE_SAME_PY_GENERIC_SERVICES", GENERATED, "The option `py_generic_services` changed: service classes in Python appear or vanish."),
    rule("FILE_SAME_RUBY_PACKAGE", GENERATED, "The package of the Ruby code changed: code that names it fails."),
    rule("FILE_SAME_SWIFT_PREFIX", GENERATED, "The prefix of Swift types changed: code that names them doesn't compile."),
    rule("FILE_SAME_SYNTAX", GENERATED, "The syntax changed: presence, enums and generated accessors follow other rules."),
    rule("MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR", GENERATED, "A message no longer offers `descriptor()`: code that calls it doesn't compile."),
    rule("ONEOF_NO_DELETE", GENERATED, "A oneof is gone: code that asks which of its fields is set doesn't compile."),
    rule("RPC_NO_DELETE", GENERATED, "A method is gone: clients that call it don't compile, and calls fail."),
    rule("ENUM_SAME_JSON_FORMAT", GENERATED_AND_JSON, "An enum no longer promises its JSON format: JSON that was read may be refused."),
    rule("ENUM_VALUE_SAME_NAME", GENERATED_AND_JSON, "A value of an enum has another name: code that names it doesn't compile, and JSON with the old name is refused."),
    rule("FIELD_SAME_JSON_NAME", GENERATED_AND_JSON, "A field has another name in JSON: readers look for the old one."),
    rule("FIELD_SAME_NAME", GENERATED_AND_JSON, "A field has another name: code that uses its accessors doesn't compile, and JSON carries another name."),
    rule("MESSAGE_SAME_JSON_FORMAT", GENERATED_AND_JSON, "A message no longer promises its JSON format: JSON that was read may be refused."),
    rule("FIELD_SAME_DEFAULT", ALL, "The default of a field changed: what isn't sent is read as another value."),
    rule("FIELD_SAME_ONEOF", ALL, "A field moved into, out of or between oneofs: setting one field now clears another, or no longer does."),
    rule("FILE_SAME_PACKAGE", ALL, "A file declares another package: all full names changed, in code, in paths of methods and in `Any`."),
    rule("MESSAGE_SAME_REQUIRED_FIELDS", ALL, "A required field was added or removed: the side that doesn't know of it sends or gets messages that are refused."),
    rule("RESERVED_ENUM_NO_DELETE", ALL, "A reservation is gone from an enum: a number or name of the past can come back with another meaning."),
    rule("RESERVED_MESSAGE_NO_DELETE", ALL, "A reservation is gone from a message: a number or name of the past can come back with another meaning."),
    rule("RPC_SAME_CLIENT_STREAMING", ALL, "A method takes a stream where it took one message, or the other way round: calls fail."),
    rule("RPC_SAME_IDEMPOTENCY_LEVEL", ALL, "A method promises another idempotency: clients retry, cache or use `GET` where they mustn't."),
    rule("RPC_SAME_REQUEST_TYPE", ALL, "A method takes another message: requests are misread."),
    rule("RPC_SAME_RESPONSE_TYPE", ALL, "A method answers with another message: answers are misread."),
    rule("RPC_SAME_SERVER_STREAMING", ALL, "A method answers with a stream where it gave one message, or the other way round: calls fail."),
    rule("PACKAGE_ENUM_NO_DELETE", ONE_PACKAGE, "An enum is gone from its package: code that names it doesn't compile."),
    rule("PACKAGE_EXTENSION_NO_DELETE", ONE_PACKAGE, "An extension is gone from its package: code that names it doesn't compile."),
    rule("PACKAGE_MESSAGE_NO_DELETE", ONE_PACKAGE, "A message is gone from its package: code that names it doesn't compile."),
    rule("PACKAGE_NO_DELETE", ONE_PACKAGE, "A package is gone, with all that it declared."),
    rule("PACKAGE_SERVICE_NO_DELETE", ONE_PACKAGE, "A service is gone from its package: its clients and servers don't compile, and calls fail."),
    rule("ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", JSON, "A value is gone from an enum and its name isn't reserved: it can come back with another number."),
    rule("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", JSON, "A field is gone and its name isn't reserved: it can come back with another meaning."),
    rule("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", JSON, "A field stands once where it stood many times in JSON, or the other way round: readers refuse it."),
    rule("FIELD_WIRE_JSON_COMPATIBLE_TYPE", JSON, "The type of a field changed to one that JSON or the binary format writes differently."),
    rule("ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", BOTH_WIRES, "A value is gone from an enum and its number isn't reserved: it can come back with another meaning."),
    rule("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", BOTH_WIRES, "A field is gone and its number isn't reserved: it can come back with another type."),
    rule("FIELD_WIRE_COMPATIBLE_CARDINALITY", BINARY, "A field stands once where it stood many times, or became required: readers lose or refuse values."),
    rule("FIELD_WIRE_COMPATIBLE_TYPE", BINARY, "The type of a field changed to one that the binary format writes differently: values are misread."),
];

/// Ids of the past, and what took their place.
pub(super) const REPLACED: &[(&str, &[&str])] = &[
    ("FIELD_SAME_CTYPE", &["FIELD_SAME_CPP_STRING_TYPE"]),
    (
        "FIELD_SAME_LABEL",
        &[
            "FIELD_SAME_CARDINALITY",
            "FIELD_WIRE_COMPATIBLE_CARDINALITY",
            "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
        ],
    ),
    ("FILE_SAME_JAVA_STRING_CHECK_UTF8", &["FIELD_SAME_JAVA_UTF8_VALIDATION"]),
    ("FILE_SAME_PHP_GENERIC_SERVICES", &[]),
    ("MESSAGE_SAME_MESSAGE_SET_WIRE_FORMAT", &[]),
];

/// Rules that came with version 2 of the configuration.
const SINCE_V2: &[&str] = &[
    "EXTENSION_NO_DELETE",
    "FIELD_SAME_DEFAULT",
    "PACKAGE_EXTENSION_NO_DELETE",
];

/// The categories of a rule in a version of buf's configuration; none where the version hasn't the rule.
pub(super) fn categories(id: &str, version: Version) -> Categories {
    let found = RULES
        .iter()
        .find(|rule| rule.id == id)
        .map_or(&[][..], |rule| rule.categories);
    match (version, id) {
        (Version::V2, _) => found,
        (_, id) if SINCE_V2.contains(&id) => &[],
        (Version::V1, _) => found,
        (Version::V1Beta1, "FIELD_SAME_CARDINALITY" | "FIELD_SAME_TYPE") => ALL,
        (Version::V1Beta1, "FILE_SAME_PACKAGE") => ONE_FILE,
        (Version::V1Beta1, "FIELD_WIRE_COMPATIBLE_TYPE" | "FIELD_WIRE_JSON_COMPATIBLE_TYPE") => &[],
        (Version::V1Beta1, _) => found,
    }
}

/// All rules, for people.
pub(super) fn rules() -> Vec<Rule> {
    // What must stay the same fires in both directions; what may not vanish may come.
    let symmetric = |id: &str| id.contains("_SAME_") || id.contains("_COMPATIBLE_");
    let one_way = |id: &str| id.ends_with("_SAME_JSON_FORMAT");
    RULES
        .iter()
        .map(|rule| Rule {
            kind: "protobuf",
            id: rule.id.to_owned(),
            level: Level::Error,
            explanation: {
                let since = if SINCE_V2.contains(&rule.id) {
                    ", since version 2 of buf's configuration"
                } else {
                    ""
                };
                format!("{} Breaks {}{since}.", rule.explanation, rule.categories.join(", "))
            },
            opposite: (symmetric(rule.id) && !one_way(rule.id)).then(|| rule.id.to_owned()),
        })
        .collect()
}
