//! One rule from a template.

use anyhow::Result;
use clap::ValueEnum;
use holdpoint_engine::policy::{Effect, PolicySource, format};
use holdpoint_schemas::fact::Action;
use holdpoint_schemas::pack::{CaseFile, Relaxation};

use super::cases::About;
use super::files::{self, NewFile};
use super::yaml::{case_file, quoted};
use super::{Rule, Workspace, Written};
use crate::failure::BadInput;
use crate::pipeline::packs::CASES;

/// Most characters of a sentence that people are shown.
const MAX_SENTENCE_CHARS: usize = 300;
/// Most characters of a policy's id: it is a file's name too.
const MAX_ID_CHARS: usize = 80;
/// Ids of bounds that are no policy's: one of that name couldn't be told from them.
const RESERVED_IDS: [&str; 2] = ["no-permit", "no-fix"];

/// What kind of rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Forbid while a yes-or-no fact is yes, or unknown
    FreezeLike,
    /// Forbid unless a fact is known and safe
    UnknownSafeForbid,
    /// Permit when a fact is known and safe
    Permit,
    /// Drop an inherited forbid; with a fact, only where that is known and safe
    Relax,
}

/// A rule to be written.
#[derive(Debug)]
pub struct Draft {
    /// `@id`: lower-case letters, digits and hyphens.
    pub id: String,
    /// Kind.
    pub template: Template,
    /// The condition; only [`Template::Relax`] does without.
    pub rule: Option<Rule>,
    /// What it permits or forbids; not asked for [`Template::Relax`], which keeps the inherited ones.
    pub actions: Vec<Action>,
    /// `@reason`; for [`Template::Relax`], why the pack loosens.
    pub reason: String,
    /// `@unknown`; `None`: made from what the fact is about.
    pub unknown: Option<String>,
    /// `@unlock`.
    pub unlock: Option<String>,
}

/// Writes a rule with its cases into a pack.
///
/// # Errors
/// When the id is taken or the rule doesn't fit the pack. Nothing is written then.
pub fn create(workspace: &Workspace, mut draft: Draft) -> Result<Written> {
    check_texts(&draft)?;
    draft.actions = sound(&draft.actions, draft.template == Template::Permit);
    let draft = &draft;
    let parts = match draft.template {
        Template::Relax => relaxed(workspace, draft)?,
        _ => ruled(workspace, draft)?,
    };
    let comment = format!(
        "What `{}` does. Written by `holdpoint policy new`; add the cases that matter to you.",
        draft.id
    );
    let cases = workspace.file(&format!("{CASES}/{}.yaml", draft.id), case_file(&comment, &parts.cases));
    let policy = parts
        .policy
        .map(|source| workspace.file(&format!("{}.cedar", draft.id), source.text));
    let manifest = workspace.manifest_file(parts.relaxes.as_ref())?;
    write(policy.into_iter().chain([cases]).collect(), manifest, parts.notes)
}

/// What may be merged without asking must also be open to suggestion: a rule on the one action of the
/// two is on both. A forbid of merging alone is fine.
fn sound(actions: &[Action], permits: bool) -> Vec<Action> {
    let other = match actions {
        [Action::AutoApply] if permits => Action::Suggest,
        [Action::Suggest] if !permits => Action::AutoApply,
        _ => return actions.to_vec(),
    };
    let mut both = vec![other];
    both.extend(actions);
    both.sort();
    both
}

/// What a draft comes to.
struct Parts {
    policy: Option<PolicySource>,
    relaxes: Option<Relaxation>,
    cases: CaseFile,
    notes: Vec<String>,
}

