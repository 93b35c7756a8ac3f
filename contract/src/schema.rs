//! Schemas of two versions side by side: what happened to each pair, whoever writes or reads it.
//!
//! Pairs make a graph, built once and without recursion: a circular schema is a circle in it, and what a
//! component's change means for each operation is a walk from the operation's root.

mod compare;
mod equal;
mod keywords;
mod listed;
mod numbers;
mod structure;
mod subtypes;
mod types;
mod unnamed;
mod view;
pub(crate) mod what;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::bundle::{At, Bundle};
use crate::tree::{Alignment, NodeId};
use subtypes::Subtypes;
pub(crate) use types::{Fit, TypeChange};
pub(crate) use view::View;

/// Most pairs that are compared; a description of 13 MB has some thousand that differ.
const MAX_PAIRS: usize = 300_000;
/// Most steps of looking for equal schemas, in all: alternatives of alternatives multiply.
const MAX_STEPS: usize = 200_000;
/// Deepest way from a root to a pair that is told; whatever lies deeper leaves a gap.
const MAX_DEPTH: usize = 200;

/// Most rounds of looking for schemas whose subtypes changed; then all that have some are compared.
const MAX_ROUNDS: usize = 8;
/// Most notes about what can't be told; the verdict is the same with more.
const MAX_UNCLEAR: usize = 100;

/// Two schemas that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PairId(usize);

/// Whether a property isn't sent in one of the directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Guard {
    /// `readOnly` on either side: requests don't have it.
    pub(crate) read_only: bool,
    /// `writeOnly` on either side: responses don't have it.
    pub(crate) write_only: bool,
}

impl Guard {
    const fn or(self, other: Self) -> Self {
        Self {
            read_only: self.read_only || other.read_only,
            write_only: self.write_only || other.write_only,
        }
    }
}

/// What happened, independent of who writes and who reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A row of the table.
    Row(&'static str),
    /// The type or format: which row it is hangs on the direction.
    Type(TypeChange),
    /// A property is new.
    PropertyAdded { required: bool, default: bool },
    /// A property is gone.
    PropertyRemoved { required: bool },
    /// A property became required.
    BecameRequired { default: bool },
    /// A property became optional.
    BecameOptional,
    /// `readOnly` or `writeOnly` came or went: name of the row, whether the property is required.
    Mutability { name: &'static str, required: bool },
}

/// One thing that happened to a pair.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) what: What,
    /// Where, from the pair on: `.name`.
    pub(crate) step: String,
    /// One line for people.
    pub(crate) text: String,
    pub(crate) guard: Guard,
}

struct Edge {
    step: String,
    to: PairId,
    guard: Guard,
}

struct Pair {
    base: Vec<At>,
    revision: Vec<At>,
    findings: Vec<Finding>,
    edges: Vec<Edge>,
    /// Whether anything happened here or further down.
    matters: bool,
}

/// The schemas of two descriptions.
pub(crate) struct Graph<'a> {
    pub(crate) base: &'a Bundle,
    pub(crate) revision: &'a Bundle,
    pub(crate) alignment: Alignment,
    pairs: Vec<Pair>,
    known: HashMap<(Vec<At>, Vec<At>), PairId>,
    /// Pairs that were compared.
    done: usize,
    /// Steps that are left for looking for equal schemas.
    steps: Cell<usize>,
    /// Whether there were too many pairs, or parts of one schema.
    overflow: bool,
    /// Whether changes lie deeper than is told.
    too_deep: Cell<bool>,
    /// What can't be told, for people.
    unclear: BTreeSet<String>,
    /// Who takes over what, on either side.
    subtypes: (Subtypes, Subtypes),
}

impl<'a> Graph<'a> {
    pub(crate) fn new(base: &'a Bundle, revision: &'a Bundle) -> Self {
        let targets = base.targets().map(|(reference, target)| {
            let other = revision
                .tree
                .sym(base.tree.str(reference))
                .and_then(|reference| revision.target(reference));
            (reference, (target, other))
        });
        let targets: BTreeMap<_, _> = targets.collect();
        let lost = base.lost_in_both(revision);
        let subtypes = (Subtypes::of(base), Subtypes::of(revision));
        let mut alignment = Alignment::new(&base.tree, &revision.tree, &targets, &lost);
        // A schema is another one if a subtype of it is; that one may be the parent of others.
        let mut changed = BTreeSet::new();
        for round in 0..=MAX_ROUNDS {
            if subtypes.0.is_empty() && subtypes.1.is_empty() {
                break;
            }
            let parents = targets.iter().filter(|(reference, _)| !changed.contains(*reference));
            let fresh: Vec<_> = parents
                .filter(|(_, (target, _))| subtypes::tells_apart(base, *target))
                .filter(|(_, (target, other))| {
                    let same = |other: NodeId| {
                        let sides = ((base, &subtypes.0), (revision, &subtypes.1));
                        subtypes::same_family(sides.0, sides.1, (*target, other), &alignment)
                    };
                    round == MAX_ROUNDS || !other.is_some_and(same)
                })
                .map(|(reference, _)| *reference)
                .collect();
            if fresh.is_empty() {
                break;
            }
            changed.extend(fresh);
            alignment.settle(&base.tree, &targets, &lost, &changed);
        }
        Self {
            base,
            revision,
            alignment,
            pairs: Vec::new(),
            known: HashMap::new(),
            done: 0,
            steps: Cell::new(MAX_STEPS),
            overflow: false,
            too_deep: Cell::new(false),
            unclear: BTreeSet::new(),
            subtypes,
        }
    }

