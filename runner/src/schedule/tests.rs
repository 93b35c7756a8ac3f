use super::*;
use proptest::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::timeout;

fn weight(cpu_millis: u32, memory_mib: u64) -> Weight {
    Weight { cpu_millis, memory_mib }
}

fn job(work: usize, expected_millis: u64, weight: Weight) -> Job<usize> {
    Job {
        work,
        expected_millis,
        weight,
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn the_cheapest_begins_first_and_equals_keep_their_order() {
    let jobs = [
        job(0, 100, weight(2000, 1)),
        job(1, 150, weight(1000, 1)),
        job(2, 100, weight(2000, 9)),
        job(3, 1, weight(1000, 1)),
    ];
    assert_eq!(order(&jobs), [3, 1, 0, 2]);
}

#[test]
fn memory_is_read_as_linux_writes_it() {
    assert_eq!(total_mib("MemTotal:        8039340 kB\nMemFree:  1 kB\n"), Some(7850));
    assert_eq!(total_mib("MemFree: 1 kB\n"), None);
    assert_eq!(total_mib("MemTotal: lots\n"), None);
}

#[test]
fn this_machine_has_something_for_steps() {
    let machine = Weight::of_machine();
    assert!(machine.cpu_millis >= 1000);
    assert!(machine.memory_mib > 0);
}

#[tokio::test]
async fn who_asks_first_is_served_first_however_big() {
    let budget = Budget::new(weight(2000, 2000));
    let never = CancellationToken::new();
    let held = budget.share(weight(1000, 1000), &never).await.unwrap();
    let mut big = std::pin::pin!(budget.share(weight(2000, 2000), &never));
    // Looked at once, it stands in the queue.
    assert!(timeout(Duration::ZERO, &mut big).await.is_err());
    let small = timeout(Duration::ZERO, budget.share(weight(1, 1), &never)).await;
    assert!(small.is_err(), "a small one overtook");
    drop(held);
    drop(big.await.unwrap());
    assert_eq!(budget.free(), weight(2000, 2000));
}

#[tokio::test]
async fn what_is_larger_than_the_machine_runs_alone() {
    let budget = Budget::new(weight(1000, 512));
    let never = CancellationToken::new();
    let share = budget.share(weight(64_000, 1 << 40), &never).await.unwrap();
    assert_eq!(budget.free(), weight(0, 0));
    drop(share);
    assert_eq!(budget.free(), weight(1000, 512));
}

#[tokio::test]
async fn a_cancelled_wait_ends_and_takes_nothing() {
    let budget = Budget::new(weight(1000, 100));
    let cancel = CancellationToken::new();
    let held = budget.share(weight(1000, 1), &cancel).await.unwrap();
    let waiting = budget.share(weight(500, 50), &cancel);
    cancel.cancel();
    assert_eq!(waiting.await.unwrap_err(), Cancelled);
    drop(held);
    assert_eq!(budget.free(), weight(1000, 100));
}

#[tokio::test]
async fn cancelling_stops_what_has_not_begun_and_lets_the_rest_end() {
    let budget = Budget::new(weight(1000, 100));
    let cancel = CancellationToken::new();
    let jobs = (0..5).map(|n| job(n, n as u64, weight(1000, 1))).collect();
    let results = run_all(jobs, &budget, 5, &cancel, |n| {
        if n == 1 {
            cancel.cancel();
        }
        async move {
            yield_now().await;
            n
        }
    })
    .await;
    assert_eq!(results, [Ok(0), Ok(1), Err(Cancelled), Err(Cancelled), Err(Cancelled)]);
    assert_eq!(budget.free(), weight(1000, 100));
}

proptest! {
    #[test]
    fn a_budget_is_never_exceeded_and_everything_gets_done(
        capacity in (1_u32..4000, 1_u64..4000),
        sizes in prop::collection::vec((0_u32..5000, 0_u64..5000, 0_u64..100, 0_usize..5), 0..30),
        at_once in 0_usize..8,
    ) {
        let capacity = weight(capacity.0, capacity.1);
        let budget = Budget::new(capacity);
        let used = Mutex::new((0_u64, 0_u64));
        let running = AtomicUsize::new(0);
        let jobs: Vec<_> = sizes
            .iter()
            .enumerate()
            .map(|(n, (cpu, memory, millis, _))| job(n, *millis, weight(*cpu, *memory)))
            .collect();
        let results = block_on(run_all(jobs, &budget, at_once, &CancellationToken::new(), |n| {
            let (cpu, memory, _, turns) = sizes[n];
            let (used, running) = (&used, &running);
            async move {
                let (cpu, memory) = weight(cpu, memory).units(capacity);
                {
                    let mut used = used.lock().unwrap();
                    used.0 += u64::from(cpu);
                    used.1 += u64::from(memory);
                    assert!(used.0 <= u64::from(capacity.cpu_millis) && used.1 <= capacity.memory_mib);
                }
                assert!(running.fetch_add(1, Ordering::SeqCst) < at_once.max(1));
                for _ in 0..turns {
                    yield_now().await;
                }
                running.fetch_sub(1, Ordering::SeqCst);
                let mut used = used.lock().unwrap();
                used.0 -= u64::from(cpu);
                used.1 -= u64::from(memory);
                n
            }
        }));
        let all: Vec<_> = (0..sizes.len()).map(Ok).collect();
        prop_assert_eq!(results, all);
        prop_assert_eq!(budget.free(), capacity);
    }
}
