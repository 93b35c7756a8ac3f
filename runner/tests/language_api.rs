//! The tools for language APIs in the Docker sandbox. What isn't installed is skipped, and said so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests: what can't be set up has nothing to test"
)]

use holdpoint_runner::language_api;
use holdpoint_runner::sandbox::Limits;
use holdpoint_runner::{DockerSandbox, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

async fn sandbox() -> DockerSandbox {
    DockerSandbox::connect(SandboxSettings::new(SandboxConfig::default(), "test"))
        .await
        .expect("run ci/setup first")
}

fn limits() -> Limits {
    Limits {
        cpu_millis: 2000,
        memory_mib: 2048,
        pids: 256,
        wall: Duration::from_secs(180),
        log_bytes: 1 << 20,
        tmp_mib: 256,
        disk_mib: 1024,
    }
}

/// An archive of everything in a folder.
fn archive(folder: &Path) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all("", folder).unwrap();
    builder.into_inner().unwrap()
}

/// The step that the summary asks for.
fn bump(output: &str) -> &'static str {
    let summary = output
        .lines()
        .find(|line| line.trim().starts_with("Summary"))
        .unwrap_or_default();
    match summary {
        line if line.contains("new major version") => "major",
        line if line.contains("new minor version") => "minor",
        line if line.contains("no semver update required") => "none",
        _ => "unknown",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_step_of_a_crate_s_version_is_right_in_95_of_100_cases() {
    let Some(corpora) = std::env::var_os("HOLDPOINT_CORPORA") else {
        return println!("skipped: corpora absent");
    };
    let corpus = Path::new(&corpora).join("rust-api");
    let Ok(cases) = std::fs::read_to_string(corpus.join("cases.json")) else {
        return println!("skipped: corpora absent");
    };
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    let sandbox = sandbox().await;
    let (mut right, mut wrong) = (0, Vec::new());
    for case in &cases {
        let (name, expected) = (case["crate"].as_str().unwrap(), case["expected"].as_str().unwrap());
        let tree = archive(&corpus.join("crates").join(name));
        let said = match language_api::run(&sandbox, "rust", name, &tree, &limits()).await {
            Ok(output) => match bump(&output.reports["output"]) {
                "unknown" => output.reports["output"].lines().take(3).collect::<Vec<_>>().join(" "),
                bump => bump.to_owned(),
            },
            Err(why) if why.contains("not installed") => return println!("skipped: {why}"),
            Err(why) => why,
        };
        if said == expected {
            right += 1;
        } else {
            wrong.push(format!("{name}: {expected}, and it says {said}"));
        }
    }
    println!("{right} of {} right\n{}", cases.len(), wrong.join("\n"));
    assert!(100 * right >= 95 * cases.len(), "{right} of {}", cases.len());
}

fn tree(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn griffe_dumps_both_versions_without_running_them() {
    let tree = tree(&[
        ("old/pkg/__init__.py", "raise SystemExit(1)\ndef f(a): pass\n"),
        ("new/pkg/__init__.py", "def f(a, b): pass\n"),
    ]);
    match language_api::run(&sandbox().await, "python", "pkg", &tree, &limits()).await {
        Ok(output) => {
            let old: Value = serde_json::from_str(&output.reports["old.json"]).unwrap();
            assert_eq!(old["pkg"]["members"]["f"]["kind"], "function");
            println!("griffe {}", output.version);
        }
        Err(why) => {
            assert!(why.contains("not installed"), "{why}");
            println!("skipped: {why}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_compiler_prints_what_both_versions_export() {
    let tree = tree(&[
        (
            "old/package.json",
            r#"{"name":"pkg","version":"1.0.0","types":"index.d.ts"}"#,
        ),
        ("old/index.d.ts", "export declare function f(a: string): number;\n"),
        (
            "new/package.json",
            r#"{"name":"pkg","version":"1.1.0","types":"index.d.ts"}"#,
        ),
        (
            "new/index.d.ts",
            "export declare function f(a: string, b: number): number;\n",
        ),
    ]);
    match language_api::run(&sandbox().await, "typescript", "pkg", &tree, &limits()).await {
        Ok(output) => {
            let new: Value = serde_json::from_str(&output.reports["new.json"]).unwrap();
            assert_eq!(new["exports"][0]["calls"][0]["parameters"][1]["name"], "b");
            println!("typescript {}", output.version);
        }
        Err(why) => {
            assert!(why.contains("not installed"), "{why}");
            println!("skipped: {why}");
        }
    }
}
