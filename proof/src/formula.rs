//! Formulas: conditions of policies, put together. They are Cedar expressions, so that what is proved
//! is what Cedar means.
//!
//! The context of a proof is flat: the fact `service.tier` is one attribute of that name. In the engine
//! it is nested in groups, and a group is there exactly if one of its facts is known. As no policy may
//! ask for a group, only for facts, the two can't be told apart.
//!
//! Every fact has a value there, and a flag [`known`] beside it. A pack is compiled only if Cedar's strict
//! validation shows that its policies read no fact before they know it to be there, so the value beside a
//! flag that isn't set is never looked at. What can't fail is translated once, while of a step that may fail
//! the symbolic compiler copies the operands: formulas would double with each step of their depth.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::pst::{self, BinaryOp, Clause, EntityType, Expr, Literal, UnaryOp, Var};
use holdpoint_engine::policy::{Effect, Pack, PolicyInfo, context_path};
use holdpoint_schemas::fact::{Action, FactRow, FactTable};

/// A condition that is true or false for each set of facts.
pub(crate) type Formula = Arc<Expr>;

/// Stack that a deep policy needs to be taken apart.
const STACK_BYTES: usize = 64 << 20;
/// Stack that one step needs, and how much more is taken when it isn't there.
const STEP_BYTES: usize = 128 << 10;

/// Policies in one chain of alternatives.
const LONGEST_CHAIN: usize = 64;

/// Whose facts a policy is asked about, where a property compares two sets of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// All facts.
    Whole,
    /// Without those that are hidden: a fact is known only if the flag [`seen`] is set too.
    Fewer,
    /// The same facts are known, but evidence has the value [`worse`].
    Worse,
}

/// Name of the flag that a fact is known. No fact has a blank in its name.
pub(crate) fn known(id: &str) -> String {
    format!("known {id}")
}

/// Name of the flag that a fact isn't hidden.
pub(crate) fn seen(id: &str) -> String {
    format!("seen {id}")
}

/// Name of the other value of a piece of evidence.
pub(crate) fn worse(id: &str) -> String {
    format!("worse {id}")
}

/// The policies of a pack as formulas.
pub(crate) struct Conditions<'a> {
    pub(crate) table: &'a FactTable,
    policies: Vec<(&'a PolicyInfo, Formula)>,
}

impl<'a> Conditions<'a> {
    /// # Errors
    /// A policy of a kind that formulas don't know, in plain words.
    pub(crate) fn of(pack: &'a Pack) -> Result<Self, String> {
        let policies = stacker::grow(STACK_BYTES, || {
            pack.cedar()
                .map(|(info, policy)| {
                    let tree = policy.to_pst().map_err(|error| error.to_string())?;
                    Ok((info, condition(tree.body())?))
                })
                .collect::<Result<_, String>>()
        })?;
        Ok(Self {
            table: pack.fact_table(),
            policies,
        })
    }

    /// When the policy `id` applies, whatever the action.
    pub(crate) fn applies(&self, id: &str, view: View) -> Result<Formula, String> {
        let (_, condition) = self
            .policies
            .iter()
            .find(|(info, _)| info.id == id)
            .ok_or_else(|| format!("there is no policy `{id}`"))?;
        rewrite(condition, view, self.table)
    }

    /// Whether a policy holds an operation that fails for some values: arithmetic, or what reads a date,
    /// a decimal or an address.
    pub(crate) fn may_fail(&self, id: &str) -> bool {
        let found = self.policies.iter().find(|(info, _)| info.id == id);
        found.is_none_or(|(_, condition)| stacker::grow(STACK_BYTES, || holds_a_step_that_fails(condition)))
    }

    /// When some policy applies that has this effect and is for this action.
    pub(crate) fn some(&self, effect: Effect, action: Action, view: View) -> Result<Formula, String> {
        self.some_of(effect, action, view, |_| true)
    }

