//! The command line: one file per subcommand, and this table.

mod approve;
mod assist;
mod contract;
mod control;
mod decide;
mod demo;
mod emergency;
mod explain;
mod facts;
mod failures;
mod findings;
mod fix;
mod freeze;
mod gc;
mod graph;
mod iac;
mod image;
mod init;
mod ledger;
mod outcome;
mod policy;
mod promote;
pub mod relay;
mod replay_agent;
mod rescan;
mod rollout;
mod run;
mod scan;
mod serve;
mod signing;
mod validate;
mod waiting;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::event::EventSink;
use std::path::PathBuf;
use std::sync::Arc;

use crate::exit_code::ExitCode;
use crate::output::command_line::CommandLine;
use crate::output::progress::{Mode, sink};
use crate::pipeline::approvals::Signer;

const EXIT_CODES: &str = "Exit codes:\n  \
    0   success, or nothing was held back\n  \
    1   internal error\n  \
    2   usage\n  \
    3   bad input, configuration or policy\n  \
    10  something needs a human\n  \
    11  a check of a single item failed: a contract breaks, a case or a proof fails, a pack is looser\n  \
    12  a check of a single item is inconclusive";

/// Decides how far an automated security fix may go, and proves it first.
#[derive(Debug, Parser)]
#[command(name = "holdpoint", version, after_long_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// The command that `relay` stands beside, if that is what was asked for.
    pub const fn relayed(&self) -> Option<&str> {
        match &self.command {
            Command::Relay(arguments) => Some(arguments.command.as_str()),
            _ => None,
        }
    }

    /// Form of what is printed.
    pub const fn format(&self) -> Format {
        self.global.format
    }
}

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Global {
    /// Folder of the estate: the one that holds `holdpoint.yaml`
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    pub estate: PathBuf,
    /// Decide as of this moment instead of now, for example 2026-03-17T02:30:00Z; what is recorded then is believed,
    /// and no clock before it
    #[arg(long, global = true, value_name = "TIME", value_parser = moment)]
    pub at: Option<Timestamp>,
    /// Form of what is printed on stdout
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// No progress on stderr
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

fn moment(text: &str) -> std::result::Result<Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "expected a moment before the year 9999, such as `2026-03-17T02:30:00Z`")
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// For machines.
    Json,
    /// SARIF 2.1.0, for editors and CI; `policy check` and `contract diff` only.
    Sarif,
    /// Markdown, for a pull request; `contract diff` only.
    Markdown,
    /// One HTML page that needs nothing else; `contract diff` only.
    Html,
}

impl Format {
    /// The name that the option has.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }
}

impl Global {
    /// The injected clock, or now.
    pub fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(Timestamp::now)
    }

    /// What the command lines that are shown carry: what was given here, and what signing needs.
    pub fn command_line(&self) -> CommandLine {
        let mut line = CommandLine::default().estate(&self.estate);
        if let Some(at) = self.at {
            line = line.global("at", &at.to_string());
        }
        let (key, identity) = Signer::from_git();
        if key.is_none() {
            line = line.signing("key", "YOUR-SSH-KEY");
        }
        if identity.is_none() {
            line = line.signing("by", "YOUR-NAME-AMONG-THE-APPROVERS");
        }
        line
    }

    /// Whoever watches a run: progress on stderr, unless `--quiet`.
    pub fn events(&self) -> Arc<dyn EventSink> {
        Arc::from(sink(Mode::of_stderr(self.quiet)))
    }

    /// Prints a value as JSON, or as the text that `human` makes of it.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    pub fn print<T: serde::Serialize>(&self, value: &T, human: impl FnOnce() -> String) -> Result<()> {
        match self.format {
            Format::Human => print_line(human().trim_end()),
            _ => print_line(&serde_json::to_string_pretty(value)?),
        }
    }
}

