//! Which facts a policy reads, and what it may not do, from its syntax tree.

use std::collections::BTreeSet;

use cedar_policy::pst::{self, BinaryOp, Expr, Var};
use holdpoint_schemas::fact::{Action, FactTable, FactType};

/// What a policy's head and body say.
pub(super) struct Reads {
    /// Actions that it applies to.
    pub(super) actions: BTreeSet<Action>,
    /// Facts that it reads, by id.
    pub(super) facts: BTreeSet<String>,
    /// What it compares them with.
    pub(super) literals: Literals,
}

/// Numbers and words in a policy's conditions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Literals {
    /// Numbers.
    pub(crate) numbers: BTreeSet<i64>,
    /// Words.
    pub(crate) words: BTreeSet<String>,
}

/// Something that a policy may not do.
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) help: String,
    /// Text of the policy at which it is to be shown, where it can be found.
    pub(super) near: String,
}

const FACTS_ONLY: &str =
    "entities have no parents and no attributes here: write a condition on facts, for example `context.service.tier`";

/// Reads a policy's tree.
///
/// # Errors
/// What it does that isn't allowed: a condition on an entity, an unknown action, a whole group of
/// facts as a value.
pub(super) fn read(policy: &pst::Template, table: &FactTable) -> Result<Reads, Refusal> {
    head(policy)?;
    let mut reads = Reads {
        actions: actions(&policy.action)?,
        facts: BTreeSet::new(),
        literals: Literals::default(),
    };
    for clause in policy.clauses() {
        let (pst::Clause::When(expr) | pst::Clause::Unless(expr)) = clause;
        walk(expr, &mut reads, table)?;
    }
    Ok(reads)
}

/// What a policy reads; `None` if it does what [`read`] refuses.
pub(super) fn of_policy(policy: &cedar_policy::Policy, table: &FactTable) -> Option<Reads> {
    read(policy.to_pst().ok()?.body(), table).ok()
}

/// Facts and literals of one expression of a policy that has been read; `None` if it does what [`read`] refuses.
pub(super) fn reads_of(expr: &Expr, table: &FactTable) -> Option<(BTreeSet<String>, Literals)> {
    let mut reads = Reads {
        actions: BTreeSet::new(),
        facts: BTreeSet::new(),
        literals: Literals::default(),
    };
    walk(expr, &mut reads, table).ok()?;
    Some((reads.facts, reads.literals))
}

fn head(policy: &pst::Template) -> Result<(), Refusal> {
    let entity = |what: &str| Refusal {
        message: format!("the policy's head constrains `{what}`, expected facts only"),
        help: FACTS_ONLY.to_owned(),
        near: what.to_owned(),
    };
    match &policy.principal {
        pst::PrincipalConstraint::Any | pst::PrincipalConstraint::Is(_) => {}
        _ => return Err(entity("principal")),
    }
    match &policy.resource {
        pst::ResourceConstraint::Any | pst::ResourceConstraint::Is(_) => {}
        _ => return Err(entity("resource")),
    }
    Ok(())
}

fn actions(constraint: &pst::ActionConstraint) -> Result<BTreeSet<Action>, Refusal> {
    let named = match constraint {
        pst::ActionConstraint::Any => return Ok(Action::ALL.into()),
        pst::ActionConstraint::Eq(one) => std::slice::from_ref(one),
        pst::ActionConstraint::In(several) => several,
    };
    named
        .iter()
        .map(|uid| {
            Action::ALL
                .into_iter()
                .find(|action| uid.ty.to_string() == "Action" && uid.eid == action.as_str())
                .ok_or_else(|| Refusal {
                    message: format!("there is no action `{uid}`"),
                    help: "the actions are `Action::\"suggest\"`, `Action::\"autoApply\"` and `Action::\"promote\"`"
                        .to_owned(),
                    near: uid.to_string(),
                })
        })
        .collect()
}

