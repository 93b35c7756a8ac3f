//! `holdpoint control`

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use holdpoint_schemas::control::ControlKind;

use super::Global;
use super::signing::{Ending, Signature, document};
use crate::exit_code::ExitCode;
use crate::output::claims as output;
use crate::pipeline::claims::controls::{NewControl, Standing, add, expire, list};
use crate::pipeline::session::blocking;

/// The kinds, by the names that people type.
const KINDS: [ControlKind; 3] = [
    ControlKind::BreakGlass,
    ControlKind::Compensating,
    ControlKind::HandsOff,
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Hold a resource or path: automation leaves it alone until the control ends
    ///
    /// The entry is written to the file that `holdpoint.yaml` names under `controls`, signed with your git
    /// identity and committed; push it yourself. A break-glass control ends after 7 days unless `--for` or
    /// `--until` says otherwise; other kinds need one of the two.
    #[command(after_long_help = EXAMPLES)]
    Add(Box<Add>),
    /// End a control now
    Expire {
        /// Id of the control; `holdpoint control list` shows it
        id: String,
        /// Why it isn't needed any longer; for the commit
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        signature: Signature,
    },
    /// List the controls of the estate's file, active ones first
    ///
    /// Claims that stand in commits, comments and tags of the repos aren't in that file;
    /// `holdpoint facts FINDING` shows those that touch a finding.
    List {
        /// Those that have ended too
        #[arg(long)]
        all: bool,
    },
}

const EXAMPLES: &str = "For example:\n  \
    holdpoint control add break-glass --repo infra --address aws_security_group.edge --reason \"INC-2291: blocked by hand\"\n  \
    holdpoint control add hands-off --repo payments --path src/ledger --for 3d --reason \"moving the database\"";

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("held").args(["address", "path"]).required(true).multiple(true))]
pub struct Add {
    /// What kind of claim: an emergency change made by hand, something that makes an accepted risk bearable, or
    /// "don't touch"
    #[arg(value_parser = PossibleValuesParser::new(KINDS.map(|kind| kind.as_str())).map(|name| kind(&name)))]
    kind: ControlKind,
    /// Repo in the estate
    #[arg(long, value_name = "NAME")]
    repo: String,
    /// Infrastructure resource that it holds, as Terraform names it
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// File or folder of the repo that it holds
    #[arg(long)]
    path: Option<String>,
    /// Why; name the incident
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    ending: Ending,
    /// What rests on it, for a compensating control: the finding or risk acceptance
    #[arg(long, value_name = "TEXT")]
    protects: Option<String>,
    /// Its id; made up without it, such as BG-2026-11-22-1
    #[arg(long)]
    id: Option<String>,
    /// Who makes the claim; git's `user.email` without it
    #[arg(long, value_name = "IDENTITY")]
    by: Option<String>,
    #[command(flatten)]
    signature: Signature,
}

pub async fn run(global: &Global, command: Command) -> Result<ExitCode> {
    let (root, now) = (global.estate.clone(), global.now());
    match command {
        Command::Add(arguments) => {
            let signing = arguments.signature.signing()?;
            let new = arguments.control();
            let by_default = new.end.is_none();
            let (control, recorded) = blocking(move || add(&root, now, &new, signing)).await?;
            let expire = global.command_line().of("control expire", &control.id);
            global.print(&document("control", &control, &recorded), || {
                output::added(&control, &recorded, by_default, &expire, now)
            })?;
        }
        Command::Expire { id, reason, signature } => {
            let signing = signature.signing()?;
            let (control, recorded) = blocking(move || expire(&root, now, &id, reason.as_deref(), signing)).await?;
            global.print(&document("control", &control, &recorded), || {
                output::ended(&control, &recorded)
            })?;
        }
        Command::List { all } => {
            let listed = list(&root, now)?;
            let shown: Vec<_> = listed
                .iter()
                .filter(|listed| all || listed.standing != Standing::Ended)
                .collect();
            global.print(&serde_json::json!({ "controls": shown }), || {
                output::controls(&listed, all, now)
            })?;
        }
    }
    Ok(ExitCode::Success)
}

impl Add {
    fn control(self) -> NewControl {
        NewControl {
            kind: self.kind,
            repo: self.repo,
            address: self.address,
            path: self.path,
            reason: self.reason,
            protects: self.protects,
            id: self.id,
            by: self.by,
            end: self.ending.end(),
        }
    }
}

fn kind(name: &str) -> ControlKind {
    let found = KINDS.into_iter().find(|kind| kind.as_str() == name);
    // The parser takes no other name; of all kinds this one holds most.
    found.unwrap_or(ControlKind::HandsOff)
}
