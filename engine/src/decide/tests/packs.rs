//! The shipped packs, each by its own cases.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::fact::{FactSet, FactTable};
use holdpoint_schemas::pack::{Answer, Case, CaseFile, NamedFacts, PackManifest};

use super::fixtures::{BASELINE, fact, pack_files, policies, read_pack_file};
use crate::decide::{Assessment, assess};
use crate::policy::{Effect, Pack};

const PACKS: [&str; 3] = ["baseline", "fintech", "platform"];

fn manifest(name: &str) -> PackManifest {
    serde_yaml::from_str(&read_pack_file(&format!("{name}/pack.yaml"))).unwrap()
}

fn pack(name: &str) -> Pack {
    let manifest = manifest(name);
    match &manifest.extends {
        None => BASELINE.clone(),
        Some(_) => {
            let layer = BASELINE.layer(&manifest, "pack.yaml", &policies(name));
            layer.unwrap_or_else(|error| panic!("{error}")).pack
        }
    }
}

/// The cases of a pack, each with its facts.
fn cases(name: &str) -> Vec<(Case, FactSet)> {
    let files: Vec<CaseFile> = pack_files(&format!("{name}/cases"), ".yaml")
        .iter()
        .map(|path| serde_yaml::from_str(&read_pack_file(path)).unwrap_or_else(|error| panic!("{path}: {error}")))
        .collect();
    let named: BTreeMap<&str, &NamedFacts> = files
        .iter()
        .flat_map(|file| &file.facts)
        .map(|(name, facts)| (name.as_str(), facts))
        .collect();
    let cases = files.iter().flat_map(|file| file.cases.clone());
    cases
        .map(|case| {
            let mut facts = FactSet::new();
            let mut layers = vec![&case.given];
            let mut from = case.from.as_deref();
            while let Some(name) = from {
                let set = named
                    .get(name)
                    .unwrap_or_else(|| panic!("{}: no facts `{name}`", case.name));
                layers.push(&set.given);
                from = set.from.as_deref();
            }
            for (id, value) in layers.into_iter().rev().flatten() {
                facts.insert(id, fact(value.clone()));
                assert!(facts.get(id).is_some(), "{}: `{id}` can't be {value}", case.name);
            }
            for id in &case.unknown {
                assert!(facts.get(id).is_some(), "{}: `{id}` isn't known anyway", case.name);
                facts.insert_unknown(id, "the case says so");
            }
            (case, facts)
        })
        .collect()
}

fn ids(bounds: &[holdpoint_schemas::decision::Bound]) -> BTreeSet<&str> {
    bounds.iter().map(|bound| bound.id.as_str()).collect()
}

fn seen(assessment: &Assessment) -> (holdpoint_schemas::Level, BTreeSet<&str>, BTreeSet<&str>) {
    (
        assessment.level,
        ids(&assessment.bounds),
        ids(&assessment.promote_bounds),
    )
}

#[test]
fn every_case_comes_out_as_it_says() {
    for name in PACKS {
        let pack = pack(name);
        for (case, facts) in cases(name) {
            let got = assess(&pack, &facts);
            let place = format!("{name}: {}", case.name);
            let expected = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<String>>();
            let given = |ids: BTreeSet<&str>| ids.into_iter().map(str::to_owned).collect::<BTreeSet<String>>();
            if let Some(bounds) = &case.bounds {
                assert_eq!(given(ids(&got.bounds)), expected(bounds), "{place}");
            }
            if let Some(bounds) = &case.promote_bounds {
                assert_eq!(given(ids(&got.promote_bounds)), expected(bounds), "{place}");
            }
            assert_eq!(Some(got.level), case.level, "{place}");
            for text in &case.reasons {
                assert!(
                    got.bounds
                        .iter()
                        .chain(&got.promote_bounds)
                        .any(|bound| bound.reason.contains(text.as_str())),
                    "{place}: `{text}`"
                );
            }
            if let Some(answer) = case.promote {
                assert_eq!(answer == Answer::Permitted, got.promote_bounds.is_empty(), "{place}");
            }
        }
    }
}

#[test]
fn each_policy_of_a_pack_when_removed_changes_some_case_of_it() {
    for name in PACKS {
        let pack = pack(name);
        let cases = cases(name);
        let own = policies(name);
        for policy in pack
            .policies()
            .iter()
            .filter(|policy| own.iter().any(|source| source.path == policy.path))
        {
            let without = pack.without(&policy.id);
            let changed = cases
                .iter()
                .any(|(_, facts)| seen(&assess(&pack, facts)) != seen(&assess(&without, facts)));
            assert!(changed, "no case of {name} needs `{}`", policy.id);
        }
    }
}

#[test]
fn each_pack_keeps_the_form_of_packs() {
    for name in PACKS {
        let manifest = manifest(name);
        assert_eq!(manifest.name, name);
        assert!(manifest.description.ends_with('.'), "{name}");
        for id in &manifest.minimum_facts {
            assert!(FactTable::shipped().row(id).is_some(), "{name}: {id}");
        }
        let folder = format!("{name}/invariants");
        let invariants = Pack::compile(name, &policies(&folder), FactTable::shipped()).unwrap();
        let files: BTreeSet<String> = pack_files(&folder, ".cedar").into_iter().collect();
        let listed: BTreeSet<String> = manifest
            .invariants
            .iter()
            .map(|id| format!("{folder}/{id}.cedar"))
            .collect();
        assert_eq!(listed, files, "{name}");
        for invariant in invariants.policies() {
            assert_eq!(invariant.path, format!("{folder}/{}.cedar", invariant.id));
        }
        for policy in pack(name)
            .policies()
            .iter()
            .filter(|policy| policy.path.starts_with(name))
        {
            assert_eq!(policy.path, format!("{name}/{}.cedar", policy.id));
            assert!(!policy.reason.ends_with(['.', ':']), "{}", policy.id);
            assert_eq!(
                policy.unlock.is_some(),
                policy.effect == Effect::Forbid,
                "{}",
                policy.id
            );
        }
    }
}
