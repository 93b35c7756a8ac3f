//! Keys that the comparison asks for: the same symbols in every document.

/// One distinct text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sym(u32);

impl Sym {
    pub(super) fn new(at: usize) -> Self {
        // A document of at most 32 MiB can't have as many texts.
        Self(u32::try_from(at).unwrap_or(u32::MAX))
    }

    pub(super) const fn at(self) -> usize {
        self.0 as usize
    }

    /// Whether it is one of the known words, and so the same in every document.
    pub(super) const fn is_word(self) -> bool {
        self.at() < WORDS.len()
    }
}

macro_rules! words {
    ($($name:ident $text:literal),* $(,)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u32)]
        enum Index { $($name),* }

        /// Known words as symbols.
        pub(crate) mod word {
            use super::{Index, Sym};
            $(pub(crate) const $name: Sym = Sym(Index::$name as u32);)*
        }

        /// Texts of the known words, in the order of their symbols.
        pub(super) const WORDS: &[&str] = &[$($text),*];
    };
}

words! {
    REF "$ref", TYPE "type", FORMAT "format", PROPERTIES "properties", REQUIRED "required", ITEMS "items",
    ENUM "enum", CONST "const", DEFAULT "default", NULLABLE "nullable", READ_ONLY "readOnly", WRITE_ONLY "writeOnly",
    ALL_OF "allOf", ANY_OF "anyOf", ONE_OF "oneOf", NOT "not", TITLE "title", DEPRECATED "deprecated",
    DISCRIMINATOR "discriminator", MAPPING "mapping", PROPERTY_NAME "propertyName",
    ADDITIONAL_PROPERTIES "additionalProperties", PATTERN_PROPERTIES "patternProperties", PATTERN "pattern",
    PROPERTY_NAMES "propertyNames", PREFIX_ITEMS "prefixItems", ADDITIONAL_ITEMS "additionalItems", CONTAINS "contains",
    IF "if", THEN "then", ELSE "else", DEPENDENT_REQUIRED "dependentRequired", DEPENDENT_SCHEMAS "dependentSchemas",
    UNEVALUATED_ITEMS "unevaluatedItems", UNEVALUATED_PROPERTIES "unevaluatedProperties", UNIQUE_ITEMS "uniqueItems",
    CONTENT_SCHEMA "contentSchema", CONTENT_MEDIA_TYPE "contentMediaType", CONTENT_ENCODING "contentEncoding",
    MAXIMUM "maximum", MINIMUM "minimum", EXCLUSIVE_MAXIMUM "exclusiveMaximum", EXCLUSIVE_MINIMUM "exclusiveMinimum",
    MULTIPLE_OF "multipleOf", MAX_LENGTH "maxLength", MIN_LENGTH "minLength", MAX_ITEMS "maxItems",
    MIN_ITEMS "minItems", MAX_PROPERTIES "maxProperties", MIN_PROPERTIES "minProperties", MAX_CONTAINS "maxContains",
    MIN_CONTAINS "minContains", EXTENSIBLE_ENUM "x-extensible-enum", SUNSET "x-sunset", STABILITY "x-stability-level",
    XML "xml", NAME "name",
    DEFS "$defs", DEFINITIONS "definitions", ANCHOR "$anchor",
    OPENAPI "openapi", SWAGGER "swagger", ASYNCAPI "asyncapi", PATHS "paths", WEBHOOKS "webhooks",
    COMPONENTS "components", SCHEMAS "schemas", SECURITY "security", SECURITY_SCHEMES "securitySchemes",
    SERVERS "servers", URL "url", TAGS "tags", OPERATION_ID "operationId", PARAMETERS "parameters", IN "in",
    SCHEMA "schema", CONTENT "content", STYLE "style", EXPLODE "explode", ALLOW_RESERVED "allowReserved",
    ALLOW_EMPTY_VALUE "allowEmptyValue", REQUEST_BODY "requestBody", RESPONSES "responses", HEADERS "headers",
    ENCODING "encoding", ITEM_SCHEMA "itemSchema", ADDITIONAL_OPERATIONS "additionalOperations",
    DYNAMIC_REF "$dynamicRef", DYNAMIC_ANCHOR "$dynamicAnchor", RECURSIVE_REF "$recursiveRef", CONTENT_TYPE "contentType", CALLBACKS "callbacks", LINKS "links",
    FLOWS "flows", SCOPES "scopes", AUTHORIZATION_URL "authorizationUrl", TOKEN_URL "tokenUrl",
    SCHEME "scheme", OPEN_ID_CONNECT_URL "openIdConnectUrl",
    GET "get", PUT "put", POST "post", DELETE "delete", OPTIONS "options", HEAD "head", PATCH "patch", TRACE "trace",
    QUERY "query", VARIABLES "variables", PATH_ITEMS "pathItems", REQUEST_BODIES "requestBodies",
    DEPENDENCIES "dependencies", DESCRIPTION "description", SUMMARY "summary", EXAMPLE "example", EXAMPLES "examples",
    EXTERNAL_DOCS "externalDocs", COMMENT "$comment", VALUE "value", CHANNELS "channels", MESSAGES "messages",
    OPERATIONS "operations", MESSAGE "message", PAYLOAD "payload", PUBLISH "publish", SUBSCRIBE "subscribe",
    ACTION "action", CHANNEL "channel", ADDRESS "address", REPLY "reply", TRAITS "traits",
    DEFAULT_CONTENT_TYPE "defaultContentType",
}
