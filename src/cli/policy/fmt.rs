//! `holdpoint policy fmt`

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_engine::policy::{PolicySource, format};
use serde::Serialize;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::PackArgument;
use crate::cli::{Global, print_line};
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::count;
use crate::pipeline::authoring::replace_text;
use crate::pipeline::estate::read_text;
use crate::pipeline::packs::{INVARIANTS, Place};

/// Most bytes that are read from standard input: the longest file that is formatted.
const MAX_STDIN_BYTES: u64 = 1 << 20;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Folders of packs, or `.cedar` files; `-` formats standard input; the estate's own pack if left out
    #[arg(value_name = "PACK|FILE")]
    targets: Vec<String>,
    /// Change nothing; list the files that aren't formatted, and end with 11 if there are any
    #[arg(long)]
    check: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Files that were formatted, or with `--check` would be.
    changed: Vec<String>,
    /// How many were already.
    unchanged: usize,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    if arguments.targets == ["-"] {
        return standard_input(arguments.check);
    }
    let mut changed: Vec<(PolicySource, PathBuf, String)> = Vec::new();
    let mut unchanged = 0;
    // Everything is read and laid out before anything is written.
    for (path, label) in files(global, arguments)? {
        let folder = path.parent().unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = read_text(folder, &name)?;
        let source = PolicySource { path: label, text };
        let formatted = format(&source)?;
        if formatted == source.text {
            unchanged += 1;
        } else {
            changed.push((source, path, formatted));
        }
    }
    if !arguments.check {
        for (source, path, formatted) in &changed {
            replace_text(path, formatted).with_context(|| format!("writing `{}`", source.path))?;
        }
    }
    let outcome = Outcome {
        changed: changed.into_iter().map(|(source, _, _)| source.path).collect(),
        unchanged,
    };
    global.print(&outcome, || human(&outcome, arguments.check))?;
    Ok(if arguments.check && !outcome.changed.is_empty() {
        ExitCode::Failed
    } else {
        ExitCode::Success
    })
}

fn human(outcome: &Outcome, check: bool) -> String {
    let mut lines = outcome.changed.clone();
    let changed = count(outcome.changed.len(), "file", "files");
    let verb = match (check, outcome.changed.len()) {
        (true, 1) => "isn't formatted",
        (true, _) => "aren't formatted",
        (false, _) => "formatted",
    };
    lines.push(match outcome.changed.len() {
        0 => format!("{} formatted already", count(outcome.unchanged, "file", "files")),
        _ => format!("{changed} {verb}, {} already", outcome.unchanged),
    });
    lines.join("\n")
}

/// The files that are meant, with what messages call them.
fn files(global: &Global, arguments: &Arguments) -> Result<Vec<(PathBuf, String)>> {
    if arguments.targets.is_empty() {
        let pack = PackArgument { pack: None }.open(global)?;
        return of_pack(&pack.place);
    }
    let mut files = Vec::new();
    for target in &arguments.targets {
        let path = Path::new(target);
        if path.is_dir() {
            let label = target.trim_end_matches('/').to_owned();
            files.extend(of_pack(&Place::Folder {
                path: path.to_owned(),
                label,
            })?);
        } else if path.extension().is_some_and(|ending| ending == "cedar") {
            files.push((path.to_owned(), target.clone()));
        } else if path.exists() {
            return Err(BadInput::new(format!("`{target}` isn't Cedar"), "name `.cedar` files or packs").into());
        } else {
            files.extend(of_pack(&Place::find(Path::new("."), target)?)?);
        }
    }
    Ok(files)
}

fn of_pack(place: &Place) -> Result<Vec<(PathBuf, String)>> {
    let Some(folder) = place.folder() else {
        return Err(BadInput::new(
            format!("the shipped pack `{}` is part of the binary", place.name()),
            "name a folder or files",
        )
        .into());
    };
    let mut files = Vec::new();
    for part in ["", INVARIANTS] {
        let (sources, errors) = place.files(part, &["cedar"]);
        if let Some(error) = errors.into_iter().next() {
            return Err(error.into());
        }
        for source in sources {
            let name = Path::new(&source.path).file_name().unwrap_or_default();
            files.push((folder.join(part).join(name), source.path));
        }
    }
    Ok(files)
}

fn standard_input(check: bool) -> Result<ExitCode> {
    let mut text = String::new();
    let stdin = std::io::stdin().lock();
    stdin
        .take(MAX_STDIN_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| {
            BadInput::new(
                format!("standard input can't be read: {error}"),
                "give it Cedar in UTF-8",
            )
        })?;
    let source = PolicySource {
        path: "<stdin>".to_owned(),
        text,
    };
    let formatted = format(&source)?;
    if check {
        return Ok(if formatted == source.text {
            ExitCode::Success
        } else {
            ExitCode::Failed
        });
    }
    print_line(formatted.trim_end_matches('\n'))?;
    Ok(ExitCode::Success)
}
