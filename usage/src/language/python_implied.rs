//! Python's special methods, by where a value stands (Python language reference, 3.3).

use crate::facts::SET;
use crate::walk::Trail;

/// Operators of two values, with the method of the left one.
const OPERATORS: &[(&str, &[&str])] = &[
    ("+", &["__add__"]),
    ("-", &["__sub__"]),
    ("*", &["__mul__"]),
    ("/", &["__truediv__"]),
    ("//", &["__floordiv__"]),
    ("%", &["__mod__"]),
    ("**", &["__pow__"]),
    ("@", &["__matmul__"]),
    ("&", &["__and__"]),
    ("|", &["__or__"]),
    ("^", &["__xor__"]),
    ("<<", &["__lshift__"]),
    (">>", &["__rshift__"]),
];
/// The same, of the right one.
const REFLECTED: &[(&str, &[&str])] = &[
    ("+", &["__radd__"]),
    ("-", &["__rsub__"]),
    ("*", &["__rmul__"]),
    ("/", &["__rtruediv__"]),
    ("//", &["__rfloordiv__"]),
    ("%", &["__rmod__"]),
    ("**", &["__rpow__"]),
    ("@", &["__rmatmul__"]),
    ("&", &["__rand__"]),
    ("|", &["__ror__"]),
    ("^", &["__rxor__"]),
];
/// Operators before a value.
const UNARY: &[(&str, &[&str])] = &[("-", &["__neg__"]), ("+", &["__pos__"]), ("~", &["__invert__"])];
/// Functions of the language, with what they ask of their first argument.
const FUNCTIONS: &[(&str, &[&str])] = &[
    ("len", &["__len__"]),
    ("iter", &["__iter__"]),
    ("next", &["__next__"]),
    ("aiter", &["__aiter__"]),
    ("anext", &["__anext__"]),
    ("reversed", &["__reversed__"]),
    ("int", &["__int__"]),
    ("float", &["__float__"]),
    ("complex", &["__complex__"]),
    ("bytes", &["__bytes__"]),
    ("hash", &["__hash__"]),
    ("abs", &["__abs__"]),
    ("round", &["__round__"]),
    ("divmod", &["__divmod__"]),
    ("format", &["__format__"]),
    ("list", &["__iter__"]),
    ("tuple", &["__iter__"]),
    ("set", &["__iter__"]),
    ("frozenset", &["__iter__"]),
    ("dict", &["__iter__"]),
    ("sorted", &["__iter__"]),
    ("sum", &["__iter__"]),
    ("any", &["__iter__"]),
    ("all", &["__iter__"]),
    ("min", &["__iter__"]),
    ("max", &["__iter__"]),
    ("enumerate", &["__iter__"]),
    ("zip", &["__iter__"]),
];

fn of(table: &[(&str, &'static [&'static str])], name: &str) -> &'static [&'static str] {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(&[], |(_, asked)| *asked)
}

/// What Python asks of the value `level` above the last node of the trail.
pub(super) fn implied(trail: &Trail<'_, '_>, level: usize) -> &'static [&'static str] {
    let (Some(value), Some(parent)) = (trail.up(level), trail.up(level + 1)) else {
        return &[];
    };
    if value.node.kind() == "await" {
        return &["__await__"];
    }
    let operator = trail.child_text(parent.node, "operator");
    let is_async = |levels: usize| {
        let statement = trail.up(levels).and_then(|up| up.node.child(0));
        statement.is_some_and(|first| first.kind() == "async")
    };
    let entered = |levels| match is_async(levels) {
        true => &["__aenter__", "__aexit__"][..],
        false => &["__enter__", "__exit__"][..],
    };
    match (parent.node.kind(), value.field) {
        // with_item, with_clause, with_statement
        ("with_item", _) => entered(level + 3),
        ("as_pattern", _) if trail.kind_up(level + 2) == "with_item" => entered(level + 4),
        ("for_statement" | "for_in_clause", Some("right")) => match is_async(level + 1) {
            true => &["__aiter__"],
            false => &["__iter__"],
        },
        ("assignment" | "augmented_assignment", Some("left")) if value.node.kind() == "attribute" => &[SET],
        ("delete_statement", _) if value.node.kind() == "attribute" => &[SET],
        ("binary_operator", Some("left")) => of(OPERATORS, operator),
        ("binary_operator", Some("right")) => of(REFLECTED, operator),
        ("unary_operator", _) => of(UNARY, operator),
        ("comparison_operator", _) => compared(trail, level),
        ("list_splat" | "list_splat_pattern", _) => &["__iter__"],
        ("dictionary_splat", _) => &["keys"],
        ("yield", _) if trail.whole(parent.node).starts_with("yield from") => &["__iter__"],
        ("assignment", Some("right")) => match parent.node.child_by_field_name("left").map(|left| left.kind()) {
            Some("pattern_list" | "tuple_pattern" | "list_pattern") => &["__iter__"],
            _ => &[],
        },
        ("argument_list", _) => {
            let is_first = parent
                .node
                .named_child(0)
                .is_some_and(|first| first.id() == value.node.id());
            let function = trail
                .up(level + 2)
                .map_or("", |call| trail.child_text(call.node, "function"));
            if is_first { of(FUNCTIONS, function) } else { &[] }
        }
        _ => &[],
    }
}

/// What a comparison asks of one of its sides.
fn compared(trail: &Trail<'_, '_>, level: usize) -> &'static [&'static str] {
    let (Some(value), Some(parent)) = (trail.up(level), trail.up(level + 1)) else {
        return &[];
    };
    let mut cursor = parent.node.walk();
    let parts: Vec<_> = parent.node.children(&mut cursor).collect();
    let Some(at) = parts.iter().position(|part| part.id() == value.node.id()) else {
        return &[];
    };
    let operator = |at: Option<usize>| at.and_then(|at| parts.get(at)).map_or("", |part| trail.text(*part));
    match (operator(at.checked_sub(1)), operator(Some(at + 1))) {
        ("in" | "not in", _) => &["__contains__"],
        (_, "<") => &["__lt__"],
        (_, ">") => &["__gt__"],
        (_, "<=") => &["__le__"],
        (_, ">=") => &["__ge__"],
        _ => &[],
    }
}
