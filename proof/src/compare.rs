//! Which of two packs permits more.

use std::collections::BTreeSet;

use holdpoint_engine::policy::Pack;
use holdpoint_schemas::fact::{Action, FactTable};

use crate::counterexample::Counterexample;
use crate::formula::{View, and, not};
use crate::prover::{Prover, outcome, permits, worst};
use crate::situation::Situation;
use crate::solver::Solver;
use crate::verify::Outcome;

/// Two packs, action by action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// One for each action.
    pub actions: Vec<Difference>,
}

/// What differs under one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The action.
    pub action: Action,
    /// Whether the new pack permits no more than the old one; the counterexample is one that the new
    /// pack permits and the old one doesn't.
    pub no_looser: Outcome,
    /// Whether the new pack permits no less; the counterexample is one that the old pack permits and
    /// the new one doesn't.
    pub no_stricter: Outcome,
}

/// How a new pack relates to an old one under an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// They permit the same.
    Equivalent,
    /// The new one permits less.
    Stricter,
    /// The new one permits more.
    Looser,
    /// Each permits something that the other doesn't.
    Different,
    /// It isn't known.
    Inconclusive,
}

impl Difference {
    /// How the new pack relates to the old one. Looser or different is said only where an example shows
    /// it, equivalent or stricter only where it is proved.
    #[must_use]
    pub const fn relation(&self) -> Relation {
        match (&self.no_looser, &self.no_stricter) {
            (Outcome::Proved, Outcome::Proved) => Relation::Equivalent,
            (Outcome::Proved, Outcome::Refuted(_)) => Relation::Stricter,
            (Outcome::Refuted(_), Outcome::Proved) => Relation::Looser,
            (Outcome::Refuted(_), Outcome::Refuted(_)) => Relation::Different,
            _ => Relation::Inconclusive,
        }
    }
}

/// Compares two packs under every action.
pub async fn compare(solver: &Solver, old: &Pack, new: &Pack) -> Comparison {
    let provers = both(solver, old, new).await;
    let mut actions = Vec::new();
    for action in Action::ALL {
        actions.push(match &provers {
            Ok((old, new)) => {
                let looser = implies(new, old, action, |situation| {
                    Counterexample::permitted(situation, action, new.pack)
                });
                let stricter = implies(old, new, action, |situation| {
                    Counterexample::withheld(situation, action)
                });
                let (no_looser, no_stricter) = tokio::join!(looser, stricter);
                Difference {
                    action,
                    no_looser,
                    no_stricter,
                }
            }
            Err(why) => Difference {
                action,
                no_looser: Outcome::Inconclusive(why.clone()),
                no_stricter: Outcome::Inconclusive(why.clone()),
            },
        });
    }
    Comparison { actions }
}

/// Whether `a` permits no more than `b`, under every action. A counterexample is permitted by `a` only.
pub async fn permits_no_more(solver: &Solver, a: &Pack, b: &Pack) -> Outcome {
    let (a, b) = match both(solver, a, b).await {
        Ok(provers) => provers,
        Err(why) => return Outcome::Inconclusive(why),
    };
    let mut outcomes = Vec::new();
    for action in Action::ALL {
        let counterexample = |situation: &Situation| Counterexample::permitted(situation, action, a.pack);
        outcomes.push(implies(&a, &b, action, counterexample).await);
    }
    worst(outcomes)
}

async fn both<'a>(solver: &'a Solver, a: &'a Pack, b: &'a Pack) -> Result<(Prover<'a>, Prover<'a>), String> {
    Ok((Prover::checked(solver, a).await?, Prover::checked(solver, b).await?))
}

/// Whether what `a` permits is permitted by `b` too.
async fn implies(
    a: &Prover<'_>,
    b: &Prover<'_>,
    action: Action,
    counterexample: impl FnOnce(&Situation) -> Counterexample,
) -> Outcome {
    let reads = a.conditions.reads(action).into_iter();
    let reads: BTreeSet<&str> = reads.chain(b.conditions.reads(action)).collect();
    let question = || {
        same_facts(a.conditions.table, b.conditions.table, &reads)?;
        a.may_rest_on(action)?;
        b.may_rest_on(action)?;
        let allowed = a.conditions.permits(action, View::Whole)?;
        Ok::<_, String>(and(allowed, not(b.conditions.permits(action, View::Whole)?)))
    };
    let formula = match question() {
        Ok(formula) => formula,
        Err(why) => return Outcome::Inconclusive(why),
    };
    let answer = a.can_be(reads, View::Whole, formula).await;
    let shows = |situation: &Situation| {
        let facts = situation.whole();
        permits(a.pack, action, &facts) && !permits(b.pack, action, &facts)
    };
    outcome(answer, shows, counterexample)
}

/// Facts are proved about as one pack's table has them. Where the other's has them differently, the same
/// conditions may mean something else: `org.zone != "red"` covers more if there are more words.
///
/// # Errors
/// Which facts of `reads` the two tables declare differently.
fn same_facts(a: &FactTable, b: &FactTable, reads: &BTreeSet<&str>) -> Result<(), String> {
    let meant = |table: &FactTable, id: &str| {
        let row = table.row(id);
        row.map(|row| (row.fact_type, row.evidence_order, row.actions))
    };
    let different = reads.iter().filter(|id| meant(a, id) != meant(b, id));
    let names: Vec<String> = different.map(|id| format!("`{id}`")).collect();
    match names.as_slice() {
        [] => Ok(()),
        [one] => Err(format!("{one} is declared differently in the two packs")),
        more => Err(format!("{} are declared differently in the two packs", more.join(", "))),
    }
}
