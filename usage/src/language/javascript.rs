//! JavaScript and TypeScript: ES modules, CommonJS, dynamic imports and JSX.

use tree_sitter::Node;

use super::javascript_gateway;
use crate::facts::{Bound, Chain, DynamicKind, FileFacts, Import};
use crate::walk::{Frame, Grammar, Step, Trail, function, spot, string};

pub(super) enum Dialect {
    JavaScript,
    TypeScript,
    Tsx,
}

pub(super) const JAVASCRIPT: Dialect = Dialect::JavaScript;
pub(super) const TYPESCRIPT: Dialect = Dialect::TypeScript;
pub(super) const TSX: Dialect = Dialect::Tsx;

/// What JSX is compiled to, unless settings name another.
const JSX_RUNTIME: &str = "react/jsx-runtime";

impl Grammar for Dialect {
    fn language(&self) -> tree_sitter::Language {
        match self {
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
        }
    }

    fn is_function(&self, kind: &str) -> bool {
        matches!(
            kind,
            "function_declaration"
                | "function_expression"
                | "generator_function_declaration"
                | "generator_function"
                | "arrow_function"
                | "method_definition"
        )
    }

    fn step(&self, trail: &Trail<'_, '_>, parent: Frame<'_>, child: Frame<'_>) -> Step {
        match (parent.node.kind(), child.field) {
            ("member_expression", Some("object")) => Step::Member(trail.child_text(parent.node, "property").to_owned()),
            ("subscript_expression", Some("object")) => {
                match parent
                    .node
                    .child_by_field_name("index")
                    .and_then(|index| plain_string(trail, index))
                {
                    Some(name) => Step::Member(name.to_owned()),
                    None => Step::AnyMember,
                }
            }
            ("call_expression", Some("function")) | ("new_expression", Some("constructor")) => Step::Call,
            (
                "parenthesized_expression"
                | "await_expression"
                | "non_null_expression"
                | "as_expression"
                | "satisfies_expression"
                | "jsx_opening_element"
                | "jsx_self_closing_element"
                | "decorator",
                _,
            ) if child.field != Some("attribute") => Step::Through,
            _ => Step::End,
        }
    }

