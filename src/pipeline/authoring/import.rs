//! A decision table as policies of a pack, facts of the organisation, and cases.

use anyhow::Result;
use holdpoint_engine::table::{DecisionTable, Role, Strictness, cases, policies, read};
use holdpoint_schemas::fact::{Action, FactRow, FactType};
use holdpoint_schemas::pack::Case;
use holdpoint_schemas::{Level, SourceError};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::draft::{check_id, write};
use super::files::NewFile;
use super::yaml::{case_file, quoted, scalar};
use super::{Workspace, Written};
use crate::failure::BadInput;
use crate::pipeline::packs::CASES;

/// Folder of an estate's own facts.
const FACTS: &str = "facts.d";
/// Most gaps that a table's policies may leave, for a table that only withholds: none.
const NO_GAPS: u128 = 0;

/// A table to be imported.
#[derive(Debug)]
pub struct Import<'a> {
    /// The table's id: policies and facts begin with it.
    pub id: String,
    /// How messages call the file.
    pub path: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
    /// The level of each outcome.
    pub outcomes: BTreeMap<String, Level>,
    /// The estate's folder, where its facts are declared.
    pub estate: &'a Path,
}

/// The id of a table by its file's name, without a version at its end.
pub fn table_id(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let words: Vec<&str> = stem
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let is_number = |word: &&str| word.trim_start_matches('v').bytes().all(|b| b.is_ascii_digit());
    let version = words.iter().rev().take_while(|word| is_number(word)).count();
    let (name, _) = words.split_at(words.len() - version);
    name.join("-")
}

impl Import<'_> {
    /// Outcomes of the table that have no level.
    ///
    /// # Errors
    /// When the table can't be read.
    pub fn without_level(&self) -> Result<Vec<String>> {
        check_id(&self.id)?;
        let table = self.table()?;
        Ok(table.levels(&self.outcomes).err().unwrap_or_default())
    }

    fn table(&self) -> Result<DecisionTable> {
        let table = read(&self.id, self.path, self.bytes)?;
        match alike(&table, self.path, std::str::from_utf8(self.bytes)?) {
            Some(error) => Err(error.into()),
            None => Ok(table),
        }
    }
}

/// Writes the table into the pack, and its inputs into the estate's facts.
///
/// # Errors
/// When the table can't be read, an outcome has no level, or something would be overwritten. Nothing
/// is written then.
pub fn import(workspace: Workspace, import: &Import<'_>) -> Result<Written> {
    check_id(&import.id)?;
    let table = import.table()?;
    let levels = table.levels(&import.outcomes).map_err(|without| {
        BadInput::new(
            format!("these outcomes have no level: {}", without.join(", ")),
            "say one for each, as in `--outcome \"immediate=auto-apply\"`",
        )
    })?;
    if let Some(other) = import.outcomes.keys().find(|outcome| !levels.contains_key(*outcome)) {
        let known: Vec<&str> = table.outcomes().into_iter().collect();
        return Err(BadInput::new(
            format!("the table has no outcome `{other}`"),
            format!("its outcomes are: {}", known.join(", ")),
        )
        .into());
    }
    let role = if workspace.permits()? {
        Role::Caps
    } else {
        Role::Decides
    };
    let mut notes = notes(&table, role)?;
    let facts = workspace
        .facts()
        .with_org(rows(&table))
        .map_err(|id| BadInput::new(format!("fact `{id}` is declared already"), "give the table another id"))?;
    let alone = workspace.is_empty();
    let workspace = workspace.with_facts(facts)?;
    let mut sources = policies(&table, role, &levels)?;
    for source in &mut sources {
        source.path = workspace.label(&source.path);
    }
    let pack = workspace.compile(&sources, None)?;
    notes.insert(
        0,
        format!(
            "policies made of {} rows: {}; the pack has {} now",
            table.rows.len(),
            sources.len(),
            pack.policies().len()
        ),
    );
    let strictness = if alone { Strictness::Exact } else { Strictness::AtMost };
    let comment = format!(
        "What the table `{}` says. Written by `holdpoint policy new --from-table`.",
        import.id
    );
    let mut cases = cases(&table, role, strictness, &levels);
    // A row that withholds nothing, beside other policies that may, leaves a case nothing to expect.
    cases.cases.retain(can_fail);
    let mut files: Vec<NewFile> = table
        .rows
        .iter()
        .map(|row| format!("{}.cedar", table.policy_id(row)))
        .filter_map(|name| {
            let source = sources.iter().find(|source| source.path == workspace.label(&name))?;
            Some(workspace.file(&name, source.text.clone()))
        })
        .collect();
    if !cases.cases.is_empty() {
        files.push(workspace.file(&format!("{CASES}/{}.yaml", import.id), case_file(&comment, &cases)));
    }
    let facts_file = format!("{FACTS}/{}.yaml", import.id);
    files.push(NewFile {
        path: import.estate.join(&facts_file),
        label: import.estate.join(&facts_file).display().to_string(),
        text: declarations(&table, import),
    });
    let manifest = workspace.manifest_file(None)?;
    write(files, manifest, notes)
}