    /// Why changes may be missing or only seem to be some: bounds that were met, and what can't be told. To be asked
    /// when all is walked.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let many = (self.overflow || self.steps.get() == 0).then_some("there are too many schemas to compare them all");
        let deep = self
            .too_deep
            .get()
            .then_some("schemas are nested too deeply to tell all changes");
        let bounds = many.into_iter().chain(deep).map(str::to_owned);
        bounds.chain(self.unclear.iter().cloned()).collect()
    }

    /// Notes what can't be told.
    fn unclear(&mut self, text: String) {
        if self.unclear.len() < MAX_UNCLEAR {
            self.unclear.insert(text);
        }
    }

    /// Whether two values mean the same, all that they refer to included.
    pub(crate) fn settled(&self, base: NodeId, revision: NodeId) -> bool {
        self.alignment.settled(base, revision)
    }

    /// Whether two lists of schemas that must all hold mean the same at first sight.
    fn plainly_same(&self, base: &[At], revision: &[At]) -> bool {
        let same = |(a, b): (&At, &At)| a.beside.is_none() && b.beside.is_none() && self.settled(a.node, b.node);
        base.len() == revision.len() && base.iter().zip(revision).all(same)
    }

    /// The pair of two schemas, or of two lists of such that must all hold; nothing where there is nothing to compare.
    pub(crate) fn pair(&mut self, base: &[NodeId], revision: &[NodeId]) -> Option<PairId> {
        if let ([base], [revision]) = (base, revision)
            && self.settled(*base, *revision)
        {
            return None;
        }
        let resolved = |bundle: &Bundle, list: &[NodeId]| -> Vec<At> {
            let all: BTreeSet<At> = list.iter().map(|schema| bundle.resolve(*schema)).collect();
            all.into_iter().collect()
        };
        let (base, revision) = (resolved(self.base, base), resolved(self.revision, revision));
        if self.plainly_same(&base, &revision) {
            return None;
        }
        let key = (base, revision);
        if let Some(known) = self.known.get(&key) {
            return Some(*known);
        }
        if self.pairs.len() >= MAX_PAIRS {
            self.overflow = true;
            return None;
        }
        let id = PairId(self.pairs.len());
        self.pairs.push(Pair {
            base: key.0.clone(),
            revision: key.1.clone(),
            findings: Vec::new(),
            edges: Vec::new(),
            matters: false,
        });
        self.known.insert(key, id);
        Some(id)
    }

    /// Compares all pairs that were asked for, and all that they lead to.
    pub(crate) fn run(&mut self) {
        while let Some(pair) = self.pairs.get(self.done) {
            let (base, revision) = (pair.base.clone(), pair.revision.clone());
            let (findings, mut edges) = compare::compare(self, &base, &revision);
            edges.sort_by(|a, b| a.step.cmp(&b.step));
            if let Some(pair) = self.pairs.get_mut(self.done) {
                pair.findings = findings;
                pair.edges = edges;
            }
            self.done += 1;
        }
        self.mark();
    }

    /// Marks the pairs from which something that happened can be reached.
    fn mark(&mut self) {
        let mut referrers: Vec<Vec<usize>> = vec![Vec::new(); self.pairs.len()];
        let mut waiting = Vec::new();
        for (at, pair) in self.pairs.iter().enumerate() {
            for edge in &pair.edges {
                if let Some(list) = referrers.get_mut(edge.to.0) {
                    list.push(at);
                }
            }
            if !pair.findings.is_empty() {
                waiting.push(at);
            }
        }
        while let Some(at) = waiting.pop() {
            match self.pairs.get_mut(at) {
                Some(pair) if !pair.matters => pair.matters = true,
                _ => continue,
            }
            waiting.extend(referrers.get(at).into_iter().flatten());
        }
    }

    /// Tells everything that happened from a root on, each pair once: with the shortest way to it, and whether it is
    /// the root. Nearest first, so that what lies near is never lost to a bound that a long way met.
    pub(crate) fn walk(&self, root: PairId, mut tell: impl FnMut(&Finding, &str, Guard, bool)) {
        let mut seen: BTreeSet<(PairId, Guard)> = BTreeSet::from([(root, Guard::default())]);
        let mut waiting = VecDeque::from([(root, String::from("$"), Guard::default(), 0_usize)]);
        while let Some((id, way, guard, depth)) = waiting.pop_front() {
            let Some(pair) = self.pairs.get(id.0).filter(|pair| pair.matters) else {
                continue;
            };
            if depth > MAX_DEPTH {
                self.too_deep.set(true);
                continue;
            }
            for finding in &pair.findings {
                let place = format!("{way}{}", finding.step);
                let is_root = depth == 0 && finding.step.is_empty();
                tell(finding, &place, guard.or(finding.guard), is_root);
            }
            for edge in &pair.edges {
                let guard = guard.or(edge.guard);
                if seen.insert((edge.to, guard)) {
                    waiting.push_back((edge.to, format!("{way}{}", edge.step), guard, depth + 1));
                }
            }
        }
    }
}
