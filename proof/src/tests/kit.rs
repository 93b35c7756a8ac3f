//! What the tests have in common.

use holdpoint_engine::policy::{Pack, PolicySource};
use holdpoint_schemas::fact::FactTable;

use crate::Solver;

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

/// Policies as `effect id under which actions: condition`; an empty list of actions is all.
pub(super) fn pack(policies: &[(&str, &str, &[&str], &str)]) -> Pack {
    let text: String = policies.iter().map(|policy| text(policy)).collect();
    let source = PolicySource {
        path: "p.cedar".to_owned(),
        text,
    };
    Pack::compile("test", &[source], FactTable::shipped()).unwrap()
}

fn text((effect, id, actions, condition): &(&str, &str, &[&str], &str)) -> String {
    let actions = match actions {
        [] => "action".to_owned(),
        named => {
            let named: Vec<String> = named.iter().map(|name| format!("Action::\"{name}\"")).collect();
            format!("action in [{}]", named.join(", "))
        }
    };
    format!("@id(\"{id}\") @reason(\"because\") {effect} (principal, {actions}, resource) {condition};\n")
}