    /// The same for the policies that `is_meant` chooses.
    pub(crate) fn some_of(
        &self,
        effect: Effect,
        action: Action,
        view: View,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<Formula, String> {
        let chosen = self
            .policies
            .iter()
            .filter(|(info, _)| info.effect == effect && info.actions.contains(&action) && is_meant(&info.id));
        let conditions: Result<Vec<Formula>, String> = chosen
            .map(|(_, condition)| rewrite(condition, view, self.table))
            .collect();
        Ok(any(conditions?))
    }

    /// When the pack permits the action.
    pub(crate) fn permits(&self, action: Action, view: View) -> Result<Formula, String> {
        let permit = self.some(Effect::Permit, action, view)?;
        Ok(and(permit, not(self.some(Effect::Forbid, action, view)?)))
    }

    /// The facts that the policies of an action read.
    pub(crate) fn reads(&self, action: Action) -> BTreeSet<&'a str> {
        let policies = self.policies.iter().map(|(info, _)| *info);
        policies
            .filter(|info| info.actions.contains(&action))
            .flat_map(|info| info.facts.iter().map(String::as_str))
            .collect()
    }
}

/// A policy's clauses as one formula. The head needs none: who is asked about which action is chosen
/// outside, and the pack refuses any other condition on entities.
fn condition(policy: &pst::Template) -> Result<Formula, String> {
    let clauses = policy.clauses().iter().map(|clause| match clause {
        Clause::When(expr) => expr.clone(),
        Clause::Unless(expr) => not(expr.clone()),
    });
    let principal = match &policy.principal {
        pst::PrincipalConstraint::Any => true,
        pst::PrincipalConstraint::Is(kind) => is_named(kind, "Remediator"),
        _ => return Err(format!("policy `{}` has a condition on its principal", policy.id)),
    };
    let resource = match &policy.resource {
        pst::ResourceConstraint::Any => true,
        pst::ResourceConstraint::Is(kind) => is_named(kind, "Service"),
        _ => return Err(format!("policy `{}` has a condition on its resource", policy.id)),
    };
    // Folded from the left, as Cedar does: an earlier clause may be why a later one may read a fact.
    Ok(clauses.fold(literal(principal && resource), and))
}

/// What isn't known not to fail counts as failing.
fn holds_a_step_that_fails(condition: &Expr) -> bool {
    let fails = |expr: &Expr| match expr {
        Expr::UnaryOp { op, .. } => !matches!(op, UnaryOp::Not | UnaryOp::IsEmpty),
        Expr::BinaryOp { op, .. } => !matches!(
            op,
            BinaryOp::Eq
                | BinaryOp::NotEq
                | BinaryOp::Less
                | BinaryOp::LessEq
                | BinaryOp::Greater
                | BinaryOp::GreaterEq
                | BinaryOp::And
                | BinaryOp::Or
                | BinaryOp::Contains
                | BinaryOp::ContainsAll
                | BinaryOp::ContainsAny
        ),
        Expr::Literal(_)
        | Expr::Var(_)
        | Expr::GetAttr { .. }
        | Expr::HasAttr { .. }
        | Expr::Like { .. }
        | Expr::IfThenElse { .. }
        | Expr::Set(_)
        | Expr::Record(_) => false,
        _ => true,
    };
    condition.reduce(&|expr| fails(expr).then_some(true), &|a, b| a || b, false)
}

fn is_named(kind: &EntityType, name: &str) -> bool {
    kind.to_string() == name
}

/// The same condition on the flat context, as `view` sees it.
fn rewrite(expr: &Expr, view: View, table: &FactTable) -> Result<Formula, String> {
    stacker::maybe_grow(STEP_BYTES, STACK_BYTES, || rewrite_step(expr, view, table))
}

fn rewrite_step(expr: &Expr, view: View, table: &FactTable) -> Result<Formula, String> {
    if let Some(path) = context_path(expr) {
        let id = path.join(".");
        let row = table.row(&id).ok_or_else(|| format!("there is no fact `{id}`"))?;
        return Ok(match expr {
            Expr::HasAttr { .. } => is_known(row, view),
            _ => value(row, view),
        });
    }
    let again = |expr: &Arc<Expr>| rewrite(expr, view, table);
    Ok(Arc::new(match expr {
        Expr::Literal(literal) => Expr::Literal(literal.clone()),
        Expr::UnaryOp { op, expr } => Expr::UnaryOp {
            op: *op,
            expr: again(expr)?,
        },
        Expr::BinaryOp {
            op: op @ (BinaryOp::And | BinaryOp::Or),
            left,
            right,
        } => return Ok(leaning_right(*op, &again(left)?, again(right)?)),
        Expr::BinaryOp { op, left, right } => Expr::BinaryOp {
            op: *op,
            left: again(left)?,
            right: again(right)?,
        },
        Expr::GetAttr { expr, attr } => Expr::GetAttr {
            expr: again(expr)?,
            attr: attr.clone(),
        },
        Expr::HasAttr { expr, attrs } => Expr::HasAttr {
            expr: again(expr)?,
            attrs: attrs.clone(),
        },
        Expr::Like { expr, pattern } => Expr::Like {
            expr: again(expr)?,
            pattern: pattern.clone(),
        },
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => Expr::IfThenElse {
            cond: again(cond)?,
            then_expr: again(then_expr)?,
            else_expr: again(else_expr)?,
        },
        Expr::Set(items) => Expr::Set(items.iter().map(again).collect::<Result<_, _>>()?),
        Expr::Record(fields) => Expr::Record(
            fields
                .iter()
                .map(|(name, field)| Ok((name.clone(), again(field)?)))
                .collect::<Result<_, String>>()?,
        ),
        _ => return Err("an expression that proofs don't know".to_owned()),
    }))
}

