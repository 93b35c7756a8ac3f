use holdpoint_schemas::finding::{Component, FindingClass};

use super::world::World;

/// A finding about PyYAML, of which the advisory names the vulnerable function.
fn vulnerable(code: &str) -> World {
    let mut world = World::new()
        .repo("requirements.txt", "pyyaml==5.1\n")
        .repo("shop/load.py", code);
    let finding = &mut world.finding.finding;
    finding.class = FindingClass::Dependency;
    finding.rule = "GHSA-6757-jp84-gxfx".to_owned();
    finding.aliases = vec!["CVE-2020-1747".to_owned()];
    finding.component = Some(Component {
        purl: Some("pkg:pypi/pyyaml@5.1".to_owned()),
        name: "pyyaml".to_owned(),
        version: Some("5.1".to_owned()),
    });
    finding.details.symbols = vec!["yaml.full_load".to_owned()];
    finding.details.cvss_vectors = vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()];
    world
}

#[test]
fn a_vulnerable_function_is_reached_not_reached_or_hidden() {
    const ID: &str = "finding.reachable";
    let reached = vulnerable("import yaml\n\n\ndef read(text):\n    return yaml.full_load(text)\n");
    assert_eq!(reached.asks(ID), Ok(true.into()));
    assert!(reached.note(ID).contains("shop/load.py:5"), "{}", reached.note(ID));
    assert_eq!(
        vulnerable("import yaml\n\nX = yaml.safe_load('a: 1')\n").asks(ID),
        Ok(false.into())
    );
    assert!(
        vulnerable("import yaml\n\n\ndef read(name, text):\n    return getattr(yaml, name)(text)\n")
            .asks(ID)
            .is_err()
    );
}

#[test]
fn what_was_seen_at_run_time_is_reached_and_what_was_not_stays_open() {
    const ID: &str = "finding.reachable";
    let hidden = "import yaml\n\n\ndef read(name, text):\n    return getattr(yaml, name)(text)\n";
    let seen = |functions: &str| {
        vulnerable(hidden)
            .estate(
                "observed/shop.json",
                &format!("{{\"observed_at\":\"2026-03-16T00:00:00Z\",\"service\":\"shop\",\"window_seconds\":3600,\"packages\":[\"pkg:pypi/pyyaml@5.1\"],\"functions\":[{functions}]}}"),
            )
            .config("observations", "[observed]")
    };
    assert_eq!(seen("\"yaml.full_load\"").asks(ID), Ok(true.into()));
    assert!(seen("").asks(ID).is_err());
}

#[test]
fn scores_and_catalogues_are_read_and_stale_ones_are_unknown() {
    let world = |day: &str| {
        vulnerable("")
            .estate(
                "epss.csv",
                &format!("#model_version:v2025.03.14,score_date:{day}T00:00:00+0000\ncve,epss,percentile\nCVE-2020-1747,0.04567,0.9\n"),
            )
            .estate(
                "kev.json",
                &format!("{{\"dateReleased\":\"{day}T10:00:00.0000Z\",\"vulnerabilities\":[{{\"cveID\":\"CVE-2020-1747\",\"dateAdded\":\"2022-01-01\",\"dueDate\":\"2022-02-01\"}}]}}"),
            )
            .config("epss", "epss.csv")
            .config("kev", "kev.json")
    };
    assert_eq!(world("2026-03-16").asks("finding.cvss_tenths"), Ok(98.into()));
    assert_eq!(world("2026-03-16").asks("finding.epss_bp"), Ok(457.into()));
    assert_eq!(world("2026-03-16").asks("finding.known_exploited"), Ok(true.into()));
    assert!(
        world("2026-02-01")
            .asks("finding.epss_bp")
            .unwrap_err()
            .contains("older than")
    );
    assert!(
        world("2026-02-01")
            .asks("finding.known_exploited")
            .unwrap_err()
            .contains("older than")
    );
    assert!(
        vulnerable("")
            .asks("finding.epss_bp")
            .unwrap_err()
            .contains("names no EPSS file")
    );
}

fn vex(status: &str, at: &str) -> String {
    format!(
        "{{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"@id\":\"x\",\"author\":\"Security\",\"timestamp\":\"{at}\",\"version\":1,\"statements\":[{{\"vulnerability\":{{\"name\":\"CVE-2020-1747\"}},\"products\":[{{\"@id\":\"pkg:pypi/pyyaml@5.1\"}}],\"status\":\"{status}\",\"justification\":\"vulnerable_code_not_in_execute_path\"}}]}}"
    )
}

#[test]
fn a_vex_statement_counts_from_when_it_was_made() {
    const ID: &str = "finding.vex_status";
    let world = |at: &str| {
        vulnerable("")
            .estate("vex/one.json", &vex("not_affected", at))
            .config("vex", "[vex]")
    };
    assert_eq!(world("2026-03-01T00:00:00Z").asks(ID), Ok("not_affected".into()));
    assert!(
        world("2026-03-01T00:00:00Z")
            .note(ID)
            .contains("vulnerable_code_not_in_execute_path")
    );
    assert_eq!(world("2026-04-01T00:00:00Z").asks(ID), Ok("none".into()));
    assert_eq!(vulnerable("").asks(ID), Ok("none".into()));
    let broken = vulnerable("").estate("vex/one.json", "{").config("vex", "[vex]");
    assert!(broken.asks(ID).unwrap_err().contains("can't be read"));
}
