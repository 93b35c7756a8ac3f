//! One thing of a surface: what it is, and what its text says of it besides.

use super::{Ref, ScopeId};
use crate::upgrade::signature::Signature;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A function, a method, a callable macro.
    Function(Signature),
    /// A class, an interface, a struct, a trait, an enum; the scope holds its members.
    Class(ScopeId),
    /// A module.
    Module(ScopeId),
    /// A value or a field, with its type where it is written.
    Value(Option<String>),
    /// Another name for something.
    Alias(Ref),
    /// A type that is only another spelling: its text.
    Type(String),
    /// It is there, and what it is can't be read.
    Opaque(String),
}

/// Through what a member of a class is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Through the class and through its objects.
    #[default]
    Any,
    /// Through the class only (`static` of JavaScript).
    Class,
    /// Through its objects; through the class it is something else, or nothing.
    Object,
    /// By classes that derive from it only (`protected` of TypeScript).
    Heirs,
}

/// What the name of a class stands for (TypeScript handbook, "Declaration merging").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Meaning {
    /// For a value and for the type of its objects.
    #[default]
    Both,
    /// For a type only: an interface.
    Type,
    /// For a value only: an object whose members are declared.
    Value,
}

/// How a value comes about, where its text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Made {
    /// It isn't said, or doesn't matter to who uses it.
    #[default]
    Unsaid,
    /// It is written out: `30`, `"utf-8"`.
    Literal(String),
    /// A call, or a choice, makes it: what is called, and with what.
    Call {
        /// What is called, as written; nothing where it is a choice.
        by: String,
        /// The arguments, as written.
        with: String,
    },
    /// Code gives it when it is asked for, or it can only be read: whether it can be set.
    Accessor {
        /// Whether it can be set.
        set: bool,
    },
}

/// One thing of a surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Digest of all of its text, comments and layout left out; 0 where there is none to see.
    pub body: u64,
    /// File in the package.
    pub file: String,
    /// Line there, 1-based.
    pub line: u32,
    /// Through what it is reached, as a member of a class.
    pub reach: Reach,
    /// How it comes about, as a value.
    pub made: Made,
    /// The condition under which it is there at all, as written (`sys.platform == "win32"`, `cfg(unix)`).
    pub when: Option<String>,
}

impl Item {
    /// A thing of which nothing else is known.
    #[must_use]
    pub fn new(kind: Kind, file: &str, line: u32) -> Self {
        Self {
            kind,
            body: 0,
            file: file.to_owned(),
            line,
            reach: Reach::default(),
            made: Made::default(),
            when: None,
        }
    }
}
