//! Random small packs: what the proofs say, against the engine asked about every set of facts.

use std::collections::BTreeMap;

use holdpoint_engine::policy::Pack;
use holdpoint_schemas::fact::{Action, FactSet, FactValue};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::kit::{facts, pack, solver};
use crate::prover::permits;
use crate::{Outcome, Relation, compare, verify};

/// Packs that are compared; each takes some twenty questions.
const CASES: usize = 12;

const ATOMS: &[&str] = &[
    "context has fix.files",
    "context has fix.files && context.fix.files > 2",
    "context has fix.files && context.fix.files <= 1",
    "context has change.freeze_active && context.change.freeze_active",
    "context has change.freeze_active && !context.change.freeze_active",
    r#"context has evidence.test.verdict && context.evidence.test.verdict == "passed""#,
    r#"context has evidence.test.verdict && context.evidence.test.verdict != "failed""#,
    r#"context has service.data_classes && context.service.data_classes.contains("cardholder")"#,
    r#"context has service.environment && context.service.environment == "prod""#,
];

const ACTIONS: [&[&str]; 4] = [&[], &["autoApply"], &["suggest"], &["suggest", "autoApply"]];

fn policy() -> impl Strategy<Value = (bool, usize, String)> {
    let atom = proptest::sample::select(ATOMS).prop_map(str::to_owned);
    let condition = atom.prop_recursive(2, 4, 2, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            two.clone().prop_map(|(a, b)| format!("({a}) && ({b})")),
            two.prop_map(|(a, b)| format!("({a}) || ({b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    });
    (any::<bool>(), 0..ACTIONS.len(), condition)
}

fn build(policies: &[(bool, usize, String)]) -> Pack {
    let named: Vec<_> = policies
        .iter()
        .enumerate()
        .map(|(place, (permit, actions, condition))| {
            let effect = if *permit { "permit" } else { "forbid" };
            (
                effect,
                format!("p{place}"),
                ACTIONS[*actions],
                format!("when {{ {condition} }}"),
            )
        })
        .collect();
    let written: Vec<_> = named
        .iter()
        .map(|(effect, id, actions, condition)| (*effect, id.as_str(), *actions, condition.as_str()))
        .collect();
    pack(&written)
}

/// One value on each side of every atom, and unknown.
fn domain() -> Vec<(&'static str, Vec<Option<FactValue>>)> {
    let set = |word: &str| Some(FactValue::Set([word.to_owned()].into()));
    let word = |word: &str| Some(FactValue::from(word));
    vec![
        ("fix.files", vec![None, Some(1.into()), Some(2.into()), Some(3.into())]),
        (
            "change.freeze_active",
            vec![None, Some(true.into()), Some(false.into())],
        ),
        (
            "evidence.test.verdict",
            vec![None, word("failed"), word("inconclusive"), word("passed")],
        ),
        ("service.data_classes", vec![None, set("cardholder"), set("x")]),
        ("service.environment", vec![None, word("prod"), word("dev")]),
    ]
}

/// All sets of facts over the domain, as the place of each value.
fn worlds() -> Vec<Vec<usize>> {
    domain().iter().fold(vec![Vec::new()], |worlds, (_, values)| {
        let extend = |world: &Vec<usize>| {
            (0..values.len())
                .map({
                    let world = world.clone();
                    move |place| [world.clone(), vec![place]].concat()
                })
                .collect::<Vec<_>>()
        };
        worlds.iter().flat_map(extend).collect()
    })
}

fn world_facts(world: &[usize]) -> FactSet {
    let values: BTreeMap<String, FactValue> = domain()
        .iter()
        .zip(world)
        .filter_map(|((id, values), place)| Some(((*id).to_owned(), values[*place].clone()?)))
        .collect();
    facts(&values)
}

struct Asked {
    worlds: Vec<Vec<usize>>,
    suggest: BTreeMap<Vec<usize>, bool>,
    auto: BTreeMap<Vec<usize>, bool>,
}

impl Asked {
    fn of(pack: &Pack) -> Self {
        let worlds = worlds();
        let ask = |action| {
            let answer = |world: &Vec<usize>| (world.clone(), permits(pack, action, &world_facts(world)));
            worlds.iter().map(answer).collect()
        };
        Self {
            suggest: ask(Action::Suggest),
            auto: ask(Action::AutoApply),
            worlds,
        }
    }

    fn of_action(&self, action: &str) -> &BTreeMap<Vec<usize>, bool> {
        if action == "suggest" { &self.suggest } else { &self.auto }
    }

    /// One fact at a time is enough: a removal of several is a chain of single ones.
    fn is_unknown_safe(&self, action: &str) -> bool {
        let permitted = self.of_action(action);
        self.worlds.iter().all(|world| {
            permitted[world]
                || (0..world.len()).all(|place| {
                    let mut less = world.clone();
                    less[place] = 0;
                    !permitted[&less]
                })
        })
    }

    fn is_monotone(&self, action: &str) -> bool {
        let permitted = self.of_action(action);
        self.worlds.iter().filter(|world| world[2] > 0).all(|world| {
            (world[2]..4).all(|better| {
                let mut improved = world.clone();
                improved[2] = better;
                !permitted[world] || permitted[&improved]
            })
        })
    }

    fn auto_implies_suggest(&self) -> bool {
        self.worlds.iter().all(|world| !self.auto[world] || self.suggest[world])
    }
}

#[tokio::test]
async fn proofs_agree_with_the_engine_on_every_set_of_facts() {
    let config = Config {
        rng_seed: RngSeed::Fixed(3),
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let strategy = proptest::collection::vec(policy(), 1..4);
    let solver = solver();
    let (mut proved, mut refuted) = (0, 0);
    let mut before: Option<(Pack, Asked)> = None;
    for _ in 0..CASES {
        let policies = strategy.new_tree(&mut runner).unwrap().current();
        let pack = build(&policies);
        let asked = Asked::of(&pack);
        for proof in verify(&solver, &pack, None, |_| ()).await {
            let id = proof.property.id();
            let holds = match id.split_once('/') {
                Some(("unknown-safe", "promote") | ("monotone-in-evidence", "promote")) => continue,
                Some(("unknown-safe", action)) => asked.is_unknown_safe(action),
                Some(("monotone-in-evidence", action)) => asked.is_monotone(action),
                Some(("never-errors", _)) => true,
                None => asked.auto_implies_suggest(),
                _ => continue,
            };
            match (&proof.outcome, holds) {
                (Outcome::Proved, true) => proved += 1,
                (Outcome::Refuted(_), false) => refuted += 1,
                (outcome, holds) => panic!("{id} is {holds}, but {outcome:?}: {policies:?}"),
            }
        }
        if let Some((old, answers)) = &before {
            let found = compare(&solver, old, &pack).await;
            for (place, (old, new)) in [(&answers.suggest, &asked.suggest), (&answers.auto, &asked.auto)]
                .into_iter()
                .enumerate()
            {
                let looser = old.iter().any(|(world, old)| !old && new[world]);
                let stricter = old.iter().any(|(world, old)| *old && !new[world]);
                let expected = match (looser, stricter) {
                    (false, false) => Relation::Equivalent,
                    (false, true) => Relation::Stricter,
                    (true, false) => Relation::Looser,
                    (true, true) => Relation::Different,
                };
                assert_eq!(found.actions[place].relation(), expected, "{policies:?}");
            }
        }
        before = Some((pack, asked));
    }
    assert!(
        proved > CASES && refuted > CASES / 2,
        "{proved} proved, {refuted} refuted"
    );
}
