//! The rules: one table for what happens to operations and their parts, and one for what happens
//! to schemas, which holds wherever a schema stands. Ids follow oasdiff where it has the rule.

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use crate::Level;
use Level::{Error, Info, Warning};

/// The rule that says that a comparison could not be finished.
pub(super) const INCOMPLETE: &str = "comparison-incomplete";

/// Where a schema stands, and so who writes and who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A parameter of a request: path, query, header, cookie.
    RequestParameter,
    /// The root of a request body.
    RequestBody,
    /// Below the root of a request body.
    RequestProperty,
    /// The root of a response body.
    ResponseBody,
    /// Below the root of a response body.
    ResponseProperty,
    /// A header of a response.
    ResponseHeader,
}

impl Place {
    /// All places.
    pub const ALL: [Self; 6] = [
        Self::RequestParameter,
        Self::RequestBody,
        Self::RequestProperty,
        Self::ResponseBody,
        Self::ResponseProperty,
        Self::ResponseHeader,
    ];

    /// What a rule's id starts with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::RequestParameter => "request-parameter",
            Self::RequestBody => "request-body",
            Self::RequestProperty => "request-property",
            Self::ResponseBody => "response-body",
            Self::ResponseProperty => "response-property",
            Self::ResponseHeader => "response-header",
        }
    }

    /// Whether the client writes it.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self, Self::RequestParameter | Self::RequestBody | Self::RequestProperty)
    }

    /// The place one level further down.
    pub(super) const fn below(self) -> Self {
        match self {
            Self::RequestBody => Self::RequestProperty,
            Self::ResponseBody => Self::ResponseProperty,
            same => same,
        }
    }
}

/// One rule, as `--explain` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Id.
    pub id: String,
    /// How bad.
    pub level: Level,
    /// What it means for a client, one or two sentences.
    pub explanation: String,
    /// The rule that fires where the change is made backwards, where there is one.
    pub opposite: Option<String>,
}

