//! Enums of TypeScript: each member has a value, written or counted.

use tree_sitter::Node;

use super::{Into, Reader};
use crate::upgrade::files::{children, field, short, text};
use crate::upgrade::surface::{Kind, ScopeId};

impl Reader<'_> {
    /// Members of an enum with their values: one that isn't written is the one before plus one (TypeScript handbook,
    /// "Enums").
    pub(super) fn numbered(&mut self, into: Into<'_>, id: ScopeId, body: Node<'_>) {
        // What the next one counts from: a number, or what is written.
        let (mut base, mut offset) = (String::new(), 0i64);
        for member in children(body) {
            let (name, value) = match member.kind() {
                "enum_assignment" => {
                    let value = short(field(member, "value", into.source));
                    let number = value.parse::<i64>().ok();
                    (base, offset) = match number {
                        Some(number) => (String::new(), number),
                        None => (format!("{value} + "), 0),
                    };
                    (field(member, "name", into.source), value)
                }
                "property_identifier" | "string" => {
                    let value = format!("{base}{offset}");
                    (text(member, into.source), value)
                }
                _ => continue,
            };
            offset = offset.saturating_add(1);
            let name = name.trim_matches(['"', '\'']).to_owned();
            self.item(into, id, &name, member, Kind::Value(Some(value)));
        }
    }
}
