use super::kit::{baseline, holds, solver};
use crate::{Outcome, Verdict, verify};

#[tokio::test]
async fn the_baseline_pack_has_every_property() {
    let pack = baseline();
    let proofs = verify(&solver(), &pack, None, |_| ()).await;
    assert_eq!(proofs.len(), 2 * pack.policies().len() + 7);
    for proof in &proofs {
        let id = proof.property.id();
        match &proof.outcome {
            // Until `auto-apply-mechanical` asks for `fix.kind`, as `suggest-any-fix` does.
            Outcome::Refuted(found) if id == "auto-apply-implies-suggest" => {
                assert_eq!(found.let_through_by, ["auto-apply-mechanical"]);
                assert!(found.facts.get("fix.kind").is_none() && !holds(&pack, &found.case_file(&id)));
            }
            _ => assert!(proof.verdict() <= Verdict::Note, "{proof:?}"),
        }
    }
}