    fn implied(&self, trail: &Trail<'_, '_>, level: usize) -> &'static [&'static str] {
        let (Some(value), Some(parent)) = (trail.up(level), trail.up(level + 1)) else {
            return &[];
        };
        let words = |name: &str| {
            let mut cursor = parent.node.walk();
            parent.node.children(&mut cursor).any(|child| child.kind() == name)
        };
        match (parent.node.kind(), value.field) {
            ("for_in_statement", Some("right")) if words("await") => &["[Symbol.asyncIterator]"],
            ("for_in_statement", Some("right")) if words("of") => &["[Symbol.iterator]"],
            ("spread_element", _) if trail.kind_up(level + 2) != "object" => &["[Symbol.iterator]"],
            ("variable_declarator", Some("value")) | ("assignment_expression", Some("right")) => {
                let left = parent
                    .node
                    .child_by_field_name("name")
                    .or_else(|| parent.node.child_by_field_name("left"));
                match left.map(|left| left.kind()) {
                    Some("array_pattern") => &["[Symbol.iterator]"],
                    _ => &[],
                }
            }
            ("assignment_expression" | "augmented_assignment_expression", Some("left"))
            | ("update_expression", Some("argument"))
                if value.node.kind() == "member_expression" =>
            {
                &[crate::facts::SET]
            }
            ("yield_expression", _) if words("*") => &["[Symbol.iterator]"],
            _ => &[],
        }
    }

    fn visit(&self, trail: &Trail<'_, '_>, facts: &mut FileFacts) {
        let Some(node) = trail.node() else { return };
        match node.kind() {
            "import_statement" => import(trail, node, facts),
            "export_statement" => export(trail, node, facts),
            "function_declaration" | "generator_function_declaration" | "method_definition" => {
                function(trail, trail.child_text(node, "name"), facts);
            }
            "arrow_function" | "function_expression" => {
                let named = trail.up(1).filter(|up| up.node.kind() == "variable_declarator");
                if let Some(declarator) = named {
                    function(trail, trail.child_text(declarator.node, "name"), facts);
                }
            }
            "call_expression" => {
                call(trail, node, facts);
                javascript_gateway::call(trail, node, facts);
            }
            "new_expression" => javascript_gateway::made(trail, node, facts),
            "member_expression" | "subscript_expression" => javascript_gateway::member(trail, node, facts),
            // What is imported is known already.
            "string_fragment" if matches!(trail.kind_up(2), "import_statement" | "export_statement") => {}
            "string_fragment" => string(trail.text(node), spot(node), facts),
            // Compilers import React's runtime for it.
            "jsx_opening_element" | "jsx_self_closing_element" => {
                let known = facts.imports.iter().any(|import| import.module == JSX_RUNTIME);
                if !known {
                    let module = JSX_RUNTIME.to_owned();
                    facts.import(Import {
                        module,
                        side_effect: true,
                        spot: spot(node),
                        ..Import::default()
                    });
                }
            }
            "with_statement" => facts.dynamic(DynamicKind::Load, "with", spot(node)),
            // `\u0065val` is `eval`.
            "identifier" | "property_identifier" if trail.text(node).contains('\\') => {
                facts.dynamic(DynamicKind::Load, trail.text(node), spot(node));
            }
            "identifier" => {
                javascript_gateway::looked_at(trail, node, facts);
                identifier(trail, node, facts);
            }
            "shorthand_property_identifier" => {
                let chain = Chain::root(trail.text(node));
                trail.use_from(chain, false, facts);
            }
            "shorthand_property_identifier_pattern" => {
                facts.shadow(trail.text(node), trail.scope());
                destructured(trail, trail.text(node), facts, node);
            }
            "property_identifier" if trail.kind_up(1) == "pair_pattern" => {
                destructured(trail, trail.text(node), facts, node);
            }
            kind if is_unnamed_object(trail, kind) => {
                let chain = Chain::root("?");
                trail.use_from(chain, false, facts);
            }
            _ => {}
        }
    }
}

/// `({f}) => …` takes `f` out of something that isn't known here.
fn destructured(trail: &Trail<'_, '_>, name: &str, facts: &mut FileFacts, node: Node<'_>) {
    let chain = Chain {
        names: vec!["?".to_owned(), name.to_owned()],
        ..Chain::default()
    };
    let known = trail
        .above()
        .find(|frame| {
            !matches!(
                frame.node.kind(),
                "object_pattern" | "pair_pattern" | "object_assignment_pattern"
            )
        })
        .is_some_and(|frame| frame.node.kind() == "variable_declarator");
    if !known {
        let used = crate::facts::Use {
            chain,
            called: false,
            aliased: false,
            expands: false,
            calls: Vec::new(),
            role: crate::facts::Role::Value,
            implied: &[],
            spot: spot(node),
        };
        FileFacts::push(&mut facts.uses, used, &mut facts.incomplete);
    }
}

fn is_unnamed_object(trail: &Trail<'_, '_>, kind: &str) -> bool {
    matches!(trail.kind_up(1), "member_expression" | "subscript_expression")
        && trail.field() == Some("object")
        && !matches!(
            kind,
            "identifier"
                | "member_expression"
                | "subscript_expression"
                | "call_expression"
                | "new_expression"
                | "parenthesized_expression"
                | "await_expression"
                | "non_null_expression"
                | "as_expression"
                | "satisfies_expression"
        )
}

/// The content of a string, or of a template without substitutions.
pub(super) fn plain_string<'a>(trail: &Trail<'a, '_>, node: Node<'_>) -> Option<&'a str> {
    if !matches!(node.kind(), "string" | "template_string") || node.named_child_count() != 1 {
        return None;
    }
    let fragment = node.named_child(0)?;
    (fragment.kind() == "string_fragment")
        .then(|| trail.text(fragment))
        .filter(|text| !text.is_empty())
}

