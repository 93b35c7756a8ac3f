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

impl Registry {
    const fn ecosystem(self) -> Ecosystem {
        match self {
            Self::Pypi => Ecosystem::Pypi,
            Self::Npm => Ecosystem::Npm,
            Self::Cargo => Ecosystem::Cargo,
        }
    }
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
    let (ecosystem, package) = package(arguments, &paths, &versions)?;
    let surfaces: Vec<Surface> = versions
        .iter()
        .filter_map(|files| libraries::surface(ecosystem, &package, files))
        .collect();
    let steps: Vec<Step<'_>> = surfaces.iter().map(|surface| Step { surface }).collect();
    let mut runtime = Runtime::default();
    for given in &arguments.runs_on {
        let (name, version) = given
            .split_once('=')
            .filter(|(name, version)| {
                ["python", "node", "rust"].contains(name) && version.starts_with(|c: char| c.is_ascii_digit())
            })
            .ok_or_else(|| {
                let message = format!("`{}` names no runtime and its version", given.escape_debug());
                BadInput::new(message, "write it as `python=3.11`, `node=20` or `rust=1.89`")
            })?;
        runtime.versions.insert(name.to_owned(), version.to_owned());
    }
    let usage = libraries::usage(&libraries::read(&arguments.repo)?);
    let answer = judge(&usage, &Package::new(ecosystem, package), &steps, &runtime).ok_or_else(|| {
        BadInput::new(
            "the two versions can't be compared".to_owned(),
            "name two folders or archives",
        )
    })?;
    global.print(&answer, || lines(&answer, !arguments.runs_on.is_empty()))?;
    Ok(match answer.verdict {
        Verdict::Safe { .. } => ExitCode::Success,
        Verdict::Breaking { .. } => ExitCode::Failed,
        Verdict::Unknown { .. } => ExitCode::Inconclusive,
    })
}

fn lines(answer: &Compatibility, knows_runtime: bool) -> String {
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
    if !knows_runtime && reasons.iter().any(|reason| reason.contains("on which the repo runs")) {
        lines.push("  help: `--runs-on python=3.11` (or `node=20`, `rust=1.89`) says what runs the code".to_owned());
    }
    lines.push(clean(&format!("  read by {}", answer.read_by.join(", "))));
    lines.join("\n")
}

/// Which package it is: as it is given, else as the oldest version's own files say. None may say that it is another.
fn package(arguments: &Arguments, paths: &[&Path], versions: &[Files]) -> Result<(Ecosystem, String)> {
    const ALL: [Ecosystem; 3] = [Ecosystem::Pypi, Ecosystem::Npm, Ecosystem::Cargo];
    let asked = arguments.ecosystem.map(Registry::ecosystem);
    let all_said = |files: &Files| -> Vec<(Ecosystem, String)> {
        ALL.into_iter()
            .filter_map(|ecosystem| Some((ecosystem, said(ecosystem, files)?)))
            .collect()
    };
    let mut first = versions.first().map(all_said).unwrap_or_default();
    first.retain(|(ecosystem, _)| asked.is_none_or(|asked| asked == *ecosystem));
    let first = first.into_iter().next();
    let ecosystem = asked.or_else(|| first.as_ref().map(|(ecosystem, _)| *ecosystem));
    let name = arguments.package.clone().or(first.map(|(_, name)| name));
    let (Some(ecosystem), Some(name)) = (ecosystem, name) else {
        return Err(BadInput::new(
            format!("`{}` doesn't say which package it is", arguments.old.display()),
            "name it with `--ecosystem` and `--package`",
        )
        .into());
    };
    let plain = |name: &str| name.to_lowercase().replace(['-', '.'], "_");
    for (path, files) in paths.iter().zip(versions) {
        let all = all_said(files);
        let same = |(of, other): &(Ecosystem, String)| {
            *of == ecosystem && (arguments.package.is_some() || plain(other) == plain(&name))
        };
        if let Some((of, other)) = all.first().filter(|_| !all.iter().any(same)) {
            let message = format!(
                "`{}` is `{other}` ({}), and `{name}` ({}) is asked for",
                path.display(),
                registry(*of),
                registry(ecosystem)
            );
            return Err(BadInput::new(message, "name versions of one package").into());
        }
    }
    Ok((ecosystem, name))
}

/// Where packages of an ecosystem come from, for people.
const fn registry(ecosystem: Ecosystem) -> &'static str {
    match ecosystem {
        Ecosystem::Pypi => "PyPI",
        Ecosystem::Npm => "npm",
        Ecosystem::Cargo => "Cargo",
        Ecosystem::Golang => "Go",
        Ecosystem::Maven => "Maven",
    }
}

/// The name that a package's own files give it.
fn said(ecosystem: Ecosystem, files: &Files) -> Option<String> {
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
    match ecosystem {
        Ecosystem::Pypi => files
            .iter()
            .find(|(path, _)| path.ends_with(".dist-info/METADATA"))
            .and_then(|(_, text)| text.as_deref())
            .or_else(|| found("PKG-INFO"))?
            .lines()
            .find_map(|line| line.strip_prefix("Name: "))
            .map(str::to_owned),
        Ecosystem::Npm => {
            let json: serde_json::Value = serde_json::from_str(found("package.json")?).ok()?;
            Some(json.get("name")?.as_str()?.to_owned())
        }
        Ecosystem::Cargo => {
            let line = found("Cargo.toml")?
                .lines()
                .find_map(|line| line.strip_prefix("name = "))?;
            Some(line.trim().trim_matches('"').to_owned())
        }
        Ecosystem::Golang | Ecosystem::Maven => None,
    }
}
