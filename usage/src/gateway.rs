//! Reflective gateways: the few modules and globals through which text that is made when the program runs can
//! load anything. Every use of one outside tests hides what is used, unless it is understood.

use std::collections::BTreeSet;

use crate::facts::{Dynamic, DynamicKind, Use};
use crate::language::Language;
use crate::package::segments;
use crate::sources::{Source, Usage};

/// Which members of a gateway load or run something.
enum Rule {
    /// All; its import alone counts.
    All,
    /// All but these.
    Except(&'static [&'static str]),
    /// Only these, and whatever is computed or handed on as a whole.
    Only(&'static [&'static str]),
}

/// Modules, as they are imported, with the rule for what is taken from them.
const PYTHON: &[(&str, Rule)] = &[
    (
        "importlib.metadata",
        Rule::Only(&["entry_points", "EntryPoint", "EntryPoints"]),
    ),
    ("importlib", Rule::Except(&["metadata", "reload", "invalidate_caches"])),
    (
        "builtins",
        Rule::Only(&[
            "eval",
            "exec",
            "compile",
            "__import__",
            "getattr",
            "globals",
            "locals",
            "vars",
            "open_code",
        ]),
    ),
    ("__builtins__", Rule::All),
    ("__builtin__", Rule::All),
    ("pkgutil", Rule::Except(&["extend_path"])),
    ("pydoc", Rule::All),
    ("pickle", Rule::All),
    ("cPickle", Rule::All),
    ("_pickle", Rule::All),
    ("dill", Rule::All),
    ("cloudpickle", Rule::All),
    ("jsonpickle", Rule::All),
    ("joblib", Rule::Only(&["load"])),
    ("shelve", Rule::All),
    ("marshal", Rule::All),
    ("ctypes", Rule::All),
    ("code", Rule::All),
    ("codeop", Rule::All),
    ("runpy", Rule::All),
    ("imp", Rule::All),
    ("_imp", Rule::All),
    ("_frozen_importlib", Rule::All),
    ("zipimport", Rule::All),
    ("doctest", Rule::All),
    ("bdb", Rule::All),
    ("pdb", Rule::All),
    ("trace", Rule::All),
    ("pty", Rule::All),
    ("timeit", Rule::Except(&["default_timer"])),
    ("cProfile", Rule::Only(&["run", "runctx"])),
    ("profile", Rule::Only(&["run", "runctx"])),
    ("unittest.mock", Rule::All),
    ("mock", Rule::All),
    ("types", Rule::Only(&["FunctionType", "LambdaType", "CodeType"])),
    (
        "multiprocessing",
        Rule::Only(&["connection", "managers", "reduction", "set_executable"]),
    ),
    ("logging.config", Rule::Except(&["stopListening"])),
    ("gc", Rule::Only(&["get_objects", "get_referrers", "get_referents"])),
    (
        "site",
        Rule::Only(&["addsitedir", "addpackage", "execsitecustomize", "main"]),
    ),
    (
        "sys",
        Rule::Only(&["modules", "meta_path", "path_hooks", "path_importer_cache", "_getframe"]),
    ),
    (
        "asyncio",
        Rule::Only(&["create_subprocess_exec", "create_subprocess_shell"]),
    ),
    (
        "subprocess",
        Rule::Except(&[
            "PIPE",
            "DEVNULL",
            "STDOUT",
            "CalledProcessError",
            "TimeoutExpired",
            "SubprocessError",
            "CompletedProcess",
            "list2cmdline",
        ]),
    ),
    (
        "os",
        Rule::Only(&[
            "system",
            "popen",
            "startfile",
            "execl",
            "execle",
            "execlp",
            "execlpe",
            "execv",
            "execve",
            "execvp",
            "execvpe",
            "spawnl",
            "spawnle",
            "spawnlp",
            "spawnlpe",
            "spawnv",
            "spawnve",
            "spawnvp",
            "spawnvpe",
            "posix_spawn",
            "posix_spawnp",
        ]),
    ),
];

