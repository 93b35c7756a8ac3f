//! The machine form of a run and of an error. Outside tools script against it: fields are only
//! ever added.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::service::Catalogue;
use serde::Serialize;
use std::io::Write;

use super::summary::Summary;
use super::ways::Way;
use super::{phrase, ways};
use crate::pipeline::approvals::Queue;
use crate::pipeline::further::Further;
use crate::pipeline::night::NightReport;
use crate::pipeline::report::{ReportItem, RunReport};
use crate::pipeline::rollout::status::{LaneStatus, RolloutReport};

/// Names the shape; a change that isn't an addition gets another number.
pub const RUN_FORMAT: &str = "holdpoint.run/1";
/// Names the shape of an error.
pub const ERROR_FORMAT: &str = "holdpoint.error/1";

/// A run, with what its renderers derive. It holds every field of [`RunReport`] under the same
/// name, so it can be read back as one.
#[derive(Debug, Serialize)]
pub struct RunDocument<'a> {
    /// [`RUN_FORMAT`].
    pub format: &'static str,
    /// Name of the estate.
    pub estate: &'a str,
    /// When.
    pub at: Timestamp,
    /// Policy pack.
    pub pack: &'a str,
    /// `<entries>:<root>`.
    pub ledger_head: &'a str,
    /// That head, as a signed note.
    pub ledger_checkpoint: &'a str,
    /// Whether the ledger verified.
    pub ledger_verified: bool,
    /// Which sandbox ran the checks.
    pub sandbox: &'a str,
    /// Where the lanes stand after the run.
    pub rollout: &'a Option<RolloutReport>,
    /// The numbers.
    pub summary: Summary,
    /// One per finding.
    pub items: Vec<ItemDocument<'a>>,
    /// What went wrong without stopping the run.
    pub warnings: &'a [String],
    /// What waits for people.
    #[serde(skip_serializing_if = "Queue::is_empty")]
    pub queue: &'a Queue,
    /// What differs from the run before, what wasn't reached, and findings over time.
    pub night: &'a NightReport,
    /// The service graph.
    pub catalogue: &'a Catalogue,
}

/// An item, with what its renderers derive.
#[derive(Debug, Serialize)]
pub struct ItemDocument<'a> {
    /// Short id, for commands.
    pub id: String,
    /// The deciding reason in one line.
    pub reason: String,
    /// What is known to break if the candidate merges.
    pub harm: Option<String>,
    /// The item.
    #[serde(flatten)]
    pub item: &'a ReportItem,
}

impl<'a> RunDocument<'a> {
    /// The document of a report.
    #[must_use]
    pub fn of(report: &'a RunReport) -> Self {
        Self {
            format: RUN_FORMAT,
            estate: &report.estate,
            at: report.at,
            pack: &report.pack,
            ledger_head: &report.ledger_head,
            ledger_checkpoint: &report.ledger_checkpoint,
            ledger_verified: report.ledger_verified,
            sandbox: &report.sandbox,
            rollout: &report.rollout,
            summary: Summary::of(report),
            items: report.items.iter().map(ItemDocument::of).collect(),
            warnings: &report.warnings,
            queue: &report.queue,
            night: &report.night,
            catalogue: &report.catalogue,
        }
    }
}

impl<'a> ItemDocument<'a> {
    /// The document of an item.
    #[must_use]
    pub fn of(item: &'a ReportItem) -> Self {
        Self {
            id: item.finding.id(),
            reason: phrase::reason(item),
            harm: phrase::harm(item),
            item,
        }
    }
}

/// An item with what would take it further: `holdpoint explain`.
#[derive(Debug, Serialize)]
pub struct ExplainDocument<'a> {
    /// The item.
    #[serde(flatten)]
    pub item: &'a ReportItem,
    /// What would take it further.
    pub further: FurtherDocument<'a>,
    /// Where the lane stands that caps it, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<&'a LaneStatus>,
}

/// What would take an item further.
#[derive(Debug, Serialize)]
pub struct FurtherDocument<'a> {
    /// Ways, easiest first for each target.
    pub ways: Vec<Way>,
    /// Whether these are all.
    pub complete: bool,
    /// Whether they are by the policies that it was decided by; else by today's.
    pub same_policies: bool,
    /// Why they can't be worked out.
    pub problem: Option<&'a str>,
}