/// Calls that load a module, and calls that can run anything.
fn call(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let Some(called) = node.child_by_field_name("function") else {
        return;
    };
    let name = trail.text(called);
    let first = node
        .child_by_field_name("arguments")
        .and_then(|arguments| arguments.named_child(0));
    match name {
        "require" | "import" | "require.resolve" | "module.require" | "jest.requireActual" | "vi.importActual"
        | "jest.requireMock" | "proxyquire" | "rewire" => match first.and_then(|first| plain_string(trail, first)) {
            Some(module) => {
                facts.import(Import {
                    module: module.to_owned(),
                    required: name != "import",
                    spot: spot(node),
                    ..Import::default()
                });
                let chain = Chain::loaded(module);
                trail.use_from(chain, false, facts);
                facts.understand(node.start_byte(), name.rsplit('.').next().unwrap_or(name));
            }
            None => facts.dynamic(DynamicKind::Load, name, spot(node)),
        },
        "eval"
        | "Function"
        | "createRequire"
        | "module.createRequire"
        | "require.context"
        | "importScripts"
        | "import.meta.glob"
        | "import.meta.globEager"
        | "System.import"
        | "vm.runInNewContext"
        | "vm.runInThisContext"
        | "vm.runInContext" => facts.dynamic(DynamicKind::Load, name, spot(node)),
        "Reflect.get" | "Reflect.apply" => facts.dynamic(DynamicKind::Member, name, spot(node)),
        _ => {}
    }
}

fn identifier(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let name = trail.text(node);
    match (trail.kind_up(1), trail.field()) {
        ("member_expression", Some("property")) | ("meta_property" | "labeled_statement", _) => {}
        (
            "import_clause"
            | "namespace_import"
            | "import_specifier"
            | "export_specifier"
            | "namespace_export"
            | "import_require_clause",
            _,
        ) => {}
        ("function_declaration" | "class_declaration" | "generator_function_declaration", Some("name")) => {
            facts.shadow(name, trail.scope_of_parent());
        }
        ("function_expression" | "class", Some("name")) => {}
        ("formal_parameters" | "array_pattern" | "rest_pattern" | "catch_clause", _)
        | ("variable_declarator", Some("name"))
        | ("assignment_expression" | "for_in_statement" | "assignment_pattern", Some("left"))
        | ("required_parameter" | "optional_parameter", Some("pattern"))
        | ("arrow_function", Some("parameter"))
        | ("pair_pattern", Some("value")) => facts.shadow(name, trail.scope()),
        _ => {
            // `require` that is handed on can load anything.
            if name == "require" && !matches!(trail.kind_up(1), "call_expression" | "member_expression") {
                facts.dynamic(DynamicKind::Load, name, spot(node));
            }
            let chain = Chain::root(name);
            trail.use_from(chain, false, facts);
        }
    }
}

fn has_type_word(trail: &Trail<'_, '_>, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .take(3)
        .any(|child| !child.is_named() && matches!(trail.text(child), "type" | "typeof"))
}

