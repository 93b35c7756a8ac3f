//! Changes of a YAML list as text, so that comments and layout stay: for commands that people type at
//! three in the morning. What comes out is read again and compared before it is handed on.

use holdpoint_schemas::control::Control;
use holdpoint_schemas::{SourceError, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serde_yaml::Spanned;

use crate::error::SourceResult;
use crate::estate::{plain_control, read_controls, read_yaml};

/// Adds a control to the text of `controls.yaml` (which may be empty), after the last one.
///
/// # Errors
/// When the text can't be read, has the id already, or is laid out so that adding isn't safe; and when
/// the control is about nothing or ends before it begins.
pub fn add_control(file: &str, text: &str, control: &Control) -> SourceResult<String> {
    let control = &plain_control(control.clone());
    // The whole repo has a spelling that can be read again.
    let path = control
        .path
        .as_deref()
        .map(|path| if path.is_empty() { "." } else { path });
    let fields = [
        ("id", Some(control.id.as_str())),
        ("kind", Some(control.kind.as_str())),
        ("repo", Some(&control.repo)),
        ("address", control.address.as_deref()),
        ("path", path),
        ("owner", Some(&control.owner)),
        ("reason", Some(&control.reason)),
        ("protects", control.protects.as_deref()),
        ("since", Some(&control.since.to_string())),
        ("until", Some(&control.until.to_string())),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, Value::from(value?))))
    .collect::<Vec<_>>();
    let new = append(file, text, "controls", &fields)?;
    let read = read_controls(file, &new)?;
    if read.controls.last() == Some(control) {
        Ok(new)
    } else {
        Err(unsafe_layout(file, "controls"))
    }
}

/// Ends a control at `now`, in the text of `controls.yaml`.
///
/// # Errors
/// When the text can't be read, there is no such control, it has ended, or hasn't begun.
pub fn expire_control(file: &str, text: &str, id: &str, now: Timestamp) -> SourceResult<String> {
    #[derive(Deserialize)]
    struct Ends {
        controls: Vec<End>,
    }
    #[derive(Deserialize)]
    struct End {
        id: String,
        until: Spanned<String>,
    }
    let mut wanted = read_controls(file, text)?;
    let fail = |message: String, help: &str| Box::new(SourceError::new(file, message).help(help));
    let Some(control) = wanted.controls.iter_mut().find(|control| control.id == id) else {
        let help = "list them with `holdpoint control list`; a claim from a commit or a comment isn't in this file";
        return Err(fail(format!("there is no control `{id}`"), help));
    };
    if control.until <= now {
        return Err(fail(
            format!("the control `{id}` ended at {}", control.until),
            "nothing is left to do",
        ));
    }
    if now <= control.since {
        let message = format!("the control `{id}` begins at {}", control.since);
        return Err(fail(message, "delete its entry instead"));
    }
    control.until = now;
    let ends: Ends = read_yaml(file, text)?;
    let place = ends
        .controls
        .iter()
        .find(|control| control.id.trim() == id)
        .map(|control| control.until.defined);
    let new = place.and_then(|place| replaced(text, place, &now.to_string()));
    match new {
        Some(new) if read_controls(file, &new).is_ok_and(|read| read == wanted) => Ok(new),
        _ => Err(unsafe_layout(file, "controls")),
    }
}

/// Appends an entry to the top-level list `key` of a YAML file.
pub(crate) fn append(file: &str, text: &str, key: &str, fields: &[(&str, Value)]) -> SourceResult<String> {
    let is_empty = text.lines().all(|line| line.trim().is_empty() || line.starts_with('#'));
    let before: Value = if is_empty {
        Value::Object(serde_json::Map::new())
    } else {
        read_yaml(file, text)?
    };
    let new = appended(text, key, fields).ok_or_else(|| unsafe_layout(file, key))?;
    let after: Value = read_yaml(file, &new)?;
    let entry: Value = fields
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    if is_with(before, key, entry).as_ref() == Some(&after) {
        Ok(new)
    } else {
        Err(unsafe_layout(file, key))
    }
}

