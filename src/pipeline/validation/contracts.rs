//! The contracts that a repo declares, as evidence on a fix.

use holdpoint_contract::{ContractDiff, Kind, Level, overrides};
use holdpoint_runner::contract_check::OpenApiResult;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::estate::ContractConfig;
use holdpoint_schemas::evidence::Side;
use holdpoint_schemas::fix::Fix;

use crate::pipeline::contracts::{self, Tree};
use crate::pipeline::mirror::{Mirror, SETTINGS_FILE};

/// Most reasons why contracts couldn't be compared that are told.
const MAX_REASONS: usize = 5;

/// The contracts that the repo declares, compared between base and candidate as its own rules have it. All must be
/// told: what can't be compared is not without breaking changes.
pub(super) fn compare(mirror: &Mirror, fix: &Fix, contract: &ContractConfig, at: Timestamp) -> Option<OpenApiResult> {
    let declared = contract.declared();
    if declared.is_empty() {
        return None;
    }
    if let Err(error) = overrides::check(SETTINGS_FILE, &contract.rules) {
        return Some(OpenApiResult::Unreadable {
            reason: error.one_line(),
        });
    }
    let (mut breaking, mut unclear) = (Vec::new(), Vec::new());
    for (kind, path) in declared {
        match compare_declared(mirror, fix, kind, path) {
            Ok(diff) => {
                let judged = overrides::judge(diff, &contract.rules, at).diff;
                let errors = judged.changes.iter().filter(|change| change.level == Level::Error);
                breaking.extend(errors.map(|change| {
                    let words = [change.operation.as_str(), &change.path].join(" ");
                    format!("{}: {}", words.trim(), change.text)
                }));
                let gaps = judged.gaps.iter();
                unclear.extend(gaps.map(|gap| format!("`{path}` at {}: {}", gap.place, gap.text)));
            }
            Err(reason) => unclear.push(reason),
        }
    }
    Some(match unclear.len() {
        0 => OpenApiResult::Compared { breaking },
        // What surely breaks does so, whatever else couldn't be compared.
        _ if !breaking.is_empty() => OpenApiResult::Compared { breaking },
        number => {
            unclear.truncate(MAX_REASONS);
            let more = number.saturating_sub(MAX_REASONS);
            let more = if more > 0 {
                format!("; and {more} more")
            } else {
                String::new()
            };
            OpenApiResult::Unreadable {
                reason: format!("{}{more}", unclear.join("; ")),
            }
        }
    })
}

fn compare_declared(mirror: &Mirror, fix: &Fix, kind: &str, path: &str) -> Result<ContractDiff, String> {
    let kind: Kind = kind.parse()?;
    let open = |tree: &'_ str, side: Side| {
        let sources = Tree::open(mirror, tree, kind, path);
        sources.ok_or_else(|| format!("the {} has no `{path}`", side.as_str()))
    };
    let base = open(&fix.base_tree, Side::Baseline)?;
    let candidate = open(&fix.candidate_tree, Side::Candidate)?;
    let side = |sources| contracts::Side { name: path, sources };
    contracts::compare(&side(&base), &side(&candidate), Some(kind)).map_err(|error| error.one_line())
}
