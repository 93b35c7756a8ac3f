//! truffleHog's JSON, one object per line: version 3 (`DetectorName`) and 2 (`stringsFound`). What
//! it found is only ever hashed, and the diff and the commit's message are not read.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use super::gitleaks::HARD_CODED;
use crate::collect::{Collector, Draft, Place};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "trufflehog";

#[derive(Deserialize)]
struct Leak {
    #[serde(rename = "DetectorName", default, deserialize_with = "or_default")]
    detector: String,
    #[serde(rename = "Verified", default, deserialize_with = "loose::truth")]
    verified: bool,
    #[serde(rename = "Raw", default, deserialize_with = "or_default")]
    raw: String,
    #[serde(rename = "SourceMetadata", default, deserialize_with = "or_default")]
    metadata: Metadata,
    // Version 2.
    #[serde(default, deserialize_with = "or_default")]
    reason: String,
    #[serde(default, deserialize_with = "or_default")]
    path: String,
    #[serde(rename = "commitHash", default, deserialize_with = "or_default")]
    commit: String,
    #[serde(rename = "stringsFound", default, deserialize_with = "or_default")]
    strings: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    /// By the kind of source: `Git`, `Filesystem`, `Github`, …
    #[serde(rename = "Data", default, deserialize_with = "or_default")]
    data: BTreeMap<String, Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    #[serde(default, deserialize_with = "loose::number")]
    line: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    commit: String,
}

/// One line is an object; a tool may also have put the lines into a list.
pub fn detect(outline: &Outline) -> bool {
    [["DetectorName", "SourceMetadata"], ["stringsFound", "reason"]]
        .iter()
        .any(|keys| outline.has(keys) || keys.iter().all(|key| outline.has_inner("", key)))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let expected = "truffleHog's JSON";
    let mut take = |leak: Leak| {
        // Lines of its log are between them where both outputs went to one file.
        if leak.detector.is_empty() && leak.reason.is_empty() {
            return Ok(());
        }
        let draft = draft(leak, collector);
        collector.push(draft)
    };
    if input.begins_with('[') {
        input.json::<Vec<Leak>>(expected)?.into_iter().try_for_each(take)?;
    } else {
        input.stream(expected, &mut take)?;
    }
    Ok(SCANNER.to_owned())
}

fn draft(leak: Leak, collector: &Collector<'_>) -> Draft {
    let rule = if leak.detector.is_empty() {
        &leak.reason
    } else {
        &leak.detector
    };
    let mut draft = Draft::new(SCANNER, rule, rule);
    draft.rule_title = Some(if leak.verified {
        format!("{rule}: a secret that is in use (verified)")
    } else {
        format!("{rule}: possible secret")
    });
    draft.cwes = vec![HARD_CODED.to_owned()];
    draft.secret = collector.secret(&if leak.raw.is_empty() {
        leak.strings.concat()
    } else {
        leak.raw
    });
    let source = leak.metadata.data.into_values().next();
    let (path, line, commit) = match source {
        Some(source) => (source.file, source.line, source.commit),
        None => (leak.path, None, leak.commit),
    };
    draft.own_id = Some(commit);
    draft.place = Place::at(path, line, None);
    draft
}
