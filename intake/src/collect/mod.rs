//! From what a reader saw to findings: paths, classes, fingerprints, duplicates, and no secrets.

mod class;
mod group;
mod iac;
mod merge;
mod path;
mod same;
mod text;

use holdpoint_schemas::finding::{Component, Finding, FindingClass, FindingDetails, Fingerprint, Location, Severity};
use holdpoint_schemas::{Digest, SourceError};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::error::SourceResult;
use crate::report::ReportContext;
pub use class::from_metadata;
pub use group::groups;
pub use merge::merge;
pub use text::{cvss_band, cwe, is_advisory_id, severity};

/// Most findings of one report: an estate of thousands of repos stays far below it.
pub const MAX_FINDINGS: usize = 200_000;
/// Most notes about what was skipped; the last one says how many more there were.
const MAX_SKIPPED: usize = 1_000;
/// Most entries of one finding's lists (CWEs, aliases, fixed versions).
const MAX_LIST: usize = 100;

/// Where a scanner says something is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Path as reported.
    pub path: String,
    /// Line, 1-based.
    pub line: Option<u32>,
    /// Column, 1-based; tells apart what shares a line.
    pub column: Option<u32>,
}

impl Place {
    /// A place, if there is a path: many tools write an empty one for none.
    pub fn at(path: String, line: Option<u32>, column: Option<u32>) -> Option<Self> {
        (!path.trim().is_empty()).then_some(Self { path, line, column })
    }
}

/// One entry of a report, before it is a finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Draft {
    /// Scanner that reported it.
    pub scanner: String,
    /// Rule or advisory id, as reported.
    pub rule: String,
    /// The rule's identity without what depends on where its file lies. Defaults to `rule`.
    pub stable_rule: Option<String>,
    /// What the scanner says about this finding. It may quote the code.
    pub title: String,
    /// What the rule says about itself: never holds code, so it may be shown for a secret.
    pub rule_title: Option<String>,
    /// Severity.
    pub severity: Severity,
    /// Class that the rule's metadata declares.
    pub class: Option<FindingClass>,
    /// CWE ids in any spelling.
    pub cwes: Vec<String>,
    /// Other ids.
    pub aliases: Vec<String>,
    /// Component, for a dependency.
    pub component: Option<Component>,
    /// Where.
    pub place: Option<Place>,
    /// Infrastructure address.
    pub iac_address: Option<String>,
    /// Versions in which it is fixed, lowest first.
    pub fixed_versions: Vec<String>,
    /// The line as the report shows it; used when the source isn't at hand, and never kept.
    pub snippet: Option<String>,
    /// What else tells it apart from an exact duplicate: the scanner's own id of it.
    pub own_id: Option<String>,
    /// Keyed hash of the secret that it is about, from [`Collector::secret`].
    pub secret: Option<Digest>,
    /// What not every report says.
    pub details: FindingDetails,
}

impl Draft {
    /// A draft of which only the necessary is known.
    pub fn new(scanner: &str, rule: &str, title: &str) -> Self {
        Self {
            scanner: scanner.to_owned(),
            rule: rule.to_owned(),
            stable_rule: None,
            title: title.to_owned(),
            rule_title: None,
            severity: Severity::Unknown,
            class: None,
            cwes: Vec::new(),
            aliases: Vec::new(),
            component: None,
            place: None,
            iac_address: None,
            fixed_versions: Vec::new(),
            snippet: None,
            own_id: None,
            secret: None,
            details: FindingDetails::default(),
        }
    }

    /// A draft about a vulnerable component.
    pub fn dependency(scanner: &str, rule: &str, title: &str, component: Component) -> Self {
        Self {
            class: Some(FindingClass::Dependency),
            component: Some(component),
            ..Self::new(scanner, rule, title)
        }
    }

    /// Whether an equal draft may be another finding on the same line: a scanner that gives no
    /// column (older bandit, ShellCheck's SARIF) reports two flaws of a line in the same words.
    fn may_be_a_neighbour(&self) -> bool {
        let place = self.place.as_ref();
        self.component.is_none() && place.is_some_and(|place| place.line.is_some() && place.column.is_none())
    }
}

