use super::*;
use holdpoint_schemas::estate::CredentialConfig;
use holdpoint_schemas::evidence::{Isolation, Side};
use std::collections::BTreeMap;

fn of(step: &str, config: &PrepareConfig) -> BTreeMap<String, String> {
    environment(step, config).into_iter().collect()
}

fn networked() -> PrepareConfig {
    PrepareConfig {
        hosts: vec!["registry.example".to_owned()],
        ..PrepareConfig::default()
    }
}

#[test]
fn only_a_prepare_with_hosts_is_not_told_to_stay_offline() {
    for (step, config, offline) in [
        ("prepare", PrepareConfig::default(), true),
        ("prepare", networked(), false),
        ("build", networked(), true),
        ("test", networked(), true),
    ] {
        let env = of(step, &config);
        for name in ["CARGO_NET_OFFLINE", "PIP_NO_INDEX", "npm_config_offline", "UV_OFFLINE"] {
            assert_eq!(env.contains_key(name), offline, "{step} {name}");
        }
    }
}

#[test]
fn packages_run_scripts_only_where_that_is_allowed() {
    let allowed = PrepareConfig {
        scripts: true,
        ..networked()
    };
    for (name, value) in NO_SCRIPTS {
        assert_eq!(of("prepare", &networked()).get(name).map(String::as_str), Some(value));
        assert_eq!(of("prepare", &allowed).get(name), None);
        assert_eq!(of("build", &networked()).get(name), None);
    }
}

#[test]
fn a_credentials_variable_is_not_named_inside() {
    let config = PrepareConfig {
        credentials: BTreeMap::from([(
            "registry.example".to_owned(),
            CredentialConfig {
                header: "Authorization".to_owned(),
                env: "HOLDPOINT_SECRET_TOKEN".to_owned(),
            },
        )]),
        ..networked()
    };
    let env = of("prepare", &config);
    assert_eq!(env["npm_config_replace_registry_host"], "always");
    assert!(
        env.iter()
            .all(|(name, value)| !name.contains("SECRET") && !value.contains("SECRET"))
    );
}

fn red(tail: &str) -> StepRun {
    StepRun {
        step: PREPARE.to_owned(),
        side: Side::Candidate,
        end: StepEnd::Exited { code: 1 },
        millis: 1,
        tail: tail.to_owned(),
    }
}

fn record(side: Side) -> SideRecord {
    SideRecord::new(side, "test".to_owned(), Isolation::Container)
}

#[test]
fn a_changed_lockfile_is_named_with_what_to_do() {
    let (before, mut after) = (record(Side::Baseline), record(Side::Candidate));
    assert_eq!(changed_lockfiles(PREPARE, &before, &after), None);
    after.prepared.changed_lockfiles = vec!["web/package-lock.json".to_owned()];
    let result = changed_lockfiles(PREPARE, &before, &after).unwrap();
    assert_eq!(result.verdict, Verdict::Inconclusive);
    assert!(
        result.reason.contains("`web/package-lock.json` on the candidate"),
        "{}",
        result.reason
    );
    assert!(result.reason.ends_with("use `npm ci`"), "{}", result.reason);
    assert_eq!(changed_lockfiles("test", &before, &after), None);
}

#[test]
fn a_red_prepare_says_what_was_refused_and_that_nobody_answers() {
    let mut side = record(Side::Candidate);
    side.prepared.refused = (0..9).map(|n| format!("`evil{n}.example`: not listed")).collect();
    side.prepared.retries = 2;
    let mut judged = result(Verdict::Inconclusive, "`prepare` fails");
    explain(&mut judged, &networked(), &side, &red("Continue? [y/N]"));
    for part in ["nobody is there to answer", "tried 2 times more", "`evil0.example`"] {
        assert!(judged.reason.contains(part), "{}", judged.reason);
    }
    assert_eq!(judged.details.len(), SHOWN_HOSTS);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
}

#[test]
fn a_package_without_an_archive_that_runs_no_code_gets_a_hint() {
    let hint = |scripts| {
        let config = PrepareConfig { scripts, ..networked() };
        let mut judged = result(Verdict::Inconclusive, "`prepare` fails");
        let run = red("ERROR: No matching distribution found for docopt==0.6.2");
        explain(&mut judged, &config, &record(Side::Candidate), &run);
        judged.reason.contains("`sandbox.prepare.scripts`")
    };
    assert!(hint(false));
    assert!(!hint(true));
}
