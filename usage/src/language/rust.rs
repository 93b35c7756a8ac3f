//! Rust: `use`, paths, modules, and the tokens of macros.

use tree_sitter::Node;

use crate::bounds::MAX_CHAIN;
use crate::facts::{Alias, Bound, Chain, DynamicKind, FileFacts, Import, Use};
use crate::walk::{Frame, Grammar, Step, Trail, function, spot, string};

pub(super) struct Rust;

/// Macros that make names out of pieces, so that their tokens don't say what is called.
const NAME_MAKERS: &[&str] = &[
    "paste",
    "paste_item",
    "concat_idents",
    "item_name",
    "seq",
    "format_ident",
];

impl Grammar for Rust {
    fn language(&self) -> tree_sitter::Language {
        tree_sitter_rust::LANGUAGE.into()
    }

    fn is_function(&self, kind: &str) -> bool {
        matches!(kind, "function_item" | "closure_expression")
    }

    fn step(&self, trail: &Trail<'_, '_>, parent: Frame<'_>, child: Frame<'_>) -> Step {
        match (parent.node.kind(), child.field) {
            ("scoped_identifier" | "scoped_type_identifier", Some("path")) => {
                Step::Member(trail.child_text(parent.node, "name").to_owned())
            }
            // `::a` has a name only.
            ("scoped_identifier" | "scoped_type_identifier", Some("name"))
                if parent.node.child_by_field_name("path").is_none() =>
            {
                Step::Through
            }
            ("field_expression", Some("value")) => Step::Member(trail.child_text(parent.node, "field").to_owned()),
            ("call_expression", Some("function"))
            | ("macro_invocation", Some("macro"))
            | ("struct_expression", Some("name")) => Step::Call,
            ("generic_function", Some("function"))
            | ("generic_type" | "generic_type_with_turbofish", Some("type"))
            | (
                "await_expression"
                | "try_expression"
                | "reference_expression"
                | "parenthesized_expression"
                | "reference_type"
                | "unary_expression",
                _,
            ) => Step::Through,
            _ => Step::End,
        }
    }

    fn visit(&self, trail: &Trail<'_, '_>, facts: &mut FileFacts) {
        let Some(node) = trail.node() else { return };
        match node.kind() {
            "use_declaration" => import(trail, node, facts),
            "extern_crate_declaration" => extern_crate(trail, node, facts),
            "mod_item" if node.child_by_field_name("body").is_none() => module(trail, node, facts),
            "function_item" => {
                function(trail, trail.child_text(node, "name"), facts);
            }
            "call_expression" => made_of_text(trail, node, facts),
            "macro_invocation" => macro_call(trail, node, facts),
            "token_tree" => tokens(trail, node, facts),
            "parameter" | "let_declaration" => typed(trail, node, facts),
            "string_content" => string(trail.text(node), spot(node), facts),
            "identifier" | "type_identifier" | "crate" | "self" | "super" => name(trail, node, facts),
            kind if is_unnamed_object(trail, kind) => {
                let chain = Chain::root("?");
                trail.use_from(chain, false, facts);
            }
            _ => {}
        }
    }
}

fn is_unnamed_object(trail: &Trail<'_, '_>, kind: &str) -> bool {
    let held = matches!(
        (trail.kind_up(1), trail.field()),
        ("field_expression", Some("value")) | ("scoped_identifier" | "scoped_type_identifier", Some("path"))
    );
    held && !matches!(
        kind,
        "identifier"
            | "type_identifier"
            | "crate"
            | "self"
            | "super"
            | "scoped_identifier"
            | "scoped_type_identifier"
            | "field_expression"
            | "call_expression"
            | "macro_invocation"
            | "struct_expression"
            | "generic_function"
            | "generic_type"
            | "generic_type_with_turbofish"
            | "await_expression"
            | "try_expression"
            | "reference_expression"
            | "parenthesized_expression"
            | "unary_expression"
    )
}

fn name(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let text = trail.text(node);
    let expands = trail
        .above()
        .find(|frame| frame.node.kind() != "scoped_identifier")
        .is_some_and(|frame| matches!(frame.node.kind(), "macro_invocation" | "attribute"));
    match (trail.kind_up(1), trail.field()) {
        ("scoped_identifier" | "scoped_type_identifier", Some("name")) if has_path(trail) => {}
        ("token_tree", _) => {}
        ("use_declaration" | "use_list" | "use_as_clause" | "scoped_use_list" | "use_wildcard", _)
        | ("extern_crate_declaration" | "mod_item" | "visibility_modifier", _) => {}
        ("function_item", Some("name")) => facts.shadow(text, trail.scope_of_parent()),
        ("struct_item" | "enum_item" | "trait_item" | "type_item" | "const_item" | "static_item", Some("name"))
        | ("macro_definition" | "enum_variant", Some("name"))
        | ("field_initializer", Some("field"))
        | ("label" | "lifetime" | "self_parameter", _) => {}
        ("let_declaration" | "parameter", Some("pattern"))
        | ("closure_parameters" | "tuple_pattern" | "mut_pattern" | "ref_pattern" | "slice_pattern", _) => {
            facts.shadow(text, trail.scope());
        }
        _ if in_use(trail) => {}
        _ => {
            let chain = Chain::root(text);
            trail.use_from(chain, expands, facts);
        }
    }
}