fn import(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let mut import = Import {
        spot: spot(node),
        type_only: has_type_word(trail, node),
        ..Import::default()
    };
    let mut cursor = node.walk();
    let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
    // TypeScript: `import x = require("m")`.
    if let Some(clause) = children.iter().find(|child| child.kind() == "import_require_clause") {
        let module = clause
            .child_by_field_name("source")
            .and_then(|source| plain_string(trail, source));
        let module = module.unwrap_or_default().to_owned();
        let local = clause.named_child(0).map_or("", |name| trail.text(name)).to_owned();
        import.bound.push(Bound {
            local,
            module: module.clone(),
            members: Vec::new(),
        });
        import.module = module;
        import.required = true;
        return facts.import(import);
    }
    let Some(module) = node
        .child_by_field_name("source")
        .and_then(|source| plain_string(trail, source))
    else {
        return facts.dynamic(DynamicKind::Load, "import", spot(node));
    };
    import.module = module.to_owned();
    import.side_effect = true;
    let mut bind = |local: &str, members: &[&str]| {
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        import.bound.push(Bound {
            local: local.to_owned(),
            module: module.to_owned(),
            members,
        });
    };
    let Some(clause) = children.iter().find(|child| child.kind() == "import_clause") else {
        return facts.import(import);
    };
    let (mut names, mut types, mut default) = (0usize, 0usize, false);
    let mut cursor = clause.walk();
    for part in clause.named_children(&mut cursor) {
        match part.kind() {
            // What a default import is depends on the bundler: the module itself, or its `default`.
            "identifier" => {
                names += 1;
                default = true;
                bind(trail.text(part), &[]);
            }
            "namespace_import" => {
                names += 1;
                bind(part.named_child(0).map_or("", |name| trail.text(name)), &[]);
            }
            "named_imports" => {
                let mut cursor = part.walk();
                for specifier in part
                    .named_children(&mut cursor)
                    .filter(|s| s.kind() == "import_specifier")
                {
                    names += 1;
                    if has_type_word(trail, specifier) {
                        types += 1;
                        continue;
                    }
                    let name = trail.child_text(specifier, "name").trim_matches(['"', '\'']);
                    let alias = trail.child_text(specifier, "alias");
                    let members: &[&str] = if name == "default" { &[] } else { &[name] };
                    default |= name == "default";
                    bind(if alias.is_empty() { name } else { alias }, members);
                }
            }
            _ => {}
        }
    }
    // `import {} from "m"` is there for its effects; `import {type T} from "m"` is erased by most compilers.
    import.side_effect = names == 0;
    import.default = default;
    import.type_only |= names > 0 && names == types;
    facts.import(import);
}

fn export(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let source = node
        .child_by_field_name("source")
        .and_then(|source| plain_string(trail, source));
    if source.is_none() && node.child_by_field_name("source").is_some() {
        facts.dynamic(DynamicKind::Load, "export", spot(node));
    }
    let mut import = Import {
        module: source.unwrap_or_default().to_owned(),
        type_only: has_type_word(trail, node),
        reexport: true,
        spot: spot(node),
        ..Import::default()
    };
    let mut cursor = node.walk();
    let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
    for child in &children {
        match child.kind() {
            "*" => import.star = true,
            "namespace_export" => {
                import.star = false;
                let local = child.named_child(0).map_or("", |name| trail.text(name)).to_owned();
                import.bound.push(Bound {
                    local,
                    module: import.module.clone(),
                    members: Vec::new(),
                });
            }
            "export_clause" => {
                let mut cursor = child.walk();
                for specifier in child
                    .named_children(&mut cursor)
                    .filter(|s| s.kind() == "export_specifier")
                {
                    let name = trail.child_text(specifier, "name");
                    let alias = trail.child_text(specifier, "alias");
                    let local = if alias.is_empty() { name } else { alias };
                    if source.is_some() {
                        let members = if name == "default" {
                            Vec::new()
                        } else {
                            vec![name.to_owned()]
                        };
                        let (local, module) = (local.to_owned(), import.module.clone());
                        import.bound.push(Bound { local, module, members });
                    } else {
                        let chain = Chain::root(name);
                        let (local, scope) = (local.to_owned(), 0..usize::MAX);
                        let spot = spot(specifier);
                        let alias = crate::facts::Alias {
                            local,
                            chain: chain.clone(),
                            gave: false,
                            scope,
                        };
                        FileFacts::push(&mut facts.aliases, alias, &mut facts.incomplete);
                        // What leaves the file escapes.
                        let used = crate::facts::Use {
                            chain,
                            called: false,
                            aliased: false,
                            expands: false,
                            calls: Vec::new(),
                            role: crate::facts::Role::Value,
                            implied: &[],
                            spot,
                        };
                        FileFacts::push(&mut facts.uses, used, &mut facts.incomplete);
                    }
                }
            }
            _ => {}
        }
    }
    if source.is_some() {
        facts.import(import);
    }
}
