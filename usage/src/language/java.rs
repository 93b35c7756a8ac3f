//! Java: imports of classes and their members, and the declared types of variables.

use tree_sitter::Node;

use crate::facts::{Alias, Bound, Chain, DynamicKind, FileFacts, Import};
use crate::walk::{Frame, Grammar, Step, Trail, function, spot, string};

pub(super) struct Java;

/// Methods that load a class by its name, or find one that some package registers.
const LOADERS: &[&str] = &[
    "forName",
    "loadClass",
    "defineClass",
    "findClass",
    "getConnection",
    "newInstance",
    "newFactory",
    "newFileSystem",
    "getEngineByName",
    "lookup",
    "readObject",
    "eval",
];
/// Classes by which others are found or loaded.
const GATEWAYS: &[&str] = &[
    "ServiceLoader",
    "ImageIO",
    "ScriptEngineManager",
    "URLClassLoader",
    "ObjectInputStream",
    "XMLDecoder",
    "ModuleLayer",
    "JavaCompiler",
];
/// Methods that find a method by its name.
const MEMBER_READERS: &[&str] = &[
    "getMethod",
    "getDeclaredMethod",
    "getMethods",
    "getDeclaredMethods",
    "findVirtual",
    "findStatic",
    "invoke",
];

impl Grammar for Java {
    fn language(&self) -> tree_sitter::Language {
        tree_sitter_java::LANGUAGE.into()
    }

    fn is_function(&self, kind: &str) -> bool {
        matches!(
            kind,
            "method_declaration" | "constructor_declaration" | "lambda_expression"
        )
    }

    fn step(&self, trail: &Trail<'_, '_>, parent: Frame<'_>, child: Frame<'_>) -> Step {
        let first = child.node.start_byte() == parent.node.start_byte();
        let last_name = || {
            let count = u32::try_from(parent.node.named_child_count()).unwrap_or(u32::MAX);
            let last = count.checked_sub(1).and_then(|last| parent.node.named_child(last));
            last.map_or("", |last| trail.text(last)).to_owned()
        };
        match (parent.node.kind(), child.field) {
            ("field_access", Some("object")) => Step::Member(trail.child_text(parent.node, "field").to_owned()),
            ("scoped_identifier", Some("scope")) => Step::Member(trail.child_text(parent.node, "name").to_owned()),
            ("method_invocation", Some("object")) => Step::MethodCall(trail.child_text(parent.node, "name").to_owned()),
            ("method_invocation", Some("name")) | ("object_creation_expression", Some("type")) => Step::Call,
            ("scoped_type_identifier" | "method_reference", _) if first => Step::Member(last_name()),
            ("generic_type", _) if first => Step::Through,
            ("cast_expression", Some("value")) | ("array_access", Some("array")) => Step::Through,
            ("parenthesized_expression" | "annotation" | "marker_annotation", _) => Step::Through,
            _ => Step::End,
        }
    }

    fn visit(&self, trail: &Trail<'_, '_>, facts: &mut FileFacts) {
        let Some(node) = trail.node() else { return };
        match node.kind() {
            "package_declaration" => {
                let text = trail
                    .text(node)
                    .trim_start_matches("package")
                    .trim_end_matches(';')
                    .trim();
                facts.package = Some(text.to_owned());
            }
            "import_declaration" => import(trail, node, facts),
            "method_declaration" | "constructor_declaration" => function(trail, trail.child_text(node, "name"), facts),
            // An escape for an ASCII character is replaced before anything else is read (JLS 3.3): it can end a
            // comment or a string.
            "line_comment" | "block_comment" | "string_literal" | "character_literal" if hides_ascii(node, trail) => {
                facts.dynamic(DynamicKind::Load, "a unicode escape", spot(node));
            }
            "string_fragment" => string(trail.text(node), spot(node), facts),
            "local_variable_declaration"
            | "field_declaration"
            | "formal_parameter"
            | "resource"
            | "enhanced_for_statement" => typed(trail, node, facts),
            "method_invocation" => {
                let name = trail.child_text(node, "name");
                if LOADERS.contains(&name) {
                    facts.dynamic(DynamicKind::Load, name, spot(node));
                } else if MEMBER_READERS.contains(&name) {
                    facts.dynamic(DynamicKind::Member, name, spot(node));
                }
            }
            "identifier" | "type_identifier" | "this" | "super" => identifier(trail, node, facts),
            kind if is_unnamed_object(trail, kind) => {
                let chain = Chain::root("?");
                trail.use_from(chain, false, facts);
            }
            _ => {}
        }
    }
}

