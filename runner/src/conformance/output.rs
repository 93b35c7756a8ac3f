//! What comes back of a step's output.

use holdpoint_schemas::evidence::StepEnd;
use std::sync::{Mutex, PoisonError};

use super::Case;
use super::support::{ensure, equal, in_workspace, run, step};
use crate::sandbox::Sandbox;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "output comes line by line, from both streams",
        run: |sandbox| Box::pin(lines(sandbox)),
    },
    Case {
        name: "output that is no text is made harmless",
        run: |sandbox| Box::pin(harmless(sandbox)),
    },
    Case {
        name: "output past its bound is dropped, and the step goes on",
        run: |sandbox| Box::pin(bounded(sandbox)),
    },
    Case {
        name: "captured output comes back byte by byte, and is told when it was cut",
        run: |sandbox| Box::pin(captured(sandbox)),
    },
];

async fn lines(sandbox: &dyn Sandbox) -> Result<(), String> {
    let seen = Mutex::new(Vec::new());
    let push = |line: &str| {
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.to_owned())
    };
    let outcome = in_workspace(sandbox, async |workspace| {
        Ok(sandbox
            .run(
                workspace,
                &step("echo one; sleep 1; echo two >&2; sleep 1; printf three"),
                &push,
            )
            .await)
    })
    .await?;
    ensure(outcome.tail == "one\ntwo\nthree\n", &outcome)?;
    let mut seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    // A last line without its end is only known to be one when the step has ended.
    seen.retain(|line| line != "three");
    equal(seen, vec!["one".to_owned(), "two".to_owned()])
}

async fn harmless(sandbox: &dyn Sandbox) -> Result<(), String> {
    let outcome = run(
        sandbox,
        &step("printf '\\033[2Ja\\377\\376b\\000\\007\\342\\200\\256c\\n'"),
    )
    .await?;
    ensure(outcome.tail == "a\u{fffd}\u{fffd}bc\n", outcome)
}

async fn bounded(sandbox: &dyn Sandbox) -> Result<(), String> {
    let mut spec = step("head -c 50000000 /dev/zero | tr '\\0' 'x'; echo; echo end; exit 5");
    spec.limits.log_bytes = 10_000;
    let outcome = run(sandbox, &spec).await?;
    ensure(outcome.end == StepEnd::Exited { code: 5 }, outcome.end)?;
    ensure(outcome.tail.len() < 50_000, outcome.tail.len())?;
    // Whether the very end is kept is the sandbox's affair: a cluster stops reading.
    ensure(outcome.tail.contains('x'), "nothing of it was looked at")
}

async fn captured(sandbox: &dyn Sandbox) -> Result<(), String> {
    let mut spec = step("printf 'a\\000\\377b'; echo log >&2");
    spec.capture_bytes = 4;
    let outcome = run(sandbox, &spec).await?;
    ensure(
        outcome.captured == b"a\0\xffb" && !outcome.capture_cut && outcome.tail == "log\n",
        &outcome,
    )?;
    spec.capture_bytes = 3;
    let outcome = run(sandbox, &spec).await?;
    ensure(outcome.captured == b"a\0\xff" && outcome.capture_cut, outcome)
}
