use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::table::RULES;
use super::{ProtobufConfig, diff, diff_with, rules};
use crate::{ContractDiff, DiffVerdict, Level};

type Files = BTreeMap<String, String>;

fn files(files: &[(&str, &str)]) -> Files {
    let file = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    files.iter().map(file).collect()
}

fn one(text: &str) -> Files {
    files(&[("a.proto", text)])
}

/// A file of proto3 in package `a`.
fn proto3(body: &str) -> String {
    format!("syntax = \"proto3\";\npackage a;\n{body}\n")
}

fn proto2(body: &str) -> String {
    format!("syntax = \"proto2\";\npackage a;\n{body}\n")
}

fn edition(body: &str) -> String {
    format!("edition = \"2023\";\npackage a;\n{body}\n")
}

fn found(base: &Files, revision: &Files) -> ContractDiff {
    diff(base, revision).unwrap_or_else(|error| panic!("{}", error.one_line()))
}

fn fires(diff: &ContractDiff, rule: &str) -> bool {
    diff.changes.iter().any(|change| change.rule == rule)
}

const M: &str = "message M { string s = 1; }";

/// For each rule the base, and a revision that breaks it.
fn fixtures() -> Vec<(&'static str, Files, Files)> {
    let three = |rule, base: &str, revision: &str| (rule, one(&proto3(base)), one(&proto3(revision)));
    let two = |rule, base: &str, revision: &str| (rule, one(&proto2(base)), one(&proto2(revision)));
    let option = |rule, option: &str| {
        let base = proto3(M);
        let revision = proto3(&format!("option {option};\n{M}"));
        (rule, one(&base), one(&revision))
    };
    let ext = "message M { extensions 100 to 200; }";
    let rpc = |method: &str| format!("{M} message N {{}} service S {{ {method} }}");
    let both = |extra: &str| files(&[("a.proto", &proto3(M)), ("b.proto", &proto3(extra))]);
    let ext2 = |extra: &str| files(&[("a.proto", &proto2(ext)), ("b.proto", &proto2(extra))]);
    let enum3 = |values: &str| format!("enum E {{ Z = 0; {values} }}");
    let get = "rpc Get(M) returns (M);";
    vec![
        three("ENUM_NO_DELETE", &enum3("A = 1;"), ""),
        two(
            "EXTENSION_NO_DELETE",
            &format!("{ext} extend M {{ optional string x = 100; }}"),
            ext,
        ),
        ("FILE_NO_DELETE", both("message N {}"), one(&proto3(M))),
        three("MESSAGE_NO_DELETE", M, ""),
        three("SERVICE_NO_DELETE", &rpc(get), M),
        (
            "ENUM_SAME_TYPE",
            one(&edition("enum E { option features.enum_type = CLOSED; Z = 0; }")),
            one(&edition("enum E { Z = 0; }")),
        ),
        three(
            "ENUM_VALUE_NO_DELETE",
            &enum3("A = 1;"),
            &enum3("reserved 1; reserved \"A\";"),
        ),
        two(
            "EXTENSION_MESSAGE_NO_DELETE",
            ext,
            "message M { extensions 100 to 150; }",
        ),
        three("FIELD_NO_DELETE", M, "message M { reserved 1; reserved \"s\"; }"),
        three("FIELD_SAME_CARDINALITY", M, "message M { optional string s = 1; }"),
        three(
            "FIELD_SAME_CPP_STRING_TYPE",
            M,
            "message M { string s = 1 [ctype = CORD]; }",
        ),
        two(
            "FIELD_SAME_JAVA_UTF8_VALIDATION",
            "message M { optional string s = 1; }",
            "option java_string_check_utf8 = true; message M { optional string s = 1; }",
        ),
        three(
            "FIELD_SAME_JSTYPE",
            "message M { int64 i = 1; }",
            "message M { int64 i = 1 [jstype = JS_STRING]; }",
        ),
        three("FIELD_SAME_TYPE", M, "message M { int32 s = 1; }"),
        (
            "FIELD_SAME_UTF8_VALIDATION",
            one(&edition(M)),
            one(&edition(
                "message M { string s = 1 [features.utf8_validation = NONE]; }",
            )),
        ),
        option("FILE_SAME_CC_ENABLE_ARENAS", "cc_enable_arenas = false"),
        option("FILE_SAME_CC_GENERIC_SERVICES", "cc_generic_services = true"),
        option("FILE_SAME_CSHARP_NAMESPACE", "csharp_namespace = \"A\""),
        option("FILE_SAME_GO_PACKAGE", "go_package = \"example.com/a\" \";a\""),
        option("FILE_SAME_JAVA_GENERIC_SERVICES", "java_generic_services = true"),
        option("FILE_SAME_JAVA_MULTIPLE_FILES", "java_multiple_files = true"),
        option("FILE_SAME_JAVA_OUTER_CLASSNAME", "java_outer_classname = \"A\""),
        option("FILE_SAME_JAVA_PACKAGE", "java_package = \"com.a\""),
        option("FILE_SAME_OBJC_CLASS_PREFIX", "objc_class_prefix = \"A\""),
        option("FILE_SAME_OPTIMIZE_FOR", "optimize_for = LITE_RUNTIME"),
        option("FILE_SAME_PHP_CLASS_PREFIX", "php_class_prefix = \"A\""),
        option("FILE_SAME_PHP_METADATA_NAMESPACE", "php_metadata_namespace = \"A\""),
        option("FILE_SAME_PHP_NAMESPACE", "php_namespace = \"A\""),
        option("FILE_SAME_PY_GENERIC_SERVICES", "py_generic_services = true"),
        option("FILE_SAME_RUBY_PACKAGE", "ruby_package = \"A\""),
        option("FILE_SAME_SWIFT_PREFIX", "swift_prefix = \"A\""),
        ("FILE_SAME_SYNTAX", one(&proto3("")), one(&proto2(""))),
        three(
            "MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR",
            M,
            "message M { option no_standard_descriptor_accessor = true; string s = 1; }",
        ),
        three("ONEOF_NO_DELETE", "message M { oneof o { string s = 1; } }", M),
        three("RPC_NO_DELETE", &rpc(get), &rpc("")),
        (
            "ENUM_SAME_JSON_FORMAT",
            one(&proto3(&enum3(""))),
            one(&proto2(&enum3(""))),
        ),
        three("ENUM_VALUE_SAME_NAME", &enum3("A = 1;"), &enum3("B = 1;")),
        three(
            "FIELD_SAME_JSON_NAME",
            M,
            "message M { string s = 1 [json_name = \"t\"]; }",
        ),
        three("FIELD_SAME_NAME", M, "message M { string t = 1; }"),
        (
            "MESSAGE_SAME_JSON_FORMAT",
            one(&proto3("message M {}")),
            one(&proto2("message M {}")),
        ),
        two(
            "FIELD_SAME_DEFAULT",
            "message M { optional int32 i = 1 [default = 1]; }",
            "message M { optional int32 i = 1 [default = 2]; }",
        ),
        three("FIELD_SAME_ONEOF", M, "message M { oneof o { string s = 1; } }"),
        (
            "FILE_SAME_PACKAGE",
            one(&proto3(M)),
            one("syntax = \"proto3\"; package b;"),
        ),
        two(
            "MESSAGE_SAME_REQUIRED_FIELDS",
            "message M {}",
            "message M { required string s = 1; }",
        ),
        three(
            "RESERVED_ENUM_NO_DELETE",
            &enum3("reserved 5 to max; reserved \"A\";"),
            &enum3("reserved 5 to 9; reserved \"A\";"),
        ),
        three(
            "RESERVED_MESSAGE_NO_DELETE",
            "message M { reserved 5, 7; }",
            "message M { reserved 5; }",
        ),
        three(
            "RPC_SAME_CLIENT_STREAMING",
            &rpc(get),
            &rpc("rpc Get(stream M) returns (M);"),
        ),
        three(
            "RPC_SAME_IDEMPOTENCY_LEVEL",
            &rpc(get),
            &rpc("rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }"),
        ),
        three("RPC_SAME_REQUEST_TYPE", &rpc(get), &rpc("rpc Get(N) returns (M);")),
        three(
            "RPC_SAME_RESPONSE_TYPE",
            &rpc(get),
            &rpc("rpc Get(M) returns (.a.N) {}"),
        ),
        three(
            "RPC_SAME_SERVER_STREAMING",
            &rpc(get),
            &rpc("rpc Get(M) returns (stream M);"),
        ),
        (
            "PACKAGE_ENUM_NO_DELETE",
            both("enum E { Z = 0; } enum F { Y = 0; }"),
            both("enum E { Z = 0; }"),
        ),
        (
            "PACKAGE_EXTENSION_NO_DELETE",
            ext2("extend M { optional string x = 100; optional string y = 101; }"),
            ext2("extend M { optional string x = 100; }"),
        ),
        ("PACKAGE_MESSAGE_NO_DELETE", both("message N {}"), one(&proto3(M))),
        (
            "PACKAGE_NO_DELETE",
            one(&proto3(M)),
            one("syntax = \"proto3\"; package b;"),
        ),
        ("PACKAGE_SERVICE_NO_DELETE", both("service S {}"), one(&proto3(M))),
        three(
            "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
            &enum3("A = 1;"),
            &enum3("reserved 1;"),
        ),
        three("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", M, "message M { reserved 1; }"),
        three(
            "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
            M,
            "message M { repeated string s = 1; }",
        ),
        three(
            "FIELD_WIRE_JSON_COMPATIBLE_TYPE",
            "message M { int32 i = 1; }",
            "message M { int64 i = 1; }",
        ),
        three(
            "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
            &enum3("A = 1;"),
            &enum3("reserved \"A\";"),
        ),
        three(
            "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
            M,
            "message M { reserved \"s\"; }",
        ),
        three(
            "FIELD_WIRE_COMPATIBLE_CARDINALITY",
            M,
            "message M { repeated string s = 1; }",
        ),
        three("FIELD_WIRE_COMPATIBLE_TYPE", "message M { bytes s = 1; }", M),
    ]
}

