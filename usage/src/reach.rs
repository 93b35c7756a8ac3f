//! Whether the source reaches a package, or the functions of it that an advisory names.

mod evidence;

use serde::{Deserialize, Serialize};

use crate::facts::{DynamicKind, Place};
use crate::package::{ImportNames, Package, Symbol};
use crate::sources::Usage;
use evidence::Evidence;

/// The answer, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reach")]
pub enum Reach {
    /// It is used.
    Reached {
        /// Calls from an entry down to the use, which is the last element. Empty when it was observed at run time.
        path: Vec<Place>,
        /// Which of the symbols; `None` when none was asked for, and the package itself is used.
        symbol: Option<String>,
        /// Only code that tests is known to use it.
        reached_only_by_tests: bool,
    },
    /// Nothing that was read uses it, and all that could was read.
    NotReached {
        /// What was looked at.
        because: String,
        /// The package itself is imported, but none of the symbols is used.
        imported: bool,
    },
    /// The source doesn't say.
    Unknown {
        /// What hides the answer; at least one.
        because: Vec<String>,
    },
}

/// Most reasons that are given for an unknown.
const MAX_REASONS: usize = 10;

impl Usage {
    /// Every place outside of tests that uses a package, sorted.
    ///
    /// # Errors
    /// What hides uses, when these may not be all.
    pub fn uses(&self, package: &Package) -> Result<Vec<Place>, Vec<String>> {
        let names = ImportNames::of(package, self.manifests.renames(package), &[]);
        let evidence = Evidence::gather(self, package, &names, &[]);
        let mut hidden = evidence.reasons.clone();
        hidden.extend(self.blind_spots(package, &names, &[], &evidence));
        if !hidden.is_empty() {
            hidden.truncate(MAX_REASONS);
            return Err(hidden);
        }
        let outside = evidence.hits.iter().filter(|hit| !self.in_test(hit.file));
        let mut places: Vec<Place> = outside.map(|hit| self.place(hit.file, hit.spot)).collect();
        places.sort();
        places.dedup();
        Ok(places)
    }

    /// Whether the repo's source reaches a package (`symbols` is empty), or one of its functions. Symbols are
    /// spelt as advisories do: `yaml.load`, `time::OffsetDateTime::now_local`,
    /// `golang.org/x/text/language.Parse`, `org.yaml.snakeyaml.Yaml.load`.
    ///
    /// `NotReached` is only said when nothing could use it unseen: calls from within other packages are ruled out
    /// by a lockfile or because there is no other dependency. What the package's own functions call isn't
    /// followed: symbols must list every public function through which the flaw is reached, as RustSec, the Go
    /// vulnerability database and OSV do.
    #[must_use]
    pub fn reach(&self, package: &Package, symbols: &[String]) -> Reach {
        let names = ImportNames::of(package, self.manifests.renames(package), symbols);
        let symbols: Vec<Symbol> = symbols
            .iter()
            .map(|text| Symbol::parse(text, package, &names))
            .collect();
        let evidence = Evidence::gather(self, package, &names, &symbols);
        let hit = evidence
            .hits
            .iter()
            .find(|hit| !self.in_test(hit.file))
            .or(evidence.hits.first());
        let only_tests = hit.is_none_or(|hit| self.in_test(hit.file));
        let mut reasons = evidence.reasons.clone();
        if only_tests {
            reasons.extend(self.blind_spots(package, &names, &symbols, &evidence));
        }
        if let Some(hit) = hit {
            return Reach::Reached {
                path: self.trace(hit.file, hit.spot),
                symbol: hit.symbol.clone(),
                // What can't be seen may well be outside tests.
                reached_only_by_tests: only_tests && reasons.is_empty(),
            };
        }
        if !reasons.is_empty() {
            reasons.dedup();
            reasons.truncate(MAX_REASONS);
            return Reach::Unknown { because: reasons };
        }
        let files = self
            .file_counts()
            .get(&package.ecosystem.language())
            .copied()
            .unwrap_or_default();
        let name = &package.name;
        let because = match (evidence.imported, evidence.only_types) {
            (true, _) => format!("`{name}` is imported, but none of the functions is used in {files} files"),
            (false, true) => format!("`{name}` is imported for its types only, in {files} files"),
            (false, false) => format!("`{name}` is imported by none of {files} files"),
        };
        Reach::NotReached {
            because,
            imported: evidence.imported,
        }
    }