/// Prints to stdout; a reader that went away (`| head`) is no error.
///
/// # Errors
/// When stdout can't be written for another reason.
pub fn print_line(text: &str) -> Result<()> {
    use std::io::Write as _;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("writing to stdout"),
    }
}

/// Prints a document as JSON, as [`print_line`] prints text, and piece by piece: the report of a large estate is
/// larger as text than in memory.
///
/// # Errors
/// As [`print_line`], and when it can't be written as JSON.
pub fn print_json<T: serde::Serialize>(document: &T) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match crate::output::json::write(&mut out, document) {
        Err(error) if is_gone(&error) => {
            // What is left would only fail again.
            let _ = out.into_parts();
            Ok(())
        }
        other => other.context("writing to stdout"),
    }
}

/// Whether whoever reads went away.
fn is_gone(error: &anyhow::Error) -> bool {
    let kind = |error: &(dyn std::error::Error + 'static)| {
        let json = error
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind);
        json.or_else(|| error.downcast_ref::<std::io::Error>().map(std::io::Error::kind))
    };
    error
        .chain()
        .any(|error| kind(error) == Some(std::io::ErrorKind::BrokenPipe))
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the example estate, run it, and show what each finding ends as
    Demo(demo::Arguments),
    /// Make an estate of your own: its files, with comments, ready to run
    Init(init::Arguments),
    /// Decide every finding of the estate, test the fixes, propose or merge them
    Run(run::Arguments),
    /// Run every night by the schedule in `holdpoint.yaml`, until stopped
    Serve,
    /// Test fixes for the run of another host that shares this estate's ledger, until that run is over
    Assist(assist::Arguments),
    /// Decide from what is on record, without running or changing anything
    Decide(decide::Arguments),
    /// Say why a finding was decided as it was, and what it would take to go further
    Explain(explain::Arguments),
    /// Show what is known about a finding, and what isn't; or what the estate lacks most
    Facts(facts::Arguments),
    /// Give a suggested fix a human's go, signed with your SSH key
    Approve(approve::Arguments),
    /// Say no to a suggested fix, signed with your SSH key
    Decline(approve::Arguments),
    /// Merge an approved fix: exactly the tree that was tested
    Promote(promote::Arguments),
    /// List what waits for whom, since when and until when, and what to type
    Waiting(waiting::Arguments),
    /// Stand in for missing approvals in an emergency, signed, for hours, where the policies let it
    Override(emergency::Arguments),
    /// Say that you looked at an emergency override, signed with your SSH key
    Acknowledge(emergency::Acknowledge),
    /// See and steer how far each lane of fixes may go
    #[command(subcommand)]
    Rollout(rollout::Command),
    /// Say what became of a fix
    #[command(subcommand)]
    Outcome(outcome::Command),
    /// Try one candidate fix in the sandbox
    Validate(validate::Arguments),
    /// Run the estate's scanners in the sandbox, and keep their reports for the next run
    Scan(scan::Arguments),
    /// Remove what killed runs left, old logs, and kept baselines
    Gc(gc::Arguments),
    /// Make images for the sandbox
    #[command(subcommand)]
    Image(image::Command),
    /// Hold a resource or path against automation, and let go of it again
    #[command(subcommand)]
    Control(control::Command),
    /// Freeze services, and list freezes, change windows and business hours
    #[command(subcommand)]
    Freeze(freeze::Command),
    /// Work with candidate fixes
    #[command(subcommand)]
    Fix(fix::Command),
    /// Write, check, test, prove and compare policy packs
    #[command(subcommand)]
    Policy(policy::Command),
    /// Work with scanner reports
    #[command(subcommand)]
    Findings(findings::Command),
    /// Work with the service graph
    #[command(subcommand)]
    Graph(graph::Command),
    /// Work with infrastructure as code
    #[command(subcommand)]
    Iac(iac::Command),
    /// Work with API contracts
    #[command(subcommand)]
    Contract(contract::Command),
    /// Read the logs of failed builds
    #[command(subcommand)]
    Failures(failures::Command),
    /// Compare two scans
    #[command(subcommand)]
    Rescan(rescan::Command),
    /// Read and verify the ledger
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Replay recorded interactions; runs inside the sandbox
    #[command(hide = true)]
    ReplayAgent(replay_agent::Arguments),
    /// Stand between a step and the proxy of `prepare`; runs inside the sandbox
    #[command(hide = true)]
    Relay(relay::Arguments),
}

