//! The JSON Schemas for editors say yes to the files that the product reads, and no to mistakes.

#![allow(
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects must fail"
)]

use std::path::{Path, PathBuf};

use holdpoint_schemas::editor;
use holdpoint_schemas::estate::RepoSettings;
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::fact::org::OrgFactsFile;
use holdpoint_schemas::pack::{CaseFile, PackManifest};
use jsonschema::{Registry, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;

const CASES: &str = "
facts:
  ready: {fix.class: mechanical, fix.files: 2, service.data_classes: [cardholder], org.on_call.covered: true}
  frozen: {from: ready, change.freeze_active: true}
cases:
  - name: a frozen service waits for a person
    from: frozen
    given: {fix.kind: config-flag, org.region: eu}
    unknown: [service.tier, org.on_call.covered]
    level: suggest
    bounds: [code-freeze]
    reasons: [code freeze]
    promote: denied
    promote_bounds: [no-permit]
  - {name: nothing is known, at_most: alert, at_least: alert}
";

const PACK: &str = "
name: tools
description: Internal tools.
extends: ../baseline
relaxes: [{policy: upgrade-not-patch, reason: Internal tools may take minor upgrades}]
invariants: [cardholder-production]
minimum_facts: [service.production, org.on_call.covered]
";

const ORG: &str = "
facts:
  - id: org.on_call.covered
    type: bool
    doc: Whether someone is on call for the service.
    resolver: the on-call schedule's owner
    ttl_days: 7
    observed: 2026-11-01
    default: false
    values: {payments: true}
  - {id: org.cover, type: [none, full], doc: How far tests cover it., resolver: QA}
";

const SETTINGS: &str = "
steps: {build: make, test: make test}
contract:
  openapi: api/openapi.yaml
  protobuf: proto
  rules:
    - rule: response-property-removed
      path: /internal/**
      operation: GET
      level: info
      reason: Only our own console calls it.
      expires: 2026-12-31
  serve: {command: ./serve, port: 8080}
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The validator of one of the files, with the schema of facts beside it.
fn with_validator<T>(file: &str, check: impl FnOnce(&Validator) -> T) -> T {
    const FOLDER: &str = "https://schemas.invalid/";
    let registry = Registry::new()
        .add(format!("{FOLDER}facts.schema.json"), FactTable::shipped().json_schema())
        .unwrap()
        .prepare()
        .unwrap();
    let (_, schema) = editor::schemas().into_iter().find(|(name, _)| *name == file).unwrap();
    let validator = jsonschema::options()
        .with_base_uri(format!("{FOLDER}{file}"))
        .with_registry(&registry)
        .build(&schema)
        .unwrap();
    check(&validator)
}

/// What the schema has against a file.
fn complaints(schema: &str, text: &str) -> Vec<String> {
    let value: Value = serde_yaml::from_str(text).unwrap();
    with_validator(schema, |validator| {
        validator.iter_errors(&value).map(|error| error.to_string()).collect()
    })
}

#[test]
fn what_the_product_reads_the_schema_accepts() {
    let _: CaseFile = serde_yaml::from_str(CASES).unwrap();
    let _: PackManifest = serde_yaml::from_str(PACK).unwrap();
    let _: OrgFactsFile = serde_yaml::from_str(ORG).unwrap();
    let _: RepoSettings = serde_yaml::from_str(SETTINGS).unwrap();
    for (schema, text) in [
        ("policy-case.schema.json", CASES),
        ("pack.schema.json", PACK),
        ("org-facts.schema.json", ORG),
        ("repo-settings.schema.json", SETTINGS),
    ] {
        assert_eq!(complaints(schema, text), Vec::<String>::new(), "{schema}");
    }
}

#[test]
fn a_mistake_is_marked() {
    let mistakes = [
        ("repo-settings.schema.json", SETTINGS, "protobuf:", "protbuf:"),
        ("repo-settings.schema.json", SETTINGS, "level: info", "level: none"),
        ("repo-settings.schema.json", SETTINGS, "reason:", "why:"),
        (
            "policy-case.schema.json",
            CASES,
            "fix.class: mechanical",
            "fix.class: mechnical",
        ),
        ("policy-case.schema.json", CASES, "fix.files: 2", "fix.files: two"),
        (
            "policy-case.schema.json",
            CASES,
            "change.freeze_active: true",
            "change.freeze_on: true",
        ),
        (
            "policy-case.schema.json",
            CASES,
            "change.freeze_active: true",
            "change.freeze_active: 1",
        ),
        (
            "policy-case.schema.json",
            CASES,
            "fix.kind: config-flag",
            "fix.knid: config-flag",
        ),
        (
            "policy-case.schema.json",
            CASES,
            "unknown: [service.tier",
            "unknown: [service.teir",
        ),
        ("policy-case.schema.json", CASES, "org.region: eu", "org.Region: eu"),
        ("policy-case.schema.json", CASES, "level: suggest", "level: sugest"),
        ("policy-case.schema.json", CASES, "promote: denied", "promote: deny"),
        ("pack.schema.json", PACK, "extends:", "extend:"),
        ("pack.schema.json", PACK, "service.production", "service.prod"),
        (
            "org-facts.schema.json",
            ORG,
            "id: org.on_call.covered",
            "id: service.covered",
        ),
        ("org-facts.schema.json", ORG, "type: bool", "type: float"),
        ("org-facts.schema.json", ORG, "ttl_days: 7", "ttl_days: -7"),
        ("org-facts.schema.json", ORG, "resolver: the", "resolvr: the"),
    ];
    for (schema, text, right, wrong) in mistakes {
        assert!(text.contains(right), "{right}");
        let text = text.replace(right, wrong);
        assert_ne!(complaints(schema, &text), Vec::<String>::new(), "{wrong}");
    }
}

#[test]
fn every_file_of_the_repo_fits_its_schema() {
    let mut packs = 0;
    for folder in folders(&root().join("policies")) {
        packs += fit::<PackManifest>("pack.schema.json", &folder.join("pack.yaml"));
        for file in yaml_files(&folder.join("cases")) {
            fit::<CaseFile>("policy-case.schema.json", &file);
        }
    }
    assert!(packs > 0, "no pack was looked at");
    for example in folders(&root().join("examples")) {
        for file in yaml_files(&example.join("estate/facts.d")) {
            fit::<OrgFactsFile>("org-facts.schema.json", &file);
        }
    }
}

/// Checks one file both ways; gives how many were checked.
fn fit<T: DeserializeOwned>(schema: &str, file: &Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap();
    let read = serde_yaml::from_str::<T>(&text);
    assert!(read.is_ok(), "{}: {}", file.display(), read.err().unwrap());
    assert_eq!(complaints(schema, &text), Vec::<String>::new(), "{}", file.display());
    1
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml");
    entries(folder).into_iter().filter(is_yaml).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    listing.map(|entry| entry.unwrap().path()).collect()
}