fn is_known(row: &FactRow, view: View) -> Formula {
    match view {
        View::Whole | View::Worse => get(&known(row.id)),
        View::Fewer => and(get(&known(row.id)), get(&seen(row.id))),
    }
}

fn value(row: &FactRow, view: View) -> Formula {
    match view {
        View::Worse if !row.evidence_order.is_empty() => get(&worse(row.id)),
        _ => get(row.id),
    }
}

/// `context["name"]`.
pub(crate) fn get(name: &str) -> Formula {
    Arc::new(Expr::GetAttr {
        expr: Arc::new(Expr::Var(Var::Context)),
        attr: name.into(),
    })
}

/// A truth.
pub(crate) fn literal(value: bool) -> Formula {
    Arc::new(Expr::Literal(Literal::Bool(value)))
}

/// `["…", "…"].contains(value)`; the words mustn't be empty.
pub(crate) fn is_one_of(value: Formula, words: &[&str]) -> Formula {
    let words = words
        .iter()
        .map(|word| Arc::new(Expr::Literal(Literal::String((*word).into()))));
    binary(BinaryOp::Contains, Arc::new(Expr::Set(words.collect())), value)
}

/// `if known then … else true`: what holds of a fact wherever it is known.
pub(crate) fn if_known(row: &FactRow, then: Formula) -> Formula {
    Arc::new(Expr::IfThenElse {
        cond: get(&known(row.id)),
        then_expr: then,
        else_expr: literal(true),
    })
}

pub(crate) fn not(formula: Formula) -> Formula {
    Arc::new(Expr::UnaryOp {
        op: UnaryOp::Not,
        expr: formula,
    })
}

/// Both. Chains lean to the right, as all chains here do: of `a && b` the symbolic compiler copies an `a`
/// that may fail, so that what it makes of a chain that leans to the left doubles with each step.
pub(crate) fn and(left: Formula, right: Formula) -> Formula {
    leaning_right(BinaryOp::And, &left, right)
}

fn or(left: Formula, right: Formula) -> Formula {
    leaning_right(BinaryOp::Or, &left, right)
}

/// `(a op b) op c` as `a op (b op c)`, which is the same, errors and what is known to be there included.
fn leaning_right(op: BinaryOp, left: &Formula, right: Formula) -> Formula {
    let mut waiting = vec![left];
    let mut chain = right;
    while let Some(formula) = waiting.pop() {
        match formula.as_ref() {
            Expr::BinaryOp { op: inner, left, right } if *inner == op => waiting.extend([left, right]),
            _ => chain = binary(op, formula.clone(), chain),
        }
    }
    chain
}

/// True if all are.
pub(crate) fn all(formulas: Vec<Formula>) -> Formula {
    let chain = formulas.into_iter().rev().reduce(|chain, formula| and(formula, chain));
    chain.unwrap_or_else(|| literal(true))
}

/// True if any is. A long chain is one of shorter ones, so that a large pack isn't a deep formula.
pub(crate) fn any(formulas: Vec<Formula>) -> Formula {
    let chains = formulas.chunks(LONGEST_CHAIN).filter_map(|formulas| {
        let formulas = formulas.iter().rev().cloned();
        formulas.reduce(|chain, formula| or(formula, chain))
    });
    let chains: Vec<Formula> = chains.collect();
    let chain = chains
        .into_iter()
        .rev()
        .reduce(|chain, part| binary(BinaryOp::Or, part, chain));
    chain.unwrap_or_else(|| literal(false))
}

fn binary(op: BinaryOp, left: Formula, right: Formula) -> Formula {
    Arc::new(Expr::BinaryOp { op, left, right })
}
