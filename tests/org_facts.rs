//! An organisation's own facts: a policy on one decides by it, and says what it doesn't know.

use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

use crate::support::{Estate, holdpoint, stderr, stdout};

const POLICY: &str = r#"@id("nobody-on-call")
@reason("Nobody is on call for the service")
@unknown("It isn't known whether somebody is on call for the service")
forbid (principal, action == Action::"autoApply", resource)
unless { context has org.on_call.covered && context.org.on_call.covered };
"#;

const DECLARATION: &str = "\
facts:
  - id: org.on_call.covered
    type: bool
    doc: Whether somebody is on call for the service.
    resolver: the on-call schedule's owner
";

/// An estate whose pack is the shipped one and a policy on an organisation's own fact.
fn estate() -> Estate {
    let estate = Estate::prepared();
    let pack = estate.file("own");
    std::fs::create_dir(&pack).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/baseline");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "cedar") {
            std::fs::copy(&path, pack.join(path.file_name().unwrap())).unwrap();
        }
    }
    std::fs::write(pack.join("pack.yaml"), "name: own\ndescription: For a test.\n").unwrap();
    std::fs::write(pack.join("nobody-on-call.cedar"), POLICY).unwrap();
    estate.edit("holdpoint.yaml", |text| {
        text.replace("policies: baseline", "policies: own")
    });
    std::fs::create_dir(estate.file("facts.d")).unwrap();
    estate
}

/// Declares the fact, with more lines for its values.
fn declare(estate: &Estate, more: &str) {
    std::fs::write(estate.file("facts.d/on-call.yaml"), format!("{DECLARATION}{more}")).unwrap();
}

fn decide(estate: &Estate) -> Output {
    estate.run(&["--format", "json", "decide"])
}

fn items(output: &Output) -> Vec<Value> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)));
    document["items"].as_array().unwrap().clone()
}

/// How many findings of the service could be merged without asking.
fn automatic(output: &Output, service: &str) -> usize {
    let is_automatic = |item: &&Value| item["service"] == service && item["decision"]["level"] == "auto-apply";
    items(output).iter().filter(is_automatic).count()
}

/// What the policy's bound says of the fact, for a service's findings: (reason, unknown).
fn bounds(output: &Output, service: &str) -> Vec<Value> {
    items(output)
        .iter()
        .filter(|item| item["service"] == service)
        .flat_map(|item| item["decision"]["bounds"].as_array().unwrap().clone())
        .filter(|bound| bound["id"] == "nobody-on-call")
        .collect()
}

#[test]
fn a_policy_decides_by_an_organisations_own_fact() {
    let estate = estate();
    declare(&estate, "    default: true\n");
    let before = decide(&estate);
    let with_automatic = items(&before)
        .into_iter()
        .find(|item| item["decision"]["level"] == "auto-apply")
        .unwrap_or_else(|| panic!("{}", stdout(&before)));
    let service = with_automatic["service"].as_str().unwrap();
    let fact = &with_automatic["decision"]["facts"]["known"]["org.on_call.covered"];
    assert_eq!(
        (&fact["value"], &fact["source"]),
        (&true.into(), &"facts.d/on-call.yaml".into())
    );
    let count = automatic(&before, service);

    declare(&estate, &format!("    values: {{{service}: true}}\n"));
    assert_eq!(
        automatic(&decide(&estate), service),
        count,
        "a value counts like a default"
    );

    declare(
        &estate,
        &format!("    default: true\n    values: {{{service}: false}}\n"),
    );
    let nobody = decide(&estate);
    assert_eq!(automatic(&nobody, service), 0);
    let told = bounds(&nobody, service);
    assert!(
        told.iter()
            .all(|bound| bound["reason"].as_str().unwrap().contains("Nobody is on call")),
        "{told:?}"
    );
    assert!(told.len() >= count);

    let unknown = [
        ("", "says nothing of"),
        (
            "    default: true\n    observed: 2026-03-01\n    ttl_days: 7\n",
            "last observed 2026-03-01",
        ),
        ("    default: true\n    observed: 2027-01-01\n", "yet to come"),
    ];
    for (more, why) in unknown {
        declare(&estate, more);
        let output = decide(&estate);
        assert_eq!(automatic(&output, service), 0, "{why}");
        let told = bounds(&output, service);
        assert!(!told.is_empty(), "{why}");
        for bound in told {
            let unknown = &bound["unknowns"][0];
            assert_eq!(unknown["id"], "org.on_call.covered");
            assert_eq!(unknown["resolver"], "the on-call schedule's owner");
            assert!(unknown["why"].as_str().unwrap().contains(why), "{unknown}");
            assert!(bound["reason"].as_str().unwrap().contains("isn't known"), "{bound}");
        }
    }
}

