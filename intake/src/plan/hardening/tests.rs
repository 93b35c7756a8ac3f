use super::*;
use serde_json::json;

fn drift(kind: &str, code: Value, live: Value) -> ResourceChange {
    let actions = if live.is_null() { "delete" } else { "update" };
    let plan = json!({
        "format_version": "1.2",
        "resource_drift": [{
            "address": format!("{kind}.it"),
            "mode": "managed",
            "type": kind,
            "change": {"actions": [actions], "before": code, "after": live,
                       "before_sensitive": {"password": true}, "after_sensitive": {}},
        }],
    });
    crate::plan::from_text("plan.json", &plan.to_string())
        .unwrap()
        .drift
        .remove(0)
}

fn undone(kind: &str, code: Value, live: Value) -> Option<bool> {
    undoes_hardening(&drift(kind, code, live))
}

#[test]
fn a_setting_that_was_tightened_live_would_be_taken_back_and_a_loosened_one_put_right() {
    for (kind, loose, tight) in [
        (
            "aws_db_instance",
            json!({"publicly_accessible": true}),
            json!({"publicly_accessible": false}),
        ),
        (
            "aws_s3_bucket_public_access_block",
            json!({"block_public_acls": false}),
            json!({"block_public_acls": true}),
        ),
        (
            "aws_rds_cluster",
            json!({"deletion_protection": false}),
            json!({"deletion_protection": true}),
        ),
        (
            "aws_db_instance",
            json!({"backup_retention_period": 1}),
            json!({"backup_retention_period": 30}),
        ),
        (
            "azurerm_storage_account",
            json!({"min_tls_version": "TLS1_0"}),
            json!({"min_tls_version": "TLS1_2"}),
        ),
        (
            "aws_s3_bucket",
            json!({"versioning": [{"enabled": false}]}),
            json!({"versioning": [{"enabled": true}]}),
        ),
        (
            "aws_s3_bucket",
            json!({"logging": []}),
            json!({"logging": [{"target_bucket": "logs"}]}),
        ),
        (
            "aws_s3_bucket_versioning",
            json!({"versioning_configuration": [{"status": "Suspended"}]}),
            json!({"versioning_configuration": [{"status": "Enabled"}]}),
        ),
        (
            "aws_instance",
            json!({"metadata_options": [{"http_tokens": "optional"}]}),
            json!({"metadata_options": [{"http_tokens": "required"}]}),
        ),
        (
            "aws_security_group_rule",
            json!({"cidr_blocks": ["0.0.0.0/0"]}),
            json!({"cidr_blocks": ["10.0.0.0/8"]}),
        ),
        (
            "aws_security_group_rule",
            json!({"cidr_blocks": ["10.0.0.0/8"]}),
            json!({"cidr_blocks": ["10.1.0.0/16", "10.2.3.4/32"]}),
        ),
        (
            "google_compute_firewall",
            json!({"source_ranges": ["10.0.0.0/8", "10.1.0.0/16"]}),
            json!({"source_ranges": ["10.1.0.0/16"]}),
        ),
        (
            "aws_security_group",
            json!({"ingress": [{"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]},
                               {"from_port": 443, "to_port": 443, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}]}),
            json!({"ingress": [{"from_port": 443, "to_port": 443, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}]}),
        ),
    ] {
        assert_eq!(
            undone(kind, loose.clone(), tight.clone()),
            Some(true),
            "{kind}: {loose} to {tight}"
        );
        assert_eq!(
            undone(kind, tight, loose.clone()),
            Some(false),
            "{kind}: loosened to {loose}"
        );
    }
}

#[test]
fn what_is_not_known_is_unknown() {
    assert_eq!(
        undone(
            "aws_instance",
            json!({"instance_type": "a"}),
            json!({"instance_type": "b"})
        ),
        None
    );
    assert_eq!(
        undone("aws_db_instance", json!({"password": "a"}), json!({"password": "b"})),
        None
    );
    assert_eq!(
        undone("aws_db_instance", json!({}), json!({"publicly_accessible": false})),
        None
    );
    assert_eq!(
        undone(
            "aws_db_instance",
            json!({"publicly_accessible": "yes"}),
            json!({"publicly_accessible": 0})
        ),
        None
    );
    assert_eq!(
        undone(
            "azurerm_storage_account",
            json!({"min_tls_version": "TLS9"}),
            json!({"min_tls_version": "TLS1_2"})
        ),
        None
    );
    let other = json!({"cidr_blocks": ["10.0.0.0/8"]});
    assert_eq!(
        undone(
            "aws_security_group_rule",
            other,
            json!({"cidr_blocks": ["192.168.0.0/16"]})
        ),
        None
    );
}

#[test]
fn one_tightened_setting_is_enough_and_one_unknown_setting_prevents_a_no() {
    let code = json!({"publicly_accessible": true, "instance_class": "a"});
    let live = json!({"publicly_accessible": false, "instance_class": "b"});
    assert_eq!(undone("aws_db_instance", code.clone(), live.clone()), Some(true));
    assert_eq!(undone("aws_db_instance", live, code), None);
}

#[test]
fn tags_say_nothing_about_safety() {
    let code = json!({"tags": {"a": "1"}, "publicly_accessible": false});
    assert_eq!(
        undone(
            "aws_db_instance",
            code,
            json!({"tags": {}, "publicly_accessible": true})
        ),
        Some(false)
    );
    assert_eq!(
        undone("aws_db_instance", json!({"tags": {"a": "1"}}), json!({"tags": {}})),
        Some(false)
    );
}

#[test]
fn access_that_was_taken_away_would_be_given_again() {
    assert_eq!(
        undone("aws_iam_access_key", json!({"user": "x"}), Value::Null),
        Some(true)
    );
    assert_eq!(
        undone("aws_security_group_rule", json!({"type": "ingress"}), Value::Null),
        Some(true)
    );
    assert_eq!(undone("aws_db_instance", json!({"id": "x"}), Value::Null), None);
}

#[test]
fn a_denying_rule_is_not_counted_as_access() {
    let deny = json!({"ingress": [{"action": "deny", "cidr_block": "0.0.0.0/0"}]});
    assert_eq!(undone("aws_network_acl", json!({"ingress": []}), deny), None);
}

#[test]
fn a_hostile_number_of_addresses_costs_nothing() {
    let many = |start: usize| {
        let all = (start..start + 50_000).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256));
        json!({"cidr_blocks": all.collect::<Vec<_>>()})
    };
    assert_eq!(undone("aws_security_group_rule", many(0), many(1)), None);
}
