//! What a policy says about itself, and whether it keeps to the rules of packs.

use holdpoint_schemas::SourceError;
use holdpoint_schemas::fact::{Action, FactTable};

use super::compile::at;
use super::reads::{Literals, Reads, read};
use super::{Effect, PolicyInfo, PolicySource};

/// Annotations that mean something. Others are refused, so that a misspelt one is noticed.
const ANNOTATIONS: [&str; 5] = ["id", "reason", "unknown", "unlock", "help"];

/// Ids of bounds that aren't policies.
const RESERVED: [&str; 2] = ["no-permit", "no-fix"];

/// Reads the policy that starts at byte `offset` of its file.
///
/// # Errors
/// The first rule that it breaks, with the place.
pub(super) fn describe(
    source: &PolicySource,
    offset: usize,
    policy: &cedar_policy::Policy,
    table: &FactTable,
) -> Result<(PolicyInfo, Literals), Box<SourceError>> {
    let error = |message: String, help: &str| Box::new(at(source, offset, message).help(help));
    let annotation = |key: &str| policy.annotation(key).map(str::trim).filter(|text| !text.is_empty());
    let id = annotation("id").ok_or_else(|| {
        error(
            "a policy without `@id`, expected one".to_owned(),
            "write `@id(\"…\")` before the policy, the same as its file's name",
        )
    })?;
    if !id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Err(error(
            format!("policy id `{id}`, expected lower-case letters, digits and hyphens"),
            "rename it, for example to `code-freeze`",
        ));
    }
    if RESERVED.contains(&id) {
        return Err(error(
            format!("policy id `{id}` means something else in a decision's bounds"),
            "choose another one",
        ));
    }
    let reason = annotation("reason").ok_or_else(|| {
        error(
            format!("policy `{id}` has no `@reason`, expected one"),
            "write `@reason(\"…\")`: one sentence that tells people why",
        )
    })?;
    if let Some((key, _)) = policy.annotations().find(|(key, _)| !ANNOTATIONS.contains(key)) {
        return Err(error(
            format!(
                "policy `{id}` has the annotation `@{key}`, expected `@id`, `@reason`, `@unknown`, `@unlock` or `@help`"
            ),
            "correct or remove it",
        ));
    }
    let reads = reads(source, offset, id, policy, table)?;
    let info = PolicyInfo {
        id: id.to_owned(),
        reason: reason.to_owned(),
        unknown: annotation("unknown").map(str::to_owned),
        unlock: annotation("unlock").map(str::to_owned),
        help: annotation("help").map(str::to_owned),
        effect: match policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        },
        actions: reads.actions,
        path: source.path.clone(),
        facts: reads.facts,
    };
    Ok((info, reads.literals))
}

fn reads(
    source: &PolicySource,
    offset: usize,
    id: &str,
    policy: &cedar_policy::Policy,
    table: &FactTable,
) -> Result<Reads, Box<SourceError>> {
    // The syntax tree has no positions, so the text that is wrong is looked up in the policy's.
    let refuse = |near: &str, message: &str, help: &str| {
        let rest = source.text.get(offset..).unwrap_or_default();
        // Annotations tell of facts too, and what is wrong is below them.
        let head = ["\nforbid", "\npermit"].iter().filter_map(|head| rest.find(head)).min();
        let below = head.unwrap_or_default();
        let found = rest.get(below..).and_then(|rest| rest.find(near));
        let place = offset + found.map_or(0, |found| below + found);
        Box::new(at(source, place, format!("policy `{id}`: {message}")).help(help))
    };
    let tree = policy
        .to_pst()
        .map_err(|error| refuse("", &error.to_string(), "rewrite it with plain conditions on facts"))?;
    let reads = read(tree.body(), table).map_err(|refusal| refuse(&refusal.near, &refusal.message, &refusal.help))?;
    if let Some(fact) = reads.facts.iter().find(|fact| table.row(fact).is_none()) {
        let message = format!("`context.{fact}`, but there is no such fact");
        return Err(refuse(fact, &message, &known_facts(fact, table)));
    }
    if let Some((fact, action)) = misplaced(&reads, table) {
        let message = format!("`context.{fact}` is never known under action `{}`", action.as_str());
        let help = "name the actions that it is for: `action == Action::\"promote\"`";
        return Err(refuse(fact, &message, help));
    }
    Ok(reads)
}

/// The facts of a misspelt fact's family. Cedar takes `has` of a fact that doesn't exist for a plain
/// no, so that a misspelt `forbid … when` would never apply.
fn known_facts(fact: &str, table: &FactTable) -> String {
    let family = fact.split('.').next();
    let known: Vec<&str> = table
        .rows()
        .map(|row| row.id)
        .filter(|id| id.split('.').next() == family)
        .collect();
    if known.is_empty() {
        match family {
            Some("org") => {
                "no facts of your own are declared here: `facts.d/*.yaml` in the estate or in the pack".to_owned()
            }
            _ => "the facts are in docs/facts.md".to_owned(),
        }
    } else {
        format!("the facts of that family are `{}`", known.join("`, `"))
    }
}

/// A fact that an action's context never holds: Cedar only warns, and not always.
fn misplaced<'a>(reads: &'a Reads, table: &FactTable) -> Option<(&'a str, Action)> {
    reads.facts.iter().find_map(|fact| {
        let row = table.row(fact)?;
        let action = reads.actions.iter().find(|action| !row.actions.contains(action))?;
        Some((fact.as_str(), *action))
    })
}
