use super::*;
use crate::catalogue::read_catalogue;

const GOOD: &str = "\
facts:
  - id: org.on_call.covered
    type: bool
    doc: Whether someone is on call.
    resolver: the schedule's owner
    # By the week.
    observed: 2026-11-01
    ttl_days: 7
    default: false
    values: {payments: true}
  - id: org.cover
    type: [none, partial, full]
    doc: How far tests cover it.
    resolver: QA
    best: full
    values:
      payments: full
      ledger: none
";

fn read(text: &str) -> SourceResult<OrgFacts> {
    read_org_facts(&[("facts.d/ops.yaml", text)], None)
}

fn error(text: &str) -> SourceError {
    *read(text).err().unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn facts_are_declared_and_supplied() {
    let org = read(GOOD).unwrap();
    assert!(org.problems.is_empty());
    assert_eq!(org.facts.len(), 2);
    assert_eq!(org.facts[1].fact.values["ledger"], "none".into());
    assert_eq!(org.table.row("org.on_call.covered").unwrap().ttl_seconds, Some(604_800));
    assert!(org.table.row("service.tier").is_some());
}

#[test]
fn a_mistake_is_refused_with_its_place() {
    let mistakes = [
        ("id: org.cover", "id: cover", "11:9", "isn't the id"),
        ("id: org.cover", "id: org.Cover", "11:9", "isn't the id"),
        ("id: org.cover", "id: org.a..b", "11:9", "isn't the id"),
        ("id: org.cover", "id: org.has", "11:9", "isn't the id"),
        ("id: org.cover", "id: org.on_call.covered", "11:9", "twice"),
        ("id: org.cover", "id: org.on_call", "11:9", "group of facts"),
        ("type: bool", "type: float", "3:11", "`bool`, `long`, `text`, `set`"),
        ("type: bool", "type: {a: b}", "3:11", "`bool`, `long`, `text`, `set`"),
        ("[none, partial, full]", "[full]", "12:5", "2 to 50 different"),
        (
            "[none, partial, full]",
            "[none, none, full]",
            "12:5",
            "2 to 50 different",
        ),
        ("best: full", "best: partial", "15:11", "`full`, was expected"),
        ("doc: How far tests cover it.", "doc: \"a\\nb\"", "13:5", "one line"),
        ("resolver: QA", "resolver: ' '", "14:5", "one line"),
        ("ttl_days: 7", "ttl_days: 0", "8:5", "1 to 3650"),
        ("ttl_days: 7", "ttl_days: -1", "8:15", ""),
        ("    observed: 2026-11-01\n", "", "7:5", "when its values were true"),
        ("observed: 2026-11-01", "observed: yesterday", "7:15", ""),
        ("default: false", "default: no", "9:14", "`true` or `false`"),
        ("payments: true", "payments: 1", "10:24", "`true` or `false`"),
        ("ledger: none", "ledger: nothing", "18:15", "one of `none`"),
        ("ledger: none", "ledger: 1.5", "18:15", "whole number"),
        ("ledger: none", "ledger:", "18:13", "whole number"),
        ("ledger: none", "payments: none", "18:7", "already there"),
        ("resolver: QA", "resolvr: QA", "14:5", "unknown field"),
    ];
    let mut unlike = Vec::new();
    for (right, wrong, place, message) in mistakes {
        assert!(GOOD.contains(right), "{right}");
        let found = error(&GOOD.replacen(right, wrong, 1));
        let line = found.one_line();
        let is_as_expected = line.starts_with(&format!("facts.d/ops.yaml:{place}: ")) && line.contains(message);
        if !is_as_expected || found.help.is_none() {
            unlike.push(format!("{wrong}: {line}"));
        }
    }
    assert_eq!(unlike, Vec::<String>::new());
}

#[test]
fn only_an_order_has_a_best_value() {
    let text = "facts: [{id: org.n, type: long, doc: A number., resolver: us, best: 3}]";
    assert!(error(text).message.contains("only a list of words"));
    let text = "facts: [{id: org.b, type: bool, doc: A flag., resolver: us, best: true}]";
    let error = error(text);
    assert!(error.message.contains("only a list of words"));
    assert!(error.help.unwrap().contains("worst first: `type: [\"no\", \"yes\"]`"));
}

#[test]
fn facts_of_several_files_must_not_clash() {
    let files = [("facts.d/a.yaml", GOOD), ("facts.d/b.yaml", GOOD)];
    let clash = read_org_facts(&files, None).unwrap_err();
    assert!(
        clash.one_line().starts_with("facts.d/b.yaml:2:"),
        "{}",
        clash.one_line()
    );
    assert!(clash.message.contains("first in `facts.d/a.yaml`"), "{}", clash.message);
}

#[test]
fn a_value_for_an_unknown_service_makes_its_fact_unknown() {
    let component = |id: &str| {
        format!(
            "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {id}}}\nspec: {{type: service}}\n"
        )
    };
    let catalogue = |ids: &[&str]| {
        let text: String = ids.iter().map(|id| component(id)).collect();
        read_catalogue(&[("catalog-info.yaml", &text)]).unwrap()
    };
    let files = [("facts.d/ops.yaml", GOOD)];
    let org = read_org_facts(&files, Some(&catalogue(&["payments"]))).unwrap();
    assert!(org.facts[0].unusable.is_none());
    let why = org.facts[1].unusable.as_ref().unwrap();
    assert!(
        why.contains("facts.d/ops.yaml:18:7") && why.contains("`ledger`"),
        "{why}"
    );
    assert_eq!(org.problems.len(), 1);
    let org = read_org_facts(&files, Some(&catalogue(&["payments", "ledger"]))).unwrap();
    assert!(org.problems.is_empty() && org.facts[1].unusable.is_none());
}

#[test]
fn there_is_a_bound_on_everything() {
    let many: String = (0..=MAX_FACTS)
        .map(|n| format!("  - {{id: org.f{n}, type: bool, doc: A fact., resolver: us}}\n"))
        .collect();
    assert!(error(&format!("facts:\n{many}")).message.contains("more than 200"));
    let long = "x".repeat(MAX_TEXT_BYTES + 1);
    assert!(
        error(&GOOD.replace("doc: How", &format!("doc: {long} How")))
            .message
            .contains("`doc`")
    );
    let files = vec![("facts.d/x.yaml", "facts: []"); MAX_FILES + 1];
    assert!(
        read_org_facts(&files, None)
            .unwrap_err()
            .message
            .contains("at most 100")
    );
    let deep = format!("facts: {}{}", "[".repeat(1000), "]".repeat(1000));
    assert!(read(&deep).is_err());
}
