//! How the program comes to a place: calls from an entry down to it.

use std::collections::{HashSet, VecDeque};

use crate::bounds::MAX_PATH;
use crate::facts::{Place, Spot};
use crate::sources::Usage;

/// Most functions that are looked at: a path that isn't found by then is shown from where it was lost.
const MAX_LOOKED_AT: usize = 500;

impl Usage {
    /// The shortest chain of calls by name from a function that nobody calls (or from the top of a file) to a
    /// place, which is its last element. Calls are followed within a file and into the files that import it.
    pub(crate) fn trace(&self, file: usize, spot: Spot) -> Vec<Place> {
        let mut seen: HashSet<(usize, usize)> = HashSet::new();
        // Each step knows the one below it.
        let mut steps: Vec<(usize, Spot, Option<usize>)> = vec![(file, spot, None)];
        let mut open: VecDeque<usize> = VecDeque::from([0]);
        let mut end = 0;
        while let Some(step) = open.pop_front() {
            let Some((file, spot, _)) = steps.get(step).copied() else {
                break;
            };
            end = step;
            let Some(source) = self.files.get(file) else { break };
            let Some(function) = source.facts.enclosing(spot.offset) else {
                break;
            };
            let users = self.importers.get(file);
            let mut called = false;
            for (other, index) in self.calls_by_name.get(&function.name).into_iter().flatten() {
                let near = *other == file || users.is_some_and(|users| users.contains(other));
                let used = self.files.get(*other).and_then(|source| source.facts.uses.get(*index));
                let Some(used) = used.filter(|_| near) else { continue };
                let inside_itself = *other == file && function.range.contains(&used.spot.offset);
                if inside_itself {
                    continue;
                }
                called = true;
                if steps.len() < MAX_LOOKED_AT && seen.insert((*other, *index)) {
                    open.push_back(steps.len());
                    steps.push((*other, used.spot, Some(step)));
                }
            }
            if !called {
                break;
            }
        }
        let mut path = Vec::new();
        let mut next = Some(end);
        while let Some((file, spot, below)) = next.and_then(|step| steps.get(step)).copied() {
            path.push(self.place(file, spot));
            next = below;
        }
        if path.len() > MAX_PATH {
            // The middle says least.
            path.drain(MAX_PATH / 2..path.len() - MAX_PATH / 2);
        }
        path
    }
}
