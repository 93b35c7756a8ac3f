//! The kinds of contracts: how each is recognised, which rules it has, and how two are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::LazyLock;

use holdpoint_schemas::SourceError;
use regex::Regex;

use crate::bundle::read_root;
use crate::json_schema::Compatibility;
use crate::openapi::{Day, Document, Policy};
use crate::{
    ContractDiff, ContractError, Gap, Rule, Sources, asyncapi, graphql, http, json_schema, openapi, places, protobuf,
    sql,
};

/// Files of a folder that are opened to tell what they are; more than that is no folder of contracts.
const MAX_SNIFFED: usize = 2_000;

/// A kind of contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `OpenAPI` descriptions.
    OpenApi,
    /// Protocol Buffers.
    Protobuf,
    /// GraphQL's schema language.
    GraphQl,
    /// JSON Schema.
    JsonSchema,
    /// `AsyncAPI` descriptions.
    AsyncApi,
    /// Recorded HTTP interactions.
    Http,
    /// SQL: schemas and migrations.
    Sql,
}

/// One side of a comparison.
#[derive(Clone, Copy)]
pub struct SideOf<'a> {
    /// Its files.
    pub sources: &'a dyn Sources,
    /// The document that the comparison starts from, for kinds that have one: a path of `sources`.
    pub root: &'a str,
}

type Compare = fn(SideOf<'_>, SideOf<'_>, Option<Day>) -> Result<ContractDiff, ContractError>;

/// What is known of a kind.
struct Entry {
    kind: Kind,
    /// Whether a comparison starts from one document, and reads others only where it refers to them.
    rooted: bool,
    compare: Compare,
    rules: fn() -> Vec<Rule>,
}

/// The kinds that can be compared: one line each.
const ENTRIES: &[Entry] = &[
    Entry {
        kind: Kind::OpenApi,
        rooted: true,
        compare: compare_openapi,
        rules: openapi::rules,
    },
    Entry {
        kind: Kind::Protobuf,
        rooted: false,
        compare: compare_protobuf,
        rules: protobuf::rules,
    },
    Entry {
        kind: Kind::GraphQl,
        rooted: false,
        compare: |base, revision, _| graphql::diff(base.sources, revision.sources),
        rules: graphql::rules,
    },
    Entry {
        kind: Kind::Sql,
        rooted: false,
        compare: |base, revision, _| sql::diff(base.sources, revision.sources),
        rules: sql::rules,
    },
    Entry {
        kind: Kind::JsonSchema,
        rooted: false,
        compare: |base, revision, _| json_schema::diff(base.sources, revision.sources, Compatibility::Backward),
        rules: json_schema::rules,
    },
    Entry {
        kind: Kind::AsyncApi,
        rooted: true,
        compare: compare_asyncapi,
        rules: asyncapi::rules,
    },
    Entry {
        kind: Kind::Http,
        rooted: true,
        compare: compare_http,
        rules: http::rules,
    },
];

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::OpenApi,
        Self::Protobuf,
        Self::GraphQl,
        Self::JsonSchema,
        Self::AsyncApi,
        Self::Http,
        Self::Sql,
    ];

    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenApi => "openapi",
            Self::Protobuf => "protobuf",
            Self::GraphQl => "graphql",
            Self::JsonSchema => "json-schema",
            Self::AsyncApi => "asyncapi",
            Self::Http => "http",
            Self::Sql => "sql",
        }
    }

    fn entry(self) -> Option<&'static Entry> {
        ENTRIES.iter().find(|entry| entry.kind == self)
    }

    /// The kinds that can be compared.
    pub fn comparable() -> impl Iterator<Item = Self> {
        ENTRIES.iter().map(|entry| entry.kind)
    }

    /// Its rules; none where it can't be compared.
    #[must_use]
    pub fn rules(self) -> Vec<Rule> {
        self.entry().map(|entry| (entry.rules)()).unwrap_or_default()
    }

    /// Compares two versions of a contract of this kind, on a day: what was announced to end by then may go.
    ///
    /// # Errors
    /// When a side can't be read or parsed, with its place; or this kind can't be compared.
    pub fn diff(
        self,
        base: SideOf<'_>,
        revision: SideOf<'_>,
        today: Option<Day>,
    ) -> Result<ContractDiff, ContractError> {
        match self.entry() {
            Some(entry) => {
                self.check_name(base)?;
                self.check_name(revision)?;
                let found = (entry.compare)(base, revision, today)?;
                let links = [base, revision].into_iter().flat_map(|side| side.sources.links());
                let of_kind =
                    |path: &String| path.ends_with('/') || matches!(by_name(path), Named::Kind(kind) if kind == self);
                // A comparison that starts from one document reads through links, where a reference goes.
                let passed_over = links.filter(|path| !entry.rooted && of_kind(path)).map(|place| Gap {
                    place,
                    text: "it is a link, and what it leads to isn't compared".to_owned(),
                });
                let gaps = found.gaps.into_iter().chain(passed_over).collect();
                Ok(ContractDiff::with_gaps(&found.kind, found.changes, gaps))
            }
            None => {
                let message = format!("contracts of the kind `{}` can't be compared", self.as_str());
                Err(SourceError::new(base.root, message)
                    .help(known(Self::comparable()))
                    .into())
            }
        }
    }

    /// Refuses a lone file that can't be of this kind by its name.
    fn check_name(self, side: SideOf<'_>) -> Result<(), ContractError> {
        let paths = side.sources.paths();
        let [only] = paths.as_slice() else { return Ok(()) };
        let named = ENDINGS
            .iter()
            .filter(|(_, kind)| *kind == self)
            .map(|(ending, _)| format!("`.{ending}`"));
        let endings: Vec<String> = named.collect();
        if endings.is_empty() || matches!(by_name(only), Named::Kind(kind) if kind == self) {
            return Ok(());
        }
        let message = format!("is no file of the kind `{}`", self.as_str());
        let help = format!("name a file that ends with {}, or another kind", endings.join(" or "));
        Err(SourceError::new(only, message).help(help).into())
    }

    /// The document of a side that a comparison of this kind starts from; empty for kinds that take all files.
    ///
    /// # Errors
    /// When there is none, or several and none has the usual name.
    pub fn root(self, folder: &str, sources: &dyn Sources) -> Result<String, ContractError> {
        if !self.entry().is_some_and(|entry| entry.rooted) {
            return Ok(String::new());
        }
        let paths = sources.paths();
        if let [only] = paths.as_slice() {
            return Ok(only.clone());
        }
        let mut found = recognised(folder, sources)?.remove(&self).unwrap_or_default();
        // Of several the one with the kind's usual name that lies highest.
        let usual = |path: &String| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let stem = name.split('.').next().unwrap_or_default();
            stem == self.as_str() || (self == Self::OpenApi && matches!(stem, "swagger" | "api"))
        };
        if found.len() > 1 && found.iter().any(usual) {
            found.retain(usual);
            let highest = found.iter().map(|path| path.matches('/').count()).min();
            found.retain(|path| Some(path.matches('/').count()) == highest);
        }
        match found.as_slice() {
            [root] => Ok(root.clone()),
            [] => {
                let message = format!("holds no file of the kind `{}`", self.as_str());
                Err(SourceError::new(folder, message).help("name the file itself").into())
            }
            several => {
                let shown: Vec<String> = several.iter().take(5).map(|path| format!("`{path}`")).collect();
                let message = format!(
                    "holds {} files of the kind `{}`: {}",
                    several.len(),
                    self.as_str(),
                    shown.join(", ")
                );
                Err(SourceError::new(folder, message).help("name the file itself").into())
            }
        }
    }
}

