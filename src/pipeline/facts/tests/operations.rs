use super::world::World;

fn flag() -> World {
    World::new().fix("config/app.yaml", 1, "debug: true", "debug: false")
}

fn opaque() -> World {
    World::new()
        .repo("run.sh", "exec shop\n")
        .fix("run.sh", 1, "exec shop", "exec shop -v")
}

#[test]
fn what_a_running_service_loads_needs_a_restart_and_tests_do_not() {
    const ID: &str = "change.restart_needed";
    assert_eq!(flag().asks(ID), Ok(true.into()));
    let test = World::new().repo("tests/test_prices.py", "PRICE = 1\n").fix(
        "tests/test_prices.py",
        1,
        "PRICE = 1",
        "PRICE = 2",
    );
    assert_eq!(test.asks(ID), Ok(false.into()));
    assert!(opaque().asks(ID).is_err());
}

#[test]
fn a_kernel_needs_a_reboot_and_a_flag_does_not() {
    const ID: &str = "change.reboot_needed";
    let kernel = World::new()
        .repo(
            "ansible/hosts.yml",
            "- hosts: all\n  tasks:\n    - apt: {name: linux-image-amd64=6.1.1}\n",
        )
        .fix(
            "ansible/hosts.yml",
            3,
            "    - apt: {name: linux-image-amd64=6.1.1}",
            "    - apt: {name: linux-image-amd64=6.1.2}",
        );
    assert_eq!(kernel.asks(ID), Ok(true.into()));
    assert_eq!(flag().asks(ID), Ok(false.into()));
    assert!(opaque().asks(ID).is_err());
}

#[test]
fn a_migration_folder_needs_a_migration_and_a_flag_does_not() {
    const ID: &str = "change.migration_needed";
    let migration = World::new().adding(
        "db/migrate/20260316_add_price.rb",
        "add_column :items, :price, :integer",
    );
    assert_eq!(migration.asks(ID), Ok(true.into()));
    assert_eq!(flag().asks(ID), Ok(false.into()));
    assert!(opaque().asks(ID).is_err());
}

#[test]
fn a_restart_is_downtime_where_one_instance_runs() {
    const ID: &str = "change.downtime_needed";
    let replicas = |number: &str| flag().annotated(&format!("holdpoint.dev/replicas: \"{number}\""));
    assert_eq!(replicas("1").asks(ID), Ok(true.into()));
    assert!(replicas("1").note(ID).contains("one instance"));
    let rolling = replicas("3").annotated("holdpoint.dev/update-strategy: rolling");
    assert_eq!(rolling.asks(ID), Ok(false.into()));
    let recreated = replicas("3").annotated("holdpoint.dev/update-strategy: recreate");
    assert_eq!(recreated.asks(ID), Ok(true.into()));
    assert!(replicas("3").asks(ID).is_err(), "how they are replaced isn't known");
    assert!(flag().asks(ID).is_err(), "how many run isn't known");
}
