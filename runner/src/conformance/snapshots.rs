//! Snapshots: sealed once, started from many times.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Case;
use super::support::{ensure, equal, said, text, tree};
use crate::sandbox::snapshot::{SnapshotKey, TreeChange};
use crate::sandbox::{Sandbox, WorkspaceId};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a snapshot is listed until it is dropped, and dropping it again is no error",
        run: |sandbox| Box::pin(listed(sandbox)),
    },
    Case {
        name: "a branch has all that its snapshot has, dates included",
        run: |sandbox| Box::pin(same(sandbox)),
    },
    Case {
        name: "a branch's change is in it: files new, replaced and removed, dated now",
        run: |sandbox| Box::pin(changed(sandbox)),
    },
    Case {
        name: "what one branch writes no other sees",
        run: |sandbox| Box::pin(apart(sandbox)),
    },
];

/// A build, with a date that isn't now. Of its own files only: a sandbox may put back what a build does to the
/// tree itself.
const BUILD: &str = "mkdir out && echo built > out/file && echo gone > out/gone && ln -s file out/link && chmod 750 out/file && \
                     touch -d @1000000000 out/file";

fn fresh_key() -> Result<SnapshotKey, String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::UNIX_EPOCH.elapsed().map_err(text)?.as_nanos();
    SnapshotKey::new(format!("{now:032x}{:08x}{count:08x}", std::process::id())).map_err(text)
}

/// Does something with a sealed snapshot, and drops it.
async fn with_snapshot(
    sandbox: &dyn Sandbox,
    body: impl AsyncFnOnce(&SnapshotKey) -> Result<(), String>,
) -> Result<(), String> {
    let files: [(&str, u32, &[u8]); 2] = [("a.txt", 0o644, b"hello\n"), ("old", 0o644, b"old\n")];
    let workspace = sandbox.workspace(&tree(&files)?).await.map_err(text)?;
    let built = said(sandbox, &workspace, BUILD).await;
    if built.is_err() {
        sandbox.remove(workspace).await.map_err(text)?;
        return built.map(drop);
    }
    let key = fresh_key()?;
    let sealed = sandbox.seal(workspace, &key).await.map_err(text)?;
    let done = if sealed.key == key {
        body(&key).await
    } else {
        Err(format!("{sealed:?}"))
    };
    sandbox.drop_snapshot(&key).await.map_err(text)?;
    done
}

/// Does something in a branch, and removes it.
async fn in_branch<T>(
    sandbox: &dyn Sandbox,
    key: &SnapshotKey,
    change: &TreeChange,
    body: impl AsyncFnOnce(&WorkspaceId) -> Result<T, String>,
) -> Result<T, String> {
    let workspace = sandbox.branch(key, change).await.map_err(text)?;
    let done = body(&workspace).await;
    sandbox.remove(workspace).await.map_err(text)?;
    done
}

async fn is_listed(sandbox: &dyn Sandbox, key: &SnapshotKey) -> Result<bool, String> {
    let all = sandbox.snapshots().await.map_err(text)?;
    Ok(all.iter().any(|one| one.key == *key))
}

async fn listed(sandbox: &dyn Sandbox) -> Result<(), String> {
    let mut dropped = None;
    with_snapshot(sandbox, async |key| {
        dropped = Some(key.clone());
        ensure(is_listed(sandbox, key).await?, "it isn't listed")
    })
    .await?;
    let Some(key) = dropped else { return Ok(()) };
    ensure(!is_listed(sandbox, &key).await?, "it is still listed")?;
    sandbox.drop_snapshot(&key).await.map_err(text)?;
    let branch = sandbox.branch(&key, &TreeChange::default()).await;
    ensure(branch.is_err(), branch)
}

async fn same(sandbox: &dyn Sandbox) -> Result<(), String> {
    with_snapshot(sandbox, async |key| {
        in_branch(sandbox, key, &TreeChange::default(), async |branch| {
            let seen = said(
                sandbox,
                branch,
                "pwd; stat -c '%n %a %Y' out/file; cat out/link; touch out/file && echo more >> out/file && cat out/file",
            )
            .await?;
            let expected = "/workspace/repo\nout/file 750 1000000000\nbuilt\nbuilt\nmore\n";
            equal(seen, expected.to_owned())
        })
        .await
    })
    .await
}

async fn changed(sandbox: &dyn Sandbox) -> Result<(), String> {
    let change = TreeChange {
        written: tree(&[("a.txt", 0o755, b"changed\n"), ("new/deep", 0o644, b"new\n")])?,
        removed: vec!["old".to_owned()],
    };
    with_snapshot(sandbox, async |key| {
        in_branch(sandbox, key, &change, async |branch| {
            let seen = said(
                sandbox,
                branch,
                "cat a.txt new/deep out/file; ls; stat -c '%u %a' a.txt new new/deep; touch new/mine; \
                 for file in a.txt new/deep; do test $(( $(date +%s) - $(stat -c %Y $file) )) -lt 300 && echo fresh; done",
            )
            .await?;
            let owned = "10001 755\n10001 755\n10001 644\n";
            equal(seen, format!("changed\nnew\nbuilt\na.txt\nnew\nout\n{owned}fresh\nfresh\n"))
        })
        .await?;
        // The next branch starts from the snapshot, not from that change.
        in_branch(sandbox, key, &TreeChange::default(), async |branch| {
            equal(said(sandbox, branch, "cat a.txt old; ls").await?, "hello\nold\na.txt\nold\nout\n".to_owned())
        })
        .await
    })
    .await
}

async fn apart(sandbox: &dyn Sandbox) -> Result<(), String> {
    let none = TreeChange::default();
    with_snapshot(sandbox, async |key| {
        in_branch(sandbox, key, &none, async |one| {
            in_branch(sandbox, key, &none, async |two| {
                said(
                    sandbox,
                    one,
                    "echo evil > out/file; rm out/gone; echo x > added; mv old renamed",
                )
                .await?;
                let look = "cat out/file out/gone; ls";
                let expected = "built\ngone\na.txt\nold\nout\n";
                equal(said(sandbox, two, look).await?, expected.to_owned())?;
                in_branch(sandbox, key, &none, async |three| {
                    equal(said(sandbox, three, look).await?, expected.to_owned())
                })
                .await
            })
            .await
        })
        .await
    })
    .await
}
