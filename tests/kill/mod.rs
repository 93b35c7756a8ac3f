//! Runs that are killed, wherever they are, and started again; databases that go away under them. Each fix is merged
//! exactly once, no night merges more than its budgets let it, and the ledger agrees with the remotes.
//!
//! `HOLDPOINT_KILL_RUNS` says how many estates (20), `HOLDPOINT_KILL_SEED` which is the first (1).

mod database;
mod late;
mod nights;
pub mod process;

use std::time::{Duration, Instant};

use crate::support::cluster::Cluster;
use nights::{MAX_NIGHTS, Nights};
use process::{Ended, Random, Whole, cut_power, kill, run, run_until};

/// Kills in the first night, before the run that is let through; later nights have one.
const KILLS: usize = 2;

/// Of the estate that nobody disturbs: one without limits.
const WHOLE: u64 = 1 << 32;

/// A lease of these estates is over after a second.
const LEASE: Duration = Duration::from_secs(30);

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str, otherwise: u64| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let first = number("HOLDPOINT_KILL_SEED", 1);
    first..first + number("HOLDPOINT_KILL_RUNS", 20)
}

/// A run that nobody disturbs, of an estate without limits.
fn whole(database: Option<&Cluster>) -> Whole {
    let estate = Nights::new(WHOLE, database);
    let ended = run(estate.run(0, 0));
    assert!(
        ended.is_done() && ended.lines > 10,
        "{} lines: {}",
        ended.lines,
        ended.said
    );
    assert!(estate.is_done(0));
    Whole {
        lines: ended.lines,
        first: ended.first,
    }
}

/// What came of all runs.
#[derive(Default)]
struct Tally {
    runs: usize,
    killed: usize,
    /// Runs that had to wait for the lease of a killed one.
    held_up: usize,
}

impl Tally {
    /// Tries until the estate is free. What a host held when its run was killed doesn't hold up that host.
    fn run(&mut self, may_wait: bool, mut attempt: impl FnMut() -> Ended) -> Ended {
        let begun = Instant::now();
        let mut ended = attempt();
        self.held_up += usize::from(ended.is_refused());
        while ended.is_refused() {
            assert!(may_wait, "its own lease holds it up: {}", ended.said);
            assert!(begun.elapsed() < LEASE, "the lease isn't over: {}", ended.said);
            std::thread::sleep(Duration::from_millis(100));
            ended = attempt();
        }
        self.runs += 1;
        self.killed += usize::from(ended.status.code().is_none());
        ended
    }
}

/// Nights of an estate in which runs are killed, until all is merged.
fn nights(seed: u64, database: Option<&Cluster>, whole: &Whole, tally: &mut Tally) {
    let mut random = Random(seed);
    let estate = Nights::new(seed, database);
    // Which host ran it last, and was killed.
    let mut last = None;
    for night in 0.. {
        assert!(night < MAX_NIGHTS, "seed {seed}: it doesn't come to an end");
        for _ in 0..if night == 0 { KILLS } else { 1 } {
            let (host, point) = (random.below(estate.hosts()), random.point(whole));
            let blow = if random.below(2) == 0 { kill } else { cut_power };
            let ended = tally.run(last != Some(host), || {
                run_until(estate.run(host, night), Some(point), blow)
            });
            assert!(
                ended.is_done() || ended.status.code().is_none(),
                "seed {seed}, {point:?}: {}",
                ended.said
            );
            last = Some(host);
            estate.is_kept();
        }
        if night == 0 && random.below(4) == 0 {
            // Nobody starts it again before the next night.
            continue;
        }
        let host = random.below(estate.hosts());
        let ended = tally.run(last != Some(host), || run(estate.run(host, night)));
        assert!(ended.is_done(), "seed {seed}: {}", ended.said);
        last = Some(host);
        if estate.is_done(night) {
            return;
        }
    }
}

fn killed_runs(store: &str, database: Option<&Cluster>) {
    let begun = Instant::now();
    let (seeds, whole, mut tally) = (seeds(), whole(database), Tally::default());
    for seed in seeds.clone() {
        nights(seed, database, &whole, &mut tally);
    }
    let estates = seeds.count();
    eprintln!(
        "kill: {store}: {estates} estates, {} runs, of which {} were killed and {} had to wait for a lease, of about {} \
         points, in {:?}",
        tally.runs,
        tally.killed,
        tally.held_up,
        whole.lines,
        begun.elapsed()
    );
    // Else the points are not where the work is.
    assert!(tally.killed >= estates, "only {} kills struck", tally.killed);
    assert!(
        database.is_none() || estates < 10 || tally.held_up > 0,
        "no lease held anybody up"
    );
}

#[test]
fn a_killed_run_is_continued_and_promotes_exactly_once_within_its_budgets() {
    killed_runs("sqlite", None);
}

#[test]
fn a_killed_run_is_continued_on_any_host_where_the_ledger_is_in_a_database() {
    let Some(cluster) = Cluster::start(false) else { return };
    killed_runs("postgresql", Some(&cluster));
}
