//! Poetry: `pyproject.toml` with `poetry.lock`.

use super::place::Place;
use super::{CACHE, Recipe, Toolchain, line, python, with_packages};

const LOCK: &str = "poetry.lock";

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "poetry",
    marks: &[LOCK],
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let lock = place.text(LOCK)?;
    let names = python::locked(&lock);
    let mut recipe = Recipe {
        tools: vec!["poetry", "python3"],
        ..Recipe::default()
    };
    // Building a source distribution runs its code; the repo itself (the root) is used as it lies there.
    let binary = if place.scripts {
        ""
    } else {
        " POETRY_INSTALLER_ONLY_BINARY=:all:"
    };
    let home = format!("POETRY_CACHE_DIR={CACHE}/poetry POETRY_VIRTUALENVS_IN_PROJECT=false");
    let command = format!("env {home}{binary} poetry install --no-root --sync --no-interaction");
    recipe.prepare = line(
        with_packages("poetry", &format!("{CACHE}/poetry"), &command),
        format!("`{LOCK}`"),
    );
    python::add_steps(place, &mut recipe, &format!("{home} poetry run python"), |name| {
        names.iter().any(|locked| locked == name)
    });
    Some(recipe)
}
