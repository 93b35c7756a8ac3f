//! Requests of the wire oracle, and consumers' own tests, as the estate and the repo's base commit declare them.

use anyhow::{Context, Result};
use holdpoint_contract::generate::{self, Amount};
use holdpoint_contract::http::har::read_har;
use holdpoint_contract::wire::{Config, Pins, WireRequest};
use holdpoint_contract::{Gap, Level};
use holdpoint_runner::contract_check::{ConsumerContract, ConsumerTests, RecordedInteraction, Unpinned, WirePlan};
use holdpoint_schemas::Digest;
use holdpoint_schemas::estate::{ContractConfig, UnpinnedChange, WireConfig};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::service::{Pinned, RecordedContract};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::BadInput;
use crate::pipeline::estate::Estate;
use crate::pipeline::mirror::Mirror;
use crate::pipeline::owners::Owners;

/// Most requests of one wire oracle: the replay agent takes no more.
const MAX_REQUESTS: usize = holdpoint_runner::agent::MAX_REQUESTS;

/// The contracts of those whose code the fix changes.
fn recorded<'a>(estate: &'a Estate, owners: &'a Owners<'_>) -> impl Iterator<Item = &'a RecordedContract> {
    let all = estate
        .contracts
        .known()
        .map(|file| file.contracts.as_slice())
        .unwrap_or_default();
    all.iter()
        .filter(move |contract| owners.code.iter().any(|service| service.id == contract.provider))
}

/// Whether any consumer pins something.
pub(super) fn has_pins(estate: &Estate, owners: &Owners<'_>) -> bool {
    recorded(estate, owners).any(|contract| contract.pins != Pinned::default())
}

/// What the wire oracle asks: what consumers have recorded, and what the repo's base commit names.
///
/// # Errors
/// When a recording isn't there or can't be read, or a level isn't one.
pub(super) fn plan(
    estate: &Estate,
    mirror: &Mirror,
    fix: &Fix,
    owners: &Owners<'_>,
    contract: &ContractConfig,
    config: &WireConfig,
    consumers: &[ConsumerContract],
) -> Result<WirePlan> {
    let text = |path: &str| {
        mirror
            .text(&fix.base_tree, path)
            .with_context(|| format!("the base commit of `{}` has no `{path}`", fix.repo))
    };
    let interactions = consumers.iter().flat_map(|consumer| {
        let named = |interaction| of_consumer(&consumer.consumer, interaction);
        consumer.interactions.iter().map(named).collect::<Vec<_>>()
    });
    let mut requests: Vec<WireRequest> = interactions.collect();
    let mut gaps: Vec<Gap> = Vec::new();
    for path in &config.recordings {
        let recording = read_har(path, &text(path)?)?;
        gaps.extend(recording.gaps);
        requests.extend(recording.requests.into_iter().map(|request| of_file(path, request)));
    }
    if config.generate {
        let path = contract
            .openapi
            .as_ref()
            .context("`contract.wire.generate` needs `contract.openapi`")?;
        let document = document(path, &text(path)?)?;
        let made = generate::requests(&document, config.seed, Amount::default());
        gaps.extend(made.gaps);
        requests.extend(made.requests.into_iter().map(|request| with_headers(config, request)));
    }
    if requests.len() > MAX_REQUESTS {
        requests.truncate(MAX_REQUESTS);
        gaps.push(Gap {
            place: "contract.wire".to_owned(),
            text: format!("more than {MAX_REQUESTS} requests; the first are made"),
        });
    }
    let pins = recorded(estate, owners).map(|contract| Pins {
        consumer: contract.consumer.to_string(),
        headers: contract.pins.headers.clone(),
        fields: contract.pins.fields.clone(),
    });
    Ok(WirePlan {
        requests,
        config: Config {
            pins: pins
                .filter(|pins| !(pins.headers.is_empty() && pins.fields.is_empty()))
                .collect(),
            levels: levels(&config.levels)?,
        },
        unpinned: match config.unpinned {
            UnpinnedChange::Fail => Unpinned::Fail,
            UnpinnedChange::Hold => Unpinned::Hold,
            UnpinnedChange::Note => Unpinned::Note,
        },
        gaps: gaps
            .into_iter()
            .map(|gap| format!("{}: {}", gap.place, gap.text))
            .collect(),
    })
}

