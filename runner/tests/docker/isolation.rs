//! What a step can't do.

use super::support::{limits, run, run_in, sandbox, step, tree};
use holdpoint_runner::sandbox::Sandbox as _;
use holdpoint_schemas::evidence::StepEnd;

async fn output_of(command: &str) -> String {
    let outcome = run(step(command)).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
    outcome.tail
}

#[tokio::test]
async fn steps_run_as_the_sandbox_user_without_any_capability() {
    let status = output_of("id -u; id -g; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status").await;
    let words: Vec<_> = status.split_whitespace().collect();
    let none = "0000000000000000";
    assert_eq!(
        words,
        [
            "10001",
            "10001",
            "CapEff:",
            none,
            "CapBnd:",
            none,
            "NoNewPrivs:",
            "1",
            "Seccomp:",
            "2"
        ]
    );
}

#[tokio::test]
async fn the_root_and_the_hosts_folders_are_read_only() {
    for path in [
        "/x",
        "/etc/x",
        "/usr/x",
        "/opt/rust/x",
        "/etc/ssl/certs/x",
        "/holdpoint/x",
    ] {
        let outcome = run(step(&format!("touch {path}"))).await;
        assert!(
            matches!(outcome.end, StepEnd::Exited { code } if code != 0),
            "{path} was written"
        );
    }
    output_of("touch /tmp/x /workspace/x /workspace/repo/x && printf '#!/bin/sh\\n' > /tmp/run && chmod +x /tmp/run && /tmp/run").await;
}

#[tokio::test]
async fn a_mounted_folder_is_read_only() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rule.yaml"), "rules").unwrap();
    let mut spec = step("cat /holdpoint/rules/rule.yaml && ! touch /holdpoint/rules/x");
    spec.mounts.push(holdpoint_runner::sandbox::ReadOnlyMount {
        host: folder.path().to_owned(),
        inside: "/holdpoint/rules".to_owned(),
    });
    // The folder itself is private to its owner; the sandbox's user must be let in.
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let outcome = run(spec).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
}

#[tokio::test]
async fn there_is_no_network_but_loopback() {
    let interfaces = output_of("ls /sys/class/net").await;
    assert_eq!(interfaces.trim(), "lo");
    let outcome = run(step(
        "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 80), 5)'",
    ))
    .await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 1 });
    assert!(outcome.tail.contains("Network is unreachable"), "{}", outcome.tail);
}

#[tokio::test]
async fn tmp_is_bounded() {
    let outcome = run(step("head -c 100000000 /dev/zero > /tmp/x")).await;
    assert_eq!(outcome.end, StepEnd::OutOfDisk);
    assert!(outcome.tail.contains("No space left"), "{}", outcome.tail);
    assert!(limits().tmp_mib < 100);
}

#[tokio::test]
async fn nothing_of_the_hosts_environment_or_secrets_is_seen() {
    let names = output_of("env | cut -d= -f1 | sort").await;
    assert_eq!(
        names.lines().collect::<Vec<_>>(),
        ["HOME", "HOSTNAME", "LANG", "PATH", "PWD"]
    );
    assert!(
        output_of("ls -A /")
            .await
            .lines()
            .all(|name| name != "root" && name != "home" && name != "work")
    );
}

#[tokio::test]
async fn files_of_a_tree_are_new_and_belong_to_the_sandbox_user() {
    let listing =
        output_of("stat -c '%u %g %a' . .. a.txt; test $(( $(date +%s) - $(stat -c %Y a.txt) )) -lt 120").await;
    assert_eq!(listing, "10001 10001 755\n10001 10001 755\n10001 10001 644\n");
}

#[tokio::test]
async fn workspaces_do_not_see_each_other() {
    let sandbox = sandbox().await;
    let one = sandbox.workspace(&tree(&[("one", "1")])).await.unwrap();
    let two = sandbox.workspace(&tree(&[("two", "2")])).await.unwrap();
    let seen = run_in(&sandbox, &two, &step("ls")).await.tail;
    sandbox.remove(one).await.unwrap();
    sandbox.remove(two).await.unwrap();
    assert_eq!(seen, "two\n");
}
