//! Types of columns, as far as one holds what another held.

use std::cmp::Ordering;

use sqlparser::ast::{BinaryLength, CharacterLength, DataType, EnumMember, ExactNumberInfo, TimezoneInfo};

/// Bytes of MySQL's `MEDIUMTEXT` and `MEDIUMBLOB`.
const MEDIUM: u64 = (1 << 24) - 1;
/// Bytes of MySQL's `LONGTEXT` and `LONGBLOB`.
const LONG: u64 = (1 << 32) - 1;

/// Digits of the seconds of a `TIMESTAMP` that says none (PostgreSQL; SQL standard, 6.1).
const MICROSECONDS: u64 = 6;

/// A type without its spelling: `INT4`, `INTEGER` and `INT` are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Int {
        bits: u32,
        unsigned: bool,
    },
    /// Digits in all, and behind the point; none: as many as the database takes.
    Decimal {
        digits: Option<(u64, i64)>,
    },
    Float {
        bits: u32,
    },
    /// Most characters; none: no bound.
    Text {
        length: Option<u64>,
        /// Shorter text is filled up with spaces.
        filled: bool,
    },
    Binary {
        length: Option<u64>,
    },
    Timestamp {
        zone: bool,
        /// `DATETIME`, which holds whole seconds where it doesn't say digits behind the point.
        datetime: bool,
        digits: Option<u64>,
    },
    /// Any of the values that are listed with the column.
    Set(Vec<String>),
    /// Values that are listed with the column.
    Enum(Vec<String>),
    /// All others, by their name in lower case.
    Named(String),
}

/// What a change of type means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Same,
    /// More fits, and what was in fits still: text.
    Longer,
    /// More fits: numbers that readers may not expect.
    Wider,
    /// Less fits.
    Narrower,
    /// The same fits, and shorter text is filled up, or no longer is.
    Filled,
    /// Something else fits.
    Other,
}

