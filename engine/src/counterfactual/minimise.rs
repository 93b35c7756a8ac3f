//! Fewer facts that still show the same.

use std::collections::BTreeSet;

use holdpoint_schemas::fact::{Fact, FactSet, FactValue};

/// Leaves out facts, and words of sets, as long as `still` holds of the rest: no single one can be
/// left out of the result. Facts are tried by id, so equal arguments give equal results. Of facts of
/// which `still` doesn't hold, the facts themselves. Why something is unknown isn't kept.
#[must_use]
pub fn minimise(facts: &FactSet, mut still: impl FnMut(&FactSet) -> bool) -> FactSet {
    let mut kept = facts.clone();
    if !still(facts) {
        return kept;
    }
    // What couldn't be left out may be once something else is: until nothing changes. Each round but the last
    // leaves something out, so it ends.
    loop {
        let before = kept.clone();
        let ids: Vec<String> = kept.known().map(|(id, _)| id.to_owned()).collect();
        for id in &ids {
            let without = replaced(&kept, id, None);
            keep_if(&mut kept, without, &mut still);
            smaller(&mut kept, id, &mut still);
        }
        if kept.known().eq(before.known()) {
            return kept;
        }
    }
}

/// Takes words out of a set.
fn smaller(kept: &mut FactSet, id: &str, still: &mut impl FnMut(&FactSet) -> bool) {
    let Some(FactValue::Set(words)) = kept.get(id).map(|fact| fact.value.clone()) else {
        return;
    };
    for word in words {
        let Some(fact) = kept.get(id).cloned() else { return };
        let FactValue::Set(words) = &fact.value else { return };
        let rest: BTreeSet<String> = words.iter().filter(|other| **other != word).cloned().collect();
        let fewer = Fact {
            value: FactValue::Set(rest),
            ..fact
        };
        let with_fewer = replaced(kept, id, Some(fewer));
        keep_if(kept, with_fewer, still);
    }
}

fn keep_if(kept: &mut FactSet, less: FactSet, still: &mut impl FnMut(&FactSet) -> bool) {
    if still(&less) {
        *kept = less;
    }
}

/// The known facts with another one for `id`, or none.
fn replaced(facts: &FactSet, id: &str, by: Option<Fact>) -> FactSet {
    let mut replaced = FactSet::new();
    for (other, fact) in facts.known().filter(|(other, _)| *other != id) {
        replaced.insert(other, fact.clone());
    }
    if let Some(fact) = by {
        replaced.insert(id, fact);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BASELINE, facts, harmless};
    use super::*;
    use crate::decide::assess;
    use holdpoint_schemas::Level;

    fn ids(facts: &FactSet) -> Vec<&str> {
        facts.known().map(|(id, _)| id).collect()
    }

    #[test]
    fn what_makes_no_difference_goes() {
        let all = facts(&[
            ("service.tier", 0.into()),
            ("service.known", true.into()),
            ("fix.files", 7.into()),
        ]);
        let tier_0 = |facts: &FactSet| facts.get("service.tier").is_some_and(|fact| fact.value == 0.into());
        assert_eq!(ids(&minimise(&all, tier_0)), ["service.tier"]);
    }

    #[test]
    fn sets_shrink_to_the_words_that_matter() {
        let words = |words: &[&str]| FactValue::Set(words.iter().map(|word| (*word).to_owned()).collect());
        let all = facts(&[("service.data_classes", words(&["a", "cardholder", "z"]))]);
        let cardholder = |facts: &FactSet| match facts.get("service.data_classes").map(|fact| &fact.value) {
            Some(FactValue::Set(words)) => words.contains("cardholder"),
            _ => false,
        };
        let least = minimise(&all, cardholder);
        assert_eq!(least.get("service.data_classes").unwrap().value, words(&["cardholder"]));
    }

    #[test]
    fn what_goes_only_once_another_has_gone_goes_too() {
        let all = facts(&[("fix.files", 1.into()), ("service.tier", 1.into())]);
        // The first can only go after the second.
        let still = |facts: &FactSet| facts.get("fix.files").is_some() || facts.get("service.tier").is_none();
        assert!(ids(&minimise(&all, still)).is_empty());
    }

    #[test]
    fn facts_that_show_nothing_come_back_as_they_are() {
        let all = facts(&[("fix.files", 1.into())]);
        assert_eq!(minimise(&all, |facts| facts.get("fix.files").is_none()), all);
    }

    #[test]
    fn no_fact_can_be_left_out_of_what_auto_applies() {
        let auto = |facts: &FactSet| assess(&BASELINE, facts).level == Level::AutoApply;
        let least = minimise(&harmless(), auto);
        assert!(auto(&least) && ids(&least).len() < ids(&harmless()).len());
        for id in ids(&least) {
            assert!(!auto(&replaced(&least, id, None)), "{id}");
        }
    }
}
