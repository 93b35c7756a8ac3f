use super::*;
use serde_json::{Value, json};

fn resource(address: &str, actions: &[&str]) -> Value {
    let kind = address.split('.').next().unwrap();
    json!({"address": address, "mode": "managed", "type": kind,
           "change": {"actions": actions, "before": {"id": "1"}, "after": {"id": "1"}}})
}

fn plan(changes: Value, drift: Value) -> Plan {
    let document = json!({"format_version": "1.2", "resource_changes": changes, "resource_drift": drift});
    read_plan("plan.json", document.to_string().as_bytes()).unwrap()
}

#[test]
fn counts_are_those_of_the_plans_last_line() {
    let mut data = resource("aws_ami.it", &["read"]);
    data["mode"] = "data".into();
    let mut dropped = resource("aws_ami.old", &["delete"]);
    dropped["mode"] = "data".into();
    let mut imported = resource("aws_vpc.in", &["no-op"]);
    imported["change"]["importing"] = json!({"id": "vpc-1"});
    let mut moved = resource("aws_subnet.b", &["no-op"]);
    moved["previous_address"] = "aws_subnet.a".into();
    let mut deposed = resource("aws_instance.d", &["delete"]);
    deposed["deposed"] = "0a1b2c3d".into();
    let found = plan(
        json!([
            data,
            dropped,
            imported,
            moved,
            deposed,
            resource("aws_instance.c", &["create"]),
            resource("aws_instance.n", &["no-op"]),
            resource("aws_instance.u", &["update"]),
            resource("aws_db_instance.r1", &["delete", "create"]),
            resource("aws_db_instance.r2", &["create", "delete"]),
            resource("aws_db_instance.f", &["forget"]),
            resource("aws_iam_role.x", &["delete"]),
        ]),
        json!([]),
    );
    assert_eq!(
        serde_json::to_value(&found.summary).unwrap(),
        json!({"add": 3, "change": 1, "destroy": 4, "imports": 1, "drift": [],
               "destroys": ["aws_instance.d", "aws_iam_role.x"],
               "replaces": ["aws_db_instance.r1", "aws_db_instance.r2"]})
    );
    assert_eq!(found.forgets, ["aws_db_instance.f"]);
    assert_eq!(found.destroys_resources(), Some(true));
    let critical: Vec<_> = found.critical_changes().map(|c| c.critical.unwrap().as_str()).collect();
    assert_eq!(
        critical,
        [
            "network-boundary",
            "network-boundary",
            "database",
            "database",
            "database",
            "iam"
        ]
    );
}

#[test]
fn drift_is_what_changed_and_not_what_only_moved() {
    let found = plan(
        json!([]),
        json!([
            resource("aws_instance.a", &["update"]),
            resource("aws_instance.b", &["no-op"]),
            resource("aws_instance.c", &["delete"]),
        ]),
    );
    assert_eq!(found.summary.drift, ["aws_instance.a", "aws_instance.c"]);
    assert_eq!(found.destroys_resources(), Some(false));
}

#[test]
fn sensitive_values_are_dropped_but_their_names_are_known() {
    let mut change = resource("aws_db_instance.a", &["update"]);
    change["change"] = json!({
        "actions": ["update"],
        "before": {"password": "hunter2", "nested": [{"token": "hunter3"}], "size": 1, "arn": "arn:aws:rds:1"},
        "after": {"password": "hunter4", "nested": [{"token": "hunter3"}], "size": 2, "arn": "arn:aws:rds:1"},
        "before_sensitive": {"password": true, "nested": [{"token": true}]},
        "after_sensitive": {"password": true},
        "after_unknown": {"endpoint": true},
    });
    let found = plan(json!([change]), json!([]));
    let change = found.changes.first().unwrap();
    assert_eq!(change.attributes, ["endpoint", "password", "size"]);
    assert_eq!(change.hidden, ["endpoint", "password"]);
    assert_eq!(change.cloud_ids(), ["arn:aws:rds:1"]);
    assert!(!format!("{found:?}").contains("hunter"));
}

