use super::kit::{baseline, solver};
use crate::{Verdict, verify};

#[tokio::test]
async fn the_baseline_pack_has_every_property() {
    let pack = baseline();
    let start = std::time::Instant::now();
    let proofs = verify(&solver(), &pack, None, |proof| {
        println!("{:>8.1?} {:?} {}", proof.took, proof.outcome, proof.property.id());
    })
    .await;
    println!("{:?}", start.elapsed());
    for proof in &proofs {
        assert!(proof.verdict() <= Verdict::Note, "{proof:?}");
    }
    assert_eq!(proofs.len(), 2 * pack.policies().len() + 7);
}
