//! govulncheck's JSON (`govulncheck -json`): the stream of messages of version 1, also wrapped in a list, and the one
//! document of versions before it.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

use super::Input;
use crate::collect::{Collector, Draft};
use crate::error::SourceResult;
use crate::json::{OneOrList, Outline, or_default};
use crate::osv::Record;
use crate::purl;

const SCANNER: &str = "govulncheck";

/// One message; other kinds (`config`, `progress`) say nothing about vulnerabilities.
#[derive(Deserialize)]
struct Message {
    osv: Option<Record>,
    finding: Option<Trace>,
}

#[derive(Deserialize)]
struct Trace {
    osv: String,
    fixed_version: Option<String>,
    /// From the vulnerable symbol up to the code that was scanned.
    #[serde(default, deserialize_with = "or_default")]
    trace: Vec<Frame>,
}

#[derive(Deserialize, Default)]
struct Frame {
    #[serde(default, deserialize_with = "or_default")]
    module: String,
    version: Option<String>,
    package: Option<String>,
    function: Option<String>,
    receiver: Option<String>,
}

/// What the messages say of one vulnerability in one module.
#[derive(Default)]
struct Found {
    version: Option<String>,
    fixed: BTreeSet<String>,
    symbols: BTreeSet<String>,
}

/// The document of old versions.
#[derive(Deserialize)]
struct Old {
    #[serde(rename = "Vulns", default, deserialize_with = "or_default")]
    vulnerabilities: Vec<OldVulnerability>,
    #[serde(rename = "Modules", default, deserialize_with = "or_default")]
    modules: Vec<OldModule>,
}

#[derive(Deserialize)]
struct OldVulnerability {
    #[serde(rename = "OSV")]
    record: Record,
    #[serde(rename = "Symbol", default, deserialize_with = "or_default")]
    symbol: String,
    #[serde(rename = "PkgPath", default, deserialize_with = "or_default")]
    package: String,
    #[serde(rename = "ModPath", default, deserialize_with = "or_default")]
    module: String,
    /// Number of the function in the call graph; 0 when it isn't called.
    #[serde(rename = "CallSink", default, deserialize_with = "or_default")]
    call: u64,
}

#[derive(Deserialize)]
struct OldModule {
    #[serde(rename = "Path", default, deserialize_with = "or_default")]
    path: String,
    #[serde(rename = "Version", default, deserialize_with = "or_default")]
    version: String,
}

pub fn detect(outline: &Outline) -> bool {
    let kinds = ["config", "progress", "osv", "finding"];
    let stream = kinds.iter().any(|kind| outline.has(&[kind]))
        && (outline.has_inner("config", "scanner_name")
            || outline.has_inner("config", "protocol_version")
            || outline.has_inner("finding", "trace"));
    let list = outline.is_array && outline.has_inner("", "config");
    stream || list || outline.has(&["Calls", "Imports", "Requires"]) || outline.has(&["Vulns", "Modules"])
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let is_old = input.begins_with('{') && input.json::<Probe>("govulncheck's JSON").is_ok_and(|p| p.is_old());
    let (records, found) = if is_old { old(input)? } else { messages(input)? };
    for ((id, module), found) in &found {
        // A finding whose advisory is missing means that the stream is not whole, but the finding still counts.
        let draft = match records.get(id) {
            Some(record) => affected(record, module, found),
            None => draft(id, &format!("{module}: {id}"), module, found),
        };
        collector.push(draft)?;
    }
    // govulncheck lists each advisory about a module of the build, also where it then finds that the version in use
    // isn't affected; only a `finding` message says that it is.
    let affected: BTreeSet<&String> = found.keys().map(|(id, _)| id).collect();
    let others = records.keys().filter(|id| !affected.contains(id)).count();
    if others > 0 {
        collector.skip(&format!(
            "{others} advisories about modules in use don't affect the versions in use"
        ));
    }
    Ok(SCANNER.to_owned())
}

