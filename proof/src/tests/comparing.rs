use holdpoint_engine::policy::{Pack, PolicySource};
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::fact::org::OrgFact;

use super::kit::{Written, baseline, holds, pack, solver, told};
use crate::{Outcome, Relation, compare, equivalent_policy, overlaps, permits_no_more};

const ALL: &[&str] = &[];
const AUTO: &[&str] = &["autoApply"];

fn go(condition: &str) -> Pack {
    pack(&[("permit", "go", AUTO, condition), ("permit", "tell", &["suggest"], "")])
}

#[tokio::test]
async fn packs_are_equivalent_stricter_looser_or_different_each_with_a_witness() {
    let few = |n: u8| format!("when {{ context has fix.files && context.fix.files < {n} }}");
    let odd = "when { context has fix.files && context.fix.files > 3 }";
    let cases = [
        (few(3), few(3), Relation::Equivalent),
        (
            few(3),
            "when { context has fix.files && !(context.fix.files >= 3) }".to_owned(),
            Relation::Equivalent,
        ),
        (few(3), few(2), Relation::Stricter),
        (few(3), few(4), Relation::Looser),
        (few(5), odd.to_owned(), Relation::Different),
    ];
    for (old, new, expected) in cases {
        let (old, new) = (go(&old), go(&new));
        let found = compare(&solver(), &old, &new).await;
        let [suggest, auto, promote] = found.actions.as_slice() else {
            panic!()
        };
        assert_eq!(suggest.relation(), Relation::Equivalent);
        assert_eq!(promote.relation(), Relation::Equivalent);
        assert_eq!(auto.relation(), expected);
        // The case says what the old pack does.
        for outcome in [&auto.no_looser, &auto.no_stricter] {
            if let Outcome::Refuted(witness) = outcome {
                assert_eq!(witness.facts.known().count(), 1);
                let file = witness.case_file("witness");
                assert!(holds(&old, &file) && !holds(&new, &file), "{file:?}");
            }
        }
        let no_more = permits_no_more(&solver(), &new, &old).await;
        let is_tighter = [Relation::Equivalent, Relation::Stricter].contains(&expected);
        assert_eq!(no_more == Outcome::Proved, is_tighter, "{no_more:?}");
    }
}

#[tokio::test]
async fn one_rarely_true_branch_that_widens_a_pack_is_found() {
    let old = baseline();
    let new = old.without("unexplained-drift");
    let found = compare(&solver(), &old, &new).await;
    let relations: Vec<Relation> = found.actions.iter().map(|action| action.relation()).collect();
    assert_eq!(
        relations,
        [Relation::Equivalent, Relation::Looser, Relation::Equivalent]
    );
    let Outcome::Refuted(witness) = &found.actions[1].no_looser else {
        panic!()
    };
    assert_eq!(witness.let_through_by, ["auto-apply-mechanical"]);
}