/// Says which kinds there are.
fn known(kinds: impl Iterator<Item = Kind>) -> String {
    let names: Vec<&str> = kinds.map(Kind::as_str).collect();
    format!("kinds that can be compared: {}", names.join(", "))
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.into_iter().map(Self::as_str).collect();
            format!("no kind of contract is called `{text}`; there are {}", names.join(", "))
        })
    }
}

/// Tells the kind of a contract from its files' names, and where they don't say it, from what is in them.
/// `folder` is its name for messages.
///
/// # Errors
/// When no file is of a known kind, or the files are of several: the message names them.
pub fn detect(folder: &str, sources: &dyn Sources) -> Result<Kind, ContractError> {
    let found = recognised(folder, sources)?;
    let mut kinds: Vec<Kind> = found.keys().copied().collect();
    // Schemas beside a description are what it refers to.
    if kinds.iter().any(|kind| matches!(kind, Kind::OpenApi | Kind::AsyncApi)) {
        kinds.retain(|kind| *kind != Kind::JsonSchema);
    }
    match kinds.as_slice() {
        [kind] => Ok(*kind),
        [] => {
            // Of a lone file it can be told why nothing is known.
            if let [only] = sources.paths().as_slice() {
                let text = read_root(only, sources)?;
                crate::text::check_size(only, &text)?;
                if text.trim_start_matches('\u{feff}').trim().is_empty() {
                    return Err(SourceError::new(only, "it is empty")
                        .help("name a file with a contract")
                        .into());
                }
            }
            let help = format!("say what it is with `--kind`; {}", known(Kind::comparable()));
            Err(SourceError::new(folder, "no contract of a known kind was found")
                .help(help)
                .into())
        }
        several => {
            let names: Vec<String> = several.iter().map(|kind| format!("`{}`", kind.as_str())).collect();
            let message = format!("holds contracts of several kinds: {}", names.join(", "));
            Err(SourceError::new(folder, message)
                .help("choose one with `--kind`")
                .into())
        }
    }
}

