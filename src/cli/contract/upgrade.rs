//! `holdpoint contract upgrade`: whether a repo's own code bears another version of a dependency.

use anyhow::Result;
use clap::{Args, ValueEnum};
use holdpoint_usage::upgrade::{Compatibility, Runtime, Step, Surface, Verdict, judge};
use holdpoint_usage::{Ecosystem, Package};
use std::path::{Path, PathBuf};

use crate::cli::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::clean;
use crate::pipeline::libraries::{self, Files};

/// Registries whose packages are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Registry {
    /// Python distributions.
    Pypi,
    /// npm packages.
    Npm,
    /// Rust crates.
    Cargo,
}

/// Options.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Folder of the repo whose code uses the dependency
    #[arg(long, value_name = "DIR")]
    repo: PathBuf,
    /// The version that it uses: a folder, or an archive as the registry hands it out
    #[arg(long, value_name = "PATH")]
    old: PathBuf,
    /// The version that it would use
    #[arg(long, value_name = "PATH")]
    new: PathBuf,
    /// A version between the two, for each that is skipped; in the order of versions
    #[arg(long, value_name = "PATH")]
    between: Vec<PathBuf>,
    /// Name of the package, where its own files don't say it
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// Where it comes from, where its own files don't say it
    #[arg(long, value_enum)]
    ecosystem: Option<Registry>,
    /// What runs the code, for example `python=3.11`, `node=20` or `rust=1.89`
    #[arg(long, value_name = "RUNTIME=VERSION")]
    runs_on: Vec<String>,
}

/// Judges one dependency.
///
/// # Errors
/// When something can't be read, or it isn't known which package it is.
pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let paths: Vec<&Path> = std::iter::once(&arguments.old)
        .chain(&arguments.between)
        .chain(std::iter::once(&arguments.new))
        .map(PathBuf::as_path)
        .collect();
    let versions: Vec<Files> = paths.iter().map(|path| libraries::read(path)).collect::<Result<_>>()?;
    let (ecosystem, package) = package(arguments, versions.first().map_or(&[], Vec::as_slice))?;
    let surfaces: Vec<Surface> = versions
        .iter()
        .filter_map(|files| libraries::surface(ecosystem, &package, files))
        .collect();
    let steps: Vec<Step<'_>> = surfaces.iter().map(|surface| Step { surface }).collect();
    let mut runtime = Runtime::default();
    for given in &arguments.runs_on {
        let (name, version) = given
            .split_once('=')
            .ok_or_else(|| BadInput::new(format!("`{given}` names no version"), "write it as `python=3.11`"))?;
        runtime.versions.insert(name.to_owned(), version.to_owned());
    }
    let usage = libraries::usage(&libraries::read(&arguments.repo)?);
    let answer = judge(&usage, &Package::new(ecosystem, package), &steps, &runtime).ok_or_else(|| {
        BadInput::new(
            "the two versions can't be compared".to_owned(),
            "name two folders or archives",
        )
    })?;
    global.print(&answer, || lines(&answer))?;
    Ok(match answer.verdict {
        Verdict::Safe { .. } => ExitCode::Success,
        Verdict::Breaking { .. } => ExitCode::Failed,
        Verdict::Unknown { .. } => ExitCode::Inconclusive,
    })
}

fn lines(answer: &Compatibility) -> String {
    let version = |of: &Option<String>| of.clone().unwrap_or_else(|| "?".to_owned());
    let head = format!("{} {} → {}", answer.package, version(&answer.from), version(&answer.to));
    let (said, reasons): (&str, Vec<String>) = match &answer.verdict {
        Verdict::Safe { because } => ("safe", because.clone()),
        Verdict::Unknown { because } => ("unknown", because.clone()),
        Verdict::Breaking { breaks, unknown } => {
            let breaks = breaks
                .iter()
                .map(|b| format!("{}  `{}`: {}  [api-{}]", b.place, b.symbol, b.text, b.what.as_str()));
            let unknown = unknown.iter().map(|why| format!("not known: {why}"));
            ("breaking", breaks.chain(unknown).collect())
        }
    };
    let mut lines = vec![clean(&format!("{head}: {said}"))];
    lines.extend(reasons.iter().map(|reason| clean(&format!("  {reason}"))));
    lines.push(clean(&format!("  read by {}", answer.read_by.join(", "))));
    lines.join("\n")
}

/// Which package it is: as it is given, else as its own files say.
fn package(arguments: &Arguments, files: &[(String, Option<String>)]) -> Result<(Ecosystem, String)> {
    let found = |name: &str| {
        let fits = |path: &str| {
            path == name
                || path
                    .strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('/') && rest.matches('/').count() == 1)
        };
        files
            .iter()
            .find(|(path, _)| fits(path))
            .and_then(|(_, text)| text.as_deref())
    };
    let metadata = files
        .iter()
        .find(|(path, _)| path.ends_with(".dist-info/METADATA"))
        .and_then(|(_, text)| text.as_deref())
        .or_else(|| found("PKG-INFO"));
    let python = metadata.and_then(|text| {
        text.lines()
            .find_map(|line| line.strip_prefix("Name: "))
            .map(str::to_owned)
    });
    let npm = found("package.json").and_then(|text| {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        json.get("name")?.as_str().map(str::to_owned)
    });
    let cargo = found("Cargo.toml").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("name = "))?;
        Some(line.trim().trim_matches('"').to_owned())
    });
    let said = match arguments.ecosystem {
        Some(Registry::Pypi) => (Some(Ecosystem::Pypi), python),
        Some(Registry::Npm) => (Some(Ecosystem::Npm), npm),
        Some(Registry::Cargo) => (Some(Ecosystem::Cargo), cargo),
        None => match (python, npm, cargo) {
            (Some(name), _, _) => (Some(Ecosystem::Pypi), Some(name)),
            (_, Some(name), _) => (Some(Ecosystem::Npm), Some(name)),
            (_, _, Some(name)) => (Some(Ecosystem::Cargo), Some(name)),
            _ => (None, None),
        },
    };
    let (ecosystem, name) = (said.0, arguments.package.clone().or(said.1));
    match (ecosystem, name) {
        (Some(ecosystem), Some(name)) => Ok((ecosystem, name)),
        _ => Err(BadInput::new(
            format!("`{}` doesn't say which package it is", arguments.old.display()),
            "name it with `--ecosystem` and `--package`",
        )
        .into()),
    }
}
