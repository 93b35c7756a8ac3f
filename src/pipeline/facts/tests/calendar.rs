use super::world::World;

const FLAG: (&str, usize, &str, &str) = ("config/app.yaml", 1, "debug: true", "debug: false");

fn with(calendar: &str) -> World {
    let (path, line, before, after) = FLAG;
    World::new()
        .estate("calendar.yaml", calendar)
        .fix(path, line, before, after)
}

fn freeze(services: &str) -> String {
    format!(
        "freezes: [{{name: Quarter close, services: [{services}], from: 2026-03-16T00:00:00Z, until: 2026-04-02T06:00:00Z}}]\n"
    )
}

#[test]
fn a_freeze_is_active_for_its_services_only_and_unknown_without_a_calendar() {
    const ID: &str = "change.freeze_active";
    assert_eq!(with(&freeze("shop")).asks(ID), Ok(true.into()));
    assert!(
        with(&freeze("shop"))
            .note(ID)
            .contains("`Quarter close` ends 2026-04-02T06:00:00Z")
    );
    let bank = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: bank}\nspec: {type: service, lifecycle: production, owner: group:bank}\n";
    let other = with(&freeze("bank")).estate("catalogue/bank.yaml", bank);
    assert_eq!(other.asks(ID), Ok(false.into()));
    assert!(
        with(&freeze("shpo")).asks(ID).unwrap_err().contains("`shpo`"),
        "it may mean the shop"
    );
    assert!(
        with("freezes: [{name: broken")
            .asks(ID)
            .unwrap_err()
            .contains("can't be read")
    );
    assert!(
        with("")
            .config("calendar", "")
            .asks(ID)
            .unwrap_err()
            .contains("names no calendar")
    );
}

fn window(start: &str) -> String {
    format!(
        "windows: [{{name: Nights, services: [shop], rrule: FREQ=DAILY, start: \"{start}\", duration: 2h, zone: UTC}}]\n"
    )
}

#[test]
fn a_change_window_is_open_closed_or_restricts_nobody() {
    const ID: &str = "change.window_open";
    assert_eq!(with(&window("02:00")).asks(ID), Ok(true.into()));
    assert_eq!(with(&window("22:00")).asks(ID), Ok(false.into()));
    let note = with(&window("22:00")).note(ID);
    assert!(note.contains("the next safe window is 2026-03-17T22:00:00Z"), "{note}");
    assert_eq!(
        with(&window("22:00").replace("[shop]", "[bank]")).asks(ID),
        Ok(true.into())
    );
    assert!(with("windows: 7\n").asks(ID).is_err());
}

#[test]
fn peak_hours_count_for_the_service_and_for_what_depends_on_it() {
    const ID: &str = "change.business_window_active";
    let hours = |service: &str, zone: &str| {
        format!(
            "business: [{{name: Morning, services: [{service}], rrule: \"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR\", start: \"09:00\", duration: 4h, zone: {zone}}}]\n"
        )
    };
    let singapore = with(&hours("shop", "Asia/Singapore"));
    assert_eq!(singapore.asks(ID), Ok(true.into()));
    let note = singapore.note(ID);
    assert!(note.contains("`Morning` ends 2026-03-17T05:00:00Z"), "{note}");
    assert!(note.contains("the next safe window is 2026-03-17T05:00:00Z"), "{note}");
    assert_eq!(with(&hours("shop", "Europe/Berlin")).asks(ID), Ok(false.into()));
    assert!(with("business: [{name: x}]\n").asks(ID).is_err());

    let portal = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: portal}\nspec: {type: service, lifecycle: production, owner: group:shop, dependsOn: [\"component:shop\"]}\n";
    let dependent = with(&hours("portal", "Asia/Singapore")).estate("catalogue/portal.yaml", portal);
    assert_eq!(dependent.asks(ID), Ok(true.into()));
}