type Row = (&'static str, Level, Option<&'static str>, &'static str);

/// Operations and their parts: id, level, opposite, explanation.
const ROWS: &[Row] = &[
    (
        INCOMPLETE,
        Error,
        None,
        "the descriptions are too large or too deep to be compared to the end",
    ),
    (
        "api-path-removed-without-deprecation",
        Error,
        Some("api-path-added"),
        "all operations of a path are gone",
    ),
    (
        "api-path-added",
        Info,
        Some("api-path-removed-without-deprecation"),
        "a path is new",
    ),
    (
        "api-removed-without-deprecation",
        Error,
        Some("endpoint-added"),
        "an operation is gone",
    ),
    (
        "endpoint-added",
        Info,
        Some("api-removed-without-deprecation"),
        "an operation is new",
    ),
    (
        "new-required-request-parameter",
        Error,
        Some("request-parameter-removed"),
        "old clients don't send the new parameter",
    ),
    (
        "new-optional-request-parameter",
        Info,
        Some("request-parameter-removed"),
        "old clients needn't send it",
    ),
    (
        "request-parameter-removed",
        Warning,
        None,
        "a parameter that clients send is ignored or refused",
    ),
    (
        "request-parameter-became-required",
        Error,
        Some("request-parameter-became-optional"),
        "clients that left it out fail",
    ),
    (
        "request-parameter-became-optional",
        Info,
        Some("request-parameter-became-required"),
        "it may be left out now",
    ),
    (
        "request-body-added-required",
        Error,
        Some("request-body-removed"),
        "old clients send no body",
    ),
    (
        "request-body-added-optional",
        Info,
        Some("request-body-removed"),
        "old clients needn't send a body",
    ),
    (
        "request-body-removed",
        Warning,
        None,
        "a body that clients send is ignored or refused",
    ),
    (
        "request-body-became-required",
        Error,
        Some("request-body-became-optional"),
        "clients that sent no body fail",
    ),
    (
        "request-body-became-optional",
        Info,
        Some("request-body-became-required"),
        "the body may be left out now",
    ),
    (
        "request-body-media-type-removed",
        Error,
        Some("request-body-media-type-added"),
        "clients that send this media type are refused",
    ),
    (
        "request-body-media-type-added",
        Info,
        Some("request-body-media-type-removed"),
        "a further media type is accepted",
    ),
    (
        "request-body-media-type-schema-added",
        Error,
        Some("request-body-media-type-schema-removed"),
        "a body that was free is constrained now",
    ),
    (
        "request-body-media-type-schema-removed",
        Info,
        Some("request-body-media-type-schema-added"),
        "the body is free now",
    ),
    (
        "response-body-media-type-schema-added",
        Info,
        Some("response-body-media-type-schema-removed"),
        "the body is described now",
    ),
    (
        "response-body-media-type-schema-removed",
        Warning,
        Some("response-body-media-type-schema-added"),
        "nothing is promised of the body any more",
    ),
    (
        "response-success-status-removed",
        Error,
        Some("response-success-status-added"),
        "clients that wait for this status don't get it",
    ),
    (
        "response-success-status-added",
        Info,
        Some("response-success-status-removed"),
        "a further success status is possible",
    ),
    (
        "response-non-success-status-removed",
        Info,
        Some("response-non-success-status-added"),
        "an error status isn't used any more",
    ),
    (
        "response-non-success-status-added",
        Info,
        Some("response-non-success-status-removed"),
        "a further error status is possible",
    ),
    (
        "response-media-type-removed",
        Error,
        Some("response-media-type-added"),
        "clients that read this media type don't get it",
    ),
    (
        "response-media-type-added",
        Info,
        Some("response-media-type-removed"),
        "a further media type is offered",
    ),
    (
        "required-response-header-removed",
        Error,
        Some("response-header-added"),
        "a header that was always sent is gone",
    ),
    (
        "optional-response-header-removed",
        Warning,
        Some("response-header-added"),
        "a header that was sometimes sent is gone",
    ),
    ("response-header-added", Info, None, "a further header is sent"),
    (
        "response-header-became-optional",
        Error,
        Some("response-header-became-required"),
        "a header that was always sent may be missing",
    ),
    (
        "response-header-became-required",
        Info,
        Some("response-header-became-optional"),
        "the header is always sent now",
    ),
    (
        "new-required-request-property",
        Error,
        Some("request-property-removed"),
        "old clients don't send the new property",
    ),
    (
        "new-required-request-property-with-default",
        Info,
        Some("request-property-removed"),
        "the server fills in what old clients don't send",
    ),
    (
        "new-optional-request-property",
        Info,
        Some("request-property-removed"),
        "old clients needn't send it",
    ),
    (
        "request-property-removed",
        Warning,
        None,
        "a property that clients send is ignored or refused",
    ),
    (
        "request-property-became-required",
        Error,
        Some("request-property-became-optional"),
        "clients that left it out fail",
    ),
    (
        "request-property-became-optional",
        Info,
        Some("request-property-became-required"),
        "it may be left out now",
    ),
    (
        "response-required-property-removed",
        Error,
        Some("response-required-property-added"),
        "a property that clients rely on is gone",
    ),
    (
        "response-required-property-added",
        Info,
        Some("response-required-property-removed"),
        "a further property is always there",
    ),
    (
        "response-optional-property-removed",
        Warning,
        Some("response-optional-property-added"),
        "a property that clients may read is gone",
    ),
    (
        "response-optional-property-added",
        Info,
        Some("response-optional-property-removed"),
        "a further property may be there",
    ),
    (
        "response-property-became-optional",
        Error,
        Some("response-property-became-required"),
        "a property that was always there may be missing",
    ),
    (
        "response-property-became-required",
        Info,
        Some("response-property-became-optional"),
        "the property is always there now",
    ),
];

/// What happens to a schema: name, level in a request, level in a response, opposite, explanation.
type SchemaRow = (&'static str, Level, Level, Option<&'static str>, &'static str);

const SCHEMA_ROWS: &[SchemaRow] = &[
    (
        "type-changed",
        Error,
        Error,
        Some("type-changed"),
        "the type or format is another",
    ),
    (
        "type-generalized",
        Info,
        Error,
        Some("type-specialized"),
        "more types or formats are possible",
    ),
    (
        "type-specialized",
        Error,
        Info,
        Some("type-generalized"),
        "fewer types or formats are possible",
    ),
    (
        "became-nullable",
        Info,
        Error,
        Some("became-not-nullable"),
        "null is possible",
    ),
    (
        "became-not-nullable",
        Error,
        Info,
        Some("became-nullable"),
        "null isn't possible any more",
    ),
    (
        "became-enum",
        Error,
        Info,
        Some("enum-removed"),
        "only listed values are possible",
    ),
    (
        "enum-removed",
        Info,
        Warning,
        Some("became-enum"),
        "values aren't limited to a list any more",
    ),
    (
        "enum-value-removed",
        Error,
        Info,
        Some("enum-value-added"),
        "a listed value isn't possible any more",
    ),
    (
        "enum-value-added",
        Info,
        Warning,
        Some("enum-value-removed"),
        "a further value is possible",
    ),
    (
        "one-of-added",
        Info,
        Error,
        Some("one-of-removed"),
        "a further alternative is possible",
    ),
    (
        "one-of-removed",
        Error,
        Info,
        Some("one-of-added"),
        "an alternative isn't possible any more",
    ),
    (
        "any-of-added",
        Info,
        Error,
        Some("any-of-removed"),
        "a further alternative is possible",
    ),
    (
        "any-of-removed",
        Error,
        Info,
        Some("any-of-added"),
        "an alternative isn't possible any more",
    ),
    ("became-one-of", Info, Error, None, "what had one form has several"),
    ("no-longer-one-of", Error, Info, None, "what had several forms has one"),
];

/// How a keyword's value restricts: `…-increased` and so on are made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restricts {
    /// A greater number allows more.
    UpperBound,
    /// A smaller number allows more.
    LowerBound,
    /// Being there allows less; another value may allow anything.
    Present,
    /// It only tells what is assumed where nothing is said.
    Assumes,
}

/// Keywords that are compared as they stand: keyword, name in rule ids, how they restrict.
pub(super) const KEYWORDS: [(&str, &str, Restricts); 15] = [
    ("maxLength", "max-length", Restricts::UpperBound),
    ("minLength", "min-length", Restricts::LowerBound),
    ("maximum", "max", Restricts::UpperBound),
    ("minimum", "min", Restricts::LowerBound),
    ("maxItems", "max-items", Restricts::UpperBound),
    ("minItems", "min-items", Restricts::LowerBound),
    ("pattern", "pattern", Restricts::Present),
    ("const", "const", Restricts::Present),
    ("contentEncoding", "content-encoding", Restricts::Present),
    ("contentMediaType", "content-media-type", Restricts::Present),
    ("contentSchema", "content-schema", Restricts::Present),
    ("patternProperties", "pattern-property", Restricts::Present),
    ("unevaluatedItems", "unevaluated-items", Restricts::Present),
    ("unevaluatedProperties", "unevaluated-properties", Restricts::Present),
    ("default", "default-value", Restricts::Assumes),
];

/// What can happen to a keyword: suffix, level in a request, level in a response, opposite.
type KeywordRow = (&'static str, Level, Level, &'static str);

const fn keyword_rows(restricts: Restricts) -> &'static [KeywordRow] {
    match restricts {
        // A bound that is new was often enforced before it was written down.
        Restricts::UpperBound => &[
            ("decreased", Error, Info, "increased"),
            ("increased", Info, Error, "decreased"),
            ("set", Warning, Info, "unset"),
            ("unset", Info, Warning, "set"),
        ],
        Restricts::LowerBound => &[
            ("increased", Error, Info, "decreased"),
            ("decreased", Info, Error, "increased"),
            ("set", Warning, Info, "unset"),
            ("unset", Info, Warning, "set"),
        ],
        Restricts::Present => &[
            ("added", Error, Info, "removed"),
            ("removed", Info, Error, "added"),
            ("changed", Error, Error, "changed"),
        ],
        Restricts::Assumes => &[
            ("added", Info, Info, "removed"),
            ("removed", Info, Info, "added"),
            ("changed", Info, Info, "changed"),
        ],
    }
}

