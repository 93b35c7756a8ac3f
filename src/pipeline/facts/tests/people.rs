use super::world::{LONG_AGO, World, YESTERDAY};

fn flag() -> World {
    World::new().fix("config/app.yaml", 1, "debug: true", "debug: false")
}

fn prices() -> World {
    World::new().fix("shop/prices.py", 2, "    return item * 2", "    return item * 3")
}

fn elsewhere(mut world: World) -> World {
    world.finding.repo = "gone".to_owned();
    world
}

#[test]
fn a_teammates_push_counts_while_it_is_recent() {
    const ID: &str = "change.pushed_by_others";
    let pushed = |at| World::new().commit(at, None, "Rename", "config/app.yaml", "debug: true\nname: big shop\n");
    assert_eq!(pushed(YESTERDAY).asks(ID), Ok(true.into()));
    assert!(pushed(YESTERDAY).note(ID).contains("Tomas pushed"));
    assert_eq!(pushed("2026-03-01T10:00:00Z").asks(ID), Ok(false.into()));
    assert!(elsewhere(World::new()).asks(ID).unwrap_err().contains("can't be read"));
}

#[test]
fn a_push_to_code_that_uses_what_is_touched_counts_too() {
    const ID: &str = "change.callers_pushed_by_others";
    let basket = "from shop.prices import price\n\n\ndef total(items):\n    return 1 + sum(price(i) for i in items)\n";
    let pushed = |at| prices().commit(at, None, "Add one", "shop/basket.py", basket);
    assert_eq!(pushed(YESTERDAY).asks(ID), Ok(true.into()));
    assert!(pushed(YESTERDAY).note(ID).contains("shop/basket.py"));
    assert_eq!(pushed("2026-03-01T10:00:00Z").asks(ID), Ok(false.into()));
    let dynamic = pushed("2026-03-01T10:00:00Z").repo(
        "shop/load.py",
        "import importlib\nimport sys\n\nmodule = importlib.import_module(sys.argv[1])\n",
    );
    assert!(dynamic.asks(ID).unwrap_err().contains("shop/prices.py"));
    assert_eq!(flag().asks(ID), Ok(false.into()), "nothing imports a settings file");
}

#[test]
fn an_open_branch_conflicts_because_of_the_fix_or_not() {
    const ID: &str = "change.conflicting_branches";
    let branch = |at, text: &str| flag().commit(at, Some("campaign"), "Rework", "config/app.yaml", text);
    let same_line = "debug: \"off in production\"\nname: shop\n";
    assert_eq!(branch(YESTERDAY, same_line).asks(ID), Ok(1.into()));
    assert!(
        branch(YESTERDAY, same_line)
            .note(ID)
            .contains("`campaign` of Tomas in config/app.yaml")
    );
    assert_eq!(
        branch(LONG_AGO, same_line).asks(ID),
        Ok(0.into()),
        "nobody works on it any more"
    );
    assert_eq!(flag().asks(ID), Ok(0.into()));
    assert!(
        World::new().asks(ID).is_err(),
        "without a fix nothing can conflict with it"
    );
}

#[test]
fn code_owners_are_those_of_the_last_line_that_matches() {
    const ID: &str = "change.code_owners";
    let owned = flag().repo("CODEOWNERS", "* @org/all\n/config/ @org/ops\n");
    assert_eq!(owned.asks(ID).unwrap().to_string(), "@org/ops");
    let nobody = flag().repo("CODEOWNERS", "/docs/ @org/docs\n");
    assert_eq!(nobody.asks(ID).unwrap().to_string(), "none");
    assert!(flag().asks(ID).unwrap_err().contains("no CODEOWNERS"));
}

#[test]
fn controls_come_from_the_file_from_commits_and_from_comments() {
    let control = |kind: &str, until: &str| {
        format!(
            "controls: [{{id: c-1, kind: {kind}, repo: shop, path: config, owner: ana, reason: Attack, since: 2026-03-10T00:00:00Z, until: {until}}}]\n"
        )
    };
    for (id, kind) in [
        ("change.reverts_break_glass", "break-glass"),
        ("change.touches_compensating_control", "compensating"),
        ("change.touches_hands_off", "hands-off"),
    ] {
        let held = flag().estate("controls.yaml", &control(kind, "2026-03-20T00:00:00Z"));
        assert_eq!(held.asks(id), Ok(true.into()), "{id}");
        let expired = flag().estate("controls.yaml", &control(kind, "2026-03-15T00:00:00Z"));
        assert_eq!(expired.asks(id), Ok(false.into()), "{id}");
        let broken = flag().estate("controls.yaml", "controls: {");
        assert!(broken.asks(id).unwrap_err().contains("can't be read"), "{id}");
    }
    let message = "Turn debug on\n\nBreak-glass: the till is down\n";
    let commit = flag().commit(
        YESTERDAY,
        None,
        message,
        "config/app.yaml",
        "debug: true\nname: shop!\n",
    );
    assert_eq!(commit.asks("change.reverts_break_glass"), Ok(true.into()));
    let old = flag().commit(
        "2026-02-01T10:00:00Z",
        None,
        message,
        "config/app.yaml",
        "debug: true\nname: shop!\n",
    );
    assert_eq!(
        old.asks("change.reverts_break_glass"),
        Ok(false.into()),
        "it holds for a week"
    );
    let marked = flag().repo(
        "config/app.yaml",
        "debug: true\n# holdpoint: hands-off until 2026-12-01 by ana reason we measure\n",
    );
    assert_eq!(marked.asks("change.touches_hands_off"), Ok(true.into()));
}
