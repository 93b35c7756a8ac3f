//! What must hold of every way, and that none is missed.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::Level;
use holdpoint_schemas::fact::{Action, FACTS, Fact, FactSet, FactTable, FactType, FactValue};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::lift::{Changes, Lifter, suppose};
use super::*;
use crate::decide::assess;
pub(super) use crate::decide::tests::fixtures::BASELINE;
use crate::policy::PolicySource;

pub(super) fn facts(known: &[(&str, FactValue)]) -> FactSet {
    let mut facts = FactSet::new();
    for (id, value) in known {
        let fact = Fact {
            value: value.clone(),
            source: "test".to_owned(),
            observed_at: jiff::Timestamp::UNIX_EPOCH,
            note: None,
        };
        facts.insert(id, fact);
    }
    facts
}

/// Facts of which the baseline pack permits everything but promotion.
pub(super) fn harmless() -> FactSet {
    facts(&[
        ("service.known", true.into()),
        ("service.tier", 2.into()),
        ("service.production", true.into()),
        ("service.data_classes", FactValue::Set(BTreeSet::new())),
        ("fix.class", "mechanical".into()),
        ("fix.kind", "config-flag".into()),
        ("fix.governance_files", false.into()),
        ("fix.critical_resource", false.into()),
        ("fix.variables_provisioned", true.into()),
        ("change.freeze_active", false.into()),
        ("change.pushed_by_others", false.into()),
        ("change.reverts_break_glass", false.into()),
        ("change.touches_compensating_control", false.into()),
        ("change.touches_hands_off", false.into()),
        ("change.drift_explained", true.into()),
        ("change.drift_by_human", false.into()),
        ("change.undoes_hardening", false.into()),
        ("change.callers_pushed_by_others", false.into()),
        ("change.conflicting_branches", 0.into()),
        ("change.window_open", true.into()),
        ("change.business_window_active", false.into()),
        ("change.restart_needed", true.into()),
        ("change.reboot_needed", false.into()),
        ("change.downtime_needed", false.into()),
        ("change.migration_needed", false.into()),
        ("change.destroys_resources", false.into()),
        ("fix.minimal", true.into()),
        ("finding.vex_status", "none".into()),
        ("evidence.build.verdict", "passed".into()),
        ("evidence.test.verdict", "passed".into()),
        ("evidence.contract.verdict", "passed".into()),
        ("evidence.rescan.verdict", "passed".into()),
        ("evidence.adequacy.verdict", "passed".into()),
        ("evidence.surface.verdict", "passed".into()),
        ("evidence.revert.verdict", "passed".into()),
        ("evidence.sandbox.isolation", "container".into()),
    ])
}

fn but(changes: &[(&str, FactValue)]) -> FactSet {
    let changes = changes.iter().map(|(id, value)| ((*id).to_owned(), value.clone()));
    suppose(&harmless(), &changes.collect())
}

fn words(words: &[&str]) -> FactValue {
    FactValue::Set(words.iter().map(|word| (*word).to_owned()).collect())
}

fn sources(policies: &[impl AsRef<str>]) -> Vec<PolicySource> {
    let source = |(number, text): (usize, &_)| PolicySource {
        path: format!("p{number}.cedar"),
        text: format!("@id(\"p{number}\") @reason(\"because\") {}", AsRef::<str>::as_ref(text)),
    };
    policies.iter().enumerate().map(source).collect()
}

fn pack(policies: &[&str]) -> Pack {
    Pack::compile("test", &sources(policies), FactTable::shipped()).unwrap_or_else(|error| panic!("{error}"))
}

/// `id=value` of each change, joined.
fn told(ways: &Ways) -> Vec<String> {
    let change = |change: &FactChange| format!("{}={}", change.id, change.to);
    let set = |set: &Vec<FactChange>| set.iter().map(change).collect::<Vec<_>>().join(" & ");
    ways.sets.iter().map(set).collect()
}

fn to_auto_apply(facts: &FactSet) -> Ways {
    ways(&BASELINE, facts, Action::AutoApply, Limits::default())
}

#[test]
fn a_freeze_is_lifted_by_its_end_alone() {
    let ways = to_auto_apply(&but(&[("change.freeze_active", true.into())]));
    assert_eq!(told(&ways), ["change.freeze_active=no"]);
    assert!(ways.complete);
    assert_eq!(ways.sets[0][0].effort, Effort::Time);
    assert_eq!(ways.sets[0][0].from, Some(true.into()));
}

