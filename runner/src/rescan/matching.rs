//! Which finding of the newer scan is which of the older one.

use holdpoint_schemas::finding::Finding;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::place::{Place, Places};
use crate::files::Files;

/// Comparisons of tokens for one rule: what is left then stays new, rather than to compare for ever what somebody
/// wrote for that.
const MAX_WORK: usize = 20_000_000;

/// One side: a scan's findings, and the tree they are about.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Findings.
    pub findings: &'a [Finding],
    /// Files of the tree; [`crate::files::NoFiles`] where there is none at hand.
    pub files: &'a dyn Files,
}

/// For each newer finding the index of the older one that it is, if any; one to one.
///
/// A finding is the same when its scanner and rule are, when it isn't worse, and when its code is the same: the
/// whole statement, which may have moved or been reformatted. Where no code is at hand, fingerprints decide.
pub(super) fn matched(before: Side<'_>, after: Side<'_>) -> Vec<Option<usize>> {
    let (old_places, new_places) = (Places::of(before), Places::of(after));
    let mut groups: BTreeMap<(&str, &str), Members> = BTreeMap::new();
    for (index, finding) in before.findings.iter().enumerate() {
        groups
            .entry((&finding.scanner, &finding.rule))
            .or_default()
            .0
            .push(index);
    }
    for (index, finding) in after.findings.iter().enumerate() {
        groups
            .entry((&finding.scanner, &finding.rule))
            .or_default()
            .1
            .push(index);
    }
    let mut pairs = vec![None; after.findings.len()];
    for (old, new) in groups.into_values() {
        let mut group = Group {
            before,
            after,
            old_places: &old_places,
            new_places: &new_places,
            budget: Cell::new(MAX_WORK),
            taken: HashMap::new(),
        };
        group.settle(&old, &new);
        for (old, new) in group.taken {
            if let Some(pair) = pairs.get_mut(new) {
                *pair = Some(old);
            }
        }
    }
    pairs
}

/// The findings of one rule.
struct Group<'a> {
    before: Side<'a>,
    after: Side<'a>,
    old_places: &'a Places<'a>,
    new_places: &'a Places<'a>,
    budget: Cell<usize>,
    /// Newer by older.
    taken: HashMap<usize, usize>,
}

/// Indices of a rule's older and newer findings.
type Members = (Vec<usize>, Vec<usize>);

/// How well two findings fit: better is more.
type Fit = (bool, usize);

