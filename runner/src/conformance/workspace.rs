//! What a step finds: its files, its user, its environment, its input.

use std::collections::BTreeMap;

use super::Case;
use super::support::{ensure, equal, in_tree, in_workspace, run, said, step};
use crate::sandbox::{REPO_DIR, REPORT_DIR, SANDBOX_UID, Sandbox, WORKSPACE_DIR};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a workspace holds its tree, owned by the sandbox's user and dated now",
        run: |sandbox| Box::pin(tree(sandbox)),
    },
    Case {
        name: "a step starts in the repo, and may write to the workspace and to /tmp only",
        run: |sandbox| Box::pin(places(sandbox)),
    },
    Case {
        name: "a step sees its own environment and nothing of ours",
        run: |sandbox| Box::pin(environment(sandbox)),
    },
    Case {
        name: "standard input arrives whole, and is empty when there is none",
        run: |sandbox| Box::pin(input(sandbox)),
    },
    Case {
        name: "a step sees what earlier steps of its workspace left, and nothing of other workspaces",
        run: |sandbox| Box::pin(apart(sandbox)),
    },
    Case {
        name: "steps of several workspaces run side by side",
        run: |sandbox| Box::pin(side_by_side(sandbox)),
    },
    Case {
        name: "a workspace that was removed is gone, and removing it again is no error",
        run: |sandbox| Box::pin(removal(sandbox)),
    },
    Case {
        name: "a sweep takes nothing that is in use",
        run: |sandbox| Box::pin(sweep(sandbox)),
    },
];

async fn tree(sandbox: &dyn Sandbox) -> Result<(), String> {
    let files: [(&str, u32, &[u8]); 3] = [
        ("a.txt", 0o600, b"hello\n"),
        ("deep/er/run.sh", 0o4755, b"#!/bin/sh\necho ran\n"),
        ("empty", 0o644, b""),
    ];
    in_tree(sandbox, &files, async |workspace| {
        let listing = said(
            sandbox,
            workspace,
            "stat -c '%n %u %g %a %s' . .. a.txt deep deep/er deep/er/run.sh | sed 's/ [0-9]*$//'; deep/er/run.sh; cat a.txt",
        )
        .await?;
        let owner = format!("{SANDBOX_UID} {SANDBOX_UID}");
        let expected = format!(
            ". {owner} 755\n.. {owner} 755\na.txt {owner} 644\ndeep {owner} 755\ndeep/er {owner} 755\n\
             deep/er/run.sh {owner} 755\nran\nhello\n"
        );
        equal(listing, expected)?;
        let age = said(sandbox, workspace, "echo $(( $(date +%s) - $(stat -c %Y deep/er/run.sh) ))").await?;
        ensure(age.trim().parse().is_ok_and(|age: i64| (-5..300).contains(&age)), age)
    })
    .await
}

async fn places(sandbox: &dyn Sandbox) -> Result<(), String> {
    in_workspace(sandbox, async |workspace| {
        let command = format!(
            "pwd; id -u; id -g; touch new {WORKSPACE_DIR}/new {REPORT_DIR}/new /tmp/new && cd \"$HOME\" && touch home && echo ok; \
             for place in / /etc /usr /holdpoint; do touch $place/new 2>/dev/null && echo \"$place written\"; done; true"
        );
        let seen = said(sandbox, workspace, &command).await?;
        equal(seen, format!("{REPO_DIR}\n{SANDBOX_UID}\n{SANDBOX_UID}\nok\n"))
    })
    .await
}

async fn environment(sandbox: &dyn Sandbox) -> Result<(), String> {
    let mut asks = step(
        "printf %s \"$ODD\"; echo; env | sed -n 's/^\\([A-Za-z_0-9]*\\)=.*/\\1/p' | grep -iE 'cargo|rust|docker|kube|token|secret|ssh|user' || echo none",
    );
    asks.env = BTreeMap::from([("ODD".to_owned(), "a b'\"$(id)\\ *".to_owned())]);
    let outcome = run(sandbox, &asks).await?;
    ensure(outcome.tail == "a b'\"$(id)\\ *\nnone\n", outcome)
}

async fn input(sandbox: &dyn Sandbox) -> Result<(), String> {
    let mut counts = step("wc -c");
    counts.stdin = Some(vec![b'x'; 2 << 20]);
    let outcome = run(sandbox, &counts).await?;
    ensure(outcome.tail.trim() == (2 << 20).to_string(), outcome)?;
    let outcome = run(sandbox, &step("wc -c")).await?;
    ensure(outcome.tail.trim() == "0", outcome)
}

async fn apart(sandbox: &dyn Sandbox) -> Result<(), String> {
    in_workspace(sandbox, async |one| {
        said(
            sandbox,
            one,
            &format!("echo left > left; echo x > /tmp/left; echo x > {REPORT_DIR}/left"),
        )
        .await?;
        equal(said(sandbox, one, "cat left; ls -A /tmp").await?, "left\n".to_owned())?;
        let other = in_workspace(sandbox, async |two| said(sandbox, two, "ls -A").await).await?;
        equal(other, "a.txt\n".to_owned())
    })
    .await
}

async fn side_by_side(sandbox: &dyn Sandbox) -> Result<(), String> {
    let one = async |number: usize| {
        in_workspace(sandbox, async |workspace| {
            let seen = said(sandbox, workspace, &format!("echo {number} > mine; sleep 1; cat mine")).await?;
            equal(seen, format!("{number}\n"))
        })
        .await
    };
    futures_util::future::try_join_all((0..3).map(one)).await.map(drop)
}

async fn removal(sandbox: &dyn Sandbox) -> Result<(), String> {
    let workspace = in_workspace(sandbox, async |workspace| Ok(workspace.clone())).await?;
    let outcome = sandbox.run(&workspace, &step("cat a.txt"), &|_| {}).await;
    ensure(!outcome.end.is_success(), &outcome)?;
    let read = sandbox.read_file(&workspace, "repo/a.txt", 100).await;
    ensure(!matches!(read, Ok(Some(_))), &read)?;
    // Whatever the step that found nothing made is removed as well.
    for _ in 0..2 {
        sandbox.remove(workspace.clone()).await.map_err(super::support::text)?;
    }
    Ok(())
}

async fn sweep(sandbox: &dyn Sandbox) -> Result<(), String> {
    in_workspace(sandbox, async |workspace| {
        let sweeps = async {
            for _ in 0..3 {
                sandbox.sweep().await.map_err(super::support::text)?;
            }
            Ok(())
        };
        let (swept, seen) = futures_util::join!(sweeps, said(sandbox, workspace, "sleep 2; cat a.txt"));
        swept.and_then(|()| equal(seen?, "hello\n".to_owned()))?;
        equal(said(sandbox, workspace, "cat a.txt").await?, "hello\n".to_owned())
    })
    .await
}
