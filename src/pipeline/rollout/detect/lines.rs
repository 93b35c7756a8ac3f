//! Changes by their lines: what a merge changed, and whether a later change takes it back.

use anyhow::Result;
use git2::{Delta, Diff, DiffFindOptions, DiffOptions, Oid, Patch, Repository, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// Largest file whose lines are compared; of larger ones only whether they are the same.
const MAX_FILE_BYTES: i64 = 1 << 20;
/// Most files among which a renamed one is looked for: git's own bound (`diff.renameLimit`).
const MAX_RENAMES: usize = 1000;

/// Lines that stood together and became others. Blank lines and lone brackets say nothing, and aren't kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) removed: Vec<String>,
    pub(super) added: Vec<String>,
}

/// How one file changes between two trees.
#[derive(Debug, Clone)]
pub(super) struct FileChange {
    pub(super) path: String,
    before: Option<Oid>,
    after: Option<Oid>,
    pub(super) hunks: Vec<Hunk>,
}

/// How much of a merge a later change takes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Overlap {
    /// Hunks that it undoes: what was removed is back, what was added is gone.
    pub(super) undone: usize,
    /// Hunks of which it takes a line away or brings one back, undone or not.
    pub(super) touched: usize,
    /// Hunks that it makes again.
    pub(super) redone: usize,
}

impl Overlap {
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            undone: self.undone + other.undone,
            touched: self.touched + other.touched,
            redone: self.redone + other.redone,
        }
    }
}

/// The files that differ between two trees: only those of `paths`, followed to where they were moved, or all
/// when there is no such list.
pub(super) fn between(
    git: &Repository,
    old: &Tree<'_>,
    new: &Tree<'_>,
    paths: Option<&BTreeSet<String>>,
) -> Result<Vec<FileChange>> {
    let is_wanted = |path: &str| paths.is_none_or(|paths| paths.contains(path));
    let diff = diff(git, old, new, paths)?;
    let is_gone = |delta: git2::DiffDelta<'_>| delta.status() == Delta::Deleted;
    if !diff.deltas().any(is_gone) {
        return read(&diff, is_wanted);
    }
    // Moved or deleted? Only the whole change says.
    let mut whole = self::diff(git, old, new, None)?;
    whole.find_similar(Some(DiffFindOptions::new().renames(true).rename_limit(MAX_RENAMES)))?;
    read(&whole, is_wanted)
}

fn diff<'r>(git: &'r Repository, old: &Tree<'_>, new: &Tree<'_>, paths: Option<&BTreeSet<String>>) -> Result<Diff<'r>> {
    let mut options = DiffOptions::new();
    options
        .context_lines(0)
        .interhunk_lines(0)
        .max_size(MAX_FILE_BYTES)
        .disable_pathspec_match(true)
        .ignore_submodules(true);
    for path in paths.into_iter().flatten() {
        options.pathspec(path);
    }
    Ok(git.diff_tree_to_tree(Some(old), Some(new), Some(&mut options))?)
}

fn read(diff: &Diff<'_>, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<FileChange>> {
    let mut files = Vec::new();
    for (index, delta) in diff.deltas().enumerate() {
        // By the name that it had: that is where a merge changed it.
        let file = if delta.status() == Delta::Added {
            delta.new_file()
        } else {
            delta.old_file()
        };
        let Some(path) = file
            .path()
            .and_then(|path| path.to_str())
            .filter(|path| is_wanted(path))
        else {
            continue;
        };
        let id = |id: Oid| (!id.is_zero()).then_some(id);
        files.push(FileChange {
            path: path.to_owned(),
            before: id(delta.old_file().id()),
            after: id(delta.new_file().id()),
            hunks: Patch::from_diff(diff, index)?.map_or_else(|| Ok(Vec::new()), |patch| hunks(&patch))?,
        });
    }
    Ok(files)
}

