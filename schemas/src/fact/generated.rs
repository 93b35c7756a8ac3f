//! Files that are generated from the table of facts and committed: tests see that they don't drift. Here is also
//! what writes the typed keys.

use std::fmt::Write as _;

use super::{FactTable, FactType};

/// Compares a committed file with what is generated; with `HOLDPOINT_GENERATE` in the environment
/// (`./ci/generate`), writes it first. `path` is relative to this crate.
pub fn assert_committed(path: &str, generated: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("HOLDPOINT_GENERATE").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        generated,
        "{} has drifted: run ./ci/generate",
        path.display()
    );
}

/// JSON as it is committed: keys sorted whatever features the JSON crate was built with, and a line end.
pub fn json_text(value: &serde_json::Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(&sorted(value)).unwrap())
}

fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let fields: std::collections::BTreeMap<&String, serde_json::Value> =
                fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.into_iter().map(|(name, value)| (name.clone(), value)).collect()
        }
        serde_json::Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The text of `keys.rs`: one module per group of the ids, one constant per fact.
fn keys(table: &FactTable) -> String {
    let mut out = String::from(
        "//! A typed key for every shipped fact. Generated from the table of facts: run `./ci/generate`.\n",
    );
    let holds_facts = |path: &str| {
        table
            .rows()
            .any(|row| row.id.rsplit_once('.').is_some_and(|(group, _)| group == path))
    };
    let mut open: Vec<&str> = Vec::new();
    for row in table.rows() {
        let mut groups: Vec<&str> = row.id.split('.').collect();
        let name = groups.pop().unwrap_or_default().to_uppercase();
        let shared = open.iter().zip(&groups).take_while(|(a, b)| a == b).count();
        close(&mut out, &mut open, shared);
        for group in groups.into_iter().skip(shared) {
            let indent = "    ".repeat(open.len());
            if !out.ends_with("{\n") {
                out.push('\n');
            }
            open.push(group);
            let path = open.join(".");
            let _ = writeln!(out, "{indent}/// Facts under `{path}`.\n{indent}pub mod {group} {{");
            if holds_facts(&path) {
                let _ = writeln!(out, "{indent}    use crate::fact::key::Key;\n");
            }
        }
        let indent = "    ".repeat(open.len());
        if out.ends_with("}\n") {
            out.push('\n');
        }
        let key_type = rust_type(row.fact_type);
        let _ = writeln!(
            out,
            "{indent}/// {}\n{indent}pub const {name}: Key<{key_type}> = Key::new(\"{}\");",
            row.doc, row.id
        );
    }
    close(&mut out, &mut open, 0);
    out
}

fn close(out: &mut String, open: &mut Vec<&str>, keep: usize) {
    while open.len() > keep {
        open.pop();
        let _ = writeln!(out, "{}}}", "    ".repeat(open.len()));
    }
}

const fn rust_type(fact_type: FactType) -> &'static str {
    match fact_type {
        FactType::Bool => "bool",
        FactType::Long => "i64",
        FactType::Word(_) => "&'static str",
        FactType::Text => "String",
        FactType::Set => "std::collections::BTreeSet<String>",
    }
}

#[test]
fn the_committed_keys_are_the_generated_ones() {
    assert_committed("src/fact/keys.rs", &keys(FactTable::shipped()));
}
