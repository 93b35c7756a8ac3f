//! `holdpoint image`

use anyhow::Result;
use clap::Subcommand;
use holdpoint_runner::image::bootstrap::{Bootstrap, BootstrapError, BootstrapRequest, DEFAULT_SUITE, Toolchain};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::clean;
use crate::pipeline::validation::engine_socket;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an image for the sandbox from Debian packages, with `mmdebstrap`; no registry is asked
    Bootstrap {
        /// What it must build and test: base, python, node, rust, java, go
        #[arg(
            long = "with",
            value_delimiter = ',',
            value_name = "TOOLCHAIN",
            default_value = "base"
        )]
        toolchains: Vec<Toolchain>,
        /// A further Debian package
        #[arg(long = "package", value_name = "NAME")]
        packages: Vec<String>,
        /// Debian's release
        #[arg(long, default_value = DEFAULT_SUITE)]
        suite: String,
        /// Mirror to take packages from, instead of `mmdebstrap`'s own choice
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
}

/// What is printed.
#[derive(Serialize)]
struct Made {
    image: String,
    id: String,
    bytes: u64,
}

/// Ctrl-C and SIGTERM end the process only when what was half made is gone.
async fn unless_stopped<T>(making: impl Future<Output = T>) -> T {
    let stopped = async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    };
    let number = tokio::select! {
        made = making => return made,
        number = stopped => number,
    };
    // Exit statuses of what a signal ended (POSIX, "Exit status for commands").
    std::process::exit(128 + number.as_raw_value());
}

pub async fn run(global: &Global, command: Command) -> Result<ExitCode> {
    let Command::Bootstrap {
        toolchains,
        packages,
        suite,
        mirror,
    } = command;
    let mut request = BootstrapRequest::new(toolchains);
    request.packages.extend(packages);
    request.suite = suite;
    request.mirror = mirror;
    let quiet = global.quiet;
    let on_line = move |line: &str| {
        if !quiet {
            eprintln!("{}", clean(line));
        }
    };
    let bootstrap = Bootstrap::new(&engine_socket()?);
    let making = bootstrap.make(&request, global.now(), &on_line);
    let made = unless_stopped(making).await.map_err(|error| match error {
        BootstrapError::BadName(_) | BootstrapError::BadToolchain { .. } => {
            BadInput::new(error.to_string(), "see `holdpoint image bootstrap --help`").into()
        }
        other => anyhow::Error::from(other),
    })?;
    let made = Made {
        image: made.name,
        id: made.id,
        bytes: made.bytes,
    };
    global.print(&made, || {
        format!(
            "Made `{}` ({} MB). To use it, write into `holdpoint.yaml`:\n  sandbox:\n    image: {}\n    pull: never",
            made.image,
            made.bytes / 1_000_000,
            made.image
        )
    })?;
    Ok(ExitCode::Success)
}