impl Type {
    pub(super) fn of(written: &DataType) -> Self {
        use DataType as D;
        let int = |bits| Self::Int { bits, unsigned: false };
        let unsigned = |bits| Self::Int { bits, unsigned: true };
        let text = |length| Self::Text { length, filled: false };
        match written {
            D::TinyInt(_) => int(8),
            D::SmallInt(_) | D::Int2(_) | D::Int16 => int(16),
            D::MediumInt(_) => int(24),
            D::Int(_) | D::Integer(_) | D::Int4(_) | D::Int32 | D::Signed | D::SignedInteger => int(32),
            D::BigInt(_) | D::Int8(_) | D::Int64 => int(64),
            D::TinyIntUnsigned(_) | D::UTinyInt | D::UInt8 => unsigned(8),
            D::SmallIntUnsigned(_) | D::USmallInt | D::Int2Unsigned(_) | D::UInt16 => unsigned(16),
            D::MediumIntUnsigned(_) => unsigned(24),
            D::IntUnsigned(_) | D::IntegerUnsigned(_) | D::Int4Unsigned(_) | D::UInt32 => unsigned(32),
            D::BigIntUnsigned(_) | D::UBigInt | D::Int8Unsigned(_) | D::UInt64 => unsigned(64),
            D::Numeric(info) | D::Decimal(info) | D::Dec(info) => Self::Decimal { digits: digits(info) },
            D::Real | D::Float4 | D::Float32 => Self::Float { bits: 32 },
            D::Float8 | D::Float64 | D::Double(_) | D::DoublePrecision => Self::Float { bits: 64 },
            // Up to 24 binary digits it is a single (SQL standard, and all that follow it).
            D::Float(ExactNumberInfo::Precision(bits)) if *bits <= 24 => Self::Float { bits: 32 },
            D::Float(_) => Self::Float { bits: 64 },
            D::Character(length) | D::Char(length) => Self::Text {
                length: length.as_ref().map_or(Some(1), characters),
                filled: true,
            },
            D::CharacterVarying(length) | D::CharVarying(length) | D::Varchar(length) | D::Nvarchar(length) => {
                text(length.as_ref().and_then(characters))
            }
            D::TinyText => text(Some(255)),
            D::MediumText => text(Some(MEDIUM)),
            D::LongText => text(Some(LONG)),
            D::Text | D::Clob(_) | D::String(None) => text(None),
            D::String(length) => text(*length),
            D::Varbinary(Some(BinaryLength::IntegerLength { length })) => Self::Binary { length: Some(*length) },
            D::Binary(length) => Self::Binary {
                length: Some(length.unwrap_or(1)),
            },
            D::TinyBlob => Self::Binary { length: Some(255) },
            D::MediumBlob => Self::Binary { length: Some(MEDIUM) },
            D::LongBlob => Self::Binary { length: Some(LONG) },
            D::Varbinary(_) | D::Bytea | D::Blob(_) | D::Bytes(_) => Self::Binary { length: None },
            D::Bool | D::Boolean => Self::Named("boolean".to_owned()),
            D::Timestamp(digits, zone) => Self::Timestamp {
                datetime: false,
                digits: *digits,
                zone: matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz),
            },
            D::Datetime(digits) => Self::Timestamp {
                zone: false,
                datetime: true,
                digits: *digits,
            },
            D::TimestampNtz(_) => Self::Timestamp {
                zone: false,
                datetime: false,
                digits: None,
            },
            D::Set(values) => Self::Set(values.clone()),
            D::Enum(members, _) => Self::Enum(members.iter().map(member).collect()),
            D::Custom(name, arguments) => match name.to_string().to_ascii_lowercase().as_str() {
                "smallserial" | "serial2" => int(16),
                "serial" | "serial4" => int(32),
                "bigserial" | "serial8" => int(64),
                // Oracle's, and PostgreSQL's own name of `char`.
                "varchar2" | "nvarchar2" => text(number(arguments, 0)),
                "bpchar" => Self::Text {
                    length: number(arguments, 0),
                    filled: true,
                },
                "raw" => Self::Binary {
                    length: number(arguments, 0),
                },
                "number" => Self::Decimal {
                    digits: number(arguments, 0).map(|all| {
                        let behind = number(arguments, 1).and_then(|behind| i64::try_from(behind).ok());
                        (all, behind.unwrap_or_default())
                    }),
                },
                other => {
                    let name = other.trim_start_matches("public.").trim_matches('"');
                    match arguments.as_slice() {
                        [] => Self::Named(name.to_owned()),
                        some => Self::Named(format!("{name}({})", some.join(", ").to_ascii_lowercase())),
                    }
                }
            },
            other => Self::Named(other.to_string().to_ascii_lowercase()),
        }
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Int { bits, unsigned } => format!("{}{bits}-bit integer", if *unsigned { "unsigned " } else { "" }),
            Self::Decimal { digits: None } => "numeric".to_owned(),
            Self::Decimal {
                digits: Some((all, behind)),
            } => format!("numeric({all},{behind})"),
            Self::Float { bits } => format!("{bits}-bit float"),
            Self::Text { length, filled } => {
                let filled = if *filled { "filled up " } else { "" };
                let length = length.map(|length| format!(" of {length}")).unwrap_or_default();
                format!("{filled}text{length}")
            }
            Self::Binary { length: None } => "bytes".to_owned(),
            Self::Binary { length: Some(length) } => format!("{length} bytes"),
            Self::Timestamp { zone, digits, .. } => {
                let digits = digits.map(|digits| format!("({digits})")).unwrap_or_default();
                format!("timestamp{digits}{}", if *zone { " with time zone" } else { "" })
            }
            Self::Enum(values) => format!("enum({})", values.join(", ")),
            Self::Set(values) => format!("set({})", values.join(", ")),
            Self::Named(name) => name.clone(),
        }
    }

    /// What it means that a column of this type gets the other.
    pub(super) fn step_to(&self, new: &Self) -> Step {
        if self == new {
            return Step::Same;
        }
        match (self, new) {
            (Self::Int { .. }, Self::Int { .. }) => numbers(int_range(self), int_range(new)),
            (Self::Float { bits: old }, Self::Float { bits: new }) => numbers((0, *old), (0, *new)),
            (Self::Decimal { digits: old }, Self::Decimal { digits: new }) => match (old, new) {
                (_, None) => Step::Wider,
                (None, Some(_)) => Step::Narrower,
                (Some((all, behind)), Some((new_all, new_behind))) => {
                    let before =
                        |all: &u64, behind: &i64| i64::try_from(*all).unwrap_or(i64::MAX).saturating_sub(*behind);
                    let fits = new_behind >= behind && before(new_all, new_behind) >= before(all, behind);
                    if fits { Step::Wider } else { Step::Narrower }
                }
            },
            (
                Self::Text { length, filled },
                Self::Text {
                    length: new,
                    filled: new_filled,
                },
            ) => match lengths(*length, *new) {
                Step::Narrower => Step::Narrower,
                _ if filled != new_filled => Step::Filled,
                step => step,
            },
            (Self::Binary { length: old }, Self::Binary { length: new }) => lengths(*old, *new),
            (Self::Timestamp { zone, .. }, Self::Timestamp { zone: new_zone, .. }) if zone == new_zone => {
                fractions(self, new)
            }
            (Self::Enum(old), Self::Enum(new)) | (Self::Set(old), Self::Set(new)) => {
                if old.iter().all(|value| new.contains(value)) {
                    Step::Wider
                } else {
                    Step::Narrower
                }
            }
            _ => Step::Other,
        }
    }
}

