//! What is worked out of a repo once per run and commit: claims in its history and files, and who uses what.

use holdpoint_intake::activity::break_glass;
use holdpoint_intake::controls::markers;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::control::Control;
use holdpoint_schemas::fix::{DependencyScope, Fix};
use holdpoint_usage::{Language, Package, Place, Reach, SourceFile, Usage};
use jiff::SignedDuration;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::facts::{Moment, touched_paths};

/// Code that uses what a change touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callers {
    /// Files that import a touched file, by path.
    pub paths: BTreeSet<String>,
    /// Whether these are all.
    pub complete: bool,
    /// Why they may not be all, for people.
    pub why: String,
}

/// Whether the vulnerable part of a component is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is.
    Reached {
        /// How, for people.
        note: String,
        /// What shows it.
        source: String,
        /// When that was so.
        at: Timestamp,
    },
    /// It isn't, and why.
    NotReached(String),
    /// That can't be told, and why.
    Unknown(String),
}

/// Claims by commits, by repo and commit; of a history that can't be read, why.
type Claims = BTreeMap<(String, String), Result<Vec<Control>, String>>;

/// What was worked out so far.
#[derive(Debug, Default)]
pub struct RepoKnowledge {
    break_glass: RefCell<Claims>,
    usages: RefCell<BTreeMap<(String, String), Arc<Usage>>>,
}

impl RepoKnowledge {
    /// Claims by break-glass commits, and by comments and tags in the files that a change touches.
    ///
    /// # Errors
    /// When the history can't be read, in words for people.
    pub fn controls(&self, moment: &Moment<'_>) -> Result<Vec<Control>, String> {
        let finding = moment.finding;
        let mirror = moment
            .mirror
            .ok_or_else(|| format!("the repo `{}` can't be read", finding.repo))?;
        let head = mirror
            .head(&finding.branch)
            .ok_or_else(|| format!("there is no branch `{}`", finding.branch))?;
        let mut controls = self
            .break_glass
            .borrow_mut()
            .entry((finding.repo.clone(), head.clone()))
            .or_insert_with(|| {
                break_glass(&mirror.git, &finding.repo, &head, moment.now)
                    .map_err(|error| format!("the repo's history can't be read: {error}"))
            })
            .clone()?;
        let tree = mirror.tree(&head).map_err(|error| format!("{error:#}"))?;
        for path in touched_paths(finding, moment.fix) {
            if let Some(text) = mirror.text(&tree, path) {
                let found = markers(&finding.repo, path, &text);
                controls.extend(found.into_iter().map(|marker| marker.control));
            }
        }
        Ok(controls)
    }

    /// Code of the repo that imports what a change touches.
    ///
    /// # Errors
    /// When the repo can't be read, in words for people.
    pub fn callers(&self, moment: &Moment<'_>) -> Result<Callers, String> {
        let usage = self.usage(moment)?;
        let mut callers = Callers {
            paths: BTreeSet::new(),
            complete: true,
            why: String::new(),
        };
        let touched = touched_paths(moment.finding, moment.fix);
        for path in &touched {
            // What isn't source isn't imported; how else it may be read is beyond what is asked here.
            if Language::of_path(path).is_none() {
                continue;
            }
            let found = usage.callers(path);
            if !found.complete {
                callers.complete = false;
                callers.why = format!("not all code that uses `{path}` can be told");
            }
            callers.paths.extend(found.paths);
        }
        callers.paths.retain(|path| !touched.contains(&path.as_str()));
        Ok(callers)
    }

