//! Python: what its imports, names and dynamic parts say.

use tree_sitter::Node;

use crate::facts::{Bound, Chain, DynamicKind, FileFacts, Import};
use crate::walk::{Frame, Grammar, Step, Trail, function, spot, string};

pub(super) struct Python;

/// Calls that can load or run anything, by the last names of their chain.
const LOADERS: &[&str] = &[
    "eval",
    "exec",
    "compile",
    "execfile",
    "globals",
    "locals",
    "run_path",
    "run_module",
    "walk_packages",
    "iter_modules",
    "entry_points",
    "iter_entry_points",
    "load_entry_point",
    "spec_from_file_location",
    "find_spec",
    "load_module",
    "exec_module",
    "import_string",
    "autodiscover_modules",
];
/// Calls that read a member by a computed name.
const MEMBER_READERS: &[&str] = &["getattr", "attrgetter", "methodcaller", "__getattribute__", "vars"];

impl Grammar for Python {
    fn language(&self) -> tree_sitter::Language {
        tree_sitter_python::LANGUAGE.into()
    }

    fn is_function(&self, kind: &str) -> bool {
        matches!(
            kind,
            "function_definition" | "lambda" | "list_comprehension" | "generator_expression"
        )
    }

    fn step(&self, trail: &Trail<'_, '_>, parent: Frame<'_>, child: Frame<'_>) -> Step {
        match (parent.node.kind(), child.field) {
            ("attribute", Some("object")) => Step::Member(trail.child_text(parent.node, "attribute").to_owned()),
            ("call", Some("function")) => Step::Call,
            ("subscript", Some("value")) => Step::AnyMember,
            ("parenthesized_expression" | "await" | "decorator" | "type", _) => Step::Through,
            _ => Step::End,
        }
    }

    fn visit(&self, trail: &Trail<'_, '_>, facts: &mut FileFacts) {
        let Some(node) = trail.node() else { return };
        match node.kind() {
            "import_statement" => import(trail, node, facts),
            "import_from_statement" => import_from(trail, node, facts),
            "function_definition" => function(trail, trail.child_text(node, "name"), facts),
            "call" => call(trail, node, facts),
            "string_content" => string(trail.text(node), spot(node), facts),
            "identifier" => identifier(trail, node, facts),
            kind if is_unnamed_object(trail, kind) => {
                let chain = Chain::root("?");
                trail.use_from(chain, false, facts);
            }
            _ => {}
        }
    }
}

fn is_unnamed_object(trail: &Trail<'_, '_>, kind: &str) -> bool {
    trail.kind_up(1) == "attribute"
        && trail.field() == Some("object")
        && !matches!(
            kind,
            "identifier" | "attribute" | "call" | "subscript" | "parenthesized_expression" | "await"
        )
}

/// The only argument, or the first, when it is a plain string.
fn first_string<'a>(trail: &Trail<'a, '_>, call: Node<'_>) -> Option<&'a str> {
    let first = call.child_by_field_name("arguments")?.named_child(0)?;
    if first.kind() != "string" || first.named_child_count() != 3 {
        return None;
    }
    let content = first.named_child(1)?;
    (content.kind() == "string_content")
        .then(|| trail.text(content))
        .filter(|text| !text.is_empty())
}

fn call(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let Some(called) = node.child_by_field_name("function") else {
        return;
    };
    let name = match called.kind() {
        "attribute" => trail.child_text(called, "attribute"),
        _ => trail.text(called),
    };
    if name == "__import__" || name == "import_module" || name == "importorskip" || name == "lazy_import" {
        match first_string(trail, node) {
            Some(module) if !module.starts_with('.') => {
                facts.import(Import {
                    module: module.to_owned(),
                    spot: spot(node),
                    ..Import::default()
                });
                // `__import__("a.b")` gives `a`; `import_module("a.b")` gives `a.b`.
                let module = if name == "__import__" {
                    module.split('.').next().unwrap_or(module)
                } else {
                    module
                };
                let chain = Chain::loaded(module);
                trail.use_from(chain, false, facts);
            }
            _ => facts.dynamic(DynamicKind::Load, name, spot(node)),
        }
    } else if LOADERS.contains(&name) && !(name == "compile" && called.kind() == "attribute") {
        facts.dynamic(DynamicKind::Load, name, spot(node));
    } else if MEMBER_READERS.contains(&name) {
        let second = node
            .child_by_field_name("arguments")
            .and_then(|arguments| arguments.named_child(1));
        let literal = second.is_some_and(|second| second.kind() == "string" && second.named_child_count() == 3);
        if !(name == "getattr" && literal) {
            facts.dynamic(DynamicKind::Member, name, spot(node));
        }
    }
}

