//! Functions and methods of a module.

use tree_sitter::Node;

use super::parameters::signature;
use super::{Into, Reader};
use crate::upgrade::files::{children, field, line, short, text};
use crate::upgrade::signature::AN_ERROR;
use crate::upgrade::surface::{Item, Kind, Made, Reach, ScopeId};

/// Decorators that leave a signature as it is written.
const TRANSPARENT: &[&str] = &[
    "staticmethod",
    "classmethod",
    "abstractmethod",
    "final",
    "override",
    "overload",
    "wraps",
    "deprecated",
    "setupmethod",
    "property",
    "cached_property",
    "deprecate_kwarg",
    "versionadded",
    "runtime_checkable",
    "no_type_check",
];
/// Methods that Python itself binds to the class (Python language reference, 3.3).
const IMPLICIT: &[&str] = &["__new__", "__init_subclass__", "__class_getitem__"];
/// Decorators that leave a method to those who derive from its class (standard library, `abc`).
const ABSTRACT: &[&str] = &[
    "abstractmethod",
    "abstractproperty",
    "abstractclassmethod",
    "abstractstaticmethod",
];
/// What a function without `return` gives.
const NOTHING: &str = "nothing";
/// Most nodes of one function in which its results are looked for.
const MAX_NODES: usize = 50_000;

impl Reader {
    pub(super) fn function(&mut self, into: Into<'_>, whole: Node<'_>, node: Node<'_>, decorators: &[String]) {
        let name = field(node, "name", into.source).to_owned();
        let in_class = self.surface.scope(into.scope).is_some_and(|scope| scope.is_class);
        let last = |decorator: &String| {
            let called = decorator.split('(').next().unwrap_or(decorator);
            called.rsplit('.').next().unwrap_or(called).trim().to_owned()
        };
        let has = |wanted: &str| decorators.iter().any(|decorator| last(decorator) == wanted);
        if has("setter") {
            return self.settable(into, &name);
        }
        if has("overload") && !into.is_stub {
            let parameters = short(field(node, "parameters", into.source));
            self.overloads.insert((into.scope, name, parameters));
            return;
        }
        if has("deleter") || has("getter") {
            return;
        }
        let mut signature = signature(node, into.source, in_class && !has("staticmethod"));
        signature.qualifiers = decorators
            .iter()
            .filter(|d| !TRANSPARENT.contains(&last(d).as_str()))
            .cloned()
            .collect();
        let of_it = |(scope, of, _): &(ScopeId, String, String)| *scope == into.scope && *of == name;
        let overloads = self.overloads.iter().filter(|overload| of_it(overload));
        signature.overloads = overloads.map(|(_, _, parameters)| parameters.clone()).collect();
        if has("overload") {
            // Where nothing but declarations is there, they are all there is: the last one stands for all.
            signature.qualifiers.extend(self.overloads(into, &name));
            let own = node.child_by_field_name("parameters");
            signature
                .qualifiers
                .extend(own.map(|own| short(text(own, into.source))));
        }
        if !into.is_stub {
            let receiver = in_class && !has("staticmethod");
            signature.gives =
                gives(node, into.source, receiver).filter(|given| given != NOTHING || !has("abstractmethod"));
        }
        if ABSTRACT.iter().any(|word| has(word))
            && let Some(scope) = self.surface.scopes.get_mut(into.scope)
        {
            scope.required.insert(name.clone());
        }
        if name == "__getattr__" || name == "__getattribute__" {
            self.made_on_demand(into, node, in_class);
        }
        if in_class {
            self.attributes(into, node);
            let scope = self.surface.scopes.get_mut(into.scope);
            if let Some(scope) = scope.filter(|s| name == "__init__" || (name == "__new__" && s.constructor.is_none()))
            {
                scope.constructor = Some(signature.clone());
            }
        }
        let is_value = in_class && (has("property") || has("cached_property") || has("hybrid_property"));
        let (kind, made) = if is_value {
            let set = !has("property");
            (Kind::Value(signature.returns), Made::Accessor { set })
        } else {
            (Kind::Function(signature), Made::Unsaid)
        };
        let through_class = !in_class || has("staticmethod") || has("classmethod") || IMPLICIT.contains(&name.as_str());
        let reach = if through_class { Reach::Any } else { Reach::Object };
        let mut item = self.made(into, &name, whole, kind);
        (item.made, item.reach) = (made, reach);
        self.surface.define(into.scope, &name, item);
    }

    /// Notes that a property can be set.
    fn settable(&mut self, into: Into<'_>, name: &str) {
        let scope = self.surface.scopes.get_mut(into.scope);
        let items = scope.and_then(|scope| scope.members.get_mut(name));
        for item in items.into_iter().flatten() {
            if let Made::Accessor { set } = &mut item.made {
                *set = true;
            }
        }
    }

    /// What qualifies the declarations of a name so far.
    fn overloads(&self, into: Into<'_>, name: &str) -> Vec<String> {
        let items = self.surface.scope(into.scope).and_then(|scope| scope.members.get(name));
        match items.and_then(|items| items.last()).map(|item| &item.kind) {
            Some(Kind::Function(before)) => before.qualifiers.clone(),
            _ => Vec::new(),
        }
    }

