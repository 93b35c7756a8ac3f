//! Freezes: adding one, and listing what the calendar holds.

use anyhow::Result;
use holdpoint_forge::git::Signing;
use holdpoint_intake::calendar::{Kind, add_freeze};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::control::Freeze;
use holdpoint_schemas::service::Catalogue;
use jiff::SignedDuration;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

use super::moments::End;
use super::{MAX_SUBJECT, Message, Recorded, name, named, record, sentence, whole_second};
use crate::failure::BadInput;
use crate::output::text::{list as words, shorten};
use crate::pipeline::estate::{Source, calendar, catalogue, config, read_text};

/// How far ahead the calendar is listed.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Most names that are listed where one isn't known.
const MAX_NAMES: usize = 20;

/// A freeze as it was asked for.
pub struct NewFreeze {
    /// Name for people.
    pub name: String,
    /// Services; `*` is all.
    pub services: Vec<String>,
    /// Environments; none is all.
    pub environments: Vec<String>,
    /// When it begins; now, unless said.
    pub from: Option<Timestamp>,
    /// When it ends.
    pub end: End,
}

/// An entry of the calendar, as it applies next.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// `freeze`, `window` or `business`.
    pub kind: &'static str,
    /// Name for people.
    pub name: String,
    /// Services it covers; `*` covers all.
    pub services: Vec<String>,
    /// Environments it covers; empty covers all.
    pub environments: Vec<String>,
    /// When it begins, or began.
    pub from: Timestamp,
    /// First moment after it.
    pub until: Timestamp,
    /// Whether it applies now.
    pub active: bool,
    /// File and line.
    pub place: String,
}

/// A freeze that was added.
pub struct Added {
    /// The freeze.
    pub freeze: Freeze,
    /// Where it was written.
    pub recorded: Recorded,
    /// Why its names couldn't be held against the catalogue, if they couldn't.
    pub unchecked: Option<String>,
}

/// Adds a freeze to the estate's calendar and commits that. Services and environments that the
/// catalogue doesn't know are refused: a freeze of a misspelt name would hold nothing.
///
/// # Errors
/// When a value can't be used, the calendar can't be read, or as [`record`] says.
pub fn add(root: &Path, now: Timestamp, new: &NewFreeze, signing: Signing) -> Result<Added> {
    let (root, config) = config(root)?;
    let file = named(config.calendar.as_ref(), "calendar")?;
    let now = whole_second(now);
    let from = new.from.unwrap_or(now);
    let freeze = Freeze {
        name: sentence("NAME", &new.name)?,
        services: names("--services", &new.services)?,
        environments: names("--environments", &new.environments)?,
        from,
        until: new.end.of(from, now)?,
    };
    // Where the catalogue can't be read, names can't be checked; the freeze is needed all the same.
    let unchecked = match catalogue(&mut Vec::new(), &mut Vec::new(), &root, &config) {
        Source::Known(catalogue) => {
            check_names(&freeze, &catalogue)?;
            None
        }
        Source::Unknown(why) => Some(why),
    };
    let (freeze, recorded) = record(&root, file, signing, |text| {
        let new = add_freeze(file, text, &freeze)?;
        // With iCalendar files and all: in a calendar that can't be read no freeze is known.
        calendar(&root, file, &new)?;
        let message = message(&freeze);
        Ok((new, message, freeze))
    })?;
    Ok(Added {
        freeze,
        recorded,
        unchecked,
    })
}

/// What the calendar holds now and in the next 30 days, the soonest first.
///
/// # Errors
/// When the estate names no calendar, or it can't be read or followed.
pub fn list(root: &Path, now: Timestamp) -> Result<Vec<Listed>> {
    let (root, config) = config(root)?;
    let file = named(config.calendar.as_ref(), "calendar")?;
    let calendar = calendar(&root, file, &read_text(&root, file)?)?;
    let entries = calendar
        .upcoming(now, AHEAD)
        .map_err(|why| BadInput::new(why, format!("correct `{file}`; until then its facts are unknown")))?;
    let listed = entries.into_iter().map(|entry| Listed {
        kind: match entry.kind {
            Kind::Freeze => "freeze",
            Kind::Window => "window",
            Kind::Business => "business",
        },
        name: entry.name.to_owned(),
        services: entry.services.to_vec(),
        environments: entry.environments.to_vec(),
        from: entry.next.from,
        until: entry.next.until,
        active: entry.next.from <= now,
        place: entry.place.to_owned(),
    });
    Ok(listed.collect())
}

fn names(what: &str, all: &[String]) -> Result<Vec<String>> {
    all.iter().map(|one| name(what, one.trim())).collect()
}

fn check_names(freeze: &Freeze, catalogue: &Catalogue) -> Result<(), BadInput> {
    let services: BTreeSet<&str> = catalogue.services.iter().map(|service| service.id.as_str()).collect();
    let unknown = |service: &&String| *service != "*" && !services.contains(service.as_str());
    if let Some(service) = freeze.services.iter().find(unknown) {
        return Err(BadInput::new(
            format!("the catalogue has no service `{service}`"),
            format!("it has {}; `'*'` covers all", shown(&services)),
        ));
    }
    let deployments = catalogue
        .services
        .iter()
        .filter_map(|service| service.deployments.as_ref());
    let environments: BTreeSet<&str> = deployments
        .flatten()
        .map(|deployment| deployment.environment.as_str())
        .collect();
    let unknown = |environment: &&String| !environments.is_empty() && !environments.contains(environment.as_str());
    if let Some(environment) = freeze.environments.iter().find(unknown) {
        return Err(BadInput::new(
            format!("no service is deployed to an environment `{environment}`"),
            format!(
                "they are deployed to {}; without `--environments` all are covered",
                shown(&environments)
            ),
        ));
    }
    Ok(())
}

fn shown(names: &BTreeSet<&str>) -> String {
    words(
        &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
        MAX_NAMES,
    )
}

fn message(freeze: &Freeze) -> Message {
    let services = if freeze.services.iter().any(|service| service == "*") {
        "all services".to_owned()
    } else {
        words(&freeze.services, 3)
    };
    let environments = if freeze.environments.is_empty() {
        "all".to_owned()
    } else {
        freeze.environments.join(", ")
    };
    Message {
        subject: shorten(&format!("Freeze {services}: {}", freeze.name), MAX_SUBJECT),
        body: format!(
            "From {} until {}.\nServices: {}\nEnvironments: {environments}",
            freeze.from,
            freeze.until,
            freeze.services.join(", "),
        ),
    }
}
