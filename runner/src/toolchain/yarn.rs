//! Yarn: `package.json` with `yarn.lock`, of the classic (1.x) or the modern kind.

use super::node::Package;
use super::place::Place;
use super::{CACHE, Recipe, Toolchain, line, with_packages};

const LOCK: &str = "yarn.lock";

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "yarn",
    marks: &[LOCK],
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let package = Package::of(place)?;
    let mut recipe = package.recipe("yarn");
    let cache = format!("{CACHE}/yarn");
    let modern = place
        .text(LOCK)
        .is_some_and(|text| text.lines().any(|line| line.trim_end() == "__metadata:"));
    let command = if modern {
        // A release that the repo checks in is used by itself; another one has to be in the image.
        if let Some((name, version)) = package.manager().filter(|_| !checked_in(place)) {
            recipe.notes.push(format!(
                "`package.json` wants {name} {version}, which the image has to have"
            ));
        }
        let scripts = if place.scripts { "" } else { " --mode=skip-build" };
        // Its scripts read the dependencies from the cache, so that stays where later steps see it.
        for step in [&mut recipe.build, &mut recipe.test].into_iter().flatten() {
            step.command = step.command.replacen("env ", &format!("env {} ", offline(&cache)), 1);
        }
        format!(
            "env YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_GLOBAL_CACHE=false YARN_CACHE_FOLDER={cache} \
             yarn install --immutable{scripts}"
        )
    } else {
        let scripts = if place.scripts { "" } else { " --ignore-scripts" };
        format!("yarn install --frozen-lockfile{scripts} --non-interactive --prefer-offline --cache-folder {cache}")
    };
    recipe.prepare = line(with_packages("yarn", &cache, &command), format!("`{LOCK}`"));
    Some(recipe)
}

fn offline(cache: &str) -> String {
    format!("YARN_ENABLE_NETWORK=0 YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_GLOBAL_CACHE=false YARN_CACHE_FOLDER={cache}")
}

/// Whether `.yarnrc.yml` names a release in the repo.
fn checked_in(place: &Place<'_>) -> bool {
    place
        .text(".yarnrc.yml")
        .is_some_and(|text| text.lines().any(|line| line.starts_with("yarnPath:")))
}
