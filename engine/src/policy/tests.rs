use super::*;
use holdpoint_schemas::SourceError;
use holdpoint_schemas::fact::FactTable;

fn source(path: &str, text: &str) -> PolicySource {
    PolicySource {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn compile(text: &str) -> Result<Pack, PolicyError> {
    Pack::compile("test", &[source("p.cedar", text)], FactTable::shipped())
}

/// Every error as `file:line:column: message`; each must have a help line.
fn told(error: &PolicyError) -> Vec<String> {
    for error in &error.errors {
        assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "{error}");
    }
    error.errors.iter().map(SourceError::one_line).collect()
}

fn errors(text: &str) -> Vec<String> {
    told(&compile(text).unwrap_err())
}

/// A rule with a head of three lines and the condition on the third.
fn rule(head: &str, condition: &str) -> String {
    format!("@id(\"x\") @reason(\"because\")\n{head}\nunless {{ {condition} }};\n")
}

fn forbid(condition: &str) -> String {
    rule(
        "forbid (principal, action == Action::\"autoApply\", resource)",
        condition,
    )
}

#[test]
fn a_policy_tells_its_id_reason_actions_and_facts() {
    let text = "@id(\"freeze\")\n@reason(\"It is frozen.\")\n@unlock(\"spring\")\nforbid (principal, action in [Action::\"suggest\", Action::\"promote\"], resource)\nunless { context has change.freeze_active && !context.change.freeze_active && context.service has tier };";
    let pack = compile(text);
    // `context.service` may be absent, so strict validation wants the dotted `has`.
    assert!(pack.is_err());
    let pack = compile(&text.replace("context.service has tier", "context has service.tier")).unwrap();
    let [policy] = pack.policies() else { panic!() };
    assert_eq!((policy.id.as_str(), policy.effect), ("freeze", Effect::Forbid));
    assert_eq!(policy.reason, "It is frozen.");
    assert_eq!(policy.unlock.as_deref(), Some("spring"));
    assert_eq!(policy.actions, BTreeSet::from([Action::Suggest, Action::Promote]));
    assert_eq!(
        policy.facts.iter().collect::<Vec<_>>(),
        ["change.freeze_active", "service.tier"]
    );
    assert_eq!(pack.facts_read(Action::Promote).len(), 2);
    assert!(pack.facts_read(Action::AutoApply).is_empty());
}

#[test]
fn a_whole_group_of_facts_is_not_asked_for() {
    assert_eq!(
        errors(&forbid("context has change")),
        ["p.cedar:3:22: policy `x`: `context.change` is a group of facts, expected one fact"]
    );
}

#[test]
fn malformed_cedar_is_located() {
    assert_eq!(
        errors("@id(\"x\")\nforbid (principal, action resource);"),
        ["p.cedar:2:27: unexpected token `resource`"]
    );
    assert_eq!(
        errors("@id(\"x\") forbid (principal, action, resource"),
        ["p.cedar:1:45: unexpected end of input"]
    );
    assert_eq!(errors("\u{0}\u{fffd}").len(), 1);
}

#[test]
fn an_unknown_fact_is_located_though_cedar_takes_it_for_a_plain_no() {
    let error = compile(&forbid("context has service.tir && context.service.tir > 0")).unwrap_err();
    assert_eq!(
        told(&error),
        ["p.cedar:3:22: policy `x`: `context.service.tir`, but there is no such fact"]
    );
    assert!(error.errors[0].help.as_ref().unwrap().contains("`service.tier`"));
}

#[test]
fn a_wrong_type_is_located() {
    assert_eq!(
        errors(&forbid("context has service.tier && context.service.tier == \"0\"")),
        ["p.cedar:3:38: the types Long and String are not compatible"]
    );
}

#[test]
fn a_fact_read_without_asking_whether_it_is_known_is_located() {
    let errors = errors(&forbid("context.service.tier > 0"));
    assert!(
        errors[0].starts_with("p.cedar:3:10: ") && errors[0].contains("optional attribute `service.tier`"),
        "{errors:?}"
    );
}

#[test]
fn a_word_that_a_fact_never_is_is_located() {
    let error = compile(&forbid("context has fix.class && context.fix.class == \"mechancial\"")).unwrap_err();
    assert_eq!(
        told(&error),
        ["p.cedar:3:56: policy `x`: `context.fix.class` is compared with `mechancial`, which it never is"]
    );
    assert_eq!(
        error.errors[0].help.as_deref(),
        Some("it is one of `mechanical`, `logic`")
    );
}

#[test]
fn a_fact_under_an_action_that_never_knows_it_is_refused() {
    assert_eq!(
        errors(&rule(
            "forbid (principal, action, resource)",
            "context has approval.verified"
        )),
        ["p.cedar:3:22: policy `x`: `context.approval.verified` is never known under action `suggest`"]
    );
}

#[test]
fn conditions_on_entities_are_refused() {
    let head = |principal: &str, resource: &str| {
        errors(&rule(
            &format!("forbid ({principal}, action, {resource})"),
            "context has fix.class",
        ))
    };
    let principal = ["p.cedar:2:9: policy `x`: the policy's head constrains `principal`, expected facts only"];
    assert_eq!(head("principal == Remediator::\"bot\"", "resource"), principal);
    assert_eq!(head("principal in Remediator::\"bot\"", "resource"), principal);
    assert_eq!(
        head("principal is Remediator in Remediator::\"bot\"", "resource"),
        principal
    );
    assert_eq!(
        head("principal", "resource in Service::\"a\""),
        ["p.cedar:2:28: policy `x`: the policy's head constrains `resource`, expected facts only"]
    );
    for condition in [
        "resource == Service::\"a\"",
        "principal in Remediator::\"a\"",
        "resource.tier > 0",
        "principal has name",
        "resource is Service",
        "action == Action::\"suggest\"",
    ] {
        let errors = errors(&forbid(condition));
        assert!(errors[0].contains("expected facts only"), "{condition}: {errors:?}");
    }
    assert!(
        compile(&rule(
            "forbid (principal is Remediator, action, resource is Service)",
            "context has fix.class"
        ))
        .is_ok()
    );
}

#[test]
fn a_whole_group_of_facts_is_no_value() {
    let errors = errors(&forbid("context has change && context.change == context.change"));
    assert_eq!(
        errors,
        ["p.cedar:3:22: policy `x`: `context.change` is a group of facts, expected one fact"]
    );
}

#[test]
fn unknown_actions_and_templates_are_refused() {
    assert_eq!(
        errors("@id(\"x\") @reason(\"r\")\npermit (principal, action == Action::\"alert\", resource);"),
        ["p.cedar:2:30: policy `x`: there is no action `Action::\"alert\"`"]
    );
    assert_eq!(
        errors("@id(\"x\") @reason(\"r\")\npermit (principal == ?principal, action, resource);"),
        ["p.cedar:1:1: a policy template, expected a policy without slots"]
    );
}

#[test]
fn annotations_are_checked() {
    let permit = "permit (principal, action, resource);";
    assert_eq!(
        errors(&format!("// first\n{permit}")),
        ["p.cedar:2:1: a policy without `@id`, expected one"]
    );
    assert_eq!(
        errors(&format!("@id(\"x\") @reason(\"  \") {permit}")),
        ["p.cedar:1:1: policy `x` has no `@reason`, expected one"]
    );
    assert_eq!(
        errors(&format!("@id(\"X y\") @reason(\"r\") {permit}")),
        ["p.cedar:1:1: policy id `X y`, expected lower-case letters, digits and hyphens"]
    );
    assert_eq!(
        errors(&format!("@id(\"x\") @reason(\"r\") @unlok(\"u\") {permit}")),
        [
            "p.cedar:1:1: policy `x` has the annotation `@unlok`, expected `@id`, `@reason`, `@unknown`, `@unlock` or `@help`"
        ]
    );
}

#[test]
fn an_id_in_two_files_is_refused_and_both_places_are_named() {
    let text = "@id(\"x\") @reason(\"r\") permit (principal, action, resource);";
    let sources = [source("a.cedar", text), source("b.cedar", &format!("\n  {text}"))];
    let error = Pack::compile("test", &sources, FactTable::shipped()).unwrap_err();
    assert_eq!(
        told(&error),
        ["b.cedar:2:3: policy id `x` is taken, expected a unique one; the first is at a.cedar:1:1"]
    );
}

#[test]
fn every_error_of_every_file_is_told_at_once() {
    let sources = [
        source("a.cedar", "permit"),
        source("b.cedar", "permit (principal, action, resource);"),
        source("c.cedar", "// nothing"),
    ];
    let error = Pack::compile("test", &sources, FactTable::shipped()).unwrap_err();
    let files: Vec<&str> = error.errors.iter().map(SourceError::file).collect();
    assert_eq!(files, ["a.cedar", "b.cedar", "c.cedar"]);
    assert!(
        error
            .to_string()
            .starts_with("policy pack `test` has 3 errors\n  a.cedar:1:"),
        "{error}"
    );
}

#[test]
fn a_pack_without_policies_is_an_error() {
    let error = Pack::compile("test", &[], FactTable::shipped()).unwrap_err();
    assert_eq!(told(&error), ["test: no policies, expected at least one"]);
}

#[test]
fn deep_or_long_policies_are_refused_before_the_parser_sees_them() {
    let condition = |text: String| errors(&forbid(&text))[0].clone();
    let parens = |n: usize| format!("{}true{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(
        condition(parens(100_000)),
        "p.cedar:3:41: brackets nested deeper than 32"
    );
    assert!(condition("true && ".repeat(50_000) + "true").contains("more than 2000 operators"));
    assert!(condition("if true then true else ".repeat(30_000) + "true").contains("more than 2000 operators"));
    assert!(condition(format!("context{}", ".a".repeat(100_000))).contains("more than 2000 operators"));
    assert!(errors(&" ".repeat(2 << 20))[0].contains("2097152 bytes, expected at most 1048576"));
}

#[test]
fn the_deepest_and_longest_policies_let_through_do_not_overflow_the_stack() {
    let nested = format!("{}false{}", "(".repeat(31), ")".repeat(31));
    let chain = "false || ".repeat(990) + "false";
    let choices = "if false then true else ".repeat(1_900) + "false";
    for condition in [nested, chain, choices] {
        compile(&forbid(&condition)).unwrap();
    }
}

#[test]
fn brackets_and_semicolons_in_strings_and_comments_do_not_count() {
    let text = format!("// {}\n{}", "(".repeat(99), forbid("context has fix.class"))
        .replace("because", &format!("it; \\\" {}", "{".repeat(99)));
    compile(&text).unwrap();
}

#[test]
fn the_digest_is_that_of_the_policies_whatever_their_files() {
    let (a, b) = (
        forbid("context has fix.class"),
        forbid("context has fix.kind").replace("\"x\"", "\"y\""),
    );
    let schema = FactTable::shipped();
    let two = Pack::compile("p", &[source("b", &b), source("a", &a)], schema).unwrap();
    let one = Pack::compile("p", &[source("all", &format!("{a}{b}"))], schema).unwrap();
    assert_eq!(two.digest(), one.digest());
    assert_eq!(two.schema_digest(), &Digest::of_bytes(schema.cedar_schema().as_bytes()));
    let changed = compile(&format!("{a}{}", b.replace("fix.kind", "fix.files"))).unwrap();
    assert_ne!(changed.digest(), one.digest());
    let reworded = compile(&format!("{}{b}", a.replace("because", "so"))).unwrap();
    assert_ne!(reworded.digest(), one.digest());
    assert_eq!(one.without("y").digest(), compile(&a).unwrap().digest());
    assert_eq!(one.without("z").digest(), one.digest());
}
