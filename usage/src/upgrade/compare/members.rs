//! Members and values: through what they are reached, what they are, and whether they can be set.

use super::{How, Pair};
use crate::language::Language;
use crate::upgrade::surface::{Item, Kind, Made, Reach, ScopeId};
use crate::upgrade::{Effect, What};

impl Pair<'_> {
    /// The effect on whoever reaches a member through its class (`Some(true)`), through an object (`Some(false)`), or
    /// through one of them.
    pub fn reached(&self, was: &Item, is: &Item, through_class: Option<bool>) -> Option<Effect> {
        let by_class = |reach| matches!(reach, Reach::Any | Reach::Class);
        let by_object = |reach| matches!(reach, Reach::Any | Reach::Object);
        let class_lost = by_class(was.reach) && !by_class(is.reach);
        let object_lost = by_object(was.reach) && !by_object(is.reach);
        if is.reach == Reach::Heirs && was.reach != Reach::Heirs {
            let text = "it is only there for classes that derive from its own now";
            return Some(Effect::unclear(What::Removed, text));
        }
        let python = self.old.language == Language::Python;
        let is_function = matches!((&was.kind, &is.kind), (Kind::Function(_), Kind::Function(_)));
        if (was.reach, is.reach) == (Reach::Object, Reach::Any) && python && is_function {
            let text = "through the class, it was called with an object first, and no longer is";
            return (through_class == Some(true)).then(|| Effect::unclear(What::Signature, text));
        }
        match through_class {
            Some(true) if class_lost => Some(Effect::breaks(
                What::Removed,
                "only objects of the class have it now, not the class",
            )),
            Some(false) if object_lost => Some(Effect::breaks(
                What::Removed,
                "only the class has it now, not its objects",
            )),
            None if class_lost && python && !matches!(was.kind, Kind::Function(_)) => None,
            None if class_lost || object_lost => {
                let text = "the class had it and its objects have it now, or the other way round";
                Some(Effect::unclear(What::Removed, text))
            }
            _ => None,
        }
    }

    /// The effect of a value's own text, where it is written out or made by a call.
    pub fn value(&self, name: &str, was: &Item, is: &Item, how: How<'_>) -> Option<Effect> {
        // Every release says another version.
        if name.to_lowercase().contains("version") || name.starts_with("__") {
            return None;
        }
        let changed = |was: &str, is: &str| {
            let text = format!("it was `{was}`, and is `{is}`");
            Some(Effect::unclear(What::Behaviour, text))
        };
        let used = matches!(how, How::Called(Some(_)) | How::Derived);
        match (&was.made, &is.made) {
            (Made::Literal(was), Made::Literal(is)) if was != is => changed(was, is),
            (Made::Literal(was), Made::Call { by, .. }) => changed(was, &format!("{by}(…)")),
            (Made::Literal(was), Made::Unsaid) => changed(was, "something that can't be read"),
            (Made::Call { by: was, .. }, Made::Call { by: is, .. }) if was != is => {
                changed(&format!("{was}(…)"), &format!("{is}(…)"))
            }
            (Made::Call { with: was, .. }, Made::Call { with: is, .. }) if was != is && used => changed(was, is),
            (Made::Call { by, .. }, Made::Literal(is)) => changed(&format!("{by}(…)"), is),
            _ => None,
        }
    }

    /// The effect on whoever sets a member.
    pub fn set(&self, was: &Item, is: &Item) -> Option<Effect> {
        let fixed = |item: &Item| matches!(item.made, Made::Accessor { set: false });
        (!fixed(was) && fixed(is)).then(|| Effect::breaks(What::Kind, "it can't be set any more"))
    }

    /// The effects on whoever sets a member of an object whose class isn't known, with the class that has it.
    pub fn set_somewhere(&self, name: &str) -> Vec<(ScopeId, Effect)> {
        self.somewhere(name, |was, is| self.set(was, is?))
    }

    /// The effects on an object whose class isn't known, of which the language asks for a member.
    pub fn implied_somewhere(&self, name: &str) -> Vec<(ScopeId, Effect)> {
        let gone = |is: Option<&Item>| is.is_none_or(|is| is.made == Made::Literal("None".to_owned()));
        self.somewhere(name, |_, is| {
            gone(is).then(|| Effect::unclear(What::Removed, "objects of a class of the package have lost it"))
        })
    }

    fn somewhere(&self, name: &str, effect: impl Fn(&Item, Option<&Item>) -> Option<Effect>) -> Vec<(ScopeId, Effect)> {
        let classes = self.old.scopes.iter().enumerate().filter(|(_, scope)| scope.is_class);
        classes
            .filter_map(|(id, scope)| {
                let was = scope.members.get(name)?.last()?;
                let new = self.counterpart(id)?;
                let is = match self.new.member(new, name) {
                    crate::upgrade::surface::Found::Thing { item, .. } => Some(item),
                    crate::upgrade::surface::Found::Missing(_) => None,
                    crate::upgrade::surface::Found::Hidden(why) => {
                        return Some((id, Effect::unclear(What::Removed, why)));
                    }
                };
                Some((id, effect(was, is)?))
            })
            .collect()
    }
}
