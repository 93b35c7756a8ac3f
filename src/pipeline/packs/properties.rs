//! What must hold of every shipped pack, asked through the real engine.

use std::path::Path;
use std::sync::LazyLock;

use holdpoint_engine::decide::assess;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::fact::{Action, FACTS, Fact, FactSet, FactTable, FactType, FactValue};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::{LoadedPack, open};
use crate::pipeline::cases;

/// Every shipped pack, with the facts of its cases: contexts that meet every level and every rule.
static SHIPPED: LazyLock<Vec<(LoadedPack, Vec<FactSet>)>> = LazyLock::new(|| {
    ["baseline", "fintech", "platform"]
        .iter()
        .map(|name| {
            let loaded = open(Path::new("."), name, FactTable::shipped()).unwrap();
            let contexts = cases::load(&loaded, &[]).unwrap();
            (loaded, contexts.into_iter().map(|case| case.facts).collect())
        })
        .collect()
});

fn value(fact_type: FactType) -> BoxedStrategy<FactValue> {
    match fact_type {
        FactType::Bool => any::<bool>().prop_map(FactValue::Bool).boxed(),
        FactType::Long => prop_oneof![0..5_i64, any::<i64>()].prop_map(FactValue::Long).boxed(),
        FactType::Word(words) => select(words).prop_map(FactValue::from).boxed(),
        FactType::Text => select(&["production", "staging", "elsewhere"][..])
            .prop_map(FactValue::from)
            .boxed(),
        FactType::Set => subsequence(vec!["cardholder", "pci-dss", "health"], 0..=3)
            .prop_map(|set| FactValue::Set(set.into_iter().map(str::to_owned).collect()))
            .boxed(),
    }
}

/// A fact of the table, and a value of its type.
fn change() -> impl Strategy<Value = (&'static str, FactValue)> {
    any::<Index>().prop_flat_map(|index| {
        let row = index.get(&FACTS[..]);
        (Just(row.id), value(row.fact_type))
    })
}

/// The facts of a case of a pack, with up to four of them changed or added, and up to four dropped.
fn context() -> impl Strategy<Value = (usize, FactSet)> {
    (
        any::<Index>(),
        any::<Index>(),
        proptest::collection::vec(change(), 0..5),
        proptest::collection::vec(any::<Index>(), 0..5),
    )
        .prop_map(|(pack, case, changes, dropped)| {
            let pack = pack.index(SHIPPED.len());
            let mut facts = case.get(&SHIPPED[pack].1).clone();
            for (id, value) in changes {
                let fact = Fact {
                    value,
                    source: "generated".to_owned(),
                    observed_at: Timestamp::UNIX_EPOCH,
                    note: None,
                };
                facts.insert(id, fact);
            }
            for index in dropped {
                facts.insert_unknown(index.get(&FACTS[..]).id, "dropped");
            }
            (pack, facts)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn dropping_any_fact_never_raises_the_level((pack, facts) in context()) {
        let pack = &SHIPPED[pack].0.pack;
        let whole = assess(pack, &facts);
        let promotable = whole.promote_bounds.is_empty();
        for id in facts.known().map(|(id, _)| id.to_owned()).collect::<Vec<_>>() {
            let mut less = facts.clone();
            less.insert_unknown(&id, "dropped");
            let answer = assess(pack, &less);
            prop_assert!(answer.level <= whole.level, "{}: without {id}", pack.name());
            prop_assert!(promotable || !answer.promote_bounds.is_empty(), "{}: without {id}", pack.name());
        }
    }

    /// The must-show of infrastructure: whatever else is known, a plan that destroys isn't merged by itself.
    #[test]
    fn what_destroys_is_never_applied_by_itself((pack, mut facts) in context(), known in any::<bool>()) {
        const DESTROYS: &str = "change.destroys_resources";
        if known {
            facts.insert(DESTROYS, Fact {
                value: true.into(),
                source: "plan.json".to_owned(),
                observed_at: Timestamp::UNIX_EPOCH,
                note: None,
            });
        } else {
            facts.insert_unknown(DESTROYS, "no plan");
        }
        prop_assert!(assess(&SHIPPED[pack].0.pack, &facts).level < holdpoint_schemas::Level::AutoApply);
    }
}

#[test]
fn the_contexts_meet_every_level_in_every_pack() {
    for (loaded, contexts) in SHIPPED.iter() {
        let mut levels: Vec<_> = contexts.iter().map(|facts| assess(&loaded.pack, facts).level).collect();
        levels.sort_unstable();
        levels.dedup();
        assert_eq!(levels.len(), 3, "{}", loaded.pack.name());
        assert!(!loaded.pack.facts_read(Action::AutoApply).is_empty());
    }
}
