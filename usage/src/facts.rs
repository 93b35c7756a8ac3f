//! What one source file says, in the same words for every language.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Range;

use crate::bounds::MAX_FACTS;

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Path from the repo's root, with `/`.
    pub path: String,
    /// Line, 1-based.
    pub line: u32,
    /// Function that encloses it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

/// Where in its file: the line (1-based) and the byte offset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    pub line: u32,
    pub offset: usize,
}

/// What a name that an import binds stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    /// Name in this file.
    pub local: String,
    /// Module as it is written.
    pub module: String,
    /// Members below that module.
    pub members: Vec<String>,
}

/// One import, `require`, `use` or the like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Import {
    /// Module as it is written: `a.b`, `..a`, `./x`, `crate::a::b`, `com.acme.Thing`.
    pub module: String,
    /// Names that it binds.
    pub bound: Vec<Bound>,
    /// It binds every public name of the module.
    pub star: bool,
    /// It hands names on to whoever imports this file.
    pub reexport: bool,
    /// It goes away when the program is compiled.
    pub type_only: bool,
    /// It is made for what loading does.
    pub side_effect: bool,
    /// It takes the default export (JavaScript).
    pub default: bool,
    /// It is a CommonJS `require` (JavaScript).
    pub required: bool,
    /// The local name is only guessed from the module's.
    pub guessed: bool,
    pub spot: Spot,
}

/// A name and what is reached from it: `a.b().c` is `[a, b, c]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The module, where the chain starts at a literal `require("m")`; then `names` are members of it.
    pub module: Option<String>,
    /// Names from the root; `?` is an expression without a name, `*` a member whose name is computed.
    pub names: Vec<String>,
    /// The first member is one of a value (`x.y`), so that the root is no module (Rust).
    pub dotted: bool,
}

impl Chain {
    /// A chain that starts at a name.
    pub fn root(name: &str) -> Self {
        Self {
            names: vec![name.to_owned()],
            ..Self::default()
        }
    }

    /// A chain that starts at a loaded module.
    pub fn loaded(module: &str) -> Self {
        Self {
            module: Some(module.to_owned()),
            ..Self::default()
        }
    }
}

/// Stands among implied members for: it is given another value, or taken away.
pub(crate) const SET: &str = "=";

/// One use of a chain.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub chain: Chain,
    /// It is called, or made with `new`.
    pub called: bool,
    /// It is the value of an alias, which is followed by itself.
    pub aliased: bool,
    /// It is in a macro, an attribute or a decorator-like place, whose expansion isn't known.
    pub expands: bool,
    /// Calls along the chain: after how many of its names, and with what.
    pub calls: Vec<(usize, Arguments)>,
    pub role: Role,
    /// Members that the language itself asks for there, unnamed: `with x` asks for `__enter__`; [`SET`] where it is
    /// set.
    pub implied: &'static [&'static str],
    pub spot: Spot,
}

/// What is handed over at a call, as far as the text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Per positional argument: the keys, where it is an object that is written out (JavaScript).
    pub positional: Vec<Option<Vec<String>>>,
    /// Names of keyword arguments, or of the fields of a struct that is written out.
    pub keywords: Vec<String>,
    /// Some are unpacked from a value (`*a`, `**k`, `...a`), or can't be read: these aren't all.
    pub open: bool,
    /// It is made with `new` (JavaScript).
    pub made: bool,
}

/// What a use does with what it names, besides reading or calling it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    Value,
    /// A class is derived from it, or it is a trait or an interface that is implemented.
    Base,
    /// It is a decorator, called with what it decorates.
    Decorator,
    /// Objects are asked whether they are of it: `isinstance(_, X)`, `_ instanceof X`.
    Asked,
    /// Errors of it are caught: `except X`.
    Caught,
}

/// `local` stands for what `chain` stands for, or for what comes out when it is called.
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    pub local: String,
    pub chain: Chain,
    /// It stands for what a call along the chain gives.
    pub gave: bool,
    pub scope: Range<usize>,
}

/// A function and the bytes it covers.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub name: String,
    pub range: Range<usize>,
}

/// What is known only when the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DynamicKind {
    /// Any module could be loaded, or any code run.
    Load,
    /// Any member of some object could be called.
    Member,
}

/// A construct that hides what is used.
#[derive(Debug, Clone)]
pub(crate) struct Dynamic {
    pub kind: DynamicKind,
    pub what: String,
    pub spot: Spot,
}

/// Everything that a file says.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileFacts {
    pub imports: Vec<Import>,
    pub uses: Vec<Use>,
    pub aliases: Vec<Alias>,
    /// Names that functions bind themselves (parameters, locals), with the bytes where they hold.
    pub shadows: Vec<(String, Range<usize>)>,
    pub functions: Vec<Function>,
    pub dynamics: Vec<Dynamic>,
    /// String literals that look like names.
    pub strings: Vec<(String, Spot)>,
    /// Package that the file says it belongs to (Java, Go).
    pub package: Option<String>,
    /// Why not all of the file was understood.
    pub incomplete: Option<String>,
    /// Uses of reflective gateways whose meaning is clear: where the chain starts, and the name that is called.
    pub understood: HashSet<(usize, String)>,
}

impl FileFacts {
    /// Adds to one of the lists; a list that is full makes the file incomplete.
    pub fn push<T>(list: &mut Vec<T>, item: T, incomplete: &mut Option<String>) {
        if list.len() < MAX_FACTS {
            list.push(item);
        } else if incomplete.is_none() {
            *incomplete = Some(format!("more than {MAX_FACTS} names"));
        }
    }

    pub fn import(&mut self, import: Import) {
        Self::push(&mut self.imports, import, &mut self.incomplete);
    }

    pub fn dynamic(&mut self, kind: DynamicKind, what: &str, spot: Spot) {
        let what = what.to_owned();
        Self::push(&mut self.dynamics, Dynamic { kind, what, spot }, &mut self.incomplete);
    }

    /// Notes that a use of a gateway is understood.
    pub fn understand(&mut self, offset: usize, name: &str) {
        if self.understood.len() < MAX_FACTS {
            self.understood.insert((offset, name.to_owned()));
        }
    }

    pub fn shadow(&mut self, name: &str, scope: Option<Range<usize>>) {
        if let Some(scope) = scope {
            Self::push(&mut self.shadows, (name.to_owned(), scope), &mut self.incomplete);
        }
    }

    /// The innermost function around a byte.
    pub fn enclosing(&self, offset: usize) -> Option<&Function> {
        self.functions
            .iter()
            .filter(|function| function.range.contains(&offset))
            .min_by_key(|function| function.range.len())
    }
}