#[test]
fn every_rule_has_a_fixture_that_it_fires_on_and_none_fires_on_itself() {
    let fixtures = fixtures();
    let covered: BTreeSet<&str> = fixtures.iter().map(|(rule, ..)| *rule).collect();
    let all: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(covered, all);
    for (rule, base, revision) in &fixtures {
        let forward = found(base, revision);
        assert!(fires(&forward, rule), "{rule}: {:#?}", forward.changes);
        assert_eq!(forward.verdict(), DiffVerdict::Breaking, "{rule}");
        for side in [base, revision] {
            let same = found(side, side);
            assert_eq!((same.changes, same.gaps), (vec![], vec![]), "{rule}");
        }
    }
}

#[test]
fn swapped_sides_fire_the_opposite() {
    let opposites: BTreeMap<String, Option<String>> =
        rules().into_iter().map(|rule| (rule.id, rule.opposite)).collect();
    // A piece of text may become bytes, but not the other way round.
    let one_way = ["FIELD_WIRE_COMPATIBLE_TYPE"];
    for (rule, base, revision) in fixtures() {
        if let (Some(opposite), false) = (&opposites[rule], one_way.contains(&rule)) {
            let backwards = found(&revision, &base);
            assert!(fires(&backwards, opposite), "{rule}: {:#?}", backwards.changes);
        }
    }
}