#[test]
fn a_bad_declaration_stops_the_run_and_a_strange_service_makes_its_fact_unknown() {
    let estate = estate();
    for (more, told) in [
        ("    default: 1\n", "facts.d/on-call.yaml:6:14"),
        ("    ttl_days: 7\n", "facts.d/on-call.yaml:6:5"),
        ("    defualt: true\n", "facts.d/on-call.yaml:6:5"),
    ] {
        declare(&estate, more);
        let output = estate.run(&["decide"]);
        assert_eq!(output.status.code(), Some(3), "{more}");
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
        assert!(!estate.file("state/ledger.sqlite").exists(), "nothing is written");
    }

    declare(&estate, "    default: true\n    values: {paymnets: false}\n");
    let output = decide(&estate);
    assert_eq!(output.status.code(), Some(3));
    let told: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(told["error"]["file"], "facts.d/on-call.yaml");
    assert_eq!(
        (&told["error"]["line"], &told["error"]["column"]),
        (&7.into(), &14.into())
    );
    let items = items(&output);
    assert!(!items.is_empty());
    for item in items {
        assert_ne!(
            item["decision"]["level"], "auto-apply",
            "it was meant for another service"
        );
    }

    std::fs::remove_dir_all(estate.file("facts.d")).unwrap();
    let output = decide(&estate);
    assert_eq!(
        output.status.code(),
        Some(3),
        "the policy reads a fact that nobody declares"
    );
    assert!(stderr(&output).contains("nobody-on-call.cedar"), "{}", stderr(&output));
}

#[test]
fn the_ledger_keeps_the_schema_and_the_policies_once() {
    let estate = estate();
    declare(&estate, "    default: true\n");
    for _ in 0..2 {
        decide(&estate);
    }
    let kept = |kind: &str| -> Vec<Value> {
        let ledger = Connection::open(estate.file("state/ledger.sqlite")).unwrap();
        let mut rows = ledger.prepare("SELECT body FROM entry WHERE kind = ?1").unwrap();
        let bodies = rows.query_map([kind], |row| row.get::<_, String>(0)).unwrap();
        bodies
            .map(|body| serde_json::from_str(&body.unwrap()).unwrap())
            .collect()
    };
    let (schemas, policies) = (kept("schema"), kept("policies"));
    assert_eq!((schemas.len(), policies.len()), (1, 1));
    let inputs = &kept("decision")[0]["inputs"];
    assert_eq!(schemas[0]["digest"], inputs["schema"]);
    assert_eq!(policies[0]["digest"], inputs["policies"]);
    assert!(schemas[0]["cedar"].as_str().unwrap().contains("\"on_call\"?: {"));
    assert_eq!(schemas[0]["org_facts"][0]["id"], "org.on_call.covered");
    assert!(schemas[0]["org_facts"][0].get("default").is_none());
    let texts = policies[0]["policies"].as_array().unwrap();
    assert!(
        texts
            .iter()
            .any(|policy| policy["id"] == "nobody-on-call" && policy["text"].as_str().unwrap().contains("unless"))
    );

    // Another value is another decision's fact, not another schema; another declaration is.
    declare(&estate, "    default: false\n");
    decide(&estate);
    assert_eq!(kept("schema").len(), 1);
    declare(
        &estate,
        "    default: false\n    observed: 2026-03-16\n    ttl_days: 7\n",
    );
    decide(&estate);
    assert_eq!(kept("schema").len(), 2);
    assert_eq!(kept("policies").len(), 1);
    let verified = holdpoint()
        .arg("--estate")
        .arg(estate.estate())
        .args(["ledger", "verify"])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", stderr(&verified));
}
