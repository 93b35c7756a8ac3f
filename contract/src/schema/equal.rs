//! Whether two schemas allow the same values, as far as their keywords tell: what only people read doesn't count.

use std::collections::BTreeSet;

use super::{Graph, View};
use crate::bundle::At;
use crate::tree::{NodeId, Sym, word};

/// Deepest nesting that is followed; beyond, schemas count as different.
const MAX_DEPTH: usize = 100;

/// Keywords whose values are compared as they stand.
const VALUES: [Sym; 31] = [
    word::FORMAT,
    word::PATTERN,
    word::CONST,
    word::DEFAULT,
    word::UNIQUE_ITEMS,
    word::CONTENT_MEDIA_TYPE,
    word::CONTENT_ENCODING,
    word::MAXIMUM,
    word::MINIMUM,
    word::EXCLUSIVE_MAXIMUM,
    word::EXCLUSIVE_MINIMUM,
    word::MULTIPLE_OF,
    word::MAX_LENGTH,
    word::MIN_LENGTH,
    word::MAX_ITEMS,
    word::MIN_ITEMS,
    word::MAX_PROPERTIES,
    word::MIN_PROPERTIES,
    word::MAX_CONTAINS,
    word::MIN_CONTAINS,
    word::READ_ONLY,
    word::WRITE_ONLY,
    word::DEPENDENT_REQUIRED,
    word::DEPENDENCIES,
    word::DISCRIMINATOR,
    word::ENUM,
    word::EXTENSIBLE_ENUM,
    word::XML,
    word::DEPRECATED,
    word::SUNSET,
    word::STABILITY,
];
/// Keywords that restrict nothing.
const ANNOTATIONS: [Sym; 9] = [
    word::DEFAULT,
    word::READ_ONLY,
    word::WRITE_ONLY,
    word::DISCRIMINATOR,
    word::EXTENSIBLE_ENUM,
    word::XML,
    word::DEPRECATED,
    word::SUNSET,
    word::STABILITY,
];
/// Keywords whose value is one schema.
pub(super) const SCHEMAS: [Sym; 9] = [
    word::ADDITIONAL_PROPERTIES,
    word::IF,
    word::THEN,
    word::ELSE,
    word::CONTAINS,
    word::PROPERTY_NAMES,
    word::UNEVALUATED_ITEMS,
    word::UNEVALUATED_PROPERTIES,
    word::CONTENT_SCHEMA,
];
/// Keywords whose value is a map of schemas.
const MAPS: [Sym; 3] = [word::PROPERTIES, word::PATTERN_PROPERTIES, word::DEPENDENT_SCHEMAS];

/// Whether a schema restricts nothing.
pub(super) fn is_free(view: &View<'_>) -> bool {
    let restricting = VALUES.iter().filter(|keyword| !ANNOTATIONS.contains(keyword));
    let others = [
        word::ITEMS,
        word::NOT,
        word::TYPE,
        word::REQUIRED,
        word::PREFIX_ITEMS,
        word::ONE_OF,
        word::ANY_OF,
    ];
    let mut keywords = restricting.chain(&SCHEMAS).chain(&MAPS).chain(&others);
    !view.nothing && !view.nullable() && keywords.all(|keyword| view.get(*keyword).is_none())
}

/// Pairs that are taken for equal: those under way and those that were found so.
type Assumed = BTreeSet<(Vec<At>, Vec<At>)>;

