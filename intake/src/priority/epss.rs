//! EPSS: the probability that a vulnerability is exploited within 30 days (FIRST's daily CSV).

use csv::{ReaderBuilder, StringRecord};
use holdpoint_schemas::finding::Finding;
use holdpoint_schemas::{SourceError, Timestamp};
use std::collections::HashMap;

use super::Skipped;
use super::cve::{CveId, cves};
use crate::error::SourceResult;
use crate::json;

/// Largest file in bytes: a daily file has about 10 MB.
const MAX_BYTES: usize = 64 << 20;
/// Most rows: a daily file has about 300,000, and CVE grows by 50,000 a year.
const MAX_ROWS: u64 = 2_000_000;

/// The scores of one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epss {
    /// When they were computed, where the file says so.
    pub observed_at: Option<Timestamp>,
    /// The model's version, where the file says so.
    pub model: Option<String>,
    /// What was not read, one line each, for people.
    pub skipped: Vec<String>,
    scores: HashMap<CveId, u16>,
}

impl Epss {
    /// How many vulnerabilities have a score.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Score of one vulnerability in hundredths of a percent, 0 to 10,000; `None` where it has none.
    #[must_use]
    pub fn score_bp(&self, id: CveId) -> Option<u16> {
        self.scores.get(&id).copied()
    }

    /// The highest score over a finding's CVE ids, in hundredths of a percent; `None` where none of them has one.
    #[must_use]
    pub fn of_finding(&self, finding: &Finding) -> Option<u16> {
        cves(finding).into_iter().filter_map(|id| self.score_bp(id)).max()
    }
}

/// Reads a file of scores: a comment line with model and date, a header, then `cve,epss,percentile`. A bad row is
/// skipped and named by its line.
///
/// # Errors
/// When it is too large, compressed, not UTF-8, or lacks the columns.
pub fn read_epss(file: &str, bytes: &[u8]) -> SourceResult<Epss> {
    if bytes.starts_with(&[0x1F, 0x8B]) {
        return Err(Box::new(
            SourceError::new(file, "compressed with gzip, but text was expected").help("unpack it with `gunzip`"),
        ));
    }
    let text = json::text(file, bytes, MAX_BYTES)?;
    let mut epss = Epss::default();
    for line in text.lines().take_while(|line| line.starts_with('#')) {
        read_comment(line, &mut epss);
    }
    let mut reader = ReaderBuilder::new()
        .comment(Some(b'#'))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let failed = |error: &csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        Box::new(SourceError::new(file, format!("no CSV: {error}")).at(
            text,
            usize::try_from(line).unwrap_or(usize::MAX),
            1,
        ))
    };
    let headers = reader.headers().map_err(|error| failed(&error))?.clone();
    let column = |name: &str| headers.iter().position(|header| header.eq_ignore_ascii_case(name));
    let (Some(cve), Some(score)) = (column("cve"), column("epss")) else {
        return Err(Box::new(
            SourceError::new(file, "the columns `cve` and `epss` were expected")
                .help("get the daily file of EPSS scores from FIRST"),
        ));
    };
    let mut skipped = Skipped::default();
    let mut record = StringRecord::new();
    let mut rows = 0;
    while reader.read_record(&mut record).map_err(|error| failed(&error))? {
        rows += 1;
        let line = record.position().map_or(0, csv::Position::line);
        if rows > MAX_ROWS {
            skipped.push(format!("line {line}: more than {MAX_ROWS} rows; the rest is not read"));
            break;
        }
        let id = record.get(cve).and_then(CveId::parse);
        match (id, record.get(score).and_then(basis_points)) {
            (Some(id), Some(score)) => {
                // Named twice: the higher one, since it is the more cautious.
                let known = epss.scores.entry(id).or_insert(score);
                if *known != score {
                    skipped.push(format!(
                        "line {line}: {id} has another score on an earlier line; the higher counts"
                    ));
                    *known = score.max(*known);
                }
            }
            (None, _) => skipped.push(format!("line {line}: no CVE id")),
            (Some(id), None) => skipped.push(format!("line {line}: the score of {id} is no number between 0 and 1")),
        }
    }
    epss.skipped = skipped.finish();
    Ok(epss)
}

/// `#model_version:v2025.03.14,score_date:2025-06-01T12:55:00Z`.
fn read_comment(line: &str, epss: &mut Epss) {
    for pair in line.trim_start_matches('#').split(',') {
        match pair.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
            Some(("model_version", version)) => epss.model = Some(version.chars().take(40).collect()),
            Some(("score_date", date)) => epss.observed_at = date.parse().ok(),
            _ => {}
        }
    }
}

