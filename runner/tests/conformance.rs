//! The conformance suite against the sandboxes of this machine. Without an engine it fails; it never skips.

#[cfg(test)]
mod conformance {
    use holdpoint_runner::conformance::run;
    use holdpoint_runner::sandbox::Sandbox;
    use holdpoint_runner::{DockerSandbox, LocalSandbox, LocalSettings, SandboxSettings};
    use holdpoint_schemas::estate::SandboxConfig;

    /// The cases fill a workspace's disk.
    fn config() -> SandboxConfig {
        SandboxConfig {
            disk_mib: 64,
            ..SandboxConfig::default()
        }
    }

    async fn check(sandbox: &dyn Sandbox) {
        let mut failures = Vec::new();
        for case in run(sandbox).await {
            println!("{:>6} ms  {}", case.millis, case.name);
            failures.extend(case.failure.map(|failure| format!("{}: {failure}", case.name)));
        }
        assert!(failures.is_empty(), "{}\n{}", sandbox.describe(), failures.join("\n"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn local_conforms() {
        let root = tempfile::tempdir().unwrap();
        let settings = LocalSettings::new(config(), root.path(), "conformance");
        let sandbox = LocalSandbox::connect(settings).await.expect("run ci/setup first");
        check(&sandbox).await;
        drop(sandbox);
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(root.path().to_str().unwrap()), "{mounts}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn docker_conforms() {
        let label = format!("conformance-{}", std::process::id());
        let settings = SandboxSettings::new(config(), label.as_str());
        check(&DockerSandbox::connect(settings).await.expect("run ci/setup first")).await;
        for list in [["ps", "--all"], ["volume", "ls"]] {
            let left = std::process::Command::new("docker")
                .args(list)
                .args(["--quiet", "--filter", &format!("label=holdpoint.run={label}")])
                .output()
                .unwrap();
            assert!(left.status.success() && left.stdout.is_empty(), "{left:?}");
        }
    }
}
