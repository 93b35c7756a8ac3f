//! What is worked out of a repo once per run and commit: claims in its history and files, and who uses what.

use holdpoint_intake::activity::break_glass;
use holdpoint_intake::controls::markers;
use holdpoint_schemas::control::Control;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

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

/// Claims by commits, by repo and commit; of a history that can't be read, why.
type Claims = BTreeMap<(String, String), Result<Vec<Control>, String>>;

/// What was worked out so far.
#[derive(Debug, Default)]
pub struct RepoKnowledge {
    break_glass: RefCell<Claims>,
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
        let _ = moment;
        Err("which code uses what is touched isn't known".to_owned())
    }
}
