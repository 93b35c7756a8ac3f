//! Only the layout of a file changes: the tokens of its program stay as they are.

use holdpoint_schemas::fix::FixKind;

use super::tokens::{self, Comments};
use super::{FileView, Part, hcl};

fn is_terraform(view: &FileView<'_>) -> bool {
    view.path().ends_with(".tf")
}

/// Whether the language's layout rules are known. YAML and Makefiles, whose white space is their
/// structure, aren't among them.
pub(super) fn applies(view: &FileView<'_>) -> bool {
    tokens::knows(view.path()) || is_terraform(view)
}

pub(super) fn read(view: &FileView<'_>) -> Result<Part, String> {
    let (before, after) = view.both()?;
    if is_terraform(view) {
        same_terraform(before, after)?;
    } else {
        tokens::same(view.path(), before, after, Comments::All)?;
    }
    Ok(Part {
        kind: FixKind::Formatting,
        because: "only the layout changes, every token stays".to_owned(),
        upgrades: Vec::new(),
    })
}

/// Terraform as `terraform fmt` writes it: the same tree, and but for white space the same text.
fn same_terraform(before: &str, after: &str) -> Result<(), String> {
    let bare = |text: &str| -> String { text.split_whitespace().collect() };
    let (old, new) = (hcl::parse(before), hcl::parse(after));
    match old.is_some() && old == new && bare(before) == bare(after) {
        true => Ok(()),
        false => Err("changes more than layout".to_owned()),
    }
}