    /// Whether the vulnerable part of a finding's component is reached, by the source of its branch's head and by
    /// what was observed of the owners.
    ///
    /// # Errors
    /// When the repo can't be read, or the finding names no package, in words for people.
    pub fn reach(&self, moment: &Moment<'_>) -> Result<Answer, String> {
        let found = &moment.finding.finding;
        let package = found
            .component
            .as_ref()
            .and_then(|component| component.purl.as_deref())
            .and_then(Package::of_purl)
            .ok_or("the finding names no package of an ecosystem whose source is read")?;
        let symbols = &found.details.symbols;
        if let Some(answer) = observed(moment, &package, symbols)? {
            return Ok(answer);
        }
        let usage = self.usage(moment)?;
        Ok(match usage.reach(&package, symbols) {
            Reach::Reached {
                path,
                symbol: Some(symbol),
                reached_only_by_tests,
            } => Answer::Reached {
                note: format!(
                    "`{symbol}` is called: {}{}",
                    places(&path),
                    if reached_only_by_tests {
                        "; only tests are known to"
                    } else {
                        ""
                    }
                ),
                source: "the repo's source".to_owned(),
                at: moment.now,
            },
            Reach::Reached { path, symbol: None, .. } => Answer::Unknown(format!(
                "it is used ({}), but the advisory doesn't say which functions are vulnerable",
                places(&path)
            )),
            Reach::NotReached { because, .. } => Answer::NotReached(because),
            Reach::Unknown { because } => Answer::Unknown(because.join("; ")),
        })
    }

    /// The lines outside of tests that use the dependencies which a fix moves and which ship with the service.
    ///
    /// # Errors
    /// When they can't be told, or there are none to be seen, in words for people.
    pub fn used_lines(&self, moment: &Moment<'_>, fix: &Fix) -> Result<BTreeSet<(String, u32)>, String> {
        let usage = self.usage(moment)?;
        let mut lines = BTreeSet::new();
        for upgrade in &fix.classification.upgrades {
            if upgrade.scope == DependencyScope::Dev {
                continue;
            }
            let purl = format!("pkg:{}/{}", upgrade.ecosystem, upgrade.package);
            let package =
                Package::of_purl(&purl).ok_or_else(|| format!("`{purl}` is of no ecosystem whose source is read"))?;
            let places = usage.uses(&package).map_err(|hidden| hidden.join("; "))?;
            lines.extend(places.into_iter().map(|place| (place.path, place.line)));
        }
        Ok(lines)
    }

    /// Who uses what in the repo, at the head of the finding's branch.
    fn usage(&self, moment: &Moment<'_>) -> Result<Arc<Usage>, String> {
        let finding = moment.finding;
        let mirror = moment
            .mirror
            .ok_or_else(|| format!("the repo `{}` can't be read", finding.repo))?;
        let head = mirror
            .head(&finding.branch)
            .ok_or_else(|| format!("there is no branch `{}`", finding.branch))?;
        let tree = mirror.tree(&head).map_err(|error| format!("{error:#}"))?;
        let key = (finding.repo.clone(), tree.clone());
        if let Some(known) = self.usages.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let files: Vec<(String, Option<String>)> = holdpoint_fixes::tree::list_files(&mirror.git, &tree)
            .into_iter()
            .map(|path| (path.clone(), mirror.text(&tree, &path)))
            .collect();
        let usage = Arc::new(Usage::of(files.iter().map(|(path, text)| SourceFile {
            path,
            text: text.as_deref(),
        })));
        self.usages.borrow_mut().insert(key, Arc::clone(&usage));
        Ok(usage)
    }
}

/// Oldest observation that still says something of what runs.
const FRESH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What observations of the owners show; `None` where they don't show it: not seen isn't not there.
fn observed(moment: &Moment<'_>, package: &Package, symbols: &[String]) -> Result<Option<Answer>, String> {
    let observations = moment.estate.observations.known().map_err(Clone::clone)?;
    for (file, observation) in observations {
        let is_owner = moment
            .owners
            .services
            .iter()
            .any(|service| service.id.as_str() == observation.service);
        let Ok(at) = observation.observed_at.parse::<Timestamp>() else {
            continue;
        };
        let age = moment.now.duration_since(at);
        if !is_owner || age > FRESH || age < SignedDuration::ZERO {
            continue;
        }
        let unknown = Reach::Unknown { because: Vec::new() };
        // That it was loaded doesn't say that the vulnerable part of it was reached.
        if let Reach::Reached {
            symbol: Some(symbol), ..
        } = observation.corrects(unknown, package, symbols)
        {
            return Ok(Some(Answer::Reached {
                note: format!("`{symbol}` was called at run time"),
                source: file.clone(),
                at,
            }));
        }
    }
    Ok(None)
}

fn places(path: &[Place]) -> String {
    let places: Vec<String> = path.iter().map(ToString::to_string).collect();
    places.join(" → ")
}
