//! JSON Schema (draft 4 to 2020-12): which values that were valid aren't any more, and which weren't and are.

use std::collections::BTreeSet;

use holdpoint_schemas::SourceError;

use crate::bundle::Bundle;
use crate::payload::{self, Side, change};
use crate::schema::Graph;
use crate::tree::{Sym, word};
use crate::{Change, ContractDiff, ContractError, Gap, Level, Rule, Sources};

/// Most files of one side; more is a repository, not a contract.
const MAX_FILES: usize = 1_000;
/// Most changes that are listed.
const MAX_CHANGES: usize = 20_000;

/// Who must go on working when a schema changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compatibility {
    /// Values that were valid stay valid: old writers, new readers.
    #[default]
    Backward,
    /// Values that become valid were valid before: new writers, old readers.
    Forward,
    /// Both.
    Full,
}

impl Compatibility {
    const fn side(self) -> Side {
        match self {
            Self::Backward => Side::Values,
            Self::Forward => Side::Reader,
            Self::Full => Side::Both,
        }
    }
}

/// Compares the schemas of two folders, file by file. Where each side has one file, their names don't count.
/// What can't be read leaves a gap, unless it is the schema itself.
///
/// # Errors
/// When a schema isn't JSON or YAML.
pub fn diff(
    base: &dyn Sources,
    revision: &dyn Sources,
    compatibility: Compatibility,
) -> Result<ContractDiff, ContractError> {
    let files = |sources: &dyn Sources| -> BTreeSet<String> {
        let is_schema = |path: &String| {
            let path = path.to_ascii_lowercase();
            [".json", ".yaml", ".yml"].iter().any(|end| path.ends_with(end))
        };
        sources.paths().into_iter().filter(is_schema).collect()
    };
    let (old, new) = (files(base), files(revision));
    let (mut changes, mut gaps) = (Vec::new(), Vec::new());
    let renamed = match (old.first(), new.first()) {
        (Some(a), Some(b)) if old.len() == 1 && new.len() == 1 => Some((a, b)),
        _ => None,
    };
    let pairs: Vec<(&String, &String)> = match renamed {
        Some(pair) => vec![pair],
        None => old
            .iter()
            .filter(|path| new.contains(*path))
            .map(|path| (path, path))
            .collect(),
    };
    if renamed.is_none() {
        for path in old.difference(&new) {
            changes.push(change(
                "schema-removed".to_owned(),
                Level::Error,
                path,
                String::new(),
                "the schema is gone",
            ));
        }
        for path in new.difference(&old) {
            changes.push(change(
                "schema-added".to_owned(),
                Level::Info,
                path,
                String::new(),
                "the schema is new",
            ));
        }
    }
    for (at, (a, b)) in pairs.into_iter().enumerate() {
        if at >= MAX_FILES || changes.len() >= MAX_CHANGES {
            gaps.push(Gap {
                place: a.clone(),
                text: "there are too many schemas or changes to compare them all".to_owned(),
            });
            break;
        }
        let (base, revision) = (load(a, base)?, load(b, revision)?);
        gaps.extend(base.gaps.iter().chain(&revision.gaps).cloned());
        compare(&base, &revision, compatibility.side(), b, &mut changes, &mut gaps);
    }
    Ok(ContractDiff::with_gaps("json-schema", changes, gaps))
}

/// Kinds of descriptions that hold schemas and are none, by the key that only they have.
const DESCRIPTIONS: [(Sym, &str); 3] = [
    (word::OPENAPI, "openapi"),
    (word::SWAGGER, "openapi"),
    (word::ASYNCAPI, "asyncapi"),
];

fn load(path: &str, sources: &dyn Sources) -> Result<Bundle, ContractError> {
    let bundle = Bundle::load(path, sources)?;
    let versioned = |(key, _): &&(Sym, &str)| bundle.tree.text_of(bundle.root, *key).is_some();
    match DESCRIPTIONS.iter().find(versioned) {
        None => Ok(bundle),
        Some((_, kind)) => {
            let error = SourceError::new(path, "it is a description of an API and no JSON Schema");
            Err(error.help(format!("compare it with `--kind {kind}`")).into())
        }
    }
}