impl<'a> ExplainDocument<'a> {
    /// The document of an item.
    #[must_use]
    pub fn of(item: &'a ReportItem, further: &'a Result<Further, String>, lane: Option<&'a LaneStatus>) -> Self {
        let further = match further {
            Ok(further) => FurtherDocument {
                ways: ways::all(further, &item.decision),
                complete: further.ways.iter().all(|ways| ways.complete),
                same_policies: further.same_policies,
                problem: None,
            },
            Err(problem) => FurtherDocument {
                ways: Vec::new(),
                complete: false,
                same_policies: false,
                problem: Some(problem),
            },
        };
        Self { item, further, lane }
    }
}

/// An error for machines.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ErrorDocument {
    /// [`ERROR_FORMAT`].
    pub format: &'static str,
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong, where, and what to do.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// The outermost message.
    pub message: String,
    /// What lies beneath, outermost first.
    pub causes: Vec<String>,
    /// File, for an error that came from one.
    pub file: Option<String>,
    /// Line, 1-based.
    pub line: Option<usize>,
    /// Column, 1-based, in characters.
    pub column: Option<usize>,
    /// What to do.
    pub help: Option<String>,
}

impl ErrorDocument {
    /// The document of an error; the place comes from the first [`SourceError`] in its chain.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        let place = crate::failure::source_error(error);
        let position = place.and_then(|source| source.position);
        Self {
            format: ERROR_FORMAT,
            error: ErrorBody {
                message: error.to_string(),
                causes: error.chain().skip(1).map(ToString::to_string).collect(),
                file: place.map(|source| source.file().to_owned()),
                line: position.map(|(line, _)| line),
                column: position.map(|(_, column)| column),
                help: place
                    .and_then(|source| source.help.clone())
                    .or_else(|| crate::failure::bad_input(error)?.help.clone()),
            },
        }
    }
}

/// Writes a value as indented JSON with a final line break, piece by piece.
///
/// # Errors
/// When the value can't be written as JSON, or not at all.
pub fn write<T: Serialize>(out: &mut dyn Write, value: &T) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// The same as text.
///
/// # Errors
/// When the value can't be written as JSON.
pub fn to_text<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;
    use anyhow::Context as _;

    #[test]
    fn the_shape_of_a_run_is_stable() {
        let mut report = samples::report();
        report.items = vec![samples::broken_contract()];
        report.catalogue.services.truncate(1);
        report.catalogue.edges.truncate(1);
        insta::assert_json_snapshot!(RunDocument::of(&report));
    }

    #[test]
    fn a_run_document_reads_back_as_the_report() {
        let report = samples::report();
        let text = to_text(&RunDocument::of(&report)).unwrap();
        let mut written = Vec::new();
        write(&mut written, &RunDocument::of(&report)).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), text);
        let back: RunReport = serde_json::from_str(&text).unwrap();
        assert_eq!(
            serde_json::to_value(&back).unwrap(),
            serde_json::to_value(&report).unwrap()
        );
    }

    #[test]
    fn an_error_carries_its_place_through_the_chain() {
        let source = holdpoint_schemas::SourceError::new("rollout.yaml", "no such field `stag`")
            .at("a: 1\nstag: x\n", 2, 1)
            .help("did you mean `stage`?");
        let error = Err::<(), _>(source).context("the rollout can't be read").unwrap_err();
        insta::assert_json_snapshot!(ErrorDocument::of(&error), @r#"
        {
          "format": "holdpoint.error/1",
          "error": {
            "message": "the rollout can't be read",
            "causes": [
              "no such field `stag`"
            ],
            "file": "rollout.yaml",
            "line": 2,
            "column": 1,
            "help": "did you mean `stage`?"
          }
        }
        "#);
    }

    #[test]
    fn an_error_without_a_file_has_no_place() {
        let document = ErrorDocument::of(&anyhow::anyhow!("no estate here"));
        assert_eq!(document.error.message, "no estate here");
        assert_eq!((document.error.file, document.error.line), (None, None));
    }
}
