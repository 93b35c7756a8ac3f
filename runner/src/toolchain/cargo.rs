//! Cargo: `Cargo.toml` with a `Cargo.lock`.

use super::place::Place;
use super::{Recipe, Toolchain, line};

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "cargo",
    marks: &["Cargo.toml"],
    read,
};

/// `$HOLDPOINT_PACKAGES/cargo` is what `cargo vendor` made. It is named as the registry's stand-in
/// in Cargo's home, because later steps resolve again.
const FETCH: &str = "if [ -n \"${HOLDPOINT_PACKAGES:-}\" ] && [ -d \"$HOLDPOINT_PACKAGES/cargo\" ]; then \
    rm -rf \"$CARGO_HOME/vendor\" && mkdir -p \"$CARGO_HOME\" && \
    cp -R \"$HOLDPOINT_PACKAGES/cargo\" \"$CARGO_HOME/vendor\" && \
    printf '[source.crates-io]\\nreplace-with = \"holdpoint\"\\n[source.holdpoint]\\ndirectory = \"%s/vendor\"\\n' \
    \"$CARGO_HOME\" > \"$CARGO_HOME/config.toml\"; fi && cargo fetch --locked";

fn read(place: &Place<'_>) -> Option<Recipe> {
    let manifest: toml::Table = place.text("Cargo.toml")?.parse().ok()?;
    let mut recipe = Recipe {
        tools: vec!["cargo"],
        ..Recipe::default()
    };
    // `--locked` with nothing locked would fail even where there is nothing to lock.
    let locked = if place.has("Cargo.lock") {
        recipe.prepare = line(FETCH, "`Cargo.lock`");
        " --locked"
    } else if needs_nothing(&manifest) {
        ""
    } else {
        recipe.notes.push(
            "`Cargo.toml` without `Cargo.lock`: nothing is fetched that isn't pinned; commit the lockfile".to_owned(),
        );
        ""
    };
    // With the tests: what the baseline has compiled, a candidate needn't.
    recipe.build = line(
        format!("cargo build{locked} --offline --workspace && cargo test{locked} --offline --workspace --no-run"),
        "`Cargo.toml`",
    );
    recipe.test = line(
        format!("cargo test{locked} --offline --workspace --no-fail-fast"),
        "`Cargo.toml`",
    );
    // Coverage is by rustc's own instrumentation (`coverage/adapters.rs`): it needs no tool that may be missing.
    Some(recipe)
}

/// Whether a single package has no dependencies at all.
fn needs_nothing(manifest: &toml::Table) -> bool {
    let tables = [
        "dependencies",
        "dev-dependencies",
        "build-dependencies",
        "target",
        "workspace",
    ];
    tables.iter().all(|name| {
        manifest
            .get(*name)
            .and_then(toml::Value::as_table)
            .is_none_or(toml::Table::is_empty)
    })
}
