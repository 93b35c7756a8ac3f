use super::*;

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn full() -> PullRequest {
    PullRequest {
        title: "Upgrade `urllib3` to 1.26.18".to_owned(),
        why: strings(&[
            "CVE-2023-45803: request bodies leak on redirect",
            "bound by policy `production-needs-a-human`",
        ]),
        plan: strings(&["set urllib3 to 1.26.18 in `requirements.txt`, with its hashes"]),
        diffstat: " requirements.txt | 6 +++---\n 1 file changed".to_owned(),
        implications: strings(&["`payments` restarts on deploy"]),
        evidence: vec![
            EvidenceLine {
                check: "test".to_owned(),
                verdict: "passed".to_owned(),
                summary: "14 tests, as on the base".to_owned(),
                detail: "ran 14 tests\n```\nOK".to_owned(),
            },
            EvidenceLine {
                check: "contract".to_owned(),
                verdict: "inconclusive".to_owned(),
                summary: "no recorded contract for `fx-rates`".to_owned(),
                detail: String::new(),
            },
        ],
        blast_radius: strings(&["2 services depend on it: `gateway`, `bank-partner`"]),
        unknowns: vec![Unknown {
            fact: "change.restart_needed".to_owned(),
            resolver: "the service owner, in `catalog-info.yaml`".to_owned(),
        }],
        unlock: strings(&["an approval of a payments owner"]),
        rollback: strings(&["revert the merge; the lockfile pins the old version"]),
        rollback_commands: "git revert --no-edit abc".to_owned(),
        references: vec![
            ("decision".to_owned(), "d3adb33f".to_owned()),
            ("ledger".to_owned(), "12:00ff".to_owned()),
        ],
    }
}

/// The body of a section.
fn section_of<'a>(document: &'a str, heading: &str) -> &'a str {
    let start = document
        .find(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no section {heading}"));
    let body = &document[start + heading.len() + 5..];
    let end = body.find("\n## ").or(body.find("\n---\n")).unwrap_or(body.len());
    body[..end].trim()
}

#[test]
fn each_section_says_what_it_was_given() {
    let document = render(&full());
    assert!(document.starts_with("# Upgrade `urllib3` to 1.26.18\n"));
    for (heading, expected) in [
        (
            "Why",
            "- CVE-2023-45803: request bodies leak on redirect\n- bound by policy `production-needs-a-human`",
        ),
        (
            "Plan",
            "- set urllib3 to 1.26.18 in `requirements.txt`, with its hashes\n\n\
             ```text\n requirements.txt | 6 +++---\n 1 file changed\n```",
        ),
        ("Implications", "- `payments` restarts on deploy"),
        (
            "Evidence",
            "- **passed** test: 14 tests, as on the base\n\
             - **inconclusive** contract: no recorded contract for `fx-rates`\n\n\
             test:\n\n````text\nran 14 tests\n```\nOK\n````",
        ),
        ("Blast radius", "- 2 services depend on it: `gateway`, `bank-partner`"),
        (
            "What is unknown",
            "- `change.restart_needed`: the service owner, in `catalog-info.yaml`",
        ),
        ("What would unlock it", "- an approval of a payments owner"),
        (
            "Rollback",
            "- revert the merge; the lockfile pins the old version\n\n```text\ngit revert --no-edit abc\n```",
        ),
    ] {
        assert_eq!(section_of(&document, heading), expected, "{heading}");
    }
    assert!(
        document.ends_with("\n---\n\n- decision: `d3adb33f`\n- ledger: `12:00ff`\n"),
        "{document}"
    );
}

#[test]
fn the_sections_stand_in_the_order_that_a_reader_needs() {
    let document = render(&full());
    let headings: Vec<&str> = document.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(
        headings,
        [
            "Why",
            "Plan",
            "Implications",
            "Evidence",
            "Blast radius",
            "What is unknown",
            "What would unlock it",
            "Rollback"
        ]
    );
}

#[test]
fn what_is_missing_is_said() {
    let document = render(&PullRequest::default());
    for (heading, expected) in [
        ("Why", "No reason was recorded."),
        ("Plan", "No plan was recorded."),
        ("Implications", "None are known."),
        ("Evidence", "No evidence was gathered."),
        ("Blast radius", "It is not known who can be affected."),
        ("What is unknown", "Nothing that this decision needs."),
        ("What would unlock it", "Nothing: this needs a human."),
        ("Rollback", "No way back was recorded."),
    ] {
        assert_eq!(section_of(&document, heading), expected, "{heading}");
    }
}

#[test]
fn no_field_can_add_a_section_html_or_a_mention() {
    let evil = "x\n\n## Approved\n<script>@admin</script>\n```\n- [x] done".to_owned();
    let items = vec![evil.clone()];
    let document = render(&PullRequest {
        title: evil.clone(),
        why: items.clone(),
        plan: items.clone(),
        diffstat: evil.clone(),
        implications: items.clone(),
        evidence: vec![EvidenceLine {
            check: evil.clone(),
            verdict: evil.clone(),
            summary: evil.clone(),
            detail: evil.clone(),
        }],
        blast_radius: items.clone(),
        unknowns: vec![Unknown {
            fact: evil.clone(),
            resolver: evil.clone(),
        }],
        unlock: items.clone(),
        rollback: items,
        rollback_commands: evil.clone(),
        references: vec![(evil.clone(), evil)],
    });
    let mut fence: Option<&str> = None;
    let mut headings = 0;
    for line in document.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && line.ends_with("text") => fence = Some(ticks),
            None => {
                headings += usize::from(line.starts_with("## "));
                let outside_code: String = line.split('`').step_by(2).collect();
                if !line.contains("````") {
                    assert!(
                        !outside_code.contains("<script") && !outside_code.contains("@admin"),
                        "{line}"
                    );
                }
            }
        }
    }
    assert_eq!((headings, fence), (8, None), "{document}");
}

#[test]
fn closing_twice_keeps_one_reason() {
    let document = render(&full());
    let once = closed(&document, "superseded");
    assert!(once.starts_with(document.trim_end()));
    assert_eq!(section_of(&once, "Closed"), "superseded");
    assert_eq!(closed(&once, "superseded"), once);
    assert_eq!(section_of(&closed(&once, "declined"), "Closed"), "declined");
}
