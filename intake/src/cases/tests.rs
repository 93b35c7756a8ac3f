use super::*;

fn text(path: &str, text: &str) -> CaseText {
    CaseText {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn read(yaml: &str) -> Result<Vec<ResolvedCase>, Vec<SourceError>> {
    read_cases(&[text("c.yaml", yaml)], &[], FactTable::shipped())
}

/// Every error as one line with its help.
fn told(result: Result<Vec<ResolvedCase>, Vec<SourceError>>) -> Vec<String> {
    let errors = result.unwrap_err();
    let line = |error: &SourceError| format!("{} | {}", error.one_line(), error.help.as_deref().unwrap());
    errors.iter().map(line).collect()
}

fn value(case: &ResolvedCase, id: &str) -> Option<FactValue> {
    case.facts.get(id).map(|fact| fact.value.clone())
}

const SETS: &str = "
facts:
  ready: {fix.class: mechanical, service.tier: 2, service.data_classes: [logs], change.freeze_active: false}
  frozen: {from: ready, change.freeze_active: true}
";

#[test]
fn a_case_takes_its_named_set_then_its_own_facts_then_forgets() {
    let yaml = format!(
        "{SETS}
cases:
  - name: a frozen service waits
    from: frozen
    given: {{service.tier: 0}}
    unknown: [fix.class]
    level: suggest
    bounds: [code-freeze]
    promote: denied
"
    );
    let cases = read(&yaml).unwrap();
    let [case] = cases.as_slice() else { panic!() };
    assert_eq!(value(case, "change.freeze_active"), Some(true.into()));
    assert_eq!(value(case, "service.tier"), Some(0.into()));
    assert_eq!(
        value(case, "service.data_classes"),
        Some(FactValue::Set(["logs".to_owned()].into()))
    );
    assert_eq!(value(case, "fix.class"), None);
    assert_eq!((case.path.as_str(), case.line), ("c.yaml", 7));
    assert_eq!(case.case.level, Some(Level::Suggest));
    assert_eq!(case.case.promote, Some(Answer::Denied));
}

#[test]
fn named_sets_are_seen_from_other_files_whose_cases_stay_out() {
    let own = text("own.yaml", "cases: [{name: a, from: frozen, level: alert}]");
    let beside = text("beside.yaml", &format!("{SETS}cases: [{{name: a, level: alert}}]"));
    let cases = read_cases(&[own], &[beside], FactTable::shipped()).unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(value(&cases[0], "change.freeze_active"), Some(true.into()));
}

#[test]
fn facts_that_do_not_exist_and_values_that_do_not_fit_are_located() {
    let yaml = "cases:
  - name: a
    given:
      service.teir: 1
      fix.class: mechnical
      service.production: \"yes\"
      service.tier: high
      service.environment: 3
      service.data_classes: cardholder
    unknown: [nothing.like.it]
    level: alert
";
    assert_eq!(
        told(read(yaml)),
        [
            "c.yaml:5:18: `fix.class` is `mechnical`, expected one of `mechanical`, `logic` | did you mean `mechanical`?",
            "c.yaml:9:29: `service.data_classes` is `cardholder`, expected a set of words | write a list: `[word, word]`, or `[]` for none",
            "c.yaml:8:28: `service.environment` is `3`, expected text | put it in quotes",
            "c.yaml:6:27: `service.production` is `yes`, expected yes or no | write `true` or `false`, without quotes",
            "c.yaml:4:7: there is no fact `service.teir` | did you mean `service.tier`?",
            "c.yaml:7:21: `service.tier` is `high`, expected a whole number | write digits only, without quotes",
            "c.yaml:10:15: there is no fact `nothing.like.it` | the facts are in `schemas/holdpoint.cedarschema`",
        ]
    );
}

#[test]
fn named_sets_that_go_wrong_are_located() {
    let yaml = "facts:
  a: {from: b}
  b: {from: a}
  c: {from: reddy}
  ready: {service.tier: 1}
cases:
  - {name: x, from: raedy, level: alert}
";
    let told = told(read(yaml));
    assert_eq!(
        told,
        [
            "c.yaml:3:13: the named set `a` starts from itself | let one of them start from nothing",
            "c.yaml:2:13: the named set `b` starts from itself | let one of them start from nothing",
            "c.yaml:4:13: there is no named set `reddy` | did you mean `ready`?",
            "c.yaml:7:21: there is no named set `raedy` | did you mean `ready`?",
        ]
    );
}

#[test]
fn a_name_taken_in_another_file_is_refused() {
    let file = |path| {
        text(
            path,
            "facts:\n  s: {service.tier: 1}\ncases:\n  - {name: x, level: alert}\n",
        )
    };
    assert_eq!(
        told(read_cases(&[file("a"), file("b")], &[], FactTable::shipped())),
        [
            "b:2:3: the named set `s` is there twice; the first is at a:2 | rename one of the two",
            "b:4:12: the case `x` is there twice; the first is at a:4 | give each case a sentence of its own",
        ]
    );
}

#[test]
fn a_chain_of_named_sets_ends() {
    let chain = |length: usize| {
        let links: String = (1..length).map(|n| format!("  s{n}: {{from: s{}}}\n", n - 1)).collect();
        read(&format!("facts:\n  s0: {{service.tier: 1}}\n{links}"))
    };
    assert!(chain(MAX_CHAIN).is_ok());
    assert!(told(chain(MAX_CHAIN + 1))[0].contains("more than 32 named sets"));
}

#[test]
fn expectations_that_say_nothing_or_contradict_are_refused() {
    for (expected, part) in [
        ("", "expects nothing"),
        ("at_least: alert", "can't fail"),
        ("at_most: auto-apply", "can't fail"),
        ("at_least: alert, at_most: auto-apply", "can't fail"),
        ("reasons: ['']", "an empty text under `reasons`"),
        (
            "level: suggest, reasons: [freeze, ' ']",
            "an empty text under `reasons`",
        ),
        ("level: alert, at_most: suggest", "`level` beside"),
        ("at_least: auto-apply, at_most: suggest", "`at_least` above"),
        ("level: auto-apply, bounds: [x]", "nothing is above it"),
        ("level: suggest, bounds: []", "something must withhold it"),
        ("promote: permitted, promote_bounds: [x]", "and what withholds it"),
        ("promote: denied, promote_bounds: []", "nothing that withholds it"),
    ] {
        let told = told(read(&format!("cases:\n  - {{name: x, {expected}}}\n")));
        assert!(told.len() == 1 && told[0].contains(part), "{expected}: {told:?}");
        assert!(told[0].starts_with("c.yaml:2:12: "), "{told:?}");
    }
    for says_something in [
        "at_least: alert, at_most: suggest",
        "at_least: alert, promote: denied",
        "at_most: alert",
    ] {
        assert!(read(&format!("cases: [{{name: x, {says_something}}}]")).is_ok());
    }
    let both = "cases: [{name: x, given: {service.tier: 1}, unknown: [service.tier], level: alert}]";
    assert!(told(read(both))[0].contains("`service.tier` is both given and unknown"));
    assert!(told(read("cases: [{name: ' ', level: alert}]"))[0].contains("has no name"));
}

#[test]
fn files_of_another_shape_are_located() {
    for (yaml, expected) in [
        ("cases: [{name: x, level: high}]", "c.yaml:1:26: unknown variant `high`"),
        ("cases: [{name: x, levle: alert}]", "c.yaml:1:19: unknown field `levle`"),
        ("cases: [{level: alert}]", "missing field `name`"),
        ("case: []", "unknown field `case`"),
        ("cases: [", "c.yaml:1:"),
        (
            "cases: [{name: x, given: {service.tier: 1.5}, level: alert}]",
            "a whole number, text or a list of words was expected",
        ),
        (
            "cases: [{name: x, given: {service.tier: null}, level: alert}]",
            "a whole number, text or a list of words was expected",
        ),
        (
            "cases: [{name: x, given: {service: {tier: 1}}, level: alert}]",
            "a whole number, text or a list of words was expected",
        ),
        ("", "neither cases nor named sets"),
        ("cases: []", "neither cases nor named sets"),
    ] {
        let told = told(read(yaml));
        assert!(told.len() == 1 && told[0].contains(expected), "{yaml}: {told:?}");
    }
    let deep = format!("cases: {}", "[".repeat(1000));
    assert_eq!(told(read(&deep)).len(), 1);
}
