//! `package.json`, as npm, pnpm and Yarn share it.

use serde_json::{Map, Value};

use super::place::Place;
use super::{REPORTS, Recipe, line};

pub(super) const MANIFEST: &str = "package.json";

/// What `npm init` writes where there are no tests.
const PLACEHOLDER: &str = "no test specified";

/// What is read of a `package.json`.
pub(super) struct Package {
    value: Map<String, Value>,
}

impl Package {
    pub fn of(place: &Place<'_>) -> Option<Self> {
        match serde_json::from_str(&place.text(MANIFEST)?).ok()? {
            Value::Object(value) => Some(Self { value }),
            _ => None,
        }
    }

    fn table(&self, name: &str) -> Option<&Map<String, Value>> {
        self.value.get(name)?.as_object()
    }

    fn script(&self, name: &str) -> Option<&str> {
        let script = self.table("scripts")?.get(name)?.as_str()?.trim();
        (!script.is_empty() && !script.contains(PLACEHOLDER)).then_some(script)
    }

    fn depends_on(&self, package: &str) -> bool {
        ["dependencies", "devDependencies"]
            .iter()
            .any(|table| self.table(table).is_some_and(|table| table.contains_key(package)))
    }

    /// Whether something has to be fetched before it runs.
    pub fn needs_packages(&self) -> bool {
        ["dependencies", "devDependencies", "optionalDependencies"]
            .iter()
            .any(|table| self.table(table).is_some_and(|table| !table.is_empty()))
            || self.value.contains_key("workspaces")
    }

    /// `name` of `packageManager: name@version`, and the version.
    pub fn manager(&self) -> Option<(&str, &str)> {
        self.value.get("packageManager")?.as_str()?.split_once('@')
    }

    /// Build and tests by the scripts of these names, run with `program`.
    pub fn recipe(&self, program: &'static str) -> Recipe {
        let mut recipe = Recipe {
            tools: vec!["node", program],
            ..Recipe::default()
        };
        // Told by `CI`, watchers run once and nothing asks.
        if self.script("build").is_some() {
            recipe.build = line(
                format!("env CI=true {program} run build"),
                "script `build` of `package.json`",
            );
        }
        match self.script("test") {
            Some(script) => {
                recipe.test = line(
                    format!("env CI=true {program} run test"),
                    "script `test` of `package.json`",
                );
                recipe.coverage = self.coverage(program, script);
            }
            None => recipe
                .notes
                .push("`package.json` has no script `test`; without tests nothing is proved".to_owned()),
        }
        recipe
    }

    /// By a tool that the repo itself has, or by Node where its own test runner is called.
    fn coverage(&self, program: &str, script: &str) -> Option<(String, String)> {
        let own = "env CI=true PATH=\"$PWD/node_modules/.bin:$PATH\"";
        let command = if self.depends_on("c8") {
            format!("{own} c8 --reporter=lcovonly --reports-dir={REPORTS} {program} run test")
        } else if self.depends_on("vitest") {
            format!(
                "{own} vitest run --coverage.enabled --coverage.reporter=lcovonly --coverage.reportsDirectory={REPORTS}"
            )
        } else if self.depends_on("jest") {
            format!("{own} jest --coverage --coverageReporters=lcovonly --coverageDirectory={REPORTS}")
        } else {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./*=, '\"".contains(c);
            let arguments = script.strip_prefix("node --test")?;
            // Anything of a shell in it could run more than the tests.
            if !arguments.chars().all(plain) {
                return None;
            }
            format!(
                "mkdir -p {REPORTS} && {own} node --test --experimental-test-coverage --test-reporter=lcov \
                 --test-reporter-destination={REPORTS}/lcov.info{arguments}"
            )
        };
        Some((command, format!("{REPORTS}/lcov.info")))
    }
}
