//! What was seen of a running service: it can show that something is reached, never that it isn't.

use holdpoint_schemas::SourceError;
use serde::{Deserialize, Serialize};

use crate::package::Package;
use crate::reach::Reach;

/// Most bytes of one observation: the packages of a thousand services.
pub const MAX_OBSERVATION_BYTES: usize = 16 << 20;

/// What an agent in a running service saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// When the window ended, as RFC 3339.
    pub observed_at: String,
    /// Service that was observed.
    pub service: String,
    /// How long it was watched, in seconds.
    pub window_seconds: u64,
    /// Package URLs of what was loaded.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Endpoints that were called, for example `GET /orders/{id}`.
    #[serde(default)]
    pub endpoints: Vec<String>,
    /// Functions that were called, spelt as advisories do.
    #[serde(default)]
    pub functions: Vec<String>,
}

impl Observation {
    /// Reads an observation from JSON.
    ///
    /// # Errors
    /// What isn't of this form, with its place.
    pub fn read(file: &str, text: &str) -> Result<Self, Box<SourceError>> {
        if text.len() > MAX_OBSERVATION_BYTES {
            let message = format!(
                "{} bytes, but at most {MAX_OBSERVATION_BYTES} bytes are read",
                text.len()
            );
            return Err(Box::new(
                SourceError::new(file, message).help("observe a shorter window"),
            ));
        }
        serde_json::from_str(text).map_err(|error| {
            let full = error.to_string();
            let message = full.split(" at line ").next().unwrap_or(&full);
            let message = format!("{message}; expected an observation of loaded packages and called functions");
            let column = error.column().max(1);
            Box::new(
                SourceError::new(file, message)
                    .at(text, error.line().max(1), column)
                    .help(
                        "it needs `observed_at`, `service`, `window_seconds`; and `packages`, `endpoints`, `functions`",
                    ),
            )
        })
    }

    /// Whether the package was loaded, in any version.
    #[must_use]
    pub fn loaded(&self, package: &Package) -> bool {
        self.packages
            .iter()
            .filter_map(|purl| Package::of_purl(purl))
            .any(|loaded| loaded.ecosystem == package.ecosystem && loaded.same(&package.name))
    }

    /// What the source says, corrected by what was seen: a function that was called is reached, and so is a package
    /// that was loaded when no function is asked for. A package that was loaded although no source imports it shows
    /// that the source didn't tell all. What wasn't seen changes nothing.
    #[must_use]
    pub fn corrects(&self, reach: Reach, package: &Package, symbols: &[String]) -> Reach {
        let plain = |name: &str| {
            name.split('(')
                .next()
                .unwrap_or(name)
                .replace("::", ".")
                .replace('#', ".")
        };
        let called = symbols
            .iter()
            .find(|symbol| self.functions.iter().any(|function| plain(function) == plain(symbol)));
        if matches!(
            reach,
            Reach::Reached {
                reached_only_by_tests: false,
                ..
            }
        ) {
            return reach;
        }
        let is_loaded = self.loaded(package);
        if called.is_some() || (symbols.is_empty() && is_loaded) {
            return Reach::Reached {
                path: Vec::new(),
                symbol: called.cloned(),
                reached_only_by_tests: false,
            };
        }
        match reach {
            Reach::NotReached { imported: false, .. } if is_loaded => Reach::Unknown {
                because: vec![format!(
                    "`{}` was loaded in `{}`, though no source imports it",
                    package.name, self.service
                )],
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"observed_at":"2026-01-01T00:00:00Z","service":"pay","window_seconds":60,
        "packages":["pkg:pypi/PyYAML@5.1"],"functions":["yaml.load"]}"#;

    fn unknown() -> Reach {
        Reach::Unknown {
            because: vec!["x".to_owned()],
        }
    }

    #[test]
    fn what_was_called_is_reached() {
        let seen = Observation::read("o.json", TEXT).unwrap();
        let package = Package::of_purl("pkg:pypi/pyyaml").unwrap();
        let reach = seen.corrects(unknown(), &package, &["yaml.load".to_owned()]);
        assert!(matches!(reach, Reach::Reached { symbol: Some(_), .. }));
        assert!(matches!(
            seen.corrects(unknown(), &package, &[]),
            Reach::Reached { symbol: None, .. }
        ));
    }

    #[test]
    fn what_was_not_seen_stays_unknown() {
        let seen = Observation::read("o.json", TEXT).unwrap();
        let package = Package::of_purl("pkg:pypi/pyyaml@5.1").unwrap();
        assert_eq!(seen.corrects(unknown(), &package, &["yaml.dump".to_owned()]), unknown());
        let other = Package::of_purl("pkg:pypi/lxml").unwrap();
        assert_eq!(seen.corrects(unknown(), &other, &[]), unknown());
    }

    #[test]
    fn a_package_that_was_loaded_refutes_that_nothing_imports_it() {
        let seen = Observation::read("o.json", TEXT).unwrap();
        let package = Package::of_purl("pkg:pypi/pyyaml").unwrap();
        let not_reached = Reach::NotReached {
            because: String::new(),
            imported: false,
        };
        let reach = seen.corrects(not_reached, &package, &["yaml.dump".to_owned()]);
        assert!(matches!(reach, Reach::Unknown { .. }));
    }

    #[test]
    fn an_observation_of_another_form_is_refused_with_its_place() {
        let error = Observation::read("o.json", "{\"service\":\n 1}").unwrap_err();
        assert_eq!(error.position.unwrap().0, 2);
        assert!(Observation::read("o.json", "").is_err());
    }
}