fn of_consumer(consumer: &str, interaction: &RecordedInteraction) -> WireRequest {
    let asked = interaction.request.clone();
    WireRequest {
        label: format!("{consumer}: {}", interaction.description),
        method: asked.method,
        path: asked.path,
        query: asked.query,
        headers: asked.headers,
        body: asked.body,
        session: None,
        takes: Vec::new(),
    }
}

/// Sessions of two recordings are two.
fn of_file(path: &str, mut request: WireRequest) -> WireRequest {
    request.session = request.session.map(|session| format!("{path}: {session}"));
    request
}

fn with_headers(config: &WireConfig, mut request: WireRequest) -> WireRequest {
    for (name, value) in &config.headers {
        request.headers.insert(name.to_ascii_lowercase(), vec![value.clone()]);
    }
    request
}

/// JSON, or else YAML. What is no OpenAPI is told where the descriptions are compared.
fn document(path: &str, text: &str) -> Result<serde_json::Value> {
    serde_json::from_str(text)
        .or_else(|_| serde_yaml::from_str(text))
        .with_context(|| format!("`{path}` is neither JSON nor YAML"))
}

fn levels(named: &BTreeMap<String, String>) -> Result<BTreeMap<String, Level>> {
    let known = [Level::Info, Level::Warning, Level::Error];
    let rules = holdpoint_contract::wire::rules();
    named
        .iter()
        .map(|(rule, name)| {
            if !rules.iter().any(|known| known.id == *rule) {
                return Err(BadInput {
                    message: format!("`contract.wire.levels`: no rule is called `{}`", rule.escape_debug()),
                    help: Some("`holdpoint contract rules` lists those of the kind `wire`".to_owned()),
                }
                .into());
            }
            let level = known.into_iter().find(|level| level.as_str() == name);
            let level = level.ok_or_else(|| BadInput {
                message: format!("`contract.wire.levels`: `{name}` is no level"),
                help: Some("levels are `info`, `warning` and `error`".to_owned()),
            })?;
            Ok((rule.clone(), level))
        })
        .collect()
}

/// Digest of what the wire oracle asks: requests may hold secrets, and stay out of every text.
pub(super) fn digest(plan: Option<&WirePlan>) -> Option<Digest> {
    let plan = plan?;
    let requests = serde_json::to_vec(&plan.requests).unwrap_or_default();
    let rest = format!("{:?}", (&plan.config, plan.unpinned, &plan.gaps));
    Some(Digest::of_parts([requests.as_slice(), rest.as_bytes()]))
}

/// Consumers' own tests, each consumer's tree laid down as an archive; and what they depend on, for the key of the
/// evidence.
///
/// # Errors
/// When a consumer's repo or branch isn't there, or its tree can't be written down.
pub(super) fn consumer_tests(estate: &Estate, owners: &Owners<'_>) -> Result<(Vec<ConsumerTests>, Vec<String>)> {
    let mut found = Vec::new();
    let mut digests = Vec::new();
    for contract in recorded(estate, owners) {
        let Some(config) = &contract.consumer_tests else {
            continue;
        };
        let mirror = Mirror::fetch(estate, &config.repo)?;
        let head = mirror
            .head(&config.branch)
            .with_context(|| format!("`{}` has no branch `{}`", config.repo, config.branch))?;
        let tree = mirror.tree(&head)?;
        let limits = holdpoint_fixes::tree::ExportLimits::default();
        let archive = holdpoint_fixes::tree::export_tar(&mirror.git, &tree, limits)?;
        found.push(ConsumerTests {
            consumer: contract.consumer.to_string(),
            archive: lay_down(&estate.state().join("consumers"), &tree, &archive)?,
            command: config.command.clone(),
            variable: config.env.clone(),
        });
        digests.push(format!("{} {tree} {config:?}", contract.consumer));
    }
    Ok((found, digests))
}

/// Writes an archive under the name of its tree, in one step, so that nobody sees half of it.
fn lay_down(folder: &Path, tree: &str, archive: &[u8]) -> Result<PathBuf> {
    use std::io::Write as _;
    std::fs::create_dir_all(folder)?;
    let path = folder.canonicalize()?.join(format!("{tree}.tar"));
    if path.is_file() {
        return Ok(path);
    }
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(archive)?;
    // Steps run as another user, who must be able to read it.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable)?;
    file.persist(&path)?;
    Ok(path)
}
