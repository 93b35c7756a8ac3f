//! Chaos: seeded runs of the binary in which the machine fails half-way. No verdict may be wrong, the next run must
//! finish, and nothing may be left over.
//!
//! All of it happens in a world of its own (`world.rs`): namespaces, a disk, control groups and a container engine
//! that nobody else uses. `HOLDPOINT_CHAOS_RUNS` sets the number of runs (20), `HOLDPOINT_CHAOS_SEED` the first
//! seed (1): a run that failed is played again by its seed alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects must fail"
)]

mod disturbed;
mod engine;
mod estate;
mod governed;
mod leftovers;
mod plan;
mod world;

use disturbed::{Ended, Events, disturbed, undisturbed};
use estate::{Bench, Judged};
use plan::{Asked, Backend, Candidate, Plan};
use std::collections::BTreeSet;
use std::time::Instant;
use world::{Entered, World};

/// Runs where nothing else is asked for.
const RUNS: u64 = 20;

#[test]
fn no_fault_of_the_machine_makes_a_verdict_wrong_or_leaves_anything_behind() {
    match World::enter("no_fault_of_the_machine_makes_a_verdict_wrong_or_leaves_anything_behind") {
        Entered::Skipped(why) => eprintln!("skipped: {why}"),
        Entered::Outside(status) => assert!(status.success(), "see above; the world ended with {status}"),
        Entered::Inside(mut world) => all_runs(&mut world),
    }
}

fn all_runs(world: &mut World) {
    let number = |name: &str, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (first, runs) = (number("HOLDPOINT_CHAOS_SEED", 1), number("HOLDPOINT_CHAOS_RUNS", RUNS));
    let began = Instant::now();
    let bench = Bench::make(world);
    let mut lengths = Vec::new();
    for backend in [Backend::Docker, Backend::Local] {
        for asked in [Asked::Validate, Asked::Run] {
            lengths.push(((backend, asked), length(&bench, backend, asked)));
        }
    }
    let length = |backend, asked| lengths.iter().find(|(of, _)| *of == (backend, asked)).unwrap().1;
    let (mut wrong, mut told, mut reached) = (Vec::new(), BTreeSet::new(), 0);
    for seed in first..first + runs {
        let plan = Plan::of(seed, length);
        let outcome = one_run(world, &bench, &plan, &mut told);
        reached += u64::from(outcome.reached);
        eprintln!("chaos {plan}: {}", outcome.told);
        for what in &outcome.wrong {
            eprintln!("  WRONG: {what}");
        }
        wrong.extend(outcome.wrong.into_iter().map(|what| format!("{plan}: {what}")));
    }
    wrong.extend(nothing_is_left(world, &bench, &mut told));
    world.end();
    eprintln!(
        "chaos: {runs} runs, {reached} faults met, {} wrong, {} s",
        wrong.len(),
        began.elapsed().as_secs()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A moment is drawn by how long a good candidate takes; others may end earlier, but not most of them.
    assert!(
        runs < RUNS || reached * 4 >= runs * 3,
        "only {reached} of {runs} runs met their fault"
    );
}

/// Events of a run without a fault, which also shows that the bench itself works.
fn length(bench: &Bench, backend: Backend, asked: Asked) -> usize {
    let estate = bench.estate(backend, "undisturbed");
    let events = Events::of(backend);
    let judged = undisturbed(&estate, asked, Candidate::Good, Some(&events)).unwrap();
    judged.is_right(Candidate::Good).unwrap();
    estate.remove();
    events.seen()
}

struct Outcome {
    reached: bool,
    told: String,
    wrong: Vec<String>,
}

/// `told`: what was found to be left over before.
fn one_run(world: &mut World, bench: &Bench, plan: &Plan, told: &mut BTreeSet<String>) -> Outcome {
    let began = Instant::now();
    let estate = bench.estate(plan.backend, &plan.seed.to_string());
    let mut wrong = Vec::new();
    let (ended, reached) = disturbed(world, &estate, plan);
    let ending = match &ended {
        Ended::Judged(judged) => {
            wrong.extend(judged.is_not_wrong(plan.candidate).err());
            judged.to_string()
        }
        Ended::Failed(status) => status.clone(),
        Ended::Stopped => {
            let left = leftovers::beside_baselines(world, told).into_iter();
            wrong.extend(left.map(|what| format!("left over when it was stopped: {what}")));
            "stopped".to_owned()
        }
        Ended::Hung => {
            wrong.push("it never ended".to_owned());
            "hung".to_owned()
        }
    };
    world.repair();
    let again = undisturbed(&estate, plan.asked, plan.candidate, None);
    match again.as_ref().map(|judged: &Judged| judged.is_right(plan.candidate)) {
        Ok(Ok(())) => {}
        Ok(Err(what)) => wrong.push(format!("started again, {what}")),
        Err(what) => wrong.push(format!("started again, it did not finish: {what}")),
    }
    let left = leftovers::beside_baselines(world, told);
    wrong.extend(left.into_iter().map(|what| format!("left over: {what}")));
    if !wrong.is_empty() {
        estate.show();
    }
    estate.remove();
    let fault = if reached { "" } else { ", before its fault" };
    Outcome {
        reached,
        told: format!("{ending}{fault}; {:.1} s", began.elapsed().as_secs_f32()),
        wrong,
    }
}

/// With all state folders gone, a last `gc` takes every kept baseline too.
fn nothing_is_left(world: &World, bench: &Bench, told: &mut BTreeSet<String>) -> Vec<String> {
    for backend in [Backend::Docker, Backend::Local] {
        let estate = bench.estate(backend, "last");
        estate.collect_garbage();
        estate.remove();
    }
    let left = leftovers::all(world, told).into_iter();
    left.map(|what| format!("left over at the end: {what}")).collect()
}
