//! A policy's condition as a tree of atoms, so that what would change its answer can be worked out
//! piece by piece.

use std::collections::BTreeSet;

use cedar_policy::pst::{self, BinaryOp, Expr, UnaryOp};
use cedar_policy::{Entities, EvalResult, Expression, Request, eval_expression};
use holdpoint_schemas::fact::{Action, FactSet, FactTable};

use super::reads::{Literals, reads_of};
use super::{Asker, Pack};

/// A condition, by the connectives of Cedar.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    /// Each of them; of none: true.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// `if … then … else …`.
    If(Box<[Condition; 3]>),
    /// What has no connective: a comparison, `has`, a yes-or-no fact.
    Atom(Atom),
}

/// A condition without connectives.
#[derive(Debug, Clone)]
pub(crate) struct Atom {
    expression: Expression,
    /// As Cedar writes it.
    pub(crate) text: String,
    /// Facts that it reads, by id.
    pub(crate) facts: BTreeSet<String>,
    /// What it compares them with.
    pub(crate) literals: Literals,
}

impl Condition {
    /// Calls `see` with each atom.
    pub(crate) fn atoms<'a>(&'a self, see: &mut impl FnMut(&'a Atom)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.atoms(see)),
            Self::Not(inner) => inner.atoms(see),
            Self::If(parts) => parts.iter().for_each(|part| part.atoms(see)),
            Self::Atom(atom) => see(atom),
        }
    }
}

impl Pack {
    /// The whole condition under which a policy of this pack applies, once its action is right.
    /// `None` without such a policy, or when Cedar can't give back its tree.
    pub(crate) fn condition(&self, id: &str) -> Option<Condition> {
        let (_, policy) = self.cedar().find(|(info, _)| info.id == id)?;
        let tree = policy.to_pst().ok()?;
        let clauses = tree.body().clauses().iter().map(|clause| match clause {
            pst::Clause::When(expr) => condition(expr, &self.facts),
            pst::Clause::Unless(expr) => Some(Condition::Not(Box::new(condition(expr, &self.facts)?))),
        });
        Some(Condition::All(clauses.collect::<Option<_>>()?))
    }

    /// Whether an atom holds of facts; `None` when Cedar can't evaluate it, for example because it
    /// reads an unknown fact without asking for it first.
    pub(crate) fn holds(&self, action: Action, atom: &Atom, facts: &FactSet) -> Option<bool> {
        let request = self.request(action, &Asker::anyone(), facts).ok()?;
        atom.holds(&request)
    }
}

impl Atom {
    /// Whether it holds; `None` when Cedar can't evaluate it.
    pub(crate) fn holds(&self, request: &Request) -> Option<bool> {
        match eval_expression(request, &Entities::empty(), &self.expression) {
            Ok(EvalResult::Bool(yes)) => Some(yes),
            _ => None,
        }
    }
}

fn condition(expr: &Expr, table: &FactTable) -> Option<Condition> {
    match expr {
        Expr::UnaryOp { op: UnaryOp::Not, expr } => Some(Condition::Not(Box::new(condition(expr, table)?))),
        Expr::BinaryOp { op: BinaryOp::And, .. } => Some(Condition::All(chain(expr, BinaryOp::And, table)?)),
        Expr::BinaryOp { op: BinaryOp::Or, .. } => Some(Condition::Any(chain(expr, BinaryOp::Or, table)?)),
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => Some(Condition::If(Box::new([
            condition(cond, table)?,
            condition(then_expr, table)?,
            condition(else_expr, table)?,
        ]))),
        _ => {
            let (facts, literals) = reads_of(expr, table)?;
            // The tree prints itself in Cedar's own syntax.
            let text = expr.to_string();
            Some(Condition::Atom(Atom {
                expression: text.parse().ok()?,
                text,
                facts,
                literals,
            }))
        }
    }
}

/// The links of `a && b && …`: it nests to the left, as deep as it is long.
fn chain(expr: &Expr, link: BinaryOp, table: &FactTable) -> Option<Vec<Condition>> {
    let mut parts = Vec::new();
    let mut rest = expr;
    while let Expr::BinaryOp { op, left, right } = rest
        && *op == link
    {
        parts.push(condition(right, table)?);
        rest = left;
    }
    parts.push(condition(rest, table)?);
    parts.reverse();
    Some(parts)
}
