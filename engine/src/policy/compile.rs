//! From Cedar text to a pack, or to errors that say where.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{PolicyId, PolicySet, Schema, ValidationMode, Validator};
use holdpoint_schemas::fact::{Action, FactTable};
use holdpoint_schemas::{Digest, SourceError};
use miette::Diagnostic;

use super::{Compiled, Pack, PolicyError, PolicyInfo, PolicySource, describe, shape};

/// Most policies of a pack: ten times what a large organisation has, and still compiled in seconds.
const MAX_POLICIES: usize = 10_000;

pub(super) fn compile(name: &str, sources: &[PolicySource], facts: &FactTable) -> Result<Pack, PolicyError> {
    // Cedar's parser recurses without looking at the stack, so it gets one that is large enough.
    stacker::grow(shape::STACK_BYTES, || compile_all(name, sources, facts))
}

fn compile_all(name: &str, sources: &[PolicySource], facts: &FactTable) -> Result<Pack, PolicyError> {
    let fail = |errors| PolicyError {
        pack: name.to_owned(),
        errors,
    };
    let schema = facts.cedar_schema();
    let (parsed_schema, warnings) = Schema::from_cedarschema_str(&schema).map_err(|error| {
        let source = PolicySource {
            path: "the Cedar schema".to_owned(),
            text: schema.clone(),
        };
        fail(vec![located(&source, &error, None)])
    })?;
    let warnings: Vec<SourceError> = warnings
        .map(|warning| SourceError::new("the Cedar schema", warning.to_string()))
        .collect();
    if !warnings.is_empty() {
        return Err(fail(warnings));
    }

    let mut policies: BTreeMap<String, Parsed<'_>> = BTreeMap::new();
    let mut errors = Vec::new();
    for source in sources {
        match parse(source, facts) {
            Ok(parsed) => {
                for policy in parsed {
                    match policies.get(&policy.info.id) {
                        Some(first) => errors.push(duplicate(&policy, first)),
                        None => {
                            policies.insert(policy.info.id.clone(), policy);
                        }
                    }
                }
            }
            Err(mut found) => errors.append(&mut found),
        }
    }
    if policies.len() > MAX_POLICIES {
        let message = format!("{} policies, expected at most {MAX_POLICIES}", policies.len());
        errors.push(SourceError::new(name, message).help("split the pack"));
    } else {
        errors.append(&mut validate(&parsed_schema, &policies));
    }
    if sources.is_empty() {
        errors.push(
            SourceError::new(name, "no policies, expected at least one")
                .help("without a policy nothing is permitted; put `.cedar` files into the pack's folder"),
        );
    }
    if !errors.is_empty() {
        return Err(fail(errors));
    }
    let (infos, compiled) = policies
        .into_values()
        .map(|policy| (policy.info, policy.compiled))
        .unzip();
    Ok(assemble(
        name,
        Facts {
            table: Arc::new(facts.clone()),
            schema: Arc::new(parsed_schema),
            digest: Digest::of_bytes(schema.as_bytes()),
        },
        infos,
        compiled,
    ))
}

/// The table of facts, as Cedar's schema and with the digest of that one's text.
pub(super) struct Facts {
    pub(super) table: Arc<FactTable>,
    pub(super) schema: Arc<Schema>,
    pub(super) digest: Digest,
}

/// Puts checked policies together; `policies` and `compiled` have the same order.
pub(super) fn assemble(name: &str, facts: Facts, policies: Vec<PolicyInfo>, compiled: Vec<Compiled>) -> Pack {
    let texts: Vec<String> = compiled.iter().map(|compiled| compiled.policy.to_string()).collect();
    let parts = policies
        .iter()
        .zip(&texts)
        .flat_map(|(policy, text)| [policy.id.as_bytes(), text.as_bytes()]);
    let digest = Digest::of_parts(parts);
    let mut sets: BTreeMap<Action, PolicySet> = BTreeMap::new();
    for action in Action::ALL {
        let set = sets.entry(action).or_default();
        for (info, compiled) in policies.iter().zip(&compiled) {
            if info.actions.contains(&action) {
                // Ids are unique, which is the only reason for a refusal. Were one refused, the set
                // would lack it; `Pack::evaluate` therefore counts.
                let _ = set.add(compiled.policy.clone());
            }
        }
    }
    Pack {
        name: name.to_owned(),
        digest,
        schema_digest: facts.digest,
        schema: facts.schema,
        facts: facts.table,
        policies,
        compiled,
        sets,
    }
}

