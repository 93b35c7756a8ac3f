//! `holdpoint contract diff --kind rust|python|typescript`: two versions of a library.

use anyhow::Result;
use clap::ValueEnum;
use holdpoint_runner::language_api;
use holdpoint_runner::sandbox::Limits;
use holdpoint_runner::{DockerSandbox, SandboxSettings};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_usage::Ecosystem;
use holdpoint_usage::upgrade::{
    ApiChange, Bump, Difference, Surface, difference, read_griffe, read_semver_checks, read_typescript,
};
use serde::Serialize;
use std::path::Path;

use crate::cli::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::clean;
use crate::pipeline::libraries::{self, Files};

/// Languages whose libraries are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Crates: `cargo-semver-checks` where the sandbox has it, else their source.
    Rust,
    /// Distributions: `griffe` where the sandbox has it, else their source and stubs.
    Python,
    /// npm packages: the TypeScript compiler where the sandbox has it, else their declarations and source.
    Typescript,
}

impl Language {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Typescript => "typescript",
        }
    }

    /// The tool that judges in the sandbox.
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Rust => "cargo-semver-checks",
            Self::Python => "griffe",
            Self::Typescript => "the TypeScript compiler's declarations",
        }
    }

    const fn ecosystem(self) -> Ecosystem {
        match self {
            Self::Rust => Ecosystem::Cargo,
            Self::Python => Ecosystem::Pypi,
            Self::Typescript => Ecosystem::Npm,
        }
    }
}

/// What is printed: the shape of every contract comparison, with the step that the version needs.
#[derive(Debug, Serialize)]
struct Shown {
    kind: &'static str,
    breaking: bool,
    bump: Bump,
    changes: Vec<holdpoint_contract::Change>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<holdpoint_contract::Gap>,
    read_by: Vec<String>,
}

/// A change as contract comparisons show it.
fn shown(change: &ApiChange) -> holdpoint_contract::Change {
    use holdpoint_contract::Level;
    holdpoint_contract::Change {
        rule: format!("api-{}", change.rule),
        level: match change.bump {
            Bump::Major if change.unclear => Level::Warning,
            Bump::Major => Level::Error,
            _ => Level::Info,
        },
        operation: String::new(),
        path: change.file.clone(),
        location: change.symbol.clone(),
        text: change.text.clone(),
        line: usize::try_from(change.line).ok().filter(|line| *line > 0),
        file: None,
        in_base: false,
        categories: Vec::new(),
    }
}

/// Compares two versions of a library, each a folder or an archive.
///
/// # Errors
/// When one can't be read.
pub fn run(global: &Global, language: Language, old: &Path, new: &Path) -> Result<ExitCode> {
    let (before, after) = (libraries::read(old)?, libraries::read(new)?);
    let surface = |files: &Files| {
        libraries::surface(language.ecosystem(), "library", files)
            .ok_or_else(|| BadInput::new("this language isn't read".to_owned(), "name another `--kind`"))
    };
    let (old_surface, new_surface) = (surface(&before)?, surface(&after)?);
    let (found, read_by) = compared(language, &before, &after, &old_surface, &new_surface)?;
    let shown = Shown {
        kind: language.as_str(),
        breaking: found.bump == Bump::Major,
        bump: found.bump,
        changes: found.changes.iter().map(shown).collect(),
        gaps: found
            .gaps
            .iter()
            .map(|text| holdpoint_contract::Gap {
                place: String::new(),
                text: text.clone(),
            })
            .collect(),
        read_by,
    };
    global.print(&shown, || lines(&shown))?;
    let unclear = found.changes.iter().any(|change| change.unclear);
    Ok(match (shown.breaking, unclear || !shown.gaps.is_empty()) {
        (true, _) => ExitCode::Failed,
        (false, true) => ExitCode::Inconclusive,
        (false, false) => ExitCode::Success,
    })
}

fn lines(shown: &Shown) -> String {
    let unclear = shown
        .changes
        .iter()
        .any(|change| change.level == holdpoint_contract::Level::Warning);
    let bump = match shown.bump {
        Bump::Major => "breaking: it needs a major version",
        _ if unclear => "something may break clients, and it can't be told",
        Bump::Minor => "it needs a minor version",
        Bump::None => "nothing changed for clients, as far as was seen",
    };
    let mut lines = vec![format!("{}: {bump}", shown.kind)];
    lines.extend(shown.changes.iter().map(|change| {
        let line = change.line.map_or(String::new(), |line| format!(":{line}"));
        clean(&format!(
            "  {:<8} {}  {}  {}{line}  [{}]",
            change.level.as_str(),
            change.location,
            change.text,
            change.path,
            change.rule
        ))
    }));
    lines.extend(shown.gaps.iter().map(|gap| clean(&format!("  not seen: {}", gap.text))));
    lines.push(clean(&format!("  read by {}", shown.read_by.join(", "))));
    lines.join("\n")
}

/// What the ecosystem's own tool says where it can be run, else what the sources say.
fn compared(
    language: Language,
    before: &Files,
    after: &Files,
    old: &Surface,
    new: &Surface,
) -> Result<(Difference, Vec<String>)> {
    let archive = archive(before, after)?;
    Ok(match by_tool(language, &archive, old) {
        Ok((found, version)) => (found, vec![version]),
        Err(why) => {
            let mut found = difference(old, new);
            // For Rust the difference of sources leaves out what the compiler would know.
            if language == Language::Rust {
                found.gaps.push(format!("only the source was compared: {why}"));
            }
            (found, vec![format!("{}, because {why}", old.read_by)])
        }
    })
}

fn by_tool(language: Language, archive: &[u8], old: &Surface) -> Result<(Difference, String), String> {
    let root = old.scope(0).and_then(|scope| {
        let names: Vec<&String> = scope.members.keys().filter(|name| !name.starts_with('.')).collect();
        // A distribution with several modules would need a run for each.
        (names.len() == 1 || language != Language::Python)
            .then(|| names.first().map_or("library", |name| name.as_str()))
    });
    let root = root.ok_or("it has several modules")?;
    let limits = Limits::from(&SandboxConfig::default());
    let running = async {
        let settings = SandboxSettings::new(SandboxConfig::default(), "contract");
        let sandbox = DockerSandbox::connect(settings)
            .await
            .map_err(|error| error.to_string())?;
        language_api::run(&sandbox, language.as_str(), root, archive, &limits).await
    };
    let output = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(running))?;
    let report = |name: &str| output.reports.get(name).map(String::as_str).unwrap_or_default();
    let version = output.version.as_str();
    let read = |read: fn(&str, &str, &str) -> Result<Surface, String>| {
        let (old, new) = (
            read(root, report("old.json"), version)?,
            read(root, report("new.json"), version)?,
        );
        Ok::<_, String>((difference(&old, &new), old.read_by.clone()))
    };
    match language {
        Language::Rust => {
            let read = read_semver_checks(report("output"), report("list"))?;
            Ok((read.difference, output.version))
        }
        Language::Python => read(read_griffe),
        Language::Typescript => read(read_typescript),
    }
}

/// Both versions in one archive, in `old` and `new`.
fn archive(before: &Files, after: &Files) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (side, files) in [("old", before), ("new", after)] {
        for (path, text) in files {
            let Some(text) = text else { continue };
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, format!("{side}/{path}"), text.as_bytes())?;
        }
    }
    Ok(builder.into_inner()?)
}
