//! Values of a module or a class, and tuples with named elements.

use std::hash::{DefaultHasher, Hash, Hasher};

use tree_sitter::Node;

use super::parameters::signature;
use super::{Into, Reader};
use crate::upgrade::files::{children, field, short, text};
use crate::upgrade::signature::{Parameter, ParameterKind, Signature};
use crate::upgrade::surface::{Found, Kind, Made, Reach, Ref, ScopeId};

/// Longest text of a value that is kept as it is.
const MAX_TEXT: usize = 200;

impl Reader {
    /// `P = namedtuple("P", "a b")`: a class whose objects are made of these.
    fn tuple(&mut self, into: Into<'_>, name: &str, node: Node<'_>, fields: Vec<Parameter>) {
        let Some(id) = self.surface.add_scope(into.scope, name, true) else {
            return;
        };
        for parameter in &fields {
            let mut item = self.made(into, &parameter.name, node, Kind::Value(parameter.ty.clone()));
            item.reach = Reach::Object;
            self.surface.define(id, &parameter.name, item);
        }
        if let Some(scope) = self.surface.scopes.get_mut(id) {
            scope.bases = vec![Ref::Elsewhere("NamedTuple".to_owned())];
            scope.elements = Some(fields.iter().map(|parameter| parameter.name.clone()).collect());
            scope.constructor = Some(Signature {
                parameters: fields,
                ..Signature::default()
            });
        }
        self.item(into, name, node, Kind::Class(id));
    }

    /// `run = _default.run`, after `_default = Runner()`: the method of the class.
    pub(super) fn of_instance(&mut self, scope: ScopeId, name: &str) {
        let items = self.surface.scope(scope).and_then(|scope| scope.members.get(name));
        let Some(Kind::Alias(Ref::Local(_, names))) = items.and_then(|items| items.last()).map(|item| &item.kind)
        else {
            return;
        };
        let Some((first, rest)) = names.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            return;
        };
        let Found::Thing { item, .. } = self.surface.member(scope, first) else {
            return;
        };
        let Made::Call { by, .. } = &item.made else { return };
        let by: Vec<String> = by.split('.').map(str::to_owned).collect();
        let class = self
            .surface
            .class_from(scope, &by)
            .and_then(|id| self.surface.scope(id));
        let Some(path) = class.map(|class| class.path.iter().chain(rest).cloned().collect::<Vec<_>>()) else {
            return;
        };
        let is_method = matches!(
            self.surface.find(&path),
            Found::Thing { item, taken, .. } if taken == path.len() && matches!(item.kind, Kind::Function(_))
        );
        let items = self
            .surface
            .scopes
            .get_mut(scope)
            .and_then(|scope| scope.members.get_mut(name));
        if let Some(item) = items.and_then(|items| items.last_mut()).filter(|_| is_method) {
            item.kind = Kind::Alias(Ref::Absolute(path));
        }
    }

    pub(super) fn assignment(&mut self, into: Into<'_>, node: Node<'_>) {
        if node.kind() != "assignment" {
            // `__all__ += [...]`
            if node.kind() == "augmented_assignment" && field(node, "left", into.source) == "__all__" {
                self.listed(into, node);
            }
            return;
        }
        let Some(left) = node.child_by_field_name("left") else {
            return;
        };
        let right = node.child_by_field_name("right");
        let targets = match left.kind() {
            "identifier" => vec![left],
            "pattern_list" | "tuple_pattern" | "list_pattern" => children(left),
            _ => return,
        };
        for target in targets.iter().filter(|target| target.kind() == "identifier") {
            let name = text(*target, into.source);
            if name == "__all__" {
                self.listed(into, node);
                continue;
            }
            let ty = node.child_by_field_name("type").map(|ty| short(text(ty, into.source)));
            if let Some(call) = right.filter(|right| targets.len() == 1 && right.kind() == "call")
                && let Some(fields) = tuple_fields(call, into.source)
            {
                self.tuple(into, name, node, fields);
                continue;
            }
            if let Some(lambda) = right.filter(|right| targets.len() == 1 && right.kind() == "lambda") {
                let in_class = self.surface.scope(into.scope).is_some_and(|scope| scope.is_class);
                let kind = Kind::Function(signature(lambda, into.source, in_class));
                self.item(into, name, node, kind);
                continue;
            }
            let literal = right.and_then(|right| match right.kind() {
                "string" | "concatenated_string" => Some("str"),
                "integer" => Some("int"),
                "float" => Some("float"),
                "true" | "false" => Some("bool"),
                _ => None,
            });
            let kind =
                match right.filter(|right| targets.len() == 1 && matches!(right.kind(), "identifier" | "attribute")) {
                    Some(right) if ty.is_none() => {
                        let names = text(right, into.source)
                            .split('.')
                            .map(|part| part.trim().to_owned())
                            .collect();
                        self.guesses.push((into.scope, name.to_owned()));
                        Kind::Alias(Ref::Local(into.scope, names))
                    }
                    _ => Kind::Value(ty.or_else(|| literal.map(str::to_owned))),
                };
            let mut item = self.made(into, name, node, kind);
            if let Some(right) = right.filter(|_| targets.len() == 1) {
                item.made = made(right, into.source);
            } else if right.is_none() {
                // `x: int` declares what objects have.
                item.reach = Reach::Object;
            }
            self.surface.define(into.scope, name, item);
        }
        // `a = b = c`
        if let Some(right) = right.filter(|right| right.kind() == "assignment") {
            self.assignment(into, right);
        }
    }
}

