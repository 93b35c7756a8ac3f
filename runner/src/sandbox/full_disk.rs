//! Steps that fail for want of disk: told by their last words, wherever they ran. Pure.

use holdpoint_schemas::evidence::StepEnd;

/// What the C library and runtimes say when a disk is full (strerror(3), ENOSPC and EDQUOT), or when the one below
/// it is (EIO: a file system in a file finds no room for its blocks).
const FULL_DISK: [&str; 5] = [
    "No space left on device",
    "ENOSPC",
    "Disk quota exceeded",
    "StorageFull",
    "Input/output error",
];
/// Bytes at the end of captured output in which a step says why it failed.
const LAST_WORDS: usize = 16 << 10;

/// A failure whose last words are of a full disk proves nothing. Output can be forged, but only into
/// this, which is never "passed".
pub(super) fn or_full_disk(end: StepEnd, tail: &str, captured: &[u8]) -> StepEnd {
    let from = captured.len().saturating_sub(LAST_WORDS);
    let captured = String::from_utf8_lossy(captured.get(from..).unwrap_or_default());
    let said = || {
        FULL_DISK
            .iter()
            .any(|words| tail.contains(words) || captured.contains(words))
    };
    match end {
        StepEnd::Exited { code } if code != 0 && said() => StepEnd::OutOfDisk,
        end => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_for_want_of_disk_is_told_by_its_last_words_and_a_success_is_not() {
        let red = || StepEnd::Exited { code: 1 };
        for said in [
            "ld: write: No space left on device\n",
            "dd: fsync failed: Input/output error\n",
        ] {
            assert_eq!(or_full_disk(red(), said, b""), StepEnd::OutOfDisk);
            assert_eq!(or_full_disk(red(), "", said.as_bytes()), StepEnd::OutOfDisk);
            let green = or_full_disk(StepEnd::Exited { code: 0 }, said, b"");
            assert_eq!(green, StepEnd::Exited { code: 0 });
        }
        assert_eq!(or_full_disk(red(), "1 failed", b"1 failed"), red());
    }

    #[test]
    fn only_the_end_of_captured_output_counts() {
        let mut captured = b"test_full_disk: No space left on device: ok\n".to_vec();
        captured.resize(64 << 10, b'.');
        let red = StepEnd::Exited { code: 1 };
        assert_eq!(or_full_disk(red.clone(), "", &captured), red);
    }
}
