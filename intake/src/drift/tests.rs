use super::*;
use serde_json::{Value, json};

fn log(document: &Value) -> AuditLog {
    read_audit_log("log.json", document.to_string().as_bytes(), &["ci-deployer".to_owned()]).unwrap()
}

fn resource(kind: &str, ids: &[&str]) -> CloudResource {
    CloudResource {
        resource_type: kind.to_owned(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    }
}

/// A record of CloudTrail, with some of its fields replaced.
fn trail(changes: Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole", "principalId": "AROA1:ana@example.com",
            "arn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0a1b/ana@example.com",
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "AWSReservedSSO_Admin_0a1b"},
                               "attributes": {"mfaAuthenticated": "false"}}},
        "eventTime": "2026-11-20T10:00:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RevokeSecurityGroupIngress",
        "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333",
        "requestParameters": {"groupId": "sg-0a1b2c3d", "ipPermissions": {"items": [{"fromPort": 22}]}},
        "readOnly": false,
        "eventID": "e-1",
        "managementEvent": true,
    });
    record
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    record
}

fn records(changes: &[Value]) -> AuditLog {
    log(&json!({"Records": changes.iter().map(|c| trail(c.clone())).collect::<Vec<_>>()}))
}

fn group() -> CloudResource {
    resource(
        "aws_security_group",
        &[
            "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-0a1b2c3d",
            "sg-0a1b2c3d",
        ],
    )
}

#[test]
fn a_person_who_changed_a_resource_is_found_latest_first() {
    let log = records(&[
        json!({}),
        json!({"eventID": "e-2", "eventTime": "2026-11-21T10:00:00Z", "eventName": "AuthorizeSecurityGroupEgress"}),
    ]);
    let actors = actors_for(&[log.clone(), log], &group());
    let ids: Vec<&str> = actors.iter().map(|a| a.event_id.as_str()).collect();
    assert_eq!(ids, ["e-2", "e-1"]);
    let first = actors.last().unwrap();
    assert_eq!(first.name, "ana@example.com as AWSReservedSSO_Admin_0a1b");
    assert_eq!(
        (first.kind, first.at.to_string().as_str()),
        (ActorKind::Human, "2026-11-20T10:00:00Z")
    );
    assert_eq!(first.what, "RevokeSecurityGroupIngress (ec2.amazonaws.com)");
}

#[test]
fn what_failed_read_or_only_mentioned_the_resource_does_not_count() {
    for changes in [
        json!({"errorCode": "Client.UnauthorizedOperation"}),
        json!({"readOnly": true}),
        json!({"readOnly": "true"}),
        json!({"managementEvent": false}),
        json!({"eventName": "DescribeSecurityGroups"}),
        json!({"eventName": "RunInstances"}),
        json!({"eventSource": "rds.amazonaws.com"}),
        json!({"recipientAccountId": "999999999999"}),
        json!({"awsRegion": "us-east-1"}),
        json!({"requestParameters": {"groupId": "sg-0a1b2c3d4"}}),
        json!({"requestParameters": {"groupId": "sg-0a1b2c3"}}),
        json!({"requestParameters": {"vpcId": "sg-0a1b2c3d"}}),
        json!({"requestParameters": null}),
        json!({"eventTime": "yesterday"}),
    ] {
        let log = [records(std::slice::from_ref(&changes))];
        assert_eq!(actors_for(&log, &group()), [], "{changes}");
    }
}

#[test]
fn a_resource_of_an_unknown_type_is_matched_by_its_arn_alone() {
    let arn = "arn:aws:mq:eu-central-1:111122223333:broker:b";
    let changed = json!({"eventSource": "mq.amazonaws.com", "eventName": "UpdateBroker",
                         "resources": [{"ARN": arn}], "requestParameters": {"name": "b"}});
    let log = [records(&[changed])];
    assert_eq!(actors_for(&log, &resource("aws_mq_broker", &[arn])).len(), 1);
    assert_eq!(actors_for(&log, &resource("aws_mq_broker", &["b"])), []);
}

#[test]
fn a_policy_of_a_bucket_is_not_its_versioning() {
    let log = [records(&[
        json!({"eventSource": "s3.amazonaws.com", "eventName": "PutBucketPolicy", "requestParameters": {"bucketName": "data"}}),
    ])];
    assert_eq!(actors_for(&log, &resource("aws_s3_bucket_policy", &["data"])).len(), 1);
    assert_eq!(actors_for(&log, &resource("aws_s3_bucket_versioning", &["data"])), []);
}

