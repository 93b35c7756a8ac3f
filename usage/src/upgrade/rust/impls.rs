//! Traits on types of other crates that are about types of this one: `impl From<Error> for String`.

use super::{Impl, Reader};

/// Most names of one trait that are looked up.
const MAX_NAMES: usize = 50;

impl Reader<'_> {
    /// Notes an `impl` at each type of the crate that its trait is generic over: `?` and `==` find it by that.
    pub(super) fn for_others(&mut self, found: &Impl) {
        let Some((_, generics)) = found.of.as_ref().and_then(|of| of.split_once('<')) else {
            return;
        };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        for name in generics.split(|c: char| !is_name(c)).take(MAX_NAMES) {
            let names: Vec<String> = name
                .split("::")
                .filter(|part| !matches!(*part, "" | "crate" | "self"))
                .map(str::to_owned)
                .collect();
            let class = self
                .surface
                .class_from(found.module, &names)
                .filter(|_| !names.is_empty());
            // What is about two types of the crate is found by the one that it is for.
            let own = self.surface.class_from(found.module, &found.ty);
            if let Some(scope) = class
                .filter(|_| own.is_none())
                .and_then(|id| self.surface.scopes.get_mut(id))
            {
                scope.traits.insert(found.whole.clone());
            }
        }
    }
}
