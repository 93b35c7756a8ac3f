//! `holdpoint graph`

use anyhow::Result;
use clap::Subcommand;
use holdpoint_engine::graph::ServiceGraph;
use holdpoint_schemas::service::{Catalogue, ServiceId};
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::pipeline::estate::{Estate, Source, borrowed, read_text};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read catalogue files or folders and print the services and edges in them
    Import {
        /// Files, or folders of `.yaml` files
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Print the estate's service graph
    Show,
    /// Print all that can be affected if a service breaks, path by path
    Blast {
        /// Service id
        service: String,
    },
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    match command {
        Command::Import { paths } => show(global, &import(paths)?),
        Command::Show => show(global, &catalogue(global)?),
        Command::Blast { service } => blast(global, service),
    }
}

fn import(paths: &[PathBuf]) -> Result<Catalogue> {
    let mut files = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        if path.is_dir() {
            for entry in std::fs::read_dir(path)? {
                let entry = entry?.path();
                if entry
                    .extension()
                    .is_some_and(|ending| ending == "yaml" || ending == "yml")
                {
                    found.push(entry);
                }
            }
            found.sort();
        } else {
            found.push(path.clone());
        }
        for file in found {
            let name = file.to_string_lossy().into_owned();
            files.push((name.clone(), read_text(Path::new(""), &name)?));
        }
    }
    Ok(holdpoint_intake::catalogue::read_catalogue(&borrowed(&files))?)
}

fn catalogue(global: &Global) -> Result<Catalogue> {
    let estate = Estate::load(&global.estate)?;
    match estate.catalogue {
        Source::Known(catalogue) => Ok(catalogue),
        Source::Unknown(why) => Err(BadInput::new(why, "name catalogue files or folders in `holdpoint.yaml`").into()),
    }
}

fn show(global: &Global, catalogue: &Catalogue) -> Result<ExitCode> {
    let services: Vec<_> = catalogue
        .services
        .iter()
        .map(|service| serde_json::json!({ "id": service.id, "name": service.name }))
        .collect();
    let shape = serde_json::json!({ "services": services, "edges": catalogue.edges });
    global.print(&shape, || {
        let mut lines = vec![format!(
            "{} services and resources, {} edges (consumer → provider)",
            catalogue.services.len(),
            catalogue.edges.len()
        )];
        for service in &catalogue.services {
            let tier = service
                .tier
                .map_or_else(|| "tier unknown".to_owned(), |tier| format!("tier {tier}"));
            lines.push(format!(
                "  {:<24} {tier}, owner {}",
                service.id,
                service.owner.as_deref().unwrap_or("unknown")
            ));
            for edge in catalogue.edges.iter().filter(|edge| edge.from == service.id) {
                lines.push(format!("    → {} ({})", edge.to, edge.sources.join(", ")));
            }
        }
        lines.join("\n")
    })?;
    Ok(ExitCode::Success)
}

fn blast(global: &Global, service: &str) -> Result<ExitCode> {
    let catalogue = catalogue(global)?;
    let radius = ServiceGraph::new(&catalogue)
        .blast_radius(&ServiceId::from(service))
        .ok_or_else(|| {
            let known: Vec<&str> = catalogue.services.iter().map(|service| service.id.as_str()).collect();
            BadInput::new(
                format!("the catalogue has no service `{service}`"),
                format!("it has: {}", known.join(", ")),
            )
        })?;
    global.print(&radius, || {
        if radius.dependents.is_empty() {
            return format!("If `{service}` breaks, nothing that the catalogue knows is affected.");
        }
        let mut lines = vec![format!(
            "If `{service}` breaks, {} can be affected:",
            radius.dependents.len()
        )];
        for dependent in &radius.dependents {
            let path: Vec<&str> = dependent.path.iter().map(ServiceId::as_str).collect();
            let tier = dependent.tier.map(|tier| format!(", tier {tier}")).unwrap_or_default();
            lines.push(format!("  {}{tier}: {}", dependent.name, path.join(" ← ")));
        }
        lines.join("\n")
    })?;
    Ok(ExitCode::Success)
}
