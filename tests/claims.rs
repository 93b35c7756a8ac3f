//! Claims that people make by hand, at three in the morning: `control` and `freeze`.

use serde_json::Value;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};

use crate::support::{AT, Estate, git, holdpoint, json, refused, repository, stderr, stdout};

const CONTROLS: &str = "controls.yaml";
const ADD: [&str; 9] = [
    "control",
    "add",
    "break-glass",
    "--repo",
    "infra",
    "--address",
    "aws_security_group.edge",
    "--reason",
    "INC-2291: blocked by hand",
];

/// A demo estate that is committed to a git repo, by someone who has no key.
fn committed() -> Estate {
    let estate = Estate::prepared();
    repository(&estate.estate());
    estate
}

/// The same, by someone who signs with an SSH key.
fn signed() -> Estate {
    let estate = committed();
    let key = estate.root().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let signers = estate.root().join("signers");
    std::fs::write(&signers, format!("ana@x.example {public}")).unwrap();
    let folder = estate.estate();
    for (name, value) in [
        ("gpg.format", "ssh"),
        ("user.signingkey", key.to_str().unwrap()),
        ("gpg.ssh.allowedSignersFile", signers.to_str().unwrap()),
    ] {
        git(&folder, &["config", name, value]);
    }
    estate
}

/// The file and the commit, so that a test can see that nothing moved.
fn before(estate: &Estate, file: &str) -> (Vec<u8>, String) {
    let head = git(&estate.estate(), &["rev-parse", "HEAD"]);
    (std::fs::read(estate.file(file)).unwrap(), head)
}

fn with<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    first.iter().chain(more).copied().collect()
}

