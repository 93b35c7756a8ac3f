//! Mutation: a policy made slightly wrong in each of a fixed set of ways, to see whether the pack's
//! cases notice.
//!
//! A mutant that packs would refuse is stillborn; one that fails a case is killed. One that survives
//! either means the same as the original, which only a proof can tell, or shows a case that is missing.

mod operators;
mod trial;

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::Policy;
use cedar_policy::pst::{self, Clause, Expr};
use serde::Serialize;

use crate::policy::{Alone, Pack, with_stack};
use operators::Variant;

pub use operators::OTHER_WORD;
pub use trial::Fate;

/// A way of making a policy wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// A condition or a clause says the contrary.
    Negate,
    /// A clause, or one side of `&&` or `||`, is gone.
    DropClause,
    /// A number is one larger or smaller; `<` is `<=`.
    ShiftBound,
    /// A word is another one that the fact can have.
    ChangeWord,
    /// A comparison with a word, or a set of words, takes one more word, or one less.
    Widen,
    /// The policy is gone.
    DropPolicy,
}

impl Operator {
    /// The name that ids and reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Negate => "negate",
            Self::DropClause => "drop-clause",
            Self::ShiftBound => "shift-bound",
            Self::ChangeWord => "change-word",
            Self::Widen => "widen",
            Self::DropPolicy => "drop-policy",
        }
    }
}

/// A policy made slightly wrong.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// `code-freeze#3-negate`: the same for the same policy each time.
    pub id: String,
    /// Id of the policy.
    pub policy: String,
    /// How it was made.
    pub operator: Operator,
    /// What is different, in one line: `a == b` → `a != b`.
    pub change: String,
    /// Its conditions, as Cedar writes them; empty when it is gone or has none.
    pub text: String,
    /// `None`: it is gone.
    cedar: Option<(Policy, Alone)>,
}

impl Mutant {
    /// The pack with the mutant in the place of its policy.
    #[must_use]
    pub fn in_pack(&self, pack: &Pack) -> Pack {
        with_stack(|| pack.with(&self.policy, self.cedar.as_ref().map(|(policy, _)| policy)))
    }
}

/// Every mutant of the policy `id` that reads otherwise than it; none without such a policy.
#[must_use]
pub fn mutants(pack: &Pack, id: &str) -> Vec<Mutant> {
    with_stack(|| made(pack, id))
}

fn made(pack: &Pack, id: &str) -> Vec<Mutant> {
    let Some((_, policy)) = pack.cedar().find(|(info, _)| info.id == id) else {
        return Vec::new();
    };
    let Ok(tree) = policy.to_pst() else {
        return Vec::new();
    };
    let clauses = tree.body().clauses();
    let mut seen = BTreeSet::from([text(clauses)]);
    let mut mutants = Vec::new();
    for (operator, change, clauses) in changed(clauses, pack) {
        let text = text(&clauses);
        if !seen.insert(text.clone()) {
            continue;
        }
        let Some(policy) = rebuilt(tree.body(), policy, clauses) else {
            continue;
        };
        let Some(alone) = Alone::new(&policy) else { continue };
        mutants.push(Mutant {
            id: format!("{id}#{}-{}", mutants.len() + 1, operator.as_str()),
            policy: id.to_owned(),
            operator,
            change,
            text,
            cedar: Some((policy, alone)),
        });
    }
    let operator = Operator::DropPolicy;
    mutants.push(Mutant {
        id: format!("{id}#{}-{}", mutants.len() + 1, operator.as_str()),
        policy: id.to_owned(),
        operator,
        change: "the policy is gone".to_owned(),
        text: String::new(),
        cedar: None,
    });
    mutants
}

/// Every single change of a policy's clauses.
fn changed(clauses: &[Clause], pack: &Pack) -> Vec<(Operator, String, Vec<Clause>)> {
    let mut all = Vec::new();
    for (place, clause) in clauses.iter().enumerate() {
        let with = |other: Option<Clause>| -> Vec<Clause> {
            let others = clauses.iter().enumerate();
            others
                .filter_map(|(index, clause)| {
                    if index == place {
                        other.clone()
                    } else {
                        Some(clause.clone())
                    }
                })
                .collect()
        };
        let (expr, turned, word, contrary) = match clause {
            Clause::When(expr) => (expr, Clause::Unless(expr.clone()), "when", "unless"),
            Clause::Unless(expr) => (expr, Clause::When(expr.clone()), "unless", "when"),
        };
        if operators::has_connectives(expr) {
            let change = format!("`{word}` → `{contrary}`");
            all.push((Operator::Negate, change, with(Some(turned))));
        }
        all.push((Operator::DropClause, format!("without `{clause}`"), with(None)));
        for Variant { operator, change, expr } in operators::variants(expr, pack.fact_table()) {
            let clause = match clause {
                Clause::When(_) => Clause::When(expr),
                Clause::Unless(_) => Clause::Unless(expr),
            };
            all.push((operator, change, with(Some(clause))));
        }
    }
    all
}

fn text(clauses: &[Clause]) -> String {
    clauses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The policy with other clauses.
fn rebuilt(body: &pst::Template, original: &Policy, clauses: Vec<Clause>) -> Option<Policy> {
    let template = body.clone().try_with_clauses(clauses).ok()?;
    let policy = pst::Policy::Static(pst::StaticPolicy::try_from(template).ok()?);
    Some(Policy::from_pst(policy).ok()?.new_id(original.id().clone()))
}

/// Shorthand for the tree's own pointers.
fn shared(expr: Expr) -> Arc<Expr> {
    Arc::new(expr)
}

#[cfg(test)]
mod tests;
