use holdpoint_schemas::finding::FindingClass;

use super::world::World;

const GROUP: &str = "resource \"aws_security_group\" \"edge\" {\n  name = \"edge\"\n}\n";

/// A plan whose drift shows who may come in, as the code says and as it is live.
fn plan(code: &str, live: &str) -> String {
    let values = |cidr: &str| {
        format!(
            "{{\"id\":\"sg-1\",\"arn\":\"arn:aws:ec2:eu-west-1:1:security-group/sg-1\",\"ingress\":[{{\"from_port\":22,\"to_port\":22,\"protocol\":\"tcp\",\"cidr_blocks\":[\"{cidr}\"]}}]}}"
        )
    };
    format!(
        "{{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.0\",\"resource_changes\":[],\"resource_drift\":[{{\"address\":\"aws_security_group.edge\",\"mode\":\"managed\",\"type\":\"aws_security_group\",\"name\":\"edge\",\"change\":{{\"actions\":[\"update\"],\"before\":{},\"after\":{},\"after_unknown\":{{}}}}}}]}}",
        values(code),
        values(live)
    )
}

fn drifted(code: &str, live: &str) -> World {
    let mut world = World::new()
        .repo("network.tf", GROUP)
        .estate("reports/plan.json", &plan(code, live));
    world.finding.finding.class = FindingClass::Drift;
    world.finding.finding.scanner = "terraform".to_owned();
    world.finding.finding.iac_address = Some("aws_security_group.edge".to_owned());
    world
}

fn trail(identity: &str, error: &str) -> String {
    format!(
        "{{\"Records\":[{{\"eventVersion\":\"1.08\",\"userIdentity\":{identity},\"eventTime\":\"2026-03-16T23:10:00Z\",\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"RevokeSecurityGroupIngress\",\"awsRegion\":\"eu-west-1\"{error},\"requestParameters\":{{\"groupId\":\"sg-1\"}},\"eventID\":\"e-1\",\"readOnly\":false,\"eventType\":\"AwsApiCall\",\"recipientAccountId\":\"1\"}}]}}"
    )
}

const ANA: &str = "{\"type\":\"IAMUser\",\"userName\":\"ana\",\"arn\":\"arn:aws:iam::1:user/ana\",\"accountId\":\"1\"}";

fn with_log(world: World, log: &str) -> World {
    world.estate("audit/trail.json", log).config("audit_logs", "[audit]")
}

#[test]
fn the_audit_log_says_that_a_person_made_the_live_change() {
    let by_ana = with_log(drifted("0.0.0.0/0", "10.0.0.0/8"), &trail(ANA, ""));
    assert_eq!(by_ana.asks("change.drift_by_human"), Ok(true.into()));
    assert_eq!(by_ana.asks("change.drift_explained"), Ok(true.into()));
    let note = by_ana.note("change.drift_by_human");
    assert!(
        note.contains("ana") && note.contains("write the live values into the code"),
        "{note}"
    );
}

#[test]
fn without_a_known_actor_drift_is_unexplained() {
    for world in [
        drifted("0.0.0.0/0", "10.0.0.0/8"),
        with_log(drifted("0.0.0.0/0", "10.0.0.0/8"), "{\"Records\":[]}"),
        with_log(
            drifted("0.0.0.0/0", "10.0.0.0/8"),
            &trail(ANA, ",\"errorCode\":\"AccessDenied\""),
        ),
        with_log(drifted("0.0.0.0/0", "10.0.0.0/8"), "{\"Records\":"),
    ] {
        assert!(world.asks("change.drift_by_human").is_err());
        assert!(world.asks("change.drift_explained").is_err());
    }
}

#[test]
fn what_is_not_drift_undoes_nobodys_live_change() {
    let world = World::new();
    assert_eq!(world.asks("change.drift_by_human"), Ok(false.into()));
    assert_eq!(world.asks("change.drift_explained"), Ok(true.into()));
    assert_eq!(world.asks("change.undoes_hardening"), Ok(false.into()));
}

#[test]
fn closing_a_port_by_hand_is_hardening_and_opening_one_is_not() {
    const ID: &str = "change.undoes_hardening";
    assert_eq!(drifted("0.0.0.0/0", "10.0.0.0/8").asks(ID), Ok(true.into()));
    assert_eq!(drifted("10.0.0.0/8", "0.0.0.0/0").asks(ID), Ok(false.into()));
    let mut other = drifted("0.0.0.0/0", "10.0.0.0/8");
    other.finding.finding.iac_address = Some("aws_security_group.other".to_owned());
    assert!(other.asks(ID).unwrap_err().contains("no plan"));
}

fn change(actions: &str) -> String {
    format!(
        "{{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.0\",\"resource_changes\":[{{\"address\":\"aws_security_group.edge\",\"mode\":\"managed\",\"type\":\"aws_security_group\",\"name\":\"edge\",\"change\":{{\"actions\":[{actions}],\"before\":{{\"name\":\"edge\"}},\"after\":{{\"name\":\"outer\"}},\"after_unknown\":{{}}}}}}]}}"
    )
}

#[test]
fn a_plan_says_what_is_destroyed_and_none_leaves_it_open() {
    const ID: &str = "change.destroys_resources";
    let renamed = || {
        World::new()
            .repo("network.tf", GROUP)
            .config("plan_authors", "[bot]")
            .fix("network.tf", 2, "  name = \"edge\"", "  name = \"outer\"")
    };
    assert!(renamed().asks(ID).unwrap_err().contains("no plan"));
    assert_eq!(renamed().plan(&change("\"update\"")).asks(ID), Ok(false.into()));
    assert_eq!(
        renamed().plan(&change("\"delete\",\"create\"")).asks(ID),
        Ok(true.into())
    );
    let other = change("\"update\"").replace("security_group.edge", "security_group.other");
    assert!(renamed().plan(&other).asks(ID).unwrap_err().contains("says nothing of"));
    assert!(renamed().plan("{").asks(ID).is_err());
    let stranger = renamed().config("plan_authors", "").plan(&change("\"update\""));
    assert!(
        stranger.asks(ID).unwrap_err().contains("isn't among"),
        "who writes the fix may not vouch for it"
    );
    let stranger = renamed()
        .config("plan_authors", "")
        .plan(&change("\"delete\",\"create\""));
    assert_eq!(
        stranger.asks(ID),
        Ok(true.into()),
        "what it destroys is believed of anyone"
    );
    assert_eq!(
        World::new()
            .fix("config/app.yaml", 1, "debug: true", "debug: false")
            .asks(ID),
        Ok(false.into())
    );
    let removed = "--- a/network.tf\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-resource \"aws_security_group\" \"edge\" {\n-  name = \"edge\"\n-}\n";
    let gone = World::new()
        .repo("network.tf", GROUP)
        .patch(removed)
        .plan(&change("\"update\""));
    assert_eq!(gone.asks(ID), Ok(true.into()), "whatever the plan says");
}