#[test]
fn kinds_of_aws_identities_are_told_apart() {
    let issuer =
        |name: &str| json!({"sessionIssuer": {"userName": name, "arn": format!("arn:aws:iam::1:role/{name}")}});
    let mut actions = issuer("deploy");
    actions["webIdFederationData"] =
        json!({"federatedProvider": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"});
    let mut machine = issuer("app");
    machine["ec2RoleDelivery"] = "2.0".into();
    let mut person = issuer("ci-deployer");
    person["attributes"] = json!({"mfaAuthenticated": "true"});
    for (identity, wanted) in [
        (json!({"type": "Root"}), ActorKind::Human),
        (json!({"type": "IAMUser", "userName": "ana"}), ActorKind::Human),
        (
            json!({"type": "IAMUser", "userName": "ci-deployer"}),
            ActorKind::Automation,
        ),
        (
            json!({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}),
            ActorKind::Automation,
        ),
        (
            json!({"type": "AssumedRole", "principalId": "A:x", "sessionContext": issuer("ops")}),
            ActorKind::Unknown,
        ),
        (
            json!({"type": "AssumedRole", "principalId": "A:x", "sessionContext": issuer("ci-deployer")}),
            ActorKind::Automation,
        ),
        (
            json!({"type": "AssumedRole", "principalId": "A:ana@example.com", "sessionContext": issuer("ops")}),
            ActorKind::Human,
        ),
        (
            json!({"type": "AssumedRole", "principalId": "A:x", "sessionContext": actions}),
            ActorKind::Automation,
        ),
        (
            json!({"type": "AssumedRole", "principalId": "A:i-1", "sessionContext": machine}),
            ActorKind::Automation,
        ),
        (
            json!({"type": "AssumedRole", "principalId": "A:x", "sessionContext": person}),
            ActorKind::Human,
        ),
        (json!({"type": "AWSAccount"}), ActorKind::Unknown),
        (json!(null), ActorKind::Unknown),
    ] {
        let actors = actors_for(&[records(&[json!({"userIdentity": identity})])], &group());
        assert_eq!(actors.first().map(|a| a.kind), Some(wanted), "{identity}");
    }
    let console = records(&[
        json!({"userIdentity": {"type": "AssumedRole", "sessionContext": issuer("ops")},
                                   "sessionCredentialFromConsole": "true"}),
    ]);
    assert_eq!(
        actors_for(&[console], &group()).first().map(|a| a.kind),
        Some(ActorKind::Human)
    );
}

#[test]
fn cloudtrail_comes_in_several_shapes() {
    let record = trail(json!({}));
    let wrapped = json!({"Events": [{"EventId": "e-1", "CloudTrailEvent": record.to_string()}]});
    let nested = json!({"Events": [{"CloudTrailEvent": json!({"CloudTrailEvent": record.to_string()}).to_string()}]});
    let lines = format!("{record}\n{{\"broken\n\n{record}\n");
    assert_eq!(actors_for(&[log(&json!([record]))], &group()).len(), 1);
    assert_eq!(actors_for(&[log(&record)], &group()).len(), 1);
    assert_eq!(actors_for(&[log(&wrapped)], &group()).len(), 1);
    assert!(log(&nested).is_empty());
    let lines = read_audit_log("log.ndjson", lines.as_bytes(), &[]).unwrap();
    assert_eq!((lines.len(), lines.skipped.len()), (2, 1));
    assert!(lines.skipped.first().unwrap().starts_with("line 2: "));
    assert_eq!(actors_for(&[lines], &group()).len(), 1);
}

const NSG: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/web";

fn azure(changes: Value) -> Value {
    let mut record = json!({
        "caller": "ana@example.com",
        "operationName": {"value": "Microsoft.Network/networkSecurityGroups/write", "localizedValue": "Update"},
        "status": {"value": "Succeeded"},
        "resourceId": NSG.to_ascii_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"),
        "eventTimestamp": "2026-11-20T10:00:00.1234567Z",
        "eventDataId": "d-1",
        "claims": {"idtyp": "user"},
    });
    record
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    record
}

#[test]
fn azure_activities_are_matched_by_the_whole_id_in_any_case() {
    let group = resource("azurerm_network_security_group", &[NSG, "web"]);
    let actors = actors_for(&[log(&json!({"value": [azure(json!({}))]}))], &group);
    assert_eq!(
        actors.first().map(|a| (a.name.as_str(), a.kind)),
        Some(("ana@example.com", ActorKind::Human))
    );
    let exported = azure(
        json!({"operationName": "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WRITE", "status": null,
        "resultType": "Success", "eventTimestamp": null, "time": "2026-11-20T10:00:00Z", "claims": null, "caller": null,
        "identity": {"claims": {"idtyp": "app", "appid": "0000-1111"}}}),
    );
    let actors = actors_for(&[log(&json!({"records": [exported]}))], &group);
    assert_eq!(
        actors.first().map(|a| (a.name.as_str(), a.kind)),
        Some(("0000-1111", ActorKind::Automation))
    );
    for changes in [
        json!({"status": {"value": "Failed"}}),
        json!({"status": {"value": "Accepted"}}),
        json!({"operationName": {"value": "Microsoft.Storage/storageAccounts/listKeys/action"}}),
        json!({"operationName": {"value": "Microsoft.Network/networkSecurityGroups/read"}}),
        json!({"resourceId": format!("{NSG}2")}),
        json!({"resourceId": "web"}),
    ] {
        assert_eq!(
            actors_for(&[log(&json!([azure(changes.clone())]))], &group),
            [],
            "{changes}"
        );
    }
}

#[test]
fn kinds_of_azure_callers_are_told_apart() {
    let group = resource("azurerm_network_security_group", &[NSG]);
    for (claims, wanted) in [
        (json!({"idtyp": "app"}), ActorKind::Automation),
        (json!({"appidacr": "1"}), ActorKind::Automation),
        (
            json!({"appidacr": "1", "http://schemas.microsoft.com/identity/claims/scope": "user_impersonation"}),
            ActorKind::Unknown,
        ),
        (json!({}), ActorKind::Unknown),
        (
            json!({"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "ana@example.com"}),
            ActorKind::Human,
        ),
    ] {
        let record = azure(json!({"caller": "0000-2222", "claims": claims}));
        let actors = actors_for(&[log(&json!([record]))], &group);
        assert_eq!(actors.first().map(|a| a.kind), Some(wanted), "{claims}");
    }
}

fn gcp(changes: Value) -> Value {
    let mut payload = json!({
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": "compute.googleapis.com",
        "methodName": "v1.compute.firewalls.patch",
        "resourceName": "projects/p/global/firewalls/web",
        "authenticationInfo": {"principalEmail": "ana@example.com"},
        "status": {},
    });
    payload
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    json!({"protoPayload": payload, "insertId": "i-1", "timestamp": "2026-11-20T10:00:00Z",
           "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity"})
}

#[test]
fn google_calls_are_matched_by_the_path_of_the_self_link() {
    let firewall = resource(
        "google_compute_firewall",
        &[
            "https://www.googleapis.com/compute/v1/projects/p/global/firewalls/web",
            "web",
        ],
    );
    let actors = actors_for(&[log(&json!({"entries": [gcp(json!({}))]}))], &firewall);
    assert_eq!(
        actors.first().map(|a| (a.name.as_str(), a.kind)),
        Some(("ana@example.com", ActorKind::Human))
    );
    let bucket = resource("google_storage_bucket", &["data"]);
    let update = gcp(
        json!({"serviceName": "storage.googleapis.com", "methodName": "storage.buckets.update",
                            "resourceName": "projects/_/buckets/data"}),
    );
    assert_eq!(actors_for(&[log(&json!([update]))], &bucket).len(), 1);
    for changes in [
        json!({"status": {"code": 7}}),
        json!({"methodName": "v1.compute.firewalls.get"}),
        json!({"methodName": "v1.compute.firewalls.setIamPolicy"}),
        json!({"resourceName": "projects/p/global/firewalls/web2"}),
        json!({"resourceName": "projects/q/global/firewalls/web"}),
        json!({"resourceName": "web"}),
        json!({"serviceName": "other.googleapis.com"}),
        json!({"authenticationInfo": {}}),
    ] {
        assert_eq!(
            actors_for(&[log(&json!([gcp(changes.clone())]))], &firewall),
            [],
            "{changes}"
        );
    }
    let mut started = gcp(json!({}));
    started["operation"] = json!({"id": "o", "first": true});
    assert_eq!(actors_for(&[log(&json!([started]))], &firewall), []);
}

#[test]
fn behind_a_service_account_may_be_a_person() {
    let firewall = resource("google_compute_firewall", &["projects/p/global/firewalls/web"]);
    let robot = "deploy@p.iam.gserviceaccount.com";
    for (authentication, name, wanted) in [
        (json!({"principalEmail": robot}), robot, ActorKind::Automation),
        (
            json!({"principalEmail": robot, "serviceAccountDelegationInfo":
                [{"firstPartyPrincipal": {"principalEmail": "ana@example.com"}}]}),
            "ana@example.com",
            ActorKind::Human,
        ),
        (
            json!({"principalSubject": "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/g/subject/x"}),
            "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/g/subject/x",
            ActorKind::Automation,
        ),
        (json!({"principalSubject": "odd"}), "odd", ActorKind::Unknown),
        (
            json!({"principalEmail": "x@evilgserviceaccount.com"}),
            "x@evilgserviceaccount.com",
            ActorKind::Human,
        ),
    ] {
        let record = gcp(json!({"authenticationInfo": authentication}));
        let actors = actors_for(&[log(&json!([record]))], &firewall);
        assert_eq!(
            actors.first().map(|a| (a.name.as_str(), a.kind)),
            Some((name, wanted)),
            "{authentication}"
        );
    }
}

#[test]
fn a_state_ties_addresses_to_ids_and_keeps_nothing_else() {
    let state = json!({"version": 4, "terraform_version": "1.9.0", "serial": 1, "outputs": {"p": {"value": "hunter2"}},
        "resources": [
            {"mode": "data", "type": "aws_ami", "name": "x", "instances": [{"attributes": {"id": "ami-1"}}]},
            {"module": "module.db", "mode": "managed", "type": "aws_db_instance", "name": "ledger",
             "instances": [{"index_key": 0, "attributes": {"arn": "arn:aws:rds:eu:1:db:ledger", "identifier": "ledger", "password": "hunter3"}},
                           {"index_key": 0, "deposed": "0a", "attributes": {"identifier": "old"}},
                           {"index_key": "a\"b", "attributes": {"identifier": "second"}}]}]});
    let state = read_state("terraform.tfstate", state.to_string().as_bytes()).unwrap();
    let found = state.at("module.db.aws_db_instance.ledger[0]").unwrap();
    assert_eq!(found.ids, ["arn:aws:rds:eu:1:db:ledger", "ledger"]);
    assert_eq!(
        state.addresses_of("second").collect::<Vec<_>>(),
        [r#"module.db.aws_db_instance.ledger["a\"b"]"#]
    );
    assert_eq!(state.resources.len(), 2);
    assert!(!format!("{state:?}").contains("hunter"));
}

#[test]
fn other_states_are_refused() {
    let message = |text: &str| read_state("s", text.as_bytes()).unwrap_err().message;
    assert!(message("{\"version\":3}").contains("version 3"));
    assert!(message("{}").contains("no `version`"));
    assert!(message("{\"encrypted_data\":\"x\"}").contains("encrypted"));
    assert!(message("{\"version\":4,\"resources\":[{").contains("a Terraform state"));
    assert!(message("{\"version\":4,\"version\":4}").contains("duplicate field"));
    assert!(message("{\"version\":1e400}").contains("out of range"));
}

#[test]
fn bad_logs_are_refused() {
    let message = |bytes: &[u8]| read_audit_log("log.json", bytes, &[]).unwrap_err().message;
    assert!(message(b"{\"a\":1}").contains("known format"));
    assert!(message(b"[{\"a\":1}]").contains("known format"));
    assert!(message(b"{\"Records\":[{\"eventID\":").contains("expected"));
    assert!(message(b"{\"Records\":[{\"eventID\":\"a\",\"eventID\":\"b\"}]}").contains("duplicate field"));
    assert!(message(b"{\"Records\":[{\"eventID\":\xff").contains("UTF-8"));
    assert!(message(&[0x1F, 0x8B, 8]).contains("gzip"));
    let deep = format!(
        "{{\"Records\":[{{\"requestParameters\":{}{}}}]}}",
        "[".repeat(500),
        "]".repeat(500)
    );
    assert!(message(deep.as_bytes()).contains("nested deeper"));
    assert!(read_audit_log("log.json", b"[]", &[]).unwrap().is_empty());
    assert!(read_audit_log("log.json", b"{\"Records\":[]}", &[]).unwrap().is_empty());
}

#[test]
fn a_machine_never_hides_a_person_and_an_unknown_actor_prevents_a_no() {
    let by = |kinds: &[ActorKind]| {
        let actor = |kind: &ActorKind| Actor {
            name: "x".to_owned(),
            kind: *kind,
            at: Timestamp::UNIX_EPOCH,
            what: String::new(),
            event_id: String::new(),
        };
        changed_by_human(&kinds.iter().map(actor).collect::<Vec<_>>())
    };
    assert_eq!(by(&[]), None);
    assert_eq!(by(&[ActorKind::Automation]), Some(false));
    assert_eq!(by(&[ActorKind::Automation, ActorKind::Unknown]), None);
    assert_eq!(
        by(&[ActorKind::Automation, ActorKind::Unknown, ActorKind::Human]),
        Some(true)
    );
}

#[test]
fn a_log_says_which_time_it_covers() {
    let log = records(&[json!({}), json!({"eventTime": "2026-11-21T10:00:00Z"})]);
    let (from, until) = log.span().unwrap();
    assert_eq!(
        (from.to_string(), until.to_string()),
        ("2026-11-20T10:00:00Z".to_owned(), "2026-11-21T10:00:00Z".to_owned())
    );
}
