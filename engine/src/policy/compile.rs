//! From Cedar text to a pack, or to errors that say where.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{PolicyId, PolicySet, Schema, ValidationMode, Validator};
use holdpoint_schemas::fact::{Action, row};
use holdpoint_schemas::{Digest, SourceError};
use miette::Diagnostic;

use super::{Effect, Pack, PolicyError, PolicyInfo, PolicySource, reads};

/// Longest policy file, in bytes. A person's policy is a few hundred.
const MAX_FILE_BYTES: usize = 1 << 20;
/// Most policies of a pack: ten times what a large organisation has, and still compiled in seconds.
const MAX_POLICIES: usize = 10_000;
/// Deepest nesting of brackets: a person's policy has about five, and the parser recurses.
const MAX_NESTING: usize = 64;
/// Annotations that mean something. Others are refused, so that a misspelt one is noticed.
const ANNOTATIONS: [&str; 3] = ["id", "reason", "unlock"];

pub(super) fn compile(name: &str, sources: &[PolicySource], schema: &str) -> Result<Pack, PolicyError> {
    let fail = |errors| PolicyError {
        pack: name.to_owned(),
        errors,
    };
    let (parsed_schema, warnings) = Schema::from_cedarschema_str(schema).map_err(|error| {
        let source = PolicySource {
            path: "the Cedar schema".to_owned(),
            text: schema.to_owned(),
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
        match parse(source) {
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
        .map(|policy| (policy.info, policy.policy))
        .unzip();
    Ok(assemble(
        name,
        Arc::new(parsed_schema),
        Digest::of_bytes(schema.as_bytes()),
        infos,
        compiled,
    ))
}

/// Puts checked policies together; `policies` and `compiled` have the same order.
pub(super) fn assemble(
    name: &str,
    schema: Arc<Schema>,
    schema_digest: Digest,
    policies: Vec<PolicyInfo>,
    compiled: Vec<cedar_policy::Policy>,
) -> Pack {
    let texts: Vec<String> = compiled.iter().map(ToString::to_string).collect();
    let parts = policies
        .iter()
        .zip(&texts)
        .flat_map(|(policy, text)| [policy.id.as_bytes(), text.as_bytes()]);
    let digest = Digest::of_parts(parts);
    let mut sets: BTreeMap<Action, PolicySet> = BTreeMap::new();
    for action in Action::ALL {
        let set = sets.entry(action).or_default();
        for (info, policy) in policies.iter().zip(&compiled) {
            if info.actions.contains(&action) {
                // Ids are unique, which is the only reason for a refusal. Were one refused, the set
                // would lack it; `Pack::evaluate` therefore counts.
                let _ = set.add(policy.clone());
            }
        }
    }
    Pack {
        name: name.to_owned(),
        digest,
        schema_digest,
        schema,
        policies,
        compiled,
        sets,
    }
}

/// A policy with the place that it came from.
struct Parsed<'a> {
    info: PolicyInfo,
    policy: cedar_policy::Policy,
    source: &'a PolicySource,
    /// Byte offset of the policy in its file.
    offset: usize,
}

fn parse(source: &PolicySource) -> Result<Vec<Parsed<'_>>, Vec<SourceError>> {
    bounded(source).map_err(|error| vec![error])?;
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
        match describe(source, offset, policy) {
            Ok(info) => parsed.push(Parsed {
                policy: policy.new_id(PolicyId::new(&info.id)),
                info,
                source,
                offset,
            }),
            Err(error) => errors.push(error),
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

fn bounded(source: &PolicySource) -> Result<(), SourceError> {
    let size = source.text.len();
    if size > MAX_FILE_BYTES {
        let message = format!("{size} bytes, expected at most {MAX_FILE_BYTES}");
        return Err(SourceError::new(&source.path, message).help("split the file"));
    }
    let mut depth = 0_usize;
    for (offset, byte) in source.text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            let message = format!("brackets nested deeper than {MAX_NESTING}");
            return Err(at(source, offset, message).help("split the condition into several policies"));
        }
    }
    Ok(())
}

fn describe(source: &PolicySource, offset: usize, policy: &cedar_policy::Policy) -> Result<PolicyInfo, SourceError> {
    let error = |message: String, help: &str| at(source, offset, message).help(help);
    let annotation = |key: &str| policy.annotation(key).map(str::trim).filter(|text| !text.is_empty());
    let id = annotation("id").ok_or_else(|| {
        error(
            "a policy without `@id`, expected one".to_owned(),
            "write `@id(\"…\")` before the policy, the same as its file's name",
        )
    })?;
    if !id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(error(
            format!("policy id `{id}`, expected lower-case letters, digits and hyphens"),
            "rename it, for example to `code-freeze`",
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
            format!("policy `{id}` has the annotation `@{key}`, expected `@id`, `@reason` or `@unlock`"),
            "correct or remove it",
        ));
    }
    let tree = policy.to_pst().map_err(|e| {
        error(
            format!("policy `{id}` can't be read: {e}"),
            "rewrite it with plain conditions on facts",
        )
    })?;
    let reads = reads::read(tree.body())
        .map_err(|refusal| error(format!("policy `{id}`: {}", refusal.message), refusal.help))?;
    misplaced(&reads).map_or(Ok(()), |(fact, action)| {
        Err(error(
            format!(
                "policy `{id}` reads `context.{fact}`, which is never known under action `{}`",
                action.as_str()
            ),
            "name the actions that it is for: `action == Action::\"promote\"`",
        ))
    })?;
    Ok(PolicyInfo {
        id: id.to_owned(),
        reason: reason.to_owned(),
        unlock: annotation("unlock").map(str::to_owned),
        effect: match policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        },
        actions: reads.actions,
        path: source.path.clone(),
        facts: reads.facts,
    })
}

/// A fact that an action's context never holds: Cedar only warns, and not always.
fn misplaced(reads: &reads::Reads) -> Option<(&str, Action)> {
    reads.facts.iter().find_map(|fact| {
        let row = row(fact)?;
        let action = reads.actions.iter().find(|action| !row.actions.contains(action))?;
        Some((fact.as_str(), *action))
    })
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
    let set = match PolicySet::from_policies(policies.values().map(|parsed| parsed.policy.clone())) {
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
fn located(source: &PolicySource, diagnostic: &dyn Diagnostic, fallback: Option<usize>) -> SourceError {
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

fn at(source: &PolicySource, offset: usize, message: String) -> SourceError {
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