fn hunks(patch: &Patch<'_>) -> Result<Vec<Hunk>> {
    let mut hunks = Vec::new();
    for index in 0..patch.num_hunks() {
        let mut hunk = Hunk::default();
        for line in 0..patch.num_lines_in_hunk(index)? {
            let line = patch.line_in_hunk(index, line)?;
            let text = String::from_utf8_lossy(line.content()).trim_end().to_owned();
            match line.origin() {
                _ if !text.contains(char::is_alphanumeric) => {}
                '-' => hunk.removed.push(text),
                '+' => hunk.added.push(text),
                _ => {}
            }
        }
        if hunk != Hunk::default() {
            hunks.push(hunk);
        }
    }
    Ok(hunks)
}

/// How many changes there are: a file whose lines can't be compared counts as one.
pub(super) fn size(files: &[FileChange]) -> usize {
    files.iter().map(|file| file.hunks.len().max(1)).sum()
}

/// How much of `ours` the change `later` takes back.
pub(super) fn overlap(ours: &[FileChange], later: &[FileChange]) -> Overlap {
    ours.iter()
        .filter_map(|our| {
            let later = later.iter().find(|later| later.path == our.path)?;
            Some(of_file(our, later))
        })
        .fold(Overlap::default(), Overlap::plus)
}

fn of_file(ours: &FileChange, later: &FileChange) -> Overlap {
    let all = ours.hunks.len().max(1);
    if later.before == ours.after && later.after == ours.before {
        return Overlap {
            undone: all,
            touched: all,
            redone: 0,
        };
    }
    // A file that we made and that is no longer there, moved nowhere.
    if ours.before.is_none() && later.after.is_none() {
        return Overlap {
            undone: all,
            touched: all,
            redone: 0,
        };
    }
    let mut gone = Bag::of(later.hunks.iter().flat_map(|hunk| &hunk.removed));
    let mut back = Bag::of(later.hunks.iter().flat_map(|hunk| &hunk.added));
    let mut overlap = Overlap::default();
    for hunk in &ours.hunks {
        if gone.has_any(&hunk.added) || back.has_any(&hunk.removed) {
            overlap.touched += 1;
        }
        if is_undone(hunk, later, &mut gone, &mut back) {
            overlap.undone += 1;
        } else if !hunk.added.is_empty() && back.has_all(&hunk.added) && gone.has_all(&hunk.removed) {
            overlap.redone += 1;
        }
    }
    overlap
}

/// Whether a later change of the file takes a hunk back.
fn is_undone(hunk: &Hunk, later: &FileChange, gone: &mut Bag<'_>, back: &mut Bag<'_>) -> bool {
    let undone = match (hunk.removed.is_empty(), hunk.added.is_empty()) {
        (false, false) => gone.has_all(&hunk.added) && back.has_all(&hunk.removed),
        // What was only added is taken back where nothing else comes in its place; a file that goes as a whole
        // takes more with it than ours.
        (true, false) => {
            later.after.is_some()
                && later
                    .hunks
                    .iter()
                    .any(|other| other.added.is_empty() && Bag::of(&other.removed).has_all(&hunk.added))
        }
        // What was only removed is taken back where it comes again in one piece.
        (false, true) => later
            .hunks
            .iter()
            .any(|other| Bag::of(&other.added).has_all(&hunk.removed)),
        (true, true) => false,
    };
    if undone {
        // Of two equal hunks, one that is taken back is one.
        gone.take(&hunk.added);
        back.take(&hunk.removed);
    }
    undone
}

/// Lines, each as often as it is there.
#[derive(Default)]
struct Bag<'a>(BTreeMap<&'a str, usize>);

impl<'a> Bag<'a> {
    fn of(lines: impl IntoIterator<Item = &'a String>) -> Self {
        let mut bag = Self::default();
        for line in lines {
            *bag.0.entry(line).or_default() += 1;
        }
        bag
    }

    fn has_any(&self, lines: &[String]) -> bool {
        lines
            .iter()
            .any(|line| self.0.get(line.as_str()).is_some_and(|count| *count > 0))
    }

    fn has_all(&self, lines: &[String]) -> bool {
        Bag::of(lines)
            .0
            .iter()
            .all(|(line, wanted)| self.0.get(line).is_some_and(|count| count >= wanted))
    }

    fn take(&mut self, lines: &[String]) {
        for line in lines {
            if let Some(count) = self.0.get_mut(line.as_str()) {
                *count = count.saturating_sub(1);
            }
        }
    }
}
