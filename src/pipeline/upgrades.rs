//! What the dependency upgrades of a fix mean for the repo's own code, where both versions are among the estate's
//! package archives.

use holdpoint_runner::contract_check::UpgradeResult;
use holdpoint_schemas::fix::{DependencyScope, Fix, Upgrade};
use holdpoint_usage::upgrade::{Compatibility, Runtime, Step, Surface, Verdict, judge};
use holdpoint_usage::{Ecosystem, Package, Usage};
use std::path::Path;

use super::libraries::{self, Files};
use super::mirror::Mirror;

/// Judges each upgrade of a fix that ships, one by one. Those whose versions aren't at hand say nothing here: what
/// can't be looked at neither speaks for the fix nor against it.
pub fn judged(mirror: &Mirror, fix: &Fix, packages: Option<&Path>) -> Vec<UpgradeResult> {
    let Some(packages) = packages else { return Vec::new() };
    let ships = |upgrade: &&Upgrade| upgrade.scope != DependencyScope::Dev;
    let upgrades: Vec<&Upgrade> = fix.classification.upgrades.iter().filter(ships).collect();
    if upgrades.is_empty() {
        return Vec::new();
    }
    let files: Files = holdpoint_fixes::tree::list_files(&mirror.git, &fix.candidate_tree)
        .into_iter()
        .map(|path| (path.clone(), mirror.text(&fix.candidate_tree, &path)))
        .collect();
    let usage = libraries::usage(&files);
    upgrades
        .into_iter()
        .filter_map(|upgrade| one(&usage, upgrade, packages))
        .collect()
}

fn one(usage: &Usage, upgrade: &Upgrade, packages: &Path) -> Option<UpgradeResult> {
    let (from, to) = (upgrade.from.as_deref()?, upgrade.to.as_deref()?);
    let ecosystem = Ecosystem::of_purl_type(&upgrade.ecosystem)?;
    let archives = libraries::archives(packages, ecosystem, &upgrade.package);
    let known = |version: &str| archives.iter().any(|(of, _)| of == version);
    if !known(from) || !known(to) {
        return None;
    }
    let (low, high) = (libraries::numbers(from), libraries::numbers(to));
    let mut on_the_way: Vec<_> = archives
        .iter()
        .filter(|(version, _)| {
            let at = libraries::numbers(version);
            version == from || version == to || (low < at && at < high)
        })
        .collect();
    on_the_way.sort_by_key(|(version, _)| (version == to, version != from, libraries::numbers(version)));
    let result = |verdict: Result<Verdict, String>| {
        let (breaking, unknown, safe) = match verdict {
            Ok(Verdict::Breaking { breaks, unknown }) => {
                let line = |b: &holdpoint_usage::upgrade::Break| format!("`{}` at {}: {}", b.symbol, b.place, b.text);
                (breaks.iter().map(line).collect(), unknown, Vec::new())
            }
            Ok(Verdict::Unknown { because }) => (Vec::new(), because, Vec::new()),
            Ok(Verdict::Safe { because }) => (Vec::new(), Vec::new(), because),
            Err(why) => (Vec::new(), vec![why], Vec::new()),
        };
        UpgradeResult {
            package: upgrade.package.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
            breaking,
            unknown,
            safe,
        }
    };
    let mut surfaces: Vec<Surface> = Vec::new();
    for (version, path) in on_the_way {
        let read = libraries::read(path).map_err(|error| format!("{error:#}"));
        match read.map(|files| libraries::surface(ecosystem, &upgrade.package, &files)) {
            Ok(Some(mut surface)) => {
                surface.version = Some(version.clone());
                surfaces.push(surface);
            }
            Ok(None) => return None,
            Err(why) => return Some(result(Err(why))),
        }
    }
    let steps: Vec<Step<'_>> = surfaces.iter().map(|surface| Step { surface }).collect();
    let runtime = Runtime {
        // pip and cargo refuse what doesn't fit the interpreter or the compiler of `prepare`; npm only warns.
        checked: ecosystem != Ecosystem::Npm,
        ..Runtime::default()
    };
    let package = Package::new(ecosystem, upgrade.package.clone());
    judge(usage, &package, &steps, &runtime).map(|Compatibility { verdict, .. }| result(Ok(verdict)))
}