/// Collects the findings of one report.
pub struct Collector<'a> {
    context: &'a ReportContext<'a>,
    limit: usize,
    seen: HashSet<[u64; 2]>,
    hashers: [RandomState; 2],
    pending: Vec<Pending>,
    /// Of each pending finding, what identifies it besides its ordinal.
    identities: Vec<Vec<String>>,
    skipped: Vec<String>,
    skipped_more: usize,
}

/// A finding whose fingerprint still lacks its ordinal.
struct Pending {
    finding: Finding,
    column: Option<u32>,
}

impl<'a> Collector<'a> {
    /// An empty collector.
    pub fn new(context: &'a ReportContext<'a>) -> Self {
        Self {
            context,
            limit: MAX_FINDINGS,
            seen: HashSet::new(),
            hashers: [RandomState::new(), RandomState::new()],
            pending: Vec::new(),
            identities: Vec::new(),
            skipped: Vec::new(),
            skipped_more: 0,
        }
    }

    /// Notes something that was not read.
    pub fn skip(&mut self, note: &str) {
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(text::one_line(note));
        } else {
            self.skipped_more += 1;
        }
    }

    /// Takes one entry of a report. An exact duplicate of an earlier one is dropped.
    ///
    /// # Errors
    /// When there are more than [`MAX_FINDINGS`].
    pub fn push(&mut self, draft: Draft) -> SourceResult<()> {
        if self.pending.len() >= self.limit {
            let message = format!("more than {} findings", self.limit);
            return Err(Box::new(
                SourceError::new(self.context.file, message).help("split the report by repo or folder"),
            ));
        }
        // Two hashes under random keys stand for the draft: no report can make two collide, and drafts are large.
        let hash = self.hashers.each_ref().map(|hasher| hasher.hash_one(&draft));
        if self.seen.insert(hash) || draft.may_be_a_neighbour() {
            self.keep(draft);
        }
        Ok(())
    }

    /// Keyed hash of a secret's value; `None` without a key or a value. SHA-256 over parts that are each preceded by
    /// their length is a safe keyed hash (no input is a prefix of another), as plain SHA-256 over a joined text isn't.
    pub fn secret(&self, value: &str) -> Option<Digest> {
        let key = self.context.secret_key.filter(|key| !key.is_empty())?;
        (!value.is_empty()).then(|| Digest::of_parts([b"holdpoint secret".as_slice(), key, value.as_bytes()]))
    }

    fn keep(&mut self, draft: Draft) {
        let location = draft.place.as_ref().and_then(|place| self.location(place));
        let cwes = bounded(draft.cwes.iter().filter_map(|c| cwe(c)));
        let rule = text::identifier(&draft.rule);
        let class = class::of(&draft, &cwes, location.as_ref());
        let title = match (class, &draft.rule_title) {
            // A scanner's message may quote the secret: only the rule's own words are kept.
            (FindingClass::Secret, Some(own)) => text::one_line(own),
            (FindingClass::Secret, None) => format!("possible secret in the source ({rule})"),
            _ => text::one_line(&draft.title),
        };
        let mut aliases = bounded(
            draft
                .aliases
                .iter()
                .filter(|a| **a != draft.rule)
                .map(|a| text::identifier(a)),
        );
        aliases.sort();
        self.identities
            .push(self.identity(&draft, class, location.as_ref(), &rule));
        let in_source = || location.as_ref().and_then(|l| iac::address_at(self.context.source, l));
        let iac_address = draft.iac_address.or_else(in_source);
        let mut details = bounded_details(draft.details);
        details.secret = draft.secret;
        self.pending.push(Pending {
            column: draft.place.and_then(|place| place.column),
            finding: Finding {
                fingerprint: Fingerprint::of([]),
                scanner: text::identifier(&draft.scanner),
                rule,
                title,
                severity: draft.severity,
                class,
                cwes,
                aliases,
                component: draft.component,
                location,
                iac_address,
                fixed_versions: bounded(draft.fixed_versions.iter().map(|v| text::identifier(v))),
                details,
            },
        });
    }

    fn location(&mut self, place: &Place) -> Option<Location> {
        match path::in_repo(&place.path, self.context.source) {
            Some(path) => Some(Location {
                path,
                line: place.line.filter(|line| *line > 0),
            }),
            None => {
                self.skip(&format!("the place `{}` is outside the repo", place.path));
                None
            }
        }
    }

    /// What identifies a finding besides its ordinal. Line numbers must not be among it.
    fn identity(&self, draft: &Draft, class: FindingClass, location: Option<&Location>, rule: &str) -> Vec<String> {
        let stable_rule = draft.stable_rule.as_deref().unwrap_or(rule).to_ascii_lowercase();
        let path = location.map_or("", |l| l.path.as_str());
        let mut parts = vec![self.context.repo.to_owned()];
        if class == FindingClass::Drift {
            parts.extend(["drift".to_owned(), draft.iac_address.clone().unwrap_or_default()]);
        } else if let Some(component) = &draft.component {
            let package = text::package_key(component);
            parts.extend(["dependency".to_owned(), package, stable_rule, path.to_owned()]);
        } else {
            let secret = draft.secret.as_ref().map(|digest| digest.as_str().to_owned());
            let line = location
                .and_then(|l| self.context.source.line(&l.path, l.line?))
                .or_else(|| draft.snippet.clone())
                .filter(|line| !line.trim().is_empty());
            let about = match (line, class) {
                (line, FindingClass::Secret) => secret
                    .or_else(|| line.as_deref().map(text::without_literals))
                    .unwrap_or_default(),
                (Some(line), _) => text::without_space(&line),
                (None, _) => text::without_space(&draft.title),
            };
            parts.extend(["code".to_owned(), stable_rule, path.to_owned(), about]);
        }
        parts
    }

    /// The findings, in the report's order, with fingerprints, and what was skipped.
    pub fn finish(mut self) -> (Vec<Finding>, Vec<String>) {
        let mut alike: HashMap<&[String], Vec<usize>> = HashMap::with_capacity(self.identities.len());
        for (index, identity) in self.identities.iter().enumerate() {
            alike.entry(identity).or_default().push(index);
        }
        for (identity, mut members) in alike {
            // By place, not by the report's order, which scanners don't keep.
            members.sort_by_cached_key(|index| {
                self.pending.get(*index).map(|p| {
                    let version = p.finding.component.as_ref().and_then(|c| c.version.clone());
                    let line = p.finding.location.as_ref().and_then(|l| l.line);
                    (line, p.column, version, p.finding.rule.clone())
                })
            });
            for (ordinal, index) in members.into_iter().enumerate() {
                let ordinal = ordinal.to_string();
                let parts = identity.iter().map(String::as_str).chain([ordinal.as_str()]);
                if let Some(pending) = self.pending.get_mut(index) {
                    pending.finding.fingerprint = Fingerprint::of(parts);
                }
            }
        }
        if self.skipped_more > 0 {
            self.skipped.push(format!("and {} more", self.skipped_more));
        }
        let findings = self.pending.into_iter().map(|p| p.finding).collect();
        (findings, self.skipped)
    }
}

/// The details with every list and text bounded.
fn bounded_details(mut details: FindingDetails) -> FindingDetails {
    details.cvss_vectors = bounded(details.cvss_vectors.iter().map(|vector| text::identifier(vector)));
    details.symbols = bounded(details.symbols.iter().map(|symbol| text::identifier(symbol)));
    if let Some(vex) = &mut details.vex {
        vex.justification = vex.justification.as_deref().map(text::one_line);
        vex.author = vex.author.as_deref().map(text::identifier);
    }
    details
}

fn bounded(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for item in items {
        if kept.len() < MAX_LIST && !item.is_empty() && !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
