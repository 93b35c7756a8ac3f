//! Holdpoint: decides how far an automated security fix may go, and proves it first.

mod cli;
mod exit_code;
mod failure;
mod notify;
mod output;
mod pipeline;
mod server;
mod telemetry;
mod web;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // It makes a runtime of its own, around the one command that it stands beside.
    if let Some(command) = cli.relayed() {
        return cli::relay::run(command);
    }
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => {
            eprintln!("error: no runtime can be started: {error}");
            exit_code::ExitCode::Internal.into()
        }
    }
}

async fn run(cli: cli::Cli) -> ExitCode {
    let telemetry = telemetry::Telemetry::start();
    let format = cli.format();
    let code = match cli::run(cli).await {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("{}", failure::render(&error, format));
            failure::exit_code(&error).into()
        }
    };
    telemetry.finish();
    code
}
