//! What the form of a value says: literals, and what kind of thing a function gives.

use tree_sitter::Node;

use crate::upgrade::files::{children, field, short, text};
use crate::upgrade::signature::AN_ERROR;
use crate::upgrade::surface::Made;

/// Most nodes of one function in which its results are looked for.
const MAX_NODES: usize = 50_000;

/// What the text of a value says of how it comes about.
pub(super) fn made(value: Node<'_>, source: &str) -> Made {
    match value.kind() {
        "string" | "number" | "true" | "false" | "null" | "unary_expression" | "regex" => {
            Made::Literal(short(text(value, source)))
        }
        "template_string" if value.named_child_count() <= 1 => Made::Literal(short(text(value, source))),
        _ => Made::Unsaid,
    }
}

/// What kind of thing a function gives, where all of its `return`s say the same by their form.
pub(super) fn gives(function: Node<'_>, source: &str) -> Option<String> {
    let star = (0..function.child_count() as u32)
        .filter_map(|index| function.child(index))
        .any(|child| child.kind() == "*");
    if star || function.kind().starts_with("generator_function") {
        return Some("a generator".to_owned());
    }
    let body = function.child_by_field_name("body")?;
    if body.kind() != "statement_block" {
        return form(body, source);
    }
    let mut found: Option<String> = None;
    let mut open = vec![body];
    let mut steps = 0;
    while let Some(node) = open.pop() {
        steps += 1;
        if steps > MAX_NODES {
            return None;
        }
        match node.kind() {
            "arrow_function"
            | "function_expression"
            | "function_declaration"
            | "method_definition"
            | "class"
            | "class_declaration"
            | "generator_function"
            | "generator_function_declaration" => continue,
            "return_statement" => {
                let given = match children(node).first() {
                    Some(value) => form(*value, source)?,
                    None => NOTHING.to_owned(),
                };
                if found.as_ref().is_some_and(|known| *known != given) {
                    return None;
                }
                found = Some(given);
            }
            _ => {}
        }
        open.extend(children(node));
    }
    let parts = children(body);
    let is_empty = parts.iter().all(|part| part.kind() == "throw_statement");
    if is_empty && !parts.is_empty() {
        return Some(AN_ERROR.to_owned());
    }
    found.or_else(|| (!is_empty).then(|| NOTHING.to_owned()))
}

/// What a function without `return` gives.
const NOTHING: &str = "nothing";

fn form(value: Node<'_>, source: &str) -> Option<String> {
    let said = match value.kind() {
        "array" => "an array",
        "object" => "an object",
        "string" | "template_string" => "a string",
        "number" => "a number",
        "true" | "false" => "a truth value",
        "null" | "undefined" => NOTHING,
        "this" => "itself",
        "arrow_function" | "function_expression" => "a function",
        "call_expression" if field(value, "function", source).starts_with("Promise.") => "a promise",
        "new_expression" if field(value, "constructor", source) == "Promise" => "a promise",
        "new_expression" => return Some(format!("a `{}`", field(value, "constructor", source))),
        "parenthesized_expression" => return form(value.named_child(0)?, source),
        _ => return None,
    };
    Some(said.to_owned())
}
