use super::*;
use crate::estate::read_controls;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::control::ControlKind;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-03-17T02:30:00Z")
}

/// Line, kind, address and whether it holds now.
fn read(path: &str, text: &str) -> Vec<(usize, ControlKind, Option<String>, bool)> {
    let found = markers("infra", path, text);
    assert!(
        found
            .iter()
            .all(|m| m.control.repo == "infra" && m.control.path.as_deref() == Some(path))
    );
    found
        .into_iter()
        .map(|m| {
            (
                m.line,
                m.control.kind,
                m.control.address.clone(),
                m.control.active(now()),
            )
        })
        .collect()
}

#[test]
fn a_comment_in_any_language_holds_its_file() {
    for (path, text) in [
        (
            "a.py",
            "x = 1\n# holdpoint: hands-off until 2026-12-01 by ana reason moving\n",
        ),
        ("a.go", "x\n\t// holdpoint: hands-off\n"),
        ("a.css", "x\n/* holdpoint: hands-off until 2026-12-01 */\n"),
        ("a.sql", "x\n-- holdpoint: hands-off until later\n"),
        ("a.html", "x\n<!-- holdpoint: hands-off until 2026-03-17 -->\n"),
        ("values.yaml", "x: 1\ny: 2 # holdpoint: handsoff\n"),
    ] {
        assert_eq!(read(path, text), [(2, ControlKind::HandsOff, None, true)], "{path}");
    }
    let [marker] = &markers("r", "a.sql", "-- holdpoint: hands-off until later")[..] else {
        panic!()
    };
    assert!(marker.unclear.as_deref().unwrap().contains("`later`"));
    assert_eq!(marker.control.until, Timestamp::MAX);
}

#[test]
fn an_expired_comment_binds_no_one_and_other_words_are_no_claim() {
    assert_eq!(
        read("a", "# holdpoint: hands-off until 2026-03-16\n"),
        [(1, ControlKind::HandsOff, None, false)]
    );
    for text in [
        "# holdpoint: design",
        "the holdpoint: hands-off marker",
        "# Holdpoint: hands-off",
        "x",
        "",
    ] {
        assert_eq!(read("a.md", text), [], "{text}");
    }
}

#[test]
fn a_kubernetes_annotation_holds_its_manifest_even_in_a_template() {
    let manifest = |value: &str| {
        format!(
            "kind: Deployment\nmetadata:\n  name: {{{{ .Values.name }}}}\n  annotations:\n    holdpoint.dev/control: {value}\n"
        )
    };
    let holds = |kind| vec![(5, kind, None, true)];
    assert_eq!(
        read("d.yaml", &manifest("\"break-glass until 2026-12-01\"  # x")),
        holds(ControlKind::BreakGlass)
    );
    assert_eq!(
        read("d.yaml", &manifest("compensating")),
        holds(ControlKind::Compensating)
    );
    assert_eq!(
        read("d.yaml", &manifest("\"{{ .Values.hold }}\"")),
        holds(ControlKind::HandsOff)
    );
    assert_eq!(
        read("d.json", "{\"holdpoint.dev/control\":\"hands-off\"}")[0].1,
        ControlKind::HandsOff
    );
    assert_eq!(read("d.yaml", &manifest("\"false\"")), []);
    assert!(!read("d.yaml", &manifest("hands-off until 2026-01-01"))[0].3);
    assert_eq!(read("d.yaml", "    # holdpoint.dev/control: hands-off\n"), []);
}

const TERRAFORM: &str = r#"
# holdpoint: hands-off until 2026-12-01 reason moving it
resource "aws_db_instance" "main" {
  engine = "postgres"
}

resource "aws_security_group" "edge" {
  tags = merge(local.tags, {
    Name          = "edge"
    "break-glass" = "INC-2291 until 2026-03-20"
  })
}

module "net" {
  source = "./net"
  labels = { holdpoint-control = "compensating_until_2026-12-01" }
}

resource "aws_autoscaling_group" "web" {
  tag {
    key                 = "holdpoint:control"
    value               = var.hold
    propagate_at_launch = true
  }
}

resource "aws_s3_bucket" "logs" {
  # a comment
  acl  = "private" # holdpoint: compensating
  tags = { "break-glass" = "false", hands_off = true, "break_glass" = "${var.why}" }
}

resource "aws_x" "old" {
  tags = { break_glass = "INC-1 until 2026-03-01" }
  description = "break-glass = \"no tag\""
}
"#;

