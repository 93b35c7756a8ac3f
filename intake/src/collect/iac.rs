//! The Terraform resource that a line belongs to.

use holdpoint_schemas::finding::Location;

use crate::report::SourceLines;

/// Longest block that is looked through for its header, in lines.
const MAX_BLOCK: u32 = 2_000;

/// Address of the resource block that holds the line, as Terraform writes it. `terraform fmt`
/// puts top-level headers and closing braces in the first column, and only those there.
pub fn address_at(source: &dyn SourceLines, location: &Location) -> Option<String> {
    let path = &location.path;
    let line = location.line?;
    if !path.ends_with(".tf") {
        return None;
    }
    for number in (line.saturating_sub(MAX_BLOCK).max(1)..=line).rev() {
        let text = source.line(path, number)?;
        if let Some(address) = header(&text) {
            return Some(address);
        }
        if number < line && text.starts_with('}') {
            return None;
        }
    }
    None
}

fn header(line: &str) -> Option<String> {
    let mut words = line.split('"');
    let keyword = words.next()?;
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let (first, _, second) = (words.next()?, words.next(), words.next());
    match (keyword.trim(), second) {
        ("resource", Some(name)) => Some(format!("{first}.{name}")),
        ("data", Some(name)) => Some(format!("data.{first}.{name}")),
        ("module", _) => Some(format!("module.{first}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(&'static str);
    impl SourceLines for Text {
        fn line(&self, _: &str, line: u32) -> Option<String> {
            self.0
                .lines()
                .nth(usize::try_from(line).ok()?.checked_sub(1)?)
                .map(str::to_owned)
        }
    }

    const TF: Text =
        Text("resource \"aws_db_instance\" \"ledger\" {\n  storage_encrypted = false\n}\n\nlocals {\n  a = 1\n}\n");

    fn at(line: u32) -> Option<String> {
        address_at(
            &TF,
            &Location {
                path: "main.tf".to_owned(),
                line: Some(line),
            },
        )
    }

    #[test]
    fn a_line_belongs_to_the_block_around_it() {
        assert_eq!(at(1).as_deref(), Some("aws_db_instance.ledger"));
        assert_eq!(at(2).as_deref(), Some("aws_db_instance.ledger"));
        assert_eq!(at(3).as_deref(), Some("aws_db_instance.ledger"));
    }

    #[test]
    fn a_line_outside_of_resources_has_no_address() {
        assert_eq!(at(4), None);
        assert_eq!(at(6), None);
        assert_eq!(at(99), None);
    }
}
