//! Real upgrades from PyPI, npm and Cargo with code that uses them (`upgrade_pairs.toml`): one that breaks that code
//! is never called safe. Packages are fetched by the ordinary clients into a cache; where that can't be done, the pair
//! is skipped, and said so.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fetch packages and print their rates"
)]

use holdpoint_usage::upgrade::{
    PackageFile, Runtime, Step, Surface, Verdict, judge, read_javascript, read_python, read_rust,
};
use holdpoint_usage::{Ecosystem, Package, SourceFile, Usage};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Deserialize)]
struct Pairs {
    pair: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    ecosystem: Ecosystem,
    package: String,
    versions: Vec<String>,
    /// Python whose wheel is taken, where a distribution has native code.
    python: Option<String>,
    expect: Expect,
    why: String,
    file: String,
    client: String,
}

#[derive(Deserialize, PartialEq, Eq, Debug, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Safe,
    Breaking,
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The first file of a folder whose name ends so.
fn file_in(folder: &Path, ending: &str) -> Option<PathBuf> {
    let mut files = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.find(|path| path.to_string_lossy().ends_with(ending))
}

/// Fetches a version into a folder of the cache; `None` where it can't be had.
fn fetch(cache: &Path, pair: &Pair, version: &str) -> Option<PathBuf> {
    let folder = cache.join(format!(
        "{:?}-{}-{version}",
        pair.ecosystem,
        pair.package.replace('/', "+")
    ));
    let content = folder.join("content");
    if folder.join("complete").exists() {
        return Some(content);
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&content).ok()?;
    let done = match pair.ecosystem {
        Ecosystem::Pypi => {
            let mut pip = Command::new("pip");
            pip.args(["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"])
                .arg(&folder);
            if let Some(python) = &pair.python {
                pip.args([
                    "--python-version",
                    python,
                    "--platform",
                    "manylinux1_x86_64",
                    "--platform",
                ]);
                pip.args(["manylinux2014_x86_64", "--platform", "manylinux_2_17_x86_64"]);
            }
            run(pip.arg(format!("{}=={version}", pair.package)))
                && run(Command::new("python3")
                    .args(["-m", "zipfile", "-e"])
                    .arg(file_in(&folder, ".whl")?)
                    .arg(&content))
        }
        Ecosystem::Npm => {
            let name = format!("{}@{version}", pair.package);
            run(Command::new("npm")
                .current_dir(&folder)
                .args(["pack", "--silent", &name]))
                && run(Command::new("tar")
                    .arg("xzf")
                    .arg(file_in(&folder, ".tgz")?)
                    .arg("-C")
                    .arg(&content))
        }
        _ => {
            let name = &pair.package;
            let manifest = format!(
                "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n\
                 [dependencies]\n{name} = {{ version = \"={version}\", default-features = false }}\n"
            );
            fs::write(folder.join("Cargo.toml"), manifest).ok()?;
            fs::write(folder.join("lib.rs"), "").ok()?;
            run(Command::new("cargo").current_dir(&folder).args(["vendor", "--quiet"]))
                && fs::rename(folder.join("vendor").join(name), content.join(name)).is_ok()
        }
    };
    if !done {
        return None;
    }
    fs::write(folder.join("complete"), "").ok()?;
    Some(content)
}

fn files(folder: &Path) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).ok()));
            }
        }
    }
    found.sort();
    found
}

fn surface(pair: &Pair, folder: &Path) -> Surface {
    let files = files(folder);
    let files: Vec<PackageFile<'_>> = files
        .iter()
        .map(|(path, text)| PackageFile {
            path,
            text: text.as_deref(),
        })
        .collect();
    let read = match pair.ecosystem {
        Ecosystem::Pypi => read_python,
        Ecosystem::Npm => read_javascript,
        _ => read_rust,
    };
    read(&pair.package, &files, "tests")
}

fn manifest(pair: &Pair) -> (&'static str, String) {
    let (name, version) = (&pair.package, pair.versions.first().unwrap());
    match pair.ecosystem {
        Ecosystem::Pypi => ("requirements.txt", format!("{name}=={version}\n")),
        Ecosystem::Npm => (
            "package.json",
            format!("{{\"name\":\"app\",\"dependencies\":{{\"{name}\":\"{version}\"}}}}"),
        ),
        _ => (
            "Cargo.toml",
            format!("[package]\nname = \"app\"\n[dependencies]\n{name} = \"{version}\"\n"),
        ),
    }
}

#[test]
fn an_upgrade_that_breaks_its_client_is_never_called_safe() {
    let pairs: Pairs = toml::from_str(include_str!("upgrade_pairs.toml")).unwrap();
    assert!(pairs.pair.len() >= 30);
    let cache = std::env::var_os("HOLDPOINT_UPGRADE_PAIRS").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("upgrade-pairs"),
        PathBuf::from,
    );
    fs::create_dir_all(&cache).unwrap();
    // What runs them is new enough for all.
    let versions = [("python", "3.13"), ("node", "22.0"), ("rust", "1.89")];
    let runtime = Runtime {
        versions: versions
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .into(),
        checked: false,
    };
    let (mut tried, mut unknown, mut skipped, mut found, mut called_safe) = (0, 0, Vec::new(), 0, 0);
    let mut wrong = Vec::new();
    for pair in &pairs.pair {
        let name = format!("{} {}", pair.package, pair.versions.join(" → "));
        let fetched: Option<Vec<PathBuf>> = pair
            .versions
            .iter()
            .map(|version| fetch(&cache, pair, version))
            .collect();
        let Some(folders) = fetched else {
            skipped.push(name);
            continue;
        };
        let surfaces: Vec<Surface> = folders.iter().map(|folder| surface(pair, folder)).collect();
        let steps: Vec<Step<'_>> = surfaces.iter().map(|surface| Step { surface }).collect();
        let (manifest, declared) = manifest(pair);
        let usage = Usage::of([
            SourceFile {
                path: &pair.file,
                text: Some(&pair.client),
            },
            SourceFile {
                path: manifest,
                text: Some(&declared),
            },
        ]);
        let answer = judge(
            &usage,
            &Package::new(pair.ecosystem, pair.package.clone()),
            &steps,
            &runtime,
        )
        .unwrap();
        tried += 1;
        let told = match &answer.verdict {
            Verdict::Safe { .. } => {
                called_safe += 1;
                "safe".to_owned()
            }
            Verdict::Breaking { breaks, .. } => {
                found += 1;
                format!(
                    "breaking: {} at {}: {}",
                    breaks[0].symbol, breaks[0].place, breaks[0].text
                )
            }
            Verdict::Unknown { because } => {
                unknown += 1;
                format!("unknown: {}", because.join("; "))
            }
        };
        println!("{name} ({}): {told}", pair.why);
        match (&answer.verdict, pair.expect) {
            (Verdict::Safe { .. }, Expect::Breaking) | (Verdict::Breaking { .. }, Expect::Safe) => {
                wrong.push(format!("{name}: {told}"));
            }
            _ => {}
        }
    }
    println!(
        "{tried} pairs: {found} breaking, {called_safe} safe, {unknown} unknown ({} %)",
        100 * unknown / tried.max(1)
    );
    if !skipped.is_empty() {
        println!("skipped, can't be fetched: {}", skipped.join(", "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
