//! Calls that run what they are given.

use super::Entry;
use super::source::{Source, closing, dotted, joined};
use crate::code::Kind;

/// A sink: endings of files, how its name ends, and its class.
type Sink = (&'static [&'static str], &'static str, &'static str);

const PY: &[&str] = &[".py"];
const JS: &[&str] = &[".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs"];
const JVM: &[&str] = &[".java", ".kt", ".scala", ".groovy"];
const RB: &[&str] = &[".rb"];
const PHP: &[&str] = &[".php"];
const GO: &[&str] = &[".go"];
const RS: &[&str] = &[".rs"];
const CS: &[&str] = &[".cs"];

/// Tokens of a call that tell it apart from others.
const MAX_CALL: usize = 100;
/// Class of what hands a text to a shell.
pub(super) const SHELL: &str = "shell";
/// Class of what starts a program with a list of arguments.
pub(super) const PROCESS: &str = "process";

/// One line per sink. Its class says by what it may be replaced in its file.
const SINKS: &[Sink] = &[
    (PY, "os.system", SHELL),
    (PY, "os.popen", SHELL),
    (PY, "subprocess.getoutput", SHELL),
    (PY, "subprocess.run", PROCESS),
    (PY, "subprocess.call", PROCESS),
    (PY, "subprocess.check_call", PROCESS),
    (PY, "subprocess.check_output", PROCESS),
    (PY, "subprocess.Popen", PROCESS),
    (PY, "Popen", PROCESS),
    (PY, "create_subprocess_shell", SHELL),
    (PY, "create_subprocess_exec", PROCESS),
    (PY, "eval", "eval"),
    (PY, "exec", "eval"),
    (PY, "compile", "eval"),
    (PY, "__import__", "eval"),
    (PY, "import_module", "eval"),
    (PY, "render_template_string", "eval"),
    (PY, "pickle.load", "deserialisation"),
    (PY, "pickle.loads", "deserialisation"),
    (PY, "cPickle.loads", "deserialisation"),
    (PY, "dill.loads", "deserialisation"),
    (PY, "marshal.loads", "deserialisation"),
    (PY, "jsonpickle.decode", "deserialisation"),
    (PY, "shelve.open", "deserialisation"),
    (PY, "yaml.load", "deserialisation"),
    (PY, "yaml.unsafe_load", "deserialisation"),
    (PY, "yaml.full_load", "deserialisation"),
    (JS, "exec", SHELL),
    (JS, "execSync", SHELL),
    (JS, "execFile", PROCESS),
    (JS, "execFileSync", PROCESS),
    (JS, "spawn", PROCESS),
    (JS, "spawnSync", PROCESS),
    (JS, "eval", "eval"),
    (JS, "Function", "eval"),
    (JS, "runInNewContext", "eval"),
    (JS, "runInThisContext", "eval"),
    (JS, "document.write", "eval"),
    (JS, "insertAdjacentHTML", "eval"),
    (JS, "unserialize", "deserialisation"),
    (JVM, "getRuntime().exec", PROCESS),
    (JVM, "exec", PROCESS),
    (JVM, "ProcessBuilder", PROCESS),
    (JVM, "readObject", "deserialisation"),
    (JVM, "readUnshared", "deserialisation"),
    (JVM, "XMLDecoder", "deserialisation"),
    (JVM, "ScriptEngine.eval", "eval"),
    (JVM, "parseExpression", "eval"),
    (JVM, "Class.forName", "eval"),
    (RB, "eval", "eval"),
    (RB, "instance_eval", "eval"),
    (RB, "class_eval", "eval"),
    (RB, "system", SHELL),
    (RB, "exec", SHELL),
    (RB, "Marshal.load", "deserialisation"),
    (RB, "YAML.load", "deserialisation"),
    (RB, "constantize", "eval"),
    (PHP, "eval", "eval"),
    (PHP, "assert", "eval"),
    (PHP, "exec", SHELL),
    (PHP, "shell_exec", SHELL),
    (PHP, "system", SHELL),
    (PHP, "passthru", SHELL),
    (PHP, "popen", SHELL),
    (PHP, "proc_open", PROCESS),
    (PHP, "unserialize", "deserialisation"),
    (GO, "exec.Command", PROCESS),
    (GO, "exec.CommandContext", PROCESS),
    (GO, "syscall.Exec", PROCESS),
    (RS, "Command::new", PROCESS),
    (CS, "Process.Start", PROCESS),
    (CS, "BinaryFormatter", "deserialisation"),
    (CS, "CSharpScript.EvaluateAsync", "eval"),
];

/// Sinks that are called. One that a fix puts in the place of one as bad or worse in the same file is none.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    if source.is_test() {
        return Vec::new();
    }
    let own: Vec<&Sink> = SINKS.iter().filter(|(endings, ..)| source.ends_with(endings)).collect();
    if own.is_empty() {
        return Vec::new();
    }
    let tokens = source.tokens();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let open = index + 1;
        if token.kind != Kind::Word || !tokens.get(open).is_some_and(|next| next.is("(")) {
            continue;
        }
        let declared = index
            .checked_sub(1)
            .and_then(|at| tokens.get(at))
            .is_some_and(|before| matches!(before.text, "def" | "function" | "fn" | "func" | "fun"));
        let name = dotted(&tokens, index);
        let Some((_, sink, class)) = own
            .iter()
            .find(|(_, sink, _)| *sink == name || is_method(&name, sink, source))
        else {
            continue;
        };
        let call = tokens.get(index..closing(&tokens, open)).unwrap_or_default();
        let text = joined(call.get(..MAX_CALL).unwrap_or(call));
        // These two are as safe as their arguments say.
        let safe = *sink == "yaml.load" && (text.contains("SafeLoader") || text.contains("safe_load"));
        if declared || safe {
            continue;
        }
        let by_shell = text.contains("shell=True") || text.contains("shell:true");
        let class = if *class == PROCESS && by_shell { SHELL } else { class };
        found.push(
            Entry::new(token.line, format!("{name} {text}"))
                .class(class)
                .shown(format!("`{name}` ({class})")),
        );
    }
    found
}

/// Whether a name like `cp.exec` or `child_process.exec` is this sink. A regular expression's `exec` is none.
fn is_method(name: &str, sink: &str, source: &Source<'_>) -> bool {
    let Some((owner, method)) = name.rsplit_once('.') else {
        return false;
    };
    let owner = owner.to_ascii_lowercase();
    if source.ends_with(JS) {
        return method == sink
            && ["child_process", "cp", "childprocess", "vm", "serialize"]
                .iter()
                .any(|module| owner.ends_with(module));
    }
    if source.ends_with(JVM) {
        return method == sink;
    }
    name.ends_with(&format!(".{sink}")) && sink.contains('.')
}