/// The files of each kind.
fn recognised(folder: &str, sources: &dyn Sources) -> Result<BTreeMap<Kind, Vec<String>>, ContractError> {
    let mut found: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
    let mut opened = 0;
    for path in sources.paths() {
        let kind = match by_name(&path) {
            Named::Kind(kind) => Some(kind),
            Named::Other => None,
            Named::Document => {
                opened += 1;
                if opened > MAX_SNIFFED {
                    let message = format!("holds more than {MAX_SNIFFED} YAML and JSON files");
                    return Err(SourceError::new(folder, message).help("name the file itself").into());
                }
                // A file that can't be read says nothing here; where it is needed, that is told.
                sources.read(&path).ok().and_then(|text| by_content(&text))
            }
        };
        if let Some(kind) = kind {
            found.entry(kind).or_default().push(path);
        }
    }
    Ok(found)
}

/// What a name says.
enum Named {
    Kind(Kind),
    /// YAML or JSON: what it is stands in it.
    Document,
    Other,
}

fn by_name(path: &str) -> Named {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let ending = ending.unwrap_or_default();
    match ENDINGS.iter().find(|(known, _)| *known == ending) {
        Some((_, kind)) => Named::Kind(*kind),
        None if ["json", "yaml", "yml"].contains(&ending.as_str()) => Named::Document,
        None => Named::Other,
    }
}

/// Endings of names that say what a file is.
const ENDINGS: [(&str, Kind); 6] = [
    ("proto", Kind::Protobuf),
    ("graphql", Kind::GraphQl),
    ("graphqls", Kind::GraphQl),
    ("gql", Kind::GraphQl),
    ("sql", Kind::Sql),
    ("ddl", Kind::Sql),
];

/// Keys that only documents of one kind have, in YAML at the start of a line, in JSON anywhere.
static KEYS: LazyLock<Vec<(Kind, Option<Regex>)>> = LazyLock::new(|| {
    let key = |name: &str, value: &str| {
        Regex::new(&format!(
            r#"(?m)(?:^(?:{name})|["'](?:{name})["'])\s*:\s*["']?(?:{value})"#
        ))
        .ok()
    };
    vec![
        (Kind::OpenApi, key("openapi|swagger", r"\d")),
        (Kind::AsyncApi, key("asyncapi", r"\d")),
        (Kind::Http, key("interactions", r"\[|$")),
        (Kind::JsonSchema, key(r"\$schema", r"https?://json-schema\.org/")),
    ]
});

fn by_content(text: &str) -> Option<Kind> {
    let text = text.trim_start_matches('\u{feff}');
    let found = |regex: &Option<Regex>| regex.as_ref().is_some_and(|regex| regex.is_match(text));
    let (kind, _) = KEYS.iter().find(|(_, regex)| found(regex))?;
    // Others have interactions, too: a contract names its parties.
    let parties = || ["consumer", "provider"].iter().all(|party| text.contains(party));
    (*kind != Kind::Http || parties()).then_some(*kind)
}

fn compare_openapi(base: SideOf<'_>, revision: SideOf<'_>, today: Option<Day>) -> Result<ContractDiff, ContractError> {
    let read = |side: SideOf<'_>| Document::load(side.root, side.sources);
    let policy = Policy {
        today,
        ..Policy::default()
    };
    let mut found = openapi::diff_under(&read(base)?, &read(revision)?, &policy);
    places::add(&mut found.changes, base, revision);
    Ok(found)
}

fn compare_asyncapi(base: SideOf<'_>, revision: SideOf<'_>, _: Option<Day>) -> Result<ContractDiff, ContractError> {
    let mut found = asyncapi::diff((base.root, base.sources), (revision.root, revision.sources))?;
    places::add(&mut found.changes, base, revision);
    Ok(found)
}

/// Where each side is one file, their names don't count.
fn compare_protobuf(base: SideOf<'_>, revision: SideOf<'_>, _: Option<Day>) -> Result<ContractDiff, ContractError> {
    let (old, new) = (base.sources.paths(), revision.sources.paths());
    if let ([old], [new]) = (old.as_slice(), new.as_slice())
        && old != new
        && let Ok(text) = base.sources.read(old)
    {
        return protobuf::diff(&BTreeMap::from([(new.clone(), text)]), revision.sources);
    }
    protobuf::diff(base.sources, revision.sources)
}

fn compare_http(base: SideOf<'_>, revision: SideOf<'_>, _: Option<Day>) -> Result<ContractDiff, ContractError> {
    let read = |side: SideOf<'_>| http::read_interactions(side.root, &read_root(side.root, side.sources)?);
    Ok(http::diff(&read(base)?, &read(revision)?))
}

/// The rules of all kinds, by kind and id.
#[must_use]
pub fn all_rules() -> Vec<Rule> {
    let rules: BTreeSet<Rule> = ENTRIES.iter().flat_map(|entry| (entry.rules)()).collect();
    rules.into_iter().collect()
}

#[cfg(test)]
mod tests;
