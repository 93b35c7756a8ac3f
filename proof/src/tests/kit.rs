//! What the tests have in common.

use std::collections::BTreeMap;

use holdpoint_engine::decide::assess;
use holdpoint_engine::policy::{Pack, PolicySource};
use holdpoint_schemas::decision::Bound;
use holdpoint_schemas::fact::{FactSet, FactTable, FactValue};
use holdpoint_schemas::pack::{Answer, CaseFile};

use crate::Solver;
use crate::situation::Situation;

/// The machine's solver. Proofs can't be tested without one, so its absence is a failure.
pub(super) fn solver() -> Solver {
    Solver::find().unwrap_or_else(|error| panic!("{error}: run ci/setup, which installs Debian's `cvc5`"))
}

pub(super) fn baseline() -> Pack {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/baseline");
    let mut sources: Vec<PolicySource> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cedar"))
        .map(|path| PolicySource {
            path: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(path).unwrap(),
        })
        .collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Pack::compile("baseline", &sources, FactTable::shipped()).unwrap()
}

/// A policy: effect, id, names of its actions (none: all of them), conditions.
pub(super) type Written<'a> = (&'a str, &'a str, &'a [&'a str], &'a str);

pub(super) fn pack(policies: &[Written<'_>]) -> Pack {
    let text: String = policies.iter().map(text).collect();
    let source = PolicySource {
        path: "p.cedar".to_owned(),
        text,
    };
    Pack::compile("test", &[source], FactTable::shipped()).unwrap()
}

fn text((effect, id, actions, condition): &Written<'_>) -> String {
    let actions = match actions {
        [] => "action".to_owned(),
        named => {
            let named: Vec<String> = named.iter().map(|name| format!("Action::\"{name}\"")).collect();
            format!("action in [{}]", named.join(", "))
        }
    };
    format!("@id(\"{id}\") @reason(\"because\") {effect} (principal, {actions}, resource) {condition};\n")
}

/// The pack's answer to a case, for whichever of its expectations are given.
pub(super) fn holds(pack: &Pack, file: &CaseFile) -> bool {
    let [case] = file.cases.as_slice() else {
        panic!("one case expected: {file:?}")
    };
    let mut values = case
        .from
        .as_ref()
        .map(|from| file.facts[from].given.clone())
        .unwrap_or_default();
    values.extend(case.given.clone());
    values.retain(|id, _| !case.unknown.contains(id));
    let assessed = assess(pack, &facts(&values));
    let ids = |bounds: &[Bound]| -> Vec<String> { bounds.iter().map(|bound| bound.id.clone()).collect() };
    let promoted = match assessed.promote_bounds.is_empty() {
        true => Answer::Permitted,
        false => Answer::Denied,
    };
    case.level.is_none_or(|level| assessed.level == level)
        && case.at_most.is_none_or(|level| assessed.level <= level)
        && case.at_least.is_none_or(|level| assessed.level >= level)
        && case
            .bounds
            .as_ref()
            .is_none_or(|bounds| *bounds == ids(&assessed.bounds))
        && case.promote.is_none_or(|answer| answer == promoted)
        && (case.promote_bounds.as_ref()).is_none_or(|bounds| *bounds == ids(&assessed.promote_bounds))
}

pub(super) fn facts(values: &BTreeMap<String, FactValue>) -> FactSet {
    let situation = Situation {
        facts: values.clone(),
        ..Situation::default()
    };
    situation.whole()
}

/// Facts as `id=value`, in order.
pub(super) fn told(facts: &FactSet) -> Vec<String> {
    facts.known().map(|(id, fact)| format!("{id}={}", fact.value)).collect()
}