fn hides_ascii(node: Node<'_>, trail: &Trail<'_, '_>) -> bool {
    trail.whole(node).split("\\u").skip(1).any(|after| {
        let digits: String = after.trim_start_matches('u').chars().take(4).collect();
        u32::from_str_radix(&digits, 16).is_ok_and(|code| code < 0x80)
    })
}

fn is_unnamed_object(trail: &Trail<'_, '_>, kind: &str) -> bool {
    matches!(trail.kind_up(1), "field_access" | "method_invocation")
        && trail.field() == Some("object")
        && !matches!(
            kind,
            "identifier"
                | "this"
                | "super"
                | "field_access"
                | "method_invocation"
                | "object_creation_expression"
                | "parenthesized_expression"
                | "array_access"
                | "cast_expression"
        )
}

fn identifier(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let name = trail.text(node);
    if GATEWAYS.contains(&name) {
        facts.dynamic(DynamicKind::Load, name, spot(node));
    }
    let first = trail.up(1).is_some_and(|up| up.node.start_byte() == node.start_byte());
    match (trail.kind_up(1), trail.field()) {
        ("field_access", Some("field")) | ("scoped_identifier", Some("name")) => {}
        ("method_invocation", Some("name")) if !first => {}
        ("scoped_type_identifier" | "method_reference", _) if !first => {}
        ("import_declaration" | "package_declaration", _) => {}
        (
            "method_declaration" | "constructor_declaration" | "class_declaration" | "interface_declaration",
            Some("name"),
        )
        | ("enum_declaration" | "record_declaration" | "annotation_type_declaration", Some("name"))
        | ("enum_constant" | "element_value_pair", _) => {}
        ("variable_declarator" | "formal_parameter" | "resource" | "enhanced_for_statement", Some("name"))
        | ("catch_formal_parameter" | "inferred_parameters", _)
        | ("lambda_expression", Some("parameters")) => facts.shadow(name, trail.scope()),
        _ if in_import(trail) => {}
        _ => {
            let chain = Chain::root(name);
            trail.use_from(chain, false, facts);
        }
    }
}

fn in_import(trail: &Trail<'_, '_>) -> bool {
    trail
        .above()
        .find(|frame| frame.node.kind() != "scoped_identifier")
        .is_some_and(|frame| matches!(frame.node.kind(), "import_declaration" | "package_declaration"))
}

/// `a.b.T<U> x`: what `x` can do is what `a.b.T` can.
fn typed(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let text = trail.child_text(node, "type");
    let path = text.split(['<', '[']).next().unwrap_or_default();
    if path == "var" || path.is_empty() || path.contains([' ', '@']) {
        return;
    }
    let chain = Chain {
        names: path.split('.').map(str::to_owned).collect(),
        ..Chain::default()
    };
    let scope = match node.kind() {
        "field_declaration" => 0..usize::MAX,
        _ => trail.scope().unwrap_or(0..usize::MAX),
    };
    let mut add = |local: &str| {
        if local.is_empty() {
            return;
        }
        let alias = Alias {
            gave: false,
            local: local.to_owned(),
            chain: chain.clone(),
            scope: scope.clone(),
        };
        FileFacts::push(&mut facts.aliases, alias, &mut facts.incomplete);
    };
    add(trail.child_text(node, "name"));
    let mut cursor = node.walk();
    for declarator in node.children_by_field_name("declarator", &mut cursor) {
        add(trail.child_text(declarator, "name"));
    }
}

/// `import a.b.C`, `import a.b.*`, `import static a.b.C.m`, `import static a.b.C.*`.
fn import(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let mut cursor = node.walk();
    let star = node.named_children(&mut cursor).any(|child| child.kind() == "asterisk");
    let Some(path) = node.named_child(0).map(|path| trail.text(path)) else {
        return;
    };
    let local = path.rsplit('.').next().unwrap_or(path).to_owned();
    let bound = if star {
        Vec::new()
    } else {
        vec![Bound {
            local,
            module: path.to_owned(),
            members: Vec::new(),
        }]
    };
    facts.import(Import {
        module: path.to_owned(),
        bound,
        star,
        spot: spot(node),
        ..Import::default()
    });
}
