//! JSON in which no key occurs twice: readers differ in which of two they take, and a digest covers only one.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// Refuses a text in which an object has a key twice, or that isn't JSON. Depth is bounded by the parser (128).
pub(super) fn check(text: &[u8]) -> Result<(), serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    Strict.deserialize(&mut parser)?;
    parser.end()
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strict)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format!(
                    "the key `{}` occurs twice",
                    key.escape_debug()
                )));
            }
            seen.insert(key);
            fields.next_value_seed(Strict)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_key_that_occurs_twice_is_refused_however_deep_and_however_spelt() {
        assert!(check(br#"{"a":[{"b":1,"c":{"b":2.5}},null,true,"x",-1]}"#).is_ok());
        for bad in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"b":2,"\u0061":1}}]"#] {
            assert!(
                check(bad.as_bytes())
                    .unwrap_err()
                    .to_string()
                    .contains("`a` occurs twice"),
                "{bad}"
            );
        }
        for bad in ["", "{", "{} {}", &"[".repeat(1000)] {
            assert!(check(bad.as_bytes()).is_err());
        }
    }
}