#[test]
fn tags_and_comments_of_terraform_hold_the_address_too() {
    let found = read("main.tf", TERRAFORM);
    let expected = [
        (2, ControlKind::HandsOff, Some("aws_db_instance.main"), true),
        (10, ControlKind::BreakGlass, Some("aws_security_group.edge"), true),
        (16, ControlKind::Compensating, Some("module.net"), true),
        (22, ControlKind::HandsOff, Some("aws_autoscaling_group.web"), true),
        (29, ControlKind::Compensating, Some("aws_s3_bucket.logs"), true),
        (30, ControlKind::HandsOff, Some("aws_s3_bucket.logs"), true),
        (30, ControlKind::BreakGlass, Some("aws_s3_bucket.logs"), true),
        (34, ControlKind::BreakGlass, Some("aws_x.old"), false),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(l, k, a, h)| (l, k, a.map(str::to_owned), h))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_terraform_file_that_can_not_be_parsed_is_read_by_line() {
    let found = read(
        "main.tf",
        "resource \"a\" {{{\n  tags = {\n    \"break-glass\" = \"INC-1\"\n# holdpoint: hands-off\n",
    );
    assert_eq!(
        found,
        [
            (3, ControlKind::BreakGlass, None, true),
            (4, ControlKind::HandsOff, None, true)
        ]
    );
    let deep = format!("holdpoint = {}", "[".repeat(100_000));
    assert_eq!(read("deep.tf", &deep), []);
}

#[test]
fn tags_in_terraforms_json_hold_their_address() {
    let text = r#"{"resource":{"aws_x":{"a":{"tags":{"break-glass":"INC-1 until 2026-12-01"}},
        "b":[{"labels":{"hands_off":"false"}}]}}}"#;
    assert_eq!(
        read("main.tf.json", text),
        [(1, ControlKind::BreakGlass, Some("aws_x.a".to_owned()), true)]
    );
    let broken = &markers("r", "main.tf.json", "{\"break-glass\": ")[..];
    assert!(matches!(broken, [only] if only.control.active(now()) && only.unclear.is_some()));
    assert_eq!(read("main.tf.json", "{\"resource\": "), []);
}

