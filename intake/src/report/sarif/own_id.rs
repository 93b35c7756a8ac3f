//! A result's fingerprints, as its tool computed them.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt::{self, Write as _};

/// Named fingerprints (SARIF §3.27.16, §3.27.17) as one text: they are only compared. Some tools nest them.
#[derive(Default)]
pub struct OwnId(String);

impl fmt::Display for OwnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for OwnId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fingerprints;
        impl<'de> Visitor<'de> for Fingerprints {
            type Value = OwnId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of fingerprints")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnId, A::Error> {
                let mut text = String::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // Writing to a string can't fail.
                    let _ = write!(text, "{name}={value};");
                }
                Ok(OwnId(text))
            }
        }
        deserializer.deserialize_map(Fingerprints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_one_text_nested_ones_too() {
        let read = |json: &str| serde_json::from_str::<OwnId>(json).map(|id| id.to_string());
        assert_eq!(
            read(r#"{"a/v1":"x","b":{"value":1}}"#).unwrap(),
            r#"a/v1="x";b={"value":1};"#
        );
        assert_eq!(read("{}").unwrap(), "");
        assert!(read("[1]").is_err());
    }
}
