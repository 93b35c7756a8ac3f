//! The Cedar schema, generated from the table of facts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Action, FactRow, FactTable};

enum Node<'a> {
    Leaf(&'a FactRow),
    Group(BTreeMap<&'a str, Node<'a>>),
}

/// The Cedar schema in Cedar's own syntax. Entities have no parents and no attributes: with
/// unknown parents a `forbid … resource in …` would silently not apply. Everything is a fact in
/// `context`, each optional, nested by the dots of its id.
pub(super) fn schema(table: &FactTable) -> String {
    let mut out = String::from(
        "// Generated from the table of facts. Do not edit: run `./ci/generate`.\n\nentity Remediator;\nentity Service;\n",
    );
    for action in Action::ALL {
        let mut root: BTreeMap<&str, Node<'_>> = BTreeMap::new();
        for row in table.rows().filter(|row| row.actions.contains(&action)) {
            insert(&mut root, row.id, row);
        }
        let _ = write!(
            out,
            "\naction \"{}\" appliesTo {{\n  principal: Remediator,\n  resource: Service,\n  context: ",
            action.as_str()
        );
        render(&mut out, &root, 1);
        out.push_str(",\n};\n");
    }
    out
}

fn insert<'a>(group: &mut BTreeMap<&'a str, Node<'a>>, path: &'a str, row: &'a FactRow) {
    match path.split_once('.') {
        None => {
            group.insert(path, Node::Leaf(row));
        }
        Some((head, rest)) => {
            if let Node::Group(inner) = group.entry(head).or_insert_with(|| Node::Group(BTreeMap::new())) {
                insert(inner, rest, row);
            }
        }
    }
}

fn render(out: &mut String, group: &BTreeMap<&str, Node<'_>>, depth: usize) {
    let indent = "  ".repeat(depth);
    out.push_str("{\n");
    for (name, node) in group {
        match node {
            Node::Leaf(row) => {
                let _ = writeln!(
                    out,
                    "{indent}  // {}\n{indent}  \"{name}\"?: {},",
                    row.doc,
                    row.fact_type.cedar()
                );
            }
            Node::Group(inner) => {
                let _ = write!(out, "{indent}  \"{name}\"?: ");
                render(out, inner, depth + 1);
                out.push_str(",\n");
            }
        }
    }
    let _ = write!(out, "{indent}}}");
}

#[cfg(test)]
mod tests {
    use crate::fact::FactTable;
    use crate::fact::generated::assert_committed;

    #[test]
    fn the_committed_schema_is_the_generated_one() {
        assert_committed("holdpoint.cedarschema", &FactTable::shipped().cedar_schema());
    }
}
