//! Things whose own text stays, and that code of the package makes: values of a call, functions under a decorator.

use super::behind::At;
use super::{How, Pair};
use crate::language::Language;
use crate::upgrade::signature::Signature;
use crate::upgrade::surface::{Item, Kind, Made, Surface};
use crate::upgrade::{Effect, What};

/// What of the package makes a thing, with what it is made of, as written.
struct Maker<'a> {
    by: Option<&'a str>,
    with: Vec<&'a str>,
}

impl Pair<'_> {
    /// The effects of what makes a thing, where that changed.
    pub fn makers(&self, was: &At<'_>, is: &At<'_>, how: How<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.old.language != Language::Python {
            return effects;
        }
        let (before, after) = (maker(self.old, was.item), maker(self.new, is.item));
        if let (Some(by), true) = (before.by, before.by == after.by)
            && let (Some(was), Some(is)) = (named(self.old, was, by), named(self.new, is, by))
        {
            effects.extend(self.object_of(was, is, by, how));
        }
        for text in before.with.iter().filter(|text| after.with.contains(text)) {
            let now = self.new.named_in(is.path, text);
            for (name, was) in self.old.named_in(was.path, text) {
                let Some(is) = now.get(&name) else { continue };
                if matches!(was.kind, Kind::Function(_)) && !self.effects(was, is, How::Called(None)).is_empty() {
                    let text = format!("`{name}`, of which it is made, changed");
                    effects.push(Effect::unclear(What::Signature, text));
                }
            }
        }
        effects
    }

    /// The effects on an object of a class, or on what a function gave, when the module was loaded.
    fn object_of(&self, was: &Item, is: &Item, by: &str, how: How<'_>) -> Vec<Effect> {
        match (&was.kind, &is.kind) {
            (Kind::Class(old), Kind::Class(new)) => {
                let called = |surface: &Surface, id| -> Option<Item> {
                    let scope = surface.lineage(id).0.into_iter().filter_map(|id| surface.scope(id));
                    let mut own = scope.filter_map(|scope| scope.members.get("__call__"));
                    own.next()?.last().cloned()
                };
                match (called(self.old, *old), called(self.new, *new)) {
                    (Some(was), Some(is)) => self.effects(&was, &is, how),
                    (Some(_), None) => vec![Effect::unclear(What::Kind, "it may no longer be called")],
                    (None, _) => Vec::new(),
                }
            }
            (Kind::Function(_), Kind::Function(_)) if was.body != is.body && matches!(how, How::Called(_)) => {
                let text = format!("`{by}` makes it, and its code changed");
                vec![Effect::unclear(What::Signature, text)]
            }
            _ => Vec::new(),
        }
    }
}

fn maker<'a>(surface: &'a Surface, item: &'a Item) -> Maker<'a> {
    let decorators = |signature: &'a Signature| signature.qualifiers.iter().map(String::as_str).collect();
    match (&item.kind, &item.made) {
        (Kind::Value(_), Made::Call { by, with }) => Maker {
            by: Some(by),
            with: vec![with],
        },
        (Kind::Function(signature), _) => Maker {
            by: None,
            with: decorators(signature),
        },
        (Kind::Class(id), _) => Maker {
            by: None,
            with: surface
                .scope(*id)
                .into_iter()
                .flat_map(|scope| &scope.declared)
                .filter_map(|text| text.strip_prefix("decorated by `"))
                .collect(),
        },
        _ => Maker {
            by: None,
            with: Vec::new(),
        },
    }
}

/// The thing of the package that a name leads to from where another is.
fn named<'a>(surface: &'a Surface, from: &At<'_>, name: &str) -> Option<&'a Item> {
    surface.named_in(from.path, name).remove(name)
}
