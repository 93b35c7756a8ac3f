//! Holdpoint: decides how far an automated security fix may go, and proves it first.

mod cli;
mod exit_code;
mod failure;
mod output;
mod pipeline;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let filter = EnvFilter::try_from_env("HOLDPOINT_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let cli = cli::Cli::parse();
    let format = cli.format();
    match cli::run(cli).await {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("{}", failure::render(&error, format));
            failure::exit_code(&error).into()
        }
    }
}
