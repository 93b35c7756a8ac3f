//! Gradle: a build script, pinned by lockfiles or verification metadata.

use super::place::Place;
use super::{CACHE, Recipe, Toolchain, line, with_packages};

const SCRIPTS: &[&str] = &[
    "settings.gradle",
    "settings.gradle.kts",
    "build.gradle",
    "build.gradle.kts",
];

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "gradle",
    marks: SCRIPTS,
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let script = place.first(SCRIPTS)?;
    let mut recipe = Recipe::default();
    let home = format!("{CACHE}/gradle");
    // The wrapper's own Gradle is the only one that a build script is sure to work with.
    let program = if place.has("gradlew") {
        recipe.tools = vec!["java"];
        recipe
            .notes
            .push("`gradlew` fetches its Gradle in `prepare`, unless the packages have it".to_owned());
        "sh ./gradlew"
    } else {
        recipe.tools = vec!["gradle", "java"];
        "gradle"
    };
    let gradle = format!("env GRADLE_USER_HOME={home} {program} --no-daemon --console=plain");
    let pinned = place
        .below()
        .find(|path| path.ends_with("gradle.lockfile") || *path == "gradle/verification-metadata.xml");
    match pinned {
        Some(pin) => {
            // `$HOLDPOINT_PACKAGES/gradle` is a Gradle user home.
            let fetch = with_packages("gradle", &home, &format!("{gradle} testClasses"));
            recipe.prepare = line(fetch, format!("`{pin}`"));
        }
        None => recipe.notes.push(format!(
            "`{script}` without `gradle.lockfile` or `gradle/verification-metadata.xml`: \
             nothing is fetched that isn't pinned; write a lockfile"
        )),
    }
    recipe.build = line(format!("{gradle} --offline classes testClasses"), format!("`{script}`"));
    recipe.test = line(format!("{gradle} --offline test --continue"), format!("`{script}`"));
    recipe.reports = vec!["**/build/test-results/test/TEST-*.xml".to_owned()];
    Some(recipe)
}
