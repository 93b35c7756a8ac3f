//! Types and traits of a crate.

use tree_sitter::Node;

use super::{Impl, Into, Reader, is_public, signature};
use crate::upgrade::files::{children, field, short, text};
use crate::upgrade::signature::{Parameter, ParameterKind, Signature};
use crate::upgrade::surface::{Kind, ScopeId};

/// Methods of traits that are commonly derived.
const DERIVED: &[(&str, &str)] = &[
    ("Default", "default"),
    ("Clone", "clone"),
    ("PartialEq", "eq"),
    ("PartialOrd", "partial_cmp"),
    ("Ord", "cmp"),
    ("Hash", "hash"),
    ("Debug", "fmt"),
];

/// Whether a method leaves its trait fit for `dyn` (Rust reference, "Dyn compatibility").
fn callable_on_objects(made: &Signature) -> bool {
    let has = |wanted: &dyn Fn(&str) -> bool| made.qualifiers.iter().any(|qualifier| wanted(qualifier));
    let generic = |q: &str| {
        q.starts_with('<')
            && q.split(',')
                .any(|p| !p.trim_start_matches(['<', ' ']).starts_with('\''))
    };
    let on_self = |q: &str| q.contains("self") && !q.starts_with("where");
    let exempt = |q: &str| q.starts_with("where") && q.replace(' ', "").contains("Self:Sized");
    let gives_self = made.returns.as_deref() == Some("Self");
    has(&exempt) || (has(&on_self) && !has(&generic) && !gives_self && !made.is_async)
}

