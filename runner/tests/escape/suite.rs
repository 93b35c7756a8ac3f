//! Runs the attacks of a table.

use super::attack::{Attack, Ends, PRELUDE, limits};
use super::backend::{Backend, Proof};
use super::outside::Outside;
use super::report::Row;
use futures_util::StreamExt as _;
use holdpoint_runner::sandbox::control::{Control, Controls};
use holdpoint_runner::sandbox::{Limits, RULES_DIR, ReadOnlyMount, SANDBOX_UID, Sandbox, StepOutcome, StepSpec};
use holdpoint_schemas::evidence::Side;
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

/// Attacks at a time.
const AT_ONCE: usize = 3;

/// A word that nobody else says.
pub fn mark() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("escaped-{}-{count}", std::process::id())
}

/// A step that runs a Python program after [`PRELUDE`].
pub fn python(program: &str, mark: &str, limits: Limits) -> StepSpec {
    StepSpec {
        name: "attack".to_owned(),
        side: Side::Candidate,
        command: "exec /usr/bin/python3 -c \"$HOLDPOINT_ATTACK\"".to_owned(),
        env: BTreeMap::from([
            ("HOLDPOINT_ATTACK".to_owned(), format!("{PRELUDE}{program}\n")),
            ("HOLDPOINT_MARK".to_owned(), mark.to_owned()),
        ]),
        proxy: None,
        mounts: Vec::new(),
        stdin: None,
        capture_bytes: 0,
        limits,
    }
}

/// A workspace of one file.
pub fn tree() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(6);
    header.set_mode(0o644);
    builder.append_data(&mut header, "a.txt", &b"hello\n"[..]).unwrap();
    builder.into_inner().unwrap()
}

/// All attacks of a table, each with its row, in order.
pub async fn run(backend: &dyn Backend, attacks: &[&Attack], outside: &Outside) -> Vec<Row> {
    futures_util::stream::iter(attacks)
        .map(|attack| one(backend, attack, outside))
        .buffered(AT_ONCE)
        .collect()
        .await
}

/// Tries to show that an attack works without its control.
const OPEN_TRIES: usize = 3;

async fn one(backend: &dyn Backend, attack: &Attack, outside: &Outside) -> Row {
    let besides = backend.besides(attack);
    let mut problem = None;
    let (worked, outcome) = attempt(backend, attack, &[], outside).await;
    if worked {
        problem = Some(format!("it works with all controls: {outcome:?}"));
    } else if !attack.ends.accepts(&outcome.end) {
        problem = Some(format!("its end should be {:?}: {outcome:?}", attack.ends));
    }
    if problem.is_none() && !besides.is_empty() {
        let (worked, outcome) = attempt(backend, attack, &besides, outside).await;
        if worked {
            problem = Some(format!("{} alone does not stop it: {outcome:?}", attack.control));
        }
    }
    let proof = backend.proof(attack);
    if problem.is_none() && proof == Proof::OnTheHost && !works_on_the_host(attack, outside) {
        problem = Some("it does not work outside of the sandbox either".to_owned());
    }
    if problem.is_none() && proof == Proof::WithoutControl {
        let open = [besides.as_slice(), &[attack.control]].concat();
        // That it works at all is to be shown. Without a control a step may see the whole machine, whose mounts come and
        // go meanwhile, so that a try may not even start.
        for _ in 0..OPEN_TRIES {
            let (worked, outcome) = attempt(backend, attack, &open, outside).await;
            problem = (!worked).then(|| format!("it does not work without the control either: {outcome:?}"));
            if worked {
                break;
            }
        }
    }
    let besides: String = besides
        .iter()
        .map(|control| format!(", shown without {control}"))
        .collect();
    let proof = match proof {
        Proof::WithoutControl => "",
        Proof::OnTheHost => ", shown on the host",
        Proof::None => ", not shown to work here",
    };
    Row {
        attack: attack.name.to_owned(),
        control: attack.control.to_string(),
        seen: format!("{:?}{besides}{proof}", outcome.end),
        problem,
    }
}

/// Runs the attack with some controls taken away. Whether it worked, and its last step.
async fn attempt(
    backend: &dyn Backend,
    attack: &Attack,
    missing: &[Control],
    outside: &Outside,
) -> (bool, StepOutcome) {
    let controls = missing.iter().fold(Controls::default(), |all, one| all.without(*one));
    let sandbox = backend.with(controls).await;
    let mut made = sandbox.workspace(&tree()).await;
    // As in `one`: a mount of the machine that goes meanwhile is no fault of what is left of the sandbox.
    for _ in 1..OPEN_TRIES {
        if made.is_err() && !missing.is_empty() {
            made = sandbox.workspace(&tree()).await;
        }
    }
    let workspace = made.unwrap();
    let mark = mark();
    let mut bounds = limits();
    (attack.limits)(&mut bounds);
    let mut last = None;
    for program in attack.steps {
        let mut step = python(program, &mark, bounds.clone());
        step.env.extend(outside.env().clone());
        step.mounts.push(ReadOnlyMount {
            host: outside.folder().to_owned(),
            inside: RULES_DIR.to_owned(),
        });
        last = Some(sandbox.run(&workspace, &step, &|_| {}).await);
    }
    sandbox.remove(workspace).await.unwrap();
    let last = last.expect("an attack has a step");
    (last.tail.contains(&mark), last)
}

/// Whether the attack works for the same user without any sandbox: for controls that can't be taken away.
fn works_on_the_host(attack: &Attack, outside: &Outside) -> bool {
    let mark = mark();
    attack.steps.iter().any(|program| {
        let output = Command::new("/usr/bin/python3")
            .args(["-c", &format!("{PRELUDE}{program}\n")])
            .envs(outside.env())
            .env("HOLDPOINT_MARK", &mark)
            .uid(SANDBOX_UID)
            .gid(SANDBOX_UID)
            .current_dir("/")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains(&mark)
    })
}

/// Runs a program in a workspace. Whether it said the word, and how it ended.
pub async fn says(
    sandbox: &dyn Sandbox,
    workspace: &holdpoint_runner::sandbox::WorkspaceId,
    program: &str,
) -> (bool, StepOutcome) {
    let mark = mark();
    let outcome = sandbox.run(workspace, &python(program, &mark, limits()), &|_| {}).await;
    (outcome.tail.contains(&mark), outcome)
}

#[test]
fn a_stopped_attack_is_told_from_a_broken_machine() {
    use holdpoint_schemas::evidence::StepEnd;
    let broken = StepEnd::Infrastructure { reason: "x".to_owned() };
    for ends in [
        Ends::GivesUp,
        Ends::Fails,
        Ends::OutOfMemory,
        Ends::TimedOut,
        Ends::Full,
    ] {
        assert!(
            !ends.accepts(&broken) && !ends.accepts(&StepEnd::MissingTool),
            "{ends:?}"
        );
    }
}
