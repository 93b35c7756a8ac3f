//! The schema that objects are held to is strict, so that a test that passes means something.

use super::cluster::schema::complaints;
use serde_json::json;

#[test]
fn an_unknown_field_a_wrong_type_and_a_bad_label_are_refused() {
    let job = |pod: serde_json::Value, label: &str| {
        json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "a", "labels": {"holdpoint.dev/run": label}},
            "spec": {"template": {"spec": pod}},
        })
    };
    let container = json!({"name": "step"});
    assert_eq!(
        complaints("jobs", &job(json!({"containers": [container]}), "a")),
        Vec::<String>::new()
    );
    for pod in [
        json!({"containers": [container], "hostUser": false}),
        json!({"containers": [container], "hostUsers": "no"}),
        json!({"containers": [{"name": "step", "securityContext": {"readOnlyRoot": true}}]}),
        json!({}),
    ] {
        assert!(!complaints("jobs", &job(pod.clone(), "a")).is_empty(), "{pod}");
    }
    assert!(!complaints("jobs", &job(json!({"containers": [container]}), "a b")).is_empty());
    assert!(!complaints("pods", &json!({})).is_empty());
}
