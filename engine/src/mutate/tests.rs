//! What the bench says of a mutant is what the engine says of the pack with it.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::Level;
use holdpoint_schemas::fact::{FACTS, Fact, FactSet, FactTable, FactType, FactValue};
use holdpoint_schemas::pack::{Case, ResolvedCase};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::cases::Bench;
use crate::decide::assess;
use crate::decide::tests::fixtures::BASELINE;
use crate::policy::PolicySource;

fn pack(text: &str) -> Pack {
    let source = PolicySource {
        path: "p.cedar".to_owned(),
        text: text.to_owned(),
    };
    Pack::compile("test", &[source], FactTable::shipped()).unwrap_or_else(|error| panic!("{error}"))
}

/// One forbid with the conditions `clauses`, under a permit.
fn forbid(clauses: &str) -> Pack {
    pack(&format!(
        r#"@id("p") @reason("r") permit (principal, action, resource);
           @id("f") @reason("r") forbid (principal, action, resource) {clauses};"#
    ))
}

fn case(facts: &[(&str, FactValue)], expected: Case) -> ResolvedCase {
    let mut set = FactSet::new();
    for (id, value) in facts {
        set.insert(id, fact(value.clone()));
    }
    ResolvedCase {
        case: expected,
        facts: set,
        path: "c.yaml".to_owned(),
        line: 1,
    }
}

fn fact(value: FactValue) -> Fact {
    Fact {
        value,
        source: "test".to_owned(),
        observed_at: jiff::Timestamp::UNIX_EPOCH,
        note: None,
    }
}

fn at(level: Level) -> Case {
    Case {
        level: Some(level),
        ..Case::default()
    }
}

/// Id and change of each mutant of `f`.
fn changes(pack: &Pack) -> Vec<String> {
    let line = |mutant: &Mutant| format!("{}: {}", mutant.id, mutant.change);
    mutants(pack, "f").iter().map(line).collect()
}

fn fates(pack: &Pack, cases: &[ResolvedCase]) -> BTreeMap<String, &'static str> {
    let bench = Bench::new(pack);
    let rows: Vec<_> = cases.iter().map(|case| bench.row(case)).collect();
    let fate = |mutant: &Mutant| match bench.try_out(mutant, &rows) {
        Fate::Killed(_) => "killed",
        Fate::Stillborn(_) => "stillborn",
        Fate::Survived => "survived",
    };
    mutants(pack, "f")
        .iter()
        .map(|mutant| (mutant.id.clone(), fate(mutant)))
        .collect()
}

#[test]
fn every_operator_is_applied_wherever_it_fits() {
    let pack = forbid(
        "unless { context has fix.class && context.fix.class == \"mechanical\" && context has service.tier && context.service.tier > 1 }",
    );
    assert_eq!(
        changes(&pack),
        [
            "f#1-negate: `unless` → `when`",
            "f#2-drop-clause: without `unless { (context has fix.class) && (context.fix.class == \"mechanical\") && (context has service.tier) && (context.service.tier > 1) }`",
            "f#3-drop-clause: without `context has fix.class`",
            "f#4-negate: `context has fix.class` → `!(context has fix.class)`",
            "f#5-drop-clause: without `context.fix.class == \"mechanical\"`",
            "f#6-negate: `context.fix.class == \"mechanical\"` → `context.fix.class != \"mechanical\"`",
            "f#7-change-word: `context.fix.class == \"mechanical\"` → `context.fix.class == \"logic\"`",
            "f#8-widen: `context.fix.class == \"mechanical\"` → `(context.fix.class == \"mechanical\") || (context.fix.class == \"logic\")`",
            "f#9-drop-clause: without `context has service.tier`",
            "f#10-negate: `context has service.tier` → `!(context has service.tier)`",
            "f#11-drop-clause: without `context.service.tier > 1`",
            "f#12-negate: `context.service.tier > 1` → `context.service.tier <= 1`",
            "f#13-shift-bound: `context.service.tier > 1` → `context.service.tier > 0`",
            "f#14-shift-bound: `context.service.tier > 1` → `context.service.tier > 2`",
            "f#15-drop-policy: the policy is gone",
        ]
    );
}

