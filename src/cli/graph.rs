//! `holdpoint graph`

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use holdpoint_engine::graph::{ServiceGraph, Summaries};
use holdpoint_schemas::service::{Catalogue, ServiceId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Global, print_line};
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::graph_dot::dot;
use crate::output::graph_svg::{Drawing, MAX_NODES};
use crate::output::graph_text::{self, Overview};
use crate::output::text::clean;
use crate::pipeline::estate::topology::{Described, describe};
use crate::pipeline::estate::{Estate, Source, disagreement};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read files that describe services, and print the services and edges in them
    Import {
        /// Backstage entities, `services.yaml`, Compose files, Kubernetes manifests, Terraform plans or states,
        /// Jaeger, Kiali or OpenTelemetry graphs; or folders of them
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Print or draw the estate's service graph, and what it shows
    Show {
        /// Draw it instead, for example `holdpoint graph show --draw dot | dot -Tpng`
        #[arg(long, value_enum, value_name = "LANGUAGE")]
        draw: Option<Language>,
    },
    /// Print all that can be affected if a service breaks, path by path
    Blast {
        /// Service id
        service: String,
    },
}

/// Language of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// A picture, laid out; for estates that fit into one
    Svg,
    /// Graphviz' language; the whole estate, however large
    Dot,
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    match command {
        Command::Import { paths } => show(global, &import(paths)?),
        Command::Show { draw } => estate(global, *draw),
        Command::Blast { service } => blast(global, service),
    }
}

fn import(paths: &[PathBuf]) -> Result<Catalogue> {
    let entries: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let Described { catalogue, notes } = describe(Path::new(""), &entries)?;
    for note in notes.into_iter().chain(catalogue.conflicts.iter().map(disagreement)) {
        eprintln!("{}", clean(&note));
    }
    Ok(catalogue)
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
    let graph = ServiceGraph::new(&catalogue);
    let radius = graph.blast_radius(&ServiceId::from(service)).ok_or_else(|| {
        let known: Vec<&str> = catalogue.services.iter().map(|service| service.id.as_str()).collect();
        BadInput::new(
            format!("the catalogue has no service `{service}`"),
            format!("it has: {}", known.join(", ")),
        )
    })?;
    let id = ServiceId::from(service);
    let (exposure, point) = (graph.exposure(&id), graph.single_point_of_failure(&id));
    let shape = serde_json::json!({ "exposure": exposure, "single_point_of_failure": point });
    let shape = with(serde_json::to_value(&radius)?, shape);
    global.print(&shape, || {
        graph_text::blast(&graph, &radius, exposure.as_ref(), point.as_ref())
    })?;
    Ok(ExitCode::Success)
}

/// The fields of one object, and those of another.
fn with(mut object: serde_json::Value, more: serde_json::Value) -> serde_json::Value {
    if let (Some(object), serde_json::Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

/// The estate's graph: printed or drawn.
fn estate(global: &Global, draw: Option<Language>) -> Result<ExitCode> {
    let catalogue = catalogue(global)?;
    let graph = ServiceGraph::new(&catalogue);
    let summaries = Summaries::new(&graph)
        .map_err(|error| BadInput::new(error.to_string(), "name fewer catalogue files in `holdpoint.yaml`"))?;
    let overview = Overview::of(&catalogue, &graph, &summaries);
    match draw {
        Some(Language::Dot) => print_line(dot(&catalogue, &overview.marks()).trim_end())?,
        Some(Language::Svg) => {
            let drawing = Drawing::of(&catalogue, &BTreeMap::new()).ok_or_else(|| {
                BadInput::new(
                    format!("a picture shows at most {MAX_NODES} services, and at least one"),
                    "use `--draw dot`, which has no limit, and lay it out with Graphviz",
                )
            })?;
            print_line(&drawing.marked(&overview.marks()).file()?)?;
        }
        None => {
            let services = catalogue.services.iter().map(|service| {
                let summary = summaries.get(&service.id);
                serde_json::json!({ "id": service.id, "name": service.name, "summary": summary })
            });
            let shape = serde_json::json!({
                "services": services.collect::<Vec<_>>(),
                "edges": catalogue.edges,
                "conflicts": catalogue.conflicts,
            });
            let shape = with(shape, serde_json::to_value(&overview)?);
            global.print(&shape, || graph_text::estate(&catalogue, &overview))?;
        }
    }
    Ok(ExitCode::Success)
}