#[test]
fn what_stands_in_the_way_together_is_lifted_together() {
    let facts = but(&[
        ("change.freeze_active", true.into()),
        ("evidence.contract.verdict", "inconclusive".into()),
    ]);
    let ways = to_auto_apply(&facts);
    assert_eq!(
        told(&ways),
        ["change.freeze_active=no & evidence.contract.verdict=passed"]
    );
}

#[test]
fn one_change_that_lifts_two_rules_comes_before_two_that_lift_one_each() {
    let facts = but(&[
        ("service.tier", 0.into()),
        ("service.data_classes", words(&["cardholder", "health"])),
    ]);
    let ways = to_auto_apply(&facts);
    assert_eq!(
        told(&ways),
        ["service.production=no", "service.data_classes=health & service.tier=1"]
    );
    assert!(ways.complete);
}

#[test]
fn the_easier_way_comes_first_even_if_it_is_longer() {
    let pack = pack(&[
        "permit (principal, action, resource);",
        r#"forbid (principal, action, resource) unless {
            (context has fix.class && context.fix.class == "mechanical") ||
            (context has change.freeze_active && !context.change.freeze_active &&
             context has change.touches_hands_off && !context.change.touches_hands_off)
        };"#,
    ]);
    let logic = facts(&[("fix.class", "logic".into()), ("change.freeze_active", true.into())]);
    assert_eq!(
        told(&ways(&pack, &logic, Action::Suggest, Limits::default())),
        [
            "change.freeze_active=no & change.touches_hands_off=no",
            "fix.class=mechanical"
        ]
    );
}

#[test]
fn a_logic_fix_takes_another_fix() {
    let ways = to_auto_apply(&but(&[("fix.class", "logic".into())]));
    assert_eq!(told(&ways), ["fix.class=mechanical"]);
    assert_eq!(ways.sets[0][0].effort, Effort::AnotherFix);
}

#[test]
fn what_is_permitted_takes_nothing_and_what_never_is_has_no_way() {
    assert_eq!(to_auto_apply(&harmless()).sets, [vec![]]);
    let never = pack(&[
        "permit (principal, action, resource);",
        "forbid (principal, action, resource);",
    ]);
    let none = ways(&never, &harmless(), Action::Suggest, Limits::default());
    assert!(none.sets.is_empty() && none.complete);
}

#[test]
fn a_missing_permit_is_worked_out_from_each_permit() {
    let pack = pack(&[
        "permit (principal, action, resource) when { context has service.tier && context.service.tier > 2 };",
        "permit (principal, action, resource) when { context has service.production && !context.service.production };",
    ]);
    let ways = ways(&pack, &harmless(), Action::Suggest, Limits::default());
    assert_eq!(told(&ways), ["service.production=no", "service.tier=3"]);
}

#[test]
fn promotion_takes_the_approval_that_the_policies_ask_for() {
    let ways = ways(&BASELINE, &harmless(), Action::Promote, Limits::default());
    assert_eq!(told(&ways), ["approval.independent=yes & approval.verified=yes"]);
}

#[test]
fn an_organisations_own_fact_is_changed_like_any_other() {
    let row = holdpoint_schemas::fact::FactRow {
        id: "org.change_board.approved",
        ..*FactTable::shipped().row("change.freeze_active").unwrap()
    };
    let table = FactTable::shipped().with_org([row]).unwrap();
    let text = "permit (principal, action == Action::\"suggest\", resource)
        when { context has org.change_board.approved && context.org.change_board.approved };";
    let pack = Pack::compile("mine", &sources(&[text]), &table).unwrap_or_else(|error| panic!("{error}"));
    // A value of another type is one that policies never see.
    for known in [facts(&[]), facts(&[(row.id, "yes".into())])] {
        let ways = ways(&pack, &known, Action::Suggest, Limits::default());
        assert_eq!(told(&ways), ["org.change_board.approved=yes"]);
        assert_eq!((&ways.sets[0][0].from, ways.sets[0][0].effort), (&None, Effort::Supply));
    }
}

#[test]
fn nothing_known_at_all_still_has_its_ways() {
    let ways = to_auto_apply(&FactSet::new());
    assert!(!ways.sets.is_empty());
    for set in &ways.sets {
        assert!(set.iter().all(|change| change.from.is_none()));
    }
}

