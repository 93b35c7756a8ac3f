use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::kit::{pack, solver};
use crate::{Outcome, Relation, Solver, SolverMissing, Verdict, compare, verify};

/// A program that is to pass for a solver.
struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(script: &str) -> Self {
        let fake = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(fake.path(), format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(fake.path(), PermissionsExt::from_mode(0o755)).unwrap();
        fake
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("cvc5")
    }

    fn solver(&self) -> Solver {
        Solver::at(&self.path()).unwrap().with_limit(Duration::from_millis(500))
    }

    /// Why nothing is proved: the same for each property, in less time than a test's patience.
    async fn why(&self) -> String {
        let pack = pack(&[("permit", "go", &["autoApply"], "when { context has fix.class }")]);
        let start = Instant::now();
        let proofs = verify(&self.solver(), &pack, None, |_| ()).await;
        assert!(start.elapsed() < Duration::from_secs(60));
        // What is plain without a question, such as that nothing is permitted, needs no solver.
        let plain = [
            "never-errors",
            "unknown-safe/suggest",
            "unknown-safe/promote",
            "monotone-in-evidence",
        ];
        for proof in &proofs {
            let is_plain = plain.iter().any(|plain| proof.property.id().starts_with(plain));
            let is_proved = is_plain && proof.outcome == Outcome::Proved;
            assert!(is_proved || proof.verdict() == Verdict::Open, "{proof:?}");
        }
        let mut whys = proofs.iter().filter_map(|proof| match &proof.outcome {
            Outcome::Inconclusive(why) => Some(why.clone()),
            _ => None,
        });
        whys.next().unwrap()
    }
}

/// Passes the rehearsal, and then does something else.
fn after_rehearsal(script: &str) -> Fake {
    Fake::new(&format!(
        "input=$(sed '/check-sat/q'); case \"$input\" in *'(= x 2)'*) echo unsat; exit;; *'(= x 1)'*) echo sat; exit;; esac\n{script}"
    ))
}

#[tokio::test]
async fn a_missing_solver_says_what_to_install() {
    let SolverMissing { help, .. } = Solver::at("/nowhere/cvc5".as_ref()).unwrap_err();
    assert!(help.contains("`cvc5`"));
    let fake = Fake::new("echo unsat");
    std::fs::set_permissions(fake.path(), PermissionsExt::from_mode(0o644)).unwrap();
    let error = Solver::at(&fake.path()).unwrap_err().to_string();
    assert!(error.ends_with("isn't a program"), "{error}");
}

#[tokio::test]
async fn a_solver_that_is_gone_or_no_program_proves_nothing() {
    let fake = Fake::new("echo unsat");
    let solver = fake.solver();
    std::fs::remove_file(fake.path()).unwrap();
    let pack = pack(&[("permit", "go", &["autoApply"], "when { context has fix.class }")]);
    let found = compare(&solver, &pack, &pack.without("go")).await;
    assert_eq!(found.actions[1].relation(), Relation::Inconclusive);
    let Outcome::Inconclusive(why) = &found.actions[1].no_looser else {
        panic!()
    };
    assert!(!why.is_empty());
    std::fs::write(fake.path(), [0, 1, 2, 3]).unwrap();
    std::fs::set_permissions(fake.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let why = fake.why().await;
    assert!(why.contains("couldn't be started"), "{why}");
}

#[tokio::test]
async fn a_solver_that_always_says_unsat_is_found_out() {
    let why = Fake::new("read line; echo unsat").why().await;
    assert!(why.ends_with("it said `unsat` where `sat` is right"), "{why}");
}

#[tokio::test]
async fn a_solver_that_denies_everything_after_the_rehearsal_is_found_out() {
    let fake = after_rehearsal("echo unsat");
    let whole = pack(&[("permit", "go", &["autoApply"], "when { context has fix.class }")]);
    let solver = fake.solver().with_limit(Duration::from_secs(20));
    let found = compare(&solver, &whole.without("go"), &whole).await;
    let relation = found.actions[1].relation();
    assert_eq!(relation, Relation::Inconclusive, "{found:?}");
}

#[tokio::test]
async fn a_solver_that_hangs_is_killed() {
    for fake in [Fake::new("exec sleep 600"), after_rehearsal("exec sleep 600")] {
        assert_eq!(fake.why().await, "the solver gave no answer within 0.5 s");
    }
}

#[tokio::test]
async fn a_solver_that_stops_is_told_with_how() {
    let why = after_rehearsal("exit 3").why().await;
    assert_eq!(why, "the solver stopped without an answer (exit status: 3)");
    let why = after_rehearsal("kill -9 $$").why().await;
    assert!(why.contains("signal: 9"), "{why}");
    let why = after_rehearsal("echo unsat; exit 1").why().await;
    assert_eq!(why, "the solver stopped after its answer (exit status: 1)");
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    let why = after_rehearsal("printf 'hello\\033[2J\\n'").why().await;
    assert_eq!(why, "the solver said `hello [2J`");
    let why = after_rehearsal("echo unsat; echo sat").why().await;
    assert_eq!(why, "the solver said `unsat`, then `sat`");
    let why = after_rehearsal("echo unknown").why().await;
    assert_eq!(why, "the solver can't tell");
    let why = after_rehearsal("printf '\\377\\376\\n'").why().await;
    assert!(why.starts_with("the solver's answer can't be read"), "{why}");
    let why = after_rehearsal("printf unsatisfactory").why().await;
    assert_eq!(why, "the solver said `unsatisfactory`");
}

#[tokio::test]
async fn an_example_that_is_none_is_not_believed() {
    for model in ["()", "(define-fun t0 () Bool true)", "((", "(\n)", ""] {
        let why = after_rehearsal(&format!("echo sat; printf '{model}'; cat >/dev/null"))
            .why()
            .await;
        assert!(!why.is_empty(), "{model}");
    }
}

#[tokio::test]
async fn endless_output_is_cut() {
    for script in [
        "exec tr '\\0' a </dev/zero",
        "echo sat; exec tr '\\0' a </dev/zero",
        "echo unsat; exec yes",
    ] {
        let why = after_rehearsal(script).why().await;
        assert!(why.starts_with("the solver"), "{why}");
    }
}

#[tokio::test]
async fn a_question_that_is_given_up_leaves_no_process() {
    let fake = after_rehearsal("echo $$ > $(dirname $0)/pid; exec sleep 600");
    let solver = fake.solver().with_limit(Duration::from_secs(600));
    let pack = pack(&[("permit", "go", &["autoApply"], "when { context has fix.class }")]);
    let pid = fake.folder.path().join("pid");
    let started = async {
        while std::fs::read_to_string(&pid).unwrap_or_default().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = verify(&solver, &pack, None, |_| ()) => panic!("it should wait"),
        () = started => {}
    }
    let process = PathBuf::from("/proc").join(std::fs::read_to_string(&pid).unwrap().trim());
    let gone = || std::fs::read_to_string(process.join("stat")).map_or(true, |stat| stat.contains(") Z "));
    let start = Instant::now();
    while !gone() {
        assert!(start.elapsed() < Duration::from_secs(10), "it still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_real_solver_is_cut_off_too() {
    let pack = super::kit::baseline();
    let proofs = verify(&solver().with_limit(Duration::from_millis(1)), &pack, None, |_| ()).await;
    assert!(proofs.iter().any(|proof| proof.verdict() == Verdict::Open));
    assert!(proofs.iter().all(|proof| !matches!(proof.outcome, Outcome::Refuted(_))));
}
