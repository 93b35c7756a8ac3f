//! Modules that a program would load instead of its language's own, or before anything else: whoever brings one
//! decides what the tests and the program really run.

use super::Entry;
use super::source::Source;

/// Modules of Python's standard library and its test tools that programs and tests load by name, and files that the
/// interpreter loads by itself (Python documentation, "site").
const PYTHON: [&str; 34] = [
    "unittest",
    "pytest",
    "_pytest",
    "doctest",
    "coverage",
    "nose",
    "sitecustomize",
    "usercustomize",
    "site",
    "os",
    "sys",
    "io",
    "re",
    "json",
    "types",
    "typing",
    "random",
    "secrets",
    "hashlib",
    "hmac",
    "ssl",
    "socket",
    "subprocess",
    "builtins",
    "importlib",
    "abc",
    "ast",
    "collections",
    "functools",
    "logging",
    "time",
    "datetime",
    "tempfile",
    "threading",
];

/// Files that take another module's place.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    let path = source.path;
    let name = path.strip_suffix("/__init__.py").or_else(|| path.strip_suffix(".py"));
    // Only what lies where the interpreter looks first; a module of a package has the package's name in front.
    let shadows = name.is_some_and(|name| PYTHON.contains(&name.strip_prefix("src/").unwrap_or(name)));
    let injected = path.ends_with(".pth") || path.starts_with("node_modules/") || path.contains("/node_modules/");
    if shadows || injected {
        vec![Entry::new(1, format!("{path} is loaded in another module's place"))]
    } else {
        Vec::new()
    }
}
