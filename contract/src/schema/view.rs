//! A schema as a client meets it: references followed, `allOf` taken together, null alternatives told apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::{At, Bundle};
use crate::tree::{NodeId, Sym, word};

/// Most parts of one `allOf` that are taken together; of a schema with more not all is compared, which leaves a gap.
const MAX_PARTS: usize = 1_000;

/// Types that are any together; every integer is a number.
const EVERY_TYPE: [&str; 6] = ["array", "boolean", "null", "number", "object", "string"];

/// A schema with all that it takes over.
#[derive(Clone)]
pub(crate) struct View<'a> {
    pub(crate) bundle: &'a Bundle,
    parts: Vec<NodeId>,
    /// Members of the schema's own `allOf`, as written.
    pub(crate) members: Vec<NodeId>,
    null: bool,
    /// A `false` stands among the parts: nothing is possible.
    pub(crate) nothing: bool,
    /// It has more parts than are taken together.
    pub(crate) cut: bool,
    /// References among the parts that lead nowhere: what they ask for isn't known.
    pub(crate) lost: BTreeSet<&'a str>,
}

/// Whether a schema says null and nothing else.
fn is_null(bundle: &Bundle, schema: NodeId) -> bool {
    let schema = bundle.follow(schema);
    let Some(kind) = bundle.tree.get(schema, word::TYPE) else {
        return false;
    };
    let only = match bundle.tree.items(kind) {
        [] => bundle.tree.text(kind),
        [one] => bundle.tree.text(*one),
        _ => None,
    };
    only == Some("null")
}

impl<'a> View<'a> {
    /// One schema, which may be a reference.
    pub(crate) fn one(bundle: &'a Bundle, schema: NodeId) -> Self {
        Self::of(bundle, &[bundle.resolve(schema)])
    }

    /// Several schemas that must all hold: what the parts of an `allOf` say of one property.
    pub(crate) fn of(bundle: &'a Bundle, all: &[At]) -> Self {
        let mut view = Self {
            bundle,
            parts: Vec::new(),
            members: Vec::new(),
            null: false,
            nothing: false,
            cut: false,
            lost: BTreeSet::new(),
        };
        for part in all.iter().flat_map(|at| at.beside.into_iter().chain([at.node])) {
            view.members.extend(
                bundle
                    .tree
                    .get(part, word::ALL_OF)
                    .map_or(&[][..], |list| bundle.tree.items(list)),
            );
        }
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<At> = all.iter().rev().copied().collect();
        while let Some(next) = waiting.pop() {
            // A schema that takes over itself adds nothing.
            if !seen.insert(next) {
                continue;
            }
            if view.parts.len() >= MAX_PARTS {
                view.cut = true;
                break;
            }
            let from = waiting.len();
            // A reference that something stands beside, behind another such one.
            let further = bundle.next(next.node).is_some();
            if further {
                waiting.push(bundle.resolve(next.node));
            }
            // The description as a whole is no schema.
            if [word::OPENAPI, word::ASYNCAPI]
                .into_iter()
                .any(|key| bundle.tree.text_of(next.node, key).is_some())
            {
                view.lost.insert("#");
            }
            if let Some(lost) = bundle.lost_at(next.node) {
                view.lost.insert(bundle.tree.str(lost));
            }
            for part in next.beside.into_iter().chain((!further).then_some(next.node)) {
                view.nothing |= bundle.tree.bool(part) == Some(false);
                view.parts.push(part);
                let members = bundle
                    .tree
                    .get(part, word::ALL_OF)
                    .map_or(&[][..], |list| bundle.tree.items(list));
                waiting.extend(members.iter().map(|member| bundle.resolve(*member)));
                for keyword in [word::ONE_OF, word::ANY_OF] {
                    let list = bundle
                        .tree
                        .get(part, keyword)
                        .map_or(&[][..], |list| bundle.tree.items(list));
                    let mut real = list.iter().filter(|schema| !is_null(bundle, **schema));
                    let (first, second) = (real.next(), real.next());
                    view.null |=
                        real.count() + usize::from(first.is_some()) + usize::from(second.is_some()) < list.len();
                    // One form and null is that form, and null.
                    if let (Some(only), None) = (first, second) {
                        waiting.push(bundle.resolve(*only));
                    }
                }
            }
            if let Some(fresh) = waiting.get_mut(from..) {
                fresh.reverse();
            }
        }
        view
    }

    /// The value of a keyword; of several the least by its text, so that the order of parts doesn't count.
    pub(crate) fn get(&self, keyword: Sym) -> Option<NodeId> {
        let mut values = self.all(keyword);
        let first = values.next()?;
        match values.all(|other| other == first) {
            true => Some(first),
            false => self.all(keyword).min_by_key(|value| self.bundle.tree.show(*value)),
        }
    }

