//! gitleaks's JSON, version 7 (`lineNumber`, `offender`) and 8 (`StartLine`, `Secret`). What it
//! found is only ever hashed, and its commit messages and match are not read.

use serde::Deserialize;

use super::Input;
use super::field::cut_out;
use crate::collect::{Collector, Draft, Place};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "gitleaks";
/// Use of hard-coded credentials: what every rule of it is about.
pub const HARD_CODED: &str = "CWE-798";

#[derive(Deserialize)]
struct Document(#[serde(deserialize_with = "loose::many")] Vec<Leak>);

#[derive(Deserialize)]
struct Leak {
    #[serde(alias = "RuleID", default, deserialize_with = "or_default")]
    rule: String,
    #[serde(alias = "Description", default, deserialize_with = "or_default")]
    description: String,
    #[serde(alias = "File", default, deserialize_with = "or_default")]
    file: String,
    #[serde(
        alias = "StartLine",
        alias = "lineNumber",
        default,
        deserialize_with = "loose::number"
    )]
    start_line: Option<u32>,
    #[serde(alias = "StartColumn", default, deserialize_with = "loose::number")]
    start_column: Option<u32>,
    #[serde(alias = "Secret", alias = "offender", default, deserialize_with = "or_default")]
    secret: String,
    #[serde(alias = "Commit", default, deserialize_with = "or_default")]
    commit: String,
}

pub fn detect(outline: &Outline) -> bool {
    let all = |keys: &[&str]| keys.iter().all(|key| outline.has_inner("", key)) || outline.has(keys);
    all(&["RuleID", "StartLine"]) || all(&["offender", "rule"])
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let Document(leaks) = input.json("gitleaks's JSON")?;
    for mut leak in leaks {
        cut_out(&leak.secret, [&mut leak.rule, &mut leak.description]);
        let rule = if leak.rule.is_empty() {
            &leak.description
        } else {
            &leak.rule
        };
        let mut draft = Draft::new(SCANNER, rule, rule);
        draft.rule_title = Some(leak.description).filter(|text| !text.is_empty());
        draft.cwes = vec![HARD_CODED.to_owned()];
        draft.secret = collector.secret(&leak.secret);
        draft.own_id = Some(leak.commit);
        draft.place = Place::at(leak.file, leak.start_line, leak.start_column);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}