/// Collects the facts of an expression. Depth is bounded by Cedar's own parser.
fn walk(expr: &Expr, reads: &mut Reads, table: &FactTable) -> Result<(), Refusal> {
    if let Some(path) = context_path(expr) {
        return fact(&path, table, &mut reads.facts);
    }
    match expr {
        Expr::Literal(literal) => {
            match literal {
                pst::Literal::Long(number) => drop(reads.literals.numbers.insert(*number)),
                pst::Literal::String(word) => drop(reads.literals.words.insert(word.to_string())),
                _ => {}
            }
            Ok(())
        }
        Expr::Var(var) => Err(Refusal {
            message: format!("a condition on `{}`, expected facts only", name(var)),
            help: FACTS_ONLY.to_owned(),
            near: "{".to_owned(),
        }),
        Expr::UnaryOp { expr, .. }
        | Expr::GetAttr { expr, .. }
        | Expr::HasAttr { expr, .. }
        | Expr::Like { expr, .. }
        | Expr::Is { expr, .. } => walk(expr, reads, table),
        Expr::BinaryOp { left, right, op } => {
            if matches!(op, BinaryOp::Eq | BinaryOp::NotEq) {
                is_a_word_of(left, right, table).and_then(|()| is_a_word_of(right, left, table))?;
            }
            walk(left, reads, table).and_then(|()| walk(right, reads, table))
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => [cond, then_expr, else_expr]
            .into_iter()
            .try_for_each(|e| walk(e, reads, table)),
        Expr::Set(items) => items.iter().try_for_each(|e| walk(e, reads, table)),
        Expr::Record(fields) => fields.values().try_for_each(|e| walk(e, reads, table)),
        _ => Err(Refusal {
            message: "an expression of a kind that facts have no use for".to_owned(),
            help: FACTS_ONLY.to_owned(),
            near: "{".to_owned(),
        }),
    }
}

/// A fact of a few words can't equal another word: a misspelt one would never apply.
fn is_a_word_of(fact: &Expr, literal: &Expr, table: &FactTable) -> Result<(), Refusal> {
    let Expr::Literal(pst::Literal::String(word)) = literal else {
        return Ok(());
    };
    let Some(row) = context_path(fact).and_then(|path| table.row(&path.join("."))) else {
        return Ok(());
    };
    match row.fact_type {
        FactType::Word(words) if !words.contains(&word.as_str()) => Err(Refusal {
            message: format!("`context.{}` is compared with `{word}`, which it never is", row.id),
            help: format!("it is {}", row.fact_type.describe()),
            near: format!("\"{word}\""),
        }),
        _ => Ok(()),
    }
}

const fn name(var: &Var) -> &'static str {
    match var {
        Var::Principal => "principal",
        Var::Action => "action",
        Var::Resource => "resource",
        Var::Context => "context",
    }
}

/// `context.a.b`, or `context.a has b`, as `["a", "b"]`; `None` for anything else. In a pack's policies
/// it is the path of a fact.
#[must_use]
pub fn context_path(expr: &Expr) -> Option<Vec<&str>> {
    match expr {
        Expr::Var(Var::Context) => Some(Vec::new()),
        Expr::GetAttr { expr, attr } => {
            let mut path = context_path(expr)?;
            path.push(attr);
            Some(path)
        }
        Expr::HasAttr { expr, attrs } => {
            // `has` gives a yes or no, so it can only be the outermost step of a path.
            let mut path = match expr.as_ref() {
                Expr::HasAttr { .. } => return None,
                inner => context_path(inner)?,
            };
            path.extend(attrs.iter().map(|attr| attr.as_str()));
            Some(path)
        }
        _ => None,
    }
}

/// Counts the fact at `path`. A group of facts has no value, and that something of it is known means
/// nothing for safety, so neither may be asked for.
///
/// An attribute whose own name has a dot in it is never known, though its path reads like a fact's: a
/// rule on it would silently never apply.
fn fact(path: &[&str], table: &FactTable, facts: &mut BTreeSet<String>) -> Result<(), Refusal> {
    let is_plain = |step: &str| step.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if let Some(step) = path.iter().find(|step| !is_plain(step)) {
        return Err(Refusal {
            message: format!("`{step}` is taken for the name of one attribute, and no fact has such a name"),
            help: "write the path of a fact without quotes, for example `context has service.tier`".to_owned(),
            near: format!("\"{step}\""),
        });
    }
    let id = path.join(".");
    let prefix = format!("{id}.");
    if id.is_empty() || table.rows().any(|row| row.id.starts_with(&prefix)) {
        return Err(Refusal {
            message: format!(
                "`context{}{id}` is a group of facts, expected one fact",
                if id.is_empty() { "" } else { "." }
            ),
            help: "name a fact of the group, for example `context.service.tier`".to_owned(),
            near: id,
        });
    }
    facts.insert(id);
    Ok(())
}
