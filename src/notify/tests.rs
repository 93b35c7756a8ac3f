//! Against servers on loopback that these tests make.

use holdpoint_schemas::Digest;
use holdpoint_schemas::approval::{Binding, OverrideStatement};
use holdpoint_schemas::nightly::{EmailConfig, MailTls, WebhookConfig};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::output::samples;
use crate::pipeline::approvals::OpenOverride;

const QUICK: Bounds = Bounds {
    time: Duration::from_secs(5),
    tries: 3,
    pause: Duration::from_millis(1),
};

fn message() -> Message {
    Message::of_run(&samples::report(), "reports/2026-03-17T023000Z")
}

fn secrets(values: &[(&str, &str)]) -> Secrets {
    Secrets(
        values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    )
}

fn to_hook(url: String) -> Vec<NotifyConfig> {
    vec![NotifyConfig {
        when: NotifyWhen::Always,
        webhook: Some(WebhookConfig {
            url: Some(url),
            url_env: None,
            secret_env: Some("HOOK_SECRET".to_owned()),
        }),
        email: None,
    }]
}

/// A server that gives one answer after another, and keeps what it was asked.
async fn http(answers: Vec<&'static str>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?team=a", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    tokio::spawn(async move {
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).await.unwrap();
            }
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut body).await.unwrap();
            kept.lock().unwrap().push(head + &String::from_utf8(body).unwrap());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const DOWN: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 6\r\n\r\nsecret";
const GONE: &str = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n";
const ELSEWHERE: &str = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";

