//! Fields that tools write now in one type and now in another.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A line, column or other small count: a number, or text that begins with one (`"79"`,
/// `"79-81"`). Anything else, `-1` and `null` among it, is `None`.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Ok(Scalar::deserialize(deserializer)?.number())
}

/// Text, a number, or true and false, as text. Anything else is empty.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Scalar::deserialize(deserializer)?.text().unwrap_or_default())
}

/// Texts: a list of them, or one instead of a list. What has parts is passed over.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text or a list of texts")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some(item) = seq.next_element::<Scalar>()? {
                texts.extend(item.text());
            }
            Ok(texts)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Vec::new())
        }
        fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }
        fn visit_u64<E>(self, number: u64) -> Result<Vec<String>, E> {
            Ok(vec![number.to_string()])
        }
        fn visit_i64<E>(self, number: i64) -> Result<Vec<String>, E> {
            Ok(vec![number.to_string()])
        }
        fn visit_f64<E>(self, number: f64) -> Result<Vec<String>, E> {
            Ok(vec![number.to_string()])
        }
        fn visit_bool<E>(self, _: bool) -> Result<Vec<String>, E> {
            Ok(Vec::new())
        }
        fn visit_unit<E>(self) -> Result<Vec<String>, E> {
            Ok(Vec::new())
        }
    }
    deserializer.deserialize_any(Texts)
}

/// True or false, also as text or as 1 and 0. Anything else is false.
pub fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Truth(truth) => truth,
        Scalar::Text(text) => text.eq_ignore_ascii_case("true") || text == "1",
        Scalar::Whole(number) => number > 0,
        Scalar::Fraction(_) | Scalar::Other => false,
    })
}

/// A list, one object instead of a list of one, or `null` for none.
pub fn many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Many<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Many<T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list or an object")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = seq.next_element()? {
                items.push(item);
            }
            Ok(items)
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            Ok(vec![T::deserialize(MapAccessDeserializer::new(map))?])
        }
        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }
    }
    deserializer.deserialize_any(Many(PhantomData))
}

/// One value without parts.
enum Scalar {
    Text(String),
    Whole(i128),
    Fraction(f64),
    Truth(bool),
    Other,
}

impl Scalar {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Whole(number) => Some(number.to_string()),
            Self::Fraction(number) => Some(number.to_string()),
            Self::Truth(truth) => Some(truth.to_string()),
            Self::Other => None,
        }
    }

    fn number(&self) -> Option<u32> {
        match self {
            Self::Whole(number) => u32::try_from(*number).ok(),
            // Some tools write every number as a fraction: `79.0`.
            Self::Fraction(number) => number.to_string().parse().ok(),
            Self::Text(text) => {
                let digits = text.trim().split(|c: char| !c.is_ascii_digit()).next()?;
                digits.parse().ok()
            }
            Self::Truth(_) | Self::Other => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a number")
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
                Ok(Scalar::Text(text))
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Scalar, E> {
                Ok(Scalar::Truth(truth))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Whole(number.into()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Whole(number.into()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Fraction(number))
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(Look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "number")]
        line: Option<u32>,
        #[serde(default, deserialize_with = "text")]
        id: String,
        #[serde(default, deserialize_with = "truth")]
        on: bool,
    }

    #[derive(serde::Deserialize)]
    struct Tags {
        #[serde(default, deserialize_with = "texts")]
        tags: Vec<String>,
    }

    #[derive(serde::Deserialize)]
    struct Rows {
        #[serde(default, deserialize_with = "many")]
        rows: Vec<Row>,
    }

    fn row(json: &str) -> Row {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_line_is_read_from_numbers_and_from_text_that_begins_with_one() {
        for (json, wanted) in [
            ("79", Some(79)),
            ("\"79\"", Some(79)),
            ("\"79-81\"", Some(79)),
            ("79.0", Some(79)),
            ("-1", None),
            ("1e300", None),
            ("null", None),
            ("\"\"", None),
            ("[{}]", None),
        ] {
            assert_eq!(row(&format!("{{\"line\":{json}}}")).line, wanted, "{json}");
        }
    }

    #[test]
    fn text_and_truth_are_read_from_whatever_has_no_parts() {
        assert_eq!(row("{\"id\":327}").id, "327");
        assert_eq!(row("{\"id\":{\"a\":1}}").id, "");
        let texts = |json: &str| serde_json::from_str::<Tags>(json).unwrap().tags;
        assert_eq!(texts("{\"tags\":[\"a\",7,{},null]}"), ["a", "7"]);
        assert_eq!(texts("{\"tags\":\"a\"}"), ["a"]);
        assert!(texts("{\"tags\":null}").is_empty() && texts("{\"tags\":{}}").is_empty());
        assert!(row("{\"on\":\"True\"}").on && row("{\"on\":1}").on && !row("{\"on\":null}").on);
    }

    #[test]
    fn one_object_stands_for_a_list_of_one_and_errors_keep_their_place() {
        let count = |json: &str| serde_json::from_str::<Rows>(json).map(|rows| rows.rows.len());
        assert_eq!(count("{\"rows\":{\"line\":1}}").unwrap(), 1);
        assert_eq!(count("{\"rows\":[{},{}]}").unwrap(), 2);
        assert_eq!(count("{\"rows\":null}").unwrap(), 0);
        assert_eq!(count("{\"rows\":[\n{},\n5]}").err().unwrap().line(), 3);
    }
}