impl Command {
    /// The forms that it can print.
    const fn formats(&self) -> &'static [Format] {
        match self {
            Self::Policy(policy::Command::Check(_)) => &[Format::Human, Format::Json, Format::Sarif],
            Self::Contract(contract::Command::Diff(_)) => &[
                Format::Human,
                Format::Json,
                Format::Sarif,
                Format::Markdown,
                Format::Html,
            ],
            _ => &[Format::Human, Format::Json],
        }
    }
}

/// Runs the command that was asked for.
///
/// # Errors
/// What the command couldn't do.
pub async fn run(cli: Cli) -> Result<ExitCode> {
    let global = &cli.global;
    let formats = cli.command.formats();
    if !formats.contains(&global.format) {
        let known: Vec<String> = formats.iter().map(|format| format!("`{}`", format.as_str())).collect();
        let message = format!(
            "this command doesn't print `{}`; it prints {}",
            global.format.as_str(),
            known.join(", ")
        );
        Cli::command()
            .error(clap::error::ErrorKind::InvalidValue, message)
            .exit();
    }
    match cli.command {
        Command::Demo(arguments) => demo::run(global, &arguments).await,
        Command::Init(arguments) => init::run(global, &arguments),
        Command::Run(arguments) => run::run(global, &arguments).await,
        Command::Serve => serve::run(global).await,
        Command::Decide(arguments) => decide::run(global, &arguments).await,
        Command::Explain(arguments) => explain::run(global, &arguments),
        Command::Facts(arguments) => facts::run(global, &arguments).await,
        Command::Approve(arguments) => {
            approve::run(global, arguments, holdpoint_schemas::approval::Verb::Approve).await
        }
        Command::Decline(arguments) => {
            approve::run(global, arguments, holdpoint_schemas::approval::Verb::Decline).await
        }
        Command::Promote(arguments) => promote::run(global, arguments).await,
        Command::Waiting(arguments) => waiting::run(global, &arguments).await,
        Command::Override(arguments) => emergency::run(global, arguments).await,
        Command::Acknowledge(arguments) => emergency::acknowledge(global, arguments).await,
        Command::Rollout(command) => rollout::run(global, command).await,
        Command::Outcome(command) => outcome::run(global, command).await,
        Command::Validate(arguments) => validate::run(global, arguments).await,
        Command::Assist(arguments) => assist::run(global, arguments).await,
        Command::Scan(arguments) => scan::run(global, arguments).await,
        Command::Gc(arguments) => gc::run(global, &arguments).await,
        Command::Image(command) => image::run(global, command).await,
        Command::Control(command) => control::run(global, command).await,
        Command::Freeze(command) => freeze::run(global, command).await,
        Command::Fix(command) => fix::run(global, &command),
        Command::Policy(command) => policy::run(global, command).await,
        Command::Findings(command) => findings::run(global, &command),
        Command::Graph(command) => graph::run(global, &command),
        Command::Iac(command) => iac::run(global, &command),
        Command::Contract(command) => contract::run(global, &command),
        Command::Failures(command) => failures::run(global, &command),
        Command::Rescan(command) => rescan::run(global, &command),
        Command::Ledger(command) => ledger::run(global, &command),
        Command::ReplayAgent(arguments) => replay_agent::run(&arguments),
        // Runs before any of this: see `main`.
        Command::Relay(_) => Ok(ExitCode::Internal),
    }
}
