//! The tables of attacks against each sandbox.

use super::backend::{Backend as _, Docker, Local};
use super::outside::Outside;
use super::{bounds, kernel, outside, report, suite};
use holdpoint_runner::sandbox::control::Control;

fn attacks() -> Vec<&'static super::attack::Attack> {
    [bounds::ATTACKS, kernel::ATTACKS, outside::ATTACKS]
        .into_iter()
        .flatten()
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_stops_each_attack_and_each_works_without_its_control() {
    let docker = Docker::new();
    let outside = Outside::new(docker.host_address());
    report::check(docker.name(), &suite::run(&docker, &attacks(), &outside).await);
    assert!(docker.left_over().is_empty(), "{:?}", docker.left_over());
}

#[tokio::test(flavor = "multi_thread")]
async fn local_stops_each_attack_and_each_works_without_its_control() {
    let local = Local::new();
    let outside = Outside::new(local.host_address());
    report::check(local.name(), &suite::run(&local, &attacks(), &outside).await);
}

#[test]
fn each_control_of_the_engine_has_an_attack_that_shows_what_it_is_for() {
    // The other three are shown by the modules `shared` and `trees`.
    let elsewhere = [Control::EndsWithStep, Control::SealedSnapshot, Control::CheckedTree];
    for control in Control::ALL {
        let shown = attacks().iter().any(|attack| attack.control == control);
        assert!(shown != elsewhere.contains(&control), "{control}");
    }
}
