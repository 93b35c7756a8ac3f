//! `contract diff`, `match` and `rules`.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{git, json, refused, repository, run, stderr, stdout};

const OLD: &str = "openapi: 3.0.3
info: {title: Pets, version: '1'}
paths:
  /pets/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200':
          description: One
          content: {application/json: {schema: {type: object, required: [id, tag], properties: {id: {type: string}, tag: {type: string}}}}}
  /internal/jobs:
    get: {responses: {'200': {description: All}}}
";

struct Pair(TempDir);

impl Pair {
    /// A base and a revision of a file.
    fn of(name: &str, base: &str, revision: &str) -> Self {
        let pair = Self(TempDir::with_prefix("holdpoint-contract-").unwrap());
        pair.with("base", name, base).with("revision", name, revision)
    }

    fn with(self, side: &str, name: &str, text: &str) -> Self {
        let file = self.0.path().join(side).join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn diff(&self, base: &str, revision: &str, more: &[&str]) -> Output {
        let (base, revision) = (self.path(base), self.path(revision));
        let sides = [base.to_str().unwrap(), revision.to_str().unwrap()];
        run(&[&["contract", "diff"], sides.as_slice(), more].concat())
    }

    /// What a run printed, without the folder's name.
    fn shown(&self, text: &str) -> String {
        text.replace(self.0.path().to_str().unwrap(), "FOLDER")
    }
}

/// The tag and an operation are gone, and another operation is new.
fn revised() -> String {
    OLD.replace("required: [id, tag], ", "required: [id], ")
        .replace(", tag: {type: string}}", "}")
        .replace("/internal/jobs", "/internal/tasks")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{} {}", stdout(output), stderr(output)))
}

#[test]
fn what_breaks_a_client_is_told_in_every_form() {
    let pair = Pair::of("openapi.yaml", OLD, &revised());
    let output = pair.diff("base/openapi.yaml", "revision/openapi.yaml", &["--format", "json"]);
    assert_eq!(output.status.code(), Some(11), "{}", stderr(&output));
    let found = document(&output);
    assert_eq!((&found["kind"], &found["breaking"]), (&"openapi".into(), &true.into()));
    let change = &found["changes"][0];
    for key in ["rule", "level", "operation", "path", "location", "text"] {
        assert!(change[key].is_string(), "{key} in {change}");
    }
    // Folders say the same as files.
    assert_eq!(document(&pair.diff("base", "revision", &["--format", "json"])), found);
    let human = pair.diff("base", "revision", &[]);
    assert_eq!(human.status.code(), Some(11));
    insta::assert_snapshot!("contract_diff_human", pair.shown(&stdout(&human)));
    let markdown = pair.diff("base", "revision", &["--format", "markdown"]);
    insta::assert_snapshot!("contract_diff_markdown", pair.shown(&stdout(&markdown)));
    let log = document(&pair.diff("base", "revision", &["--format", "sarif"]));
    assert_eq!(
        log["runs"][0]["results"].as_array().unwrap().len(),
        found["changes"].as_array().unwrap().len()
    );
    let page = stdout(&pair.diff("base", "revision", &["--format", "html"]));
    assert!(
        page.starts_with("<!doctype html>") && page.contains("Breaking:"),
        "{page}"
    );
}

#[test]
fn what_is_the_same_is_compatible() {
    let pair = Pair::of("openapi.yaml", OLD, OLD);
    let output = pair.diff("base", "revision", &["--format", "json"]);
    assert_eq!(json(&output)["changes"], Value::Array(Vec::new()));
}

#[test]
fn a_configuration_sets_levels_until_its_last_day() {
    let rules = |rule: &str, expires: &str| {
        format!(
            "contract:\n  rules:\n    - rule: {rule}\n      path: /internal/**\n      level: info\n      reason: only our own console calls it\n      expires: {expires}\n"
        )
    };
    let jobs_gone = OLD.replace("/internal/jobs", "/internal/tasks");
    let pair = Pair::of("openapi.yaml", OLD, &jobs_gone);
    let found = document(&pair.diff("base", "revision", &["--format", "json"]));
    let rule = found["changes"][0]["rule"].as_str().unwrap();
    let pair = pair.with("", "settings.yaml", &rules(rule, "2026-03-31"));
    let settings = pair.path("settings.yaml");
    let with = |at: &str| {
        let config = ["--config", settings.to_str().unwrap(), "--at", at, "--format", "json"];
        pair.diff("base", "revision", &config)
    };
    let judged = json(&with("2026-03-31T23:00:00Z"));
    assert_eq!(judged["changes"][0]["level"], "info");
    assert_eq!(
        (&judged["overrides"][0]["changes"], &judged["overrides"][0]["expired"]),
        (&1.into(), &false.into())
    );
    let late = with("2026-04-01T00:00:00Z");
    assert_eq!(late.status.code(), Some(11));
    assert_eq!(document(&late)["overrides"][0]["expired"], true);
    let typo = pair.with("", "settings.yaml", &rules("endpoint-aded", "2026-03-31"));
    let config = ["--config", settings.to_str().unwrap()];
    refused(
        &typo.diff("base", "revision", &config),
        &["endpoint-aded", "endpoint-added"],
    );
}

#[test]
fn what_cannot_be_told_or_read_is_refused_with_its_place() {
    let pair = Pair::of("openapi.yaml", OLD, "openapi: 3.0.3\npaths: [\n");
    refused(&pair.diff("base", "revision", &[]), &["openapi.yaml:"]);
    refused(
        &pair.diff("base/gone.yaml", "revision", &[]),
        &["gone.yaml", "can't be read"],
    );
    let both = Pair::of("openapi.yaml", OLD, OLD)
        .with("base", "a.proto", "")
        .with("revision", "a.proto", "");
    refused(
        &both.diff("base", "revision", &[]),
        &["`openapi`", "`protobuf`", "--kind"],
    );
    assert_eq!(
        both.diff("base", "revision", &["--kind", "openapi"]).status.code(),
        Some(0)
    );
    let unknown = Pair::of("a.yaml", "on: push\n", "on: push\n");
    refused(&unknown.diff("base", "revision", &[]), &["known kind", "--kind"]);
    assert_eq!(
        unknown.diff("base", "revision", &["--kind", "soap"]).status.code(),
        Some(2)
    );
    assert_eq!(run(&["contract", "diff", "a"]).status.code(), Some(2));
    assert_eq!(run(&["contract", "rules", "--format", "html"]).status.code(), Some(2));
}

#[test]
fn two_recordings_are_compared_and_what_is_no_longer_recorded_is_inconclusive() {
    let exchange = |name: &str| {
        format!(
            r#"{{"description": "{name}", "request": {{"method": "GET", "path": "/{name}"}}, "response": {{"status": 200, "body": {{"id": 1}}}}}}"#
        )
    };
    let file = |exchanges: &[String]| {
        format!(
            r#"{{"consumer": {{"name": "a"}}, "provider": {{"name": "b"}}, "interactions": [{}]}}"#,
            exchanges.join(",")
        )
    };
    let both = file(&[exchange("one"), exchange("two")]);
    let pair = Pair::of("pact.json", &both, &file(&[exchange("one")]));
    let output = pair.diff("base", "revision", &["--format", "json"]);
    assert_eq!(output.status.code(), Some(12), "{}", stderr(&output));
    assert_eq!(document(&output)["gaps"][0]["place"], "two");
    let other = both.replace(r#""id": 1"#, r#""id": "1""#);
    assert_eq!(
        Pair::of("pact.json", &both, &other)
            .diff("base", "revision", &[])
            .status
            .code(),
        Some(11)
    );
}

#[test]
fn a_message_is_held_against_what_was_expected() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let expected = file(
        "expected.json",
        r#"{"status": 200, "body": {"id": 1}, "matchingRules": {"$.body.id": {"match": "integer"}}}"#,
    );
    let fine = file("fine.json", r#"{"status": 200, "body": {"id": 7, "more": true}}"#);
    let wrong = file("wrong.json", r#"{"status": 500, "body": {"id": "7"}}"#);
    assert_eq!(
        json(&run(&["contract", "match", &expected, &fine, "--format", "json"]))["match"],
        true
    );
    let output = run(&["contract", "match", &expected, &wrong, "--format", "json"]);
    assert_eq!(output.status.code(), Some(11));
    let found = document(&output);
    let paths: Vec<&str> = found["mismatches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["$.status", "$.body.id"]);
    assert!(stdout(&run(&["contract", "match", &expected, &wrong])).starts_with("it doesn't match, in 2 places"));
    let broken = file("broken.json", "{\"status\":\n  \"ok\"}");
    refused(&run(&["contract", "match", &broken, &fine]), &["broken.json:2:"]);
}

#[test]
fn rules_are_listed_and_explained() {
    let all = json(&run(&["contract", "rules", "--format", "json"]));
    let all = all["rules"].as_array().unwrap();
    assert!(all.iter().any(|rule| rule["kind"] == "openapi") && all.iter().any(|rule| rule["kind"] == "http"));
    let http = json(&run(&["contract", "rules", "--kind", "http", "--format", "json"]));
    assert!(
        http["rules"]
            .as_array()
            .unwrap()
            .iter()
            .all(|rule| rule["kind"] == "http")
    );
    for command in [["contract", "rules"], ["contract", "diff"]] {
        let output = run(&[command.as_slice(), &["--explain", "endpoint-added"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(
            stdout(&output).starts_with("endpoint-added (openapi, info)"),
            "{}",
            stdout(&output)
        );
    }
    refused(
        &run(&["contract", "rules", "--explain", "no-such-rule"]),
        &["no-such-rule"],
    );
}

/// The folder of a contract may be in a git repo; what lies in `.git` is none of it.
#[test]
fn a_folder_in_a_repo_is_compared_without_what_git_keeps() {
    let pair = Pair::of("openapi.yaml", OLD, &revised());
    for side in ["base", "revision"] {
        repository(&pair.path(side));
        assert!(!git(Path::new(&pair.path(side)), &["rev-parse", "HEAD"]).is_empty());
    }
    assert_eq!(pair.diff("base", "revision", &[]).status.code(), Some(11));
}

#[test]
fn a_revision_of_the_repo_is_compared_with_what_is_checked_out() {
    let pair = Pair::of("openapi.yaml", OLD, &revised()).with("repo", "openapi.yaml", OLD);
    let repo = pair.path("repo");
    repository(&repo);
    std::fs::write(repo.join("openapi.yaml"), revised()).unwrap();
    let within = |sides: [&str; 2]| {
        let mut command = crate::support::holdpoint();
        command
            .current_dir(&repo)
            .args(["contract", "diff"])
            .args(sides)
            .args(["--format", "json"]);
        command.output().unwrap()
    };
    let expected = document(&pair.diff("base", "revision", &["--format", "json"]));
    assert!(!expected["changes"].as_array().unwrap().is_empty());
    for sides in [
        ["HEAD:openapi.yaml", "openapi.yaml"],
        ["main:./openapi.yaml", "openapi.yaml"],
        ["HEAD:", "."],
    ] {
        let output = within(sides);
        assert_eq!(output.status.code(), Some(11), "{}", stderr(&output));
        assert_eq!(document(&output)["changes"], expected["changes"], "{sides:?}");
    }
    refused(
        &within(["HEAD:api.yaml", "openapi.yaml"]),
        &["this revision has no such file"],
    );
    refused(&within(["gone:api.yaml", "openapi.yaml"]), &["no revision `gone`"]);
    refused(&within(["HEAD:../openapi.yaml", "openapi.yaml"]), &["outside"]);
}

#[test]
fn what_fails_is_chosen_and_lines_are_told() {
    let pair = Pair::of(
        "openapi.yaml",
        OLD,
        &OLD.replace("required: [id, tag], ", "").replace("'1'}", "'2'}"),
    );
    let pair = pair.with(
        "wider",
        "openapi.yaml",
        &OLD.replace(
            "  /internal/jobs",
            "  /new:\n    get: {responses: {'200': {description: New}}}\n  /internal/jobs",
        ),
    );
    let level = |side: &str, level: &str| pair.diff("base", side, &["--fail-on", level]).status.code();
    assert_eq!(
        (
            level("wider", "error"),
            level("wider", "warning"),
            level("wider", "info")
        ),
        (Some(0), Some(0), Some(11))
    );
    assert_eq!(level("revision", "error"), Some(11));
    let log = document(&pair.diff("base", "revision", &["--format", "sarif"]));
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], 5);
    assert!(
        place["artifactLocation"]["uri"]
            .as_str()
            .unwrap()
            .ends_with("revision/openapi.yaml"),
        "{place}"
    );
    assert_eq!(
        pair.diff("base", "revision", &["--explain", "endpoint-added"])
            .status
            .code(),
        Some(2)
    );
    let explained = run(&["contract", "diff", "--explain", "endpoint-added", "--format", "json"]);
    assert_eq!(json(&explained)["rules"][0]["id"], "endpoint-added");
}

#[test]
fn the_network_is_asked_only_where_it_was_allowed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let answers = std::thread::spawn(move || {
        let mut asked = Vec::new();
        // Each side asks once.
        for stream in listener.incoming().take(2) {
            use std::io::{BufRead as _, Write as _};
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            let kind = if line.contains("/v2/") { "integer" } else { "string" };
            let body = format!("type: {kind}\n");
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            asked.push(line.trim().to_owned());
        }
        asked
    });
    let description = |version: &str| {
        let reference = format!("{{$ref: 'http://{host}/{version}/id.yaml'}}");
        OLD.replace("schema: {type: string}", &format!("schema: {reference}"))
    };
    let pair = Pair::of("openapi.yaml", &description("v1"), &description("v2"));
    let alone = pair.diff("base", "revision", &["--format", "json"]);
    assert_eq!(alone.status.code(), Some(12), "{}", stdout(&alone));
    assert!(stdout(&alone).contains("nothing is fetched from there"));
    assert_eq!(
        pair.diff("base", "revision", &["--allow-refs-from", "other.example"])
            .status
            .code(),
        Some(12)
    );
    let allowed = pair.diff("base", "revision", &["--format", "json", "--allow-refs-from", &host]);
    assert_eq!(
        allowed.status.code(),
        Some(11),
        "{}{}",
        stdout(&allowed),
        stderr(&allowed)
    );
    assert_eq!(document(&allowed).get("gaps"), None);
    assert_eq!(
        answers.join().unwrap(),
        ["GET /v1/id.yaml HTTP/1.1", "GET /v2/id.yaml HTTP/1.1"]
    );
}

#[test]
fn libraries_that_are_not_there_or_not_one_package_are_refused() {
    let wheel = "Name: MarkupSafe\nVersion: 2.0.1\n";
    let pair = Pair::of("markupsafe.dist-info/METADATA", wheel, wheel);
    let pair = pair.with("npm", "package.json", r#"{"name": "uuid", "version": "9.0.0"}"#);
    let folder = |name: &str| pair.path(name).to_str().unwrap().to_owned();
    let upgrade = |repo: &str, new: &str| {
        run(&[
            "contract",
            "upgrade",
            "--repo",
            &folder(repo),
            "--old",
            &folder("base"),
            "--new",
            &folder(new),
        ])
    };
    refused(&upgrade("gone", "revision"), &["isn't there"]);
    refused(&upgrade("base", "npm"), &["`uuid` (npm)", "`MarkupSafe` (PyPI)"]);
    refused(&pair.diff("gone", "revision", &["--kind", "rust"]), &["isn't there"]);
    let rules = run(&["contract", "rules", "--kind", "rust"]);
    assert_eq!(rules.status.code(), Some(2));
    assert!(stderr(&rules).contains("cargo-semver-checks"));
}