fn compare(base: &Bundle, revision: &Bundle, side: Side, path: &str, changes: &mut Vec<Change>, gaps: &mut Vec<Gap>) {
    let mut graph = Graph::new(base, revision);
    let root = graph.pair(&[base.root], &[revision.root]);
    graph.run();
    if let Some(root) = root {
        graph.walk(root, |finding, way, _, _| {
            let (name, level) = payload::judge(finding, side);
            changes.push(change(
                name.to_owned(),
                level,
                path,
                way.to_owned(),
                finding.text.as_str(),
            ));
        });
    }
    let many = (changes.len() > MAX_CHANGES).then(|| "there are too many changes to tell them all".to_owned());
    changes.truncate(MAX_CHANGES);
    gaps.extend(graph.gaps().into_iter().chain(many).map(|text| Gap {
        place: path.to_owned(),
        text,
    }));
}

/// All rules, with their levels for old writers.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let file = |id: &str, level, explanation: &str, opposite: &str| Rule {
        kind: "json-schema",
        id: id.to_owned(),
        level,
        explanation: explanation.to_owned(),
        opposite: Some(opposite.to_owned()),
    };
    let mut found = payload::rules("json-schema", "", Side::Values);
    found.push(file("schema-removed", Level::Error, "a schema is gone", "schema-added"));
    found.push(file("schema-added", Level::Info, "a schema is new", "schema-removed"));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn files(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("s.json".to_owned(), text.to_owned())])
    }

    fn found(base: &str, revision: &str, compatibility: Compatibility) -> (Vec<String>, bool) {
        let found = diff(&files(base), &files(revision), compatibility).unwrap();
        let known: BTreeSet<String> = rules().into_iter().map(|rule| rule.id).collect();
        assert!(
            found.changes.iter().all(|change| known.contains(&change.rule)),
            "{:?}",
            found.changes
        );
        (
            found.changes.iter().map(|change| change.rule.clone()).collect(),
            found.breaking,
        )
    }

    #[test]
    fn a_change_breaks_who_writes_or_who_reads() {
        use Compatibility::{Backward, Forward, Full};
        for (base, revision, rule, backward, forward) in [
            (
                r#"{"type": "string"}"#,
                r#"{"type": "integer"}"#,
                "type-changed",
                true,
                true,
            ),
            (
                r#"{"type": "integer"}"#,
                r#"{"type": "number"}"#,
                "type-generalized",
                false,
                true,
            ),
            (
                r#"{"properties": {"a": {}}}"#,
                r#"{"properties": {"a": {}}, "required": ["a"]}"#,
                "property-became-required",
                true,
                false,
            ),
            (
                r#"{"enum": [1]}"#,
                r#"{"enum": [1, 2]}"#,
                "enum-value-added",
                false,
                false,
            ),
            (
                r#"{"items": [{"type": "string"}]}"#,
                r#"{"items": [{"type": "integer"}]}"#,
                "type-changed",
                true,
                true,
            ),
            (r#"{"maximum": 5}"#, r#"{"maximum": 4}"#, "max-decreased", true, false),
        ] {
            assert_eq!(
                found(base, revision, Backward),
                (vec![rule.to_owned()], backward),
                "{rule}"
            );
            assert_eq!(found(base, revision, Forward).1, forward, "{rule}");
            assert_eq!(found(base, revision, Full).1, backward || forward, "{rule}");
            assert_eq!(found(base, base, Full), (vec![], false));
        }
    }

    #[test]
    fn files_belong_together_by_name_and_broken_ones_are_errors() {
        let two =
            |a: &str, b: &str| BTreeMap::from([("a.json".to_owned(), a.to_owned()), (b.to_owned(), "{}".to_owned())]);
        let changed = diff(
            &two("{}", "b.json"),
            &two(r#"{"$ref": "c.json"}"#, "c.json"),
            Compatibility::Backward,
        )
        .unwrap();
        let rules: Vec<&str> = changed.changes.iter().map(|change| change.rule.as_str()).collect();
        assert_eq!(rules, ["schema-removed", "schema-added"]);
        assert!(diff(&files("{"), &files("{}"), Compatibility::Backward).is_err());
        let other = diff(&files(r#"{"openapi": "3.0.0"}"#), &files("{}"), Compatibility::Backward).unwrap_err();
        assert_eq!(other.help_line(), Some("compare it with `--kind openapi`"));
        let gap = diff(
            &files("{}"),
            &files(r#"{"$ref": "gone.json"}"#),
            Compatibility::Backward,
        )
        .unwrap();
        assert_eq!(gap.verdict(), crate::DiffVerdict::Inconclusive);
    }
}