impl Group<'_> {
    fn settle(&mut self, old: &[usize], new: &[usize]) {
        // First what the fingerprint says, if the code agrees; that is nearly everything.
        let mut by_print: HashMap<&str, Vec<usize>> = HashMap::new();
        for index in old.iter().rev() {
            if let Some(finding) = self.before.findings.get(*index) {
                by_print.entry(finding.fingerprint.as_str()).or_default().push(*index);
            }
        }
        let mut left = Vec::new();
        for index in new {
            let known = self
                .after
                .findings
                .get(*index)
                .and_then(|finding| by_print.get_mut(finding.fingerprint.as_str()));
            let hit = known.and_then(|known| {
                let at = known.iter().rposition(|old| self.fit(*old, *index).is_some())?;
                Some(known.remove(at))
            });
            match hit {
                Some(old) => {
                    self.taken.insert(old, *index);
                }
                None => left.push(*index),
            }
        }
        // Then equal statements, which moved; then what a formatter cut into other lines.
        for same_words in [true, false] {
            let free: Vec<usize> = old
                .iter()
                .filter(|old| !self.taken.contains_key(old))
                .copied()
                .collect();
            let done: BTreeSet<usize> = self.taken.values().copied().collect();
            left.retain(|new| !done.contains(new));
            self.assign(&free, &left, same_words);
        }
    }

    /// A largest matching by augmenting paths (Kuhn), the best fits tried first.
    fn assign(&mut self, old: &[usize], new: &[usize], same_words: bool) {
        let mut by_words: HashMap<u64, Vec<usize>> = HashMap::new();
        for index in old {
            if let Some(words) = self.old_places.words(*index).filter(|_| same_words) {
                by_words.entry(words).or_default().push(*index);
            }
        }
        let mut edges: Vec<(usize, Vec<usize>)> = Vec::new();
        for index in new {
            let choice = if same_words {
                self.new_places
                    .words(*index)
                    .and_then(|words| by_words.get(&words))
                    .cloned()
                    .unwrap_or_default()
            } else {
                old.to_vec()
            };
            let mut fits: Vec<(Fit, usize)> = Vec::new();
            for old in choice {
                if let Some(fit) = self.fit(old, *index) {
                    fits.push((fit, old));
                }
            }
            fits.sort_by(|one, two| two.0.cmp(&one.0).then(one.1.cmp(&two.1)));
            edges.push((*index, fits.into_iter().map(|(_, old)| old).collect()));
        }
        let mut mates = Mates::default();
        for start in 0..edges.len() {
            mates.augment(start, &edges);
        }
        for (old, edge) in mates.by_old {
            if let Some((new, _)) = edges.get(edge) {
                self.taken.insert(old, *new);
            }
        }
    }

    /// How well a newer finding fits an older one; `None` if it is another one.
    fn fit(&self, old: usize, new: usize) -> Option<Fit> {
        let (one, two) = (self.before.findings.get(old)?, self.after.findings.get(new)?);
        if two.severity > one.severity {
            return None;
        }
        if let (Some(one), Some(two)) = (&one.details.secret, &two.details.secret)
            && one != two
        {
            return None;
        }
        let same_path = path(one) == path(two);
        let same_file = same_path || self.renamed(path(one), path(two));
        let places = (self.old_places.get(old)?, self.new_places.get(new)?);
        self.spend(1)?;
        let equal = match places {
            (Place::Code(before), Place::Code(after)) => match before.same_start(after, same_file) {
                Some(common) => common,
                None => {
                    self.spend(before.work(after))?;
                    before.same(after, same_file)?
                }
            },
            (Place::Line(before), Place::Line(after)) => (before == after).then_some(0)?,
            (Place::None, Place::None) => self.same_thing(one, two).then_some(0)?,
            _ => return None,
        };
        Some((same_path, equal))
    }

    /// Takes from the budget; `None` when it is used up.
    fn spend(&self, work: usize) -> Option<()> {
        self.budget.set(self.budget.get().checked_sub(work)?);
        Some(())
    }

    /// Whether one file went and the other came.
    fn renamed(&self, from: Option<&str>, to: Option<&str>) -> bool {
        let gone = |files: &dyn Files, path: Option<&str>| path.is_some_and(|path| files.content(path).is_none());
        from != to && gone(self.after.files, from) && gone(self.before.files, to)
    }

    /// Whether two findings without code are about the same: by fingerprint, or the file they are about was renamed.
    fn same_thing(&self, one: &Finding, two: &Finding) -> bool {
        if one.fingerprint == two.fingerprint {
            return true;
        }
        let (Some(from), Some(to)) = (path(one), path(two)) else {
            return false;
        };
        let moved = self.renamed(Some(from), Some(to));
        let about = |finding: &Finding| {
            let component = finding.component.as_ref();
            component.map(|component| {
                (
                    component.purl.clone(),
                    component.name.clone(),
                    component.version.clone(),
                )
            })
        };
        moved
            && about(one) == about(two)
            && one.iac_address == two.iac_address
            && (one.component.is_some() || self.before.files.content(from) == self.after.files.content(to))
            && self.before.files.content(from).is_some()
    }
}

fn path(finding: &Finding) -> Option<&str> {
    finding.location.as_ref().map(|location| location.path.as_str())
}

/// Who has whom.
#[derive(Default)]
struct Mates {
    /// Edge by older finding.
    by_old: HashMap<usize, usize>,
    /// Older finding by edge.
    by_edge: HashMap<usize, usize>,
}

impl Mates {
    /// Finds a partner for one of `edges` (by its index), moving others to another partner where needed.
    fn augment(&mut self, start: usize, edges: &[(usize, Vec<usize>)]) {
        let mut came_from: HashMap<usize, usize> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(edge) = queue.pop_front() {
            for old in edges.get(edge).into_iter().flat_map(|(_, olds)| olds) {
                if came_from.contains_key(old) {
                    continue;
                }
                came_from.insert(*old, edge);
                match self.by_old.get(old) {
                    Some(holder) => queue.push_back(*holder),
                    None => return self.hand_over(*old, start, &came_from),
                }
            }
        }
    }

    /// Each edge on the way to a free one takes the one it reached, and leaves its own to the edge before.
    fn hand_over(&mut self, mut free: usize, start: usize, came_from: &HashMap<usize, usize>) {
        while let Some(edge) = came_from.get(&free).copied() {
            let own = self.by_edge.insert(edge, free);
            self.by_old.insert(free, edge);
            match own {
                Some(own) if edge != start => free = own,
                _ => return,
            }
        }
    }
}
