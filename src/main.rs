//! Holdpoint: decides how far an automated security fix may go, and proves it first.

mod cli;
mod exit_code;
mod failure;
mod output;
mod pipeline;
mod telemetry;

use clap::Parser as _;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let cli = cli::Cli::parse();
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
