//! From CSV to a table, or to an error that says where.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};
use holdpoint_schemas::SourceError;

use super::{DecisionTable, Input, Row};

/// Longest file, in bytes: that of the most rows with cells of a usual length.
const MAX_BYTES: usize = 4 << 20;
/// Most rows: each becomes a policy, and a pack has no more.
const MAX_ROWS: usize = 10_000;
/// Most inputs: people's tables have three to eight.
const MAX_INPUTS: usize = 32;
/// Most bytes of a cell, and of a fact's id: the same as of facts that are declared by hand.
const MAX_CELL_BYTES: usize = 80;
/// How many different values an input may have, likewise. With one alone it decides nothing.
const WORDS: std::ops::RangeInclusive<usize> = 2..=50;
/// Cedar's own words: an attribute of such a name can't be asked for with `has`.
const RESERVED: [&str; 9] = ["true", "false", "if", "then", "else", "in", "is", "like", "has"];

type Result<T> = std::result::Result<T, Box<SourceError>>;

/// Reads a table: a line of headers, then one row for each combination of inputs; an optional first
/// column `row` names the rows, the last column is the outcome, and each other column an input.
/// Version numbers at the end of a header are dropped (`Utility v1.0.1` becomes `utility`).
///
/// # Errors
/// What is wrong with the file, and where; `path` is its name in the error. Two rows on the same
/// inputs are refused, whether or not they agree.
pub fn read(id: &str, path: &str, bytes: &[u8]) -> Result<DecisionTable> {
    let text = text(path, bytes)?;
    let file = File { path, text };
    let mut records = file.records()?.into_iter();
    let headers = records
        .next()
        .ok_or_else(|| file.refuse("an empty file, expected a table".to_owned(), None))?;
    let labelled = headers
        .cells
        .get(0)
        .is_some_and(|header| header.eq_ignore_ascii_case("row"));
    let first_input = usize::from(labelled);
    let outcome_column = headers.cells.len().saturating_sub(1);
    let inputs = file.inputs(id, &headers, first_input..outcome_column)?;
    let mut table = DecisionTable {
        id: id.to_owned(),
        inputs,
        rows: Vec::new(),
    };
    let mut lines_by_label: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows_by_choices: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for record in records {
        if record.cells.len() != headers.cells.len() {
            let message = format!(
                "a row of {} cells, expected {} as in the first line",
                record.cells.len(),
                headers.cells.len()
            );
            return Err(file.refuse(message, Some((&record, 0))).into());
        }
        let row = file.row(&mut table, &record, labelled)?;
        if let Some(line) = lines_by_label.insert(row.label.clone(), row.line) {
            let message = format!("row `{}` is there twice, first in line {line}", row.label);
            return Err(file.refuse(message, Some((&record, 0))).into());
        }
        if let Some(first) = rows_by_choices.insert(row.choices.clone(), table.rows.len())
            && let Some(first) = table.rows.get(first)
        {
            return Err(file
                .refuse(same_inputs(first, &row), Some((&record, outcome_column)))
                .into());
        }
        table.rows.push(row);
    }
    if table.rows.is_empty() {
        return Err(file
            .refuse("a table without rows, expected at least one".to_owned(), None)
            .into());
    }
    let unfit = table
        .inputs
        .iter()
        .position(|input| !WORDS.contains(&input.words.len()));
    if let Some((index, input)) = unfit.and_then(|index| Some((index, table.inputs.get(index)?))) {
        let message = format!(
            "the number of different values of `{}` is {}, expected {} to {}",
            input.header,
            input.words.len(),
            WORDS.start(),
            WORDS.end()
        );
        return Err(file.refuse(message, Some((&headers, first_input + index))).into());
    }
    Ok(table)
}

fn same_inputs(first: &Row, second: &Row) -> String {
    let both = format!(
        "row `{}` has the same inputs as row `{}` in line {}",
        second.label, first.label, first.line
    );
    if first.outcome == second.outcome {
        format!("{both}, expected one row for each combination")
    } else {
        format!("{both}, but `{}` instead of `{}`", second.outcome, first.outcome)
    }
}

