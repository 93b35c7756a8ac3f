//! npm: `package.json` with `package-lock.json` or `npm-shrinkwrap.json`.

use super::node::{MANIFEST, Package};
use super::place::Place;
use super::{Recipe, Toolchain, line, with_packages};

const LOCKS: &[&str] = &["npm-shrinkwrap.json", "package-lock.json"];

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "npm",
    marks: &[MANIFEST, "package-lock.json", "npm-shrinkwrap.json"],
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let package = Package::of(place)?;
    let mut recipe = package.recipe("npm");
    match place.first(LOCKS) {
        Some(lock) => {
            let scripts = if place.scripts { "" } else { " --ignore-scripts" };
            let command = format!("npm ci{scripts} --prefer-offline --no-audit --no-fund");
            // `$HOLDPOINT_PACKAGES/npm` is a cache, as `npm ci --cache` fills it.
            recipe.prepare = line(
                with_packages("npm", "\"$npm_config_cache\"", &command),
                format!("`{lock}`"),
            );
            let wanted = place
                .text(lock)
                .is_some_and(|text| text.contains("\"hasInstallScript\": true"));
            if wanted && !place.scripts {
                recipe.notes.push(format!(
                    "`{lock}` has packages with install scripts, which don't run; \
                     `sandbox.prepare.scripts` would allow them"
                ));
            }
        }
        None if package.needs_packages() => recipe.notes.push(
            "`package.json` without a lockfile: nothing is fetched that isn't pinned; commit `package-lock.json`"
                .to_owned(),
        ),
        None => {}
    }
    Some(recipe)
}
