//! Classes that are made of their annotated fields: data classes, tuples, mappings with known keys.

use tree_sitter::Node;

use super::classes::last;
use super::{Into, Reader};
use crate::upgrade::files::{children, field, short, text};
use crate::upgrade::signature::{Parameter, ParameterKind, Signature};
use crate::upgrade::surface::ScopeId;

/// Decorators that make a constructor of annotated fields (PEP 557, `attrs`).
const BY_FIELDS: &[&str] = &["dataclass", "define", "frozen", "attrs", "s", "mutable"];
/// What says more of a field, and gives no default by itself.
const SAYING_MORE: &[&str] = &["field", "ib", "attrib", "Field"];

impl Reader {
    /// Annotated fields, and the constructor that they make.
    pub(super) fn fields(&mut self, into: Into<'_>, body: Node<'_>, head: &str, decorators: &[String]) {
        let by_fields = decorators.iter().find(|d| BY_FIELDS.contains(&last(d)));
        let is_tuple = head.contains("NamedTuple");
        let mut by_name = by_fields.is_some_and(|d| d.replace(' ', "").contains("kw_only=True"));
        let (mut fields, mut keys) = (Vec::new(), Vec::new());
        let statements = children(body)
            .into_iter()
            .filter(|child| child.kind() == "expression_statement");
        for node in statements
            .flat_map(children)
            .filter(|child| child.kind() == "assignment")
        {
            let ty = node.child_by_field_name("type").map(|ty| short(text(ty, into.source)));
            let right = node.child_by_field_name("right");
            let more = right.filter(|right| says_more(*right, into.source));
            // `attrs` takes what isn't annotated, too.
            if ty.is_none() && (more.is_none() || by_fields.is_none()) {
                continue;
            }
            let ty = ty.unwrap_or_default();
            if ty.ends_with("KW_ONLY") {
                by_name = true;
                continue;
            }
            let said = |word: &str| {
                more.is_some_and(|more| {
                    text(more, into.source)
                        .split_whitespace()
                        .collect::<String>()
                        .contains(word)
                })
            };
            if ty.contains("ClassVar") || said("init=False") {
                continue;
            }
            let name = field(node, "left", into.source).to_owned();
            let optional = ty.contains("NotRequired") || (head.contains("total=False") && !ty.contains("Required["));
            keys.extend((!optional).then(|| name.clone()));
            fields.push(Parameter {
                name,
                kind: match by_name || said("kw_only=True") {
                    true => ParameterKind::Keyword,
                    false => ParameterKind::Either,
                },
                required: right.is_none() || more.is_some_and(|more| !has_default(more, into.source)),
                default: right.map(|right| short(text(right, into.source))),
                ty: Some(ty).filter(|ty| !ty.is_empty()),
            });
        }
        let Some(scope) = self.surface.scopes.get_mut(into.scope) else {
            return;
        };
        if head.contains("TypedDict") {
            scope.required.extend(keys);
        }
        if is_tuple {
            scope.elements = Some(fields.iter().map(|field| field.name.clone()).collect());
        }
        scope.of_fields |= by_fields.is_some();
        if is_tuple || by_fields.is_some() {
            scope.constructor.get_or_insert_with(|| Signature {
                parameters: fields.clone(),
                ..Signature::default()
            });
        }
        scope.fields = fields;
    }

    /// What is derived from a data class is made of the fields of both.
    pub(super) fn inherit_fields(&mut self) {
        let own = |name: &str, id: ScopeId| self.surface.scope(id).is_some_and(|s| s.members.contains_key(name));
        let mut made = Vec::new();
        for (id, scope) in self.surface.scopes.iter().enumerate() {
            if !scope.of_fields || scope.bases.is_empty() || own("__init__", id) {
                continue;
            }
            let mut all = Signature::default();
            let line = self.surface.lineage(id).0.into_iter().rev();
            for base in line
                .filter_map(|id| self.surface.scope(id))
                .filter(|base| base.of_fields)
            {
                all.override_by(&base.fields);
            }
            made.push((id, all));
        }
        for (id, all) in made {
            if let Some(scope) = self.surface.scopes.get_mut(id) {
                scope.constructor = Some(all);
            }
        }
    }
}

/// Whether the value of a field is a call that says more of it.
fn says_more(right: Node<'_>, source: &str) -> bool {
    let by = field(right, "function", source).rsplit('.').next().unwrap_or_default();
    right.kind() == "call" && SAYING_MORE.contains(&by)
}

/// Whether what says more of a field gives a default.
fn has_default(call: Node<'_>, source: &str) -> bool {
    let given = call.child_by_field_name("arguments").map(children).unwrap_or_default();
    given.into_iter().any(|argument| match argument.kind() {
        "keyword_argument" => matches!(
            field(argument, "name", source),
            "default" | "default_factory" | "factory"
        ),
        "ellipsis" | "comment" => false,
        _ => true,
    })
}
