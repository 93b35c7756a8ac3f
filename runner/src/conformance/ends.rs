//! How steps end.

use holdpoint_schemas::evidence::StepEnd;
use std::time::{Duration, Instant};

use super::Case;
use super::support::{ensure, in_workspace, run, said, step};
use crate::sandbox::{RULES_DIR, ReadOnlyMount, Sandbox};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a step's exit status is told",
        run: |sandbox| Box::pin(statuses(sandbox)),
    },
    Case {
        name: "a command that isn't there is a missing tool",
        run: |sandbox| Box::pin(missing_tool(sandbox)),
    },
    Case {
        name: "running out of memory is told, also when the step hides it",
        run: |sandbox| Box::pin(out_of_memory(sandbox)),
    },
    Case {
        name: "a step past its time is killed soon, and what it wrote until then is there",
        run: |sandbox| Box::pin(timed_out(sandbox)),
    },
    Case {
        name: "a step that somebody kills is told from one that failed",
        run: |sandbox| Box::pin(killed(sandbox)),
    },
    Case {
        name: "using up the disk is told, and harms no other workspace",
        run: |sandbox| Box::pin(out_of_disk(sandbox)),
    },
    Case {
        name: "what can't be mounted is the machine's fault",
        run: |sandbox| Box::pin(infrastructure(sandbox)),
    },
];

async fn ends(sandbox: &dyn Sandbox, command: &str, expected: StepEnd) -> Result<(), String> {
    let outcome = run(sandbox, &step(command)).await?;
    ensure(outcome.end == expected, (command, outcome))
}

async fn statuses(sandbox: &dyn Sandbox) -> Result<(), String> {
    for code in [0, 3, 126, 255] {
        ends(sandbox, &format!("exit {code}"), StepEnd::Exited { code }).await?;
    }
    Ok(())
}

async fn missing_tool(sandbox: &dyn Sandbox) -> Result<(), String> {
    ends(sandbox, "no-such-tool --version", StepEnd::MissingTool).await
}

async fn out_of_memory(sandbox: &dyn Sandbox) -> Result<(), String> {
    // One line without end: `tail` keeps it all.
    for command in ["tail /dev/zero", "tail /dev/zero; exit 0"] {
        ends(sandbox, command, StepEnd::OutOfMemory).await?;
    }
    Ok(())
}

async fn timed_out(sandbox: &dyn Sandbox) -> Result<(), String> {
    let mut spec = step("trap '' TERM INT; echo began; while true; do sleep 1; done");
    spec.limits.wall = Duration::from_secs(2);
    let began = Instant::now();
    let outcome = run(sandbox, &spec).await?;
    ensure(outcome.end == StepEnd::TimedOut { after_seconds: 2 }, &outcome)?;
    ensure(outcome.tail == "began\n", &outcome)?;
    ensure(began.elapsed() < Duration::from_secs(60), began.elapsed())
}

async fn killed(sandbox: &dyn Sandbox) -> Result<(), String> {
    ends(sandbox, "kill -9 $$", StepEnd::Killed).await
}

async fn out_of_disk(sandbox: &dyn Sandbox) -> Result<(), String> {
    in_workspace(sandbox, async |other| {
        let fill = "head -c 200000000 /dev/zero > big";
        ends(sandbox, fill, StepEnd::OutOfDisk).await?;
        said(sandbox, other, "head -c 1000000 /dev/zero > small")
            .await
            .map(drop)
    })
    .await
}

async fn infrastructure(sandbox: &dyn Sandbox) -> Result<(), String> {
    let mut spec = step("true");
    spec.mounts.push(ReadOnlyMount {
        host: "/not/there".into(),
        inside: RULES_DIR.to_owned(),
    });
    let outcome = run(sandbox, &spec).await?;
    ensure(matches!(outcome.end, StepEnd::Infrastructure { .. }), outcome)
}
