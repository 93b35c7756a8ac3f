//! What must hold for every question.

use holdpoint_schemas::Level;
use holdpoint_schemas::decision::{BoundKind, Cap};
use holdpoint_schemas::evidence::{Check, Evidence, Isolation, Verdict};
use holdpoint_schemas::fact::{FACTS, FactRow, FactType, FactValue};
use holdpoint_schemas::fix::FixKind;
use holdpoint_schemas::rollout::{Lane, LaneMatch};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::fixtures::{BASELINE, Case, fact, result, words};
use crate::decide::{Question, may_promote};

const VERDICTS: [Verdict; 3] = [Verdict::Failed, Verdict::Inconclusive, Verdict::Passed];

fn value(fact_type: FactType) -> BoxedStrategy<FactValue> {
    match fact_type {
        FactType::Bool => any::<bool>().prop_map(FactValue::Bool).boxed(),
        FactType::Long => (0..5_i64).prop_map(FactValue::Long).boxed(),
        FactType::Word(words) => select(words).prop_map(FactValue::from).boxed(),
        FactType::Text => select(&["production", "staging", "elsewhere"][..])
            .prop_map(FactValue::from)
            .boxed(),
        FactType::Set => subsequence(vec!["cardholder", "health"], 0..=2)
            .prop_map(|set| words(&set))
            .boxed(),
    }
}

fn collected() -> impl Iterator<Item = &'static FactRow> {
    FACTS.iter().filter(|row| row.evidence_order.is_empty())
}

/// What happens to one fact of the harmless case: mostly nothing, so that high levels are met often.
#[derive(Debug, Clone)]
enum Twist {
    Keep,
    Set(FactValue),
    Drop,
}

fn twists() -> impl Strategy<Value = Vec<(&'static str, Twist)>> {
    collected()
        .map(|row| {
            let twist = prop_oneof![
                60 => Just(Twist::Keep),
                2 => value(row.fact_type).prop_map(Twist::Set),
                1 => Just(Twist::Drop),
            ];
            (Just(row.id), twist)
        })
        .collect::<Vec<_>>()
}

fn evidence() -> impl Strategy<Value = Vec<Option<Verdict>>> {
    let verdict = prop_oneof![
        48 => Just(Some(Verdict::Passed)),
        1 => Just(Some(Verdict::Inconclusive)),
        1 => Just(Some(Verdict::Failed)),
        1 => Just(None),
    ];
    proptest::collection::vec(verdict, Check::ALL.len())
}

fn lane() -> impl Strategy<Value = Lane> {
    let kinds = proptest::option::of(subsequence(vec!["config-flag", "dependency-upgrade", "logic"], 1..3));
    let environments = proptest::option::of(subsequence(vec!["production", "staging"], 1..2));
    let tiers = proptest::option::of(subsequence(vec![0_u8, 1, 2, 3], 1..4));
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let teams = proptest::option::weighted(0.2, subsequence(vec!["core", "risk"], 1..2));
    let matches = (kinds, environments, tiers, teams).prop_map(move |(kinds, environments, tiers, teams)| LaneMatch {
        kinds: kinds.map(owned),
        environments: environments.map(owned),
        tiers,
        teams: teams.map(owned),
        ..LaneMatch::default()
    });
    (matches, select(&Level::ALL[..])).prop_map(|(matches, stage)| Lane::new("lane", stage).matching(matches))
}

fn cap() -> impl Strategy<Value = Cap> {
    let kinds = [
        BoundKind::Budget,
        BoundKind::CircuitBreaker,
        BoundKind::Canary,
        BoundKind::Soak,
    ];
    (select(&Level::ALL[..]), select(kinds.to_vec()), select(vec!["a", "b"])).prop_map(|(withholds, kind, id)| Cap {
        withholds,
        kind,
        id: id.to_owned(),
        reason: "no room".to_owned(),
        unlock: None,
    })
}

fn with_evidence(mut case: Case, verdicts: &[Option<Verdict>]) -> Case {
    let mut evidence = Evidence {
        isolation: Isolation::Container,
        ..Evidence::default()
    };
    for (check, verdict) in Check::ALL.into_iter().zip(verdicts) {
        if let Some(verdict) = verdict {
            evidence.checks.insert(check, result(*verdict, ""));
        }
    }
    case.evidence = Some(evidence);
    case
}

prop_compose! {
    fn case()(
        kind in select(&[FixKind::ConfigFlag, FixKind::DependencyUpgrade, FixKind::Logic][..]),
        twists in twists(),
        verdicts in evidence(),
        lanes in proptest::collection::vec(lane(), 0..3),
        caps in prop_oneof![8 => Just(Vec::new()), 1 => proptest::collection::vec(cap(), 0..3)],
        default_stage in prop_oneof![3 => Just(Level::AutoApply), 1 => select(&Level::ALL[..])],
        approved in any::<bool>(),
    ) -> Case {
        let mut case = Case::harmless(kind);
        if approved {
            case = case.set("approval.verified", true).set("approval.independent", true);
        }
        for (id, twist) in twists {
            match twist {
                Twist::Keep => {}
                Twist::Set(value) => case.facts.insert(id, fact(value)),
                Twist::Drop => case.facts.insert_unknown(id, "dropped"),
            }
        }
        case.rollout.lanes = lanes;
        case.caps = caps;
        case.rollout.default_stage = default_stage;
        with_evidence(case, &verdicts)
    }
}

