//! Controls: adding one, ending one, listing them.

use anyhow::Result;
use holdpoint_forge::git::Signing;
use holdpoint_intake::controls::{add_control, expire_control};
use holdpoint_intake::estate::read_controls;
use holdpoint_schemas::control::{Control, ControlKind};
use holdpoint_schemas::{SourceError, Timestamp};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::path::Path;

use super::moments::End;
use super::{MAX_SUBJECT, Message, Recorded, name, named, owner, record, sentence, whole_second};
use crate::failure::BadInput;
use crate::output::text::shorten;
use crate::pipeline::estate::{config, read_text, repo};

/// How long a break-glass change is held when nobody says: long enough to bring it into code.
const BREAK_GLASS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A control as it was asked for.
pub struct NewControl {
    /// Kind.
    pub kind: ControlKind,
    /// Repo that it is about.
    pub repo: String,
    /// Resource that it holds.
    pub address: Option<String>,
    /// File or folder that it holds.
    pub path: Option<String>,
    /// Why.
    pub reason: String,
    /// What it protects.
    pub protects: Option<String>,
    /// Its id, unless one is to be made up.
    pub id: Option<String>,
    /// Who makes it, unless git's identity does.
    pub by: Option<String>,
    /// When it ends; a break-glass control has a default.
    pub end: Option<End>,
}

/// Where a control stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It binds.
    Active,
    /// It will.
    Upcoming,
    /// It did.
    Ended,
}

/// A control of the estate's file.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// The control.
    #[serde(flatten)]
    pub control: Control,
    /// Where it stands.
    pub standing: Standing,
}

/// Adds a control to the estate's file and commits that.
///
/// # Errors
/// When the estate has no such repo, a value can't be used, or as [`record`] says.
pub fn add(root: &Path, now: Timestamp, new: &NewControl, signing: Signing) -> Result<(Control, Recorded)> {
    let (root, config) = config(root)?;
    let file = named(config.controls.as_ref(), "controls")?;
    repo(&config, &new.repo)?;
    let since = whole_second(now);
    let mut control = Control {
        id: new
            .id
            .as_deref()
            .map(|id| name("--id", id))
            .transpose()?
            .unwrap_or_default(),
        kind: new.kind,
        repo: new.repo.clone(),
        address: new
            .address
            .as_deref()
            .map(|address| name("--address", address))
            .transpose()?,
        path: new.path.as_deref().map(|path| name("--path", path)).transpose()?,
        owner: owner(&root, new.by.as_deref())?,
        reason: sentence("--reason", &new.reason)?,
        protects: new
            .protects
            .as_deref()
            .map(|what| sentence("--protects", what))
            .transpose()?,
        since,
        until: ending(new)?.of(since, since)?,
    };
    record(&root, file, signing, |text| {
        let is_blank = text.lines().all(|line| line.trim().is_empty() || line.starts_with('#'));
        let known = if is_blank {
            Vec::new()
        } else {
            read_controls(file, text)?.controls
        };
        if control.id.is_empty() {
            control.id = unused_id(&known, control.kind, since);
        } else if known.iter().any(|known| known.id == control.id) {
            return Err(BadInput::new(
                format!("there is a control `{}` already", control.id),
                "leave `--id` out to have one made up, or end the other with `holdpoint control expire`",
            )
            .into());
        }
        // What is wrong with the new entry is told of it, not of a line that nobody has written.
        let new = add_control(file, text, &control).map_err(|error| SourceError {
            span: None,
            position: None,
            ..*error
        })?;
        let message = message("Hold", &control, &control.reason, &format!("until {}", control.until));
        Ok((new, message, control))
    })
}

