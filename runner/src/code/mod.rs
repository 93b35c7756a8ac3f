//! Source text as tokens and statements, without what a formatter changes: enough to tell code that moved or was
//! reformatted from code that changed, in any of the usual languages and without a grammar for each.

mod lang;
mod lex;
mod statements;

pub(crate) use lang::Lang;

pub(crate) use lex::{Kind, Token, lex};
pub(crate) use statements::{Code, Part, Span};

#[cfg(test)]
mod tests;
