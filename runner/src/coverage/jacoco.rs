//! JaCoCo's XML report: lines with covered (`ci`) and missed (`mi`) instructions, in source files of packages.

use roxmltree::{Document, ParsingOptions};

use super::Coverage;

/// Nodes of one report.
const MAX_NODES: u32 = 20_000_000;

pub(super) fn read(text: &str) -> Result<Coverage, String> {
    let document = parse(text)?;
    let mut coverage = Coverage::default();
    for package in document.descendants().filter(|node| node.has_tag_name("package")) {
        let folder = package.attribute("name").unwrap_or_default();
        for file in package.children().filter(|node| node.has_tag_name("sourcefile")) {
            let name = file.attribute("name").unwrap_or_default();
            let path = if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            };
            for line in file.children().filter(|node| node.has_tag_name("line")) {
                let number = line.attribute("nr").and_then(|number| number.parse().ok());
                let covered: Option<u64> = line.attribute("ci").and_then(|count| count.parse().ok());
                let (Some(number), Some(covered)) = (number, covered) else {
                    return Err("a line has no `nr` or no `ci`".to_owned());
                };
                coverage.add(&path, number, covered > 0);
            }
        }
    }
    Ok(coverage)
}

/// These reports name a DTD. It is not fetched, and the parser bounds how far entities of the file itself expand.
pub(super) fn parse(text: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions {
        allow_dtd: true,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}