fn can_fail(case: &Case) -> bool {
    case.level.is_some() || case.at_most.is_some_and(|level| level < Level::AutoApply) || !case.reasons.is_empty()
}

/// Two words of an input, or two outcomes, that people would read as the same: they differ by case
/// or space only.
fn alike(table: &DecisionTable, path: &str, text: &str) -> Option<SourceError> {
    let inputs = table.inputs.iter().enumerate().flat_map(|(index, input)| {
        let words = table.rows.iter().filter_map(move |row| {
            let word = input.words.get(*row.choices.get(index)?)?;
            Some((row.line, word.as_str()))
        });
        words.map(|(line, word)| (input.header.as_str(), line, word))
    });
    let outcomes = table.rows.iter().map(|row| ("outcome", row.line, row.outcome.as_str()));
    let mut first: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for (header, line, word) in inputs.chain(outcomes) {
        let same = word.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let other = *first.entry((header, same)).or_insert(word);
        if other != word {
            let message =
                format!("`{word}` under `{header}`, but `{other}` in another row: they differ by case or space only");
            let error = SourceError::new(path, message).at(text, line, 1);
            return Some(error.help("write them in one way, or tell them apart"));
        }
    }
    None
}

/// What to know of the table in its pack.
///
/// # Errors
/// When it has gaps that the pack would fill with its own permits.
fn notes(table: &DecisionTable, role: Role) -> Result<Vec<String>> {
    let gaps = table.gaps();
    let shown: Vec<String> = gaps
        .first
        .iter()
        .map(|words| format!("({})", words.join(", ")))
        .collect();
    let mut notes = Vec::new();
    if role == Role::Caps {
        if gaps.count > NO_GAPS {
            return Err(BadInput::new(
                format!("no row is about {} of the table's combinations, such as {}", gaps.count, shown.join(" and ")),
                "this pack permits by itself, also where the table is silent: add the rows, or import the table into a pack without permits",
            )
            .into());
        }
        notes.push(
            "the pack permits by itself, so the table only withholds: rows on auto-apply have no policy".to_owned(),
        );
    } else if gaps.count > NO_GAPS {
        notes.push(format!(
            "no row is about {} of the table's combinations, such as {}: these stay alerts",
            gaps.count,
            shown.join(" and ")
        ));
    }
    Ok(notes)
}

/// The facts that the inputs become. Their text lives as long as the process, which ends after this
/// one table, of bounded size.
fn rows(table: &DecisionTable) -> Vec<FactRow> {
    let forever = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let row = |input: &holdpoint_engine::table::Input| {
        let words: Vec<&'static str> = input.words.iter().map(|word| forever(word)).collect();
        FactRow {
            id: forever(&input.fact),
            fact_type: FactType::Word(words.leak()),
            doc: "An input of a decision table.",
            ttl_seconds: None,
            resolver: "whoever keeps the table",
            actions: &Action::ALL,
            evidence_order: &[],
        }
    };
    table.inputs.iter().map(row).collect()
}

/// The inputs as an estate declares facts.
fn declarations(table: &DecisionTable, import: &Import<'_>) -> String {
    let mut text = format!(
        "# Inputs of the table `{}`. Written by `holdpoint policy new --from-table`.\nfacts:\n",
        import.id
    );
    for input in &table.inputs {
        let words: Vec<String> = input.words.iter().map(|word| scalar(word)).collect();
        let _ = writeln!(
            text,
            "  - id: {}\n    type: [{}]\n    doc: {}\n    resolver: {}",
            input.fact,
            words.join(", "),
            quoted(&format!("{} ({}).", input.header, table.title())),
            quoted("whoever assesses it by the table")
        );
    }
    text
}
