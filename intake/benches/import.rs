//! What importing costs at the size that is promised: 100,000 findings of one SARIF report, read and deduplicated in
//! under 3 s. `cargo bench -p holdpoint-intake` measures; the figures of one run are in `benches/figures/import.json`
//! at the top of the repo.

#![allow(clippy::unwrap_used, reason = "a bench that can't set up has nothing to measure")]

use std::fmt::Write as _;

use divan::Bencher;
use holdpoint_intake::report::{MAX_REPORT_BYTES, NoSource, Report, ReportContext, merge_duplicates, read_report};

const FINDINGS: usize = 100_000;
const RULES: usize = 200;

fn main() {
    divan::main();
}

/// Samples are few: each takes seconds of a busy machine.
#[divan::bench(sample_count = 10)]
fn import_of_100_000_findings(bencher: Bencher<'_, '_>) {
    let bytes = sarif("CodeQL").into_bytes();
    assert!(bytes.len() < MAX_REPORT_BYTES);
    assert_eq!(read(&bytes).findings.len(), FINDINGS);
    bencher.bench(|| read(&bytes));
}

#[divan::bench(sample_count = 10)]
fn merge_of_two_scanners_with_100_000_findings_each(bencher: Bencher<'_, '_>) {
    let one = read(sarif("CodeQL").as_bytes()).findings;
    let other = read(sarif("Semgrep").as_bytes()).findings;
    let both = || one.iter().chain(&other).cloned().collect();
    assert_eq!(merge_duplicates(both()).len(), FINDINGS);
    bencher.with_inputs(both).bench_values(merge_duplicates);
}

fn read(bytes: &[u8]) -> Report {
    let context = ReportContext {
        repo: "bench",
        file: "bench.sarif",
        source: &NoSource,
        secret_key: None,
    };
    read_report(bytes, &context).unwrap()
}

/// A report in CodeQL's shape: rules with help and tags, results with region, fingerprints, a data flow of two steps.
fn sarif(tool: &str) -> String {
    let mut text =
        format!(r#"{{"$schema":"s","version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"{tool}","rules":["#);
    for rule in 0..RULES {
        let comma = if rule == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"id":"js/rule-{rule}","shortDescription":{{"text":"Rule {rule}"}},"help":{{"text":"{}"}},
            "properties":{{"tags":["security","external/cwe/cwe-{}"],"security-severity":"7.5"}}}}"#,
            "Why this matters. ".repeat(40),
            rule + 1
        )
        .unwrap();
    }
    text.push_str(r#"]}},"results":["#);
    for index in 0..FINDINGS {
        let (comma, rule, file, line) = (
            if index == 0 { "" } else { "," },
            index % RULES,
            index / 40,
            1 + index % 997,
        );
        let place = format!(
            r#""physicalLocation":{{"artifactLocation":{{"uri":"src/module{}/file{file}.js","uriBaseId":"%SRCROOT%"}},
            "region":{{"startLine":{line},"startColumn":{},"snippet":{{"text":"call({index}, input)"}}}}}}"#,
            file % 50,
            1 + index % 60
        );
        write!(
            text,
            r#"{comma}{{"ruleId":"js/rule-{rule}","ruleIndex":{rule},"message":{{"text":"This value flows from [a source](1) to a sink."}},
            "locations":[{{{place}}}],"partialFingerprints":{{"primaryLocationLineHash":"{index:016x}:1"}},
            "codeFlows":[{{"threadFlows":[{{"locations":[{{"location":{{{place}}}}},{{"location":{{{place}}}}}]}}]}}]}}"#
        )
        .unwrap();
    }
    text.push_str("]}]}");
    text
}