/// Tells the document of old versions from a stream of one message.
#[derive(Deserialize)]
struct Probe {
    #[serde(rename = "Vulns")]
    vulnerabilities: Option<serde::de::IgnoredAny>,
    #[serde(rename = "Modules")]
    modules: Option<serde::de::IgnoredAny>,
}

impl Probe {
    fn is_old(&self) -> bool {
        self.vulnerabilities.is_some() || self.modules.is_some()
    }
}

/// Advisories by id, and what was found by advisory and module.
type Contents = (BTreeMap<String, Record>, BTreeMap<(String, String), Found>);

fn messages(input: &Input<'_>) -> SourceResult<Contents> {
    let mut records = BTreeMap::new();
    let mut found: BTreeMap<(String, String), Found> = BTreeMap::new();
    input.stream("govulncheck's messages", |messages: OneOrList<Message>| {
        for message in messages.into_iter() {
            // The same advisory may come several times.
            records.extend(message.osv.map(|record| (record.id.clone(), record)));
            if let Some(finding) = message.finding {
                take(finding, &mut found);
            }
        }
        Ok(())
    })?;
    Ok((records, found))
}

fn take(finding: Trace, found: &mut BTreeMap<(String, String), Found>) {
    let Trace {
        osv,
        fixed_version,
        trace,
    } = finding;
    let Some(vulnerable) = trace.into_iter().next() else {
        found.entry((osv, String::new())).or_default();
        return;
    };
    let symbol = vulnerable.symbol();
    let known = found.entry((osv, vulnerable.module)).or_default();
    known.version = known.version.take().or(vulnerable.version);
    known.fixed.extend(fixed_version.filter(|version| !version.is_empty()));
    known.symbols.extend(symbol);
}

impl Frame {
    /// The function as Go spells it, for example `golang.org/x/text/language.Parse`; only a called function has one.
    fn symbol(&self) -> Option<String> {
        let function = self.function.as_deref().filter(|name| !name.is_empty())?;
        let package = self.package.as_deref().unwrap_or_default();
        let receiver = self
            .receiver
            .as_deref()
            .map(|name| format!("{}.", name.trim_start_matches('*')));
        Some(format!("{package}.{}{function}", receiver.unwrap_or_default()))
    }
}

fn old(input: &Input<'_>) -> SourceResult<Contents> {
    let document: Old = input.json("govulncheck's JSON")?;
    let modules: BTreeMap<String, String> = document.modules.into_iter().map(|m| (m.path, m.version)).collect();
    let mut records = BTreeMap::new();
    let mut found: BTreeMap<(String, String), Found> = BTreeMap::new();
    for entry in document.vulnerabilities {
        let known = found
            .entry((entry.record.id.clone(), entry.module.clone()))
            .or_default();
        known.version = modules
            .get(&entry.module)
            .cloned()
            .filter(|version| !version.is_empty());
        if entry.call > 0 {
            known.symbols.insert(format!("{}.{}", entry.package, entry.symbol));
        }
        records.insert(entry.record.id.clone(), entry.record);
    }
    Ok((records, found))
}

fn affected(record: &Record, module: &str, found: &Found) -> Draft {
    let mut draft = draft(&record.id, &record.title(module), module, found);
    draft.aliases.clone_from(&record.aliases);
    draft.severity = record.severity();
    draft.cwes = record.cwes();
    draft
}

fn draft(id: &str, title: &str, module: &str, found: &Found) -> Draft {
    let component = purl::component("Go", module, found.version.as_deref());
    let mut draft = Draft::dependency(SCANNER, id, title, component);
    draft.fixed_versions = found.fixed.iter().cloned().collect();
    // Without a called function nothing is said: a scan of packages or modules only doesn't look for one.
    draft.details.reached = (!found.symbols.is_empty()).then_some(true);
    draft.details.symbols = found.symbols.iter().cloned().collect();
    draft
}
