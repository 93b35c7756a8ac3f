//! The few lines of shell around a step and in the holder. They need `sh`, `tar`, `head`, `wc`, `cp`,
//! `xargs`, `du` and `df` of the image, as every image with a shell has them.

use crate::sandbox::{REPO_DIR, StepSpec};

/// The workspace, below the volume's root.
pub(super) const WORKSPACE_PART: &str = "workspace";
/// Where a step finds its standard input.
pub(super) const STDIN: &str = "/holdpoint/stdin";
/// Where a step's standard output goes when it is captured: a file that its pod can't replace.
pub(super) const STDOUT: &str = "/holdpoint/stdout";
/// The holder's answer to "read this": nothing there, or no regular file.
pub(super) const NO_FILE: i32 = 44;

/// Waits until it is told to go; a shell as process 1 ignores signals that it has no trap for.
const HOLDER: &str = "trap 'exit 0' TERM; while :; do sleep 60 & wait $!; done";
/// What every pod is told of its cluster, whatever its record says: addresses that it has no use for.
const UNTOLD: &str = "unset KUBERNETES_PORT KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS \
                      KUBERNETES_PORT_443_TCP KUBERNETES_PORT_443_TCP_ADDR KUBERNETES_PORT_443_TCP_PORT KUBERNETES_PORT_443_TCP_PROTO";
/// Exactly as many bytes as are announced: older clusters can't close the input.
const UNPACK: &str = "mkdir -p \"$2\" && cd \"$2\" && head -c \"$1\" | tar -xpf -";
/// The size comes first, so that a cut answer is told from a short file.
const READ: &str = "if [ -L \"$1\" ] || [ ! -f \"$1\" ]; then exit 44; fi; wc -c <\"$1\"; head -c \"$2\" \"$1\"";
/// Free blocks of 1 KiB and free inodes.
const FREE: &str = "df -Pk \"$1\" | tail -n 1; df -Pi \"$1\" | tail -n 1";

/// What a folder takes, in KiB.
const SIZE: &str = "du -sk \"$1\"";
/// All of a snapshot's workspace with its dates; anew when it is done again.
const COPY: &str = "rm -rf \"$2/workspace\" && cp -a \"$1/workspace\" \"$2/workspace\"";
/// Paths come with a zero byte behind each.
const REMOVE: &str = "cd \"$2/workspace/repo\" && head -c \"$1\" | xargs -0 rm -f --";

/// The holder's command.
pub(super) fn holder() -> [String; 3] {
    shell(HOLDER)
}

/// Unpacks an archive of so many bytes, from its standard input, into a folder.
pub(super) fn unpack(bytes: usize, folder: &str) -> Vec<String> {
    with_arguments(UNPACK, &[&bytes.to_string(), folder])
}

/// Says a file's size, then gives its bytes up to a bound.
pub(super) fn read(path: &str, max_bytes: usize) -> Vec<String> {
    with_arguments(READ, &[path, &max_bytes.to_string()])
}

/// Says what is free on the volume.
pub(super) fn free(folder: &str) -> Vec<String> {
    with_arguments(FREE, &[folder])
}

/// Says what a folder takes.
pub(super) fn size(folder: &str) -> Vec<String> {
    with_arguments(SIZE, &[folder])
}

/// Copies the workspace of one volume into another.
pub(super) fn copy(from: &str, to: &str) -> Vec<String> {
    with_arguments(COPY, &[from, to])
}

/// Removes files of the repo, whose names are so many bytes of the standard input.
pub(super) fn remove(bytes: usize, volume: &str) -> Vec<String> {
    with_arguments(REMOVE, &[&bytes.to_string(), volume])
}

/// A step's command. The shell around it is process 1, so that the command isn't: process 1 gets no
/// signals by default. When it ends, the kernel ends all that is left in its process namespace.
pub(super) fn step(step: &StepSpec, pids: Option<u32>) -> Vec<String> {
    // dash and busybox say `-p` for what bash calls `-u`.
    let bound = pids.map_or_else(String::new, |pids| {
        format!("(ulimit -u {pids}) 2>/dev/null && ulimit -u {pids} || ulimit -p {pids}; ")
    });
    let input = if step.stdin.is_some() { STDIN } else { "/dev/null" };
    let output = if step.capture_bytes > 0 {
        format!(" >{STDOUT}")
    } else {
        String::new()
    };
    let script = format!("{UNTOLD}; ulimit -c 0; {bound}cd {REPO_DIR} && sh -c \"$1\" <{input}{output}; exit $?");
    with_arguments(&script, &[&step.command])
}

fn shell(script: &str) -> [String; 3] {
    ["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()]
}

fn with_arguments(script: &str, arguments: &[&str]) -> Vec<String> {
    let mut command = shell(script).to_vec();
    command.push("holdpoint".to_owned());
    command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    command
}

/// Whether what [`free`] said means a full disk: less than a hundredth is left, of room or of inodes.
/// A step that ran into it has often given some back when it ended.
pub(super) fn is_full(answer: &str) -> bool {
    answer.lines().any(|line| {
        // File system, total, used, free, … (POSIX, `df -P`).
        let numbers: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .map_while(|word| word.parse().ok())
            .collect();
        matches!(numbers.as_slice(), [total, _, free, ..] if *total > 0 && free.saturating_mul(100) < *total)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn run(command: &[String], folder: &std::path::Path, input: &[u8]) -> (Option<i32>, Vec<u8>) {
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Open until the end: the other side must know by itself when it has all.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input).unwrap();
        let status = child.wait().unwrap();
        let mut out = Vec::new();
        std::io::Read::read_to_end(&mut child.stdout.take().unwrap(), &mut out).unwrap();
        (status.code(), out)
    }

    #[test]
    fn an_archive_is_unpacked_though_its_stream_stays_open() {
        let dir = tempfile::tempdir().unwrap();
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        header.set_mode(0o644);
        builder.append_data(&mut header, "a/b", &b"hi"[..]).unwrap();
        let archive = builder.into_inner().unwrap();
        assert_eq!(run(&unpack(archive.len(), "to"), dir.path(), &archive).0, Some(0));
        assert_eq!(std::fs::read(dir.path().join("to/a/b")).unwrap(), b"hi");
    }

    #[test]
    fn a_file_comes_with_its_size_and_a_link_does_not_come() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("-n"), b"hello").unwrap();
        std::os::unix::fs::symlink("-n", dir.path().join("link")).unwrap();
        assert_eq!(run(&read("./-n", 3), dir.path(), b""), (Some(0), b"5\nhel".to_vec()));
        for path in ["./link", "./absent", "."] {
            assert_eq!(run(&read(path, 3), dir.path(), b""), (Some(NO_FILE), Vec::new()));
        }
    }

    #[test]
    fn a_full_disk_and_used_up_inodes_are_seen() {
        let line = |total: u64, free: u64| format!("/dev/x {total} {} {free} 9% /volume\n", total - free);
        assert!(!is_full(&(line(1000, 500) + &line(1000, 10))));
        assert!(is_full(&(line(1000, 9) + &line(1000, 500))));
        assert!(is_full(&(line(1000, 500) + &line(1000, 0))));
        // Some file systems count no inodes.
        assert!(!is_full(&(line(1000, 500) + "x 0 0 0 - /volume\n")));
        assert!(!is_full("df: nonsense\n"));
    }
}
