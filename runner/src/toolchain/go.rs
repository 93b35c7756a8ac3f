//! Go modules: `go.mod` with `go.sum`, or a `vendor` folder.

use super::place::Place;
use super::{CACHE, Recipe, Toolchain, line};

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "go",
    marks: &["go.mod"],
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let manifest = place.text("go.mod")?;
    let vendored = place.has("vendor/modules.txt");
    let mode = if vendored { "vendor" } else { "readonly" };
    // The toolchain of the image, and no other: Go would fetch the one that `go.mod` names.
    let home = format!("GOTOOLCHAIN=local GOMODCACHE={CACHE}/go-mod GOCACHE={CACHE}/go-build GOFLAGS=-mod={mode}");
    let mut recipe = Recipe {
        tools: vec!["go"],
        ..Recipe::default()
    };
    let needs = manifest
        .lines()
        .map(str::trim_start)
        .any(|line| line.starts_with("require ") || line.starts_with("require("));
    if vendored {
        recipe
            .notes
            .push("`vendor` holds the modules, so nothing is fetched".to_owned());
    } else if place.has("go.sum") {
        // `$HOLDPOINT_PACKAGES/go` is laid out as a module proxy: `cache/download` of a module cache.
        recipe.prepare = line(
            format!("env {home} ${{HOLDPOINT_PACKAGES:+\"GOPROXY=file://$HOLDPOINT_PACKAGES/go\"}} go mod download"),
            "`go.sum`",
        );
    } else if needs {
        recipe
            .notes
            .push("`go.mod` without `go.sum`: nothing is fetched that isn't pinned; commit it".to_owned());
    }
    let offline = format!("env {home} GOPROXY=off go");
    recipe.build = line(format!("{offline} build ./... && {offline} vet ./..."), "`go.mod`");
    recipe.test = line(format!("{offline} test ./..."), "`go.mod`");
    Some(recipe)
}