/// All rules.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let fixed = ROWS.iter().map(|(id, level, opposite, explanation)| Rule {
        id: (*id).to_owned(),
        level: *level,
        explanation: (*explanation).to_owned(),
        opposite: opposite.map(str::to_owned),
    });
    fixed.chain(Place::ALL.into_iter().flat_map(schema_rules)).collect()
}

static BY_ID: LazyLock<BTreeMap<String, Rule>> =
    LazyLock::new(|| rules().into_iter().map(|rule| (rule.id.clone(), rule)).collect());

/// The rule of an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    BY_ID.get(id)
}

fn schema_rules(place: Place) -> Vec<Rule> {
    let prefix = place.prefix();
    let level = |request: Level, response: Level| if place.is_request() { request } else { response };
    let mut found = Vec::new();
    for (what, request, response, opposite, explanation) in SCHEMA_ROWS {
        found.push(Rule {
            id: format!("{prefix}-{what}"),
            level: level(*request, *response),
            explanation: format!("in a {}: {explanation}", prefix.replace('-', " ")),
            opposite: opposite.map(|opposite| format!("{prefix}-{opposite}")),
        });
    }
    for (keyword, name, restricts) in KEYWORDS {
        for (suffix, request, response, opposite) in keyword_rows(restricts) {
            // A default of a parameter is the server's behaviour for all who leave it out.
            let assumed = restricts == Restricts::Assumes && place == Place::RequestParameter;
            // Another pattern or a lost one may still allow the same texts.
            let soft = name == "pattern" && (*suffix == "changed" || (*suffix == "removed" && !place.is_request()));
            found.push(Rule {
                id: format!("{prefix}-{name}-{suffix}"),
                level: match (assumed, soft) {
                    (true, _) => Error,
                    (_, true) => Warning,
                    _ => level(*request, *response),
                },
                explanation: format!("in a {}: `{keyword}` is {suffix}", prefix.replace('-', " ")),
                opposite: Some(format!("{prefix}-{name}-{opposite}")),
            });
        }
    }
    found
}