/// Ends a control now and commits that.
///
/// # Errors
/// When there is no such control or it has ended, or as [`record`] says.
pub fn expire(
    root: &Path,
    now: Timestamp,
    id: &str,
    reason: Option<&str>,
    signing: Signing,
) -> Result<(Control, Recorded)> {
    let (root, config) = config(root)?;
    let file = named(config.controls.as_ref(), "controls")?;
    let reason = reason.map(|reason| sentence("--reason", reason)).transpose()?;
    let now = whole_second(now);
    record(&root, file, signing, |text| {
        let new = expire_control(file, text, id, now)?;
        let control = read_controls(file, &new)?
            .controls
            .into_iter()
            .find(|control| control.id == id)
            .ok_or_else(|| BadInput::new(format!("there is no control `{id}`"), "try again"))?;
        let why = reason.as_deref().unwrap_or("the control is ended");
        let when = format!("ended at {now}: {why}");
        let message = message("Release", &control, why, &when);
        Ok((new, message, control))
    })
}

/// The controls of the estate's file: those that bind first, by their end.
///
/// # Errors
/// When the estate names no such file, or it can't be read.
pub fn list(root: &Path, now: Timestamp) -> Result<Vec<Listed>> {
    let (root, config) = config(root)?;
    let file = named(config.controls.as_ref(), "controls")?;
    let controls = read_controls(file, &read_text(&root, file)?)?.controls;
    let mut listed: Vec<Listed> = controls
        .into_iter()
        .map(|control| Listed {
            standing: standing(&control, now),
            control,
        })
        .collect();
    listed.sort_by_key(|listed| (listed.standing, listed.control.until));
    Ok(listed)
}

fn standing(control: &Control, now: Timestamp) -> Standing {
    if control.active(now) {
        Standing::Active
    } else if now < control.since {
        Standing::Upcoming
    } else {
        Standing::Ended
    }
}

fn ending(new: &NewControl) -> Result<End, BadInput> {
    match (new.end, new.kind) {
        (Some(end), _) => Ok(end),
        (None, ControlKind::BreakGlass) => Ok(End::After(BREAK_GLASS)),
        (None, kind) => Err(BadInput::new(
            format!("nobody says how long the {} control holds", kind.as_str()),
            "say `--for 30d` or `--until 2026-12-01`; only break-glass has a default, 7 days",
        )),
    }
}

/// `BG-2026-11-22-1`: kind, day and the lowest number that is free.
fn unused_id(known: &[Control], kind: ControlKind, now: Timestamp) -> String {
    let prefix = match kind {
        ControlKind::BreakGlass => "BG",
        ControlKind::Compensating => "CC",
        ControlKind::HandsOff => "HO",
    };
    let day = now.to_zoned(TimeZone::UTC).date();
    let mut number = 1_u64;
    loop {
        let id = format!("{prefix}-{day}-{number}");
        if known.iter().all(|control| control.id != id) {
            return id;
        }
        number += 1;
    }
}

fn message(verb: &str, control: &Control, why: &str, when: &str) -> Message {
    let what = control.address.as_ref().or(control.path.as_ref());
    let what = what.map_or(control.repo.as_str(), String::as_str);
    Message {
        subject: shorten(&format!("{verb} {what}: {why}"), MAX_SUBJECT),
        body: format!(
            "{} control {} on the repo {}, {when}.\nOwner: {}\nReason: {}",
            control.kind.as_str(),
            control.id,
            control.repo,
            control.owner,
            control.reason,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_kind_day_and_the_first_free_number() {
        let now: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let control = |id: &str| Control {
            id: id.to_owned(),
            kind: ControlKind::BreakGlass,
            repo: "infra".to_owned(),
            address: None,
            path: Some("x".to_owned()),
            owner: "ana".to_owned(),
            reason: "r".to_owned(),
            protects: None,
            since: now,
            until: now,
        };
        let known = ["BG-2026-11-22-1", "BG-2026-11-22-3", "HO-2026-11-22-1"].map(control);
        assert_eq!(unused_id(&known, ControlKind::BreakGlass, now), "BG-2026-11-22-2");
        assert_eq!(unused_id(&known, ControlKind::HandsOff, now), "HO-2026-11-22-2");
        assert_eq!(unused_id(&[], ControlKind::Compensating, now), "CC-2026-11-22-1");
    }
}