#[test]
fn what_may_change_is_not_told() {
    let enum_in = |name: &str, values: &str| {
        proto3(&format!(
            "enum {name} {{ Z = 0; {values} }} message M {{ {name} e = 1; }}"
        ))
    };
    for (base, revision, rule) in [
        (
            proto3("message M { string s = 1; }"),
            proto3("message M { bytes s = 1; }"),
            "FIELD_WIRE_COMPATIBLE_TYPE",
        ),
        (enum_in("E", ""), enum_in("E", "A = 1;"), "ENUM_VALUE_SAME_NAME"),
        (
            proto2("message M { optional group G = 1 { optional int32 i = 1; } }"),
            proto2("message M { optional group G = 1 { optional int32 i = 1; } }"),
            "FIELD_SAME_TYPE",
        ),
        (
            proto2("message M { optional float f = 1 [default = 1.5]; }"),
            proto2("message M { optional double f = 1 [default = 15e-1]; }"),
            "FIELD_SAME_DEFAULT",
        ),
        (
            proto2(
                "message M { optional float f = 1 [default = -nan]; optional uint64 u = 2 [default = 0xFFFFFFFF]; }",
            ),
            proto2(
                "message M { optional double f = 1 [default = nan]; optional uint64 u = 2 [default = 4294967295]; }",
            ),
            "FIELD_SAME_DEFAULT",
        ),
        (
            proto2("message M { optional string s = 1 [ctype = STRING_PIECE]; }"),
            proto2("message M { optional string s = 1; }"),
            "FIELD_SAME_CPP_STRING_TYPE",
        ),
        (
            proto2("message M { reserved 1 to 3, 5; }"),
            proto2("message M { reserved 1, 2, 3 to 9; }"),
            "RESERVED_MESSAGE_NO_DELETE",
        ),
        (
            proto2("message M { required string s = 1; }"),
            edition("message M { string s = 1 [features.field_presence = LEGACY_REQUIRED]; }"),
            "FIELD_SAME_CARDINALITY",
        ),
        (
            proto2("message M { optional group G = 1 {} }"),
            edition("message M { message G {} G g = 1 [features = { message_encoding: DELIMITED }]; }"),
            "FIELD_SAME_TYPE",
        ),
    ] {
        let diff = found(&one(&base), &one(&revision));
        assert!(!fires(&diff, rule), "{rule}: {:#?}", diff.changes);
    }
}

