//! Reports without any content. A cut-off report must not pass as a clean one, so nothing is taken for "no findings"
//! unless the file's name says which tool wrote it.

use super::Input;
use crate::collect::Collector;
use crate::error::SourceResult;

/// Tools that write nothing at all when they have nothing to say, by the words in the file's path.
const SILENT: [&str; 3] = ["osv-scanner", "yarn", "trufflehog"];
/// Tools whose report is a list, so that `[]` is a whole report without findings.
const LISTS: [&str; 8] = [
    "dependabot",
    "dependency-track",
    "pip-audit",
    "snyk",
    "trivy",
    "gitleaks",
    "code-scanning",
    "trufflehog",
];

/// Reads a file of white space.
pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let Some(tool) = named(input.file, &SILENT) else {
        let help = "check that the scanner ran; a tool that writes nothing when it finds nothing is known by its name \
                    in the file's path, for example `osv-scanner.json`";
        let message = "the file is empty; expected a scanner's report".to_owned();
        return Err(input.error_at(1, message, help));
    };
    collector.skip(&format!("the file is empty, as {tool} leaves it when it finds nothing"));
    Ok(tool.to_owned())
}

/// Reads the document `[]`.
pub fn read_list(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let Some(tool) = named(input.file, &LISTS) else {
        let help = "name the tool in the file's path, for example `dependabot.json`, if it writes a list";
        let message = "an empty list, which many tools write; expected a report that names its tool".to_owned();
        return Err(input.error_at(1, message, help));
    };
    collector.skip(&format!("an empty list, taken as {tool}'s by the file's name"));
    Ok(tool.to_owned())
}

/// The first of the tools that the path names, with any of `-`, `_`, `.` and space between the words.
fn named(path: &str, tools: &[&'static str]) -> Option<&'static str> {
    let path = path.to_ascii_lowercase().replace(['_', ' ', '.'], "-");
    tools.iter().find(|tool| path.contains(*tool)).copied()
}
