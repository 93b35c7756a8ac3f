//! What a step can't do.

use super::support::{limits, local, output_in, run, run_in, run_without, step, tree, without};
use holdpoint_runner::sandbox::Sandbox as _;
use holdpoint_runner::sandbox::control::Control;
use holdpoint_schemas::evidence::Isolation;
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
    let interfaces = output_of("tail -n +3 /proc/net/dev | cut -d: -f1").await;
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
    assert_eq!(names.lines().collect::<Vec<_>>(), ["HOME", "LANG", "PATH", "PWD"]);
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
    let local = local().await;
    let sandbox = &local.sandbox;
    let one = sandbox.workspace(&tree(&[("one", "1")])).await.unwrap();
    let two = sandbox.workspace(&tree(&[("two", "2")])).await.unwrap();
    let seen = run_in(sandbox, &two, &step("ls")).await.tail;
    sandbox.remove(one).await.unwrap();
    sandbox.remove(two).await.unwrap();
    assert_eq!(seen, "two\n");
}

#[tokio::test]
async fn every_control_is_in_force_and_the_strength_is_that_of_namespaces() {
    let local = local().await;
    let report = local.sandbox.isolation();
    assert!(report.controls.missing().is_empty(), "{:?}", report.controls.missing());
    assert_eq!(report.strength(), Isolation::Namespaces);
    assert!(report.engine.starts_with("bubblewrap 0."), "{}", report.engine);
}

#[tokio::test]
async fn a_control_that_is_taken_away_is_the_only_one_that_is_missing() {
    for control in Control::ALL {
        let local = without(Some(control)).await;
        let report = local.sandbox.isolation();
        assert_eq!(report.controls.missing(), [control], "{control}");
        assert_eq!(report.strength(), Isolation::Unproven, "{control}");
    }
}

/// Fails with all controls, and succeeds as soon as this one is away.
async fn works_only_without(control: Control, command: &str) {
    let with = run(step(command)).await;
    assert!(!with.end.is_success(), "{control} did not stop it: {}", with.tail);
    let away = run_without(Some(control), step(command)).await;
    assert!(
        away.end.is_success(),
        "without {control}: {:?}: {}",
        away.end,
        away.tail
    );
}

#[tokio::test]
async fn each_control_of_the_profile_is_what_stops_its_attack() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = format!("python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 5)'");
    let bind = "python3 -c 'import socket; socket.socket().bind((\"127.0.0.1\", 80))'";
    let root = tempfile::tempdir().unwrap();
    let secret = root.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    let ours = format!(
        "test -e /proc/{}/stat && test \"$(cat /proc/sys/kernel/hostname)\"",
        std::process::id()
    );
    for (control, command) in [
        (Control::UnprivilegedUser, "test $(id -u) = 0"),
        (Control::ReadOnlyRoot, "touch /x"),
        (Control::NoCapabilities, bind),
        (Control::Seccomp, "unshare --user true"),
        (Control::NoNetwork, &connect),
        (Control::PrivateProcesses, &ours),
        (Control::NoHostMounts, "test -e /host/proc/1"),
        (Control::MaskedKernel, "ls /sys/kernel"),
        (
            Control::ProcessBound,
            "python3 -c 'import os,time\nfor _ in range(150):\n  if os.fork() == 0: time.sleep(3); os._exit(0)'",
        ),
        (Control::MemoryBound, "python3 -c 'x = bytearray(400 << 20)'"),
        (
            Control::DiskBound,
            "cd /tmp && i=0 && while : > $i; do i=$((i+1)); test $i -lt 66000 || exit 0; done",
        ),
        (Control::DiskBound, "head -c 100000000 /dev/zero >x"),
    ] {
        works_only_without(control, command).await;
    }
}

#[tokio::test]
async fn nothing_is_open_but_the_three_streams() {
    // The folder itself is open while it is listed.
    assert_eq!(
        output_of("ls /proc/self/fd | wc -l; ls -l /proc/self/fd | grep -c /proc/").await,
        "4\n1\n"
    );
}

#[tokio::test]
async fn a_mount_from_a_private_folder_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("rule.yaml"), "rules").unwrap();
    let mut spec = step("cat /holdpoint/rules/rule.yaml");
    spec.mounts.push(holdpoint_runner::sandbox::ReadOnlyMount {
        host: rules,
        inside: "/holdpoint/rules".to_owned(),
    });
    let outcome = run(spec).await;
    assert_eq!(outcome.tail, "rules\n", "{:?}", outcome.end);
}

#[tokio::test]
async fn programs_of_the_host_run() {
    let local = local().await;
    let workspace = local
        .sandbox
        .workspace(&tree(&[("m.py", "print(6 * 7)\n")]))
        .await
        .unwrap();
    let seen = output_in(
        &local.sandbox,
        &workspace,
        "python3 m.py && node -e 'console.log(43)' && rustc --version",
    )
    .await;
    local.sandbox.remove(workspace).await.unwrap();
    assert!(seen.starts_with("42\n43\nrustc "), "{seen}");
}
