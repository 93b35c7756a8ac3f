//! Typed keys of facts: what is collected under a key has the type that the fact's row declares, and a
//! misspelt id doesn't compile.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::FactValue;

/// The id of a shipped fact, with the type of its value. The keys are generated: [`crate::fact::keys`].
#[derive(Debug)]
pub struct Key<T> {
    id: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    /// Only the generated module makes keys: there, id and type are those of a row.
    pub(super) const fn new(id: &'static str) -> Self {
        Self { id, value: PhantomData }
    }

    /// The fact's id, its path in `context`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.id
    }
}

/// A Rust type that the value of a fact can have: `bool`, `i64`, `&'static str` for one of the row's words,
/// `String` for free text, `BTreeSet<String>` for a set.
pub trait Typed: Into<FactValue> {
    /// As it is read from a set of facts.
    type Read<'a>;

    /// The value, or `None` if it is of another type.
    fn read(value: &FactValue) -> Option<Self::Read<'_>>;
}

impl Typed for bool {
    type Read<'a> = Self;

    fn read(value: &FactValue) -> Option<Self> {
        match value {
            FactValue::Bool(yes) => Some(*yes),
            _ => None,
        }
    }
}

impl Typed for i64 {
    type Read<'a> = Self;

    fn read(value: &FactValue) -> Option<Self> {
        match value {
            FactValue::Long(number) => Some(*number),
            _ => None,
        }
    }
}

impl Typed for &'static str {
    type Read<'a> = &'a str;

    fn read(value: &FactValue) -> Option<&str> {
        match value {
            FactValue::String(word) => Some(word),
            _ => None,
        }
    }
}

impl Typed for String {
    type Read<'a> = &'a str;

    fn read(value: &FactValue) -> Option<&str> {
        match value {
            FactValue::String(text) => Some(text),
            _ => None,
        }
    }
}

impl Typed for BTreeSet<String> {
    type Read<'a> = &'a Self;

    fn read(value: &FactValue) -> Option<&Self> {
        match value {
            FactValue::Set(words) => Some(words),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_not_read() {
        assert_eq!(i64::read(&FactValue::Long(3)), Some(3));
        assert_eq!(i64::read(&FactValue::Bool(true)), None);
        assert_eq!(<&'static str>::read(&"patch".into()), Some("patch"));
        assert_eq!(bool::read(&"true".into()), None);
    }
}