fn has_path(trail: &Trail<'_, '_>) -> bool {
    trail
        .up(1)
        .is_some_and(|up| up.node.child_by_field_name("path").is_some())
}

/// Whether the node is part of the path of a `use`, which [`import`] reads as a whole.
fn in_use(trail: &Trail<'_, '_>) -> bool {
    trail
        .above()
        .find(|frame| frame.node.kind() != "scoped_identifier")
        .is_some_and(|frame| {
            matches!(
                frame.node.kind(),
                "use_declaration" | "use_list" | "use_as_clause" | "scoped_use_list" | "use_wildcard"
            )
        })
}

/// `x: &mut a::B<C>`: what `x` can do is what `a::B` can.
fn typed(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let Some(pattern) = node
        .child_by_field_name("pattern")
        .filter(|pattern| pattern.kind() == "identifier")
    else {
        return;
    };
    let text = trail.child_text(node, "type");
    let text = text.trim_start_matches(['&', ' ']);
    let text = text.strip_prefix("mut ").unwrap_or(text);
    let path = text.split('<').next().unwrap_or_default();
    let names: Vec<String> = path.split("::").map(|name| name.trim().to_owned()).collect();
    let plain = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if names.iter().all(plain) {
        let alias = Alias {
            gave: false,
            local: trail.text(pattern).to_owned(),
            chain: Chain {
                names,
                ..Chain::default()
            },
            scope: trail.scope().unwrap_or(0..usize::MAX),
        };
        FileFacts::push(&mut facts.aliases, alias, &mut facts.incomplete);
    }
}

/// Chains among the tokens of a macro call: it may do anything with them, so each is taken as code.
fn tokens(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let mut cursor = node.walk();
    let (mut names, mut start): (Vec<String>, Option<Node<'_>>) = (Vec::new(), None);
    let (mut joined, mut expands, mut dotted) = (false, false, false);
    let mut flush = |names: &mut Vec<String>, start: Option<Node<'_>>, called: bool, expands: bool, dotted: bool| {
        if let (false, Some(start)) = (names.is_empty(), start) {
            let chain = Chain {
                names: std::mem::take(names),
                dotted,
                module: None,
            };
            let used = Use {
                chain,
                called,
                aliased: false,
                expands,
                calls: Vec::new(),
                role: crate::facts::Role::Value,
                implied: &[],
                spot: spot(start),
            };
            FileFacts::push(&mut facts.uses, used, &mut facts.incomplete);
        }
    };
    let mut before = "";
    for child in node.children(&mut cursor) {
        let before = std::mem::replace(&mut before, child.kind());
        match child.kind() {
            "identifier" | "self" | "super" | "crate" | "metavariable" | "primitive_type" => {
                if !joined || names.is_empty() {
                    flush(&mut names, start, false, expands, dotted);
                    start = Some(child);
                    (expands, dotted) = (false, false);
                }
                if names.len() < MAX_CHAIN {
                    names.push(trail.text(child).trim_start_matches('$').to_owned());
                }
                joined = false;
            }
            "::" | "." => {
                joined = true;
                dotted |= names.len() == 1 && child.kind() == ".";
                // `::time::at` starts at a crate; what comes before anything else has no name.
                if names.is_empty() && (child.kind() == "." || before == ">") {
                    names.push("?".to_owned());
                    start = Some(child);
                }
            }
            "!" => expands = true,
            "token_tree" => {
                // `f(…).g`: what follows belongs to the result of `f`.
                let called = trail.text(child).starts_with('(') || child.byte_range().len() > 200;
                if !called {
                    flush(&mut names, start, false, expands, dotted);
                    start = None;
                } else if child.next_sibling().is_none_or(|next| next.kind() != ".") {
                    flush(&mut names, start, true, expands, dotted);
                    start = None;
                }
                joined = false;
            }
            _ => {
                flush(&mut names, start, false, expands, dotted);
                (start, joined, expands, dotted) = (None, false, false, false);
            }
        }
    }
    // A derive or another attribute gives its names to a macro.
    let in_attribute = trail.above().any(|frame| frame.node.kind() == "attribute");
    flush(&mut names, start, false, expands || in_attribute, dotted);
}

