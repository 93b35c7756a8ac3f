//! What is left behind: nothing.

use super::support::{left_over, run_in, step, tree};
use holdpoint_runner::sandbox::Sandbox as _;
use holdpoint_runner::{DockerSandbox, SandboxError, SandboxSettings};
use holdpoint_schemas::estate::{PullPolicy, SandboxConfig};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

async fn named(run: &str) -> DockerSandbox {
    DockerSandbox::connect(SandboxSettings::new(SandboxConfig::default(), run))
        .await
        .expect("run ci/setup first")
}

/// How much is left, once what is removed in the background had its time.
async fn settled(label: &str, expected: usize) -> usize {
    for _ in 0..100 {
        if left_over(label).len() == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    left_over(label).len()
}

#[tokio::test]
async fn nothing_is_left_after_a_step_however_it_ends() {
    let run = format!("lifecycle-{}", std::process::id());
    let sandbox = named(&run).await;
    let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
    let mut late = step("sleep 60");
    late.limits.wall = Duration::from_secs(1);
    for spec in [step("true"), step("exit 1"), step("no-such-tool"), late] {
        run_in(&sandbox, &workspace, &spec).await;
    }
    let label = format!("holdpoint.run={run}");
    assert_eq!(
        settled(&label, 3).await,
        3,
        "only the workspace's store, view and writer: {:?}",
        left_over(&label)
    );
    sandbox.remove(workspace).await.unwrap();
    assert!(left_over(&label).is_empty(), "{:?}", left_over(&label));
}

#[tokio::test]
async fn a_step_that_is_given_up_is_removed() {
    let run = format!("given-up-{}", std::process::id());
    let sandbox = named(&run).await;
    let workspace = sandbox.workspace(&tree(&[])).await.unwrap();
    let spec = step("sleep 60");
    assert!(
        tokio::time::timeout(Duration::from_secs(3), run_in(&sandbox, &workspace, &spec))
            .await
            .is_err()
    );
    let label = format!("holdpoint.run={run}");
    assert_eq!(settled(&label, 3).await, 3, "{:?}", left_over(&label));
    sandbox.remove(workspace).await.unwrap();
}

#[tokio::test]
async fn a_refused_tree_leaves_nothing() {
    let run = format!("refused-{}", std::process::id());
    let sandbox = named(&run).await;
    assert!(matches!(
        sandbox.workspace(b"not a tar archive").await,
        Err(SandboxError::Tree(_))
    ));
    assert!(left_over(&format!("holdpoint.run={run}")).is_empty());
}

/// Makes a container and a volume with labels as another process would have set them.
fn plant(name: &str, labels: &BTreeMap<&str, String>) {
    let flags: Vec<_> = labels
        .iter()
        .flat_map(|(key, value)| ["--label".to_owned(), format!("{key}={value}")])
        .collect();
    for (what, tail) in [
        (vec!["volume", "create"], vec![name.to_owned()]),
        (
            vec![
                "run",
                "--detach",
                "--network",
                "none",
                "--name",
                name,
                "-v",
                "/usr:/usr:ro",
            ],
            vec![
                "holdpoint/host-view:latest".to_owned(),
                "sleep".to_owned(),
                "120".to_owned(),
            ],
        ),
    ] {
        let output = Command::new("docker")
            .args(what)
            .args(&flags)
            .args(tail)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn start_of(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .nth(19)
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_sweep_takes_what_killed_owners_left_and_nothing_of_live_ones() {
    let mut owner = Command::new("sleep").arg("300").spawn().unwrap();
    let unique = std::process::id();
    let labels = |mark: &str| {
        BTreeMap::from([
            ("holdpoint", "1".to_owned()),
            ("holdpoint.run", format!("{mark}-{unique}")),
            ("holdpoint.pid", owner.id().to_string()),
            ("holdpoint.pid-start", start_of(owner.id())),
            (
                "holdpoint.boot",
                std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
                    .unwrap()
                    .trim()
                    .to_owned(),
            ),
            (
                "holdpoint.pid-namespace",
                std::fs::read_link("/proc/self/ns/pid").unwrap().display().to_string(),
            ),
        ])
    };
    let name = format!("sweep-test-{unique}");
    plant(&name, &labels("sweep"));
    let stranger = format!("stranger-test-{unique}");
    plant(&stranger, &BTreeMap::from([("not-ours", format!("{unique}"))]));
    let label = format!("holdpoint.run=sweep-{unique}");
    let sandbox = named("sweeper").await;

    sandbox.sweep().await.unwrap();
    assert_eq!(left_over(&label).len(), 2, "a live owner's things were swept");

    owner.kill().unwrap();
    owner.wait().unwrap();
    sandbox.sweep().await.unwrap();
    assert!(left_over(&label).is_empty(), "{:?}", left_over(&label));
    assert_eq!(
        left_over(&format!("not-ours={unique}")).len(),
        2,
        "a stranger's things were swept"
    );
    for args in [["rm", "--force", &stranger], ["volume", "rm", &stranger]] {
        assert!(Command::new("docker").args(args).output().unwrap().status.success());
    }
}

#[tokio::test]
async fn a_sweep_takes_volumes_that_the_engine_made_up_in_the_name_of_a_gone_process() {
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap().display().to_string();
    let namespace: String = namespace.chars().filter(char::is_ascii_digit).collect();
    let this = std::process::id();
    // A process of this number, but begun at the machine's first tick; this one; and somebody else's choice of name.
    let gone = format!("holdpoint-{this}-1-{namespace}-900");
    let alive = format!("holdpoint-{this}-{}-{namespace}-900", start_of(this));
    let stranger = format!("holdpoint-of-a-stranger-{this}");
    let docker = |args: &[&str]| Command::new("docker").args(args).output().unwrap().status.success();
    for name in [&gone, &alive, &stranger] {
        assert!(docker(&["volume", "create", name]));
    }
    named("sweeper").await.sweep().await.unwrap();
    assert!(!docker(&["volume", "inspect", &gone]));
    for name in [&alive, &stranger] {
        assert!(docker(&["volume", "rm", name]), "{name} was swept");
    }
}

#[tokio::test]
async fn an_image_that_cannot_be_had_is_an_error_and_no_other_image_takes_its_place() {
    let config = SandboxConfig {
        image: Some("holdpoint.invalid/none:1".to_owned()),
        pull: PullPolicy::Never,
        ..SandboxConfig::default()
    };
    let error = DockerSandbox::connect(SandboxSettings::new(config, "test"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("`holdpoint.invalid/none:1`"), "{error}");
}

#[tokio::test]
async fn no_engine_is_an_error_that_says_what_to_do() {
    let mut settings = SandboxSettings::new(SandboxConfig::default(), "none");
    settings.socket = "/not/there.sock".into();
    let error = DockerSandbox::connect(settings).await.unwrap_err().to_string();
    assert!(
        error.contains("`/not/there.sock`") && error.contains("ci/setup"),
        "{error}"
    );
}
