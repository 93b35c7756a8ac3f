//! The contracts that a repo declares, as evidence on a fix.

use holdpoint_contract::{ContractDiff, Kind, Level, overrides};
use holdpoint_runner::contract_check::OpenApiResult;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::estate::ContractConfig;
use holdpoint_schemas::evidence::Side;

use crate::pipeline::contracts::{self, Tree};
use crate::pipeline::mirror::{Mirror, SETTINGS_FILE};

/// Most reasons why contracts couldn't be compared that are told.
const MAX_REASONS: usize = 5;

/// The contracts that the repo declares, compared between the trees of base and candidate as its own rules have it. All must be
/// told: what can't be compared is not without breaking changes.
pub(super) fn compare(
    mirror: &Mirror,
    trees: (&str, &str),
    contract: &ContractConfig,
    at: Timestamp,
) -> Option<OpenApiResult> {
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
        match compare_declared(mirror, trees, kind, path, at) {
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

fn compare_declared(
    mirror: &Mirror,
    (base, candidate): (&str, &str),
    kind: &str,
    path: &str,
    at: Timestamp,
) -> Result<ContractDiff, String> {
    let kind: Kind = kind.parse()?;
    let absent = |side: Side| format!("the {} has no `{path}`", side.as_str());
    let base = Tree::open(&mirror.git, base, kind, path).ok_or_else(|| absent(Side::Baseline))?;
    let candidate = Tree::open(&mirror.git, candidate, kind, path).ok_or_else(|| absent(Side::Candidate))?;
    let side = |sources| contracts::Side { name: path, sources };
    contracts::compare(&side(&base), &side(&candidate), Some(kind), at).map_err(|error| error.one_line())
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_intake::estate::read_repo_settings;
    use tempfile::TempDir;

    const OLD: &str = "openapi: 3.0.3\npaths:\n  /a: {get: {responses: {'200': {description: A}}}}\n";
    const GONE: &str = "openapi: 3.0.3\npaths:\n  /b: {get: {responses: {'200': {description: A}}}}\n";
    const CUT: &str = "openapi: 3.0.3\npaths: [\n";

    fn mirror() -> (TempDir, Mirror) {
        let folder = TempDir::with_prefix("holdpoint-contracts-").unwrap();
        let mirror = Mirror {
            name: "shop".to_owned(),
            path: folder.path().to_owned(),
            git: git2::Repository::init_bare(folder.path()).unwrap(),
        };
        (folder, mirror)
    }

    /// A tree with one file in a folder `api`.
    fn tree(mirror: &Mirror, text: &str) -> String {
        let blob = mirror.git.blob(text.as_bytes()).unwrap();
        let mut api = mirror.git.treebuilder(None).unwrap();
        api.insert("openapi.yaml", blob, 0o100_644).unwrap();
        let mut root = mirror.git.treebuilder(None).unwrap();
        root.insert("api", api.write().unwrap(), 0o040_000).unwrap();
        root.write().unwrap().to_string()
    }

    fn found(base: &str, candidate: &str, settings: &str) -> Option<OpenApiResult> {
        let (_folder, mirror) = mirror();
        let settings = read_repo_settings(".holdpoint.yaml", settings).unwrap();
        let trees = (tree(&mirror, base), tree(&mirror, candidate));
        let at = "2026-03-17T02:30:00Z".parse().unwrap();
        compare(
            &mirror,
            (&trees.0, &trees.1),
            &settings.contract.unwrap_or_default(),
            at,
        )
    }

    const DECLARED: &str = "contract:\n  openapi: api/openapi.yaml\n";

    #[test]
    fn what_is_declared_is_compared_as_a_file_or_a_folder() {
        assert_eq!(found(OLD, GONE, ""), None);
        for declared in [DECLARED, "contract: {openapi: api}"] {
            let Some(OpenApiResult::Compared { breaking }) = found(OLD, GONE, declared) else {
                panic!("it can be compared");
            };
            assert!(breaking[0].contains("/a: "), "{breaking:?}");
        }
        assert_eq!(
            found(OLD, OLD, DECLARED),
            Some(OpenApiResult::Compared { breaking: Vec::new() })
        );
    }

    #[test]
    fn the_repo_s_own_levels_hold_until_their_last_day() {
        let Some(OpenApiResult::Compared { breaking }) = found(OLD, GONE, DECLARED) else {
            panic!()
        };
        assert_eq!(breaking.len(), 1);
        let rules = |rule: &str, expires: &str| {
            format!("{DECLARED}  rules:\n    - {{rule: {rule}, level: info, reason: unused, expires: {expires}}}\n")
        };
        let id = "api-path-removed-without-deprecation";
        assert_eq!(
            found(OLD, GONE, &rules(id, "2026-03-17")),
            Some(OpenApiResult::Compared { breaking: Vec::new() })
        );
        assert!(matches!(
            found(OLD, GONE, &rules(id, "2026-03-16")),
            Some(OpenApiResult::Compared { breaking }) if breaking.len() == 1
        ));
        assert!(matches!(
            found(OLD, GONE, &rules("api-path-remved", "2026-12-31")),
            Some(OpenApiResult::Unreadable { reason }) if reason.contains("api-path-remved")
        ));
    }

    #[test]
    fn what_cannot_be_compared_is_never_without_breaking_changes() {
        let unread = |base: &str, candidate: &str, settings: &str| match found(base, candidate, settings) {
            Some(OpenApiResult::Unreadable { reason }) => reason,
            other => panic!("{other:?}"),
        };
        assert!(unread(OLD, CUT, DECLARED).contains("api/openapi.yaml:"));
        assert!(unread(OLD, OLD, "contract: {openapi: gone.yaml}").contains("the baseline has no `gone.yaml`"));
        let both = "contract: {openapi: api/openapi.yaml, asyncapi: events.yaml}";
        assert!(unread(OLD, OLD, both).contains("events.yaml"));
        // What surely breaks does so, whatever else can't be compared.
        assert!(matches!(
            found(OLD, GONE, both),
            Some(OpenApiResult::Compared { breaking }) if breaking.len() == 1
        ));
    }
}
