//! `go.mod` (go.dev/ref/mod).

use super::Manifests;
use crate::package::Ecosystem;

pub(super) fn manifest(folder: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    let mut in_block = false;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let mut words = line.split_whitespace();
        match words.next() {
            Some("module") => {
                let name = words.next().unwrap_or_default().trim_matches('"');
                into.own.push((Ecosystem::Golang, name.to_owned(), folder.to_owned()));
            }
            Some("require") => match words.next() {
                Some("(") => in_block = true,
                Some(name) => into.declare(Ecosystem::Golang, name.trim_matches('"')),
                None => return Err(format!("a `require` without a module: `{line}`")),
            },
            Some(")") => in_block = false,
            Some(name) if in_block => into.declare(Ecosystem::Golang, name.trim_matches('"')),
            _ => {}
        }
    }
    Ok(())
}
