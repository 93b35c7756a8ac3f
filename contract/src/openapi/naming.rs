//! Ids and levels of what happens to schemas: what changed × where. Ids follow oasdiff where it has the rule.

use std::borrow::Cow;

use super::rules::Rule;
use crate::Level::{self, Error, Info, Warning};
use crate::schema::{Finding, Fit, Guard, What, what};

/// Where a schema stands, and so who writes and who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    RequestBody,
    RequestProperty,
    /// Path, query, header, cookie.
    RequestParameter,
    RequestParameterProperty,
    RequestHeaderProperty,
    ResponseBody,
    ResponseProperty,
    ResponseHeader,
    ResponseHeaderProperty,
}

impl Place {
    pub(super) const ALL: [Self; 9] = [
        Self::RequestBody,
        Self::RequestProperty,
        Self::RequestParameter,
        Self::RequestParameterProperty,
        Self::RequestHeaderProperty,
        Self::ResponseBody,
        Self::ResponseProperty,
        Self::ResponseHeader,
        Self::ResponseHeaderProperty,
    ];

    /// What a rule's id starts with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::RequestBody => "request-body",
            Self::RequestProperty => "request-property",
            Self::RequestParameter => "request-parameter",
            Self::RequestParameterProperty => "request-parameter-property",
            Self::RequestHeaderProperty => "request-header-property",
            Self::ResponseBody => "response-body",
            Self::ResponseProperty => "response-property",
            Self::ResponseHeader => "response-header",
            Self::ResponseHeaderProperty => "response-header-property",
        }
    }

    /// Whether the client writes it.
    pub(super) const fn is_request(self) -> bool {
        matches!(
            self,
            Self::RequestBody
                | Self::RequestProperty
                | Self::RequestParameter
                | Self::RequestParameterProperty
                | Self::RequestHeaderProperty
        )
    }

    const fn is_property(self) -> bool {
        matches!(self, Self::RequestProperty | Self::ResponseProperty)
    }

    /// The place one level further down.
    const fn below(self, header: bool) -> Self {
        match self {
            Self::RequestBody => Self::RequestProperty,
            Self::RequestParameter if header => Self::RequestHeaderProperty,
            Self::RequestParameter => Self::RequestParameterProperty,
            Self::ResponseBody => Self::ResponseProperty,
            Self::ResponseHeader => Self::ResponseHeaderProperty,
            same => same,
        }
    }
}

/// Rules whose id isn't made of place and name: place, name, id.
const IRREGULAR: [(Place, &str, &str); 1] = [(
    Place::ResponseBody,
    "enum-value-removed",
    "response-mediatype-enum-value-removed",
)];

/// Rules whose level hangs on the place: place, name, level.
const LEVELS: [(Place, &str, Level); 4] = [
    // A default of a parameter is the server's behaviour for all who leave it out.
    (Place::RequestParameter, "default-value-added", Error),
    (Place::RequestParameter, "default-value-removed", Error),
    (Place::RequestParameter, "default-value-changed", Error),
    // How an object is written into a parameter often isn't said: as text the types may still fit.
    (Place::RequestParameterProperty, "type-changed", Warning),
];

/// What the root of a schema is.
#[derive(Debug, Clone, Copy)]
pub(super) struct RootFacts {
    pub(super) place: Place,
    /// Whether values travel as plain text, so that `1` and `"1"` are the same.
    pub(super) plain_text: bool,
    /// Whether it is a header of a request.
    pub(super) header: bool,
    /// Whether clients must send it, so that a default is never used.
    pub(super) required: bool,
}

