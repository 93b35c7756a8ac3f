//! Classes of the languages themselves.

use super::Ref;

/// Classes of the languages, with those that they derive from (Python standard library, "Exception hierarchy";
/// ECMA-262, 20.5).
const ABOVE: &[(&str, &[&str])] = &[
    ("Exception", &["BaseException"]),
    ("KeyboardInterrupt", &["BaseException"]),
    ("SystemExit", &["BaseException"]),
    ("CancelledError", &["BaseException"]),
    ("ArithmeticError", &["Exception"]),
    ("ZeroDivisionError", &["ArithmeticError"]),
    ("OverflowError", &["ArithmeticError"]),
    ("AssertionError", &["Exception"]),
    ("AttributeError", &["Exception"]),
    ("EOFError", &["Exception"]),
    ("ImportError", &["Exception"]),
    ("ModuleNotFoundError", &["ImportError"]),
    ("LookupError", &["Exception"]),
    ("IndexError", &["LookupError"]),
    ("KeyError", &["LookupError"]),
    ("MemoryError", &["Exception"]),
    ("NameError", &["Exception"]),
    ("OSError", &["Exception", "IOError", "EnvironmentError"]),
    ("IOError", &["OSError"]),
    ("EnvironmentError", &["OSError"]),
    ("ConnectionError", &["OSError"]),
    ("BrokenPipeError", &["ConnectionError"]),
    ("ConnectionAbortedError", &["ConnectionError"]),
    ("ConnectionRefusedError", &["ConnectionError"]),
    ("ConnectionResetError", &["ConnectionError"]),
    ("FileExistsError", &["OSError"]),
    ("FileNotFoundError", &["OSError"]),
    ("InterruptedError", &["OSError"]),
    ("IsADirectoryError", &["OSError"]),
    ("NotADirectoryError", &["OSError"]),
    ("PermissionError", &["OSError"]),
    ("TimeoutError", &["OSError"]),
    ("RuntimeError", &["Exception"]),
    ("NotImplementedError", &["RuntimeError"]),
    ("RecursionError", &["RuntimeError"]),
    ("StopIteration", &["Exception"]),
    ("SyntaxError", &["Exception"]),
    ("TypeError", &["Exception", "Error"]),
    ("ValueError", &["Exception"]),
    ("UnicodeError", &["ValueError"]),
    ("UnicodeDecodeError", &["UnicodeError"]),
    ("UnicodeEncodeError", &["UnicodeError"]),
    ("JSONDecodeError", &["ValueError"]),
    ("Warning", &["Exception"]),
    ("UserWarning", &["Warning"]),
    ("DeprecationWarning", &["Warning"]),
    ("PendingDeprecationWarning", &["Warning"]),
    ("RuntimeWarning", &["Warning"]),
    ("FutureWarning", &["Warning"]),
    ("ResourceWarning", &["Warning"]),
    ("IntEnum", &["Enum", "int"]),
    ("StrEnum", &["Enum", "str"]),
    ("IntFlag", &["Flag", "int", "Enum"]),
    ("Flag", &["Enum"]),
    ("NamedTuple", &["tuple"]),
    ("OrderedDict", &["dict"]),
    ("defaultdict", &["dict"]),
    ("Counter", &["dict"]),
    ("bool", &["int"]),
    ("MutableMapping", &["Mapping"]),
    ("MutableSequence", &["Sequence"]),
    ("RangeError", &["Error"]),
    ("EvalError", &["Error"]),
    ("ReferenceError", &["Error"]),
    ("URIError", &["Error"]),
    ("AggregateError", &["Error"]),
];
/// Bases that say nothing of what a class can do.
const UNSAYING: &[&str] = &["object", "Generic", "Protocol", "ABC", "Object"];

/// The last name of a base, without what it is generic over.
pub(in crate::upgrade) fn base_name(base: &Ref) -> &str {
    let name = match base {
        Ref::Absolute(path) | Ref::Local(_, path) => path.last().map(String::as_str).unwrap_or_default(),
        Ref::Elsewhere(text) => text.as_str(),
    };
    let name = name.split(['[', '<']).next().unwrap_or(name);
    if name.contains('(') {
        name
    } else {
        name.rsplit(['.', ':']).next().unwrap_or(name)
    }
}

/// A class of a language, or of another package, with all that it is known to derive from.
pub(in crate::upgrade) fn with_above(name: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        if !found.contains(&name) && !UNSAYING.contains(&name) {
            found.push(name);
            let above = ABOVE.iter().find(|(known, _)| *known == name);
            open.extend(above.into_iter().flat_map(|(_, above)| above.iter().copied()));
        }
    }
    found
}

/// Whether a base class is one of the language, whose members don't change with the package.
pub(super) fn builtin_base(base: &Ref) -> bool {
    const KNOWN: &[&str] = &[
        "object",
        "Exception",
        "BaseException",
        "ValueError",
        "TypeError",
        "RuntimeError",
        "KeyError",
        "IndexError",
        "AttributeError",
        "LookupError",
        "OSError",
        "IOError",
        "ImportError",
        "NotImplementedError",
        "Warning",
        "UserWarning",
        "DeprecationWarning",
        "FutureWarning",
        "PendingDeprecationWarning",
        "RuntimeWarning",
        "AssertionError",
        "ArithmeticError",
        "TimeoutError",
        "ConnectionError",
        "UnicodeError",
        "StopIteration",
        "dict",
        "list",
        "tuple",
        "set",
        "frozenset",
        "str",
        "bytes",
        "int",
        "float",
        "bool",
        "type",
        "property",
        "Generic",
        "Protocol",
        "ABC",
        "Enum",
        "IntEnum",
        "NamedTuple",
        "TypedDict",
        "ABCMeta",
        "Mapping",
        "MutableMapping",
        "Sequence",
        "MutableSequence",
        "OrderedDict",
        "defaultdict",
        "Hashable",
        "Iterable",
        "Iterator",
        "Error",
        "Array",
        "Map",
        "Set",
        "EventEmitter",
        "Object",
        "Promise",
        "Function",
        "Record",
        "Iterable",
        "Readable",
        "Writable",
        "Duplex",
        "Transform",
        "Stream",
        "Server",
        "NodeJS",
        "AsyncIterable",
    ];
    let name = base_name(base);
    KNOWN.contains(&name) || ABOVE.iter().any(|(known, _)| *known == name)
}
