use super::*;

fn fails<T: std::fmt::Debug>(result: SourceResult<T>, at: (usize, usize), says: &str) {
    let error = result.unwrap_err();
    assert!(error.message.contains(says), "{}", error.message);
    assert_eq!(error.position, Some(at), "{}", error.message);
    assert!(error.help.is_some());
}

const REPOS: &str = "name: x\nscanners: {b: {run: x}}\nrepos:\n- name: a\n  remote: ../remotes/a.git\n";

#[test]
fn an_estate_is_read_and_a_remote_may_lie_outside() {
    let estate = read_estate("holdpoint.yaml", REPOS).unwrap();
    assert_eq!(estate.repos[0].remote, "../remotes/a.git");
    assert_eq!(estate.policies, "baseline");
}

#[test]
fn an_unknown_field_is_refused_at_its_place() {
    let error = read_estate("holdpoint.yaml", "name: x\nrepos: []\npolices: y\n").unwrap_err();
    assert_eq!(error.position.map(|p| p.0), Some(3), "{}", error.message);
    assert!(error.message.contains("polices"), "{}", error.message);
    assert!(error.help.as_deref().unwrap().contains("spelling"), "{:?}", error.help);
}

#[test]
fn malformed_and_cut_off_yaml_is_refused_with_a_line() {
    for text in ["name: [x\nrepos: {", "name: x\n\trepos: []\n", "name: \"x\n"] {
        let error = read_estate("h.yaml", text).unwrap_err();
        assert!(error.position.is_some(), "{text:?}: {}", error.message);
    }
}

#[test]
fn repos_and_scanners_are_checked() {
    fails(
        read_estate("h", &format!("{REPOS}- name: a\n  remote: y\n")),
        (6, 9),
        "`a` is there twice",
    );
    fails(
        read_estate("h", &format!("{REPOS}  scanners: [zz]\n")),
        (6, 14),
        "scanner `zz`",
    );
    fails(
        read_estate("h", &format!("{REPOS}  reports: [{{path: ../x}}]\n")),
        (6, 20),
        "leads elsewhere",
    );
    fails(
        read_estate("h", "name: x\nrepos:\n- name: a/b\n  remote: y\n"),
        (3, 9),
        "plain name",
    );
}

#[test]
fn deep_nesting_and_alias_bombs_are_refused() {
    let deep = format!("name: {}{}\n", "[".repeat(500), "]".repeat(500));
    assert!(read_yaml::<serde_json::Value>("h", &deep).is_err());
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..9 {
        let refs = vec![format!("*a{}", n - 1); 9].join(",");
        bomb += &format!("a{n}: &a{n} [{refs}]\n");
    }
    assert!(read_yaml::<serde_json::Value>("h", &bomb).is_err());
    assert!(read_yaml::<serde_json::Value>("h", &" ".repeat(MAX_YAML_BYTES + 1)).is_err());
}

const CONTROL: &str = "controls:\n- id: c1\n  kind: break-glass\n  repo: infra\n  owner: o\n  reason: r\n  \
                       since: 2026-03-01T00:00:00Z\n  until: ";

#[test]
fn a_control_begins_before_it_ends_and_is_about_something() {
    let good = format!("{CONTROL}2026-04-01T00:00:00Z\n  address: a.b\n");
    assert_eq!(read_controls("c", &good).unwrap().controls.len(), 1);
    fails(
        read_controls("c", &format!("{CONTROL}2026-02-01T00:00:00Z\n  address: a.b\n")),
        (8, 10),
        "before it begins",
    );
    fails(
        read_controls("c", &format!("{CONTROL}2026-04-01T00:00:00Z\n")),
        (2, 7),
        "about nothing",
    );
}

#[test]
fn a_fix_has_exactly_one_of_patch_and_branch() {
    let fix = |more: &str| {
        let text = format!("repo: a\nbase: main\n{more}resolves:\n- scanner: s\n  rule: r\n");
        read_fix_request("fix.yaml", &text)
    };
    assert!(fix("patch: fix.patch\n").is_ok() && fix("branch: bot/x\n").is_ok());
    fails(fix(""), (1, 5), "neither");
    fails(fix("patch: a\nbranch: b\n"), (4, 7), "both");
    fails(fix("patch: ../a.patch\n"), (3, 8), "plain file name");
    fails(fix("branch: --upload-pack=x\n"), (3, 9), "isn't a branch name");
    assert!(fix("command: rm\n").is_err());
}

