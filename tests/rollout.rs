//! Staged rollout as users meet it: what is undone lowers a lane in the same run, people steer with signed orders, and
//! a night does no more than it may.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::small::{AT, ROSA, Service, Small, bodies, lane, with_outcome};
use crate::support::{finding_id, git, holdpoint, refused, stderr, stdout};

const NEXT_NIGHT: &str = "2026-03-18T02:30:00Z";
const FREE: &str = "lanes:\n  - {name: all, stage: auto-apply}\n";
const CAREFUL: &str = "lanes:\n  - {name: all, stage: suggest}\n";

const TWO: [Service; 2] = [Service::internal("one"), Service::internal("two")];

/// What merged in the first night, with the second service's fix not there yet.
fn one_merged() -> (Small, String) {
    let small = Small::new(&TWO, FREE);
    let later = small.path("later");
    std::fs::rename(small.path("estate/fixes/bot/two-0000"), &later).unwrap();
    let report = small.report_at(AT);
    let merged = with_outcome(&report, "merged");
    assert_eq!(merged.len(), 1, "{:#}", report["items"]);
    let commit = merged[0]["outcome"]["commit"].as_str().unwrap().to_owned();
    assert_eq!(small.head("one"), commit);
    std::fs::rename(later, small.path("estate/fixes/bot/two-0000")).unwrap();
    (small, commit)
}

#[test]
fn one_revert_lowers_the_lane_in_the_same_run() {
    let (small, commit) = one_merged();
    let revert = small.in_clone("one", |clone| {
        git(clone, &["revert", "--no-edit", &commit]);
    });
    let before = small.head("two");
    let report = small.report_at(NEXT_NIGHT);
    // The other fix could have merged, had nobody taken the first one back.
    assert_eq!(with_outcome(&report, "merged").len(), 0, "{:#}", report["items"]);
    assert_eq!(with_outcome(&report, "pull-request").len(), 1, "{:#}", report["items"]);
    assert_eq!(small.head("two"), before);
    let change = &report["rollout"]["changes"]["stages"][0];
    assert_eq!(
        (&change["from"], &change["to"]),
        (&"auto-apply".into(), &"suggest".into())
    );
    let outcome = &report["rollout"]["outcomes"][0];
    assert_eq!(
        (&outcome["kind"], &outcome["reference"]),
        (&"reverted".into(), &revert.as_str().into())
    );
    let status = small.json_at(NEXT_NIGHT, &["rollout", "status"]);
    assert_eq!(lane(&status, "all")["stage"], "suggest");
    assert_eq!(lane(&status, "all")["demotions"], 1);
    let human = stdout(&small.run_at(NEXT_NIGHT, &["rollout", "status", "--lane", "all"]));
    assert!(human.contains("all: suggest (at most auto-apply)"), "{human}");
    assert!(human.contains("was reverted"), "{human}");
    // It is found once.
    small.report_at("2026-03-19T02:30:00Z");
    assert_eq!(small.entries("stage-change").len(), 1);
    let kinds: Vec<Value> = small
        .entries("outcome")
        .iter()
        .map(|outcome| outcome["kind"].clone())
        .collect();
    assert_eq!(kinds, ["merged", "reverted"]);
    assert_eq!(small.run_at(NEXT_NIGHT, &["ledger", "verify"]).status.code(), Some(0));
}

#[test]
fn an_incident_that_a_person_records_lowers_the_lane_at_once() {
    let (small, commit) = one_merged();
    let record = |reference: &str| {
        let url = format!("https://incidents.example/{reference}");
        small.run_at(
            AT,
            &[
                "outcome",
                "record",
                &commit[..12],
                "--kind",
                "incident",
                "--reason",
                "checkout failed",
                "--reference",
                &url,
                "--by",
                "ines@x.example",
            ],
        )
    };
    let told = record("INC-7");
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    assert!(
        stdout(&told).contains("is lowered from auto-apply to suggest"),
        "{}",
        stdout(&told)
    );
    refused(&record("INC-7"), &["is on record of fix"]);
    let report = small.report_at(NEXT_NIGHT);
    assert_eq!(with_outcome(&report, "merged").len(), 0, "{:#}", report["items"]);
    let outcome = &small.entries("outcome")[1];
    assert_eq!(
        (&outcome["by"], &outcome["lane"]),
        (&"ines@x.example".into(), &"all".into())
    );
}

