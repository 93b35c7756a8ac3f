//! What an edition leaves to options: features, their defaults and their inheritance (protobuf.dev, "Feature
//! Settings for Editions"). For proto2 and proto3 the defaults are all that there is.

use super::model::{Options, Syntax};

/// Features of a declaration after inheritance. Values are the words of the options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Features {
    pub field_presence: Feature,
    pub enum_type: Feature,
    pub utf8_validation: Feature,
    pub message_encoding: Feature,
    pub json_format: Feature,
    /// `(pb.cpp).string_type`.
    pub cpp_string_type: Feature,
    /// `(pb.java).utf8_validation`.
    pub java_utf8_validation: Feature,
}

/// The value of one feature: one of few words, so shared.
pub(super) type Feature = std::sync::Arc<str>;

/// Features by the option that sets them.
pub(super) const ENUM_TYPE: &str = "features.enum_type";
pub(super) const UTF8_VALIDATION: &str = "features.utf8_validation";
pub(super) const JSON_FORMAT: &str = "features.json_format";
pub(super) const CPP_STRING_TYPE: &str = "features.(pb.cpp).string_type";
pub(super) const JAVA_UTF8_VALIDATION: &str = "features.(pb.java).utf8_validation";

impl Features {
    /// What holds where nothing is said.
    pub(super) fn of_syntax(syntax: Syntax) -> Self {
        let (presence, enums, utf8, json, cpp) = match syntax {
            Syntax::Proto2 => ("EXPLICIT", "CLOSED", "NONE", "LEGACY_BEST_EFFORT", "STRING"),
            Syntax::Proto3 => ("IMPLICIT", "OPEN", "VERIFY", "ALLOW", "STRING"),
            Syntax::Edition(year) if year < 2024 => ("EXPLICIT", "OPEN", "VERIFY", "ALLOW", "STRING"),
            Syntax::Edition(_) => ("EXPLICIT", "OPEN", "VERIFY", "ALLOW", "VIEW"),
        };
        Self {
            field_presence: presence.into(),
            enum_type: enums.into(),
            utf8_validation: utf8.into(),
            message_encoding: "LENGTH_PREFIXED".into(),
            json_format: json.into(),
            cpp_string_type: cpp.into(),
            java_utf8_validation: "DEFAULT".into(),
        }
    }

    /// What holds below these for a declaration with those options.
    pub(super) fn with(&self, options: &Options) -> Self {
        let mut found = self.clone();
        for (feature, name) in [
            (&mut found.field_presence, "features.field_presence"),
            (&mut found.enum_type, ENUM_TYPE),
            (&mut found.utf8_validation, UTF8_VALIDATION),
            (&mut found.message_encoding, "features.message_encoding"),
            (&mut found.json_format, JSON_FORMAT),
            (&mut found.cpp_string_type, CPP_STRING_TYPE),
            (&mut found.java_utf8_validation, JAVA_UTF8_VALIDATION),
        ] {
            if let Some(word) = options.word(name) {
                *feature = word.into();
            }
        }
        found
    }
}