const fn lengths(old: Option<u64>, new: Option<u64>) -> Step {
    match (old, new) {
        // MySQL's plain texts are shorter than these, which only MySQL has.
        (Some(MEDIUM | LONG), None) => Step::Narrower,
        (None, None) => Step::Same,
        (None, Some(MEDIUM | LONG)) | (_, None) => Step::Longer,
        (Some(old), Some(new)) if new == old => Step::Same,
        (Some(old), Some(new)) if new > old => Step::Longer,
        _ => Step::Narrower,
    }
}

/// Digits behind the point of seconds: what isn't said is said by the database, and in another way for each type.
fn fractions(old: &Type, new: &Type) -> Step {
    let digits = |ty: &Type| match ty {
        Type::Timestamp { datetime, digits, .. } => (*datetime, *digits),
        _ => (false, None),
    };
    let ((old_datetime, old), (new_datetime, new)) = (digits(old), digits(new));
    if old_datetime != new_datetime && (old.is_none() || new.is_none()) {
        return Step::Same;
    }
    let held = |digits: Option<u64>| digits.unwrap_or(if old_datetime { 0 } else { MICROSECONDS });
    match held(new).cmp(&held(old)) {
        Ordering::Less => Step::Narrower,
        Ordering::Equal => Step::Same,
        Ordering::Greater => Step::Wider,
    }
}

/// A whole number among the arguments of a type: `20`, `20 CHAR`.
fn number(arguments: &[String], at: usize) -> Option<u64> {
    arguments.get(at)?.split_whitespace().next()?.parse().ok()
}

/// Binary digits below and above zero.
fn int_range(ty: &Type) -> (u32, u32) {
    match ty {
        Type::Int { bits, unsigned: true } => (0, *bits),
        Type::Int { bits, .. } => (bits - 1, bits - 1),
        _ => (0, 0),
    }
}

fn numbers(old: (u32, u32), new: (u32, u32)) -> Step {
    if new.0 >= old.0 && new.1 >= old.1 {
        Step::Wider
    } else {
        Step::Narrower
    }
}

fn digits(info: &ExactNumberInfo) -> Option<(u64, i64)> {
    match info {
        ExactNumberInfo::None => None,
        ExactNumberInfo::Precision(all) => Some((*all, 0)),
        ExactNumberInfo::PrecisionAndScale(all, behind) => Some((*all, *behind)),
    }
}

const fn characters(length: &CharacterLength) -> Option<u64> {
    match length {
        CharacterLength::IntegerLength { length, .. } => Some(*length),
        CharacterLength::Max => None,
    }
}

fn member(member: &EnumMember) -> String {
    match member {
        EnumMember::Name(name) | EnumMember::NamedValue(name, _) => name.clone(),
    }
}
