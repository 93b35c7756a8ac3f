//! Cargo's `Cargo.lock`. Cargo generates it, one key on each line, so a reader of lines is enough;
//! whatever doesn't look as Cargo writes it is refused.

use holdpoint_schemas::SourceError;

use super::{Lockfile, Package, line_number};
use crate::error::SourceResult;
use crate::osv::Ecosystem;

#[derive(Default)]
struct Entry {
    name: Option<String>,
    version: Option<String>,
    source: Option<String>,
    line: Option<u32>,
}

pub fn read(path: &str, text: &str) -> SourceResult<Lockfile> {
    let mut lockfile = Lockfile::default();
    let mut entry: Option<Entry> = None;
    let mut in_list = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if in_list {
            in_list = line.trim() != "]";
            continue;
        }
        if line.starts_with('[') {
            finish(entry.take(), &mut lockfile);
            entry = (line == "[[package]]").then(Entry::default);
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once(" = ") else {
            return Err(Box::new(
                SourceError::new(path, "`key = value` was expected")
                    .at(text, index + 1, 1)
                    .help("let cargo write the file again: `cargo generate-lockfile`"),
            ));
        };
        in_list = value == "[";
        let value = || {
            value
                .strip_prefix('"')
                .and_then(|v| v.strip_suffix('"'))
                .map(str::to_owned)
        };
        if let Some(entry) = &mut entry {
            match key {
                "name" => (entry.name, entry.line) = (value(), line_number(index)),
                "version" => entry.version = value(),
                "source" => entry.source = value(),
                _ => {}
            }
        }
    }
    if in_list {
        let last = text.lines().count();
        return Err(Box::new(
            SourceError::new(path, "the file ends within a list")
                .at(text, last, 1)
                .help("the file is cut off: take it from git again"),
        ));
    }
    finish(entry, &mut lockfile);
    Ok(lockfile)
}

fn finish(entry: Option<Entry>, lockfile: &mut Lockfile) {
    let Some(Entry {
        name: Some(name),
        version,
        source,
        line,
    }) = entry
    else {
        return;
    };
    match (source, version) {
        // Without a source it is a crate of the repo itself.
        (None, _) => {}
        (Some(source), Some(version)) if source.starts_with("registry+") || source.starts_with("sparse+") => {
            lockfile.packages.push(Package {
                ecosystem: Ecosystem::CratesIo,
                name,
                version,
                line,
                scope: None,
                direct: None,
            });
        }
        (Some(_), _) => lockfile
            .skipped
            .push(format!("`{name}` comes from git or has no version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "# generated\nversion = 4\n\n[[package]]\nname = \"me\"\nversion = \"0.1.0\"\ndependencies = [\n \
                        \"time\",\n]\n\n[[package]]\nname = \"time\"\nversion = \"0.1.43\"\nsource = \"registry+https://x\"\n\n\
                        [[package]]\nname = \"g\"\nversion = \"0.2.0\"\nsource = \"git+https://x\"\n";

    #[test]
    fn crates_of_a_registry_are_read_with_their_lines() {
        let lockfile = read("Cargo.lock", LOCK).unwrap();
        assert_eq!(lockfile.packages.len(), 1);
        assert_eq!(lockfile.packages[0].name, "time");
        assert_eq!(lockfile.packages[0].line, Some(12));
        assert_eq!(lockfile.skipped, ["`g` comes from git or has no version"]);
    }

    #[test]
    fn a_cut_off_or_foreign_file_is_refused_with_its_line() {
        assert_eq!(
            read("Cargo.lock", "[[package]]\n<<<<<<<\n").unwrap_err().position,
            Some((2, 1))
        );
        assert!(read("Cargo.lock", "[[package]]\ndependencies = [\n \"a\",\n").is_err());
    }
}
