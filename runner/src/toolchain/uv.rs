//! uv: `pyproject.toml` with `uv.lock`.

use super::place::Place;
use super::{CACHE, Recipe, Toolchain, line, python, with_packages};

const LOCK: &str = "uv.lock";

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "uv",
    marks: &[LOCK],
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let lock = place.text(LOCK)?;
    let names = python::locked(&lock);
    let environment = python::environment();
    let mut recipe = Recipe {
        tools: vec!["uv", "python3"],
        ..Recipe::default()
    };
    // Building a source distribution runs its code; the repo itself is used as it lies there.
    let build = if place.scripts { "" } else { " --no-build" };
    let command = format!(
        "env UV_PROJECT_ENVIRONMENT={environment} UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy \
         uv sync --frozen --all-groups --no-install-workspace{build}"
    );
    let cache = format!("{CACHE}/xdg/uv");
    recipe.prepare = line(with_packages("uv", &cache, &command), format!("`{LOCK}`"));
    python::add_steps(place, &mut recipe, &format!("{environment}/bin/python"), |name| {
        names.iter().any(|locked| locked == name)
    });
    Some(recipe)
}
