//! Python: what its imports, names and dynamic parts say.

use tree_sitter::Node;

use super::python_implied;
use crate::facts::{Bound, Chain, DynamicKind, FileFacts, Import};
use crate::gateway::is_plain_command;
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
    "resolve_name",
    "find_loader",
    "get_loader",
    "load_source",
    "load_dynamic",
    "run_script",
    "loadTestsFromName",
    "loadTestsFromNames",
];
/// Calls of `subprocess`, `os` and `asyncio` that start the program that is their first argument.
const STARTERS: &[&str] = &[
    "run",
    "Popen",
    "call",
    "check_call",
    "check_output",
    "getoutput",
    "getstatusoutput",
    "system",
    "popen",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "execl",
    "execle",
    "execlp",
    "execlpe",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "posix_spawn",
    "posix_spawnp",
];
/// Calls that only look at what they are given.
const LOOKERS: &[&str] = &["isinstance", "issubclass", "hasattr", "getattr"];
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

    fn implied(&self, trail: &Trail<'_, '_>, level: usize) -> &'static [&'static str] {
        python_implied::implied(trail, level)
    }

    fn visit(&self, trail: &Trail<'_, '_>, facts: &mut FileFacts) {
        let Some(node) = trail.node() else { return };
        match node.kind() {
            "import_statement" => import(trail, node, facts),
            "import_from_statement" => import_from(trail, node, facts),
            "function_definition" => function(trail, trail.child_text(node, "name"), facts),
            "call" => call(trail, node, facts),
            "string_content" => string(trail.text(node), spot(node), facts),
            "identifier" => {
                if may_be_ascii(trail.text(node)) {
                    facts.dynamic(DynamicKind::Load, trail.text(node), spot(node));
                }
                identifier(trail, node, facts);
            }
            "type" => {
                if let Some(root) = leftmost(node) {
                    facts.understand(root.start_byte(), trail.text(root));
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
    (content.kind() == "string_content" && content.named_child_count() == 0)
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
    understand(trail, node, name, facts);
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
                facts.understand(node.start_byte(), name);
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

/// Whether Python may read an identifier as another, of ASCII letters: names are compared by their NFKC form. One
/// letter of an ordinary script, which has no such form, rules it out.
fn may_be_ascii(name: &str) -> bool {
    let ordinary = |c: char| {
        matches!(c, '\u{c0}'..='\u{131}' | '\u{180}'..='\u{1c3}' | '\u{370}'..='\u{3cf}' | '\u{400}'..='\u{1cff}'
            | '\u{3040}'..='\u{318e}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
    };
    !name.is_ascii() && !name.chars().any(ordinary)
}

/// The name at which a chain of members starts.
fn leftmost(node: Node<'_>) -> Option<Node<'_>> {
    let mut node = node;
    while matches!(node.kind(), "attribute" | "type") {
        node = node.named_child(0)?;
    }
    (node.kind() == "identifier").then_some(node)
}

/// Notes calls of gateways that are understood: programs that are written out, and mere questions.
fn understand(trail: &Trail<'_, '_>, call: Node<'_>, name: &str, facts: &mut FileFacts) {
    let Some(arguments) = call.child_by_field_name("arguments") else {
        return;
    };
    let mut cursor = arguments.walk();
    let given: Vec<Node<'_>> = arguments.named_children(&mut cursor).collect();
    if STARTERS.contains(&name) && starts_a_plain_program(trail, &given) {
        facts.understand(call.start_byte(), name);
    }
    if !LOOKERS.contains(&name) {
        return;
    }
    let readers = ["eval", "exec", "modules", "meta_path", "path_hooks", "system", "popen"];
    let harmless = given
        .get(1)
        .and_then(|second| plain_text(trail, *second))
        .is_some_and(|member| {
            !member.starts_with("__") && !member.contains("import") && !readers.contains(&member) && member.len() > 2
        });
    let looked_at = match name {
        "getattr"
            if !(harmless
                && given
                    .first()
                    .is_some_and(|first| matches!(trail.text(*first), "sys" | "os"))) =>
        {
            return;
        }
        "getattr"
            if given
                .get(1)
                .and_then(|second| plain_text(trail, *second))
                .is_some_and(|member| {
                    STARTERS.contains(&member)
                        || member.starts_with("exec")
                        || member.starts_with("spawn")
                        || member.starts_with('_')
                        || matches!(member, "path_importer_cache" | "startfile")
                }) =>
        {
            return;
        }
        "getattr" | "hasattr" => given.get(..1),
        _ => given.get(1..2),
    };
    for node in looked_at.into_iter().flatten() {
        let mut cursor = node.walk();
        let parts: Vec<Node<'_>> = if node.kind() == "tuple" {
            node.named_children(&mut cursor).collect()
        } else {
            vec![*node]
        };
        for root in parts.into_iter().filter_map(leftmost) {
            facts.understand(root.start_byte(), trail.text(root));
        }
    }
}

/// The content of a plain string.
fn plain_text<'a>(trail: &Trail<'a, '_>, node: Node<'_>) -> Option<&'a str> {
    let content = node
        .named_child(1)
        .filter(|_| node.kind() == "string" && node.named_child_count() == 3)?;
    (content.kind() == "string_content" && content.named_child_count() == 0).then(|| trail.text(content))
}

/// Whether the program that a call starts is written out, and runs no Python. `executable=` would replace it.
fn starts_a_plain_program(trail: &Trail<'_, '_>, given: &[Node<'_>]) -> bool {
    let replaced = given.iter().any(|argument| match argument.kind() {
        "keyword_argument" => matches!(
            trail.child_text(*argument, "name"),
            "executable" | "preexec_fn" | "args"
        ),
        kind => matches!(kind, "dictionary_splat" | "list_splat"),
    });
    let program = given.first().and_then(|first| match first.kind() {
        "list" | "tuple" => first.named_child(0),
        _ => Some(*first),
    });
    !replaced
        && program
            .and_then(|program| plain_text(trail, program))
            .is_some_and(is_plain_command)
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
        // `case acme.Point(x=1)`
        ("dotted_name", _) if matches!(trail.kind_up(2), "class_pattern" | "case_pattern") => {
            let path = trail.up(1).map_or("", |up| trail.text(up.node));
            let starts = trail.up(1).is_some_and(|up| up.node.start_byte() == node.start_byte());
            // A bare name in a pattern is bound by it.
            if starts && (trail.kind_up(2) == "class_pattern" || path.contains('.')) {
                let chain = Chain {
                    names: path.split('.').map(|part| part.trim().to_owned()).collect(),
                    ..Chain::default()
                };
                trail.use_from(chain, false, facts);
            }
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
