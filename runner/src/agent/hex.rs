//! Bytes in JSON: two hexadecimal digits each.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};
use std::borrow::Cow;
use std::fmt::Write as _;

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    serializer.serialize_str(&text)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = Cow::<'_, str>::deserialize(deserializer)?;
    decode(text.as_bytes()).ok_or_else(|| D::Error::custom("expected pairs of hexadecimal digits"))
}

fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(value(*high)? << 4 | value(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pairs_of_digits_are_bytes() {
        assert_eq!(decode(b"00ffA0"), Some(vec![0, 255, 160]));
        assert_eq!(decode(b""), Some(Vec::new()));
        for bad in ["0", "0g", "é0", "0x"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
