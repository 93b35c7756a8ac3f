//! Mutation of a pack's policies: which mutants its cases notice, and what becomes of the others.

use holdpoint_engine::cases::{Bench, PolicyCoverage, run};
use holdpoint_engine::decide::assess;
use holdpoint_engine::mutate::{Fate as Seen, Mutant, mutants};
use holdpoint_engine::policy::Pack;
use holdpoint_proof::{Counterexample, Outcome, Solver, SolverMissing, equivalent_policy};
use holdpoint_schemas::decision::Bound;
use holdpoint_schemas::fact::{Action, FactSet};
use holdpoint_schemas::pack::{Answer, Case, CaseFile, ResolvedCase};
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
pub async fn settle(pack: &Pack, cases: &[ResolvedCase], trials: &mut [Trial], solver: &Result<Solver, SolverMissing>) {
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
                    case: noticing(pack, &mutant, &example, cases, &trial.id),
                },
                Outcome::Inconclusive(why) => Fate::Open { why },
                other => Fate::Open {
                    why: format!("the solver says something else: {other:?}"),
                },
            },
        };
    }
}

/// A case that passes with the pack and fails with the mutant: the solver's example over the facts of
/// that case where the fewest policies stand in the way, or the bare example.
fn noticing(
    pack: &Pack,
    mutant: &Pack,
    example: &Counterexample,
    cases: &[ResolvedCase],
    id: &str,
) -> Option<Box<CaseFile>> {
    let bare = ResolvedCase {
        case: Case::default(),
        facts: FactSet::new(),
        path: String::new(),
        line: 0,
    };
    let near = cases.iter().chain([&bare]).filter_map(|case| {
        let (case, number) = expecting(pack, on_top(case, example, id), example.action);
        (!run(mutant, &case).passed()).then_some((number, case.case))
    });
    let (_, case) = near.min_by_key(|(number, _)| *number)?;
    Some(Box::new(CaseFile {
        cases: vec![case],
        ..CaseFile::default()
    }))
}

/// A case with the example's facts on top of its own, which as yet expects nothing.
fn on_top(below: &ResolvedCase, example: &Counterexample, id: &str) -> ResolvedCase {
    let mut on_top = below.clone();
    let is_known = |id: &String| example.facts.get(id).is_some();
    on_top.case = Case {
        name: format!("notices {id}"),
        from: below.case.from.clone(),
        given: below.case.given.clone(),
        unknown: below.case.unknown.iter().filter(|id| !is_known(id)).cloned().collect(),
        ..Case::default()
    };
    for (id, fact) in example.facts.known() {
        if below.facts.get(id).map(|fact| &fact.value) != Some(&fact.value) {
            on_top.case.given.insert(id.to_owned(), fact.value.clone());
        }
        on_top.facts.insert(id, fact.clone());
    }
    on_top
}

/// The case with what the pack says of it as what it expects; and how much stands in the way.
fn expecting(pack: &Pack, mut case: ResolvedCase, action: Action) -> (ResolvedCase, usize) {
    let said = assess(pack, &case.facts);
    let ids = |bounds: &[Bound]| -> Option<Vec<String>> {
        let mut ids: Vec<String> = bounds.iter().map(|bound| bound.id.clone()).collect();
        ids.dedup();
        (!ids.is_empty()).then_some(ids)
    };
    let bounds = if action == Action::Promote {
        case.case.promote = Some(if said.promote_bounds.is_empty() {
            Answer::Permitted
        } else {
            Answer::Denied
        });
        case.case.promote_bounds = ids(&said.promote_bounds);
        said.promote_bounds.len()
    } else {
        case.case.level = Some(said.level);
        case.case.bounds = ids(&said.bounds);
        said.bounds.len()
    };
    (case, bounds)
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