/// Names and code that are made of text (procedural macros), and libraries that are opened by their path.
fn made_of_text(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let Some(function) = node.child_by_field_name("function") else {
        return;
    };
    let called: String = trail.whole(function).split_whitespace().collect();
    let last = called.rsplit("::").next().unwrap_or_default();
    let ends_in = |name: &&str| called == **name || called.ends_with(&format!("::{name}"));
    let makes = [
        "Ident::new",
        "Ident::new_raw",
        "TokenStream::from_str",
        "Library::new",
        "Library::open",
    ];
    // `text.parse::<TokenStream>()`, and `text.parse()` where the type is known from elsewhere.
    let has_tokens = || facts.imports.iter().any(|import| import.module.contains("proc_macro"));
    let parses = called.contains(".parse::<") && called.contains("TokenStream")
        || called.ends_with(".parse") && has_tokens()
        || matches!(last, "parse_str" | "dlopen" | "dlsym");
    if makes.iter().any(ends_in) || parses {
        facts.dynamic(DynamicKind::Load, last, spot(node));
    }
}

fn macro_call(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let name = trail.child_text(node, "macro").rsplit("::").next().unwrap_or_default();
    if NAME_MAKERS.contains(&name) {
        facts.dynamic(DynamicKind::Load, name, spot(node));
    } else if name == "include" {
        let arguments = node.named_child(1).map_or("", |arguments| trail.text(arguments));
        let file = arguments.trim_matches(['(', ')', '[', ']', '{', '}', ' ']);
        match file.strip_prefix('"').and_then(|file| file.strip_suffix('"')) {
            Some(file) if !file.contains(['"', '\\']) => {
                let module = format!("path:{file}");
                facts.import(Import {
                    module,
                    star: true,
                    spot: spot(node),
                    ..Import::default()
                });
            }
            _ => facts.dynamic(DynamicKind::Load, "include!", spot(node)),
        }
    }
}

fn split(path: &str) -> Vec<String> {
    path.split("::")
        .map(|name| name.trim().trim_start_matches("r#").to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn import(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let mut cursor = node.walk();
    let reexport = node
        .named_children(&mut cursor)
        .any(|child| child.kind() == "visibility_modifier");
    let Some(argument) = node.child_by_field_name("argument") else {
        return;
    };
    let mut open: Vec<(Node<'_>, Vec<String>)> = vec![(argument, Vec::new())];
    while let Some((part, mut prefix)) = open.pop() {
        let mut add = |path: Vec<String>, local: Option<&str>, star: bool| {
            let mut names = path.iter().cloned();
            let Some(module) = names.next() else { return };
            let members: Vec<String> = names.collect();
            let local = local
                .map(str::to_owned)
                .or_else(|| path.last().cloned())
                .unwrap_or_default();
            let bound = if star {
                Vec::new()
            } else {
                vec![Bound { local, module, members }]
            };
            facts.import(Import {
                module: path.join("::"),
                bound,
                star,
                reexport,
                spot: spot(part),
                ..Import::default()
            });
        };
        match part.kind() {
            "scoped_use_list" => {
                prefix.extend(split(trail.child_text(part, "path")));
                if let Some(list) = part.child_by_field_name("list") {
                    open.push((list, prefix));
                }
            }
            "use_list" => {
                let mut cursor = part.walk();
                open.extend(part.named_children(&mut cursor).map(|child| (child, prefix.clone())));
            }
            "use_as_clause" => {
                prefix.extend(split(trail.child_text(part, "path")));
                if prefix.last().is_some_and(|last| last == "self") && prefix.len() > 1 {
                    prefix.pop();
                }
                add(prefix, Some(trail.child_text(part, "alias")), false);
            }
            "use_wildcard" => {
                prefix.extend(split(part.named_child(0).map_or("", |path| trail.text(path))));
                add(prefix, None, true);
            }
            "self" if !prefix.is_empty() => add(prefix, None, false),
            _ => {
                prefix.extend(split(trail.text(part)));
                add(prefix, None, false);
            }
        }
    }
}

fn previous_attribute<'a>(trail: &Trail<'a, '_>, node: Node<'_>) -> &'a str {
    node.prev_named_sibling()
        .filter(|before| before.kind() == "attribute_item")
        .map_or("", |before| trail.text(before))
}

fn extern_crate(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let module = trail.child_text(node, "name").to_owned();
    let alias = trail.child_text(node, "alias");
    let local = if alias.is_empty() {
        module.clone()
    } else {
        alias.to_owned()
    };
    facts.import(Import {
        module: module.clone(),
        bound: vec![Bound {
            local,
            module,
            members: Vec::new(),
        }],
        star: previous_attribute(trail, node).contains("macro_use"),
        spot: spot(node),
        ..Import::default()
    });
}

/// `mod x;`, and `#[path = "y.rs"] mod x;`.
fn module(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let attribute = previous_attribute(trail, node);
    let path = attribute
        .split_once("path")
        .and_then(|(_, rest)| rest.split('"').nth(1));
    let module = match path {
        Some(path) => format!("path:{path}"),
        None => format!("self::{}", trail.child_text(node, "name")),
    };
    facts.import(Import {
        module,
        spot: spot(node),
        ..Import::default()
    });
}
