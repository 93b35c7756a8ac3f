//! Markers that are found line by line, in any text file: comments, and Kubernetes annotations
//! whether or not the file around them is a template that no YAML reader takes.

use super::claim::Claim;
use super::{MAX_MARKERS, Marker};

/// What begins a claim in a comment.
const WORD: &str = "holdpoint:";
/// What begins a comment, in the languages that repos are written in.
const LEADERS: [&str; 8] = ["#", "//", "/*", "*", "--", ";", "%", "<!--"];
/// What ends one on its own line.
const CLOSERS: [&str; 5] = ["*/}}", "*/", "-->", "#}", "%>"];
/// The annotation.
const KEY: &str = "holdpoint.dev/control";

/// The claims of a file.
pub(super) fn markers(repo: &str, path: &str, text: &str) -> Vec<Marker> {
    let lines = text.lines().zip(1..);
    lines
        .filter_map(|(line, number)| {
            let claim = comment(line).or_else(|| annotation(line))?;
            Some(claim.marker(repo, path, number))
        })
        .take(MAX_MARKERS)
        .collect()
}

fn comment(line: &str) -> Option<Claim> {
    let (before, after) = line.split_once(WORD)?;
    let before = before.trim_end();
    if !LEADERS.iter().any(|leader| before.ends_with(leader)) {
        return None;
    }
    let mut after = after.trim();
    for closer in CLOSERS {
        after = after.strip_suffix(closer).unwrap_or(after).trim_end();
    }
    Claim::parse(after)
}

/// `holdpoint.dev/control: hands-off until 2026-12-01`, in YAML or JSON.
fn annotation(line: &str) -> Option<Claim> {
    let (before, after) = line.split_once(KEY)?;
    let is_comment = before.trim_start().starts_with(['#', '/', ';']);
    let after = after.trim_start_matches(['"', '\'']).trim_start();
    let value = after.strip_prefix([':', '=']).filter(|_| !is_comment)?.trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value.get(1..)?.split(quote).next()?,
        _ => value.split(" #").next()?.trim_end_matches(['}', ',', ' ']),
    };
    if Claim::is_denied(value) {
        return None;
    }
    // Whatever else stands there, somebody meant to hold it.
    Some(Claim::parse(value).unwrap_or_else(|| {
        let mut claim = Claim::of_kind(holdpoint_schemas::control::ControlKind::HandsOff, "");
        claim.unclear = Some(format!("`{}` isn't a kind of control", super::claim::shown(value)));
        claim
    }))
}
