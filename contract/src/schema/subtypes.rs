//! Inheritance as OpenAPI writes it: a schema names a property that tells its subtypes apart, and each subtype takes
//! it over by `allOf`, or is named by the mapping. Whoever sends or reads the schema sends or reads a subtype.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::compare::Comparison;
use super::{Guard, View};
use crate::bundle::{At, Bundle};
use crate::tree::{Alignment, NodeId, word};

/// The named schemas of a description, by what they take over.
pub(super) struct Subtypes {
    named: BTreeMap<String, NodeId>,
    heirs: HashMap<NodeId, Family>,
    /// All that are heirs of something.
    inheriting: HashSet<NodeId>,
}

/// Subtypes by name.
type Family = BTreeMap<String, NodeId>;

/// A mapping leads to what can't be followed.
pub(super) struct Unfollowed;

/// Whether a schema tells its subtypes apart, as far as can be seen at a glance.
pub(super) fn tells_apart(bundle: &Bundle, node: NodeId) -> bool {
    let tree = &bundle.tree;
    [word::DISCRIMINATOR, word::ALL_OF]
        .into_iter()
        .any(|keyword| tree.get(node, keyword).is_some())
        && tells(&View::one(bundle, node))
}

/// Whether a schema tells its subtypes apart without listing them as alternatives.
fn tells(view: &View<'_>) -> bool {
    let listed = [word::ONE_OF, word::ANY_OF]
        .into_iter()
        .any(|keyword| view.get(keyword).is_some());
    !listed && view.get(word::DISCRIMINATOR).is_some()
}

impl Subtypes {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let tree = &bundle.tree;
        let mut found = Self {
            named: BTreeMap::new(),
            heirs: HashMap::new(),
            inheriting: HashSet::new(),
        };
        // Without a discriminator nobody asks.
        if !tree.all().any(|node| tree.get(node, word::DISCRIMINATOR).is_some()) {
            return found;
        }
        let maps = tree.all().flat_map(|node| {
            let keys = [word::SCHEMAS, word::DEFINITIONS, word::DEFS].into_iter();
            keys.filter_map(move |key| tree.get(node, key))
        });
        for (name, schema) in maps.flat_map(|map| tree.pairs(map)) {
            found.named.insert(name.to_owned(), schema);
            for parent in parents(bundle, schema) {
                found.inheriting.insert(schema);
                found.heirs.entry(parent).or_default().insert(name.to_owned(), schema);
            }
        }
        found
    }

    /// The subtypes of a schema by name; none where it doesn't tell them apart.
    fn below(&self, view: &View<'_>, all: &[At]) -> Result<Family, Unfollowed> {
        let (bundle, mut found) = (view.bundle, Family::new());
        if !tells(view) {
            return Ok(found);
        }
        for at in all {
            // A mere wrapper around one schema, as 3.0 needs it to say more of a reference.
            let wrapped = match bundle
                .tree
                .get(at.node, word::ALL_OF)
                .map(|list| bundle.tree.items(list))
            {
                Some([only]) if !self.inheriting.contains(&at.node) => Some(bundle.follow(*only)),
                _ => None,
            };
            for node in std::iter::once(at.node).chain(wrapped) {
                let heirs = self.heirs.get(&node).into_iter().flatten();
                found.extend(heirs.map(|(name, schema)| (name.clone(), *schema)));
            }
        }
        // A subtype inherits the mapping that names it and its siblings.
        if all.iter().any(|at| self.inheriting.contains(&at.node)) {
            return Ok(found);
        }
        let discriminators = view.all(word::DISCRIMINATOR);
        let mappings = discriminators.filter_map(|value| bundle.tree.get(value, word::MAPPING));
        for target in mappings.flat_map(|map| bundle.tree.children(map)) {
            let target = bundle.tree.text(target).unwrap_or_default();
            let name = target.rsplit('/').next().unwrap_or_default();
            let schema = self
                .named
                .get(name)
                .filter(|_| target.starts_with('#') || target == name);
            let schema = *schema.ok_or(Unfollowed)?;
            if !all.iter().any(|at| at.node == bundle.follow(schema)) {
                found.insert(name.to_owned(), schema);
            }
        }
        Ok(found)
    }

    /// Whether nothing tells subtypes apart.
    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    fn family(&self, bundle: &Bundle, node: NodeId) -> Result<Family, Unfollowed> {
        let at = bundle.resolve(node);
        self.below(&View::of(bundle, &[at]), &[at])
    }
}

/// Whether the subtypes of two equal schemas are the same, too.
pub(super) fn same_family(
    (base, old): (&Bundle, &Subtypes),
    (revision, new): (&Bundle, &Subtypes),
    nodes: (NodeId, NodeId),
    alignment: &Alignment,
) -> bool {
    let (Ok(before), Ok(after)) = (old.family(base, nodes.0), new.family(revision, nodes.1)) else {
        return false;
    };
    let same =
        |(name, schema): (&String, &NodeId)| after.get(name).is_some_and(|other| alignment.settled(*schema, *other));
    before.len() == after.len() && before.iter().all(same)
}

/// What a schema takes over.
fn parents(bundle: &Bundle, schema: NodeId) -> BTreeSet<NodeId> {
    let list = bundle.tree.get(schema, word::ALL_OF);
    let members = list.map_or(&[][..], |list| bundle.tree.items(list));
    let references = members
        .iter()
        .filter(|member| bundle.tree.reference(**member).is_some());
    references.map(|member| bundle.follow(*member)).collect()
}

impl Comparison<'_, '_> {
    /// Compares the subtypes of a schema that tells them apart, unless it lists them as alternatives.
    pub(super) fn subtypes(&mut self, base: &[At], revision: &[At]) {
        if !tells(&self.old) || !tells(&self.new) {
            return;
        }
        let (before, after) = (
            self.graph.subtypes.0.below(&self.old, base),
            self.graph.subtypes.1.below(&self.new, revision),
        );
        let (Ok(before), Ok(after)) = (before, after) else {
            self.graph
                .unclear("a discriminator names schemas that can't be followed from it".to_owned());
            return;
        };
        for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let shown = name.escape_debug();
            match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) => self.below(&[*old], &[*new], format!("({shown})"), Guard::default()),
                (Some(_), None) => self.row("subtype-removed", format!("`{shown}` isn't a subtype any more")),
                (None, _) => self.row("subtype-added", format!("`{shown}` is a further subtype")),
            }
        }
    }
}