/// The rule and the level of a finding.
pub(super) fn name(finding: &Finding, guard: Guard, is_root: bool, root: &RootFacts) -> (Cow<'static, str>, Level) {
    let place = if is_root {
        root.place
    } else {
        root.place.below(root.header)
    };
    let request = place.is_request();
    let unsent = place.is_property() && if request { guard.read_only } else { guard.write_only };
    match &finding.what {
        What::Row("stability-invalid") => ("api-invalid-stability-level".into(), Error),
        What::Row(name) => {
            let (id, level) = regular(place, name, unsent);
            // Whoever must send it never meets the default.
            let moot = is_root && root.required && name.starts_with("default-value");
            (id.into(), if moot { Info } else { level })
        }
        What::Type(change) => {
            let name = match (place, request) {
                (Place::RequestParameterProperty | Place::RequestHeaderProperty, _) => match change.forth {
                    Fit::Within => "type-generalized",
                    Fit::AsText => "type-changed",
                    Fit::Not => "type-specialized",
                },
                (Place::RequestParameter, _) => match change.forth {
                    Fit::Within | Fit::AsText => "type-generalized",
                    Fit::Not => "type-changed",
                },
                (_, true) => match change.forth {
                    Fit::Within => "type-generalized",
                    Fit::AsText if root.plain_text => "type-compatible",
                    _ => "type-changed",
                },
                (_, false) => match (change.back, change.forth) {
                    (Fit::Within, _) => "type-specialized",
                    (Fit::AsText, _) if root.plain_text => "type-compatible",
                    (_, Fit::Within) => "type-generalized",
                    _ => "type-changed",
                },
            };
            let (id, level) = regular(place, name, unsent);
            (id.into(), level)
        }
        What::Mutability { name, required } => {
            let (id, level) = mutability(request, *required, name);
            (id.into(), level)
        }
        What::PropertyAdded { required, default } => property(place, unsent, Turn::Added, *required, *default),
        What::PropertyRemoved { required } => property(place, unsent, Turn::Removed, *required, false),
        What::BecameRequired { default } => property(place, unsent, Turn::BecameRequired, true, *default),
        What::BecameOptional => property(place, unsent, Turn::BecameOptional, false, false),
    }
}

fn regular(place: Place, name: &str, unsent: bool) -> (String, Level) {
    if unsent {
        let (side, guard) = if place.is_request() {
            ("request", "read-only")
        } else {
            ("response", "write-only")
        };
        return (format!("{side}-{guard}-property-{name}"), Info);
    }
    let level = LEVELS
        .iter()
        .find(|(other, row, _)| *other == place && *row == name)
        .map(|(_, _, level)| *level);
    let by_table = || what::find(name).map_or(Error, |row| if place.is_request() { row.request } else { row.response });
    let irregular = IRREGULAR.iter().find(|(other, row, _)| *other == place && *row == name);
    let id = irregular.map_or_else(|| format!("{}-{name}", place.prefix()), |(_, _, id)| (*id).to_owned());
    (id, level.unwrap_or_else(by_table))
}

fn mutability(request: bool, required: bool, name: &str) -> (String, Level) {
    let side = if request { "request" } else { "response" };
    let kind = if required { "required" } else { "optional" };
    // What wasn't sent is expected now, or what was sent isn't any more: how strictly is the server's choice.
    let level = match (request, required, name) {
        (true, true, "not-read-only") | (false, true, "write-only" | "not-write-only") => Warning,
        _ => Info,
    };
    (format!("{side}-{kind}-property-became-{name}"), level)
}

/// What can happen to a property as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Added,
    Removed,
    BecameRequired,
    BecameOptional,
}

/// A property that comes, goes or changes its duty: who, what, required, with a default, id, level, opposite, text.
type PropertyRow = (
    Place,
    Turn,
    Option<bool>,
    Option<bool>,
    &'static str,
    Level,
    Option<&'static str>,
    &'static str,
);