#[test]
fn changes_say_file_line_and_categories() {
    let base = one(&proto3("message Outer {\n  message Inner { string s = 1; }\n}"));
    let revision = one(&proto3("message Outer {\n  message Inner { int64 s = 1; }\n}"));
    let diff = found(&base, &revision);
    let change = |rule: &str| diff.changes.iter().find(|change| change.rule == rule).unwrap();
    let wire = change("FIELD_WIRE_COMPATIBLE_TYPE");
    assert_eq!((wire.path.as_str(), wire.line), ("a.proto", Some(4)));
    assert_eq!(wire.location, "a.Outer.Inner.s");
    assert_eq!(wire.categories, ["WIRE"]);
    assert_eq!(change("FIELD_SAME_TYPE").categories, ["FILE", "PACKAGE"]);
    assert_eq!(
        change("FIELD_SAME_TYPE").text,
        "Field \"1\" with name \"s\" on message \"Inner\" changed type from \"string\" to \"int64\"."
    );
}

#[test]
fn a_configuration_turns_errors_into_information() {
    let base = files(&[
        ("x/a.proto", &proto3(M)),
        ("y/b.proto", "syntax = \"proto3\"; package b.v1beta1; message N {}"),
    ]);
    let revision = files(&[
        ("x/a.proto", &proto3("")),
        ("y/b.proto", "syntax = \"proto3\"; package b.v1beta1;"),
    ]);
    let levels = |config: &str| {
        let config = ProtobufConfig::parse("buf.yaml", config).unwrap();
        let changes = diff_with(&base, &revision, &config).unwrap().changes;
        let level = |path: &str| {
            let change = changes
                .iter()
                .find(|change| change.path == path && change.rule == "MESSAGE_NO_DELETE");
            change.unwrap().level
        };
        (level("x/a.proto"), level("y/b.proto"))
    };
    use Level::{Error, Info};
    assert_eq!(levels("version: v1\n"), (Error, Error));
    assert_eq!(levels("version: v1\nbreaking: {use: [WIRE]}\n"), (Info, Info));
    assert_eq!(levels("version: v1\nbreaking: {ignore: [x]}\n"), (Info, Error));
    assert_eq!(
        levels("version: v1\nbreaking: {ignore_only: {FILE: [y/b.proto]}}\n"),
        (Error, Info)
    );
    assert_eq!(
        levels("version: v1\nbreaking: {ignore_unstable_packages: true}\n"),
        (Error, Info)
    );
}

