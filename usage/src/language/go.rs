//! Go: imports by path, whose package may have another name.

use tree_sitter::Node;

use crate::facts::{Alias, Bound, Chain, DynamicKind, FileFacts, Import};
use crate::walk::{Frame, Grammar, Step, Trail, function, spot, string};

pub(super) struct Go;

impl Grammar for Go {
    fn language(&self) -> tree_sitter::Language {
        tree_sitter_go::LANGUAGE.into()
    }

    fn is_function(&self, kind: &str) -> bool {
        matches!(kind, "function_declaration" | "method_declaration" | "func_literal")
    }

    fn step(&self, trail: &Trail<'_, '_>, parent: Frame<'_>, child: Frame<'_>) -> Step {
        match (parent.node.kind(), child.field) {
            ("selector_expression", Some("operand")) => Step::Member(trail.child_text(parent.node, "field").to_owned()),
            ("qualified_type", Some("package")) => Step::Member(trail.child_text(parent.node, "name").to_owned()),
            ("call_expression", Some("function")) | ("composite_literal", Some("type")) => Step::Call,
            ("type_conversion_expression", Some("type"))
            | ("index_expression" | "slice_expression", Some("operand"))
            | ("generic_type" | "type_instantiation_expression", Some("type"))
            | ("parenthesized_expression" | "unary_expression" | "pointer_type" | "slice_type", _) => Step::Through,
            _ => Step::End,
        }
    }

    fn visit(&self, trail: &Trail<'_, '_>, facts: &mut FileFacts) {
        let Some(node) = trail.node() else { return };
        match node.kind() {
            "package_clause" => facts.package = node.named_child(0).map(|name| trail.text(name).to_owned()),
            "import_spec" => import(trail, node, facts),
            "function_declaration" | "method_declaration" => function(trail, trail.child_text(node, "name"), facts),
            "interpreted_string_literal_content" | "raw_string_literal_content" => {
                string(trail.text(node), spot(node), facts);
            }
            "comment" if trail.text(node).starts_with("//go:linkname") => {
                facts.dynamic(DynamicKind::Load, "go:linkname", spot(node));
            }
            "parameter_declaration" | "var_spec" => typed(trail, node, facts),
            "identifier" | "package_identifier" => name(trail, node, facts),
            "field_identifier" => {
                let text = trail.text(node);
                if matches!(text, "MethodByName" | "Method") && trail.kind_up(1) == "selector_expression" {
                    facts.dynamic(DynamicKind::Member, text, spot(node));
                }
            }
            kind if is_unnamed_object(trail, kind) => {
                let chain = Chain::root("?");
                trail.use_from(chain, false, facts);
            }
            _ => {}
        }
    }
}

fn is_unnamed_object(trail: &Trail<'_, '_>, kind: &str) -> bool {
    trail.kind_up(1) == "selector_expression"
        && trail.field() == Some("operand")
        && !matches!(
            kind,
            "identifier"
                | "selector_expression"
                | "call_expression"
                | "composite_literal"
                | "index_expression"
                | "slice_expression"
                | "type_conversion_expression"
                | "type_instantiation_expression"
                | "parenthesized_expression"
                | "unary_expression"
        )
}

fn name(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let text = trail.text(node);
    match (trail.kind_up(1), trail.field()) {
        ("import_spec" | "package_clause" | "label_name", _) => {}
        ("function_declaration", Some("name")) => {}
        ("parameter_declaration" | "variadic_parameter_declaration" | "var_spec" | "const_spec", Some("name")) => {
            facts.shadow(text, trail.scope());
        }
        ("expression_list", _) if binds_left(trail) => facts.shadow(text, trail.scope()),
        _ => {
            let chain = Chain::root(text);
            trail.use_from(chain, false, facts);
        }
    }
}

fn binds_left(trail: &Trail<'_, '_>) -> bool {
    trail.up(1).is_some_and(|up| up.field == Some("left"))
        && matches!(
            trail.kind_up(2),
            "short_var_declaration" | "range_clause" | "receive_statement"
        )
}

/// `x *p.T`: what `x` can do is what `p.T` can.
fn typed(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let text = trail.child_text(node, "type").trim_start_matches(['*', '[', ']']);
    let path = text.split('[').next().unwrap_or_default();
    let names: Vec<String> = path.split('.').map(str::to_owned).collect();
    if names
        .iter()
        .any(|name| name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_'))
    {
        return;
    }
    let mut cursor = node.walk();
    for local in node.children_by_field_name("name", &mut cursor) {
        let alias = Alias {
            gave: false,
            local: trail.text(local).to_owned(),
            chain: Chain {
                names: names.clone(),
                ..Chain::default()
            },
            scope: trail.scope().unwrap_or(0..usize::MAX),
        };
        FileFacts::push(&mut facts.aliases, alias, &mut facts.incomplete);
    }
}

/// Names that the package at a path may have: by custom the last part, without a version, `go-` or `.go`.
fn likely_names(path: &str) -> Vec<String> {
    let is_version = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()))
    };
    let last = path.rsplit('/').find(|part| !is_version(part)).unwrap_or(path);
    let last = match last.rsplit_once(".v") {
        Some((name, version)) if version.chars().all(|c| c.is_ascii_digit()) => name,
        _ => last,
    };
    let mut names = vec![last.to_owned()];
    for shorter in [
        last.strip_prefix("go-"),
        last.strip_prefix("go."),
        last.strip_suffix("-go"),
        last.strip_suffix(".go"),
        last.rsplit(['-', '.']).next(),
    ] {
        names.extend(shorter.map(str::to_owned));
    }
    names.push(last.replace(['-', '.'], ""));
    names.push(last.replace(['-', '.'], "_"));
    names.sort();
    names.dedup();
    names
}

fn import(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let path = trail.child_text(node, "path").trim_matches(['"', '`']).to_owned();
    let mut import = Import {
        module: path.clone(),
        spot: spot(node),
        ..Import::default()
    };
    let bound = |local: &str| Bound {
        local: local.to_owned(),
        module: path.clone(),
        members: Vec::new(),
    };
    match trail.child_text(node, "name") {
        "." => import.star = true,
        "_" => import.side_effect = true,
        "" => {
            import.guessed = true;
            import.bound = likely_names(&path).iter().map(|name| bound(name)).collect();
        }
        name => import.bound = vec![bound(name)],
    }
    match path.as_str() {
        // An escape in a path stands for another character.
        _ if path.contains('\\') => facts.dynamic(DynamicKind::Load, &path, spot(node)),
        "plugin" => facts.dynamic(DynamicKind::Load, "plugin", spot(node)),
        "text/template" | "html/template" => facts.dynamic(DynamicKind::Member, &path, spot(node)),
        _ => {}
    }
    facts.import(import);
}