#[rustfmt::skip]
const PROPERTY_ROWS: &[PropertyRow] = {
    use Place::{RequestHeaderProperty as Header, RequestParameterProperty as Parameter};
    use Place::{RequestProperty as Request, ResponseProperty as Response};
    use Turn::{Added, BecameOptional, BecameRequired, Removed};
    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);
    &[
        (Request, Added, YES, NO, "new-required-request-property", Error, Some("request-property-removed"), "old clients don't send the new property"),
        (Request, Added, YES, YES, "new-required-request-property-with-default", Error, Some("request-property-removed"), "old clients don't send the new property, and the contract asks for it whatever its default"),
        (Request, Added, NO, None, "new-optional-request-property", Info, Some("request-property-removed"), "old clients needn't send it"),
        (Request, Removed, None, None, "request-property-removed", Warning, None, "a property that clients send is ignored or refused"),
        (Request, BecameRequired, None, NO, "request-property-became-required", Error, Some("request-property-became-optional"), "clients that left it out fail"),
        (Request, BecameRequired, None, YES, "request-property-became-required-with-default", Error, Some("request-property-became-optional"), "clients that left it out break the contract, whatever its default"),
        (Request, BecameOptional, None, None, "request-property-became-optional", Info, None, "it may be left out now"),
        (Parameter, Added, YES, None, "new-required-request-parameter-property", Error, Some("request-parameter-property-removed"), "old clients don't send the new property"),
        (Parameter, Added, NO, None, "new-optional-request-parameter-property", Info, Some("request-parameter-property-removed"), "old clients needn't send it"),
        (Parameter, Removed, None, None, "request-parameter-property-removed", Warning, None, "a property that clients send is ignored or refused"),
        (Parameter, BecameRequired, None, None, "request-parameter-property-became-required", Error, Some("request-parameter-property-became-optional"), "clients that left it out fail"),
        (Parameter, BecameOptional, None, None, "request-parameter-property-became-optional", Info, Some("request-parameter-property-became-required"), "it may be left out now"),
        (Header, Added, YES, None, "new-required-request-header-property", Error, Some("request-header-property-removed"), "old clients don't send the new property"),
        (Header, Added, NO, None, "new-optional-request-header-property", Info, Some("request-header-property-removed"), "old clients needn't send it"),
        (Header, Removed, None, None, "request-header-property-removed", Warning, None, "a property that clients send is ignored or refused"),
        (Header, BecameRequired, None, None, "request-header-property-became-required", Error, Some("request-header-property-became-optional"), "clients that left it out fail"),
        (Header, BecameOptional, None, None, "request-header-property-became-optional", Info, Some("request-header-property-became-required"), "it may be left out now"),
        (Response, Added, YES, None, "response-required-property-added", Info, Some("response-required-property-removed"), "a further property is always there"),
        (Response, Added, NO, None, "response-optional-property-added", Info, Some("response-optional-property-removed"), "a further property may be there"),
        (Response, Removed, YES, None, "response-required-property-removed", Error, Some("response-required-property-added"), "a property that clients rely on is gone"),
        (Response, Removed, NO, None, "response-optional-property-removed", Warning, Some("response-optional-property-added"), "a property that clients may read is gone"),
        (Response, BecameRequired, None, None, "response-property-became-required", Info, Some("response-property-became-optional"), "the property is always there now"),
        (Response, BecameOptional, None, None, "response-property-became-optional", Error, Some("response-property-became-required"), "a property that was always there may be missing"),
    ]
};

/// The same where the property isn't sent in this direction: always harmless.
#[rustfmt::skip]
const UNSENT_ROWS: &[PropertyRow] = {
    use Place::{RequestProperty as Request, ResponseProperty as Response};
    use Turn::{Added, BecameOptional, BecameRequired, Removed};
    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);
    &[
        (Request, Added, None, None, "request-read-only-property-added", Info, Some("request-read-only-property-removed"), "clients don't send it"),
        (Request, Removed, None, None, "request-read-only-property-removed", Info, Some("request-read-only-property-added"), "clients didn't send it"),
        (Request, BecameRequired, None, None, "request-read-only-property-became-required", Info, Some("request-read-only-property-became-optional"), "clients don't send it"),
        (Request, BecameOptional, None, None, "request-read-only-property-became-optional", Info, Some("request-read-only-property-became-required"), "clients don't send it"),
        (Response, Added, YES, None, "response-required-write-only-property-added", Info, Some("response-required-write-only-property-removed"), "servers don't send it"),
        (Response, Added, NO, None, "response-optional-write-only-property-added", Info, Some("response-optional-write-only-property-removed"), "servers don't send it"),
        (Response, Removed, YES, None, "response-required-write-only-property-removed", Info, Some("response-required-write-only-property-added"), "servers didn't send it"),
        (Response, Removed, NO, None, "response-optional-write-only-property-removed", Info, Some("response-optional-write-only-property-added"), "servers didn't send it"),
        (Response, BecameRequired, None, None, "response-write-only-property-became-required", Info, Some("response-write-only-property-became-optional"), "servers don't send it"),
        (Response, BecameOptional, None, None, "response-write-only-property-became-optional", Info, Some("response-write-only-property-became-required"), "servers don't send it"),
    ]
};

