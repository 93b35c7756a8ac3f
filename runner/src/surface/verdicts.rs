//! Code that reaches for the verdict of the tests: names a test framework from outside of the tests, changes what
//! asserts, or ends the process itself.

use super::Entry;
use super::source::{Source, dotted, joined};
use crate::code::{Kind, Token};

/// Tokens of a statement that tell it apart from others.
const MAX_STATEMENT: usize = 60;
const PY: &[&str] = &[".py", ".pyi", ".pyw"];
const JS: &[&str] = &[".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".mts", ".cts"];

/// Modules by which only tests are run, or what runs when a process ends.
const PY_MODULES: [&str; 9] = [
    "unittest",
    "pytest",
    "_pytest",
    "pluggy",
    "nose",
    "nose2",
    "doctest",
    "testtools",
    "atexit",
];
/// The same of JavaScript, without `node:`.
const JS_MODULES: [&str; 14] = [
    "test",
    "test/reporters",
    "mocha",
    "jest",
    "jest-circus",
    "@jest/globals",
    "vitest",
    "chai",
    "expect",
    "ava",
    "tap",
    "tape",
    "jasmine",
    "uvu",
];
/// What asserts or counts: assigned to, no test says anything any more.
const JS_ASSERTS: [&str; 11] = [
    "assert",
    "expect",
    "test",
    "it",
    "describe",
    "suite",
    "beforeEach",
    "afterEach",
    "AssertionError",
    "exitCode",
    "reallyExit",
];
/// Calls that end the process, or come when it ends.
const ENDS: [(&[&str], &[&str]); 7] = [
    (
        PY,
        &[
            "os._exit",
            "_exit",
            "os.abort",
            "os.kill",
            "os.killpg",
            "atexit.register",
            "signal.raise_signal",
        ],
    ),
    (
        JS,
        &["process.exit", "process.reallyExit", "process.abort", "process.kill"],
    ),
    (
        &[".rs"],
        &[
            "process::exit",
            "std::process::exit",
            "process::abort",
            "std::process::abort",
            "libc::_exit",
        ],
    ),
    (&[".go"], &["os.Exit", "syscall.Exit", "runtime.Goexit"]),
    (
        &[".java", ".kt", ".scala", ".groovy"],
        &["System.exit", "halt", "exitProcess", "addShutdownHook"],
    ),
    (&[".rb"], &["at_exit"]),
    (&[".cs"], &["Environment.Exit", "Environment.FailFast"]),
];

/// Statements by which code that isn't a test decides what the tests say.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    if source.is_test() {
        return Vec::new();
    }
    let (python, script) = (source.ends_with(PY), source.ends_with(JS));
    let ends: Vec<&str> = ENDS
        .iter()
        .filter(|(endings, _)| source.ends_with(endings))
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    if ends.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for statement in source.statements() {
        let why = ended_by(&statement, &ends).or_else(|| match (python, script) {
            (true, _) => python_reach(&statement),
            (_, true) => script_reach(&statement),
            _ => None,
        });
        let Some((first, why)) = statement.first().zip(why) else {
            continue;
        };
        let text = joined(statement.get(..MAX_STATEMENT).unwrap_or(&statement));
        found.push(Entry::new(first.line, text).shown(why));
    }
    found
}

/// The call in a statement that ends the process.
fn ended_by(statement: &[Token<'_>], ends: &[&str]) -> Option<String> {
    let calls = statement.iter().enumerate().filter(|(index, token)| {
        token.kind == Kind::Word && (statement.get(index + 1)).is_some_and(|next| next.is("("))
    });
    let declares = |index: usize| {
        let before = index.checked_sub(1).and_then(|at| statement.get(at));
        before.is_some_and(|word| matches!(word.text, "def" | "fn" | "func" | "fun" | "function" | "void"))
    };
    // Handed over as a value, `atexit.register(os._exit, 0)`, it comes to the same.
    let named = statement.iter().enumerate().filter(|(_, token)| token.text == "_exit");
    (calls.chain(named))
        .filter(|(index, _)| !declares(*index))
        .map(|(index, _)| dotted(statement, index))
        .find(|name| ends.contains(&name.as_str()))
        .map(|name| format!("`{name}` ends the process"))
}

fn python_reach(statement: &[Token<'_>]) -> Option<String> {
    let imports = statement
        .first()
        .is_some_and(|first| first.is_word("import") || first.is_word("from"));
    let module = |token: &&Token<'_>| token.kind == Kind::Word && PY_MODULES.contains(&token.text);
    if let Some(module) = statement.iter().find(module).filter(|_| imports) {
        return Some(format!("`{}` is for tests", module.text));
    }
    let names = (0..statement.len()).map(|index| dotted(statement, index));
    let mut reach = names.filter(|name| {
        let top = name.split('.').next().unwrap_or_default();
        name == "sys.modules" || (name.contains('.') && PY_MODULES.contains(&top))
    });
    reach.next().map(|name| format!("`{name}` is for tests"))
}

fn script_reach(statement: &[Token<'_>]) -> Option<String> {
    let word = |index: usize, text: &str| {
        (statement.get(index)).is_some_and(|token| token.kind != Kind::Text && token.text == text)
    };
    for (index, token) in statement.iter().enumerate() {
        let name = token.text.strip_prefix("node:").unwrap_or(token.text);
        let before = index.checked_sub(1);
        if token.kind == Kind::Text {
            let named = before.is_some_and(|at| word(at, "from") || word(at, "import"))
                || before.is_some_and(|at| {
                    word(at, "(")
                        && at
                            .checked_sub(1)
                            .is_some_and(|at| word(at, "require") || word(at, "import"))
                });
            // `test` without `node:` is somebody's package.
            let built_in = name.len() != token.text.len() || !name.starts_with("test");
            if named && built_in && JS_MODULES.contains(&name) {
                return Some(format!("`{}` is for tests", token.text));
            }
            let listener = index.checked_sub(2).map(|at| dotted(statement, at)).unwrap_or_default();
            let listens = matches!(
                listener.as_str(),
                "process.on" | "process.once" | "process.addListener" | "process.prependListener"
            );
            if listens && matches!(name, "exit" | "beforeExit") {
                return Some(format!("`{name}` is when the process ends"));
            }
        }
        // `assert.equal = …`, `require("assert").equal = …`, `globalThis.it = …`
        let assigned = word(index + 1, "=") && !word(index + 2, "=") && !word(index + 2, ">");
        if token.kind == Kind::Word && assigned && before.is_some_and(|at| word(at, ".")) {
            let owners = statement.get(..index).unwrap_or_default();
            let asserts = |token: &Token<'_>| {
                let name = token.text.strip_prefix("node:").unwrap_or(token.text);
                matches!(name.split('/').next(), Some("assert" | "test" | "expect"))
            };
            let own = index
                .checked_sub(2)
                .is_some_and(|at| word(at, "exports") || word(at, "this"));
            if (JS_ASSERTS.contains(&token.text) && !own) || owners.iter().any(asserts) {
                return Some(format!(
                    "`{}` is changed, by which tests say what they found",
                    token.text
                ));
            }
        }
    }
    None
}
