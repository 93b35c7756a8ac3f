//! Whether what this repo uses of a dependency is still there, and means the same, in another version of it.
//!
//! Three parts, all pure: a [`Surface`] says what a version offers (read from its source, or from what the tool that
//! its ecosystem trusts says); the uses are what the repo's own source says; [`judge`] intersects the difference of
//! surfaces with the uses. What can't be seen on either side makes the answer unknown, never safe.

mod compare;
mod difference;
mod files;
mod griffe;
mod javascript;
mod judge;
mod python;
mod rust;
mod semver_checks;
mod signature;
mod surface;
mod types;
mod typescript;
mod uses;
mod versions;

use serde::{Deserialize, Serialize};

use crate::facts::Place;

pub use difference::{ApiChange, Bump, Difference, difference};
pub use files::PackageFile;
pub use griffe::read_griffe;
pub use javascript::read_javascript;
pub use judge::{Runtime, Step, judge};
pub use python::read_python;
pub use rust::read_rust;
pub use semver_checks::{SemverReport, read_semver_checks};
pub use signature::{Parameter, ParameterKind, Signature};
pub use surface::{Floor, Found, Item, Kind, Loading, Made, Meaning, Reach, Ref, Scope, ScopeId, Surface};
pub use typescript::read_typescript;

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// It is gone.
    Removed,
    /// It was gone in a version on the way, and is back.
    Readded,
    /// It is something else: a function that was a class, a value that was a function.
    Kind,
    /// A parameter is gone.
    ParameterRemoved,
    /// A parameter has to be given that wasn't there, or needn't be.
    ParameterAdded,
    /// Another parameter stands at that place.
    ParameterReordered,
    /// A parameter has another name.
    ParameterRenamed,
    /// A parameter is only taken by name.
    KeywordOnly,
    /// What leaving a parameter out means.
    Default,
    /// A type.
    Type,
    /// Whether it has to be awaited.
    Asyncness,
    /// Parameters, so that not every call that fitted does.
    Parameters,
    /// What is around a function: decorators, generics, `unsafe`.
    Signature,
    /// What a class derives from.
    Bases,
    /// What whoever derives from it must have.
    Required,
    /// How the package can be loaded: CommonJS, ES modules.
    Loading,
    /// What it needs of what runs it.
    Runtime,
    /// What it does, with the same declaration.
    Behaviour,
}

impl What {
    /// The name that files use; the id of the rule in a contract comparison is this after `api-`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Readded => "readded",
            Self::Kind => "kind",
            Self::ParameterRemoved => "parameter-removed",
            Self::ParameterAdded => "parameter-added",
            Self::ParameterReordered => "parameter-reordered",
            Self::ParameterRenamed => "parameter-renamed",
            Self::KeywordOnly => "keyword-only",
            Self::Default => "default",
            Self::Type => "type",
            Self::Asyncness => "asyncness",
            Self::Parameters => "parameters",
            Self::Signature => "signature",
            Self::Bases => "bases",
            Self::Required => "required",
            Self::Loading => "loading",
            Self::Runtime => "runtime",
            Self::Behaviour => "behaviour",
        }
    }
}

/// What becomes of one use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It works as before, as far as declarations say.
    None,
    /// It fails.
    Breaks { what: What, text: String },
    /// It may fail.
    Unclear { what: What, text: String },
}

impl Effect {
    fn breaks(what: What, text: &str) -> Self {
        let text = text.to_owned();
        Self::Breaks { what, text }
    }

    fn unclear(what: What, text: impl Into<String>) -> Self {
        let text = text.into();
        Self::Unclear { what, text }
    }

    /// The effect with what it is about before its text; `None` when there is none.
    fn prefixed(self, about: &str) -> Option<Self> {
        match self {
            Self::None => None,
            Self::Breaks { what, text } => Some(Self::Breaks {
                what,
                text: format!("{about} {text}"),
            }),
            Self::Unclear { what, text } => Some(Self::Unclear {
                what,
                text: format!("{about} {text}"),
            }),
        }
    }
}

/// A use that fails with the new version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Break {
    /// What is used, as the package spells it: `werkzeug.urls.url_quote`.
    pub symbol: String,
    /// Where the repo uses it.
    pub place: Place,
    /// What kind of change it is.
    pub what: What,
    /// One line for people.
    pub text: String,
    /// Version that has the change, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// What the upgrade of one dependency means for the repo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// All that the repo uses is there and is declared as before.
    Safe {
        /// What was compared, and what it rests on.
        because: Vec<String>,
    },
    /// Something that it uses fails.
    Breaking {
        /// What, by place; at least one.
        breaks: Vec<Break>,
        /// What else can't be told.
        unknown: Vec<String>,
    },
    /// It can't be told.
    Unknown {
        /// What couldn't be seen; at least one.
        because: Vec<String>,
    },
}

impl Compatibility {
    /// Two readings of the same upgrade, joined: the worse verdict stands, with all that was found.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.read_by.extend(other.read_by);
        self.verdict = match (self.verdict, other.verdict) {
            (Verdict::Safe { because }, Verdict::Safe { .. }) => Verdict::Safe { because },
            (Verdict::Safe { .. }, worse) | (worse, Verdict::Safe { .. }) => worse,
            (Verdict::Unknown { mut because }, Verdict::Unknown { because: more }) => {
                because.extend(more);
                because.sort();
                because.dedup();
                Verdict::Unknown { because }
            }
            (
                Verdict::Breaking {
                    mut breaks,
                    mut unknown,
                },
                Verdict::Breaking {
                    breaks: more,
                    unknown: less,
                },
            ) => {
                breaks.extend(more);
                breaks.sort();
                breaks.dedup();
                unknown.extend(less);
                Verdict::Breaking { breaks, unknown }
            }
            (Verdict::Breaking { breaks, mut unknown }, Verdict::Unknown { because })
            | (Verdict::Unknown { because }, Verdict::Breaking { breaks, mut unknown }) => {
                unknown.extend(because);
                Verdict::Breaking { breaks, unknown }
            }
        };
        self
    }
}

/// The answer for one dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compatibility {
    /// Name of the package.
    pub package: String,
    /// Version that the repo uses.
    pub from: Option<String>,
    /// Version that it would use.
    pub to: Option<String>,
    /// The answer.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How many symbols of it the repo is seen to use.
    pub symbols: usize,
    /// What read the two surfaces, with versions.
    pub read_by: Vec<String>,
}

#[cfg(test)]
mod tests;
