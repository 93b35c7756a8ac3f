//! Mutation of a pack's policies: which mutants its cases notice, and what becomes of the others.

use holdpoint_engine::cases::{Bench, PolicyCoverage, run};
use holdpoint_engine::mutate::{Fate as Seen, Mutant, mutants};
use holdpoint_engine::policy::Pack;
use holdpoint_proof::{Counterexample, Outcome, Solver, SolverMissing, equivalent_policy};
use holdpoint_schemas::pack::{CaseFile, ResolvedCase};
use serde::Serialize;

use super::cases::parallel;

/// A mutant and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    /// `code-freeze#3-negate`.
    pub id: String,
    /// Id of the policy.
    pub policy: String,
    /// How it was made.
    pub operator: &'static str,
    /// What is different, in one line.
    pub change: String,
    /// The mutant's conditions.
    pub conditions: String,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
    #[serde(skip)]
    mutant: Mutant,
}

/// What became of a mutant.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// This case fails with it.
    Killed {
        /// Its name.
        by: String,
    },
    /// No pack would compile with it.
    Stillborn {
        /// Why.
        why: String,
    },
    /// It is proved to mean the same.
    Equivalent,
    /// No case notices.
    Survived {
        /// A case that would.
        #[serde(skip_serializing_if = "Option::is_none")]
        case: Option<Box<CaseFile>>,
    },
    /// No case notices, and it isn't known whether it means the same.
    Open {
        /// Why.
        why: String,
    },
}

/// Tries each mutant of the policies `ids` on the cases, on all cores. Those that no case notices
/// are [`Fate::Open`] until they are [`settled`](settle).
pub fn try_all(pack: &Pack, cases: &[ResolvedCase], ids: &[&str]) -> Vec<Trial> {
    let bench = Bench::new(pack);
    let rows = parallel(cases, |case| bench.row(case));
    let made: Vec<Mutant> = parallel(ids, |id| mutants(pack, id)).into_iter().flatten().collect();
    let fates = parallel(&made, |mutant| match bench.try_out(mutant, &rows) {
        Seen::Killed(case) => Fate::Killed {
            by: case.case.name.clone(),
        },
        Seen::Stillborn(why) => Fate::Stillborn { why },
        Seen::Survived => Fate::Open {
            why: "nobody tried to prove it".to_owned(),
        },
    });
    made.into_iter()
        .zip(fates)
        .map(|(mutant, fate)| Trial {
            id: mutant.id.clone(),
            policy: mutant.policy.clone(),
            operator: mutant.operator.as_str(),
            change: mutant.change.clone(),
            conditions: mutant.text.clone(),
            fate,
            mutant,
        })
        .collect()
}

/// Asks the solver about each mutant that no case noticed: does it mean the same?
pub async fn settle(pack: &Pack, trials: &mut [Trial], solver: &Result<Solver, SolverMissing>) {
    for trial in trials
        .iter_mut()
        .filter(|trial| matches!(trial.fate, Fate::Open { .. }))
    {
        let mutant = trial.mutant.in_pack(pack);
        trial.fate = match solver {
            Err(missing) => Fate::Open {
                why: format!("{missing}; {}", missing.help),
            },
            Ok(solver) => match equivalent_policy(solver, pack, &mutant, &trial.policy).await {
                Outcome::Proved => Fate::Equivalent,
                Outcome::Refuted(example) => Fate::Survived {
                    case: noticing(pack, &mutant, &example, trial),
                },
                Outcome::Inconclusive(why) => Fate::Open { why },
                other => Fate::Open {
                    why: format!("the solver says something else: {other:?}"),
                },
            },
        };
    }
}

/// The solver's example as a case that passes with the pack and fails with the mutant.
fn noticing(pack: &Pack, mutant: &Pack, example: &Counterexample, trial: &Trial) -> Option<Box<CaseFile>> {
    let file = example.case_file(&format!("{} stands: {}", trial.policy, trial.change));
    let [case] = file.cases.as_slice() else { return None };
    let resolved = ResolvedCase {
        case: case.clone(),
        facts: example.facts.clone(),
        path: String::new(),
        line: 0,
    };
    let notices = run(pack, &resolved).passed() && !run(mutant, &resolved).passed();
    notices.then(|| Box::new(file))
}

/// How far the cases cover the policies `ids`, in their order.
pub fn coverage(pack: &Pack, cases: &[ResolvedCase], ids: &[&str]) -> Vec<PolicyCoverage> {
    let bench = Bench::new(pack);
    let rows = parallel(cases, |case| bench.row(case));
    parallel(ids, |id| bench.coverage(id, &rows))
        .into_iter()
        .flatten()
        .collect()
}