#[test]
fn tags_in_a_plan_hold_their_address_before_and_after() {
    let plan = r#"{"format_version":"1.2","resource_changes":[
        {"address":"a.b[0]","change":{"actions":["update"],"before":{"tags":{"break-glass":"INC-1 until 2026-12-01"}},
         "after":{"tags":{"break-glass":"INC-1 until 2026-12-01"}}}},
        {"address":"c.d","change":{"before":null,"after":{"labels":{"team":"x"},"tag":[{"key":"holdpoint:control","value":"hands-off"}]}}}],
        "resource_drift":[{"address":"e.f","change":{"before":{},"after":{"metadata":[{"annotations":{"holdpoint.dev/control":"compensating until x"}}]}}}]}"#;
    let found = plan_markers("infra", "plan.json", plan.as_bytes()).unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|m| {
            (
                m.control.address.as_deref().unwrap(),
                m.control.kind,
                m.control.active(now()),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("a.b[0]", ControlKind::BreakGlass, true),
            ("c.d", ControlKind::HandsOff, true),
            ("e.f", ControlKind::Compensating, true),
        ]
    );
    assert!(
        plan_markers("r", "p", b"{\"format_version\":\"1.2\"}")
            .unwrap()
            .is_empty()
    );
    for bad in ["", "{", "[]", "{\"resource_changes\":[{}]}", "\u{0}"] {
        assert!(plan_markers("r", "p", bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn an_entry_of_the_file_ends_a_derived_claim() {
    let derived = markers("r", "a.py", "# holdpoint: hands-off\n").remove(0).control;
    let mut ended = derived.clone();
    ended.until = now();
    let text = add_control("controls.yaml", FILE, &ended).unwrap();
    let file = read_controls("controls.yaml", &text).unwrap().controls;
    let all = merged(file, [derived.clone()]);
    assert!(all.len() == 2 && !all[1].active(now()));
    assert!(merged(Vec::new(), [derived])[0].active(now()));
}

const FILE: &str = "# What people hold.\ncontrols:\n  - id: BG-1   # priya\n    kind: break-glass\n    repo: infra\n    \
                    address: a.b\n    owner: p@x.example\n    reason: why\n    since: \"2026-03-16T22:40:00Z\"\n    \
                    until: \"2026-03-20T18:00:00Z\"  # Friday\n\n# Who did it.\ndrift_actors:\n  a.b: p@x.example\n";

fn control(id: &str) -> Control {
    Control {
        id: id.to_owned(),
        kind: ControlKind::HandsOff,
        repo: "infra".to_owned(),
        address: None,
        path: Some("db".to_owned()),
        owner: "ana@x.example".to_owned(),
        reason: "moving \"it\": see #7 — \u{1F6A7}".to_owned(),
        protects: None,
        since: now(),
        until: at("2026-04-01T00:00:00Z"),
    }
}

#[test]
fn a_control_is_added_after_the_last_and_comments_stay() {
    let new = add_control("controls.yaml", FILE, &control("HO-1")).unwrap();
    let added = "  - id: HO-1\n    kind: hands-off\n    repo: infra\n    path: db\n    owner: ana@x.example\n    \
                 reason: \"moving \\\"it\\\": see #7 — \u{1F6A7}\"\n    since: \"2026-03-17T02:30:00Z\"\n    \
                 until: \"2026-04-01T00:00:00Z\"\n";
    assert_eq!(new, FILE.replace("# Friday\n", &format!("# Friday\n{added}")));
    for old in ["", "# none\n", "controls: [] # none\n", "controls:\n", "controls: []"] {
        let new = add_control("c", old, &control("HO-1")).unwrap();
        assert_eq!(read_controls("c", &new).unwrap().controls, [control("HO-1")], "{new}");
    }
    let windows = FILE.replace('\n', "\r\n");
    let new = add_control("c", &windows, &control("HO-1")).unwrap();
    assert!(!new.replace("\r\n", "").contains('\n'));
}

#[test]
fn a_control_that_is_wrong_or_there_already_is_not_added() {
    assert!(
        add_control("c", FILE, &control("BG-1"))
            .unwrap_err()
            .message
            .contains("twice")
    );
    let mut nothing = control("x");
    nothing.path = None;
    assert!(
        add_control("c", FILE, &nothing)
            .unwrap_err()
            .message
            .contains("about nothing")
    );
    let mut backwards = control("x");
    backwards.until = backwards.since;
    assert!(add_control("c", FILE, &backwards).is_err());
    assert!(add_control("c", "controls: [{id: a}]\n", &control("x")).is_err());
    assert!(add_control("c", "controls: {", &control("x")).is_err());
}

#[test]
fn a_control_is_ended_in_place() {
    let new = expire_control("controls.yaml", FILE, "BG-1", now()).unwrap();
    assert_eq!(
        new,
        FILE.replace("\"2026-03-20T18:00:00Z\"", "\"2026-03-17T02:30:00Z\"")
    );
    assert!(!read_controls("c", &new).unwrap().controls[0].active(now()));
    let flow = "controls:\n- {id: a, kind: hands-off, repo: r, path: p, owner: o, reason: r, since: 2026-01-01T00:00:00Z, until: 2027-01-01T00:00:00Z}\n";
    let new = expire_control("c", flow, "a", now()).unwrap();
    assert!(new.contains("until: \"2026-03-17T02:30:00Z\"}"), "{new}");
    for (id, moment, says) in [
        ("BG-2", now(), "no control `BG-2`"),
        ("BG-1", at("2026-03-21T00:00:00Z"), "ended at"),
        ("BG-1", at("2026-03-01T00:00:00Z"), "begins at"),
    ] {
        assert!(
            expire_control("c", FILE, id, moment)
                .unwrap_err()
                .message
                .contains(says),
            "{id}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn any_words_survive_being_added(reason in "\\PC{0,60}", owner in "[ -~]{1,30}", id in "[a-zA-Z0-9#:'\"-]{1,12}") {
        let mut new = control(&id);
        (new.reason, new.owner) = (reason, owner);
        let text = add_control("c", FILE, &new).unwrap();
        proptest::prop_assert_eq!(&read_controls("c", &text).unwrap().controls[1], &new);
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in "(holdpoint: ?|hands-off ?|until ?|# ?|//|break-glass ?|= ?|\"|\\{|\\}|\n|resource |tags |\\PC){0,60}") {
        let found = markers("r", "a.tf", &text);
        let lines = text.lines().count();
        proptest::prop_assert!(found.iter().all(|marker| (1..=lines).contains(&marker.line)));
        let _ = trailer(&text);
    }
}

#[test]
fn a_hostile_terraform_file_is_read_within_bounds() {
    let many = |text: &str| text.repeat(20_000);
    for text in [
        format!("break = \"{}", many("${")),
        format!("break = {}", many("[")),
        format!("break = a{}", many(".b")),
        format!("break = 1{}", many("+1")),
        many("a {\n") + "break",
    ] {
        assert_eq!(read("a.tf", &text), []);
    }
    let tags = "resource \"a\" \"b\" {\n  tags = { hands_off = true }\n}\n".repeat(2_000);
    assert_eq!(read("a.tf", &tags).len(), MAX_MARKERS);
    let large = format!("{}\nhands_off = \"true\"\n", "# x\n".repeat(300_000));
    assert_eq!(read("a.tf", &large), [(300_002, ControlKind::HandsOff, None, true)]);
}