    /// `__getattr__`: any name may be there; or, where it only compares with strings, those.
    fn made_on_demand(&mut self, into: Into<'_>, node: Node<'_>, in_class: bool) {
        let body = text(node, into.source);
        let open = [
            "import_module",
            "__import__",
            "getattr(",
            "globals",
            "_lazy",
            "[name]",
            "[item]",
            "[attr]",
        ];
        if in_class || open.iter().any(|call| body.contains(call)) {
            return self.hide(into.scope, "it makes members when they are asked for (`__getattr__`)");
        }
        for part in body.split(['"', '\'']).skip(1).step_by(2) {
            if !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_') {
                let why = "`__getattr__` makes it when it is asked for".to_owned();
                let item = Item::new(Kind::Opaque(why), into.file, line(node));
                self.surface.define(into.scope, part, item);
            }
        }
    }
}

/// What kind of thing a function gives, where all of its `return`s say the same by their form.
fn gives(function: Node<'_>, source: &str, has_receiver: bool) -> Option<String> {
    let first = function
        .child_by_field_name("parameters")
        .and_then(|p| p.named_child(0));
    let receiver = first.filter(|_| has_receiver).map(|first| text(first, source));
    let mut found: Option<String> = None;
    let body = function.child_by_field_name("body")?;
    let says_more = |part: &Node<'_>| part.kind() != "raise_statement" && !is_docstring(*part);
    if !children(body).iter().any(says_more) && children(body).iter().any(|part| part.kind() == "raise_statement") {
        return Some(AN_ERROR.to_owned());
    }
    let mut open = vec![body];
    let (mut steps, mut only_stands_in) = (0, true);
    while let Some(node) = open.pop() {
        steps += 1;
        if steps > MAX_NODES {
            return None;
        }
        match node.kind() {
            "function_definition" | "lambda" | "class_definition" => continue,
            // Whatever else it says: calling it gives a generator.
            "yield" => return Some("a generator".to_owned()),
            "return_statement" => {
                let given = match node.named_child(0) {
                    Some(value) if receiver.is_some_and(|own| text(value, source) == own) => "itself".to_owned(),
                    Some(value) if receiver.is_some_and(|own| is_call_of(value, own, source)) => {
                        "one of its class".to_owned()
                    }
                    Some(value) => form(value, source).or_else(|| local(value, function, source))?,
                    None => NOTHING.to_owned(),
                };
                if found.as_ref().is_some_and(|known| *known != given) {
                    return None;
                }
                found = Some(given);
            }
            _ => {}
        }
        // What only raises, or says nothing, is there to be overridden.
        only_stands_in &= !matches!(node.kind(), "call" | "assignment") || within_raise(node);
        open.extend(children(node));
    }
    let passes = children(body).iter().any(|part| part.kind() == "pass_statement");
    found.or_else(|| (!only_stands_in || passes).then(|| NOTHING.to_owned()))
}

fn is_call_of(value: Node<'_>, name: &str, source: &str) -> bool {
    value.kind() == "call" && field(value, "function", source) == name
}

/// What a name gives that a function binds itself: what it is given, or a function that it makes.
fn local<'t>(value: Node<'t>, function: Node<'t>, source: &str) -> Option<String> {
    let name = Some(text(value, source)).filter(|_| value.kind() == "identifier")?;
    let made = |part: Node<'t>| match part.kind() {
        "decorated_definition" => part.child_by_field_name("definition"),
        _ => Some(part),
    };
    let body = function.child_by_field_name("body").map(children).unwrap_or_default();
    let mut own = body
        .into_iter()
        .filter_map(made)
        .filter(|part| part.kind() == "function_definition");
    if let Some(own) = own.find(|own| field(*own, "name", source) == name) {
        let parameters = short(field(own, "parameters", source));
        // A decorator with arguments gives the decorator.
        let inner = own.child_by_field_name("body").map(children).unwrap_or_default();
        let mut given = inner.iter().filter(|part| part.kind() == "return_statement");
        let given = given.next_back().and_then(|part| part.named_child(0));
        return Some(match given.filter(|value| value.kind() == "identifier") {
            Some(value) => format!("a function of {parameters} that gives `{}`", text(value, source)),
            None => format!("a function of {parameters}"),
        });
    }
    let given = children(function.child_by_field_name("parameters")?);
    let is_given = given.iter().any(|parameter| text(*parameter, source) == name);
    is_given.then(|| format!("its `{name}`"))
}

fn is_docstring(statement: Node<'_>) -> bool {
    statement.kind() == "expression_statement" && statement.named_child(0).is_some_and(|inner| inner.kind() == "string")
}

fn within_raise(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| parent.kind() == "raise_statement")
}

/// What an expression gives, by its form.
fn form(value: Node<'_>, source: &str) -> Option<String> {
    let said = match value.kind() {
        "tuple" | "expression_list" => {
            let parts = children(value);
            if parts.iter().any(|part| part.kind() == "list_splat") {
                return None;
            }
            return Some(format!("a tuple of {}", parts.len()));
        }
        "list" | "list_comprehension" => "a list",
        "dictionary" | "dictionary_comprehension" => "a mapping",
        "set" | "set_comprehension" => "a set",
        "generator_expression" => "a generator",
        "string" | "concatenated_string" if text(value, source).starts_with(['b', 'B']) => "bytes",
        "string" | "concatenated_string" => "a string",
        "integer" | "float" => "a number",
        "true" | "false" => "a truth value",
        "none" => NOTHING,
        "call" => {
            let by = field(value, "function", source);
            let is_class = by
                .rsplit('.')
                .next()
                .is_some_and(|name| name.starts_with(|c: char| c.is_uppercase()));
            return is_class.then(|| format!("a `{by}`"));
        }
        "lambda" => "a function",
        "parenthesized_expression" => return form(value.named_child(0)?, source),
        _ => return None,
    };
    Some(said.to_owned())
}
