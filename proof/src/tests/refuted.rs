use holdpoint_engine::policy::Pack;
use holdpoint_schemas::fact::{Action, FactRow, FactTable};

use super::kit::{Written, holds, pack, solver, told};
use crate::{Counterexample, Outcome, Proof, Verdict, verify};

const ALL: &[&str] = &[];
const AUTO: &[&str] = &["autoApply"];
const SUGGEST: &[&str] = &["suggest"];
const PROMOTE: &[&str] = &["promote"];

async fn proofs(policies: &[Written<'_>], invariants: Option<&Pack>) -> (Pack, Vec<Proof>) {
    let pack = pack(policies);
    let mut heard = Vec::new();
    let proofs = verify(&solver(), &pack, invariants, |proof| heard.push(proof.property.id())).await;
    let ids: Vec<String> = proofs.iter().map(|proof| proof.property.id()).collect();
    assert_eq!(heard, ids);
    (pack, proofs)
}

fn outcome<'a>(proofs: &'a [Proof], id: &str) -> &'a Outcome {
    &proofs.iter().find(|proof| proof.property.id() == id).unwrap().outcome
}

/// The counterexample of a property, whose case must fail until the pack is right.
fn refuted<'a>(pack: &Pack, proofs: &'a [Proof], id: &str) -> &'a Counterexample {
    let Outcome::Refuted(found) = outcome(proofs, id) else {
        panic!("{id}: {:?}", outcome(proofs, id))
    };
    let file = found.case_file(id);
    assert!(!holds(pack, &file), "{file:?}");
    found
}

fn failing(proofs: &[Proof]) -> Vec<String> {
    let failing = proofs.iter().filter(|proof| proof.verdict() == Verdict::Fails);
    failing.map(|proof| proof.property.id()).collect()
}

#[tokio::test]
async fn a_policy_that_overflows_is_found_and_nothing_is_proved_on_it() {
    let sum = "when { context has fix.files && context has graph.dependents && context.fix.files + context.graph.dependents > 9 }";
    let (pack, proofs) = proofs(&[("permit", "go", ALL, ""), ("forbid", "sum", AUTO, sum)], None).await;
    let found = refuted(&pack, &proofs, "never-errors/sum");
    assert_eq!(found.facts.known().count(), 2);
    assert_eq!(failing(&proofs), ["never-errors/sum"]);
    let why = "it rests on `sum`, which isn't proved never to fail";
    for id in ["unknown-safe/autoApply", "auto-apply-implies-suggest", "not-dead/sum"] {
        assert_eq!(outcome(&proofs, id), &Outcome::Inconclusive(why.to_owned()), "{id}");
    }
    assert_eq!(outcome(&proofs, "unknown-safe/suggest"), &Outcome::Proved);
}

#[tokio::test]
async fn an_overflow_that_a_guard_rules_out_is_none() {
    let guarded =
        "when { context has fix.files && context.fix.files > 0 && context.fix.files < 9 && context.fix.files + 1 > 3 }";
    let (_, proofs) = proofs(&[("permit", "go", AUTO, guarded)], None).await;
    assert_eq!(outcome(&proofs, "never-errors/go"), &Outcome::Proved);
}

#[tokio::test]
async fn a_broken_invariant_names_the_facts_and_what_lets_it_through() {
    let invariants = pack(&[
        (
            "forbid",
            "never-cardholder",
            AUTO,
            r#"when { context has service.data_classes && context.service.data_classes.contains("cardholder") }"#,
        ),
        (
            "forbid",
            "never-many",
            PROMOTE,
            "when { context has fix.files && context.fix.files > 40 }",
        ),
        (
            "permit",
            "always-one",
            SUGGEST,
            "when { context has fix.files && context.fix.files == 1 }",
        ),
    ]);
    let few = "when { context has fix.files && context.fix.files < 50 }";
    let policies: &[Written<'_>] = &[
        ("permit", "few", ALL, few),
        (
            "forbid",
            "logic",
            &["suggest", "autoApply"],
            r#"when { context has fix.class && context.fix.class == "logic" }"#,
        ),
    ];
    let (pack, proofs) = proofs(policies, Some(&invariants)).await;
    let found = refuted(&pack, &proofs, "invariant/never-cardholder");
    assert_eq!(told(&found.facts), ["fix.files=0", "service.data_classes=cardholder"]);
    assert_eq!(found.let_through_by, ["few"]);
    assert_eq!(found.action, Action::AutoApply);
    let found = refuted(&pack, &proofs, "invariant/never-many");
    let [files] = told(&found.facts).try_into().unwrap();
    let files: i64 = files.strip_prefix("fix.files=").unwrap().parse().unwrap();
    assert!((41..50).contains(&files));
    let found = refuted(&pack, &proofs, "invariant/always-one");
    assert_eq!(told(&found.facts), ["fix.class=logic", "fix.files=1"]);
    assert!(found.let_through_by.is_empty());
}

