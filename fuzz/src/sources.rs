//! Source text: what it uses.

use holdpoint_usage::{Ecosystem, Observation, Package, Reach, SourceFile, Usage};

use crate::input::files;
use crate::oracle::{good, prints_alike, twice};

/// Python, with its manifests.
pub fn python(data: &[u8]) {
    usage(data, "app.py", Ecosystem::Pypi, "PyYAML", "yaml.load");
}

/// JavaScript and TypeScript, with `package.json`.
pub fn javascript(data: &[u8]) {
    usage(data, "index.ts", Ecosystem::Npm, "lodash", "lodash.template");
}

/// Rust, with `Cargo.toml`.
pub fn rust(data: &[u8]) {
    usage(
        data,
        "src/main.rs",
        Ecosystem::Cargo,
        "time",
        "time::OffsetDateTime::now",
    );
}

/// Go, with `go.mod`.
pub fn go(data: &[u8]) {
    usage(
        data,
        "main.go",
        Ecosystem::Golang,
        "golang.org/x/text",
        "language.Parse",
    );
}

/// Java, with `pom.xml`.
pub fn java(data: &[u8]) {
    let name = "org.yaml:snakeyaml";
    usage(
        data,
        "src/Main.java",
        Ecosystem::Maven,
        name,
        "org.yaml.snakeyaml.Yaml.load",
    );
}

fn usage(data: &[u8], name: &str, ecosystem: Ecosystem, package: &str, symbol: &str) {
    let files = files(data, name);
    let package = Package::new(ecosystem, package);
    let answers = twice(|| {
        let sources = files.iter().map(|(path, bytes)| SourceFile {
            path,
            text: std::str::from_utf8(bytes).ok(),
        });
        let usage = Usage::of(sources);
        let callers: Vec<_> = files.iter().map(|(path, _)| usage.callers(path)).collect();
        let whole = usage.reach(&package, &[]);
        (whole, usage.reach(&package, &[symbol.to_owned()]), callers)
    });
    let (whole, symbol, _) = answers;
    if let Reach::NotReached { .. } = whole {
        assert!(
            !matches!(symbol, Reach::Reached { .. }),
            "a function is used of a package that isn't"
        );
    }
    for reach in [whole, symbol] {
        if let Reach::Unknown { because } = reach {
            assert!(!because.is_empty(), "unknown without a reason");
        }
    }
}

/// What was seen at run time.
pub fn observation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(seen) = prints_alike(|| good(Observation::read("observation.json", text))) else {
        return;
    };
    let package = Package::new(Ecosystem::Pypi, "PyYAML");
    let symbols = ["yaml.load".to_owned()];
    let unseen = Reach::NotReached {
        because: "no import".to_owned(),
        imported: false,
    };
    let corrected = twice(|| seen.corrects(unseen.clone(), &package, &symbols));
    assert!(
        !seen.loaded(&package) || corrected != unseen,
        "a package that was loaded isn't reached"
    );
}