#[test]
fn a_search_that_is_cut_says_so_and_what_it_found_holds() {
    let facts = but(&[
        ("service.tier", 0.into()),
        ("service.data_classes", words(&["cardholder"])),
    ]);
    for (sets, questions, tries) in [(1, 500, 50_000), (5, 3, 50_000), (5, 500, 4)] {
        let limits = Limits { sets, questions, tries };
        let ways = ways(&BASELINE, &facts, Action::AutoApply, limits);
        assert!(!ways.complete, "{limits:?}");
        assert!(ways.sets.len() < 2, "{limits:?}");
    }
}

#[test]
fn a_long_conjunction_is_worked_out_part_by_part() {
    let ids: Vec<&str> = FACTS
        .iter()
        .filter(|row| row.fact_type == FactType::Bool && row.actions.contains(&Action::Suggest))
        .map(|row| row.id)
        .collect();
    let clauses: Vec<String> = ids
        .iter()
        .map(|id| format!("context has {id} && context.{id}"))
        .collect();
    let pack = pack(&[&format!(
        "permit (principal, action == Action::\"suggest\", resource) when {{ {} }};",
        clauses.join(" && ")
    )]);
    let ways = ways(&pack, &FactSet::new(), Action::Suggest, Limits::default());
    assert!(ways.complete);
    assert_eq!(ways.sets.len(), 1);
    assert_eq!(ways.sets[0].len(), ids.len());
}

/// What reaches the target by trying every combination, by the facts that change; only the smallest.
fn by_brute_force(pack: &Pack, facts: &FactSet, target: Action) -> BTreeSet<BTreeSet<String>> {
    let lifter = Lifter::new(pack, target, facts, 0);
    let mut all = vec![Changes::new()];
    for (id, values) in lifter.alternatives() {
        let with = |changes: &Changes| {
            let more = |value: &FactValue| {
                let mut more = changes.clone();
                more.insert(id.clone(), value.clone());
                more
            };
            values.iter().map(more).collect::<Vec<_>>()
        };
        all.extend(all.iter().flat_map(with).collect::<Vec<_>>());
    }
    let permits = |changes: &&Changes| {
        let answer = pack.evaluate(target, &Asker::anyone(), &suppose(facts, changes));
        matches!(answer, Answer::Permitted(_))
    };
    let reached: BTreeSet<BTreeSet<String>> = all
        .iter()
        .filter(permits)
        .map(|changes| changes.keys().cloned().collect())
        .collect();
    let is_least = |set: &&BTreeSet<String>| !reached.iter().any(|other| other != *set && other.is_subset(set));
    reached.iter().filter(is_least).cloned().collect()
}

const ATOMS: [&str; 7] = [
    "(context has service.tier && context.service.tier > 1)",
    "(context has service.tier && context.service.tier == 0)",
    "(context has service.production && !context.service.production)",
    "(context has change.freeze_active && context.change.freeze_active)",
    "(context has fix.upgrade_step && context.fix.upgrade_step == \"patch\")",
    "(context has service.data_classes && context.service.data_classes.contains(\"cardholder\"))",
    "(if context has fix.class then context.fix.class != \"logic\" else false)",
];

fn expression() -> impl Strategy<Value = String> {
    let atom = select(&ATOMS[..]).prop_map(str::to_owned);
    atom.prop_recursive(3, 8, 3, |inner| {
        let joined = |sign: &'static str| {
            proptest::collection::vec(inner.clone(), 2..4).prop_map(move |parts| format!("({})", parts.join(sign)))
        };
        prop_oneof![
            joined(" && "),
            joined(" || "),
            inner.clone().prop_map(|part| format!("!{part}"))
        ]
    })
}

fn value(fact_type: FactType) -> BoxedStrategy<FactValue> {
    match fact_type {
        FactType::Bool => any::<bool>().prop_map(FactValue::Bool).boxed(),
        FactType::Long => (0..4_i64).prop_map(FactValue::Long).boxed(),
        FactType::Word(words) => select(words).prop_map(FactValue::from).boxed(),
        FactType::Text => select(&["production", "staging"][..]).prop_map(FactValue::from).boxed(),
        FactType::Set => subsequence(vec!["cardholder", "health"], 0..=2)
            .prop_map(|set| words(&set))
            .boxed(),
    }
}

