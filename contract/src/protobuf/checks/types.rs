//! Which types stand for each other: in the binary format, and in JSON as well.

use std::collections::BTreeSet;

use crate::protobuf::index::Index;
use crate::protobuf::model::{Cardinality, Enum, Field, Kind, Literal};

/// Kinds that read each other's bytes (protobuf.dev, "Updating A Message Type"). Text and bytes are apart, because
/// bytes may be no text; the other way round is allowed where it is asked for.
pub(super) const fn wire_group(kind: Kind) -> u8 {
    match kind {
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool => 1,
        Kind::Sint32 | Kind::Sint64 => 2,
        Kind::String => 3,
        Kind::Bytes => 4,
        Kind::Fixed32 | Kind::Sfixed32 => 5,
        Kind::Fixed64 | Kind::Sfixed64 => 6,
        Kind::Double => 7,
        Kind::Float => 8,
        Kind::Group => 9,
        Kind::Message => 10,
        Kind::Enum => 11,
    }
}

/// Kinds that read each other's bytes and each other's JSON (protobuf.dev, "ProtoJSON Format").
pub(super) const fn json_group(kind: Kind) -> u8 {
    match kind {
        Kind::Int32 | Kind::Uint32 => 1,
        Kind::Int64 | Kind::Uint64 => 2,
        Kind::Fixed32 | Kind::Sfixed32 => 3,
        Kind::Fixed64 | Kind::Sfixed64 => 4,
        Kind::Bool => 5,
        Kind::Sint32 => 6,
        Kind::Sint64 => 7,
        Kind::String => 8,
        Kind::Bytes => 9,
        Kind::Double => 10,
        Kind::Float => 11,
        Kind::Group => 12,
        Kind::Message => 13,
        Kind::Enum => 14,
    }
}

/// Cardinalities that are alike in the binary format.
pub(super) const fn wire_cardinality(cardinality: Cardinality) -> u8 {
    match cardinality {
        Cardinality::Explicit | Cardinality::Implicit => 1,
        Cardinality::Required => 2,
        Cardinality::Repeated | Cardinality::Map => 3,
    }
}

/// Cardinalities that are alike in both formats: JSON writes a map as an object.
pub(super) const fn json_cardinality(cardinality: Cardinality) -> u8 {
    match cardinality {
        Cardinality::Map => 4,
        other => wire_cardinality(other),
    }
}

/// Whether an enum may take the place of another: same short name, and every name keeps its number.
pub(super) fn enum_stands_for(new: Option<&Enum>, old: Option<&Enum>) -> bool {
    let (Some(new), Some(old)) = (new, old) else {
        return false;
    };
    let kept: BTreeSet<(&str, i64)> = new
        .values
        .iter()
        .map(|value| (value.name.as_str(), value.number))
        .collect();
    new.name == old.name
        && old
            .values
            .iter()
            .all(|value| kept.contains(&(value.name.as_str(), value.number)))
}

/// What a field that isn't sent is read as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Default {
    Text(Vec<u8>),
    /// Whole numbers, `bool` and enums by number.
    Whole(i128),
    Float(f64),
    /// A `float`: compared with a `double` in the precision that both have.
    Single(f32),
}

impl Default {
    /// Only a field that stands at most once, and isn't a message, has one.
    pub(super) fn of(field: &Field, index: &Index<'_>) -> Option<Self> {
        if matches!(field.cardinality, Cardinality::Repeated | Cardinality::Map) {
            return None;
        }
        let set = field.options.get("default").map(|option| &option.value);
        let word = match set {
            Some(Literal::Word(word)) => Some(word.as_str()),
            _ => None,
        };
        Some(match field.kind {
            Kind::Message | Kind::Group => return None,
            Kind::String | Kind::Bytes => Self::Text(match set {
                Some(Literal::Text(bytes)) => bytes.clone(),
                _ => Vec::new(),
            }),
            Kind::Bool => Self::Whole(i128::from(word == Some("true"))),
            Kind::Enum => {
                let found = index.enums.get(field.type_name.as_str())?;
                let mut values = found.item.values.iter();
                let value = match word {
                    Some(word) => values.find(|value| value.name == word),
                    None => values.next(),
                };
                Self::Whole(i128::from(value?.number))
            }
            Kind::Double => Self::Float(float(word)),
            #[allow(clippy::cast_possible_truncation, reason = "that is the precision of the field")]
            Kind::Float => Self::Single(float(word) as f32),
            _ => Self::Whole(word.map_or(Some(0), whole)?),
        })
    }

    pub(super) fn is_zero(&self) -> bool {
        match self {
            Self::Text(bytes) => bytes.is_empty(),
            Self::Whole(number) => *number == 0,
            Self::Float(number) => *number == 0.0,
            Self::Single(number) => *number == 0.0,
        }
    }

    /// Whether both are one value, whatever type holds it: that the type changed is told by other rules.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Text(_), _) | (_, Self::Text(_)) => false,
            #[allow(
                clippy::cast_possible_truncation,
                reason = "compared in the precision that both have"
            )]
            (Self::Single(a), Self::Float(b)) | (Self::Float(b), Self::Single(a)) => same_float(*a, *b as f32),
            (Self::Single(a), Self::Single(b)) => same_float(*a, *b),
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Whole(a), Self::Whole(b)) => a == b,
            (Self::Whole(whole), Self::Float(float)) | (Self::Float(float), Self::Whole(whole)) => {
                is_whole(*float, *whole)
            }
            (Self::Whole(whole), Self::Single(float)) | (Self::Single(float), Self::Whole(whole)) => {
                is_whole(f64::from(*float), *whole)
            }
        }
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
            Self::Whole(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Single(number) => number.to_string(),
        }
    }
}

fn same_float(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Whether a float is exactly that number. All whole numbers here lie within 64 bits.
#[allow(clippy::cast_possible_truncation, reason = "the bounds are checked first")]
fn is_whole(float: f64, whole: i128) -> bool {
    float.fract() == 0.0 && float.abs() < 1e30 && float as i128 == whole
}

fn float(word: Option<&str>) -> f64 {
    let Some(word) = word else { return 0.0 };
    match word.trim_end_matches(['f', 'F']) {
        _ if word.ends_with("nan") => f64::NAN,
        _ if word.ends_with("inf") => word.parse().unwrap_or_default(),
        digits => digits.parse().unwrap_or_else(|_| {
            // `0x10`: a whole number is a float, too.
            whole(word).map_or(0.0, |number| number as f64)
        }),
    }
}

fn whole(word: &str) -> Option<i128> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let number = match (hex, digits.strip_prefix('0')) {
        (Some(hex), _) => i128::from_str_radix(hex, 16),
        (None, Some(octal)) if !octal.is_empty() => i128::from_str_radix(octal, 8),
        _ => digits.parse::<i128>(),
    };
    number.ok().map(|number| if negative { -number } else { number })
}
