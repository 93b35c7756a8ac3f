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
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match cli::run(cli::Cli::parse()).await {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("{}", failure::render(&error));
            failure::exit_code(&error).into()
        }
    }
}
