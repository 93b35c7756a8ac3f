use super::*;
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::StepEnd;
use std::os::unix::fs::PermissionsExt as _;

fn folder(path: &Path, step_bytes: usize, folder_bytes: u64) -> LogFolder {
    let bounds = LogBounds {
        step_bytes,
        folder_bytes,
    };
    LogFolder::new(path, bounds, |line| line.replace("hunter2", "***")).unwrap()
}

fn started(step: &str) -> Event {
    Event::StepStarted {
        subject: "s".to_owned(),
        step: step.to_owned(),
        side: Side::Candidate,
    }
}

fn output(step: &str, line: &str) -> Event {
    Event::StepOutput {
        step: step.to_owned(),
        side: Side::Candidate,
        line: line.to_owned(),
    }
}

fn finished(step: &str) -> Event {
    Event::StepFinished {
        subject: "s".to_owned(),
        step: step.to_owned(),
        side: Side::Candidate,
        end: StepEnd::Exited { code: 1 },
        millis: 7,
    }
}

/// Name and text of each file, by name.
fn files(path: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_step_has_a_file_of_its_own_that_only_its_owner_reads() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state/logs");
    let logs = folder(&path, 1000, 10_000);
    let watch = logs.watch("payments: Upgrade ../x", &NoEvents);
    watch.event(started("rescan:bandit"));
    watch.event(output("rescan:bandit", "one"));
    watch.event(finished("rescan:bandit"));
    let [(name, text)] = files(&path).try_into().unwrap();
    assert_eq!(name, "00000000-payments-Upgrade-..-x-candidate-rescan-bandit.log");
    assert_eq!(text, "one\n[it exited with status 1 after 7 ms]\n");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join(name)), 0o600);
}

#[test]
fn beginning_and_end_of_a_long_output_are_kept_and_the_rest_is_counted() {
    let home = tempfile::tempdir().unwrap();
    let logs = folder(home.path(), 80, 10_000);
    let watch = logs.watch("s", &NoEvents);
    watch.event(started("test"));
    for n in 0..100 {
        watch.event(output("test", &format!("line {n:03}")));
    }
    watch.event(finished("test"));
    let text = &files(home.path())[0].1;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..4], ["line 000", "line 001", "line 002", "line 003"]);
    assert_eq!(lines[4], format!("… {} bytes left out", 92 * 9));
    assert_eq!(lines[5..9], ["line 096", "line 097", "line 098", "line 099"]);
}

#[test]
fn secrets_are_out_before_a_line_is_written_or_cut() {
    let home = tempfile::tempdir().unwrap();
    let logs = folder(home.path(), 1000, 10_000);
    let watch = logs.watch("s", &NoEvents);
    watch.event(started("test"));
    watch.event(output("test", "password=hunter2"));
    watch.event(finished("test"));
    let text = &files(home.path())[0].1;
    assert!(text.starts_with("password=***\n"), "{text}");
}

#[test]
fn the_folder_is_bounded_and_the_oldest_file_goes_first() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("notes.txt"), "x".repeat(5000)).unwrap();
    let logs = folder(home.path(), 200, 1000);
    for n in 0..30 {
        let watch = logs.watch(&format!("fix{n}"), &NoEvents);
        watch.event(started("test"));
        for _ in 0..50 {
            watch.event(output("test", "0123456789"));
        }
        watch.event(finished("test"));
        let ours: usize = files(home.path())
            .iter()
            .filter(|(name, _)| name.ends_with(".log"))
            .map(|(_, text)| text.len())
            .sum();
        // Marker and last line come on top of a step's bound.
        assert!(ours <= 1000 + 100, "{ours}");
    }
    let names: Vec<_> = files(home.path()).into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"notes.txt".to_owned()), "what isn't ours stays");
    assert!(
        names.contains(&"00000029-fix29-candidate-test.log".to_owned()),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.starts_with("00000000")), "{names:?}");
}

#[test]
fn a_file_that_is_being_written_is_not_rotated_away() {
    let home = tempfile::tempdir().unwrap();
    let logs = folder(home.path(), 100, 100);
    let first = logs.watch("first", &NoEvents);
    first.event(started("build"));
    first.event(output("build", "still here"));
    for n in 0..3 {
        let other = logs.watch(&format!("other{n}"), &NoEvents);
        other.event(started("build"));
        other.event(output("build", &"x".repeat(60)));
        other.event(finished("build"));
    }
    drop(first);
    let first = files(home.path()).into_iter().find(|(name, _)| name.contains("first"));
    assert_eq!(first.unwrap().1, "still here\n[it was cut short]\n");
}

#[test]
fn events_go_on_to_the_next_whatever_happens_to_the_files() {
    struct Count(Mutex<usize>);
    impl EventSink for Count {
        fn event(&self, _: Event) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let home = tempfile::tempdir().unwrap();
    let logs = folder(home.path(), 100, 100);
    std::fs::remove_dir(home.path()).unwrap();
    let count = Count(Mutex::new(0));
    let watch = logs.watch("s", &count);
    watch.event(started("test"));
    watch.event(output("test", "x"));
    watch.event(finished("test"));
    assert_eq!(*count.0.lock().unwrap(), 3);
}

#[test]
fn names_never_leave_the_folder() {
    for (text, name) in [
        ("../../etc/passwd", "etc-passwd"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a b/c\0d\ne", "a-b-c-d-e"),
        ("ünï", "n"),
    ] {
        assert_eq!(sanitised(text), name, "{text:?}");
    }
    assert_eq!(sanitised(&"x".repeat(500)).len(), MAX_NAME_PART);
}