fn ruled(workspace: &Workspace, draft: &Draft) -> Result<Parts> {
    let id = &draft.id;
    let Some(rule) = &draft.rule else {
        return Err(BadInput::new(format!("`{id}` needs a fact"), "name it with `--fact`").into());
    };
    if !workspace.is_empty()
        && let Some(taken) = workspace.compile(&[], None)?.policy(id)
    {
        return Err(BadInput::new(
            format!("policy id `{id}` is taken, by `{}`", taken.path),
            "choose another id; `--template relax` loosens an inherited forbid",
        )
        .into());
    }
    if let Some(action) = draft.actions.iter().find(|action| !rule.row.actions.contains(action)) {
        return Err(BadInput::new(
            format!("`{}` is never known under action `{}`", rule.row.id, action.as_str()),
            "an approval is a fact of `promote` alone: use `--action promote`",
        )
        .into());
    }
    let permits = draft.template == Template::Permit;
    let source = laid_out(workspace, id, &policy_text(draft, rule, permits))?;
    let relaxes = (permits && workspace.base().is_some()).then(|| Relaxation {
        policy: id.clone(),
        reason: draft.reason.trim().to_owned(),
    });
    let pack = workspace.compile(std::slice::from_ref(&source), relaxes.as_ref())?;
    let about = About {
        id,
        pack: &pack,
        actions: &draft.actions,
    };
    let mut notes = Vec::new();
    if relaxes.is_some() {
        notes.push("a layer may only tighten, so pack.yaml lists this permit under `relaxes`".to_owned());
    }
    if !pack.policies().iter().any(|policy| policy.effect == Effect::Permit) {
        notes.push("nothing in this pack permits anything yet: every decision is an alert".to_owned());
    }
    if workspace.has_cases() {
        notes.push("older cases may get another answer now: `holdpoint policy test` tells".to_owned());
    }
    Ok(Parts {
        cases: about.rule(rule, !permits),
        policy: Some(source),
        relaxes,
        notes,
    })
}

fn relaxed(workspace: &Workspace, draft: &Draft) -> Result<Parts> {
    let id = &draft.id;
    let Some(base) = workspace.base() else {
        return Err(BadInput::new(
            "this pack extends no other, so there is nothing to relax",
            "edit the policy, or start a layer with `--extends`",
        )
        .into());
    };
    let is_forbid = |id: &str| {
        base.pack
            .policy(id)
            .is_some_and(|policy| policy.effect == Effect::Forbid)
    };
    if !is_forbid(id) {
        let forbids = base.pack.policies().iter().map(|policy| policy.id.as_str());
        let forbids: Vec<&str> = forbids.filter(|id| is_forbid(id)).collect();
        return Err(BadInput::new(
            format!("pack `{}` has no forbid `{id}`", base.manifest.name),
            format!("its forbids are: {}", forbids.join(", ")),
        )
        .into());
    }
    let relaxes = Relaxation {
        policy: id.clone(),
        reason: draft.reason.trim().to_owned(),
    };
    let policy = match &draft.rule {
        None => None,
        Some(rule) => Some(exempted(workspace, id, rule)?),
    };
    let pack = workspace.compile(policy.as_slice(), Some(&relaxes))?;
    let actions: Vec<Action> = base
        .pack
        .policy(id)
        .map_or_else(Vec::new, |policy| policy.actions.iter().copied().collect());
    let about = About {
        id,
        pack: &pack,
        actions: &actions,
    };
    let cases = match &draft.rule {
        None => about.dropped(&base.pack),
        Some(rule) => about.exempted(&base.pack, rule),
    };
    Ok(Parts {
        policy,
        relaxes: Some(relaxes),
        cases,
        notes: vec![format!("pack.yaml says that this pack loosens `{id}`, and why")],
    })
}

/// The inherited forbid with one more exception: where a fact is known and safe.
fn exempted(workspace: &Workspace, id: &str, rule: &Rule) -> Result<PolicySource> {
    let inherited = workspace
        .inherited_source(id)
        .map_or("", |source| source.text.trim_end());
    let body = inherited
        .strip_suffix(';')
        .filter(|body| body.matches("@id(").count() == 1);
    let Some(body) = body else {
        return Err(BadInput::new(
            format!("the file of `{id}` holds more than that policy"),
            "copy the policy into a file of this pack, change it, and list it under `relaxes`",
        )
        .into());
    };
    laid_out(workspace, id, &format!("{body}\nunless {{ {} }};", rule.cedar()))
}

