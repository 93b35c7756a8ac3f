//! What is known of the environment: `facts`, `graph import`, `iac read`, through the binary.

use serde_json::Value;

use crate::support::{Estate, run, stderr, stdout};

fn json(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    serde_json::from_str(&stdout(output)).unwrap()
}

/// The finding of a scenario, by its repo and rule.
fn id_of(estate: &Estate, repo: &str, rule: &str) -> String {
    let decided = estate.run(&["--format", "json", "decide"]);
    let document: Value = serde_json::from_str(&stdout(&decided)).unwrap();
    document["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["finding"]["repo"] == repo && item["finding"]["rule"] == rule)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn facts_tell_value_source_and_age_of_each_and_the_resolver_of_what_is_unknown() {
    let estate = Estate::prepared();
    let id = id_of(&estate, "track", "GHSA-g4mx-q9vg-27p4");
    let document = json(&estate.run(&["--format", "json", "facts", &id]));
    let facts = document["facts"][0]["facts"].as_array().unwrap();
    let fact = |id: &str| facts.iter().find(|fact| fact["id"] == id).unwrap();

    let peak = fact("change.business_window_active");
    assert_eq!(peak["value"], true);
    assert_eq!(
        (&peak["source"], &peak["age_seconds"]),
        (&"calendar.yaml".into(), &0.into())
    );
    assert!(
        peak["note"]
            .as_str()
            .unwrap()
            .contains("the next safe window is 2026-03-17T05:00:00Z")
    );
    assert_eq!(peak["holds_back"], serde_json::json!(["peak-hours"]));

    let exploited = fact("finding.known_exploited");
    assert_eq!(exploited["value"], Value::Null);
    assert!(exploited["why_unknown"].as_str().unwrap().contains("no KEV file"));
    assert!(exploited["resolver"].as_str().unwrap().contains("`kev:`"));

    let human = stdout(&estate.run(&["facts", &id]));
    for words in [
        "facts unknown",
        "change.downtime_needed *",
        "one instance runs",
        "→ a KEV file",
    ] {
        assert!(human.contains(words), "{words} isn't in:\n{human}");
    }
}

#[test]
fn what_is_missing_is_ranked_by_what_it_holds_back() {
    let estate = Estate::prepared();
    let document = json(&estate.run(&["--format", "json", "facts", "--missing"]));
    let missing = document["missing"].as_array().unwrap();
    let held: Vec<u64> = missing
        .iter()
        .map(|entry| entry["findings"].as_u64().unwrap())
        .collect();
    assert!(!held.is_empty() && held.is_sorted_by(|a, b| a >= b), "{held:?}");
    assert!(
        missing
            .iter()
            .all(|entry| !entry["resolver"].as_str().unwrap().is_empty())
    );

    // Once the calendar is gone, it is what holds back most.
    estate.edit("holdpoint.yaml", |text| text.replace("calendar: calendar.yaml\n", ""));
    let document = json(&estate.run(&["--format", "json", "facts", "--missing"]));
    let first = document["missing"][0]["id"].as_str().unwrap();
    assert!(
        [
            "change.freeze_active",
            "change.window_open",
            "change.business_window_active"
        ]
        .contains(&first),
        "{first}"
    );
}

#[test]
fn facts_of_a_finding_that_is_not_there_or_not_one_are_refused() {
    let estate = Estate::prepared();
    let none = estate.run(&["facts", "hp-0000000000"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(stderr(&none).contains("no finding `hp-0000000000`"));
    let several = estate.run(&["facts", "hp-"]);
    assert_eq!(several.status.code(), Some(3));
    assert!(stderr(&several).contains("may be any of"));
    assert_eq!(estate.run(&["facts"]).status.code(), Some(2));
}

#[test]
fn a_graph_is_read_from_whatever_describes_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let services = write(
        "services.yaml",
        "services:\n  shop: {tier: 1, uses: [cart]}\n  cart: {tier: 2, replicas: 3}\n",
    );
    let compose = write(
        "compose.yaml",
        "services:\n  cart:\n    image: registry.example/cart\n    environment: {DB_URL: \"postgres://db:5432/cart\"}\n  db:\n    image: postgres:16\n",
    );
    let document = json(&run(&["--format", "json", "graph", "import", &services, &compose]));
    let edges: Vec<(&str, &str, &str)> = document["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| {
            let text = |key: &str| edge[key].as_str().unwrap();
            (text("from"), text("to"), text("kind"))
        })
        .collect();
    assert!(edges.contains(&("cart", "db", "database")), "{edges:?}");
    assert!(
        edges.iter().any(|(from, to, _)| (*from, *to) == ("shop", "cart")),
        "{edges:?}"
    );
    assert_eq!(edges.len(), 2);
    let ids: Vec<&str> = document["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| service["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["cart", "db", "shop"]);

    let notes = write("notes.json", "{\"hello\": 1}");
    let unknown = run(&["graph", "import", &notes]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(stderr(&unknown).contains("docker-compose"), "{}", stderr(&unknown));
}

#[test]
fn a_plan_is_read_into_counts_and_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let change = |address: &str, actions: &str| {
        format!(
            "{{\"address\":\"{address}\",\"mode\":\"managed\",\"type\":\"aws_db_instance\",\"name\":\"x\",\"change\":{{\"actions\":[{actions}],\"before\":{{}},\"after\":{{}},\"after_unknown\":{{}}}}}}"
        )
    };
    let plan = format!(
        "{{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.0\",\"resource_changes\":[{},{}]}}",
        change("aws_db_instance.ledger", "\"delete\",\"create\""),
        change("aws_db_instance.old", "\"delete\"")
    );
    std::fs::write(&path, plan).unwrap();
    let document = json(&run(&["--format", "json", "iac", "read", path.to_str().unwrap()]));
    assert_eq!(
        document,
        serde_json::json!({
            "add": 1, "change": 0, "destroy": 2, "imports": 0, "drift": [],
            "destroys": ["aws_db_instance.old"], "replaces": ["aws_db_instance.ledger"],
        })
    );
    std::fs::write(&path, "{\"format_version\": \"1.2\",").unwrap();
    let cut = run(&["iac", "read", path.to_str().unwrap()]);
    assert_eq!(cut.status.code(), Some(3));
    assert!(stderr(&cut).contains("cut off"), "{}", stderr(&cut));
}