#[test]
fn sets_and_free_words_are_widened_narrowed_and_changed() {
    let pack = forbid(
        "when { context has fix.class && [\"mechanical\", \"logic\"].contains(context.fix.class) }
         unless { context has service.data_classes && context.service.data_classes.containsAny([\"a\"]) && !context.service.data_classes.contains(\"b\") }",
    );
    let all = changes(&pack).join("\n");
    for part in [
        "widen: `[\"mechanical\", \"logic\"].contains(context.fix.class)` → `[\"logic\"].contains(context.fix.class)`",
        "widen: `context.service.data_classes.containsAny([\"a\"])` → `context.service.data_classes.containsAny([\"a\", \"some-other-word\"])`",
        "change-word: `context.service.data_classes.contains(\"b\")` → `context.service.data_classes.contains(\"some-other-word\")`",
        "negate: `!context.service.data_classes.contains(\"b\")` → `context.service.data_classes.contains(\"b\")`",
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
    let without_number = forbid(
        "when { context has fix.files && context has graph.dependents && context.fix.files < context.graph.dependents }",
    );
    assert!(
        changes(&without_number)
            .join("\n")
            .contains("` → `context.fix.files <= context.graph.dependents`")
    );
}

#[test]
fn a_policy_without_conditions_can_only_go() {
    assert_eq!(changes(&forbid("")), ["f#1-drop-policy: the policy is gone"]);
    assert!(mutants(&forbid(""), "nothing").is_empty());
}

#[test]
fn what_validation_refuses_is_stillborn_and_what_no_case_sees_survives() {
    let pack = forbid("unless { context has fix.class && context.fix.class == \"mechanical\" }");
    let mechanical = case(&[("fix.class", "mechanical".into())], at(Level::AutoApply));
    let logic = case(&[("fix.class", "logic".into())], at(Level::Alert));
    let unknown = case(&[], at(Level::Alert));
    let fates_of = |cases: &[ResolvedCase]| {
        let fates = fates(&pack, cases);
        ["negate", "stillborn", "survived", "killed"].map(|fate| fates.values().filter(|other| **other == fate).count())
            [1..]
            .to_vec()
    };
    // Stillborn: `fix.class` without asking for it first, in two ways.
    assert_eq!(fates_of(&[]), [2, 7, 0]);
    assert_eq!(
        fates_of(&[mechanical.clone(), logic.clone(), unknown.clone()]),
        [2, 0, 7]
    );
    let missed = fates(&pack, &[mechanical, unknown]);
    let survivors: Vec<&str> = missed
        .iter()
        .filter(|(_, fate)| **fate == "survived")
        .map(|(id, _)| id.as_str())
        .collect();
    assert_eq!(survivors, ["f#5-drop-clause", "f#8-widen"]);
    // A case that fails anyhow kills nothing.
    let wrong = case(&[("fix.class", "logic".into())], at(Level::AutoApply));
    assert_eq!(fates_of(&[wrong]), [2, 7, 0]);
}

#[test]
fn a_reason_that_is_expected_kills_what_changes_it() {
    let pack = pack(
        r#"@id("p") @reason("r") permit (principal, action, resource);
           @id("f") @reason("it is frozen") forbid (principal, action, resource)
           when { context has change.freeze_active && context.change.freeze_active };
           @id("g") @reason("always") forbid (principal, action, resource);"#,
    );
    let mut frozen = case(&[("change.freeze_active", true.into())], at(Level::Alert));
    assert!(
        fates(&pack, std::slice::from_ref(&frozen))
            .values()
            .all(|fate| *fate != "killed")
    );
    frozen.case.reasons = vec!["frozen".to_owned()];
    let fates = fates(&pack, &[frozen]);
    assert_eq!(
        fates.iter().find(|(id, _)| id.ends_with("drop-policy")).unwrap().1,
        &"killed"
    );
}

#[test]
fn the_contrary_of_the_contrary_is_the_original() {
    for (_, policy) in BASELINE.cedar() {
        let tree = policy.to_pst().unwrap();
        for clause in tree.body().clauses() {
            let (Clause::When(expr) | Clause::Unless(expr)) = clause;
            each_atom(expr, &mut |atom| {
                let twice = operators::negated(&shared(operators::negated(atom)));
                assert_eq!(&twice, atom.as_ref());
            });
        }
    }
}

fn each_atom(expr: &Arc<Expr>, see: &mut impl FnMut(&Arc<Expr>)) {
    use cedar_policy::pst::BinaryOp;
    match expr.as_ref() {
        Expr::BinaryOp {
            op: BinaryOp::And | BinaryOp::Or,
            left,
            right,
        } => {
            each_atom(left, see);
            each_atom(right, see);
        }
        _ => see(expr),
    }
}

#[test]
fn ids_are_unique_and_the_same_each_time() {
    let mut seen = BTreeSet::new();
    for policy in BASELINE.policies() {
        let made = mutants(&BASELINE, &policy.id);
        assert_eq!(
            made.iter()
                .filter(|mutant| mutant.operator == Operator::DropPolicy)
                .count(),
            1
        );
        let again = mutants(&BASELINE, &policy.id);
        assert!(made.iter().zip(&again).all(|(a, b)| a.id == b.id && a.text == b.text));
        for mutant in made {
            assert!(seen.insert(mutant.id.clone()), "{}", mutant.id);
        }
    }
    assert!(seen.len() > 100, "{}", seen.len());
}

#[test]
fn the_longest_policy_does_not_overflow_the_stack() {
    let chain: Vec<String> = (0..300).map(|tier| format!("context.service.tier == {tier}")).collect();
    let pack = forbid(&format!(
        "when {{ context has service.tier && ({}) }}",
        chain.join(" || ")
    ));
    let cases = [case(&[("service.tier", 299.into())], at(Level::Alert))];
    let bench = Bench::new(&pack);
    let rows = [bench.row(&cases[0])];
    assert_eq!(bench.coverage("f", &rows).unwrap().conditions.len(), 301);
    let made = mutants(&pack, "f");
    let dropped = made.last().unwrap();
    assert!(made.len() > 900 && matches!(bench.try_out(dropped, &rows), Fate::Killed(_)));
    assert!(matches!(bench.try_out(&made[made.len() / 2], &rows), Fate::Survived));
    assert_eq!(made[7].in_pack(&pack).policies().len(), 2);
}

fn values(fact_type: FactType) -> BoxedStrategy<FactValue> {
    match fact_type {
        FactType::Bool => any::<bool>().prop_map(FactValue::Bool).boxed(),
        FactType::Long => (-1_i64..4).prop_map(FactValue::Long).boxed(),
        FactType::Word(words) => select(words).prop_map(FactValue::from).boxed(),
        FactType::Text => select(&["production", "staging"][..]).prop_map(FactValue::from).boxed(),
        FactType::Set => subsequence(vec!["cardholder".to_owned(), "logs".to_owned()], 0..=2)
            .prop_map(|words| FactValue::Set(words.into_iter().collect()))
            .boxed(),
    }
}

/// Facts of any kind, most of them such that a fix goes through.
fn facts() -> impl Strategy<Value = FactSet> {
    let one = |row: &holdpoint_schemas::fact::FactRow| {
        let id = row.id;
        let good = match row.fact_type {
            FactType::Word(words) => Just(FactValue::from(if row.id == "fix.class" {
                words[0]
            } else {
                words[words.len() - 1]
            }))
            .boxed(),
            other => values(other),
        };
        prop_oneof![6 => good.prop_map(Some), 3 => values(row.fact_type).prop_map(Some), 1 => Just(None)]
            .prop_map(move |value| (id, value))
    };
    FACTS.iter().map(one).collect::<Vec<_>>().prop_map(|pairs| {
        let mut facts = FactSet::new();
        for (id, value) in pairs {
            if let Some(value) = value {
                facts.insert(id, fact(value));
            }
        }
        facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Whatever policy is changed, a case that states just what the engine says of the changed pack passes
    /// with the mutant on the bench: it kills the mutant exactly if the engine's answers differ.
    #[test]
    fn the_bench_agrees_with_the_engine(facts in facts(), which in 0_usize..1000) {
        let policy = &BASELINE.policies()[which % BASELINE.policies().len()];
        let original = assess(&BASELINE, &facts);
        let ids = |bounds: &[holdpoint_schemas::decision::Bound]| Some(bounds.iter().map(|bound| bound.id.clone()).collect());
        let expected = Case {
            level: Some(original.level),
            bounds: ids(&original.bounds),
            promote_bounds: ids(&original.promote_bounds),
            ..Case::default()
        };
        let case = ResolvedCase { case: expected, facts: facts.clone(), path: "c".to_owned(), line: 1 };
        let bench = Bench::new(&BASELINE);
        let rows = [bench.row(&case)];
        for mutant in mutants(&BASELINE, &policy.id) {
            let fate = bench.try_out(&mutant, &rows);
            if matches!(fate, Fate::Stillborn(_)) {
                continue;
            }
            let changed = crate::cases::run(&mutant.in_pack(&BASELINE), &case);
            prop_assert_eq!(matches!(fate, Fate::Killed(_)), !changed.passed(), "{} {:?}", mutant.id, changed.failures);
        }
    }
}
