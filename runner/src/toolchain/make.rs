//! Make: a `Makefile` with a target for tests, where nothing else says how to build.

use std::collections::BTreeSet;

use super::place::Place;
use super::{Recipe, Toolchain, line};

const NAMES: &[&str] = &["GNUmakefile", "makefile", "Makefile"];

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "make",
    marks: NAMES,
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let name = place.first(NAMES)?;
    let text = place.text(name)?;
    let targets = targets(&text);
    let first = |names: &[&'static str]| names.iter().copied().find(|name| targets.contains(name));
    let mut recipe = Recipe {
        tools: vec!["make"],
        ..Recipe::default()
    };
    if let Some(target) = first(&["all", "build"]) {
        recipe.build = line(format!("make {target}"), format!("target `{target}` of `{name}`"));
    }
    match first(&["test", "check", "tests"]) {
        Some(target) => recipe.test = line(format!("make {target}"), format!("target `{target}` of `{name}`")),
        None => recipe.notes.push(format!("`{name}` has no target `test` or `check`")),
    }
    (recipe.build.is_some() || recipe.test.is_some()).then_some(recipe)
}

/// Targets that are written out: no patterns, no variables (GNU make manual, "Rule Syntax").
fn targets(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| !line.starts_with(['\t', ' ', '#', '.']))
        .filter_map(|line| {
            let (targets, rest) = line.split_once(':')?;
            // `a := b` and `a ::= b` set variables.
            let assignment = rest.trim_start_matches(':').starts_with('=') || targets.contains(['=', '$', '%']);
            (!assignment).then_some(targets)
        })
        .flat_map(str::split_whitespace)
        .collect()
}