/// A file's value with one more entry in a list.
fn is_with(mut file: Value, key: &str, entry: Value) -> Option<Value> {
    let list = file.as_object_mut()?.entry(key).or_insert(Value::Null);
    match list {
        Value::Null => *list = Value::Array(vec![entry]),
        Value::Array(list) => list.push(entry),
        _ => return None,
    }
    Some(file)
}

fn unsafe_layout(file: &str, key: &str) -> Box<SourceError> {
    let message = format!("the list `{key}` is laid out so that it can't be edited safely");
    Box::new(
        SourceError::new(file, message)
            .help("write each entry on lines of its own after `- `, or edit the file by hand"),
    )
}

fn appended(text: &str, key: &str, fields: &[(&str, Value)]) -> Option<String> {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let head = lines
        .iter()
        .position(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    let Some(head) = head else {
        let gap = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            end
        };
        return Some(format!("{text}{gap}{key}:{end}{}", entry("  ", fields, end)));
    };
    let (_, rest) = lines.get(head)?.split_once(':')?;
    let value = rest.split(" #").next()?.trim();
    let mut new: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if value == "[]" {
        *new.get_mut(head)? = format!("{key}:{}", rest.replacen("[]", "", 1).trim_end_matches([' ', '\t']));
        if rest.trim() == "[]" {
            *new.get_mut(head)? = format!("{key}:{end}");
        }
    } else if !value.is_empty() {
        return None;
    }
    let body = lines.get(head + 1..)?;
    let belongs = |line: &&&str| {
        let plain = line.trim_end();
        plain.is_empty() || plain.starts_with([' ', '#']) || plain == "-" || plain.starts_with("- ")
    };
    let held: Vec<&&str> = body.iter().take_while(belongs).collect();
    let indent = held
        .iter()
        .find(|line| line.trim_start().starts_with('-'))
        .map_or("  ", |line| {
            line.get(..line.len() - line.trim_start().len()).unwrap_or("  ")
        });
    // Comments at the margin after the last entry are about what follows.
    let last = held
        .iter()
        .rposition(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let at = head + 1 + last.map_or(0, |last| last + 1);
    if let Some(line) = new.get_mut(at.checked_sub(1)?).filter(|line| !line.ends_with('\n')) {
        line.push_str(end);
    }
    new.insert(at, entry(indent, fields, end));
    Some(new.concat())
}

/// One entry of a list. JSON is YAML, so JSON's quotes are safe for any text.
fn entry(indent: &str, fields: &[(&str, Value)], end: &str) -> String {
    let lines = fields.iter().enumerate().map(|(index, (key, value))| {
        let dash = if index == 0 { "- " } else { "  " };
        format!("{indent}{dash}{key}: {}{end}", shown(value))
    });
    lines.collect()
}

/// A value in YAML: words plainly, all else in quotes.
fn shown(value: &Value) -> String {
    let plain = |text: &str| {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | ' ' | '+');
        let typed =
            ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
        text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.ends_with(' ') && text.chars().all(safe) && !typed
    };
    match value {
        Value::String(text) if plain(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The text with the scalar at a place replaced by a quoted one.
fn replaced(text: &str, place: serde_yaml::Location, with: &str) -> Option<String> {
    let index = usize::try_from(place.line()).ok()?.checked_sub(1)?;
    let column = usize::try_from(place.column()).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
    let line = text.get(start..)?.lines().next()?;
    let at = start + line.char_indices().nth(column)?.0;
    let rest = text.get(at..start + line.len())?;
    let length = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest.get(1..)?.find(quote)? + 2,
        _ => rest.find(" #").or_else(|| rest.find([',', '}'])).unwrap_or(rest.len()),
    };
    let kept = rest.get(..length)?.trim_end().len();
    Some(format!("{}\"{with}\"{}", text.get(..at)?, text.get(at + kept..)?))
}
