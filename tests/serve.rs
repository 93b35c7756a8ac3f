//! `holdpoint serve`, as a service manager runs it. The loop itself is tested with a test clock, in `src/server/`.

use crate::support::{Estate, holdpoint, refused, run};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A schedule whose next night is far away.
const FAR: &str = "\nschedule: {cron: '0 0 29 2 *', listen: '127.0.0.1:0'}\n";

fn with_schedule(schedule: &str) -> Estate {
    let estate = Estate::prepared();
    estate.edit("holdpoint.yaml", |text| text + schedule);
    estate
}

fn serve(estate: &Estate) -> (Child, String) {
    let mut child = holdpoint()
        .args(["--quiet", "serve", "--estate"])
        .arg(estate.estate())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let health = lines.next().unwrap().unwrap();
    let next = lines.next().unwrap().unwrap();
    assert!(
        next.starts_with("next run: ") && next.contains("-02-29T00:00:00Z"),
        "{next}"
    );
    (
        child,
        health
            .strip_prefix("health: http://")
            .unwrap()
            .trim_end_matches("/healthz")
            .to_owned(),
    )
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_tells_how_it_is_doing_and_ends_in_order_when_it_is_told_to() {
    let (mut child, address) = serve(&with_schedule(FAR));
    let page = get(&address, "/healthz");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("\"ok\""), "{page}");
    let metrics = get(&address, "/metrics");
    assert!(metrics.contains("holdpoint_nights_total{end=\"done\"} 0"), "{metrics}");
    assert!(
        Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_it_cannot_serve_is_refused_before_the_first_night() {
    for (schedule, told) in [
        ("", "has no `schedule`"),
        ("\nschedule: {cron: '30 25 * * *'}\n", "30 25 * * *"),
        (
            "\nschedule: {cron: '30 2 * * *', time_zone: Mars/Olympus}\n",
            "Mars/Olympus",
        ),
        ("\nschedule: {cron: '30 2 * * *', listen: '0.0.0.0:9464'}\n", "loopback"),
    ] {
        let estate = with_schedule(schedule);
        let output = holdpoint()
            .args(["serve", "--estate"])
            .arg(estate.estate())
            .output()
            .unwrap();
        refused(&output, &[told]);
    }
    refused(&with_schedule(FAR).run(&["serve"]), &["--at"]);
}

#[test]
fn a_schedule_without_a_night_is_refused() {
    let estate = with_schedule("\nschedule: {cron: '0 0 30 2 *'}\n");
    let folder = estate.estate();
    refused(
        &run(&["--estate", folder.to_str().unwrap(), "serve"]),
        &["has no night ahead"],
    );
}