#[test]
fn what_leads_nowhere_is_a_gap_and_what_is_no_proto_an_error() {
    let file = one(&proto3(
        "import \"google/api/annotations.proto\"; message M { other.Thing t = 1; }",
    ));
    let diff = found(&file, &file);
    assert_eq!(diff.verdict(), DiffVerdict::Inconclusive);
    assert!(diff.gaps[0].text.contains("`other.Thing`"), "{:?}", diff.gaps);
    // An import alone, such as one for options, is no gap.
    let file = one(&proto3(
        "import \"google/api/annotations.proto\"; message M { option (x.y).z = 1; }",
    ));
    assert_eq!(found(&file, &file).verdict(), DiffVerdict::Compatible);
    let known = one(&proto3(
        "import \"google/protobuf/timestamp.proto\"; message M { google.protobuf.Timestamp t = 1; }",
    ));
    assert_eq!(found(&known, &known).verdict(), DiffVerdict::Compatible);
    for wrong in [
        "syntax = \"proto9\";",
        "message M {",
        "message M { string = 1; }",
        "message M { string s = \"1\"; }",
        "/* no end",
        "message M { string s = 1 [default = \"\\z\"]; }",
        "edition = \"1999\";",
        "\u{1}",
        &"message M {".repeat(500),
        &format!("option (x) = {};", "{a:".repeat(500)),
    ] {
        let error = diff_with(&one(wrong), &one(""), &ProtobufConfig::default()).unwrap_err();
        assert!(
            error.one_line().starts_with("a.proto:"),
            "{wrong}: {}",
            error.one_line()
        );
        assert!(error.help_line().is_some());
    }
    let error = super::diff(&Files::new(), &Files::new()).unwrap_err();
    assert!(error.help_line().is_some());
}

#[test]
fn the_whole_language_is_read() {
    let text = r#"
        edition = "2024";
        package a.b;
        import public "google/protobuf/descriptor.proto";
        import option "x.proto";
        option (my.opt) = { a: 1, b { c: [1, 2.5, -inf] } e <d: "x" 'y'>; [type.example/a.B]: {} };
        export message M {
            option (o).p.(q) = -1.5e3;
            ; reserved 1 to 5, foo, bar; reserved 0x10; extensions 100 to max [declaration = { number: 100 }];
            map<string, .a.b.M> by_name = 6 [deprecated = true];
            oneof choice { option (x) = 1; string s = 7; bytes message = 8; }
            repeated E option = 9; local enum E { option allow_alias = true; A = 0; B = -0x1 [(y) = "\x41\101\u0041"]; }
            extend .a.b.M { string in_it = 101; }
            stream to = 30;
        }
        message stream {}
        service S { option deprecated = true; rpc A(stream) returns (stream stream) { ; option (h) = { get: "/a" }; }; }
    "#;
    let diff = found(&one(text), &one(text));
    assert_eq!((diff.changes, diff.gaps), (vec![], vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The order of declarations, comments and layout are no part of a contract.
    #[test]
    fn order_and_layout_change_nothing(order in Just((1..8).collect::<Vec<i32>>()).prop_shuffle(), spaces in "[ \n]{1,4}") {
        let field = |number: &i32| format!("optional string f{number} = {number};");
        let base: Vec<String> = (1..8).map(|number| field(&number)).collect();
        let revision: Vec<String> = order.iter().map(field).collect();
        let base = one(&proto2(&format!("message M {{ {} }}", base.join(" "))));
        let revision = one(&proto2(&format!("// c\nmessage{spaces}M {{{}/* c */}}", revision.join(&spaces))));
        let diff = found(&base, &revision);
        prop_assert!(diff.changes.is_empty(), "{:?}", diff.changes);
    }

    /// No text makes the parser panic, and every error says where.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-zM={}\\[\\]<>();:.,\"0-9 \n]{0,80}") {
        if let Err(error) = diff(&one(&text), &one("message M { string s = 1; }")) {
            prop_assert!(error.help_line().is_some());
        }
    }
}
