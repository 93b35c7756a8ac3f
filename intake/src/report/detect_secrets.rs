//! detect-secrets's baseline (`detect-secrets scan`). Its plain SHA-1 of a secret is never kept: a
//! short secret can be guessed from it.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use super::field::cut_out;
use super::gitleaks::HARD_CODED;
use crate::collect::{Collector, Draft, Place};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "detect-secrets";

#[derive(Deserialize)]
struct Document {
    /// By file.
    #[serde(default, deserialize_with = "or_default")]
    results: BTreeMap<String, Vec<Leak>>,
}

#[derive(Deserialize)]
struct Leak {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    hashed_secret: String,
    #[serde(default, deserialize_with = "loose::number")]
    line_number: Option<u32>,
    /// What an audit said.
    is_secret: Option<bool>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["results", "plugins_used"])
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("detect-secrets's baseline")?;
    for (path, leaks) in document.results {
        for mut leak in leaks {
            cut_out(&leak.hashed_secret, [&mut leak.kind]);
            if leak.is_secret == Some(false) {
                collector.skip(&format!("{path}: {} was audited: no secret", leak.kind));
                continue;
            }
            let mut draft = Draft::new(SCANNER, &leak.kind, &leak.kind);
            draft.rule_title = Some(format!("{}: possible secret", leak.kind));
            draft.cwes = vec![HARD_CODED.to_owned()];
            draft.secret = collector.secret(&leak.hashed_secret);
            draft.place = Place::at(path.clone(), leak.line_number, None);
            collector.push(draft)?;
        }
    }
    Ok(SCANNER.to_owned())
}
