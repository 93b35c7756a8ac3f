//! Images made on request: imported by the engine from what a program writes. A small script stands in
//! for `mmdebstrap`, which takes half a minute and a mirror.

use holdpoint_runner::image::bootstrap::{Bootstrap, BootstrapError, BootstrapRequest};
use holdpoint_runner::sandbox::docker::DEFAULT_SOCKET;
use jiff::Timestamp;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

/// A `mmdebstrap` of our own, in a folder that has to outlive it.
fn program(script: &str) -> (tempfile::TempDir, Bootstrap) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mmdebstrap");
    std::fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bootstrap = Bootstrap {
        program: path,
        ..Bootstrap::new(Path::new(DEFAULT_SOCKET))
    };
    (folder, bootstrap)
}

/// A request whose image no other test process has.
fn request() -> BootstrapRequest {
    BootstrapRequest {
        suite: format!("test-{}", std::process::id()),
        ..BootstrapRequest::new([])
    }
}

fn docker(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("docker").args(arguments).output().unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// A root file system of a few folders.
const SMALL: &str = r#"
echo "I: packing $#" >&2
root=$(mktemp -d)
mkdir -p "$root/workspace" "$root/tmp" "$root/bin" "$root/etc"
echo hello >"$root/etc/made"
tar -C "$root" -cf - .
rm -r "$root"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_becomes_an_image_with_its_labels() {
    let (_folder, bootstrap) = program(SMALL);
    let mut request = request();
    request.suite.push_str("-good");
    let lines = Mutex::new(Vec::new());
    let on_line = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let image = bootstrap.make(&request, Timestamp::UNIX_EPOCH, &on_line).await.unwrap();
    let (_, labels) = docker(&["image", "inspect", "--format", "{{json .Config}}", &image.name]);
    let (removed, _) = docker(&["image", "rm", &image.name]);
    assert!(removed);
    assert_eq!(image.name, format!("holdpoint/debian:{}", request.suite));
    assert!(image.id.starts_with("sha256:"), "{image:?}");
    for part in [
        "\"holdpoint.image.made\":\"1970-01-01T00:00:00Z\"",
        "\"holdpoint.image.packages\":\"ca-certificates,git,make\"",
        "\"User\":\"10001:10001\"",
        "PATH=/usr/local/bin:/usr/bin:/bin",
    ] {
        assert!(labels.contains(part), "{labels}");
    }
    assert!(lines.lock().unwrap().iter().any(|line| line.starts_with("I: packing")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_fails_half_way_leaves_no_image() {
    let (_folder, bootstrap) = program("tar -C / -cf - etc/hostname; echo 'E: no such suite' >&2; exit 3");
    let mut request = request();
    request.suite.push_str("-bad");
    let error = bootstrap
        .make(&request, Timestamp::UNIX_EPOCH, &|_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, BootstrapError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("E: no such suite"), "{error}");
    let (there, _) = docker(&["image", "inspect", &format!("holdpoint/debian:{}", request.suite)]);
    assert!(!there);
}

#[tokio::test]
async fn a_missing_program_or_engine_is_named() {
    let mut bootstrap = Bootstrap::new(Path::new(DEFAULT_SOCKET));
    bootstrap.program = "/no/such/mmdebstrap".into();
    let error = bootstrap
        .make(&request(), Timestamp::UNIX_EPOCH, &|_| {})
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is not installed"), "{error}");
    let nowhere = Bootstrap::new(Path::new("/no/such/socket"));
    let error = nowhere
        .make(&request(), Timestamp::UNIX_EPOCH, &|_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, BootstrapError::Engine(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_stopped_half_way_leaves_no_mount_no_process_and_no_file() {
    // As `mmdebstrap` does it: a system in the folder of temporary files, with the host's devices in it.
    let script = r#"
echo "I: in $TMPDIR" >&2
mkdir "$TMPDIR/root" && mount --bind /dev/shm "$TMPDIR/root" && echo "I: mounted" >&2
exec sleep 300.25
"#;
    let (_folder, bootstrap) = program(script);
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let on_line = move |line: &str| sender.send(line.to_owned()).unwrap();
    let request = request();
    let making = bootstrap.make(&request, Timestamp::UNIX_EPOCH, &on_line);
    let told = tokio::select! {
        made = making => panic!("it ended by itself: {made:?}"),
        told = async {
            let place = lines.recv().await.unwrap();
            (place, lines.recv().await.unwrap())
        } => told,
    };
    assert_eq!(told.1, "I: mounted");
    let place = told.0.strip_prefix("I: in ").unwrap();
    assert!(!Path::new(place).exists(), "{place}");
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!table.contains(place), "{table}");
    let sleeps = || {
        Command::new("pgrep")
            .args(["-f", "^sleep 300.25"])
            .status()
            .unwrap()
            .success()
    };
    for _ in 0..100 {
        if !sleeps() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the program still runs");
}
