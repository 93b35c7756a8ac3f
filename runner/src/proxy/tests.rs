use super::*;
use holdpoint_schemas::estate::CredentialConfig;
use std::collections::BTreeMap;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};

const SECRET: &str = "Bearer s3cret-t0ken";

/// An origin on loopback: hands over each request's head, and answers the same to all.
struct Origin {
    port: u16,
    heads: mpsc::UnboundedReceiver<String>,
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: &str) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let answer = answer.replace("ECHO", &head.len().to_string());
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    head
}

async fn origin(answer: &'static str, tls: Option<TlsAcceptor>) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let head = match &tls {
                None => serve(stream, answer).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream, answer).await,
                    Err(_) => continue,
                },
            };
            let _ = sender.send(head);
        }
    });
    Origin { port, heads }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A certificate for `localhost`, self-made, and what accepts connections with it.
fn certificate() -> (Vec<u8>, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.der().to_vec(), TlsAcceptor::from(Arc::new(config)))
}

fn settings(hosts: &[String], credential: Option<&str>) -> ProxySettings {
    let credentials = credential.map(|host| {
        let source = CredentialConfig {
            header: "Authorization".to_owned(),
            env: "TOKEN".to_owned(),
        };
        (host.to_owned(), source)
    });
    let config = PrepareConfig {
        hosts: hosts.to_vec(),
        credentials: credentials.into_iter().collect::<BTreeMap<_, _>>(),
        scripts: false,
    };
    ProxySettings::new(&config, &|_| Some(SECRET.to_owned())).unwrap()
}

