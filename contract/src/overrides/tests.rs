use super::*;
use crate::Gap;

fn change(rule: &str, operation: &str, path: &str) -> Change {
    Change {
        rule: rule.to_owned(),
        level: Level::Error,
        operation: operation.to_owned(),
        path: path.to_owned(),
        location: String::new(),
        text: "gone".to_owned(),
        line: None,
        file: None,
        in_base: false,
        categories: Vec::new(),
    }
}

fn rule(id: &str, path: Option<&str>, level: ContractLevel, expires: &str) -> ContractRule {
    ContractRule {
        rule: id.to_owned(),
        path: path.map(str::to_owned),
        operation: None,
        level,
        reason: "our own console only".to_owned(),
        expires: expires.parse().unwrap(),
    }
}

fn at() -> Timestamp {
    "2026-03-17T02:30:00Z".parse().unwrap()
}

const GONE: &str = "api-removed-without-deprecation";

#[test]
fn a_level_is_set_where_the_path_fits_and_the_verdict_follows() {
    let diff = || {
        ContractDiff::new(
            "openapi",
            vec![change(GONE, "GET", "/internal/a"), change(GONE, "GET", "/b")],
        )
    };
    let rules = [rule(GONE, Some("/internal/**"), ContractLevel::Info, "2026-03-17")];
    let judged = judge(diff(), &rules, at());
    let levels: Vec<(Level, &str)> = judged.diff.changes.iter().map(|c| (c.level, c.path.as_str())).collect();
    assert_eq!(levels, [(Level::Error, "/b"), (Level::Info, "/internal/a")]);
    assert_eq!(
        (judged.verdict(), judged.overrides[0].changes),
        (DiffVerdict::Breaking, 1)
    );
    let all = [rule(GONE, None, ContractLevel::Warning, "2026-03-17")];
    assert_eq!(judge(diff(), &all, at()).verdict(), DiffVerdict::Compatible);
}

#[test]
fn one_whose_last_day_is_over_does_nothing_and_that_is_said() {
    let diff = ContractDiff::new("openapi", vec![change(GONE, "GET", "/a")]);
    let judged = judge(diff, &[rule(GONE, None, ContractLevel::Info, "2026-03-16")], at());
    assert_eq!(judged.verdict(), DiffVerdict::Breaking);
    assert!(judged.overrides[0].expired && judged.overrides[0].changes == 0);
}

#[test]
fn the_last_one_that_fits_counts_and_a_level_can_be_raised() {
    let mut added = change("endpoint-added", "POST", "/a");
    added.level = Level::Info;
    let mut rules = vec![
        rule("endpoint-added", None, ContractLevel::Warning, "2026-12-31"),
        rule("endpoint-added", None, ContractLevel::Error, "2026-12-31"),
    ];
    rules[1].operation = Some("post".to_owned());
    let judged = judge(ContractDiff::new("openapi", vec![added]), &rules, at());
    assert_eq!(judged.verdict(), DiffVerdict::Breaking);
    assert_eq!((judged.overrides[0].changes, judged.overrides[1].changes), (0, 1));
}

#[test]
fn what_could_not_be_compared_cannot_be_waived() {
    let gap = Gap {
        place: "a.yaml".to_owned(),
        text: "too deep".to_owned(),
    };
    let diff = ContractDiff::with_gaps("openapi", vec![change(GONE, "GET", "/a")], vec![gap]);
    let judged = judge(diff, &[rule(GONE, None, ContractLevel::Info, "2026-12-31")], at());
    assert_eq!(judged.verdict(), DiffVerdict::Inconclusive);
}

#[test]
fn a_misspelt_rule_is_an_error_that_names_the_one_that_was_meant() {
    let typo = check(
        ".holdpoint.yaml",
        &[rule("endpoint-aded", None, ContractLevel::Info, "2026-12-31")],
    )
    .unwrap_err();
    assert_eq!(
        typo.one_line(),
        ".holdpoint.yaml: no contract rule is called `endpoint-aded`"
    );
    assert_eq!(typo.help_line(), Some("did you mean `endpoint-added`?"));
    let other = check(".holdpoint.yaml", &[rule("x", None, ContractLevel::Info, "2026-12-31")]).unwrap_err();
    assert!(other.help_line().unwrap().contains("contract rules"));
    assert!(
        check(
            ".holdpoint.yaml",
            &[rule(GONE, None, ContractLevel::Info, "2026-12-31")]
        )
        .is_ok()
    );
    let many = vec![rule(GONE, None, ContractLevel::Info, "2026-12-31"); MAX_RULES + 1];
    assert!(check(".holdpoint.yaml", &many).is_err());
}
