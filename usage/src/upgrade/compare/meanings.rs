//! What a declared name stands for: a value, a type, or both (TypeScript).

use super::behind::At;
use super::{How, Pair};
use crate::language::{Language, only_types};
use crate::upgrade::surface::{Kind, Meaning, Scope, Surface};
use crate::upgrade::{Effect, What};

impl Pair<'_> {
    /// The effect on who uses a name as what it no longer stands for; `typed` says whether that is TypeScript.
    pub fn meaning(&self, was: &At<'_>, is: &At<'_>, how: How<'_>, typed: bool) -> Option<Effect> {
        let declared = only_types(&was.item.file) && only_types(&is.item.file);
        if self.old.language != Language::JavaScript || !declared || !typed {
            return None;
        }
        let ((was_value, was_type), (is_value, is_type)) = (stands_for(self.old, was), stands_for(self.new, is));
        match how {
            // Types are used where no use is seen.
            How::Imported if was_type && !is_type => Some(Effect::unclear(
                What::Kind,
                "it was a type too, and is only a value now",
            )),
            How::Called(Some(_)) if was_value && !is_value => Some(Effect::breaks(
                What::Kind,
                "it is only a type now, and nothing is there when it runs",
            )),
            How::Called(None) | How::Named | How::Derived if was_value && !is_value => Some(Effect::unclear(
                What::Kind,
                "it was a value too, and is only a type now",
            )),
            _ => None,
        }
    }
}

/// Whether a name stands for a value, and whether for a type, by all of its declarations.
fn stands_for(surface: &Surface, at: &At<'_>) -> (bool, bool) {
    let own = at.path.split_last().and_then(|(name, around)| {
        let scope = surface.scope(surface.at(around)?)?;
        scope.members.get(name)
    });
    let items = own.map_or(std::slice::from_ref(at.item), Vec::as_slice);
    let (mut value, mut ty) = (false, false);
    for item in items {
        let (is_value, is_type) = match &item.kind {
            Kind::Function(_) | Kind::Value(_) => (true, false),
            Kind::Type(_) => (false, true),
            Kind::Class(id) => match surface.scope(*id).map(|scope: &Scope| scope.meaning) {
                Some(Meaning::Type) => (false, true),
                Some(Meaning::Value) => (true, false),
                Some(Meaning::Both) | None => (true, true),
            },
            Kind::Module(_) | Kind::Alias(_) | Kind::Opaque(_) => (true, true),
        };
        value |= is_value;
        ty |= is_type;
    }
    (value, ty)
}

/// How many type parameters have to be given, and how many can be, by the text of their list.
pub(super) fn type_parameters(scope: &Scope) -> (usize, usize) {
    let list = scope
        .declared
        .iter()
        .find_map(|text| text.strip_prefix("generic over `<"));
    let Some(list) = list.and_then(|list| list.strip_suffix(">`")) else {
        return (0, 0);
    };
    let parts = crate::upgrade::types::split(list, ',');
    let parts: Vec<&String> = parts.iter().filter(|part| !part.trim().is_empty()).collect();
    let has_default = |part: &&&String| part.replace("=>", "").contains('=');
    (parts.len() - parts.iter().filter(has_default).count(), parts.len())
}