fn property(place: Place, unsent: bool, turn: Turn, required: bool, default: bool) -> (Cow<'static, str>, Level) {
    // A property is told at the level above: of a body's root it is a property of the body.
    let place = match place {
        Place::RequestBody => Place::RequestProperty,
        Place::RequestParameter => Place::RequestParameterProperty,
        Place::ResponseBody | Place::ResponseHeader | Place::ResponseHeaderProperty => Place::ResponseProperty,
        same => same,
    };
    let rows = if unsent { UNSENT_ROWS } else { PROPERTY_ROWS };
    let row = rows.iter().find(|row| {
        let fits = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        row.0 == place && row.1 == turn && fits(row.2, required) && fits(row.3, default)
    });
    row.map_or(("comparison-incomplete".into(), Error), |row| {
        (Cow::Borrowed(row.4), row.5)
    })
}

/// Names of what happens to the life of a property.
const LIFE: [&str; 8] = [
    "deprecated",
    "deprecated-with-sunset",
    "deprecated-sunset-invalid",
    "deprecated-sunset-missing",
    "sunset-date-too-small",
    "reactivated",
    "stability-decreased",
    "stability-increased",
];

/// Names that a change backwards can have several of, so that none is the opposite: which type rule fires hangs
/// on how values travel, too.
const ONE_WAY: [&str; 7] = [
    "type-changed",
    "type-compatible",
    "type-generalized",
    "type-specialized",
    "pattern-changed",
    "reactivated",
    "stability-invalid",
];

/// All rules about schemas.
pub(super) fn rules() -> Vec<Rule> {
    let mut found = Vec::new();
    for place in Place::ALL {
        // A parameter's own life is told by the table of operations.
        let own = |name: &str| name == "stability-invalid" || place == Place::RequestParameter && LIFE.contains(&name);
        for row in what::rows().filter(|row| !own(row.name)) {
            let variants = if place.is_property() {
                &[false, true][..]
            } else {
                &[false]
            };
            for unsent in variants {
                let (id, level) = regular(place, row.name, *unsent);
                let opposite = Some(row.opposite).filter(|_| !ONE_WAY.contains(&row.name));
                let whose = if *unsent { " that isn't sent" } else { "" };
                found.push(Rule {
                    kind: "openapi",
                    id,
                    level,
                    explanation: format!("in a {}{whose}: {}", place.prefix().replace('-', " "), row.text),
                    opposite: opposite.map(|opposite| regular(place, opposite, *unsent).0),
                });
            }
        }
    }
    for (_, _, _, _, id, level, opposite, text) in PROPERTY_ROWS.iter().chain(UNSENT_ROWS) {
        found.push(Rule {
            kind: "openapi",
            id: (*id).to_owned(),
            level: *level,
            explanation: (*text).to_owned(),
            opposite: opposite.map(str::to_owned),
        });
    }
    for request in [true, false] {
        for required in [true, false] {
            for (name, opposite) in [
                ("read-only", "not-read-only"),
                ("not-read-only", "read-only"),
                ("write-only", "not-write-only"),
                ("not-write-only", "write-only"),
            ] {
                let (id, level) = mutability(request, required, name);
                found.push(Rule {
                    kind: "openapi",
                    id,
                    level,
                    explanation: format!("a property became {}: who sends it changed", name.replace('-', " ")),
                    opposite: Some(mutability(request, required, opposite).0),
                });
            }
        }
    }
    found
}