fn header(request: &str, name: &str) -> String {
    let line = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with(name))
        .unwrap();
    line.split_once(": ").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_webhook_is_told_once_signed_and_in_json() {
    let (url, asked) = http(vec![OK]).await;
    let given = secrets(&[("HOOK_SECRET", "s3cr3t")]);
    let problems = tell_within(&to_hook(url), Gist::default(), &message(), &given, QUICK).await;
    assert_eq!(problems, Vec::<String>::new());
    let asked = asked.lock().unwrap();
    let request = asked.first().unwrap();
    assert!(request.starts_with("POST /hook?team=a HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(request, "webhook-id"), message().id);
    assert!(header(request, "webhook-signature").starts_with("v1,"));
    let body: serde_json::Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["format"], "holdpoint.notification/1");
    assert_eq!(body["summary"]["findings"], samples::report().items.len());
    assert!(!request.contains("s3cr3t"));
}

#[tokio::test]
async fn it_is_tried_again_under_the_same_id_while_the_receiver_is_down() {
    let (url, asked) = http(vec![DOWN, DOWN, OK]).await;
    let given = secrets(&[("HOOK_SECRET", "s3cr3t")]);
    assert!(
        tell_within(&to_hook(url), Gist::default(), &message(), &given, QUICK)
            .await
            .is_empty()
    );
    let ids: Vec<String> = asked
        .lock()
        .unwrap()
        .iter()
        .map(|request| header(request, "webhook-id"))
        .collect();
    assert_eq!(ids, vec![message().id; 3]);
}

#[tokio::test]
async fn tries_are_bounded_and_what_is_refused_or_redirected_is_not_tried_again() {
    for (answers, tries, told) in [
        (vec![DOWN; 9], 3, "503"),
        (vec![GONE, OK], 1, "410"),
        (vec![ELSEWHERE, OK], 1, "307"),
    ] {
        let (url, asked) = http(answers).await;
        let given = secrets(&[("HOOK_SECRET", "s3cr3t")]);
        let problems = tell_within(&to_hook(url.clone()), Gist::default(), &message(), &given, QUICK).await;
        assert!(problems[0].contains(told), "{problems:?}");
        assert!(
            !problems[0].contains(&url) && !problems[0].contains("secret"),
            "{problems:?}"
        );
        assert_eq!(asked.lock().unwrap().len(), tries);
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_costs_a_bounded_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let bounds = Bounds {
        time: Duration::from_millis(50),
        ..QUICK
    };
    let given = secrets(&[("HOOK_SECRET", "s3cr3t")]);
    let problems = tell_within(&to_hook(url), Gist::default(), &message(), &given, bounds).await;
    assert!(problems[0].contains("no answer within"), "{problems:?}");
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
    });
    let given = secrets(&[("HOOK_SECRET", "s3cr3t")]);
    assert!(
        tell_within(&to_hook(url), Gist::default(), &message(), &given, QUICK)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_secret_that_is_not_set_is_named_and_nothing_is_sent_unsigned() {
    let (url, asked) = http(vec![OK]).await;
    let problems = tell_within(&to_hook(url), Gist::default(), &message(), &Secrets::default(), QUICK).await;
    assert!(problems[0].contains("`HOOK_SECRET` isn't set"), "{problems:?}");
    assert!(asked.lock().unwrap().is_empty());
}

/// A mail server for one message: what it was told.
async fn smtp(rejects: bool) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mail.test ESMTP\r\n").await.unwrap();
        let (mut told, mut in_body) = (String::new(), false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return told;
            }
            told.push_str(&line);
            let answer = match line.trim_end() {
                "." if in_body => {
                    in_body = false;
                    "250 taken\r\n"
                }
                _ if in_body => continue,
                "DATA" => {
                    in_body = true;
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                line if line.starts_with("EHLO") => "250-mail.test\r\n250 8BITMIME\r\n",
                line if rejects && line.starts_with("RCPT") => "550 hunter2 is not here\r\n",
                _ => "250 ok\r\n",
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, server)
}

fn by_mail(server: &str, tls: MailTls) -> Vec<NotifyConfig> {
    vec![NotifyConfig {
        when: NotifyWhen::Held,
        webhook: None,
        email: Some(EmailConfig {
            server: server.to_owned(),
            tls,
            from: "Holdpoint <holdpoint@example.com>".to_owned(),
            to: vec!["ana@example.com".to_owned(), "team@example.com".to_owned()],
            user: None,
            password_env: None,
        }),
    }]
}

const HELD: Gist = Gist {
    held: true,
    failed: false,
    changed: false,
};

#[tokio::test]
async fn an_email_has_a_text_and_an_html_part_for_everyone() {
    let (address, server) = smtp(false).await;
    let problems = tell_within(
        &by_mail(&address, MailTls::None),
        HELD,
        &message(),
        &Secrets::default(),
        QUICK,
    )
    .await;
    assert_eq!(problems, Vec::<String>::new());
    let told = server.await.unwrap();
    for part in [
        "RCPT TO:<ana@example.com>",
        "RCPT TO:<team@example.com>",
        "multipart/alternative",
        "text/plain",
        "text/html",
        &message().id,
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_is_a_warning_that_quotes_nothing_of_it() {
    let (address, _server) = smtp(true).await;
    let problems = tell_within(
        &by_mail(&address, MailTls::None),
        HELD,
        &message(),
        &Secrets::default(),
        QUICK,
    )
    .await;
    assert!(
        problems[0].contains("550") && !problems[0].contains("hunter2"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_in_the_clear() {
    let (address, server) = smtp(false).await;
    let problems = tell_within(
        &by_mail(&address, MailTls::Starttls),
        HELD,
        &message(),
        &Secrets::default(),
        QUICK,
    )
    .await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let told = server.await.unwrap();
    assert!(!told.contains("MAIL FROM") && !told.contains("DATA"), "{told}");
}

#[tokio::test]
async fn in_the_clear_only_this_machine_is_spoken_to() {
    let config = by_mail("192.0.2.1:25", MailTls::None);
    let problems = tell_within(&config, HELD, &message(), &Secrets::default(), QUICK).await;
    assert!(problems[0].contains("loopback"), "{problems:?}");
}

#[tokio::test]
async fn who_is_told_depends_on_what_the_run_came_to() {
    let (quiet, failed) = (
        Gist::default(),
        Gist {
            failed: true,
            ..Gist::default()
        },
    );
    for (when, gist, told) in [
        (NotifyWhen::Always, quiet, true),
        (NotifyWhen::Held, quiet, false),
        (NotifyWhen::Held, HELD, true),
        (NotifyWhen::Failed, HELD, false),
        (NotifyWhen::Failed, failed, true),
        (NotifyWhen::Changed, quiet, false),
        (NotifyWhen::Changed, failed, true),
    ] {
        assert_eq!(gist.asks_for(when), told, "{when:?} {gist:?}");
    }
    let config = by_mail("192.0.2.1:25", MailTls::None);
    assert!(
        tell_within(&config, quiet, &message(), &Secrets::default(), QUICK)
            .await
            .is_empty()
    );
}

#[test]
fn a_message_is_short_whatever_the_night_was() {
    let mut report = samples::report();
    report.items = vec![samples::frozen(); 5_000];
    let message = Message::of_run(&report, "reports/x");
    assert!(serde_json::to_string(&message).unwrap().len() < 64 << 10);
    assert!(message.text().lines().count() < 200);
}

#[test]
fn hostile_text_stays_text_in_mail() {
    let mut report = samples::report();
    report.estate = "x\r\nBcc: evil@example.com".to_owned();
    for item in &mut report.items {
        item.finding.finding.title = "<script>alert(1)</script>".to_owned();
    }
    let message = Message::of_run(&report, "reports/x");
    assert!(!message.subject.contains(['\r', '\n']));
    assert!(!message.html().unwrap().contains("<script>"));
}

#[test]
fn what_people_read_in_their_mail() {
    insta::assert_snapshot!(message().text());
}

#[test]
fn a_run_that_broke_off_says_why() {
    let at = "2026-03-17T02:30:00Z".parse().unwrap();
    let message = Message::of_failure("fintech", at, "the ledger doesn't verify");
    assert!(message.text().contains("broke off") && message.text().contains("doesn't verify"));
}

#[test]
fn what_needs_a_look_now_comes_first() {
    let mut report = samples::report();
    let at = report.at;
    report.queue.overrides.push(OpenOverride {
        findings: vec!["hp-79a221fc88".to_owned()],
        title: "Add a header".to_owned(),
        repo: "payments".to_owned(),
        branch: "main".to_owned(),
        by: "ana@example.com".to_owned(),
        at,
        expires: at,
        reason: "The site is being robbed".to_owned(),
        id: Digest::of_parts([b"x".as_slice()]),
        holds: true,
        merged: None,
        involved: std::collections::BTreeSet::new(),
    });
    let text = Message::of_run(&report, "reports/x").text();
    let (now, rest) = (text.find("NEEDS A LOOK NOW").unwrap(), text.find("NEW").unwrap());
    assert!(
        now < rest && text.contains("OVERRIDE: emergency override of `Add a header`"),
        "{text}"
    );
}

#[tokio::test]
async fn an_override_is_told_to_everybody_whatever_they_asked_for() {
    let digest = || Digest::of_parts([b"x".as_slice()]);
    let at = "2026-03-17T02:30:00Z".parse().unwrap();
    let statement = OverrideStatement {
        fix: digest(),
        decision: digest(),
        binding: Binding {
            estate: "e".to_owned(),
            diff: digest(),
            base: "b".to_owned(),
            tree: "abcdef".to_owned(),
            target_branch: "main".to_owned(),
            repo: "payments".to_owned(),
            policies: digest(),
            schema: digest(),
            facts: digest(),
            evidence: None,
        },
        by: "ana@example.com".to_owned(),
        at,
        expires: at,
        reason: "The site is being robbed".to_owned(),
    };
    let message = Message::of_override("fintech", &statement, "Add a header");
    let (url, asked) = http(vec![OK]).await;
    let mut config = to_hook(url);
    config[0].when = NotifyWhen::Failed;
    let secrets = secrets(&[("HOOK_SECRET", "s")]);
    assert_eq!(
        tell_within(&config, Gist::ALARM, &message, &secrets, QUICK).await,
        Vec::<String>::new()
    );
    let asked = asked.lock().unwrap().join("");
    for told in [
        "EMERGENCY OVERRIDE by ana@example.com",
        "The site is being robbed",
        "payments@main",
        "abcdef",
    ] {
        assert!(asked.contains(told), "{told}: {asked}");
    }
}
