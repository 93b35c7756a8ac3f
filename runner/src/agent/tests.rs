use super::*;
use std::io::Read as _;
use std::net::TcpListener;

/// Answers one connection per element with exactly these bytes; `None` says nothing and holds on.
fn server(answers: Vec<Option<Vec<u8>>>) -> (u16, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap();
            seen.push(String::from_utf8_lossy(&request[..count]).into_owned());
            match answer {
                Some(bytes) => {
                    let _ = stream.write_all(&bytes);
                }
                None => {
                    let _ = stream.read(&mut request);
                }
            }
        }
        seen
    });
    (port, thread)
}

fn get() -> AgentRequest {
    AgentRequest {
        method: "GET".to_owned(),
        path: "/x".to_owned(),
        ..AgentRequest::default()
    }
}

fn ask(answer: &[u8]) -> Result<AgentResponse, String> {
    let (port, thread) = server(vec![Some(answer.to_vec())]);
    let result = http::call(port, &get(), Duration::from_secs(5)).map_err(|error| error.to_string());
    thread.join().unwrap();
    result
}

#[test]
fn a_body_is_framed_by_length_by_chunks_or_by_the_end() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello, and more",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n2;e=1\r\nhe\r\n3\r\nllo\r\n0\r\nt: 1\r\n\r\n",
        "HTTP/1.0 200\r\nx-a: 1\nx-a: 2\n\nhello",
    ] {
        let response = ask(answer.as_bytes()).unwrap();
        assert_eq!(
            (response.status, response.body.as_slice()),
            (200, b"hello".as_slice()),
            "{answer}"
        );
        assert_eq!(response.headers["x-a"], ["1", "2"]);
    }
}

#[test]
fn what_is_not_plainly_http_is_refused() {
    for answer in [
        "",
        "hello\r\n\r\n",
        "HTTP/1.1 99 No\r\n\r\n",
        "HTTP/1.1 2000 No\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nspace : 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
    ] {
        assert!(
            ask(answer.as_bytes()).unwrap_err().contains("not valid HTTP"),
            "{answer:?}"
        );
    }
}

#[test]
fn huge_answers_are_cut_off() {
    let mut endless_header = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    endless_header.resize(200 << 10, b'a');
    let mut endless_body = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless_body.resize(2 << 20, b'a');
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n".to_vec();
    for answer in [endless_header, endless_body, announced] {
        assert!(ask(&answer).unwrap_err().contains("larger than"));
    }
}

#[test]
fn a_silent_server_runs_into_the_limit() {
    let (port, thread) = server(vec![None]);
    let error = http::call(port, &get(), Duration::from_millis(100)).unwrap_err();
    assert!(error.is_time_out(), "{error}");
    thread.join().unwrap();
}

#[test]
fn a_recorded_request_cannot_smuggle_another_one() {
    let with = |change: fn(&mut AgentRequest)| {
        let mut request = get();
        change(&mut request);
        http::call(1, &request, Duration::from_secs(1)).unwrap_err().to_string()
    };
    for error in [
        with(|r| r.method = "GET / HTTP/1.1\r\nx:".to_owned()),
        with(|r| r.path = "/ HTTP/1.1\r\nx: y".to_owned()),
        with(|r| r.path = "http://elsewhere/".to_owned()),
        with(|r| r.query = Some("a b".to_owned())),
        with(|r| drop(r.headers.insert("a\r\nb".to_owned(), vec!["1".to_owned()]))),
        with(|r| drop(r.headers.insert("a".to_owned(), vec!["1\r\nb: 2".to_owned()]))),
    ] {
        assert!(error.contains("can't be sent"), "{error}");
    }
}

#[test]
fn framing_headers_of_a_recording_are_not_sent() {
    let (port, thread) = server(vec![Some(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())]);
    let mut request = get();
    request
        .headers
        .insert("Content-Length".to_owned(), vec!["999".to_owned()]);
    request
        .headers
        .insert("Accept".to_owned(), vec!["text/plain".to_owned()]);
    request.query = Some("a=1".to_owned());
    http::call(port, &request, Duration::from_secs(5)).unwrap();
    let seen = thread.join().unwrap().remove(0);
    assert!(seen.starts_with("GET /x?a=1 HTTP/1.1\r\n"), "{seen}");
    assert!(
        seen.contains("Accept: text/plain\r\n") && !seen.contains("999"),
        "{seen}"
    );
}

fn run(spec: &ReplaySpec) -> Vec<ReplayLine> {
    let mut out = Vec::new();
    replay(&serde_json::to_string(spec).unwrap(), &mut out).unwrap();
    String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn spec(command: &str, port: u16) -> ReplaySpec {
    ReplaySpec {
        nonce: "n".to_owned(),
        command: command.to_owned(),
        port,
        ready: "/".to_owned(),
        ready_seconds: 10,
        request_seconds: 5,
        requests: vec![get()],
        runs: 1,
        tests: None,
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_service_is_started_asked_and_stopped() {
    let port = free_port();
    let lines = run(&spec(
        &format!("exec python3 -m http.server --bind 127.0.0.1 {port}"),
        port,
    ));
    assert!(matches!(&lines[0].event, ReplayEvent::Answered { index: 0, response } if response.status == 404));
    assert_eq!(lines[1].event, ReplayEvent::Done);
    assert!(lines.iter().all(|line| line.nonce == "n"));
    assert!(
        TcpListener::bind(("127.0.0.1", port)).is_ok(),
        "the service still listens"
    );
}

#[test]
fn a_service_that_ends_or_is_never_ready_is_a_result() {
    assert_eq!(
        run(&spec("exit 3", free_port()))[0].event,
        ReplayEvent::Exited { code: Some(3) }
    );
    let mut never = spec("exec sleep 60", free_port());
    never.ready_seconds = 0;
    assert!(matches!(run(&never)[0].event, ReplayEvent::NotReady { .. }));
}

#[test]
fn a_malformed_spec_is_an_error() {
    assert!(matches!(replay("{", &mut Vec::new()), Err(AgentError::Spec(_))));
    let mut many = spec("true", 1);
    many.requests = vec![get(); MAX_REQUESTS + 1];
    let text = serde_json::to_string(&many).unwrap();
    assert!(matches!(replay(&text, &mut Vec::new()), Err(AgentError::TooMany(_))));
}
