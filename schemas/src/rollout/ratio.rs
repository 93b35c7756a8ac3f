//! Shares and rates, exactly.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A share between 0 and 1, in parts per million, so that it is the same on every machine. Written as a percentage with
/// at most four decimals: `97%`, `99.5%`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u32);

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All.
    pub const ONE: Self = Self(Self::MILLION);
    const MILLION: u32 = 1_000_000;

    /// A share in parts per million; more than all is all.
    #[must_use]
    pub const fn of_millionths(millionths: u32) -> Self {
        if millionths > Self::MILLION {
            Self::ONE
        } else {
            Self(millionths)
        }
    }

    /// A share in whole per cent; more than all is all.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self::of_millionths(percent.saturating_mul(10_000))
    }

    /// Parts per million.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        let text = match rest {
            0 => format!("{whole}%"),
            _ => format!("{whole}.{}%", format!("{rest:04}").trim_end_matches('0')),
        };
        f.pad(&text)
    }
}

/// Why a text is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no share; a percentage between 0% and 100% was expected, for example `97%` or `99.5%`")]
pub struct NoRatio(String);

impl FromStr for Ratio {
    type Err = NoRatio;

    fn from_str(text: &str) -> Result<Self, NoRatio> {
        parse(text).ok_or_else(|| NoRatio(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<Ratio> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let decimals: u32 = format!("{decimals:0<4}").parse().ok()?;
    let millionths = whole.checked_mul(10_000)?.checked_add(decimals)?;
    (millionths <= Ratio::MILLION).then_some(Ratio(millionths))
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Ratio {
    fn schema_name() -> Cow<'static, str> {
        "Ratio".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A percentage between 0% and 100%, for example `97%` or `99.5%`.",
            "type": "string",
            "pattern": r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)%$"
        })
    }
}