#[tokio::test]
async fn an_invariant_that_holds_is_proved_and_one_that_may_fail_or_never_applies_is_not() {
    let policies: &[Written<'_>] = &[(
        "permit",
        "few",
        ALL,
        "when { context has fix.files && context.fix.files < 50 }",
    )];
    let invariants = pack(&[
        (
            "forbid",
            "never-fifty",
            ALL,
            "unless { context has fix.files && context.fix.files < 50 }",
        ),
        (
            "forbid",
            "sum",
            ALL,
            "when { context has fix.files && context.fix.files + 1 > 99 }",
        ),
        (
            "forbid",
            "nothing",
            ALL,
            "when { context has fix.files && context.fix.files > 3 && context.fix.files < 4 }",
        ),
    ]);
    let (_, proofs) = proofs(policies, Some(&invariants)).await;
    assert_eq!(outcome(&proofs, "invariant/never-fifty"), &Outcome::Proved);
    assert_eq!(outcome(&proofs, "invariant/nothing"), &Outcome::Dead);
    assert_eq!(failing(&proofs), ["invariant/nothing"]);
    assert_eq!(
        outcome(&proofs, "invariant/sum"),
        &Outcome::Inconclusive("the invariant `sum` itself may fail to be evaluated".to_owned())
    );
}

#[tokio::test]
async fn a_forbid_that_an_unknown_fact_lifts_is_not_unknown_safe() {
    let frozen = "when { context has change.freeze_active && context.change.freeze_active }";
    let (pack, proofs) = proofs(
        &[
            ("permit", "go", AUTO, "when { context has fix.class }"),
            ("permit", "tell", SUGGEST, ""),
            ("forbid", "frozen", AUTO, frozen),
        ],
        None,
    )
    .await;
    let found = refuted(&pack, &proofs, "unknown-safe/autoApply");
    assert_eq!(found.without, ["change.freeze_active"]);
    assert_eq!(found.let_through_by, ["go"]);
    assert_eq!(told(&found.facts)[0], "change.freeze_active=yes");
    assert_eq!(found.facts.known().count(), 2);
    assert_eq!(failing(&proofs), ["unknown-safe/autoApply"]);
}

#[tokio::test]
async fn auto_apply_without_suggest_is_refuted() {
    let (pack, proofs) = proofs(
        &[
            ("permit", "go", AUTO, "when { context has fix.class }"),
            ("permit", "tell", SUGGEST, "when { context has fix.kind }"),
        ],
        None,
    )
    .await;
    let found = refuted(&pack, &proofs, "auto-apply-implies-suggest");
    assert_eq!(found.facts.known().count(), 1);
    assert_eq!(failing(&proofs), ["auto-apply-implies-suggest"]);
}

#[tokio::test]
async fn better_evidence_that_permits_less_is_refuted() {
    let worse = r#"when { context has evidence.test.verdict && context.evidence.test.verdict == "inconclusive" }"#;
    let (pack, proofs) = proofs(&[("permit", "odd", PROMOTE, worse)], None).await;
    let found = refuted(&pack, &proofs, "monotone-in-evidence/promote");
    assert_eq!(told(&found.facts), ["evidence.test.verdict=inconclusive"]);
    assert_eq!(found.better["evidence.test.verdict"], "passed".into());
    assert_eq!(outcome(&proofs, "unknown-safe/promote"), &Outcome::Proved);
}

