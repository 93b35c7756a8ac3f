//! Cobertura XML, as `coverage xml`, `gcovr`, `cargo llvm-cov --cobertura` and many others write it.

use super::Coverage;
use super::jacoco::parse;

pub(super) fn read(text: &str) -> Result<Coverage, String> {
    let document = parse(text)?;
    let mut coverage = Coverage::default();
    for class in document.descendants().filter(|node| node.has_tag_name("class")) {
        let Some(path) = class.attribute("filename") else {
            continue;
        };
        for line in class.descendants().filter(|node| node.has_tag_name("line")) {
            let number = line.attribute("number").and_then(|number| number.parse().ok());
            let hits: Option<u64> = line.attribute("hits").and_then(|hits| hits.parse().ok());
            let (Some(number), Some(hits)) = (number, hits) else {
                return Err("a line has no number or no hits".to_owned());
            };
            coverage.add(path, number, hits > 0);
        }
    }
    Ok(coverage)
}
