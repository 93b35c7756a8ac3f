use super::*;
use holdpoint_contract::overrides::judge;
use holdpoint_contract::{ContractDiff, Gap};
use holdpoint_schemas::contract_rule::{ContractLevel, ContractRule};

fn change(rule: &str, level: Level, operation: &str, path: &str, location: &str, text: &str) -> Change {
    Change {
        rule: rule.to_owned(),
        level,
        operation: operation.to_owned(),
        path: path.to_owned(),
        location: location.to_owned(),
        text: text.to_owned(),
        line: None,
        file: None,
        in_base: false,
        categories: Vec::new(),
    }
}

fn diff(changes: Vec<Change>, gaps: Vec<Gap>) -> ContractDiff {
    ContractDiff {
        kind: "openapi".to_owned(),
        breaking: changes.iter().any(|change| change.level == Level::Error),
        changes,
        gaps,
    }
}

fn sample() -> Judged {
    let gone = "api-removed-without-deprecation";
    let changes = vec![
        change(gone, Level::Error, "GET", "/internal/jobs", "", "the operation is gone"),
        change(
            "response-property-removed",
            Level::Error,
            "GET",
            "/pets/{id}",
            "response 200 application/json $.tag",
            "the property `tag` is gone",
        ),
        change(
            "request-parameter-removed",
            Level::Warning,
            "GET",
            "/pets",
            "query `limit`",
            "the parameter is gone",
        ),
        change(
            "endpoint-added",
            Level::Info,
            "POST",
            "/pets",
            "",
            "the operation is new",
        ),
    ];
    let gaps = vec![Gap {
        place: "openapi.yaml $.components".to_owned(),
        text: "`common.yaml` can't be read: there is no such file".to_owned(),
    }];
    let rule = |rule: &str, path: Option<&str>, expires: &str| ContractRule {
        rule: rule.to_owned(),
        path: path.map(str::to_owned),
        operation: None,
        level: ContractLevel::Info,
        reason: "Only our own console calls it.".to_owned(),
        expires: expires.parse().unwrap(),
    };
    let rules = [
        rule(gone, Some("/internal/**"), "2026-12-31"),
        rule("response-property-removed", None, "2026-01-31"),
    ];
    judge(diff(changes, gaps), &rules, "2026-03-17T02:30:00Z".parse().unwrap())
}

fn compared(judged: &Judged) -> Compared<'_> {
    Compared {
        base: "v1/openapi.yaml",
        revision: "v2/openapi.yaml",
        judged,
    }
}

fn hostile() -> Judged {
    let text = "a | b\n<img src=x> [x](https://evil.example) @everyone \u{202e}`code`\x1b[31m";
    let gaps = vec![Gap {
        place: text.to_owned(),
        text: text.to_owned(),
    }];
    let changes = vec![change("endpoint-added", Level::Error, text, text, text, text)];
    judge(diff(changes, gaps), &[], "2026-03-17T02:30:00Z".parse().unwrap())
}

#[test]
fn a_terminal_sees_the_worst_first() {
    insta::assert_snapshot!(human(&compared(&sample())));
}

#[test]
fn a_pull_request_sees_what_breaks_and_unfolds_the_rest() {
    insta::assert_snapshot!(markdown(&compared(&sample())));
}

#[test]
fn an_editor_gets_sarif() {
    let mut log = sarif(&compared(&sample()));
    log["runs"][0]["tool"]["driver"]["version"] = "VERSION".into();
    insta::assert_json_snapshot!(log);
}

#[test]
fn a_page_needs_nothing_else() {
    let page = html(&compared(&sample())).unwrap();
    for part in [
        "breaking",
        "/pets/{id}",
        "response-property-removed",
        "there is no such file",
        "and no longer is",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="));
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let allowed = format!("style-src '{}'", crate::output::html::style_hash(style));
    assert!(page.contains(&allowed), "the policy allows the style that is there");
}

#[test]
fn hostile_text_stays_text_in_every_form() {
    let judged = hostile();
    let compared = compared(&judged);
    let text = human(&compared);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    let page = markdown(&compared);
    assert!(
        !page.contains("<img") && !page.contains("https://") && !page.contains("@everyone"),
        "{page}"
    );
    assert!(page.contains(r"a \| b &lt;img"));
    let page = html(&compared).unwrap();
    assert!(!page.contains("<img") && !page.contains('\u{202e}'));
}

#[test]
fn two_that_are_equal_say_so_in_every_form() {
    let judged = judge(
        diff(Vec::new(), Vec::new()),
        &[],
        "2026-03-17T02:30:00Z".parse().unwrap(),
    );
    let compared = compared(&judged);
    assert_eq!(
        human(&compared),
        "compatible: no client that worked before can fail (openapi)\nno changes"
    );
    assert!(markdown(&compared).contains("No changes, from"));
    assert!(html(&compared).unwrap().contains("Compatible: no client"));
    assert_eq!(sarif(&compared)["runs"][0]["results"].as_array().unwrap().len(), 0);
}

#[test]
fn rules_are_listed_and_explained() {
    let rules = holdpoint_contract::Kind::Http.rules();
    assert!(listed(&rules).lines().all(|line| line.starts_with("http ")));
    assert!(explained(&rules).contains("request-mismatch (http, error)\n\n  The request"));
}
