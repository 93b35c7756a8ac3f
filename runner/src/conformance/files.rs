//! What is read back from a workspace.

use super::Case;
use super::support::{ensure, in_workspace, said};
use crate::error::SandboxError;
use crate::sandbox::{REPORT_DIR, Sandbox};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "files are read back byte by byte, up to their bound",
        run: |sandbox| Box::pin(bounds(sandbox)),
    },
    Case {
        name: "what is no regular file of the workspace is not there",
        run: |sandbox| Box::pin(kinds(sandbox)),
    },
    Case {
        name: "a path that leaves the workspace is refused",
        run: |sandbox| Box::pin(paths(sandbox)),
    },
];

async fn bounds(sandbox: &dyn Sandbox) -> Result<(), String> {
    in_workspace(sandbox, async |workspace| {
        said(
            sandbox,
            workspace,
            &format!("cd {REPORT_DIR}; printf '\\377\\000ok' > odd; : > empty; head -c 1000 /dev/zero > just; head -c 1001 /dev/zero > over"),
        )
        .await?;
        for (path, content) in [
            ("report/odd", b"\xff\0ok".to_vec()),
            ("report/empty", Vec::new()),
            ("report/just", vec![0; 1000]),
            ("repo/a.txt", b"hello\n".to_vec()),
        ] {
            let read = sandbox.read_file(workspace, path, 1000).await;
            ensure(matches!(&read, Ok(Some(seen)) if *seen == content), (path, &read))?;
        }
        let read = sandbox.read_file(workspace, "report/over", 1000).await;
        ensure(matches!(read, Err(SandboxError::FileTooLarge { .. })), read)
    })
    .await
}

async fn kinds(sandbox: &dyn Sandbox) -> Result<(), String> {
    in_workspace(sandbox, async |workspace| {
        let make = format!(
            "cd {REPORT_DIR} && ln -s /etc/hostname link && ln -s odd inner && echo x > odd && mkdir dir && mkfifo pipe && \
             ln -s /etc folder && ln -s nowhere broken && ln -s loop loop"
        );
        said(sandbox, workspace, &make).await?;
        for path in ["missing", "link", "inner", "dir", "pipe", "broken"] {
            let read = sandbox.read_file(workspace, &format!("report/{path}"), 1000).await;
            ensure(matches!(read, Ok(None)), (path, &read))?;
        }
        // A folder that is a link may be followed inside of the sandbox, never on the host; an engine may call
        // a link to itself, or a file for a folder, an error.
        for path in ["report/folder/shadow", "report/loop", "report/odd/below"] {
            let read = sandbox.read_file(workspace, path, 100_000).await;
            ensure(!matches!(read, Ok(Some(_))), read)?;
        }
        Ok(())
    })
    .await
}

async fn paths(sandbox: &dyn Sandbox) -> Result<(), String> {
    in_workspace(sandbox, async |workspace| {
        for path in ["../etc/passwd", "/etc/passwd", "report/../../etc/passwd", "", "a\0b"] {
            let read = sandbox.read_file(workspace, path, 1000).await;
            ensure(matches!(read, Err(SandboxError::BadPath(_))), (path, &read))?;
        }
        Ok(())
    })
    .await
}