#[test]
fn an_outcome_of_nothing_on_record_is_refused() {
    let (small, _) = one_merged();
    let record = |fix: &str, kind: &str| {
        small.run_at(
            AT,
            &[
                "outcome",
                "record",
                fix,
                "--kind",
                kind,
                "--reason",
                "why",
                "--by",
                "ines@x.example",
            ],
        )
    };
    refused(
        &record("ffffffffffff", "incident"),
        &["no fix and no merge `ffffffffffff` is on record"],
    );
    refused(&record("f", "incident"), &["too short"]);
    // Only the ledger says what merged.
    assert_eq!(record("ffffffffffff", "merged").status.code(), Some(2));
}

#[test]
fn a_halted_estate_merges_nothing_and_says_so() {
    let small = Small::new(&[Service::internal("one")], FREE);
    let halted = small.order_at(AT, &["halt"]);
    assert_eq!(halted.status.code(), Some(0), "{}", stderr(&halted));
    let before = small.head("one");
    let report = small.report_at(AT);
    let item = &report["items"][0];
    assert_eq!(
        (&item["decision"]["level"], &item["outcome"]["outcome"]),
        (&"alert".into(), &"alerted".into())
    );
    let reason = item["reason"].as_str().unwrap();
    assert!(
        reason.contains("halted by rosa@x.example") && reason.contains("as agreed"),
        "{reason}"
    );
    assert_eq!(small.head("one"), before);
    let status = small.run_at(AT, &["rollout", "status"]);
    assert_eq!(status.status.code(), Some(10));
    assert!(
        stdout(&status).contains("HALTED: everything, by rosa@x.example"),
        "{}",
        stdout(&status)
    );

    assert_eq!(small.order_at(AT, &["resume"]).status.code(), Some(0));
    assert_eq!(with_outcome(&small.report_at(NEXT_NIGHT), "merged").len(), 1);
    refused(&small.order_at(NEXT_NIGHT, &["resume"]), &["the estate isn't halted"]);
}

#[test]
fn a_halt_of_one_remediator_leaves_the_others_alone() {
    let small = Small::new(&TWO, FREE);
    let other = small.path("estate/fixes/other");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::rename(small.path("estate/fixes/bot/two-0000"), other.join("two-0000")).unwrap();
    assert_eq!(
        small.order_at(AT, &["halt", "--remediator", "bot"]).status.code(),
        Some(0)
    );
    refused(
        &small.order_at(AT, &["halt", "--remediator", "bto"]),
        &["`bto`", "bot, other"],
    );
    let report = small.report_at(AT);
    let merged = with_outcome(&report, "merged");
    assert_eq!(merged.len(), 1, "{:#}", report["items"]);
    assert_eq!(merged[0]["finding"]["repo"], "two");
}

#[test]
fn a_lane_is_advanced_by_a_named_approver_and_never_past_its_ceiling() {
    let small = Small::new(
        &[Service::internal("one")],
        "lanes:\n  - {name: all, stage: alert, ceiling: suggest}\n",
    );
    let level = |at: &str| small.report_at(at)["items"][0]["decision"]["level"].clone();
    assert_eq!(level(AT), "alert");
    let advanced = small.order_at(AT, &["advance", "all"]);
    assert_eq!(advanced.status.code(), Some(0), "{}", stderr(&advanced));
    assert!(
        stdout(&advanced).contains("goes as far as suggest now"),
        "{}",
        stdout(&advanced)
    );
    assert_eq!(level(NEXT_NIGHT), "suggest");
    refused(
        &small.order_at(NEXT_NIGHT, &["advance", "all"]),
        &["never goes above suggest"],
    );
    refused(
        &small.order_at(NEXT_NIGHT, &["advance", "none"]),
        &["no lane `none`", "its lanes are: all"],
    );
}

