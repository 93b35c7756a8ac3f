//! What every proof needs: the solver, the pack, and the pack as formulas.

use std::collections::BTreeSet;

use holdpoint_engine::policy::{Pack, Said};
use holdpoint_schemas::fact::{Action, FactRow, FactSet};

use crate::counterexample::Counterexample;
use crate::formula::{Conditions, Formula, View};
use crate::question::{Answer, Example, Question};
use crate::situation::Situation;
use crate::solver::Solver;
use crate::verify::Outcome;
use tokio::sync::OnceCell;

/// Why an example of the solver's counts for nothing.
pub(crate) const NOT_REPLAYED: &str = "the solver's example doesn't show it in the engine, so neither is believed";

/// A pack that something is to be proved of.
pub(crate) struct Prover<'a> {
    pub(crate) solver: &'a Solver,
    pub(crate) pack: &'a Pack,
    pub(crate) conditions: Conditions<'a>,
    /// Policies that may fail, or of which it isn't known.
    pub(crate) unsafe_policies: BTreeSet<String>,
    permitted: [OnceCell<Option<Situation>>; Action::ALL.len()],
}

impl<'a> Prover<'a> {
    /// # Errors
    /// A policy that can't be a formula, in plain words.
    pub(crate) fn new(solver: &'a Solver, pack: &'a Pack) -> Result<Self, String> {
        Ok(Self {
            solver,
            pack,
            conditions: Conditions::of(pack)?,
            unsafe_policies: BTreeSet::new(),
            permitted: Default::default(),
        })
    }

    /// The same, once it is known which policies may fail.
    pub(crate) async fn checked(solver: &'a Solver, pack: &'a Pack) -> Result<Self, String> {
        let mut prover = Self::new(solver, pack)?;
        for info in pack.policies() {
            if prover.conditions.may_fail(&info.id) && prover.never_fails(&info.id).await != Answer::Never {
                prover.unsafe_policies.insert(info.id.clone());
            }
        }
        Ok(prover)
    }

    /// Whether there are facts for which the policy can't be evaluated.
    pub(crate) async fn never_fails(&self, id: &str) -> Answer {
        let formula = match self.conditions.applies(id, View::Whole) {
            Ok(formula) => formula,
            Err(why) => return Answer::Open(why),
        };
        let reads = self.pack.policy(id).map(|policy| &policy.facts).into_iter().flatten();
        let rows = self.rows(reads.map(String::as_str));
        self.solver.ask(Question::fails(rows, formula)).await
    }

    /// # Errors
    /// Which policies under an action may fail: proofs about it would rest on nothing.
    pub(crate) fn may_rest_on(&self, action: Action) -> Result<(), String> {
        let policies = self.pack.policies().iter();
        let failing =
            policies.filter(|policy| policy.actions.contains(&action) && self.unsafe_policies.contains(&policy.id));
        let names: Vec<String> = failing.map(|policy| format!("`{}`", policy.id)).collect();
        if names.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "it rests on {}, which isn't proved never to fail",
                names.join(", ")
            ))
        }
    }

    /// The rows of some facts.
    pub(crate) fn rows<'b>(&self, ids: impl IntoIterator<Item = &'b str>) -> Vec<&'a FactRow> {
        let ids: BTreeSet<&str> = ids.into_iter().collect();
        ids.into_iter().filter_map(|id| self.conditions.table.row(id)).collect()
    }

    /// Asks whether a formula on what some actions read can be true.
    pub(crate) async fn can_be(&self, reads: impl IntoIterator<Item = &str>, view: View, formula: Formula) -> Answer {
        let rows = self.rows(reads);
        self.solver.ask(Question::is_true(rows, view, formula)).await
    }

    /// Some facts for which the action is permitted, if the solver finds any.
    pub(crate) async fn permitted(&self, action: Action) -> Option<&Situation> {
        let find = async || {
            let formula = self.conditions.permits(action, View::Whole).ok()?;
            match self.can_be(self.conditions.reads(action), View::Whole, formula).await {
                Answer::Example(example) => Some(Situation::from(example)),
                Answer::Never | Answer::Open(_) => None,
            }
        };
        let place = Action::ALL.iter().position(|other| *other == action)?;
        self.permitted.get(place)?.get_or_init(find).await.as_ref()
    }

    /// Whether the pack permits the action.
    pub(crate) fn permits(&self, action: Action, facts: &FactSet) -> bool {
        permits(self.pack, action, facts)
    }
}

/// Whether a pack permits the action.
pub(crate) fn permits(pack: &Pack, action: Action, facts: &FactSet) -> bool {
    matches!(pack.says(action, facts), Said::Permitted(_))
}

/// An answer as an outcome: the example is a counterexample if the engine shows it too.
pub(crate) fn outcome(
    answer: Answer,
    shows: impl Fn(&Situation) -> bool,
    counterexample: impl FnOnce(&Situation) -> Counterexample,
) -> Outcome {
    match answer {
        Answer::Never => Outcome::Proved,
        Answer::Open(why) => Outcome::Inconclusive(why),
        Answer::Example(example) => match replayed(example, shows) {
            Ok(situation) => Outcome::Refuted(Box::new(counterexample(&situation))),
            Err(why) => Outcome::Inconclusive(why),
        },
    }
}

/// The smallest situation that shows in the engine what the solver's example is one of.
pub(crate) fn replayed(example: Example, shows: impl Fn(&Situation) -> bool) -> Result<Situation, String> {
    Situation::from(example)
        .smallest(shows)
        .ok_or_else(|| NOT_REPLAYED.to_owned())
}

/// The first that is refuted, else the first that is open, else proved.
pub(crate) fn worst(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Refuted(_) => 0,
        Outcome::Inconclusive(_) => 1,
        _ => 2,
    };
    outcomes.into_iter().min_by_key(rank).unwrap_or(Outcome::Proved)
}
