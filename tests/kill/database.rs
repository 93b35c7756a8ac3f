//! A database that goes away while a run is under way.

use std::time::Instant;

use super::nights::{MAX_NIGHTS, Nights};
use super::process::{Random, run, run_until};
use super::{seeds, whole};
use crate::support::cluster::Cluster;

/// The server is ended as its administrator would, or all its processes are killed, and it is started again. The run goes
/// on, or ends with an error that says so; what is left to do, the next one does.
#[test]
fn a_database_that_is_restarted_under_a_run_loses_and_doubles_nothing() {
    let Some(cluster) = Cluster::start(false) else { return };
    let begun = Instant::now();
    let (seeds, whole) = (seeds(), whole(Some(&cluster)));
    let (mut runs, mut restarts, mut broken) = (0, 0, 0);
    for seed in seeds.clone() {
        let mut random = Random(seed);
        let estate = Nights::new(seed, Some(&cluster));
        for night in 0.. {
            assert!(night < MAX_NIGHTS, "seed {seed}: it doesn't come to an end");
            let point = random.point(&whole);
            let crash = random.below(2) == 0;
            let ended = run_until(estate.run(0, night), Some(point), |_| match crash {
                true => cluster.crash(),
                false => cluster.restart(),
            });
            (runs, restarts) = (runs + 1, restarts + usize::from(ended.struck));
            if !ended.is_done() {
                let code = ended.status.code();
                assert!(
                    matches!(code, Some(1 | 3)),
                    "seed {seed}, {point:?}: {code:?} {}",
                    ended.said
                );
                let told = ended.said.contains("error: ") && ended.said.contains("ledger");
                assert!(told && !ended.said.contains("panicked"), "seed {seed}: {}", ended.said);
                broken += 1;
                estate.is_kept();
                let again = run(estate.run(0, night));
                assert!(again.is_done(), "seed {seed}: {}", again.said);
                runs += 1;
            }
            if estate.is_done(night) {
                break;
            }
        }
    }
    let estates = seeds.count();
    eprintln!(
        "kill: database: {estates} estates, {runs} runs, {restarts} restarts, after which {broken} ended with an error, \
         in {:?}",
        begun.elapsed()
    );
    assert!(restarts >= estates, "only {restarts} restarts struck");
}