/// What the text of a value says of how it comes about.
pub(super) fn made(value: Node<'_>, source: &str) -> Made {
    let plain = |node: Node<'_>| {
        let whole = text(node, source);
        let said = short(whole);
        if said.len() <= MAX_TEXT {
            return said;
        }
        let mut hasher = DefaultHasher::new();
        whole.split_whitespace().for_each(|word| word.hash(&mut hasher));
        let start: String = said.chars().take(40).collect();
        format!("{start}… ({:x})", hasher.finish())
    };
    match value.kind() {
        "call" => Made::Call {
            by: short(field(value, "function", source)),
            with: value.child_by_field_name("arguments").map(plain).unwrap_or_default(),
        },
        // What it chooses from may be the package's own.
        "conditional_expression" | "boolean_operator" | "subscript" => Made::Call {
            by: String::new(),
            with: plain(value),
        },
        "string"
        | "concatenated_string"
        | "integer"
        | "float"
        | "true"
        | "false"
        | "none"
        | "unary_operator"
        | "tuple"
        | "list"
        | "dictionary"
        | "set" => Made::Literal(plain(value)),
        _ => Made::Unsaid,
    }
}

/// The elements that a call of `namedtuple`, or of `NamedTuple`, names, where all of them are written out.
fn tuple_fields(call: Node<'_>, source: &str) -> Option<Vec<Parameter>> {
    let by = field(call, "function", source).rsplit('.').next()?;
    if !matches!(by, "namedtuple" | "NamedTuple") {
        return None;
    }
    let (mut fields, mut defaults): (Vec<(String, Option<String>)>, usize) = (Vec::new(), 0);
    let plain =
        |node: Node<'_>| (node.kind() == "string").then(|| text(node, source).trim_matches(['"', '\'']).to_owned());
    let given = children(call.child_by_field_name("arguments")?);
    let listed = given
        .iter()
        .filter(|argument| argument.kind() != "keyword_argument")
        .nth(1)?;
    match listed.kind() {
        "string" => {
            let names = plain(*listed)?.replace(',', " ");
            fields.extend(names.split_whitespace().map(|name| (name.to_owned(), None)));
        }
        "list" | "tuple" => {
            for part in children(*listed) {
                match part.kind() {
                    "string" => fields.push((plain(part)?, None)),
                    "tuple" => {
                        let (name, ty) = (part.named_child(0)?, part.named_child(1)?);
                        fields.push((plain(name)?, Some(short(text(ty, source)))));
                    }
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    for argument in given.iter().filter(|argument| argument.kind() == "keyword_argument") {
        match field(*argument, "name", source) {
            "defaults" => {
                let value = argument.child_by_field_name("value")?;
                if !matches!(value.kind(), "tuple" | "list") {
                    return None;
                }
                defaults = children(value).len();
            }
            "module" => {}
            _ => return None,
        }
    }
    let first_optional = fields.len().saturating_sub(defaults);
    let parameter = |(at, (name, ty)): (usize, (String, Option<String>))| Parameter {
        name,
        kind: ParameterKind::Either,
        required: at < first_optional,
        default: None,
        ty,
    };
    Some(fields.into_iter().enumerate().map(parameter).collect())
}