/// A policy with the place that it came from.
struct Parsed<'a> {
    info: PolicyInfo,
    compiled: Compiled,
    source: &'a PolicySource,
    /// Byte offset of the policy in its file.
    offset: usize,
}

fn parse<'a>(source: &'a PolicySource, facts: &FactTable) -> Result<Vec<Parsed<'a>>, Vec<SourceError>> {
    shape::check(&source.text).map_err(|too_much| {
        vec![at(source, too_much.offset, too_much.message).help("split it into several policies")]
    })?;
    let set = PolicySet::from_str(&source.text).map_err(|errors| {
        errors
            .iter()
            .map(|error| located(source, error, None))
            .collect::<Vec<_>>()
    })?;
    let mut errors: Vec<SourceError> = set
        .templates()
        .map(|template| {
            let offset = template.as_ref().loc().map_or(0, |loc| loc.span.offset());
            at(
                source,
                offset,
                "a policy template, expected a policy without slots".to_owned(),
            )
            .help("write one policy for each case instead of `?principal` or `?resource`")
        })
        .collect();
    let mut parsed = Vec::new();
    for policy in set.policies() {
        let offset = policy.as_ref().loc().map_or(0, |loc| loc.span.offset());
        match describe::describe(source, offset, policy, facts) {
            Ok((info, literals)) => parsed.push(Parsed {
                compiled: Compiled {
                    policy: policy.new_id(PolicyId::new(&info.id)),
                    literals,
                },
                info,
                source,
                offset,
            }),
            Err(error) => errors.push(*error),
        }
    }
    if parsed.is_empty() && errors.is_empty() {
        errors.push(SourceError::new(
            &source.path,
            "no policy in this file, expected at least one",
        ));
    }
    parsed.sort_by_key(|policy| policy.offset);
    if errors.is_empty() { Ok(parsed) } else { Err(errors) }
}

fn duplicate(second: &Parsed<'_>, first: &Parsed<'_>) -> SourceError {
    let (line, column) = position(&first.source.text, first.offset);
    let message = format!(
        "policy id `{}` is taken, expected a unique one; the first is at {}:{line}:{column}",
        second.info.id, first.source.path
    );
    at(second.source, second.offset, message).help("rename one of the two")
}

/// Cedar's own strict validation, with warnings as errors.
fn validate(schema: &Schema, policies: &BTreeMap<String, Parsed<'_>>) -> Vec<SourceError> {
    let set = match PolicySet::from_policies(policies.values().map(|parsed| parsed.compiled.policy.clone())) {
        Ok(set) => set,
        Err(error) => return vec![SourceError::new("the policy pack", error.to_string())],
    };
    let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let place = |id: &PolicyId, diagnostic: &dyn Diagnostic| {
        let id: &str = id.as_ref();
        policies.get(id).map_or_else(
            || SourceError::new("the policy pack", diagnostic.to_string()),
            |parsed| located(parsed.source, diagnostic, Some(parsed.offset)),
        )
    };
    let errors = result.validation_errors().map(|error| place(error.policy_id(), error));
    let warnings = result
        .validation_warnings()
        .map(|warning| place(warning.policy_id(), warning));
    let mut found: Vec<SourceError> = errors.chain(warnings).collect();
    // Cedar reports in the order of a hash map, and once for each action that a policy applies to.
    found.sort_by(|a, b| (a.file(), a.position, &a.message).cmp(&(b.file(), b.position, &b.message)));
    let mut seen = BTreeSet::new();
    found.retain(|error| seen.insert(error.one_line()));
    found
}

/// An error of Cedar's, with its place in the file, else that of the policy.
pub(super) fn located(source: &PolicySource, diagnostic: &dyn Diagnostic, fallback: Option<usize>) -> SourceError {
    let offset = diagnostic
        .labels()
        .and_then(|mut labels| labels.next())
        .map(|label| label.offset())
        .or(fallback);
    let message = diagnostic.to_string();
    let error = match offset {
        Some(offset) => at(source, offset, message),
        None => SourceError::new(&source.path, message),
    };
    match diagnostic.help() {
        Some(help) => error.help(help.to_string()),
        None => error.help("facts and their types are in `schemas/holdpoint.cedarschema`"),
    }
}

/// An error at a byte offset.
pub(super) fn at(source: &PolicySource, offset: usize, message: String) -> SourceError {
    let (line, column) = position(&source.text, offset);
    SourceError::new(&source.path, message).at(&source.text, line, column)
}

/// Line and column of a byte offset, 1-based; columns count characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}