#[test]
fn a_rollout_file_that_would_raise_a_lane_past_its_ceiling_is_refused() {
    let small = Small::new(
        &[Service::internal("one")],
        "lanes:\n  - {name: all, stage: auto-apply, ceiling: suggest}\n",
    );
    for command in [&["run"][..], &["rollout", "status"], &["decide"]] {
        refused(&small.run_at(AT, command), &["rollout.yaml", "ceiling"]);
    }
}

#[test]
fn an_order_of_a_stranger_or_for_another_purpose_is_refused() {
    let small = Small::new(
        &[Service::internal("one")],
        "lanes:\n  - {name: all, stage: alert, ceiling: suggest}\n",
    );
    let stranger = small.key("stranger");
    let advance = |key: &str, by: &str| {
        small.run_at(
            AT,
            &["rollout", "advance", "all", "--reason", "now", "--key", key, "--by", by],
        )
    };
    refused(
        &advance(stranger.to_str().unwrap(), ROSA),
        &["the signature doesn't count"],
    );
    let rosa = small.path("keys/rosa");
    refused(
        &advance(rosa.to_str().unwrap(), "ines@x.example"),
        &["is not in the approvers file"],
    );
    // A key that is for approvals only.
    let approvers = std::fs::read_to_string(small.path("estate/approvers")).unwrap();
    small.write("estate/approvers", &approvers.replace(",holdpoint-rollout", ""));
    refused(
        &advance(rosa.to_str().unwrap(), ROSA),
        &["may not approve", "holdpoint-approval"],
    );
    assert_eq!(small.entries("stage-change").len(), 0);
}

/// Writes an entry past the program, as whoever can write the file could; the log itself is in order.
fn forge(small: &Small, kind: &str, body: &Value) {
    let mut ledger = holdpoint_ledger::Ledger::open(&small.path("estate/state/ledger.sqlite")).unwrap();
    ledger.append(kind, AT.parse().unwrap(), body).unwrap();
}

#[test]
fn a_stage_change_that_nobody_signed_for_this_ledger_raises_nothing() {
    let rollout = "lanes:\n  - {name: all, stage: alert, ceiling: auto-apply}\n";
    let small = Small::new(&[Service::internal("one")], rollout);
    small.report_at(AT);
    assert_eq!(small.order_at(AT, &["advance", "all"]).status.code(), Some(0));
    let signed = small.entries("stage-change")[0].clone();
    let stage = |at: &str| lane(&small.json_at(at, &["rollout", "status"]), "all")["stage"].clone();
    assert_eq!(stage(AT), "suggest");

    let mut unsigned = signed.clone();
    unsigned.as_object_mut().unwrap().remove("signature");
    unsigned["statement"]["record"]["stage"]["to"] = "auto-apply".into();
    let mut altered = signed.clone();
    altered["statement"]["record"]["stage"]["to"] = "auto-apply".into();
    let mut earned = unsigned.clone();
    earned["statement"]["record"]["stage"]["cause"] = "promoted".into();
    earned["statement"]["record"]["stage"]["by"] = "holdpoint".into();
    earned["statement"]["record"]["stage"]["from"] = "suggest".into();
    for (body, why) in [
        (&unsigned, "nobody signed it"),
        (&altered, "does not fit"),
        (&signed, "it was used before"),
        (&earned, "doesn't earn it"),
    ] {
        forge(&small, "stage-change", body);
        assert_eq!(stage(AT), "suggest", "{why}");
        let human = stdout(&small.run_at(AT, &["rollout", "status"]));
        let words = human.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains(why),
            "{why}: {human}{:#?}",
            small.entries("stage-change")
        );
    }
    // Of another estate with the same people.
    let other = Small::new(&[Service::internal("two")], rollout);
    other.write(
        "estate/approvers",
        &std::fs::read_to_string(small.path("estate/approvers")).unwrap(),
    );
    other.report_at(AT);
    forge(&other, "stage-change", &signed);
    let status = other.json_at(AT, &["rollout", "status"]);
    assert_eq!(lane(&status, "all")["stage"], "alert");
    assert!(
        status["not_counted"][0].as_str().unwrap().contains("another ledger"),
        "{status:#}"
    );
    // What lowers counts whoever wrote it.
    let mut lower = unsigned.clone();
    lower["statement"]["record"]["stage"]["to"] = "alert".into();
    forge(&small, "stage-change", &lower);
    assert_eq!(stage(AT), "alert");
}

