//! Maven: `pom.xml`. Versions are pinned by the format, unless they are ranges or snapshots.

use super::place::Place;
use super::{CACHE, Recipe, Toolchain, line, with_packages};

pub(super) const TOOLCHAIN: Toolchain = Toolchain {
    name: "maven",
    marks: &["pom.xml"],
    read,
};

fn read(place: &Place<'_>) -> Option<Recipe> {
    let text = place.text("pom.xml")?;
    let mut recipe = Recipe {
        tools: vec!["mvn", "java"],
        ..Recipe::default()
    };
    let repository = format!("{CACHE}/maven");
    let maven = format!("mvn -B -ntp -Dmaven.repo.local={repository}");
    if place.has("mvnw") {
        recipe
            .notes
            .push("`mvnw` would fetch a Maven of its own; the image's `mvn` is used".to_owned());
    }
    if let Some(version) = floating(&text) {
        recipe.notes.push(format!(
            "`pom.xml` has the version `{version}`, which floats: \
             nothing is fetched that isn't pinned; name one version"
        ));
    } else {
        // `dependency:go-offline` misses what plugins ask for when they run (the test runner's
        // provider, for one), so the life cycle is gone through with no test method chosen.
        let warm = format!(
            "{maven} test '-Dtest=*#holdpointFetchesOnly' -DfailIfNoTests=false \
             -Dsurefire.failIfNoSpecifiedTests=false"
        );
        recipe.prepare = line(with_packages("maven", &repository, &warm), "`pom.xml`");
    }
    recipe.build = line(format!("{maven} -o test-compile"), "`pom.xml`");
    recipe.test = line(format!("{maven} -o test"), "`pom.xml`");
    recipe.reports = vec!["**/target/surefire-reports/TEST-*.xml".to_owned()];
    Some(recipe)
}

/// A version that isn't one: a range (`[1,2)`), `LATEST`, `RELEASE`. The project's own `-SNAPSHOT`
/// is built here and pins nothing.
fn floating(pom: &str) -> Option<&str> {
    pom.split("<version>")
        .skip(1)
        .filter_map(|rest| rest.split('<').next())
        .map(str::trim)
        .find(|version| version.starts_with(['[', '(']) || matches!(*version, "LATEST" | "RELEASE"))
        .map(|version| version.get(..40).unwrap_or(version))
}