impl Graph<'_> {
    /// Whether two schemas are the same but for the way they are written.
    pub(super) fn equal(&self, base: NodeId, revision: NodeId) -> bool {
        self.equal_at(&[self.base.resolve(base)], &[self.revision.resolve(revision)])
    }

    /// The same of lists in which the order says nothing.
    pub(super) fn equal_lists(&self, base: &[NodeId], revision: &[NodeId]) -> bool {
        self.equal_in_any_order(base, revision.to_vec(), &mut BTreeSet::new(), 0)
    }

    /// The same of lists of schemas that must all hold.
    pub(super) fn equal_at(&self, base: &[At], revision: &[At]) -> bool {
        self.equal_below(base, revision, &mut BTreeSet::new(), 0)
    }

    /// `assumed` are pairs under way: a circle is equal unless something else differs.
    fn equal_below(&self, base: &[At], revision: &[At], assumed: &mut Assumed, depth: usize) -> bool {
        let key = (base.to_vec(), revision.to_vec());
        if self.plainly_same(base, revision) || !assumed.insert(key.clone()) {
            return true;
        }
        let steps = self.steps.get().saturating_sub(1);
        self.steps.set(steps);
        if depth > MAX_DEPTH || steps == 0 {
            return false;
        }
        let (old, new) = (View::of(self.base, base), View::of(self.revision, revision));
        let known = !old.cut && !new.cut && old.lost == new.lost;
        let verdict = known
            && old.nothing == new.nothing
            && old.nullable() == new.nullable()
            && old.lists_null() == new.lists_null()
            && old.types() == new.types()
            && old.texts(word::REQUIRED) == new.texts(word::REQUIRED)
            && self.equal_values(&old, &new)
            && SCHEMAS
                .iter()
                .all(|keyword| self.equal_both(&old.restricting(*keyword), &new.restricting(*keyword), assumed, depth))
            && self.equal_both(&old.rest(), &new.rest(), assumed, depth)
            && MAPS.iter().all(|keyword| {
                let (old, new) = (old.named(*keyword), new.named(*keyword));
                let mut pairs = old.iter().map(|(name, a)| (a, new.get(name)));
                old.len() == new.len() && pairs.all(|(a, b)| b.is_some_and(|b| self.equal_both(a, b, assumed, depth)))
            })
            && {
                let (old, new) = (old.tuple(), new.tuple());
                let mut pairs = old.iter().zip(&new);
                old.len() == new.len() && pairs.all(|(a, b)| self.equal_both(a, b, assumed, depth))
            }
            && self.equal_in_any_order(&old.distinct(word::NOT), new.distinct(word::NOT), assumed, depth)
            && [word::ONE_OF, word::ANY_OF].into_iter().all(|keyword| {
                self.equal_in_any_order(&old.alternatives(keyword), new.alternatives(keyword), assumed, depth)
            });
        if !verdict {
            assumed.remove(&key);
        }
        verdict
    }

    fn equal_values(&self, old: &View<'_>, new: &View<'_>) -> bool {
        let same_list = match (old.values(), new.values()) {
            (Some(a), Some(b)) => {
                let aligned: BTreeSet<_> = b.iter().filter_map(|value| self.alignment.node(*value)).collect();
                a.len() == b.len() && a.iter().all(|value| aligned.contains(value))
            }
            (a, b) => a.is_none() && b.is_none(),
        };
        let mut plain = VALUES.iter().filter(|keyword| **keyword != word::ENUM);
        same_list
            && plain.all(|keyword| {
                let (a, b) = (old.distinct(*keyword), new.distinct(*keyword));
                let same = |b: &NodeId| self.alignment.node(*b).is_some_and(|aligned| a.contains(&aligned));
                a.len() == b.len() && b.iter().all(same)
            })
    }

    fn equal_both(&self, a: &[NodeId], b: &[NodeId], assumed: &mut Assumed, depth: usize) -> bool {
        let resolved = |bundle: &crate::bundle::Bundle, list: &[NodeId]| -> Vec<At> {
            let all: BTreeSet<At> = list.iter().map(|schema| bundle.resolve(*schema)).collect();
            all.into_iter().collect()
        };
        let (a, b) = (resolved(self.base, a), resolved(self.revision, b));
        a.is_empty() && b.is_empty() || !a.is_empty() && !b.is_empty() && self.equal_below(&a, &b, assumed, depth + 1)
    }

    fn equal_in_any_order(&self, old: &[NodeId], mut new: Vec<NodeId>, assumed: &mut Assumed, depth: usize) -> bool {
        old.len() == new.len()
            && old.iter().all(|a| {
                let found = new.iter().position(|b| {
                    // What a failed attempt assumed must not help the next one.
                    let mut attempt = assumed.clone();
                    let equal = self.equal_both(&[*a], &[*b], &mut attempt, depth);
                    if equal {
                        *assumed = attempt;
                    }
                    equal
                });
                found.map(|at| new.remove(at)).is_some()
            })
    }

    /// Whether two values are the same, or both absent.
    pub(super) fn same_value(&self, base: Option<NodeId>, revision: Option<NodeId>) -> bool {
        match (base, revision) {
            (Some(base), Some(revision)) => self.alignment.same(base, revision),
            (base, revision) => base.is_none() && revision.is_none(),
        }
    }
}
