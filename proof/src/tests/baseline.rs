use super::kit::{baseline, solver};
use crate::{Verdict, verify};

#[tokio::test]
async fn the_baseline_pack_has_every_property() {
    let pack = baseline();
    let proofs = verify(&solver(), &pack, None, |_| ()).await;
    assert_eq!(proofs.len(), 2 * pack.policies().len() + 7);
    for proof in &proofs {
        assert!(proof.verdict() <= Verdict::Note, "{proof:?}");
    }
}
