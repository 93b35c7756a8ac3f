//! Only the layout of a file changes: the tokens of its program stay as they are.

use holdpoint_schemas::fix::FixKind;

use super::node::Node;
use super::tokens::{self, Comments};
use super::{FileView, Part, hcl};

fn is_terraform(view: &FileView<'_>) -> bool {
    view.path().ends_with(".tf")
}

fn is_yaml(view: &FileView<'_>) -> bool {
    view.path().ends_with(".yaml") || view.path().ends_with(".yml")
}

/// Whether the language's layout rules are known. Makefiles, whose white space is their structure,
/// aren't among them.
pub(super) fn applies(view: &FileView<'_>) -> bool {
    tokens::knows(view.path()) || is_terraform(view) || is_yaml(view)
}

pub(super) fn read(view: &FileView<'_>) -> Result<Part, String> {
    let (before, after) = view.both()?;
    if is_terraform(view) {
        same_terraform(before, after)?;
    } else if is_yaml(view) {
        same_yaml(before, after)?;
    } else {
        tokens::same(view.path(), before, after, Comments::All)?;
    }
    Ok(Part {
        kind: FixKind::Formatting,
        because: "only the layout changes, every token stays".to_owned(),
        upgrades: Vec::new(),
    })
}

/// Whether only white space differs, and every comment stays on a line with the same text: it may
/// speak to a scanner.
fn same_but_for_space(before: &str, after: &str) -> bool {
    let bare = |text: &str| -> String { text.split_whitespace().collect() };
    let comments = |text: &str| -> Vec<String> {
        let lines = text.lines().map(bare);
        lines
            .filter(|line| line.contains('#') || line.contains("//") || line.contains("/*"))
            .collect()
    };
    bare(before) == bare(after) && comments(before) == comments(after)
}

/// YAML in which only white space differs, and that is the same tree all the same. Block texts,
/// tags, anchors and several documents aren't read.
fn same_yaml(before: &str, after: &str) -> Result<(), String> {
    let plain = |text: &str| !text.contains(['|', '>', '&', '*', '!', '%', '\t']) && !text.contains("---");
    let (old, new) = (Node::yaml(before), Node::yaml(after));
    match plain(before) && plain(after) && old.is_some() && old == new && same_but_for_space(before, after) {
        true => Ok(()),
        false => Err("changes more than layout".to_owned()),
    }
}

/// Terraform as `terraform fmt` writes it: the same tree, and but for white space the same text.
fn same_terraform(before: &str, after: &str) -> Result<(), String> {
    let (old, new) = (hcl::parse(before), hcl::parse(after));
    match old.is_some() && old == new && same_but_for_space(before, after) {
        true => Ok(()),
        false => Err("changes more than layout".to_owned()),
    }
}
