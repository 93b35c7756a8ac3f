//! Values of a fact that make a difference to policies.

use std::collections::BTreeSet;

use holdpoint_schemas::fact::{FactRow, FactType, FactValue};

use crate::policy::Literals;

/// Most words whose every combination is tried for a set; with more, each is tried alone.
const MAX_COMBINED: usize = 4;
/// What a text is when it is none of the texts that policies name.
pub(super) const OTHER: &str = "another";

/// Values that the fact of `row` could have instead of `current`, most likely first: one for each
/// side of each comparison with `literals`.
///
/// Evidence only gets its best value: a better one never lowers a level, so what any value reaches,
/// the best one does. No number below zero is tried unless a policy names one.
pub(super) fn alternatives(row: &FactRow, literals: &Literals, current: Option<&FactValue>) -> Vec<FactValue> {
    let mut values = match (row.evidence_order.last(), row.fact_type) {
        (Some(best), _) => vec![FactValue::from(*best)],
        (None, FactType::Bool) => vec![true.into(), false.into()],
        (None, FactType::Word(words)) => nearest_words(words, current),
        (None, FactType::Long) => nearest_numbers(&literals.numbers, current),
        (None, FactType::Text) => literals
            .words
            .iter()
            .map(|word| FactValue::from(word.as_str()))
            .chain([OTHER.into()])
            .collect(),
        (None, FactType::Set) => nearest_sets(&literals.words, current),
    };
    values.retain(|value| Some(value) != current);
    values
}

/// A small step before a large one.
fn nearest_words(words: &[&str], current: Option<&FactValue>) -> Vec<FactValue> {
    let place = |value: &FactValue| match value {
        FactValue::String(word) => words.iter().position(|other| other == word),
        _ => None,
    };
    let here = current.and_then(place);
    let mut ordered: Vec<(usize, &str)> = words
        .iter()
        .enumerate()
        .map(|(at, word)| (here.map_or(0, |here| here.abs_diff(at)), *word))
        .collect();
    ordered.sort_by_key(|(distance, _)| *distance);
    ordered.into_iter().map(|(_, word)| word.into()).collect()
}

fn nearest_numbers(literals: &BTreeSet<i64>, current: Option<&FactValue>) -> Vec<FactValue> {
    let around = |number: &i64| [number.saturating_sub(1), *number, number.saturating_add(1)];
    let lowest = literals.first().copied().unwrap_or(0).min(0);
    let numbers: BTreeSet<i64> = literals.iter().flat_map(around).chain([0]).collect();
    let mut numbers: Vec<i64> = numbers
        .into_iter()
        .filter(|number| *number >= lowest.saturating_sub(i64::from(lowest < 0)))
        .collect();
    if let Some(FactValue::Long(here)) = current {
        numbers.sort_by_key(|number| number.abs_diff(*here));
    }
    numbers.into_iter().map(FactValue::Long).collect()
}

/// Sets that differ from the current one in the words that policies name, and the empty one.
fn nearest_sets(literals: &BTreeSet<String>, current: Option<&FactValue>) -> Vec<FactValue> {
    let here = match current {
        Some(FactValue::Set(words)) => words.clone(),
        _ => BTreeSet::new(),
    };
    let kept: BTreeSet<String> = here.difference(literals).cloned().collect();
    let mut sets: BTreeSet<BTreeSet<String>> = BTreeSet::from([BTreeSet::new(), kept.clone()]);
    let flipped = |word: &String| {
        let mut set = here.clone();
        if !set.remove(word) {
            set.insert(word.clone());
        }
        set
    };
    sets.extend(literals.iter().map(flipped));
    if literals.len() <= MAX_COMBINED {
        for word in literals {
            let with: Vec<BTreeSet<String>> = sets
                .iter()
                .filter(|set| kept.is_subset(set))
                .map(|set| set.iter().chain([word]).cloned().collect())
                .collect();
            sets.extend(with);
        }
    }
    let mut sets: Vec<BTreeSet<String>> = sets.into_iter().collect();
    sets.sort_by_key(|set| set.symmetric_difference(&here).count());
    sets.into_iter().map(FactValue::Set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::fact::row;

    fn set(words: &[&str]) -> FactValue {
        FactValue::Set(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn tried(id: &str, numbers: &[i64], words: &[&str], current: Option<FactValue>) -> Vec<FactValue> {
        let literals = Literals {
            numbers: numbers.iter().copied().collect(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        alternatives(row(id).unwrap(), &literals, current.as_ref())
    }

    #[test]
    fn evidence_is_only_tried_at_its_best() {
        let id = "evidence.test.verdict";
        assert_eq!(tried(id, &[], &["failed"], Some("failed".into())), ["passed".into()]);
        assert!(tried(id, &[], &["failed"], Some("passed".into())).is_empty());
    }

    #[test]
    fn numbers_are_tried_on_each_side_of_what_a_policy_names_nearest_first() {
        let longs = |numbers: &[i64]| numbers.iter().map(|n| FactValue::Long(*n)).collect::<Vec<_>>();
        assert_eq!(tried("service.tier", &[0], &[], Some(0.into())), longs(&[1]));
        assert_eq!(tried("fix.files", &[10], &[], Some(12.into())), longs(&[11, 10, 9, 0]));
        assert_eq!(tried("fix.files", &[-2], &[], None), longs(&[-3, -2, -1, 0]));
    }

    #[test]
    fn words_are_tried_nearest_first() {
        let tried = tried("fix.upgrade_step", &[], &["patch"], Some("major".into()));
        assert_eq!(tried, ["minor".into(), "patch".into(), "none".into()]);
    }

    #[test]
    fn sets_keep_what_no_policy_names() {
        let id = "service.data_classes";
        let here = set(&["cardholder", "health"]);
        assert_eq!(
            tried(id, &[], &["cardholder"], Some(here.clone())),
            [set(&["health"]), set(&[])]
        );
        let two = tried(id, &[], &["cardholder", "payroll"], Some(here));
        assert!(two.contains(&set(&["health", "payroll"])), "{two:?}");
        assert_eq!(tried(id, &[], &["a"], None), [set(&[]), set(&["a"])]);
    }

    #[test]
    fn a_text_may_also_be_none_of_those_that_are_named() {
        let tried = tried("service.environment", &[], &["production"], Some("production".into()));
        assert_eq!(tried, [OTHER.into()]);
    }
}
