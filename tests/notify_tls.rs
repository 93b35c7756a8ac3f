//! Who is told of a night over TLS: a webhook, mail with TLS from the first byte and with `STARTTLS`; and who isn't,
//! where the certificate is another's.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::{AT, Estate, holdpoint, stderr};

/// Longest time that a server waits for a client, and the test for what a server got.
const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate for `localhost`, and the configuration of servers that have it.
struct Authority {
    pem: String,
    servers: Arc<ServerConfig>,
}

impl Authority {
    fn new() -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let servers = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], signing_key.into())
            .unwrap();
        Self {
            pem: cert.pem(),
            servers: Arc::new(servers),
        }
    }

    fn accept(&self, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        StreamOwned::new(ServerConnection::new(Arc::clone(&self.servers)).unwrap(), stream)
    }
}

/// Serves clients until one of them told something, and says what.
fn serve(talk: impl Fn(TcpStream) -> std::io::Result<String> + Send + 'static) -> (u16, mpsc::Receiver<String>) {
    // Every address of `localhost` may be tried.
    let listener = TcpListener::bind("localhost:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            if let Ok(text) = talk(stream) {
                let _ = told.send(text);
                break;
            }
        }
    });
    (port, heard)
}

/// Reads one request over HTTP, and answers that all is well.
fn http(stream: impl Read + Write) -> std::io::Result<String> {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let from = head.len();
        if stream.read_line(&mut head)? == 0 {
            break;
        }
        let line = head[from..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let stream = stream.get_mut();
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    stream.flush()?;
    Ok(head + &String::from_utf8(body).unwrap())
}

/// Speaks SMTP up to a letter's end; `None` instead of it where the client asks for TLS.
fn smtp<S: Read + Write>(stream: S, greeting: &str, offer: &str) -> std::io::Result<(Option<String>, S)> {
    let mut stream = BufReader::new(stream);
    let say = |stream: &mut BufReader<S>, text: &str| {
        stream.get_mut().write_all(text.as_bytes())?;
        stream.get_mut().flush()
    };
    say(&mut stream, greeting)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.split([' ', '\r']).next().unwrap_or_default() {
            "EHLO" => say(&mut stream, offer)?,
            "STARTTLS" => {
                say(&mut stream, "220 go on\r\n")?;
                return Ok((None, stream.into_inner()));
            }
            "DATA" => {
                say(&mut stream, "354 go on\r\n")?;
                let mut letter = String::new();
                while !letter.ends_with("\r\n.\r\n") && stream.read_line(&mut letter)? > 0 {}
                say(&mut stream, "250 taken\r\n")?;
                return Ok((Some(letter), stream.into_inner()));
            }
            "" => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => say(&mut stream, "250 well\r\n")?,
        }
    }
}

#[test]
fn a_night_is_told_over_tls_and_not_to_whom_nobody_vouches_for() {
    let (trusted, other) = (Arc::new(Authority::new()), Arc::new(Authority::new()));
    let servers = Arc::clone(&trusted);
    let (hook, hooked) = serve(move |stream| http(servers.accept(stream)));
    let servers = Arc::clone(&trusted);
    let (mail, mailed) = serve(move |stream| {
        let (letter, _) = smtp(servers.accept(stream), "220 mail\r\n", "250 mail\r\n")?;
        Ok(letter.unwrap_or_default())
    });
    let servers = Arc::clone(&trusted);
    let (start, started) = serve(move |stream| {
        let (early, stream) = smtp(stream, "220 mail\r\n", "250-mail\r\n250 STARTTLS\r\n")?;
        assert_eq!(early, None, "a letter came in the clear");
        let (letter, _) = smtp(servers.accept(stream), "", "250 mail\r\n")?;
        Ok(letter.unwrap_or_default())
    });
    // In the clear it is offered no TLS, and gets no letter.
    let (plain, in_the_clear) = serve(move |stream| {
        let (letter, _) = smtp(stream, "220 mail\r\n", "250 mail\r\n")?;
        Ok(letter.unwrap_or_default())
    });
    let (stranger, strange) = serve(move |stream| http(other.accept(stream)));

    let estate = Estate::prepared();
    let pem = estate.file("trusted.pem");
    std::fs::write(&pem, &trusted.pem).unwrap();
    let letter = |port: u16, tls: &str| {
        format!(
            "  - when: always\n    email: {{server: 'localhost:{port}', tls: {tls}, from: a@b.example, to: [c@d.example]}}\n"
        )
    };
    let post = |port: u16| {
        format!("  - when: always\n    webhook: {{url: 'https://localhost:{port}/night', secret_env: KEY}}\n")
    };
    estate.edit("holdpoint.yaml", |text| {
        let told = [
            post(hook),
            letter(mail, "tls"),
            letter(start, "starttls"),
            letter(plain, "starttls"),
            post(stranger),
        ];
        format!("{text}\nnotify:\n{}", told.concat())
    });
    let ended = holdpoint()
        .args(["--quiet", "--at", AT, "--estate"])
        .arg(estate.estate())
        .args(["run", "--limit", "0s"])
        .env("SSL_CERT_FILE", &pem)
        .env("KEY", "of the webhook")
        .output()
        .unwrap();
    let warnings = stderr(&ended);
    assert_eq!(ended.status.code(), Some(10), "{warnings}");

    let request = hooked.recv_timeout(PATIENCE).unwrap();
    assert!(request.starts_with("POST /night HTTP/1.1\r\n"), "{request}");
    for part in ["webhook-signature: v1,", "holdpoint.notification/1"] {
        assert!(request.contains(part), "{request}");
    }
    for letters in [&mailed, &started] {
        let letter = letters.recv_timeout(PATIENCE).unwrap();
        assert!(
            letter.contains("From: a@b.example") && letter.contains("Subject: "),
            "{letter}"
        );
    }
    assert!(strange.try_recv().is_err() && in_the_clear.try_recv().is_err());
    for (what, why) in [
        ("no e-mail was sent", "the server doesn't offer what is needed"),
        ("a webhook wasn't told of this run", "no TLS with it"),
    ] {
        let told: Vec<&str> = warnings.lines().filter(|line| line.contains(what)).collect();
        assert!(told.len() == 1 && told[0].contains(why), "{warnings}");
    }
}