#[test]
fn a_value_in_the_list_of_variables_is_refused_without_repeating_it() {
    let text = "environments:\n  staging:\n    a: [SMTP_TOKEN, \"K=hunter2\"]\n";
    let error = read_variables("e.yaml", text).unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"));
    assert!(read_variables("e.yaml", "environments:\n  staging:\n    a: [SMTP_TOKEN]\n").is_ok());
}

#[test]
fn lanes_have_names_of_their_own_and_contracts_stay_inside() {
    fails(
        read_rollout("r", "lanes:\n- {name: a, stage: suggest}\n- {name: a, stage: alert}\n"),
        (3, 10),
        "twice",
    );
    let contracts = "contracts:\n- {consumer: a, provider: b, interactions: /etc/x}\n";
    fails(read_contracts("c", contracts), (2, 44), "leads elsewhere");
}

#[test]
fn settings_of_a_repo_are_checked() {
    assert_eq!(
        read_repo_settings(".holdpoint.yaml", "{}").unwrap(),
        RepoSettings::default()
    );
    let text = "contract:\n  serve: {command: x, port: 1, ready: ok}\n";
    fails(read_repo_settings(".holdpoint.yaml", text), (2, 39), "begins with `/`");
    fails(
        read_repo_settings("s", "contract:\n  openapi: ../x.yaml\n"),
        (2, 12),
        "leads elsewhere",
    );
}

#[test]
fn messages_of_the_yaml_reader_are_put_for_people() {
    for (text, says, help) in [
        (
            "name: x\nname: y\nrepos: []\n",
            "a key that is already there",
            "drop one",
        ),
        ("name: x\nrepos: 5\n", "a list was expected", "after `- `"),
        ("name: x\n", "missing field `repos`", "add the field"),
        ("", "the file ends too early", "cut off"),
        ("name:\nrepos: []\n", "text was expected", "write a value"),
    ] {
        let error = read_estate("h.yaml", text).unwrap_err();
        assert!(error.message.contains(says), "{text:?}: {}", error.message);
        assert!(
            error.help.as_deref().unwrap().contains(help),
            "{text:?}: {:?}",
            error.help
        );
    }
}

#[test]
fn paths_of_controls_are_in_gits_spelling_and_patterns_are_refused() {
    let read = |path: &str| {
        let text = format!("{CONTROL}2026-04-01T00:00:00Z\n  path: '{path}'\n");
        read_controls("c", &text).map(|file| file.controls[0].path.clone().unwrap())
    };
    for path in ["cfg/a", "./cfg/a", "cfg//a", "cfg/./a", "cfg/a/", "cfg\\a", " cfg/a "] {
        assert_eq!(read(path).unwrap(), "cfg/a", "{path}");
    }
    for path in [".", "./", "*", "**", "./**"] {
        assert_eq!(read(path).unwrap(), "", "{path}");
    }
    for path in ["cfg/*", "**/a", "x/../cfg", "/cfg", ""] {
        let error = read(path).unwrap_err();
        assert!(error.position.is_some() && error.help.is_some(), "{path}");
    }
    let spaced = format!("{CONTROL}2026-04-01T00:00:00Z\n  address: ' a.b '\n");
    let control = read_controls("c", &spaced).unwrap().controls.remove(0);
    assert_eq!(control.address.as_deref(), Some("a.b"));
}

#[test]
fn messages_of_the_yaml_reader_are_in_our_words() {
    let several = read_controls("c", "controls: []\n---\ncontrols: []\n").unwrap_err();
    assert!(
        several.message.contains("one document was expected"),
        "{}",
        several.message
    );
    let number = read_yaml::<u8>("c", "300\n").unwrap_err();
    assert!(
        number.message.contains("a whole number was expected"),
        "{}",
        number.message
    );
}
