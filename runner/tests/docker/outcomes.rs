//! How steps end.

use super::support::{run, run_in, sandbox, step, tree};
use holdpoint_runner::sandbox::{Sandbox as _, WORKSPACE_DIR};
use holdpoint_schemas::evidence::StepEnd;
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_green_step_is_green_and_its_output_is_seen() {
    let sandbox = sandbox().await;
    let workspace = sandbox.workspace(&tree(&[("a.txt", "hello\n")])).await.unwrap();
    let seen = Mutex::new(Vec::new());
    let outcome = sandbox
        .run(&workspace, &step("cat a.txt; sleep 1; echo oops >&2"), &|line| {
            seen.lock().unwrap().push(line.to_owned())
        })
        .await;
    sandbox.remove(workspace).await.unwrap();
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 });
    assert_eq!(outcome.tail, "hello\noops\n");
    assert_eq!(seen.into_inner().unwrap(), ["hello", "oops"]);
}

#[tokio::test]
async fn a_red_step_has_its_status() {
    assert_eq!(run(step("exit 3")).await.end, StepEnd::Exited { code: 3 });
}

#[tokio::test]
async fn more_processors_than_there_are_are_all_of_them() {
    let mut spec = step("cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null; true");
    spec.limits.cpu_millis = 1_000_000;
    let outcome = run(spec).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
    let here = std::thread::available_parallelism().unwrap().get();
    let quota = outcome.tail.split_whitespace().next().unwrap();
    assert_eq!(quota, (here * 100_000).to_string(), "{}", outcome.tail);
}

#[tokio::test]
async fn a_missing_command_is_a_missing_tool() {
    assert_eq!(run(step("no-such-tool --version")).await.end, StepEnd::MissingTool);
}

#[tokio::test]
async fn a_step_past_its_time_is_killed() {
    let mut spec = step("trap '' TERM; echo began; while true; do sleep 1; done");
    spec.limits.wall = Duration::from_secs(2);
    let began = Instant::now();
    let outcome = run(spec).await;
    assert_eq!(outcome.end, StepEnd::TimedOut { after_seconds: 2 });
    assert_eq!(outcome.tail, "began\n");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn running_out_of_memory_is_told_even_when_the_step_hides_it() {
    let eat = "python3 -c 'x = bytearray(1 << 30)'";
    assert_eq!(run(step(eat)).await.end, StepEnd::OutOfMemory);
    assert_eq!(run(step(&format!("{eat} || true"))).await.end, StepEnd::OutOfMemory);
}

#[tokio::test]
async fn a_fork_bomb_stays_inside_its_bounds() {
    let mut spec = step("python3 -c '\nimport os\nwhile True:\n  try: os.fork()\n  except OSError: pass'");
    spec.limits.wall = Duration::from_secs(3);
    spec.limits.memory_mib = 1024;
    let outcome = run(spec).await;
    assert_eq!(outcome.end, StepEnd::TimedOut { after_seconds: 3 });
}

#[tokio::test]
async fn a_flood_of_output_is_drained_and_dropped() {
    let mut spec = step("head -c 300000000 /dev/zero | tr '\\0' 'x'; echo; echo end; exit 5");
    spec.limits.log_bytes = 10_000;
    let outcome = run(spec).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 5 });
    assert!(outcome.tail.len() < 50_000);
    assert!(outcome.tail.contains(" bytes of output left out\n"), "{}", outcome.tail);
    assert!(outcome.tail.ends_with("\nend\n"), "{}", outcome.tail);
}

#[tokio::test]
async fn an_endless_flood_ends_at_the_deadline() {
    let mut spec = step("yes 1234567890 | tee /dev/stderr");
    spec.limits.wall = Duration::from_secs(2);
    assert_eq!(run(spec).await.end, StepEnd::TimedOut { after_seconds: 2 });
}

#[tokio::test]
async fn output_that_is_not_text_is_made_harmless() {
    let outcome = run(step("printf '\\033[2Ja\\377\\376b\\000\\007\\n'")).await;
    assert_eq!(outcome.tail, "a\u{fffd}\u{fffd}b\n");
}

#[tokio::test]
async fn standard_input_arrives_whole_and_captured_output_comes_back() {
    let mut spec = step("wc -c; cat /dev/null");
    spec.stdin = Some(vec![b'x'; 3 << 20]);
    spec.capture_bytes = 100;
    let outcome = run(spec).await;
    assert_eq!(String::from_utf8_lossy(&outcome.captured).trim(), (3 << 20).to_string());
    assert!(!outcome.capture_cut);
}

#[tokio::test]
async fn a_workspace_that_is_gone_is_an_infrastructure_fault() {
    let sandbox = sandbox().await;
    let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
    let mut spec = step("true");
    spec.mounts.push(holdpoint_runner::sandbox::ReadOnlyMount {
        host: "/not/there".into(),
        inside: "/holdpoint/rules".to_owned(),
    });
    let outcome = run_in(&sandbox, &workspace, &spec).await;
    sandbox.remove(workspace).await.unwrap();
    assert!(
        matches!(outcome.end, StepEnd::Infrastructure { .. }),
        "{:?}",
        outcome.end
    );
}

#[tokio::test]
async fn files_are_read_back_within_bounds_and_only_from_the_workspace() {
    let sandbox = sandbox().await;
    let workspace = sandbox.workspace(&tree(&[("a.txt", "hello\n")])).await.unwrap();
    let make = format!(
        "cd {WORKSPACE_DIR}/report && printf '\\377\\000ok' > good && head -c 5000 /dev/zero > big && \
         ln -s /etc/passwd link && mkdir dir && ln -s /etc folder && mkfifo pipe"
    );
    assert_eq!(
        run_in(&sandbox, &workspace, &step(&make)).await.end,
        StepEnd::Exited { code: 0 }
    );
    let read = |path: &'static str| sandbox.read_file(&workspace, path, 1000);
    assert_eq!(read("report/good").await.unwrap().unwrap(), b"\xff\0ok");
    assert_eq!(read("repo/a.txt").await.unwrap().unwrap(), b"hello\n");
    for none in ["report/missing", "report/link", "report/dir", "report/pipe"] {
        assert_eq!(read(none).await.unwrap(), None, "{none}");
    }
    for refused in [
        "report/big",
        "../etc/passwd",
        "/etc/passwd",
        "report/../../etc/passwd",
        "",
    ] {
        assert!(read(refused).await.is_err(), "{refused}");
    }
    // A folder that is a link leads into the image at most, never to the host.
    if let Some(passwd) = read("report/folder/passwd").await.unwrap() {
        assert!(
            !String::from_utf8(passwd).unwrap().contains("/root"),
            "the host's file was read"
        );
    }
    sandbox.remove(workspace).await.unwrap();
}
