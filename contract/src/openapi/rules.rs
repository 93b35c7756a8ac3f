//! The rules: one table for what happens to operations and their parts; what happens to schemas is
//! another (`schema::what`), which holds wherever a schema stands. Ids follow oasdiff where it has the rule.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::naming;
pub use crate::{Level, Rule};
use Level::{Error, Info, Warning};

/// Id, level, opposite, explanation.
type Row = (&'static str, Level, Option<&'static str>, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("api-path-removed-without-deprecation", Error, Some("endpoint-added"), "all operations of a path are gone"),
    ("api-path-removed-with-deprecation", Info, Some("endpoint-added"), "a path is gone that was deprecated"),
    ("api-path-removed-before-sunset", Error, Some("endpoint-added"), "a deprecated path is gone before its last day"),
    ("api-path-sunset-parse", Error, None, "the last day of something deprecated can't be read"),
    ("api-removed-without-deprecation", Error, Some("endpoint-added"), "an operation is gone"),
    ("api-removed-with-deprecation", Info, Some("endpoint-added"), "an operation is gone that was deprecated"),
    ("api-removed-before-sunset", Error, Some("endpoint-added"), "a deprecated operation is gone before its last day"),
    ("api-removed-unstable", Info, Some("endpoint-added"), "an operation is gone that was a draft or alpha"),
    ("endpoint-added", Info, None, "an operation is new"),
    ("endpoint-deprecated", Info, Some("endpoint-reactivated"), "an operation is deprecated"),
    ("endpoint-deprecated-with-sunset", Info, Some("endpoint-reactivated"), "an operation is deprecated and has a last day"),
    ("endpoint-reactivated", Info, None, "an operation isn't deprecated any more"),
    ("api-deprecated-sunset-missing", Error, Some("endpoint-reactivated"), "the policy asks for a last day of what is deprecated"),
    ("api-deprecated-sunset-parse", Error, Some("endpoint-reactivated"), "the last day of a deprecated operation can't be read"),
    ("api-sunset-date-too-small", Error, Some("endpoint-reactivated"), "a deprecated operation ends sooner than the policy allows"),
    ("api-sunset-date-changed-too-small", Error, None, "a deprecated operation ends sooner than was announced"),
    ("sunset-deleted", Error, None, "a deprecated operation has no last day any more"),
    ("api-invalid-stability-level", Error, None, "what an operation or property promises can't be read"),
    ("api-stability-decreased", Error, Some("api-stability-increased"), "an operation promises less stability"),
    ("api-stability-increased", Info, Some("api-stability-decreased"), "an operation promises more stability"),
    ("api-operation-id-removed", Info, None, "the operation id is another, which changes generated clients"),
    ("api-operation-id-added", Info, Some("api-operation-id-removed"), "the operation has an id"),
    ("api-tag-added", Info, Some("api-tag-removed"), "the operation has a further tag"),
    ("api-tag-removed", Info, Some("api-tag-added"), "the operation lost a tag"),
    ("api-schema-removed", Info, Some("api-schema-added"), "a named schema is gone, which changes generated clients"),
    ("api-schema-added", Info, Some("api-schema-removed"), "a named schema is new"),
    ("api-server-added", Info, Some("api-server-removed"), "a further address is offered"),
    ("api-server-removed", Warning, Some("api-server-added"), "an address isn't offered any more"),
    ("webhook-added", Info, Some("webhook-removed"), "the server may tell more"),
    ("webhook-removed", Error, Some("webhook-added"), "clients wait for something that doesn't come any more"),
    ("callback-added", Info, Some("callback-removed"), "the server may tell more"),
    ("callback-removed", Error, Some("callback-added"), "clients wait for something that doesn't come any more"),
    ("answer-status-added", Info, Some("answer-status-removed"), "a client may give a further answer to a callback or webhook"),
    ("answer-status-removed", Warning, Some("answer-status-added"), "an answer that clients give to a callback or webhook isn't expected any more"),
    ("api-security-became-required", Error, Some("api-security-became-optional"), "calls without credentials fail"),
    ("api-security-became-optional", Info, Some("api-security-became-required"), "calls need no credentials any more"),
    ("api-security-added", Info, None, "a further way to prove who calls is accepted"),
    ("api-security-removed", Warning, Some("api-security-added"), "a way to prove who calls isn't named any more; often it only has another name"),
    ("api-security-replaced", Error, None, "no credentials that were accepted are accepted any more: all clients fail"),
    ("api-security-scope-added", Warning, Some("api-security-scope-removed"), "credentials need a further scope, which those in use may have"),
    ("api-security-scope-removed", Info, None, "credentials need a scope less"),
    ("api-global-security-became-required", Error, Some("api-global-security-became-optional"), "calls without credentials fail, for all operations that say nothing else"),
    ("api-global-security-became-optional", Info, Some("api-global-security-became-required"), "calls need no credentials any more, for all operations that say nothing else"),
    ("api-global-security-added", Info, None, "a further way to prove who calls is accepted"),
    ("api-global-security-removed", Warning, Some("api-global-security-added"), "a way to prove who calls isn't named any more; often it only has another name"),
    ("api-global-security-replaced", Error, None, "no credentials that were accepted are accepted any more, for all operations that say nothing else"),
    ("api-global-security-scope-added", Warning, Some("api-global-security-scope-removed"), "credentials need a further scope, which those in use may have"),
    ("api-global-security-scope-removed", Info, None, "credentials need a scope less"),
    ("api-security-component-added", Info, Some("api-security-component-removed"), "a security scheme is described; operations say whether they ask for it"),
    ("api-security-component-removed", Info, Some("api-security-component-added"), "a security scheme isn't described any more"),
    ("api-security-component-type-changed", Warning, Some("api-security-component-type-changed"), "credentials of a scheme are of another type"),
    ("api-security-component-changed", Warning, Some("api-security-component-changed"), "credentials of a scheme are sent in another way"),
    ("api-security-component-in-use-changed", Error, None, "credentials that operations ask for are sent in another way: all clients of these fail"),
    ("api-security-component-oauth-flow-added", Info, Some("api-security-component-oauth-flow-removed"), "tokens can be had in a further way"),
    ("api-security-component-oauth-flow-removed", Warning, Some("api-security-component-oauth-flow-added"), "tokens can't be had in this way any more"),
    ("api-security-component-oauth-url-changed", Info, Some("api-security-component-oauth-url-changed"), "users are asked at another address"),
    ("api-security-component-oauth-token-url-changed", Info, Some("api-security-component-oauth-token-url-changed"), "tokens come from another address"),
    ("api-security-component-oauth-scope-added", Info, Some("api-security-component-oauth-scope-removed"), "a further scope is described"),
    ("api-security-component-oauth-scope-removed", Info, Some("api-security-component-oauth-scope-added"), "a scope isn't described any more"),
    ("api-security-component-oauth-scope-changed", Info, Some("api-security-component-oauth-scope-changed"), "a scope is described in another way"),
    ("new-required-request-parameter", Error, None, "old clients don't send the new parameter"),
    ("new-optional-request-parameter", Info, None, "old clients needn't send the new parameter"),
    ("new-request-path-parameter", Error, None, "a place of the path is a parameter now"),
    ("new-required-request-default-parameter-to-existing-path", Error, None, "old clients don't send the new parameter of the whole path"),
    ("new-optional-request-default-parameter-to-existing-path", Info, None, "old clients needn't send the new parameter of the whole path"),
    ("request-parameter-removed", Warning, None, "a parameter that clients send is ignored or refused"),
    ("request-parameter-removed-with-deprecation", Info, None, "a deprecated parameter is gone"),
    ("request-parameter-removed-before-sunset", Error, None, "a deprecated parameter is gone before its last day"),
    ("request-parameter-sunset-parse", Error, None, "the last day of a parameter can't be read"),
    ("request-parameter-deprecated", Info, Some("request-parameter-reactivated"), "a parameter is deprecated"),
    ("request-parameter-reactivated", Info, None, "a parameter isn't deprecated any more"),
    ("request-parameter-deprecated-sunset-missing", Error, Some("request-parameter-reactivated"), "the policy asks for a last day of what is deprecated"),
    ("request-parameter-sunset-date-too-small", Error, Some("request-parameter-reactivated"), "a deprecated parameter ends sooner than the policy allows"),
    ("request-parameter-sunset-date-changed-too-small", Error, None, "a deprecated parameter ends sooner than was announced"),
    ("request-parameter-sunset-deleted", Error, None, "a deprecated parameter has no last day any more"),
    ("request-parameter-became-required", Error, Some("request-parameter-became-optional"), "clients that left it out fail"),
    ("request-parameter-became-optional", Info, Some("request-parameter-became-required"), "it may be left out now"),
    ("request-parameter-serialization-changed", Error, Some("request-parameter-serialization-changed"), "lists and objects are written into the request in another way"),
    ("request-parameter-schema-added", Error, Some("request-parameter-schema-removed"), "a parameter that was free is restricted now"),
    ("request-parameter-schema-removed", Info, Some("request-parameter-schema-added"), "the parameter is free now"),
    ("request-parameter-empty-value-forbidden", Warning, Some("request-parameter-empty-value-allowed"), "it may not be empty any more"),
    ("request-parameter-empty-value-allowed", Info, Some("request-parameter-empty-value-forbidden"), "it may be empty now"),
    ("request-parameter-reserved-forbidden", Warning, Some("request-parameter-reserved-allowed"), "reserved characters must be escaped now"),
    ("request-parameter-reserved-allowed", Info, Some("request-parameter-reserved-forbidden"), "reserved characters needn't be escaped any more"),
    ("request-body-added-required", Error, Some("request-body-removed"), "old clients send no body"),
    ("request-body-added-optional", Info, Some("request-body-removed"), "old clients needn't send a body"),
    ("request-body-removed", Error, None, "a body that clients send is ignored or refused"),
    ("request-body-became-required", Error, Some("request-body-became-optional"), "clients that sent no body fail"),
    ("request-body-became-optional", Info, Some("request-body-became-required"), "the body may be left out now"),
    ("request-body-media-type-removed", Error, Some("request-body-media-type-added"), "clients that send this media type are refused"),
    ("request-body-media-type-added", Info, Some("request-body-media-type-removed"), "a further media type is accepted"),
    ("request-body-media-type-name-changed", Info, Some("request-body-media-type-name-changed"), "the media type has other parameters"),
    ("request-body-media-type-name-generalized", Info, Some("request-body-media-type-name-specialized"), "the media type stands for more"),
    ("request-body-media-type-name-specialized", Error, Some("request-body-media-type-name-generalized"), "the media type stands for less"),
    ("request-body-media-type-schema-added", Error, Some("request-body-media-type-schema-removed"), "a body that was free is restricted now"),
    ("request-body-media-type-schema-removed", Info, Some("request-body-media-type-schema-added"), "the body is free now"),
    ("response-body-media-type-schema-added", Info, Some("response-body-media-type-schema-removed"), "the body is described now"),
    ("response-body-media-type-schema-removed", Warning, Some("response-body-media-type-schema-added"), "nothing is promised of the body any more"),
    ("media-type-encoding-changed", Warning, Some("media-type-encoding-changed"), "parts of a body are written in another way"),
    ("media-type-item-schema-added", Warning, Some("media-type-item-schema-removed"), "the items of a stream are described now"),
    ("media-type-item-schema-removed", Warning, Some("media-type-item-schema-added"), "nothing is said of the items of a stream any more"),
    ("response-success-status-removed", Error, Some("response-success-status-added"), "clients that wait for this status don't get it"),
    ("response-success-status-added", Info, Some("response-success-status-removed"), "a further success status is possible"),
    ("response-non-success-status-removed", Info, Some("response-non-success-status-added"), "an error status isn't used any more"),
    ("response-non-success-status-added", Info, Some("response-non-success-status-removed"), "a further error status is possible"),
    ("response-media-type-removed", Error, Some("response-media-type-added"), "clients that read this media type don't get it"),
    ("response-media-type-added", Info, Some("response-media-type-removed"), "a further media type is offered"),
    ("response-media-type-name-changed", Info, Some("response-media-type-name-changed"), "the media type has other parameters"),
    ("response-media-type-name-generalized", Error, Some("response-media-type-name-specialized"), "the media type stands for more than clients know"),
    ("response-media-type-name-specialized", Info, Some("response-media-type-name-generalized"), "the media type stands for less"),
    ("required-response-header-removed", Error, Some("response-header-added"), "a header that was always sent is gone"),
    ("optional-response-header-removed", Warning, Some("response-header-added"), "a header that was sometimes sent is gone"),
    ("response-header-added", Info, None, "a further header is sent"),
    ("response-header-became-optional", Error, Some("response-header-became-required"), "a header that was always sent may be missing"),
    ("response-header-became-required", Info, Some("response-header-became-optional"), "the header is always sent now"),
    ("response-header-serialization-changed", Error, Some("response-header-serialization-changed"), "lists and objects are written into the header in another way"),
    ("response-header-schema-added", Info, Some("response-header-schema-removed"), "the header is described now"),
    ("response-header-schema-removed", Warning, Some("response-header-schema-added"), "nothing is promised of the header any more"),
    ("response-link-added", Info, Some("response-link-removed"), "a further link is described"),
    ("response-link-removed", Warning, Some("response-link-added"), "a link isn't described any more"),
];

/// All rules.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let rows = ROWS.iter().map(|(id, level, opposite, explanation)| Rule {
        kind: "openapi",
        id: (*id).to_owned(),
        level: *level,
        explanation: (*explanation).to_owned(),
        opposite: opposite.map(str::to_owned),
    });
    rows.chain(naming::rules()).collect()
}

static BY_ID: LazyLock<BTreeMap<String, Rule>> =
    LazyLock::new(|| rules().into_iter().map(|rule| (rule.id.clone(), rule)).collect());

/// The rule of an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    BY_ID.get(id)
}

/// The level of a rule; of one that isn't in the table the worst.
pub(super) fn level(id: &str) -> Level {
    rule(id).map_or(Error, |rule| rule.level)
}
