//! Lockfiles matched against recorded OSV advisories: a dependency scan without a network.

mod lockfile;

use holdpoint_schemas::SourceError;
use holdpoint_schemas::finding::{Component, Finding};
use std::collections::{BTreeMap, BTreeSet};

use crate::collect::{Collector, Draft, Place};
use crate::error::IntakeError;
use crate::json;
use crate::osv::{Ecosystem, Record};
use crate::report::{NoSource, ReportContext};
pub use lockfile::is_lockfile;

/// Name of this scanner in findings and in `fix.yaml`.
pub const SCANNER: &str = "osv-lockfile";
/// Largest advisory in bytes: the largest published ones list thousands of versions.
const MAX_ADVISORY_BYTES: usize = 16 << 20;
/// Most advisories: about all that OSV has for the ecosystems that are read.
const MAX_ADVISORIES: usize = 500_000;

/// Recorded advisories, by package.
#[derive(Debug, Clone, Default)]
pub struct Advisories {
    records: Vec<Record>,
    by_package: BTreeMap<(Ecosystem, String), Vec<usize>>,
}

impl Advisories {
    /// Reads OSV records (JSON), one per file. Those that were withdrawn are left out.
    ///
    /// # Errors
    /// When a file is malformed, or an id is there twice.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, IntakeError> {
        let mut advisories = Self::default();
        let mut file_of: BTreeMap<String, String> = BTreeMap::new();
        for (file, bytes) in files {
            let text = json::text(file, bytes, MAX_ADVISORY_BYTES)?;
            let record: Record = json::parse(file, text, "an OSV record")?;
            if let Some(other) = file_of.insert(record.id.clone(), file.to_owned()) {
                let message = format!("the advisory `{}` is also in `{other}`", record.id);
                return Err(SourceError::new(file, message).help("keep one of the two files").into());
            }
            if advisories.records.len() >= MAX_ADVISORIES {
                let message = format!("more than {MAX_ADVISORIES} advisories");
                return Err(SourceError::new(file, message)
                    .help("record only what the estate uses")
                    .into());
            }
            if record.withdrawn.is_none() {
                advisories.add(record);
            }
        }
        Ok(advisories)
    }

    fn add(&mut self, record: Record) {
        let packages: BTreeSet<(Ecosystem, String)> = record
            .affected
            .iter()
            .filter_map(|affected| affected.package.as_ref())
            .filter_map(|package| {
                let ecosystem = Ecosystem::from_osv(&package.ecosystem)?;
                Some((ecosystem, ecosystem.normal_name(&package.name)))
            })
            .collect();
        for package in packages {
            self.by_package.entry(package).or_default().push(self.records.len());
        }
        self.records.push(record);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Matches lockfiles, given as (path in the repo, text). Other files are ignored. Second: what
    /// was not read, one line each; while it isn't empty, no finding doesn't mean no vulnerability.
    ///
    /// # Errors
    /// When there are more findings than a report may have.
    pub fn match_lockfiles(
        &self,
        repo: &str,
        files: &[(&str, &str)],
    ) -> Result<(Vec<Finding>, Vec<String>), IntakeError> {
        let context = ReportContext {
            repo,
            file: SCANNER,
            source: &NoSource,
            secret_key: None,
        };
        let mut collector = Collector::new(&context);
        for (path, text) in files {
            let Some(kind) = lockfile::Kind::of(path) else { continue };
            match kind.read(path, text) {
                Ok(lockfile) => {
                    for note in &lockfile.skipped {
                        collector.skip(&format!("{path}: {note}"));
                    }
                    for package in &lockfile.packages {
                        self.match_package(path, package, &mut collector)?;
                    }
                }
                Err(error) => collector.skip(&error.one_line()),
            }
        }
        Ok(collector.finish())
    }

    fn match_package(
        &self,
        path: &str,
        package: &lockfile::Package,
        collector: &mut Collector<'_>,
    ) -> Result<(), IntakeError> {
        let lockfile::Package {
            ecosystem,
            name,
            version,
            line,
            scope,
            direct,
        } = package;
        let key = (*ecosystem, ecosystem.normal_name(name));
        let indices = self.by_package.get(&key).map(Vec::as_slice).unwrap_or_default();
        for record in indices.iter().filter_map(|index| self.records.get(*index)) {
            match record.affects(*ecosystem, name, version) {
                Some(false) => continue,
                Some(true) => {}
                None => {
                    collector.skip(&format!(
                        "{path}: can't tell whether {} affects {name} {version}",
                        record.id
                    ));
                    continue;
                }
            }
            let mut draft = Draft::new(SCANNER, &record.id, &record.title(&format!("{name} {version}")));
            draft.severity = record.severity();
            draft.cwes = record.cwes();
            draft.aliases.clone_from(&record.aliases);
            draft.component = Some(Component {
                purl: Some(ecosystem.purl(name, Some(version))),
                name: name.clone(),
                version: Some(version.clone()),
            });
            draft.details.cvss_vectors = record.cvss_vectors().map(str::to_owned).collect();
            draft.details.symbols = record.symbols();
            draft.details.scope = *scope;
            draft.details.direct = *direct;
            draft.fixed_versions = record.fixed_after(*ecosystem, name, version);
            draft.place = Some(Place {
                path: (*path).to_owned(),
                line: *line,
                column: None,
            });
            collector.push(draft)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
