//! Types that a signature only names: what a client is given by a function, or hands to it, without naming it.

use std::collections::BTreeSet;

use super::{How, Pair};
use crate::facts::Arguments;
use crate::upgrade::signature::Signature;
use crate::upgrade::surface::{Item, Kind, Surface};
use crate::upgrade::versions::is_major;
use crate::upgrade::{Effect, What};

/// Deepest that types which stand for types are followed.
const MAX_DEPTH: usize = 3;

/// A thing, and where it is defined.
pub struct At<'a> {
    /// The thing.
    pub item: &'a Item,
    /// Its path from the root.
    pub path: &'a [String],
}

impl Pair<'_> {
    /// The effects on a use of a thing of the types that its declaration names.
    pub fn behind(&self, was: &At<'_>, is: &At<'_>, given: Option<&Arguments>) -> Vec<Effect> {
        let mut effects = Vec::new();
        match (Self::called(self.old, was.item), Self::called(self.new, is.item)) {
            (Some(before), Some(after)) => {
                self.given(
                    was.path,
                    before.returns.as_deref(),
                    is.path,
                    after.returns.as_deref(),
                    &mut effects,
                );
                if before.returns.is_none() || after.returns.is_none() {
                    // What its code plainly makes.
                    let class =
                        |of: &Option<String>| Some(of.as_ref()?.strip_prefix("a `")?.trim_end_matches('`').to_owned());
                    let (before, after) = (class(&before.gives), class(&after.gives));
                    self.given(was.path, before.as_deref(), is.path, after.as_deref(), &mut effects);
                }
                self.of_others(was.path, before, is.path, after, &mut effects);
                self.taken(was.path, before, is.path, after, given, &mut effects);
            }
            _ => {
                if let (Kind::Value(before), Kind::Value(after)) = (&was.item.kind, &is.item.kind) {
                    self.given(was.path, before.as_deref(), is.path, after.as_deref(), &mut effects);
                }
            }
        }
        effects
    }

    /// What a client is given.
    fn given(
        &self,
        was_at: &[String],
        before: Option<&str>,
        is_at: &[String],
        after: Option<&str>,
        effects: &mut Vec<Effect>,
    ) {
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        self.spelled(was_at, before, is_at, after, 0, effects);
        let now = self.new.named_in(is_at, after);
        for (name, was) in self.old.named_in(was_at, before) {
            if let (Kind::Class(old), Some(Kind::Class(new))) = (&was.kind, now.get(&name).map(|item| &item.kind)) {
                let about = format!("it gives `{name}`:");
                let of_class = self.used_as(*old, *new, How::Named);
                effects.extend(of_class.into_iter().filter_map(|effect| effect.prefixed(&about)));
            }
        }
    }

    /// What a client hands over.
    fn taken(
        &self,
        was_at: &[String],
        before: &Signature,
        is_at: &[String],
        after: &Signature,
        given: Option<&Arguments>,
        effects: &mut Vec<Effect>,
    ) {
        for (at, (old, new)) in before.parameters.iter().zip(&after.parameters).enumerate() {
            let (Some(old), Some(new)) = (old.ty.as_deref(), new.ty.as_deref()) else {
                continue;
            };
            self.spelled(was_at, old, is_at, new, 0, effects);
            // An object that is written out is compared key by key.
            let written_out = given
                .and_then(|given| given.positional.get(at))
                .is_some_and(Option::is_some);
            let left_out = given.is_some_and(|given| !given.open && at >= given.positional.len());
            if written_out || left_out {
                continue;
            }
            let now = self.new.named_in(is_at, new);
            for (name, was) in self.old.named_in(was_at, old) {
                if let (Kind::Class(old), Some(Kind::Class(new))) = (&was.kind, now.get(&name).map(|item| &item.kind))
                    && let (Some(before), Some(after)) = (self.old.scope(*old), self.new.scope(*new))
                {
                    let more: BTreeSet<&String> = after.required.difference(&before.required).collect();
                    if let Some(first) = more.first() {
                        let text = format!("it takes `{name}`, which must have `{first}` now");
                        effects.push(Effect::unclear(What::Required, text));
                    }
                }
            }
        }
    }

    /// Types of another package, which the new version takes from another major version of that.
    fn of_others(
        &self,
        was_at: &[String],
        before: &Signature,
        is_at: &[String],
        after: &Signature,
        effects: &mut Vec<Effect>,
    ) {
        let types = |of: &Signature| -> Vec<String> {
            let parameters = of.parameters.iter().filter_map(|parameter| parameter.ty.clone());
            parameters.chain(of.returns.clone()).collect()
        };
        let packages = |surface: &Surface, at: &[String], of: &Signature| -> BTreeSet<String> {
            types(of).iter().flat_map(|ty| surface.packages_in(at, ty)).collect()
        };
        let now = packages(self.new, is_at, after);
        effects.extend(self.moved(packages(self.old, was_at, before).intersection(&now)));
    }

    /// The effect of types of other packages, of which another major version is needed now.
    pub(super) fn moved<'n>(&self, packages: impl IntoIterator<Item = &'n String>) -> Vec<Effect> {
        let of = |name: &'n String| {
            let (was, is) = (self.old.needs.get(name)?, self.new.needs.get(name)?);
            let major = was != is && is_major(Some(plain(was)), Some(plain(is)), self.old.language);
            let text = format!("it is, takes or gives what is of `{name}`, of which it needed {was}, and needs {is}");
            major.then(|| Effect::unclear(What::Type, text))
        };
        packages.into_iter().filter_map(of).collect()
    }

    /// Names in a type that only stand for another type.
    fn spelled(
        &self,
        was_at: &[String],
        before: &str,
        is_at: &[String],
        after: &str,
        depth: usize,
        effects: &mut Vec<Effect>,
    ) {
        if depth > MAX_DEPTH {
            return;
        }
        let now = self.new.named_in(is_at, after);
        for (name, was) in self.old.named_in(was_at, before) {
            let (Kind::Type(was), Some(Kind::Type(is))) = (&was.kind, now.get(&name).map(|item| &item.kind)) else {
                continue;
            };
            if was == is {
                self.spelled(was_at, was, is_at, is, depth + 1, effects);
            } else {
                let text = format!("its type `{name}` was `{was}`, and is `{is}`");
                effects.push(Effect::unclear(What::Type, text));
            }
        }
    }
}

/// The version that a plain requirement asks for.
fn plain(requirement: &str) -> &str {
    requirement.trim_start_matches(['^', '=', '~', ' '])
}
