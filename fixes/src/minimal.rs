//! Whether a fix touches only what its findings are about. A diff that does more than it has to is
//! harder to read, and a place to hide something.

use holdpoint_schemas::finding::{Finding, FindingClass};
use holdpoint_schemas::fix::{Classification, FileChange, FixKind};

/// Farthest that a changed line may be from the place of the finding, in lines.
const NEAR_LINES: u32 = 25;

/// Whether the change touches only what the findings are about; `None` when that can't be told.
#[must_use]
pub fn minimal(files: &[FileChange], classification: &Classification, findings: &[&Finding]) -> Option<bool> {
    if findings.is_empty() {
        return None;
    }
    if !classification.governance_files.is_empty() {
        return Some(false);
    }
    match classification.kind {
        // No finding is about layout or stamps.
        FixKind::Formatting | FixKind::GeneratedCode => Some(false),
        FixKind::DependencyUpgrade => upgrades(classification, findings),
        FixKind::IacAttribute => addresses(classification, findings),
        _ => places(files, findings),
    }
}

/// All must hold; one *no* decides, else one *can't be told*.
fn all(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    answers.into_iter().reduce(|all, next| match (all, next) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, _) | (_, None) => None,
        _ => Some(true),
    })?
}

fn upgrades(classification: &Classification, findings: &[&Finding]) -> Option<bool> {
    let components: Vec<_> = findings
        .iter()
        .filter_map(|finding| finding.component.as_ref())
        .collect();
    if components.len() != findings.len() {
        return None;
    }
    let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    let is_about = |package: &str| {
        components.iter().any(|component| {
            let known = plain(&component.name);
            let package = plain(package);
            // Maven writes `group:artifact`, and some scanners `group/artifact`.
            known == package || known.replace('/', ":") == package
        })
    };
    let ecosystem = |name: &str| {
        let purls = components.iter().filter_map(|component| component.purl.as_deref());
        let kinds: Vec<&str> = purls
            .filter_map(|purl| purl.strip_prefix("pkg:")?.split('/').next())
            .collect();
        kinds.is_empty() || kinds.contains(&name)
    };
    let (about, others): (Vec<_>, Vec<_>) = classification
        .upgrades
        .iter()
        .partition(|upgrade| is_about(&upgrade.package));
    if others.iter().any(|upgrade| !ecosystem(&upgrade.ecosystem)) {
        return Some(false);
    }
    match (about.is_empty(), others.is_empty()) {
        (false, true) => Some(true),
        // Whether the others are what the package needs isn't in the diff.
        (false, false) => None,
        // A component that something else brings along moves with that.
        (true, _) => match findings.iter().all(|finding| finding.details.direct == Some(true)) {
            true => Some(false),
            false => None,
        },
    }
}

fn addresses(classification: &Classification, findings: &[&Finding]) -> Option<bool> {
    let known: Vec<&String> = findings
        .iter()
        .filter_map(|finding| finding.iac_address.as_ref())
        .collect();
    // `aws_s3_bucket.a` and `module.x.aws_s3_bucket.a[0]` are one resource of the source.
    let same = |known: &str, address: &str| {
        let known = known.split('[').next().unwrap_or_default();
        known == address || known.ends_with(&format!(".{address}"))
    };
    let touched = classification.iac_addresses.iter().chain(&classification.iac_removed);
    all(
        touched.map(|address| match known.iter().any(|known| same(known, address)) {
            true => Some(true),
            false if known.len() == findings.len() => Some(false),
            false => None,
        }),
    )
}

fn places(files: &[FileChange], findings: &[&Finding]) -> Option<bool> {
    // What a flaw in a dependency or in running infrastructure has to do with code can't be told.
    if findings
        .iter()
        .any(|finding| matches!(finding.class, FindingClass::Dependency | FindingClass::Drift))
    {
        return None;
    }
    let locations: Vec<_> = findings
        .iter()
        .filter_map(|finding| finding.location.as_ref())
        .collect();
    let complete = locations.len() == findings.len();
    all(files.iter().map(|file| {
        let here: Vec<_> = locations.iter().filter(|location| location.path == file.path).collect();
        if here.is_empty() {
            return if complete { Some(false) } else { None };
        }
        let lines: Option<Vec<u32>> = here.iter().map(|location| location.line).collect();
        let lines = lines?;
        let near = |number: u32| lines.iter().any(|line| line.abs_diff(number) <= NEAR_LINES);
        let mut changed = file
            .removed
            .iter()
            .chain(&file.added)
            .filter(|(_, line)| !is_import(line));
        Some(changed.all(|(number, _)| near(*number)))
    }))
}

/// Imports stand at the top, wherever what needs them is; blank lines are nowhere.
fn is_import(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || ["import ", "from ", "use ", "require ", "using ", "#include"]
            .iter()
            .any(|start| line.starts_with(start))
        || line.contains("= require(")
}

#[cfg(test)]
mod tests;
