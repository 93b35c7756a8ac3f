//! Fingerprints through what happens to code and reports without changing what a finding is about.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A file of statements, some of them equal.
#[derive(Debug, Clone)]
struct Code {
    statements: Vec<String>,
    /// Index of a statement and number of a rule, each pair once.
    flaws: Vec<(usize, u8)>,
}

/// What is done to it.
#[derive(Debug, Clone)]
struct Change {
    above: usize,
    between: usize,
    indent: String,
    end: &'static str,
    order: Vec<usize>,
    pretty: bool,
}

const NONE: Change = Change {
    above: 0,
    between: 0,
    indent: String::new(),
    end: "\n",
    order: Vec::new(),
    pretty: false,
};

struct Text(String);

impl SourceLines for Text {
    fn line(&self, path: &str, line: u32) -> Option<String> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.0
            .split('\n')
            .nth(index)
            .filter(|_| path == "src/a.py")
            .map(str::to_owned)
    }
}

impl Code {
    /// 1-based line of a statement after the change.
    fn line(change: &Change, statement: usize) -> usize {
        1 + change.above + statement * (1 + change.between)
    }

    fn shown(&self, change: &Change, statement: usize) -> String {
        format!("{}{}{}", change.indent, self.statements[statement], change.end)
    }

    fn text(&self, change: &Change) -> String {
        let between = format!("# more{}", change.end).repeat(change.between);
        let statements = (0..self.statements.len()).map(|index| self.shown(change, index) + &between);
        format!("# head{}", change.end).repeat(change.above) + &statements.collect::<String>()
    }

    /// Fingerprints by flaw, from the report that a scanner writes of the changed text.
    fn prints(
        &self,
        change: &Change,
        write: fn(&[Entry]) -> Value,
        with_source: bool,
    ) -> BTreeMap<(usize, u8), String> {
        let order: Vec<usize> = if change.order.is_empty() {
            (0..self.flaws.len()).collect()
        } else {
            change.order.clone()
        };
        let flaws: Vec<(usize, u8)> = order.iter().map(|index| self.flaws[*index]).collect();
        let entries = flaws.iter().map(|(statement, rule)| Entry {
            rule: format!("rule-{rule}"),
            line: Self::line(change, *statement),
            column: change.indent.len() + 1,
            snippet: self.shown(change, *statement),
        });
        let report = write(&entries.collect::<Vec<_>>());
        let report = if change.pretty {
            serde_json::to_string_pretty(&report).unwrap()
        } else {
            report.to_string()
        };
        let text = Text(self.text(change));
        let context = ReportContext {
            repo: "r",
            file: "report.json",
            source: if with_source { &text } else { &NoSource },
            secret_key: None,
        };
        let read = read_report(report.as_bytes(), &context).unwrap();
        assert_eq!(read.findings.len(), flaws.len());
        let prints = read.findings.iter().map(|finding| finding.fingerprint.to_string());
        flaws.into_iter().zip(prints).collect()
    }
}

struct Entry {
    rule: String,
    line: usize,
    column: usize,
    snippet: String,
}

fn sarif(entries: &[Entry]) -> Value {
    let results = entries.iter().map(|entry| {
        json!({"ruleId": entry.rule, "message": {"text": "weak hash"}, "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": "src/a.py"},
            "region": {"startLine": entry.line, "startColumn": entry.column, "snippet": {"text": entry.snippet}}}}]})
    });
    let results: Vec<Value> = results.collect();
    json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": results}]})
}

fn semgrep(entries: &[Entry]) -> Value {
    let results = entries.iter().map(|entry| {
        json!({"check_id": entry.rule, "path": "./src/a.py", "start": {"line": entry.line, "col": entry.column},
            "extra": {"message": "weak hash", "severity": "ERROR", "lines": entry.snippet}})
    });
    json!({"results": results.collect::<Vec<_>>(), "errors": []})
}

prop_compose! {
    fn any_code()(statements in prop::collection::vec("(x|y) = (md5|sha1)\\([ab]\\)", 1..8))
        (flaws in prop::collection::btree_set((0..statements.len(), 0..2u8), 1..8), statements in Just(statements))
        -> Code {
        Code { statements, flaws: flaws.into_iter().collect() }
    }
}

prop_compose! {
    fn code_and_change()(code in any_code())
        (order in Just((0..code.flaws.len()).collect::<Vec<_>>()).prop_shuffle(), code in Just(code),
         above in 0..5usize, between in 0..3usize, indent in "[ \t]{0,6}",
         end in prop::sample::select(vec!["\n", "\r\n"]), pretty in any::<bool>())
        -> (Code, Change) {
        (code, Change { above, between, indent, end, order, pretty })
    }
}

proptest! {
    #[test]
    fn a_fingerprint_survives_shifts_reformatting_and_reordering((code, change) in code_and_change()) {
        for write in [sarif, semgrep] {
            for with_source in [true, false] {
                let before = code.prints(&NONE, write, with_source);
                prop_assert_eq!(&code.prints(&change, write, with_source), &before);
                let distinct: BTreeSet<&String> = before.values().collect();
                prop_assert_eq!(distinct.len(), before.len());
            }
        }
    }

    #[test]
    fn a_fingerprint_changes_with_the_statement(code in any_code()) {
        let mut other = code.clone();
        other.statements.iter_mut().for_each(|statement| statement.push_str(" + 1"));
        let (before, after) = (code.prints(&NONE, sarif, true), other.prints(&NONE, sarif, true));
        prop_assert!(before.iter().all(|(flaw, print)| after[flaw] != *print));
    }
}

#[test]
fn a_file_over_the_limit_is_refused_before_it_is_looked_at() {
    // 200 MB of zeroes cost no memory that is touched; were they read, the error would be another one.
    let huge = vec![0u8; 200_000_000];
    let context = ReportContext {
        repo: "r",
        file: "huge.json",
        source: &NoSource,
        secret_key: None,
    };
    let error = read_report(&huge, &context).unwrap_err();
    let error = error.source_error().unwrap();
    assert!(error.message.contains("at most"), "{}", error.message);
}