impl Reader<'_> {
    fn class(&mut self, into: Into<'_>, name: &str, node: Node<'_>, public: bool) -> Option<ScopeId> {
        let around = into.of(public);
        let mut path = self.surface.scope(around)?.path.clone();
        path.push(name.to_owned());
        let known = self
            .surface
            .at(&path)
            .filter(|id| self.surface.scope(*id).is_some_and(|scope| scope.is_class));
        let id = known.or_else(|| self.surface.add_scope(around, name, true))?;
        self.item(into, around, name, node, Kind::Class(id));
        Some(id)
    }

    /// What `derive` and other attributes say of a type.
    fn derived(&mut self, into: Into<'_>, id: ScopeId, node: Node<'_>, attributes: &[String]) {
        for attribute in attributes {
            let Some((_, list)) = attribute.split_once("derive(") else {
                continue;
            };
            for name in list
                .split([',', ')', ']'])
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                let name = name.rsplit("::").next().unwrap_or(name);
                if let Some((_, method)) = DERIVED.iter().find(|(of, _)| *of == name) {
                    self.item(into, id, method, node, Kind::Function(Signature::default()));
                }
                if let Some(scope) = self.surface.scopes.get_mut(id) {
                    scope.traits.insert(name.to_owned());
                }
            }
        }
        let bounds = children(node).into_iter().find(|child| child.kind() == "where_clause");
        if let (Some(bounds), Some(scope)) = (bounds, self.surface.scopes.get_mut(id)) {
            let bounds = short(text(bounds, into.source));
            scope
                .declared
                .insert(format!("bound by `{}`", bounds.trim_end_matches(',')));
        }
        let generics = children(node)
            .into_iter()
            .find(|child| child.kind() == "type_parameters");
        if let (Some(generics), Some(scope)) = (generics, self.surface.scopes.get_mut(id)) {
            scope
                .declared
                .insert(format!("generic over `{}`", short(text(generics, into.source))));
        }
    }

    /// How a struct or a variant is made from outside: by its fields, when all of them are visible.
    fn made_of(
        &mut self,
        into: Into<'_>,
        holder: ScopeId,
        body: Option<Node<'_>>,
        open: bool,
        all_public: bool,
    ) -> (Option<Signature>, Vec<(String, String)>) {
        let mut made = Signature::default();
        let mut fields = Vec::new();
        let mut complete = !open;
        let is_tuple = body.is_some_and(|body| body.kind() == "ordered_field_declaration_list");
        let mut visible = false;
        for part in body.map(children).unwrap_or_default() {
            let (name, ty) = match part.kind() {
                "field_declaration" => {
                    visible = all_public || is_public(part, into.source);
                    (
                        field(part, "name", into.source).to_owned(),
                        field(part, "type", into.source),
                    )
                }
                "visibility_modifier" => {
                    visible = text(part, into.source) == "pub";
                    continue;
                }
                "attribute_item" => continue,
                _ if is_tuple => (made.parameters.len().to_string(), text(part, into.source)),
                _ => continue,
            };
            let ty = short(ty);
            if let Some(scope) = self.surface.scopes.get_mut(holder) {
                scope.holds.push(ty.clone());
            }
            complete &= visible || all_public;
            if visible || all_public {
                fields.push((name.clone(), ty.clone()));
            }
            made.parameters.push(Parameter {
                name,
                kind: if is_tuple {
                    ParameterKind::Positional
                } else {
                    ParameterKind::Keyword
                },
                required: true,
                default: None,
                ty: Some(ty),
            });
            if is_tuple {
                visible = false;
            }
        }
        (complete.then_some(made), fields)
    }

    pub(super) fn structure(
        &mut self,
        into: Into<'_>,
        name: &str,
        node: Node<'_>,
        attributes: &[String],
        public: bool,
    ) {
        let Some(id) = self.class(into, name, node, public) else {
            return;
        };
        self.derived(into, id, node, attributes);
        let open = attributes.iter().any(|a| a.contains("non_exhaustive"));
        let body = node.child_by_field_name("body");
        let (mut made, fields) = self.made_of(into, id, body, open, false);
        if let Some(made) = made.as_mut().filter(|_| body.is_none()) {
            made.qualifiers.push("a value of its own".to_owned());
        }
        for (name, ty) in fields {
            self.item(into, id, &name, node, Kind::Value(Some(ty)));
        }
        if let Some(scope) = self.surface.scopes.get_mut(id) {
            scope.constructor = made;
        }
    }

    pub(super) fn enumeration(
        &mut self,
        into: Into<'_>,
        name: &str,
        node: Node<'_>,
        attributes: &[String],
        public: bool,
    ) {
        let Some(id) = self.class(into, name, node, public) else {
            return;
        };
        self.derived(into, id, node, attributes);
        let open = attributes.iter().any(|a| a.contains("non_exhaustive"));
        let variants = node.child_by_field_name("body").map(children).unwrap_or_default();
        for variant in variants.into_iter().filter(|child| child.kind() == "enum_variant") {
            let name = field(variant, "name", into.source).to_owned();
            let body = variant.child_by_field_name("body");
            let kind = match self.made_of(into, id, body, false, true).0 {
                Some(made) if body.is_some() => Kind::Function(made),
                _ => Kind::Value(None),
            };
            self.item(into, id, &name, variant, kind);
            if let Some(scope) = self.surface.scopes.get_mut(id).filter(|_| !open) {
                scope.listed.get_or_insert_default().insert(name);
            }
        }
    }

    pub(super) fn trait_of(&mut self, into: Into<'_>, name: &str, node: Node<'_>, public: bool) {
        let Some(id) = self.class(into, name, node, public) else {
            return;
        };
        self.derived(into, id, node, &[]);
        if text(node, into.source)
            .split("trait ")
            .next()
            .is_some_and(|words| words.contains("unsafe"))
            && let Some(scope) = self.surface.scopes.get_mut(id)
        {
            scope.declared.insert("unsafe".to_owned());
        }
        let mut is_object = true;
        if let (Some(bounds), Some(scope)) = (node.child_by_field_name("bounds"), self.surface.scopes.get_mut(id)) {
            // What a trait asks of its types is asked of whoever implements it.
            scope.required.insert(short(text(bounds, into.source)));
        }
        for member in node.child_by_field_name("body").map(children).unwrap_or_default() {
            let name = field(member, "name", into.source).to_owned();
            let (kind, needed) = match member.kind() {
                "function_signature_item" | "function_item" => {
                    let made = signature(member, into.source);
                    is_object &= callable_on_objects(&made);
                    (Kind::Function(made), member.kind() == "function_signature_item")
                }
                "associated_type" => (Kind::Type(short(text(member, into.source))), true),
                "const_item" => {
                    let needed = member.child_by_field_name("value").is_none();
                    is_object = false;
                    (Kind::Value(Some(short(field(member, "type", into.source)))), needed)
                }
                "macro_invocation" => {
                    self.hide(id, "a macro makes some of its members".to_owned());
                    continue;
                }
                _ => continue,
            };
            if let Some(scope) = self.surface.scopes.get_mut(id).filter(|_| needed) {
                scope.required.insert(name.clone());
            }
            self.item(into, id, &name, member, kind);
        }
        if let Some(scope) = self.surface.scopes.get_mut(id).filter(|_| is_object) {
            scope.traits.insert("dyn".to_owned());
        }
    }

    pub(super) fn implementation(&mut self, into: Into<'_>, node: Node<'_>) {
        let of = node.child_by_field_name("trait").map(|of| short(text(of, into.source)));
        let ty = field(node, "type", into.source);
        let ty = ty.split('<').next().unwrap_or_default().trim_start_matches('&').trim();
        let names: Vec<String> = ty
            .split("::")
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect();
        let names = match names.split_first() {
            Some((first, rest)) if first == "crate" || first == "self" => rest.to_vec(),
            _ => names,
        };
        let mut around: Vec<String> = children(node)
            .into_iter()
            .filter(|child| matches!(child.kind(), "type_parameters" | "where_clause"))
            .map(|child| short(text(child, into.source)).trim_end_matches(',').to_owned())
            .filter(|bounds| bounds.contains(':'))
            .collect();
        around.extend(of.as_ref().map(|of| format!("of `{of}`")));
        let qualified = |mut made: Signature| {
            made.qualifiers.extend(around.iter().cloned());
            made
        };
        let (mut members, mut hides) = (Vec::new(), false);
        for member in node.child_by_field_name("body").map(children).unwrap_or_default() {
            let name = field(member, "name", into.source).to_owned();
            let public = of.is_some() || is_public(member, into.source);
            let kind = match member.kind() {
                "function_item" if public => Kind::Function(qualified(signature(member, into.source))),
                "const_item" if public => Kind::Value(Some(short(field(member, "type", into.source)))),
                "type_item" | "associated_type" if public => Kind::Type(short(text(member, into.source))),
                "macro_invocation" => {
                    hides = true;
                    continue;
                }
                _ => continue,
            };
            let item = self.made(into, &name, member, kind);
            members.push((name, item));
        }
        self.impls.push(Impl {
            module: into.exports,
            ty: names,
            of,
            whole: short(text(node, into.source).split('{').next().unwrap_or_default()),
            members,
            hides,
        });
    }
}
