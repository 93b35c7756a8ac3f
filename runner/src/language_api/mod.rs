//! The tool that each ecosystem trusts with the difference of two versions of a library, run in the sandbox without a
//! network; what it prints is handed on as data. One adapter per file, one line in [`ADAPTERS`].

mod griffe;
mod semver_checks;
mod typescript;

use holdpoint_schemas::evidence::{Side, StepEnd};
use std::collections::BTreeMap;

use crate::sandbox::{Limits, REPORT_DIR, Sandbox, WORKSPACE_DIR, WorkspaceId};
use crate::step;
use crate::verdict::describe_end;

/// Most bytes of one file that a tool leaves.
const MAX_REPORT_BYTES: usize = 64 << 20;

/// One tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adapter {
    /// Language, as `--kind` names it.
    pub language: &'static str,
    /// Name of the tool, for people.
    pub tool: &'static str,
    /// Shell text: finds the versions in `old` and `new`, and leaves `version` and the other reports in `$reports`.
    script: &'static str,
    /// What it leaves, besides its version.
    reports: &'static [&'static str],
    /// Name of a script that it runs, and its text, where it comes with one.
    program: Option<(&'static str, &'static str)>,
}

/// Every tool that is known.
pub const ADAPTERS: [Adapter; 3] = [semver_checks::ADAPTER, griffe::ADAPTER, typescript::ADAPTER];

impl Adapter {
    /// The tool for a language.
    #[must_use]
    pub fn of(language: &str) -> Option<&'static Self> {
        ADAPTERS.iter().find(|adapter| adapter.language == language)
    }

    fn command(&self, package: &str) -> String {
        let quoted = package.replace('\'', "");
        let mut command =
            format!("set -u\nreports={REPORT_DIR}/language-api\npackage='{quoted}'\nmkdir -p \"$reports\" || exit 1\n");
        if let Some((name, text)) = self.program {
            let place = format!("\"$reports/{name}\"");
            command.push_str(&format!("cat >{place} <<'HOLDPOINT_END'\n{text}\nHOLDPOINT_END\n"));
        }
        command.push_str(self.script);
        command
    }
}

/// What a tool said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolOutput {
    /// Its name.
    pub tool: &'static str,
    /// Its version, as it says it.
    pub version: String,
    /// Its reports by name.
    pub reports: BTreeMap<&'static str, String>,
}

/// Runs a language's tool over a tree that holds one version of a package in `old` and another in `new`, given as an
/// uncompressed tar archive. `package` is the name that the tool needs: for Python, what is imported.
///
/// # Errors
/// In words for people, why there is no answer: no such tool, a tool that isn't there, a run that failed.
pub async fn run(
    sandbox: &dyn Sandbox,
    language: &str,
    package: &str,
    archive: &[u8],
    limits: &Limits,
) -> Result<ToolOutput, String> {
    let adapter = Adapter::of(language).ok_or_else(|| format!("no tool is known for `{language}`"))?;
    let workspace = sandbox.workspace(archive).await.map_err(|error| error.to_string())?;
    let answer = in_workspace(sandbox, &workspace, adapter, package, limits).await;
    if let Err(error) = sandbox.remove(workspace).await {
        tracing::warn!("a workspace was left behind for the next sweep: {error}");
    }
    answer
}

async fn in_workspace(
    sandbox: &dyn Sandbox,
    workspace: &WorkspaceId,
    adapter: &'static Adapter,
    package: &str,
    limits: &Limits,
) -> Result<ToolOutput, String> {
    let name = format!("contract:{}", adapter.tool);
    let spec = step::spec(&name, &adapter.command(package), Side::Candidate, limits);
    let outcome = sandbox.run(workspace, &spec, &|_| {}).await;
    match &outcome.end {
        StepEnd::MissingTool => {
            return Err(format!("`{}` is not installed where it would run", adapter.tool));
        }
        end if !end.is_success() => {
            let last = outcome.tail.lines().last().unwrap_or_default();
            return Err(format!("`{}` failed ({}): {last}", adapter.tool, describe_end(end)));
        }
        _ => {}
    }
    let folder = REPORT_DIR.trim_start_matches(WORKSPACE_DIR).trim_start_matches('/');
    let read = async |name: &str| {
        let path = format!("{folder}/language-api/{name}");
        let bytes = sandbox
            .read_file(workspace, &path, MAX_REPORT_BYTES)
            .await
            .map_err(|error| error.to_string())?;
        bytes
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .ok_or_else(|| format!("`{}` left no `{name}`", adapter.tool))
    };
    let version = read("version").await?.trim().to_owned();
    let mut reports = BTreeMap::new();
    for report in adapter.reports {
        reports.insert(*report, read(report).await?);
    }
    Ok(ToolOutput {
        tool: adapter.tool,
        version,
        reports,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_language_of_its_own_and_leaves_its_version() {
        for adapter in &ADAPTERS {
            assert_eq!(Adapter::of(adapter.language), Some(adapter));
            assert!(adapter.script.contains("$reports/version"), "{}", adapter.tool);
            for report in adapter.reports {
                assert!(adapter.script.contains(report), "{report}");
            }
        }
    }

    #[test]
    fn a_name_can_t_leave_its_quotes() {
        let adapter = Adapter::of("python").unwrap();
        assert!(adapter.command("a'; rm -rf /; '").contains("package='a; rm -rf /; '\n"));
    }
}
