//! Parameters of a function, as its definition writes them.

use tree_sitter::Node;

use crate::upgrade::files::{children, field, short, text};
use crate::upgrade::signature::{Parameter, ParameterKind, Signature};

/// What a function asks for and gives; the receiver is left out.
pub(super) fn signature(node: Node<'_>, source: &str, has_receiver: bool) -> Signature {
    let mut made = Signature {
        returns: node
            .child_by_field_name("return_type")
            .map(|ty| short(text(ty, source))),
        is_async: node.child(0).is_some_and(|first| first.kind() == "async"),
        ..Signature::default()
    };
    let mut by_name_only = false;
    for parameter in node.child_by_field_name("parameters").map(children).unwrap_or_default() {
        let plain = |node: Node<'_>| text(node, source).trim_start_matches('*').to_owned();
        let (name, splat) = match parameter.kind() {
            "identifier" => (plain(parameter), ""),
            "default_parameter" | "typed_default_parameter" => (field(parameter, "name", source).to_owned(), ""),
            "typed_parameter" => match parameter.named_child(0) {
                Some(inner) => (plain(inner), inner.kind()),
                None => continue,
            },
            "list_splat_pattern" | "dictionary_splat_pattern" => (plain(parameter), parameter.kind()),
            "keyword_separator" => {
                by_name_only = true;
                continue;
            }
            "positional_separator" => {
                made.parameters
                    .iter_mut()
                    .for_each(|p| p.kind = ParameterKind::Positional);
                continue;
            }
            _ => continue,
        };
        let kind = match splat {
            "list_splat_pattern" => ParameterKind::Rest,
            "dictionary_splat_pattern" => ParameterKind::KeywordRest,
            _ if by_name_only => ParameterKind::Keyword,
            _ => ParameterKind::Either,
        };
        by_name_only |= kind == ParameterKind::Rest;
        let default = parameter
            .child_by_field_name("value")
            .map(|value| short(text(value, source)));
        made.parameters.push(Parameter {
            name,
            kind,
            required: default.is_none() && matches!(kind, ParameterKind::Either | ParameterKind::Keyword),
            default,
            ty: parameter.child_by_field_name("type").map(|ty| short(text(ty, source))),
        });
    }
    if has_receiver
        && !made.parameters.is_empty()
        && made.parameters.first().is_some_and(|p| p.kind != ParameterKind::Rest)
    {
        made.parameters.remove(0);
    }
    made
}
