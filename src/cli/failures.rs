//! `holdpoint failures`

use anyhow::{Context, Result};
use clap::Subcommand;
use flate2::read::MultiGzDecoder;
use holdpoint_contract::failures::{Category, Classification, Classifier};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::{clean, shorten};

/// Most bytes of a log that are read, unpacked: what is packed can unpack without end.
const MAX_LOG_BYTES: u64 = 64 << 30;
/// Bytes that are read at once.
const PIECE: usize = 1 << 17;
/// How a gzip stream begins (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Longest line that a terminal shows, in characters.
const MAX_SHOWN: usize = 200;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the log of a failed build: which kind of step failed, and the lines that say so
    ///
    /// Kinds: build, test, resolution, policy, lock, lint, infrastructure, unknown. For Maven, Gradle, npm, Yarn,
    /// pnpm, pip, Poetry, uv, Cargo and Go. Ends with 12 where the log says nothing that is known.
    Classify {
        /// The log, plain or gzipped; `-` for stdin
        log: PathBuf,
    },
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    let Command::Classify { log } = command;
    let name = log.to_string_lossy();
    let found = if *name == *"-" {
        classify("stdin", std::io::stdin().lock())?
    } else {
        classify(&name, open(log, &name)?)?
    };
    global.print(&found, || human(&found))?;
    Ok(match found.category {
        Category::Unknown => ExitCode::Inconclusive,
        _ => ExitCode::Success,
    })
}

fn open(path: &Path, name: &str) -> Result<File> {
    let refused = |why: String| BadInput::new(format!("`{name}` {why}"), "give the log of a build, or `-` for stdin");
    if path.is_dir() {
        return Err(refused("is a folder".to_owned()).into());
    }
    File::open(path).map_err(|error| refused(format!("can't be read: {error}")).into())
}

/// Reads a log in pieces; one that is packed is unpacked on the way.
fn classify(name: &str, log: impl Read) -> Result<Classification> {
    let mut log = BufReader::with_capacity(PIECE, log);
    let packed = log
        .fill_buf()
        .with_context(|| format!("reading `{name}`"))?
        .starts_with(&GZIP);
    let mut log: Box<dyn Read> = if packed {
        Box::new(MultiGzDecoder::new(log).take(MAX_LOG_BYTES + 1))
    } else {
        Box::new(log.take(MAX_LOG_BYTES + 1))
    };
    let mut classifier = Classifier::new();
    let mut piece = vec![0; PIECE];
    let mut all: u64 = 0;
    loop {
        let read = match log.read(&mut piece) {
            Ok(0) => return Ok(classifier.finish()),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) if packed => {
                let message = format!("`{name}` can't be unpacked: {error}");
                return Err(BadInput::new(message, "give the whole file, or the unpacked log").into());
            }
            Err(error) => return Err(error).with_context(|| format!("reading `{name}`")),
        };
        all = all.saturating_add(read as u64);
        if all > MAX_LOG_BYTES {
            let message = format!("`{name}` has more than {MAX_LOG_BYTES} bytes");
            return Err(BadInput::new(message, "give its end: the last words decide").into());
        }
        classifier.push(piece.get(..read).unwrap_or_default());
    }
}

fn human(found: &Classification) -> String {
    let heading = match found.category {
        Category::Unknown => "unknown: no line of it is known",
        category => category.as_str(),
    };
    let lines = found
        .lines
        .iter()
        .map(|line| format!("  {:>7}  {}", line.line, shorten(&clean(&line.text), MAX_SHOWN)));
    std::iter::once(heading.to_owned())
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}
