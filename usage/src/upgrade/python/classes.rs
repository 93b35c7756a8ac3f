//! Classes: what they derive from, and what their objects have.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::values::made;
use super::{Into, Reader};
use crate::upgrade::files::{children, field, line, short, text};
use crate::upgrade::surface::{Item, Kind, Reach, Ref};

/// Decorators that say nothing of how a class is used.
const UNSAYING: &[&str] = &[
    "final",
    "runtime_checkable",
    "deprecated",
    "versionadded",
    "set_module",
    "doc_controls",
    "implementer",
];

/// The last name of what a decorator is, without what it is called with.
pub(super) fn last(decorator: &str) -> &str {
    let called = decorator.split('(').next().unwrap_or(decorator);
    called.rsplit('.').next().unwrap_or(called).trim()
}

impl Reader {
    /// Attributes that methods give to `self`.
    pub(super) fn attributes(&mut self, into: Into<'_>, method: Node<'_>) {
        let receiver = method
            .child_by_field_name("parameters")
            .and_then(|parameters| parameters.named_child(0))
            .map_or("", |first| text(first, into.source));
        let receiver = receiver.split(':').next().unwrap_or_default().trim().to_owned();
        if receiver.is_empty() {
            return;
        }
        let mut open = vec![method];
        let mut steps = 0;
        while let Some(node) = open.pop() {
            steps += 1;
            if steps > 50_000 {
                return self.hide(into.scope, "its methods are too long");
            }
            if node.kind() == "assignment"
                && let Some(left) = node.child_by_field_name("left")
            {
                let targets = if left.kind() == "attribute" {
                    vec![left]
                } else {
                    children(left)
                };
                for target in targets.into_iter().filter(|target| target.kind() == "attribute") {
                    let name = field(target, "attribute", into.source);
                    let known = self
                        .surface
                        .scope(into.scope)
                        .is_some_and(|scope| scope.members.contains_key(name));
                    if field(target, "object", into.source) == receiver && !known {
                        let ty = node.child_by_field_name("type").map(|ty| short(text(ty, into.source)));
                        let mut item = Item::new(Kind::Value(ty), into.file, line(node));
                        item.reach = Reach::Object;
                        item.made = node
                            .child_by_field_name("right")
                            .map(|right| made(right, into.source))
                            .unwrap_or_default();
                        self.surface.define(into.scope, name, item);
                    }
                }
            }
            open.extend(children(node));
        }
    }

    pub(super) fn class(&mut self, into: Into<'_>, whole: Node<'_>, node: Node<'_>, decorators: &[String]) {
        let name = field(node, "name", into.source).to_owned();
        let mut path = self
            .surface
            .scope(into.scope)
            .map(|scope| scope.path.clone())
            .unwrap_or_default();
        path.push(name.clone());
        let known = self
            .surface
            .at(&path)
            .filter(|id| self.surface.scope(*id).is_some_and(|scope| scope.is_class));
        let Some(id) = known.or_else(|| self.surface.add_scope(into.scope, &name, true)) else {
            return;
        };
        let (mut bases, mut declared, mut maker) = (Vec::new(), BTreeSet::new(), None);
        for decorator in decorators.iter().filter(|d| !UNSAYING.contains(&last(d))) {
            declared.insert(format!("decorated by `{decorator}`"));
        }
        if decorators.iter().any(|d| last(d) == "final") {
            declared.insert("final".to_owned());
        }
        for base in node
            .child_by_field_name("superclasses")
            .map(children)
            .unwrap_or_default()
        {
            match base.kind() {
                "keyword_argument" => {
                    if field(base, "name", into.source) == "metaclass" {
                        let names = field(base, "value", into.source)
                            .split('.')
                            .map(|part| part.trim().to_owned());
                        maker = Some(Ref::Local(into.scope, names.collect()));
                    }
                    let said = short(text(base, into.source));
                    if !said.ends_with("ABCMeta") {
                        declared.insert(format!("made with `{said}`"));
                    }
                }
                "identifier" | "attribute" | "subscript" => {
                    let plain = text(base, into.source).split('[').next().unwrap_or_default();
                    let names = plain.split('.').map(|part| part.trim().to_owned()).collect();
                    bases.push(Ref::Local(into.scope, names));
                }
                _ => bases.push(Ref::Elsewhere(short(text(base, into.source)))),
            }
        }
        if let Some(scope) = self.surface.scopes.get_mut(id) {
            scope.bases.extend(bases);
            scope.declared.extend(declared);
            scope.maker = maker.or(scope.maker.take());
        }
        self.item(into, &name, whole, Kind::Class(id));
        if let Some(body) = node.child_by_field_name("body") {
            let into = Into { scope: id, ..into };
            self.block(into, body, 0);
            let head = text(node, into.source).lines().next().unwrap_or_default();
            self.fields(into, body, head, decorators);
        }
    }
}