/// Each of these facts, or not.
fn some_facts(ids: &'static [&'static str]) -> impl Strategy<Value = FactSet> {
    let one = |id: &&'static str| {
        let row = FactTable::shipped().row(id).unwrap();
        (Just(*id), proptest::option::of(value(row.fact_type)))
    };
    ids.iter().map(one).collect::<Vec<_>>().prop_map(|values| {
        let known: Vec<(&str, FactValue)> = values
            .into_iter()
            .filter_map(|(id, value)| Some((id, value?)))
            .collect();
        facts(&known)
    })
}

/// The harmless facts, some of them others or unknown.
fn troubled() -> impl Strategy<Value = FactSet> {
    let twist = |row: &'static holdpoint_schemas::fact::FactRow| {
        let twisted = prop_oneof![
            8 => Just(None),
            2 => value(row.fact_type).prop_map(|value| Some(Some(value))),
            1 => Just(Some(None)),
        ];
        (Just(row.id), twisted)
    };
    FACTS.iter().map(twist).collect::<Vec<_>>().prop_map(|twists| {
        let mut known: BTreeMap<&str, FactValue> = BTreeMap::new();
        let harmless = harmless();
        known.extend(harmless.known().map(|(id, fact)| (id, fact.value.clone())));
        for (id, twist) in twists {
            match twist {
                None => {}
                Some(Some(value)) => drop(known.insert(id, value)),
                Some(None) => drop(known.remove(id)),
            }
        }
        facts(&known.into_iter().collect::<Vec<_>>())
    })
}

fn changed(facts: &FactSet, set: &[FactChange]) -> FactSet {
    let changes = set.iter().map(|change| (change.id.clone(), change.to.clone()));
    suppose(facts, &changes.collect())
}

fn reaches(facts: &FactSet, target: Action) -> bool {
    let assessment = assess(&BASELINE, facts);
    match target {
        Action::Suggest => assessment.level >= Level::Suggest,
        Action::AutoApply => assessment.level == Level::AutoApply,
        Action::Promote => assessment.promote_bounds.is_empty(),
    }
}

fn random_pack(permit: &str, forbids: &[String]) -> Option<Pack> {
    let mut policies = vec![format!("permit (principal, action, resource) when {{ {permit} }};")];
    policies.extend(
        forbids
            .iter()
            .map(|text| format!("forbid (principal, action, resource) when {{ {text} }};")),
    );
    Pack::compile("random", &sources(&policies), FactTable::shipped()).ok()
}

#[test]
fn most_random_packs_are_packs() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = (expression(), proptest::collection::vec(expression(), 1..4));
    let packs = (0..100).filter_map(|_| {
        let (permit, forbids) = strategy.new_tree(&mut runner).unwrap().current();
        random_pack(&permit, &forbids)
    });
    assert!(packs.count() >= 60);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn every_way_reaches_its_level_and_needs_each_of_its_changes(facts in troubled(), target in select(&Action::ALL[..])) {
        let ways = ways(&BASELINE, &facts, target, Limits::default());
        prop_assert!(!ways.sets.is_empty(), "the baseline pack permits anything under some circumstances");
        for set in &ways.sets {
            prop_assert!(reaches(&changed(&facts, set), target), "{set:?}");
            for left_out in 0..set.len() {
                let mut fewer = set.clone();
                fewer.remove(left_out);
                prop_assert!(!reaches(&changed(&facts, &fewer), target), "{set:?} without {left_out}");
            }
            for change in set {
                let known = facts.get(&change.id).map(|fact| fact.value.clone());
                prop_assert!(change.from == known && known.as_ref() != Some(&change.to));
            }
        }
    }

    #[test]
    fn no_way_is_missed(
        forbids in proptest::collection::vec(expression(), 1..4),
        permit in expression(),
        facts in some_facts(&[
            "service.tier", "service.production", "change.freeze_active",
            "fix.upgrade_step", "service.data_classes", "fix.class",
        ]),
    ) {
        // Cedar refuses what can never apply.
        let Some(pack) = random_pack(&permit, &forbids) else { return Ok(()) };
        let limits = Limits { sets: 1_000, questions: 20_000, tries: 1_000_000 };
        let ways = ways(&pack, &facts, Action::Suggest, limits);
        prop_assert!(ways.complete);
        let found: BTreeSet<BTreeSet<String>> = ways
            .sets
            .iter()
            .map(|set| set.iter().map(|change| change.id.clone()).collect())
            .collect();
        prop_assert_eq!(found.len(), ways.sets.len());
        prop_assert_eq!(found, by_brute_force(&pack, &facts, Action::Suggest));
    }
}
