//! pnpm: `package.json` with `pnpm-lock.yaml`.

use super::node::Package;
use super::place::Place;
use super::{CACHE, Recipe, Toolchain, line, with_packages};

const LOCK: &str = "pnpm-lock.yaml";

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "pnpm",
    marks: &[LOCK],
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let package = Package::of(place)?;
    let mut recipe = package.recipe("pnpm");
    let scripts = if place.scripts { "" } else { " --ignore-scripts" };
    let store = format!("{CACHE}/pnpm");
    // Copied out of the store: a hard link into it would let a step change what another one installs.
    let command = format!(
        "env CI=true pnpm install --frozen-lockfile{scripts} --prefer-offline --store-dir {store} \
         --package-import-method copy"
    );
    recipe.prepare = line(with_packages("pnpm", &store, &command), format!("`{LOCK}`"));
    Some(recipe)
}
