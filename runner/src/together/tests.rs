use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::convert::Infallible;

const PASSED: Answer = Answer::Verdict(Verdict::Passed);
const FAILED: Answer = Answer::Verdict(Verdict::Failed);
const INCONCLUSIVE: Answer = Answer::Verdict(Verdict::Inconclusive);

fn run(fixes: usize, validate: impl Fn(&[usize]) -> Answer) -> Together {
    let validate = &validate;
    let search = validate_together(
        fixes,
        |set: Vec<usize>| async move { Ok::<_, Infallible>(validate(&set)) },
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(search).unwrap()
}

/// Answers as a list of sets that don't pass together; a superset doesn't either.
fn breaks<'a>(culprits: &'a [(&'a [usize], Answer)]) -> impl Fn(&[usize]) -> Answer + 'a {
    move |set| {
        culprits
            .iter()
            .find(|(clash, _)| clash.iter().all(|fix| set.contains(fix)))
            .map_or(PASSED, |(_, answer)| *answer)
    }
}

fn clashes(with: &[usize], answer: Answer) -> Outcome {
    Outcome::Clashes {
        with: with.to_vec(),
        answer,
    }
}

#[test]
fn good_fixes_take_one_validation() {
    let found = run(100, |_| PASSED);
    assert_eq!(found.validations, 1);
    assert_eq!(found.passing(), (0..100).collect::<Vec<_>>());
    assert_eq!(run(0, |_| FAILED).validations, 0);
}

#[test]
fn one_bad_fix_among_many_is_found_by_bisection() {
    for bad in [0, 1, 31, 50, 62, 63] {
        let found = run(64, breaks(&[(&[bad], FAILED)]));
        assert_eq!(found.outcomes[bad], Outcome::Fails { answer: FAILED });
        assert_eq!(found.passing().len(), 63);
        assert!(found.validations <= 9, "{bad}: {}", found.validations);
    }
}

#[test]
fn a_pair_that_clashes_names_the_earlier_one_and_keeps_it() {
    let found = run(32, breaks(&[(&[3, 20], FAILED)]));
    assert_eq!(found.outcomes[20], clashes(&[3], FAILED));
    assert_eq!(found.outcomes[3], Outcome::Passes);
    assert!(found.validations <= 15, "{}", found.validations);
}

#[test]
fn three_that_clash_only_together_are_all_named() {
    let found = run(16, breaks(&[(&[2, 7, 11], FAILED)]));
    assert_eq!(found.outcomes[11], clashes(&[2, 7], FAILED));
    assert_eq!(found.passing().len(), 15);
}

#[test]
fn patches_that_do_not_apply_together_are_isolated() {
    let found = run(8, breaks(&[(&[1, 5], Answer::Conflict), (&[6], Answer::Conflict)]));
    assert_eq!(found.outcomes[5], clashes(&[1], Answer::Conflict));
    assert_eq!(
        found.outcomes[6],
        Outcome::Fails {
            answer: Answer::Conflict
        }
    );
    assert_eq!(found.passing(), [0, 1, 2, 3, 4, 7]);
}

#[test]
fn what_cannot_be_told_never_passes() {
    let found = run(4, |_| INCONCLUSIVE);
    assert_eq!(found.passing(), Vec::<usize>::new());
    for outcome in found.outcomes {
        assert_eq!(outcome, Outcome::Fails { answer: INCONCLUSIVE });
    }
    let found = run(4, breaks(&[(&[2], INCONCLUSIVE)]));
    assert_eq!(found.passing(), [0, 1, 3]);
}

#[test]
fn a_fix_that_another_one_repairs_passes_only_as_part_of_the_set() {
    // Fix 0 alone fails, with fix 1 it passes.
    let found = run(2, |set| if set == [0] { FAILED } else { PASSED });
    assert_eq!(found.passing(), [0, 1]);
    assert_eq!(found.validations, 1);
}

#[test]
fn an_error_ends_the_search() {
    let search = validate_together(3, |_| async { Err("the engine is gone") });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(search), Err("the engine is gone"));
}

/// The greedy answer by brute force, one fix after the other: right for sets that stay broken when
/// more is added.
fn brute_force(fixes: usize, validate: impl Fn(&[usize]) -> Answer) -> Vec<usize> {
    let mut good = Vec::new();
    for fix in 0..fixes {
        good.push(fix);
        if !validate(&good).passed() {
            good.pop();
        }
    }
    good
}

fn answer(index: u8) -> Answer {
    [FAILED, INCONCLUSIVE, Answer::Conflict][usize::from(index) % 3]
}

proptest! {
    #[test]
    fn bisection_agrees_with_brute_force_where_broken_sets_stay_broken(
        fixes in 1_usize..12,
        culprits in prop::collection::vec((prop::collection::btree_set(0_usize..12, 1..4), 0_u8..3), 0..5),
    ) {
        let culprits: Vec<(Vec<usize>, Answer)> =
            culprits.into_iter().map(|(set, kind)| (set.into_iter().collect(), answer(kind))).collect();
        let borrowed: Vec<(&[usize], Answer)> = culprits.iter().map(|(set, kind)| (set.as_slice(), *kind)).collect();
        let validate = breaks(&borrowed);
        let found = run(fixes, &validate);
        let passing = found.passing();
        prop_assert_eq!(&passing, &brute_force(fixes, &validate));
        for (fix, outcome) in found.outcomes.iter().enumerate() {
            match outcome {
                Outcome::Passes => {}
                Outcome::Fails { answer } => prop_assert_eq!(validate(&[fix]), *answer),
                Outcome::Clashes { with, .. } => {
                    prop_assert!(validate(&[fix]).passed());
                    prop_assert!(with.iter().all(|partner| passing.contains(partner)));
                    let mut set = with.clone();
                    set.push(fix);
                    prop_assert!(!validate(&set).passed());
                    // None of the named ones can be left out.
                    for left_out in with {
                        let fewer: Vec<usize> = set.iter().copied().filter(|one| one != left_out).collect();
                        prop_assert!(validate(&fewer).passed());
                    }
                }
            }
        }
        let culprits = fixes - passing.len();
        let log = usize::BITS as usize - fixes.leading_zeros() as usize;
        // One for all; per culprit a bisection, it alone, up to three partners, and all again.
        prop_assert!(found.validations <= 1 + culprits * (log + 2 + 3 * (log + 1)), "{}", found.validations);
    }

    #[test]
    fn what_is_said_to_pass_has_passed_as_that_set_whatever_the_fixes_do(
        fixes in 1_usize..8,
        table in prop::collection::vec(0_u8..6, 256),
    ) {
        // Any answer for any set: also sets that more fixes repair.
        let validate = |set: &[usize]| {
            let bits = set.iter().fold(0, |bits, fix| bits | 1 << fix);
            if table[bits] < 3 { PASSED } else { answer(table[bits]) }
        };
        let found = run(fixes, validate);
        let passing = found.passing();
        prop_assert!(passing.is_empty() || validate(&passing).passed());
        prop_assert_eq!(found.outcomes.len(), fixes);
        let distinct: BTreeSet<_> = passing.iter().collect();
        prop_assert_eq!(distinct.len(), passing.len());
        for (fix, outcome) in found.outcomes.iter().enumerate() {
            if let Outcome::Fails { answer } = outcome {
                prop_assert_eq!(validate(&[fix]), *answer);
                prop_assert!(!answer.passed());
            }
        }
    }
}