/// Node's own modules, and the packages that wrap them; globals are roots without an import.
const JAVASCRIPT: &[(&str, Rule)] = &[
    ("module", Rule::All),
    ("vm", Rule::All),
    ("repl", Rule::All),
    ("inspector", Rule::All),
    ("worker_threads", Rule::Only(&["Worker"])),
    ("child_process", Rule::Except(&["ChildProcess"])),
    ("cluster", Rule::Only(&["setupPrimary", "setupMaster", "settings"])),
    ("process", Rule::Only(JAVASCRIPT_PROCESS)),
    ("execa", Rule::Except(&[])),
    ("cross-spawn", Rule::Except(&[])),
    ("jiti", Rule::All),
    ("import-fresh", Rule::All),
    ("require-from-string", Rule::All),
    ("esm", Rule::All),
    ("vm2", Rule::All),
    ("isolated-vm", Rule::All),
];
const JAVASCRIPT_PROCESS: &[&str] = &[
    "mainModule",
    "getBuiltinModule",
    "binding",
    "_linkedBinding",
    "dlopen",
    "constructor",
];
const JAVASCRIPT_GLOBALS: &[(&str, Rule)] = &[
    ("eval", Rule::All),
    ("Function", Rule::Only(&["constructor", "call", "apply", "bind"])),
    ("globalThis", Rule::Only(HIDDEN_GLOBALS)),
    ("global", Rule::Only(HIDDEN_GLOBALS)),
    ("process", Rule::Only(JAVASCRIPT_PROCESS)),
    (
        "module",
        Rule::Except(&["exports", "id", "filename", "path", "hot", "require", "createRequire"]),
    ),
    ("require", Rule::Except(&["resolve", "main", "context", "ensure"])),
];
const HIDDEN_GLOBALS: &[&str] = &["eval", "Function", "process", "require", "module", "constructor"];
/// Names of Python that need no import.
const PYTHON_GLOBALS: &[(&str, Rule)] = &[
    ("__builtins__", Rule::All),
    ("__loader__", Rule::All),
    ("__spec__", Rule::Only(&["loader"])),
    ("eval", Rule::All),
    ("exec", Rule::All),
    ("__import__", Rule::All),
    ("execfile", Rule::All),
];
/// Members of any object through which Python's loaders are found.
const PYTHON_MEMBERS: &[&str] = &[
    "__import__",
    "__builtins__",
    "__globals__",
    "__subclasses__",
    "__loader__",
    "f_globals",
    "f_builtins",
    "import_module",
    "pythonapi",
    "resolve_name",
    "load_module",
    "exec_module",
];
/// Members of any object through which JavaScript's loaders are found.
const JAVASCRIPT_MEMBERS: &[&str] = &["mainModule", "getBuiltinModule", "runInThisContext", "runInNewContext"];
/// Members that are as good as the object itself.
const WHOLE: &[&str] = &[
    "*",
    "__dict__",
    "__getattribute__",
    "__getattr__",
    "__loader__",
    "__spec__",
];

fn judge(table: &[(&str, Rule)], language: Language, path: &[String]) -> Option<String> {
    let (module, rule, rest) = table.iter().find_map(|(module, rule)| {
        let module_path = segments(language, module);
        path.strip_prefix(module_path.as_slice())
            .map(|rest| (*module, rule, rest))
    })?;
    let member = rest.first().map(String::as_str);
    let loads = match (rule, member) {
        (Rule::All, _) | (_, None) => true,
        (_, Some(member)) if WHOLE.contains(&member) => true,
        (Rule::Except(safe), Some(member)) => !safe.contains(&member),
        (Rule::Only(loaders), Some(member)) => loaders.contains(&member),
    };
    loads.then(|| member.map_or_else(|| module.to_owned(), |member| format!("{module}.{member}")))
}

