//! A writer that is killed at any moment leaves a log that verifies and can be appended to.

use holdpoint_ledger::{Ledger, Verification};
use holdpoint_schemas::Timestamp;
use serde_json::json;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Tells the re-executed test that it is the writer, and where to write.
const WRITE_TO: &str = "HOLDPOINT_TEST_WRITE_TO";

#[test]
fn a_killed_writer_leaves_whole_batches_and_an_intact_log() {
    if let Some(path) = std::env::var_os(WRITE_TO) {
        let mut ledger = Ledger::open(path.as_ref()).unwrap();
        let body = json!({ "text": "x".repeat(20_000) });
        loop {
            ledger.append_all([("run", Timestamp::UNIX_EPOCH, &body); 3]).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut written = 0;
    for round in 0..5_u64 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_writer_leaves_whole_batches_and_an_intact_log"])
            .env(WRITE_TO, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(250 + 37 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let mut ledger = Ledger::open(&path).unwrap();
        let head = ledger.head().unwrap();
        assert_eq!(ledger.verify(None).unwrap(), Verification::Intact { head });
        assert_eq!(head.size % 3, 0, "a batch was torn");
        written = head.size;
    }
    assert!(written > 0, "the writer never wrote");
}
