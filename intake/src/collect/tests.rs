use super::*;
use crate::report::SourceLines;

/// A source of one file, `a.py`.
struct Source(&'static str);
impl SourceLines for Source {
    fn line(&self, path: &str, line: u32) -> Option<String> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.0.lines().nth(index).filter(|_| path == "a.py").map(str::to_owned)
    }
}

fn at(line: u32, column: u32) -> Draft {
    let mut draft = Draft::new("bandit", "B324", "weak hash");
    draft.place = Some(Place {
        path: "./a.py".to_owned(),
        line: Some(line),
        column: Some(column),
    });
    draft
}

fn collect(source: &'static str, drafts: &[Draft]) -> Vec<Finding> {
    let source = Source(source);
    let context = ReportContext {
        repo: "r",
        file: "f",
        source: &source,
        secret_key: None,
    };
    let mut collector = Collector::new(&context);
    drafts.iter().for_each(|draft| collector.push(draft.clone()).unwrap());
    collector.finish().0
}

fn prints(source: &'static str, drafts: &[Draft]) -> Vec<Fingerprint> {
    collect(source, drafts)
        .into_iter()
        .map(|finding| finding.fingerprint)
        .collect()
}

#[test]
fn a_fingerprint_survives_a_line_shift_and_reformatting() {
    let before = prints("x = md5(a,b)\n", &[at(1, 5)]);
    let after = prints("import z\n\n    x  =  md5( a, b )\n", &[at(3, 11)]);
    assert_eq!(before, after);
    assert_ne!(before, prints("x = md5(a,c)\n", &[at(1, 5)]));
}

#[test]
fn equal_lines_have_fingerprints_of_their_own_whatever_the_order_of_the_report() {
    let source = "md5(a)\nmd5(a)\n";
    let forward = prints(source, &[at(1, 1), at(2, 1)]);
    let mut backward = prints(source, &[at(2, 1), at(1, 1)]);
    assert_ne!(forward[0], forward[1]);
    backward.reverse();
    assert_eq!(forward, backward);
}

#[test]
fn only_exact_duplicates_merge() {
    assert_eq!(collect("md5(md5(a))\n", &[at(1, 1), at(1, 1), at(1, 5)]).len(), 2);
}

#[test]
fn equal_entries_without_a_column_are_neighbours_on_their_line() {
    let mut draft = at(1, 1);
    draft.place.as_mut().unwrap().column = None;
    let findings = collect("md5(md5(a))\n", &[draft.clone(), draft]);
    assert_ne!(findings[0].fingerprint, findings[1].fingerprint);
}

#[test]
fn a_secret_is_nowhere_in_its_finding() {
    let mut draft = at(1, 1);
    draft.title = "hard-coded password: 'hunter2'".to_owned();
    draft.snippet = Some("pw = 'hunter2'".to_owned());
    draft.cwes = vec!["CWE-259".to_owned()];
    let one = collect("pw = 'hunter2'\n", &[draft.clone()]);
    assert!(!format!("{one:?}").contains("hunter2"));
    assert_eq!(one[0].class, FindingClass::Secret);
    // The digest doesn't depend on it either: it could be guessed from the digest.
    assert_eq!(one[0].fingerprint, prints("pw = 'other'\n", &[draft])[0]);
}

#[test]
fn a_place_outside_of_the_repo_is_noted_and_the_finding_kept() {
    let source = Source("");
    let context = ReportContext {
        repo: "r",
        file: "f",
        source: &source,
        secret_key: None,
    };
    let mut collector = Collector::new(&context);
    let mut draft = at(1, 1);
    draft.place.as_mut().unwrap().path = "../../etc/passwd".to_owned();
    collector.push(draft).unwrap();
    let (findings, skipped) = collector.finish();
    assert_eq!(findings[0].location, None);
    assert_eq!(skipped, ["the place `../../etc/passwd` is outside the repo"]);
}

#[test]
fn equal_findings_of_several_rules_are_grouped() {
    let mut other = at(1, 1);
    other.rule = "insecure-hash".to_owned();
    let mut drafts = [at(1, 1), other, at(2, 1)];
    drafts
        .iter_mut()
        .for_each(|draft| draft.cwes = vec!["CWE-327".to_owned()]);
    let findings = collect("md5(a)\nmd5(b)\n", &drafts);
    let groups = groups(&findings);
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].len(), 2);
    assert!(!groups[0].contains(&findings[2].fingerprint));
}

#[test]
fn notes_are_bounded() {
    let source = Source("");
    let context = ReportContext {
        repo: "r",
        file: "f",
        source: &source,
        secret_key: None,
    };
    let mut collector = Collector::new(&context);
    (0..MAX_SKIPPED + 5).for_each(|n| collector.skip(&n.to_string()));
    assert_eq!(collector.finish().1.last().unwrap(), "and 5 more");
}

#[test]
fn more_findings_than_the_limit_are_refused() {
    let source = Source("");
    let context = ReportContext {
        repo: "r",
        file: "f",
        source: &source,
        secret_key: None,
    };
    let mut collector = Collector::new(&context);
    assert_eq!(collector.limit, MAX_FINDINGS);
    collector.limit = 2;
    let results: Vec<bool> = (1..4).map(|column| collector.push(at(1, column)).is_ok()).collect();
    assert_eq!(results, [true, true, false]);
}
