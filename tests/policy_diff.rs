//! `policy diff` on pairs of packs, with the real solver.

use cedar_policy::{Authorizer, Context, Decision, Entities, PolicySet, Request};
use serde_json::{Map, Value};

use crate::packs::PackFolder;
use crate::support::{run, stderr, stdout};

fn diff(old: &PackFolder, new: &PackFolder, more: &[&str]) -> (Option<i32>, Value) {
    let output = run(&[&["policy", "diff", old.arg(), new.arg(), "--format", "json"], more].concat());
    let document = serde_json::from_slice(&output.stdout);
    let document = document.unwrap_or_else(|error| panic!("{error}: {}{}", stdout(&output), stderr(&output)));
    (output.status.code(), document)
}

fn action<'a>(document: &'a Value, name: &str) -> &'a Value {
    let actions = document["actions"].as_array().unwrap();
    actions.iter().find(|action| action["action"] == name).unwrap()
}

/// Baseline with one more way past a rule: rarely true, and two clauses deep.
fn with_a_rare_branch() -> PackFolder {
    let pack = PackFolder::of_shipped("baseline");
    let file = pack.path().join("upgrade-not-patch.cedar");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replace(
        "context.fix.upgrade_step == \"patch\")",
        "context.fix.upgrade_step == \"patch\") ||\n    (context has fix.upgrade_step && context.fix.upgrade_step == \"major\" &&\n     context has graph.dependents && context.graph.dependents == 17 &&\n     context has service.data_classes && context.service.data_classes.containsAll([\"telemetry\", \"invoices\"]) &&\n     context has finding.severity && context.finding.severity == \"critical\")",
    );
    assert_ne!(text, changed);
    std::fs::write(file, changed).unwrap();
    pack
}

/// Asks plain Cedar, without Holdpoint, what the pack's files say of these facts.
fn plain_cedar(pack: &PackFolder, action: &str, facts: &Value) -> Decision {
    let mut text = String::new();
    for entry in std::fs::read_dir(pack.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "cedar") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    let policies: PolicySet = text.parse().unwrap();
    let mut context = Map::new();
    for (id, value) in facts.as_object().unwrap() {
        let mut group = &mut context;
        let (path, name) = id.rsplit_once('.').unwrap();
        for step in path.split('.') {
            let inner = group.entry(step).or_insert_with(|| Value::Object(Map::new()));
            group = inner.as_object_mut().unwrap();
        }
        group.insert(name.to_owned(), value.clone());
    }
    let request = Request::new(
        "Remediator::\"bot\"".parse().unwrap(),
        format!("Action::\"{action}\"").parse().unwrap(),
        "Service::\"s\"".parse().unwrap(),
        Context::from_json_value(Value::Object(context), None).unwrap(),
        None,
    );
    let response = Authorizer::new().is_authorized(&request.unwrap(), &policies, &Entities::empty());
    assert_eq!(response.diagnostics().errors().count(), 0);
    response.decision()
}

#[test]
fn a_rarely_true_branch_that_widens_auto_apply_is_found_and_its_witness_replays_in_plain_cedar() {
    let (old, new) = (PackFolder::of_shipped("baseline"), with_a_rare_branch());
    let (code, document) = diff(&old, &new, &["--fail-if-looser"]);
    assert_eq!(code, Some(11));
    assert_eq!(document["relation"], "looser");
    assert_eq!(
        document["policies"]["changed"],
        serde_json::json!(["upgrade-not-patch"])
    );
    assert_eq!(action(&document, "suggest")["relation"], "equivalent");
    assert_eq!(action(&document, "promote")["relation"], "equivalent");
    let widened = action(&document, "autoApply");
    assert_eq!(widened["relation"], "looser");
    assert!(widened["newly_withheld"].is_null());
    let witness = &widened["newly_permitted"];
    let facts = &witness["facts"];
    assert_eq!(facts["graph.dependents"], 17);
    assert_eq!(facts["fix.upgrade_step"], "major");
    assert!(
        witness["let_through_by"]
            .as_object()
            .unwrap()
            .contains_key("auto-apply-mechanical")
    );

    assert_eq!(plain_cedar(&old, "autoApply", facts), Decision::Deny);
    assert_eq!(plain_cedar(&new, "autoApply", facts), Decision::Allow);
    // It is the smallest: without any one fact, the two packs agree.
    for id in facts.as_object().unwrap().keys() {
        let mut fewer = facts.clone();
        fewer.as_object_mut().unwrap().remove(id);
        let answers = [&old, &new].map(|pack| plain_cedar(pack, "autoApply", &fewer));
        assert_eq!(answers[0], answers[1], "{id} isn't needed");
    }
}

#[test]
fn packs_that_answer_alike_are_equivalent_whatever_their_text() {
    let (old, new) = (PackFolder::of_shipped("baseline"), PackFolder::of_shipped("baseline"));
    let file = new.path().join("tier-0-production.cedar");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("context.service.tier > 0", "context.service.tier >= 1"),
    )
    .unwrap();
    let (code, document) = diff(&old, &new, &["--fail-if-looser"]);
    assert_eq!((code, &document["relation"]), (Some(0), &Value::from("equivalent")));
    assert_eq!(
        document["policies"]["changed"],
        serde_json::json!(["tier-0-production"])
    );
}

#[test]
fn a_new_forbid_is_stricter_and_a_trade_is_different() {
    let old = PackFolder::of_shipped("baseline");
    let forbid = "forbid (principal, action == Action::\"autoApply\", resource)\nunless { context has fix.files && context.fix.files < 10 };";
    let stricter = PackFolder::of_shipped("baseline").policy("large-fix", forbid);
    let (code, document) = diff(&old, &stricter, &["--fail-if-looser"]);
    assert_eq!((code, &document["relation"]), (Some(0), &Value::from("stricter")));
    let example = &action(&document, "autoApply")["newly_withheld"];
    assert_eq!(plain_cedar(&old, "autoApply", &example["facts"]), Decision::Allow);
    assert_eq!(plain_cedar(&stricter, "autoApply", &example["facts"]), Decision::Deny);

    let traded = with_a_rare_branch().policy("large-fix", forbid);
    let (_, document) = diff(&old, &traded, &[]);
    assert_eq!(document["relation"], "different");
    let human = stdout(&run(&["policy", "diff", old.arg(), traded.arg()]));
    assert!(
        human.contains("newly permitted, for example") && human.contains("no longer permitted"),
        "{human}"
    );
    assert!(human.contains("at_most: suggest"), "{human}");
}

#[test]
fn without_a_solver_nothing_is_said_to_be_equivalent() {
    let pack = PackFolder::of_shipped("baseline");
    let output = crate::support::holdpoint()
        .args(["policy", "diff", pack.arg(), pack.arg()])
        .env("HOLDPOINT_CVC5", "/nowhere/cvc5")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(12));
    assert!(
        stdout(&output).starts_with("inconclusive: there is no solver"),
        "{}",
        stdout(&output)
    );
}
