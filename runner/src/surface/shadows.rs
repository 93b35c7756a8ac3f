//! Modules that a program would load instead of its language's own, or before anything else: whoever brings one
//! decides what the tests and the program really run.

use super::Entry;
use super::source::Source;

/// Python's standard library (`sys.stdlib_module_names` of 3.11 and what newer ones have more), its test tools, and
/// files that the interpreter loads by itself (Python documentation, "site").
const PYTHON: &str = include_str!("python_modules.txt");

/// Files that take another module's place.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    let path = source.path;
    let name = path.strip_suffix("/__init__.py").or_else(|| path.strip_suffix(".py"));
    // Only what lies where the interpreter looks first; a module of a package has the package's name in front.
    let shadows = name.is_some_and(|name| is_python_module(name.strip_prefix("src/").unwrap_or(name)));
    let injected = path.ends_with(".pth") || path.starts_with("node_modules/") || path.contains("/node_modules/");
    if shadows || injected {
        vec![Entry::new(1, format!("{path} is loaded in another module's place"))]
    } else {
        Vec::new()
    }
}

fn is_python_module(name: &str) -> bool {
    PYTHON.split_whitespace().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_that_tests_load_are_known_by_their_place() {
        let found = |path: &str| entries(&Source::new(path, "")).len();
        for path in [
            "difflib.py",
            "src/argparse.py",
            "pprint/__init__.py",
            "unittest.py",
            "a.pth",
            "node_modules/a/i.js",
        ] {
            assert_eq!(found(path), 1, "{path}");
        }
        for path in ["app/difflib.py", "shop.py", "pprint.txt"] {
            assert_eq!(found(path), 0, "{path}");
        }
    }
}