#[test]
fn a_wholly_sensitive_resource_shows_nothing() {
    let mut change = resource("aws_db_instance.a", &["update"]);
    change["change"] = json!({"actions": ["update"], "before": {"x": "hunter2"}, "after": {"x": "hunter3"},
                              "before_sensitive": true, "after_sensitive": true});
    assert!(!format!("{:?}", plan(json!([change]), json!([]))).contains("hunter"));
}

#[test]
fn a_plan_with_gaps_never_says_that_nothing_is_destroyed() {
    let unknown = plan(json!([resource("a.b", &["explode"])]), json!([]));
    assert_eq!((unknown.gaps.len(), unknown.destroys_resources()), (1, None));
    for more in [
        json!({"errored": true}),
        json!({"complete": false}),
        json!({"deferred_changes": [{"reason": "x"}]}),
    ] {
        let mut document = json!({"format_version": "1.2", "resource_changes": []});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let found = read_plan("plan.json", document.to_string().as_bytes()).unwrap();
        assert_eq!((found.gaps.len(), found.destroys_resources()), (1, None), "{more}");
    }
}

#[test]
fn other_documents_are_refused() {
    let message = |bytes: &[u8]| read_plan("plan.json", bytes).unwrap_err().message;
    assert!(message(b"PK\x03\x04....").contains("saved plan file"));
    assert!(message(b"{\"format_version\":\"2.0\"}").contains("`2.0`"));
    assert!(message(b"{}").contains("format_version"));
    assert!(message(b"[]").contains("Terraform plan"));
    assert!(message(b"{\"format_version\":\"1.2\",\"resource_changes\":[{").contains("Terraform plan"));
    assert!(message(b"{\"format_version\":\"1.2\",\"format_version\":\"1.2\"}").contains("duplicate field"));
    let deep = format!(
        "{{\"format_version\":\"1.2\",\"x\":{}{}}}",
        "[".repeat(2_000),
        "]".repeat(2_000)
    );
    assert!(message(deep.as_bytes()).contains("nested deeper"));
    let hostile = "{\"format_version\":\"1.2\",\"resource_changes\":[{\"address\":\"a.b\",\"change\":{\"actions\":[\"update\"],\"before\":{\"n\":1e999}}}]}";
    assert!(message(hostile.as_bytes()).contains("number out of range"));
}

#[test]
fn kinds_are_told_by_type() {
    for (kind, wanted) in [
        ("aws_db_instance", Some(CriticalKind::Database)),
        ("azurerm_mssql_database", Some(CriticalKind::Database)),
        ("google_project_iam_member", Some(CriticalKind::Iam)),
        ("aws_s3_bucket_policy", Some(CriticalKind::Iam)),
        ("aws_security_group_rule", Some(CriticalKind::NetworkBoundary)),
        ("google_compute_firewall", Some(CriticalKind::NetworkBoundary)),
        ("null_resource", None),
        ("aws_instance", None),
    ] {
        assert_eq!(CriticalKind::of(kind), wanted, "{kind}");
    }
}

#[test]
fn an_unknown_mode_and_an_update_without_values_are_gaps() {
    let mut strange = resource("aws_db_instance.x", &["delete"]);
    strange["mode"] = "Managed".into();
    let mut empty = resource("aws_instance.x", &["update"]);
    empty["change"] = json!({"actions": ["update"]});
    for change in [strange, empty] {
        let found = plan(json!([change]), json!([]));
        assert_eq!((found.gaps.len(), found.destroys_resources()), (1, None), "{change}");
    }
    let forgotten = plan(json!([resource("aws_db_instance.x", &["forget"])]), json!([]));
    assert_eq!(forgotten.forgets, ["aws_db_instance.x"]);
    assert_eq!(forgotten.critical_changes().count(), 1);
}
