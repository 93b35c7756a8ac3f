//! Nothing of ours is left on the engine once the next run has started.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{AT, Estate, holdpoint, stderr, stdout};

fn engine_objects(pid: u32) -> Vec<String> {
    let filter = format!("label=holdpoint.pid={pid}");
    let mut found = Vec::new();
    for arguments in [
        ["ps", "-aq", "--filter", &filter].as_slice(),
        ["volume", "ls", "-q", "--filter", &filter].as_slice(),
    ] {
        let output = Command::new("docker").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        found.extend(stdout(&output).lines().map(str::to_owned));
    }
    found
}

#[test]
fn what_a_killed_run_leaves_is_gone_once_the_next_has_started() {
    let estate = Estate::prepared();
    let mut killed = holdpoint()
        .arg("--estate")
        .arg(estate.estate())
        .args(["--at", AT, "--quiet", "run", "--dry-run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = killed.id();
    let deadline = Instant::now() + Duration::from_secs(120);
    while engine_objects(pid).is_empty() {
        assert!(Instant::now() < deadline, "the run never used the engine");
        assert!(killed.try_wait().unwrap().is_none(), "the run ended by itself");
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(
        !engine_objects(pid).is_empty(),
        "the killed run left nothing: the test shows nothing"
    );
    let next = estate.run(&["run", "--dry-run", "--finding", "hp-none"]);
    assert!(next.status.success(), "{}", stderr(&next));
    assert_eq!(engine_objects(pid), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(estate.file("state/tmp")).unwrap().count(), 0);
}
