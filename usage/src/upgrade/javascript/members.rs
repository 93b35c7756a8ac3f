//! Declarations: functions, classes, interfaces, values, namespaces.

use tree_sitter::Node;

use super::{Into, Reader, plain_type, signature};
use crate::upgrade::files::{children, field, short, text};
use crate::upgrade::surface::{Kind, Made, Meaning, Reach, Ref, ScopeId};

/// What the words before a member's name say.
struct Said {
    reach: Reach,
    made: Made,
}

/// The words before a member's name.
fn modifiers<'s>(member: Node<'_>, source: &'s str) -> Vec<&'s str> {
    let named = ["name", "property"]
        .iter()
        .find_map(|field| member.child_by_field_name(field));
    let until = named.map_or(member.end_byte(), |name| name.start_byte());
    (0..member.child_count() as u32)
        .filter_map(|index| member.child(index))
        .take_while(|child| child.start_byte() < until)
        .map(|child| text(child, source))
        .collect()
}

impl Reader<'_> {
    /// Reads a declaration into a scope.
    pub(super) fn declare(&mut self, into: Into<'_>, scope: ScopeId, node: Node<'_>) {
        let name = field(node, "name", into.source).trim_matches(['"', '\'']).to_owned();
        match node.kind() {
            "ambient_declaration" => {
                for child in children(node) {
                    if scope == into.exports && scope != into.inner {
                        // `export declare function f(): void`
                        self.declare(into, scope, child);
                    } else {
                        // In a file of declarations, what is declared is there for whoever loads it.
                        self.statement(into, child);
                    }
                }
            }
            "function_declaration" | "generator_function_declaration" | "function_signature" => {
                let kind = Kind::Function(signature(node, into.source));
                self.item(into, scope, &name, node, kind);
            }
            "class_declaration"
            | "abstract_class_declaration"
            | "class"
            | "interface_declaration"
            | "enum_declaration" => {
                self.class(into, scope, &name, node);
            }
            "type_alias_declaration" => match node.child_by_field_name("value") {
                Some(value) if value.kind() == "object_type" => self.class(into, scope, &name, node),
                value => {
                    let text = value.map_or(String::new(), |value| short(text(value, into.source)));
                    let generics = field(node, "type_parameters", into.source);
                    let text = match generics {
                        "" => text,
                        generics => format!("{} {text}", short(generics)),
                    };
                    self.item(into, scope, &name, node, Kind::Type(text));
                }
            },
            "lexical_declaration" | "variable_declaration" => {
                for declarator in children(node)
                    .into_iter()
                    .filter(|child| child.kind() == "variable_declarator")
                {
                    self.variable(into, scope, declarator);
                }
            }
            "internal_module" | "module" => self.namespace(into, scope, &name, node),
            "export_statement" => self.export(into, node),
            _ => {}
        }
    }

    fn namespace(&mut self, into: Into<'_>, scope: ScopeId, name: &str, node: Node<'_>) {
        let Some(first) = name.split('.').next().filter(|first| !first.is_empty()) else {
            return;
        };
        let Some(id) = self.surface.add_scope(scope, first, false) else {
            return;
        };
        self.item(into, scope, first, node, Kind::Module(id));
        for child in node.child_by_field_name("body").map(children).unwrap_or_default() {
            // All that a namespace of a declaration file declares is exported.
            let inside = Into {
                exports: id,
                inner: id,
                ..into
            };
            self.statement(inside, child);
        }
    }

    fn variable(&mut self, into: Into<'_>, scope: ScopeId, node: Node<'_>) {
        let Some(target) = node.child_by_field_name("name") else {
            return;
        };
        let name = text(target, into.source).to_owned();
        let value = node.child_by_field_name("value");
        if let Some(ty) = node.child_by_field_name("type") {
            if let Some(object) = children(ty).into_iter().find(|child| child.kind() == "object_type") {
                return self.shape(into, scope, &name, node, object);
            }
            return self.item(into, scope, &name, node, Kind::Value(Some(plain_type(ty, into.source))));
        }
        match (target.kind(), value) {
            ("identifier", Some(value)) => {
                let kind = self.value(into, value, &name);
                self.item(into, scope, &name, node, kind);
            }
            ("object_pattern", Some(value)) => {
                // `const {a, b: c} = require("./x")`
                let specifier = required(value, into.source).map(str::to_owned);
                for part in children(target) {
                    let (member, local) = match part.kind() {
                        "pair_pattern" => (field(part, "key", into.source), field(part, "value", into.source)),
                        _ => (text(part, into.source), text(part, into.source)),
                    };
                    let kind = match &specifier {
                        Some(specifier) => Kind::Alias(self.reference(into, specifier, Some(member))),
                        None => Kind::Value(None),
                    };
                    self.item(into, scope, local, node, kind);
                }
            }
            _ => self.item(into, scope, &name, node, Kind::Value(None)),
        }
    }

    /// A value whose members are written out.
    fn shape(&mut self, into: Into<'_>, scope: ScopeId, name: &str, node: Node<'_>, object: Node<'_>) {
        let Some(id) = self.surface.add_scope(scope, name, true) else {
            return;
        };
        self.item(into, scope, name, node, Kind::Class(id));
        self.members(into, id, object);
        // The value is the object itself, not what objects are made by.
        if let Some(scope) = self.surface.scopes.get_mut(id) {
            scope.required.clear();
            scope.meaning = Meaning::Value;
            let items = scope.members.values_mut().flatten();
            items.for_each(|item| item.reach = Reach::Any);
        }
    }

    /// What the value of a declaration or an assignment is.
    pub(super) fn value(&mut self, into: Into<'_>, value: Node<'_>, name: &str) -> Kind {
        match value.kind() {
            "arrow_function" | "function_expression" | "function" | "generator_function" | "function_declaration" => {
                Kind::Function(signature(value, into.source))
            }
            "class" | "class_declaration" => match self.surface.add_scope(into.inner, name, true) {
                Some(id) => {
                    self.fill(into, id, value);
                    Kind::Class(id)
                }
                None => Kind::Opaque("there is too much in it".to_owned()),
            },
            "identifier" => Kind::Alias(Ref::Local(into.inner, vec![text(value, into.source).to_owned()])),
            "member_expression" => {
                let object = value.child_by_field_name("object");
                let member = field(value, "property", into.source);
                match object.and_then(|object| required(object, into.source)) {
                    Some(specifier) => Kind::Alias(self.reference(into, specifier, Some(member))),
                    None => {
                        let names: Vec<String> = text(value, into.source).split('.').map(str::to_owned).collect();
                        let plain = names
                            .iter()
                            .all(|name| name.chars().all(|c| c.is_alphanumeric() || "_$".contains(c)));
                        if plain {
                            Kind::Alias(Ref::Local(into.inner, names))
                        } else {
                            Kind::Value(None)
                        }
                    }
                }
            }
            "call_expression" => match required(value, into.source).or_else(|| interoperated(value, into.source)) {
                Some(specifier) => Kind::Alias(self.reference(into, specifier, None)),
                None => Kind::Opaque("it is made when its module is loaded, by a call".to_owned()),
            },
            "object" => match self.surface.add_scope(into.inner, name, true) {
                Some(id) => {
                    self.object(into, id, value);
                    Kind::Class(id)
                }
                None => Kind::Opaque("there is too much in it".to_owned()),
            },
            "string" | "template_string" => Kind::Value(Some("string".to_owned())),
            "number" => Kind::Value(Some("number".to_owned())),
            "true" | "false" => Kind::Value(Some("boolean".to_owned())),
            "parenthesized_expression" | "as_expression" | "satisfies_expression" => match value.named_child(0) {
                Some(inner) => self.value(into, inner, name),
                None => Kind::Value(None),
            },
            _ => Kind::Opaque("it is made when its module is loaded".to_owned()),
        }
    }

    /// Members of an object that is written out.
    pub(super) fn object(&mut self, into: Into<'_>, scope: ScopeId, object: Node<'_>) {
        for member in children(object) {
            match member.kind() {
                "pair" => {
                    let key = field(member, "key", into.source).trim_matches(['"', '\'']).to_owned();
                    if let Some(value) = member.child_by_field_name("value") {
                        let kind = self.value(into, value, &key);
                        self.item(into, scope, &key, member, kind);
                    }
                }
                "shorthand_property_identifier" => {
                    let name = text(member, into.source).to_owned();
                    let target = Ref::Local(into.inner, vec![name.clone()]);
                    self.item(into, scope, &name, member, Kind::Alias(target));
                }
                "method_definition" => {
                    let name = field(member, "name", into.source).to_owned();
                    let kind = if text(member, into.source).starts_with("get ") {
                        Kind::Opaque("a getter gives it".to_owned())
                    } else {
                        Kind::Function(signature(member, into.source))
                    };
                    self.item(into, scope, &name, member, kind);
                }
                "spread_element" => self.hide(scope, "some of its members come out of another object".to_owned()),
                _ => {}
            }
        }
    }

    fn class(&mut self, into: Into<'_>, scope: ScopeId, name: &str, node: Node<'_>) {
        let mut path = self
            .surface
            .scope(scope)
            .map(|scope| scope.path.clone())
            .unwrap_or_default();
        path.push(name.to_owned());
        let known = self
            .surface
            .at(&path)
            .filter(|id| self.surface.scope(*id).is_some_and(|scope| scope.is_class));
        let Some(id) = known.or_else(|| self.surface.add_scope(scope, name, true)) else {
            return;
        };
        self.item(into, scope, name, node, Kind::Class(id));
        self.fill(into, id, node);
    }

    /// Bases and members of a class, an interface, an enum.
    fn fill(&mut self, into: Into<'_>, id: ScopeId, node: Node<'_>) {
        let mut bases = Vec::new();
        let mut open: Vec<Node<'_>> = children(node)
            .into_iter()
            .filter(|child| {
                matches!(
                    child.kind(),
                    "class_heritage" | "extends_type_clause" | "extends_clause"
                )
            })
            .collect();
        while let Some(part) = open.pop() {
            match part.kind() {
                "class_heritage" | "extends_clause" | "extends_type_clause" | "generic_type" => {
                    open.extend(children(part))
                }
                "identifier" | "type_identifier" | "member_expression" | "nested_type_identifier" => {
                    let names = text(part, into.source).split('.').map(str::to_owned).collect();
                    bases.push(Ref::Local(into.inner, names));
                }
                "implements_clause" | "type_arguments" => {}
                _ => bases.push(Ref::Elsewhere(short(text(part, into.source)))),
            }
        }
        let generics = node.child_by_field_name("type_parameters");
        if let Some(scope) = self.surface.scopes.get_mut(id) {
            scope.bases.extend(bases);
            if matches!(node.kind(), "interface_declaration" | "type_alias_declaration") {
                scope.meaning = Meaning::Type;
            }
            if node.kind() == "abstract_class_declaration" {
                scope.declared.insert("abstract".to_owned());
            }
            scope
                .declared
                .extend(generics.map(|generics| format!("generic over `{}`", short(text(generics, into.source)))));
        }
        let body = node
            .child_by_field_name("body")
            .or_else(|| node.child_by_field_name("value"));
        if let Some(body) = body {
            self.members(into, id, body);
        }
    }

    fn members(&mut self, into: Into<'_>, id: ScopeId, body: Node<'_>) {
        if body.kind() == "enum_body" {
            return self.numbered(into, id, body);
        }
        for member in children(body) {
            let name = field(member, "name", into.source).trim_matches(['"', '\'']).to_owned();
            let whole = text(member, into.source);
            let words = modifiers(member, into.source);
            let has = |word: &str| words.contains(&word);
            if name == "constructor" && (has("private") || has("protected")) {
                if let Some(scope) = self.surface.scopes.get_mut(id) {
                    scope.declared.insert("made by its own code only".to_owned());
                }
                continue;
            }
            if has("private") || name.starts_with('#') {
                continue;
            }
            let said = Said {
                reach: match () {
                    () if has("protected") => Reach::Heirs,
                    () if has("static") => Reach::Class,
                    () => Reach::Object,
                },
                made: match () {
                    () if has("get") || has("readonly") => Made::Accessor { set: false },
                    () if has("set") => Made::Accessor { set: true },
                    () => Made::Unsaid,
                },
            };
            let optional = whole
                .get(..whole.len().min(name.len() + 40))
                .is_some_and(|head| head.contains(&format!("{name}?")));
            match member.kind() {
                "method_definition" | "method_signature" | "abstract_method_signature" => {
                    let mut made = signature(member, into.source);
                    if name == "constructor" {
                        self.attributes(into, id, member);
                        if let Some(scope) = self.surface.scopes.get_mut(id) {
                            scope.constructor.get_or_insert(made);
                        }
                        continue;
                    }
                    if optional {
                        made.qualifiers.push("optional".to_owned());
                    }
                    let kind = if has("get") || has("set") {
                        Kind::Value(made.returns)
                    } else {
                        Kind::Function(made)
                    };
                    self.required(into, id, &name, member, optional);
                    self.said(into, id, &name, member, kind, said);
                }
                "public_field_definition" | "field_definition" | "property_signature" => {
                    let name = if name.is_empty() {
                        field(member, "property", into.source).to_owned()
                    } else {
                        name
                    };
                    let ty = member.child_by_field_name("type");
                    let function =
                        ty.and_then(|ty| children(ty).into_iter().find(|child| child.kind() == "function_type"));
                    let value = member.child_by_field_name("value").filter(|value| {
                        ty.is_none() && matches!(value.kind(), "arrow_function" | "function_expression")
                    });
                    let kind = match function.or(value) {
                        Some(function) => Kind::Function(signature(function, into.source)),
                        None => Kind::Value(ty.map(|ty| match plain_type(ty, into.source) {
                            plain if optional => format!("{plain} | undefined"),
                            plain => plain,
                        })),
                    };
                    self.required(into, id, &name, member, optional);
                    self.said(into, id, &name, member, kind, said);
                }
                "construct_signature" => {
                    let made = signature(member, into.source);
                    if let Some(scope) = self.surface.scopes.get_mut(id) {
                        scope.constructor.get_or_insert(made);
                    }
                }
                "call_signature" => {
                    let made = signature(member, into.source);
                    if let Some(scope) = self.surface.scopes.get_mut(id) {
                        scope.constructor.get_or_insert(made);
                    }
                }
                "index_signature" => self.hide(id, "its members are declared by a pattern".to_owned()),
                _ => {}
            }
        }
    }

    /// A member, with what is written before its name. A getter and a setter are one.
    fn said(&mut self, into: Into<'_>, id: ScopeId, name: &str, member: Node<'_>, kind: Kind, said: Said) {
        let items = self
            .surface
            .scopes
            .get_mut(id)
            .and_then(|scope| scope.members.get_mut(name));
        let accessor = |made: &Made| matches!(made, Made::Accessor { .. });
        if let Some(other) = items.and_then(|items| items.last_mut())
            && accessor(&other.made)
            && accessor(&said.made)
            && other.reach == said.reach
        {
            if let (Kind::Value(ty @ None), Kind::Value(given)) = (&mut other.kind, kind) {
                *ty = given;
            }
            other.made = Made::Accessor { set: true };
            return;
        }
        self.item(into, id, name, member, kind);
        let items = self
            .surface
            .scopes
            .get_mut(id)
            .and_then(|scope| scope.members.get_mut(name));
        if let Some(item) = items.and_then(|items| items.last_mut()) {
            item.reach = said.reach;
            if accessor(&said.made) {
                item.made = said.made;
            }
        }
    }

    /// Notes a member that whoever implements an interface, or derives from an abstract class, must have.
    fn required(&mut self, into: Into<'_>, id: ScopeId, name: &str, member: Node<'_>, optional: bool) {
        let in_interface = member
            .parent()
            .is_some_and(|body| matches!(body.kind(), "interface_body" | "object_type"));
        let is_abstract =
            member.kind() == "abstract_method_signature" || text(member, into.source).starts_with("abstract ");
        if ((in_interface && !optional) || is_abstract)
            && let Some(scope) = self.surface.scopes.get_mut(id)
        {
            scope.required.insert(name.to_owned());
        }
    }

    /// `this.x = …` in a constructor.
    fn attributes(&mut self, into: Into<'_>, id: ScopeId, constructor: Node<'_>) {
        let mut open = vec![constructor];
        let mut steps = 0;
        while let Some(node) = open.pop() {
            steps += 1;
            if steps > 50_000 {
                return self.hide(id, "its constructor is too long".to_owned());
            }
            if node.kind() == "assignment_expression"
                && let Some(left) = node.child_by_field_name("left")
                && left.kind() == "member_expression"
                && field(left, "object", into.source) == "this"
            {
                let name = field(left, "property", into.source).to_owned();
                let reach = Reach::Object;
                let said = Said {
                    reach,
                    made: Made::Unsaid,
                };
                self.said(into, id, &name, node, Kind::Value(None), said);
            }
            open.extend(children(node));
        }
    }
}

/// The specifier in a compiler's wrapping of a `require`, which gives the module, or it as the default of one.
fn interoperated<'s>(node: Node<'_>, source: &'s str) -> Option<&'s str> {
    const WRAPPERS: &[&str] = &[
        "_interopRequireDefault",
        "_interopRequireWildcard",
        "_interop_require_default",
        "_interop_require_wildcard",
        "__importDefault",
        "__importStar",
    ];
    let by = field(node, "function", source).rsplit('.').next()?;
    let first = node.child_by_field_name("arguments")?.named_child(0)?;
    required(first, source).filter(|_| WRAPPERS.contains(&by))
}

/// The specifier of a literal `require`.
pub(super) fn required<'s>(node: Node<'_>, source: &'s str) -> Option<&'s str> {
    let is_require = node.kind() == "call_expression" && field(node, "function", source) == "require";
    let first = is_require.then(|| node.child_by_field_name("arguments")?.named_child(0))??;
    (first.kind() == "string").then(|| text(first, source).trim_matches(['"', '\'']))
}
