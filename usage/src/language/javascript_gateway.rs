//! JavaScript: which uses of reflective gateways are understood, and which hide what runs.

use tree_sitter::Node;

use super::javascript::plain_string;
use crate::facts::{DynamicKind, FileFacts};
use crate::gateway::is_plain_command;
use crate::walk::{Trail, spot};

/// Calls of `child_process` and of what wraps it that start the program that is their first argument.
const STARTERS: &[&str] = &[
    "exec",
    "execSync",
    "execFile",
    "execFileSync",
    "spawn",
    "spawnSync",
    "execa",
    "execaSync",
    "sync",
];

fn called<'a>(trail: &Trail<'a, '_>, function: Node<'_>) -> &'a str {
    match function.kind() {
        "member_expression" => trail.child_text(function, "property"),
        _ => trail.text(function),
    }
}

fn arguments(node: Node<'_>) -> Vec<Node<'_>> {
    let Some(arguments) = node.child_by_field_name("arguments") else {
        return Vec::new();
    };
    let mut cursor = arguments.walk();
    arguments.named_children(&mut cursor).collect()
}

/// Notes a program that is written out, and runs code that is given as text.
pub(super) fn call(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let Some(function) = node.child_by_field_name("function") else {
        return;
    };
    let name = called(trail, function);
    let given = arguments(node);
    let first = given.first().copied();
    let text = first.and_then(|first| plain_string(trail, first));
    if STARTERS.contains(&name) && text.is_some_and(is_plain_command) {
        facts.understand(node.start_byte(), name);
    }
    let is_text = first.is_some_and(|first| matches!(first.kind(), "string" | "template_string" | "binary_expression"));
    if matches!(name, "setTimeout" | "setInterval" | "setImmediate") && is_text {
        facts.dynamic(DynamicKind::Load, name, spot(node));
    }
    if matches!(
        name,
        "runInThisContext" | "runInNewContext" | "runInContext" | "compileFunction"
    ) {
        facts.dynamic(DynamicKind::Load, name, spot(node));
    }
}

/// `new Worker(…)`, `new Function(…)`.
pub(super) fn made(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let name = node
        .child_by_field_name("constructor")
        .map_or("", |constructor| called(trail, constructor));
    match name {
        "Function" => facts.dynamic(DynamicKind::Load, "new Function", spot(node)),
        "Worker" | "SharedWorker" => {
            let given = arguments(node);
            // `new URL("./w.js", import.meta.url)` is how bundlers are told of one.
            let url = |first: &Node<'_>| {
                first.kind() == "new_expression"
                    && trail.child_text(*first, "constructor") == "URL"
                    && arguments(*first)
                        .first()
                        .is_some_and(|path| plain_string(trail, *path).is_some())
            };
            let plain = |first: &Node<'_>| url(first) || plain_string(trail, *first).is_some();
            if given.len() == 1 && given.first().is_some_and(plain) {
                let root = node.child_by_field_name("constructor").map_or(node, leftmost);
                facts.understand(root.start_byte(), name);
            } else {
                facts.dynamic(DynamicKind::Load, "new Worker", spot(node));
            }
        }
        _ => {}
    }
}

fn leftmost(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    while let Some(object) = node.child_by_field_name("object") {
        node = object;
    }
    node
}

/// `x.constructor` that is called, kept or looked into, and keys that are put together from pieces.
pub(super) fn member(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let index = node.child_by_field_name("index");
    let pieces = index.is_some_and(|index| {
        let mut cursor = index.walk();
        index.kind() == "binary_expression"
            && index
                .named_children(&mut cursor)
                .all(|part| matches!(part.kind(), "string" | "binary_expression"))
    });
    if pieces {
        facts.dynamic(DynamicKind::Load, "a key made from pieces", spot(node));
    }
    let name = match index {
        Some(index) => plain_string(trail, index).unwrap_or_default(),
        None => trail.child_text(node, "property"),
    };
    if name != "constructor" {
        return;
    }
    let own = node
        .child_by_field_name("object")
        .is_some_and(|object| object.kind() == "this");
    let Some(parent) = trail.up(1).map(|parent| parent.node) else {
        return;
    };
    let harmless = match parent.kind() {
        "member_expression" => matches!(
            trail.child_text(parent, "property"),
            "name" | "prototype" | "displayName" | "isBuffer" | "from" | "super_"
        ),
        "binary_expression" | "assignment_expression" => {
            trail.field() != Some("right") || parent.kind() == "binary_expression"
        }
        _ => own,
    };
    if !harmless {
        facts.dynamic(DynamicKind::Load, "constructor", spot(node));
    }
}

/// `typeof x` and `x === y` hand nothing on.
pub(super) fn looked_at(trail: &Trail<'_, '_>, node: Node<'_>, facts: &mut FileFacts) {
    let is_typeof = trail.kind_up(1) == "unary_expression";
    let compared = trail.up(1).is_some_and(|up| {
        up.node.kind() == "binary_expression"
            && matches!(
                trail.child_text(up.node, "operator"),
                "===" | "==" | "!==" | "!=" | "instanceof"
            )
    });
    if is_typeof || compared {
        facts.understand(node.start_byte(), trail.text(node));
    }
}
