//! The examples of `examples/schedules/`: each is checked with what reads it, where that is at hand, and every command
//! in them with the binary's own command line.

use crate::support::{holdpoint, stderr};
use k8s_openapi::api::batch::v1::CronJob;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/schedules")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn yaml(name: &str) -> Value {
    serde_yaml::from_str(&text(name)).unwrap()
}

/// Every text under any of the keys, wherever it is.
fn under<'v>(value: &'v Value, keys: &[&str], found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if keys.contains(&name.as_str()) => found.push(text),
                    Value::Array(items) if keys.contains(&name.as_str()) => {
                        found.extend(items.iter().filter_map(Value::as_str));
                    }
                    _ => {}
                }
                under(value, keys, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| under(item, keys, found)),
        _ => {}
    }
}

/// The shell text of every example, by file.
fn shell_texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (file, keys) in [
        ("cronjob.yaml", &["args"][..]),
        ("github-actions.yaml", &["run"]),
        ("gitlab-ci.yaml", &["script"]),
        ("azure-pipelines.yaml", &["bash"]),
    ] {
        let document = yaml(file);
        let mut texts = Vec::new();
        under(&document, keys, &mut texts);
        assert!(!texts.is_empty(), "{file} runs nothing");
        found.extend(texts.into_iter().map(|text| (file.to_owned(), text.to_owned())));
    }
    for unit in ["holdpoint.service", "holdpoint-serve.service"] {
        let text = text(unit);
        let started = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/"))
            .unwrap();
        found.push((unit.to_owned(), started.to_owned()));
    }
    let cron = cron_line();
    found.push(("holdpoint.cron".to_owned(), cron.command));
    found
}

struct CronLine {
    when: String,
    user: String,
    command: String,
}

/// The one line of the crontab that is a job, in the form of `/etc/cron.d`.
fn cron_line() -> CronLine {
    let text = text("holdpoint.cron");
    let is_job = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit() || c == '*');
    let jobs: Vec<&str> = text.lines().filter(is_job).collect();
    let [job] = jobs[..] else { panic!("{jobs:?}") };
    assert!(!job.contains('%'), "cron makes a line end of it");
    let mut words = job.split_whitespace();
    let when: Vec<&str> = words.by_ref().take(5).collect();
    let user = words.next().unwrap().to_owned();
    CronLine {
        when: when.join(" "),
        user,
        command: words.collect::<Vec<_>>().join(" "),
    }
}

#[test]
fn every_shell_text_is_one() {
    for (file, text) in shell_texts() {
        let checked = Command::new("bash").args(["-n", "-c", &text]).output().unwrap();
        assert!(checked.status.success(), "{file}: {}", stderr(&checked));
    }
}

#[test]
fn every_command_is_one_that_the_binary_knows() {
    let mut commands = BTreeSet::new();
    for (file, text) in shell_texts() {
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("holdpoint "))
        {
            let words = line.split("||").next().unwrap().split_whitespace().skip(1);
            let words: Vec<String> = words.map(str::to_owned).collect();
            let known = holdpoint().args(&words).arg("--help").output().unwrap();
            assert!(known.status.success(), "{file}: {line}: {}", stderr(&known));
            // `--help` hides what is wrong after it; a folder without an estate doesn't.
            let empty = tempfile::tempdir().unwrap();
            let parsed = holdpoint().args(&words).current_dir(empty.path()).output().unwrap();
            assert_eq!(parsed.status.code(), Some(3), "{file}: {line}: {}", stderr(&parsed));
            commands.insert(words);
        }
    }
    assert!(commands.len() >= 3, "{commands:?}");
}

#[test]
fn the_crontab_line_is_one() {
    let line = cron_line();
    assert_eq!((line.when.as_str(), line.user.as_str()), ("30 2 * * *", "holdpoint"));
    assert_cron(&line.when);
}

/// What this program's own schedule reads is a cron expression: an estate with it is served.
fn assert_cron(expression: &str) {
    let parser = croner::parser::CronParser::builder()
        .seconds(croner::parser::Seconds::Disallowed)
        .year(croner::parser::Year::Disallowed)
        .build();
    assert!(parser.parse(expression).is_ok(), "{expression}");
}

#[test]
fn systemd_takes_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: systemd-analyze absent");
        return;
    }
    let units = tempfile::tempdir().unwrap();
    for unit in ["holdpoint.service", "holdpoint.timer", "holdpoint-serve.service"] {
        let installed = text(unit).replace("/usr/local/bin/holdpoint", env!("CARGO_BIN_EXE_holdpoint"));
        std::fs::write(units.path().join(unit), installed).unwrap();
    }
    let paths = std::fs::read_dir(units.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let verified = Command::new("systemd-analyze")
        .arg("verify")
        .args(paths)
        .output()
        .unwrap();
    assert!(
        verified.status.success() && stderr(&verified).is_empty(),
        "{}",
        stderr(&verified)
    );
}

/// Whether all that a document has is in what a typed reader kept of it.
fn assert_kept(document: &Value, kept: &Value, place: &str) {
    match (document, kept) {
        (Value::Object(fields), Value::Object(others)) => {
            for (name, value) in fields {
                let other = others
                    .get(name)
                    .unwrap_or_else(|| panic!("{place}.{name} isn't a field"));
                assert_kept(value, other, &format!("{place}.{name}"));
            }
        }
        (Value::Array(items), Value::Array(others)) => {
            assert_eq!(items.len(), others.len(), "{place}");
            for (item, other) in items.iter().zip(others) {
                assert_kept(item, other, place);
            }
        }
        _ => assert_eq!(document, kept, "{place}"),
    }
}

#[test]
fn kubernetes_knows_every_field_of_the_cron_job() {
    let document = yaml("cronjob.yaml");
    let job: CronJob = serde_yaml::from_str(&text("cronjob.yaml")).unwrap();
    assert_kept(&document, &serde_json::to_value(&job).unwrap(), "cronjob");
    let spec = job.spec.unwrap();
    assert_cron(&spec.schedule);
    assert_eq!(spec.concurrency_policy.as_deref(), Some("Forbid"), "one run at a time");
}

#[test]
fn the_pipelines_run_by_a_schedule_one_at_a_time_and_keep_their_reports() {
    let github = yaml("github-actions.yaml");
    assert_cron(github["on"]["schedule"][0]["cron"].as_str().unwrap());
    assert_eq!(github["concurrency"]["cancel-in-progress"], false);
    let steps = github["jobs"]["night"]["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .all(|step| step["uses"].is_string() ^ step["run"].is_string())
    );
    assert!(
        steps
            .iter()
            .any(|step| step["with"]["sarif_file"] == "state/report.sarif")
    );

    let gitlab = &yaml("gitlab-ci.yaml")["holdpoint"];
    assert_eq!(gitlab["resource_group"], "holdpoint");
    assert_eq!(gitlab["allow_failure"]["exit_codes"], serde_json::json!([10]));
    assert_eq!(gitlab["artifacts"]["reports"]["junit"], "state/report.junit.xml");

    let azure = yaml("azure-pipelines.yaml");
    assert_cron(azure["schedules"][0]["cron"].as_str().unwrap());
    assert_eq!(azure["schedules"][0]["always"], true, "also when nothing was pushed");
    let steps = azure["jobs"][0]["steps"].as_array().unwrap();
    let kinds = ["checkout", "bash", "task", "publish"];
    assert!(
        steps
            .iter()
            .all(|step| kinds.iter().filter(|kind| step[**kind].is_string()).count() == 1)
    );
}
