//! Workspaces and steps from their beginning to their end.

use super::cluster::Loopback;
use super::cluster::faults::Plan;
use super::support::{run, settings, start, step, tree};
use holdpoint_runner::sandbox::kubernetes::record::{ConformanceCase, ConformanceRecord};
use holdpoint_runner::sandbox::{ReadOnlyMount, Sandbox};
use holdpoint_runner::{KubernetesSandbox, KubernetesSettings, SandboxError};
use holdpoint_schemas::evidence::{Isolation, StepEnd};
use std::sync::Mutex;

#[tokio::test(flavor = "multi_thread")]
async fn steps_share_a_workspace_and_leave_nothing_behind() {
    let (loopback, sandbox) = start(Plan::default()).await;
    let files = tree(&[("a.txt", "hello\n"), ("deep/b.txt", "")]);
    let workspace = sandbox.workspace(&files).await.unwrap();
    let lines = Mutex::new(Vec::new());
    let mut first = step("cat a.txt; id -u; pwd; echo \"$A\"; echo made > made.txt; echo oops >&2");
    first.env.insert("A".to_owned(), "b $(HOME) $$ c".to_owned());
    let keep = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let outcome = sandbox.run(&workspace, &first, &keep).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
    let mut seen = lines.into_inner().unwrap();
    seen.sort();
    assert_eq!(seen, ["/workspace/repo", "10001", "b $(HOME) $$ c", "hello", "oops"]);
    let outcome = sandbox.run(&workspace, &step("cat made.txt; exit 3"), &|_| {}).await;
    assert_eq!(
        (outcome.end, outcome.tail.as_str()),
        (StepEnd::Exited { code: 3 }, "made\n")
    );

    let read = |path: &'static str, max| sandbox.read_file(&workspace, path, max);
    assert_eq!(read("repo/made.txt", 100).await.unwrap(), Some(b"made\n".to_vec()));
    assert_eq!(read("repo/absent", 100).await.unwrap(), None);
    assert_eq!(read("repo", 100).await.unwrap(), None);
    assert!(matches!(
        read("repo/made.txt", 4).await,
        Err(SandboxError::FileTooLarge { .. })
    ));
    assert!(matches!(read("../etc/passwd", 4).await, Err(SandboxError::BadPath(_))));

    sandbox.remove(workspace.clone()).await.unwrap();
    assert!(sandbox.read_file(&workspace, "repo/a.txt", 9).await.is_err());
    drop(sandbox);
    assert_eq!(loopback.until_empty().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tag_built_is_nobody_elses_and_what_a_digest_built_is() {
    let loopback = Loopback::start(Plan::default()).await;
    let programs = async |image: &str| {
        let mut settings = settings(&loopback);
        settings.config.image = Some(image.to_owned());
        let sandbox = KubernetesSandbox::connect(settings).await.unwrap();
        sandbox.programs()
    };
    let tag = "example/builder:1";
    assert_ne!(programs(tag).await, programs(tag).await);
    let digest = format!("example/builder@sha256:{}", "0123456789abcdef".repeat(4));
    assert_eq!(programs(&digest).await, programs(&digest).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn input_goes_in_and_captured_output_comes_back_as_it_is() {
    let (_loopback, sandbox) = start(Plan::default()).await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rule"), "a rule\n").unwrap();
    let mut spec =
        step("cat; printf 'a\\r\\0b'; cat /holdpoint/rules/rule >&2; touch /holdpoint/rules/x || echo ro >&2");
    spec.stdin = Some(b"in\xff\n".repeat(10_000));
    spec.capture_bytes = 1 << 20;
    spec.mounts.push(ReadOnlyMount {
        host: dir.path().to_owned(),
        inside: holdpoint_runner::sandbox::RULES_DIR.to_owned(),
    });
    let outcome = run(&sandbox, spec.clone()).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 }, "{}", outcome.tail);
    let expected = [b"in\xff\n".repeat(10_000).as_slice(), b"a\r\0b"].concat();
    assert!(outcome.captured == expected && !outcome.capture_cut);
    assert!(
        outcome.tail.starts_with("a rule\n") && outcome.tail.ends_with("ro\n"),
        "{}",
        outcome.tail
    );
    spec.capture_bytes = 5;
    let outcome = run(&sandbox, spec).await;
    assert_eq!(
        (outcome.captured.as_slice(), outcome.capture_cut),
        (&b"in\xff\ni"[..], true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_left_is_swept_and_a_live_ones_is_not() {
    let (loopback, dead) = start(Plan::default()).await;
    dead.workspace(&tree(&[("a", "")])).await.unwrap();
    let store = &loopback.cluster.store;
    let (leases, _) = store.list("leases", "");
    let name = leases[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let live = KubernetesSandbox::connect(settings(&loopback)).await.unwrap();
    let kept = live.workspace(&tree(&[("a", "")])).await.unwrap();
    assert_eq!(live.sweep().await.unwrap(), holdpoint_runner::sandbox::Swept::default());
    // As if that process had been another one, which is gone.
    store.update("leases", &name, |lease| {
        lease["metadata"]["annotations"]["holdpoint.dev/owner-pid-start"] = "1".into();
    });
    std::mem::forget(dead);
    let swept = live.sweep().await.unwrap();
    assert_eq!((swept.containers, swept.volumes), (1, 1));
    let outcome = live.run(&kept, &step("true"), &|_| {}).await;
    assert_eq!(outcome.end, StepEnd::Exited { code: 0 });
    live.remove(kept).await.unwrap();
    live.close().await.unwrap();
    assert_eq!(loopback.until_empty().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn isolation_is_unproven_until_a_record_of_this_very_cluster_says_otherwise() {
    let (loopback, sandbox) = start(Plan::default()).await;
    assert_eq!(sandbox.isolation().strength(), Isolation::Unproven);
    let record = ConformanceRecord {
        cluster: sandbox.identity().clone(),
        suite: settings(&loopback).suite,
        at: "2026-01-01T00:00:00Z".to_owned(),
        cases: vec![ConformanceCase {
            name: "a".to_owned(),
            passed: true,
        }],
    };
    let connect = |record: &ConformanceRecord, class: Option<&str>| {
        let mut settings = settings(&loopback);
        settings.conformance = Some(serde_json::to_string(record).unwrap());
        settings.config.kubernetes.runtime_class = class.map(str::to_owned);
        KubernetesSandbox::connect(settings)
    };
    let proven = connect(&record, None).await.unwrap();
    assert_eq!(proven.isolation().strength(), Isolation::Container);
    let other = connect(&record, Some("gvisor")).await.unwrap();
    assert_eq!(other.isolation().strength(), Isolation::Unproven);
    let record = ConformanceRecord {
        cluster: other.identity().clone(),
        ..record
    };
    let proven = connect(&record, Some("gvisor")).await.unwrap();
    assert_eq!(proven.isolation().strength(), Isolation::Kernel);
    assert!(connect(&record, Some("absent")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_image_or_a_cluster_it_says_so() {
    let loopback = Loopback::start(Plan::default()).await;
    let mut without = settings(&loopback);
    without.config.image = None;
    let error = KubernetesSandbox::connect(without).await.unwrap_err();
    assert!(matches!(error, SandboxError::NoClusterImage));
    // Over TLS, too, which no other test speaks.
    let text = std::fs::read_to_string(&loopback.kubeconfig).unwrap();
    std::fs::write(&loopback.kubeconfig, text.replace("http:", "https:")).unwrap();
    let mut secure = settings(&loopback);
    secure.patience.outage = std::time::Duration::from_secs(1);
    let error = KubernetesSandbox::connect(secure).await.unwrap_err();
    assert!(matches!(error, SandboxError::NoCluster { .. }), "{error}");
    let broken = KubernetesSettings {
        kubeconfig: Some("/absent".into()),
        ..settings(&loopback)
    };
    let error = KubernetesSandbox::connect(broken).await.unwrap_err();
    assert!(matches!(error, SandboxError::NoCluster { .. }), "{error}");
}
