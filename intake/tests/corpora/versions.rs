//! The order of versions, line by line.

use holdpoint_intake::version::{Ecosystem, compare};
use std::cmp::Ordering;

use super::corpus;

const FILES: [(&str, Ecosystem); 10] = [
    ("alpine", Ecosystem::Apk("alpine")),
    ("cran", Ecosystem::Cran),
    ("debian", Ecosystem::Deb("debian")),
    ("maven", Ecosystem::Maven),
    ("nuget", Ecosystem::NuGet),
    ("packagist", Ecosystem::Packagist),
    ("pypi", Ecosystem::PyPi),
    ("redhat", Ecosystem::Rpm("redhat")),
    ("rubygems", Ecosystem::RubyGems),
    ("semver", Ecosystem::Npm),
];

#[test]
fn every_line_is_ordered_as_its_ecosystem_says() {
    let Some(folder) = corpus("versions") else { return };
    let mut wrong = Vec::new();
    let mut files = 0;
    for (name, ecosystem) in FILES {
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.txt"))) else {
            continue;
        };
        files += 1;
        let (mut right, mut all) = (0, 0);
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let [a, sign, b] = words.as_slice() else {
                panic!("{name}: {line}")
            };
            let wanted = match *sign {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                ">" => Ordering::Greater,
                _ => panic!("{name}: {line}"),
            };
            all += 1;
            let (found, turned) = (compare(ecosystem, a, b), compare(ecosystem, b, a));
            if found == Some(wanted) && turned == Some(wanted.reverse()) {
                right += 1;
            } else {
                wrong.push(format!("{name}: {line}, but we say {found:?}"));
            }
        }
        println!("{name:<12} {right}/{all}");
    }
    assert!(files > 0, "no file of versions in {}", folder.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