fn verdicts(case: &Case) -> Vec<Option<Verdict>> {
    let checks = case.evidence.as_ref().map(|evidence| &evidence.checks);
    Check::ALL
        .iter()
        .map(|check| checks.and_then(|checks| checks.get(check)).map(|result| result.verdict))
        .collect()
}

fn promotes(case: &Case) -> bool {
    may_promote(&BASELINE, &case.question()).unwrap().permitted
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn knowing_less_never_raises_the_level(case in case(), seed in any::<u64>()) {
        let (level, promoted) = (case.release(&BASELINE).level, promotes(&case));
        // Each fact alone would take minutes; every other one, by the seed's bits, and one alone do.
        let ids: Vec<&str> = collected().map(|row| row.id).collect();
        let one = ids[usize::try_from(seed % ids.len() as u64).unwrap()];
        let several = ids.iter().enumerate().filter(|(i, _)| seed >> (i % 64) & 1 == 1).map(|(_, id)| *id).collect();
        for dropped in [vec![one], several] {
            let less = dropped.iter().fold(case.clone(), |case, id| case.unknown(id, "dropped"));
            prop_assert!(less.release(&BASELINE).level <= level, "without {dropped:?}");
            prop_assert!(!promotes(&less) || promoted, "without {dropped:?}");
        }
    }

    #[test]
    fn better_evidence_never_lowers_the_level(case in case(), better in proptest::collection::vec(select(&VERDICTS[..]), Check::ALL.len())) {
        let now = verdicts(&case);
        let better: Vec<Option<Verdict>> = now.iter().zip(better).map(|(old, new)| (*old).max(Some(new))).collect();
        let improved = with_evidence(case.clone(), &better);
        prop_assert!(improved.release(&BASELINE).level >= case.release(&BASELINE).level);
        prop_assert!(promotes(&improved) || !promotes(&case));
    }

    #[test]
    fn triage_is_an_upper_bound_that_its_checks_reach(case in case()) {
        let triage = case.triage(&BASELINE);
        prop_assert!(case.release(&BASELINE).level <= triage.decision.level);
        let all_well: Vec<Option<Verdict>> = Check::ALL
            .iter()
            .map(|check| triage.checks.contains(check).then_some(Verdict::Passed))
            .collect();
        prop_assert_eq!(with_evidence(case.clone(), &all_well).release(&BASELINE).level, triage.decision.level);
        prop_assert!(triage.decision.level > Level::Alert || triage.checks.is_empty());
    }

    #[test]
    fn every_level_that_is_withheld_is_explained(case in case()) {
        let decision = case.release(&BASELINE);
        prop_assert_eq!(decision.bounds.is_empty(), decision.level == Level::AutoApply);
        prop_assert_eq!(decision.level.next(), decision.bounds.first().map(|bound| bound.withholds));
        for bound in &decision.bounds {
            prop_assert!(!bound.reason.is_empty() && bound.withholds > decision.level);
        }
        let again = case.release(&BASELINE);
        prop_assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&decision).unwrap());
    }

    #[test]
    fn a_cap_never_raises_the_level_and_withholds_what_it_says(case in case(), more in proptest::collection::vec(cap(), 1..4)) {
        let level = case.release(&BASELINE).level;
        let mut capped = case.clone();
        capped.caps.extend(more.clone());
        let merge = crate::decide::merge_gate(&BASELINE, &capped.question()).unwrap();
        for decision in [capped.release(&BASELINE), merge, capped.triage(&BASELINE).decision] {
            prop_assert!(more.iter().all(|cap| decision.level < cap.withholds.max(Level::Suggest)));
            prop_assert_eq!(decision.level.next(), decision.bounds.first().map(|bound| bound.withholds));
        }
        prop_assert!(capped.release(&BASELINE).level <= level);
        prop_assert!(capped.triage(&BASELINE).decision.level <= case.triage(&BASELINE).decision.level);
        prop_assert!(promotes(&case) || !promotes(&capped));
    }

    #[test]
    fn without_a_fix_it_is_an_alert(case in case()) {
        let question = Question { fix: None, ..case.question() };
        prop_assert_eq!(crate::decide::release(&BASELINE, &question).unwrap().level, Level::Alert);
    }
}

#[test]
fn the_generated_questions_meet_every_level() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = case();
    let mut met = [0; 3];
    for _ in 0..200 {
        let case = strategy.new_tree(&mut runner).unwrap().current();
        met[case.release(&BASELINE).level as usize] += 1;
    }
    assert!(met.iter().all(|times| *times >= 5), "{met:?}");
}