const fn modules(language: Language) -> &'static [(&'static str, Rule)] {
    match language {
        Language::Python => PYTHON,
        Language::JavaScript => JAVASCRIPT,
        Language::Rust | Language::Go | Language::Java => &[],
    }
}

const fn globals(language: Language) -> &'static [(&'static str, Rule)] {
    match language {
        Language::Python => PYTHON_GLOBALS,
        Language::JavaScript => JAVASCRIPT_GLOBALS,
        Language::Rust | Language::Go | Language::Java => &[],
    }
}

/// A module's path without the scheme of Node's own modules.
fn bare(path: &[String]) -> Vec<String> {
    let mut path = path.to_vec();
    if let Some(first) = path.first_mut().filter(|first| first.starts_with("node:")) {
        first.drain(.."node:".len());
    }
    path
}

impl Usage {
    /// Gateways that a file uses in a way that isn't understood.
    pub(crate) fn gateways(&self, file: usize) -> Vec<Dynamic> {
        let Some(source) = self.files.get(file) else {
            return Vec::new();
        };
        let language = source.language;
        if modules(language).is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut add = |what: String, spot| {
            found.push(Dynamic {
                kind: DynamicKind::Load,
                what,
                spot,
            });
        };
        let roots: BTreeSet<&str> = source
            .facts
            .uses
            .iter()
            .filter_map(|used| used.chain.names.first())
            .map(String::as_str)
            .collect();
        for import in source.facts.imports.iter().filter(|import| !import.type_only) {
            let path = bare(&segments(language, &import.module));
            // A loaded module is judged by what is taken from it, unless nothing here is.
            let unused =
                !import.bound.is_empty() && !import.bound.iter().any(|bound| roots.contains(bound.local.as_str()));
            let mut paths = vec![path];
            for bound in import.bound.iter().filter(|bound| !bound.members.is_empty()) {
                let mut path = bare(&segments(language, &bound.module));
                path.extend(bound.members.iter().cloned());
                paths.push(path);
            }
            for path in paths {
                let whole = modules(language)
                    .iter()
                    .find(|(module, _)| segments(language, module) == path);
                let hides = match whole {
                    Some((_, Rule::All)) => true,
                    Some((_, Rule::Except(_))) => unused || import.star || import.reexport,
                    Some((_, Rule::Only(_))) => import.star || import.reexport,
                    None => (unused || import.reexport) && judge(modules(language), language, &path).is_some(),
                };
                if hides {
                    add(path.join("."), import.spot);
                }
            }
        }
        for used in &source.facts.uses {
            if let Some(what) = self.gateway(file, source, used, &roots) {
                add(what, used.spot);
            }
        }
        found
    }