#[test]
fn a_hold_ends_by_itself_or_by_a_person() {
    let small = Small::new(&[Service::internal("one")], CAREFUL);
    let held = |at: &str| !lane(&small.json_at(at, &["rollout", "status"]), "all")["held"].is_null();
    assert_eq!(
        small
            .order_at(AT, &["hold", "all", "--until", "2026-03-18"])
            .status
            .code(),
        Some(0)
    );
    assert!(held("2026-03-18T20:00:00Z"));
    assert!(!held("2026-03-19T20:00:00Z"));
    refused(
        &small.order_at(NEXT_NIGHT, &["hold", "all", "--until", "2026-03-17"]),
        &["over at once"],
    );
    assert_eq!(small.order_at(NEXT_NIGHT, &["hold", "all"]).status.code(), Some(0));
    assert!(held("2027-03-19T20:00:00Z"));
    assert_eq!(
        small.order_at(NEXT_NIGHT, &["resume", "--lane", "all"]).status.code(),
        Some(0)
    );
    assert!(!held(NEXT_NIGHT));
    refused(
        &small.order_at(NEXT_NIGHT, &["resume", "--lane", "all"]),
        &["nobody holds lane `all`"],
    );
}

#[test]
fn a_budget_is_kept_over_the_runs_of_a_night_and_the_worst_comes_first() {
    let mut services = [
        Service::internal("aaa"),
        Service::internal("bbb"),
        Service::internal("payments"),
    ];
    services[2].tier = 1;
    services[2].severity = "ERROR";
    let small = Small::new(
        &services,
        "budget: {per_night: 1, suggestions: 1, per_tier_zero: 9}\nlanes:\n  - {name: all, stage: auto-apply}\n",
    );
    let outcomes = |report: &Value, outcome: &str| -> Vec<String> {
        let items = with_outcome(report, outcome);
        items
            .iter()
            .map(|item| item["finding"]["repo"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = small.report_at(AT);
    assert_eq!(outcomes(&first, "merged"), ["payments"], "{:#}", first["items"]);
    assert_eq!(outcomes(&first, "pull-request").len(), 1);
    let held = with_outcome(&first, "alerted");
    assert_eq!(held.len(), 1);
    assert!(
        held[0]["reason"].as_str().unwrap().contains("budget"),
        "{}",
        held[0]["reason"]
    );
    // The same night again: nothing more.
    let again = small.report_at("2026-03-17T04:30:00Z");
    assert_eq!(outcomes(&again, "merged").len(), 0, "{:#}", again["items"]);
    let status = small.json_at("2026-03-17T04:30:00Z", &["rollout", "status"]);
    assert_eq!(
        (&status["tonight"]["merges"], &status["tonight"]["merges_of"]),
        (&1.into(), &1.into())
    );
    // The next one goes on.
    assert_eq!(outcomes(&small.report_at(NEXT_NIGHT), "merged").len(), 1);
}

#[test]
fn what_a_person_promotes_takes_its_room_in_the_night() {
    let budget = "budget: {per_night: 1, suggestions: 9, per_tier_zero: 9}\n";
    let small = Small::new(&TWO, &format!("{budget}{CAREFUL}"));
    let first = small.report_at(AT);
    let proposed = with_outcome(&first, "pull-request");
    assert_eq!(proposed.len(), 2);
    let id = finding_id(proposed[0]);
    let key = small.path("keys/rosa");
    let signed = ["approve", &id, "--key", key.to_str().unwrap(), "--by", ROSA];
    let approved = small.run_at(AT, &signed);
    assert_eq!(approved.status.code(), Some(0), "{}", stderr(&approved));
    let promoted = small.run_at(AT, &["promote", &id]);
    assert_eq!(promoted.status.code(), Some(0), "{}", stderr(&promoted));
    // Automation could merge the other one by now, but for the budget of the night.
    small.write("estate/rollout.yaml", &format!("{budget}{FREE}"));
    let report = small.report_at("2026-03-17T04:30:00Z");
    assert_eq!(with_outcome(&report, "merged").len(), 0, "{:#}", report["items"]);
    let status = small.json_at("2026-03-17T04:30:00Z", &["rollout", "status"]);
    assert_eq!(status["tonight"]["merges"], 1);
    assert_eq!(with_outcome(&small.report_at(NEXT_NIGHT), "merged").len(), 1);
}

#[test]
fn a_lane_in_shadow_mode_says_what_it_would_have_done() {
    let small = Small::new(
        &[Service::internal("one")],
        "lanes:\n  - {name: all, stage: auto-apply, shadow: true}\n",
    );
    let report = small.report_at(AT);
    let item = &report["items"][0];
    assert_eq!(item["outcome"]["outcome"], "pull-request");
    let bounds = item["decision"]["bounds"].as_array().unwrap();
    assert_eq!(bounds.len(), 1, "{bounds:#?}");
    assert_eq!(
        (&bounds[0]["kind"], &bounds[0]["withholds"]),
        (&"shadow".into(), &"auto-apply".into())
    );
}

#[test]
fn a_fix_that_fails_its_validation_is_an_outcome_once() {
    let small = Small::new(&[Service::internal("one")], FREE);
    small.write(
        "estate/fixes/bot/one-0000/change.patch",
        "--- a/value-0000.txt\n+++ b/value-0000.txt\n@@ -1 +1 @@\n-old 0\n+broken 0\n",
    );
    small.report_at(AT);
    small.report_at(NEXT_NIGHT);
    let kinds: Vec<Value> = small
        .entries("outcome")
        .iter()
        .map(|outcome| outcome["kind"].clone())
        .collect();
    assert_eq!(kinds, ["validation-failed"]);
}

/// What of a machine could show in what it decides: its name, time zone, language, folders, user mask and processors.
fn on_another_machine(command: &Command, folder: &Path) -> Command {
    let is_root = Command::new("unshare")
        .args(["--uts", "true"])
        .status()
        .is_ok_and(|status| status.success());
    let mut other = Command::new(if is_root { "unshare" } else { "env" });
    if is_root {
        other.args(["--uts", "--", "env"]);
    } else {
        eprintln!("the second machine has the name of the first: namespaces need root");
    }
    std::fs::create_dir_all(folder).unwrap();
    let name = if is_root { "hostname other.example;" } else { "" };
    let folder = folder.display();
    other.args([
        "-i",
        "TZ=Pacific/Kiritimati",
        "LC_ALL=tr_TR.UTF-8",
        "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/bin:/sbin",
    ]);
    other.args([format!("HOME={folder}"), format!("TMPDIR={folder}")]);
    other.args(["taskset", "-c", "0", "sh", "-c"]);
    other
        .arg(format!("{name} umask 077; cd {folder}; exec \"$@\""))
        .arg("sh");
    other.arg(command.get_program()).args(command.get_args());
    other
}

#[test]
fn the_same_inputs_are_decided_byte_for_byte_alike_on_two_machines() {
    let small = Small::new(&TWO, FREE);
    let decisions: Vec<Vec<String>> = ["first", "second"]
        .iter()
        .map(|machine| {
            let mut command = small.with_state(machine);
            command.args(["--at", AT, "--quiet", "run", "--dry-run"]);
            if *machine == "second" {
                command = on_another_machine(&command, &small.path("elsewhere"));
            }
            let output = command.output().unwrap();
            assert!(matches!(output.status.code(), Some(0 | 10)), "{}", stderr(&output));
            bodies(
                &small.path(&format!("estates/{machine}/state/ledger.sqlite")),
                "decision",
            )
        })
        .collect();
    assert_eq!(decisions[0].len(), 2);
    assert_eq!(decisions[0], decisions[1]);
}

/// `HOLDPOINT_STORM` says of how many findings: 1,000 take an unoptimised build a minute, 5,000 are for `ci/soak`.
#[test]
fn a_storm_of_findings_stays_in_its_budget_and_the_worst_come_first() {
    let findings = std::env::var("HOLDPOINT_STORM").map_or(1_000, |text| text.parse::<usize>().unwrap());
    const EACH: usize = 200;
    const INTERNAL: [&str; 24] = [
        "admin", "badges", "canteen", "desks", "events", "forms", "garage", "hiring", "intranet", "jobs", "keys",
        "lunch", "maps", "news", "offers", "polls", "quiz", "rooms", "shop", "travel", "uniforms", "visits", "wiki",
        "yoga",
    ];
    let mut services = vec![Service {
        name: "payments",
        tier: 0,
        severity: "ERROR",
        findings: EACH,
    }];
    services.extend(INTERNAL.iter().take(findings / EACH - 1).map(|name| Service {
        findings: EACH,
        severity: "INFO",
        ..Service::internal(name)
    }));
    assert_eq!(services.iter().map(|service| service.findings).sum::<usize>(), findings);
    let small = Small::new(
        &services,
        "budget: {per_night: 40, per_service: 25, suggestions: 60, per_tier_zero: 4}\nlanes:\n  - {name: all, stage: auto-apply}\n",
    );
    let started = Instant::now();
    let mut command = holdpoint();
    command.arg("--estate").arg(small.path("estate"));
    command.args(["--at", AT, "--quiet", "decide"]);
    let (output, peak) = measured(command);
    let took = started.elapsed();
    assert!(matches!(output.status.code(), Some(0 | 10)), "{}", stderr(&output));
    let decisions = small.entries("decision");
    assert_eq!(decisions.len(), findings);
    let of = |level: &str, repo: Option<&str>| {
        let is_it = |decision: &&Value| decision["level"] == level && repo.is_none_or(|repo| decision["repo"] == repo);
        decisions.iter().filter(is_it).count()
    };
    println!("storm: {findings} findings planned in {took:?}, with {peak} MB at most");
    assert_eq!(of("auto-apply", None), 40);
    assert_eq!(
        of("auto-apply", Some("payments")),
        25,
        "the critical ones first, as far as their service's budget goes"
    );
    assert_eq!((of("suggest", None), of("suggest", Some("payments"))), (60, 60));
    // An unoptimised build on a machine that does other things, too.
    assert!(took.as_secs() < 1_200, "{took:?}");
    assert!(peak < 2_000, "{peak} MB");
}

/// Runs a command to its end; the most memory that it took, in MB.
fn measured(mut command: Command) -> (Output, u64) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (done, watch) = mpsc::channel::<()>();
    let peak = thread::spawn(move || {
        let mut peak = 0;
        while watch.recv_timeout(Duration::from_millis(100)) == Err(mpsc::RecvTimeoutError::Timeout) {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            peak = peak.max(kib.unwrap_or(0_u64));
        }
        peak / 1024
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    (output, peak.join().unwrap())
}