    fn in_test(&self, file: usize) -> bool {
        self.files.get(file).is_some_and(|source| source.is_test)
    }

    /// Where a use could be that isn't seen.
    fn blind_spots(
        &self,
        package: &Package,
        names: &ImportNames,
        symbols: &[Symbol],
        evidence: &Evidence,
    ) -> Vec<String> {
        let language = package.ecosystem.language();
        let mut reasons = Vec::new();
        if !names.known && !evidence.imported {
            reasons.push(format!("under which names `{}` is imported isn't known", package.name));
        }
        if !self.files.iter().any(|file| file.language == language) {
            reasons.push(format!("there is no {} source", language.as_str()));
        }
        reasons.extend(self.gaps(language));
        let members_too = !symbols.is_empty() && symbols.iter().any(|symbol| !symbol.is_plain_function());
        for (index, file) in self
            .files
            .iter()
            .enumerate()
            .filter(|(_, file)| file.language == language)
        {
            let hiding = |kind: DynamicKind| kind == DynamicKind::Load || (members_too && evidence.imported);
            let gateways = self.gateways.get(index).into_iter().flatten();
            let mut dynamics = file.facts.dynamics.iter().chain(gateways);
            if let Some(dynamic) = dynamics.find(|dynamic| hiding(dynamic.kind)) {
                let place = self.place(index, dynamic.spot);
                reasons.push(format!(
                    "`{}` at {}:{} can use anything",
                    dynamic.what, place.path, place.line
                ));
            }
            if reasons.len() > MAX_REASONS {
                break;
            }
        }
        if !self.manifests.declares(package) && !evidence.imported {
            reasons.push(format!("no manifest that was read declares `{}`", package.name));
        }
        reasons.extend(self.manifests.other_users(package));
        if !evidence.imported {
            reasons.extend(self.mentioned(package, names));
        }
        reasons
    }

    /// Where strings, scripts or settings name a package that no source imports.
    fn mentioned(&self, package: &Package, names: &ImportNames) -> Option<String> {
        let language = package.ecosystem.language();
        let mut words: Vec<String> = vec![package.name.clone()];
        words.extend(package.name.split(':').nth(1).map(str::to_owned));
        let separator = match language {
            crate::Language::Python | crate::Language::Java => ".",
            crate::Language::Rust => "::",
            crate::Language::JavaScript | crate::Language::Go => "/",
        };
        words.extend(names.roots.iter().map(|root| root.join(separator)));
        // Plugins are named without what all of their kind begin with.
        for affix in ["eslint-plugin-", "eslint-config-", "babel-plugin-", "babel-preset-"] {
            words.extend(package.name.strip_prefix(affix).map(str::to_owned));
        }
        for file in self.files.iter().filter(|file| file.language == language) {
            let named = file
                .facts
                .strings
                .iter()
                .find(|(text, _)| words.iter().any(|word| holds_word(text, word)));
            if let Some((text, spot)) = named {
                return Some(format!("`{text}` at {}:{} may load it", file.path, spot.line));
            }
        }
        for (path, text) in &self.other_texts {
            if words.iter().any(|word| holds_word(text, word)) {
                return Some(format!("`{path}` names it"));
            }
        }
        if self
            .manifests
            .mentions
            .iter()
            .any(|text| words.iter().any(|word| holds_word(text, word)))
        {
            return Some("a script or setting of a manifest names it".to_owned());
        }
        let plain = [
            "node", "npm", "yarn", "pnpm", "echo", "rm", "cp", "mv", "mkdir", "cd", "true", "exit", "test", "cat",
        ];
        let command = self
            .manifests
            .commands
            .iter()
            .find(|command| !plain.contains(&command.as_str()));
        if let Some(command) = command.filter(|_| language == crate::Language::JavaScript) {
            return Some(format!("the script command `{command}` may be its"));
        }
        None
    }
}

/// Whether a text holds a word that isn't part of a longer name.
fn holds_word(text: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
            !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
        })
}