fn text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str> {
    let refuse = |message: String| SourceError::new(path, message);
    if bytes.len() > MAX_BYTES {
        return Err(refuse(format!("{} bytes, expected at most {MAX_BYTES}", bytes.len())).into());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(format!("line {line} isn't UTF-8 text")).help("save the table as CSV in UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A line of the file.
struct Record {
    /// Without the space around them.
    cells: StringRecord,
    line: usize,
    /// Byte at which it starts.
    start: usize,
}

struct File<'a> {
    path: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn records(&self) -> Result<Vec<Record>> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(self.text.as_bytes());
        let mut records = Vec::new();
        let mut line = 1;
        let mut counted = 0;
        for cells in reader.records() {
            let mut cells = cells.map_err(|error| self.refuse(format!("not CSV: {error}"), None))?;
            // The reader's position is that of the line break before it where lines are blank.
            let from = cells.position().map_or(counted, |position| {
                usize::try_from(position.byte()).unwrap_or(usize::MAX)
            });
            let rest = self.text.get(from..).unwrap_or_default();
            let start = from + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            let passed = self.text.get(counted..start).unwrap_or_default();
            line += passed.bytes().filter(|byte| *byte == b'\n').count();
            counted = start;
            cells.trim();
            let record = Record { cells, line, start };
            self.check(&record)?;
            records.push(record);
            if records.len() > MAX_ROWS + 1 {
                let message = format!("more than {MAX_ROWS} rows");
                return Err(self.refuse(message, None).help("split the table").into());
            }
        }
        Ok(records)
    }

    fn check(&self, record: &Record) -> Result<()> {
        for (column, cell) in record.cells.iter().enumerate() {
            let message = if cell.len() > MAX_CELL_BYTES {
                format!("a cell of {} bytes, expected at most {MAX_CELL_BYTES}", cell.len())
            } else if cell.chars().any(char::is_control) {
                "a cell with a line break or another control character, expected a word".to_owned()
            } else if !cell.chars().any(char::is_alphanumeric) {
                format!("a cell that says `{cell}`, expected a word")
            } else {
                continue;
            };
            return Err(self
                .refuse(message, Some((record, column)))
                .help("write one row for each combination of values")
                .into());
        }
        Ok(())
    }

    /// Columns of inputs, without words yet.
    fn inputs(&self, id: &str, headers: &Record, columns: std::ops::Range<usize>) -> Result<Vec<Input>> {
        if columns.is_empty() || columns.len() > MAX_INPUTS {
            let message = format!(
                "{} inputs, expected 1 to {MAX_INPUTS}, and the outcome in the last column",
                columns.len()
            );
            return Err(self.refuse(message, Some((headers, 0))).into());
        }
        let mut inputs: Vec<Input> = Vec::new();
        for column in columns {
            let header = headers.cells.get(column).unwrap_or_default();
            let name = slug(without_version(header), '_');
            // A name of Cedar's begins with a letter.
            if !name.starts_with(|c: char| c.is_ascii_lowercase()) || RESERVED.contains(&name.as_str()) {
                let message = format!(
                    "the header `{header}`, expected a name that begins with a letter and isn't a word of Cedar"
                );
                return Err(self.refuse(message, Some((headers, column))).into());
            }
            let fact = format!("org.{}.{name}", id.replace('-', "_"));
            if fact.len() > MAX_CELL_BYTES {
                let message = format!("`{header}` becomes fact `{fact}`, expected at most {MAX_CELL_BYTES} bytes");
                let error = self.refuse(message, Some((headers, column)));
                return Err(error.help("give the table a shorter id").into());
            }
            if let Some(other) = inputs.iter().find(|input| input.fact == fact) {
                let message = format!("`{header}` and `{}` are both fact `{fact}`", other.header);
                return Err(self
                    .refuse(message, Some((headers, column)))
                    .help("rename one of the two")
                    .into());
            }
            inputs.push(Input {
                header: header.to_owned(),
                fact,
                words: Vec::new(),
            });
        }
        Ok(inputs)
    }

    /// One row; words that it is the first to name are added to the table's inputs.
    fn row(&self, table: &mut DecisionTable, record: &Record, labelled: bool) -> Result<Row> {
        let mut cells = record.cells.iter();
        let label = match cells.by_ref().next().filter(|_| labelled) {
            Some(label) => {
                let name = slug(label, '-');
                if name.is_empty() {
                    let message = format!("the row's name `{label}`, expected letters or digits");
                    return Err(self.refuse(message, Some((record, 0))).into());
                }
                name
            }
            None => {
                cells = record.cells.iter();
                (table.rows.len() + 1).to_string()
            }
        };
        let mut choices = Vec::with_capacity(table.inputs.len());
        for (input, cell) in table.inputs.iter_mut().zip(cells.by_ref()) {
            let known = input.words.iter().position(|word| word == cell);
            choices.push(known.unwrap_or_else(|| {
                input.words.push(cell.to_owned());
                input.words.len() - 1
            }));
        }
        Ok(Row {
            label,
            line: record.line,
            choices,
            outcome: cells.next().unwrap_or_default().to_owned(),
        })
    }

    fn refuse(&self, message: String, place: Option<(&Record, usize)>) -> SourceError {
        let error = SourceError::new(self.path, message);
        match place {
            Some((record, column)) => error.at(self.text, record.line, self.column(record, column)),
            None => error,
        }
    }

    /// Character at which a cell starts, 1-based.
    fn column(&self, record: &Record, cell: usize) -> usize {
        let mut commas = 0;
        let mut quoted = false;
        let line = self.text.get(record.start..).unwrap_or_default();
        for (at, character) in line.chars().enumerate() {
            if commas == cell || character == '\n' {
                return at + 1;
            }
            match character {
                '"' => quoted = !quoted,
                ',' if !quoted => commas += 1,
                _ => {}
            }
        }
        1
    }
}

/// A header without the version at its end: `Utility v1.0.1` as `Utility`.
fn without_version(header: &str) -> &str {
    match header.rsplit_once(' ') {
        Some((name, version))
            if version.strip_prefix(['v', 'V']).is_some_and(|number| {
                number.starts_with(|c: char| c.is_ascii_digit())
                    && number.chars().all(|c| c.is_ascii_digit() || c == '.')
            }) =>
        {
            name.trim_end()
        }
        _ => header,
    }
}

/// Lower-case letters and digits, with `separator` for each run of anything else.
fn slug(text: &str, separator: char) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with(separator) {
            slug.push(separator);
        }
    }
    slug.trim_end_matches(separator).to_owned()
}