/// A probability in hundredths of a percent.
fn basis_points(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b".eE-+".contains(&b));
    let probability: f64 = text.parse().ok().filter(|_| plain)?;
    // At most 10,000 by the check.
    (0.0..=1.0)
        .contains(&probability)
        .then(|| (probability * 10_000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::priority::tests::finding;

    const FILE: &str = "#model_version:v2025.03.14,score_date:2025-06-01T12:55:00Z\ncve,epss,percentile\n\
                        CVE-2021-44228,0.94358,0.99957\nCVE-1999-0001,0.0142,0.79\n";

    #[test]
    fn scores_come_with_model_and_date() {
        let epss = read_epss("epss.csv", FILE.as_bytes()).unwrap();
        assert_eq!((epss.len(), epss.model.as_deref()), (2, Some("v2025.03.14")));
        assert_eq!(epss.observed_at.unwrap().to_string(), "2025-06-01T12:55:00Z");
        assert_eq!(epss.score_bp(CveId::parse("CVE-1999-0001").unwrap()), Some(142));
        assert!(epss.skipped.is_empty());
    }

    #[test]
    fn a_finding_has_the_highest_score_of_its_aliases() {
        let epss = read_epss("epss.csv", FILE.as_bytes()).unwrap();
        let known = finding("GHSA-jfh8-c2jp-5v3q", &["CVE-1999-0001", "CVE-2021-44228"]);
        assert_eq!(epss.of_finding(&known), Some(9436));
        assert_eq!(
            epss.of_finding(&finding("GHSA-jfh8-c2jp-5v3q", &["CVE-2000-0001"])),
            None
        );
    }

    #[test]
    fn the_older_spelling_of_the_date_is_read() {
        let text = FILE.replace("2025-06-01T12:55:00Z", "2022-02-04T00:00:00+0000");
        let epss = read_epss("epss.csv", text.as_bytes()).unwrap();
        assert_eq!(epss.observed_at.unwrap().to_string(), "2022-02-04T00:00:00Z");
        let text = FILE.replace("2025-06-01T12:55:00Z", "yesterday");
        assert_eq!(read_epss("epss.csv", text.as_bytes()).unwrap().observed_at, None);
    }

    #[test]
    fn bad_rows_are_named_by_their_line_and_the_rest_is_read() {
        let text = format!(
            "{FILE}nonsense\nCVE-2020-0001,nan,0\nCVE-2020-0002,1.5,0\nCVE-2020-0003,-1,0\nCVE-2020-0004\n\
             CVE-2020-0005,0.5,0\nCVE-2020-0005,0.7,0\nCVE-2020-99999999999999999999999999999,0.5,0\n"
        );
        let epss = read_epss("epss.csv", text.as_bytes()).unwrap();
        assert_eq!(epss.len(), 3);
        assert_eq!(epss.score_bp(CveId::parse("CVE-2020-0005").unwrap()), Some(7000));
        assert_eq!(epss.skipped.len(), 7, "{:?}", epss.skipped);
        assert_eq!(epss.skipped.first().map(String::as_str), Some("line 5: no CVE id"));
    }

    #[test]
    fn many_bad_rows_are_counted_not_listed() {
        let text = format!("{FILE}{}", "x,0.5,0\n".repeat(500));
        let epss = read_epss("epss.csv", text.as_bytes()).unwrap();
        assert_eq!(epss.skipped.len(), 101);
        assert_eq!(epss.skipped.last().map(String::as_str), Some("and 400 more"));
    }

    #[test]
    fn other_files_are_refused() {
        assert!(read_epss("e", &[0x1F, 0x8B, 8]).unwrap_err().message.contains("gzip"));
        assert!(read_epss("e", b"a,b\n1,2\n").unwrap_err().message.contains("columns"));
        assert!(read_epss("e", b"").unwrap_err().message.contains("columns"));
        assert!(read_epss("e", b"cve,epss\n\xff").unwrap_err().message.contains("UTF-8"));
    }

    #[test]
    fn a_file_of_a_whole_year_is_read() {
        use std::fmt::Write;
        let mut text = "cve,epss,percentile\n".to_owned();
        for number in 0..50_000 {
            writeln!(text, "CVE-2024-{number:05},0.00043,0.1").unwrap();
        }
        assert_eq!(read_epss("epss.csv", text.as_bytes()).unwrap().len(), 50_000);
    }
}