fn laid_out(workspace: &Workspace, id: &str, text: &str) -> Result<PolicySource> {
    let source = PolicySource {
        path: workspace.label(&format!("{id}.cedar")),
        text: text.to_owned(),
    };
    let text = format(&source)?;
    Ok(PolicySource { text, ..source })
}

fn policy_text(draft: &Draft, rule: &Rule, permits: bool) -> String {
    let mut text = format!("@id({})\n@reason({})\n", quoted(&draft.id), quoted(draft.reason.trim()));
    let unknown = || format!("It isn't known {}", about(rule.row.id, rule.row.doc));
    let unknown = (!permits).then(|| draft.unknown.clone().unwrap_or_else(unknown));
    for (name, sentence) in [("unknown", unknown), ("unlock", draft.unlock.clone())] {
        if let Some(sentence) = sentence {
            text.push_str(&format!("@{name}({})\n", quoted(sentence.trim())));
        }
    }
    let action = match draft.actions.as_slice() {
        [one] => format!("action == Action::\"{}\"", one.as_str()),
        all if all.len() == Action::ALL.len() => "action".to_owned(),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|action| format!("Action::\"{}\"", action.as_str()))
                .collect();
            format!("action in [{}]", names.join(", "))
        }
    };
    let condition = rule.cedar();
    let (effect, clause) = if permits {
        ("permit", "when")
    } else {
        ("forbid", "unless")
    };
    format!("{text}{effect} (principal, {action}, resource)\n{clause} {{ {condition} }};\n")
}

/// A fact as the end of a sentence: from `Whether …` of its doc line, else by its id.
fn about(id: &str, doc: &str) -> String {
    match doc.strip_prefix("Whether ") {
        Some(rest) => format!("whether {}", rest.trim_end_matches('.')),
        None => format!("what {id} is"),
    }
}

fn check_texts(draft: &Draft) -> Result<()> {
    check_id(&draft.id)?;
    for (name, text) in [
        ("reason", Some(&draft.reason)),
        ("unknown", draft.unknown.as_ref()),
        ("unlock", draft.unlock.as_ref()),
    ] {
        let Some(text) = text else { continue };
        if text.trim().is_empty() || text.chars().count() > MAX_SENTENCE_CHARS || text.chars().any(char::is_control) {
            return Err(BadInput::new(
                format!("`--{name}` isn't one sentence of at most {MAX_SENTENCE_CHARS} characters"),
                "write what people should read",
            )
            .into());
        }
    }
    Ok(())
}

/// Whether an id may be that of a policy and its file.
pub(super) fn check_id(id: &str) -> Result<()> {
    if RESERVED_IDS.contains(&id) {
        return Err(BadInput::new(
            format!("id `{id}` is what holdpoint itself calls a reason to withhold"),
            "choose another id",
        )
        .into());
    }
    let fits = id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if fits && id.starts_with(|c: char| c.is_ascii_lowercase()) && id.len() <= MAX_ID_CHARS {
        return Ok(());
    }
    Err(BadInput::new(
        format!("id `{id}`, expected lower-case letters, digits and hyphens"),
        "write it as in `code-freeze`",
    )
    .into())
}

/// Writes the new files, then the manifest: if that is there already, in one step.
pub(super) fn write(mut new: Vec<NewFile>, manifest: Option<(NewFile, bool)>, notes: Vec<String>) -> Result<Written> {
    let mut extended = None;
    match manifest {
        Some((file, true)) => new.insert(0, file),
        Some((file, false)) => extended = Some(file),
        None => {}
    }
    files::create_all(&new)?;
    if let Some(file) = &extended {
        files::replace(file)?;
    }
    Ok(Written {
        created: new.into_iter().map(|file| file.label).collect(),
        extended: extended.into_iter().map(|file| file.label).collect(),
        notes,
    })
}
