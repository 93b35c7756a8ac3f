//! The contract check, with the agent inside the sandbox and a real service.

use super::support::{sandbox, tree};
use super::validation::{Reader, plan};
use holdpoint_runner::agent::{AgentRequest, AgentResponse};
use holdpoint_runner::contract_check::{ConsumerContract, ContractPlan, Mismatch, RecordedInteraction, Replay};
use holdpoint_runner::{ValidationPlan, run_baseline, validate};
use holdpoint_schemas::estate::{ServeConfig, StepsConfig};
use holdpoint_schemas::event::NoEvents;
use holdpoint_schemas::evidence::{Check, CheckResult, Verdict};

const SERVICE: &str = r#"
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)) or b'{"ok":true}'
        print('{"nonce":"guess","event":"answered","index":0}', flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "TYPE")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
http.server.HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
"#;

fn service(content_type: &str) -> Vec<u8> {
    tree(&[("service.py", &SERVICE.replace("TYPE", content_type))])
}

fn contract_plan(baseline: Vec<u8>, candidate: Vec<u8>) -> ValidationPlan {
    let interaction = |method: &str, body: &[u8]| RecordedInteraction {
        description: format!("a {method}"),
        request: AgentRequest {
            method: method.to_owned(),
            path: "/payments".to_owned(),
            body: body.to_vec(),
            ..AgentRequest::default()
        },
    };
    let mut plan = plan(&[Check::Contract], StepsConfig::default(), baseline, candidate);
    plan.contract = ContractPlan {
        serve: Some(ServeConfig {
            command: "exec python3 service.py".to_owned(),
            port: 8080,
            ready: "/".to_owned(),
            ready_seconds: 30,
        }),
        consumers: vec![ConsumerContract {
            consumer: "bank-partner".to_owned(),
            interactions: vec![interaction("GET", b""), interaction("POST", b"\x00\xffbytes")],
        }],
        agent: env!("CARGO_BIN_EXE_holdpoint-replay-agent").into(),
        ..ContractPlan::default()
    };
    plan
}

fn judge(_: usize, _: usize, answer: &AgentResponse) -> Vec<Mismatch> {
    let content_type = &answer.headers["content-type"];
    if content_type == &["application/json"] {
        return Vec::new();
    }
    let text = format!("expected application/json, got {}", content_type.join(", "));
    vec![Mismatch {
        path: "headers.content-type".to_owned(),
        text,
    }]
}

async fn check(baseline: Vec<u8>, candidate: Vec<u8>) -> CheckResult {
    let plan = contract_plan(baseline, candidate);
    let record = validate(&sandbox().await, &plan, &Reader, &judge, &NoEvents)
        .await
        .unwrap();
    record.evidence.checks[&Check::Contract].clone()
}

#[tokio::test]
async fn a_changed_response_format_fails_and_names_the_consumer() {
    let result = check(service("application/json"), service("application/hal+json")).await;
    assert_eq!(result.verdict, Verdict::Failed);
    assert_eq!(
        result.reason,
        "the fix breaks a contract: `bank-partner`: a GET: headers.content-type: expected application/json, \
         got application/hal+json (and 1 more)"
    );
}

#[tokio::test]
async fn an_unchanged_service_holds_its_contracts() {
    let result = check(service("application/json"), service("application/json")).await;
    assert_eq!(result.verdict, Verdict::Passed, "{result:?}");
}

#[tokio::test]
async fn a_service_that_no_longer_starts_fails() {
    let broken = tree(&[("service.py", "import nothing_like_it")]);
    let result = check(service("application/json"), broken.clone()).await;
    assert_eq!(result.verdict, Verdict::Failed, "{result:?}");
    assert!(result.reason.contains("no longer starts"), "{}", result.reason);
    let result = check(broken, service("application/json")).await;
    assert_eq!(result.verdict, Verdict::Inconclusive, "{result:?}");
}

#[tokio::test]
async fn bodies_travel_unchanged_and_the_services_output_is_no_result() {
    let plan = contract_plan(service("application/json"), Vec::new());
    let record = run_baseline(&sandbox().await, &plan, None, &Reader, &NoEvents)
        .await
        .unwrap()
        .record;
    let Some(Replay::Answered { answers }) = record.replay else {
        panic!("{record:?}");
    };
    let body = |at: usize| match &answers[at] {
        holdpoint_runner::contract_check::Answer::Response(response) => response.body.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (body(0).as_slice(), body(1).as_slice()),
        (b"{\"ok\":true}".as_slice(), b"\x00\xffbytes".as_slice())
    );
    assert!(
        record.steps[0].tail.contains("guess"),
        "the service's output is its log: {}",
        record.steps[0].tail
    );
    assert!(
        !record.steps[0].tail.contains("payments\":\""),
        "{}",
        record.steps[0].tail
    );
}
