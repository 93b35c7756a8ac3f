use std::time::{Duration, Instant};

use holdpoint_engine::policy::Pack;

use super::kit::{pack, solver};
use crate::{Outcome, Relation, compare, verify};

/// Conditions that nest: each level looks at the one below it.
fn nested(levels: usize, start: &str, level: impl Fn(usize, String) -> String) -> Pack {
    let condition = (0..levels).fold(start.to_owned(), |below, place| level(place, below));
    pack(&[("permit", "go", &["autoApply"], &format!("when {{ {condition} }}"))])
}

const FEW: &str = "(context has fix.files && context.fix.files < 9)";

async fn relation(pack: &Pack) -> (Relation, String, Duration) {
    let start = Instant::now();
    let found = compare(&solver().with_limit(Duration::from_secs(20)), pack, pack).await;
    let why = match &found.actions[1].no_looser {
        Outcome::Inconclusive(why) => why.clone(),
        _ => String::new(),
    };
    (found.actions[1].relation(), why, start.elapsed())
}

fn sum(levels: usize) -> Pack {
    let sum = " + 1".repeat(levels);
    let condition = format!("when {{ context has fix.files && context.fix.files{sum} < 90 }}");
    pack(&[("permit", "go", &["autoApply"], &condition)])
}

#[tokio::test]
async fn deep_alternations_and_conditions_are_translated_in_no_time() {
    let alternating = nested(28, FEW, |place, below| {
        let op = if place % 2 == 0 { "||" } else { "&&" };
        format!("({below} {op} (context has fix.files && context.fix.files > {place}))")
    });
    let ifs = nested(28, FEW, |place, below| {
        format!("(if {below} then context has fix.class else context has fix.files && context.fix.files > {place})")
    });
    let negations = nested(28, FEW, |_, below| format!("!({below} == false)"));
    for pack in [alternating, ifs, negations] {
        let (relation, why, took) = relation(&pack).await;
        assert_eq!(relation, Relation::Equivalent, "{why}");
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}

#[tokio::test]
async fn arithmetic_that_nests_too_deeply_is_open_at_once() {
    let (relation, why, took) = relation(&sum(200)).await;
    assert_eq!(relation, Relation::Inconclusive);
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(!why.is_empty());
    let never_fails = verify(&solver(), &sum(200), None, |_| ()).await.remove(0);
    let Outcome::Inconclusive(why) = never_fails.outcome else {
        panic!("{never_fails:?}")
    };
    assert!(why.contains("nested too deeply to be translated"), "{why}");
}

#[tokio::test]
async fn the_time_limit_covers_the_translation_too() {
    let solver = solver();
    let few = pack(&[("permit", "go", &[], "when { context has fix.files }")]);
    assert_eq!(verify(&solver, &few, None, |_| ()).await[0].outcome, Outcome::Proved);
    // The rehearsal is over, so what is cut off now is the translation.
    let hasty = solver.with_limit(Duration::from_millis(1));
    let never_fails = verify(&hasty, &sum(9), None, |_| ()).await.remove(0);
    let Outcome::Inconclusive(why) = never_fails.outcome else {
        panic!("{never_fails:?}")
    };
    assert!(why.contains("wasn't translated within"), "{why}");
}