fn identifier(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let name = trail.text(node);
    match (trail.kind_up(1), trail.field()) {
        ("attribute", Some("attribute")) => {
            if name == "modules" && trail.up(1).is_some_and(|up| trail.text(up.node) == "sys.modules") {
                facts.dynamic(DynamicKind::Load, "sys.modules", spot(node));
            }
        }
        ("keyword_argument", Some("name")) | ("function_definition" | "class_definition", Some("name")) => {
            if name == "__getattr__" && trail.kind_up(1) == "function_definition" {
                facts.dynamic(DynamicKind::Member, name, spot(node));
            }
            facts.shadow(name, trail.scope_of_parent());
        }
        ("dotted_name" | "aliased_import" | "global_statement" | "nonlocal_statement", _) => {}
        ("parameters" | "lambda_parameters" | "list_splat_pattern" | "dictionary_splat_pattern", _)
        | ("default_parameter" | "typed_default_parameter", Some("name"))
        | ("typed_parameter", None)
        | ("assignment" | "for_statement" | "for_in_clause" | "augmented_assignment", Some("left"))
        | ("named_expression", Some("name"))
        | ("pattern_list" | "tuple_pattern" | "list_pattern" | "as_pattern_target", _) => {
            facts.shadow(name, trail.scope());
        }
        _ => {
            let chain = Chain::root(name);
            trail.use_from(chain, false, facts);
        }
    }
}

/// Whether an import is in the part of an `if TYPE_CHECKING:` that only type checkers read.
fn only_for_types(trail: &Trail<'_, '_>) -> bool {
    let mut inner: Option<Frame<'_>> = None;
    for frame in trail.above() {
        if frame.node.kind() == "if_statement" && inner.and_then(|inner| inner.field) == Some("consequence") {
            let condition = trail.child_text(frame.node, "condition");
            if condition == "TYPE_CHECKING" || condition == "typing.TYPE_CHECKING" {
                return true;
            }
        }
        inner = Some(frame);
    }
    false
}

/// A name and what it is called here.
fn name_and_alias<'a>(trail: &Trail<'a, '_>, node: Node<'_>) -> (&'a str, Option<&'a str>) {
    match node.kind() {
        "aliased_import" => (trail.child_text(node, "name"), Some(trail.child_text(node, "alias"))),
        _ => (trail.text(node), None),
    }
}

fn import(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let type_only = only_for_types(trail);
    let mut cursor = node.walk();
    for name in node.children_by_field_name("name", &mut cursor) {
        let (module, alias) = name_and_alias(trail, name);
        // `import a.b` binds `a`; `import a.b as c` binds `c` to `a.b`.
        let (local, bound) = match alias {
            Some(alias) => (alias, module),
            None => {
                let first = module.split('.').next().unwrap_or(module);
                (first, first)
            }
        };
        let bound = Bound {
            local: local.to_owned(),
            module: bound.to_owned(),
            members: Vec::new(),
        };
        facts.import(Import {
            module: module.to_owned(),
            bound: vec![bound],
            type_only,
            spot: spot(node),
            ..Import::default()
        });
    }
}

fn import_from(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let module: String = trail.child_text(node, "module_name").split_whitespace().collect();
    let mut import = Import {
        module: module.clone(),
        type_only: only_for_types(trail),
        spot: spot(node),
        ..Import::default()
    };
    let mut cursor = node.walk();
    for name in node.children_by_field_name("name", &mut cursor) {
        let (member, alias) = name_and_alias(trail, name);
        let local = alias.unwrap_or(member).to_owned();
        import.bound.push(Bound {
            local,
            module: module.clone(),
            members: vec![member.to_owned()],
        });
    }
    let mut cursor = node.walk();
    import.star = node
        .named_children(&mut cursor)
        .any(|child| child.kind() == "wildcard_import");
    facts.import(import);
}
