//! Names that the repo only writes as text, for something else to load them: settings, patches of tests.

use super::{Judge, separator};
use crate::upgrade::compare::{How, Pair};
use crate::upgrade::surface::{Found, Kind};
use crate::upgrade::uses::Uses;
use crate::upgrade::{Effect, What};

impl Judge<'_> {
    /// Whether what texts name is there and is what it was; a text that names nothing is only a text.
    pub(super) fn written(&mut self, pair: &Pair<'_>, uses: &Uses) {
        for (path, place) in &uses.written {
            let Found::Thing { item: was, taken, .. } = pair.old.find(path) else {
                continue;
            };
            let here = path.get(..taken).unwrap_or(path);
            let symbol = here.join(separator(pair.old.language));
            let effects = match pair.new.find(here) {
                Found::Missing(_) => vec![Effect::unclear(What::Removed, "a text names it, and it is gone")],
                Found::Hidden(why) => vec![Effect::unclear(What::Removed, why)],
                Found::Thing { item: is, .. } if !matches!(was.kind, Kind::Module(_)) => {
                    pair.effects(was, is, How::Named)
                }
                Found::Thing { .. } => Vec::new(),
            };
            for effect in effects {
                self.effect(effect, &symbol, place, false, pair.new);
            }
            self.symbols.insert(symbol);
        }
    }
}