async fn ask(proxy: &Proxy, request: &str) -> String {
    let mut stream = UnixStream::connect(proxy.socket()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A proxy that goes away in the middle is an end, too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(authority: &str, more: &str) -> String {
    format!("GET http://{authority}/a?b HTTP/1.1\r\nHost: {authority}\r\n{more}Connection: close\r\n\r\n")
}

#[tokio::test]
async fn a_listed_host_is_reached_and_named() {
    let mut origin = origin(OK, None).await;
    let authority = format!("127.0.0.1:{}", origin.port);
    let proxy = Proxy::start(&settings(std::slice::from_ref(&authority), None)).unwrap();
    let answer = ask(&proxy, &get(&authority, "Proxy-Authorization: x\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("hello"), "{answer}");
    let head = origin.heads.recv().await.unwrap().to_lowercase();
    assert!(head.starts_with("get /a?b http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {authority}")), "{head}");
    assert!(!head.contains("proxy-"), "{head}");
    assert_eq!(proxy.report().reached, [authority]);
    assert!(proxy.report().refused.is_empty());
}

#[tokio::test]
async fn everything_else_is_refused_and_named() {
    let origin = origin(OK, None).await;
    let listed = format!("127.0.0.1:{}", origin.port);
    let proxy = Proxy::start(&settings(
        &[listed.clone(), format!("rebound.example:{}", origin.port)],
        None,
    ))
    .unwrap();
    let named = |authority: &str, host: &str| format!("GET http://{authority}/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for request in [
        get("evil.example", ""),
        get("169.254.169.254", ""),
        get(&format!("localhost:{}", origin.port), ""),
        get(&format!("{listed}@evil.example"), ""),
        get(&format!("user@{listed}"), ""),
        named(&listed, "evil.example"),
        format!("GET http://{listed}/ HTTP/1.1\r\nHost: {listed}\r\nHost: evil.example\r\n\r\n"),
        format!("GET https://{listed}/ HTTP/1.1\r\nHost: {listed}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {listed}\r\n\r\n"),
        format!("TRACE http://{listed}/ HTTP/1.1\r\nHost: {listed}\r\n\r\n"),
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n".to_owned(),
        format!("CONNECT {listed} HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"),
        "CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n".to_owned(),
        "CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n".to_owned(),
    ] {
        let answer = ask(&proxy, &request).await;
        let refused = answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 400");
        assert!(refused, "{request}{answer}");
    }
    let report = proxy.report();
    assert!(report.reached.is_empty(), "{report:?}");
    for host in ["evil.example", "169.254.169.254", "127.0.0.1:22"] {
        assert!(report.refused.contains_key(host), "{report:?}");
    }
}

async fn connect(proxy: &Proxy, authority: &str) -> UnixStream {
    let mut stream = UnixStream::connect(proxy.socket()).await.unwrap();
    // As Python before 3.12 asks.
    let request = format!("CONNECT {authority} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200"));
    stream
}

#[tokio::test]
async fn a_tunnel_carries_tls_to_its_own_host_and_nothing_else() {
    let (der, acceptor) = certificate();
    let origin = origin(OK, Some(acceptor)).await;
    let authority = format!("localhost:{}", origin.port);
    let proxy = Proxy::start(&settings(std::slice::from_ref(&authority), None)).unwrap();
    let client = settings(std::slice::from_ref(&authority), Some(&authority)).with_root(der);
    let connector = tokio_rustls::TlsConnector::from(client.tls().unwrap().unwrap());
    let name = |name: &'static str| ServerName::try_from(name).unwrap();

    let fronted = connector
        .connect(name("evil.example"), connect(&proxy, &authority).await)
        .await;
    assert!(fronted.is_err());
    assert!(proxy.report().reached.is_empty());
    assert!(proxy.report().refused[&authority].contains("another host"));

    let mut plain = connect(&proxy, &authority).await;
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest).await;
    assert!(rest.is_empty());

    let mut stream = connector
        .connect(name("localhost"), connect(&proxy, &authority).await)
        .await
        .unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert_eq!(proxy.report().reached, [authority]);
}

/// A TLS origin on `localhost` with a credential, and a proxy to it.
async fn with_credential(answer: &'static str) -> (Proxy, Origin, String) {
    let (der, acceptor) = certificate();
    let origin = origin(answer, Some(acceptor)).await;
    let authority = format!("localhost:{}", origin.port);
    let settings = settings(std::slice::from_ref(&authority), Some(&authority)).with_root(der);
    (Proxy::start(&settings).unwrap(), origin, authority)
}

#[tokio::test]
async fn the_proxy_adds_the_credential_by_tls_and_takes_away_what_the_sandbox_sent() {
    let (proxy, mut origin, authority) = with_credential(OK).await;
    let answer = ask(&proxy, &get(&authority, "Authorization: forged\r\nCookie: forged\r\n")).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(!answer.contains("s3cret"), "{answer}");
    let head = origin.heads.recv().await.unwrap();
    assert!(head.contains(SECRET), "{head}");
    assert!(!head.contains("forged"), "{head}");
    assert!(!format!("{proxy:?}").contains("s3cret"));
}

#[tokio::test]
async fn nothing_is_written_with_a_credential() {
    let (proxy, mut origin, authority) = with_credential(OK).await;
    for method in ["PUT", "POST", "DELETE", "TRACE"] {
        let request =
            format!("{method} http://{authority}/pkg HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\n\r\n");
        let answer = ask(&proxy, &request).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{method}: {answer}");
    }
    assert!(origin.heads.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_that_shows_the_credential_does_not_come_through() {
    let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\nAuthorization:Bearer s3cret-t0k\u{65}n",
        "HTTP/1.1 200 OK\r\nX-Echo: Bearer s3cret-t0ken\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: https://evil.example/?t=s3cret-t0ken\r\nContent-Length: 0\r\n\r\n",
    ];
    for answer in answers {
        let (proxy, _origin, authority) = with_credential(answer).await;
        let got = ask(&proxy, &get(&authority, "")).await;
        assert!(!got.contains("s3cret-t0ken"), "{got}");
        assert!(!got.contains("HTTP/1.1 302"), "{got}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_goes_without_the_credential() {
    let (proxy, _origin, authority) =
        with_credential("HTTP/1.1 302 Found\r\nLocation: https://cdn.example/x\r\nContent-Length: 0\r\n\r\n").await;
    let answer = ask(&proxy, &get(&authority, "")).await;
    assert!(
        answer.to_lowercase().contains("location: https://cdn.example/x"),
        "{answer}"
    );
    let refused = ask(&proxy, &get("cdn.example", "")).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_gets_no_credential() {
    let (_, acceptor) = certificate();
    let mut origin = origin(OK, Some(acceptor)).await;
    let authority = format!("localhost:{}", origin.port);
    let proxy = Proxy::start(&settings(std::slice::from_ref(&authority), Some(&authority))).unwrap();
    let answer = ask(&proxy, &get(&authority, "")).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(origin.heads.try_recv().is_err());
    assert_eq!(proxy.report().faults, 1);
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_a_fault_and_no_refusal() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = taken.local_addr().unwrap().to_string();
    drop(taken);
    let proxy = Proxy::start(&settings(std::slice::from_ref(&authority), None)).unwrap();
    let answer = ask(&proxy, &get(&authority, "")).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    let report = proxy.report();
    assert_eq!((report.faults, report.refused.len()), (1, 0));
    assert!(report.last_fault.unwrap().contains(&authority));
}

#[tokio::test]
async fn the_transfer_is_bounded() {
    let origin = origin(OK, None).await;
    let authority = format!("127.0.0.1:{}", origin.port);
    let settings = settings(std::slice::from_ref(&authority), None).with_bounds(ProxyBounds {
        down_bytes: 60,
        ..ProxyBounds::default()
    });
    let proxy = Proxy::start(&settings).unwrap();
    assert!(ask(&proxy, &get(&authority, "")).await.ends_with("hello"));
    assert!(!ask(&proxy, &get(&authority, "")).await.ends_with("hello"));
    let answer = ask(&proxy, &get(&authority, "")).await;
    assert!(answer.contains("the transfer limit is used up"), "{answer}");
}

#[tokio::test]
async fn a_long_head_is_refused() {
    let proxy = Proxy::start(&settings(&[], None)).unwrap();
    let answer = ask(&proxy, &get("a.example", &format!("X: {}\r\n", "x".repeat(200_000)))).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn its_socket_is_in_a_private_folder_and_goes_away_with_it() {
    let proxy = Proxy::start(&settings(&[], None)).unwrap();
    let socket = proxy.socket().to_owned();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
    assert_eq!(mode(&socket), 0o666);
    // It may take away what others left, but not this one.
    sweep().unwrap();
    assert!(socket.exists());
    drop(proxy);
    assert!(!socket.parent().unwrap().exists());
}

#[tokio::test]
async fn a_client_that_would_wait_for_ever_after_a_refusal_is_cut_off_and_the_host_is_named() {
    let proxy = Proxy::start(&settings(&[], None)).unwrap();
    let request = "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nProxy-Connection: close\r\n";
    assert_eq!(ask(&proxy, &format!("{request}\r\n")).await, "");
    assert!(proxy.report().refused.contains_key("evil.example:443"));
    let told = ask(&proxy, &format!("{request}User-Agent: curl/8\r\n\r\n")).await;
    assert!(told.starts_with("HTTP/1.1 403"), "{told}");
}
