use super::*;

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

const OPENAPI: &str = "openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {}\n";

#[test]
fn each_kind_is_recognised() {
    for (path, text, kind) in [
        ("a.proto", "", Kind::Protobuf),
        ("a.graphqls", "", Kind::GraphQl),
        ("schema.SQL", "", Kind::Sql),
        ("a.yaml", OPENAPI, Kind::OpenApi),
        ("a.json", r#"{"components": {}, "openapi": "3.1.0"}"#, Kind::OpenApi),
        ("a.yml", "info: {}\nswagger: '2.0'\n", Kind::OpenApi),
        ("a.yaml", "asyncapi: 2.6.0\n", Kind::AsyncApi),
        ("a.yaml", "\u{feff}openapi: 3.0.3\n", Kind::OpenApi),
        (
            "a.json",
            r#"{"$schema": "https://json-schema.org/draft/2020-12/schema"}"#,
            Kind::JsonSchema,
        ),
        (
            "a.json",
            r#"{"consumer": {}, "provider": {}, "interactions": []}"#,
            Kind::Http,
        ),
    ] {
        assert_eq!(detect("a", &files(&[(path, text)])).unwrap(), kind, "{path}: {text}");
    }
}

#[test]
fn what_is_nothing_or_several_things_is_an_error_that_names_them() {
    let nothing = detect("api", &files(&[("readme.md", "x"), ("a.yaml", "on: push")])).unwrap_err();
    assert!(
        nothing.help_line().unwrap().contains("openapi"),
        "{}",
        nothing.one_line()
    );
    let several = detect("api", &files(&[("a.proto", ""), ("b/openapi.yaml", OPENAPI)])).unwrap_err();
    assert_eq!(
        several.one_line(),
        "api: holds contracts of several kinds: `openapi`, `protobuf`"
    );
    // What a description refers to is a part of it.
    let schema = r#"{"$schema": "https://json-schema.org/draft/2020-12/schema"}"#;
    assert_eq!(
        detect("api", &files(&[("a.json", schema), ("b.yaml", OPENAPI)])).unwrap(),
        Kind::OpenApi
    );
}

#[test]
fn a_lone_file_says_what_is_wrong_with_it() {
    let empty = detect("a.json", &files(&[("a.json", " \n")])).unwrap_err();
    assert_eq!(empty.one_line(), "a.json: it is empty");
    let large = "x".repeat(crate::text::MAX_BYTES + 1);
    let large = detect("a.json", &files(&[("a.json", &large)])).unwrap_err();
    assert!(large.one_line().contains("bytes; at most"), "{}", large.one_line());
    let other = files(&[("a.json", "{}")]);
    let side = SideOf {
        sources: &other,
        root: "",
    };
    let error = Kind::Protobuf.diff(side, side, None).unwrap_err();
    assert_eq!(error.one_line(), "a.json: is no file of the kind `protobuf`");
    let number = files(&[("a.yaml", "openapi: 3.1\n")]);
    let side = SideOf {
        sources: &number,
        root: "a.yaml",
    };
    let error = Kind::OpenApi.diff(side, side, None).unwrap_err();
    assert_eq!(
        error.one_line(),
        "a.yaml:1:1: expected a text as `openapi`, found the number 3.1"
    );
}

#[test]
fn a_folder_has_one_root() {
    let root = |paths: &[&str]| {
        let folder: Vec<(&str, &str)> = paths.iter().map(|path| (*path, OPENAPI)).collect();
        Kind::OpenApi
            .root("api", &files(&folder))
            .map_err(|error| error.one_line())
    };
    assert_eq!(root(&["v1.yaml"]).unwrap(), "v1.yaml");
    assert_eq!(
        root(&["openapi.yaml", "old/openapi.yaml", "v1.yaml"]).unwrap(),
        "openapi.yaml"
    );
    assert!(root(&["v1.yaml", "v2.yaml"]).unwrap_err().contains("holds 2 files"));
    assert!(root(&[]).unwrap_err().contains("holds no file"));
    assert_eq!(
        Kind::Protobuf
            .root("api", &files(&[("a.proto", ""), ("b.proto", "")]))
            .unwrap(),
        ""
    );
}

#[test]
fn a_root_that_cannot_be_read_is_an_error_with_a_place() {
    let sources = files(&[]);
    let side = SideOf {
        sources: &sources,
        root: "openapi.yaml",
    };
    for kind in [Kind::OpenApi, Kind::Http] {
        let error = kind.diff(side, side, None).unwrap_err();
        assert_eq!(error.one_line(), "openapi.yaml: can't be read: there is no such file");
        assert!(error.help_line().is_some());
    }
}

#[test]
fn names_are_read_back_and_rules_are_known_by_kind() {
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    assert!("soap".parse::<Kind>().unwrap_err().contains("asyncapi"));
    for kind in Kind::comparable() {
        assert!(
            kind.rules()
                .iter()
                .all(|rule| rule.kind == kind.as_str() && !rule.explanation.is_empty())
        );
        assert!(!kind.rules().is_empty());
    }
    let ids: BTreeSet<(&str, String)> = all_rules().into_iter().map(|rule| (rule.kind, rule.id)).collect();
    assert_eq!(ids.len(), all_rules().len());
}

#[test]
fn names_of_single_files_do_not_count() {
    let text = "syntax = \"proto3\"; package a; message M { string x = 1; }";
    let (old, new) = (files(&[("old.proto", text)]), files(&[("new.proto", text)]));
    let side = |sources| SideOf { sources, root: "" };
    let same = Kind::Protobuf.diff(side(&old), side(&new), None).unwrap();
    assert_eq!(same.changes, []);
}