#[tokio::test]
async fn packs_that_declare_a_fact_differently_are_not_compared() {
    let zone = |words: &str| {
        let json =
            format!(r#"{{"id": "org.zone", "type": {words}, "doc": "Where it runs.", "resolver": "operations"}}"#);
        let fact: OrgFact = serde_json::from_str(&json).unwrap();
        FactTable::shipped().with_org([fact.row()]).unwrap()
    };
    let reading = |table: &FactTable| {
        let text = "@id(\"go\") @reason(\"because\") permit (principal, action == Action::\"autoApply\", resource) \
            when { context has org.zone && context.org.zone != \"red\" };";
        let source = PolicySource {
            path: "p.cedar".to_owned(),
            text: text.to_owned(),
        };
        Pack::compile("test", &[source], table).unwrap()
    };
    let two = reading(&zone(r#"["red", "amber"]"#));
    let three = reading(&zone(r#"["red", "amber", "green"]"#));
    let none = pack(&[("permit", "go", AUTO, "when { context has fix.class }")]);
    for (old, new) in [(&two, &three), (&three, &two), (&two, &none), (&none, &two)] {
        let why = Outcome::Inconclusive("`org.zone` is declared differently in the two packs".to_owned());
        let found = compare(&solver(), old, new).await;
        assert_eq!(found.actions[1].no_looser, why);
        assert_eq!(found.actions[1].no_stricter, why);
        assert_eq!(permits_no_more(&solver(), new, old).await, why);
    }
    let same = compare(&solver(), &two, &reading(&zone(r#"["red", "amber"]"#))).await;
    assert_eq!(same.actions[1].relation(), Relation::Equivalent);
}

#[tokio::test]
async fn packs_whose_policies_may_fail_are_not_compared() {
    let fails = go("when { context has fix.files && context.fix.files * 2 > 3 }");
    let found = compare(&solver(), &fails, &fails).await;
    assert_eq!(found.actions[1].relation(), Relation::Inconclusive);
    assert_eq!(found.actions[0].relation(), Relation::Equivalent);
}

#[tokio::test]
async fn a_forbids_mutant_is_equivalent_only_if_it_applies_to_the_same_facts() {
    let with = |actions, condition: &str| {
        pack(&[
            ("permit", "go", AUTO, "when { context has fix.kind }"),
            ("forbid", "x", actions, condition),
        ])
    };
    let original = with(AUTO, "unless { context has fix.kind && context has fix.class }");
    let same = with(AUTO, "unless { context has fix.class && context has fix.kind }");
    // Without effect on any answer, but the reasons that people see aren't the same.
    let more = with(AUTO, "unless { context has fix.class }");
    let wider = with(ALL, "unless { context has fix.class && context has fix.kind }");
    let check = async |mutant: &Pack| equivalent_policy(&solver(), &original, mutant, "x").await;
    assert_eq!(check(&same).await, Outcome::Proved);
    for mutant in [more, wider, original.without("x")] {
        let Outcome::Refuted(found) = check(&mutant).await else {
            panic!()
        };
        let file = found.case_file("killer");
        assert!(holds(&original, &file) && !holds(&mutant, &file), "{file:?}");
    }
}

#[tokio::test]
async fn packs_that_differ_in_more_than_the_mutant_are_not_judged() {
    let one = pack(&[("permit", "a", ALL, ""), ("forbid", "b", ALL, "")]);
    let other = pack(&[("permit", "a", AUTO, ""), ("forbid", "b", ALL, "")]);
    for id in ["b", "c"] {
        let outcome = equivalent_policy(&solver(), &one, &other, id).await;
        assert!(matches!(outcome, Outcome::Inconclusive(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_permits_mutant_is_equivalent_if_the_answers_are() {
    let forbid: Written<'_> = (
        "forbid",
        "logic",
        AUTO,
        r#"unless { context has fix.class && context.fix.class == "mechanical" }"#,
    );
    let with = |condition| pack(&[("permit", "x", AUTO, condition), forbid]);
    let original = with(r#"when { context has fix.class && context.fix.class == "mechanical" }"#);
    let same = with("when { context has fix.class }");
    let other = with(r#"when { context has fix.class && context.fix.class == "logic" }"#);
    let check = async |mutant: &Pack| equivalent_policy(&solver(), &original, mutant, "x").await;
    assert_eq!(check(&same).await, Outcome::Proved);
    for mutant in [other, original.without("x")] {
        let Outcome::Refuted(found) = check(&mutant).await else {
            panic!()
        };
        assert_eq!(told(&found.facts), ["fix.class=mechanical"]);
        let file = found.case_file("killer");
        assert!(holds(&original, &file) && !holds(&mutant, &file), "{file:?}");
    }
}

#[tokio::test]
async fn rows_that_overlap_are_found_pair_by_pair() {
    let row = |range: &str| {
        format!(
            "when {{ context has fix.files && {} }}",
            range.replace('n', "context.fix.files")
        )
    };
    let (low, middle, high) = (row("n < 5"), row("n >= 5 && n < 9"), row("n > 7"));
    let pack = pack(&[
        ("permit", "low", ALL, &low),
        ("permit", "middle", ALL, &middle),
        ("permit", "high", ALL, &high),
        ("permit", "elsewhere", &["promote"], &low),
    ]);
    let found = overlaps(&solver(), &pack, &["low", "middle", "high"]).await.unwrap();
    let pairs: Vec<_> = found
        .iter()
        .map(|o| (o.first.as_str(), o.second.as_str(), told(&o.facts)))
        .collect();
    assert_eq!(pairs, [("middle", "high", vec!["fix.files=8".to_owned()])]);
    let found = overlaps(&solver(), &pack, &["elsewhere", "low", "middle"])
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        overlaps(&solver(), &pack, &["low", "nothing"]).await,
        Err("there is no policy `nothing`".to_owned())
    );
}