#[tokio::test]
async fn dead_and_shadowed_policies_are_told_apart() {
    let tier = |limit: u8| format!("unless {{ context has service.tier && context.service.tier > {limit} }}");
    let never = "when { context has service.tier && context.service.tier > 3 && context.service.tier < 3 }";
    let (tier_1, tier_2) = (tier(1), tier(2));
    let low = "when { context has service.tier && context.service.tier == 9 }";
    let (_, proofs) = proofs(
        &[
            ("permit", "go", ALL, ""),
            ("permit", "go-low", ALL, low),
            ("forbid", "tier-1", ALL, &tier_1),
            ("forbid", "tier-2", ALL, &tier_2),
            ("forbid", "never", ALL, never),
        ],
        None,
    )
    .await;
    let by = |by: &str| Outcome::Shadowed {
        by: vec![by.to_owned()],
    };
    assert_eq!(outcome(&proofs, "not-dead/go"), &Outcome::Proved);
    assert_eq!(outcome(&proofs, "not-dead/go-low"), &by("go"));
    assert_eq!(outcome(&proofs, "not-dead/tier-1"), &by("tier-2"));
    assert_eq!(outcome(&proofs, "not-dead/tier-2"), &Outcome::Proved);
    assert_eq!(outcome(&proofs, "not-dead/never"), &Outcome::Dead);
    // A forbid whose work another one does only makes a reason more; a permit is a mistake.
    assert_eq!(failing(&proofs), ["not-dead/go-low", "not-dead/never"]);
}

#[tokio::test]
async fn a_forbid_of_what_nothing_permits_is_shadowed_by_nothing() {
    let forbid = "unless { context has fix.kind }";
    let permit = "when { context has fix.kind }";
    let (_, proofs) = proofs(
        &[("permit", "go", AUTO, permit), ("forbid", "kind", AUTO, forbid)],
        None,
    )
    .await;
    let shadowed = Outcome::Shadowed { by: Vec::new() };
    assert_eq!(outcome(&proofs, "not-dead/kind"), &shadowed);
}

#[tokio::test]
async fn words_that_a_fact_never_has_are_no_counterexample() {
    let invariants = pack(&[("permit", "known", AUTO, "when { context has fix.class }")]);
    let either =
        r#"when { context has fix.class && (context.fix.class == "mechanical" || context.fix.class == "logic") }"#;
    let (_, proofs) = proofs(&[("permit", "go", AUTO, either)], Some(&invariants)).await;
    assert_eq!(outcome(&proofs, "invariant/known"), &Outcome::Proved);
}

#[tokio::test]
async fn an_organisations_facts_are_part_of_a_proof() {
    let like = FactTable::shipped().row("change.freeze_active").unwrap();
    let row = FactRow {
        id: "org.gate.open",
        ..*like
    };
    let table = FactTable::shipped().with_org([row]).unwrap();
    let source = holdpoint_engine::policy::PolicySource {
        path: "p.cedar".to_owned(),
        text: "@id(\"go\") @reason(\"because\") permit (principal, action, resource) unless { context has org.gate.open && !context.org.gate.open };".to_owned(),
    };
    let pack = Pack::compile("org", &[source], &table).unwrap();
    let proofs = verify(&solver(), &pack, None, |_| ()).await;
    let found = refuted(&pack, &proofs, "unknown-safe/promote");
    assert_eq!(found.without, ["org.gate.open"]);
}

#[tokio::test]
async fn a_long_condition_is_no_harder_than_its_length() {
    // Each step that leans to the left would double the formula: 2^40.
    let steps: Vec<String> = (0..40)
        .map(|n| format!("context has fix.files && context.fix.files > {n}"))
        .collect();
    let condition = format!("when {{ {} }}", steps.join(" && "));
    let (_, proofs) = proofs(&[("permit", "go", ALL, &condition)], None).await;
    assert!(
        proofs.iter().all(|proof| proof.verdict() == Verdict::Holds),
        "{proofs:?}"
    );
}