    /// What a use reaches, when that is a gateway and what it does with it isn't understood. `roots` are all names
    /// of the file that are used.
    fn gateway(&self, file: usize, source: &Source, used: &Use, roots: &BTreeSet<&str>) -> Option<String> {
        let (language, chain) = (source.language, &used.chain);
        let is_marked = |name: &&String| source.facts.understood.contains(&(used.spot.offset, (*name).clone()));
        let marked: Vec<&String> = chain.names.iter().filter(is_marked).collect();
        let members = match language {
            Language::Python => PYTHON_MEMBERS,
            _ => JAVASCRIPT_MEMBERS,
        };
        let root = chain.names.first().filter(|_| chain.module.is_none());
        let below = chain.names.get(usize::from(root.is_some())..).unwrap_or_default();
        let mut below = below.iter().filter(|name| !marked.contains(name));
        if let Some(name) = below.find(|name| members.contains(&name.as_str())) {
            return Some(name.clone());
        }
        let global = root.and_then(|_| judge(globals(language), language, &chain.names));
        if let Some(what) = global.filter(|_| marked.is_empty()) {
            // What a pattern takes from a global is judged by its aliases.
            let aliases = source.facts.aliases.iter().map(|alias| &alias.chain.names);
            let mut taken = aliases
                .filter(|names| used.aliased && names.len() > chain.names.len() && names.starts_with(&chain.names))
                .peekable();
            let kept_whole = taken.peek().is_none();
            if kept_whole || taken.any(|names| judge(globals(language), language, names).is_some()) {
                return Some(what);
            }
        }
        let is_bound = root
            .is_none_or(|root| source.imports_by_name.contains_key(root) || source.aliases_by_name.contains_key(root));
        if !is_bound && self.stars.get(file).is_none_or(Vec::is_empty) {
            return None;
        }
        // `const { exec } = require("child_process")`: each name is judged where it is used.
        let mut kept = source
            .facts
            .aliases
            .iter()
            .filter(|alias| alias.chain.module == chain.module);
        let kept = used.aliased
            && chain.module.is_some()
            && !chain.names.iter().any(|name| name == "*")
            && kept.all(|alias| roots.contains(alias.local.as_str()));
        if kept {
            return None;
        }
        let meanings = self.meanings(file, chain, Some(used.spot.offset));
        meanings.iter().find_map(|meaning| {
            let path = bare(&meaning.path);
            // The mark is for the name that is called, which another import may give to something else.
            let wraps = |first: &String| matches!(first.as_str(), "execa" | "cross-spawn");
            let is_same = |name: &&String| path.contains(name) || path.first().is_some_and(wraps);
            let understood = marked.iter().any(is_same);
            judge(modules(language), language, &path).filter(|_| !understood)
        })
    }

    /// Whether only code that tests runs a file.
    pub(crate) fn only_for_tests(&self, file: usize) -> bool {
        let (mut open, mut seen) = (vec![file], BTreeSet::from([file]));
        while let Some(file) = open.pop() {
            if !self.files.get(file).is_some_and(|source| source.is_test) {
                return false;
            }
            let users = self.importers.get(file).into_iter().flatten();
            open.extend(users.copied().filter(|user| seen.insert(*user)));
        }
        true
    }
}

/// Programs that run what they are told to, in one of the languages or by a shell.
const LAUNCHERS: &[&str] = &[
    "python",
    "pypy",
    "py",
    "ipython",
    "jupyter",
    "node",
    "deno",
    "bun",
    "npx",
    "tsx",
    "ts-node",
    "electron",
    "npm",
    "yarn",
    "pnpm",
    "sh",
    "bash",
    "zsh",
    "dash",
    "ksh",
    "ash",
    "fish",
    "busybox",
    "cmd",
    "powershell",
    "pwsh",
    "env",
    "sudo",
    "doas",
    "su",
    "nohup",
    "xargs",
    "nice",
    "time",
    "timeout",
    "stdbuf",
    "setsid",
    "exec",
    "eval",
    "source",
    ".",
    "parallel",
    "watch",
    "find",
    "uv",
    "uvx",
    "pipx",
    "poetry",
    "pipenv",
    "pdm",
    "hatch",
    "rye",
    "tox",
    "nox",
    "pytest",
    "conda",
    "mamba",
    "gunicorn",
    "uvicorn",
    "flask",
    "django-admin",
    "celery",
];

/// Whether a command that is written out runs no code of the languages that are read.
pub(crate) fn is_plain_command(command: &str) -> bool {
    let words = command.split(|c: char| c.is_whitespace() || ";&|()<>\"'{}".contains(c));
    let mut words = words.filter(|word| !word.is_empty()).peekable();
    words.peek().is_some()
        && !command.contains(['$', '`', '\\', '%', '*', '?'])
        && words.all(|word| {
            let name = word.rsplit('/').next().unwrap_or(word);
            let name = name.strip_suffix(".exe").unwrap_or(name);
            let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            !LAUNCHERS.contains(&name) && !LAUNCHERS.contains(&plain) && !name.starts_with("python")
        })
}
