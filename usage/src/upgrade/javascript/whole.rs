//! CommonJS: what assignments to `module.exports` and `exports` say.

use tree_sitter::Node;

use super::members::required;
use super::{Into, Reader};
use crate::upgrade::files::{children, field, text};
use crate::upgrade::surface::{Kind, Reach, Ref};

impl Reader<'_> {
    /// An expression at the top of a module.
    pub(super) fn expression(&mut self, into: Into<'_>, node: Node<'_>) {
        match node.kind() {
            "assignment_expression" => self.assigned(into, node),
            "call_expression" => self.called(into, node),
            "sequence_expression" | "parenthesized_expression" => {
                for child in children(node) {
                    self.expression(into, child);
                }
            }
            // TypeScript's grammar takes `declare namespace X {}` and `namespace X {}` for expressions.
            "internal_module" | "module" => self.declare(into, into.inner, node),
            _ => {}
        }
    }

    fn assigned(&mut self, into: Into<'_>, node: Node<'_>) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return;
        };
        let target: String = text(left, into.source).split_whitespace().collect();
        if right.kind() == "assignment_expression" {
            // `exports = module.exports = x`
            self.assigned(into, right);
        }
        let mut value = right;
        while value.kind() == "assignment_expression" {
            match value.child_by_field_name("right") {
                Some(inner) => value = inner,
                None => return,
            }
        }
        // `exports.x = void 0` of a compiler: what it is comes later.
        if text(value, into.source) == "void 0" {
            return;
        }
        let parts: Vec<&str> = target.split('.').collect();
        match parts.as_slice() {
            ["module", "exports"] => self.all(into, node, value),
            ["exports"] => {}
            ["module", "exports", name] | ["exports", name] => {
                let kind = self.value(into, value, name);
                self.item(into, into.exports, name, node, kind);
            }
            [class, "prototype", name] => self.method(into, class, name, node, value),
            [class, "prototype"] if value.kind() == "object" => {
                if let Some(id) = self.class_of(into, class, node) {
                    self.object(into, id, value);
                }
            }
            [owner, name] => self.fixed(into, owner, name, node, value),
            [class, symbol, name] if symbol.starts_with("prototype[Symbol") => {
                let name = format!("[Symbol.{name}");
                self.method(into, class, &name, node, value);
            }
            _ if target.starts_with("module.exports[") || target.starts_with("exports[") => {
                self.hide(into.exports, "it exports names that are computed".to_owned());
            }
            _ => {}
        }
    }

    /// `module.exports = …`
    fn all(&mut self, into: Into<'_>, node: Node<'_>, value: Node<'_>) {
        if value.kind() == "object" {
            return self.object(into, into.exports, value);
        }
        if let Some(specifier) = required(value, into.source) {
            let whole = self.reference(into, specifier, Some("="));
            match self.reference(into, specifier, None) {
                Ref::Elsewhere(what) => self.hide(into.exports, format!("it is `{what}`, which is of another package")),
                inside => {
                    if let Some(scope) = self.surface.scopes.get_mut(into.exports) {
                        scope.stars.push(inside);
                    }
                    self.item(into, into.exports, "=", node, Kind::Alias(whole));
                }
            }
            return;
        }
        let kind = self.value(into, value, "=");
        self.item(into, into.exports, "=", node, kind);
    }

    fn called(&mut self, into: Into<'_>, node: Node<'_>) {
        let function = field(node, "function", into.source);
        let arguments = node.child_by_field_name("arguments").map(children).unwrap_or_default();
        let exports = |argument: &Node<'_>| matches!(text(*argument, into.source), "exports" | "module.exports");
        if function.ends_with("defineProperty") && arguments.first().is_some_and(exports) {
            let name = arguments
                .get(1)
                .map_or("", |name| text(*name, into.source))
                .trim_matches(['"', '\''])
                .to_owned();
            if name == "__esModule" {
                return;
            }
            // `{ enumerable: true, get: function () { return _v.default; } }`
            let getter = arguments.get(2).map_or("", |shape| text(*shape, into.source));
            let given = getter
                .split_once("return ")
                .and_then(|(_, rest)| rest.split(';').next())
                .unwrap_or_default()
                .trim();
            let names: Vec<String> = given.split('.').map(str::to_owned).collect();
            let plain = names
                .iter()
                .all(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_$".contains(c)));
            let kind = if plain {
                Kind::Alias(Ref::Local(into.inner, names))
            } else {
                Kind::Opaque("a getter gives it".to_owned())
            };
            return self.item(into, into.exports, &name, node, kind);
        }
        let stars = function.ends_with("__exportStar") || function.ends_with("__export");
        if let Some(specifier) = arguments
            .first()
            .and_then(|first| required(*first, into.source))
            .filter(|_| stars)
        {
            match self.reference(into, specifier, None) {
                Ref::Elsewhere(what) => self.hide(into.exports, format!("it hands on all of `{what}`")),
                inside => {
                    if let Some(scope) = self.surface.scopes.get_mut(into.exports) {
                        scope.stars.push(inside);
                    }
                }
            }
            return;
        }
        if text(node, into.source).contains("exports") {
            self.hide(into.exports, "a call makes what it exports".to_owned());
        }
    }

    /// The class that a constructor function stands for.
    fn class_of(&mut self, into: Into<'_>, name: &str, node: Node<'_>) -> Option<usize> {
        let scope = self.surface.scope(into.inner)?;
        let path: Vec<String> = scope.path.iter().cloned().chain([name.to_owned()]).collect();
        let constructor = scope.members.get(name).and_then(|items| {
            items.iter().find_map(|item| match &item.kind {
                Kind::Function(signature) => Some(signature.clone()),
                _ => None,
            })
        });
        if let Some(id) = self.surface.at(&path) {
            return Some(id);
        }
        constructor.as_ref()?;
        let id = self.surface.add_scope(into.inner, name, true)?;
        if let Some(scope) = self.surface.scopes.get_mut(id) {
            scope.constructor = constructor;
        }
        self.item(into, into.inner, name, node, Kind::Class(id));
        Some(id)
    }

    fn method(&mut self, into: Into<'_>, class: &str, name: &str, node: Node<'_>, value: Node<'_>) {
        if let Some(id) = self.class_of(into, class, node) {
            let kind = self.value(into, value, name);
            self.item(into, id, name, node, kind);
            let items = self
                .surface
                .scopes
                .get_mut(id)
                .and_then(|scope| scope.members.get_mut(name));
            if let Some(item) = items.and_then(|items| items.last_mut()) {
                item.reach = Reach::Object;
            }
        }
    }

    /// `f.name = …`: a member of a function or a class of the module.
    fn fixed(&mut self, into: Into<'_>, owner: &str, name: &str, node: Node<'_>, value: Node<'_>) {
        if !matches!(owner, "this" | "process" | "global" | "window")
            && name != "prototype"
            && let Some(id) = self.class_of(into, owner, node)
        {
            let kind = self.value(into, value, name);
            self.item(into, id, name, node, kind);
        }
    }
}