#[test]
fn a_control_is_signed_and_committed_alone() {
    let estate = signed();
    let folder = estate.estate();
    let old = std::fs::read_to_string(estate.file(CONTROLS)).unwrap();
    estate.edit("calendar.yaml", |text| format!("{text}# staged\n"));
    git(&folder, &["add", "calendar.yaml"]);
    estate.edit("rollout.yaml", |text| format!("{text}# not staged\n"));
    let hook = folder.join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    Command::new("chmod").arg("+x").arg(&hook).status().unwrap();

    let made = json(&estate.run(&with(&["--format", "json"], &ADD)));
    let control = &made["control"];
    assert_eq!(control["id"], "BG-2026-03-17-1");
    assert_eq!(control["owner"], "ana@x.example");
    assert_eq!(control["since"], AT);
    assert_eq!(control["until"], "2026-03-24T02:30:00Z", "7 days unless said");
    let commit = made["commit"]["id"].as_str().unwrap();
    assert_eq!(made["commit"]["signed"], true);
    assert_eq!(git(&folder, &["rev-parse", "main"]), commit);
    git(&folder, &["verify-commit", commit]);
    assert_eq!(
        git(&folder, &["show", "--format=%an %ae %s", "--name-only", commit]),
        "Ana Lopez ana@x.example Hold aws_security_group.edge: INC-2291: blocked by hand\n\ncontrols.yaml"
    );
    assert_eq!(
        git(&folder, &["diff", "--cached", "--name-only"]),
        "calendar.yaml",
        "what was staged still is"
    );
    let new = std::fs::read_to_string(estate.file(CONTROLS)).unwrap();
    assert!(old.lines().all(|line| new.contains(line)), "nothing else moved: {new}");

    let listed = json(&estate.run(&["--format", "json", "control", "list"]));
    let ids: Vec<&Value> = listed["controls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert!(ids.contains(&&Value::from("BG-2026-03-17-1")), "{ids:?}");
    let shown = stdout(&estate.run(&["control", "list"]));
    assert!(shown.contains("aws_security_group.edge in infra"), "{shown}");
}

#[test]
fn without_a_key_nothing_is_written_unless_that_is_asked_for() {
    let estate = committed();
    let kept = before(&estate, CONTROLS);
    refused(&estate.run(&ADD), &["no key", "user.signingkey", "--unsigned"]);
    assert_eq!(before(&estate, CONTROLS), kept);
    let output = estate.run(&with(&ADD, &["--unsigned", "--for", "3d"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = stdout(&output);
    assert!(told.contains("not signed") && told.contains("in 3 days"), "{told}");
    assert!(told.contains("control expire BG-2026-03-17-1"), "{told}");
    assert_eq!(git(&estate.estate(), &["status", "--porcelain"]), "");
}

#[test]
fn a_key_that_can_not_sign_leaves_all_as_it_was() {
    let estate = signed();
    git(&estate.estate(), &["config", "user.signingkey", "/nonexistent/key"]);
    let kept = before(&estate, CONTROLS);
    refused(&estate.run(&ADD), &["as it was", "user.signingkey"]);
    assert_eq!(before(&estate, CONTROLS), kept);
    assert_eq!(git(&estate.estate(), &["status", "--porcelain"]), "");
}

#[test]
fn an_interrupt_at_the_passphrase_leaves_all_as_it_was() {
    let estate = signed();
    // What asks for the passphrase is interrupted, with all that share its terminal.
    let asks = estate.root().join("asks");
    std::fs::write(&asks, "#!/bin/sh\nkill -INT 0\n").unwrap();
    Command::new("chmod").arg("+x").arg(&asks).status().unwrap();
    git(&estate.estate(), &["config", "gpg.ssh.program", asks.to_str().unwrap()]);
    let kept = before(&estate, CONTROLS);
    let output = holdpoint()
        .arg("--estate")
        .arg(estate.estate())
        .args(["--at", AT])
        .args(ADD)
        .process_group(0)
        .output()
        .unwrap();
    refused(&output, &["as it was"]);
    assert_eq!(before(&estate, CONTROLS), kept);
    assert_eq!(git(&estate.estate(), &["status", "--porcelain"]), "");
    json(&estate.run(&with(&ADD, &["--unsigned", "--format", "json"])));
}

#[test]
fn an_estate_may_be_a_folder_of_a_larger_repo() {
    let estate = Estate::prepared();
    let root = estate.root();
    std::fs::write(root.join(".gitignore"), "/remotes\n/packages\n/keys\n").unwrap();
    estate.edit("holdpoint.yaml", |text| {
        text.replace("controls: controls.yaml", "controls: claims/[our] controls.yaml")
    });
    std::fs::create_dir(estate.file("claims")).unwrap();
    std::fs::rename(estate.file(CONTROLS), estate.file("claims/[our] controls.yaml")).unwrap();
    repository(root);
    json(&estate.run(&with(&ADD, &["--unsigned", "--format", "json"])));
    let files = git(root, &["show", "--format=", "--name-only"]);
    assert_eq!(files, "estate/claims/[our] controls.yaml");
    assert_eq!(git(root, &["status", "--porcelain"]), "");
}

#[test]
fn a_commit_on_no_branch_is_told() {
    let estate = committed();
    git(&estate.estate(), &["checkout", "--quiet", "--detach"]);
    let told = stdout(&estate.run(&with(&ADD, &["--unsigned"])));
    assert!(
        told.contains("on no branch") && told.contains("git switch -c"),
        "{told}"
    );
}

#[test]
fn a_claim_is_made_in_somebodys_name() {
    let estate = committed();
    git(&estate.estate(), &["config", "--unset", "user.email"]);
    let kept = before(&estate, CONTROLS);
    refused(&estate.run(&with(&ADD, &["--unsigned"])), &["--by", "user.email"]);
    refused(
        &estate.run(&with(&ADD, &["--unsigned", "--by", "ana"])),
        &["git doesn't know who you are"],
    );
    assert_eq!(before(&estate, CONTROLS), kept);
}

#[test]
fn outside_of_git_the_file_is_written_and_that_is_said() {
    let estate = Estate::prepared();
    let output = estate.run(&with(&ADD, &["--by", "ana", "--id", "INC-2291"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("Nothing was committed"), "{}", stdout(&output));
    let text = std::fs::read_to_string(estate.file(CONTROLS)).unwrap();
    assert!(text.contains("id: INC-2291") && text.contains("owner: ana"), "{text}");
    let left: Vec<_> = std::fs::read_dir(estate.estate())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "nothing temporary stays: {left:?}");
}

#[test]
fn a_file_with_uncommitted_edits_is_left_to_its_editor() {
    let estate = committed();
    let folder = estate.estate();
    let run = || estate.run(&with(&ADD, &["--unsigned"]));
    estate.edit(CONTROLS, |text| format!("# an edit\n{text}"));
    let kept = before(&estate, CONTROLS);
    refused(&run(), &["aren't committed", "git restore"]);
    git(&folder, &["add", CONTROLS]);
    refused(&run(), &["aren't committed"]);
    assert_eq!(before(&estate, CONTROLS), kept);
    git(&folder, &["commit", "--quiet", "--message=Edit"]);
    git(&folder, &["rm", "--quiet", "--cached", CONTROLS]);
    git(&folder, &["commit", "--quiet", "--message=Forget"]);
    let kept = before(&estate, CONTROLS);
    refused(&run(), &["git doesn't keep", "git add"]);
    assert_eq!(before(&estate, CONTROLS), kept);
}

#[test]
fn bad_controls_are_refused_and_nothing_is_written() {
    let estate = committed();
    let kept = before(&estate, CONTROLS);
    let add = |repo, more: &[&str]| {
        let first = ["control", "add", "hands-off", "--unsigned", "--repo", repo];
        estate.run(&with(&first, more))
    };
    let why = ["--reason", "moving it", "--for", "1d"];
    let long = "x".repeat(501);
    refused(
        &add("infar", &with(&why, &["--path", "a"])),
        &["`infar`", "gateway", "infra"],
    );
    refused(
        &add("infra", &["--path", "a", "--reason", "r", "--until", "2026-03-16"]),
        &["ended already", AT],
    );
    refused(&add("infra", &["--path", "a", "--reason", "r"]), &["how long", "--for"]);
    refused(&add("infra", &with(&why, &["--path", "../a"])), &["../a"]);
    refused(&add("infra", &with(&why, &["--path", "/etc"])), &["/etc"]);
    refused(
        &add("infra", &with(&why, &["--path", "a", "--id", "BG-2026-031"])),
        &["`BG-2026-031` already"],
    );
    refused(
        &add("infra", &["--path", "a", "--reason", " \n", "--for", "1d"]),
        &["--reason", "empty"],
    );
    refused(
        &add("infra", &["--path", "a", "--reason", &long, "--for", "1d"]),
        &["500"],
    );
    refused(
        &add("infra", &with(&why, &["--address", "a\u{1b}[31mb"])),
        &["--address", "control characters"],
    );
    for usage in [
        with(&why, &[]),
        with(&why, &["--path", "a", "--until", "2027-01-01"]),
        vec!["--path", "a", "--reason", "r", "--for", "soon"],
        vec!["--path", "a", "--reason", "r", "--for", "-3d"],
        vec!["--path", "a", "--reason", "r", "--for", "99999999999999999999d"],
        vec!["--path", "a", "--reason", "r", "--until", "tomorrow"],
    ] {
        assert_eq!(add("infra", &usage).status.code(), Some(2), "{usage:?}");
    }
    assert_eq!(before(&estate, CONTROLS), kept);
}

#[test]
fn a_reason_stays_on_its_line_and_deceives_nobody() {
    let estate = committed();
    let reason = "blocked\nuntil: 2099-01-01\r\u{1b}[2J \u{202e}kcab # \"quoted\" 'so'";
    let mut arguments = with(&ADD[..8], &[reason, "--unsigned", "--format", "json"]);
    let made = json(&estate.run(&arguments));
    let kept = "blocked until: 2099-01-01[2J kcab # \"quoted\" 'so'";
    assert_eq!(made["control"]["reason"], kept);
    let subject = git(&estate.estate(), &["show", "--no-patch", "--format=%s"]);
    assert_eq!(subject, format!("Hold aws_security_group.edge: {kept}"));
    arguments[8] = "# begins like a comment";
    json(&estate.run(&arguments));
    let listed = json(&estate.run(&["--format", "json", "control", "list"]));
    assert_eq!(listed["controls"].as_array().unwrap().len(), 4, "{listed}");
}

#[test]
fn an_estate_without_a_controls_file_says_which_line_to_add() {
    let estate = committed();
    let folder = estate.estate();
    estate.edit("holdpoint.yaml", |text| text.replace("controls: controls.yaml\n", ""));
    for arguments in [with(&ADD, &["--unsigned"]), vec!["control", "list"]] {
        refused(
            &estate.run(&arguments),
            &["names no controls file", "controls: controls.yaml"],
        );
    }
    git(&folder, &["checkout", "--quiet", "holdpoint.yaml"]);
    std::fs::remove_file(estate.file(CONTROLS)).unwrap();
    refused(&estate.run(&with(&ADD, &["--unsigned"])), &["can't be read"]);
    assert!(!estate.file(CONTROLS).exists());
}

#[test]
fn an_unreadable_controls_file_stays_as_it_is() {
    for text in [
        "controls: [\n",
        "controls:\n  - id: x\n",
        "- a\n",
        "controls: &a [*a]\n",
    ] {
        let estate = committed();
        std::fs::write(estate.file(CONTROLS), text).unwrap();
        git(&estate.estate(), &["commit", "--quiet", "--all", "--message=Break"]);
        let kept = before(&estate, CONTROLS);
        for arguments in [
            with(&ADD, &["--unsigned"]),
            vec!["control", "expire", "BG-2026-031", "--unsigned"],
        ] {
            refused(&estate.run(&arguments), &[CONTROLS]);
        }
        assert_eq!(before(&estate, CONTROLS), kept);
    }
}

#[test]
fn broken_policies_do_not_keep_a_claim_from_being_made() {
    let estate = committed();
    estate.edit("holdpoint.yaml", |text| {
        text.replace("policies: baseline", "policies: nowhere")
    });
    json(&estate.run(&with(&ADD, &["--unsigned", "--format", "json"])));
}

#[test]
fn a_link_is_never_replaced() {
    let estate = committed();
    let elsewhere = estate.root().join("elsewhere.yaml");
    std::fs::rename(estate.file(CONTROLS), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, estate.file(CONTROLS)).unwrap();
    let text = std::fs::read(&elsewhere).unwrap();
    refused(&estate.run(&with(&ADD, &["--unsigned"])), &["symbolic link"]);
    assert_eq!(std::fs::read(&elsewhere).unwrap(), text);
    estate.edit("holdpoint.yaml", |text| {
        text.replace("controls: controls.yaml", "controls: ../elsewhere.yaml")
    });
    refused(&estate.run(&with(&ADD, &["--unsigned"])), &["elsewhere.yaml"]);
    assert_eq!(std::fs::read(&elsewhere).unwrap(), text);
}

#[test]
fn several_people_at_once_each_get_their_commit() {
    const PEOPLE: usize = 4;
    let estate = committed();
    let running: Vec<_> = (0..PEOPLE)
        .map(|_| {
            holdpoint()
                .arg("--estate")
                .arg(estate.estate())
                .args(["--at", AT])
                .args(ADD)
                .arg("--unsigned")
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let folder = estate.estate();
    assert_eq!(git(&folder, &["rev-list", "--count", "HEAD"]), (PEOPLE + 1).to_string());
    let text = std::fs::read_to_string(estate.file(CONTROLS)).unwrap();
    for number in 1..=PEOPLE {
        assert_eq!(
            text.matches(&format!("id: BG-2026-03-17-{number}\n")).count(),
            1,
            "{text}"
        );
    }
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
}

#[test]
fn a_control_ends_once() {
    let estate = committed();
    let expire = |id: &str, more: &[&str]| {
        estate.run(&with(
            &["control", "expire", id, "--unsigned", "--format", "json"],
            more,
        ))
    };
    let made = json(&expire("BG-2026-031", &["--reason", "codified in infra#88"]));
    assert_eq!(made["control"]["until"], AT);
    let subject = git(&estate.estate(), &["show", "--no-patch", "--format=%s"]);
    assert_eq!(
        subject,
        "Release aws_security_group.payments_edge: codified in infra#88"
    );
    let kept = before(&estate, CONTROLS);
    refused(&expire("BG-2026-031", &[]), &["ended at"]);
    refused(&expire("BG-0", &[]), &["no control `BG-0`", "control list"]);
    assert_eq!(before(&estate, CONTROLS), kept);
    let ids = |arguments: &[&str]| -> Vec<(String, String)> {
        let listed = json(&estate.run(&with(&["--format", "json", "control", "list"], arguments)));
        let controls = listed["controls"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        controls.map(|one| (text(&one["id"]), text(&one["standing"]))).collect()
    };
    assert!(!ids(&[]).iter().any(|(id, _)| id == "BG-2026-031"));
    assert_eq!(
        ids(&["--all"]).last().unwrap(),
        &("BG-2026-031".to_owned(), "ended".to_owned())
    );
}

#[test]
fn a_freeze_is_committed_and_listed() {
    let estate = signed();
    let mut arguments = vec![
        "--format",
        "json",
        "freeze",
        "add",
        "INC-7",
        "--services",
        "*",
        "--for",
        "4h",
    ];
    let made = json(&estate.run(&arguments));
    assert_eq!(made["freeze"]["until"], "2026-03-17T06:30:00Z");
    git(&estate.estate(), &["verify-commit", "HEAD"]);
    assert_eq!(
        git(&estate.estate(), &["show", "--format=%s", "--name-only"]),
        "Freeze all services: INC-7\n\ncalendar.yaml"
    );
    arguments = vec![
        "freeze",
        "add",
        "Later",
        "--services",
        "payments,gateway",
        "--environments",
        "production",
    ];
    arguments.extend(["--from", "2026-03-20", "--until", "2026-03-21"]);
    let told = stdout(&estate.run(&arguments));
    assert!(
        told.contains("begins 2026-03-20 00:00 UTC") && told.contains("2026-03-22 00:00"),
        "{told}"
    );
    let listed = json(&estate.run(&["--format", "json", "freeze", "list"]));
    let entries = listed["entries"].as_array().unwrap();
    let named = |name: &str| entries.iter().find(|entry| entry["name"] == name).unwrap();
    assert_eq!(named("INC-7")["active"], true);
    assert_eq!(named("Later")["active"], false);
    assert_eq!(named("Later")["kind"], "freeze");
    let decided = json_any(&estate.run(&["--format", "json", "decide"]));
    for item in decided["items"].as_array().unwrap() {
        assert_ne!(item["decision"]["level"], "auto-apply", "all is frozen");
    }
}

fn json_any(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_freeze_that_would_hold_nothing_is_refused() {
    let estate = committed();
    let component = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: payments\n  annotations:\n    \
                     holdpoint.dev/deployments: production=main\nspec:\n  type: service\n  owner: group:pay\n";
    std::fs::write(estate.file("payments.yaml"), component).unwrap();
    estate.edit("holdpoint.yaml", |text| {
        text.replace("catalogue: [catalogue]", "catalogue: [payments.yaml]")
    });
    let kept = before(&estate, "calendar.yaml");
    let add = |more: &[&str]| estate.run(&with(&["freeze", "add", "x", "--unsigned"], more));
    refused(
        &add(&["--services", "paymets", "--for", "4h"]),
        &["`paymets`", "payments", "'*'"],
    );
    refused(
        &add(&["--services", "payments", "--environments", "prod", "--for", "4h"]),
        &["`prod`", "production"],
    );
    refused(&add(&["--services", "payments"]), &["--for"]);
    refused(
        &add(&["--services", "payments", "--until", "2026-03-16"]),
        &["ended already"],
    );
    let backwards = [
        "--services",
        "*",
        "--from",
        "2026-04-02",
        "--until",
        "2026-04-01T00:00Z",
    ];
    refused(&add(&backwards), &["before it begins"]);
    assert_eq!(add(&["--for", "4h"]).status.code(), Some(2));
    assert_eq!(before(&estate, "calendar.yaml"), kept);
    std::fs::write(estate.file("payments.yaml"), "kind: [\n").unwrap();
    let unchecked = add(&["--services", "paymets", "--for", "4h"]);
    assert_eq!(unchecked.status.code(), Some(0), "{}", stderr(&unchecked));
    assert!(stderr(&unchecked).contains("wasn't checked"), "{}", stderr(&unchecked));
    estate.edit("calendar.yaml", |_| "freezes: [\n".to_owned());
    git(
        &estate.estate(),
        &["commit", "--quiet", "--message=Break", "calendar.yaml"],
    );
    let kept = before(&estate, "calendar.yaml");
    refused(&add(&["--services", "*", "--for", "4h"]), &["calendar.yaml"]);
    assert_eq!(before(&estate, "calendar.yaml"), kept);
}