    /// All values of a keyword, each once.
    pub(crate) fn distinct(&self, keyword: Sym) -> Vec<NodeId> {
        let mut found = Vec::new();
        for value in self.all(keyword) {
            if !found.contains(&value) {
                found.push(value);
            }
        }
        found
    }

    /// All values of a keyword.
    pub(crate) fn all(&self, keyword: Sym) -> impl Iterator<Item = NodeId> {
        self.parts
            .iter()
            .filter_map(move |part| self.bundle.tree.get(*part, keyword))
    }

    /// Everything that the parts say.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, NodeId)> {
        self.parts.iter().flat_map(|part| self.bundle.tree.pairs(*part))
    }

    /// All keywords of all parts, but `allOf` and references, which brought the parts here.
    pub(crate) fn keywords(&self) -> impl Iterator<Item = Sym> {
        let entries = self.parts.iter().flat_map(|part| self.bundle.tree.entries(*part));
        entries
            .map(|(keyword, _)| *keyword)
            .filter(|keyword| ![word::ALL_OF, word::REF].contains(keyword))
    }

    /// The schemas of a keyword, those that allow everything left out.
    pub(crate) fn restricting(&self, keyword: Sym) -> Vec<NodeId> {
        self.without_free(self.distinct(keyword))
    }

    /// Leaves out schemas that allow everything.
    fn without_free(&self, mut schemas: Vec<NodeId>) -> Vec<NodeId> {
        let tree = &self.bundle.tree;
        schemas.retain(|schema| {
            tree.bool(*schema) == Some(false) || tree.is_list(*schema) || !tree.entries(*schema).is_empty()
        });
        schemas
    }

    pub(crate) fn flag(&self, keyword: Sym) -> bool {
        self.all(keyword)
            .any(|value| self.bundle.tree.bool(value) == Some(true))
    }

    pub(crate) fn text(&self, keyword: Sym) -> Option<&'a str> {
        self.bundle.tree.text(self.get(keyword)?)
    }

    /// A number of a keyword that all parts bound; `tightest` picks among several.
    pub(crate) fn number(&self, keyword: Sym, tightest: fn(f64, f64) -> f64) -> Option<f64> {
        let numbers = self.all(keyword).filter_map(|value| self.bundle.tree.number(value));
        numbers.reduce(tightest)
    }

    /// Entries of a keyword's maps by name: all that the parts say of it.
    pub(crate) fn named(&self, keyword: Sym) -> BTreeMap<&'a str, Vec<NodeId>> {
        let mut found: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
        let tree = &self.bundle.tree;
        // Before JSON Schema 2019-09 one keyword held both lists and schemas.
        let older = |value: NodeId| match keyword {
            word::DEPENDENT_REQUIRED => tree.is_list(value),
            word::DEPENDENT_SCHEMAS => !tree.is_list(value),
            _ => false,
        };
        let plain = self.all(keyword).flat_map(|map| tree.pairs(map));
        let older = self
            .all(word::DEPENDENCIES)
            .flat_map(|map| tree.pairs(map))
            .filter(|(_, value)| older(*value));
        for (name, value) in plain.chain(older) {
            let known = found.entry(name).or_default();
            if !known.contains(&value) {
                known.push(value);
            }
        }
        found
    }

    /// Texts of a keyword's lists.
    pub(crate) fn texts(&self, keyword: Sym) -> BTreeSet<&'a str> {
        let lists = self.all(keyword).flat_map(|list| self.bundle.tree.items(list));
        lists.filter_map(|item| self.bundle.tree.text(*item)).collect()
    }

    /// Alternatives of `oneOf` or `anyOf`, null left out; none where there is only one. Those of several parts
    /// stand together.
    pub(crate) fn alternatives(&self, keyword: Sym) -> Vec<NodeId> {
        let mut found = Vec::new();
        for list in self.all(keyword) {
            let items = self.bundle.tree.items(list).iter().copied();
            let real: Vec<NodeId> = items.filter(|schema| !is_null(self.bundle, *schema)).collect();
            if real.len() > 1 {
                found.extend(real);
            }
        }
        found
    }

    /// Schemas of the places of a tuple: `prefixItems`, or a list of `items` before JSON Schema 2020-12. Each
    /// place has all that the parts say of it.
    pub(crate) fn tuple(&self) -> Vec<Vec<NodeId>> {
        let tree = &self.bundle.tree;
        let older = self.all(word::ITEMS).filter(|items| tree.is_list(*items));
        let mut places: Vec<Vec<NodeId>> = Vec::new();
        for list in self.all(word::PREFIX_ITEMS).chain(older) {
            for (at, schema) in tree.items(list).iter().enumerate() {
                match places.get_mut(at) {
                    Some(place) => place.push(*schema),
                    None => places.push(vec![*schema]),
                }
            }
        }
        places
    }

    /// Schemas of all items, or of those behind the tuple.
    pub(crate) fn rest(&self) -> Vec<NodeId> {
        let items = self.distinct(word::ITEMS);
        self.without_free(match items.iter().any(|items| self.bundle.tree.is_list(*items)) {
            true => self.distinct(word::ADDITIONAL_ITEMS),
            false => items,
        })
    }

    /// Types without `null`; empty where any is possible. Listed values tell them where nothing else does.
    pub(crate) fn types(&self) -> BTreeSet<&'a str> {
        let tree = &self.bundle.tree;
        let mut found: Option<BTreeSet<&str>> = None;
        for kind in self.all(word::TYPE) {
            let listed = tree.items(kind).iter().filter_map(|item| tree.text(*item));
            let mut named: BTreeSet<&str> = listed.chain(tree.text(kind)).collect();
            // All of them are any.
            if EVERY_TYPE.iter().all(|name| named.contains(name)) {
                continue;
            }
            named.remove("null");
            found = Some(match found {
                None => named,
                Some(known) => {
                    let both = common(&known, &named);
                    // Nothing is of both types; the name shows in messages.
                    if both.is_empty() && !known.is_empty() && !named.is_empty() {
                        BTreeSet::from(["nothing"])
                    } else {
                        both
                    }
                }
            });
        }
        found.unwrap_or_else(|| {
            let values = self.values().into_iter().flatten().chain(self.get(word::CONST));
            values.filter_map(|value| kind_of(self.bundle, value)).collect()
        })
    }

    /// Whether null is possible: `nullable` in 3.0, a type `null` or an alternative of it in 3.1.
    pub(crate) fn nullable(&self) -> bool {
        let tree = &self.bundle.tree;
        let is_null = |id: &NodeId| tree.text(*id) == Some("null");
        let listed = self
            .get(word::TYPE)
            .is_some_and(|kind| is_null(&kind) || tree.items(kind).iter().any(is_null));
        self.null || listed || self.flag(word::NULLABLE)
    }

    /// Whether null is among the listed values; nothing where none are listed, or for one of several alternatives.
    pub(crate) fn lists_null(&self) -> Option<bool> {
        let tree = &self.bundle.tree;
        let has_null = |list: NodeId| tree.items(list).iter().any(|value| tree.is_null(*value));
        self.all(word::ENUM)
            .filter(|_| !self.null)
            .map(has_null)
            .reduce(|all, other| all && other)
    }

    /// Whether nothing is said about the type: null is possible then, too.
    pub(crate) fn says_no_type(&self) -> bool {
        let keywords = [
            word::TYPE,
            word::ENUM,
            word::CONST,
            word::ONE_OF,
            word::ANY_OF,
            word::NULLABLE,
        ];
        !self.null && keywords.into_iter().all(|keyword| self.get(keyword).is_none())
    }

    /// Listed values, without null: that is told by [`View::nullable`].
    pub(crate) fn values(&self) -> Option<Vec<NodeId>> {
        let tree = &self.bundle.tree;
        let real = |list: NodeId| -> Vec<NodeId> {
            let values = tree.items(list).iter().copied();
            values.filter(|value| !tree.is_null(*value)).collect()
        };
        let lists = self.all(word::ENUM).map(real);
        lists.reduce(|all, other| all.into_iter().filter(|value| other.contains(value)).collect())
    }
}

/// Types that are in both sets; every integer is a number.
fn common<'t>(a: &BTreeSet<&'t str>, b: &BTreeSet<&'t str>) -> BTreeSet<&'t str> {
    let mut both: BTreeSet<&str> = a.intersection(b).copied().collect();
    for (one, other) in [(a, b), (b, a)] {
        if one.contains("integer") && other.contains("number") {
            both.insert("integer");
        }
    }
    both
}

/// The type of a value.
fn kind_of(bundle: &Bundle, value: NodeId) -> Option<&'static str> {
    let tree = &bundle.tree;
    if tree.text(value).is_some() {
        Some("string")
    } else if tree.bool(value).is_some() {
        Some("boolean")
    } else if let Some(number) = tree.number(value) {
        Some(if number.fract() == 0.0 { "integer" } else { "number" })
    } else if tree.is_map(value) {
        Some("object")
    } else if tree.is_list(value) {
        Some("array")
    } else {
        None
    }
}
